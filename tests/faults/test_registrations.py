"""A PBX that registered once is reached after a restart of anything, without registering again (SPEC R2.6)."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.company import Company
from tests.faults.load import DESCRIPTION
from tests.siptest import Call, UserAgent
from trunkline.store.models import Registration

pytestmark = [pytest.mark.engines, pytest.mark.slow]

FAULTS = [("kamailio",), ("callcontrol",), ("callcontrol", "kamailio"), ("callcontrol", "kamailio", "rtpengine", "web")]
SERVES_AGAIN_SECONDS = 5.0


async def answer(call: Call) -> None:
    await call.answer(body=DESCRIPTION)


@pytest.mark.parametrize("media", ["direct", "relay"])
def test_a_registered_pbx_is_reached(company: Company, media: str) -> None:
    profile = company.pbx(media=media)

    async def scenario() -> None:
        async with profile.agent(company.instance) as pbx, company.carrier() as carrier:
            pbx.on_invite = answer
            assert (await pbx.register(expires=3600)).status == 200
            await is_reached(pbx, carrier, profile.number)
            for faults in FAULTS:
                await asyncio.to_thread(company.instance.killed_and_back, *faults)
                await is_reached(pbx, carrier, profile.number)
            sent = list(pbx.transcript.messages(True, lambda message: message.method == "REGISTER"))
            assert [bool(message.get("authorization")) for message in sent] == [False, True]

    asyncio.run(scenario())
    contact = Registration.objects.get(profile_id=profile.profile_id).contact
    assert contact.startswith(f"sip:{profile.sip_user}@{company.instance.pbx_address}:")


async def is_reached(pbx: UserAgent, carrier: UserAgent, number: str) -> None:
    """A call is answered there; refusals are allowed for while call control or RTPengine is not asked again yet."""
    async with asyncio.timeout(SERVES_AGAIN_SECONDS):
        while True:
            call = await carrier.invite(f"+{number}", body=DESCRIPTION)
            final = await call.final(200, 404, 503)
            if final.status == 200:
                break
            await asyncio.sleep(0.1)
    await call.ack()
    assert pbx.transcript.received("INVITE")[-1].uri.startswith(f"sip:{number}@{pbx.wire.local}")
    assert (await call.bye()).status == 200
