"""The configuration that we hand out, on a real Asterisk; the other side is the test agent, so that every header can be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest

from tests.ports import PortBlock
from tests.siptest import Message, UserAgent, scenario
from tests.siptest.digest import Credentials, proves
from tests.siptest.message import Headers, uri_params
from trunkline.lab.pbx import pbx, wait_until_registered
from trunkline.lab.talker import Talker
from trunkline.runtime.engine_root import ensure_root
from trunkline.usecases.pbx_config import WRITERS, TrunkDetails, asterisk_pjsip, freeswitch

DOMAIN, USER, PASSWORD, NUMBER = "trunk.example", "10000000000001", "semi;colon,>\"quote'=", "442079460123"
CHALLENGE = ("WWW-Authenticate", f'Digest realm="{DOMAIN}", nonce="abc", algorithm=MD5, qop="auth"')
SERVER_PORT, PBX_PORT = 5060, 5062


def details(**changes: object) -> TrunkDetails:
    given: dict[str, object] = {
        "profile": "Sales.Architects",
        "domain": DOMAIN,
        "server": "127.0.0.1",
        "port": SERVER_PORT,
        "sip_user": USER,
        "password": PASSWORD,
        "transport": "udp",
        "extensions": {NUMBER: "101"},
        "bind": f"127.0.0.1:{PBX_PORT}",
    }
    return TrunkDetails(**{**given, **changes})  # type: ignore[arg-type]


def challenging(message: Message) -> tuple[int, Headers]:
    """A registrar that lets in who knows the password."""
    answer = message.get("authorization")
    if message.method != "REGISTER":
        return 200, []
    if not answer or not proves(Credentials(USER, PASSWORD), answer, "REGISTER"):
        return 401, [CHALLENGE]
    return 200, [("Contact", f"{message.get('contact')};expires=3600")]


@dataclass(frozen=True)
class Trunk:
    """A PBX, and where its service is to be."""

    pbx: Talker
    pbx_port: int
    server_port: int
    transport: str


@pytest.fixture(scope="module", params=["udp", "tcp"])
def trunk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ports: PortBlock) -> Iterator[Trunk]:
    server_port, pbx_port = ports.take(), ports.take()
    known = details(transport=request.param, port=server_port, bind=f"127.0.0.1:{pbx_port}")
    talker = pbx(tmp_path_factory.mktemp("pbx"), ensure_root("lab"), known, ports.media)
    talker.start()
    yield Trunk(talker, pbx_port, server_port, request.param)
    talker.stop()


@pytest.mark.engines
@scenario
async def test_registers_calls_and_is_called(trunk: Trunk) -> None:
    talker, port, transport = trunk.pbx, trunk.server_port, trunk.transport
    async with UserAgent(user="edge", server=("127.0.0.1", trunk.pbx_port), port=port, domain=DOMAIN, transport=transport) as edge:
        edge.on_request = challenging
        await asyncio.to_thread(wait_until_registered, talker)
        registration = edge.transcript.received("REGISTER")[-1]
        assert registration.uri == f"sip:{DOMAIN}:{port}" + ("" if transport == "udp" else ";transport=tcp")
        contact = registration.address("contact").uri
        assert "line" in uri_params(contact)

        await it_is_called(edge, talker, contact)
        await it_calls(edge, talker)


async def it_is_called(edge: UserAgent, talker: Talker, contact: str) -> None:
    """R7.3: the contact with its parameters, the user part replaced by the number without plus."""
    target = contact.replace(f"sip:{USER}@", f"sip:{NUMBER}@").replace("sip:s@", f"sip:{NUMBER}@")
    call = await edge.invite(NUMBER, uri=target, from_=f"<sip:+33123456789@{DOMAIN}>")
    await call.answered()
    assert call.media
    await call.media.play(2.0)
    taken = await asyncio.to_thread(talker.taken, "101")
    assert taken.caller == "+33123456789"
    assert call.media.likeness(talker.seed) > 0.7
    await call.bye()
    ended = await asyncio.to_thread(talker.ended, taken.id)
    assert ended.heard.proves(call.media.seed)


async def it_calls(edge: UserAgent, talker: Talker) -> None:
    outcome = talker.call("+33123456789", 0.5, caller=NUMBER)
    first = await edge.incoming()
    await first.reject(401, headers=[CHALLENGE])
    second = await edge.incoming()
    invite = second.invite
    assert proves(Credentials(USER, PASSWORD), invite.get("authorization"), "INVITE")
    assert invite.uri.startswith(f"sip:+33123456789@{DOMAIN}")
    assert invite.address("from").uri == f"sip:{USER}@{DOMAIN}"
    assert invite.address("p-asserted-identity").user == NUMBER
    await second.answer()
    await second.ended()
    assert (await asyncio.to_thread(talker.ended, outcome)).answered


def test_by_ip_authentication_nothing_is_registered() -> None:
    written = asterisk_pjsip(details(sip_user="", password=""))["pjsip.conf"]
    assert "type = registration" not in written
    assert "auth" not in written
    assert "match = 127.0.0.1" in written


def test_tls_is_none_of_yesterday() -> None:
    assert "method = tlsv1_2" in asterisk_pjsip(details(transport="tls"))["pjsip.conf"]
    assert "method" not in asterisk_pjsip(details())["pjsip.conf"]


def test_srtp_is_switched_on() -> None:
    assert "media_encryption = sdes" in asterisk_pjsip(details(srtp=True))["pjsip.conf"]


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": "trunk.example\n[evil]"},
        {"server": "a b"},
        {"transport": "sctp"},
        {"password": "one\ntwo"},
        {"extensions": {"123,1,System(rm)": "101"}},
        {"extensions": {NUMBER: "101,1)\nexten"}},
    ],
)
def test_nothing_becomes_a_line_of_its_own(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a|must be|control"):
        details(**changes)


def test_a_profile_name_is_only_a_comment() -> None:
    files = asterisk_pjsip(details(profile="Ärger\n[general]\nallow_reload=yes ;-- "))
    for content in files.values():
        assert content.splitlines()[0].startswith("; SIP Profile Ärger [general] allow_reload=yes")
        assert "[trunkline-rger-general-allow-reload-yes" in content.replace("from-", "").replace("to-", "")


@pytest.mark.parametrize("kind", WRITERS)
def test_every_pbx_gets_the_profile_s_data(kind: str) -> None:
    said = "\n".join(WRITERS[kind](details(password="secret")).values())
    for value in (USER, "secret", DOMAIN, "127.0.0.1", str(SERVER_PORT), NUMBER, "101"):
        assert value in said


def test_freeswitch_files_are_xml_whatever_the_password() -> None:
    written = freeswitch(details(profile='<evil name="x">'))
    gateway, incoming, outgoing = (ET.fromstring(content) for content in written.values())
    parameters = {item.attrib["name"]: item.attrib["value"] for item in gateway.iter("param")}
    assert (parameters["password"], parameters["username"], parameters["realm"]) == (PASSWORD, USER, DOMAIN)
    assert [item.attrib["expression"] for item in incoming.iter("condition")] == [f"^{NUMBER}$"]
    assert [item.attrib["data"] for item in outgoing.iter("action")] == ["sofia/gateway/trunkline-evil-name-x/$1"]
