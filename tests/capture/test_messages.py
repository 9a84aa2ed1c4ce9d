"""What is kept of a SIP message, and in which order messages are shown."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from trunkline.capture.messages import MASK, Message, read
from trunkline.domain.sip_order import Captured, in_order

INVITE = (
    "INVITE sip:+33123456789@198.51.100.7 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n"
    "Record-Route: <sip:192.0.2.9;lr=on;tl=1795443653679820980rpp.c4f0>\r\n"
    "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\ni: 7a@pbx\r\nCSeq: 2 INVITE\r\n"
)  # fmt: skip


def message(*headers: str, body: str = "") -> Message:
    found = read((INVITE + "".join(f"{header}\r\n" for header in headers) + "\r\n" + body).encode())
    assert found is not None
    return found


def test_a_call_begins_with_an_invite_that_names_it() -> None:
    found = message()
    assert (found.method, found.call_id, found.begins_call, found.call_ref) == ("INVITE", "7a@pbx", True, 1795443653679820980)
    assert found.head.splitlines()[0] == "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1"


def test_an_invite_inside_a_dialog_and_a_reply_begin_none() -> None:
    inside = read(INVITE.replace("<sip:c@d>", "<sip:c@d>;tag=2").encode())
    reply = read(INVITE.replace(INVITE.partition("\r\n")[0], "SIP/2.0 200 OK").encode())
    assert inside is not None
    assert reply is not None
    assert (inside.begins_call, reply.begins_call, reply.call_ref, reply.method) == (False, False, None, "INVITE")


@pytest.mark.parametrize("header", ["Authorization", "proxy-authorization ", "AUTHORIZATION"])
@pytest.mark.parametrize("value", ['Digest username="1", response="5e3c"', 'Digest username="1",\r\n response="5e3c"', "5e3c"])
def test_credentials_are_never_kept(header: str, value: str) -> None:
    kept = message(f"{header}: {value}", "Subject: x").head
    assert "5e3c" not in kept
    assert MASK in kept
    assert "Subject: x" in kept


def test_keys_in_bodies_are_never_kept() -> None:
    body = "v=0\r\nk=prompt:5e3c\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:5e3c|2^20\r\na=key-mgmt:mikey 5e3c\r\na=ice-pwd:5e3c\r\na=sendrecv\r\n"
    kept = message(body=body).body
    assert "5e3c" not in kept
    assert kept.splitlines()[-1] == "a=sendrecv"


def test_what_would_do_something_to_a_terminal_is_replaced() -> None:
    assert "\x1b" not in message("Subject: \x1b[2J", body="\x1b]0;x\x07").head


@pytest.mark.parametrize(
    "text", ["", "REGISTER sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n", INVITE.replace("i: 7a@pbx\r\n", ""), "SIP/2.0 200 OK\r\n\r\n"]
)
def test_what_is_of_no_call_is_not_read(text: str) -> None:
    assert read(text.encode()) is None


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    read(data)
    read(INVITE.encode() + data)


def captured(at_us: int, first_line: str, cseq: str, branch: str = "b1", *, ours: bool) -> Captured:
    line = first_line if first_line[0].isalpha() else f"SIP/2.0 {first_line}"
    return Captured(at_us, ours, "udp:192.0.2.1:5060", line, f"Via: SIP/2.0/UDP 192.0.2.9;branch={branch}\nCSeq: {cseq}")


def test_nothing_comes_before_what_it_answers() -> None:
    late = [
        captured(10, "100 Trying", "1 INVITE", ours=False),
        captured(11, "INVITE sip:x SIP/2.0", "1 INVITE", ours=True),
        captured(20, "503 No", "1 INVITE", ours=False),
        captured(21, "INVITE sip:x SIP/2.0", "1 INVITE", "b2", ours=True),
        captured(30, "ACK sip:x SIP/2.0", "1 ACK", ours=False),
        captured(31, "200 OK", "1 INVITE", ours=True),
        captured(32, "180 Ringing", "1 INVITE", ours=True),
    ]
    assert [(one.at_us, one.first_line.split()[0 if one.status == 0 else 1]) for one in in_order(late)] == [
        (10, "INVITE"), (10, "100"), (20, "503"), (21, "INVITE"), (30, "180"), (30, "200"), (30, "ACK"),
    ]  # fmt: skip
    assert in_order(in_order(late)) == in_order(late)


def test_what_is_really_late_stays_where_it_was() -> None:
    late = [captured(0, "100 Trying", "1 INVITE", ours=False), captured(200_000, "INVITE sip:x SIP/2.0", "1 INVITE", ours=True)]
    assert in_order(late) == late
