"""A record replayed: the same decisions anywhere, differences where they are, and words where it cannot be read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.core.events import Event, KeyPressed
from engine.errors import RecordError
from engine.recording import Decided, replay, steps
from engine.recording.lines import to_text
from engine.recording.replay import DIFFERENCES_TOLD
from tests.component.recorded_day import Run, a_day, a_defect, recorded

ROOT = Path(__file__).resolve().parents[2]
HEADING = '{"Heading":{"format":1,"ringback":"9"}}\n'
_REPLAY = "import sys; from pathlib import Path; from engine.recording import replay; print(replay(Path(sys.argv[1])))"


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    return a_day()


@pytest.fixture
def path(tmp_path: Path, runs: tuple[Run, ...]) -> Path:
    """A record of the day."""
    recorded(tmp_path / "record", runs)
    return tmp_path / "record"


def change(path: Path, line: int, how: Callable[[Any], object]) -> None:
    """Change the JSON of a line, counted from 1."""
    lines = path.read_text("utf-8").splitlines()
    value = json.loads(lines[line - 1])
    lines[line - 1] = json.dumps(how(value) or value)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def line_of(path: Path, kind: str) -> int:
    """The first line with an event of this kind."""
    lines = path.read_text("utf-8").splitlines()
    return next(n for n, text in enumerate(lines, 1) if f'"event":{{"{kind}"' in text)


# ---- the same decisions --------------------------------------------------------------------------------


def test_given_a_record_then_its_events_are_told_again_in_order_and_decided_alike(
    path: Path, runs: tuple[Run, ...]
) -> None:
    told: list[tuple[Event, float]] = [(step.event, step.now) for step in steps(path)]
    assert told == [each for run in runs for each in run.told]
    replayed = replay(path)
    assert (replayed.events, replayed.differing, replayed.differences) == (len(told), 0, ())
    assert len({type(event) for event, _ in told}) > 10, "a day with little in it proves little"
    assert len(runs[1].snapshot.attempts) > 3, "calls were under way at the second start"
    assert len(runs[1].snapshot.inbound) > 3, "and calls that came in"


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_given_another_order_of_sets_then_the_decisions_are_the_same(path: Path, seed: str) -> None:
    """Strings hash differently in each process, so whatever depends on the order of a set differs here."""
    ended = subprocess.run(
        [sys.executable, "-c", _REPLAY, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.strip() == str(replay(path)), ended.stderr
    assert "differing=0," in ended.stdout


def test_given_the_page_about_recording_then_its_program_replays(path: Path) -> None:
    page = (ROOT / "docs/recording.md").read_text("utf-8")
    program = page.partition("```python\n")[2].partition("```")[0]
    path.rename(path.with_name("tuesday.jsonl"))
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.fullmatch(r"[0-9]{3} events, 0 decided otherwise\n", ended.stdout), ended.stderr


# ---- differences ---------------------------------------------------------------------------------------


def test_given_another_key_in_the_record_then_the_first_decision_that_differs_is_told(path: Path) -> None:
    line = line_of(path, "KeyPressed")
    change(path, line, lambda it: it["Decided"]["event"]["KeyPressed"].update(digit="3"))
    replayed = replay(path)
    first = replayed.differences[0]
    assert (first.line, first.event) == (line, KeyPressed.__name__)
    assert str(first).startswith(f"line {line}, KeyPressed: changes ")
    assert "; effects " in str(first)


def test_given_an_event_that_is_missing_then_a_later_decision_differs(path: Path) -> None:
    line = line_of(path, "LegAnswered")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: line - 1] + lines[line:]), "utf-8")
    replayed = replay(path)
    assert replayed.differences[0].line >= line
    assert replayed.differing >= len(replayed.differences)


def test_given_another_decision_in_the_record_then_that_one_alone_differs_and_says_in_what(path: Path) -> None:
    line = line_of(path, "KeyPressed")
    change(path, line, lambda it: it["Decided"]["decision"].update(changes="9:000000000000"))
    (difference,) = replay(path).differences
    assert difference.line == line
    assert str(difference).startswith(f"line {line}, KeyPressed: changes 9:000000000000 in the record, ")
    assert "effects" not in str(difference)


def test_given_another_time_then_it_is_a_difference(path: Path) -> None:
    line = line_of(path, "KeyPressed")
    change(path, line, lambda it: it["Decided"].update(now=it["Decided"]["now"] + 0.000001))
    assert replay(path).differences[0].line == line


def test_given_an_agent_less_in_the_snapshot_then_few_of_the_many_differences_are_told(path: Path) -> None:
    def fewer(line: Any) -> None:  # noqa: ANN401 - JSON
        document = json.loads(line["Started"]["document"])
        document["agents"].pop(0)
        line["Started"]["document"] = json.dumps(document)

    change(path, 2, fewer)
    replayed = replay(path)
    assert replayed.differing > len(replayed.differences) == DIFFERENCES_TOLD
    assert replayed.events == sum(1 for _ in steps(path))


def test_given_a_dispatcher_that_raises_now_then_that_is_a_difference(tmp_path: Path) -> None:
    defect, path = a_defect(), tmp_path / "record"
    recorded(path, (replace(defect, told=()), *a_day()[:1]))
    lines = path.read_text("utf-8").splitlines(keepends=True)
    told = to_text(Decided(3.0, defect.told[0][0], {"changes": "2:000000000000"})).decode()
    path.write_text("".join([*lines[:2], told, *lines[2:]]), "utf-8")
    (difference,) = replay(path).differences
    changes, raised = "changes 2:000000000000 in the record, none now", "raised none in the record, KeyError now"
    assert str(difference) == f"line 3, TimerFired: {changes}; {raised}"
    assert [step.decision is None for step in steps(path)][:2] == [True, False]


# ---- what cannot be read -------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 2, 40, 150])
def test_given_a_process_that_was_killed_in_the_middle_of_a_line_then_the_rest_is_good(path: Path, cut: int) -> None:
    events = replay(path).events
    os.truncate(path, path.stat().st_size - cut)
    replayed = replay(path)
    assert events - 3 < replayed.events < events
    assert replayed.differences == ()


def test_given_a_field_or_a_class_that_nothing_is_known_of_then_the_line_is_told(path: Path) -> None:
    line = line_of(path, "KeyPressed")
    change(path, line, lambda it: it["Decided"]["event"]["KeyPressed"].update(loud=True))
    with pytest.raises(RecordError) as refused:
        replay(path)
    assert str(refused.value).startswith(
        f"{path}, line {line}: Decided.event: unknown field 'loud' of KeyPressed (writ"
    )
    change(path, line, lambda it: it["Decided"].update(event={"KeySung": {}}))
    with pytest.raises(RecordError, match=f"line {line}: Decided.event: unknown class 'KeySung'"):
        replay(path)


def test_given_a_line_in_the_middle_that_is_no_json_then_the_line_is_told(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    lines[4] = lines[4][:40]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(RecordError, match="line 5: not JSON"):
        replay(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin as a record does"),
        ("# Ringback\n", "line 1: not JSON"),
        ('{"Heading":{"format":2,"ringback":"9"}}\n', "line 1: format 2, but this version of Ringback reads format 1"),
        (HEADING.rstrip(), "does not begin as a record does"),
        ('{"Started":{"snapshot":{},"document":null}}\n', "does not begin as a record does"),
        (2 * HEADING, "line 2: a second heading"),
        (
            HEADING + '{"Decided":{"now":1.0,"event":{"StopRequested":{}},"decision":{}}}\n',
            "line 2: an event before any",
        ),
        (
            HEADING
            + '{"Started":{"snapshot":{"attempts":[{"id":"a","callback":"c","n":1,"agent":null,"dialed_at":0}]},'
            '"document":null}}\n',
            "line 2: no dispatcher can be made from this snapshot",
        ),
        (HEADING + "[]\n", r"a list where a class .* \(written by Ringback 9\)"),
        ("[" * 100_000 + "\n", "line 1: not JSON"),
    ],
    ids=["empty", "text", "later", "cut", "no heading", "two", "no snapshot", "no start", "no line", "deep"],
)
def test_given_what_is_no_record_then_it_says_so(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "record").write_text(text, "utf-8")
    with pytest.raises(RecordError, match=said):
        replay(tmp_path / "record")


def test_given_no_file_then_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        RecordError, match=r"cannot read .*record: No such file or directory; name a file made by serve"
    ):
        replay(tmp_path / "record")
