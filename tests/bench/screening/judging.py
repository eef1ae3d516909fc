"""What came of the calls of one mode: who was taken for whom, how soon, and what people and machines heard meanwhile.

A verdict that was never found counts as a person's, because that is how such a call is treated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.core.terms import Verdict
from tests.bench.screening.announcement import Announcement
from tests.bench.screening.call_result import EndedBy
from tests.bench.screening.played import Found, Played
from tests.bench.screening.scene import Truth

LONGEST_GAP_SECONDS = 0.5
_FRAMES_SECONDS = 0.1
"""A pause of the announcement is measured in frames that lie otherwise than those of its file, and packets jitter."""
_Z_95 = 1.959964
_RIGHT = {
    Truth.PERSON: (Verdict.PERSON, Verdict.UNKNOWN),
    Truth.MACHINE: (Verdict.MACHINE,),
    Truth.FAX: (Verdict.FAX,),
}
_PRESSES = ("obeys", "early", "slow")


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else math.nan

    @property
    def bounds(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the probability behind the share (Wilson 1927); 0 to 1 of nothing."""
        if not self.of:
            return 0.0, 1.0
        z2 = _Z_95**2
        middle = self.value + z2 / (2 * self.of)
        half = _Z_95 * math.sqrt(self.value * (1 - self.value) / self.of + z2 / (4 * self.of**2))
        return max(0.0, (middle - half) / (1 + z2 / self.of)), min(1.0, (middle + half) / (1 + z2 / self.of))


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that this share of all does not exceed; nan of nothing."""
    in_order = sorted(values)
    return in_order[max(0, math.ceil(share * len(in_order)) - 1)] if in_order else math.nan


def verdict(call: Played) -> Verdict:
    """What counted in the end."""
    return call.found[-1].verdict if call.found else Verdict.UNKNOWN


def is_right(call: Played) -> bool:
    """Whether the verdict that counted is the truth; of a robot any, for behind it there is a person with keys."""
    if call.outline.truth is Truth.ROBOT:
        return any(each.verdict is Verdict.SCREENING_ROBOT for each in call.found)
    return verdict(call) in _RIGHT[call.outline.truth]


def was_wrong_before_a_key(call: Played) -> bool:
    """Whether a person was, at any moment, taken for something else, though a key may have put it right."""
    return any(each.verdict not in _RIGHT[Truth.PERSON] for each in call.found)


def seconds_to_verdict(call: Played) -> float | None:
    """From the answer to the moment from which the verdict was what it is in the end; None without one."""
    if verdict(call) is Verdict.UNKNOWN:
        return None
    since = call.found[-1].at
    for each in reversed(call.found):
        if each.verdict is not verdict(call):
            break
        since = each.at
    return since - answered_at(call)


def answered_at(call: Played) -> float:
    at = call.result.answered_at
    if at is None:
        raise ValueError(f"{call.outline.name} was not answered")
    return at


def seconds_to_audio(call: Played) -> float:
    """From the answer to our first sound; without end if nothing was heard."""
    first = call.result.first_audio_at
    return math.inf if first is None else first - answered_at(call)


def gap_seconds(call: Played, announcement: Announcement) -> float:
    """The longest time without a packet, or without a sound where the announcement has one."""
    own = announcement.longest_pause + _FRAMES_SECONDS
    silence = call.result.longest_silence
    return max(call.result.longest_gap, silence if silence > own else 0.0)


def is_hung_up_on(call: Played) -> bool:
    """We ended it though nobody pressed a key."""
    return call.result.ended_by is EndedBy.PBX and not call.result.keys


@dataclass(frozen=True, slots=True)
class Judged:
    """The calls of one mode."""

    calls: Sequence[Played]
    announcement: Announcement

    def of(self, *truths: Truth) -> list[Played]:
        return [call for call in self.calls if call.outline.truth in truths]

    def share(self, holds: Callable[[Played], bool], *truths: Truth) -> Share:
        """Of the calls of these, those for which it holds."""
        some = self.of(*truths)
        return Share(sum(map(holds, some)), len(some))

    @property
    def accuracy(self) -> Share:
        return self.share(is_right, Truth.PERSON, Truth.MACHINE)

    @property
    def persons_as_machines(self) -> Share:
        return self.share(lambda call: not is_right(call), Truth.PERSON)

    @property
    def persons_as_machines_before_a_key(self) -> Share:
        return self.share(was_wrong_before_a_key, Truth.PERSON)

    @property
    def persons_cut_off(self) -> Share:
        """Of those who would press a key, those whom we hung up on before."""
        willing = [call for call in self.of(Truth.PERSON) if call.outline.ending in _PRESSES]
        return Share(sum(map(is_hung_up_on, willing)), len(willing))

    @property
    def machines_as_persons(self) -> Share:
        return self.share(lambda call: not is_right(call), Truth.MACHINE)

    @property
    def robots_recognised(self) -> Share:
        return self.share(is_right, Truth.ROBOT)

    @property
    def robots_pressed(self) -> Share:
        """A person behind the robot pressed the key."""
        return self.share(lambda call: bool(call.result.keys), Truth.ROBOT)

    @property
    def robots_hung_up_on(self) -> Share:
        return self.share(is_hung_up_on, Truth.ROBOT)

    @property
    def faxes_recognised(self) -> Share:
        return self.share(is_right, Truth.FAX)

    def verdict_seconds(self, truth: Truth) -> list[float]:
        """Of each call with a verdict."""
        found = (seconds_to_verdict(call) for call in self.of(truth))
        return [seconds for seconds in found if seconds is not None]

    @property
    def audio_seconds(self) -> list[float]:
        """From the answer to our first sound, of each call."""
        return [seconds_to_audio(call) for call in self.calls]

    @property
    def persons_wait_seconds(self) -> list[float]:
        """How long each person who answered heard nothing of us."""
        return [seconds_to_audio(call) for call in self.of(Truth.PERSON)]

    @property
    def gaps(self) -> list[float]:
        """The longest of each call."""
        return [gap_seconds(call, self.announcement) for call in self.calls]

    @property
    def calls_with_a_gap(self) -> int:
        return sum(gap > LONGEST_GAP_SECONDS for gap in self.gaps)

    @property
    def machine_seconds(self) -> list[float]:
        """How long each call that a machine answered took on the phone."""
        return [call.result.ended_at - answered_at(call) for call in self.of(Truth.MACHINE)]

    @property
    def misjudged(self) -> list[Played]:
        return [call for call in self.calls if not is_right(call)]


def told(call: Played) -> str:
    """A call in one line: what it was, and what it was taken for when."""
    outline = call.outline
    features = (
        outline.name, outline.kind, outline.language, outline.ending, outline.noise,
        "suppressed" if outline.suppress_silence else "", "lossy" if outline.lossy else "",
    )  # fmt: skip
    found = ", ".join(_told(each, answered_at(call)) for each in call.found) or "nothing found"
    return f"{' '.join(filter(None, features))}: {found}"


def _told(found: Found, began: float) -> str:
    return f"{found.verdict} by {found.evidence} at {found.at - began:.1f} s"
