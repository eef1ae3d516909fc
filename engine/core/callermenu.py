"""What a caller is asked who would rather be called back, key by key.

    waits with music -- key --> CONFIRM (the number is read back) -- 1 --> kept, goodbye
                                  | 2      ^ a number that can be called
                                  v        |
                                ENTER --> CHECK -- no such number --> ENTER

    closed: SLOT (a time is offered; 2: the next one) -- 1 --> CONFIRM or ENTER, as above

The star key, or silence, leads back to the music, or to the goodbye of a closed service. Every way round is bounded:
so many entries, so many repetitions, so many visits to the menu.
"""

from __future__ import annotations

from enum import StrEnum

from engine.core.callerends import CallerEnds, Promise
from engine.core.callphase import REFUSED_GRACE_SECONDS, Phase
from engine.core.effects import CheckNumber, HoldWithMusic, Play
from engine.core.events import NewNumber
from engine.core.facts import AgentWanted, SteppedAside
from engine.core.terms import InboundOutcome, Prompt, PromptId

ANSWER_SECONDS = 6.0
"""How long an answer is waited for once the question has been said."""
DIGIT_SECONDS = 4.0
"""After this long without another digit the number is taken for complete."""
CHECK_SECONDS = 5.0
REPEATS = 1
"""How often a question is said again after silence or a key that means nothing."""
ENTRIES = 3
VISITS = 5
MOST_DIGITS = 20
"""More than any number has (15 digits, ITU-T E.164) with a prefix."""


class Question(StrEnum):
    """What the caller is asked."""

    SLOT = "slot"
    CONFIRM = "confirm"
    ENTER = "enter"
    CHECK = "check"


