"""One Asterisk of the lab: its own directory, ports and process; several run side by side."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trunkline.runtime.sandbox import engine_command
from trunkline.runtime.settings import RUN_PATH_BYTES_MAX

START_SECONDS = 30.0
STOP_SECONDS = 10.0
CLI_SECONDS = 30.0

# Named one by one: all modules together take a second longer to start and open sockets that nobody asked for.
MODULES = (
    "app_dial", "app_echo", "app_exec", "app_mixmonitor", "app_playback", "app_playtones", "app_senddtmf", "app_stack", "app_verbose",
    "bridge_builtin_features", "bridge_native_rtp", "bridge_simple", "bridge_softmix", "chan_pjsip", "codec_alaw", "codec_g722",
    "codec_resample", "codec_ulaw", "format_pcm", "format_sln", "format_wav", "func_callerid", "func_channel", "func_cut",
    "func_dialplan", "func_env", "func_global", "func_hangupcause", "func_logic", "func_pjsip_contact", "func_pjsip_endpoint",
    "func_rand", "func_strings", "func_timeout", "func_uri", "pbx_config", "pbx_spool", "res_clioriginate", "res_crypto", "res_pjproject",
    "res_pjsip", "res_pjsip_acl", "res_pjsip_authenticator_digest", "res_pjsip_caller_id", "res_pjsip_dlg_options", "res_pjsip_dtmf_info",
    "res_pjsip_empty_info", "res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user", "res_pjsip_header_funcs",
    "res_pjsip_logger", "res_pjsip_nat", "res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration", "res_pjsip_pubsub",
    "res_pjsip_registrar", "res_pjsip_rfc3326", "res_pjsip_sdp_rtp", "res_pjsip_session", "res_pjsip_t38", "res_rtp_asterisk",
    "res_sorcery_astdb", "res_sorcery_config", "res_sorcery_memory", "res_srtp", "res_timing_timerfd",
)  # fmt: skip

_DIRECTORIES = {
    "astetcdir": "etc",
    "astvarlibdir": "lib",
    "astdbdir": "lib",
    "astkeydir": "lib",
    "astagidir": "lib",
    "astspooldir": "spool",
    "astlogdir": "log",
}


class LabError(RuntimeError):
    """The lab did not do what it was told; the text ends with what the engine said."""


@dataclass
class Asterisk:
    """`files`: name under etc/ -> content. `root`: the lab's engine root, None for an installed Asterisk.

    `directory` is emptied at start. Whoever starts it from a thread must keep the thread: the engine dies with it.
    """

    directory: Path
    files: Mapping[str, str]
    root: Path | None
    rtp_ports: tuple[int, int]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def run_dir(self) -> Path:
        """Short enough for the control socket in it."""
        inside = self.directory / "run"
        if len(os.fsencode(inside)) <= RUN_PATH_BYTES_MAX:
            return inside
        return Path(f"/tmp/trunkline-{hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]}")  # noqa: S108 - made 0700

    def start(self) -> None:
        """Returns when it is fully booted."""
        self._write()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self._command("-f", "-n", "-vvv"), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, close_fds=True
            )
        try:
            self.wait((self.run_dir / "asterisk.ctl").exists, "its control socket", START_SECONDS)
            self.wait(lambda: "fully booted" in self.cli("core waitfullybooted"), "it to boot", START_SECONDS)
        except LabError:
            self.stop()
            raise

    def stop(self) -> None:
        """Politely: it hangs up and unregisters."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.cli("core stop now")
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def cli(self, command: str) -> str:
        """What `asterisk -rx` prints. A dead Asterisk prints that it cannot be reached."""
        try:
            done = subprocess.run(self._command("-rx", command), capture_output=True, text=True, timeout=CLI_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise self.error(f"no answer to {command!r} within {CLI_SECONDS:g} s") from None
        return done.stdout + done.stderr

    def wait(self, condition: Callable[[], object], what: str, within_seconds: float) -> None:
        """Until `condition` holds; LabError if the time is over or the process has died."""
        deadline = time.monotonic() + within_seconds
        while not condition():
            if self.process is None or self.process.poll() is not None:
                raise self.error(f"Asterisk died while we waited for {what}")
            if time.monotonic() > deadline:
                raise self.error(f"waited {within_seconds:g} s for {what}")
            time.sleep(0.05)

    def error(self, what: str) -> LabError:
        said = self.output.read_text(encoding="utf-8", errors="replace").splitlines()[-20:] if self.output.exists() else []
        return LabError("\n".join([f"{self.directory.name}: {what}", *said]))

    @property
    def output(self) -> Path:
        return self.directory / "log" / "asterisk.log"

    def _command(self, *arguments: str) -> list[str]:
        argv = ["asterisk", "-C", str(self.directory / "etc" / "asterisk.conf"), *arguments]
        return engine_command(self.root, argv, writable=list({self.directory, self.run_dir}), die_with_parent=True)

    def _write(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self.run_dir.mkdir(mode=0o700, parents=True)
        for name in {*_DIRECTORIES.values(), "lib/keys", "spool/outgoing"}:
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        for name, content in {**self._basics(), **self.files}.items():
            (self.directory / "etc" / name).write_text(content, encoding="utf-8")

    def _basics(self) -> dict[str, str]:
        directories = [f"{name} => {self.directory / where}" for name, where in _DIRECTORIES.items()]
        directories += [f"astrundir => {self.run_dir}", "astdatadir => /usr/share/asterisk"]
        start, end = self.rtp_ports
        return {
            "asterisk.conf": "\n".join(
                ["[directories]", *directories, f"astrundir => {self.run_dir}", "astdatadir => /usr/share/asterisk", ""]
            ),
            "modules.conf": "\n".join(["[modules]", "autoload=no", *(f"load = {module}.so" for module in MODULES), ""]),
            "logger.conf": "[general]\ndateformat=%F %T.%3q\n[logfiles]\nconsole => notice,warning,error,verbose\n",
            "rtp.conf": f"[general]\nrtpstart={start}\nrtpend={end}\nstrictrtp=yes\nicesupport=no\n",
        }
