"""What `./trunkline demo` does: the demo company's PBX and a carrier, both real, make and take calls; then what the books say."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from trunkline.domain.money import for_people
from trunkline.lab.carrier import carrier
from trunkline.lab.pbx import pbx, unregister, wait_until_registered
from trunkline.lab.steps import DemonstrationError, Step, attempt
from trunkline.lab.talker import Ended, Talker
from trunkline.runtime.engines.rtpengine import ECHO_ANNOUNCEMENT_SECONDS
from trunkline.runtime.settings import Settings
from trunkline.store import queries
from trunkline.store.audit import audit
from trunkline.store.models import Account, CallRecord, Posting, Profile, Registration
from trunkline.usecases import credit
from trunkline.usecases.demo import BY, ECHO_NUMBER, DemoCompany
from trunkline.usecases.pbx_config import TrunkDetails

RTP_PORTS = (20000, 20999)
EXTENSION = "101"
LANDLINE = "+442079460100"
CALLER = "+442079460123"
TALK_SECONDS = 4.0
BOOKS_SECONDS = 15.0


@dataclass
class Demonstration:
    """Run `steps` once; it starts and ends its own engines."""

    settings: Settings
    company: DemoCompany
    lab_root: Path | None
    pbx: Talker = field(init=False)
    carrier: Talker = field(init=False)
    engines: ExitStack = field(default_factory=ExitStack, init=False)

    def __post_init__(self) -> None:
        self.profile = self.company.profiles[0]
        self.began_us = time.time_ns() // 1000
        self._make_engines()

    def _make_engines(self) -> None:
        settings, platform = self.settings, (self.settings.sip_address, self.settings.sip_port)
        details = TrunkDetails(
            profile=self.profile.name,
            domain=settings.sip_domain,
            server=settings.advertised_address,
            port=settings.sip_port,
            sip_user=self.profile.sip_user,
            password=self.profile.password,
            extensions=dict.fromkeys(self.profile.numbers, EXTENSION),
            bind=f"{settings.sip_address}:{free_port(settings.sip_address)}",
        )
        self.pbx = pbx(settings.engines_dir / "lab-pbx", self.lab_root, details, RTP_PORTS)
        self.carrier = carrier(
            settings.engines_dir / "lab-carrier",
            self.lab_root,
            address=settings.lab_carrier_address,
            port=settings.lab_carrier_port,
            platform=platform,
            rtp_ports=RTP_PORTS,
        )

    def steps(self) -> Iterator[Step]:
        """Without carrier and PBX there is nothing to show; after that each step is tried whatever the others did."""
        with self.engines:
            self.engines.callback(self.pbx.stop)
            self.engines.callback(self.carrier.stop)
            for name, act in (("carrier", self.start_carrier), ("registration", self.register_pbx)):
                step = attempt(name, act)
                yield step
                if not step.ok:
                    return
            for name, act in (
                ("echo call", self.call_echo),
                ("landline call", self.call_landline),
                ("incoming call", self.be_called),
                ("no channel", self.run_out_of_channels),
                ("no credit", self.run_out_of_credit),
                ("records", self.show_records),
                ("balances", self.show_balances),
                ("audit", self.audit_store),
            ):
                yield attempt(name, act)

    # The lab

    def start_carrier(self) -> str:
        self.carrier.start()
        return f"an Asterisk at {self.settings.lab_carrier_address}:{self.settings.lab_carrier_port} takes every number"

    def register_pbx(self) -> str:
        self.pbx.start()
        wait_until_registered(self.pbx)
        self._wait(lambda: Registration.objects.filter(profile_id=self.profile.profile_id).exists(), "the registration in the store")
        row = Registration.objects.get(profile_id=self.profile.profile_id)
        self.engines.callback(unregister, self.pbx)
        granted = (row.expires_us - row.refreshed_us) // 1_000_000
        return f"{row.user_agent.split('+')[0]} with our configuration for {self.profile.name} registered from {row.source} for {granted} s"

    # Calls

    def call_echo(self) -> str:
        call = self.pbx.call(f"+{ECHO_NUMBER}", ECHO_ANNOUNCEMENT_SECONDS + TALK_SECONDS)
        ended = _answered(self.pbx.ended(call))
        return f"+{ECHO_NUMBER} answered; {_proof(ended, call)} of what came back is what the PBX had played"

    def call_landline(self) -> str:
        call = self.pbx.call(LANDLINE, TALK_SECONDS)
        ended = _answered(self.pbx.ended(call))
        taken = self.carrier.taken(LANDLINE)
        there, back = _proof(self.carrier.ended(taken.id), call), _proof(ended, self.carrier.seed)
        return f"{LANDLINE} answered and saw {taken.caller}; the landline heard {there} of the PBX, the PBX {back} of the landline"

    def be_called(self) -> str:
        number = self.profile.numbers[0]
        call = self.carrier.call(f"+{number}", TALK_SECONDS, caller=CALLER)
        ended = _answered(self.carrier.ended(call))
        taken = self.pbx.taken(EXTENSION)
        there, back = _proof(self.pbx.ended(taken.id), call), _proof(ended, self.pbx.seed)
        return (
            f"{taken.caller} called +{number} and reached extension {EXTENSION}, which heard {there} of the caller, the caller {back} of it"
        )

    # Refusals

    def run_out_of_channels(self) -> str:
        """As many echo calls as there are channels (they are free), then one more."""
        channels = self._channels()
        calls = [self.pbx.call(f"+{ECHO_NUMBER}", TALK_SECONDS) for _ in range(channels)]
        self._wait(lambda: self._calls_in_progress() == channels, f"{channels} calls at once")
        refused = _refused(self.pbx.ended(self.pbx.call(LANDLINE)), 403)
        for call in calls:
            _answered(self.pbx.ended(call))
        return f"with all {channels} channels taken the next call got {refused}"

    def run_out_of_credit(self) -> str:
        """The profile's Credit goes to the Manager for the time of one call."""
        profile_id, moment = self.profile.profile_id, f"demo-{time.time_ns()}"
        self._wait(lambda: self._calls_in_progress() == 0, "the other calls to end")
        amount = self._purse().balance
        credit.take_back_credit(now=now(), by=BY, profile_id=profile_id, amount_micros=amount, reference=moment)
        try:
            refused = _refused(self.pbx.ended(self.pbx.call(LANDLINE)), 402)
        finally:
            credit.allocate_credit(now=now(), by=BY, profile_id=profile_id, amount_micros=amount, reference=moment)
        return f"without Credit the same landline got {refused}"

    # The books

    def show_records(self) -> str:
        expected = len(("echo", "landline", "incoming")) + self._channels() + len(("no channel", "no credit"))
        self._wait(lambda: len(self._records()) >= expected, f"{expected} call records")
        return "\n".join(_line(record) for record in reversed(self._records()))

    def show_balances(self) -> str:
        profile = queries.profile_named(str(self.profile.profile_id))
        calls = [record.call_ref for record in self._records()]
        postings = Posting.objects.filter(call_ref__in=calls).select_related("debit", "credit").order_by("id")
        currency = profile.account.currency
        lines = [f"{_money(row.amount, currency)} from {row.debit.name} to {row.credit.name} ({row.key})" for row in postings]
        if sum(row.amount for row in postings) != sum(record.cost_micros for record in self._records()):
            raise DemonstrationError("\n".join([*lines, "which is not what the call records say the calls cost"]))
        purses = (profile.account, profile.manager.account)
        return "\n".join([*lines, *(f"{purse.name}: {_money(purse.balance, currency)}" for purse in purses)])

    def audit_store(self) -> str:
        found = audit()
        if not found.ok:
            raise DemonstrationError("\n".join(map(str, found.differences)))
        return "every balance, hold, channel count and cost follows from the postings and calls"

    def _records(self) -> list[CallRecord]:
        recent = queries.records(profile_id=self.profile.profile_id, newest=50)
        return [record for record in recent if record.started_us >= self.began_us]

    def _channels(self) -> int:
        return Profile.objects.get(pk=self.profile.profile_id).channels

    def _purse(self) -> Account:
        return Account.objects.get(profile__pk=self.profile.profile_id)

    def _calls_in_progress(self) -> int:
        ours = self.profile.profile_id
        return sum(ours in (call.caller_profile_id, call.callee_profile_id) for call in queries.live_calls())

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + BOOKS_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise DemonstrationError(f"waited {BOOKS_SECONDS:g} s for {what}")
            time.sleep(0.1)


