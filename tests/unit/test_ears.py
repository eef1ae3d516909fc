"""The ears on one Asterisk: how they open and end, and what is left of one that does not come about.

The far end is no Asterisk: it answers requests as a test tells it to, and then connects, or does not.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from engine.asterisk.ari import AriClient
from engine.asterisk.ear import Ears, EarSettings, ears
from engine.asterisk.ear.audiosocket import AUDIO, HANG_UP, IDENTIFY
from engine.core.events import BeepHeard, EarClosed, EarOpened, Event, TalkFinished, TalkStarted
from engine.core.terms import LegId
from engine.metrics import Metrics
from tests.unit.ari_bad_network import Exchange, bad_network, client_of, drop
from tests.unit.ari_samples import CHANNEL
from tests.unit.test_ear_signs import frames, hiss, joined, tone, vowel

LEG, OTHER = LegId("a1-1.customer"), LegId("a2-1.customer")
LIMIT_SECONDS = 5.0


class FarEnd:
    """Answers as an Asterisk would; `snoop` and `sent_on` are the statuses of its answers, None: it cuts the line.

    `holds`: it answers no snoop request until this is set.
    """

    def __init__(self) -> None:
        self.snoop: int | None = 200
        self.sent_on: int | None = 204
        self.holds: asyncio.Event | None = None
        self.places: dict[str, str] = {}
        self.snooped: list[str] = []
        self.hung_up: list[str] = []
        self.changed = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        channel = exchange.target.split("/")[-1].split("?")[0]
        if exchange.method == "DELETE":
            self.hung_up.append(channel)
            status: int | None = 204
        elif channel == "continue":
            body = json.loads(exchange.body)
            assert (body["context"], body["priority"]) == ("ringback-ear", 1)
            self.places[exchange.target.split("/")[-2]] = body["extension"]
            status = self.sent_on
        else:
            self.snooped.append(channel)
            self.changed.set()
            if self.holds is not None:
                await self.holds.wait()
            status = self.snoop
        if status is None:
            await drop(exchange)
        else:
            exchange.answer(status, json.dumps({**CHANNEL, "id": channel}).encode() if status == 200 else b"")
        self.changed.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


class Line:
    """Asterisk's side of one ear that is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, place: str) -> Line:
        called, address = place.split(" ")
        host, _, port = address.rpartition(":")
        line = cls(*await asyncio.open_connection(host.strip("[]"), int(port)))
        line.send(IDENTIFY, UUID(called).bytes)
        return line

    def send(self, kind: int, content: bytes = b"") -> None:
        self._writer.write(struct.pack(">BH", kind, len(content)) + content)

    def say(self, *sounds: bytes) -> None:
        for sound in sounds:
            self.send(AUDIO, sound)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(LIMIT_SECONDS):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True

    def close(self) -> None:
        self._writer.close()


class Room:
    """Ears that run, and what they told."""

    def __init__(self, client: AriClient, far_end: FarEnd, settings: EarSettings) -> None:
        self.far_end = far_end
        self.told: list[Event] = []
        self.figures = Metrics()
        self.ears = Ears(settings, client, "ringback", self._tell, self.figures)
        self._changed = asyncio.Event()

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        self._changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_told(self, event: Event) -> None:
        await self.until(lambda: event in self.told)

    def counted(self, result: str) -> float:
        return self.figures.registry.get_sample_value("ringback_ears_total", {"result": result}) or 0.0

    async def asked(self, leg: LegId) -> str:
        """Begin an ear, and wait until Asterisk's side is sent on; the place it is sent to."""
        self.ears.begin(leg, 0.5)
        await self.far_end.until(lambda: f"{leg}.ear" in self.far_end.snooped)
        self.ears.entered(f"{leg}.ear")
        await self.far_end.until(lambda: f"{leg}.ear" in self.far_end.places)
        return self.far_end.places[f"{leg}.ear"]

    async def opened(self, leg: LegId) -> Line:
        line = await Line.to(await self.asked(leg))
        await self.until_told(EarOpened(leg))
        return line

    async def idle(self) -> None:
        """Until no task of an ear is left."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while self.ears._tasks:
                await asyncio.wait(set(self.ears._tasks))


@asynccontextmanager
async def room(settings: EarSettings | None = None) -> AsyncIterator[Room]:
    far_end = FarEnd()
    async with bad_network(far_end) as network, client_of(network) as client:
        inside = Room(client, far_end, settings or EarSettings())
        running = asyncio.create_task(inside.ears.run())
        async with asyncio.timeout(LIMIT_SECONDS):
            while not inside.ears._address and not running.done():  # noqa: ASYNC110 - nobody is told that it listens
                await asyncio.sleep(0)
        try:
            yield inside
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert inside.ears._ears == {}
            await inside.idle()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes is waited for for a moment, not for seconds."""
    monkeypatch.setattr(ears, "_ENTERS_SECONDS", 0.5)
    monkeypatch.setattr(ears, "_CONNECTS_SECONDS", 0.5)


