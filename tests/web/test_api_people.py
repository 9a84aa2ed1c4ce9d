"""By program: people, business accounts, Caller ID, payment methods and letters, as by browser."""

from __future__ import annotations

from django.core import mail

from tests.store.cast import BY, NOW
from tests.web.cast import join, make_cast
from tests.web.programs import program
from trunkline.store.models import BusinessAccount, Landline, Manager, Membership, Number, PaymentMethod, Role
from trunkline.usecases import number_places


def test_people_are_invited_get_roles_and_leave() -> None:
    cast = make_cast()
    asks, person = program(cast), join(cast, Role.READ_ONLY)
    join(cast, Role.ADMINISTRATOR)
    made = asks.post("/invitations", {"email": "new@example.com", "role": "billing"}, key="one", expect=201)
    again = asks.post("/invitations", {"email": "new@example.com", "role": "billing"}, key="one", expect=201)
    assert (made["sent"], made["invitation"]["role"], again) == (True, "billing", made)
    assert [letter.to for letter in mail.outbox] == [["new@example.com"]]
    [link] = [word for word in mail.outbox[0].body.split() if "/invitation/" in word]
    assert link.rpartition("/")[2] not in str(made)
    assert [each["email"] for each in asks.get("/invitations")["items"]] == ["new@example.com"]
    asks.ask("DELETE", f"/invitations/{made['invitation']['id']}")
    assert asks.get("/invitations")["items"] == []
    member = Membership.objects.get(person=person)
    assert asks.ask("PATCH", f"/members/{member.pk}", {"role": "billing"})["role"] == "billing"
    for refused in (
        asks.ask("PATCH", f"/members/{member.pk}", {"role": "administrator"}, expect=422),
        asks.post("/invitations", {"email": "new@example.com", "role": "administrator"}, expect=422),
    ):
        assert "role" in str(refused["error"])
    asks.ask("DELETE", f"/members/{member.pk}")
    [last] = asks.get("/members")["items"]
    assert last["role"] == "administrator"
    assert "last administrator" in asks.ask("DELETE", f"/members/{last['id']}", expect=409)["error"]["message"]


def test_accounts_are_made_grouped_put_on_a_profile_and_deleted() -> None:
    cast = make_cast()
    asks, profile = program(cast), f"/profiles/{cast.company.profile_ids[0]}"
    account = asks.post("/accounts", {"name": "Architects.Sales"}, expect=201)
    group = asks.post("/groups", {"name": "Field"}, expect=201)
    path = f"/accounts/{account['id']}"
    assert asks.ask("PUT", f"{path}/groups", {"group_ids": [group["id"]]})["group_ids"] == [group["id"]]
    assert asks.ask("PATCH", f"/groups/{group['id']}", {"name": "Office"}) == {"id": group["id"], "name": "Office", "accounts": 1}
    put = asks.post(f"{profile}/accounts", {"name": "Architects.Sales", "extension": "100"})
    assert (put["profile_id"], put["extension"]) == (cast.company.profile_ids[0], "100")
    assert asks.ask("PUT", f"{profile}{path}/extension", {"extension": ""})["extension"] == ""
    assert [each["id"] for each in asks.get(f"/accounts?name=sales&profile_id={cast.company.profile_ids[0]}")["items"]] == [account["id"]]
    asks.ask("DELETE", path, expect=409)
    assert asks.ask("DELETE", f"{profile}{path}")["profile_id"] is None
    asks.ask("DELETE", path)
    asks.get(path, expect=404)
    assert asks.get("/groups")["items"][0]["accounts"] == 0
    asks.ask("DELETE", f"/groups/{group['id']}")


def test_an_administrators_own_account_is_asked_about_once_more() -> None:
    cast = make_cast()
    asks, own = program(cast), join(cast, Role.ADMINISTRATOR)
    join(cast, Role.ADMINISTRATOR, account="another.administrator")
    path = f"/profiles/{cast.company.profile_ids[0]}/accounts"
    assert "`confirmed`" in asks.post(path, {"name": own.account}, expect=409)["error"]["message"]
    assert asks.post(path, {"name": own.account, "confirmed": True})["email"] == own.email


def test_accounts_from_addresses_are_all_or_none() -> None:
    cast = make_cast()
    asks = program(cast)
    planned = asks.post("/accounts/by-address/preview", {"text": "sales@example.com\nnobody"})["items"]
    assert [(one["name"], bool(one["problem"])) for one in planned] == [("Architects.Sales", False), ("", True)]
    asks.post("/accounts/by-address", {"text": "sales@example.com\nnobody"}, expect=409)
    assert not BusinessAccount.objects.exists()
    assert asks.post("/accounts/by-address", {"text": "sales@example.com, desk@example.com"}, expect=201) == {"created": 2}


