"""The switchboard: hands each event to the part that owns that state, then asks who can be served now.

`handle(event, now)` is the only way in; its Decision says what to write down, what to do, and what to answer whoever
asked. It never waits, never reads a clock and never talks to the outside. The same events at the same times give the
same decisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from engine.core import retry
from engine.core.book import CallbackBook
from engine.core.callflow import CallFlow
from engine.core.callphase import Phase, Recovery, Step
from engine.core.changes import (
    AttemptChanged,
    Change,
    ConfigurationKept,
    IdempotencyKept,
)
from engine.core.desks import Desks
from engine.core.effects import Effect
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
from engine.core.lifecycle import Because, can
from engine.core.line import Line, Place
from engine.core.model import (
    Agent,
    AgentId,
    AgentStatus,
    Attempt,
    AttemptId,
    Callback,
    CallbackId,
    CallbackState,
    Configuration,
    Presence,
    Service,
    Stage,
    Timer,
    attempt_of_leg,
)
from engine.core.timers import Timers

TIMED_UNHEARD = ("ring", "silent")
"""The timers of an attempt that fire also while Asterisk cannot be heard."""
RETRY, LIFE, WRAP_UP, RONA_RETURN = "retry", "life", "wrap_up", "rona_return"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request stands; `position` is its place in the line, None once it is being served."""

    callback: Callback
    position: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request changes nothing; `code` is one of the public error codes."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done about a live attempt after a look at Asterisk."""

    attempt: AttemptId
    phase: Phase
    did: Recovery


Reply: TypeAlias = Accepted | AgentStatus | Configuration | Refusal | Recovered


