"""The ARI client against a real Asterisk: what requests do, which events come, in what order and how often."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import TypeVar
from uuid import uuid4

import pytest

from engine.asterisk.ari import AriClient, AriEvent, Backoff, EventStream, Ok, Refused, Result, Unknown
from engine.asterisk.ari.events import (
    BridgeCreated,
    BridgeDestroyed,
    ChannelCreated,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelLeftBridge,
    ChannelStateChange,
    ChannelTalkingStarted,
    ChannelVarset,
    Dial,
    PlaybackFinished,
    PlaybackStarted,
    StasisEnd,
    StasisStart,
)
from engine.asterisk.ari.snapshots import ChannelState, PlaybackState
from engine.lab import Lab
from tests.live.cable import Cable

pytestmark = pytest.mark.live

T = TypeVar("T")
E = TypeVar("E", bound=AriEvent)

CONTEXT = "ari-client-test"
TRUNK = "endpoint:PJSIP/trunk"
BUSY, RINGS, LISTENS, PRESSES_TWICE = "12025550110", "12025550111", "12025550114", "12025550199"


def ok(result: Result[T]) -> T:
    assert isinstance(result, Ok), result
    return result.value


def refused(result: Result[T]) -> int:
    assert isinstance(result, Refused), result
    return result.status


class Listener:
    """An application on the lab's PBX: everything its stream told, and legs it dialled."""

    def __init__(self, client: AriClient, *, application: str | None = None, heartbeat_seconds: float = 5.0) -> None:
        self.client = client
        self.application = application or f"ari-test-{uuid4().hex[:8]}"
        self.events: list[AriEvent] = []
        self.lost: list[str] = []
        self.connections = self.replaced = 0
        self._changed = asyncio.Event()
        self.stream = EventStream(
            client,
            self.application,
            on_event=self._on_event,
            on_connected=self._on_connected,
            on_lost=self._on_lost,
            on_replaced=self._on_replaced,
            heartbeat_seconds=heartbeat_seconds,
            backoff=Backoff(first_seconds=0.05),
        )

    async def until(self, condition: Callable[[], bool], *, seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type[E], channel_id: str | None = None) -> list[E]:
        return [
            event
            for event in self.events
            if isinstance(event, kind)
            and (channel_id is None or getattr(getattr(event, "channel", None), "id", None) == channel_id)
        ]

    async def first(self, kind: type[E], channel_id: str | None = None) -> E:
        await self.until(lambda: bool(self.of(kind, channel_id)))
        return self.of(kind, channel_id)[0]

    async def dial(self, endpoint: str, *, channel_id: str | None = None, **variables: str) -> Result[str]:
        channel_id = channel_id or uuid4().hex
        result = await self.client.channels.originate(
            endpoint=endpoint,
            channel_id=channel_id,
            context=CONTEXT,
            extension="customer",
            caller_id="+12025550199",
            timeout_seconds=20,
            variables={"APPLICATION": self.application, "TIMEOUT(absolute)": "60", **variables},
        )
        return Ok(result.value.id) if isinstance(result, Ok) else result

    async def answered(self, endpoint: str, **variables: str) -> str:
        channel_id = ok(await self.dial(endpoint, **variables))
        await self.first(StasisStart, channel_id)
        return channel_id

    def _on_event(self, event: AriEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def _on_connected(self) -> None:
        self.connections += 1
        self._changed.set()

    def _on_lost(self, why: str) -> None:
        self.lost.append(why)
        self._changed.set()

    def _on_replaced(self) -> None:
        self.replaced += 1
        self._changed.set()


@asynccontextmanager
async def running(listener: Listener) -> AsyncIterator[Listener]:
    """The listener with its stream open; at the end its legs are hung up and its subscriptions dropped."""
    task = asyncio.create_task(listener.stream.run())
    try:
        await listener.until(lambda: listener.connections > 0)
        yield listener
    finally:
        for channel_id in {event.channel.id for event in listener.of(StasisStart)}:
            await listener.client.channels.hangup(channel_id)
        application = await listener.client.applications.get(listener.application)
        while isinstance(application, Ok) and application.value.endpoint_ids:  # subscriptions are counted
            sources = [f"endpoint:{endpoint}" for endpoint in application.value.endpoint_ids]
            application = await listener.client.applications.unsubscribe(listener.application, sources)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(scope="module")
def pbx(lab: Lab) -> Lab:
    """The lab, with a context that enters the application named by a variable: each test has its own application."""
    lab.console(f"dialplan add extension customer,1,Stasis(${{APPLICATION}},customer,x) into {CONTEXT}")
    for number, step in enumerate(("Answer()", "Wait(1)", "SendDTMF(1122,1,20)", "Wait(20)"), start=1):
        lab.console(f"dialplan add extension {PRESSES_TWICE},{number},{step} into number", side="network")
    return lab


@pytest.fixture
async def client(pbx: Lab) -> AsyncIterator[AriClient]:
    async with AriClient(pbx.pbx.ari_url, pbx.pbx.ari_user, pbx.pbx.ari_password) as client:
        yield client


@pytest.fixture
async def listener(client: AriClient) -> AsyncIterator[Listener]:
    async with running(Listener(client)) as listener:
        yield listener


async def test_an_answered_call_enters_the_application_under_our_own_id(listener: Listener) -> None:
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk")
    start = await listener.first(StasisStart, channel_id)
    assert start.args == ("customer", "x")
    assert start.channel.state is ChannelState.UP
    assert start.channel.protocol_id
    assert start.at.tzinfo is not None
    assert ok(await listener.client.channels.get(channel_id)).context == CONTEXT
    assert channel_id in {channel.id for channel in ok(await listener.client.channels.list())}
    assert ok(await listener.client.channels.hangup(channel_id, "normal")) is None
    await listener.first(StasisEnd, channel_id)


async def test_the_events_of_an_answered_call_come_in_order(listener: Listener) -> None:
    ok(await listener.client.applications.subscribe(listener.application, [TRUNK]))
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk")
    ok(await listener.client.channels.hangup(channel_id, 16))
    destroyed = await listener.first(ChannelDestroyed, channel_id)
    assert (destroyed.cause, destroyed.tech_cause) == (16, None)
    order = [
        next(i for i, event in enumerate(listener.events) if isinstance(event, kind))
        for kind in (ChannelCreated, Dial, ChannelStateChange, StasisStart, StasisEnd, ChannelDestroyed)
    ]
    assert order == sorted(order)
    assert listener.of(Dial)[0].dialstatus == ""
    assert listener.of(Dial)[-1].dialstatus == "ANSWER"


async def test_an_instantly_refused_call_tells_both_causes_without_ever_entering_stasis(listener: Listener) -> None:
    ok(await listener.client.applications.subscribe(listener.application, [TRUNK]))
    channel_id = ok(await listener.dial(f"PJSIP/{BUSY}@trunk"))
    destroyed = await listener.first(ChannelDestroyed, channel_id)
    assert (destroyed.cause, destroyed.tech_cause) == (17, 486)
    assert not listener.of(StasisStart)
    assert refused(await listener.client.channels.get(channel_id)) == 404
    assert refused(await listener.client.channels.hangup(channel_id)) == 404


async def test_without_a_subscription_a_refused_call_stays_silent(listener: Listener, client: AriClient) -> None:
    async with running(Listener(client)) as witness:
        ok(await client.applications.subscribe(witness.application, [TRUNK]))
        channel_id = ok(await listener.dial(f"PJSIP/{BUSY}@trunk"))
        await witness.first(ChannelDestroyed, channel_id)
    assert not listener.of(ChannelCreated) + listener.of(ChannelDestroyed)


@pytest.mark.parametrize(
    ("endpoint", "status"),
    [("PJSIP/12025550100@nosuch", 500), ("Nosuch/1", 500), ("PJSIP/", 400), ("PJSIP", 400), ("", 400)],
)
async def test_an_endpoint_that_cannot_be_dialled_is_refused(listener: Listener, endpoint: str, status: int) -> None:
    assert refused(await listener.dial(endpoint)) == status


async def test_an_id_is_refused_while_its_leg_lives(listener: Listener) -> None:
    channel_id = ok(await listener.dial(f"PJSIP/{RINGS}@trunk"))
    assert refused(await listener.dial(f"PJSIP/{RINGS}@trunk", channel_id=channel_id)) == 409
    ok(await listener.client.channels.hangup(channel_id))


async def test_an_odd_id_is_no_other_resource(listener: Listener) -> None:
    channel_id = f"a/{uuid4().hex}?b=1#c d%2e"
    ok(await listener.dial(f"PJSIP/{RINGS}@trunk", channel_id=channel_id))
    assert ok(await listener.client.channels.get(channel_id)).id == channel_id
    ok(await listener.client.channels.hangup(channel_id))


async def test_variables_travel_in_the_body_and_can_be_set_and_read(listener: Listener) -> None:
    long = "x" * 6000  # more than a request line may hold
    channels = listener.client.channels
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk", RB_ATTEMPT="a1", LONG=long)
    assert ok(await channels.get_variable(channel_id, "RB_ATTEMPT")) == "a1"
    assert ok(await channels.get_variable(channel_id, "LONG")) == long
    ok(await channels.set_variable(channel_id, "RB_PHASE", "Grüße, a=b&c #1"))
    assert ok(await channels.get_variable(channel_id, "RB_PHASE")) == "Grüße, a=b&c #1"
    ok(await channels.set_variable(channel_id, "TIMEOUT(absolute)", "300"))
    assert float(ok(await channels.get_variable(channel_id, "TIMEOUT(absolute)"))) > 290
    assert refused(await channels.get_variable(channel_id, "NEVER_SET")) == 404


async def test_a_function_that_reaches_beyond_the_call_is_refused(listener: Listener) -> None:
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk")
    assert refused(await listener.client.channels.get_variable(channel_id, "SHELL(id)")) == 500


async def test_media_end_as_done_as_failed_and_as_done_when_stopped(listener: Listener) -> None:
    client = listener.client
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk")

    async def end_of(playback_id: str) -> PlaybackState:
        def ended() -> list[PlaybackFinished]:
            return [event for event in listener.of(PlaybackFinished) if event.playback.id == playback_id]

        await listener.until(lambda: bool(ended()))
        assert len(ended()) == 1
        assert ended()[0].playback.target_uri == f"channel:{channel_id}"
        return ended()[0].playback.state

    played, missing, stopped = (f"{channel_id}/{name}" for name in ("played", "missing", "stopped"))
    assert ok(await client.channels.play(channel_id, "sound:beep", played)).id == played
    assert await end_of(played) is PlaybackState.DONE
    ok(await client.channels.play(channel_id, "sound:/no/such/file", missing))
    assert await end_of(missing) is PlaybackState.FAILED
    ok(await client.channels.play(channel_id, "tone:ring;tonezone=us", stopped))
    await listener.until(lambda: stopped in {event.playback.id for event in listener.of(PlaybackStarted)})
    assert ok(await client.playbacks.get(stopped)).state is PlaybackState.PLAYING
    ok(await client.playbacks.stop(stopped))
    assert await end_of(stopped) is PlaybackState.DONE
    assert refused(await client.playbacks.stop(stopped)) == 404


async def test_two_legs_meet_in_a_bridge_and_each_event_comes_once(listener: Listener) -> None:
    client, bridge_id = listener.client, uuid4().hex
    ok(await client.applications.subscribe(listener.application, [TRUNK, "endpoint:PJSIP/agent-1001"]))
    agent_id = ok(await listener.dial("PJSIP/agent-1001"))
    assert ok(await client.bridges.create(bridge_id)).channel_ids == ()
    assert refused(await client.bridges.create(bridge_id)) == 500
    assert refused(await client.bridges.add_channels(bridge_id, [agent_id])) == 422  # not in Stasis yet
    customer_id = await listener.answered(f"PJSIP/{LISTENS}@trunk")
    await listener.first(StasisStart, agent_id)
    ok(await client.channels.start_moh(customer_id))
    ok(await client.channels.stop_moh(customer_id))
    ok(await client.bridges.add_channels(bridge_id, [customer_id, agent_id]))
    for channel_id in (customer_id, agent_id):
        await listener.first(ChannelEnteredBridge, channel_id)
    assert set(ok(await client.bridges.get(bridge_id)).channel_ids) == {customer_id, agent_id}
    assert bridge_id in {bridge.id for bridge in ok(await client.bridges.list())}
    ok(await client.bridges.remove_channels(bridge_id, [agent_id]))
    left = await listener.first(ChannelLeftBridge, agent_id)
    assert left.bridge.channel_ids == (customer_id,)
    for channel_id in (customer_id, agent_id):
        ok(await client.channels.hangup(channel_id))
        await listener.first(ChannelDestroyed, channel_id)
    ok(await client.bridges.destroy(bridge_id))
    await listener.first(BridgeDestroyed)
    assert refused(await client.bridges.destroy(bridge_id)) == 404
    for kind, times in ((BridgeCreated, 0), (ChannelEnteredBridge, 2), (ChannelLeftBridge, 2), (StasisStart, 2)):
        assert len(listener.of(kind)) == times
    assert listener.stream.counts.duplicates > 0


async def test_every_key_is_heard_once_although_asterisk_tells_it_twice(listener: Listener) -> None:
    ok(await listener.client.applications.subscribe(listener.application, [TRUNK]))
    channel_id = await listener.answered(f"PJSIP/{PRESSES_TWICE}@trunk")
    await listener.until(lambda: len(listener.of(ChannelDtmfReceived)) >= 4)
    ok(await listener.client.channels.hangup(channel_id))
    await listener.first(ChannelDestroyed, channel_id)
    keys = listener.of(ChannelDtmfReceived, channel_id)
    assert [key.digit for key in keys] == ["1", "1", "2", "2"]
    assert all(key.duration_ms > 0 for key in keys)
    gaps = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(keys)]
    assert min(gaps) >= 0.040  # Asterisk keeps 45 ms between keys, so no two have the same time
    assert listener.stream.counts.duplicates >= 4


