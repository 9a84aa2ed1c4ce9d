"""Ready-to-paste configuration for a company's PBX (R2.8), filled with the data of one SIP Profile.

Each writer returns what to put where: a file's name, or the name of a form, and its content.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from trunkline.usecases.pbx_config.asterisk import asterisk_pjsip
from trunkline.usecases.pbx_config.details import TrunkDetails
from trunkline.usecases.pbx_config.forms import freepbx, three_cx
from trunkline.usecases.pbx_config.freeswitch import freeswitch

WRITERS: MappingProxyType[str, Callable[[TrunkDetails], dict[str, str]]] = MappingProxyType(
    {"Asterisk": asterisk_pjsip, "FreePBX": freepbx, "FreeSWITCH": freeswitch, "3CX": three_cx}
)

__all__ = ["WRITERS", "TrunkDetails", "asterisk_pjsip", "freepbx", "freeswitch", "three_cx"]
