"""The cable of the live tests: what it carries, what a cut ends, and how late slow answers and events come."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.live.cable import Cable, CableInThread, Notice

SLOW = 0.3


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A far end that says everything back; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def laid(on_request: Notice | None = None) -> AsyncIterator[tuple[Cable, int]]:
    async with echo() as far:
        cable = Cable(far, on_request)
        async with cable.laid() as port:
            yield cable, port


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, words: bytes) -> float:
    """Say words, hear them again; the seconds it took."""
    began = time.monotonic()
    writer.write(words)
    assert await asyncio.wait_for(reader.readexactly(len(words)), 5) == words
    return time.monotonic() - began


EVENTS, REQUEST = b"GET /ari/events?app=x HTTP/1.1\r\n", b"GET /ari/channels HTTP/1.1\r\n"
DIAL = b"POST /ari/channels/1?app=x HTTP/1.1\r\n\r\n"


@asynccontextmanager
async def dialled(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def is_cut(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 5) == b""
    except ConnectionError:
        return True


async def test_a_cut_of_the_events_leaves_requests_alone() -> None:
    async with laid() as (cable, port), dialled(port) as events, dialled(port) as requests:
        await exchange(*events, EVENTS)
        await exchange(*requests, REQUEST)
        cable.cut_events()
        assert await is_cut(events[0])
        await exchange(*requests, REQUEST)
        cable.cut()
        assert await is_cut(requests[0])


async def test_while_the_events_are_unplugged_only_requests_begin() -> None:
    async with laid() as (cable, port), dialled(port) as events:
        await exchange(*events, EVENTS)
        cable.unplug_events()
        assert await is_cut(events[0])
        async with dialled(port) as later, dialled(port) as requests:
            later[1].write(EVENTS)
            assert await is_cut(later[0])
            await exchange(*requests, REQUEST)
        cable.plug_in()
        async with dialled(port) as again:
            await exchange(*again, EVENTS)


async def test_while_all_is_unplugged_nothing_begins() -> None:
    async with laid() as (cable, port), dialled(port) as requests:
        await exchange(*requests, REQUEST)
        cable.unplug()
        assert await is_cut(requests[0])
        async with dialled(port) as later:
            assert await is_cut(later[0])
        cable.plug_in()
        async with dialled(port) as again:
            await exchange(*again, REQUEST)


async def test_requests_that_pass_are_told_with_their_moment_and_refused_ones_are_not() -> None:
    passed: list[tuple[float, str]] = []
    began = time.time()
    async with laid(lambda at, request: passed.append((at, request))) as (cable, port):
        async with dialled(port) as events, dialled(port) as requests:
            await exchange(*events, EVENTS)
            await exchange(*requests, REQUEST + b"Host: x\r\n\r\n" + DIAL)
            cable.unplug_events()
        async with dialled(port) as refused:
            refused[1].write(EVENTS)
            assert await is_cut(refused[0])
    assert [request for _at, request in passed] == ["GET /ari/events", "GET /ari/channels", "POST /ari/channels/1"]
    assert all(began <= at <= time.time() for at, _request in passed), passed


async def test_events_and_answers_are_delayed_apart_and_in_order() -> None:
    async with laid() as (cable, port), dialled(port) as events, dialled(port) as requests:
        await exchange(*events, EVENTS)
        cable.event_delay_seconds = SLOW
        assert await exchange(*requests, REQUEST) < SLOW
        assert await exchange(*events, bytes(range(256)) * 800) >= SLOW
        cable.event_delay_seconds, cable.answer_delay_seconds = 0.0, SLOW
        assert await exchange(*requests, REQUEST) >= SLOW
        assert await exchange(*events, b"2") < SLOW


async def test_whoever_is_killed_with_words_unread_is_gone_for_the_far_end_too() -> None:
    gone = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"event")
        await reader.read()
        gone.set()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server, Cable(server.sockets[0].getsockname()[1]).laid() as port:
        with socket.socket() as near:
            near.setblocking(False)
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its close is a reset
            await asyncio.get_running_loop().sock_connect(near, ("127.0.0.1", port))
            await asyncio.get_running_loop().sock_recv(near, 1)
        await asyncio.wait_for(gone.wait(), 5)


async def test_without_a_far_end_the_near_end_learns_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        async with Cable(taken.getsockname()[1]).laid() as port, dialled(port) as (reader, _writer):
            assert await is_cut(reader)


def test_a_cable_in_a_thread_is_acted_on_from_outside() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as far,
        CableInThread(f"http://127.0.0.1:{far.getsockname()[1]}/ari") as cable,
        socket.create_connection(("127.0.0.1", cable.port), timeout=5) as near,
    ):
        near.sendall(EVENTS)
        end, _address = far.accept()
        with end:
            end.settimeout(5)
            assert end.recv(100) == EVENTS
            cable.do(Cable.cut_events)
            assert near.recv(1) == b""
