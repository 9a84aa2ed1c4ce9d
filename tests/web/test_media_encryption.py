"""What was decided about SRTP, and why, is on the profile's page and in the API (R10.2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web.cast import Cast, join, make_cast, signed_in
from tests.web.programs import program
from tests.web.wired import register
from trunkline.store.models import Profile, Role


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    return signed_in(join(cast, Role.READ_ONLY))


@pytest.mark.parametrize(
    ("registration", "profile", "said"),
    [
        ({}, {}, "RTP: connected by UDP, where keys could be read on the way"),
        ({"source": "tls:9.9.9.9:40000"}, {}, "SRTP: connected by TLS, by a device that we do not know"),
        ({"source": "tls:9.9.9.9:40000", "srtp_offered": False}, {}, "RTP: connected by TLS, and its last call offered RTP"),
        ({"source": "tls:9.9.9.9:40000"}, {"srtp": "forbid"}, "RTP: SRTP is forbidden for this SIP Profile"),
    ],
)
def test_a_registered_pbx(cast: Cast, client: Client, registration: dict[str, Any], profile: dict[str, str], said: str) -> None:
    [profile_id, *_] = cast.company.profile_ids
    register(profile_id, "A PBX 20.1", **registration)
    Profile.objects.filter(pk=profile_id).update(**profile)
    assert f"media by {said}" in client.get(f"/trunks/{profile_id}/live").content.decode()
    assert program(cast).get(f"/profiles/{profile_id}")["registration"]["media_by"] == said


def test_a_pbx_known_by_its_address_and_one_that_is_not_there(cast: Cast, client: Client) -> None:
    [profile_id, *_] = cast.company.profile_ids
    assert "media by" not in client.get(f"/trunks/{profile_id}/live").content.decode()
    Profile.objects.filter(pk=profile_id).update(ip_auth_address="9.9.9.9", ip_auth_port=5060)
    assert "media by RTP: connected by UDP" in client.get(f"/trunks/{profile_id}/live").content.decode()
    Profile.objects.filter(pk=profile_id).update(media="direct")
    assert "media by" not in client.get(f"/trunks/{profile_id}/live").content.decode()
