"""An AMI link with a bad peer: it comes back with growing waits, repeats nothing, and says what is wrong once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from engine.asterisk.ami import AmiLink, AmiSession, AmiUnknown, PhoneWatch
from engine.asterisk.ari.backoff import Backoff
from engine.core.events import Event, PhoneChanged, PhonesSeen, PhonesUnknown
from engine.core.terms import PhoneState
from engine.metrics import Metrics
from tests.unit.ami_bad_peer import (
    PASSWORD,
    BadPeer,
    Message,
    Peer,
    accepts_and_is_silent,
    answers_everything,
    bad_peer,
    is_silent,
    refuses,
)

AT_ONCE = Backoff(draw=lambda: 0.0)


class Owner:
    """Asks for one reload in the first session, and keeps all sessions."""

    def __init__(self, peer: BadPeer, *, backoff: Backoff = AT_ONCE, refused_seconds: float = 60.0) -> None:
        self.answers: list[object] = []
        self.lost: list[str] = []
        self.sessions = 0
        self._changed = asyncio.Event()
        self.link = AmiLink(
            "pbx1",
            peer.settings,
            serve=self._serve,
            on_event=lambda _event: None,
            lost=self._lost,
            backoff=backoff,
            refused_seconds=refused_seconds,
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, session: AmiSession) -> None:
        self.sessions += 1
        self._changed.set()
        if self.sessions == 1:
            self.answers.append(await session.ask("Reload", {"Module": "res_pjsip.so"}))
            self._changed.set()
        await session.lost()

    def _lost(self, why: str) -> None:
        self.lost.append(why)
        self._changed.set()


@asynccontextmanager
async def running(owner: Owner) -> AsyncIterator[Owner]:
    task = asyncio.create_task(owner.link.run())
    try:
        yield owner
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_given_a_connection_that_drops_with_an_action_pending_when_it_is_back_then_nothing_is_repeated() -> None:
    async def drops(peer: Peer) -> None:
        await peer.logs_in()
        await peer.hears()

    async with bad_peer(drops, answers_everything) as peer, running(Owner(peer)) as owner:
        await owner.until(lambda: owner.sessions == 2)
        await owner.until(lambda: bool(owner.answers))
    assert [type(each) for each in owner.answers] == [AmiUnknown]
    assert [each for each in peer.actions if each != "Ping"] == ["Login", "Reload", "Login"]
    assert owner.lost == ["Asterisk has closed the connection"]


async def test_given_a_peer_that_goes_silent_then_the_session_is_given_up_and_another_one_begins() -> None:
    async with bad_peer(accepts_and_is_silent, answers_everything) as peer, running(Owner(peer)) as owner:
        await owner.until(lambda: owner.sessions == 2)
    assert [type(each) for each in owner.answers] == [AmiUnknown]
    assert peer.actions.count("Reload") == 1


async def test_given_a_wrong_password_then_it_is_said_once_and_not_tried_again_soon() -> None:
    with capture_logs() as logs:
        async with bad_peer(refuses) as peer, running(Owner(peer)) as owner:
            await owner_says(owner, "refuses user ringback")
            assert peer.connections == 1
    assert [each["event"] for each in logs] == ["ami.away"]
    assert "ami_password_file" in logs[0]["why"]
    assert PASSWORD not in str(logs)


async def test_given_a_wrong_password_that_was_mended_then_the_next_slow_try_succeeds() -> None:
    async with (
        bad_peer(refuses, refuses, answers_everything) as peer,
        running(Owner(peer, refused_seconds=0.01)) as owner,
    ):
        await owner.until(lambda: owner.sessions == 1)
        assert owner.link.trouble is None
    assert peer.connections == 3


async def test_given_a_peer_that_stays_silent_then_it_is_said_once_and_each_wait_is_longer() -> None:
    waits: list[float] = []
    enough = asyncio.Event()

    def draw() -> float:
        waits.append(0.0)
        if len(waits) == 3:
            enough.set()
        return 0.0

    with capture_logs() as logs:
        async with bad_peer(is_silent) as peer, running(Owner(peer, backoff=Backoff(draw=draw))):
            async with asyncio.timeout(5):
                await enough.wait()
    assert [each["event"] for each in logs] == ["ami.away"]
    assert peer.actions == []


async def owner_says(owner: Owner, what: str) -> None:
    async with asyncio.timeout(5):
        while what not in (owner.link.trouble or ""):  # noqa: ASYNC110 - it has no event for that
            await asyncio.sleep(0)


# ---- phones ----------------------------------------------------------------------------------------------


async def told_of(peer: BadPeer, enough: Callable[[list[Event]], bool]) -> tuple[list[Event], PhoneWatch]:
    """What is told of two agents' phones, until it is enough."""
    told: list[Event] = []
    done = asyncio.Event()

    def tell(event: Event) -> None:
        told.append(event)
        if enough(told):
            done.set()

    watch = PhoneWatch(
        "pbx1",
        peer.settings,
        tell,
        endpoints=lambda: ["PJSIP/a", "PJSIP/b"],
        trunk="PJSIP/trunk",
        figures=Metrics(),
        backoff=AT_ONCE,
    )
    task = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(5):
            await done.wait()
    finally:
        task.cancel()
        await asyncio.wait([task])
    return told, watch


