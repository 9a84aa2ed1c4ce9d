"""SQL, control characters, bytes that are no text, and JSON in every field that reaches a question, a journal, a record or the log."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.security.instance import WholeInstance
from tests.security.people import LANDLINE, alpha, carrier, connect, everybody, fixed, hang_up
from tests.siptest import Call, UnmetError, describe, scenario

pytestmark = pytest.mark.engines

SILENCE = 0

SQL = "'; DROP TABLE store_account; --"
FORMAT = "%s%n%x{0}{user}${jndi:x}$(id)`id`"
JSON = '","e":"end","c":"1"}\\n{"e":"boot"'
CONTROL = "\0\a\b\x1b[2J\x1b]0;x\x07\x7f"
NO_TEXT = "\udcff\udcfe\udced\udca0\udc80"
PICTURES = "\u202e\u200b\U0001f4a9\ufeff\u2028"
LONG = "L" * 3000
EVIL = {"sql": SQL, "format": FORMAT, "json": JSON, "control": CONTROL, "no text": NO_TEXT, "pictures": PICTURES, "long": LONG}

# Where it is put into an INVITE of a PBX. What may not stand there by RFC 3261 is refused or ignored; the rest is somebody's odd name.
FIELDS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "display name": lambda evil, who: {"from_": f'"{evil}" <{who}>'},
    "From user": lambda evil, who: {"from_": f"<sip:{evil}@example.net>"},
    "From parameter": lambda evil, who: {"from_": f"<{who};x={evil}>"},
    "Request-URI user": lambda evil, who: {"uri": f"sip:{evil.replace(' ', '')}@example.net"},
    "Request-URI parameter": lambda evil, who: {"uri": f"sip:{LANDLINE}@example.net;x={evil.replace(' ', '')}"},
    "To user": lambda evil, who: {"headers": [("To", f"<sip:{evil}@example.net>")]},
    "From tag": lambda evil, who: {"from_": f"<{who}>;tag={evil}"},
    "Call-ID": lambda evil, who: {"call_id": evil},
    "User-Agent": lambda evil, who: {"headers": [("User-Agent", evil)]},
    "P-Asserted-Identity": lambda evil, who: {"headers": [("P-Asserted-Identity", f'"{evil}" <sip:{evil}@example.net>')]},
    "Privacy": lambda evil, who: {"headers": [("Privacy", evil)]},
    "Diversion": lambda evil, who: {"headers": [("Diversion", f"<sip:{evil}@example.net>;reason={evil}")]},
    "Reason": lambda evil, who: {"headers": [("Reason", f"SIP;cause=200;text={evil}")]},
    "Content-Type": lambda evil, who: {"headers": [("Content-Type", f"application/sdp;{evil}")]},
    "Record-Route": lambda evil, who: {"headers": [("Record-Route", f"<sip:127.0.0.20;{evil};lr>")]},
    "Supported": lambda evil, who: {"headers": [("Supported", evil)]},
    "session name": lambda evil, who: {"body": spoilt_offer(b"s=-", b"s=" + raw(evil))},
    "session owner": lambda evil, who: {"body": spoilt_offer(b"o=siptest", b"o=" + raw(evil))},
    "codec name": lambda evil, who: {"body": spoilt_offer(b"PCMA/8000", raw(evil) + b"/8000")},
    "media line": lambda evil, who: {"body": spoilt_offer(b"RTP/AVP", raw(evil))},
    "attribute": lambda evil, who: {"body": spoilt_offer(b"a=ptime:20", b"a=" + raw(evil))},
}


def raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def spoilt_offer(found: bytes, put: bytes) -> bytes:
    return describe("127.0.0.20", 4000).replace(found, put, 1)


def assert_harmless(text: str) -> None:
    """May be shown on a terminal and kept in PostgreSQL."""
    assert text.isprintable(), ascii(text)
    text.encode("utf-8")  # no lone surrogates


def assert_store_is_harmless(instance: WholeInstance) -> None:
    """All that strangers wrote, as it is kept."""
    columns = "caller, caller_shown, dialled, callee, destination, result, refusal, ended_by, sip_call_id, source, user_agent"
    for row in instance.rows(f"SELECT {columns}, trace FROM store_callrecord ORDER BY call_ref DESC LIMIT 20"):
        for text in row[:-1]:
            assert_harmless(text)
        for _, what in json.loads(row[-1])["steps"]:
            assert_harmless(what)
        for value in json.loads(row[-1])["sip"].values():
            assert_harmless(str(value))
    for row in instance.rows("SELECT contact, source, socket, user_agent, call_id FROM store_registration"):
        for text in row:
            assert_harmless(text)
    assert instance.rows("SELECT count(*) FROM store_account")[0][0] > 0


@pytest.mark.parametrize("field", FIELDS)
@scenario
async def test_in_an_invite(instance: WholeInstance, field: str) -> None:
    """From a PBX that is known by its address: everything that Kamailio understands gets as far as call control."""
    async with everybody(caller := fixed(instance), callee := carrier(instance)):
        callee.on_invite = lambda call: call.reject(486)
        calls = [await caller.invite(LANDLINE, **FIELDS[field](evil, f"sip:anybody@{instance.domain}")) for evil in EVIL.values()]
        statuses = await asyncio.gather(*map(outcome, calls))
        assert set(statuses) <= {SILENCE, 400, 403, 404, 484, 486, 503, 513}, dict(zip(EVIL, statuses, strict=True))
    instance.eventually(lambda: instance.rows("SELECT 1 FROM store_livecall") == [], "the calls are over")
    assert_store_is_harmless(instance)


async def outcome(call: Call) -> int:
    """The final status, or silence for what is no SIP message any more."""
    try:
        return (await call.final(within=0.5)).status
    except UnmetError:
        return SILENCE


@pytest.mark.parametrize("field", ["User-Agent", "Call-ID", "From tag", "display name", "Contact parameter"])
@scenario
async def test_in_a_registration(instance: WholeInstance, field: str) -> None:
    async with alpha(instance) as pbx:
        for evil in EVIL.values():
            identity = f"<sip:{pbx.user}@{instance.domain}>"
            contact = f"<{pbx.contact};x={evil}>" if field == "Contact parameter" else f"<{pbx.contact}>"
            tag = evil if field == "From tag" else "1"
            message = pbx.build(
                "REGISTER", f"sip:{instance.domain}", to=identity, call_id=evil if field == "Call-ID" else pbx.new_id(), cseq=1,
                from_=f'"{evil if field == "display name" else ""}" {identity};tag={tag}',
                headers=[("Contact", contact), ("Expires", "60"), *([("User-Agent", evil)] if field == "User-Agent" else [])],
            )  # fmt: skip
            with contextlib.suppress(UnmetError):
                assert (await pbx.exchange(message, within=0.3)).status in (200, 400, 401)
            assert_store_is_harmless(instance)
        assert (await pbx.register(contact="*", expires=0)).status == 200
    instance.eventually(lambda: not instance.rows("SELECT 1 FROM store_registration"), "the registration is gone")


# The other way: what a carrier, or a PBX that is called, answers

ANSWERED: dict[str, Callable[[str], tuple[str, str]]] = {
    "phrase": lambda evil: ("phrase", evil),
    "To tag": lambda evil: ("tag", evil),
    "Contact": lambda evil: ("Contact", f"<sip:x@127.0.0.2;x={evil}>"),
    "Server": lambda evil: ("Server", evil),
    "Reason": lambda evil: ("Reason", f"Q.850;cause=16;text={evil}"),
    "Warning": lambda evil: ("Warning", evil),
    "Retry-After": lambda evil: ("Retry-After", evil),
    "Content-Type": lambda evil: ("Content-Type", evil),
    "Record-Route": lambda evil: ("Record-Route", f"<sip:127.0.0.2;{evil};lr>"),
    "challenge": lambda evil: ("Proxy-Authenticate", f'Digest realm="{evil}", nonce="{evil}"'),
}


@pytest.mark.parametrize("field", ANSWERED)
@pytest.mark.parametrize("status", [183, 407, 486])
@scenario
async def test_in_an_answer(instance: WholeInstance, status: int, field: str) -> None:
    async with everybody(caller := fixed(instance), callee := carrier(instance)):
        answers = iter(EVIL.values())

        async def answer(call: Call) -> None:
            name, value = ANSWERED[field](next(answers))
            headers = [] if name in ("phrase", "tag") else [(name, value)]
            phrase, tag = (value if name == wanted else "" for wanted in ("phrase", "tag"))
            await callee.reply(call.invite, call.invite_peer, status, phrase, tag=tag, headers=headers)
            await call.reject(603)

        callee.on_invite = answer
        calls = [await caller.invite(LANDLINE) for _ in EVIL]
        statuses = await asyncio.gather(*map(outcome, calls))
        assert set(statuses) <= {SILENCE, 183, 486, 503, 603}, dict(zip(EVIL, statuses, strict=True))
        for call, seen in zip(calls, statuses, strict=True):
            if seen in (SILENCE, 183):  # the refusal was lost in its own noise: the caller gives up
                await call.cancel()
    instance.eventually(lambda: instance.rows("SELECT 1 FROM store_livecall") == [], "the calls are over")
    assert_store_is_harmless(instance)


@scenario
async def test_inside_a_call(instance: WholeInstance) -> None:
    """Every request that a party may send in a call, with evil in every field that it may choose; the call goes on and is paid."""
    async with everybody(caller := fixed(instance), callee := carrier(instance)):
        up = await connect(instance, caller, callee)
        for evil in EVIL.values():
            for method in ("INFO", "UPDATE", "INVITE", "NOTIFY", "OPTIONS"):
                headers = [("Contact", f"<sip:x@127.0.0.20;x={evil}>"), ("User-Agent", evil), ("Subject", evil), ("Content-Type", evil)]
                await up.caller.send_request(method, headers=headers, body=raw(evil))
        await asyncio.sleep(0.5)  # whatever is going to be answered has been
        assert instance.rows("SELECT state FROM store_livecall") == [("answered",)]
        up.caller.cseq += 100
        result, cost = await hang_up(instance, up)
        assert (result, cost) == ("answered", 30_000)
    assert_store_is_harmless(instance)


def test_the_logs_of_call_control_are_one_json_object_a_line(instance: WholeInstance) -> None:
    for line in instance.log("callcontrol").splitlines():
        assert isinstance(json.loads(line), dict)
