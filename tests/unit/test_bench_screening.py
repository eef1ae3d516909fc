"""The judge of the screening bench, from made-up calls: shares, their intervals, who was taken for whom, the bars."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.terms import Evidence, Outcome, ScreeningMode, Verdict
from engine.lab.witness import KeyPress
from tests.bench.load import Load
from tests.bench.runner import show
from tests.bench.screening import bench, scenes, stage, table
from tests.bench.screening.announcement import Announcement
from tests.bench.screening.call_result import CallResult, EndedBy, Figures
from tests.bench.screening.judging import (
    Judged,
    Share,
    gap_seconds,
    is_right,
    quantile,
    seconds_to_audio,
    seconds_to_verdict,
    told,
    was_wrong_before_a_key,
)
from tests.bench.screening.outline import Outline
from tests.bench.screening.played import Found, Played
from tests.bench.screening.scene import Truth

ANSWERED = 1000.0
ANNOUNCEMENT = Announcement(begins=0.04, seconds=10.3, longest_pause=0.32)
PERSON = Found(Verdict.PERSON, Evidence.SHORT_GREETING, ANSWERED + 3.0)
MACHINE = Found(Verdict.MACHINE, Evidence.NO_REACTION, ANSWERED + 6.0)
ROBOT = Found(Verdict.SCREENING_ROBOT, Evidence.REPLY, ANSWERED + 14.0)
KEY = Found(Verdict.PERSON, Evidence.KEY, ANSWERED + 12.0)
UNKNOWN = Found(Verdict.UNKNOWN, Evidence.NOTHING_HEARD, ANSWERED + 20.0)
ACTED = Figures(1, 1, 0, 0, 0, 0, 1.0, 10.0, 0.1, 1.0, 2.0)


def outline(truth: Truth = Truth.PERSON, kind: str = "word", ending: str = "obeys", noise: str = "") -> Outline:
    return Outline("call", "B", 1, truth, kind, "en", ending, noise, suppress_silence=False, lossy=False)


def result(
    *,
    first_audio: float | None = 0.05,
    ended: float = 12.0,
    ended_by: EndedBy = EndedBy.PBX,
    keys: str = "",
    gap: float = 0.03,
    silence: float = 0.32,
) -> CallResult:
    """A call whose times are seconds since its answer."""
    return CallResult(
        "12015550100",
        "call",
        "id",
        200,
        ANSWERED - 1,
        ANSWERED + ended,
        ended_by,
        ANSWERED,
        first_audio_at=None if first_audio is None else ANSWERED + first_audio,
        longest_gap=gap,
        longest_silence=silence,
        keys=tuple(KeyPress(key, ANSWERED + ended - 1) for key in keys),
    )


def call(of: Outline, *found: Found, seen: CallResult | None = None) -> Played:
    return Played(of, seen or result(), found, Outcome.HUNG_UP)


def person(*found: Found, seen: CallResult | None = None) -> Played:
    return call(outline(), *found, seen=seen)


def machine(*found: Found, seen: CallResult | None = None) -> Played:
    return call(outline(Truth.MACHINE, "network", ""), *found, seen=seen)


def judged(*calls: Played) -> Judged:
    return Judged(calls, ANNOUNCEMENT)


# ---- numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # From tables of the interval.
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (3, 1200, 0.00085, 0.00732),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilsons_interval_is_that_of_the_tables(count: int, of: int, low: float, high: float) -> None:
    assert Share(count, of).bounds == pytest.approx((low, high), abs=0.0001)


def test_a_share_of_nothing_may_be_anything() -> None:
    assert Share(0, 0).bounds == (0.0, 1.0)
    assert math.isnan(Share(0, 0).value)


def test_of_1200_persons_five_may_be_wrong_for_the_interval_to_end_below_one_percent() -> None:
    assert Share(5, 1200).bounds[1] <= table.PERSONS_AS_MACHINES_UPPER < Share(6, 1200).bounds[1]


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_quantile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert quantile(range(100, 0, -1), share) == value


def test_a_quantile_of_nothing_is_none() -> None:
    assert math.isnan(quantile([], 0.5))


# ---- one call ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "found", "right"),
    [
        (Truth.PERSON, [], True),
        (Truth.PERSON, [PERSON], True),
        (Truth.PERSON, [UNKNOWN], True),
        (Truth.PERSON, [MACHINE], False),
        (Truth.PERSON, [PERSON, MACHINE], False),
        (Truth.PERSON, [MACHINE, KEY], True),
        (Truth.PERSON, [ROBOT], False),
        (Truth.MACHINE, [MACHINE], True),
        (Truth.MACHINE, [PERSON, MACHINE], True),
        (Truth.MACHINE, [], False),
        (Truth.MACHINE, [UNKNOWN], False),
        (Truth.MACHINE, [ROBOT], False),
        (Truth.ROBOT, [MACHINE, ROBOT], True),
        (Truth.ROBOT, [MACHINE], False),
        (Truth.FAX, [Found(Verdict.FAX, Evidence.FAX_TONE, ANSWERED + 3)], True),
        (Truth.FAX, [MACHINE], False),
    ],
)
def test_the_last_verdict_counts_and_none_is_a_persons(truth: Truth, found: Sequence[Found], right: bool) -> None:  # noqa: FBT001
    assert is_right(call(outline(truth), *found)) is right


def test_who_was_taken_for_a_machine_until_the_key_is_told_apart() -> None:
    assert was_wrong_before_a_key(person(MACHINE, KEY))
    assert not was_wrong_before_a_key(person(PERSON, KEY))
    both = judged(person(MACHINE, KEY), person(PERSON))
    assert (both.persons_as_machines, both.persons_as_machines_before_a_key) == (Share(0, 2), Share(1, 2))


def test_a_verdicts_time_is_when_it_was_found_first_of_those_that_lasted() -> None:
    assert seconds_to_verdict(person(PERSON, KEY)) == 3.0
    assert seconds_to_verdict(person(MACHINE, KEY)) == 12.0
    assert seconds_to_verdict(machine(PERSON, MACHINE)) == 6.0
    assert seconds_to_verdict(person(UNKNOWN)) is None
    assert seconds_to_verdict(person()) is None


def test_who_never_heard_us_waits_without_end() -> None:
    assert seconds_to_audio(person(seen=result(first_audio=0.25))) == 0.25
    assert seconds_to_audio(person(seen=result(first_audio=None))) == math.inf


def test_silence_is_a_gap_only_where_the_announcement_has_sound() -> None:
    assert gap_seconds(person(seen=result(gap=0.6, silence=0.3)), ANNOUNCEMENT) == 0.6
    assert gap_seconds(person(seen=result(silence=0.7)), ANNOUNCEMENT) == 0.7
    slow = replace(ANNOUNCEMENT, longest_pause=0.65)
    assert gap_seconds(person(seen=result(silence=0.7)), slow) == 0.03


def test_a_call_is_told_in_one_line() -> None:
    said = told(call(outline(noise="street"), PERSON, MACHINE))
    assert said == "call word en obeys street: person by short_greeting at 3.0 s, machine by no_reaction at 6.0 s"
    assert told(person()).endswith(": nothing found")


# ---- all calls -----------------------------------------------------------------------------------------


def test_accuracy_is_over_persons_and_machines_only() -> None:
    robot, fax = call(outline(Truth.ROBOT), MACHINE), call(outline(Truth.FAX), MACHINE)
    assert judged(person(), person(MACHINE), machine(MACHINE), machine(), robot, fax).accuracy == Share(2, 4)


def test_who_is_hung_up_on_counts_only_if_they_would_have_pressed_and_had_not() -> None:
    pressed = person(MACHINE, KEY, seen=result(keys="3"))
    cut_off = person(MACHINE, seen=result())
    never = call(outline(ending="never"), UNKNOWN, seen=result())
    left = call(outline(ending="leaves"), seen=result(ended_by=EndedBy.FAR_END))
    assert judged(pressed, cut_off, never, left).persons_cut_off == Share(1, 2)


def test_robots_are_recognised_pressed_or_hung_up_on() -> None:
    robot = outline(Truth.ROBOT, "plain_silence")
    met = call(robot, MACHINE, ROBOT, KEY, seen=result(keys="3"))
    lost = call(robot, MACHINE)
    some = judged(met, lost)
    assert (some.robots_pressed, some.robots_hung_up_on) == (Share(1, 2), Share(1, 2))


def test_a_robot_whose_person_pressed_a_key_was_recognised_if_it_ever_was() -> None:
    robot = outline(Truth.ROBOT, "plain_silence")
    found = judged(call(robot, MACHINE, ROBOT, KEY), call(robot, MACHINE, KEY), call(robot, ROBOT))
    assert found.robots_recognised == Share(2, 3)


def good(persons: int = 400, machines: int = 200) -> list[Played]:
    return [person(PERSON)] * persons + [machine(MACHINE)] * machines


def test_bars_that_are_kept_are_not_said() -> None:
    assert table.missed(judged(*good(1200, 600)), judge_bounds=True) == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([machine()] * 20, "96.77% of persons and machines were told right, less than 97%"),
        ([person(MACHINE)] * 3, "0.74% of persons were taken for machines, more than 0.5%"),
        ([person(seen=result(first_audio=0.16))] * 8, "99 % heard us within 160 ms of the answer, not 150"),
        ([person(seen=result(gap=0.51))], "1 calls had a gap of more than 500 ms"),
        ([person(seen=result(silence=0.51))], "1 calls had a gap of more than 500 ms"),
    ],
)
def test_each_bar_is_missed_by_itself(bad: list[Played], said: str) -> None:
    assert table.missed(judged(*good(), *bad), judge_bounds=False) == [said]


def test_the_bar_of_the_interval_is_judged_only_at_full_size() -> None:
    few = judged(*good(), person(MACHINE))
    assert table.missed(few, judge_bounds=False) == []
    assert table.missed(few, judge_bounds=True) == ["it may be 1.40% of persons (95 %), more than 1%"]


def test_the_report_shows_both_modes_and_ends_with_plain_figures() -> None:
    robot, fax = call(outline(Truth.ROBOT, "plain_silence"), ROBOT), call(outline(Truth.FAX, "ced"), MACHINE)
    ours = judged(*good(), person(MACHINE), robot, fax)
    amd = judged(*good(), *[person(MACHINE, seen=result(first_audio=2.5))] * 5, robot, fax)
    load = Load(0.5, {"engine": 0.1})
    made = bench.report(
        "B",
        0.3,
        {ScreeningMode.CONCURRENT: ours, ScreeningMode.ASTERISK: amd},
        {ScreeningMode.CONCURRENT: load, ScreeningMode.ASTERISK: load},
        ACTED,
        events=4000,
    )
    out = io.StringIO()
    show("screening", made, out)
    said = out.getvalue()
    assert "99.83% (600 of 601)" in said
    assert "person: word" in said
    assert "1 of 401" in said
    assert "interval is not judged" in said
    line = said.splitlines()[-1]
    assert line.startswith("RESULT screening calls=603 accuracy=0.998336 ")
    assert " amd_first_audio_seconds_p99=0.05 " in line
    assert " amd_first_audio_seconds_most=2.5 " in line
    assert "nan" not in line
    assert made.missed == ()


# ---- what is played ------------------------------------------------------------------------------------


def test_each_call_has_a_number_of_its_own_in_each_mode_and_the_same_place_in_both() -> None:
    planned = scenes.planned("A", 0.2)
    casts = stage.cast(planned)
    numbers = [number for each in casts.values() for number in each]
    assert len(set(numbers)) == len(numbers) == 2 * len(planned)
    assert [list(each.values()) for each in casts.values()] == [planned, planned]


def test_the_announcements_pauses_are_those_between_its_sounds() -> None:
    drawn = [False] * 2 + [True] * 10 + [False] * 5 + [True] * 3 + [False] * 4 + [True] + [False] * 50
    found = Announcement.drawn(drawn)
    assert (found.begins, found.seconds, found.longest_pause) == pytest.approx((0.04, 23 * 0.02, 0.1))


def test_an_announcement_that_nobody_hears_is_refused() -> None:
    with pytest.raises(ValueError, match="True"):
        Announcement.drawn([False] * 10)


def test_an_unknown_split_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(bench.SPLIT, "C")
    with pytest.raises(bench.NoSuchSplitError, match="A, B"):
        bench.run(0.01, print)
