"""Person or machine: what follows from talk, pauses, tones and keys while the announcement plays to whoever answered.

Nothing waits for this. Without evidence it is a person: a machine has to show itself, by the beep after its greeting,
or by a long greeting after which nobody does anything. A call screening robot asks for our name and then answers back,
so no machine is hung up on before it had the time to prove to be a robot. What is done about a verdict stands in
callscreening.py, how talk is measured in talk.py.
"""

from __future__ import annotations

from engine.core.configuration import Screening as Settings
from engine.core.talk import TalkMeter
from engine.core.terms import Evidence, ScreeningMode, Verdict
from engine.core.values import Value

LISTENS_SECONDS = 2.0
"""Who said a few words and has been silent for so long is listening to us."""
LEAVES_SECONDS = 1.5
"""Who hangs up within so long after their last word had nothing more to say."""
ANSWER_PAUSE_SECONDS = 0.8
"""Talk that begins sooner after our last word, or after their own, is no answer to us."""
LISTENED_SECONDS = 2.0
"""A robot is silent for at least the last so long of our words; noise is not."""
_FINAL = frozenset({Evidence.KEY, Evidence.REPLY, Evidence.FAX_TONE})


class Finding(Value):
    """A verdict and what it rests on."""

    verdict: Verdict
    evidence: Evidence


