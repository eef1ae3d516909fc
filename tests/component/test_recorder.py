"""What a recorder does to its file, and what a disk that is slow or full does to the engine: nothing."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.core.decision import Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.events import KeyPressed
from engine.core.terms import LegId
from engine.errors import RecordError
from engine.recording import Recorder, Replayed, recorder, replay
from tests.component.recorded_day import Run, a_day, a_defect


@pytest.fixture(scope="module")
def run() -> Run:
    """One dispatcher's part of a day."""
    return a_day()[0]


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def stops(logged: list[Any]) -> list[str]:
    return [line["why"] for line in logged if line["event"] == "recording.stopped"]


def tell(recorder: Recorder, run: Run) -> None:
    """The whole run; what is decided must be what is decided without a recorder."""
    recorder.begin(run.snapshot, run.text)
    watched, alone = Dispatcher(run.snapshot), Dispatcher(run.snapshot)
    for event, now in run.told:
        assert recorder.decide(watched, event, now) == alone.handle(event, now)


# ---- the file ------------------------------------------------------------------------------------------


def test_given_any_umask_then_the_file_is_its_owners_alone(tmp_path: Path, run: Run) -> None:
    before = os.umask(0)
    try:
        made = Recorder(tmp_path / "record", keep_free_bytes=0)
    finally:
        os.umask(before)
    tell(made, run)
    made.close()
    assert (tmp_path / "record").stat().st_mode & 0o777 == 0o600


def test_given_a_file_of_that_name_then_it_is_left_as_it_is_and_the_way_out_is_told(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_text("of yesterday", "utf-8")
    with pytest.raises(RecordError, match=r"record exists; name a new file for --record, or move that one away"):
        Recorder(path)
    assert path.read_text("utf-8") == "of yesterday"


def test_given_a_folder_that_is_missing_then_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="nowhere/record: No such file or directory; name a file that can be made"):
        Recorder(tmp_path / "nowhere/record")


def test_given_no_event_at_all_then_no_file_is_left_and_the_same_command_works_again(tmp_path: Path) -> None:
    path = tmp_path / "record"
    for _start in range(2):
        unused = Recorder(path, keep_free_bytes=0)
        unused.begin(Snapshot(), None)
        assert path.exists()
        unused.close()
        assert not path.exists()


def test_given_everything_is_told_then_all_of_it_stands_in_the_file_at_the_end(
    tmp_path: Path, run: Run, logged: list[Any]
) -> None:
    made = Recorder(tmp_path / "record", keep_free_bytes=0)
    tell(made, run)
    made.close()
    assert replay(tmp_path / "record").events == len(run.told)
    assert stops(logged) == []
    assert [line["events"] for line in logged if line["event"] == "recording.ended"] == [len(run.told)]


def test_given_a_dispatcher_that_raises_then_the_event_that_made_it_stands_in_the_record(tmp_path: Path) -> None:
    defect = a_defect()
    made = Recorder(tmp_path / "record", keep_free_bytes=0)
    made.begin(defect.snapshot, defect.text)
    with pytest.raises(KeyError):
        made.decide(Dispatcher(defect.snapshot), *defect.told[0])
    made.close()
    assert '"decision":{"raised":"KeyError"}' in (tmp_path / "record").read_text("utf-8")
    assert replay(tmp_path / "record") == Replayed(events=1, differing=0, differences=())


# ---- what must not disturb the engine ------------------------------------------------------------------


class Disk:
    """Takes so many lines at least, and then does something else."""

    def __init__(self, lines: int, then: Callable[[int, bytes], int]) -> None:
        self._lines = lines
        self._then = then

    def write(self, file: int, text: bytes) -> int:
        if self._lines <= 0:
            return self._then(file, text)
        self._lines -= text.count(b"\n")
        return os.write(file, text)


class Frozen(Disk):
    """Hangs after so many lines, until it thaws."""

    def __init__(self, lines: int) -> None:
        super().__init__(lines, self._hang)
        self.thawed = threading.Event()

    def _hang(self, file: int, text: bytes) -> int:
        self.thawed.wait(30)
        return os.write(file, text)


def test_given_a_disk_that_hangs_then_recording_stops_and_the_engine_goes_on(
    tmp_path: Path, run: Run, logged: list[Any]
) -> None:
    disk = Frozen(5)
    made = Recorder(tmp_path / "record", write=disk.write, most_waiting=60, keep_free_bytes=0)
    tell(made, run)
    assert stops(logged) == ["60 lines wait for the disk, which is too slow"]
    disk.thawed.set()
    made.close()
    assert stops(logged) == ["60 lines wait for the disk, which is too slow"]
    # What was kept is written once the disk answers again, and is good as far as it goes.
    replayed = replay(tmp_path / "record")
    assert (replayed.differences, 50 < replayed.events < len(run.told)) == ((), True)


def test_given_a_disk_that_hangs_for_ever_then_the_end_of_the_engine_waits_a_bounded_time(
    tmp_path: Path, run: Run, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "CLOSE_LIMIT_SECONDS", 0.05)
    disk = Frozen(0)
    made = Recorder(tmp_path / "record", write=disk.write, keep_free_bytes=0)
    tell(made, run)
    made.close()
    assert stops(logged) == ["the disk did not take the rest within 0 s"]
    disk.thawed.set()


def test_given_a_disk_that_is_full_in_the_middle_of_a_line_then_what_stands_before_is_a_good_record(
    tmp_path: Path, run: Run, logged: list[Any]
) -> None:
    def full(file: int, text: bytes) -> int:
        if len(text) > 100:
            return os.write(file, text[: len(text) - 50])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made = Recorder(tmp_path / "record", write=Disk(30, full).write, keep_free_bytes=0)
    tell(made, run)
    made.close()
    tell(made, run)  # nothing is kept any more, and nothing is said any more
    assert stops(logged) == ["No space left on device"]
    assert not (tmp_path / "record").read_bytes().endswith(b"\n")
    replayed = replay(tmp_path / "record")
    assert (replayed.differences, 25 < replayed.events < len(run.told)) == ((), True)


def test_given_a_disk_with_little_room_left_then_the_rest_is_left_to_others(
    tmp_path: Path, run: Run, logged: list[Any]
) -> None:
    made = Recorder(tmp_path / "record", keep_free_bytes=1 << 60)
    tell(made, run)
    made.close()
    assert stops(logged) == [f"less than {1 << 40} MiB would be left free on the disk"]


def test_given_an_event_that_nothing_is_known_of_then_recording_stops_and_the_engine_goes_on(
    tmp_path: Path, run: Run, logged: list[Any]
) -> None:
    made = Recorder(tmp_path / "record", keep_free_bytes=0)
    made.begin(run.snapshot, run.text)
    made.decide(Dispatcher(run.snapshot), KeyPressed(LegId("c1-1.customer"), 5), 3.0)  # type: ignore[arg-type]
    tell(made, run)
    made.close()
    assert stops(logged) == ["TypeError: a int where a text should be"]
