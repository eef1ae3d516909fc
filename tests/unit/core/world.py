"""A small world around the dispatcher: virtual time, a journal, a telephone network that does as it is told.

A story reads as it would be told: a customer requests, rings, answers, presses; an agent answers or lets it ring; time
passes. Every decision is written to the journal first, then checked against the invariants, then its effects are done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from engine.core.callphase import REFUSED_GRACE_SECONDS, Recovery
from engine.core.changes import AttemptChanged
from engine.core.configuration import Agent, CallLimits, Configuration, Disposition, Limits, Pace, Screening, Service
from engine.core.decision import Accepted, Decision, Recovered, Refusal, Snapshot
from engine.core.dispatcher import TIMED_UNHEARD, Dispatcher
from engine.core.effects import (
    AnswerCaller,
    CheckNumber,
    Connect,
    CountAudio,
    DialCustomer,
    Dismantle,
    Effect,
    Farewell,
    HoldWithMusic,
    Limit,
    Listen,
    Play,
    Record,
    Release,
    RingAgent,
)
from engine.core.events import (
    AttemptSeen,
    AudioCounted,
    BeepHeard,
    CallbackRequested,
    CallerEntered,
    CancelRequested,
    ConfigurationApplied,
    EarClosed,
    EarOpened,
    EffectEnded,
    Event,
    FaxToneHeard,
    IdempotencyKey,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    LegSeen,
    NewNumber,
    NumberChecked,
    PhoneChanged,
    PhonesSeen,
    PhonesUnknown,
    PlayingFinished,
    PresenceRequested,
    ResultKind,
    StopRequested,
    TalkFinished,
    TalkStarted,
    TelephonyLost,
    TelephonyReady,
    TimerFired,
)
from engine.core.expressions import Expression, parse
from engine.core.hours import Calendar, CalendarId
from engine.core.records import AgentStatus, Attempt, Call, Callback, InboundCall, Request, Timer, attempt_of_leg
from engine.core.terms import (
    AgentId,
    AttemptId,
    BridgeId,
    CallbackId,
    CallbackState,
    Evidence,
    LegId,
    Outcome,
    PhoneState,
    Presence,
    Prompt,
    Reason,
    RequestChannel,
    ServiceId,
    Stage,
    Verdict,
    WorkId,
)
from engine.core.values import replace
from tests.unit.core import caller_rules, invariants, named, safety, waiting
from tests.unit.core.journal import Journal
from tests.unit.core.meetings import Meetings

START = 1_700_000_000.0
LIMITS = CallLimits()
"""How long each step of a call may last, as every service here has it."""
NORMAL_CLEARING = 16
HANG_UP = 0.25
"""Seconds from a release to the end of the leg."""
LAST_WORDS = 4.0
"""The same where a few words are said first."""
PAUSE = Screening().pause_seconds
"""The silence after which talk detection says that somebody has stopped."""

NO_LIMIT = Pace()
NO_CAPS = Limits(per_number_per_day=10**9, min_gap_seconds=0, attempts_per_number_per_day=10**9)
"""Stories say themselves what a number may not."""

BILLING = Service(ServiceId("billing"), "Billing", "Example Ltd", parse("billing"))
SALES = Service(ServiceId("sales"), "Sales", "Example Ltd", parse("sales"))
AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"billing": 5})
BEN = Agent(AgentId("ben"), "Ben", "PJSIP/agent-1002", {"billing": 3, "sales": 3})

_EFFECTS = (
    *(DialCustomer, RingAgent, Play, Listen, CountAudio, HoldWithMusic, Connect, Farewell, Release, Dismantle),
    *(AnswerCaller, CheckNumber, Limit),
)
_UNHEARD = (DialCustomer, Listen, CountAudio)
_E = TypeVar("_E", bound=Effect)


def configuration(
    services: Iterable[Service],
    agents: Iterable[Agent],
    limits: Limits | None = None,
    calendars: Iterable[Calendar] = (),
    dispositions: Iterable[Disposition] = (),
) -> ConfigurationApplied:
    document = Configuration(
        services={service.id: service for service in services},
        agents={agent.id: agent for agent in agents},
        calendars={CalendarId(calendar.id): calendar for calendar in calendars},
        dispositions={disposition.id: disposition for disposition in dispositions},
        limits=limits or NO_CAPS,
    )
    return ConfigurationApplied(document, "the document")


class World:
    """One engine, its journal and everything outside of it.

    `results` says how each kind of effect ends; a kind that is left out is never answered. A leg that is released
    successfully ends `hang_up_seconds` later, after last words `last_words_seconds` later; None: nothing is heard of
    it. `audio` says how many seconds of audio have come from a leg where that is counted: everything, unless a story
    says otherwise; None: that is never told. `leaving` are the legs on their way out, and when each will be gone. While
    telephony is lost, and after a restart, the ends of legs go unheard.

    What the invariants look at: `alive` are customers' legs posted and not told to be gone, `given_up` those that were
    not waited for any longer, `awaited` until when each leg that was let go has to be waited for; `entered` are legs
    that were told or seen to be in our hands, `released` those that were let go by a decision; `places` says where each
    callback stood in the line last. `bridges` are those posted, each with its agent's leg; `meetings` says who may have
    talked. `unlooked` are the attempts that were live at the start and not looked at since; of those, `unseen` are
    confirmed ones, or calls that came in, that no agent held: their customers are not known to wait. `rung_in` are
    callers' legs that are not told to be gone. `held` are timers that fell due unheard;
    each fires when telephony is back. `told` is all since the start.
    """

    def __init__(
        self,
        services: Iterable[Service] = (BILLING,),
        agents: Iterable[Agent] = (AMY,),
        limits: Limits | None = None,
        calendars: Iterable[Calendar] = (),
        node: Pace = NO_LIMIT,
    ) -> None:
        self.now = START
        self.node = node
        self.journal = Journal()
        self.dispatcher = Dispatcher(Snapshot(pace=node))
        self.effects: list[Effect] = []
        self.results: dict[type[Effect], ResultKind] = dict.fromkeys(_EFFECTS, ResultKind.OK)
        self.hang_up_seconds: float | None = HANG_UP
        self.last_words_seconds: float | None = LAST_WORDS
        self.audio: Callable[[LegId], float] | None = self._everything
        self.checks: Callable[[str], NewNumber | None] = _checks_digits
        self.leaving: dict[LegId, float] = {}
        self.posted: set[LegId] = set()
        self.alive: set[LegId] = set()
        self.given_up: set[LegId] = set()
        self.awaited: dict[LegId, float] = {}
        self.bridges: dict[BridgeId, LegId] = {}
        self.bridged_since_start: set[BridgeId] = set()
        self.dismantled: set[BridgeId] = set()
        self.meetings = Meetings()
        self.naming = named.Naming()
        self.wished_to_end: set[CallbackId] = set()
        self.entered: set[LegId] = set()
        self.released: set[LegId] = set()
        self.places: dict[CallbackId, invariants.Rank] = {}
        self.held: set[Timer] = set()
        self.rung_in: set[LegId] = set()
        self.unseen: set[AttemptId] = set()
        self.unlooked: set[AttemptId] = set()
        self.stopping = False
        self.telephony = True
        self.phones: dict[str, PhoneState] = {}
        self.started_from = Snapshot()
        self.told: list[tuple[Event, float, Decision]] = []
        self.held_before: set[tuple[str, AttemptId]] = set()
        self.inbound_before: dict[AttemptId, InboundCall] = {}
        self.works_before: dict[AgentId, frozenset[WorkId]] = {}
        self._to_come: deque[Event] = deque()
        self._phones = 0
        self.tell(configuration(services, agents, limits, calendars))

    # ---- events and time -----------------------------------------------------------------------------

    def tell(self, event: Event) -> Decision:
        """Hand an event to the dispatcher, and then whatever its effects bring about; returns the first decision."""
        self._to_come.append(event)
        first = self._decide(self._to_come.popleft())
        while self._to_come:
            self._decide(self._to_come.popleft())
        return first

    def pass_time(self, seconds: float) -> None:
        """Let time pass; on the way legs end and timers fire as they fall due, in order."""
        until = self.now + seconds
        while True:
            timers = (timer for timer in self.journal.timers.values() if timer not in self.held)
            timer = min(timers, key=lambda timer: (timer.due_at, timer.owner, timer.name), default=None)
            leg = min(self.leaving, key=lambda leg: (self.leaving[leg], leg), default=None)
            if leg is not None and self.leaving[leg] <= min(until, timer.due_at if timer else until):
                self.now = max(self.now, self.leaving.pop(leg))
                if self.telephony:
                    self.tell(LegEnded(leg, NORMAL_CLEARING))
            elif timer is not None and timer.due_at <= until:
                self.now = max(self.now, timer.due_at)
                self.tell(TimerFired(timer.owner, timer.name))
                if self.journal.timers.get((timer.owner, timer.name)) == timer:
                    assert self.is_held(timer), f"{timer} fired and is still set"
                    self.held.add(timer)
            else:
                break
        self.now = until

    def is_held(self, timer: Timer) -> bool:
        """Whether the timer may not fire now: of a live attempt, except its ringing, while nothing can be heard."""
        call = self.call(AttemptId(timer.owner))
        return not self.telephony and call is not None and timer.name not in TIMED_UNHEARD

    def call(self, call: AttemptId) -> Call | None:
        """What is written of a call, whoever called whom."""
        return self.journal.attempts.get(call) or self.journal.inbound.get(call)

    def restart(self) -> None:
        """The engine dies and starts again from the journal; nothing has been looked at in Asterisk yet."""
        self._to_come.clear()
        self.held.clear()
        self.meetings.engine_died()
        self.naming.engine_died()
        self.leaving.clear()
        self.bridged_since_start.clear()
        # A bridge that was refused is forgotten with the engine; an empty one may be left over.
        self.dismantled |= {
            bridge
            for bridge in self.bridges
            if (call := self.call(attempt_of_leg(bridge))) is not None and call.bridging_at is None
        }
        self.stopping = False
        self.telephony = True
        self.phones = {}
        self.told.clear()
        self.started_from = self.journal.snapshot(self.now, self.node)
        self.dispatcher = Dispatcher(self.started_from)
        works = [status.work for status in self.journal.agents.values() if status.work is not None]
        held = {work.attempt for work in works if work.stage is not Stage.WRAP_UP}
        waiting = (attempt for attempt in self.journal.open_attempts() if attempt.outcome is None)
        confirmed = {attempt.id for attempt in waiting if attempt.confirmed_at is not None}
        rang_in = {call.id for call in self.journal.open_inbound() if call.outcome is None}
        self.unseen = (confirmed | rang_in) - held
        self.unlooked = {call.id for call in self.journal.open_calls()}

    def fail_to_commit(self, event: Event) -> None:
        """The engine dies between a decision and its commit: neither is known afterwards."""
        self._note(event, decided=False)
        self.dispatcher.handle(event, self.now)
        self.restart()

    def die_after_commit(self, event: Event) -> None:
        """The engine dies between a commit and its effects: all is written, nothing was done."""
        self._decide(event, act=False)
        self.restart()

    def see(
        self, attempt: AttemptId, customer: LegSeen, agent: LegSeen = LegSeen.GONE, *, bridged: bool = False
    ) -> Decision:
        """What a look at Asterisk shows of an attempt."""
        return self.tell(AttemptSeen(attempt, customer, agent, bridged))

    def recover(
        self, attempt: AttemptId, customer: LegSeen, agent: LegSeen = LegSeen.GONE, *, bridged: bool = False
    ) -> Recovery:
        """Look at an attempt, and what was done about it."""
        reply = self.see(attempt, customer, agent, bridged=bridged).reply
        assert isinstance(reply, Recovered), f"a look at {attempt} was answered with {reply}"
        assert reply.attempt == attempt
        return reply.did

    def ends(self, kind: type[Effect], result: ResultKind) -> Decision:
        """The effect of this kind that was begun last ends so."""
        return self.tell(EffectEnded(self.done(kind)[-1], result))

    def stop(self) -> Decision:
        return self.tell(StopRequested())

    def lose_telephony(self) -> Decision:
        return self.tell(TelephonyLost())

    def regain_telephony(self) -> Decision:
        return self.tell(TelephonyReady())

    def configure(
        self,
        services: Iterable[Service],
        agents: Iterable[Agent],
        limits: Limits | None = None,
        calendars: Iterable[Calendar] = (),
    ) -> Decision:
        return self.tell(configuration(services, agents, limits, calendars))

    # ---- people --------------------------------------------------------------------------------------

    def ask(
        self,
        service: str = "billing",
        phone: str | None = None,
        idempotency: IdempotencyKey | None = None,
        *,
        when: float | None = None,
        freely: bool = False,
        subject: str | None = "invoice",
        zones: tuple[str, ...] = (),
        skill: Expression | None = None,
    ) -> Accepted | Refusal:
        """Somebody asks to be called back, from a number of their own unless one is given."""
        self._phones += 1
        request = Request(
            ServiceId(service),
            phone or f"+1202555{self._phones:04}",
            "en",
            RequestChannel.WEB,
            subject=subject,
            zones=zones,
            skill=skill,
        )
        event = CallbackRequested(CallbackId(f"c{self._phones:03}"), request, "hash", idempotency, when, freely)
        reply = self.tell(event).reply
        assert isinstance(reply, Accepted | Refusal)
        return reply

    def customer(self, service: str = "billing", phone: str | None = None) -> Customer:
        """A customer whose request is accepted."""
        reply = self.ask(service, phone)
        assert isinstance(reply, Accepted), reply
        return Customer(self, reply.callback.id)

    def agent(self, agent: str = "amy") -> AgentAtDesk:
        return AgentAtDesk(self, AgentId(agent))

    # ---- what was done -------------------------------------------------------------------------------

    def done(self, kind: type[_E], attempt: AttemptId | None = None) -> list[_E]:
        """All effects of one kind so far, of one attempt or of all."""
        return [
            effect
            for effect in self.effects
            if isinstance(effect, kind) and (attempt is None or effect.attempt == attempt)
        ]

    def done_on(self, leg: LegId) -> list[Effect]:
        """All effects on one leg so far, in order."""
        return [
            effect
            for effect in self.effects
            if (isinstance(effect, Connect) and leg in (effect.customer, effect.agent))
            or (not isinstance(effect, Connect | Dismantle | Record) and effect.leg == leg)
        ]

    def _decide(self, event: Event, *, act: bool = True) -> Decision:
        before = dict(self.journal.callbacks)
        self.held_before = {
            (status.id, status.work.attempt) for status in self.journal.agents.values() if status.work is not None
        }
        self.works_before = {
            status.id: frozenset(work.id for work in status.works) for status in self.journal.agents.values()
        }
        if isinstance(event, StopRequested):
            self.stopping = True
        if isinstance(event, TelephonyLost | TelephonyReady):
            self.telephony = isinstance(event, TelephonyReady)
        if isinstance(event, AttemptSeen):
            self.unseen.discard(event.attempt)
            self.unlooked.discard(event.attempt)
        self._note(event)
        attempts = dict(self.journal.attempts)
        self.inbound_before = dict(self.journal.inbound)
        decision = self.dispatcher.handle(event, self.now)
        self.told.append((event, self.now, decision))
        self.journal.keep(decision)
        self.unseen &= {call.id for call in self.journal.open_calls()}
        invariants.check(self, event, decision, before, attempts)
        caller_rules.check(self, event, decision, before)
        waiting.check(self, decision)
        safety.check(self, event, decision, attempts)
        named.check(self, event, decision, attempts)
        if isinstance(event, TelephonyReady):
            self.held.clear()
        for effect in decision.effects:
            self._note_decided(effect)
        if act:
            self.effects += decision.effects
            for effect in decision.effects:
                self._do(effect)
        return decision

    def _note(self, event: Event, *, decided: bool = True) -> None:
        """Keep what the event says of customers' legs, apart from what the dispatcher makes of it."""
        self.meetings.note(event, {**self.journal.attempts, **self.journal.inbound}, decided=decided)
        if isinstance(event, AttemptSeen) and event.agent is LegSeen.ENTERED and event.attempt in self.journal.attempts:
            self.entered.add(self.journal.attempts[event.attempt].agent_leg)
        match event:
            case PhonesSeen(states=states):
                self.phones = dict(states)
            case PhoneChanged(endpoint=endpoint, state=state):
                self.phones[endpoint] = state
            case PhonesUnknown():
                self.phones = {}
            case LegEntered(leg=leg):
                self.entered.add(leg)
            case CallerEntered(leg=leg):
                self.posted.add(leg)
                self.rung_in.add(leg)
            case LegEnded(leg=leg):
                given = (each.id for each in self.journal.attempts.values() if each.given_to == leg)
                self.unseen -= {*given, *(each.id for each in self.journal.inbound.values() if each.given_to == leg)}
                self.alive.discard(leg)
                self.rung_in.discard(leg)
                self.leaving.pop(leg, None)
            case AttemptSeen(attempt=attempt, customer=LegSeen.GONE) if attempt in self.journal.inbound:
                self.rung_in.discard(self.journal.inbound[attempt].leg)
            case AttemptSeen(attempt=attempt, customer=LegSeen.GONE):
                self.alive.discard(LegId(f"{attempt}.customer"))
            case EffectEnded(effect=DialCustomer(leg=leg), result=ResultKind.REFUSED):
                self.alive.discard(leg)
            case EffectEnded(effect=Release(leg=leg) | Farewell(leg=leg), result=ResultKind.REFUSED):
                self.awaited[leg] = self.now + REFUSED_GRACE_SECONDS
            case _:
                pass

    def _limits_of(self, attempt: AttemptId) -> CallLimits:
        """Those the service has now; no story changes these two during a call."""
        if attempt in self.journal.inbound:
            dialled = self.journal.configuration.services.get(self.journal.inbound[attempt].service)
            return LIMITS if dialled is None else dialled.call_limits
        service = self.journal.callbacks[self.journal.attempts[attempt].callback].request.service
        return self.journal.configuration.services[service].call_limits

    def _note_decided(self, effect: Effect) -> None:
        """A leg is waited for from the decision to let it go, also if that is never carried out.

        A bridge is not removed a second time either: an empty one may be left over.
        """
        if isinstance(effect, Dismantle):
            self.dismantled.add(effect.bridge)
        if isinstance(effect, Release | Farewell):
            limits = self._limits_of(effect.attempt)
            limit = limits.last_words_seconds if effect.prompts else limits.closing_seconds
            self.awaited[effect.leg] = self.now + limit

    def _do(self, effect: Effect) -> None:
        match effect:
            case DialCustomer(leg=leg):
                self.alive.add(leg)
            case Connect(bridge=bridge, agent=agent):
                self.bridges[bridge] = agent
                self.bridged_since_start.add(bridge)
            case _:
                pass
        result = self.results.get(type(effect))
        if result is None:
            return
        if isinstance(effect, CountAudio) and result is ResultKind.OK and self.audio is not None:
            self._to_come.append(AudioCounted(effect.leg, self.audio(effect.leg)))
        if isinstance(effect, CheckNumber) and result is ResultKind.OK:
            self._to_come.append(NumberChecked(effect.leg, self.checks(effect.digits)))
        self._to_come.append(EffectEnded(effect, result))
        if isinstance(effect, Release | Farewell) and result is ResultKind.OK:
            seconds = self.last_words_seconds if effect.prompts else self.hang_up_seconds
            if seconds is not None:
                self.leaving[effect.leg] = self.now + seconds

    def _everything(self, leg: LegId) -> float:
        """What comes from a network that sends all the time."""
        answered_at = self.journal.attempts[attempt_of_leg(leg)].answered_at
        return 0.0 if answered_at is None else self.now - answered_at


