"""Decides who is served next, and begins to serve them."""

from __future__ import annotations

from dataclasses import replace

from engine.core.callflow import CallFlow
from engine.core.callphase import Step
from engine.core.changes import AttemptChanged
from engine.core.lifecycle import Because
from engine.core.model import Agent, Attempt, AttemptId, Callback, CallbackId, Stage, Work, WorkId
from engine.core.switchboard import Switchboard


class Serving(Switchboard):
    """The line's side of the switchboard."""

    def _match(self, now: float) -> None:
        """Give free agents to those who wait until nobody who can be served is left waiting."""
        while pair := self._matching.next_pair():
            place, agent = pair
            callback = self.book.get(CallbackId(place.item))
            if callback is None:
                raise ValueError(f"{place.item} waits in the line, but is not open")
            self.line.leave(callback.id)
            if place.on_the_phone:
                flow = self._flows[callback.live_attempt]
                self._reserve(agent, flow.attempt.id, callback, now)
                self._apply(flow, flow.give_agent(agent, now), now)
            else:
                self._start_attempt(callback, agent, now)

    def _start_attempt(self, callback: Callback, agent: Agent, now: float) -> None:
        n = callback.attempts_started + 1
        callback = replace(callback, attempts_started=n, at_head=False, next_attempt_at=None)
        attempt = Attempt(callback.live_attempt, callback.id, n, agent=agent.id, dialed_at=now)
        flow = CallFlow(attempt, callback, self._service_of(callback), agent)
        self._flows[attempt.id] = flow
        self._reserve(agent, attempt.id, callback, now)
        self._write(self.book.move(callback, Because.AGENT_RESERVED, now))
        self._apply(flow, flow.start(now), now)

    def _reserve(self, agent: Agent, attempt: AttemptId, callback: Callback, now: float) -> None:
        work = Work(WorkId(attempt), callback.request.service, Stage.RESERVED, callback.id)
        self._write(self.desks.take(agent.id, work, "reserved", now))

    def _apply(self, flow: CallFlow, step: Step, now: float) -> None:
        """Write down and route what a flow's step brought about."""
        attempt = flow.attempt
        if step.effects or step.timers or step.facts:
            self._write([AttemptChanged(attempt)])
        for name, due_at in step.timers.items():
            self._write(
                self.timers.clear(attempt.id, name) if due_at is None else self.timers.set(attempt.id, name, due_at)
            )
        self._decision.effects += step.effects
        self._report(flow, step, now)

    def _report(self, flow: CallFlow, step: Step, now: float) -> None:
        """What the step means for callback and agent; `calling` decides it."""
        raise NotImplementedError