SPEECH = frames(joined(hiss(0.2), vowel(1.0)))
BEEP = frames(joined(hiss(0.4), tone(1000, seconds=0.4), hiss(0.1)))


# ---- an ear that opens -------------------------------------------------------------------------------


async def test_an_ear_hears_talk_its_end_and_a_beep_and_counts_the_audio() -> None:
    async with room() as inside:
        line = await inside.opened(LEG)
        assert inside.ears.received_seconds(LEG) == 0.0
        line.say(*SPEECH)
        await inside.until_told(TalkStarted(LEG))
        # Nothing comes any more: the clock ends the talk.
        await inside.until(lambda: any(isinstance(each, TalkFinished) for each in inside.told))
        line.say(*BEEP)
        await inside.until_told(BeepHeard(LEG, 0.4))
        received = inside.ears.received_seconds(LEG)
        assert received == pytest.approx(1.2 + 0.9, abs=0.01)
        line.send(HANG_UP)
        await inside.until_told(EarClosed(LEG))
        assert inside.ears.received_seconds(LEG) is None
        line.close()
        assert inside.counted("opened") == 1
        assert inside.far_end.hung_up == []


@pytest.mark.parametrize("size", [1, 100, 319, 321, 960])
async def test_audio_is_understood_in_pieces_of_any_size(size: int) -> None:
    async with room() as inside:
        line = await inside.opened(LEG)
        whole = b"".join(BEEP)
        line.say(*(whole[at : at + size] for at in range(0, len(whole), size)))
        await inside.until_told(BeepHeard(LEG, 0.4))
        line.close()


async def test_two_ears_never_get_each_other_s_audio() -> None:
    async with room() as inside:
        speaks, beeps = await inside.opened(LEG), await inside.opened(OTHER)
        for index, frame in enumerate(BEEP):
            speaks.say(SPEECH[index])
            beeps.say(frame)
        await inside.until_told(BeepHeard(OTHER, 0.4))
        await inside.until_told(TalkStarted(LEG))
        assert [each for each in inside.told if isinstance(each, BeepHeard)] == [BeepHeard(OTHER, 0.4)]
        for line in (speaks, beeps):
            line.close()


async def test_a_second_connection_with_the_same_uuid_is_refused_also_when_the_first_is_over() -> None:
    async with room() as inside:
        place = await inside.asked(LEG)
        first, second = await Line.to(place), await Line.to(place)
        second.say(*BEEP)
        assert await second.is_closed()
        first.say(*SPEECH)
        await inside.until_told(TalkStarted(LEG))
        first.close()
        await inside.until_told(EarClosed(LEG))
        third = await Line.to(place)
        third.say(*BEEP)
        assert await third.is_closed()
        for line in (second, third):
            line.close()
        assert inside.told == [EarOpened(LEG), TalkStarted(LEG), EarClosed(LEG)]
        assert inside.counted("opened") == 1


async def test_asterisk_connects_before_the_request_to_send_it_on_is_answered() -> None:
    async with room() as inside:
        inside.far_end.sent_on = None  # its answer is lost
        line = await inside.opened(LEG)
        await inside.idle()
        assert inside.ears.received_seconds(LEG) == 0.0
        assert inside.far_end.hung_up == []
        line.close()


async def test_a_channel_that_enters_before_the_request_for_it_is_answered_is_sent_on() -> None:
    async with room() as inside:
        inside.far_end.holds = asyncio.Event()
        inside.ears.begin(LEG, 0.5)
        await inside.far_end.until(lambda: inside.far_end.snooped)
        inside.ears.entered(f"{LEG}.ear")
        inside.far_end.holds.set()
        await inside.far_end.until(lambda: inside.far_end.places)
        (await Line.to(inside.far_end.places[f"{LEG}.ear"])).close()


