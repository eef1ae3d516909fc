"""One Asterisk: its client, its event socket, its calls, and how it stands.

After each connection of the event socket the node makes sure that it hears, asks to hear its endpoints, looks twice at
what runs there, tells the core what is left of each live attempt, hangs up legs whose attempt is over, and only then
says that telephony is ready.
Legs of attempts that our journal does not know, and channels without a name of ours, are nobody's business here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from engine.asterisk.ari import AriClient, EventStream, Ok, Refused, Result
from engine.asterisk.ari.events import (
    AriEvent,
    ChannelCreated,
    ChannelDestroyed,
    ChannelStateChange,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    PlaybackFinished,
    StasisStart,
)
from engine.asterisk.ari.snapshots import Channel
from engine.asterisk.calls import Calls
from engine.asterisk.ear import Ears, EarSettings
from engine.asterisk.hearing import Hearing
from engine.asterisk.playing import Prompts
from engine.asterisk.translation import our_leg, seen, translated
from engine.core.effects import Effect, EffectClass
from engine.core.events import AttemptSeen, Event, LegSeen, ResultKind, TelephonyLost, TelephonyReady
from engine.core.records import Attempt, attempt_of_leg
from engine.core.terms import AttemptId, LegId
from engine.errors import StoreError
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
    "ChannelLeftBridge",
    "PlaybackFinished",
    "ApplicationReplaced",
    "ChannelUserevent",
)
"""The event types the engine asks Asterisk for; the others (most are ChannelVarset) never leave Asterisk."""
MIN_VERSION = (22, 7)
LOOKS_AT_MOVING_CALLS = 5
"""How often a recovery looks again because a call went on during the look."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """How to reach one Asterisk and dial through it. `settle_seconds` lies between the two looks."""

    name: str
    ari_url: str
    ari_user: str
    ari_password: str
    application: str
    customer_endpoint: str
    settle_seconds: float = 5.0
    ear: EarSettings = field(default_factory=EarSettings)


class AsteriskNode:
    """Started with `run`, which ends only when it is cancelled or its application was taken over.

    `live` are the attempts that are not over, `known` says which of some attempts our journal has ever written.
    `startup_time`: when this Asterisk had been started as far as was known before; `started` keeps a new one.
    """

    def __init__(
        self,
        settings: NodeSettings,
        prompts: Prompts,
        tell: Callable[[Event], None],
        *,
        live: Callable[[], Iterable[Attempt]],
        is_live: Callable[[AttemptId], bool],
        endpoints: Callable[[], Iterable[str]],
        known: Callable[[Collection[AttemptId]], Awaitable[Collection[str]]],
        startup_time: str | None,
        started: Callable[[str], Awaitable[None]],
        figures: Metrics,
        joined: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.client = AriClient(settings.ari_url, settings.ari_user, settings.ari_password, observe=figures.ari_request)
        self.ears = Ears(settings.ear, self.client, settings.application, tell, figures)
        self.calls = Calls(self.client, settings.application, settings.customer_endpoint, prompts, tell, self.ears)
        self.trouble: str | None = "not connected yet"
        self._tell = tell
        self._live = live
        self._is_live = is_live
        self._endpoints = endpoints
        self._known = known
        self._startup_time = startup_time
        self._started = started
        self._figures = figures
        self._tell_joined = joined
        self._connected = asyncio.Event()
        self._outdated = asyncio.Event()
        self._late: asyncio.Queue[LegId] = asyncio.Queue()
        self._replaced = False
        self.stream = EventStream(
            self.client,
            settings.application,
            on_event=self._heard,
            on_connected=self._joined,
            on_lost=self._lost,
            on_replaced=self._taken_over,
        )
        self.hearing = Hearing(self.client, self.stream, self._deaf)

    async def run(self) -> None:
        """Connect, recover and listen. Returns when another engine took the application over."""
        await self.client.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                stream = tasks.create_task(self.stream.run(), name=f"events of {self.settings.name}")
                beside = [
                    tasks.create_task(self._recover_always(), name=f"recovery of {self.settings.name}"),
                    tasks.create_task(self.hearing.watch(self._is_ready), name=f"hearing of {self.settings.name}"),
                    tasks.create_task(self._report_unreachable(), name=f"watch on {self.settings.name}"),
                    tasks.create_task(self._hang_up_late_legs(), name=f"late legs of {self.settings.name}"),
                    tasks.create_task(self.ears.run(), name=f"ears on {self.settings.name}"),
                ]
                await stream
                for task in beside:
                    task.cancel()
        finally:
            await self.client.close()

    async def perform(self, effect: Effect) -> tuple[ResultKind, str]:
        """Carry out an effect here; once another engine has taken over, nobody is called any more."""
        if self._replaced and effect.kind is EffectClass.IRREVERSIBLE:
            return ResultKind.REFUSED, "another engine has taken the Stasis application over"
        return await self.calls.perform(effect)

    def look_again(self) -> None:
        """What is known of the calls is out of date: recover as after a start."""
        self.trouble = "looking at the calls"
        self._outdated.set()

    # ---- what the stream says ------------------------------------------------------------------------

    def _heard(self, event: AriEvent) -> None:
        self.hearing.came()
        if isinstance(event, PlaybackFinished):
            self.calls.playing.playback_ended(event.playback.id, event.playback.state, event.playback.media_uri)
            return
        if isinstance(event, ChannelDestroyed) and (gone := our_leg(event.channel.id)):
            self.calls.playing.leg_ended(gone)
            self.ears.end(gone)
        if isinstance(event, StasisStart):
            self.ears.entered(event.channel.id)
        if isinstance(event, ChannelTalkingStarted | ChannelTalkingFinished) and self._has_ear(event.channel.id):
            return
        if isinstance(event, StasisStart | ChannelCreated | ChannelStateChange):
            leg = our_leg(event.channel.id)
            if leg and not self._is_live(attempt_of_leg(leg)):
                self._late.put_nowait(leg)
                return
        if told := translated(event):
            self._tell(told)

    def _has_ear(self, channel: str) -> bool:
        """Whether we listen ourselves, and better than talk detection."""
        return self.ears.received_seconds(LegId(channel)) is not None

    def _joined(self) -> None:
        self._tell_joined()
        self._outdated.set()
        self._connected.set()

    def _lost(self, why: str) -> None:
        self._connected.clear()
        self._outdated.set()
        self.trouble = why
        self._figures.event_socket_lost(self.settings.name)
        self._tell(TelephonyLost())

    def _deaf(self, why: str) -> None:
        log.error("asterisk.deaf", node=self.settings.name, why=why)
        self._figures.event_socket_deaf(self.settings.name)
        self._connected.clear()

    def _is_ready(self) -> bool:
        return self.trouble is None

    def _taken_over(self) -> None:
        self._replaced = True
        self.trouble = (
            f"another program uses the Stasis application {self.settings.application!r}; "
            "stop it, or give this engine a name of its own in [[asterisk]] application"
        )
        self._tell(TelephonyLost())
        log.error("asterisk.taken_over", node=self.settings.name, mend=self.trouble)

    async def _report_unreachable(self) -> None:
        """One clear line when Asterisk cannot be reached; `/readyz` keeps saying it."""
        told: str | None = None
        while True:
            await asyncio.sleep(1.0)
            if self._is_away():
                why = await self._why_unreachable()
                if not self._is_away():
                    continue  # it came back while we asked; what is true now is told by the recovery
                self.trouble = why
                if self.trouble != told:
                    log.error("asterisk.unreachable", node=self.settings.name, why=self.trouble)
                told = self.trouble
            else:
                told = None

    def _is_away(self) -> bool:
        return not self.stream.connected and not self._replaced

    async def _why_unreachable(self) -> str:
        url = self.settings.ari_url
        match await self.client.asterisk.ping():
            case Ok():
                return "Asterisk answers, the event socket does not; trying again"
            case Refused(status=401):
                return f"Asterisk at {url} refuses the password of ARI user {self.settings.ari_user!r}: see ari.conf"
            case Refused(status=status):
                return f"{url} answers {status}: is it the address of ARI (http.conf, ari.conf: enabled = yes)?"
            case unknown:
                why = getattr(unknown, "why", "")
                return f"no Asterisk at {url} ({why}): start it, or set ari_url of [[asterisk]] {self.settings.name!r}"

    # ---- recovery ------------------------------------------------------------------------------------

    async def _recover_always(self) -> None:
        while True:
            await self._connected.wait()
            self._outdated.clear()
            try:
                recovered = await self._recover()
            except StoreError as error:
                self.trouble = str(error)
                recovered = False
            except Exception:
                # Without a recovery nothing is dialled; the next try may find Asterisk in a better state.
                log.exception("asterisk.recovery_failed", node=self.settings.name)
                recovered = False
            if self._outdated.is_set():
                continue
            if not recovered:
                await asyncio.sleep(1.0)
                continue
            self.trouble = None
            log.info("asterisk.ready", node=self.settings.name)
            self._figures.recovered(self.settings.name)
            self._tell(TelephonyReady())
            await self._outdated.wait()

    async def _recover(self) -> bool:
        """Subscribe, look, settle, look again, tell. False if Asterisk did not answer on the way."""
        self.calls.forget_subscriptions()
        application = self.settings.application
        filtered = await self.client.applications.set_event_filter(application, allowed=HEARD)
        unregistered = isinstance(filtered, Refused) and filtered.status == 404
        if (isinstance(filtered, Ok) or unregistered) and await self.hearing.drop_if_deaf():
            self._outdated.set()  # nothing is to be tried before the next socket
            return False
        heard = await self.calls.listen_to([self.calls.trunk, *self._endpoints()])
        if isinstance(heard, Refused):
            # An agent's endpoint that does not exist must not keep everybody else from being called.
            heard = await self._listen_to_those_there_are()
        if not isinstance(filtered, Ok) or not isinstance(heard, Ok):
            detail = heard.message if isinstance(heard, Refused) else "no answer"
            trouble = f"cannot listen to {self.calls.trunk}: {detail}; does the endpoint exist (pjsip.conf)?"
            if trouble != self.trouble:
                log.error("asterisk.cannot_listen", node=self.settings.name, why=trouble)
            self.trouble = trouble
            return False
        info = await self.client.asterisk.info()
        if not isinstance(info, Ok) or (first := await self._look()) is None:
            return False
        startup_time = info.value.startup_time.isoformat()
        # Only what no look found is gone: the end of a leg that one of them found is told by its own event.
        channels = dict(first)
        # No call outlives its Asterisk; in one that was not started anew, a leg may just be slow to appear.
        started_anew = self._startup_time is not None and startup_time != self._startup_time
        if not started_anew and any(_gone(attempt, channels) for attempt in self._live()):
            await asyncio.sleep(self.settings.settle_seconds)
        for _ in range(LOOKS_AT_MOVING_CALLS):
            attempts = list(self._live())
            if (now := await self._look()) is None:
                return False
            channels.update(now)
            unsure = [attempt for attempt in attempts if _may_be_bridged(attempt, channels)]
            answers = await asyncio.gather(*(self.calls.is_any_in(each.bridge, _legs(each)) for each in unsure))
            if None in answers:
                return False  # who may be talking is not judged without an answer
            bridged = {attempt.id for attempt, answer in zip(unsure, answers, strict=True) if answer}
            if attempts == list(self._live()):
                break
            # A call went on meanwhile: a look that is older than what we know would undo it.
        for attempt in attempts:
            self._tell_seen(attempt, channels, bridged=attempt.id in bridged)
        self.calls.playing.only_these_are_left(channels)
        await self.ears.only_these_are_left(channels, [attempt.customer_leg for attempt in self._live()])
        await self._hang_up_nobodys(channels)
        if startup_time != self._startup_time:
            # Before anybody is dialled: a later look must not take the new calls for those of an earlier Asterisk.
            await self._started(startup_time)
            self._startup_time = startup_time
        return True

    async def _listen_to_those_there_are(self) -> Result[None]:
        heard = await self.calls.listen_to([self.calls.trunk])
        if not isinstance(heard, Ok):
            return heard
        missing = [
            endpoint for endpoint in self._endpoints() if isinstance(await self.calls.listen_to([endpoint]), Refused)
        ]
        if missing:
            log.error("asterisk.endpoint_unknown", node=self.settings.name, endpoints=missing, mend="see pjsip.conf")
        return heard

    async def _look(self) -> Mapping[str, Channel] | None:
        listed = await self.client.channels.list()
        return {channel.id: channel for channel in listed.value} if isinstance(listed, Ok) else None

    def _tell_seen(self, attempt: Attempt, channels: Mapping[str, Channel], *, bridged: bool) -> None:
        customer = seen(channels.get(attempt.customer_leg))
        agent = seen(channels.get(attempt.agent_leg)) if attempt.agent_legs else LegSeen.GONE
        self._tell(AttemptSeen(attempt.id, customer, agent, bridged))

    async def _hang_up_nobodys(self, channels: Mapping[str, Channel]) -> None:
        """Legs of attempts that are over, and of agents that were given up: before anybody is dialled again."""
        wanted = {leg for attempt in self._live() for leg in _legs(attempt)}
        await self._hang_up_late([leg for leg in map(our_leg, channels) if leg and leg not in wanted])

    async def _hang_up_late_legs(self) -> None:
        while True:
            leg = await self._late.get()
            try:
                await self._hang_up_late([leg])
            except StoreError as error:
                log.warning("leg.unjudged", leg=leg, why=str(error))

    async def _hang_up_late(self, legs: Collection[LegId]) -> None:
        """Those of our own attempts. Others belong to another engine, or to a journal that was replaced by a backup."""
        ours = set(await self._known({attempt_of_leg(leg) for leg in legs})) if legs else set()
        for leg in legs:
            if attempt_of_leg(leg) in ours:
                log.warning("leg.late", leg=leg)
                self._figures.leg_late()
            else:
                log.warning("leg.unknown", leg=leg, mend="its own time limit ends it")
        await asyncio.gather(*(self.calls.hang_up(leg) for leg in legs if attempt_of_leg(leg) in ours))


def _legs(attempt: Attempt) -> tuple[LegId, LegId]:
    return attempt.customer_leg, attempt.agent_leg


def _may_be_bridged(attempt: Attempt, channels: Mapping[str, Channel]) -> bool:
    """Whether the two may talk and nobody has written it down: we died, or heard nothing, while we bridged them."""
    undecided = attempt.bridging_at is not None and attempt.bridged_at is None
    return undecided and any(leg in channels for leg in _legs(attempt))


def _gone(attempt: Attempt, channels: Mapping[str, Channel]) -> bool:
    """Whether a leg that should be there is not; somebody may just be slow to appear."""
    rung_first = attempt.agent_legs > 0 and attempt.confirmed_at is None
    agent_expected = rung_first or attempt.bridging_at is not None
    customer_gone = attempt.dialed_at is not None and attempt.customer_leg not in channels
    return customer_gone or (agent_expected and attempt.agent_leg not in channels)
