"""The screening bench's table: both modes side by side, the bars, and where the wrong verdicts are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean

from engine.core.terms import Verdict
from tests.bench.screening import noise
from tests.bench.screening.judging import LONGEST_GAP_SECONDS, Judged, Share, is_right, quantile, verdict
from tests.bench.screening.outline import KINDS
from tests.bench.screening.played import Played
from tests.bench.screening.scene import Truth

ACCURACY = 0.97
PERSONS_AS_MACHINES, PERSONS_AS_MACHINES_UPPER = 0.005, 0.01
FIRST_AUDIO_SECONDS = 0.15

Row = tuple[str, ...]


def missed(ours: Judged, *, judge_bounds: bool) -> list[str]:
    """The bars that were missed, in words. `judge_bounds`: whether there are calls enough for the interval's."""
    words = []
    accuracy, taken = ours.accuracy, ours.persons_as_machines
    if accuracy.value < ACCURACY:
        words.append(f"{accuracy.value:.2%} of persons and machines were told right, less than {ACCURACY:.0%}")
    if taken.value > PERSONS_AS_MACHINES:
        words.append(f"{taken.value:.2%} of persons were taken for machines, more than {PERSONS_AS_MACHINES:.1%}")
    if judge_bounds and taken.bounds[1] > PERSONS_AS_MACHINES_UPPER:
        words.append(f"it may be {taken.bounds[1]:.2%} of persons (95 %), more than {PERSONS_AS_MACHINES_UPPER:.0%}")
    slowest = quantile(ours.audio_seconds, 0.99)
    if slowest >= FIRST_AUDIO_SECONDS:
        words.append(
            f"99 % heard us within {1000 * slowest:.0f} ms of the answer, not {1000 * FIRST_AUDIO_SECONDS:.0f}"
        )
    if ours.calls_with_a_gap:
        words.append(f"{ours.calls_with_a_gap} calls had a gap of more than {1000 * LONGEST_GAP_SECONDS:.0f} ms")
    return words


def rows(modes: Sequence[Judged]) -> list[Row]:
    """What is told of each mode, a column each."""
    return [*_main(modes), *_wrong(modes)]


def _main(modes: Sequence[Judged]) -> Iterator[Row]:
    def row(what: str, tell: Callable[[Judged], str]) -> Row:
        return what, *map(tell, modes)

    yield row("accuracy over persons and machines", lambda mode: told(mode.accuracy))
    yield row("persons taken for machines", lambda mode: told(mode.persons_as_machines))
    yield row("  95 % interval", lambda mode: _bounds(mode.persons_as_machines))
    yield row("  before a key said otherwise", lambda mode: told(mode.persons_as_machines_before_a_key))
    yield row("  hung up on before their key", lambda mode: told(mode.persons_cut_off))
    yield row("machines not taken for machines", lambda mode: told(mode.machines_as_persons))
    yield row("  95 % interval", lambda mode: _bounds(mode.machines_as_persons))
    yield row("  taken for screening robots", lambda mode: f"{_as(mode, Verdict.SCREENING_ROBOT)}")
    yield row("screening robots recognised", lambda mode: told(mode.robots_recognised))
    yield row("  a person behind one pressed a key", lambda mode: told(mode.robots_pressed))
    yield row("  hung up on", lambda mode: told(mode.robots_hung_up_on))
    yield row("faxes recognised", lambda mode: told(mode.faxes_recognised))
    for truth in (Truth.PERSON, Truth.MACHINE):
        yield row(
            f"verdict on a {truth}, s: median, p95",
            lambda mode, truth=truth: _seconds(mode.verdict_seconds(truth)),  # type: ignore[misc]
        )
    yield row("our first sound, ms: median, p99, most", lambda mode: _milliseconds(mode.audio_seconds))
    yield row("persons hear nothing, s: mean, most", lambda mode: _mean_and_most(mode.persons_wait_seconds))
    yield row("calls with a gap over 500 ms", lambda mode: f"{mode.calls_with_a_gap}")
    yield row("  longest gap, ms", lambda mode: f"{1000 * max(mode.gaps):.0f}")
    yield row("a machine's call, s: mean, most", lambda mode: _mean_and_most(mode.machine_seconds))