async def test_channels_that_are_no_ear_of_ours_are_left_alone() -> None:
    async with room() as inside:
        for channel in ("a1-1.customer", "a9-1.customer.ear", ".ear", "ear", "1700000000.1"):
            inside.ears.entered(channel)
        await inside.ears.only_these_are_left({"1700000000.1.ear", "x.ear"}, [LEG])
        assert inside.far_end.hung_up == []


# ---- limits ------------------------------------------------------------------------------------------


async def test_no_more_ears_than_the_limit_and_one_that_ends_makes_room() -> None:
    async with room(EarSettings(limit=1)) as inside:
        first = await inside.opened(LEG)
        inside.ears.begin(OTHER, 0.5)
        assert inside.counted("none_left") == 1
        inside.ears.end(LEG)
        assert await first.is_closed()
        first.close()
        second = await inside.opened(OTHER)
        second.close()  # its end is enough, whether or not the call's is heard
        await inside.until_told(EarClosed(OTHER))
        third = await inside.opened(LEG)
        third.close()


async def test_with_a_limit_of_none_nothing_is_listened_on_or_asked_for() -> None:
    async with room(EarSettings(limit=0)) as inside:
        inside.ears.begin(LEG, 0.5)
        assert inside.ears.received_seconds(LEG) is None
        assert inside.far_end.snooped == []
        assert inside.figures.registry.get_sample_value("ringback_ears_total", {"result": "none_left"}) is None


async def test_an_ear_that_is_begun_twice_is_asked_for_once() -> None:
    async with room() as inside:
        inside.ears.begin(LEG, 0.5)
        line = await inside.opened(LEG)
        assert inside.far_end.snooped == [f"{LEG}.ear"]
        line.close()


async def test_an_ear_that_is_begun_again_while_it_is_open_tells_how_it_stands() -> None:
    async with room() as inside:
        line = await inside.opened(LEG)
        inside.ears.begin(LEG, 0.5)
        line.say(*SPEECH)
        await inside.until_told(TalkStarted(LEG))
        inside.ears.begin(LEG, 0.5)
        assert inside.told == [EarOpened(LEG), EarOpened(LEG), TalkStarted(LEG), EarOpened(LEG), TalkStarted(LEG)]
        line.close()


# ---- ears that end -----------------------------------------------------------------------------------


async def test_after_its_end_nothing_of_a_leg_is_told() -> None:
    async with room() as inside:
        line = await inside.opened(LEG)
        line.say(*SPEECH)
        await inside.until_told(TalkStarted(LEG))
        inside.ears.end(LEG)
        inside.ears.end(LEG)
        told = list(inside.told)
        line.say(*BEEP)
        assert await line.is_closed()
        line.close()
        other = await inside.opened(OTHER)  # by now the end of the first connection has been seen too
        other.close()
        await inside.until_told(EarClosed(OTHER))
        assert [each for each in inside.told if each not in told] == [EarOpened(OTHER), EarClosed(OTHER)]


async def test_an_ear_that_ends_while_it_is_asked_for_leaves_no_channel() -> None:
    async with room() as inside:
        inside.far_end.holds = asyncio.Event()
        inside.ears.begin(LEG, 0.5)
        await inside.far_end.until(lambda: inside.far_end.snooped)
        inside.ears.end(LEG)
        inside.far_end.holds.set()
        await inside.idle()
        assert inside.far_end.hung_up == [f"{LEG}.ear"]
        assert inside.far_end.places == {}
        assert inside.told == []


async def test_an_ear_that_ends_before_asterisk_connects_leaves_no_channel_and_is_not_opened() -> None:
    async with room() as inside:
        place = await inside.asked(LEG)
        inside.ears.end(LEG)
        line = await Line.to(place)
        assert await line.is_closed()
        line.close()
        await inside.idle()
        assert inside.far_end.hung_up == [f"{LEG}.ear"]
        assert inside.told == []
        assert inside.counted("not_connected") == 0


async def test_a_leg_whose_end_nobody_heard_has_no_ear_any_more() -> None:
    async with room() as inside:
        gone, stays = await inside.opened(LEG), await inside.opened(OTHER)
        await inside.ears.only_these_are_left({OTHER, f"{OTHER}.ear"}, [OTHER])
        assert await gone.is_closed()
        assert inside.ears.received_seconds(OTHER) == 0.0
        assert inside.far_end.hung_up == []
        for line in (gone, stays):
            line.close()


