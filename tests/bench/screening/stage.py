"""A real engine on a lab whose customers are the scenes of the far end; each scene is called once in each mode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.core.terms import Outcome, ScreeningMode
from engine.errors import RingbackError
from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from engine.prompts import SpokenService, build
from tests.bench.load import Load, Meter
from tests.bench.numbers import numbers
from tests.bench.screening import scenes
from tests.bench.screening.announcement import Announcement
from tests.bench.screening.call_result import CallResult
from tests.bench.screening.far_end import FarEnd
from tests.bench.screening.outline import Outline
from tests.bench.screening.played import Found, Played, histories
from tests.live.calls.centre import Centre, agent, service

MODES = (ScreeningMode.CONCURRENT, ScreeningMode.ASTERISK)
AGENTS = 160
"""As many calls may go on at a time. A scene takes 20 s in the mean, and nobody is ever connected."""
RING_SECONDS = 1.0
LONGEST_CALL_SECONDS = 150.0
UNLOOKED_SECONDS = 0.9
"""The end of the announcement that the far end does not look at closely: who is hung up on then heard no gap."""
RECORD = "engine.jsonl"
_FIRST_AGENT = 1001
_SKILL = "callbacks"
_COMPANY = "Example"
_ENDINGS = tuple(f"{ending:02}" for ending in range(100))

Progress = Callable[[str], None]
Casts = Mapping[ScreeningMode, Mapping[str, Outline]]
"""Who answers at which number (digits, without +), by mode."""


class StageError(RingbackError):
    """A scene was not played as it should."""


@dataclass(slots=True)
class Stage:
    """Use `up`. `announcement`: what is said to whoever answers. `events`: how many the engine decided on."""

    casts: Casts
    announcement: Announcement
    far_end: FarEnd
    centre: Centre
    record: Path
    events: int = 0
    _histories: Mapping[str, tuple[Found, ...]] = field(default_factory=dict)

    def play(self, mode: ScreeningMode, per_second: float, progress: Progress) -> Load:
        """Ask for all calls of a mode, so many a second, and wait for their end; how busy the machine was meanwhile."""
        meter = Meter({"engine": self.centre.engine.pid, "Asterisk": self.centre.lab.pbx.pid})
        self.ask((mode,), per_second, progress)
        load = meter.read()
        self.await_end((mode,), progress)
        return load

    def ask(self, modes: Sequence[ScreeningMode], per_second: float, progress: Progress) -> None:
        """Ask for all calls of these modes, in turn, so many a second."""
        asked = [(mode, number) for numbers_ in zip(*(self.casts[each] for each in modes), strict=True)
                 for mode, number in zip(modes, numbers_, strict=True)]  # fmt: skip
        began = time.monotonic()
        for place, (mode, number) in enumerate(asked):
            time.sleep(max(0.0, began + place / per_second - time.monotonic()))
            if place % 50 == 0:
                progress(f"{' and '.join(modes)}: {place} of {len(asked)} called")
            self.centre.request(mode.value, number)

    def await_end(self, modes: Sequence[ScreeningMode], progress: Progress) -> None:
        """Wait until all calls of these modes are over."""
        deadline = time.monotonic() + LONGEST_CALL_SECONDS
        while still := self._open(modes):
            if time.monotonic() > deadline:
                raise StageError(f"{still} calls do not end; see {self.centre.engine.log_file}")
            progress(f"{' and '.join(modes)}: the last calls go on")
            time.sleep(0.5)

    def end(self) -> None:
        """Stop the engine in order, so that its record is whole, and take in what it found."""
        self.far_end.await_results(sum(map(len, self.casts.values())))
        self.centre.engine.terminate()
        self._histories, self.events = histories(self.record)

    def calls(self, mode: ScreeningMode) -> list[Played]:
        """All calls of a mode, after the end. Raises StageError if one was not played."""
        results = {each.number: each for each in self.far_end.results()}
        written = self.centre.rows(
            "SELECT a.phone, a.verdict, a.evidence, a.judged_at, a.outcome "
            "FROM attempts a JOIN callbacks c ON c.id = a.callback WHERE c.service = ?",
            mode.value,
        )
        outcomes: dict[str, Outcome] = {}
        for row in written:
            number = row["phone"].removeprefix("+")
            outcomes[number] = Outcome(row["outcome"])
            last = self._histories.get(number, ())[-1:]
            if [(each.verdict, each.evidence, each.at) for each in last] != [tuple(row)[1:4]] * bool(row["verdict"]):
                raise StageError(f"the engine's record of {number} ends otherwise than its database: {tuple(row)}")
        return [
            Played(outline, _result(results, number), self._histories.get(number, ()), outcomes.get(number))
            for number, outline in self.casts[mode].items()
        ]

    def _open(self, modes: Sequence[ScreeningMode]) -> int:
        found = self.centre.rows("SELECT service, count(*) FROM callbacks WHERE ended_at IS NULL GROUP BY service")
        return sum(count for name, count in map(tuple, found) if name in modes)


@contextmanager
def up(planned: Sequence[Outline], folder: Path, directory: Path, progress: Progress) -> Iterator[Stage]:
    """Start all of it: scenes are read from `folder`, and `directory` takes what is written. They are called in order.

    Everything that was started has ended at the end.
    """
    casts = cast(planned)
    with ExitStack() as stack:
        lab = stack.enter_context(Lab.up(progress=progress))
        progress("prompts are built, and the far end encodes the scenes")
        build([SpokenService(mode.value, mode.value, _COMPANY) for mode in MODES], lab.prompts_dir, progress=_silent)
        announcement = Announcement.of(lab.prompts_dir / "en" / MODES[0].value)
        far_end = FarEnd.start(
            {each.name: scenes.read(folder, each.name) for each in planned},
            {number: outline.name for each in casts.values() for number, outline in each.items()},
            directory,
            ring_seconds=RING_SECONDS,
            announcement_seconds=announcement.seconds - UNLOOKED_SECONDS,
        )
        stack.enter_context(far_end)
        record = directory / RECORD
        engine = EngineProcess(
            lab, directory, customer_endpoint=far_end.customer_endpoint, arguments=("--record", str(record))
        )
        # In order only by `end`: there the calls are over.
        stack.callback(engine.kill)
        engine.start()
        centre = Centre(lab, engine)
        agents = range(_FIRST_AGENT, _FIRST_AGENT + AGENTS)
        centre.configure([_service(mode) for mode in MODES], [agent(each, _SKILL) for each in agents])
        centre.ready(*agents)
        yield Stage(casts, announcement, far_end, centre, record)


def _silent(_line: str) -> None:
    return


def cast(planned: Sequence[Outline]) -> Casts:
    """A number for each call in each mode, in their order in both."""
    free = numbers(*_ENDINGS)
    return {mode: dict(zip(islice(free, len(planned)), planned, strict=True)) for mode in MODES}


def _service(mode: ScreeningMode) -> dict[str, object]:
    return service(
        mode.value,
        name=mode.value,
        company=_COMPANY,
        skill_expression=_SKILL,
        ring_timeout_seconds=20,
        confirmation={},
        attempts={"max": 1},
        screening={"mode": mode.value},
    )


def _result(results: Mapping[str, CallResult], number: str) -> CallResult:
    found = results.get(number)
    if found is None or found.answered_at is None:
        raise StageError(f"the call to {number} was not answered: {found}")
    return found