async def test_speech_is_told_while_the_leg_is_in_our_application(listener: Listener) -> None:
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk", **{"TALK_DETECT(set)": "500,256"})
    await listener.first(ChannelTalkingStarted, channel_id)


async def test_filtered_events_do_not_come(listener: Listener) -> None:
    applications = listener.client.applications
    ok(await applications.subscribe(listener.application, [TRUNK]))
    unwanted = ["ChannelVarset", "ChannelDialplan", "ChannelCallerId", "ChannelConnectedLine"]
    application = ok(await applications.set_event_filter(listener.application, disallowed=unwanted))
    assert set(application.events_disallowed) == set(unwanted)
    channel_id = await listener.answered(f"PJSIP/{LISTENS}@trunk")
    ok(await listener.client.channels.hangup(channel_id))
    await listener.first(ChannelDestroyed, channel_id)
    assert not listener.of(ChannelVarset)
    assert not listener.stream.counts.unknown
    assert ok(await applications.set_event_filter(listener.application)).events_disallowed == ()


async def test_subscriptions_are_counted_and_a_source_that_does_not_exist_is_refused(listener: Listener) -> None:
    applications, name = listener.client.applications, listener.application
    for _ in range(2):
        assert ok(await applications.subscribe(name, [TRUNK])).endpoint_ids == ("PJSIP/trunk",)
    assert refused(await applications.subscribe(name, ["endpoint:PJSIP/nosuch"])) == 422
    assert refused(await applications.subscribe("nosuch", [TRUNK])) == 404
    assert name in {application.name for application in ok(await applications.list())}
    assert ok(await applications.unsubscribe(name, [TRUNK])).endpoint_ids == ("PJSIP/trunk",)
    assert ok(await applications.unsubscribe(name, [TRUNK])).endpoint_ids == ()
    assert refused(await applications.unsubscribe(name, [TRUNK])) == 422