def _checks_digits(digits: str) -> NewNumber | None:
    """Numbers of the country of all customers here."""
    return NewNumber(f"+1{digits}") if len(digits) == 10 else None


@dataclass(frozen=True, slots=True)
class Customer:
    """One request and the person behind it."""

    world: World
    id: CallbackId

    # ---- what the journal says

    @property
    def callback(self) -> Callback:
        return self.world.journal.callbacks[self.id]

    @property
    def state(self) -> CallbackState:
        return self.callback.state

    def is_in(self, state: CallbackState) -> bool:
        """Whether the callback is in the state; for stories that look at it more than once."""
        return self.callback.state is state

    @property
    def reason(self) -> Reason | None:
        return self.callback.reason

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self.callback.outcomes

    @property
    def trail(self) -> list[CallbackState]:
        return self.world.journal.trail(self.id)

    @property
    def attempts(self) -> list[Attempt]:
        return invariants.attempts_of(self.world, self.id)

    @property
    def attempt(self) -> Attempt:
        """The attempt made last."""
        return self.attempts[-1]

    @property
    def closing(self) -> Outcome | None:
        """The outcome of an attempt that is decided and not over yet."""
        return self.attempt.outcome if self.attempt.ended_at is None else None

    @property
    def waits_until(self) -> float:
        """Seconds from now to the next attempt."""
        assert self.callback.next_attempt_at is not None
        return self.callback.next_attempt_at - self.world.now

    @property
    def hears(self) -> Effect | None:
        """The last thing done on the customer's leg."""
        leg = self.attempt.customer_leg
        on_leg = [effect for effect in self.world.done_on(leg) if not isinstance(effect, _UNHEARD)]
        return on_leg[-1] if on_leg else None

    # ---- what the customer and their network do

    def rings(self) -> Decision:
        return self.world.tell(LegRinging(self.attempt.customer_leg))

    def picks_up(self) -> Decision:
        """The far end answers; the leg is still in the dialplan."""
        return self.world.tell(LegAnswered(self.attempt.customer_leg))

    def enters(self, amd: str | None = None) -> Decision:
        """The leg comes into our hands; `amd`: what Asterisk's AMD() said before."""
        return self.world.tell(LegEntered(self.attempt.customer_leg, amd))

    def answers(self) -> None:
        self.rings()
        self.picks_up()
        self.enters()

    def hears_announcement(self, *, complete: bool = True) -> Decision:
        """The announcement, or whatever else is being said, is over."""
        leg = self.attempt.customer_leg
        tag = [effect.tag for effect in self.world.done(Play) if effect.leg == leg][-1]
        return self.world.tell(PlayingFinished(leg, tag, complete))

    def begins_to_talk(self) -> Decision:
        return self.world.tell(TalkStarted(self.attempt.customer_leg))

    def falls_silent(self, seconds: float) -> Decision:
        """After so much talk; the moment is that at which talk detection notices."""
        return self.world.tell(TalkFinished(self.attempt.customer_leg, seconds))

    def talks(self, seconds: float) -> None:
        """Time passes while they talk, and until talk detection is sure that they have stopped."""
        self.begins_to_talk()
        self.world.pass_time(seconds + PAUSE)
        self.falls_silent(seconds)

    def is_heard_by_an_ear(self) -> Decision:
        return self.world.tell(EarOpened(self.attempt.customer_leg))

    def is_heard_by_no_ear(self) -> Decision:
        return self.world.tell(EarClosed(self.attempt.customer_leg))

    def beeps(self, seconds: float = 0.5) -> Decision:
        return self.world.tell(BeepHeard(self.attempt.customer_leg, seconds))

    def sounds_like_a_fax(self) -> Decision:
        return self.world.tell(FaxToneHeard(self.attempt.customer_leg))

    def presses(self, digit: str) -> Decision:
        return self.world.tell(KeyPressed(self.attempt.customer_leg, digit))

    def confirms(self) -> None:
        """Answers, listens, presses 1."""
        self.answers()
        self.hears_announcement()
        self.presses("1")

    def hangs_up(self, cause: int | None = NORMAL_CLEARING, sip_code: int | None = None) -> Decision:
        return self.world.tell(LegEnded(self.attempt.customer_leg, cause, sip_code))

    def is_let_go(self, outcome: Outcome) -> None:
        """The outcome stands at once; nothing else is over until the leg is gone, which takes a while."""
        world, attempt, before = self.world, self.attempt, self.callback
        assert (attempt.outcome, attempt.ended_at) == (outcome, None)
        assert len(before.outcomes) == sum(each.dialed_at is not None for each in self.attempts) - 1
        gone_at = world.leaving[attempt.customer_leg]
        world.pass_time(gone_at - world.now - 0.125)
        assert self.callback == before, "the leg is still there"
        world.pass_time(0.125)
        ended = world.journal.attempts[attempt.id]
        assert (ended.outcome, ended.ended_at) == (outcome, gone_at)
        assert self.outcomes == (*before.outcomes, outcome)

    def cancels(self, reason: Reason = Reason.BY_CUSTOMER) -> Decision:
        return self.world.tell(CancelRequested(self.id, reason))


