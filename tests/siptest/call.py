"""One call of an agent, from either side: its INVITE, its offers and answers, its media."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.siptest.dialog import Dialog, merged
from tests.siptest.inbox import WAIT_SECONDS, Inbox
from tests.siptest.message import Headers, Message
from tests.siptest.rtp import RtpPort
from tests.siptest.sdp import Sdp, describe
from tests.siptest.transaction import LONGEST_SECONDS, T1_SECONDS, T2_SECONDS, Transaction, cancel
from tests.siptest.wire import Peer

if TYPE_CHECKING:
    from tests.siptest.agent import UserAgent


class Call(Dialog):
    """`media` is the RTP socket (None if the test brought its own body), `remote_sdp` the other side's last description.

    auto_answer: methods of in-dialog requests that are answered 200 by themselves.
    """

    def __init__(self, agent: UserAgent) -> None:
        super().__init__(agent)
        self.invite = Message("")
        self.invite_peer = agent.server
        self.transaction: Transaction | None = None
        self.media: RtpPort | None = None
        self.remote_sdp: Sdp | None = None
        self.auto_answer = {"BYE", "INVITE", "UPDATE", "INFO", "OPTIONS"}
        self.cancelled: Message | None = None
        self.invited_at = self.bye_at = 0.0  # time.monotonic() when the other side's INVITE, and its BYE, came
        self._requests: Inbox[tuple[Message, Peer]] = Inbox()
        self._acks: Inbox[Message] = Inbox()
        self._finished = False  # our INVITE, or the one to us, has its final response

    # Calling

    async def dial(
        self,
        to: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        from_: str = "",
        uri: str = "",
        call_id: str = "",
        codecs: Sequence[str] = ("PCMA", "PCMU", "telephone-event"),
    ) -> None:
        """Send the INVITE. `body` replaces our offer (b"": none at all); `uri` a Request-URI other than To's."""
        agent = self.agent
        self.call_id = call_id or self.call_id
        self.local = from_ or f"<{agent.uri(agent.user)}>"
        self.local += "" if ";tag=" in self.local else f";tag={self.local_tag}"
        self.remote, self.remote_target = f"<{agent.uri(to)}>", uri or agent.uri(to)
        if body is None:
            body = await self._offer(codecs)
        extra: Headers = [("Contact", f"<{agent.contact}>"), *([("Content-Type", "application/sdp")] if body else [])]
        self.cseq = 1
        self.invite = agent.build(
            "INVITE",
            self.remote_target,
            to=self.remote,
            from_=self.local,
            call_id=self.call_id,
            cseq=1,
            headers=merged(extra, headers),
            body=body,
        )
        self.transaction = await agent.transact(self.invite)

    async def _offer(self, codecs: Sequence[str]) -> bytes:
        if not self.media:
            self.media = await RtpPort.open(self.agent.host)
        return describe(*self.media.local, codecs)

    async def next_response(self, within: float = WAIT_SECONDS) -> Message:
        """The next response to our INVITE but 100 and an answerable challenge, which is answered."""
        assert self.transaction, "this call came in"
        deadline = time.monotonic() + within
        while True:
            response = await self.transaction.next(max(0.0, deadline - time.monotonic()))
            if response.status == 100:
                continue
            retry = self.agent.credentials_answer(self.invite, response)
            if not retry:
                self._learn(response)
                return response
            self.invite, self.cseq = retry, retry.cseq
            self.transaction = await self.agent.transact(retry)

    def _learn(self, response: Message) -> None:
        if 100 < response.status < 300 and response.to_tag:
            self.learn_from_answer(response)
        self._finished = self._finished or response.status >= 200
        self._describe(response)

    def _describe(self, message: Message) -> None:
        if message.body and message.get("content-type").startswith("application/sdp"):
            self.remote_sdp = Sdp.parse(message.body)
            if self.media:
                self.media.aim(self.remote_sdp)

    async def expect(self, *statuses: int, within: float = WAIT_SECONDS) -> Message:
        """The next response (100 aside) has one of these statuses."""
        response = await self.next_response(within)
        if response.status not in statuses:
            raise self.agent.transcript.unmet(f"expected {statuses}, got {response.start!r}")
        return response

    async def final(self, *statuses: int, within: float = WAIT_SECONDS) -> Message:
        """The final response; if statuses are given it must be one of them."""
        deadline = time.monotonic() + within
        while (response := await self.next_response(max(0.0, deadline - time.monotonic()))).status < 200:
            pass
        if statuses and response.status not in statuses:
            raise self.agent.transcript.unmet(f"expected {statuses}, got {response.start!r}")
        return response

    async def answered(self, within: float = WAIT_SECONDS) -> Message:
        """The call is answered with 200, and we have acknowledged it."""
        response = await self.final(200, within=within)
        await self.ack()
        return response

    async def ack(self, body: bytes = b"") -> None:
        """ACK to the 2xx. Repeated by itself when the 2xx is repeated."""
        assert self.transaction, "this call came in"
        headers: Headers = [("Content-Type", "application/sdp")] if body else []
        acknowledgement = self.build("ACK", self.transaction.request.cseq, headers, body)
        self.transaction.ack = acknowledgement
        self.transaction.peer = self.next_hop()
        await self.agent.send(acknowledgement, self.transaction.peer)

    async def cancel(self, within: float = WAIT_SECONDS) -> Message:
        """CANCEL our pending INVITE; the response to the CANCEL. `final(487)` follows."""
        return await self.agent.exchange(cancel(self.invite), self.invite_peer, within)

    # Inside the dialog

    async def reinvite(self, body: bytes | None = None, within: float = WAIT_SECONDS) -> Message:
        """re-INVITE with our description again (or `body`), acknowledged if it is accepted."""
        if body is None:
            body = await self._offer(("PCMA", "PCMU", "telephone-event"))
        first = self.transaction
        self.transaction = await self.send_request("INVITE", headers=[("Content-Type", "application/sdp")] if body else [], body=body)
        response = await self.transaction.final(within)
        if response.status == 200:
            self.retarget(response)
            self._describe(response)
            await self.ack()
        self.transaction = first or self.transaction
        return response

    async def update(self, body: bytes = b"", within: float = WAIT_SECONDS) -> Message:
        headers: Headers = [("Content-Type", "application/sdp")] if body else []
        return await self.request("UPDATE", headers=headers, body=body, within=within)

    async def bye(self, within: float = WAIT_SECONDS) -> Message:
        return await self.request("BYE", within=within)

    async def expect_request(self, method: str, within: float = WAIT_SECONDS) -> Message:
        """A request of the other side inside the dialog; it was answered already if `auto_answer` names it."""
        try:
            message, _ = await self._requests.take(within, lambda item: item[0].method == method)
        except TimeoutError:
            raise self.agent.transcript.unmet(f"no {method} in the call within {within:g} s") from None
        return message

    async def ended(self, within: float = WAIT_SECONDS) -> Message:
        """The other side hung up: its BYE."""
        return await self.expect_request("BYE", within)

    # Being called

    def offered(self, invite: Message, peer: Peer) -> None:
        self.invite, self.invite_peer, self.invited_at = invite, peer, time.monotonic()
        self.learn_from_invite(invite)
        self._describe(invite)

    @property
    def caller(self) -> str:
        return self.invite.address("from").user

    @property
    def called(self) -> str:
        """User part of the Request-URI."""
        return self.invite.uri.partition(":")[2].rpartition("@")[0]

    async def ring(self, status: int = 180, *, sdp: bool = False, headers: Sequence[tuple[str, str]] = ()) -> None:
        """180, or 183 with `sdp=True` for early media."""
        await self._respond(status, headers, await self._answer_body() if sdp else b"")

    async def answer(self, *, body: bytes | None = None, headers: Sequence[tuple[str, str]] = (), within: float = WAIT_SECONDS) -> None:
        """200, repeated until the ACK; returns when the ACK is here."""
        body = await self._answer_body() if body is None else body
        response = await self._respond(200, headers, body)
        repeating = self.agent.spawn(self._repeat(response))
        try:
            self._describe(await self._acks.take(within))
        except TimeoutError:
            raise self.agent.transcript.unmet("no ACK to our 200") from None
        finally:
            repeating.cancel()

    async def _repeat(self, response: Message) -> None:
        pause, spent = T1_SECONDS, 0.0
        while spent < LONGEST_SECONDS:
            await asyncio.sleep(pause)
            spent, pause = spent + pause, min(pause * 2, T2_SECONDS)
            await self.agent.send(response, self.invite_peer, "  (again)")

    async def _answer_body(self) -> bytes:
        codecs = ["telephone-event"]
        if self.remote_sdp:
            known = {0: "PCMU", 8: "PCMA"}
            codecs = [known[number] for number in self.remote_sdp.payloads if number in known][:1] + codecs
        body = await self._offer(codecs)
        if self.remote_sdp and self.media:
            self.media.aim(self.remote_sdp)
        return body

    async def reject(self, status: int = 486, phrase: str = "", headers: Sequence[tuple[str, str]] = ()) -> None:
        await self._respond(status, headers, phrase=phrase)

    async def expect_cancel(self, within: float = WAIT_SECONDS) -> Message:
        """The caller gave up: its CANCEL, which was answered with 200 and 487."""
        return await self.expect_request("CANCEL", within)

    async def _respond(self, status: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", phrase: str = "") -> Message:
        own: Headers = [("Contact", f"<{self.agent.contact}>"), *([("Content-Type", "application/sdp")] if body else [])]
        self._finished = self._finished or status >= 200
        return await self.agent.reply(
            self.invite, self.invite_peer, status, phrase, tag=self.local_tag, headers=merged(own, headers), body=body
        )

    # What arrives

    def owns(self, message: Message) -> bool:
        if message.call_id != self.call_id:
            return False
        if message.method == "CANCEL":
            return message.branch == self.invite.branch
        return message.to_tag == self.local_tag

    async def requested(self, message: Message, peer: Peer) -> None:
        if message.method == "ACK":
            self._acks.put(message)
            return
        if message.method == "BYE":
            self.bye_at = time.monotonic()
        if message.method == "CANCEL":
            await self._cancelled(message, peer)
        elif message.method in self.auto_answer:
            await self.accept(message, peer)
        self._requests.put((message, peer))

    async def _cancelled(self, message: Message, peer: Peer) -> None:
        await self.agent.reply(message, peer, 200, tag=self.local_tag)
        if not self._finished:
            self.cancelled = message
            await self.reject(487)

    async def accept(self, message: Message, peer: Peer | None = None) -> None:
        """200 to a request inside the dialog, with our description if it had one."""
        self.retarget(message)
        self._describe(message)
        offer_wanted = message.method == "INVITE" or (message.method == "UPDATE" and message.body)
        body = await self._answer_body() if offer_wanted and self.media else b""
        headers: Headers = [("Contact", f"<{self.agent.contact}>")]
        headers += [("Content-Type", "application/sdp")] if body else []
        await self.agent.reply(message, peer or self.invite_peer, 200, headers=headers, body=body)

    async def refuse(self, message: Message, status: int) -> None:
        """A final refusal to a request inside the dialog whose method was taken out of `auto_answer`."""
        await self.agent.reply(message, self.invite_peer, status)

    def close(self) -> None:
        for transaction in [self.transaction] if self.transaction else []:
            transaction.stop()
        if self.media:
            self.media.close()
