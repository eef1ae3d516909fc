"""The moves of one live attempt: what is done, written and timed when a phase is entered.

Each move is an entry action that may be made again after a restart. Which event leads to which move stands in
callflow.py; the phases stand in callphase.py, the endings in callends.py.
"""

from __future__ import annotations

from engine.core import retry
from engine.core.callends import BEFORE_CONFIRMED, CallEnds
from engine.core.callphase import ANNOUNCEMENT, FREE_LATERS, REFUSED_GRACE_SECONDS, Parting, Phase
from engine.core.effects import DialCustomer, HoldWithMusic, Listen, Listening, Play
from engine.core.facts import (
    AgentMissed,
    AgentWaits,
    AgentWanted,
    Answered,
    Closing,
    Confirmed,
    Dialled,
    Dialling,
)
from engine.core.terms import Outcome, PromptId, ScreeningMode
from engine.core.values import replace


class CallMoves(CallEnds):
    """Each move adds to the Step that is being made."""

    # ---- the customer's side --------------------------------------------------------------------------------

    def _dial_if_permitted(self, now: float) -> None:
        """Between the ring of the agent's phone and their answer, much may have changed for the customer."""
        at = self._permits.dials_at(self.callback, now)
        if at is None:
            self._finish(Outcome.INTERRUPTED, now)
        elif at > now:
            self._arm("dial", at)
        else:
            self._dial(now)

    def _dial(self, now: float) -> None:
        """From here on the customer's phone may ring: written before it is done."""
        self.phase = Phase.DIALING
        self.call = replace(self.call, dialed_at=now)
        self._arm("dial", None)
        self._call_customer(now)
        self._tell(Dialling())

    def _call_customer(self, now: float) -> None:
        self._do(
            DialCustomer(
                self.call.id,
                self.call.customer_leg,
                self._phone,
                self.service.caller_id,
                self._voice,
                self.service.ring_timeout_seconds,
                self._asking_limit() + self._waiting_limit(),
                self._listening(),
            )
        )
        self._arm("ring", now + self.service.ring_timeout_seconds)

    def _listening(self) -> Listening | None:
        screening = self.service.screening
        if screening.mode is ScreeningMode.OFF:
            return None
        return Listening(screening.talk_level, screening.pause_seconds, screening.mode is ScreeningMode.ASTERISK)

    def _dialled(self) -> None:
        """The customer's leg exists."""
        self._dial_known = True
        self._tell(Dialled())

    def _customer_answered(self, now: float) -> None:
        self.call = replace(self.call, answered_at=now)
        self._screening.talk.answered(now)
        for name in ("ring", "silent"):
            self._arm(name, None)
        self._await_entry(now)
        self._tell(Dialled())

    def _await_entry(self, now: float) -> None:
        """The customer has answered and is kept by the dialplan."""
        self.phase = Phase.ANSWERED
        self._screening_at, self._looking = None, False
        for name in ("announcement", "confirm", "screening", "parting"):
            self._arm(name, None)
        self._arm("enter", now + self._limits.enter_seconds)

    def _announce(self, now: float) -> None:
        if self.call.answered_at is None:
            self.call = replace(self.call, answered_at=now)
        self.phase = Phase.ANNOUNCING
        self._keys_told, self._asked = self.keys, True
        self._media_failed = False
        self._parting = Parting.NO
        self._announced_at = now
        self._screening.we_speak(now)
        for name in ("ring", "silent", "enter", "confirm", "parting"):
            self._arm(name, None)
        self._arm("announcement", now + self._limits.announcement_seconds)
        # Each has its own name, also after a restart; the same decision made again gives it the same one.
        self._announcement = f"announcement.{now:.3f}"
        self._do(Play(self.call.id, self.call.customer_leg, ANNOUNCEMENT, self._voice, self._announcement))
        screening = self.service.screening
        if screening.mode is ScreeningMode.CONCURRENT and not self._listened_to:
            self._listened_to = True
            self._do(Listen(self.call.id, self.call.customer_leg, screening.pause_seconds))
        self._tell(Dialled(), Answered())

    def _announced(self, now: float, *, complete: bool = True) -> None:
        if not complete:
            self._media_failed = True
            self._arm("announcement", now + REFUSED_GRACE_SECONDS)
            return
        self._named |= not self._media_failed
        self._screening.we_are_silent(now)
        self._arm("announcement", None)
        self._arm("confirm", now + self.service.confirmation.wait_seconds)

    def _permitted(self, at: float) -> float | None:
        return self._permits.can_be_kept(self.callback, at)

    def _may_call_later(self, now: float) -> bool:
        """Only what will be kept is promised."""
        history = (*self.callback.outcomes, Outcome.LATER)
        if history.count(Outcome.LATER) > FREE_LATERS:
            return False
        service, ended_at = self.service, now + self._limits.last_words_seconds
        decided = retry.decide(service.attempts, service.confirmation, history, self.call, ended_at, self._permitted)
        life_ends_at = self.callback.joined_at + service.life_seconds
        return isinstance(decided, retry.RetryDecision) and decided.at < life_ends_at

    def _confirmed(self, now: float) -> None:
        self.phase = Phase.WAITING
        self._asked = False
        self.call = replace(self.call, confirmed_at=now)
        for name in (*BEFORE_CONFIRMED, "music"):
            self._arm(name, None)
        self._hold_until(now)
        self._comfort_in_time(now)
        self._do(HoldWithMusic(self.call.id, self.call.customer_leg, (PromptId.CONNECTING,), self._voice))
        self._tell(Confirmed())
        if self._agent is None:
            self._tell(AgentWanted())
        elif self._agent_leg_live:
            self._whisper(now)
        else:
            self._ring_agent(now)

    def _announcement_overdue(self, now: float) -> None:
        if self._media_failed:
            self._close(Outcome.INTERRUPTED, now)
        else:
            self._announced(now)

    def _nothing_pressed(self, now: float) -> None:
        if self._repeats_left > 0:
            self._repeats_left -= 1
            self._announce(now)
        else:
            self._close(Outcome.UNCONFIRMED, now, PromptId.UNCONFIRMED_GOODBYE)

    def _key(self, digit: str, now: float) -> None:
        keys = self._keys_told
        if digit == keys.connect:
            self._confirmed(now)
        elif digit == keys.later:
            if self._may_call_later(now):
                self._keep_wish(Outcome.LATER, now, PromptId.LATER_CONFIRMED)
        elif digit == keys.cancel:
            self._keep_wish(Outcome.CANCELLED_BY_KEY, now, PromptId.CANCEL_CONFIRMED)
        elif digit == keys.never:
            self._keep_wish(Outcome.NEVER_AGAIN, now, PromptId.NEVER_CONFIRMED)

    def _late_key(self, digit: str) -> None:
        """Last words are being said, and a call would follow: who presses now that they want none is not called."""
        wishes = {self._keys_told.cancel: Outcome.CANCELLED_BY_KEY, self._keys_told.never: Outcome.NEVER_AGAIN}
        if digit in wishes and self._asked and self.call.outcome not in retry.ENDS:
            self.call = replace(self.call, outcome=wishes[digit])
            self._tell(Closing())

    # ---- the agent's side -----------------------------------------------------------------------------------

    def _agent_comes(self, now: float) -> None:
        """Rung first, the agent is on the phone: the customer is dialled, once Asterisk can be heard."""
        if self.heard and self._permits.dials_at(self.callback, now) is None:
            self._finish(Outcome.INTERRUPTED, now)
            return
        self._agent_waits(now)
        if self.heard:
            self._dial_if_permitted(now)

    def _agent_waits(self, now: float) -> None:
        """Music for the agent; what is to come is the dial."""
        self._agent_came = True
        self._arm("agent_ring", None)
        self._arm("dial", now)
        self._music_for_agent()
        if self._agent is not None:
            self._tell(AgentWaits(self._agent.id))

    def _music_for_agent(self) -> None:
        self._arm("music", None)
        self._do(HoldWithMusic(self.call.id, self.call.agent_leg, (), self._voice))

    def _first_agent_missed(self, now: float) -> None:
        """Rung first, the agent did not come, or left before the customer confirmed."""
        self._drop_agent_leg()
        self._arm("music", None)
        if self._agent is not None:
            self._tell(AgentMissed(self._agent.id))
            self._agent = None
        if self.phase is Phase.RINGING_FIRST:
            self._finish(Outcome.NO_AGENT, now)
        elif self.phase is Phase.DIALING:
            self._close(Outcome.NO_AGENT, now)
        # Who has answered is kept: another agent is found when they confirm.