@dataclass(slots=True)
class Decision:
    """What one event brings about, in order."""

    changes: list[Change] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the journal holds that is not over: enough to decide on as before."""

    configuration: Configuration = field(default_factory=Configuration)
    callbacks: tuple[Callback, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    agents: tuple[AgentStatus, ...] = ()
    timers: tuple[Timer, ...] = ()


class Dispatcher:
    """All decisions. Build it from a Snapshot; an empty one is a new installation."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.configuration = snapshot.configuration
        self.book = CallbackBook()
        self.line = Line()
        self.desks = Desks()
        self.timers = Timers()
        self._flows: dict[AttemptId, CallFlow] = {}
        self._stopping = False
        self._telephony = True
        self._held: list[tuple[float, str, str]] = []
        self._decision = Decision()
        self.desks.restore(snapshot.agents)
        self.desks.configure(self.configuration.agents, 0.0)
        self.timers.restore(snapshot.timers)
        self.book.restore(snapshot.callbacks)
        for callback in snapshot.callbacks:
            if callback.state is CallbackState.QUEUED:
                self._join(callback)
        for attempt in snapshot.attempts:
            self._restore_flow(attempt)

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

    # ---- requests ------------------------------------------------------------------------------------

    def _requested(self, event: CallbackRequested, now: float) -> None:
        request = event.request
        service = self.configuration.services.get(request.service)
        limit = self.configuration.limits.max_open_per_number
        if service is None:
            self._refuse("unknown-service", f"there is no service {request.service!r}")
        elif self.book.open_of(request.phone, request.service):
            self._refuse("duplicate-request", "this number already has an open request of this service")
        elif len(self.book.open_of(request.phone)) >= limit:
            self._refuse("duplicate-request", f"this number already has {limit} open requests")
        elif self.line.waiting(request.service) >= service.queue_cap:
            self._refuse("queue-full", "too many customers wait for this service; try again later")
        else:
            callback = Callback(
                id=event.id,
                request=request,
                state=CallbackState.QUEUED,
                created_at=now,
                joined_at=now,
                token_hash=event.token_hash,
                priority=service.priority,
            )
            self._write(self.book.accept(callback, now))
            self._write(self.timers.set(callback.id, LIFE, now + service.life_seconds))
            if event.idempotency is not None:
                self._write([IdempotencyKept(event.idempotency, callback.id, now)])
            self._join(callback)
            self._decision.reply = Accepted(callback, None)

    def _cancel(self, event: CancelRequested, now: float) -> None:
        callback = self.book.get(event.id)
        if callback is None:
            self._refuse("already-ended", "this request has already ended")
        elif not can(callback.state, Because.CANCELLED):
            self._refuse("call-in-progress", "we are calling right now")
        else:
            self._end(callback, Because.CANCELLED, now, event)

    def _set_presence(self, event: PresenceRequested, now: float) -> None:
        status = self.desks.status(event.agent)
        if status is None or self.desks.agent(event.agent) is None:
            self._refuse("not-found", f"there is no agent {event.agent!r}")
            return
        self._write(self.timers.clear(event.agent, RONA_RETURN))
        self._write(self.desks.set_presence(event.agent, event.presence, event.reason, "asked", now))
        if status.work is not None:
            if status.work.stage is Stage.WRAP_UP and event.presence is Presence.READY:
                self._end_wrap_up(event.agent, "ready", now)
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
        for callback in self.book:
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
            elif name == LIFE and callback.state in (CallbackState.QUEUED, CallbackState.RETRY_WAIT):
                self._end(callback, Because.LIFE_OVER, now)
        elif status := self.desks.status(AgentId(owner)):
            if name == WRAP_UP and status.work is not None and status.work.stage is Stage.WRAP_UP:
                self._write(self.desks.release(status.id, "wrap_up_over", now))
            elif name == RONA_RETURN and status.presence is Presence.NOT_READY:
                self._write(self.desks.set_presence(status.id, Presence.READY, None, RONA_RETURN, now))

    # ---- calls ---------------------------------------------------------------------------------------

    def _to_flow(self, attempt: AttemptId, event: Event, now: float) -> None:
        if flow := self._flows.get(attempt):
            self._apply(flow, flow.handle(event, now), now)

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
        for fact in step.facts:
            self._fact(flow, fact, now)

    def _fact(self, flow: CallFlow, fact: Fact, now: float) -> None:
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
                self._write(self.desks.advance(agent, Stage.RINGING, "ringing", now))
            case AgentMissed(agent=agent):
                status = self.desks.status(agent)
                was_ready = status is not None and status.presence is Presence.READY
                self._write(self.desks.redirect_on_no_answer(agent, now))
                if was_ready and flow.service.rona_return_seconds is not None:
                    due_at = now + flow.service.rona_return_seconds
                    self._write(self.timers.set(agent, RONA_RETURN, due_at))
            case AgentFreed(agent=agent):
                self._write(self.desks.release(agent, "not_needed", now))
            case Bridged(agent=agent):
                self._write(self.desks.advance(agent, Stage.ACTIVE, "bridged", now))
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
            self._start_wrap_up(fact.agent_talked, flow.service, now)
        callback = replace(callback, outcomes=(*callback.outcomes, fact.outcome))
        service = self.configuration.services.get(callback.request.service, flow.service)
        decided = retry.decide(
            service.attempts, service.confirmation, callback.outcomes, fact.attempt, now, permitted=lambda at: at
        )
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

    def _start_wrap_up(self, agent: AgentId, service: Service, now: float) -> None:
        self._write(self.desks.advance(agent, Stage.WRAP_UP, "call_ended", now))
        if service.wrap_up_seconds > 0:
            self._write(self.timers.set(agent, WRAP_UP, now + service.wrap_up_seconds))
        else:
            self._end_wrap_up(agent, "no_wrap_up", now)

    def _end_wrap_up(self, agent: AgentId, because: str, now: float) -> None:
        self._write(self.timers.clear(agent, WRAP_UP))
        self._write(self.desks.release(agent, because, now))

    # ---- who serves whom -----------------------------------------------------------------------------

    def _match(self, now: float) -> None:
        """Give free agents to those who wait until nobody who can be served is left waiting."""
        while pair := self._next_pair():
            place, agent = pair
            callback = self.book.get(place.callback)
            if callback is None:
                raise ValueError(f"{place.callback} waits in the line, but is not open")
            self.line.leave(callback.id)
            if place.on_the_phone:
                flow = next(flow for flow in self._flows.values() if flow.attempt.callback == callback.id)
                self._write(self.desks.reserve(agent.id, flow.attempt.id, callback.id, now))
                self._apply(flow, flow.give_agent(agent, now), now)
            else:
                self._start_attempt(callback, agent, now)

    def _next_pair(self) -> tuple[Place, Agent] | None:
        for place in self.line.heads():
            if agent := self.desks.longest_idle(place.requirement):
                return place, agent
        return None

    def _start_attempt(self, callback: Callback, agent: Agent, now: float) -> None:
        n = callback.attempts_started + 1
        attempt = Attempt(AttemptId(f"{callback.id}-{n}"), callback.id, n, agent=agent.id, dialed_at=now)
        service = self.configuration.services[callback.request.service]
        flow = CallFlow(attempt, callback, service, agent)
        self._flows[attempt.id] = flow
        self._write(self.desks.reserve(agent.id, attempt.id, callback.id, now))
        reserved = replace(callback, attempts_started=n, at_head=False, next_attempt_at=None)
        self._write(self.book.move(reserved, Because.AGENT_RESERVED, now))
        self._apply(flow, flow.start(now), now)

    def _join(self, callback: Callback, *, on_the_phone: bool = False) -> None:
        service = self.configuration.services[callback.request.service]
        self.line.join(
            Place(
                callback.id,
                service.id,
                service.skill,
                callback.joined_at,
                callback.priority,
                callback.at_head,
                on_the_phone,
            )
        )

    # ---- bookkeeping ---------------------------------------------------------------------------------

    def _restore_flow(self, attempt: Attempt) -> None:
        callback = self.book.get(attempt.callback)
        if callback is None:
            raise ValueError(f"attempt {attempt.id} is open, but its callback is not")
        service = self.configuration.services[callback.request.service]
        holder = next(
            (
                status.id
                for status in self.desks.statuses()
                if status.work is not None
                and status.work.attempt == attempt.id
                and status.work.stage is not Stage.WRAP_UP
            ),
            None,
        )
        # Somebody removed in the middle of a call is never rung again, but their work has to end.
        agent = (self.desks.agent(holder) or Agent(holder, name=holder, endpoint="")) if holder else None
        self._flows[attempt.id] = CallFlow(attempt, callback, service, agent)

    def _end(self, callback: Callback, because: Because, now: float, cancel: CancelRequested | None = None) -> None:
        self.line.leave(callback.id)
        self._write(self.timers.clear_all(callback.id))
        self._write(self.book.move(callback, because, now, cancel.reason if cancel else None))
        if cancel:
            ended = replace(callback, state=CallbackState.CANCELLED, reason=cancel.reason, ended_at=now)
            self._decision.reply = Accepted(replace(ended, next_attempt_at=None), None)

    def _move_if(self, callback: Callback, state: CallbackState, because: Because, now: float) -> None:
        """Facts such as Dialled are told more than once; only the first moves the callback."""
        if callback.state is state:
            self._write(self.book.move(callback, because, now))

    def _refuse(self, code: str, detail: str) -> None:
        self._decision.reply = Refusal(code, detail)

    def _write(self, changes: Iterable[Change]) -> None:
        self._decision.changes.extend(changes)