def test_what_calls_show_is_a_number_of_the_profile_or_a_proven_landline() -> None:
    cast = make_cast()
    asks, path = program(cast), f"/profiles/{cast.company.profile_ids[0]}/caller-id"
    number = Number.objects.create(e164="12025550101", country="US", manager_id=cast.company.manager_id)
    about = {"now": NOW, "by": BY, "manager_id": cast.company.manager_id, "number_id": number.pk}
    number_places.put_on_profile(**about, profile_id=cast.company.profile_ids[0])  # type: ignore[arg-type]
    assert asks.get(path) == {"number": "", "countries": [], "may_show": ["+12025550101"]}
    asks.ask("PUT", path, {"number": "+12025550199"}, expect=422)
    assert asks.ask("PUT", path, {"number": "+12025550101"})["number"] == "+12025550101"
    shown = asks.ask("PUT", f"{path}/countries/GB", {"number": "+12025550101"})
    assert shown["countries"] == [{"country": "GB", "number": "+12025550101"}]
    assert asks.ask("DELETE", f"{path}/countries/GB")["countries"] == []
    assert asks.ask("DELETE", path)["number"] == ""
    asks.post("/landlines", {"number": "+12125550100"}, expect=409)  # the company is not verified
    Manager.objects.filter(pk=cast.company.manager_id).update(verification=Manager.Verification.VERIFIED)
    landline = asks.post("/landlines", {"number": "+12125550100", "profile_id": cast.company.profile_ids[0]}, expect=201)
    assert (landline["proof"], landline["waiting_profile_id"]) == ("waiting", cast.company.profile_ids[0])
    assert asks.get("/landlines")["items"] == [landline]
    asks.ask("DELETE", f"/landlines/{landline['id']}")
    assert not Landline.objects.exists()


def test_a_number_goes_to_a_business_account() -> None:
    cast = make_cast()
    asks, path = program(cast), f"/numbers/{cast.samples['number_id']}/assign"
    both = {"profile_id": cast.company.profile_ids[0], "account_name": "Architects.Sales"}
    assert asks.post(path, both, expect=422)["error"]["field"] == "account_name"
    placed = asks.post(path, {"profile_id": None, "account_name": "Architects.Sales"})
    assert (placed["account_id"], placed["profile_id"]) == (cast.samples["account_id"], None)


def test_payment_methods_are_chosen_and_removed_and_letters_have_an_address() -> None:
    cast = make_cast()
    asks = program(cast, Role.BILLING)
    first = cast.samples["method_id"]
    second = PaymentMethod.objects.create(manager_id=cast.company.manager_id, provider="fake", token="two", label="Second", created_at=NOW)
    asks.post(f"/payment-methods/{second.pk}/default")
    assert [(each["id"], each["is_default"]) for each in asks.get("/payment-methods")["items"]] == [(second.pk, True), (first, False)]
    asks.ask("DELETE", f"/payment-methods/{first}")
    assert [each["id"] for each in asks.get("/payment-methods")["items"]] == [second.pk]
    told = {"email": "accounting@example.com", "low_balance": "12.50"}
    assert asks.ask("PUT", "/notices", told) == asks.get("/notices")
    assert asks.get("/notices") == told | {"low_balance": {"amount": "12.50", "currency": "USD"}}
    assert asks.ask("PUT", "/notices", {"email": "accounting@example.com"})["low_balance"] is None
    assert asks.ask("PUT", "/notices", {"email": "no address"}, expect=422)["error"]["field"] == "email"


def test_a_strangers_people_and_accounts_are_not_there() -> None:
    cast, asks = make_cast(), program(make_cast("Builders"))
    join(cast, Role.READ_ONLY)
    there = {name: cast.samples[name] for name in ("membership_id", "invitation_id", "account_id", "group_id", "landline_id", "method_id")}
    asks.ask("PATCH", f"/members/{there['membership_id']}", {"role": "billing"}, expect=404)
    asks.ask("DELETE", f"/members/{there['membership_id']}", expect=404)
    asks.ask("DELETE", f"/invitations/{there['invitation_id']}", expect=404)
    asks.get(f"/accounts/{there['account_id']}", expect=404)
    asks.ask("DELETE", f"/accounts/{there['account_id']}", expect=404)
    asks.ask("PUT", f"/accounts/{there['account_id']}/groups", {"group_ids": []}, expect=404)
    asks.ask("PATCH", f"/groups/{there['group_id']}", {"name": "Ours"}, expect=404)
    asks.ask("DELETE", f"/groups/{there['group_id']}", expect=404)
    asks.ask("DELETE", f"/landlines/{there['landline_id']}", expect=404)
    asks.post(f"/payment-methods/{there['method_id']}/default", expect=404)
    asks.ask("DELETE", f"/payment-methods/{there['method_id']}", expect=404)
    for listed in ("accounts", "groups", "landlines", "invitations", "members"):
        assert asks.get(f"/{listed}")["items"] == []


def test_deleted_profiles_are_listed_when_asked_for() -> None:
    cast = make_cast(profile_count=2)
    asks, gone = program(cast), cast.company.profile_ids[1]
    asks.ask("DELETE", f"/profiles/{gone}")
    assert gone not in [each["id"] for each in asks.get("/profiles")["items"]]
    assert [each["id"] for each in asks.get("/profiles?state=deleted")["items"]] == [gone]
    assert asks.get(f"/usage?profile_id={gone}")["outgoing"]["attempts"] == 0