@dataclass(frozen=True, slots=True)
class AgentAtDesk:
    """One agent and the phone on their desk."""

    world: World
    id: AgentId

    @property
    def status(self) -> AgentStatus:
        return self.world.journal.agents[self.id]

    @property
    def shown(self) -> str:
        return self.status.shown

    @property
    def leg(self) -> LegId:
        """The leg that rang this agent last."""
        return [effect.leg for effect in self.world.done(RingAgent) if effect.agent == self.id][-1]

    @property
    def hears(self) -> Effect | None:
        """The last thing done on the leg that rang this agent last."""
        on_leg = [effect for effect in self.world.done_on(self.leg) if not isinstance(effect, RingAgent)]
        return on_leg[-1] if on_leg else None

    @property
    def times_rung(self) -> int:
        return sum(effect.agent == self.id for effect in self.world.done(RingAgent))

    def becomes(self, presence: Presence, reason: str | None = None) -> Decision:
        return self.world.tell(PresenceRequested(self.id, presence, reason))

    def ready(self) -> Decision:
        return self.becomes(Presence.READY)

    def leaves(self) -> Decision:
        return self.becomes(Presence.NOT_READY, "lunch")

    def picks_up(self) -> Decision:
        """The agent's phone is answered and its leg is in our hands; the whisper begins."""
        self.world.tell(LegRinging(self.leg))
        self.world.tell(LegAnswered(self.leg))
        return self.world.tell(LegEntered(self.leg))

    def hears_whisper(self, *, complete: bool = True) -> Decision:
        return self.world.tell(PlayingFinished(self.leg, "whisper", complete))

    def answers(self) -> None:
        """Picks up, hears the whisper, and is connected."""
        self.picks_up()
        self.hears_whisper()

    def hangs_up(self, cause: int = NORMAL_CLEARING) -> Decision:
        return self.world.tell(LegEnded(self.leg, cause))

    def rejects(self) -> Decision:
        return self.hangs_up(cause=21)


