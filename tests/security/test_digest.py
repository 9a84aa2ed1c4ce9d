"""Credentials that are wrong in every way, and what becomes of those who guess."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable

import pytest

from tests.security.instance import WholeInstance
from tests.security.people import LANDLINE, agent, alpha, beta, carrier, everybody, stranger
from tests.siptest import Message, UserAgent, scenario
from tests.siptest.digest import Credentials, authorization, challenge_fields

pytestmark = pytest.mark.engines

FAILURES_BEFORE_BAN = 5


async def challenge(caller: UserAgent) -> str:
    """What a REGISTER without credentials is answered with."""
    refusal = await (await caller.transact(registering(caller, ""))).final()
    assert refusal.status == 401
    return refusal.get("www-authenticate")


def registering(caller: UserAgent, answer: str, user: str = "") -> Message:
    identity = f"<sip:{user or caller.user}@{caller.domain}>"
    headers = [("Contact", f"<{caller.contact}>"), ("Expires", "300"), ("Authorization", answer)]
    return caller.build(
        "REGISTER", f"sip:{caller.domain}", to=identity, from_=f"{identity};tag=1", call_id=caller.new_id(), cseq=1, headers=headers
    )


async def says(caller: UserAgent, answer: str, user: str = "") -> int:
    return (await (await caller.transact(registering(caller, answer, user))).final()).status


def right(caller: UserAgent, told: str, uri: str = "") -> str:
    return authorization(Credentials(caller.user, caller.password), told, "REGISTER", uri or f"sip:{caller.domain}")


def but(name: str, value: str) -> Callable[[str], str]:
    """The right answer with one field that says something else; an empty value leaves it out."""
    field = re.compile(rf'(, )?\b{name}=("[^"]*"|[^,]+)')
    return lambda answer: field.sub(f"\\1{name}={value}" if value else "", answer, count=1)


WRONG: dict[str, Callable[[str], str]] = {
    "nonce of nobody": but("nonce", '"abcdefabcdefabcdefabcdefabcdefab"'),
    "empty nonce": but("nonce", '""'),
    "empty response": but("response", '""'),
    "short response": but("response", '"00"'),
    "long response": but("response", f'"{"0" * 4000}"'),
    "response of zeros": but("response", f'"{"0" * 32}"'),
    "another qop": but("qop", "auth-int"),
    "qop of nobody": but("qop", "none"),
    "no qop": but("qop", ""),
    "another count": but("nc", "00000002"),
    "count of words": but("nc", "zzzzzzzz"),
    "no count": but("nc", ""),
    "no client nonce": but("cnonce", ""),
    "no user": but("username", '""'),
    "user left out": but("username", ""),
    "user with control characters": but("username", '"4\0\x1b[31m5\x07"'),
    "user that is no UTF-8": but("username", '"\udcff\udcfe"'),
    "long user": but("username", f'"{"9" * 3000}"'),
    "user with SQL": but("username", '"\' OR 1=1; --"'),
    "user of another kind": but("username", '"src:127.0.0.2"'),
    "another realm": but("realm", '"example.net"'),
    "realm left out": but("realm", ""),
    "Basic": lambda _: "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
    "nonsense": lambda _: 'Digest ,,,==""\'',
}
INCOMPLETE = {"empty nonce", "empty response", "no count", "no client nonce", "no user", "user left out", "realm left out", "nonsense"}
"""No digest that could be checked: 400. All others are challenged, and nobody is told what is wrong with them."""


async def registered(instance: WholeInstance, caller: UserAgent) -> bool:
    return bool(
        instance.rows("SELECT 1 FROM store_registration r JOIN store_profile p ON p.id = r.profile_id WHERE p.sip_user = ?", caller.user)
    )


@pytest.mark.parametrize("number", range(len(WRONG)), ids=list(WRONG))
@scenario
async def test_what_is_wrong_is_refused(instance: WholeInstance, number: int) -> None:
    spoil = list(WRONG.values())[number]
    async with beta(instance, host=f"127.0.1.{number + 1}") as caller:  # an address each: nobody is banned for another
        status = await says(caller, spoil(right(caller, await challenge(caller))))
        assert status == (400 if list(WRONG)[number] in INCOMPLETE else 401)
        assert not await registered(instance, caller)


@pytest.mark.parametrize("algorithm", ["MD5-sess", "ROT13"])
@scenario
async def test_a_lie_about_the_algorithm_changes_nothing(instance: WholeInstance, algorithm: str) -> None:
    """We asked for MD5 and compute MD5: what the answer calls itself is neither a way in nor a way out."""
    lie = but("algorithm", algorithm)
    async with beta(instance) as caller, beta(instance, password="wrong", host="127.0.1.100") as guesser:
        assert await says(guesser, lie(right(guesser, await challenge(guesser)))) == 401
        assert await says(caller, lie(right(caller, await challenge(caller)))) == 200
        assert (await caller.unregister()).status == 200


@scenario
async def test_an_answer_is_good_once(instance: WholeInstance) -> None:
    """Who has seen it on the wire can neither send it again, nor for another request, nor from elsewhere."""
    async with beta(instance) as caller, beta(instance, host="127.0.1.101", name="thief") as thief:
        told = await challenge(caller)
        answer = right(caller, told)
        assert await says(caller, answer) == 200
        assert await says(caller, answer) == 401
        assert await says(thief, answer) == 401
        counted_on = authorization(Credentials(caller.user, caller.password), told, "REGISTER", f"sip:{caller.domain}", nonce_count=2)
        call = await thief.invite(LANDLINE, headers=[("Proxy-Authorization", counted_on)])
        assert (await call.next_response()).status == 407
        assert (await caller.unregister()).status == 200


@scenario
async def test_who_answers_another_kamailios_challenge_is_asked_again_and_not_banned(instance: WholeInstance) -> None:
    """One that died, perhaps: a busy PBX has many of its challenges in hand. No password was tried, so nobody guesses."""
    async with beta(instance, host="127.0.1.103") as caller:
        foreign = WRONG["nonce of nobody"]
        for _ in range(2 * FAILURES_BEFORE_BAN):
            told = await challenge(caller)
            refusal = await (await caller.transact(registering(caller, foreign(right(caller, told))))).final()
            assert refusal.status == 401
            assert challenge_fields(refusal.get("www-authenticate"))["stale"].lower() == "true"
        assert await says(caller, right(caller, await challenge(caller))) == 200
        assert (await caller.unregister()).status == 200


@scenario
async def test_a_user_registers_nobody_else(instance: WholeInstance) -> None:
    async with beta(instance) as caller:
        assert await says(caller, right(caller, await challenge(caller)), user=instance.cast.alpha.user) == 403
        assert instance.rows("SELECT 1 FROM store_registration") == []


@scenario
async def test_one_company_does_not_call_as_another(instance: WholeInstance) -> None:
    """From, P-Asserted-Identity and the like say Alpha; the credentials are Beta's: Beta pays, and Beta's number is shown."""
    victim = instance.cast.alpha
    async with everybody(caller := beta(instance), callee := carrier(instance)):
        headers = [
            ("P-Asserted-Identity", f"<sip:+{victim.number}@{instance.domain}>"),
            ("P-Preferred-Identity", f"<sip:+{victim.number}@x>"),
        ]
        call = await caller.invite(LANDLINE, from_=f"<sip:{victim.user}@{instance.domain}>", headers=headers)
        answered = caller.spawn(call.answered())
        incoming = await callee.incoming()
        await incoming.answer()
        await answered
        assert incoming.caller == f"+{instance.cast.beta.number}"
        assert incoming.invite.get("p-asserted-identity") == f"<sip:+{instance.cast.beta.number}@{instance.domain}>"
        await call.bye()
    instance.eventually(
        lambda: (
            instance.rows("SELECT profile_id, result FROM store_callrecord ORDER BY call_ref DESC LIMIT 1")
            == [(instance.cast.beta.profile_id, "answered")]
        ),
        "Beta's record",
    )


@scenario
async def test_who_guesses_is_banned_and_nobody_else(instance: WholeInstance) -> None:
    before = instance.vitals().log_bytes["callcontrol"]
    async with everybody(guesser := alpha(instance, password="guess", host="127.0.1.102"), owner := alpha(instance)):
        for _ in range(FAILURES_BEFORE_BAN - 1):
            assert await says(guesser, right(guesser, await challenge(guesser))) == 401
        assert await says(guesser, right(guesser, await challenge(guesser))) == 403
        guesser.password = instance.cast.alpha.password
        assert await says(guesser, right(guesser, await challenge(guesser))) == 403, "the right guess comes too late"
        assert (await owner.register()).status == 200, "the PBX at its own address goes on"
        assert (await owner.unregister()).status == 200
    lines = instance.eventually(lambda: banned(instance, before), "a line in the log")
    assert len(lines) == 1
    assert lines[0]["source"].startswith("udp:127.0.1.102:")
    assert lines[0]["user"] == instance.cast.alpha.user


def banned(instance: WholeInstance, since: int) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in instance.log("callcontrol", since).splitlines()]
    return [line for line in lines if "banned" in line.get("why", "")]


@scenario
async def test_the_right_password_after_a_few_wrong_ones(instance: WholeInstance) -> None:
    async with beta(instance, password="typo", host="127.0.1.103") as caller:
        for _ in range(FAILURES_BEFORE_BAN - 2):
            assert await says(caller, right(caller, await challenge(caller))) == 401
        caller.password = instance.cast.beta.password
        assert (await caller.register()).status == 200
        assert (await caller.unregister()).status == 200


@scenario
async def test_guessing_users_asks_call_control_little_and_logs_little(instance: WholeInstance) -> None:
    """A thousand users of one address: most are not even answered, and the log gets a line a second for each worker."""
    before = instance.vitals().log_bytes["callcontrol"]
    async with stranger(instance, host="127.0.1.104") as guesser:
        told = await challenge(guesser)
        for number in range(1000):
            answer = authorization(Credentials(f"{number:014d}", "x"), told, "REGISTER", f"sip:{guesser.domain}")
            await guesser.send(registering(guesser, answer))
        await asyncio.sleep(1.0)  # what is answered has been answered by then
        answers = [message for message in guesser.transcript.messages(False) if message.is_response]
    assert len(answers) < 300
    assert instance.log("callcontrol", before).count("authentication failed") < 30


@pytest.mark.parametrize("method", ["INVITE", "REGISTER"])
@scenario
async def test_a_challenge_tells_nothing(instance: WholeInstance, method: str) -> None:
    """The same for users that exist and for others; and another nonce each time."""
    async with stranger(instance, host="127.0.1.105") as caller:
        fields = []
        for user in (instance.cast.alpha.user, "00000000000000"):
            identity = f"<sip:{user}@{instance.domain}>"
            message = caller.build(
                method, f"sip:1@{instance.domain}", to=identity, from_=f"{identity};tag=1", call_id=caller.new_id(), cseq=1,
                headers=[("Contact", f"<{caller.contact}>")],
            )  # fmt: skip
            response = await (await caller.transact(message)).final()
            told = challenge_fields(response.get("www-authenticate") or response.get("proxy-authenticate"))
            fields.append((response.status, told.pop("nonce"), told))
        (status, nonce, rest), (other_status, other_nonce, other_rest) = fields
        assert (status, rest) == (other_status, other_rest)
        assert nonce != other_nonce
        assert rest["realm"] == instance.domain


@scenario
async def test_a_stranger_calls_nobody(instance: WholeInstance) -> None:
    """Neither a number of ours nor one of the world: an INVITE that is no carrier's is challenged."""
    async with agent(instance, user="stranger", host="127.0.1.106", name="stranger") as caller:
        for to in (f"+{instance.cast.alpha.number}", LANDLINE, "911"):
            call = await caller.invite(to)
            await call.final(407)
        assert caller.transcript.received(status=180) == []