def _wrong(modes: Sequence[Judged]) -> Iterator[Row]:
    """Wrong verdicts by what the calls have in common."""
    yield "", *("" for _ in modes)
    yield "wrong verdicts by kind", *("" for _ in modes)
    for truth, kinds in KINDS.items():
        yield from _parts(modes, truth, {kind: _is_kind(kind) for kind in kinds})
    yield "wrong verdicts by line", *("" for _ in modes)
    for truth in (Truth.PERSON, Truth.MACHINE):
        yield from _parts(modes, truth, _LINES)


def _parts(modes: Sequence[Judged], truth: Truth, parts: Mapping[str, Callable[[Played], bool]]) -> Iterator[Row]:
    for name, belongs in parts.items():
        found = []
        for mode in modes:
            some = [call for call in mode.of(truth) if belongs(call)]
            found.append(Share(sum(not is_right(call) for call in some), len(some)))
        if any(each.of for each in found):
            yield f"  {truth}: {name}", *(f"{each.count} of {each.of}" for each in found)


def _is_kind(kind: str) -> Callable[[Played], bool]:
    return lambda call: call.outline.kind == kind


def _is_noise(kind: str) -> Callable[[Played], bool]:
    return lambda call: ("babble" if call.outline.kind == "babble" else call.outline.noise) == kind


_LINES: Mapping[str, Callable[[Played], bool]] = {
    "no noise": _is_noise(""),
    **{f"{kind} noise": _is_noise(kind) for kind in noise.KINDS},
    "silence suppressed": lambda call: call.outline.suppress_silence,
    "packets lost": lambda call: call.outline.lossy,
}


def figures(judged: Judged, prefix: str) -> dict[str, float]:
    """For the RESULT line."""
    taken, missed_machines = judged.persons_as_machines, judged.machines_as_persons
    persons, machines = judged.verdict_seconds(Truth.PERSON), judged.verdict_seconds(Truth.MACHINE)
    found = {
        "calls": len(judged.calls),
        "accuracy": judged.accuracy.value,
        "persons_as_machines": taken.value,
        "persons_as_machines_upper": taken.bounds[1],
        "persons_as_machines_before_a_key": judged.persons_as_machines_before_a_key.value,
        "persons_cut_off": judged.persons_cut_off.value,
        "machines_as_persons": missed_machines.value,
        "machines_as_persons_upper": missed_machines.bounds[1],
        "robots_recognised": judged.robots_recognised.value,
        "robots_pressed": judged.robots_pressed.value,
        "robots_hung_up_on": judged.robots_hung_up_on.value,
        "faxes_recognised": judged.faxes_recognised.value,
        "person_verdict_seconds_median": quantile(persons, 0.5),
        "person_verdict_seconds_p95": quantile(persons, 0.95),
        "machine_verdict_seconds_median": quantile(machines, 0.5),
        "machine_verdict_seconds_p95": quantile(machines, 0.95),
        "first_audio_seconds_median": quantile(judged.audio_seconds, 0.5),
        "first_audio_seconds_p99": quantile(judged.audio_seconds, 0.99),
        "first_audio_seconds_most": max(judged.audio_seconds),
        "persons_wait_seconds_mean": fmean(judged.persons_wait_seconds),
        "calls_with_a_gap": judged.calls_with_a_gap,
        "longest_gap_seconds": max(judged.gaps),
        "machine_seconds_mean": fmean(judged.machine_seconds),
    }
    return {f"{prefix}{name}": value for name, value in found.items()}


def told(share: Share) -> str:
    return f"{share.value:.2%} ({share.count} of {share.of})"


def _bounds(share: Share) -> str:
    low, high = share.bounds
    return f"{low:.2%} to {high:.2%}"


def _as(mode: Judged, taken_for: Verdict) -> int:
    return sum(verdict(call) is taken_for for call in mode.of(Truth.MACHINE))


def _seconds(values: Sequence[float]) -> str:
    return f"{quantile(values, 0.5):.1f}, {quantile(values, 0.95):.1f}"


def _milliseconds(values: Sequence[float]) -> str:
    return ", ".join(f"{1000 * quantile(values, share):.0f}" for share in (0.5, 0.99, 1.0))


def _mean_and_most(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}, {max(values):.2f}"
