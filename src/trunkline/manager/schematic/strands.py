"""What each strand of the schematic says, and where its boxes lead. Many things of a kind on one profile are folded into one box."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.urls import reverse

from trunkline.domain.money import for_people
from trunkline.manager import scope
from trunkline.manager.schematic.layout import Kind, Node, Strand
from trunkline.store.models import BusinessAccount, Landline, Manager, Number, Profile
from trunkline.usecases.wiring import Wiring
from trunkline.web.templatetags.components import phone

Thing = TypeVar("Thing", Number, BusinessAccount, Landline)

FOLDED_ABOVE = 5
WORDS = {Kind.NUMBER: "Online Number", Kind.NAME: "business account", Kind.LANDLINE: "landline"}
MOST_BUNDLES = 3
MOST_NUMBERS = 3
MOST_COUNTRIES = 4
_SEPARATORS = re.compile(r"[\s()+./-]")


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody looks at it: `most` of one kind on one profile are drawn one by one; `search` is part of a name, a number or an address.
    `is_brief`: so much is shown that each box says less."""

    company: Manager
    at: datetime
    search: str = ""
    most: int = FOLDED_ABOVE
    is_brief: bool = False

    def finds(self, *texts: str | None) -> bool:
        """A number is found however it is written. Nobody searches: nothing is found."""
        wanted = self.search.casefold()
        digits = _SEPARATORS.sub("", wanted)
        return bool(wanted) and any(wanted in text.casefold() or (digits.isdecimal() and digits in text) for text in texts if text)

    def money(self, micros: int) -> str:
        return for_people(micros, self.company.currency)

    def local(self, at_us: int) -> datetime:
        """In the company's time zone."""
        return datetime.fromtimestamp(at_us // scope.MICROSECONDS, tz=ZoneInfo(self.company.time_zone))


def needs_attention(profile: Profile, look: Look) -> bool:
    """It can't call, or can't be called."""
    where = scope.presence(profile, look.at)
    return scope.standing(profile)[1] != "good" or where.tone not in ("good", "info") or where.displaced


def strands_of(wiring: Wiring, look: Look) -> list[Strand]:
    """Profiles first, in their order; then what is on none."""
    profiles = [profile for profile in wiring.profiles if not look.search or look.finds(*_texts_of(profile))]
    strands = [_of_profile(profile, wiring, look) for profile in profiles]
    return [*strands, *loose_strands(wiring, look)]


def loose_strands(wiring: Wiring, look: Look) -> Iterator[Strand]:
    """What is on no profile, and what to do about it."""
    accounts = [account for account in wiring.accounts if not look.search or look.finds(*_texts_of_account(account))]
    numbers = [number for number in wiring.numbers if not look.search or look.finds(number.e164)]
    shown = {e164 for profile in wiring.profiles for e164 in _shown(profile)}
    idle = [one for one in wiring.landlines if one.e164 not in shown and (not look.search or look.finds(one.e164))]
    if own := [account for account in accounts if account.person_id]:
        phones = Node("web-phones", Kind.REACHED, ("Web phones", "of the people who sign in"), reverse("accounts"))
        yield Strand(_names(own, look, reverse("accounts"), "own"), None, phones)
    if unanswered := [account for account in accounts if not account.person_id]:
        yield Strand(
            _names(unanswered, look, reverse("accounts"), "unanswered"), _gap("names", "calls to them reach nobody", "accounts"), None
        )
    if numbers:
        called = _numbers(numbers, {}, look, reverse("numbers"), "free")
        yield Strand(called, _gap("numbers", "calls to them reach nobody", "numbers"), None)
    if idle:
        yield Strand(_idle(idle, look), _gap("landlines", "no profile shows them as Caller ID", "landlines", "neutral"), None)


def _gap(what: str, why: str, url: str, tone: str = "warn") -> Node:
    advice = {"names": "Add them to a profile.", "numbers": "Allocate them.", "landlines": "Choose one on a profile."}[what]
    return Node(
        f"no-profile-for-{what}", Kind.GAP, ("On no SIP Profile", why[0].upper() + why[1:] + ".", advice), reverse(url), tone, blocks=True
    )


def _of_profile(profile: Profile, wiring: Wiring, look: Look) -> Strand:
    incoming, shown = reverse("incoming", args=[profile.pk]), _shown(profile)
    own = {number.e164 for number in profile.numbers.all()}
    elsewhere = [one for one in wiring.landlines if one.e164 in shown and one.e164 not in own]
    called = (
        *_numbers(list(profile.numbers.all()), shown, look, incoming, str(profile.pk)),
        *_names(list(profile.business_accounts.all()), look, incoming, str(profile.pk)),
        *_landlines(elsewhere, shown, profile, look),
    )
    nothing = Node(f"nothing-{profile.pk}", Kind.GAP, ("No number, no name", "Add one: nobody can call in."), incoming, blocks=True)
    return Strand(called or (nothing,), _profile(profile, look), _pbx(profile, look))


def _profile(profile: Profile, look: Look) -> Node:
    word, tone = scope.standing(profile)
    in_use, held = scope.in_use(profile), profile.account.held
    credit = f"Credit {look.money(profile.account.balance)}" + (f", {look.money(held)} held" if held else "")
    use = f"{in_use} of {profile.channels} channels in use" if profile.channels else "no channels"
    lines: tuple[str, ...] = (profile.name, f"{word} · {use}")
    if look.is_brief:
        minutes = sum(term.minutes.balance for term in profile.terms.all() if term.minutes) // 60
        lines += (f"{credit} · {minutes:,} min" if minutes else credit,)
    else:
        caller_id = f"Caller ID {phone(profile.caller_id)}" if profile.caller_id else "No Caller ID: calls are anonymous"
        lines += (credit, *_bundles(profile), caller_id)
    href, meter = reverse("profile", args=[profile.pk]), (in_use, profile.channels)
    return Node(f"profile-{profile.pk}", Kind.PROFILE, lines, href, tone, meter, blocks=not profile.channels)


def _bundles(profile: Profile) -> Iterator[str]:
    terms = list(profile.terms.all())  # prefetched: its open bundles
    for term in terms[:MOST_BUNDLES]:
        assert term.product is not None and term.minutes is not None, "a bundle has both"  # noqa: PT018 - for mypy
        yield f"{term.quantity} × {term.product.name}: {term.minutes.balance // 60:,} left"
    if len(terms) > MOST_BUNDLES:
        yield f"and {len(terms) - MOST_BUNDLES} more minute bundles"


def _pbx(profile: Profile, look: Look) -> Node:
    """Where its calls ring."""
    where = scope.presence(profile, look.at)
    key = f"pbx-{profile.pk}"
    if profile.ip_auth_address:
        lines: tuple[str, ...] = ("PBX known by its address", str(profile.ip_auth_address), f"port {profile.ip_auth_port}")
        return Node(key, Kind.REACHED, lines, reverse("profile_ip", args=[profile.pk]), "good")
    if where.registration is None:
        lines = (where.text, "Calls can't reach it: set it up.")
        tone = "bad" if where.tone == "bad" else "warn"
        return Node(key, Kind.REACHED, lines, reverse("profile_setup", args=[profile.pk]), tone, blocks=True)
    conflict = ("Two devices use these credentials",) if where.displaced else ()
    at = look.local(where.registration.since_us)
    place: tuple[str, ...] = (f"Registered · {where.transport}", where.address, f"since {at:%-d %b %Y, %H:%M}")
    if look.is_brief:
        place = (f"{where.address} · since {at:%-d %b, %H:%M}",)
    lines = (where.registration.user_agent or "Unknown device", *place, *conflict)
    return Node(key, Kind.REACHED, lines, reverse("profile", args=[profile.pk]), "warn" if conflict else "good")


def _shown(profile: Profile) -> dict[str, str]:
    """The numbers that its outgoing calls show, and when."""
    countries: dict[str, list[str]] = {}
    for rule in profile.caller_id_rules.all():
        countries.setdefault(rule.e164, []).append(rule.country)
    few = {e164: ", ".join(codes) if len(codes) <= MOST_COUNTRIES else f"{len(codes)} countries" for e164, codes in countries.items()}
    shown = {e164: f"Caller ID to {text}" for e164, text in few.items()}
    return shown | ({profile.caller_id: "Caller ID"} if profile.caller_id else {})


def _numbers(numbers: Sequence[Number], shown: dict[str, str], look: Look, everything: str, where: str) -> tuple[Node, ...]:
    drawn, folded = _some(numbers, look.most, lambda number: number.e164 in shown or look.finds(number.e164))
    nodes = [
        Node(f"number-{one.pk}", Kind.NUMBER, (phone(one.e164), *filter(None, [shown.get(one.e164)])), reverse("number", args=[one.pk]))
        for one in drawn
    ]
    return (*nodes, *_folded(folded, Kind.NUMBER, len(drawn), everything, where))


def _names(accounts: Sequence[BusinessAccount], look: Look, everything: str, where: str) -> tuple[Node, ...]:
    drawn, folded = _some(accounts, look.most, lambda account: look.finds(*_texts_of_account(account)))
    return (*(_name(account, look) for account in drawn), *_folded(folded, Kind.NAME, len(drawn), everything, where))


def _name(account: BusinessAccount, look: Look) -> Node:
    numbers = [phone(number.e164) for number in account.numbers.all()]
    if len(numbers) > MOST_NUMBERS:
        numbers = [f"{len(numbers)} Online Numbers"]
    place = f"extension {account.extension}" if account.extension else "called by its name" if account.profile_id else ""
    if account.profile_id:
        href = reverse("profile_account", args=[account.profile_id, account.pk])
    else:
        href = reverse("account", args=[account.pk])
    lines = tuple(filter(None, [account.name, place, *numbers]))
    brief = (account.name, " · ".join(lines[1:])) if len(lines) > 1 else lines
    return Node(f"account-{account.pk}", Kind.NAME, brief if look.is_brief else lines, href)


def _landlines(landlines: Sequence[Landline], shown: dict[str, str], profile: Profile, look: Look) -> tuple[Node, ...]:
    """Shown as Caller ID: calls to them don't come here."""
    href = reverse("caller_id", args=[profile.pk])
    drawn, folded = _some(landlines, look.most, lambda one: one.e164 == profile.caller_id or look.finds(one.e164))
    nodes = [
        Node(f"landline-{one.pk}-{profile.pk}", Kind.LANDLINE, (phone(one.e164), f"landline, {shown[one.e164]}"), href) for one in drawn
    ]
    return (*nodes, *_folded(folded, Kind.LANDLINE, len(drawn), href, str(profile.pk)))


def _idle(landlines: Sequence[Landline], look: Look) -> tuple[Node, ...]:
    href = reverse("landlines")
    drawn, folded = _some(landlines, look.most, lambda one: look.finds(one.e164))
    nodes = [Node(f"landline-{one.pk}", Kind.LANDLINE, (phone(one.e164), one.get_proof_display()), href) for one in drawn]
    return (*nodes, *_folded(folded, Kind.LANDLINE, len(drawn), href, "idle"))


def _some(things: Sequence[Thing], most: int, is_notable: Callable[[Thing], bool]) -> tuple[Sequence[Thing], int]:
    """What is drawn one by one, and how many are folded."""
    if len(things) <= most:
        return things, 0
    drawn = [thing for thing in things if is_notable(thing)][:most]
    return drawn, len(things) - len(drawn)


def _folded(count: int, kind: Kind, beside: int, href: str, where: str) -> tuple[Node, ...]:
    """One box for what is not drawn one by one; `beside`: how many are."""
    if not count:
        return ()
    text = f"{count}{' more' if beside else ''} {WORDS[kind]}{'s' if count > 1 else ''}"
    return (Node(f"folded-{kind}-{where}", kind, (text,), href),)


def _texts_of(profile: Profile) -> Iterator[str | None]:
    """Everything that it may be found by."""
    yield from (profile.name, profile.sip_user, profile.ip_auth_address)
    yield from (number.e164 for number in profile.numbers.all())
    yield from _shown(profile)
    for account in profile.business_accounts.all():
        yield from _texts_of_account(account)
    if registration := getattr(profile, "registration", None):
        yield from (registration.user_agent, registration.source)


def _texts_of_account(account: BusinessAccount) -> Iterator[str]:
    yield account.name
    if account.extension:
        yield account.extension
    yield from (number.e164 for number in account.numbers.all())
