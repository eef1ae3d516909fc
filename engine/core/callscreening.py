"""What a live call does about who answered: it asks for facts, writes verdicts down, and parts from machines.

The announcement never waits for any of it, and keys count at every moment. Nobody is hung up on before they have heard
who called: a machine is left when the announcement has been said, or with a message that names the company. How a
verdict comes about stands in screening.py.
"""

from __future__ import annotations

import math

from engine.core.callmoves import CallMoves
from engine.core.callphase import REFUSED_GRACE_SECONDS, Parting, Phase
from engine.core.effects import CountAudio, Play
from engine.core.events import (
    AudioCounted,
    BeepHeard,
    EarClosed,
    EarOpened,
    Event,
    FaxToneHeard,
    TalkFinished,
    TalkStarted,
)
from engine.core.screening import Finding
from engine.core.terms import MachineAction, Outcome, PromptId, Verdict
from engine.core.values import replace

PATIENCE_SECONDS = 10.0
"""How long after our words a machine that still talks is heard out."""
_FEW_WORDS = (0.2, 2.2)
"""The length of what somebody says who comes to the phone, in seconds."""
_HANDED_OVER_SECONDS = 1.0
"""The least silence between a robot's last word and the first one of whom it asked."""
_HEARD_ENOUGH_SECONDS = 1.5
"""Who begins to talk within so long after the announcement began has heard most of it."""


