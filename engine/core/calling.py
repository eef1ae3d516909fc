"""Decides on live calls: hands news to the call's flow, and moves callback and agent by what it reports."""

from __future__ import annotations

from functools import partial

from engine.core import retry
from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.callphase import Step
from engine.core.configuration import Service
from engine.core.deskmenu import DeskMenu
from engine.core.effects import Release, Voice
from engine.core.events import Event, LegReplaced
from engine.core.facts import (
    AgentFreed,
    AgentMissed,
    AgentRinging,
    AgentWaits,
    AgentWanted,
    Answered,
    Bridged,
    Closing,
    Confirmed,
    Dialled,
    Dialling,
    Fact,
    Finished,
    GivenAway,
    Held,
    NobodyAnswered,
    Resumed,
)
from engine.core.lifecycle import Because, can
from engine.core.records import Callback, Suppression, attempt_of_leg
from engine.core.switchboard import RETRY, WRAP_UP
from engine.core.terms import AgentId, AttemptId, CallbackState, Outcome, Reason, ServiceId, Stage, WorkId
from engine.core.values import replace
from engine.core.workspace import Workspace


class Calling(Workspace):
    """The telephones' side of the switchboard."""

    def _to_flow(self, attempt: AttemptId, event: Event, now: float) -> None:
        if flow := self._flows.get(attempt) or self._callers.get(attempt):
            self._apply(flow, flow.handle(event, now), now)
        elif menu := self._menus.get(attempt):
            self._to_menu(menu, event, now)

    def _to_menu(self, menu: DeskMenu, event: Event, now: float) -> None:
        """What happens to an agent who uses the phone menu; `deskphones` decides on it."""
        raise NotImplementedError

    def _leg_replaced(self, event: LegReplaced, now: float) -> None:
        """Somebody came in for a leg of ours; if its call is over, nobody else would let them go."""
        call = self._leg_owners.get(event.leg) or attempt_of_leg(event.leg)
        flow = self._flows.get(call) or self._callers.get(call)
        if flow is None:
            self._decision.effects.append(Release(call, event.by, (), Voice(ServiceId(""), "")))
            return
        self._leg_owners[event.by] = call
        self._apply(flow, flow.handle(event, now), now)

    def _disown(self, flow: CallFlow | CallerFlow) -> None:
        """Its legs that Asterisk named are nobody's any more."""
        for leg in (flow.call.customer_leg, *flow.halves):
            self._leg_owners.pop(leg, None)

    def _given_away(self, flow: CallFlow | CallerFlow, fact: GivenAway, now: float) -> None:
        """The agent is free of the call, which goes on without one."""
        if fact.by is not None:
            self._leg_owners[fact.by] = flow.call.id
        if fact.agent is not None:
            self._start_wrap_up(fact.agent, WorkId(flow.call.id), flow.service, now)

    def _agent_fact(self, flow: CallFlow | CallerFlow, fact: Fact, now: float) -> None:
        """What a fact means for the agent, whoever called whom."""
        work = WorkId(flow.call.id)
        match fact:
            case AgentRinging(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.RINGING, "ringing", now))
            case AgentWaits(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.RESERVED, "answered", now))
            case AgentMissed(agent=agent):
                self._missed(agent, work, flow.service, now)
            case AgentFreed(agent=agent):
                self._write(self.desks.release(agent, work, "not_needed", now))
            case Bridged(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.ACTIVE, "bridged", now))
            case Held(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.HELD, "held", now))
            case Resumed(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.ACTIVE, "resumed", now))
            case GivenAway():
                self._given_away(flow, fact, now)

    def _report(self, flow: CallFlow | CallerFlow, step: Step, now: float) -> None:
        if isinstance(flow, CallerFlow):
            self._report_caller(flow, step, now)
            return
        for fact in step.facts:
            self._fact(flow, fact, now)

    def _report_caller(self, flow: CallerFlow, step: Step, now: float) -> None:
        """What the step of a call that came in means; `receiving` decides it."""
        raise NotImplementedError

    def _fact(self, flow: CallFlow, fact: Fact, now: float) -> None:
        callback = self.book.get(flow.attempt.callback)
        if callback is None:
            raise ValueError(f"attempt {flow.attempt.id} is live, but its callback is not open")
        self._agent_fact(flow, fact, now)
        match fact:
            case Dialling():
                self._note_dial(flow.attempt, callback, now)
                self._pace(flow.service.id, now)
            case Dialled():
                if can(callback.state, Because.DIALLED):  # told more than once; the head of the line is for one call
                    self._write(self.book.move(replace(callback, at_head=False), Because.DIALLED, now))
            case Answered():
                self._pacer.answered(flow.attempt.id)
                self._pace(flow.service.id, now)
                self._move_if(callback, CallbackState.DIALING, Because.ANSWERED, now)
            case Confirmed():
                self._write(self.book.move(callback, Because.CONFIRMED, now))
            case AgentWanted():
                self._join(callback, on_the_phone=True)
            case AgentRinging():
                self._move_if(callback, CallbackState.RESERVED, Because.AGENT_RINGING, now)
            case Bridged(agent=agent):
                self._write(self.book.move(replace(callback, agent=agent), Because.BRIDGED, now))
            case GivenAway():
                self._write(self.book.move(callback, Because.TRANSFERRED, now))
            case NobodyAnswered():
                self._write(self.book.move(callback, Because.TRANSFER_UNANSWERED, now))
            case Closing():
                self.line.leave(callback.id)
                self._keep_wish(flow, now)
            case Finished():
                self._finished(flow, fact, callback, now)

    def _finished(self, flow: CallFlow, fact: Finished, callback: Callback, now: float) -> None:
        del self._flows[fact.attempt.id]
        self._disown(flow)
        self._write(self.timers.clear_all(fact.attempt.id))
        self.line.leave(callback.id)
        self._keep_wish(flow, now)
        if fact.agent_talked is not None:
            self._start_wrap_up(fact.agent_talked, WorkId(fact.attempt.id), flow.service, now)
        if fact.attempt.dialed_at is None:
            self._back_in_line(callback, now)
        else:
            called = replace(callback, outcomes=(*callback.outcomes, fact.outcome), at_head=False)
            self._after_the_call(called, fact, now)
        self._pacer.ended(fact.attempt.id)
        self._pace(callback.request.service, now)
        self._calling.pop(callback.request.phone, None)
        self._number_is_free(callback.request.phone)

    def _back_in_line(self, callback: Callback, now: float) -> None:
        """Nobody was called: the callback waits where it did before, unless it may not wait any more."""
        if callback.request.phone in self.suppressions:
            self._end(callback, Because.SUPPRESSED, now)
        elif self._life_over(callback, now):
            self._end(callback, Because.LIFE_OVER, now)
        else:
            self._write(self.book.move(callback, Because.NOT_DIALLED, now))
            self._join(callback)

    def _after_the_call(self, callback: Callback, fact: Finished, now: float) -> None:
        service = self._service_of(callback)
        permitted = partial(self._permitted_in_its_life, callback)
        decided = retry.decide(service.attempts, service.confirmation, callback.outcomes, fact.attempt, now, permitted)
        self._conclude(callback, decided, fact, now)

    def _conclude(self, callback: Callback, decided: retry.Decision, fact: Finished, now: float) -> None:
        """The callback ends, or waits for its next attempt."""
        match decided:
            case (
                retry.RetryDecision()
                | retry.NoRetry(because=Because.HELD_FOR_SUPERVISOR)
                | retry.NoRetry(because=Because.NO_PERMITTED_TIME)
            ) if callback.request.phone in self.suppressions:
                self._end(callback, Because.SUPPRESSED, now)
            case retry.NoRetry(because=Because.HELD_FOR_SUPERVISOR) if self._life_over(callback, now):
                self._end(callback, Because.LIFE_OVER, now)
            case retry.NoRetry(because=Because.HELD_FOR_SUPERVISOR as because):
                self._write(self.book.move(replace(callback, next_attempt_at=None), because, now))
            case retry.NoRetry(because=Because.CALL_ENDED) if fact.unobserved:
                self._end(callback, Because.CALL_ENDED_UNOBSERVED, now)
            case retry.NoRetry(because=because):
                self._end(callback, because, now)
            case retry.RetryDecision(at=at) if self._life_over(callback, at):
                self._end(callback, Because.LIFE_OVER, now)
            case retry.RetryDecision(at=at, at_head=at_head, because=because):
                waiting = replace(callback, next_attempt_at=at, at_head=at_head)
                self._write(self.book.move(waiting, because, now))
                self._write(self.timers.set(callback.id, RETRY, at))

    def _keep_wish(self, flow: CallFlow, now: float) -> None:
        """Who pressed the key for "never again" is never called again, by no service."""
        phone = flow.callback.request.phone
        if flow.attempt.outcome is Outcome.NEVER_AGAIN and phone not in self.suppressions:
            self._keep_suppression(Suppression(phone, Reason.NEVER_AGAIN, now), now)

    def _start_wrap_up(self, agent: AgentId, work: WorkId, service: Service, now: float) -> None:
        self._write(self.desks.advance(agent, work, Stage.WRAP_UP, "call_ended", now))
        if service.wrap_up_seconds > 0:
            self._write(self.timers.set(agent, WRAP_UP, now + service.wrap_up_seconds))
        else:
            self._end_wrap_up(agent, work, "no_wrap_up", now)
