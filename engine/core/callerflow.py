"""One call that came in, step by step. Which event leads to which move.

    WAITING <-> ASKING -> CLOSING -> ENDED
       |
    WHISPERING -> BRIDGING -> CONNECTED -> ENDED      (back to WAITING, if nobody answers a transfer)

The caller waits with music, in the same line as those who are called back; with a key they are asked about a callback
(callermenu.py). What follows an agent is the same as in every call (meeting.py). A start finds them by the name that
Asterisk gave their call, and goes on with the music: what they had told a menu is lost, and asked again.
"""

from __future__ import annotations

from engine.core.callerends import FIRST_NEWS_SECONDS, Admittance
from engine.core.callermenu import CallerMenu, Question
from engine.core.callphase import REFUSED_GRACE_SECONDS, Phase, Recovery, Step
from engine.core.effects import AnswerCaller, CheckNumber, Effect, Farewell, HoldWithMusic, Play, Release
from engine.core.events import (
    AttemptSeen,
    EffectEnded,
    Event,
    KeyPressed,
    LegSeen,
    NumberChecked,
    PlayingFinished,
    ResultKind,
)
from engine.core.records import InboundCall
from engine.core.terms import InboundOutcome, Prompt, PromptId
from engine.core.values import replace


class CallerFlow(CallerMenu):
    """The state machine of one call that came in. Methods take the event and the time and return a Step."""

    @property
    def inbound(self) -> InboundCall:
        """The record as it stands."""
        return self.call

    def start(self, admittance: Admittance, now: float) -> Step:
        """They ring in: answer, and greet."""
        self._do(AnswerCaller(self.call.id, self.call.leg, self._waiting_limit()))
        match admittance:
            case Admittance.JOINS:
                self._hold_until(now)
                self._wait(now, self._greeting())
            case Admittance.CLOSED:
                self.phase = Phase.ASKING
                self._offer_slots(now)
            case Admittance.FULL:
                self._close(InboundOutcome.REFUSED, now, PromptId.INBOUND_FULL)
        return self._taken()

    def _greeting(self) -> tuple[Prompt, ...]:
        return (PromptId.INBOUND_GREETING,)

    def _wait(self, now: float, prompts: tuple[Prompt, ...]) -> None:
        self._do(HoldWithMusic(self.call.id, self.call.leg, prompts, self._voice))
        self._arm("comfort", now + FIRST_NEWS_SECONDS)

    def withdraw_agent(self, now: float) -> Step:  # noqa: ARG002 - as of every call
        """Whose phone is rung for somebody on the phone finishes this call."""
        return self._taken()

    def end_politely(self, now: float) -> Step:
        """The engine stops, and will be back: the music goes on meanwhile, in Asterisk."""
        self.engine_stops = True
        if self.phase is Phase.ASKING:
            self._back(now)
        return self._taken()

    def let_go(self, now: float) -> Step:
        """They have heard their last words, and why could not be written: nobody is to be rung for them any more."""
        if self.phase in (Phase.WAITING, Phase.ASKING):
            self._close(InboundOutcome.INTERRUPTED, now)
        return self._taken()

    # ---- what happens -----------------------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> Step:
        """Facts from Asterisk about this call's legs, and results of its effects."""
        match event:
            case EffectEnded(effect=effect, result=result):
                self._effect_ended(effect, result, now)
            case KeyPressed(leg=leg, digit=digit) if leg == self.call.leg:
                if self.phase is Phase.ASKING:
                    self._answered(digit, now)
                elif self._wants_callback(digit):
                    self._ask_for_callback(now)
            case NumberChecked(number=number):
                if self.phase is Phase.ASKING and self._question is Question.CHECK:
                    self._checked(number, now)
            case PlayingFinished(leg=leg, tag=tag, complete=complete) if leg == self.call.leg:
                if self.phase is Phase.ASKING and tag == self._said:
                    self._said_it(now, complete=complete)
            case _:
                self._meet(event, now)
        return self._taken()

    def _wants_callback(self, digit: str) -> bool:
        """Not when an agent is about to come."""
        waits = self.phase is Phase.WAITING and self._agent is None
        return waits and digit == self._inbound.callback_key and self._may_ask

    def timer(self, name: str, now: float) -> Step:
        """One of this call's timers fired."""
        self._arm(name, None)
        match self.phase, name:
            case Phase.ASKING, "menu":
                self._unanswered(now)
            case Phase.CLOSING, "closing":
                self._closed(now)
            case _:
                self._meet_in_time(name, now)
        return self._taken()

    def _effect_ended(self, effect: Effect, result: ResultKind, now: float) -> None:
        match effect:
            case AnswerCaller() if result is ResultKind.REFUSED and self.phase in (Phase.WAITING, Phase.ASKING):
                pass  # they have just hung up, and the leg's own end says so
            case Play(tag=tag) if result is not ResultKind.OK and self.phase is Phase.ASKING and tag == self._said:
                self._said_it(now, complete=False)
            case CheckNumber() if result is not ResultKind.OK and self._question is Question.CHECK:
                if self.phase is Phase.ASKING:
                    self._checked(None, now)
            case Release(leg=leg) | Farewell(leg=leg) if leg == self.call.leg:
                if self.phase is Phase.CLOSING and result is ResultKind.REFUSED:
                    self._arm("closing", now + REFUSED_GRACE_SECONDS)
            case _:
                self._meet_or_not(effect, result, now)

    # ---- after a start or a lost event socket --------------------------------------------------------------

    def resume(self, look: AttemptSeen, now: float) -> tuple[Step, Recovery]:
        """Go on from what Asterisk still has, and say how."""
        customer, agent = self._note_look(look.customer, look.agent)
        if customer is LegSeen.GONE:
            recovery = self._gone_unseen(agent, look, now)
        else:
            recovery = self._still_there(agent, look, now)
        return self._taken(), recovery

    def _gone_unseen(self, agent: LegSeen, look: AttemptSeen, now: float) -> Recovery:
        self._left_by_customer(look)
        if self._met_unseen(agent, bridged=look.bridged):
            self._talked(now, unobserved=True)
            return Recovery.ENDED_UNOBSERVED
        if self.phase is Phase.CLOSING:
            self._closed(now)
            return Recovery.CLOSED
        self.call = replace(self.call, bridging_at=None)
        self._finish(InboundOutcome.INTERRUPTED, now)
        return Recovery.INTERRUPTED

    def _still_there(self, agent: LegSeen, look: AttemptSeen, now: float) -> Recovery:
        match self.phase:
            case Phase.CLOSING:
                self._release_customer()
                self._arm("closing", now + self._limits.closing_seconds)
                self._drop_agent_leg()
                return Recovery.RELEASED
            case Phase.ASKING if self.call.joined_at is None:
                self._offer_slots(now)
                if self.phase is Phase.ASKING:
                    # Before the words: the engine may have died before it answered them.
                    self._step.effects.insert(0, AnswerCaller(self.call.id, self.call.leg, self._waiting_limit()))
                return Recovery.ANNOUNCED
            case Phase.ASKING:
                self._back(now)
                return Recovery.AGENT_WANTED
            case _:
                self._arm("menu", None)
                if self.phase is Phase.WAITING:
                    self._do(AnswerCaller(self.call.id, self.call.leg, self._waiting_limit()))
                return self._meet_again(agent, look, now) or Recovery.LEFT_ALONE
