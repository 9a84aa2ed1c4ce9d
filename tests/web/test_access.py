"""Every route, every role: strangers find nothing, lesser roles are turned away, and nobody has to remember to test that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.web.cast import Cast, join, make_cast, signed_in, staff, visitor
from trunkline.store.models import Person, Role
from trunkline.web.access import Audience


def routes() -> Iterator[tuple[str, URLPattern]]:
    yield from _below(get_resolver(), "/")


def _below(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _below(entry, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry


def paths(cast: Cast, *audiences: Audience) -> list[tuple[str, URLPattern]]:
    """With the cast's own things in them."""
    return [(filled(path, cast.samples), route) for path, route in routes() if route.callback.audience in audiences]  # type: ignore[attr-defined]


def filled(path: str, samples: dict[str, object]) -> str:
    for piece in path.split("<")[1:]:
        parameter = piece.split(">")[0]
        name = parameter.rpartition(":")[2]
        assert name in samples, f"{path}: add a sample of {name} to tests/web/cast.py"
        path = path.replace(f"<{parameter}>", str(samples[name]))
    return path


def takes(view: Callable[..., Any], method: str) -> bool:
    """As the view says itself: nobody has to be signed in to know it, and no answer is taken for something else."""
    step: Any = view
    while step is not None:
        if kind := getattr(step, "view_class", None):
            return hasattr(kind, method.lower())
        allowed = inspect.getclosurevars(step).nonlocals.get("request_method_list") if inspect.isfunction(step) else None
        if allowed is not None:
            return method in allowed
        step = getattr(step, "__wrapped__", None)
    return True


OF_COMPANY = tuple(audience for audience in Audience if audience.of_company)
OF_STAFF = tuple(audience for audience in Audience if audience.of_staff)
OF_ONE_COMPANY = (
    *("profile_id", "membership_id", "invitation_id", "account_id", "group_id", "number_id", "landline_id", "document_id"),
    *("endpoint_id", "delivery_id"),
)


def test_every_route_says_who_may_use_it() -> None:
    assert [path for path, route in routes() if not isinstance(getattr(route.callback, "audience", None), Audience)] == []


def test_whoever_is_signed_out_is_sent_to_sign_in() -> None:
    cast, client = make_cast(), visitor()
    for path, _ in paths(cast, *OF_COMPANY, *OF_STAFF, Audience.SIGNED_IN):
        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in"), path


def test_a_part_of_a_page_does_not_become_the_sign_in_page() -> None:
    answer = visitor().get("/schematic/live", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content, answer.headers["HX-Refresh"]) == (200, b"", "true")


def test_a_stranger_finds_nothing() -> None:
    """Neither with the company in the path nor with its things under one's own company."""
    cast, other = make_cast(), make_cast("Builders")
    stranger = signed_in(join(other, Role.ADMINISTRATOR))
    assert stranger.post("/reports/acknowledge").status_code == 302  # else that question comes before every report, there or not
    for path, route in paths(cast, *OF_COMPANY):
        there = f"/c/{cast.company.manager_id}{path}"
        assert (stranger.get(there).status_code, stranger.post(there).status_code) == (404, 404), path
        if any(f":{name}>" in str(route.pattern) for name in OF_ONE_COMPANY):
            answers = {stranger.get(path).status_code, stranger.post(path).status_code}
            assert 404 in answers, path
            assert answers <= {404, 405}, path


@pytest.mark.parametrize("role", Role.values)
def test_each_role_comes_as_far_as_the_route_says(role: str) -> None:
    cast = make_cast()
    join(cast, Role.ADMINISTRATOR)
    client = signed_in(join(cast, role, account=f"somebody.{role}"))
    for path, route in paths(cast, *OF_COMPANY):
        looks, changes = route.callback.audience, route.callback.changes  # type: ignore[attr-defined]
        assert _let_in(client, "get", path) == (role in looks.roles), f"GET {path} as {role}"
        if role not in changes.roles:
            assert not _let_in(client, "post", path), f"POST {path} as {role}"


def test_only_staff_finds_the_operators_pages() -> None:
    cast = make_cast()
    administrator = signed_in(join(cast, Role.ADMINISTRATOR))
    support, operator = (signed_in(staff(kind)) for kind in (Person.Staff.SUPPORT, Person.Staff.OPERATOR))
    for path, route in paths(cast, *OF_STAFF):
        assert administrator.get(path).status_code == 404, path
        assert _let_in(support, "get", path) == ("support" in route.callback.audience.roles), path  # type: ignore[attr-defined]
        assert _let_in(operator, "get", path), path
        if "support" not in route.callback.changes.roles:  # type: ignore[attr-defined]
            assert not _let_in(support, "post", path), path


def _let_in(client: Client, method: str, path: str) -> bool:
    """Not 403; a page that is only for POST (405), or one that wants another look at who it is (302), has let in, too."""
    answer = getattr(client, method)(path)
    assert answer.status_code in (200, 302, 400, 403, 404, 405, 409), f"{method} {path}: {answer.status_code}"
    return bool(answer.status_code != 403)
