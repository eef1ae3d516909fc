"""Decides on calls that come in: who is taken into the line, in whose place, and what becomes of their callbacks.

A caller's place is that of their call, or of the callback they had asked for: nobody loses by ringing in. A callback of
a number that is on the phone with us is not called; it ends when the two talk, and waits on if they do not. Which keys
mean what stands in callermenu.py.
"""

from __future__ import annotations

from engine.core.callerends import Admittance
from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.callphase import Phase, Step
from engine.core.changes import InboundChanged
from engine.core.configuration import Agent, Service
from engine.core.effects import Release, Voice
from engine.core.events import CallerEntered
from engine.core.facts import (
    AgentWanted,
    Bridged,
    CallerGone,
    Closing,
    Fact,
    Finished,
    NobodyAnswered,
    SteppedAside,
)
from engine.core.lifecycle import Because, can
from engine.core.line import Place
from engine.core.promising import Promising
from engine.core.records import Callback, InboundCall, Work
from engine.core.switchboard import WIDEN
from engine.core.terms import (
    CallbackState,
    InboundOutcome,
    Reason,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.values import replace

_RUNG = (CallbackState.RESERVED, CallbackState.RINGING_AGENT, CallbackState.DIALING)
"""We are calling, and they have not answered."""
_WAITS = (CallbackState.QUEUED, CallbackState.RETRY_WAIT, CallbackState.PREVIEWING, *_RUNG)
"""A place in the line, which the customer keeps who rings in meanwhile."""


class Receiving(Promising):
    """The callers' side of the switchboard."""

    # ---- who rings in -----------------------------------------------------------------------------------

    def _caller_entered(self, event: CallerEntered, now: float) -> None:
        if event.call in self._callers:
            return
        service = self.service_dialled(event.dialled)
        number = event.number
        call = InboundCall(
            id=event.call,
            leg=event.leg,
            service=ServiceId("") if service is None else service.id,
            dialled=event.dialled,
            language="" if service is None else service.languages[0],
            entered_at=now,
            phone=None if number is None else number.phone,
            zones=() if number is None else number.zones,
        )
        if service is None or service.inbound is None:
            self._write([InboundChanged(replace(call, outcome=InboundOutcome.REFUSED, ended_at=now))])
            self._decision.effects.append(Release(call.id, call.leg, (), Voice(call.service, call.language)))
            return
        admittance = self._admittance(call, service, now)
        if admittance is Admittance.JOINS:
            call = self._placed(call, service, now)
        flow = self._receive(call, service, None)
        if admittance is Admittance.JOINS:
            place = self._place_of_caller(call)
            self.waits.tell(place, self.waits.of_new(place), now)
            self._join_caller(call)
            self._widen_caller_in_time(call)
        self._apply(flow, flow.start(admittance, now), now)

    def service_dialled(self, dialled: str) -> Service | None:
        """Whose number it is; else the only service that takes what no other takes."""
        return self._dialled.service_of(dialled)

    def _admittance(self, call: InboundCall, service: Service, now: float) -> Admittance:
        calendar = self._calendar_of(service)
        if calendar is not None and not self.openings.of(calendar, now).open:
            return Admittance.CLOSED
        is_full = self.line.waiting(service.id) >= service.queue_cap
        return Admittance.FULL if is_full and not self._waiting_of(call) else Admittance.JOINS

    def _waiting_of(self, call: InboundCall) -> list[Callback]:
        """Callbacks of the caller whose place the call may take."""
        return [callback for callback in self._callbacks_of(call) if callback.state in _WAITS]

    def _placed(self, call: InboundCall, service: Service, now: float) -> InboundCall:
        """In the place of their call, or that of a callback which has waited longer."""
        joined_at, priority = now, service.inbound.priority if service.inbound else 0
        for callback in self._waiting_of(call):
            joined_at, priority = min(joined_at, callback.joined_at), max(priority, callback.priority)
        placed = replace(call, joined_at=joined_at, priority=priority)
        return replace(placed, widened=self._needs.steps_at(service.id, joined_at, now))

    def _receive(self, call: InboundCall, service: Service, agent: Agent | None) -> CallerFlow:
        flow = self._callers[call.id] = CallerFlow(call, service, agent, self)
        flow.engine_stops = self._stopping
        self._leg_owners[call.leg] = call.id
        if call.given_to is not None:
            self._leg_owners[call.given_to] = call.id
        if call.phone is not None:
            self._ringing_in.setdefault(call.phone, set()).add(call.id)
            for callback in self.book.open_of(call.phone):
                if callback.state is CallbackState.QUEUED and not self.line.is_parked(callback.id):
                    self._park(callback)
        if call.callback is not None:
            self._promised.add(call.callback)
        return flow

    def _restore_callers(self, calls: tuple[InboundCall, ...]) -> None:
        """Whoever is still there joins the line when that has been seen."""
        for call in calls:
            service = self.configuration.services.get(call.service)
            if service is not None:
                self._receive(call, service, self._holder_of(call.id))

    # ---- what their call reports ---------------------------------------------------------------------------

    def _report_caller(self, flow: CallerFlow, step: Step, now: float) -> None:
        for fact in step.facts:
            self._caller_fact(flow, fact, now)

    def _caller_fact(self, flow: CallerFlow, fact: Fact, now: float) -> None:
        call = flow.inbound
        self._agent_fact(flow, fact, now)
        match fact:
            case AgentWanted():
                self._join_caller(call)
            case SteppedAside():
                if call.id in self.line and not self.line.is_parked(call.id):
                    self.line.park(call.id)
                self.waits.forget(call.id)
            case Bridged():
                self._write(self.timers.clear(call.id, WIDEN))
                self._called_in(call, now)
            case NobodyAnswered():
                self._widen_caller_in_time(call)
            case Closing():
                self.line.leave(call.id)
                self._write(self.timers.clear(call.id, WIDEN))
                self.waits.gave_up(call.id, now)
            case CallerGone():
                self._caller_gone(flow, fact, now)

    def _caller_gone(self, flow: CallerFlow, fact: CallerGone, now: float) -> None:
        call = fact.call
        del self._callers[call.id]
        self._disown(flow)
        self._write(self.timers.clear_all(call.id))
        self.line.leave(call.id)
        self.waits.gave_up(call.id, now)
        if fact.agent_talked is not None:
            self._start_wrap_up(fact.agent_talked, WorkId(call.id), flow.service, now)
        if call.outcome is InboundOutcome.CONNECTED:
            self._called_in(call, now)
        if call.phone is not None:
            self._ringing_in[call.phone].discard(call.id)
            if not self._ringing_in[call.phone]:
                del self._ringing_in[call.phone]
            self._number_is_free(call.phone)
        if call.callback is not None:
            self._promised.discard(call.callback)
            if kept := self.book.get(call.callback):
                self._number_is_free(kept.request.phone)

    def _called_in(self, call: InboundCall, now: float) -> None:
        """They talk, or have: what they had asked for before is done, and their phone need not ring."""
        since = call.bridged_at or call.bridging_at or now
        for callback in self._callbacks_of(call):
            if callback.created_at > since:
                continue
            if callback.state is CallbackState.PREVIEWING:
                self._withdraw_preview(callback, "called_in", now)
            elif callback.state in _RUNG:
                flow = self._flows[callback.live_attempt]
                self._apply(flow, flow.let_go(now), now)
            waiting = self.book.get(callback.id)
            if waiting is not None and can(waiting.state, Because.CANCELLED):
                self._end(waiting, Because.CANCELLED, now, Reason.CALLED_IN)

    def _finished(self, flow: CallFlow, fact: Finished, callback: Callback, now: float) -> None:
        super()._finished(flow, fact, callback, now)
        for call in sorted(self._ringing_in.get(callback.request.phone, ())):
            if self._callers[call].inbound.bridged_at is not None:
                self._called_in(self._callers[call].inbound, now)

    # ---- the line -------------------------------------------------------------------------------------------

    def _join_caller(self, call: InboundCall) -> None:
        self.line.join(self._place_of_caller(call))

    def _place_of_caller(self, call: InboundCall) -> Place:
        joined_at = call.entered_at if call.joined_at is None else call.joined_at
        need = self._needs.of_caller(call)
        again = call.waits_again_at is not None
        return Place(call.id, need, joined_at, joined_at, call.priority, on_the_phone=again)

    def _give_caller_an_agent(self, flow: CallerFlow, agent: Agent, now: float) -> None:
        call = flow.inbound
        self.line.leave(call.id)
        self.waits.served(call.id, now)
        work = Work(WorkId(call.id), call.service, Stage.RESERVED, since=now)
        self._write(self.desks.take(agent.id, work, "reserved", now))
        self._apply(flow, flow.give_agent(agent, now), now)

    def _widen_caller(self, flow: CallerFlow, now: float) -> None:
        call = flow.inbound
        joined_at = call.entered_at if call.joined_at is None else call.joined_at
        flow.call = replace(call, widened=self._needs.steps_at(call.service, joined_at, now))
        self._write([InboundChanged(flow.inbound)])
        self._widen_caller_in_time(flow.inbound)
        self._rejoin_caller(flow)

    def _widen_caller_in_time(self, call: InboundCall) -> None:
        widens_at = None
        if call.joined_at is not None:
            widens_at = self._needs.step_after(call.service, call.joined_at, call.widened)
        if widens_at is None:
            self._write(self.timers.clear(call.id, WIDEN))
        elif not self.timers.is_set_for(call.id, WIDEN, widens_at):
            self._write(self.timers.set(call.id, WIDEN, widens_at))

    def _caller_as_configured(self, flow: CallerFlow, now: float) -> None:
        """The steps of the expansion are others: what counts is how long they have waited."""
        if flow.inbound.joined_at is not None and flow.phase not in (Phase.CLOSING, Phase.CONNECTED):
            self._widen_caller(flow, now)

    def _rejoin_caller(self, flow: CallerFlow) -> None:
        """What the call asks of an agent has changed; its place has not."""
        if flow.inbound.id in self.line:
            parked = self.line.is_parked(flow.inbound.id)
            self._join_caller(flow.inbound)
            if parked:
                self.line.park(flow.inbound.id)
