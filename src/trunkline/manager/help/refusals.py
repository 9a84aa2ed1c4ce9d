"""What a PBX makes of a refusal, by its SIP status: measured on Asterisk, see docs/reference/refusals-on-asterisk.md."""

from __future__ import annotations

from dataclasses import dataclass

from trunkline.domain.refusals import REFUSALS, Refusal


@dataclass(frozen=True, slots=True)
class Shown:
    """Asterisk's DIALSTATUS and HANGUPCAUSE, and whether a dialplan that overflows on CHANUNAVAIL and CONGESTION goes on."""

    dial_status: str
    hangup_cause: int
    goes_on: bool


ON_ASTERISK = {
    402: Shown("CHANUNAVAIL", 127, goes_on=True),
    403: Shown("CHANUNAVAIL", 21, goes_on=True),
    404: Shown("CHANUNAVAIL", 1, goes_on=True),
    480: Shown("NOANSWER", 19, goes_on=False),
    482: Shown("CHANUNAVAIL", 127, goes_on=True),
    484: Shown("CHANUNAVAIL", 28, goes_on=True),
    486: Shown("BUSY", 17, goes_on=False),
    488: Shown("CHANUNAVAIL", 58, goes_on=True),
    503: Shown("CONGESTION", 34, goes_on=True),
}
BY_CODE: dict[str, Refusal] = {refusal.code: refusal for refusal in REFUSALS.values()}
