"""One live attempt, step by step, whoever is called first. Which event leads to which move.

The flow owns the attempt's record, its legs and its timers, and nothing else: it reports facts, and the dispatcher
moves the callback and the agent. Each phase answers only the events that mean something in it; all others are late or
doubled news and change nothing. Every phase that waits for the outside has a timer that ends on the human's side.

What a look after a start leads to stands in callresume.py, what the moves do in callmoves.py and callends.py.
"""

from __future__ import annotations

from engine.core import outcomes
from engine.core.callphase import REFUSED_GRACE_SECONDS, SILENT_DIAL_SECONDS, Phase, Step
from engine.core.callresume import CallResume
from engine.core.effects import (
    Connect,
    CountAudio,
    DialCustomer,
    Effect,
    Farewell,
    Play,
    Release,
    RingAgent,
)
from engine.core.events import (
    AudioCounted,
    AudioNews,
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEntered,
    LegRinging,
    PlayingFinished,
    ResultKind,
)
from engine.core.facts import Dialled
from engine.core.terms import LegId, Outcome, PromptId
from engine.core.values import replace


class CallFlow(CallResume):
    """The state machine of one attempt. Methods take the event and the time and return a Step."""

    # ---- what the dispatcher asks for ----------------------------------------------------------------

    def start(self, now: float) -> Step:
        """An agent is reserved: call the customer if that is written, else ring the agent first."""
        if self.phase is Phase.RINGING_FIRST:
            self._ring_agent(now)
        else:
            self._call_customer(now)
        return self._taken()

    def withdraw_agent(self, now: float) -> Step:
        """The reserved agent left before they were on the phone; who is there finishes this call."""
        match self.phase:
            case Phase.RINGING_FIRST:
                self._finish(Outcome.NO_AGENT, now)
            case Phase.DIALING if self._agent is not None and not self._agent_leg_live:
                self._close(Outcome.NO_AGENT, now)
            case Phase.ANSWERED | Phase.ANNOUNCING if not self._agent_leg_live:
                self._free_agent()
            case _:
                pass
        return self._taken()

    def end_politely(self, now: float) -> Step:
        """The engine stops: end what is not about to be a conversation, or as soon as it is not."""
        self._stopping = True
        if self.phase is Phase.RINGING_FIRST:
            self._finish(Outcome.INTERRUPTED, now)
        elif self.phase in (Phase.DIALING, Phase.ANSWERED):
            self._close(Outcome.INTERRUPTED, now)
        elif self.phase in (Phase.ANNOUNCING, Phase.WAITING):
            self._close(Outcome.INTERRUPTED, now, PromptId.APOLOGY)
        return self._taken()

    def let_go(self, now: float) -> Step:
        """The customer was released while nothing could be written, or is now; a key may have come just before."""
        if self.phase is Phase.RINGING_FIRST:
            self._finish(Outcome.INTERRUPTED, now)
        elif self.phase in (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING, Phase.WAITING):
            self._close(Outcome.INTERRUPTED, now)
        return self._taken()

    # ---- what happens on the legs --------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> Step:
        """Facts from Asterisk about this attempt's legs, and results of its effects."""
        customer = self.call.customer_leg
        match event:
            case EffectEnded(effect=effect, result=result):
                self._effect_ended(effect, result, now)
            case LegRinging(leg=leg) if leg == customer and self.phase is Phase.DIALING:
                self.call = replace(self.call, rang=True)
                self._dialled()
            case LegAnswered(leg=leg) if leg == customer and self.phase is Phase.DIALING:
                self._customer_answered(now)
            case LegEntered(leg=leg) if leg == customer:
                if self.phase is Phase.DIALING:
                    self._customer_answered(now)
                if self.phase is Phase.ANSWERED:
                    self._announce(now)
                    if event.amd is not None:
                        self._judged(self._screening.amd(event.amd), now)
                    self._screen(now)
                if self.phase is Phase.CLOSING:
                    self._shows_itself(now)
            case LegRinging(leg=leg) | LegAnswered(leg=leg) if leg == customer:
                if self.phase is Phase.CLOSING:
                    self._shows_itself(now)
            case LegEntered(leg=leg) if self._is_agent(leg) and self.phase is Phase.RINGING_FIRST:
                if not self._agent_came:
                    self._agent_comes(now)
            case KeyPressed(leg=leg, digit=digit) if leg == customer:
                if self.phase is Phase.ANNOUNCING:
                    self._judged(self._screening.key(), now)
                    self._key(digit, now)
                    self._asked_again(now)
                elif self.phase is Phase.CLOSING:
                    self._late_key(digit)
            case _ if isinstance(event, AudioNews):
                if event.leg == customer and self.phase in (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING):
                    self._heard(event, now)
            case PlayingFinished(leg=leg, tag=tag, complete=complete) if leg == customer:
                if self.phase is Phase.ANNOUNCING and tag == self._announcement:
                    self._announced(now, complete=complete)
                    self._screen(now)
                elif self.phase is Phase.ANNOUNCING and tag == self._last_words:
                    self._parting_said(now, complete=complete)
            case _:
                self._meet(event, now)
        return self._taken()

    def timer(self, name: str, now: float) -> Step:
        """One of this attempt's timers fired; while Asterisk is not heard, only the customer's ringing is timed."""
        self._arm(name, None)
        match self.phase, name:
            case Phase.RINGING_FIRST, "dial" if self._agent_came:
                self._dial_if_permitted(now)
            case Phase.RINGING_FIRST, "agent_ring" if self._agent_unreached:
                self._finish(Outcome.NO_AGENT, now)
            case Phase.RINGING_FIRST, "agent_ring":
                self._first_agent_missed(now)
            case Phase.DIALING | Phase.ANSWERED | Phase.ANNOUNCING, "music" if self._agent_leg_live:
                self._music_for_agent()
            case Phase.DIALING, "ring" if not self.heard:
                self._rang_out = True
                self._arm("silent", now + SILENT_DIAL_SECONDS)
            case Phase.DIALING, "silent" if not self.heard:
                self.call = replace(self.call, rang=True)
                self._finish(Outcome.INTERRUPTED, now)
            case Phase.DIALING, "ring" | "silent":
                # What nobody has heard of since it was asked for has perhaps never rung: no fault of the customer's.
                self._close(Outcome.NO_ANSWER if self._dial_known else Outcome.INTERRUPTED, now)
            case Phase.ANSWERED, "enter":
                self._close(Outcome.INTERRUPTED, now)
            case Phase.ANNOUNCING, "announcement":
                self._announcement_overdue(now)
                self._screen(now)
            case Phase.ANNOUNCING, "screening":
                self._screening_due(now)
            case Phase.ANNOUNCING, "parting":
                self._parting_over(now)
            case Phase.ANNOUNCING, "confirm":
                self._screen(now)
                if self.phase is Phase.ANNOUNCING and not self._will_part:
                    if self._screening.is_answered:
                        self._arm("confirm", now + REFUSED_GRACE_SECONDS)
                    else:
                        self._nothing_pressed(now)
            case Phase.CLOSING, "closing":
                self.call = replace(self.call, rang=True)  # nobody saw it end, so nobody can say it did not
                self._closed(now)
            case _:
                self._meet_in_time(name, now)
        return self._taken()

    def _effect_ended(self, effect: Effect, result: ResultKind, now: float) -> None:
        if result is ResultKind.OK and not isinstance(effect, DialCustomer | Connect):
            return  # as nearly all of them end; of the others something follows
        match effect, result:
            case DialCustomer(), ResultKind.OK if self.phase is Phase.DIALING:
                self._dialled()
            case DialCustomer(), ResultKind.REFUSED if self.phase is Phase.DIALING:
                self._finish(Outcome.REFUSED, now)
            case DialCustomer(), ResultKind.UNKNOWN if self.phase is Phase.DIALING:
                self.call = replace(self.call, rang=True)
                if self.heard:
                    self._close(Outcome.INTERRUPTED, now)
                else:
                    self._tell(Dialled())  # for all we know; the look that follows knows more
            case DialCustomer(), ResultKind.REFUSED if self.phase is Phase.CLOSING:
                self._closed(now)
            case DialCustomer(), _ if self.phase is Phase.CLOSING:
                self._shows_itself(now)
            case Release(leg=leg) | Farewell(leg=leg), ResultKind.REFUSED if leg == self.call.customer_leg:
                if self.phase is Phase.CLOSING:
                    self._arm("closing", now + REFUSED_GRACE_SECONDS)
            case RingAgent(leg=leg), _ if self._rings_first(leg):
                if result is ResultKind.REFUSED:
                    self._first_agent_missed(now)
                else:
                    self._agent_maybe_unreached(now)
            case Play(tag=tag), ResultKind.REFUSED | ResultKind.UNKNOWN if tag == self._announcement:
                if self.phase is Phase.ANNOUNCING:
                    self._announced(now, complete=False)
            case Play(tag=tag), ResultKind.REFUSED | ResultKind.UNKNOWN if tag == self._last_words:
                if self.phase is Phase.ANNOUNCING:
                    self._parting_said(now, complete=False)
            case CountAudio(), _ if self.phase is Phase.ANNOUNCING:
                self._heard(AudioCounted(self.call.customer_leg, None), now)
            case _:
                self._meet_or_not(effect, result, now)

    def _rings_first(self, leg: LegId) -> bool:
        """Whether this agent's phone is being rung before anybody is called."""
        return self.phase is Phase.RINGING_FIRST and self._is_agent(leg) and self.heard and not self._agent_came

    # ---- who leaves ------------------------------------------------------------------------------------

    def _customer_left(self, cause: int | None, sip_code: int | None, now: float) -> None:
        if self.phase is Phase.CLOSING:
            self._closed(now)
            return
        if self.phase is Phase.RINGING_FIRST:
            return  # nobody was called
        self.call = replace(self.call, cause=cause, sip_code=sip_code)
        match self.phase:
            case Phase.DIALING:
                self._finish(outcomes.of_unanswered(cause, sip_code), now)
            case Phase.ANSWERED | Phase.ANNOUNCING:
                self._judged(self._screening.left(now), now)
                self._finish(Outcome.HUNG_UP, now)
            case Phase.WAITING | Phase.WHISPERING | Phase.BRIDGING:
                self._finish(Outcome.ABANDONED, now)
            case Phase.CONNECTED:
                self._finish(Outcome.CONNECTED, now)
            case Phase.ENDED:
                pass

    def _agent_left(self, now: float) -> None:
        super()._agent_left(now)
        if self.phase in (Phase.RINGING_FIRST, Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING):
            self._first_agent_missed(now)

    def _waits_with_music(self, leg: LegId) -> bool:
        """Whose music it is: the agent's, who was rung first, until the customer's begins."""
        if self.phase in (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING):
            return self._is_agent(leg)
        return super()._waits_with_music(leg)