async def test_a_cut_socket_comes_back_and_the_subscription_and_filter_have_survived(pbx: Lab) -> None:
    asterisk = pbx.pbx
    cable = Cable(int(asterisk.ari_url.split(":")[2].split("/")[0]))
    async with (
        cable.laid() as port,
        AriClient(f"http://127.0.0.1:{port}/ari", asterisk.ari_user, asterisk.ari_password) as client,
        running(Listener(client)) as listener,
    ):
        name = listener.application
        ok(await client.applications.subscribe(name, [TRUNK]))
        ok(await client.applications.set_event_filter(name, disallowed=["ChannelVarset"]))
        cable.cut()
        await listener.until(lambda: listener.connections == 2)
        assert len(listener.lost) == 1
        application = ok(await client.applications.get(name))
        assert (application.endpoint_ids, application.events_disallowed) == (("PJSIP/trunk",), ("ChannelVarset",))
        await listener.first(ChannelDestroyed, ok(await listener.dial(f"PJSIP/{BUSY}@trunk")))
        assert listener.stream.counts.reconnects == 1


async def test_a_dead_socket_is_noticed_and_the_new_one_is_not_replaced_by_the_old(pbx: Lab) -> None:
    asterisk = pbx.pbx
    cable = Cable(int(asterisk.ari_url.split(":")[2].split("/")[0]))
    async with (
        cable.laid() as port,
        AriClient(
            f"http://127.0.0.1:{port}/ari", asterisk.ari_user, asterisk.ari_password, request_timeout_seconds=0.5
        ) as client,
        running(Listener(client, heartbeat_seconds=0.4)) as listener,
    ):
        ok(await client.applications.subscribe(listener.application, [TRUNK]))
        cable.go_dead()
        await listener.until(lambda: listener.connections == 2)
        # The connection kept from the subscription is dead too, and only the next request can find that out.
        unanswered = await client.asterisk.ping()
        assert isinstance(unanswered, Unknown)
        assert unanswered.sent
        await listener.first(ChannelDestroyed, ok(await listener.dial(f"PJSIP/{BUSY}@trunk")))
        assert listener.replaced == 0


