"""A bad peer for the AMI session: a small TCP server that is silent, refuses, drops and talks nonsense.

It plays no Asterisk: it says what a test tells it to, and writes down every message that reached it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from engine.asterisk.ami import AmiSettings

PASSWORD = "never-shown"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
Message = Mapping[str, str]


@dataclass(slots=True)
class Peer:
    """One connection, from the peer's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: list[Message]

    def says(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def hears(self) -> Message:
        """The next message; it is written down. Raises EOFError at the end."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        message = dict(line.split(": ", 1) for line in text.strip().split("\r\n"))
        self.seen.append(message)
        return message

    async def logs_in(self) -> None:
        """Greets and accepts whoever comes."""
        self.says(GREETING)
        self.answers(await self.hears(), "Success")

    def answers(self, message: Message, response: str, *more: str) -> None:
        lines = [f"Response: {response}", f"ActionID: {message['ActionID']}", *more]
        self.says("\r\n".join([*lines, "", ""]).encode())

    async def stays(self) -> None:
        """Hears everything and says nothing, until the other side leaves."""
        while True:
            await self.hears()


Behaviour = Callable[[Peer], Awaitable[None]]


@dataclass(slots=True)
class BadPeer:
    """The server: `behaviours` are those of its connections in turn, the last one for all that follow."""

    settings: AmiSettings
    seen: list[Message] = field(default_factory=list)
    connections: int = 0

    @property
    def actions(self) -> list[str]:
        return [each["Action"] for each in self.seen]


@asynccontextmanager
async def bad_peer(*behaviours: Behaviour) -> AsyncIterator[BadPeer]:
    """A server on loopback; its settings have waits of a tenth of a second."""
    settings = AmiSettings(
        "127.0.0.1", 0, "ringback", PASSWORD, connect_seconds=0.3, answer_seconds=0.3, ping_seconds=0.05
    )
    peer = BadPeer(settings)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviour = behaviours[min(peer.connections, len(behaviours) - 1)]
        peer.connections += 1
        try:
            await behaviour(Peer(reader, writer, peer.seen))
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    peer.settings = replace(settings, port=server.sockets[0].getsockname()[1])
    try:
        yield peer
    finally:
        server.close()


async def is_silent(peer: Peer) -> None:
    await peer.stays()


async def greets_and_is_silent(peer: Peer) -> None:
    peer.says(GREETING)
    await peer.stays()


async def accepts_and_is_silent(peer: Peer) -> None:
    await peer.logs_in()
    await peer.stays()


async def answers_everything(peer: Peer) -> None:
    await peer.logs_in()
    while True:
        peer.answers(await peer.hears(), "Success")


async def refuses(peer: Peer) -> None:
    peer.says(GREETING)
    peer.answers(await peer.hears(), "Error", "Message: Authentication failed")