class CallerMenu(CallerEnds):
    """The questions; `_question` is the one that waits for an answer. None: nobody knows after a start.

    `engine_stops`: nobody is asked anything, for no answer would be heard; the dispatcher sets it.
    """

    engine_stops = False
    _question: Question | None = None
    _said = ""
    _visits = 0
    _entries = 0
    _repeats_left = REPEATS
    _digits = ""
    _number: NewNumber | None = None
    _slot: float | None = None
    _offered: tuple[float, ...] = ()

    @property
    def _may_ask(self) -> bool:
        return super()._may_ask and self._visits < VISITS and not self.engine_stops

    # ---- into the menu, and out of it -------------------------------------------------------------------

    def _ask_for_callback(self, now: float) -> None:
        """They would rather be called back: at their own number, if it is known."""
        self.phase = Phase.ASKING
        self._visits += 1
        self._entries = 0
        self._slot = None
        for name in ("comfort", "music"):
            self._arm(name, None)
        self._tell(SteppedAside())
        self._ask_for_number(now)

    def _ask_for_number(self, now: float) -> None:
        known = self.call.phone
        if known is None:
            self._enter(now, PromptId.ENTER_NUMBER)
        else:
            self._confirm(NewNumber(known, self.call.zones), now)

    def _back(self, now: float, *prompts: PromptId) -> None:
        """To the music, in the same place; a closed service says goodbye."""
        self._arm("menu", None)
        if self.call.joined_at is None:
            self._close(InboundOutcome.CLOSED, now, *(prompts or (PromptId.CLOSED_GOODBYE,)))
            return
        self.phase = Phase.WAITING
        self._do(HoldWithMusic(self.call.id, self.call.leg, prompts, self._voice))
        self._hold_until(now)
        self._comfort_in_time(now)
        self._tell(AgentWanted())

    # ---- the questions ------------------------------------------------------------------------------------

    def _say(self, question: Question, now: float, *prompts: Prompt) -> None:
        """Ask; the answer is waited for from the end of the words on, or from the limit of their length."""
        self._question = question
        self._said = f"menu.{now:.3f}"
        self._do(Play(self.call.id, self.call.leg, prompts, self._voice, self._said))
        self._arm("menu", now + self._limits.announcement_seconds)

    def _offer_slots(self, now: float) -> None:
        """Closed: the nearest times at which they can be called back, one after another."""
        self._offered = tuple(slot.start for slot in self._reception.free_slots(self.call, now))
        self._visits += 1
        self._offer_next(now, PromptId.INBOUND_CLOSED)

    def _offer_next(self, now: float, *before: PromptId) -> None:
        if not self._offered or self._visits > VISITS or self.engine_stops:
            self._close(InboundOutcome.CLOSED, now, *before, PromptId.CLOSED_GOODBYE)
            return
        self._repeats_left = REPEATS
        self._slot, self._offered = self._offered[0], self._offered[1:]
        self._say_slot(now, *before)

    def _say_slot(self, now: float, *before: PromptId) -> None:
        assert self._slot is not None  # noqa: S101 - one is offered
        when = self._reception.spoken(self._slot, self.service, now)
        self._say(Question.SLOT, now, *before, PromptId.SLOT_OFFER, *when, PromptId.SLOT_ACCEPT)

    def _confirm(self, number: NewNumber, now: float) -> None:
        self._number = number
        self._repeats_left = REPEATS
        self._say_number(now)

    def _say_number(self, now: float) -> None:
        assert self._number is not None  # noqa: S101 - one is read back
        digits = [int(digit) for digit in self._number.phone if digit.isdecimal()]
        self._say(Question.CONFIRM, now, PromptId.WILL_CALL, *digits, PromptId.CONFIRM_NUMBER)

    def _enter(self, now: float, *prompts: PromptId) -> None:
        self._entries += 1
        self._repeats_left = REPEATS
        self._digits = ""
        self._say(Question.ENTER, now, *prompts)

    # ---- the answers ----------------------------------------------------------------------------------------

    def _said_it(self, now: float, *, complete: bool) -> None:
        """The question has been said, or could not be: mostly somebody just left, and the leg's own end says so."""
        self._said = ""
        if self._question is not Question.CHECK:
            self._arm("menu", now + (ANSWER_SECONDS if complete else REFUSED_GRACE_SECONDS))

    def _answered(self, key: str, now: float) -> None:
        match self._question, key:
            case ((None | Question.CHECK), _):
                pass
            case _, "*":
                self._back(now)
            case Question.ENTER, "#" if self._digits:
                self._check(now)
            case Question.ENTER, digit if digit.isdecimal():
                self._digits += digit
                self._arm("menu", now + DIGIT_SECONDS)
                if len(self._digits) >= MOST_DIGITS:
                    self._check(now)
            case Question.CONFIRM, "1":
                self._keep(now)
            case Question.CONFIRM, "2" if self._entries < ENTRIES:
                self._enter(now, PromptId.ENTER_NUMBER)
            case Question.CONFIRM, "2":
                self._not_possible(now)
            case Question.SLOT, "1":
                self._ask_for_number(now)
            case Question.SLOT, "2":
                self._offer_next(now)
            case _:
                self._ask_again(now)

    def _unanswered(self, now: float) -> None:
        """Silence."""
        if self._question is Question.ENTER and self._digits:
            self._check(now)
        elif self._question is Question.CHECK:
            self._checked(None, now)
        elif self._question is None:
            self._offer_slots(now)
        else:
            self._ask_again(now)

    def _ask_again(self, now: float) -> None:
        if self._repeats_left <= 0:
            self._back(now)
            return
        self._repeats_left -= 1
        match self._question:
            case Question.SLOT:
                self._say_slot(now)
            case Question.CONFIRM:
                self._say_number(now)
            case _:
                self._digits = ""
                self._say(Question.ENTER, now, PromptId.ENTER_NUMBER)

    def _check(self, now: float) -> None:
        self._question = Question.CHECK
        self._arm("menu", now + CHECK_SECONDS)
        self._do(CheckNumber(self.call.id, self.call.leg, self.service.id, self._digits))

    def _checked(self, number: NewNumber | None, now: float) -> None:
        if number is not None:
            self._confirm(number, now)
        elif self._entries < ENTRIES:
            self._enter(now, PromptId.NUMBER_NOT_POSSIBLE, PromptId.ENTER_NUMBER)
        else:
            self._not_possible(now)

    def _not_possible(self, now: float) -> None:
        closed = self.call.joined_at is None
        self._back(now, PromptId.NOT_POSSIBLE_GOODBYE if closed else PromptId.NOT_POSSIBLE)

    def _keep(self, now: float) -> None:
        """The callback is taken before it is promised."""
        assert self._number is not None  # noqa: S101 - it was read back
        callback = self._reception.keep_promise(self.call, Promise(self._number, self._slot), now)
        if callback is not None:
            kept = PromptId.CALLBACK_KEPT if self._slot is None else PromptId.SLOT_KEPT
            self._promised(callback, now, kept)
        else:
            self._not_possible(now)
