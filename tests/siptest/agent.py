"""A scriptable SIP user agent: what a PBX, a carrier or an attacker does, step by step, on real sockets.

    async with UserAgent(server=("127.0.0.1", 5060), domain="trunkline.localhost", user=..., password=...) as pbx:
        assert (await pbx.register()).status == 200
        call = await pbx.invite("+17606604690")
        await call.answered()
        await call.bye()

Every wait is bounded (5 s unless said otherwise) and a missed expectation shows the transcript.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any

from tests.siptest.call import Call
from tests.siptest.digest import Credentials, authorization
from tests.siptest.endpoint import Endpoint
from tests.siptest.inbox import WAIT_SECONDS, Inbox
from tests.siptest.message import Headers, Message
from tests.siptest.wire import Peer

_CHALLENGES = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}


class UserAgent(Endpoint):
    """One endpoint. What it does by itself can be switched off:

    options_status: the answer to OPTIONS (None: silence)
    trying: send 100 to an INVITE at once
    on_request: (status, headers) for a request outside any call, or None for silence; by itself: 200, and 481 where a call should be
    on_invite: a coroutine function that answers each incoming call; without it tests take calls by `incoming()`
    """

    def __init__(
        self,
        *,
        server: tuple[str, int] = ("127.0.0.1", 5060),
        domain: str = "",
        user: str = "siptest",
        password: str = "",
        transport: str = "udp",
        host: str = "127.0.0.1",
        port: int = 0,
        name: str = "",
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            server=server, name=name or user, transport=transport, host=host, port=port, server_tls=server_tls, client_tls=client_tls
        )
        self.domain = domain or self.server.host
        self.user, self.password = user, password
        self.user_agent = "siptest"
        self.options_status: int | None = 200
        self.trying = True
        self.on_request: Callable[[Message], tuple[int, Headers] | None] = self._outside
        self.on_invite: Callable[[Call], Coroutine[Any, Any, object]] | None = None
        self._requests: Inbox[Message] = Inbox()
        self._incoming: Inbox[Call] = Inbox()
        self._calls: list[Call] = []
        self._registration_id, self._registration_tag, self._registration_cseq = self.new_id(), self.new_id(), 0

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for call in self._calls:
            call.close()
        await super().__aexit__(kind, error, trace)

    # Requests

    @property
    def contact(self) -> str:
        """Our Contact URI."""
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.user}@{self.wire.local}{suffix}"

    def uri(self, user: str) -> str:
        """A user of the server's domain; a whole URI stays as it is."""
        return user if user.startswith(("sip:", "sips:", "tel:")) else f"sip:{user}@{self.domain}"

    def build(
        self,
        method: str,
        uri: str,
        *,
        to: str,
        call_id: str,
        cseq: int,
        from_: str = "",
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Message:
        """A request with the mandatory headers; one that `headers` names replaces ours, and the value "" removes it."""
        ours: Headers = [
            ("Via", self.via()),
            ("Max-Forwards", "70"),
            ("From", from_ or f"<{self.uri(self.user)}>;tag={self.new_id()}"),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            ("User-Agent", self.user_agent),
        ]
        given = {name.lower() for name, _ in headers}
        merged = [pair for pair in ours if pair[0].lower() not in given]
        return Message.request(method, uri, merged + [pair for pair in headers if pair[1]], body)

    def credentials_answer(self, request: Message, refusal: Message) -> Message | None:
        """The request once more with the answer to its challenge, or None if there is none (left) to give."""
        header, answer_name = _CHALLENGES.get(refusal.status, ("", ""))
        challenge = refusal.get(header) if header else ""
        if not challenge or not self.password or request.get(answer_name):
            return None
        credentials = Credentials(self.user, self.password)
        answer = authorization(credentials, challenge, request.method, request.uri)
        replaced = {"Via": self.via(), "CSeq": f"{request.cseq + 1} {request.method}"}
        headers = [(name, replaced.get(name, value)) for name, value in request.headers]
        return Message(request.start, [*headers, (answer_name, answer)], request.body)

    async def exchange(self, request: Message, peer: Peer | None = None, within: float = WAIT_SECONDS) -> Message:
        """Send a request, answer a challenge once; the final response."""
        response = await (await self.transact(request, peer)).final(within)
        retry = self.credentials_answer(request, response)
        return await self.exchange(retry, peer, within) if retry else response

    async def request(
        self, method: str, uri: str = "", *, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", within: float = WAIT_SECONDS
    ) -> Message:
        """A request outside any dialog; the final response."""
        uri = uri or f"sip:{self.domain}"
        message = self.build(method, uri, to=f"<{uri}>", call_id=self.new_id(), cseq=1, headers=headers, body=body)
        return await self.exchange(message, within=within)

    async def options(self, uri: str = "", within: float = WAIT_SECONDS) -> Message:
        return await self.request("OPTIONS", uri, headers=[("Contact", f"<{self.contact}>")], within=within)

    async def register(
        self,
        *,
        expires: int | None = 3600,
        contact: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        within: float = WAIT_SECONDS,
    ) -> Message:
        """REGISTER with one Call-ID for all (RFC 3261 section 10.2); `contact=""` sends none: a query."""
        where = f"<{self.contact}>" if contact is None else contact
        own: Headers = [("Contact", where)] if where else []
        own += [("Expires", str(expires))] if expires is not None and where else []
        self._registration_cseq += 2  # the challenged request takes the number in between
        identity = f"<{self.uri(self.user)}>"
        message = self.build(
            "REGISTER",
            f"sip:{self.domain}",
            to=identity,
            from_=f"{identity};tag={self._registration_tag}",
            call_id=self._registration_id,
            cseq=self._registration_cseq,
            headers=[*own, *headers],
        )
        return await self.exchange(message, within=within)

    async def unregister(self) -> Message:
        return await self.register(expires=0)

    async def invite(self, to: str, **details: Any) -> Call:
        """Start a call; see `Call.dial` for the details. Continue with `answered`, `expect`, `cancel`, ..."""
        call = Call(self)
        self._calls.append(call)
        await call.dial(to, **details)
        return call

    # What others want of us

    async def incoming(self, within: float = WAIT_SECONDS) -> Call:
        """The next call that somebody makes to us."""
        try:
            return await self._incoming.take(within)
        except TimeoutError:
            raise self.transcript.unmet(f"no incoming call within {within:g} s") from None

    async def expect_request(self, method: str, within: float = WAIT_SECONDS) -> Message:
        """A request outside any dialog, e.g. the OPTIONS of a probe; it has been answered already."""
        try:
            return await self._requests.take(within, lambda message: message.method == method)
        except TimeoutError:
            raise self.transcript.unmet(f"no {method} within {within:g} s") from None

    async def requested(self, message: Message, peer: Peer) -> None:
        call = next((call for call in self._calls if call.owns(message)), None)
        if call:
            await call.requested(message, peer)
        elif message.method == "INVITE" and not message.to_tag:
            await self._called(message, peer)
        elif message.method != "ACK":
            self._requests.put(message)
            if answer := self.on_request(message):
                await self.reply(message, peer, answer[0], headers=answer[1])

    def _outside(self, message: Message) -> tuple[int, Headers] | None:
        if message.method == "OPTIONS":
            return (self.options_status, []) if self.options_status else None
        return 481 if message.to_tag or message.method == "CANCEL" else 200, []

    async def _called(self, invite: Message, peer: Peer) -> None:
        call = Call(self)
        self._calls.append(call)
        call.offered(invite, peer)
        if self.trying:
            await self.reply(invite, peer, 100)
        if self.on_invite:
            self.spawn(self.on_invite(call))
        else:
            self._incoming.put(call)
