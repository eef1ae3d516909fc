"""The shape of a scenario file, field by field, with defaults. Unknown fields are refused everywhere.

Durations are seconds, shares lie between 0 and 1. What the fields mean together stands in `setting`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from engine.core.expressions import MAX_LEVEL
from engine.document.models import PacingEntry
from engine.document.values import Days, Hours, Id, Language, Line, Seconds, SkillName, TimeOfDay, Timezone, Whole


def _path_or_mapping(value: object) -> object:
    if isinstance(value, str | dict):
        return value
    raise ValueError("must be a services document, or the path of the file that holds it")


Document = Annotated[Any, BeforeValidator(_path_or_mapping)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Number = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]


class Entry(BaseModel):
    """A part of the scenario; frozen, and unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


# ---- distributions -------------------------------------------------------------------------------------


class SpreadEntry(Entry):
    """A mean, and the standard deviation around it."""

    mean: Positive
    deviation: Positive


class MixEntry(Entry):
    """Several means, and how often each comes."""

    means: Annotated[list[Positive], Field(min_length=1)]
    shares: Annotated[list[Positive], Field(min_length=1)]

    @model_validator(mode="after")
    def _as_many(self) -> MixEntry:
        if len(self.means) != len(self.shares):
            raise ValueError("must have as many shares as means")
        return self


class BoundsEntry(Entry):
    """Two bounds."""

    low: Number = Field(alias="from")
    high: Number = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> BoundsEntry:
        if self.high < self.low:
            raise ValueError("ends before it begins; exchange from and to")
        return self


class DistributionEntry(Entry):
    """Exactly one of its fields. A plain number is a constant. `file`: as `empirical`, with a value in each line."""

    constant: Number | None = None
    exponential: Positive | None = None
    lognormal: SpreadEntry | None = None
    gamma: SpreadEntry | None = None
    hyperexponential: MixEntry | None = None
    uniform: BoundsEntry | None = None
    empirical: Annotated[list[Number], Field(min_length=1)] | None = None
    file: Line | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return _constant(value)

    @model_validator(mode="after")
    def _one(self) -> DistributionEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                "must be a number of seconds, or one distribution, such as {lognormal: {mean: 240, deviation: 200}}"
            )
        return self