def now() -> datetime:
    return datetime.now(UTC)


def free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _answered(ended: Ended) -> Ended:
    if not ended.answered:
        raise DemonstrationError(f"not answered: {ended.dial_status}, cause {ended.cause}, {ended.sip or 'no SIP answer'}")
    return ended


def _proof(ended: Ended, seed: str) -> str:
    """How much of the melody was heard, as text; silence, a tone or somebody else's audio is an error."""
    share = ended.heard.likeness(seed)
    if not ended.heard.proves(seed):
        raise DemonstrationError(
            f"only {share:.0%} of what was heard is what was played ({len(ended.heard.samples()) / 8000:.1f} s recorded)"
        )
    return f"{share:.0%}"


def _refused(ended: Ended, status: int) -> str:
    if ended.answered or f"SIP {status} " not in f"{ended.sip} ":
        raise DemonstrationError(f"expected {status}, but {ended.dial_status}, cause {ended.cause}, {ended.sip or 'no SIP answer'}")
    return ended.sip


def _line(record: CallRecord) -> str:
    who = f"{record.direction:8} {record.caller} to {record.callee or record.dialled}"
    cost = _money(record.cost_micros, record.currency) if record.currency else "free"
    outcome = record.refusal or record.result
    return f"{who:45} {record.destination:24} {outcome:14} {record.sip_status:4} {record.duration_seconds:4} s {cost}"


def _money(micros: int, currency: str) -> str:
    return for_people(micros, currency)