def only(effect: Effect | None, kind: type[_E]) -> _E:
    """The effect, which must be of this kind."""
    assert isinstance(effect, kind), effect
    return effect


def says(effect: Effect | None) -> tuple[Prompt, ...]:
    """The prompts of an effect that speaks."""
    assert isinstance(effect, Play | HoldWithMusic | Farewell | Release), effect
    return effect.prompts


def only_judged(decision: Decision, before: Attempt) -> tuple[Verdict | None, Evidence | None]:
    """The verdict that the decision wrote, which must be all that it did."""
    assert (len(decision.changes), decision.effects) == (1, []), decision
    [change] = decision.changes
    assert isinstance(change, AttemptChanged)
    after = change.attempt
    as_before = replace(after, verdict=before.verdict, evidence=before.evidence, judged_at=before.judged_at)
    assert as_before == before
    return after.verdict, after.evidence


def being_bridged(world: World, agent: str = "amy") -> Customer:
    """A customer who is being connected with an agent who was free; Connect has not ended yet."""
    world.results.pop(Connect, None)
    world.agent(agent).ready()
    customer = world.customer()
    customer.confirms()
    world.agent(agent).answers()
    assert customer.attempt.bridging_at == world.now
    return customer


def connected(world: World, agent: str = "amy") -> Customer:
    """A customer in conversation with an agent who was free."""
    world.agent(agent).ready()
    customer = world.customer()
    customer.confirms()
    world.agent(agent).answers()
    assert customer.state is CallbackState.CONNECTED
    return customer