def _constant(value: object) -> object:
    """A plain number means that it is always this number."""
    return {"constant": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


def _distribution(value: object) -> DistributionEntry:
    return DistributionEntry.model_validate(value)


# ---- who asks ------------------------------------------------------------------------------------------


class WaveEntry(Entry):
    """Up and down once in a period, highest at `peak`."""

    mean: Number
    swing: Share
    peak: TimeOfDay
    period_seconds: Positive = 86400.0


class RateEntry(Entry):
    """Exactly one of its fields. A plain number is a constant. `by_time`: each rate holds until the next."""

    constant: Number | None = None
    by_time: Annotated[dict[TimeOfDay, Number], Field(min_length=1)] | None = None
    wave: WaveEntry | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return _constant(value)

    @model_validator(mode="after")
    def _one(self) -> RateEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError('must be a number an hour, {by_time: {"08:00": 40, "12:00": 60}} or {wave: ...}')
        return self


class CallsEntry(Entry):
    """What comes of a call, by shares; the rest of all calls is answered by a person."""

    busy: Share = 0.0
    no_answer: Share = 0.0
    rejected: Share = 0.0
    invalid: Share = 0.0
    network_failure: Share = 0.0
    voicemail: Share = 0.0

    @model_validator(mode="after")
    def _whole(self) -> CallsEntry:
        _at_most_one(self)
        return self


class PressesEntry(Entry):
    """What a person does who answers, by shares; the rest presses the key to be connected."""

    later: Share = 0.0
    cancel: Share = 0.0
    never: Share = 0.0
    nothing: Share = 0.0
    hang_up: Share = 0.0

    @model_validator(mode="after")
    def _whole(self) -> PressesEntry:
        _at_most_one(self)
        return self


def _at_most_one(shares: BaseModel) -> None:
    total = sum(getattr(shares, name) for name in type(shares).model_fields)
    if total > 1 + 1e-9:
        raise ValueError(f"the shares add up to {total:g}; they may not be more than 1")


class CustomersEntry(Entry):
    """How customers behave. What an arrival leaves out is that of the scenario."""

    calls: CallsEntry = CallsEntry()
    presses: PressesEntry = PressesEntry()
    answer_seconds: DistributionEntry = _distribution({"uniform": {"from": 4.0, "to": 16.0}})
    press_seconds: DistributionEntry = _distribution({"uniform": {"from": 5.0, "to": 12.0}})
    talk_seconds: DistributionEntry = _distribution({"lognormal": {"mean": 240.0, "deviation": 180.0}})
    patience_seconds: DistributionEntry | None = None
    hold_patience_seconds: DistributionEntry | None = None


class SlotsWantedEntry(Entry):
    """This share of customers books a slot, about so many seconds ahead."""

    share: Share
    ahead_seconds: DistributionEntry


class ArrivalEntry(Entry):
    """One kind of customers: what they ask for, and when they come: by `per_hour`, `gap_seconds` or `file`."""

    service: Id
    subject: Id | None = None
    media: Id = "voice"
    language: Language | None = None
    timezones: list[Timezone] = []
    per_hour: RateEntry | None = None
    gap_seconds: DistributionEntry | None = None
    file: Line | None = None
    slots: SlotsWantedEntry | None = None
    customers: CustomersEntry | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ArrivalEntry:
        if sum(each is not None for each in (self.per_hour, self.gap_seconds, self.file)) != 1:
            raise ValueError("must say when customers come in exactly one way: per_hour, gap_seconds or file")
        return self


# ---- who serves ----------------------------------------------------------------------------------------


class ShiftEntry(Entry):
    """When agents are at their desks: these ones of the document, or `count` others made for the simulation.

    `weekly` as in a calendar; `calendar`: one of the document's; with neither they are there all the time.
    """

    agents: Annotated[list[Id], Field(min_length=1)] | None = None
    count: Annotated[Whole, Field(ge=1, le=20_000)] | None = None
    skills: dict[SkillName, Annotated[Whole, Field(ge=0, le=MAX_LEVEL)]] = {}
    weekly: dict[Days, list[Hours]] | None = None
    calendar: Id | None = None

    @model_validator(mode="after")
    def _who_and_when(self) -> ShiftEntry:
        if (self.agents is None) == (self.count is None):
            raise ValueError("must name agents of the document, or say with count and skills how many others there are")
        if self.agents is not None and self.skills:
            raise ValueError("skills of agents stand in the services document; leave them out here")
        if self.weekly is not None and self.calendar is not None:
            raise ValueError("has hours twice; write either weekly or calendar")
        return self


class AgentsEntry(Entry):
    """How agents behave. `wrap_up_seconds` null: as long as the service gives them."""

    answer_seconds: DistributionEntry = _distribution({"lognormal": {"mean": 4.0, "deviation": 2.0}})
    misses: Share = 0.0
    offer_seconds: DistributionEntry = _distribution({"lognormal": {"mean": 5.0, "deviation": 3.0}})
    rejects: Share = 0.0
    wrap_up_seconds: DistributionEntry | None = None
    returns_seconds: DistributionEntry = _distribution(120)


class TimingEntry(Entry):
    """How long the voice prompts are."""

    announcement_seconds: Positive = 9.0
    whisper_seconds: Positive = 2.0
    last_words_seconds: Positive = 3.0


# ---- the whole -----------------------------------------------------------------------------------------


class VariantEntry(Entry):
    """What the second configuration has otherwise; what is left out is as in the first. `changes` come last."""

    name: Line = "the other"
    document: Document | None = None
    changes: dict[str, Any] = {}
    shifts: list[ShiftEntry] | None = None
    agents: AgentsEntry | None = None
    customers: CustomersEntry | None = None
    arrivals: Annotated[list[ArrivalEntry], Field(min_length=1)] | None = None
    pacing: PacingEntry | None = None


class ScenarioEntry(Entry):
    """One scenario. `document`: the services document, or the path of its file; `changes` are made to it."""

    name: Line | None = None
    document: Document
    changes: dict[str, Any] = {}
    starts: Line = "2026-03-02T08:00"
    timezone: Timezone = "UTC"
    hours: Annotated[float, Strict(), Field(gt=0, le=24 * 366)] = 10.0
    warm_up_hours: Number = 0.0
    replications: Annotated[Whole, Field(ge=1, le=1000)] = 5
    seed: Whole = 1
    service_level_seconds: Seconds = 300
    arrivals: Annotated[list[ArrivalEntry], Field(min_length=1)]
    customers: CustomersEntry = CustomersEntry()
    shifts: list[ShiftEntry] = []
    agents: AgentsEntry = AgentsEntry()
    timing: TimingEntry = TimingEntry()
    pacing: PacingEntry = PacingEntry()
    against: VariantEntry | None = None
