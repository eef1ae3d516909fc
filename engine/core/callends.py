"""How one live attempt ends, and what it holds until then: its record, its legs and its timers.

An outcome that is decided is never changed, unless who hears the last words wishes for no call; and the attempt is over
only when the customer's leg is gone. What is done on the way to an end stands in callmoves.py, which event leads to it
in callflow.py; the phases stand in callphase.py.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from engine.core.callphase import Parting, Phase, phase_of
from engine.core.configuration import Agent, Service
from engine.core.effects import Dismantle, Farewell, Voice
from engine.core.facts import Closing, Finished
from engine.core.meeting import Meeting
from engine.core.records import Attempt, Callback
from engine.core.screening import Screening
from engine.core.terms import CallbackState, Evidence, Outcome, PromptId, ScreeningMode, Verdict
from engine.core.values import replace

BEFORE_CONFIRMED = ("dial", "ring", "silent", "enter", "announcement", "confirm", "screening", "parting")
WHILE_WAITING = ("agent_ring", "music", "comfort", "hold", "whisper", "bridge")
STEP_TIMERS = (*BEFORE_CONFIRMED, *WHILE_WAITING)
"""Every timer of a call that goes on; one that is closing has none of them."""


class Permits(Protocol):
    """Who says when a customer may be called; each from a moment on, None for never."""

    def can_be_kept(self, callback: Callback, at: float) -> float | None:
        """The first moment at which they may be called again."""

    def dials_at(self, callback: Callback, at: float) -> float | None:
        """The same for an agent who is on the phone and waits for them, in this call."""


class CallEnds(Meeting[Attempt]):
    """The attempt's record, its legs and its timers. Each move adds to the Step that is being made.

    `keys`: what the prompts say now; the dispatcher sets it.
    `_keys_told`: what the customer was told, by which their key is read; `_asked`: they were, and have not confirmed.
    `_named`: whoever answered has heard who called. `_looking`: the audio that came is being counted.
    """

    _agent_came = False
    _announcement = ""
    _announced_at = 0.0
    _named = False
    _screening_at: float | None = None
    _looking = False
    _listened_to = False
    _parting = Parting.NO
    _parting_failed = False
    _last_words = ""
    _media_failed = False
    _rang_out = False

    def __init__(
        self,
        attempt: Attempt,
        callback: Callback,
        service: Service,
        agent: Agent | None,
        permits: Permits,
    ) -> None:
        phone = callback.request.phone
        voice = Voice(service.id, callback.request.language)
        super().__init__(attempt, phase_of(attempt, callback.state), service, voice, phone, agent)
        self.callback = callback
        self.keys = self._keys_told = service.confirmation.keys
        self._asked = callback.state is CallbackState.ANNOUNCING
        self._dial_known = callback.state is CallbackState.DIALING
        self._permits = permits
        self._phone = phone
        self._repeats_left = service.confirmation.repeats

    @property
    def attempt(self) -> Attempt:
        """The record as it stands."""
        return self.call

    @cached_property
    def _screening(self) -> Screening:
        """Made when it is first asked: nobody is listened to before they answer."""
        screening = Screening(self.service.screening, self.service.confirmation.wait_seconds)
        screening.found_before(self.call.verdict, self.call.evidence)
        return screening

    # ---- endings --------------------------------------------------------------------------------------------

    def _close(self, outcome: Outcome, now: float, *prompts: PromptId) -> None:
        """The outcome stands; let the customer go, with a few last words or without."""
        self._release_customer(*prompts)
        self._closing(
            outcome,
            now + (self._limits.last_words_seconds if prompts else self._limits.closing_seconds),
            now,
        )

    def _keep_wish(self, outcome: Outcome, now: float, prompt: PromptId) -> None:
        """The customer pressed a key that ends the call: say that it counts, once it is written."""
        self._do(Farewell(self.call.id, self.call.customer_leg, (prompt,), self._voice))
        self._closing(outcome, now + self._limits.last_words_seconds, now)

    def _closing(self, outcome: Outcome, limit: float, now: float) -> None:
        self._judge_at_last(now)
        self.phase = Phase.CLOSING
        self.call = replace(self.call, outcome=self._as_it_was(outcome))
        for name in STEP_TIMERS:
            self._arm(name, None)
        self._arm("closing", limit)
        self._tell(Closing())
        self._drop_agent_leg()
        # While a phone may still ring, its agent stays reserved; one who waited on the phone is free at once.
        if self.call.answered_at is not None or self.call.agent_legs > 0:
            self._free_agent()

    def _shows_itself(self, now: float) -> None:
        """The leg of a dial that was given up is there, or may be: the release may have come before it."""
        if self.call.answered_at is None:
            self.call = replace(self.call, rang=True)
            self._release_again(now)

    def _release_again(self, now: float) -> None:
        self._release_customer()
        self._arm("closing", now + self._limits.closing_seconds)

    def _closed(self, now: float) -> None:
        outcome = self.call.outcome
        assert outcome is not None  # noqa: S101 - nothing closes without one
        self._finish(outcome, now)

    def _judge_at_last(self, now: float) -> None:
        """The question who answered is over; perhaps nothing has answered it."""
        attempt, talked = self.call, self._screening.talk.talked(now) > 0
        asked = attempt.answered_at is not None and attempt.confirmed_at is None and attempt.outcome is None
        if asked and attempt.verdict is None and self.service.screening.mode is not ScreeningMode.OFF:
            evidence = Evidence.UNDECIDED if talked else Evidence.NOTHING_HEARD
            self.call = replace(attempt, verdict=Verdict.UNKNOWN, evidence=evidence, judged_at=now)

    def _finish(self, outcome: Outcome, now: float, *, unobserved: bool = False) -> None:
        self._judge_at_last(now)
        outcome, in_conversation = self._as_it_was(outcome), self.phase is Phase.CONNECTED
        self.phase = Phase.ENDED
        self.call = replace(self.call, outcome=outcome, ended_at=now)
        self._drop_agent_leg()
        self._drop_half()
        if self.call.agent_legs and self.call.confirmed_at is not None:
            self._do(Dismantle(self.call.id, self.call.bridge))
        talked = self._agent.id if self._agent and (unobserved or in_conversation) else None
        if talked is None:
            self._free_agent()
        self._tell(Finished(self.call, outcome, talked, unobserved))

    def _as_it_was(self, outcome: Outcome) -> Outcome:
        """Whatever ends the call of somebody who has talked: they are not called again."""
        return outcome if self.call.bridged_at is None else Outcome.CONNECTED

    def _talked(self, now: float, *, unobserved: bool = False) -> None:
        self._finish(Outcome.CONNECTED, now, unobserved=unobserved)

    def _nobody_came(self, now: float) -> None:
        self._close(Outcome.NO_AGENT, now, PromptId.APOLOGY)

    def _break_off(self, now: float) -> None:
        self._close(Outcome.INTERRUPTED, now, PromptId.APOLOGY)

    def _first_waits_until(self) -> float | None:
        confirmed_at = self.call.confirmed_at
        return None if confirmed_at is None else confirmed_at + self.service.hold_limit_seconds

    # ---- bookkeeping ----------------------------------------------------------------------------------------

    def _asking_limit(self) -> float:
        """From the customer's dial to the confirmation."""
        return self.service.ring_timeout_seconds + self._limits.enter_seconds + self._announcement_limit()

    def _agent_limit(self) -> float:
        """From an agent's ring to the conversation; who is rung first waits for the customer, too."""
        own = super()._agent_limit()
        if self.phase is not Phase.RINGING_FIRST:
            return own
        return own + self._asking_limit() + self._limits.bridge_seconds

    def _waiting_limit(self) -> float:
        """From the confirmation to the conversation."""
        limits, service = self._limits, self.service
        return service.hold_limit_seconds + service.agent_ring_seconds + limits.whisper_seconds + limits.bridge_seconds

    def _announcement_limit(self) -> float:
        confirmation, limits = self.service.confirmation, self._limits
        times = 1 + confirmation.repeats
        if self.service.screening.mode is not ScreeningMode.OFF:
            times += self.service.screening.robot_repeats
        return times * (limits.announcement_seconds + confirmation.wait_seconds) + limits.last_words_seconds