async def test_a_second_engine_of_the_same_name_stops_the_first_for_good(listener: Listener, pbx: Lab) -> None:
    asterisk = pbx.pbx
    ok(await listener.client.applications.subscribe(listener.application, [TRUNK]))
    async with (
        AriClient(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password) as other,
        running(Listener(other, application=listener.application)) as second,
    ):
        await listener.until(lambda: listener.replaced == 1)
        channel_id = ok(await second.dial(f"PJSIP/{BUSY}@trunk"))
        await second.first(ChannelDestroyed, channel_id)
        assert (listener.connections, listener.lost) == (1, [])
        assert not listener.of(ChannelCreated)
        assert second.replaced == 0


async def test_an_asterisk_tells_who_it_is_and_what_it_has(client: AriClient) -> None:
    about = ok(await client.asterisk.info())
    assert int(about.version.split(".")[0]) >= 20
    assert about.startup_time.tzinfo is not None
    assert ok(await client.asterisk.ping()).asterisk_id == about.entity_id
    assert {"res_ari.so", "chan_pjsip.so"} <= {module.name for module in ok(await client.asterisk.modules())}
    assert ok(await client.asterisk.get_variable("NEVER_SET")) == ""
    assert ok(await client.endpoints.get("PJSIP", "trunk")).resource == "trunk"
    assert "trunk" in {endpoint.resource for endpoint in ok(await client.endpoints.list())}
    assert refused(await client.endpoints.get("PJSIP", "nosuch")) == 404


async def test_a_wrong_password_is_refused(pbx: Lab) -> None:
    async with AriClient(pbx.pbx.ari_url, pbx.pbx.ari_user, "wrong") as client:
        assert refused(await client.asterisk.ping()) == 401
