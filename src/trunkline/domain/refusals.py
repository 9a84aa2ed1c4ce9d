"""Why a call is not connected: a table, not code (SPEC "Refusals").

Each row has a stable code that appears in the SIP answer's Reason, the call record, the metrics and the help page. The statuses were
chosen for what a PBX does next: overflow to its other line, try again, or tell the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of the table. `q850` is the cause of Q.850 for the Reason header (RFC 6432); `retry_after_seconds` 0 sends none."""

    name: str
    code: str
    status: int
    phrase: str
    q850: int
    text: str
    remedy: str
    retry_after_seconds: int = 0

    @property
    def headers(self) -> str:
        """Header lines of the SIP answer, each ended by CRLF."""
        reason = f'Reason: Q.850;cause={self.q850};text="{self.code} {self.text}"\r\n'
        return reason + (f"Retry-After: {self.retry_after_seconds}\r\n" if self.retry_after_seconds else "")


_ROWS = (
    Refusal(
        "no_credit",
        "C01",
        402,
        "Payment Required",
        21,
        "no credit",
        "The purse can't pay the first part of this call. Add Credit to the SIP Profile or switch on Auto-recharge.",
    ),
    Refusal(
        "channels_full",
        "C02",
        403,
        "Channel Limit Reached",
        34,
        "all channels in use",
        "Every calling channel of the SIP Profile is taken. Buy more channels, or let the PBX overflow to its next line.",
    ),
    Refusal(
        "channels_full_incoming",
        "C03",
        486,
        "Busy Here",
        17,
        "all channels in use",
        "Every calling channel of the called SIP Profile is taken. Buy more channels.",
    ),
    Refusal(
        "too_fast",
        "C04",
        503,
        "Too Many Calls Per Second",
        42,
        "calls per second",
        "The PBX starts calls faster than the SIP Profile may. Slow it down, or see the limit under Barring and limits.",
        retry_after_seconds=1,
    ),
    Refusal(
        "call_control_away",
        "C05",
        503,
        "Service Unavailable",
        41,
        "call control away",
        "A fault on our side. The PBX may try again in a few seconds.",
        retry_after_seconds=5,
    ),
    Refusal(
        "profile_inactive",
        "C06",
        403,
        "SIP Profile Inactive",
        50,
        "no channel subscription",
        "The SIP Profile has no calling channels. Buy a channel subscription to activate it.",
    ),
    Refusal(
        "suspended",
        "C07",
        403,
        "Suspended",
        21,
        "suspended",
        "The operator has suspended this account. The Manager shows the reason.",
    ),
    Refusal(
        "barred",
        "C08",
        403,
        "Destination Barred",
        57,
        "destination barred",
        "This destination or kind of number is switched off for the SIP Profile. An administrator switches it on under Barring and limits.",
    ),
    Refusal(
        "name_called",
        "C09",
        403,
        "Names Cannot Be Called",
        57,
        "names cannot be called from a PBX",
        "A PBX can call telephone numbers only. Call the company's number instead.",
    ),
    Refusal(
        "bad_number",
        "C10",
        484,
        "Address Incomplete",
        28,
        "not a complete number",
        "Dial the number in international form (+, country, number) or in the national form of your country.",
    ),
    Refusal(
        "unknown_number",
        "C11",
        404,
        "Not Found",
        1,
        "number not assigned",
        "Nobody has this number. Check it, or assign it to a SIP Profile.",
    ),
    Refusal(
        "not_reachable",
        "C12",
        480,
        "Temporarily Unavailable",
        20,
        "PBX not registered",
        "The called PBX is not connected: check its registration and its network.",
    ),
    Refusal(
        "srtp_required",
        "C13",
        488,
        "Not Acceptable Here",
        88,
        "SRTP required",
        "This SIP Profile accepts encrypted media only. Switch SRTP on in the PBX.",
    ),
    Refusal(
        "srtp_forbidden",
        "C20",
        488,
        "Not Acceptable Here",
        88,
        "SRTP forbidden",
        "This SIP Profile accepts media without encryption only. Switch SRTP off in the PBX for this trunk.",
    ),
    Refusal(
        "emergency",
        "C14",
        503,
        "No Emergency Calls",
        38,
        "no emergency calls",
        "This service can't reach emergency services. The PBX must send emergency calls to another line.",
    ),
    Refusal(
        "no_price",
        "C15",
        403,
        "Destination Not Offered",
        57,
        "no price for this destination",
        "The price list has no price for this number. Ask the operator to offer the destination.",
    ),
    Refusal(
        "too_dear",
        "C16",
        403,
        "Rate Above Limit",
        57,
        "rate above the profile's limit",
        "The rate is above the highest rate per minute that the SIP Profile allows. An administrator raises it under Barring and limits.",
    ),
    Refusal(
        "no_carrier",
        "C17",
        503,
        "No Carrier",
        38,
        "no carrier for this destination",
        "No carrier of the operator takes this number now. The PBX may use its next line.",
        retry_after_seconds=30,
    ),
    Refusal(
        "call_again",
        "C18",
        482,
        "Loop Detected",
        25,
        "same call again",
        "The same INVITE came again after its call had ended. The PBX must use a new Call-ID for each call.",
    ),
    Refusal(
        "unknown_caller",
        "C19",
        403,
        "Forbidden",
        21,
        "unknown source",
        "The source of this call is not known any more. Check the SIP Profile's authentication details.",
    ),
)

REFUSALS = MappingProxyType({row.name: row for row in _ROWS})
