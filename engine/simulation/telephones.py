"""A telephone network with Asterisk in front of it: effects are carried out, and give the events Asterisk would give.

What people do is asked of `People` when a call begins; here it only happens, each thing at its time, as long as the leg
is there. Nothing ever goes wrong but what people and networks do: every request of the engine is done. News that the
engine takes no notice of is not told, for a third of all events would be such; a test tells it and finds no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from engine.core.effects import (
    Connect,
    CountAudio,
    DialCustomer,
    Dismantle,
    Effect,
    Farewell,
    HoldWithMusic,
    Listen,
    Listening,
    Play,
    Release,
    RingAgent,
)
from engine.core.events import (
    AudioCounted,
    AudioNews,
    BeepHeard,
    EarClosed,
    EarOpened,
    EffectEnded,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    PlayingFinished,
    ResultKind,
    WorkCompleted,
)
from engine.core.terms import AgentId, CallbackId, LegId, PromptId, ServiceId, WorkId
from engine.core.values import Value, replace
from engine.simulation.acts import CustomerActs, People
from engine.simulation.virtual_engine import VirtualEngine

NORMAL_CLEARING = 16
REJECTED = 21

_OfLeg: TypeAlias = LegRinging | LegAnswered | LegEntered | KeyPressed | PlayingFinished | AudioNews
_BY_EAR = (EarOpened, EarClosed, BeepHeard)
"""What only an ear of ours hears, which is there if screening goes on beside the announcement."""


class Timing(Value):
    """How long things take that no person decides on.

    `request_seconds`: until Asterisk has done what it was asked. `enter_seconds`: from the answer to our hands.
    """

    request_seconds: float = 0.02
    ring_seconds: float = 0.1
    enter_seconds: float = 0.05
    announcement_seconds: float = 9.0
    whisper_seconds: float = 2.0
    last_words_seconds: float = 3.0
    hang_up_seconds: float = 0.1


class _Leg:
    """One leg that is up, or on its way up. `leaving`: it is being hung up, and nobody does anything on it any more."""

    __slots__ = ("acts", "agent", "entered", "held", "leaving", "listening", "met", "playing", "service")

    def __init__(
        self,
        service: ServiceId,
        acts: CustomerActs | None = None,
        listening: Listening | None = None,
        agent: AgentId | None = None,
    ) -> None:
        self.service = service
        self.acts = acts
        self.listening = listening
        self.agent = agent
        self.playing = ""
        self.entered = 0.0
        self.held = self.met = self.leaving = False


class Telephones:
    """Carries out the effects of one engine, and is its outside from now on."""

    def __init__(self, engine: VirtualEngine, people: People, timing: Timing | None = None) -> None:
        self._engine = engine
        self._people = people
        self._timing = timing or Timing()
        self._legs: dict[LegId, _Leg] = {}
        self._by_kind: dict[type[Any], Callable[[Any], None]] = {
            DialCustomer: self._dial,
            RingAgent: self._ring,
            Play: self._play,
            Listen: self._done,
            CountAudio: self._count,
            HoldWithMusic: self._hold,
            Connect: self._connect,
            Farewell: self._release,
            Release: self._release,
            Dismantle: self._done,
        }
        engine.outside = self

    @property
    def legs(self) -> int:
        """How many are up, or on their way up or down."""
        return len(self._legs)

    def carry_out(self, effect: Effect, engine: VirtualEngine) -> None:  # noqa: ARG002 - it has only one engine
        """Begin it; what comes of it is put into the agenda."""
        self._by_kind[type(effect)](effect)

    # ---- what Asterisk does ----------------------------------------------------------------------------

    def _dial(self, effect: DialCustomer) -> None:
        acts, leg = self._people.customer(effect), effect.leg
        self._legs[leg] = _Leg(effect.voice.service, acts, effect.listening)
        self._ended(effect, ResultKind.OK)
        if acts.rings_after is not None:
            self._later(acts.rings_after, LegRinging(leg))
        if acts.answers_after is not None:
            self._later(acts.answers_after, LegAnswered(leg))
            self._engine.after(acts.answers_after + self._timing.enter_seconds, self._customer_enters, leg)
        elif acts.ends_after is not None:
            self._engine.after(acts.ends_after, self._hang_up, LegEnded(leg, acts.cause, acts.sip_code))

    def _ring(self, effect: RingAgent) -> None:
        acts, leg = self._people.agent(effect), effect.leg
        self._legs[leg] = _Leg(effect.voice.service, agent=effect.agent)
        self._done(effect)
        self._unheeded(self._timing.ring_seconds, LegRinging(leg))
        if acts.answers_after is not None:
            self._unheeded(acts.answers_after, LegAnswered(leg))
            self._later(acts.answers_after + self._timing.enter_seconds, LegEntered(leg))
        elif acts.rejects_after is not None:
            self._engine.after(acts.rejects_after, self._hang_up, LegEnded(leg, REJECTED))

    def _play(self, effect: Play) -> None:
        leg = self._legs.get(effect.leg)
        if leg is None or leg.leaving:
            self._refused(effect)
            return
        self._done(effect)
        leg.playing = effect.tag
        seconds = self._timing.last_words_seconds
        if leg.agent is not None:
            seconds = self._timing.whisper_seconds
        elif PromptId.ANNOUNCE in effect.prompts:
            seconds = self._timing.announcement_seconds
        self._engine.after(seconds, self._played, PlayingFinished(effect.leg, effect.tag))

    def _count(self, effect: CountAudio) -> None:
        """Networks here send all the time."""
        leg = self._legs.get(effect.leg)
        if leg is None or leg.leaving:
            self._refused(effect)
            return
        self._done(effect)
        self._later(self._timing.request_seconds, AudioCounted(effect.leg, self._engine.now - leg.entered))

    def _hold(self, effect: HoldWithMusic) -> None:
        leg = self._legs.get(effect.leg)
        if leg is None or leg.leaving:
            self._refused(effect)
            return
        self._done(effect)
        leg.playing = ""
        if not leg.held and leg.acts is not None and leg.acts.waits_seconds is not None:
            self._engine.after(leg.acts.waits_seconds, self._tire, effect.leg)
        leg.held = True

    def _connect(self, effect: Connect) -> None:
        customer, agent = self._legs.get(effect.customer), self._legs.get(effect.agent)
        if customer is None or agent is None or customer.leaving or agent.leaving or agent.agent is None:
            self._refused(effect)
            return
        self._ended(effect, ResultKind.OK)
        customer.met = agent.met = True
        conversation = self._people.conversation(effect.attempt, agent.agent, agent.service)
        over = self._timing.request_seconds + conversation.talks_seconds
        self._engine.after(over, self._gone, LegEnded(effect.customer, NORMAL_CLEARING))
        if conversation.wraps_up_seconds is not None:
            callback = CallbackId(effect.attempt.rpartition("-")[0])
            done = WorkCompleted(agent.agent, WorkId(effect.attempt), callback, agent.service, None)
            self._engine.tell_after(over + conversation.wraps_up_seconds, done)

    def _release(self, effect: Release | Farewell) -> None:
        leg = self._legs.get(effect.leg)
        if leg is None:
            self._refused(effect)
            return
        self._done(effect)
        leg.leaving = True
        words = self._timing.last_words_seconds if effect.prompts else 0.0
        self._engine.after(words + self._timing.hang_up_seconds, self._gone, LegEnded(effect.leg, NORMAL_CLEARING))

    def _ended(self, effect: Effect, result: ResultKind) -> None:
        self._engine.tell_after(self._timing.request_seconds, EffectEnded(effect, result))

    def _done(self, effect: Effect) -> None:
        """Only of a dial and of a connection the engine wants to know that they came about."""

    def _unheeded(self, seconds: float, event: LegRinging | LegAnswered) -> None:
        """Of an agent's leg the engine wants to know when it enters, and when it ends."""

    def _refused(self, effect: Effect) -> None:
        self._ended(effect, ResultKind.REFUSED)

    # ---- what happens on a leg -------------------------------------------------------------------------

    def _later(self, seconds: float, event: _OfLeg) -> None:
        self._engine.after(seconds, self._happens, event)

    def _happens(self, event: _OfLeg) -> None:
        leg = self._legs.get(event.leg)
        if leg is not None and not leg.leaving:
            self._engine.tell(event)

    def _customer_enters(self, leg_id: LegId) -> None:
        leg = self._legs.get(leg_id)
        if leg is None or leg.leaving or leg.acts is None:
            return
        for seconds, digit in leg.acts.keys:
            self._later(seconds, KeyPressed(leg_id, digit))
        if leg.acts.hangs_up_after is not None:
            self._engine.after(leg.acts.hangs_up_after, self._lose_interest, leg_id)
        leg.entered = self._engine.now
        amd = leg.listening is not None and leg.listening.amd
        if leg.listening is not None:
            for seconds, sound in leg.acts.sounds:
                if not (amd and isinstance(sound, _BY_EAR)):
                    self._later(seconds, replace(sound, leg=leg_id))
        self._engine.tell(LegEntered(leg_id, leg.acts.amd if amd else None))

    def _played(self, event: PlayingFinished) -> None:
        leg = self._legs.get(event.leg)
        if leg is not None and leg.playing == event.tag and not leg.leaving:
            leg.playing = ""
            self._engine.tell(event)

    def _lose_interest(self, leg_id: LegId) -> None:
        """The customer hangs up on the announcement."""
        leg = self._legs.get(leg_id)
        if leg is not None and not leg.held:
            self._hang_up(LegEnded(leg_id, NORMAL_CLEARING))

    def _tire(self, leg_id: LegId) -> None:
        """The customer has heard enough music."""
        leg = self._legs.get(leg_id)
        if leg is not None and not leg.met:
            self._hang_up(LegEnded(leg_id, NORMAL_CLEARING))

    def _hang_up(self, event: LegEnded) -> None:
        """By the far end; who is being let go ends by that."""
        leg = self._legs.get(event.leg)
        if leg is not None and not leg.leaving:
            self._gone(event)

    def _gone(self, event: LegEnded) -> None:
        if self._legs.pop(event.leg, None) is not None:
            self._engine.tell(event)
