"""The receiving end of AudioSocket on real TCP connections: what is understood, what is closed, what is bounded."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asterisk.ear import audiosocket
from engine.asterisk.ear.audiosocket import AUDIO, HANG_UP, IDENTIFY, STRANGERS, AudioSocket, Strangers

FRAME = bytes(range(160)) * 2
DTMF, TROUBLE = 0x03, 0xFF


def message(kind: int, content: bytes = b"") -> bytes:
    return struct.pack(">BH", kind, len(content)) + content


class Call:
    """Who listens to one call."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ends = 0
        self.changed = asyncio.Event()

    def audio(self, samples: bytes) -> None:
        self.heard += samples
        self.changed.set()

    def gone(self) -> None:
        self.ends += 1
        self.changed.set()

    async def until_heard(self, length: int) -> None:
        async with asyncio.timeout(5):
            while len(self.heard) < length:
                self.changed.clear()
                await self.changed.wait()

    async def until_gone(self) -> None:
        async with asyncio.timeout(5):
            while not self.ends:
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Ear:
    """A listening port, the calls it expects, its connections, and what reached the loop as an error."""

    port: int = 0
    calls: dict[UUID, Call] = field(default_factory=dict)
    sockets: list[AudioSocket] = field(default_factory=list)
    strangers: Strangers = field(default_factory=Strangers)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def expect(self) -> tuple[UUID, Call]:
        called, call = uuid4(), Call()
        self.calls[called] = call
        return called, call

    def made(self) -> AudioSocket:
        self.sockets.append(AudioSocket(lambda called, _: self.calls.pop(called, None), self.strangers))
        return self.sockets[-1]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    ear, loop = Ear(), asyncio.get_running_loop()
    server = await loop.create_server(ear.made, "127.0.0.1", 0)
    ear.port = server.sockets[0].getsockname()[1]
    loop.set_exception_handler(lambda _, context: ear.errors.append(context))
    try:
        yield ear
        assert ear.errors == []
    finally:
        loop.set_exception_handler(None)
        server.close()
        for each in ear.sockets:
            each.close()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection, and says nothing."""
    async with asyncio.timeout(5):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("size", [1, 2, 3, 7, 322, 323, 324, 1000, 100_000])
async def test_messages_are_understood_however_they_are_split_or_joined(size: int) -> None:
    async with listening() as ear:
        called, call = ear.expect()
        told = message(IDENTIFY, called.bytes) + message(DTMF, b"1") + message(AUDIO) + message(AUDIO, FRAME) * 3
        reader, writer = await ear.connect()
        for at in range(0, len(told), size):
            writer.write(told[at : at + size])
            await asyncio.sleep(0)
        await call.until_heard(3 * len(FRAME))
        assert call.heard == FRAME * 3
        writer.write(message(HANG_UP))
        assert await is_closed(reader)
        await call.until_gone()
        writer.close()
    assert call.ends == 1


@pytest.mark.parametrize(
    "first",
    [
        message(AUDIO, FRAME),
        message(HANG_UP),
        message(TROUBLE, b"\x01"),
        message(IDENTIFY, b"short"),
        message(IDENTIFY, bytes(17)),
        message(IDENTIFY, bytes(16)),
        message(IDENTIFY),
        b"GET / HTTP/1.1\r\nHost: ear\r\n\r\n" + b"x" * 20_000,
        b"\x16\x03\x01\x02\x00" + bytes(512),
    ],
    ids=["audio", "hang-up", "error", "short UUID", "long UUID", "nobody's UUID", "no UUID", "HTTP", "TLS"],
)
async def test_what_does_not_begin_with_an_expected_uuid_is_closed_at_once(
    first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiosocket, "_UNKNOWN_SECONDS", 60.0)
    async with listening() as ear:
        called, call = ear.expect()
        reader, writer = await ear.connect()
        writer.write(first + message(IDENTIFY, called.bytes) + message(AUDIO, FRAME))
        assert await is_closed(reader)
        writer.close()
        assert (bytes(call.heard), call.ends) == (b"", 0)
        assert called in ear.calls
        assert len(ear.strangers) == 0


async def test_a_message_that_is_too_long_ends_the_call_s_connection() -> None:
    async with listening() as ear:
        called, call = ear.expect()
        reader, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes) + message(AUDIO, bytes(4096)) + message(AUDIO, bytes(4097)))
        assert await is_closed(reader)
        await call.until_gone()
        writer.close()
    assert (bytes(call.heard), call.ends) == (bytes(4096), 1)


async def test_nothing_is_heard_after_the_hang_up() -> None:
    async with listening() as ear:
        called, call = ear.expect()
        reader, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes) + message(HANG_UP) + message(AUDIO, FRAME) * 100)
        assert await is_closed(reader)
        await call.until_gone()
        writer.close()
    assert (bytes(call.heard), call.ends) == (b"", 1)


@pytest.mark.parametrize("begins", [b"", b"\x01", message(IDENTIFY, bytes(16))[:-1]], ids=["nothing", "kind", "most"])
async def test_who_does_not_say_a_uuid_in_time_is_closed(begins: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiosocket, "_UNKNOWN_SECONDS", 0.05)
    async with listening() as ear:
        reader, writer = await ear.connect()
        writer.write(begins)
        assert await is_closed(reader)
        writer.close()
        assert len(ear.strangers) == 0


async def test_a_slow_sender_gets_no_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiosocket, "_UNKNOWN_SECONDS", 0.1)
    async with listening() as ear:
        called, _ = ear.expect()
        reader, writer = await ear.connect()
        closed = asyncio.create_task(is_closed(reader))
        for byte in message(IDENTIFY, called.bytes):
            if closed.done():
                break
            writer.write(bytes([byte]))
            await asyncio.wait([closed], timeout=0.02)
        assert await closed
        writer.close()
        assert called in ear.calls


async def test_a_known_call_is_not_closed_by_the_limit_for_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audiosocket, "_UNKNOWN_SECONDS", 0.05)
    async with listening() as ear:
        called, call = ear.expect()
        _, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes) + message(AUDIO, FRAME))
        await call.until_heard(len(FRAME))
        other, other_writer = await ear.connect()
        assert await is_closed(other)  # it came later, and its limit is over
        writer.write(message(AUDIO, FRAME))
        await call.until_heard(2 * len(FRAME))
        for each in (writer, other_writer):
            each.close()
        await call.until_gone()


async def test_of_too_many_strangers_the_oldest_gives_way_and_asterisk_is_still_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audiosocket, "_UNKNOWN_SECONDS", 60.0)
    async with listening() as ear:
        strangers = [await ear.connect() for _ in range(STRANGERS + 10)]
        for reader, _ in strangers[:10]:
            assert await is_closed(reader)
        assert len(ear.strangers) == STRANGERS
        called, call = ear.expect()
        _, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes) + message(AUDIO, FRAME))
        await call.until_heard(len(FRAME))
        assert len(ear.strangers) <= STRANGERS
        for _, each in (*strangers, (None, writer)):
            each.close()
        await call.until_gone()


async def test_a_connection_that_is_reset_is_told_once() -> None:
    async with listening() as ear:
        called, call = ear.expect()
        _, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes) + message(AUDIO, FRAME) + b"\x10\x01")
        await call.until_heard(len(FRAME))
        # Linger of 0 seconds: the end is a reset, as of a process that died with words unread.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await call.until_gone()
    assert (bytes(call.heard), call.ends) == (FRAME, 1)


async def test_a_peer_that_has_ended_its_half_is_closed_and_told_once() -> None:
    async with listening() as ear:
        called, call = ear.expect()
        reader, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes) + message(AUDIO, FRAME))
        writer.write_eof()
        assert await is_closed(reader)
        await call.until_gone()
        writer.close()
    assert (bytes(call.heard), call.ends) == (FRAME, 1)


async def test_what_is_kept_of_a_peer_that_sends_without_end_is_bounded() -> None:
    async with listening() as ear:
        called, call = ear.expect()
        _, writer = await ear.connect()
        writer.write(message(IDENTIFY, called.bytes))
        kept = 0
        for _ in range(10):
            writer.write(message(AUDIO, bytes(4096)) * 50 + message(AUDIO, bytes(4000))[:1000])
            await writer.drain()
            writer.write(bytes(3003))
            kept = max(kept, *(len(each._buffer) for each in ear.sockets))
        await call.until_heard(10 * (50 * 4096 + 4000))
        writer.close()
        await call.until_gone()
    assert kept < 4096 + 3


class Wire(asyncio.Transport):
    """A connection's other end that only notes that it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def close(self) -> None:
        self.closed = True


@given(st.lists(st.binary(max_size=600), max_size=20), st.booleans())
def test_garbage_brings_no_exception_and_little_is_kept(pieces: list[bytes], known: bool) -> None:  # noqa: FBT001
    async def receive() -> None:
        call, wire = Call(), Wire()
        receiver = AudioSocket(lambda _called, _socket: call, Strangers())
        receiver.connection_made(wire)
        if known:
            receiver.data_received(message(IDENTIFY, bytes(16)))
        for piece in pieces:
            if not wire.closed:
                receiver.data_received(piece)
                assert len(receiver._buffer) < 4096 + 3 or wire.closed
        receiver.connection_lost(None)
        assert call.ends <= 1

    asyncio.run(receive())
