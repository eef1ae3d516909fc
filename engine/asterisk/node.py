"""One Asterisk: its client, its event socket, its calls, and how it stands.

After each connection of the event socket the node asks to hear its endpoints, looks twice at what runs there, tells the
core what is left of each live attempt, hangs up legs whose attempt is over, and only then says that telephony is ready.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog

from engine.asterisk.ari import AriClient, EventStream, Ok, Refused, Result
from engine.asterisk.ari.events import (
    AriEvent,
    ChannelCreated,
    ChannelDestroyed,
    ChannelStateChange,
    PlaybackFinished,
    StasisStart,
)
from engine.asterisk.ari.snapshots import Channel
from engine.asterisk.calls import Calls
from engine.asterisk.playing import Prompts
from engine.asterisk.translation import our_leg, seen, translated
from engine.core.effects import Effect
from engine.core.events import AttemptSeen, Event, LegSeen, ResultKind, TelephonyLost, TelephonyReady
from engine.core.model import Attempt, AttemptId, LegId, attempt_of_leg

log = structlog.get_logger()

HEARD = (
    "StasisStart",
    "StasisEnd",
    "ChannelCreated",
    "ChannelStateChange",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelLeftBridge",
    "PlaybackFinished",
    "ApplicationReplaced",
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


class AsteriskNode:
    """Started with `run`, which ends only when it is cancelled or its application was taken over."""

    def __init__(
        self,
        settings: NodeSettings,
        prompts: Prompts,
        tell: Callable[[Event], None],
        *,
        live: Callable[[], Iterable[Attempt]],
        is_live: Callable[[AttemptId], bool],
        endpoints: Callable[[], Iterable[str]],
        observe: Callable[[str, str], None] = lambda _operation, _result: None,
        joined: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.client = AriClient(settings.ari_url, settings.ari_user, settings.ari_password, observe=observe)
        self.calls = Calls(self.client, settings.application, settings.customer_endpoint, prompts, tell)
        self.trouble: str | None = "not connected yet"
        self._tell = tell
        self._live = live
        self._is_live = is_live
        self._endpoints = endpoints
        self._tell_joined = joined
        self._connected = asyncio.Event()
        self._down = asyncio.Event()
        self._connections = 0
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

    async def run(self) -> None:
        """Connect, recover and listen. Returns when another engine took the application over."""
        await self.client.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                stream = tasks.create_task(self.stream.run(), name=f"events of {self.settings.name}")
                beside = [
                    tasks.create_task(self._recover_always(), name=f"recovery of {self.settings.name}"),
                    tasks.create_task(self._report_unreachable(), name=f"watch on {self.settings.name}"),
                    tasks.create_task(self._hang_up_late_legs(), name=f"late legs of {self.settings.name}"),
                ]
                await stream
                for task in beside:
                    task.cancel()
        finally:
            await self.client.close()

    async def perform(self, effect: Effect) -> tuple[ResultKind, str]:
        """Carry out an effect here."""
        return await self.calls.perform(effect)

    # ---- what the stream says ------------------------------------------------------------------------

    def _heard(self, event: AriEvent) -> None:
        if isinstance(event, PlaybackFinished):
            self.calls.playing.playback_ended(event.playback.id, event.playback.state, event.playback.media_uri)
            return
        if isinstance(event, ChannelDestroyed) and (gone := our_leg(event.channel.id)):
            self.calls.playing.leg_ended(gone)
        if isinstance(event, StasisStart | ChannelCreated | ChannelStateChange):
            leg = our_leg(event.channel.id)
            if leg and not self._is_live(attempt_of_leg(leg)):
                self._late.put_nowait(leg)
                return
        if told := translated(event):
            self._tell(told)

    def _joined(self) -> None:
        self._connections += 1
        self._tell_joined()
        self._down.clear()
        self._connected.set()

    def _lost(self, why: str) -> None:
        self._connected.clear()
        self._down.set()
        self.trouble = why
        self._tell(TelephonyLost())

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
            connection = self._connections
            try:
                recovered = await self._recover()
            except Exception:
                # Without a recovery nothing is dialled; the next try may find Asterisk in a better state.
                log.exception("asterisk.recovery_failed", node=self.settings.name)
                recovered = False
            if not recovered or connection != self._connections or self._down.is_set():
                await asyncio.sleep(1.0)
                continue
            self.trouble = None
            log.info("asterisk.ready", node=self.settings.name)
            self._tell(TelephonyReady())
            await self._down.wait()

    async def _recover(self) -> bool:
        """Subscribe, look, settle, look again, tell. False if Asterisk did not answer on the way."""
        self.calls.forget_subscriptions()
        application = self.settings.application
        filtered = await self.client.applications.set_event_filter(application, allowed=HEARD)
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
        if (first := await self._look()) is None:
            return False
        # Only what no look found is gone: the end of a leg that one of them found is told by its own event.
        channels = dict(first)
        if any(_gone(attempt, channels) for attempt in self._live()):
            await asyncio.sleep(self.settings.settle_seconds)
        for _ in range(LOOKS_AT_MOVING_CALLS):
            attempts = list(self._live())
            if (now := await self._look()) is None:
                return False
            channels.update(now)
            bridged = {attempt.id for attempt in attempts if await self._is_bridged(attempt, channels)}
            if attempts == list(self._live()):
                break
            # A call went on meanwhile: a look that is older than what we know would undo it.
        for attempt in attempts:
            self._tell_seen(attempt, channels, bridged=attempt.id in bridged)
        self.calls.playing.only_these_are_left(channels)
        await self._hang_up_nobodys(channels)
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

    async def _is_bridged(self, attempt: Attempt, channels: Mapping[str, Channel]) -> bool:
        """Whether two people talk whom nobody has written down as connected: we died just after we bridged them."""
        legs = (attempt.customer_leg, attempt.agent_leg)
        if not attempt.agent_legs or attempt.bridged_at is not None or not set(legs) <= set(channels):
            return False
        return await self.calls.are_together(attempt.bridge, legs)

    def _tell_seen(self, attempt: Attempt, channels: Mapping[str, Channel], *, bridged: bool) -> None:
        customer = seen(channels.get(attempt.customer_leg))
        agent = seen(channels.get(attempt.agent_leg)) if attempt.agent_legs else LegSeen.GONE
        log.info("attempt.recovered", attempt=attempt.id, customer=customer, agent=agent, bridged=bridged)
        self._tell(AttemptSeen(attempt.id, customer, agent, bridged))

    async def _hang_up_nobodys(self, channels: Mapping[str, Channel]) -> None:
        """Legs of attempts that are over, and of agents that were given up: before anybody is dialled again."""
        wanted = {leg for attempt in self._live() for leg in (attempt.customer_leg, attempt.agent_leg)}
        legs = [leg for leg in map(our_leg, channels) if leg and leg not in wanted]
        for leg in legs:
            log.warning("leg.late", leg=leg)
        await asyncio.gather(*(self.calls.hang_up(leg) for leg in legs))

    async def _hang_up_late_legs(self) -> None:
        while True:
            leg = await self._late.get()
            log.warning("leg.late", leg=leg)
            await self.calls.hang_up(leg)


def _gone(attempt: Attempt, channels: Mapping[str, Channel]) -> bool:
    """Whether a leg that should be there is not; somebody may just be slow to appear."""
    agent_expected = attempt.bridged_at is not None
    return attempt.customer_leg not in channels or (agent_expected and attempt.agent_leg not in channels)
