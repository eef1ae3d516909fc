"""A bad network for the ARI client: a small TCP server that refuses, drops, cuts, delays and talks nonsense.

It plays no Asterisk: it says what a test tells it to, and writes down each request that reached it.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from engine.asterisk.ari import AriClient

PASSWORD = "never-shown"
CREDENTIALS = base64.b64encode(f"engine:{PASSWORD}".encode()).decode()


@dataclass(slots=True)
class Exchange:
    """One request that reached the server, and the way to answer it."""

    line: str
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def method(self) -> str:
        return self.line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def answer(self, status: int, body: bytes = b"", *, declared_length: int | None = None) -> None:
        length = len(body) if declared_length is None else declared_length
        head = f"HTTP/1.1 {status} Text\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        self.writer.write(head.encode() + body)

    def cut(self) -> None:
        self.writer.transport.abort()

    async def accept_websocket(self) -> None:
        key = self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        await self.writer.drain()

    def send_text(self, text: str) -> None:
        payload = text.encode()
        length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
        self.writer.write(b"\x81" + length + payload)


Behaviour = Callable[[Exchange], Awaitable[None]]


@dataclass(slots=True)
class BadNetwork:
    """Where the server listens, what it does with the next exchange, and what has reached it."""

    behaviour: Behaviour
    url: str = ""
    seen: list[Exchange] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.transport.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                exchange = Exchange(head[0], headers, body, reader, writer)
                self.seen.append(exchange)
                self.reached.set()
                await self.behaviour(exchange)
        writer.close()


@asynccontextmanager
async def bad_network(behaviour: Behaviour) -> AsyncIterator[BadNetwork]:
    network = BadNetwork(behaviour)
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    network.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ari"
    try:
        yield network
    finally:
        server.close()
        for exchange in network.seen:
            exchange.cut()


def client_of(network: BadNetwork, *, request_timeout_seconds: float = 2.0, max_connections: int = 4) -> AriClient:
    return AriClient(
        network.url,
        "engine",
        PASSWORD,
        request_timeout_seconds=request_timeout_seconds,
        max_connections=max_connections,
    )


async def drop(exchange: Exchange) -> None:
    exchange.cut()


async def never_answer(exchange: Exchange) -> None:
    await exchange.reader.read()


def garbage(raw: bytes) -> Behaviour:
    async def talk(exchange: Exchange) -> None:
        exchange.writer.write(raw)
        await exchange.writer.drain()
        exchange.writer.close()

    return talk
