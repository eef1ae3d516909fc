"""The SIP socket of one telephone: requests out with their answers, requests in answered once however often they come.

It repeats what UDP may lose (RFC 3261, 17.1 and 13.3.1.4) and knows nothing of calls or media.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from engine.lab.errors import LabError
from engine.lab.phone.sip import Address, Headers, MalformedError, Request, Response, parse, response, written

HOST = "127.0.0.1"
T1, T2 = 0.5, 4.0
TRIES = 8
ANSWER_SECONDS = 40.0
"""How long a request may stay without a final response: ringing is one of the answers that take long."""


class NoAnswerError(LabError):
    """The other side has not answered a request in time."""


@dataclass(eq=False, slots=True)
class _Asked:
    """A request that is under way. `heard`: some response has come, so it need not be repeated."""

    final: asyncio.Future[Response]
    on_provisional: Callable[[Response], None]
    heard: asyncio.Event = field(default_factory=asyncio.Event)


class Wire(asyncio.DatagramProtocol):
    """Opened by `open`; `on_request` is told of every new request but never of a repeated one."""

    def __init__(self, to: Address, on_request: Callable[[Request], None]) -> None:
        self._to = to
        self._on_request = on_request
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._answers: dict[tuple[str, str], bytes] = {}
        self._acknowledged: dict[tuple[str, int], asyncio.Event] = {}
        self._repeating: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport
        self.address: Address

    async def open(self) -> None:
        """Bind; `address` is known afterwards."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        self.connected(transport, transport.get_extra_info("sockname"))

    def connected(self, transport: asyncio.DatagramTransport, address: Address) -> None:
        """Send through this from now on; `address` is this side's."""
        self._transport, self.address = transport, address

    def close(self) -> None:
        """Stop repeating and let go of the socket."""
        for task in self._repeating:
            task.cancel()
        self._transport.close()

    def new_branch(self) -> str:
        """Names one transaction."""
        return f"z9hG4bK{uuid4().hex}"

    def send(self, method: str, uri: str, branch: str, headers: Headers, body: bytes = b"") -> bytes:
        """Send a request once, as an ACK is, and give what was sent."""
        host, port = self.address
        via = ("Via", f"SIP/2.0/UDP {host}:{port};branch={branch};rport")
        datagram = written(f"{method} {uri} SIP/2.0", [via, ("Max-Forwards", "70"), *headers], body)
        self._transport.sendto(datagram, self._to)
        return datagram

    async def ask(
        self,
        method: str,
        uri: str,
        headers: Headers,
        body: bytes = b"",
        *,
        branch: str = "",
        on_provisional: Callable[[Response], None] = lambda _: None,
    ) -> Response:
        """Send a request and wait for its final response. Raises NoAnswerError when none comes."""
        branch = branch or self.new_branch()
        asked = _Asked(asyncio.get_running_loop().create_future(), on_provisional)
        self._asked[branch, method] = asked
        datagram = self.send(method, uri, branch, headers, body)
        self._repeat(datagram, asked.heard, f"repeat {method}")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asked.final
        except TimeoutError:
            raise NoAnswerError(f"no final answer to {method} within {ANSWER_SECONDS:.0f} s") from None
        finally:
            asked.heard.set()

    def answer(self, request: Request, status: str, *, tag: str = "", headers: Headers = (), body: bytes = b"") -> None:
        """Answer a request; a final answer to an INVITE is repeated until its ACK comes."""
        datagram = response(request, status, self._to, tag=tag, headers=headers, body=body)
        self._answers[request.branch, request.method] = datagram
        self._transport.sendto(datagram, self._to)
        if request.method == "INVITE" and status >= "200":
            acknowledged = self._acknowledged.setdefault((request.call_id, request.sequence), asyncio.Event())
            self._repeat(datagram, acknowledged, "repeat answer")

    async def acknowledged(self, invite: Request) -> None:
        """Wait for the ACK of our final answer: no other request of the dialog may go out before."""
        await self._acknowledged.setdefault((invite.call_id, invite.sequence), asyncio.Event()).wait()

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:  # noqa: ARG002 - asyncio's name
        """Whatever arrived; what is no SIP message is passed over."""
        try:
            message = parse(data)
        except MalformedError:
            return
        if isinstance(message, Response):
            self._on_response(message)
        elif message.method == "ACK":
            self._acknowledged.setdefault((message.call_id, message.sequence), asyncio.Event()).set()
        elif repeated := self._answers.get((message.branch, message.method)):
            self._transport.sendto(repeated, self._to)
        else:
            self._on_request(message)

    def _on_response(self, message: Response) -> None:
        asked = self._asked.get((message.branch, message.sequence_method))
        if asked is None:
            return
        asked.heard.set()
        if message.status < 200:
            asked.on_provisional(message)
        elif not asked.final.done():
            asked.final.set_result(message)

    def _repeat(self, datagram: bytes, enough: asyncio.Event, name: str) -> None:
        task = asyncio.create_task(self._send_until(datagram, enough), name=name)
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    async def _send_until(self, datagram: bytes, enough: asyncio.Event) -> None:
        pause = T1
        for _ in range(TRIES):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), pause)
            if enough.is_set():
                return
            self._transport.sendto(datagram, self._to)
            pause = min(T2, 2 * pause)
