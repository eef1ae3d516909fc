"""What single entries of a scenario mean: distributions, rates and behaviour. Files are read here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.errors import DocumentError, FieldProblem
from engine.simulation.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    LogNormal,
    Uniform,
)
from engine.simulation.drawn_people import Agents, Customers
from engine.simulation.rates import AtARate, AtMoments, ConstantRate, Process, Rate, RateByTime, Wave, WithGaps
from engine.simulation.scenario import AgentsEntry, ArrivalEntry, CustomersEntry, DistributionEntry, RateEntry


@dataclass(frozen=True, slots=True)
class Files:
    """Where files are that a scenario names: paths count from `folder`. `read_document` reads a services document."""

    folder: Path
    read_document: Callable[[Path], Mapping[str, Any]]

    def document(self, path: str) -> Mapping[str, Any]:
        return self.read_document(self.folder / path)

    def lines(self, path: str, at: str) -> list[str]:
        """The lines of a file without comments and empty ones; `at`: the field that names it."""
        try:
            text = (self.folder / path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise DocumentError([FieldProblem(at, f"cannot read {self.folder / path}: {why}")]) from None
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        found = [line for line in lines if line]
        if not found:
            raise DocumentError([FieldProblem(at, f"{self.folder / path} holds no value; write one in each line")])
        return found


def distribution(entry: DistributionEntry, files: Files, at: str) -> Distribution:
    """The distribution; `at` is its path, for messages."""
    match entry:
        case DistributionEntry(constant=float() as value):
            return Constant(value)
        case DistributionEntry(exponential=float() as mean):
            return Exponential(mean)
        case DistributionEntry(lognormal=spread) if spread is not None:
            return LogNormal(spread.mean, spread.deviation)
        case DistributionEntry(gamma=spread) if spread is not None:
            return Gamma(spread.mean, spread.deviation)
        case DistributionEntry(hyperexponential=mix) if mix is not None:
            return Hyperexponential(mix.means, mix.shares)
        case DistributionEntry(uniform=bounds) if bounds is not None:
            return Uniform(bounds.low, bounds.high)
        case DistributionEntry(empirical=list() as values):
            return Empirical(values)
        case DistributionEntry(file=str() as path):
            return Empirical([_seconds(line, files, path, at) for line in files.lines(path, f"{at}.file")])
    raise DocumentError([FieldProblem(at, "says nothing; write a number of seconds")])


def _seconds(line: str, files: Files, path: str, at: str) -> float:
    try:
        seconds = float(line)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        message = f"{files.folder / path} holds {line!r}; each line must be a number of seconds from 0 up"
        raise DocumentError([FieldProblem(f"{at}.file", message)])
    return seconds


def _optional(entry: DistributionEntry | None, files: Files, at: str) -> Distribution | None:
    return None if entry is None else distribution(entry, files, at)


def process_of(arrival: ArrivalEntry, files: Files, timezone: str, starts: float, at: str) -> Process:
    """When the customers of an arrival come."""
    if arrival.gap_seconds is not None:
        gap = distribution(arrival.gap_seconds, files, f"{at}.gap_seconds")
        if gap.mean <= 0:
            raise DocumentError([FieldProblem(f"{at}.gap_seconds", "must be above 0, or all customers come at once")])
        return WithGaps(gap)
    if arrival.file is not None:
        lines = files.lines(arrival.file, f"{at}.file")
        return AtMoments(tuple(_moment(line, files, arrival.file, timezone, starts, at) for line in lines))
    return AtARate(_rate(arrival.per_hour or RateEntry(constant=0.0)), timezone)


def _moment(line: str, files: Files, path: str, timezone: str, starts: float, at: str) -> float:
    """Seconds from the beginning, or a moment such as 2026-03-02T08:14:05."""
    try:
        return starts + float(line)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(line)
    except ValueError:
        message = f"{files.folder / path} holds {line!r}; write seconds from the start, or 2026-03-02T08:14:05"
        raise DocumentError([FieldProblem(f"{at}.file", message)]) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))).timestamp()


def _rate(entry: RateEntry) -> Rate:
    if entry.wave is not None:
        wave = entry.wave
        return Wave(wave.mean, wave.swing, _second_of_day(wave.peak), wave.period_seconds)
    if entry.by_time is not None:
        return RateByTime({_second_of_day(time): rate for time, rate in entry.by_time.items()})
    return ConstantRate(entry.constant or 0.0)


def _second_of_day(time: str) -> int:
    """`HH:MM` or `HH:MM:SS`, checked before."""
    hours, minutes, *seconds = (int(part) for part in time.split(":"))
    return hours * 3600 + minutes * 60 + sum(seconds)


def customers_of(entry: CustomersEntry, files: Files, at: str) -> Customers:
    """How customers behave."""
    return Customers(
        calls=_shares(entry.calls.model_dump()),
        presses=_shares(entry.presses.model_dump()),
        answer=distribution(entry.answer_seconds, files, f"{at}.answer_seconds"),
        press=distribution(entry.press_seconds, files, f"{at}.press_seconds"),
        talk=distribution(entry.talk_seconds, files, f"{at}.talk_seconds"),
        patience=_optional(entry.patience_seconds, files, f"{at}.patience_seconds"),
        hold_patience=_optional(entry.hold_patience_seconds, files, f"{at}.hold_patience_seconds"),
    )


def _shares(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: share for name, share in shares.items() if share > 0}


def agents_of(entry: AgentsEntry, files: Files, at: str) -> Agents:
    """How agents behave."""
    return Agents(
        answer=distribution(entry.answer_seconds, files, f"{at}.answer_seconds"),
        misses=entry.misses,
        offer=distribution(entry.offer_seconds, files, f"{at}.offer_seconds"),
        rejects=entry.rejects,
        wrap_up=_optional(entry.wrap_up_seconds, files, f"{at}.wrap_up_seconds"),
        returns=distribution(entry.returns_seconds, files, f"{at}.returns_seconds"),
    )
