"""The dialog of a call (RFC 3261 section 12): who is on either side, the way between them, and requests inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.siptest.inbox import WAIT_SECONDS
from tests.siptest.message import Headers, Message, uri_hostport
from tests.siptest.transaction import Transaction
from tests.siptest.wire import Peer

if TYPE_CHECKING:
    from tests.siptest.agent import UserAgent


class Dialog:
    """`local` and `remote` are whole From/To values with their tags; `routes` the route set, nearest hop first."""

    def __init__(self, agent: UserAgent) -> None:
        self.agent = agent
        self.call_id = agent.new_id()
        self.local_tag, self.remote_tag = agent.new_id(), ""
        self.local = self.remote = self.remote_target = ""
        self.routes: list[str] = []
        self.cseq = 0

    def learn_from_answer(self, response: Message) -> None:
        """A response with a To tag makes the dialog, an early one or the final one."""
        self.remote, self.remote_tag = response.get("to"), response.to_tag
        self.routes = list(reversed(response.all("record-route")))
        self.retarget(response)

    def learn_from_invite(self, invite: Message) -> None:
        self.call_id = invite.call_id
        self.local, self.remote = f"{invite.get('to')};tag={self.local_tag}", invite.get("from")
        self.remote_tag = invite.from_tag
        self.routes = invite.all("record-route")
        self.retarget(invite)

    def retarget(self, message: Message) -> None:
        if message.get("contact"):
            self.remote_target = message.address("contact").uri

    def build(self, method: str, cseq: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Message:
        own = [*(("Route", route) for route in self.routes), ("Contact", f"<{self.agent.contact}>")]
        return self.agent.build(
            method,
            self.remote_target,
            to=self.remote,
            from_=self.local,
            call_id=self.call_id,
            cseq=cseq,
            headers=merged(own, headers),
            body=body,
        )

    def next_hop(self) -> Peer:
        """The first route, else the other side itself; the server for anything that is a name."""
        uri = self.routes[0].strip().strip("<>") if self.routes else self.remote_target
        host, port = uri_hostport(uri)
        if not host.replace(".", "").isdigit() and ":" not in host:
            return self.agent.server
        return Peer(host, port or 5060)

    async def send_request(self, method: str, *, headers: Sequence[tuple[str, str]] = (), body: bytes = b"") -> Transaction:
        self.cseq += 1
        return await self.agent.transact(self.build(method, self.cseq, headers, body), self.next_hop())

    async def request(
        self, method: str, *, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", within: float = WAIT_SECONDS
    ) -> Message:
        """A request inside the dialog; answers a challenge once; its final response."""
        transaction = await self.send_request(method, headers=headers, body=body)
        response = await transaction.final(within)
        if retry := self.agent.credentials_answer(transaction.request, response):
            self.cseq = retry.cseq
            response = await (await self.agent.transact(retry, transaction.peer)).final(within)
        return response


def merged(own: Headers, given: Sequence[tuple[str, str]]) -> Headers:
    """`given`, and of our own what it does not name."""
    names = {name.lower() for name, _ in given}
    return [pair for pair in own if pair[0].lower() not in names] + list(given)