def lists(peer: Peer, message: Message, *rows: str) -> None:
    peer.answers(message, "Success", "EventList: start", "Message: A listing follows")
    for row in rows:
        peer.says(f"{row}\r\n\r\n".encode())
    peer.says(f"Event: EndpointListComplete\r\nActionID: {message['ActionID']}\r\nEventList: Complete\r\n\r\n".encode())


def row(message: Message, name: str, state: str) -> str:
    return f"Event: EndpointList\r\nActionID: {message['ActionID']}\r\nObjectName: {name}\r\nDeviceState: {state}"


async def test_given_a_change_that_comes_in_the_middle_of_the_list_then_the_change_counts() -> None:
    change = "Event: DeviceStateChange\r\nDevice: PJSIP/a\r\nState: BUSY"

    async def behaviour(peer: Peer) -> None:
        await peer.logs_in()
        while True:
            message = await peer.hears()
            if message["Action"] == "PJSIPShowEndpoints":
                lists(peer, message, row(message, "a", "Not in use"), change, row(message, "b", "Odd"))
            else:
                peer.answers(message, "Success")

    async with bad_peer(behaviour) as peer:
        told, _watch = await told_of(peer, bool)
    assert told == [PhonesSeen({"PJSIP/a": PhoneState.BUSY, "PJSIP/b": PhoneState.UNKNOWN})]


async def test_given_phones_that_were_seen_when_the_peer_falls_silent_then_they_are_unknown() -> None:
    async def behaviour(peer: Peer) -> None:
        await peer.logs_in()
        peer.answers(await peer.hears(), "Success")
        message = await peer.hears()
        lists(peer, message, row(message, "a", "Unavailable"))
        peer.answers(await peer.hears(), "Error", "Message: no")
        peer.answers(await peer.hears(), "Success", "Ping: Pong")
        peer.says(b"Event: DeviceStateChange\r\nDevice: PJSIP/b\r\nState: RINGING\r\n\r\n")
        await peer.stays()

    async with bad_peer(behaviour, is_silent) as peer:
        told, watch = await told_of(peer, lambda told: PhonesUnknown() in told)
    seen = PhonesSeen({"PJSIP/a": PhoneState.UNREGISTERED, "PJSIP/b": PhoneState.UNKNOWN})
    assert told == [seen, PhoneChanged("PJSIP/b", PhoneState.BUSY), PhonesUnknown()]
    assert watch.trunk_state == "unknown"


async def test_given_an_asterisk_that_tells_no_changes_then_nothing_is_believed_and_it_is_said_how_to_mend() -> None:
    async def behaviour(peer: Peer) -> None:
        await peer.logs_in()
        peer.answers(await peer.hears(), "Error", "Message: Module not loaded")
        await peer.stays()

    with capture_logs() as logs:
        async with bad_peer(behaviour) as peer:
            watch = PhoneWatch(
                "pbx1",
                peer.settings,
                lambda _event: None,
                endpoints=list,
                trunk="PJSIP/trunk",
                figures=Metrics(),
                backoff=AT_ONCE,
            )
            task = asyncio.create_task(watch.run())
            async with asyncio.timeout(5):
                while "res_manager_devicestate.so" not in (watch.trouble or ""):  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["ami.blind"]
