"""Decides on calls that come in: who is taken into the line, in whose place, and what becomes of their callbacks.

A caller's place is that of their call, or of the callback they had asked for: nobody loses by ringing in. A callback of
a number that is on the phone with us is not called; it ends when the two talk, and waits on if they do not. Which keys
mean what stands in callermenu.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.core.callerends import Admittance, Promise
from engine.core.callerflow import CallerFlow
from engine.core.calling import Calling
from engine.core.callphase import Step
from engine.core.changes import InboundChanged
from engine.core.configuration import Agent, Service
from engine.core.effects import Release, Voice
from engine.core.events import CallerEntered
from engine.core.facts import (
    AgentFreed,
    AgentMissed,
    AgentRinging,
    AgentWanted,
    Bridged,
    CallerGone,
    Closing,
    Fact,
    GivenAway,
    Held,
    Resumed,
    SteppedAside,
)
from engine.core.lifecycle import Because, can
from engine.core.line import Place
from engine.core.records import Callback, InboundCall, Request, Work
from engine.core.slots import Slot, free_between
from engine.core.switchboard import WIDEN
from engine.core.terms import (
    CallbackId,
    CallbackState,
    InboundOutcome,
    Prompt,
    PromptId,
    Reason,
    RequestChannel,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.values import replace
from engine.core.wait import Wait

OFFERED_SLOTS = 5
DAYS_NAMED = 6
"""So many days ahead a weekday means only one date."""
_WAITS = (CallbackState.QUEUED, CallbackState.RETRY_WAIT)
_WEEKDAYS = (
    PromptId.MONDAY,
    PromptId.TUESDAY,
    PromptId.WEDNESDAY,
    PromptId.THURSDAY,
    PromptId.FRIDAY,
    PromptId.SATURDAY,
    PromptId.SUNDAY,
)


class Receiving(Calling):
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
        admittance = self._admittance(service, now)
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
        takes = [each for each in self.configuration.services.values() if each.inbound is not None]
        for service in takes:
            if service.inbound is not None and _digits(dialled) in map(_digits, service.inbound.numbers):
                return service
        others = [each for each in takes if each.inbound is not None and not each.inbound.numbers]
        return others[0] if len(others) == 1 else None

    def _admittance(self, service: Service, now: float) -> Admittance:
        calendar = self._calendar_of(service)
        if calendar is not None and not self.openings.of(calendar, now).open:
            return Admittance.CLOSED
        return Admittance.FULL if self.line.waiting(service.id) >= service.queue_cap else Admittance.JOINS

    def _placed(self, call: InboundCall, service: Service, now: float) -> InboundCall:
        """In the place of their call, or that of a callback which has waited longer."""
        joined_at, priority = now, service.inbound.priority if service.inbound else 0
        for callback in self._callbacks_of(call):
            if callback.state in _WAITS:
                joined_at, priority = min(joined_at, callback.joined_at), max(priority, callback.priority)
        placed = replace(call, joined_at=joined_at, priority=priority)
        return replace(placed, widened=self._needs.steps_at(service.id, joined_at, now))

    def _receive(self, call: InboundCall, service: Service, agent: Agent | None) -> CallerFlow:
        flow = self._callers[call.id] = CallerFlow(call, service, agent, self)
        self._leg_owners[call.leg] = call.id
        if call.given_to is not None:
            self._leg_owners[call.given_to] = call.id
        if call.phone is not None:
            self._ringing_in.setdefault(call.phone, set()).add(call.id)
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
        call, work = flow.inbound, WorkId(flow.inbound.id)
        match fact:
            case AgentWanted():
                self._join_caller(call)
            case SteppedAside():
                if call.id in self.line and not self.line.is_parked(call.id):
                    self.line.park(call.id)
                self.waits.forget(call.id)
            case AgentRinging(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.RINGING, "ringing", now))
            case AgentMissed(agent=agent):
                self._missed(agent, work, flow.service, now)
            case AgentFreed(agent=agent):
                self._write(self.desks.release(agent, work, "not_needed", now))
            case Bridged(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.ACTIVE, "bridged", now))
                self._called_in(call, now)
            case Held(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.HELD, "held", now))
            case Resumed(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.ACTIVE, "resumed", now))
            case GivenAway():
                self._given_away(flow, fact, now)
            case Closing():
                self.line.leave(call.id)
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

    def _called_in(self, call: InboundCall, now: float) -> None:
        """They talk, or have: what they had asked for is done."""
        for callback in self._callbacks_of(call):
            if callback.state is CallbackState.PREVIEWING:
                self._withdraw_preview(callback, "called_in", now)
                callback = self.book.get(callback.id) or callback
            if callback.open and can(callback.state, Because.CANCELLED):
                self._end(callback, Because.CANCELLED, now, Reason.CALLED_IN)

    def _callbacks_of(self, call: InboundCall) -> list[Callback]:
        return [] if call.phone is None else self.book.open_of(call.phone, call.service)

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
        self._write(
            self.timers.clear(call.id, WIDEN) if widens_at is None else self.timers.set(call.id, WIDEN, widens_at)
        )

    def _rejoin_caller(self, flow: CallerFlow) -> None:
        """What the call asks of an agent has changed; its place has not."""
        if flow.inbound.id in self.line:
            parked = self.line.is_parked(flow.inbound.id)
            self._join_caller(flow.inbound)
            if parked:
                self.line.park(flow.inbound.id)

    # ---- what a caller's menu asks for (callerends.Reception) -----------------------------------------------

    def position_of(self, call: InboundCall) -> int | None:
        """The caller's place, 1-based."""
        return self.line.position(call.id)

    def wait_of(self, call: InboundCall) -> Wait | None:
        """How long they will wait."""
        return self.waits.of(call.id)

    def free_slots(self, call: InboundCall, now: float) -> list[Slot]:
        """The nearest slots whose day can be named by a word."""
        service = self.configuration.services[call.service]
        calendar, policy = self._calendar_of(service), service.slots
        if calendar is None or policy is None:
            return []
        until = now + DAYS_NAMED * 86400
        return free_between(calendar, policy, self.slots, service.id, now, until, now)[:OFFERED_SLOTS]

    def spoken(self, start: float, service: Service, now: float) -> tuple[Prompt, ...]:
        """Such as: on Monday at nine o'clock."""
        zone = ZoneInfo(self._zone_of(service))
        when, today = (datetime.fromtimestamp(each, UTC).astimezone(zone) for each in (start, now))
        day = _WEEKDAYS[when.weekday()]
        if when.date() == today.date():
            day = PromptId.TODAY
        elif when.date() == today.date() + timedelta(days=1):
            day = PromptId.TOMORROW
        minutes: tuple[Prompt, ...] = (PromptId.O_CLOCK,)
        if when.minute:
            minutes = (when.minute,) if when.minute >= 10 else (0, when.minute)
        return (day, PromptId.AT, when.hour, *minutes)

    def keep_promise(self, call: InboundCall, promise: Promise, now: float) -> CallbackId | None:
        """The callback holds the place of the call; one that they have already takes the better place of the two."""
        service = self.configuration.services[call.service]
        for callback in self.book.open_of(promise.number.phone, service.id):
            if promise.slot is None and can(callback.state, Because.CANCELLED):
                return self._take_place(callback, call, now)
        request = Request(
            service=service.id,
            phone=promise.number.phone,
            language=call.language,
            channel=RequestChannel.PHONE,
            zones=promise.number.zones,
        )
        if self._refusal_of_number(request.phone, request, service, now) is not None:
            return None
        if promise.slot is not None and not self._is_bookable(service, promise.slot, now):
            return None
        joined_at = promise.slot if promise.slot is not None else call.joined_at
        if joined_at is None:
            return None
        callback = Callback(
            id=CallbackId("cb" + call.id.replace("-", "x")),
            request=request,
            state=CallbackState.QUEUED if promise.slot is None else CallbackState.SCHEDULED,
            created_at=now,
            joined_at=joined_at,
            token_hash="",
            priority=call.priority if promise.slot is None else service.priority,
            scheduled_for=promise.slot,
            booked=promise.slot is not None,
            asked_at=now if promise.slot is not None else joined_at,
        )
        self._take_in(callback, now)
        return callback.id

    def _take_place(self, callback: Callback, call: InboundCall, now: float) -> CallbackId:
        """What they had asked for already gets the place of the call, if that is the better one."""
        if callback.state is CallbackState.SCHEDULED:
            callback = self._to_now(callback, now)
        if call.joined_at is not None and call.joined_at < callback.joined_at:
            callback = replace(callback, joined_at=call.joined_at, priority=max(callback.priority, call.priority))
            self._write(self.book.keep(callback))
            self._rejoin(callback)
        return callback.id


def _digits(number: str) -> str:
    """As trunks write numbers: with or without +, 00 or blanks."""
    return "".join(each for each in number if each.isdecimal()).removeprefix("00")
