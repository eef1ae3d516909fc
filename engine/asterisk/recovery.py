"""After each connection of the event socket: what runs in one Asterisk, compared with what should run.

It asks to hear, looks twice, tells the core what is left of each live call and who rings in that nobody knows, and
hangs up legs whose call is over, all before anybody is dialled again. Legs of calls that our journal does not know, and
channels that are neither ours nor a caller's, are nobody's business here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog

from engine.asterisk.ari import AriClient, Ok, Refused, Result
from engine.asterisk.ari.snapshots import Application, Channel, ChannelState
from engine.asterisk.calls import Calls
from engine.asterisk.ear import Ears
from engine.asterisk.translation import (
    caller_id_of,
    dials_menu,
    is_nobody,
    is_up_unanswered,
    number_dialled,
    our_leg,
    seen,
)
from engine.core.events import AttemptSeen, Event, LegSeen
from engine.core.records import Attempt, Call, InboundCall, attempt_of_leg
from engine.core.terms import AttemptId, LegId
from engine.metrics import Metrics

log = structlog.get_logger()

HEARD = (
    "StasisStart",
    "StasisEnd",
    "ChannelCreated",
    "ChannelStateChange",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelTalkingStarted",
    "ChannelTalkingFinished",
    "ChannelToneDetected",
    "ChannelHold",
    "ChannelUnhold",
    "BridgeAttendedTransfer",
    "ChannelLeftBridge",
    "PlaybackFinished",
    "ApplicationReplaced",
    "ChannelUserevent",
)
"""The event types the engine asks Asterisk for; the others (most are ChannelVarset) never leave Asterisk."""
_OUR_BRIDGE = re.compile(r"[a-z0-9]+-[0-9]+\.bridge\.[0-9]+")
LOOKS_AT_MOVING_CALLS = 5
"""How often a recovery looks again because a call went on during the look."""


@dataclass(frozen=True, slots=True)
class Journalled:
    """What the engine's own record says. `live`: the calls that are not over; `known`: which of some ids were ever
    written. `endpoints`: of the agents' phones. `started`: keeps when an Asterisk was started.
    """

    live: Callable[[], Iterable[Call]]
    is_live: Callable[[AttemptId], bool]
    endpoints: Callable[[], Iterable[str]]
    known: Callable[[Collection[AttemptId]], Awaitable[Collection[str]]]
    started: Callable[[str], Awaitable[None]]


class Recovery:
    """Of one Asterisk. `startup_time`: when it had been started as far as was known before.

    `rings_in` is told of callers that nobody knows, `dials_menu` of agents' phones that are in the menu, `stands_in` of
    channels that stand in an agent's place.
    """

    def __init__(
        self,
        application: str,
        client: AriClient,
        calls: Calls,
        ears: Ears,
        journalled: Journalled,
        tell: Callable[[Event], None],
        *,
        rings_in: Callable[[Channel, str], None],
        dials_menu: Callable[[Channel], None],
        stands_in: Callable[[str], None],
        startup_time: str | None,
        settle_seconds: float,
        figures: Metrics,
    ) -> None:
        self.cannot_listen: str | None = None
        self._application = application
        self._client = client
        self._calls = calls
        self._ears = ears
        self._journalled = journalled
        self._tell = tell
        self._rings_in = rings_in
        self._dials_menu = dials_menu
        self._stands_in = stands_in
        self._startup_time = startup_time
        self._settle_seconds = settle_seconds
        self._figures = figures

    async def filter_events(self) -> Result[Application]:
        """Ask for the events that mean something here; refused with 404 if Asterisk does not know the application."""
        self._calls.forget_subscriptions()
        return await self._client.applications.set_event_filter(self._application, allowed=HEARD)

    async def listen(self) -> bool:
        """Ask to hear the trunk and the agents' phones; if that fails, `cannot_listen` says why."""
        heard = await self._calls.listen_to([self._calls.trunk, *self._journalled.endpoints()])
        if isinstance(heard, Refused):
            # An agent's endpoint that does not exist must not keep everybody else from being called.
            heard = await self._listen_to_those_there_are()
        self.cannot_listen = None
        if not isinstance(heard, Ok):
            detail = heard.message if isinstance(heard, Refused) else "no answer"
            self.cannot_listen = (
                f"cannot listen to {self._calls.trunk}: {detail}; does the endpoint exist (pjsip.conf)?"
            )
        return isinstance(heard, Ok)

    async def _listen_to_those_there_are(self) -> Result[None]:
        heard = await self._calls.listen_to([self._calls.trunk])
        if not isinstance(heard, Ok):
            return heard
        missing = [
            endpoint
            for endpoint in self._journalled.endpoints()
            if isinstance(await self._calls.listen_to([endpoint]), Refused)
        ]
        if missing:
            log.error("asterisk.endpoint_unknown", endpoints=missing, mend="see pjsip.conf")
        return heard

    async def compare(self) -> bool:
        """Look, settle, look again, tell. False if Asterisk did not answer on the way."""
        live = self._journalled.live
        for call in live():
            if call.given_to is not None:
                self._stands_in(call.given_to)
        info = await self._client.asterisk.info()
        if not isinstance(info, Ok) or (first := await self._look()) is None:
            return False
        startup_time = info.value.startup_time.isoformat()
        # Only what no look found is gone: the end of a leg that one of them found is told by its own event.
        channels, last = dict(first), first
        # No call outlives its Asterisk; in one that was not started anew, a leg may just be slow to appear.
        started_anew = self._startup_time is not None and startup_time != self._startup_time
        if not started_anew and any(_gone(call, channels) for call in live()):
            await asyncio.sleep(self._settle_seconds)
        for _ in range(LOOKS_AT_MOVING_CALLS):
            calls = list(live())
            if (now := await self._look()) is None:
                return False
            channels.update(now)
            last = now
            may_talk = [call for call in calls if call.bridging_at is not None]
            answers = await asyncio.gather(*(self._calls.members_of(each.bridge) for each in may_talk))
            if None in answers:
                return False  # who may be talking is not judged without an answer
            members = {call.id: answer for call, answer in zip(may_talk, answers, strict=True) if answer}
            if calls == list(live()):
                break
            # A call went on meanwhile: a look that is older than what we know would undo it.
        for call in calls:
            self._tell_seen(call, channels, members.get(call.id, ()))
        self._calls.playing.only_these_are_left(channels)
        await self._ears.only_these_are_left(channels, [call.customer_leg for call in live()])
        await self._hang_up_nobodys(channels)
        await self._take_unknown_callers(last)  # of who is gone since the first look nothing more will be told
        if startup_time != self._startup_time:
            # Before anybody is dialled: a later look must not take the new calls for those of an earlier Asterisk.
            await self._journalled.started(startup_time)
            self._startup_time = startup_time
        return True

    async def _look(self) -> Mapping[str, Channel] | None:
        listed = await self._client.channels.list()
        return {channel.id: channel for channel in listed.value} if isinstance(listed, Ok) else None

    def _tell_seen(self, call: Call, channels: Mapping[str, Channel], members: Collection[str]) -> None:
        customer = seen(channels.get(call.customer_leg))
        agent = seen(channels.get(call.agent_leg)) if call.agent_legs else LegSeen.GONE
        others = [channels[each] for each in members if each in channels and each not in _legs(call)]
        other = next((each for each in others if not is_nobody(each)), None)
        if other is not None:
            self._stands_in(other.id)
        self._tell(
            AttemptSeen(
                call.id,
                customer,
                agent,
                bridged=not set(_legs(call)).isdisjoint(members),
                other=None if other is None else LegId(other.id),
                other_up=other is not None and other.state is ChannelState.UP and not is_up_unanswered(other),
                apart=call.customer_leg in members and agent is not LegSeen.GONE and call.agent_leg not in members,
            )
        )

    async def _take_unknown_callers(self, channels: Mapping[str, Channel]) -> None:
        """Who rang in while nobody listened is taken in; only whose call is known to be over is hung up on."""
        for channel in channels.values():
            if dials_menu(channel, self._application):
                self._dials_menu(channel)
        callers = {caller_id_of(each.id): each for each in channels.values() if self._dialled(each) is not None}
        unknown = [call for call in callers if not self._journalled.is_live(call)]
        over = set(await self._journalled.known(unknown)) if unknown else set()
        for call in unknown:
            dialled = self._dialled(callers[call])
            if call in over:
                await self._calls.hang_up(LegId(callers[call].id))
            elif dialled is not None:
                self._rings_in(callers[call], dialled)

    def _dialled(self, channel: Channel) -> str | None:
        return number_dialled(channel, self._application)

    async def _hang_up_nobodys(self, channels: Mapping[str, Channel]) -> None:
        """Legs of calls that are over, and of agents that were given up: before anybody is dialled again."""
        wanted = {leg for call in self._journalled.live() for leg in _legs(call)}
        await self.hang_up_late([leg for leg in map(our_leg, channels) if leg and leg not in wanted])
        await self._hang_up_left_alone(channels)

    async def _hang_up_left_alone(self, channels: Mapping[str, Channel]) -> None:
        """Those who were given a customer whose call is over: nobody else ends their call."""
        bridges = await self._client.bridges.list()
        if not isinstance(bridges, Ok):
            return
        ours = {each.id: attempt_of_leg(each.id) for each in bridges.value if _OUR_BRIDGE.fullmatch(each.id)}
        over = {call for call in ours.values() if not self._journalled.is_live(call)}
        over &= set(await self._journalled.known(over)) if over else set()
        alone = [
            LegId(each)
            for bridge in bridges.value
            if ours.get(bridge.id) in over
            for each in bridge.channel_ids
            if each in channels and our_leg(each) is None and not is_nobody(channels[each])
        ]
        for leg in alone:
            log.warning("leg.left_alone", leg=leg)
        await asyncio.gather(*(self._calls.hang_up(leg) for leg in alone))

    async def hang_up_late(self, legs: Collection[LegId]) -> None:
        """Those of our own calls. Others belong to another engine, or to a journal that was replaced by a backup."""
        ours = set(await self._journalled.known({attempt_of_leg(leg) for leg in legs})) if legs else set()
        for leg in legs:
            if attempt_of_leg(leg) in ours:
                log.warning("leg.late", leg=leg)
                self._figures.leg_late()
            else:
                log.warning("leg.unknown", leg=leg, mend="its own time limit ends it")
        await asyncio.gather(*(self._calls.hang_up(leg) for leg in legs if attempt_of_leg(leg) in ours))


def _legs(call: Call) -> tuple[LegId, LegId]:
    return call.customer_leg, call.agent_leg


def _gone(call: Call, channels: Mapping[str, Channel]) -> bool:
    """Whether a leg that should be there is not; somebody may just be slow to appear."""
    rung_first = isinstance(call, Attempt) and call.agent_legs > 0 and call.confirmed_at is None
    agent_expected = rung_first or (call.bridging_at is not None and call.given_to is None)
    dialled = isinstance(call, InboundCall) or call.dialed_at is not None
    return (dialled and call.customer_leg not in channels) or (agent_expected and call.agent_leg not in channels)
