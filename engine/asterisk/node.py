"""One Asterisk: its client, its event socket, its calls, and how it stands.

After each connection of the event socket the node makes sure that it hears, recovers (recovery.py), and only then says
that telephony is ready. Of channels without a name of ours only those matter that ring in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from engine.asterisk.ari import AriClient, EventStream, Ok, Refused
from engine.asterisk.ari.events import (
    AriEvent,
    ChannelCreated,
    ChannelDestroyed,
    ChannelStateChange,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    PlaybackFinished,
    StasisEnd,
    StasisStart,
)
from engine.asterisk.ari.snapshots import Channel
from engine.asterisk.calls import Calls
from engine.asterisk.ear import Ears, EarSettings
from engine.asterisk.hearing import Hearing
from engine.asterisk.playing import Prompts
from engine.asterisk.recovery import Journalled, Recovery
from engine.asterisk.translation import (
    DESK,
    INBOUND,
    caller_id_of,
    endpoint_of,
    is_local,
    our_leg,
    replaced_leg,
    translated,
)
from engine.core.effects import Effect, EffectClass
from engine.core.events import (
    CallerEntered,
    DeskPhoneEntered,
    Event,
    LegEnded,
    NewNumber,
    ResultKind,
    TelephonyLost,
    TelephonyReady,
)
from engine.core.records import attempt_of_leg
from engine.core.terms import LegId
from engine.errors import StoreError
from engine.metrics import Metrics

log = structlog.get_logger()

MIN_VERSION = (22, 7)


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

    `identify`: the number of somebody who rings in, by what they dialled and their caller id; None if there is none
    that we could call. `owns`: whether a leg that Asterisk named is one of ours. `startup_time`: when this Asterisk had
    been started as far as was known before.
    """

    def __init__(
        self,
        settings: NodeSettings,
        prompts: Prompts,
        tell: Callable[[Event], None],
        *,
        journalled: Journalled,
        identify: Callable[[str, str], NewNumber | None] = lambda _dialled, _caller: None,
        owns: Callable[[LegId], bool] = lambda _leg: False,
        startup_time: str | None,
        figures: Metrics,
        joined: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.client = AriClient(settings.ari_url, settings.ari_user, settings.ari_password, observe=figures.ari_request)
        self.ears = Ears(settings.ear, self.client, settings.application, tell, figures)
        self.calls = Calls(self.client, settings.application, settings.customer_endpoint, prompts, tell, self.ears)
        self.trouble: str | None = "not connected yet"
        self._tell = tell
        self._is_live = journalled.is_live
        self._identify = identify
        self._owns = owns
        self._callers: set[str] = set()
        self._in_menu: set[str] = set()
        self._halves: set[str] = set()
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
        self.recovery = Recovery(
            settings.application,
            self.client,
            self.calls,
            self.ears,
            journalled,
            tell,
            rings_in=self._rings_in,
            stands_in=self._halves.add,
            dials_menu=self._dials_menu,
            startup_time=startup_time,
            settle_seconds=settings.settle_seconds,
            figures=figures,
        )

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
        if isinstance(event, ChannelDestroyed) and (gone := self._leg_of(event.channel.id)):
            self.calls.playing.leg_ended(gone)
            self.ears.end(gone)
        if isinstance(event, StasisStart):
            if replaced_leg(event, self._leg_of) is not None:
                self._halves.add(event.channel.id)  # its answer may be told before anybody has decided
            self.ears.entered(event.channel.id)
            if event.args[:1] == (INBOUND,):
                self.calls.playing.leg_begins(LegId(event.channel.id))
                self._rings_in(event.channel, event.args[1] if len(event.args) > 1 else "")
                return
            if event.args == (DESK,):
                self.calls.playing.leg_begins(LegId(event.channel.id))
                self._dials_menu(event.channel)
                return
        if isinstance(event, ChannelTalkingStarted | ChannelTalkingFinished) and self._has_ear(event.channel.id):
            return
        if isinstance(event, StasisStart | ChannelCreated | ChannelStateChange):
            leg = our_leg(event.channel.id)
            if leg and not self._is_live(attempt_of_leg(leg)):
                self._late.put_nowait(leg)
                return
        if told := translated(event, self._leg_of):
            self._tell(told)
        if isinstance(event, StasisEnd) and event.channel.id in self._in_menu | self._halves:
            # Nobody asked to hear of it otherwise: of the end of its call this is all that is told.
            self._tell(LegEnded(LegId(event.channel.id)))
        if isinstance(event, ChannelDestroyed | StasisEnd):
            self._in_menu.discard(event.channel.id)
            self._halves.discard(event.channel.id)
        if isinstance(event, ChannelDestroyed):
            self._callers.discard(event.channel.id)

    def _leg_of(self, channel: str) -> LegId | None:
        """The leg that a channel is, if it is one of ours or a caller's."""
        if (ours := our_leg(channel)) is not None:
            return ours
        known = channel in self._callers or channel in self._halves
        return LegId(channel) if known or self._owns(LegId(channel)) else None

    def _rings_in(self, channel: Channel, dialled: str) -> None:
        """Somebody who rings in; told again, it is no news. Whom a phone of ours sends here was a call of ours."""
        if is_local(channel):
            self._late.put_nowait(LegId(channel.id))
            return
        self._callers.add(channel.id)
        try:
            number = self._identify(dialled, channel.caller.number)
        except Exception:
            # Whoever cannot be told from their number is taken in like those who show none.
            log.exception("caller.not_identified", leg=channel.id)
            number = None
        self._tell(CallerEntered(caller_id_of(channel.id), LegId(channel.id), dialled, number))

    def _dials_menu(self, channel: Channel) -> None:
        """An agent's phone that has dialled the menu; told again, it is no news. Nobody is transferred to it."""
        if is_local(channel):
            self._late.put_nowait(LegId(channel.id))
            return
        self._callers.add(channel.id)
        self._in_menu.add(channel.id)
        self._tell(DeskPhoneEntered(caller_id_of(channel.id), LegId(channel.id), endpoint_of(channel)))

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

    async def _recover(self) -> bool:
        """Make sure that we hear, then compare. False if Asterisk did not answer on the way."""
        filtered = await self.recovery.filter_events()
        unregistered = isinstance(filtered, Refused) and filtered.status == 404
        if (isinstance(filtered, Ok) or unregistered) and await self.hearing.drop_if_deaf():
            self._outdated.set()  # nothing is to be tried before the next socket
            return False
        if not await self.recovery.listen() or not isinstance(filtered, Ok):
            trouble = self.recovery.cannot_listen or "Asterisk does not take the filter of events; trying again"
            if trouble != self.trouble:
                log.error("asterisk.cannot_listen", node=self.settings.name, why=trouble)
            self.trouble = trouble
            return False
        return await self.recovery.compare()

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

    async def _hang_up_late_legs(self) -> None:
        while True:
            leg = await self._late.get()
            if our_leg(leg) is None:
                log.warning("leg.turned_away", leg=leg, why="a customer was transferred to a number of ours")
                await self.calls.hang_up(leg)
                continue
            try:
                await self.recovery.hang_up_late([leg])
            except StoreError as error:
                log.warning("leg.unjudged", leg=leg, why=str(error))
