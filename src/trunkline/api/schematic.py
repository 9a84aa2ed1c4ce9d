"""The whole Manager as the schematic draws it: what is called, through which SIP Profile, and where that rings (SPEC R11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ninja import Router, Schema

from trunkline.api import caller_ids, profiles, subscriptions
from trunkline.api.caller_ids import CountryShownOut, LandlineOut
from trunkline.api.door import ApiRequest, Right
from trunkline.api.profiles import ProfileOut
from trunkline.api.shapes import answers
from trunkline.api.subscriptions import TermOut
from trunkline.store.models import BusinessAccount, Number, Profile
from trunkline.usecases.wiring import wiring_of
from trunkline.web.access import Audience

router = Router(tags=["Manager"])


class WiredNumberOut(Schema):
    id: int
    number: str


class WiredAccountOut(Schema):
    """`signs_in`: it is a person's, and while it is on no SIP Profile it rings in their web phone."""

    id: int
    name: str
    extension: str
    signs_in: bool
    numbers: list[WiredNumberOut]


class WiredProfileOut(ProfileOut):
    """`numbers`: its own, beside those of its accounts. `countries`: where its calls show another number than `caller_id`."""

    numbers: list[WiredNumberOut]
    accounts: list[WiredAccountOut]
    countries: list[CountryShownOut]
    bundles: list[TermOut]


class SchematicOut(Schema):
    """`numbers` and `accounts`: on no SIP Profile; `incomplete`: there are more than the first thousand of these."""

    profiles: list[WiredProfileOut]
    numbers: list[WiredNumberOut]
    accounts: list[WiredAccountOut]
    landlines: list[LandlineOut]
    incomplete: bool


@router.get("/schematic", auth=Right(Audience.LOOK), response=answers(SchematicOut), summary="How everything is connected")
def get_schematic(request: ApiRequest) -> dict[str, Any]:
    """All of it at once, as the picture of the Manager shows it at this moment: no pages."""
    wiring, currency = wiring_of(request.company.pk), request.company.currency
    return {
        "profiles": [_profile(each, currency) for each in wiring.profiles],
        "numbers": _numbers(wiring.numbers),
        "accounts": [_account(each) for each in wiring.accounts],
        "landlines": [caller_ids.landline_shown(each) for each in wiring.landlines],
        "incomplete": wiring.is_cut,
    }


def _profile(profile: Profile, currency: str) -> dict[str, Any]:
    return profiles.shown(profile) | {
        "numbers": _numbers(profile.numbers.all()),
        "accounts": [_account(each) for each in profile.business_accounts.all()],
        "countries": caller_ids.countries_shown(profile.caller_id_rules.all()),
        "bundles": [subscriptions.term_shown(each, currency) for each in profile.terms.all()],
    }


def _account(account: BusinessAccount) -> dict[str, Any]:
    about = {"id": account.pk, "name": account.name, "extension": account.extension, "signs_in": account.person_id is not None}
    return about | {"numbers": _numbers(account.numbers.all())}


def _numbers(numbers: Iterable[Number]) -> list[dict[str, Any]]:
    return [{"id": each.pk, "number": f"+{each.e164}"} for each in numbers]
