"""The echo service: a baresip that answers whatever the edge sends it, and plays back what it hears.

It listens on loopback, registers nowhere, and joins each call's ear to its mouth by an `aubridge` of the call's own (module `echo`).
"""

from __future__ import annotations

import uuid
from pathlib import Path

from trunkline.runtime.sandbox import engine_command, seen_inside
from trunkline.runtime.settings import Settings, bracketed

ACCOUNT = "<sip:echo@{host}>;regint=0;answermode=manual;audio_codecs=pcmu/8000/1,pcma/8000/1\n"
MODULES = "usr/lib/baresip/modules"


def echo_command(settings: Settings, root: Path | None) -> list[str]:
    directory = settings.engines_dir / "echo"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config").write_text(_config(settings, root), encoding="utf-8")
    (directory / "accounts").write_text(ACCOUNT.format(host=bracketed(settings.echo_address)), encoding="utf-8")
    (directory / "uuid").write_text(str(uuid.uuid5(uuid.NAMESPACE_URL, directory.as_uri())), encoding="ascii")
    (directory / "contacts").touch()
    return engine_command(root, ["baresip", "-f", str(directory)], writable=[directory])


def _config(settings: Settings, root: Path | None) -> str:
    first_port, last_port = settings.echo_ports
    return f"""\
poll_method             epoll
net_interface           {settings.echo_address}
sip_listen              {bracketed(settings.echo_address)}:{settings.echo_port}
sip_trans_def           udp
call_max_calls          0
call_hold_other_calls   no
audio_player            aubridge,nil
audio_source            aubridge,nil
audio_alert             aubridge,nil
audio_level             no
ausrc_srate             8000
auplay_srate            8000
ausrc_channels          1
auplay_channels         1
audio_buffer            20-160
jitter_buffer_type      fixed
jitter_buffer_delay     1-5
rtp_ports               {first_port}-{last_port}
rtp_timeout             60
module_path             {seen_inside(root, Path("/") / MODULES)}
module                  g711.so
module                  aubridge.so
module_tmp              account.so
module_tmp              uuid.so
module_app              echo.so
"""
