"""The shape of the services document, field by field, with defaults.

Every field of the contract stands here, also those that this version keeps without acting on them; which those are says
`in_effect`. Unknown fields are refused everywhere.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from engine.core.configuration import Screening
from engine.core.expressions import MAX_LEVEL
from engine.core.terms import Outcome
from engine.document.values import (
    CalendarDate,
    CallerId,
    CallSeconds,
    CapacityRule,
    Days,
    Dialled,
    Endpoint,
    Expression,
    Flag,
    Hours,
    Id,
    Key,
    Language,
    Line,
    Region,
    Seconds,
    SecondsOrNone,
    SkillName,
    TimeOfDay,
    Timezone,
    Whole,
)

_MEASURED = Screening()
TalkSeconds = Annotated[float, Strict(), Field(ge=0.1, le=60, allow_inf_nan=False)]
LONGEST_GAP_SECONDS = 2 * 86400.0
"""A start looks back no further for the last dial of a number."""


class Entry(BaseModel):
    """A part of the document; frozen, and unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ExpansionEntry(Entry):
    """After `after_seconds` of waiting the wider expression counts."""

    after_seconds: Seconds
    skill_expression: Expression


class SubjectEntry(Entry):
    """What a customer may ask about."""

    id: Id
    name: Line
    skill_expression: Expression | None = None


class PageEntry(Entry):
    """Pages of a web site whose requests have this subject."""

    match: Line
    subject: Id


class SlotsEntry(Entry):
    """How scheduled callbacks are cut from business hours."""

    minutes: Literal[15, 30, 60] = 30
    capacity: Annotated[Whole, Field(ge=0, le=100_000)] = 4
    days_ahead: Annotated[Whole, Field(ge=1, le=365)] = 14
    min_notice_seconds: SecondsOrNone = 0


class OutcomeEntry(Entry):
    """What one outcome changes of the retry policy."""

    max: Annotated[Whole, Field(ge=1, le=100)] | None = None
    interval_seconds: Seconds | None = None


class AttemptsEntry(Entry):
    """How often and how far apart a customer is called."""

    max: Annotated[Whole, Field(ge=1, le=100)] = 3
    interval_seconds: Seconds = 600
    fault_interval_seconds: Seconds = 60
    by_outcome: dict[Outcome, OutcomeEntry] = {}


class KeysEntry(Entry):
    """The key for each answer; null leaves the answer out."""

    connect: Key = "1"
    later: Key | None = "2"
    cancel: Key | None = "3"
    never: Key | None = "9"

    @model_validator(mode="after")
    def _differ(self) -> KeysEntry:
        used = [key for key in (self.connect, self.later, self.cancel, self.never) if key is not None]
        if len(set(used)) != len(used):
            raise ValueError("two answers have the same key; give each its own")
        return self


class ConfirmationEntry(Entry):
    """How the customer is asked to confirm."""

    keys: KeysEntry = KeysEntry()
    wait_seconds: Annotated[float, Strict(), Field(gt=0, le=120, allow_inf_nan=False)] = 10
    repeats: Annotated[Whole, Field(ge=0, le=10)] = 1
    later_seconds: Seconds = 1800


class ScreeningEntry(Entry):
    """Person or machine; engine.core.configuration.Screening says what each threshold means."""

    mode: Literal["concurrent", "asterisk", "off"] = "concurrent"
    machine: Literal["hang_up", "leave_message", "ignore"] = "hang_up"
    talk_level: Annotated[Whole, Field(ge=1, le=32767)] = _MEASURED.talk_level
    pause_seconds: Annotated[float, Strict(), Field(ge=0.1, le=2)] = _MEASURED.pause_seconds
    beep_greeting_seconds: TalkSeconds = _MEASURED.beep_greeting_seconds
    greeting_seconds: TalkSeconds = _MEASURED.greeting_seconds
    robot_greeting_seconds: TalkSeconds = _MEASURED.robot_greeting_seconds
    reaction_seconds: TalkSeconds = _MEASURED.reaction_seconds
    reply_seconds: TalkSeconds = _MEASURED.reply_seconds
    reply_wait_seconds: TalkSeconds = _MEASURED.reply_wait_seconds
    message_pause_seconds: TalkSeconds = _MEASURED.message_pause_seconds
    robot_repeats: Annotated[Whole, Field(ge=0, le=10)] = _MEASURED.robot_repeats


class RecordingEntry(Entry):
    """Conversations are recorded by Asterisk. `announce: false` only where nobody has to be told."""

    announce: Flag = True


class InboundEntry(Entry):
    """How calls that come in are taken. `numbers`: those dialled; left out, all that lead to no other service."""

    numbers: Annotated[list[Dialled], Field(max_length=1000)] = []
    callback_key: Key | None = "1"
    news_seconds: Annotated[float, Strict(), Field(ge=10, le=3600, allow_inf_nan=False)] = 40
    wait_limit_seconds: Annotated[float, Strict(), Field(ge=1, le=7200, allow_inf_nan=False)] = 3600


class PriorityEntry(Entry):
    """Higher goes first. `interaction`: work that outside systems announce."""

    callback: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    inbound: Annotated[Whole, Field(ge=-1000, le=1000)] = 0
    interaction: Annotated[Whole, Field(ge=-1000, le=1000)] = 0


