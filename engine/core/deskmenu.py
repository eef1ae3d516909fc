"""The menu for agents on the phone: log in, take calls, take none for a reason, log out.

Nothing of it outlives the call: what an agent has chosen is written at once, and a start asks anew whoever is still on
the phone. It is bounded by the questions that are asked, and by Asterisk's own limit.
"""

from __future__ import annotations

from engine.core.callphase import REFUSED_GRACE_SECONDS, Step
from engine.core.effects import AnswerCaller, Effect, Play, Release, Voice
from engine.core.events import EffectEnded, Event, KeyPressed, LegEnded, PlayingFinished, ResultKind
from engine.core.terms import AgentId, AttemptId, LegId, Presence, Prompt, PromptId, ServiceId
from engine.core.values import Value

ANSWER_SECONDS = 8.0
SAYING_SECONDS = 60.0
MOST_QUESTIONS = 12
LIMIT_SECONDS = 300.0
REASONS: tuple[tuple[PromptId, str], ...] = (
    (PromptId.REASON_ADMIN_WORK, "admin_work"),
    (PromptId.REASON_LUNCH, "lunch"),
    (PromptId.REASON_MEETING, "meeting"),
    (PromptId.REASON_PAUSE, "pause"),
    (PromptId.REASON_TRAINING, "training"),
)
"""What is offered, in the order of the keys 1 to 5."""
_GREETINGS = {
    Presence.READY: PromptId.DESK_READY,
    Presence.NOT_READY: PromptId.DESK_NOT_READY,
    Presence.LOGGED_OUT: PromptId.DESK_LOGGED_OUT,
}


class Chosen(Value):
    """What the agent wants to be."""

    presence: Presence
    reason: str | None = None


_CHOICES: dict[tuple[Presence, str], Chosen] = {
    (Presence.LOGGED_OUT, "1"): Chosen(Presence.READY),
    (Presence.LOGGED_OUT, "2"): Chosen(Presence.NOT_READY),
    (Presence.NOT_READY, "1"): Chosen(Presence.READY),
    (Presence.NOT_READY, "3"): Chosen(Presence.LOGGED_OUT),
    (Presence.READY, "3"): Chosen(Presence.LOGGED_OUT),
}
_ASKS_REASON = (Presence.READY, "2")


class DeskMenu:
    """One call of an agent's phone to the menu. `agent` is None if the phone is nobody's alone.

    Methods answer what is to be done; `chosen` is what the agent has chosen since it was taken last. `over`: the leg is
    gone.
    """

    def __init__(self, call: AttemptId, leg: LegId, endpoint: str, agent: AgentId | None, language: str) -> None:
        self.call = call
        self.leg = leg
        self.endpoint = endpoint
        self.agent = agent
        self.chosen: Chosen | None = None
        self.over = False
        self._voice = Voice(ServiceId(""), language)
        self._presence = Presence.LOGGED_OUT
        self._asks_reason = False
        self._questions = 0
        self._said = ""
        self._leaving = False
        self._step = Step()

    def start(self, presence: Presence, now: float) -> Step:
        """They have dialled the menu."""
        self._do(AnswerCaller(self.call, self.leg, LIMIT_SECONDS))
        if self.agent is None:
            self._leave(now, PromptId.DESK_UNKNOWN)
        else:
            self._greet(presence, now)
        return self._taken()

    def became(self, presence: Presence, now: float) -> Step:
        """What they chose is so now: say so, and what may come next."""
        self._greet(presence, now)
        return self._taken()

    def handle(self, event: Event, now: float) -> Step:
        """What happens on their leg."""
        match event:
            case LegEnded():
                self.over = True
                self._step.timers["menu"] = None
            case KeyPressed(digit=digit) if not self._leaving:
                self._pressed(digit, now)
            case PlayingFinished(tag=tag, complete=complete) if tag == self._said:
                self._step.timers["menu"] = now + (ANSWER_SECONDS if complete else REFUSED_GRACE_SECONDS)
            case EffectEnded(effect=Play(tag=tag), result=result) if tag == self._said and result is not ResultKind.OK:
                self._step.timers["menu"] = now + REFUSED_GRACE_SECONDS
            case _:
                pass
        return self._taken()

    def timer(self, now: float) -> Step:
        """Nothing was pressed, or the end of the leg has not been told."""
        if self._leaving:
            self.over = True
            return self._taken()
        self._leave(now, PromptId.DESK_GOODBYE)
        return self._taken()

    def _pressed(self, digit: str, now: float) -> None:
        if self._asks_reason and digit in map(str, range(1, len(REASONS) + 1)):
            self.chosen = Chosen(Presence.NOT_READY, REASONS[int(digit) - 1][1])
        elif not self._asks_reason and (self._presence, digit) == _ASKS_REASON:
            self._ask_reason(now)
        elif not self._asks_reason and (self._presence, digit) in _CHOICES:
            self.chosen = _CHOICES[self._presence, digit]
        elif digit in "*#":
            self._leave(now, PromptId.DESK_GOODBYE)
        elif self._asks_reason:
            self._ask_reason(now)
        else:
            self._greet(self._presence, now)

    def _greet(self, presence: Presence, now: float) -> None:
        self._presence = presence
        self._asks_reason = False
        self._say(now, _GREETINGS[presence])

    def _ask_reason(self, now: float) -> None:
        self._asks_reason = True
        reasons = [said for n, (prompt, _reason) in enumerate(REASONS, start=1) for said in (prompt, n)]
        self._say(now, PromptId.DESK_REASON, *reasons)

    def _say(self, now: float, *prompts: Prompt) -> None:
        self._questions += 1
        if self._questions > MOST_QUESTIONS:
            self._leave(now, PromptId.DESK_GOODBYE)
            return
        self._said = f"desk.{now:.3f}"
        self._do(Play(self.call, self.leg, prompts, self._voice, self._said))
        self._step.timers["menu"] = now + SAYING_SECONDS

    def _leave(self, now: float, prompt: PromptId) -> None:
        self._leaving = True
        self._step.timers["menu"] = now + SAYING_SECONDS
        self._do(Release(self.call, self.leg, (prompt,), self._voice))

    def _do(self, effect: Effect) -> None:
        self._step.effects.append(effect)

    def _taken(self) -> Step:
        step, self._step = self._step, Step()
        return step
