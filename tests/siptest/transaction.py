"""A client transaction (RFC 3261 section 17.1): one request on its way, and the responses to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.siptest.inbox import WAIT_SECONDS, Inbox
from tests.siptest.message import Message
from tests.siptest.wire import Peer

if TYPE_CHECKING:
    from tests.siptest.endpoint import Endpoint

T1_SECONDS = 0.5
T2_SECONDS = 4.0
LONGEST_SECONDS = 64 * T1_SECONDS


class Transaction:
    def __init__(self, agent: Endpoint, request: Message, peer: Peer) -> None:
        self.agent, self.request, self.peer = agent, request, peer
        self.ack: Message | None = None  # sent again for each repeated final response to an INVITE
        self.last: Message | None = None
        self._responses: Inbox[Message] = Inbox()
        self._seen: set[bytes] = set()
        self._repeating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.agent.send(self.request, self.peer)
        if not self.agent.wire.reliable and self.request.method != "ACK":
            self._repeating = self.agent.spawn(self._repeat())

    async def _repeat(self) -> None:
        pause, spent = T1_SECONDS, 0.0
        while spent < LONGEST_SECONDS:
            await asyncio.sleep(pause)
            spent += pause
            pause = pause * 2 if self.request.method == "INVITE" else min(pause * 2, T2_SECONDS)
            await self.agent.send(self.request, self.peer, note="  (again)")

    def stop(self) -> None:
        if self._repeating:
            self._repeating.cancel()

    def arrived(self, response: Message, raw: bytes) -> None:
        final = response.status >= 200
        if final or self.request.method == "INVITE":
            self.stop()
        if final and self.request.method == "INVITE":
            self._acknowledge(response)
        if raw not in self._seen:
            self._seen.add(raw)
            self._responses.put(response)

    def _acknowledge(self, response: Message) -> None:
        """ACK to a failure belongs to the transaction; ACK to a 2xx is the call's, repeated here once it exists."""
        if response.status >= 300:
            self.ack = hop_ack(self.request, response)
        if self.ack:
            self.agent.spawn(self.agent.send(self.ack, self.peer))

    async def next(self, within: float = WAIT_SECONDS) -> Message:
        """The next response, 100 included."""
        try:
            self.last = await self._responses.take(within)
        except TimeoutError:
            what = f"no response to {self.request.method} {self.request.uri} within {within:g} s"
            raise self.agent.transcript.unmet(what) from None
        return self.last

    async def final(self, within: float = WAIT_SECONDS) -> Message:
        async with asyncio.timeout(within + 1):  # `next` reports first, with the transcript
            while (response := await self.next(within)).status < 200:
                pass
        return response


def hop_ack(invite: Message, response: Message) -> Message:
    """The ACK to a final failure: same branch, To of the response (RFC 3261 section 17.1.1.3)."""
    headers = [(name, value) for name, value in invite.headers if name in ("Via", "From", "Call-ID", "Route")]
    headers += [("To", response.get("to")), ("CSeq", f"{invite.cseq} ACK"), ("Max-Forwards", "70")]
    return Message.request("ACK", invite.uri, headers)


def cancel(invite: Message) -> Message:
    """The CANCEL of a pending INVITE (RFC 3261 section 9.1)."""
    names = ("Via", "From", "To", "Call-ID", "Route")
    headers = [(name, value) for name, value in invite.headers if name in names]
    headers += [("CSeq", f"{invite.cseq} CANCEL"), ("Max-Forwards", "70")]
    return Message.request("CANCEL", invite.uri, headers)
