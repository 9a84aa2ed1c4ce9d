"""TCP and TLS (R10.1): calls from and to PBXs that opened a connection, beside carriers on UDP."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import Any

import pytest

from tests.sip.edge_instance import EdgeInstance, carrier, connect, pbx
from tests.sip.fake_callcontrol import allowed, route
from tests.siptest import StreamWire, UserAgent, scenario, untrusting

pytestmark = pytest.mark.engines


def stream_pbx(edge: EdgeInstance, transport: str) -> UserAgent:
    tls: dict[str, Any] = {"server": edge.tls_server, "client_tls": untrusting()} if transport == "tls" else {}
    return pbx(edge, transport=transport, **tls)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@scenario
async def test_a_call_from_a_pbx(edge: EdgeInstance, transport: str) -> None:
    async with stream_pbx(edge, transport) as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        assert edge.callcontrol.asked("admit")[-1]["src"].startswith(f"{transport}:")
        assert len(up.callee.invite.all("record-route")) == 2, "one for each transport"
        assert (await up.caller.reinvite()).status == 200
        assert (await up.callee.request("OPTIONS")).status == 200
        assert (await up.callee.bye()).status == 200
        await up.caller.ended()
        assert edge.callcontrol.wait_for("end", c=up.verdict["call"])["by"] == "callee"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
@scenario
async def test_a_call_to_a_pbx_comes_over_the_connection_that_it_opened(edge: EdgeInstance, transport: str) -> None:
    async with carrier(edge) as caller, stream_pbx(edge, transport) as callee:
        assert (await callee.register()).status == 200
        source = edge.callcontrol.events("reg")[-1]["src"].partition(":")[2]
        up = await connect(edge, caller, callee, routes=[route(callee.contact, dst=f"sip:{source};transport={transport}")])
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()


@scenario
async def test_a_connection_that_is_gone_is_not_opened_anew(edge: EdgeInstance) -> None:
    """The port is an ephemeral one of the PBX: whoever listens there now is somebody else."""
    async with carrier(edge) as caller:
        with socket.create_server(("127.0.0.1", 0)) as somebody:
            port = somebody.getsockname()[1]
            somebody.settimeout(0.2)
            edge.callcontrol.admit = lambda question: verdict
            verdict = allowed(route(f"sip:1@127.0.0.1:{port}", dst=f"sip:127.0.0.1:{port};transport=tcp"))
            call = await caller.invite("12025550110")
            assert (await call.final()).status == 503
            with pytest.raises(TimeoutError):
                somebody.accept()
        assert edge.callcontrol.wait_for("fail", c=verdict["call"])["by"] == "edge"
    edge.forgive("t_forward_noack failed", "failure to add branches", "t_send_branch", "sending request")


@scenario
async def test_a_crash_takes_the_connection_but_not_the_call(edge: EdgeInstance) -> None:
    async with stream_pbx(edge, "tcp") as caller, carrier(edge) as callee:
        up = await connect(edge, caller, callee)
        edge.kill()
        assert isinstance(caller.wire, StreamWire)
        while caller.wire.connected_to(caller.server):  # the agent has to notice; the scenario's time-out bounds this
            await asyncio.sleep(0.01)
        edge.start()
        assert (await up.caller.bye()).status == 200
        await up.callee.ended()


def test_only_modern_tls(edge: EdgeInstance) -> None:
    old = untrusting()
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(edge.tls_server, 3) as plain, old.wrap_socket(plain) as secured:
        assert secured.version() == "TLSv1.2"
        certificate = secured.getpeercert(binary_form=True)
        assert certificate


def test_silent_connections_do_not_stop_others(edge: EdgeInstance) -> None:
    half_open = [socket.create_connection(edge.server, 3) for _ in range(200)]
    try:
        for number, connection in enumerate(half_open):
            connection.sendall(b"REGISTER sip:trunk SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1" if number % 2 else b"\r\n\r\n")
        started = time.monotonic()
        assert edge.is_answering("tcp")
        assert edge.is_answering("udp")
        assert time.monotonic() - started < 1
    finally:
        for connection in half_open:
            connection.close()


def test_nothing_was_complained_about(edge: EdgeInstance) -> None:
    assert edge.complaints() == []