class CallingWindowEntry(Entry):
    """Times of day in the customer's zone at which they may be called."""

    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")


class PushEntry(Entry):
    """Notification when the customer's turn is near."""

    enabled: Flag = False
    lead_seconds: Seconds = 90
    answer_seconds: Seconds = 30
    on_silence: Literal["call", "release"] = "call"
    max_delays: Annotated[Whole, Field(ge=0, le=100)] = 2


class CallLimitsEntry(Entry):
    """How long each step of a call may last at most; together they are also Asterisk's own limit for a leg."""

    enter_seconds: CallSeconds = 40
    announcement_seconds: CallSeconds = 60
    whisper_seconds: CallSeconds = 10
    bridge_seconds: CallSeconds = 10
    closing_seconds: CallSeconds = 10
    last_words_seconds: CallSeconds = 30
    conversation_seconds: Annotated[float, Strict(), Field(ge=1, le=86400, allow_inf_nan=False)] = 4 * 3600


class PacingEntry(Entry):
    """How fast customers of one service are called; null: only the node's limits count."""

    max_dials: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    calls_per_second: Annotated[float, Strict(), Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None


class ServiceEntry(Entry):
    """One line of business. `public: false` keeps it from customers' keys."""

    id: Id
    name: Line
    company: Line
    public: Flag = True
    skill_expression: Expression
    expansion: list[ExpansionEntry] = []
    agent_order: Literal["longest_idle", "best_level"] = "longest_idle"
    subjects: list[SubjectEntry] = []
    pages: list[PageEntry] = []
    calendar: Id | None = None
    slots: SlotsEntry | None = None
    attempts: AttemptsEntry = AttemptsEntry()
    connect: Literal["reserve", "agent_first", "preview"] = "reserve"
    preview_seconds: Seconds = 30
    reject_exclusion_seconds: Seconds = 600
    ring_timeout_seconds: CallSeconds = 32
    agent_ring_seconds: CallSeconds = 15
    hold_limit_seconds: CallSeconds = 120
    comfort_seconds: Annotated[float, Strict(), Field(ge=8, le=3600, allow_inf_nan=False)] | None = 30
    call_limits: CallLimitsEntry = CallLimitsEntry()
    wrap_up_seconds: SecondsOrNone = 30
    rona_return_seconds: Seconds | None = None
    confirmation: ConfirmationEntry = ConfirmationEntry()
    pacing: PacingEntry = PacingEntry()
    screening: ScreeningEntry = ScreeningEntry()
    priority: PriorityEntry = PriorityEntry()
    queue_cap: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1000
    life_seconds: Seconds = 86400
    calling_window: CallingWindowEntry | None = None
    inbound: InboundEntry | None = None
    recording: RecordingEntry | None = None
    caller_id: CallerId | None = None
    languages: Annotated[list[Language], Field(min_length=1, max_length=50)] = ["en"]
    push: PushEntry = PushEntry()
    cost_per_minute: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)] | None = None


class HolidaysEntry(Entry):
    """Public holidays of a country, without those excepted, and other days on which nobody works."""

    country: Region | None = None
    region: Line | None = None
    exceptions: list[Line] = Field([], alias="except")
    add: list[CalendarDate] = []


class CalendarEntry(Entry):
    """Business hours in one time zone."""

    id: Id
    timezone: Timezone
    weekly: dict[Days, list[Hours]] = {}
    holidays: HolidaysEntry | None = None
    special_days: dict[CalendarDate, list[Hours]] = {}


class AgentEntry(Entry):
    """A person who serves customers from a phone on Asterisk. With a `username` they can log in; no password stands
    here.
    """

    id: Id
    name: Line
    username: Id | None = None
    endpoint: Endpoint
    skills: dict[SkillName, Annotated[Whole, Field(ge=0, le=MAX_LEVEL)]] = {}
    capacity_rule: CapacityRule | None = None


class LimitsEntry(Entry):
    """Bounds across all services. `countries`: ISO regions that may be called."""

    max_open_per_number: Annotated[Whole, Field(ge=1, le=1000)] = 2
    per_number_per_day: Annotated[Whole, Field(ge=1, le=1000)] = 6
    min_gap_seconds: Annotated[float, Strict(), Field(ge=0, le=LONGEST_GAP_SECONDS, allow_inf_nan=False)] = 60
    attempts_per_number_per_day: Annotated[Whole, Field(ge=1, le=1000)] = 8
    countries: list[Region] = []


class DispositionEntry(Entry):
    """A code by which agents classify a call, or what came out of it. `services`: left out, it is for all."""

    id: Id
    name: Line
    kind: Literal["call", "outcome"] = "call"
    services: list[Id] = []


class ReasonEntry(Entry):
    """Why an agent takes no work, besides the built-in reasons."""

    id: Id
    name: Line


class ServicesDocument(Entry):
    """Everything an administrator sets, as one document."""

    services: Annotated[list[ServiceEntry], Field(max_length=1000)] = []
    calendars: Annotated[list[CalendarEntry], Field(max_length=1000)] = []
    agents: Annotated[list[AgentEntry], Field(max_length=20_000)] = []
    dispositions: Annotated[list[DispositionEntry], Field(max_length=1000)] = []
    reasons: Annotated[list[ReasonEntry], Field(max_length=1000)] = []
    limits: LimitsEntry = LimitsEntry()