class Screening:
    """What is known of one answered call. Facts are told with their time; `judge` says what is new.

    `wait_seconds`: how long a key is waited for. `quiet_since`: when our words ended, None while we speak.
    """

    def __init__(self, settings: Settings, wait_seconds: float) -> None:
        self.talk = TalkMeter(settings.pause_seconds)
        self.found: Finding | None = None
        self.quiet_since: float | None = None
        self._settings = settings
        self._reaction_seconds = min(settings.reaction_seconds, wait_seconds)
        self._settled = settings.mode is ScreeningMode.OFF
        self._earlier = 0.0
        self._talked_before = 0.0
        self._answering = False

    def found_before(self, verdict: Verdict | None, evidence: Evidence | None) -> None:
        """What was known of this call before a restart."""
        if verdict is not None and evidence is not None:
            self.found = Finding(verdict, evidence)
            self._settled |= evidence in _FINAL

    # ---- facts ----------------------------------------------------------------------------------------------

    def we_speak(self, now: float) -> None:
        """A greeting is what they say while we begin, not what a noisy line adds up to over minutes."""
        self.quiet_since, self._answering = None, False
        self._earlier = self.talk.talked(now)

    def we_are_silent(self, now: float) -> None:
        """Our words have been said."""
        self.quiet_since, self._answering = now, False

    def key(self) -> Finding | None:
        """Only a person presses keys, whatever a tone said; one whom a robot let through is known. None: no news."""
        if self._settings.mode is ScreeningMode.OFF or (self.found and self.found.evidence is Evidence.REPLY):
            return None
        self._settled = True
        return self._find(Finding(Verdict.PERSON, Evidence.KEY))

    def fax_tone(self) -> Finding | None:
        return self._settle(Finding(Verdict.FAX, Evidence.FAX_TONE))

    def beep(self, seconds: float, now: float) -> Finding | None:
        """A tone as machines give it when they begin to record; it is no answer to anything we said."""
        if self.quiet_since is not None:
            self.we_are_silent(now)
        greeted = self.talk.talked(now) - seconds >= self._settings.beep_greeting_seconds
        if self._settled or self._is_machine or not greeted or self._settings.mode is not ScreeningMode.CONCURRENT:
            return None
        return self._find(Finding(Verdict.MACHINE, Evidence.BEEP))

    def left(self, now: float) -> Finding | None:
        """They hung up, as a machine does that records nothing: right after a long greeting."""
        ended_at = self.talk.silent_since()
        if self._settled or self._is_machine or ended_at is None or now > ended_at + LEAVES_SECONDS:
            return None
        said = self.talk.total - self._earlier
        if self._settings.mode is not ScreeningMode.CONCURRENT or said < self._settings.greeting_seconds:
            return None
        return self._find(Finding(Verdict.MACHINE, Evidence.SAID_AND_LEFT))

    def amd(self, status: str) -> Finding | None:
        """What Asterisk's AMD() found: its AMDSTATUS."""
        verdict = {"HUMAN": Verdict.PERSON, "MACHINE": Verdict.MACHINE}.get(status, Verdict.UNKNOWN)
        return None if self._settled else self._find(Finding(verdict, Evidence.AMD))

    # ---- conclusions ----------------------------------------------------------------------------------------

    def judge(self, now: float) -> Finding | None:
        """A verdict that is new at this moment."""
        if self._settled:
            return None
        self._note_answer()
        if self._answering and self.talk.talked(now) - self._talked_before >= self._settings.reply_seconds:
            return self._settle(Finding(Verdict.SCREENING_ROBOT, Evidence.REPLY))
        if self._settings.mode is not ScreeningMode.CONCURRENT or self._is_machine:
            return None
        silent_at, ended_at = self._silent_at(), self.talk.silent_since()
        if self.talk.talked(now) - self._earlier >= self._settings.greeting_seconds:
            waited_out = silent_at is not None and now >= silent_at + self._reaction_seconds
            return self._find(Finding(Verdict.MACHINE, Evidence.NO_REACTION)) if waited_out else None
        if self.found is None and ended_at is not None and now >= ended_at + LISTENS_SECONDS:
            return self._find(Finding(Verdict.PERSON, Evidence.SHORT_GREETING))
        return None

    def due_at(self, now: float) -> float | None:
        """When time alone, or a look at the audio that came, may bring a verdict; None: only news can."""
        if self._settled:
            return None
        moments: list[float | None] = []
        if self.talk.suppressed or self._answering or not self._is_machine:
            moments.append(self.talk.look_at(self._enough, now))
        if self._settings.mode is ScreeningMode.CONCURRENT and not self._is_machine:
            silent_at, ended_at = self._silent_at(), self.talk.silent_since()
            if self.talk.total - self._earlier >= self._settings.greeting_seconds:
                moments.append(None if silent_at is None else silent_at + self._reaction_seconds)
            elif ended_at is not None and self.found is None:
                moments.append(ended_at + LISTENS_SECONDS)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def is_answered(self) -> bool:
        """Whether they are just saying what may be the answer of a robot."""
        return not self._settled and self._answering and self.talk.since is not None

    @property
    def _is_machine(self) -> bool:
        return self.found is not None and self.found.verdict is Verdict.MACHINE

    @property
    def _enough(self) -> float:
        """How much talk would bring the next verdict."""
        if self._answering:
            return self._talked_before + self._settings.reply_seconds
        return self._earlier + self._settings.greeting_seconds

    def _note_answer(self) -> None:
        """They talked for long, were silent when we were, and now talk again."""
        talk, quiet_since = self.talk, self.quiet_since
        before = talk.total if talk.since is not None else talk.total - talk.length
        began = talk.began_at if talk.since is None else talk.since
        if self._answering or quiet_since is None or began is None:
            return
        if not self._is_machine and before - self._earlier < self._settings.robot_greeting_seconds:
            return
        waited = min(began - quiet_since, talk.pause_before) >= ANSWER_PAUSE_SECONDS
        listened = talk.pause_before - (began - quiet_since) >= LISTENED_SECONDS
        if waited and (listened or self._is_machine):
            self._answering, self._talked_before = True, before

    def _silent_at(self) -> float | None:
        """Since when neither side has said anything; None while one does."""
        if self.quiet_since is None or self.talk.since is not None:
            return None
        return max(self.quiet_since, self.talk.ended_at or 0.0)

    def _find(self, finding: Finding) -> Finding | None:
        if finding == self.found:
            return None
        self.found = finding
        return finding

    def _settle(self, finding: Finding) -> Finding | None:
        if self._settled:
            return None
        self._settled = True
        return self._find(finding)
