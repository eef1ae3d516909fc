"""The switchboard: hands each event to the part that owns that state, then asks who can be served now.

`handle(event, now)` is the only way in; its Decision says what to write down, what to do, and what to answer whoever
asked. It never waits, never reads a clock and never talks to the outside. The same events at the same times give the
same decisions.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.core import switchboard
from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.changes import CallbackChanged
from engine.core.decision import Accepted, Decision, Recovered, Reply, Snapshot
from engine.core.deskphones import DeskPhones
from engine.core.events import (
    AttemptLetGo,
    AttemptSeen,
    AudioNews,
    CallbackRequested,
    CallerEntered,
    CancelRequested,
    ConfigurationApplied,
    DeskPhoneEntered,
    EffectEnded,
    Event,
    InteractionEndRequested,
    InteractionRequested,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegHeld,
    LegReplaced,
    LegRinging,
    LegUnheld,
    MoveRequested,
    NumberChecked,
    PauseRequested,
    PhoneChanged,
    PhonesSeen,
    PhonesUnknown,
    PlayingFinished,
    PresenceRequested,
    PreviewRescheduled,
    ResumeRequested,
    SlotCapacityRequested,
    StopRequested,
    SuppressRequested,
    TelephonyLost,
    TelephonyReady,
    TimerFired,
    UnsuppressRequested,
    WorkAccepted,
    WorkCompleted,
    WorkRejected,
)
from engine.core.explain_now import Explaining
from engine.core.lifecycle import Because, can
from engine.core.reconfiguring import Reconfiguring
from engine.core.records import AgentStatus, Callback, Interaction, attempt_of_leg, customer_leg_of
from engine.core.switchboard import EXCLUSION, PACE, RONA_RETURN, WRAP_UP
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    CallbackState,
    InteractionId,
    LegId,
    Presence,
    Stage,
)
from engine.core.values import replace

ENDS_WITH_ITS_LIFE = (
    CallbackState.SCHEDULED,
    CallbackState.QUEUED,
    CallbackState.RETRY_WAIT,
    CallbackState.PREVIEWING,
)
"""A callback in one of these states is not called any more when its life is over; a call that is up goes on."""
TIMED_UNHEARD = ("ring", "silent")
"""The timers of an attempt that fire also while Asterisk cannot be heard."""


class Dispatcher(Reconfiguring, DeskPhones, Explaining):
    """All decisions. Build it from a Snapshot; an empty one is a new installation."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self._held: list[tuple[float, str, str]] = []

    # ---- the way in ----------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> Decision:
        """Decide on one event. Raises only for defects; refusals are replies."""
        self._route(event, now)
        if not self._stopping:
            self._dial_previewed(now)
            self._match(now)
        decision, self._decision = self._decision, Decision()
        if decision.reply is not None:
            decision.reply = self._as_it_stands(decision)
        return decision

    def _route(self, event: Event, now: float) -> None:
        match event:
            case TimerFired(owner=owner, name=name):
                self._timer(owner, name, now)
            case PresenceRequested():
                self._set_presence(event, now)
            case EffectEnded(effect=effect):
                self._to_flow(effect.attempt, event, now)
            case (
                LegRinging()
                | LegAnswered()
                | LegEntered()
                | LegEnded()
                | LegHeld()
                | LegUnheld()
                | KeyPressed()
                | PlayingFinished()
                | NumberChecked()
            ):
                self._to_flow(self._owner_of(event.leg), event, now)
            case LegReplaced():
                self._leg_replaced(event, now)
            case _ if isinstance(event, AudioNews):
                self._to_flow(attempt_of_leg(event.leg), event, now)
            case CallerEntered():
                self._caller_entered(event, now)
            case DeskPhoneEntered():
                self._desk_phone_entered(event, now)
            case CallbackRequested():
                self._requested(event, now)
            case CancelRequested():
                self._cancel(event, now)
            case MoveRequested():
                self._move(event, now)
            case WorkAccepted():
                self._accept_work(event, now)
            case WorkRejected():
                self._reject_work(event, now)
            case PreviewRescheduled():
                self._reschedule_preview(event, now)
            case WorkCompleted():
                self._complete_work(event, now)
            case InteractionRequested():
                self._request_interaction(event, now)
            case InteractionEndRequested():
                self._interaction_ended_outside(event, now)
            case SuppressRequested():
                self._suppress(event, now)
            case UnsuppressRequested():
                self._unsuppress(event)
            case PauseRequested(service=service):
                self._pause(service, now)
            case ResumeRequested(service=service):
                self._resume(service, now)
            case SlotCapacityRequested():
                self._set_slot_capacity(event, now)
            case ConfigurationApplied():
                self._configure(event, now)
            case StopRequested():
                self._stopping = True
                for flow in self._flows_in_order():
                    self._apply(flow, flow.end_politely(now), now)
                for caller in self._callers_in_order():
                    self._apply(caller, caller.end_politely(now), now)
            case TelephonyLost():
                self._set_telephony(heard=False, now=now)
            case TelephonyReady():
                self._set_telephony(heard=True, now=now)
            case PhoneChanged(endpoint=endpoint, state=state):
                self.desks.note_phone(endpoint, state)
            case PhonesSeen(states=states):
                self.desks.see_phones(states)
            case PhonesUnknown():
                self.desks.see_phones({})
            case AttemptSeen(attempt=attempt):
                if flow_seen := self._flows.get(attempt) or self._callers.get(attempt):
                    phase = flow_seen.phase
                    step, recovery = flow_seen.resume(event, now)
                    self._apply(flow_seen, step, now)
                    self._decision.reply = Recovered(attempt, phase, recovery)
            case AttemptLetGo(attempt=attempt):
                if flow_let_go := self._flows.get(attempt) or self._callers.get(attempt):
                    self._apply(flow_let_go, flow_let_go.let_go(now), now)

    def _as_it_stands(self, decision: Decision) -> Reply | None:
        """The reply, as all that was decided leaves it: an accepted request may be served in the same moment."""
        match decision.reply:
            case Accepted(callback=callback):
                rows = [each.callback for each in decision.changes if isinstance(each, CallbackChanged)]
                last = [each for each in rows if each.id == callback.id][-1:]
                return Accepted(last[0] if last else callback, self.line.position(callback.id))
            case Interaction(id=id_):
                return self.interactions.get(id_, decision.reply)
            case AgentStatus(id=agent):
                return self.desks.status(agent)
            case reply:
                return reply

    # ---- what others may look at ---------------------------------------------------------------------

    def live(self) -> Iterable[CallFlow]:
        """The attempts that are not over."""
        return self._flows.values()

    def callers(self) -> Iterable[CallerFlow]:
        """The calls that came in and are not over."""
        return self._callers.values()

    def calls(self) -> Iterable[CallFlow | CallerFlow]:
        """Both."""
        yield from self._flows.values()
        yield from self._callers.values()

    def is_live(self, attempt: AttemptId) -> bool:
        return attempt in self._flows or attempt in self._callers or attempt in self._menus

    def owns(self, leg: LegId) -> bool:
        """Whether a leg that Asterisk named belongs to a call of ours."""
        return leg in self._leg_owners

    def customer_leg(self, call: AttemptId) -> LegId:
        """The leg to the customer of an attempt, or to somebody who rang in."""
        caller = self._callers.get(call)
        return customer_leg_of(call) if caller is None else caller.inbound.leg

    def _owner_of(self, leg: LegId) -> AttemptId:
        return self._leg_owners.get(leg) or attempt_of_leg(leg)

    # ---- agents --------------------------------------------------------------------------------------

    def _set_presence(self, event: PresenceRequested, now: float) -> None:
        status = self.desks.status(event.agent)
        if status is None or self.desks.agent(event.agent) is None:
            self._refuse("not-found", f"there is no agent {event.agent!r}")
            return
        if event.reason is not None and not self.configuration.knows_reason(event.reason):
            known = ", ".join(self.configuration.reason_ids())
            self._refuse("unknown-reason", f"there is no reason {event.reason!r}; the reasons are {known}")
            return
        self._write(self.timers.clear(event.agent, RONA_RETURN))
        self._write(self.desks.set_presence(event.agent, event.presence, event.reason, "asked", now))
        if status.work is not None:
            if status.work.stage is Stage.WRAP_UP and event.presence is Presence.READY:
                self._end_wrap_up(event.agent, status.work.id, "ready", now)
            elif event.presence is not Presence.READY and status.work.stage in (Stage.RESERVED, Stage.RINGING):
                call = status.work.attempt
                reserved_for = self._flows.get(call) or self._callers.get(call)
                if reserved_for is not None:
                    self._apply(reserved_for, reserved_for.withdraw_agent(now), now)
        if event.presence is not Presence.READY:
            self._withdraw_offers(event.agent, now)
        self._decision.reply = self.desks.status(event.agent)

    # ---- time ----------------------------------------------------------------------------------------

    def _set_telephony(self, *, heard: bool, now: float) -> None:
        self._telephony = heard
        if not heard:
            self._excused |= set(self._asked)
        self.line.let_anybody_speak(may=heard)
        for flow in self._flows.values():
            flow.heard = heard
        for caller in self._callers.values():
            caller.heard = heard
        if heard:
            held, self._held = self._held, []
            for _due_at, owner, name in sorted(held):
                self._timer(owner, name, now)

    def _timer(self, owner: str, name: str, now: float) -> None:
        if not self.timers.due(owner, name, now):
            return
        flow = self._flows.get(AttemptId(owner)) or self._callers.get(AttemptId(owner))
        if flow is not None and not self._telephony and name not in TIMED_UNHEARD:
            # What became of a call that cannot be heard is not known: nothing may be concluded from silence.
            self._held.append((now, owner, name))
            return
        self._write(self.timers.clear(owner, name))
        if owner in self._menus:
            self._menu_timer(AttemptId(owner), now)
        elif isinstance(flow, CallerFlow) and name == switchboard.WIDEN:
            self._widen_caller(flow, now)
        elif flow is not None:
            self._apply(flow, flow.timer(name, now), now)
        elif name == PACE:
            self._pace_timer(owner, now)
        elif callback := self.book.get(CallbackId(owner)):
            self._callback_timer(callback, name, now)
        elif interaction := self.interactions.get(InteractionId(owner)):
            self._interaction_timer(interaction, name, now)
        elif status := self.desks.status(AgentId(owner)):
            if name == WRAP_UP and status.work is not None and status.work.stage is Stage.WRAP_UP:
                self._end_wrap_up(status.id, status.work.id, "wrap_up_over", now)
            elif name == RONA_RETURN and status.presence is Presence.NOT_READY:
                self._write(self.desks.set_presence(status.id, Presence.READY, None, RONA_RETURN, now))

    def _callback_timer(self, callback: Callback, name: str, now: float) -> None:
        match name:
            case _ if callback.state in ENDS_WITH_ITS_LIFE and (
                name == switchboard.LIFE or self.timers.due(callback.id, switchboard.LIFE, now)
            ):
                # After a clock that leapt something else may have fallen due before the life, and fires first.
                self._end(callback, Because.LIFE_OVER, now)
            case switchboard.RETRY if can(callback.state, Because.RETRY_DUE):
                self._retry(callback, now)
            case switchboard.SLOT if callback.state is CallbackState.SCHEDULED:
                self._slot_starts(callback, now)
            case switchboard.WIDEN:
                self._widen(callback, now)
            case switchboard.PERMITTED if self.line.is_parked(callback.id):
                self._join(callback)
            case switchboard.PREVIEW if callback.state is CallbackState.PREVIEWING:
                self._preview_timer(callback, now)
            case _ if name.startswith(EXCLUSION):
                self._no_longer_excluded(callback, AgentId(name.removeprefix(EXCLUSION)))

    def _retry(self, callback: Callback, now: float) -> None:
        """Back into the line; later, if hours, window or limits have changed so that they forbid the time promised."""
        at = self._permitted_in_its_life(
            callback, now if callback.next_attempt_at is None else callback.next_attempt_at
        )
        if at is None:
            self._end(callback, Because.NO_PERMITTED_TIME, now)
        elif at > now:
            self._write(self.book.keep(replace(callback, next_attempt_at=at)))
            self._write(self.timers.set(callback.id, switchboard.RETRY, at))
        else:
            self._write(self.book.move(replace(callback, next_attempt_at=None), Because.RETRY_DUE, now))
            self._join(callback)

    def _widen(self, callback: Callback, now: float) -> None:
        """Every step of the expansion counts that is due; the place stays."""
        widened = replace(callback, widened=self._needs.widened_at(callback, now))
        self._write(self.book.keep(widened))
        self._widen_in_time(widened)
        self._rejoin(widened)