class CallScreening(CallMoves):
    """Facts about the customer's audio, and their consequences, while the announcement is said and a key awaited."""

    def _heard(self, event: Event, now: float) -> None:
        talk = self._screening.talk
        match event:
            case TalkStarted():
                talk.started(now)
            case TalkFinished(seconds=seconds):
                talk.finished(seconds, now)
                self._somebody_comes(seconds, now)
            case AudioCounted(received_seconds=received):
                self._looking = False
                talk.counted(received, now)
            case EarOpened():
                talk.has_ear(now)
            case EarClosed():
                talk.lost_ear()
            case BeepHeard(seconds=seconds):
                self._judged(self._screening.beep(seconds, now), now)
            case FaxToneHeard() if self.call.answered_at is not None:
                self._judged(self._screening.fax_tone(), now)
            case _:
                pass
        self._screen(now)

    def _screen(self, now: float) -> None:
        """Conclude what can be concluded, and act on it."""
        if self.phase is not Phase.ANNOUNCING:
            return
        self._judged(self._screening.judge(now), now)
        at = self._parting_at()
        if at is not None and now >= at:
            self._part(now)
        self._await_evidence(now)

    def _screening_due(self, now: float) -> None:
        """Time has passed in which nothing was told: either nothing happened, or their network sends nothing."""
        self._screening_at = None
        if self._screening.talk.needs_look and not self._looking:
            self._looking = True
            self._do(CountAudio(self.call.id, self.call.customer_leg))
        self._screen(now)

    def _judged(self, finding: Finding | None, now: float) -> None:
        if finding is None:
            return
        is_robot, was_left = finding.verdict is Verdict.SCREENING_ROBOT, self._is_left
        self.call = replace(self.call, verdict=finding.verdict, evidence=finding.evidence, judged_at=now)
        self._step.changed = True
        if is_robot:
            self._parting = Parting.NO
            self._repeats_left += self.service.screening.robot_repeats
        # Nobody waited for a key of a machine that was about to be left.
        waits_anew = is_robot or (was_left and not self._is_left)
        if waits_anew and self.phase is Phase.ANNOUNCING and self._screening.quiet_since is not None:
            self._arm("parting", None)
            self._arm("confirm", now + self.service.confirmation.wait_seconds)

    def _await_evidence(self, now: float) -> None:
        moments = [self._parting_at()]
        if not self._looking:
            moments.append(self._screening.due_at(now))
        at = min((moment for moment in moments if moment is not None), default=None)
        # One that comes too early does nothing but look again: each timer that is set is a row that is written.
        if at is not None and (self._screening_at is None or at < self._screening_at):
            self._screening_at = at
            self._arm("screening", at)

    def _somebody_comes(self, seconds: float, now: float) -> None:
        """Whom a robot lets us talk to says a few words first, and has not heard the announcement, or not all of it."""
        few = _FEW_WORDS[0] <= seconds <= _FEW_WORDS[1]
        if not few or self.phase is not Phase.ANNOUNCING or self.call.verdict is not Verdict.SCREENING_ROBOT:
            return
        talk, judged_at = self._screening.talk, self.call.judged_at or 0.0
        if talk.began_at is None or talk.began_at < judged_at or talk.pause_before < _HANDED_OVER_SECONDS:
            return  # still the robot's own answer
        if self._repeats_left > 0 and now - seconds >= self._announced_at + _HEARD_ENOUGH_SECONDS:
            self._repeats_left -= 1
            self._announce(now)

    def _asked_again(self, now: float) -> None:
        """A key that means nothing to us is still a person's: who was about to be left is asked anew."""
        if self.phase is Phase.ANNOUNCING and self._parting is not Parting.NO and not self._is_left:
            self._announce(now)
        self._screen(now)

    # ---- parting from a machine -----------------------------------------------------------------------------

    @property
    def _leaves_message(self) -> bool:
        return self.call.verdict is Verdict.MACHINE and self.service.screening.machine is MachineAction.LEAVE_MESSAGE

    @property
    def _is_left(self) -> bool:
        """Whether this call ends because of who answered."""
        machine = self.call.verdict in (Verdict.MACHINE, Verdict.FAX)
        return machine and self.service.screening.machine is not MachineAction.IGNORE

    def _parting_at(self) -> float | None:
        """When we part from a machine, if nothing more happens; None: only news brings it."""
        if not self._is_left or self._parting is not Parting.NO:
            return None
        settings, talk, quiet = self.service.screening, self._screening.talk, self._screening.quiet_since
        if self.call.verdict is Verdict.FAX and not self._parting_failed:
            return self.call.judged_at
        wait = settings.message_pause_seconds if self._leaves_message else settings.reply_wait_seconds
        patience_ends = math.inf if quiet is None else quiet + max(PATIENCE_SECONDS, wait)
        greeted_at = None if self._parting_failed else talk.silent_since()
        if self._leaves_message and greeted_at is not None:
            return min(greeted_at + wait, patience_ends)
        if quiet is None or not self._named:
            return None
        if talk.since is not None:
            return patience_ends
        # Where nothing is sent in silence, who talks on and on has never begun to.
        return min(max(quiet, talk.ended_at or 0.0) + wait, patience_ends)

    @property
    def _will_part(self) -> bool:
        """Whether we part from a machine, or do so already; one that has not heard who called is told so first."""
        return self._parting is not Parting.NO or self._parting_at() is not None

    def _part(self, now: float) -> None:
        self._announcement = ""
        for name in ("announcement", "confirm"):
            self._arm(name, None)
        self._parting = Parting.SAYING
        self._screening.we_speak(now)
        self._last_words = f"parting.{now:.3f}"
        prompt = PromptId.MESSAGE if self._leaves_message else PromptId.MACHINE_GOODBYE
        self._do(Play(self.call.id, self.call.customer_leg, (prompt,), self._voice, self._last_words))
        self._arm("parting", now + self._limits.last_words_seconds)

    def _parting_said(self, now: float, *, complete: bool) -> None:
        if self._parting not in (Parting.SAYING, Parting.UNSAID):
            return  # a key or a robot's answer has overtaken the news
        if not complete:
            # Mostly they have just hung up, and the leg's own end says so.
            self._parting = Parting.UNSAID
            self._arm("parting", now + REFUSED_GRACE_SECONDS)
        elif self._leaves_message:
            self._named = True
            self._parting = Parting.SAID
            self._screening.we_are_silent(now)
            self._arm("parting", now + self.service.screening.reply_wait_seconds)
            self._await_evidence(now)
        else:
            self._close(self._outcome_of_machine, now)

    @property
    def _outcome_of_machine(self) -> Outcome:
        return Outcome.FAX if self.call.verdict is Verdict.FAX else Outcome.MACHINE

    def _parting_over(self, now: float) -> None:
        """The limit of the last words, or of the wait for an answer to them."""
        if self._parting is Parting.SAID:
            self._close(Outcome.MESSAGE_LEFT, now)
        elif self._named:
            self._close(self._outcome_of_machine, now)
        elif not self._parting_failed:
            # A person may be there who has not heard who called.
            self._parting_failed = True
            self._announce(now)
        else:
            self._close(Outcome.INTERRUPTED, now)
