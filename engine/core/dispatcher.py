"""The switchboard: hands each event to the part that owns that state, then asks who can be served now.

`handle(event, now)` is the only way in; its Decision says what to write down, what to do, and what to answer whoever
asked. It never waits, never reads a clock and never talks to the outside. The same events at the same times give the
same decisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.core.admission import Admission
from engine.core.callflow import CallFlow
from engine.core.calling import Calling
from engine.core.changes import ConfigurationKept
from engine.core.decision import Accepted, Decision, Recovered, Snapshot
from engine.core.events import (
    AttemptLetGo,
    AttemptSeen,
    CallbackRequested,
    CancelRequested,
    ConfigurationApplied,
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    PlayingFinished,
    PresenceRequested,
    StopRequested,
    TelephonyLost,
    TelephonyReady,
    TimerFired,
)
from engine.core.lifecycle import Because, can
from engine.core.model import AgentId, AttemptId, Callback, CallbackId, CallbackState, Presence, Stage, attempt_of_leg
from engine.core.needs import Needs
from engine.core.switchboard import LIFE, RETRY, RONA_RETURN, WIDEN, WRAP_UP

TIMED_UNHEARD = ("ring", "silent")
"""The timers of an attempt that fire also while Asterisk cannot be heard."""


class Dispatcher(Admission, Calling):
    """All decisions. Build it from a Snapshot; an empty one is a new installation."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._stopping = False
        self._telephony = True
        self._held: list[tuple[float, str, str]] = []

    # ---- the way in ----------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> Decision:
        """Decide on one event. Raises only for defects; refusals are replies."""
        match event:
            case CallbackRequested():
                self._requested(event, now)
            case CancelRequested():
                self._cancel(event, now)
            case PresenceRequested():
                self._set_presence(event, now)
            case ConfigurationApplied():
                self._configure(event, now)
            case StopRequested():
                self._stopping = True
                for flow in list(self._flows.values()):
                    self._apply(flow, flow.end_politely(now), now)
            case TelephonyLost():
                self._set_telephony(heard=False, now=now)
            case TelephonyReady():
                self._set_telephony(heard=True, now=now)
            case TimerFired(owner=owner, name=name):
                self._timer(owner, name, now)
            case AttemptSeen(attempt=attempt, customer=customer, agent=agent, bridged=bridged):
                if flow_seen := self._flows.get(attempt):
                    phase = flow_seen.phase
                    step, recovery = flow_seen.resume(customer, agent, now, bridged=bridged)
                    self._apply(flow_seen, step, now)
                    self._decision.reply = Recovered(attempt, phase, recovery)
            case AttemptLetGo(attempt=attempt):
                if flow_let_go := self._flows.get(attempt):
                    self._apply(flow_let_go, flow_let_go.let_go(now), now)
            case EffectEnded(effect=effect):
                self._to_flow(effect.attempt, event, now)
            case LegRinging() | LegAnswered() | LegEntered() | LegEnded() | KeyPressed() | PlayingFinished():
                self._to_flow(attempt_of_leg(event.leg), event, now)
        if self._telephony and not self._stopping:
            self._match(now)
        decision, self._decision = self._decision, Decision()
        if isinstance(decision.reply, Accepted):
            decision.reply = self._as_it_stands(decision.reply.callback)
        return decision

    def _as_it_stands(self, callback: Callback) -> Accepted:
        """An accepted request may be served in the same moment."""
        now_open = self.book.get(callback.id)
        return Accepted(now_open or callback, self.line.position(callback.id))

    # ---- what others may look at ---------------------------------------------------------------------

    def live(self) -> Iterable[CallFlow]:
        """The attempts that are not over."""
        return self._flows.values()

    def is_live(self, attempt: AttemptId) -> bool:
        return attempt in self._flows

    # ---- agents and configuration --------------------------------------------------------------------

    def _set_presence(self, event: PresenceRequested, now: float) -> None:
        status = self.desks.status(event.agent)
        if status is None or self.desks.agent(event.agent) is None:
            self._refuse("not-found", f"there is no agent {event.agent!r}")
            return
        self._write(self.timers.clear(event.agent, RONA_RETURN))
        self._write(self.desks.set_presence(event.agent, event.presence, event.reason, "asked", now))
        if status.work is not None:
            if status.work.stage is Stage.WRAP_UP and event.presence is Presence.READY:
                self._end_wrap_up(event.agent, status.work.id, "ready", now)
            elif status.work.stage is Stage.RESERVED and event.presence is not Presence.READY:
                flow = self._flows[status.work.attempt]
                self._apply(flow, flow.withdraw_agent(now), now)
        self._decision.reply = self.desks.status(event.agent)

    def _configure(self, event: ConfigurationApplied, now: float) -> None:
        used = [
            service
            for service in self.configuration.services
            if service not in event.configuration.services and self.book.uses(service)
        ]
        if used:
            self._refuse("service-in-use", f"service {used[0]!r} has open callbacks; cancel them first")
            return
        version = self.configuration.version + 1
        self.configuration = replace(event.configuration, version=version)
        self._write([ConfigurationKept(version, event.document, now)])
        self._write(self.desks.configure(self.configuration.agents, now))
        for flow in list(self._flows.values()):
            if flow.agent is not None and self.desks.agent(flow.agent) is None:
                self._apply(flow, flow.withdraw_agent(now), now)
        self._needs = Needs(self.configuration.services)
        self._matching.configured()
        for callback in self.book:
            self._widen_in_time(callback)
            if callback.id in self.line:
                self._join(callback, on_the_phone=callback.state is CallbackState.CONFIRMED)
        self._decision.reply = self.configuration

    # ---- time ----------------------------------------------------------------------------------------

    def _set_telephony(self, *, heard: bool, now: float) -> None:
        self._telephony = heard
        for flow in self._flows.values():
            flow.heard = heard
        if heard:
            held, self._held = self._held, []
            for _due_at, owner, name in sorted(held):
                self._timer(owner, name, now)

    def _timer(self, owner: str, name: str, now: float) -> None:
        if not self.timers.due(owner, name, now):
            return
        flow = self._flows.get(AttemptId(owner))
        if flow is not None and not self._telephony and name not in TIMED_UNHEARD:
            # What became of a call that cannot be heard is not known: nothing may be concluded from silence.
            self._held.append((now, owner, name))
            return
        self._write(self.timers.clear(owner, name))
        if flow is not None:
            self._apply(flow, flow.timer(name, now), now)
        elif callback := self.book.get(CallbackId(owner)):
            if name == RETRY and can(callback.state, Because.RETRY_DUE):
                self._write(self.book.move(replace(callback, next_attempt_at=None), Because.RETRY_DUE, now))
                self._join(callback)
            elif name == WIDEN:
                self._widen(callback)
            elif name == LIFE and callback.state in (CallbackState.QUEUED, CallbackState.RETRY_WAIT):
                self._end(callback, Because.LIFE_OVER, now)
        elif status := self.desks.status(AgentId(owner)):
            if name == WRAP_UP and status.work is not None and status.work.stage is Stage.WRAP_UP:
                self._write(self.desks.release(status.id, status.work.id, "wrap_up_over", now))
            elif name == RONA_RETURN and status.presence is Presence.NOT_READY:
                self._write(self.desks.set_presence(status.id, Presence.READY, None, RONA_RETURN, now))

    def _widen(self, callback: Callback) -> None:
        """The next step of the expansion counts from now on; the place stays."""
        widened = replace(callback, widened=callback.widened + 1)
        self._write(self.book.keep(widened))
        self._widen_in_time(widened)
        if callback.id in self.line:
            self._join(widened, on_the_phone=widened.state is CallbackState.CONFIRMED)
