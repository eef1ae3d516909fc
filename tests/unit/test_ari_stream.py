"""The event stream on a bad network: what it hands on, tells its owner, counts, and how it comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from engine.asterisk.ari import AriClient, AriEvent, Backoff, EventStream
from engine.asterisk.ari.events import BridgeCreated, PlaybackFinished, StasisEnd
from tests.unit.ari_bad_network import (
    CREDENTIALS,
    PASSWORD,
    BadNetwork,
    Behaviour,
    Exchange,
    bad_network,
    client_of,
    garbage,
    never_answer,
)
from tests.unit.ari_samples import written


class Owner:
    """What an event stream told, and a way to wait for it."""

    def __init__(self, client: AriClient, *, heartbeat_seconds: float = 5.0) -> None:
        self.events: list[AriEvent] = []
        self.lost: list[str] = []
        self.connected = self.replaced = 0
        self.waits: list[float] = []
        self.failing: type[Exception] | None = None
        self._changed = asyncio.Event()
        self.stream = EventStream(
            client,
            "ringback",
            on_event=self._on_event,
            on_connected=self._on_connected,
            on_lost=self._on_lost,
            on_replaced=self._on_replaced,
            heartbeat_seconds=heartbeat_seconds,
            backoff=Backoff(draw=lambda: 1.0),
            sleep=self._sleep,
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _on_event(self, event: AriEvent) -> None:
        self._changed.set()
        if self.failing is not None:
            raise self.failing
        self.events.append(event)

    def _on_connected(self) -> None:
        self.connected += 1
        self._changed.set()

    def _on_lost(self, why: str) -> None:
        self.lost.append(why)
        self._changed.set()

    def _on_replaced(self) -> None:
        self.replaced += 1
        self._changed.set()

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._changed.set()
        await asyncio.sleep(0)


@asynccontextmanager
async def listening(behaviour: Behaviour, *, heartbeat_seconds: float = 5.0) -> AsyncIterator[tuple[Owner, BadNetwork]]:
    async with bad_network(behaviour) as network, client_of(network) as client:
        owner = Owner(client, heartbeat_seconds=heartbeat_seconds)
        running = asyncio.create_task(owner.stream.run())
        try:
            yield owner, network
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def talk(*texts: str) -> Behaviour:
    """Says these texts and then keeps the socket open."""

    async def behave(exchange: Exchange) -> None:
        await exchange.accept_websocket()
        for text in texts:
            exchange.send_text(text)
        await never_answer(exchange)

    return behave


async def test_events_come_in_order_once_and_odd_ones_are_counted() -> None:
    first, second, last = written("StasisEnd"), written("PlaybackFinished"), written("BridgeCreated")
    newer = '{"type":"ChannelLevitated","timestamp":"x"}'
    with capture_logs():
        async with listening(talk(first, first, newer, newer + " ", "{", second, first, last)) as (owner, _):
            await owner.until(lambda: len(owner.events) == 3)
            counts = owner.stream.counts
    assert [type(event) for event in owner.events] == [StasisEnd, PlaybackFinished, BridgeCreated]
    assert counts.duplicates == 2
    assert counts.events == {"StasisEnd": 1, "PlaybackFinished": 1, "BridgeCreated": 1}
    assert counts.unknown == {"ChannelLevitated": 2, "other": 1}
    assert (counts.connections, counts.reconnects, counts.failed_attempts) == (1, 0, 0)


async def test_a_callback_that_raises_is_counted_and_the_next_event_is_read() -> None:
    async with listening(talk(written("StasisEnd"), written("PlaybackFinished"), written("BridgeCreated"))) as (
        owner,
        _,
    ):
        owner.failing = LookupError
        with capture_logs() as logs:
            await owner.until(lambda: owner.stream.counts.events.total() == 3)
    assert owner.stream.counts.callback_errors == 3
    assert owner.connected == 1
    assert not owner.lost
    assert {line["event"] for line in logs} >= {"ari.stream.callback_failed"}


async def test_a_cut_socket_is_told_once_and_connected_again() -> None:
    async def cut_the_first(exchange: Exchange) -> None:
        await exchange.accept_websocket()
        if len(exchanges) == 1:
            exchange.cut()
        else:
            exchange.send_text(written("StasisEnd"))
            await never_answer(exchange)

    async with listening(cut_the_first) as (owner, network):
        exchanges = network.seen
        await owner.until(lambda: len(owner.events) == 1)
    assert owner.connected == 2
    assert len(owner.lost) == 1
    assert owner.waits == [0.25]
    assert owner.stream.counts.reconnects == 1
    assert owner.replaced == 0


async def test_a_socket_that_breaks_again_and_again_is_tried_at_growing_distances() -> None:
    async def accept_and_cut(exchange: Exchange) -> None:
        await exchange.accept_websocket()
        exchange.cut()

    async with listening(accept_and_cut) as (owner, _):
        await owner.until(lambda: len(owner.waits) >= 5)
    assert owner.waits[:5] == [0.25, 0.5, 1, 2, 4]
    assert len(owner.lost) >= 5


async def test_a_refused_handshake_is_tried_again_and_never_shows_the_password() -> None:
    async def refuse(exchange: Exchange) -> None:
        exchange.answer(401, b'{"message":"Authentication required"}')

    with capture_logs() as logs:
        async with listening(refuse) as (owner, network):
            await owner.until(lambda: len(owner.waits) >= 3)
            counted = owner.stream.counts.failed_attempts
    assert counted >= 3
    assert owner.connected == 0
    assert not owner.lost
    assert "401" in repr(logs)
    assert PASSWORD not in repr(logs)
    assert CREDENTIALS not in repr(logs)
    assert all("engine" not in exchange.target for exchange in network.seen)
    assert network.seen[0].headers["authorization"] == f"Basic {CREDENTIALS}"


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n"])
async def test_nonsense_for_a_handshake_is_a_failed_attempt(raw: bytes) -> None:
    async with listening(garbage(raw)) as (owner, _):
        await owner.until(lambda: len(owner.waits) >= 2)
    assert owner.connected == 0
    assert not owner.lost


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff\xff",  # reserved bits
        b"\x81\x02\xff\xfe",  # text that is no UTF-8
        b"\x88\x02\x03\xe8",  # an orderly close
        b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",  # a length beyond sense
    ],
)
async def test_a_broken_frame_costs_the_socket_and_nothing_else(frame: bytes) -> None:
    async def speak(exchange: Exchange) -> None:
        await exchange.accept_websocket()
        exchange.writer.write(frame)
        await exchange.writer.drain()
        exchange.writer.close()

    async with listening(speak) as (owner, _):
        await owner.until(lambda: len(owner.lost) >= 1)
        await owner.until(lambda: owner.connected >= 2)


async def test_a_socket_that_falls_silent_is_noticed() -> None:
    async with listening(talk(), heartbeat_seconds=0.1) as (owner, _):
        await owner.until(lambda: len(owner.lost) == 1)
        await owner.until(lambda: owner.connected == 2)


async def test_a_socket_that_is_dropped_is_told_as_lost_with_the_reason_and_followed_by_another() -> None:
    async with listening(talk(written("StasisEnd"))) as (owner, _):
        owner.stream.drop("nothing to drop yet")
        await owner.until(lambda: len(owner.events) == 1)
        owner.stream.drop("it brings nothing")
        assert not owner.lost
        await owner.until(lambda: owner.connected == 2)
    assert owner.lost == ["it brings nothing"]
    assert owner.waits == [0.25]


async def test_a_replaced_stream_stops_and_tells_only_that() -> None:
    replaced = written("ApplicationReplaced")
    async with bad_network(talk(replaced, written("StasisEnd"))) as network, client_of(network) as client:
        owner = Owner(client)
        async with asyncio.timeout(5):
            await owner.stream.run()
    assert owner.replaced == 1
    assert not owner.lost
    assert not owner.events
    assert not owner.waits
    assert not owner.stream.connected
    assert len(network.seen) == 1


async def test_a_cancelled_stream_closes_its_socket_and_tells_nobody() -> None:
    async with listening(talk()) as (owner, _):
        await owner.until(lambda: owner.connected == 1)
        before = owner.stream.connected
    assert before
    assert not owner.stream.connected
    assert not owner.lost


async def test_a_flood_of_events_does_not_keep_other_tasks_from_running() -> None:
    texts = [written("ChannelVarset", value=str(number)) for number in range(5000)]
    async with listening(talk(*texts)) as (owner, _):
        turns = 0
        while owner.stream.counts.events["ChannelVarset"] < len(texts):
            turns += 1
            await asyncio.sleep(0)
    assert turns > 20
