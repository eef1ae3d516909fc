"""Whether an open event socket brings anything: what proves that it does not, and what proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.asterisk import hearing
from engine.asterisk.ari import Backoff, EventStream
from engine.asterisk.hearing import Hearing
from tests.unit.ari_bad_network import Exchange, bad_network, client_of, drop
from tests.unit.ari_samples import written


class Exchanger:
    """Accepts event sockets, and answers the request for an event with `status`, after `says` was sent."""

    def __init__(self, status: int | None, says: str | None = None) -> None:
        self.status = status
        self.says = says
        self.sockets: list[Exchange] = []
        self.asked: list[str] = []

    async def __call__(self, exchange: Exchange) -> None:
        if exchange.method == "GET":
            await exchange.accept_websocket()
            self.sockets.append(exchange)
            await exchange.reader.read()
            return
        self.asked.append(exchange.target)
        if self.says is not None:
            self.sockets[-1].send_text(self.says)
        if self.status is None:
            await drop(exchange)
        else:
            exchange.answer(self.status)


class Listener:
    """A hearing on a running stream, with the reasons that it gave."""

    def __init__(self, ear: Hearing, stream: EventStream, deaf: list[str], connected: asyncio.Queue[None]) -> None:
        self.ear = ear
        self.stream = stream
        self.deaf = deaf
        self._connected = connected

    async def connected(self) -> None:
        async with asyncio.timeout(5):
            await self._connected.get()


@asynccontextmanager
async def listening(asterisk: Exchanger) -> AsyncIterator[Listener]:
    connected: asyncio.Queue[None] = asyncio.Queue()
    deaf: list[str] = []
    async with bad_network(asterisk) as network, client_of(network) as client:
        stream = EventStream(
            client,
            "ringback",
            on_event=lambda _: ear.came(),
            on_connected=lambda: connected.put_nowait(None),
            on_lost=lambda _: None,
            on_replaced=lambda: None,
            backoff=Backoff(draw=lambda: 0.0),
        )
        ear = Hearing(client, stream, deaf.append)
        running = asyncio.create_task(stream.run())
        listener = Listener(ear, stream, deaf, connected)
        try:
            await listener.connected()
            yield listener
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "ANSWER_SECONDS", 0.1)


async def test_a_socket_on_which_our_event_comes_back_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "ANSWER_SECONDS", 5.0)
    asterisk = Exchanger(204, written("ChannelUserevent"))
    async with listening(asterisk) as listener:
        assert not await listener.ear.drop_if_deaf()
    assert asterisk.asked == ["/ari/events/user/hearing?application=ringback"]
    assert not listener.deaf


async def test_a_busy_asterisk_that_first_has_other_things_to_say_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "ANSWER_SECONDS", 5.0)
    async with listening(Exchanger(204, written("StasisEnd"))) as listener:
        assert not await listener.ear.drop_if_deaf()


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (204, "the event socket is open, and no event came within 0.1 s"),
        (404, "Asterisk has no Stasis application 'ringback', though its socket is open"),
    ],
)
async def test_a_socket_that_brings_nothing_is_closed_and_another_one_is_opened(status: int, why: str) -> None:
    async with listening(Exchanger(status)) as listener:
        assert await listener.ear.drop_if_deaf()
        await listener.connected()
        assert listener.stream.counts.connections == 2
    assert listener.deaf == [why]


@pytest.mark.parametrize("status", [None, 403, 500, 502])
async def test_a_request_that_failed_proves_nothing(status: int | None) -> None:
    async with listening(Exchanger(status)) as listener:
        assert not await listener.ear.drop_if_deaf()
        assert listener.stream.connected
    assert not listener.deaf


async def test_a_socket_that_was_lost_while_we_asked_does_not_cost_the_next_one() -> None:
    asterisk = Exchanger(204)
    async with listening(asterisk) as listener:
        asking = asyncio.create_task(listener.ear.drop_if_deaf())
        asterisk.sockets[0].cut()
        await listener.connected()
        assert not await asking
        assert listener.stream.connected
    assert not listener.deaf


async def test_a_quiet_socket_is_asked_and_a_lively_one_or_an_engine_that_is_not_ready_is_not() -> None:
    asterisk = Exchanger(204)
    async with listening(asterisk) as listener:
        waits: list[float] = []

        async def live(seconds: float) -> None:
            waits.append(seconds)
            match len(waits):
                case 1:
                    listener.ear.came()
                case 4:
                    await asyncio.Event().wait()

        listener.ear._sleep = live
        due = iter([False, True])
        watching = asyncio.create_task(listener.ear.watch(lambda: next(due)))
        await listener.connected()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert waits == [hearing.QUIET_SECONDS] * 4
    assert len(asterisk.asked) == len(listener.deaf) == 1
