"""Decides on live calls: hands news to the call's flow, and moves callback and agent by what it reports."""

from __future__ import annotations

from dataclasses import replace

from engine.core import retry
from engine.core.callflow import CallFlow
from engine.core.callphase import Step
from engine.core.events import Event
from engine.core.facts import (
    AgentFreed,
    AgentMissed,
    AgentRinging,
    AgentWanted,
    Answered,
    Bridged,
    Closing,
    Confirmed,
    Dialled,
    Fact,
    Finished,
)
from engine.core.lifecycle import Because
from engine.core.model import AgentId, AttemptId, Callback, CallbackState, Service, Stage, WorkId
from engine.core.serving import Serving
from engine.core.switchboard import LIFE, RETRY, RONA_RETURN, WRAP_UP


class Calling(Serving):
    """The telephones' side of the switchboard."""

    def _to_flow(self, attempt: AttemptId, event: Event, now: float) -> None:
        if flow := self._flows.get(attempt):
            self._apply(flow, flow.handle(event, now), now)

    def _report(self, flow: CallFlow, step: Step, now: float) -> None:
        for fact in step.facts:
            self._fact(flow, fact, now)

    def _fact(self, flow: CallFlow, fact: Fact, now: float) -> None:
        work = WorkId(flow.attempt.id)
        callback = self.book.get(flow.attempt.callback)
        if callback is None:
            raise ValueError(f"attempt {flow.attempt.id} is live, but its callback is not open")
        match fact:
            case Dialled():
                self._move_if(callback, CallbackState.RESERVED, Because.DIALLED, now)
            case Answered():
                self._move_if(callback, CallbackState.DIALING, Because.ANSWERED, now)
            case Confirmed():
                self._write(self.book.move(callback, Because.CONFIRMED, now))
            case AgentWanted():
                self._join(callback, on_the_phone=True)
            case AgentRinging(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.RINGING, "ringing", now))
            case AgentMissed(agent=agent):
                status = self.desks.status(agent)
                was_ready = status is not None and status.ready
                self._write(self.desks.redirect_on_no_answer(agent, work, now))
                if was_ready and flow.service.rona_return_seconds is not None:
                    due_at = now + flow.service.rona_return_seconds
                    self._write(self.timers.set(agent, RONA_RETURN, due_at))
            case AgentFreed(agent=agent):
                self._write(self.desks.release(agent, work, "not_needed", now))
            case Bridged(agent=agent):
                self._write(self.desks.advance(agent, work, Stage.ACTIVE, "bridged", now))
                self._write(self.book.move(replace(callback, agent=agent), Because.BRIDGED, now))
            case Closing():
                self.line.leave(callback.id)
            case Finished():
                self._finished(flow, fact, callback, now)

    def _finished(self, flow: CallFlow, fact: Finished, callback: Callback, now: float) -> None:
        del self._flows[fact.attempt.id]
        self._write(self.timers.clear_all(fact.attempt.id))
        self.line.leave(callback.id)
        if fact.agent_talked is not None:
            self._start_wrap_up(fact.agent_talked, WorkId(fact.attempt.id), flow.service, now)
        callback = replace(callback, outcomes=(*callback.outcomes, fact.outcome))
        service = self.configuration.services.get(callback.request.service, flow.service)
        decided = retry.decide(service.attempts, service.confirmation, callback.outcomes, fact.attempt, now)
        match decided:
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

    def _life_over(self, callback: Callback, at: float) -> bool:
        """Whether the callback may not wait until `at`; its timer is gone if it fired during a call."""
        return not self.timers.is_set(callback.id, LIFE) or self.timers.due(callback.id, LIFE, at)

    def _start_wrap_up(self, agent: AgentId, work: WorkId, service: Service, now: float) -> None:
        self._write(self.desks.advance(agent, work, Stage.WRAP_UP, "call_ended", now))
        if service.wrap_up_seconds > 0:
            self._write(self.timers.set(agent, WRAP_UP, now + service.wrap_up_seconds))
        else:
            self._end_wrap_up(agent, work, "no_wrap_up", now)

    def _end_wrap_up(self, agent: AgentId, work: WorkId, because: str, now: float) -> None:
        self._write(self.timers.clear(agent, WRAP_UP))
        self._write(self.desks.release(agent, work, because, now))
