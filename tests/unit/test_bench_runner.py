"""The runner of the benches: exit codes, RESULT lines, names; the benches themselves are not run here."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.errors import RingbackError
from tests.bench.report import Report
from tests.bench.runner import BENCHES, Progress, main, plain, show

ROOT = Path(__file__).resolve().parents[2]
KEPT = Report("Title", ("who", "seconds"), (("ours", "1.2"),), {"ours_seconds": 1.25, "calls": 50}, ())
MISSED = Report("Title", ("who",), (("ours",),), {"ours_seconds": 9.0}, ("9.0 s is not below 2 s",), ("a note",))

Benches = Callable[[Mapping[str, object]], Mapping[str, str]]


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> Benches:
    """Makes a bench of each outcome: a report to hand back, or an exception to raise."""

    def made(outcomes: Mapping[str, object]) -> Mapping[str, str]:
        for name, outcome in outcomes.items():
            module = types.ModuleType(f"bench_of_a_test_{name}")
            vars(module)["run"] = _run_to(outcome)
            monkeypatch.setitem(sys.modules, module.__name__, module)
        return {name: f"bench_of_a_test_{name}" for name in outcomes}

    return made


def _run_to(outcome: object) -> Callable[[float, Progress], Report]:
    def run(scale: float, progress: Progress) -> Report:
        progress(f"at scale {scale}")
        if isinstance(outcome, Report):
            return outcome
        assert isinstance(outcome, BaseException)
        raise outcome

    return run


def test_all_benches_run_and_each_ends_with_its_result_line(
    benches: Benches, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], "0.5", benches({"one": KEPT, "two": KEPT})) == 0
    said = capsys.readouterr()
    assert re.findall(r"^RESULT .*", said.out, re.MULTILINE) == [
        "RESULT one ours_seconds=1.25 calls=50",
        "RESULT two ours_seconds=1.25 calls=50",
    ]
    assert said.out.endswith("calls=50\n")
    assert "at scale 0.5" in said.err


def test_a_missed_bar_is_said_and_ends_with_1_after_the_other_benches_ran(
    benches: Benches, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], "", benches({"one": MISSED, "two": KEPT})) == 1
    said = capsys.readouterr().out
    assert "MISSED: 9.0 s is not below 2 s" in said
    assert "RESULT two" in said


def test_one_bench_is_run_by_its_name(benches: Benches, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["two"], "1", benches({"one": MISSED, "two": KEPT})) == 0
    assert "RESULT one" not in capsys.readouterr().out


def test_an_unknown_name_ends_with_2_and_the_names_there_are(
    benches: Benches, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["three"], "1", benches({"one": KEPT, "two": KEPT})) == 2
    said = capsys.readouterr()
    assert said.err == "bench: there is no bench 'three'; there are: one, two\n"
    assert said.out == ""


@pytest.mark.parametrize("scale", ["0", "-1", "much", "nan", "inf"])
def test_a_scale_that_is_no_size_ends_with_2(scale: str, benches: Benches, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], scale, benches({"one": KEPT})) == 2
    assert "SCALE must be" in capsys.readouterr().err


@pytest.mark.parametrize("error", [RingbackError("the lab does not start"), ValueError("a defect")])
def test_a_bench_that_fails_ends_with_1_without_a_result(
    error: Exception, benches: Benches, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], "1", benches({"one": error, "two": KEPT})) == 1
    said = capsys.readouterr()
    assert "RESULT one" not in said.out
    assert "RESULT two" in said.out
    assert str(error) in said.err


def test_an_interrupt_ends_in_one_line_with_130(benches: Benches, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], "1", benches({"one": KeyboardInterrupt(), "two": KEPT})) == 130
    said = capsys.readouterr()
    assert said.err.endswith("bench: interrupted\n")
    assert "RESULT two" not in said.out


def test_sigterm_is_an_interrupt_too(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(
        "import signal\ndef run(scale, progress):\n    progress('waits')\n    signal.pause()\n", "utf-8"
    )
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from tests.bench.runner import main; sys.exit(main([], '1', {'w': 'waiting'}))",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert "waits" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 130
        assert process.stderr.read().endswith("bench: interrupted\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.0, "2"), (1234567.0, "1234567"), (0.00001234567, "0.0000123457"), (-1.5, "-1.5"), (float("nan"), "nan")],
)
def test_figures_are_plain_numbers(value: float, text: str) -> None:
    assert plain(value) == text


def test_words_in_square_brackets_are_shown_as_they_are() -> None:
    out = io.StringIO()
    show("one", Report("T", ("what",), (("[asterisk] look",),), {}, (), ("[store] note",)), out)
    assert "[asterisk] look" in out.getvalue()
    assert "[store] note" in out.getvalue()


def test_every_bench_of_the_list_is_a_module_of_its_own_folder() -> None:
    for name, module in BENCHES.items():
        assert module in {f"tests.bench.{name}", f"tests.bench.{name}.bench"}
