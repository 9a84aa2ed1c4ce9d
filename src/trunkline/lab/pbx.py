"""A company's PBX: an Asterisk with the configuration that Trunkline itself hands out."""

from __future__ import annotations

import contextlib
from pathlib import Path

from trunkline.lab.asterisk import LabError
from trunkline.lab.talker import Talker
from trunkline.usecases.pbx_config import TrunkDetails, asterisk_pjsip

REGISTER_SECONDS = 15.0
UNREGISTER_SECONDS = 3.0


def pbx(directory: Path, root: Path | None, details: TrunkDetails, rtp_ports: tuple[int, int]) -> Talker:
    """Its extensions answer with a melody; calls that it makes leave by the trunk."""
    files = asterisk_pjsip(details)
    internal = ["[internal]", f"include => to-{details.section}"]
    internal += [f"exten => {extension},1,Goto(lab-answer,${{EXTEN}},1)" for extension in sorted(set(details.extensions.values()))]
    return Talker(directory, {**files, "extensions.conf": files["extensions.conf"] + "\n" + "\n".join(internal) + "\n"}, root, rtp_ports)


def wait_until_registered(talker: Talker, within_seconds: float = REGISTER_SECONDS) -> str:
    """Asterisk's own line about its registration. By itself it begins to register at any moment of its first ten seconds."""
    asterisk = talker.asterisk
    asterisk.cli("pjsip send register *all")
    asterisk.wait(lambda: " Registered" in asterisk.cli("pjsip show registrations"), "the registration", within_seconds)
    return next(line.strip() for line in asterisk.cli("pjsip show registrations").splitlines() if " Registered" in line)


def unregister(talker: Talker) -> None:
    """Leave no contact behind that nobody answers; Asterisk itself does not do that when it stops."""
    asterisk = talker.asterisk
    with contextlib.suppress(LabError):  # the service may be gone: then there is nothing to take back
        asterisk.cli("pjsip send unregister *all")
        asterisk.wait(lambda: "Unregistered" in asterisk.cli("pjsip show registrations"), "the end of registration", UNREGISTER_SECONDS)