async def test_what_a_process_before_us_left_of_its_ears_is_hung_up() -> None:
    async with room() as inside:
        await inside.ears.only_these_are_left({LEG, f"{LEG}.ear", "x.ear"}, [LEG, OTHER])
        assert inside.far_end.hung_up == [f"{LEG}.ear"]


# ---- ears that do not come about ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "counted"), [(500, "refused"), (409, "refused"), (404, None), (None, "not_connected")]
)
async def test_a_refused_snoop_is_counted_and_told_unless_the_leg_is_gone(
    impatient: None, status: int | None, counted: str | None
) -> None:
    async with room() as inside:
        inside.far_end.snoop = status
        with capture_logs() as logs:
            inside.ears.begin(LEG, 0.5)
            await inside.idle()
        assert [inside.counted(result) for result in ("refused", "not_connected")] == [
            float(counted == result) for result in ("refused", "not_connected")
        ]
        assert [line["event"] for line in logs] == ([f"ear.{counted}"] if counted else [])
        # Of a request without an answer nobody knows what it made.
        assert inside.far_end.hung_up == ([f"{LEG}.ear"] if status is None else [])
        assert inside.told == []
        inside.far_end.snoop = 200
        (await inside.opened(LEG)).close()


async def test_a_channel_that_never_enters_is_not_waited_for_and_hung_up(impatient: None) -> None:
    async with room() as inside:
        inside.ears.begin(LEG, 0.5)
        await inside.idle()
        assert inside.far_end.hung_up == [f"{LEG}.ear"]
        assert inside.counted("not_connected") == 1


async def test_a_channel_that_is_not_sent_on_is_hung_up() -> None:
    async with room() as inside:
        inside.far_end.sent_on = 500
        await inside.asked(LEG)
        await inside.idle()
        assert inside.far_end.hung_up == [f"{LEG}.ear"]
        assert inside.counted("refused") == 1


async def test_trouble_with_ears_is_told_once_and_again_only_after_one_has_opened(impatient: None) -> None:
    async with room() as inside:
        with capture_logs() as logs:
            for number in range(5):
                await inside.asked(LegId(f"b{number}-1.customer"))
            await inside.idle()
            assert inside.counted("not_connected") == 5
            (warned,) = [line for line in logs if line["log_level"] == "warning"]
            assert warned["event"] == "ear.not_connected"
            assert "[ringback-ear]" in warned["mend"]
            (await inside.opened(LEG)).close()
            await inside.asked(OTHER)
            await inside.idle()
        assert len([line for line in logs if line["log_level"] == "warning"]) == 2


async def test_a_port_that_is_taken_is_told_and_calls_go_on_without_an_ear() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, capture_logs() as logs:
        async with room(EarSettings(port=taken.getsockname()[1])) as inside:
            inside.ears.begin(LEG, 0.5)
            inside.ears.end(LEG)
            assert inside.far_end.snooped == []
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["ear.deaf"]


@pytest.mark.parametrize(("host", "told"), [("::1", "[::1]:"), ("localhost", ""), ("127.0.0.1", "127.0.0.1:")])
async def test_asterisk_is_told_an_address_in_numbers(host: str, told: str) -> None:
    async with room(EarSettings(host=host)) as inside:
        place = await inside.asked(LEG)
        assert place.split(" ")[1].startswith(told or ("127.0.0.1:", "[::1]:"))
        (await Line.to(place)).close()
        await inside.until_told(EarOpened(LEG))


async def test_a_name_that_nobody_knows_is_told_as_a_port_that_is_taken() -> None:
    with capture_logs() as logs:
        async with room(EarSettings(host="no-such-host.invalid")) as inside:
            inside.ears.begin(LEG, 0.5)
            assert inside.far_end.snooped == []
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["ear.deaf"]


async def test_the_end_of_the_engine_ends_ears_that_are_open_asked_for_and_strangers() -> None:
    async with room() as inside:
        line = await inside.opened(LEG)
        place = await inside.asked(OTHER)
        _, port = place.split(" ")[1].rsplit(":", 1)
        stranger = Line(*await asyncio.open_connection("127.0.0.1", int(port)))
    assert await line.is_closed()
    assert await stranger.is_closed()
    for each in (line, stranger):
        each.close()
    assert EarClosed(LEG) not in inside.told
