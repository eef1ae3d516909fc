"""Decides who is served next, and begins to serve them: a call, a preview, or work from outside offered to an agent."""

from __future__ import annotations

from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.callphase import Step
from engine.core.changes import AttemptChanged, InboundChanged, InteractionChanged
from engine.core.configuration import Agent
from engine.core.lifecycle import Because
from engine.core.records import Attempt, Callback, Interaction, Work
from engine.core.switchboard import ANSWER, NODE, OF_SERVICE, PACE, PERMITTED, PREVIEW, Switchboard
from engine.core.terms import (
    AttemptId,
    CallbackId,
    ConnectMode,
    InteractionId,
    InteractionState,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.values import replace


class Serving(Switchboard):
    """The line's side of the switchboard."""

    def _match(self, now: float) -> None:
        """Give free agents to those who wait until nobody who can be served is left waiting."""
        while pair := self._matching.next_pair():
            place, agent = pair
            interaction = self.interactions.get(InteractionId(place.item))
            if interaction is not None:
                self._offer_interaction(interaction, agent, now)
                continue
            caller = self._callers.get(AttemptId(place.item))
            if caller is not None:
                self._give_caller_an_agent(caller, agent, now)
                continue
            callback = self.book.get(CallbackId(place.item))
            if callback is None:
                raise ValueError(f"{place.item} waits in the line, but is not open")
            if place.on_the_phone:
                self._give_agent(callback, agent, now)
            elif not self._may_dial_now(callback, now):
                self._hold_back(callback, now)
            elif self._service_of(callback).connect is ConnectMode.PREVIEW:
                self._offer_preview(callback, agent, now)
            else:
                overtook = self.line.ahead_of(place)
                self._reserve(callback, agent, Stage.RESERVED, now)
                self._write(self.book.begin_attempt(callback, Because.AGENT_RESERVED, now))
                self._start_attempt(self._open(callback.id), agent, now, overtook)

    def _give_agent(self, callback: Callback, agent: Agent, now: float) -> None:
        """The customer is on the phone already."""
        self.line.leave(callback.id)
        flow = self._flows[callback.live_attempt]
        self._write(self.desks.take(agent.id, _work(callback, flow.attempt.id, Stage.RESERVED, now), "reserved", now))
        self._apply(flow, flow.give_agent(agent, now), now)

    def _reserve(self, callback: Callback, agent: Agent, stage: Stage, now: float) -> None:
        self.line.leave(callback.id)
        self._write(self.desks.take(agent.id, _work(callback, callback.next_attempt, stage, now), str(stage), now))

    def _start_attempt(self, callback: Callback, agent: Agent, now: float, overtook: int) -> None:
        """The agent is reserved and the attempt counted: call the customer, or first the agent."""
        phone, agent_first = callback.request.phone, self._service_of(callback).connect is ConnectMode.AGENT_FIRST
        attempt = Attempt(
            callback.live_attempt,
            callback.id,
            callback.attempts_started,
            agent.id,
            dialed_at=None if agent_first else now,
            phone=phone,
            overtook=overtook,
        )
        flow = self._flow(attempt, callback, agent)
        self._flows[attempt.id] = flow
        self._calling[phone] = attempt.id
        self._pacer.begun(attempt.id, callback.request.service)
        if agent_first:
            self.waits.turn_came(callback.id, now)
        else:
            self._note_dial(attempt, callback, now)
        self._pace(callback.request.service, now)
        self._apply(flow, flow.start(now), now)

    def _note_dial(self, attempt: Attempt, callback: Callback, now: float) -> None:
        """From now on their phone may ring."""
        self.waits.served(callback.id, now)
        self._pacer.dialled(attempt.id, callback.request.service, now)
        self._history.note_dial(callback.request.phone, now)

    def _give_caller_an_agent(self, flow: CallerFlow, agent: Agent, now: float) -> None:
        """Somebody who rang in is next; `receiving` decides it."""
        raise NotImplementedError

    def _apply(self, flow: CallFlow | CallerFlow, step: Step, now: float) -> None:
        """Write down and route what a flow's step brought about."""
        attempt = flow.call
        if step.effects or step.timers or step.facts or step.changed:
            self._write([AttemptChanged(attempt) if isinstance(attempt, Attempt) else InboundChanged(attempt)])
        for name, due_at in step.timers.items():
            self._write(
                self.timers.clear(attempt.id, name) if due_at is None else self.timers.set(attempt.id, name, due_at)
            )
        self._decision.effects += step.effects
        self._report(flow, step, now)

    def _report(self, flow: CallFlow | CallerFlow, step: Step, now: float) -> None:
        """What the step means for callback and agent; `calling` and `receiving` decide it."""
        raise NotImplementedError

    # ---- who may not be called now -------------------------------------------------------------------

    def _may_dial_now(self, callback: Callback, now: float) -> bool:
        if self._is_on_the_phone(callback):
            return False
        return all(rule(now) == now for rule in self._rules_of(callback))

    def _is_on_the_phone(self, callback: Callback) -> bool:
        """Whether we call the customer's number, or they have rung in."""
        return callback.request.phone in self._calling or self._is_ringing_in(callback)

    def _hold_back(self, callback: Callback, now: float) -> None:
        """Keep the place, and let others be served until this customer may be called."""
        if self._is_on_the_phone(callback):
            self._park(callback)  # until that call is over
            return
        at = self._permitted_at(callback, now)
        if at is None:
            self._end(callback, Because.NO_PERMITTED_TIME, now)
            return
        self._park(callback)
        if not self.timers.is_set_for(callback.id, PERMITTED, at):
            self._write(self.timers.set(callback.id, PERMITTED, at))

    def _number_is_free(self, phone: str) -> None:
        """No call to this number is up any more: others of it may be next."""
        if phone in self._calling or phone in self._ringing_in:
            return
        for callback in self.book.open_of(phone):
            if self.line.is_parked(callback.id) and not self.timers.is_set(callback.id, PERMITTED):
                self._join(callback)

    # ---- pace ----------------------------------------------------------------------------------------

    def _pace(self, service: ServiceId, now: float) -> None:
        """Open or close the service's queues, and all of them, as far as calls may begin."""
        at = self._pacer.next_of(service, now)
        self.line.let_dial(service, may=at == now and not self._is_full(service))
        self._look_again_at(OF_SERVICE + service, at, now)
        self._pace_all(now)

    def _pace_all(self, now: float) -> None:
        at = self._pacer.next_at(now)
        self.line.let_anybody_dial(may=at == now and not self._pacer.is_full())
        self._look_again_at(NODE, at, now)

    def _may_begin_of(self, service: ServiceId, now: float) -> bool:
        """Whether the service lets a call of its own begin."""
        return not self._is_full(service) and self._pacer.next_of(service, now) == now

    def _is_full(self, service: ServiceId) -> bool:
        """Whether no call of the service may begin, whatever its rate."""
        return service in self.paused or self._pacer.is_full_of(service)

    def _may_begin(self, now: float) -> bool:
        """Whether any call may begin, as far as all services together go."""
        return not self._pacer.is_full() and self._pacer.next_at(now) == now

    def _look_again_at(self, owner: str, at: float, now: float) -> None:
        """Also while nobody may be called for another reason: after a start only this timer knows of the rate."""
        if at <= now:
            if self.timers.is_set(owner, PACE):
                self._write(self.timers.clear(owner, PACE))
        elif not self.timers.is_set_for(owner, PACE, at):
            self._write(self.timers.set(owner, PACE, at))

    def _pace_timer(self, owner: str, now: float) -> None:
        service = ServiceId(owner.removeprefix(OF_SERVICE))
        if owner == NODE or service not in self.configuration.services:
            self._pace_all(now)
        else:
            self._pace(service, now)

    # ---- what an agent is asked first ----------------------------------------------------------------

    def _offer_preview(self, callback: Callback, agent: Agent, now: float) -> None:
        """The agent sees the customer's data and says yes or no; nobody is dialled yet and no attempt is counted."""
        self._reserve(callback, agent, Stage.OFFERED, now)
        self.waits.turn_came(callback.id, now)
        self._asked[callback.id] = agent.id
        self._excused.discard(callback.id)
        self._write(self.book.move(callback, Because.AGENT_RESERVED, now))
        self._write(self.book.move(self._open(callback.id), Because.PREVIEW_OFFERED, now))
        due_at = now + self._service_of(callback).preview_seconds
        self._write(self.timers.set(callback.id, PREVIEW, due_at))

    def _offer_interaction(self, interaction: Interaction, agent: Agent, now: float) -> None:
        self.line.leave(interaction.id)
        self._excused.discard(interaction.id)
        self.waits.served(interaction.id, now)
        work = Work(WorkId(interaction.id), interaction.service, Stage.OFFERED, None, interaction.media, now)
        self._write(self.desks.take(agent.id, work, "offered", now))
        offered = replace(interaction, state=InteractionState.OFFERED, agent=agent.id, offered_at=now)
        self._keep_interaction(offered)
        due_at = now + self.configuration.services[interaction.service].agent_ring_seconds
        self._write(self.timers.set(interaction.id, ANSWER, due_at))

    def _keep_interaction(self, interaction: Interaction) -> None:
        if interaction.state.ended:
            del self.interactions[interaction.id]
        else:
            self.interactions[interaction.id] = interaction
        self._write([InteractionChanged(interaction)])


def _work(callback: Callback, attempt: AttemptId, stage: Stage, now: float) -> Work:
    return Work(WorkId(attempt), callback.request.service, stage, callback.id, since=now)
