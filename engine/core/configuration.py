"""What an administrator sets: services, agents, dispositions and limits. Durations are seconds."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.expressions import Expression
from engine.core.hours import Calendar, CalendarId
from engine.core.permission import CallingWindow
from engine.core.terms import (
    AgentId,
    AgentOrder,
    ConnectMode,
    DispositionId,
    DispositionKind,
    MachineAction,
    NotReadyReason,
    Outcome,
    ReasonId,
    ScreeningMode,
    ServiceId,
)
from engine.core.values import Value, field


class ConfirmationKeys(Value):
    """The digit for each answer; None leaves the answer out."""

    connect: str = "1"
    later: str | None = "2"
    cancel: str | None = "3"
    never: str | None = "9"


class Confirmation(Value):
    """How the customer is asked to confirm."""

    keys: ConfirmationKeys = ConfirmationKeys()
    wait_seconds: float = 10
    repeats: int = 1
    later_seconds: float = 1800


class Screening(Value):
    """How persons are told from machines, and what is done about machines. The default values were measured.

    `talk_level`: louder than this (mean amplitude of 16-bit samples) is talk. `pause_seconds`: shorter silence does not
    end a stretch of talk. Who beeps after `beep_greeting_seconds` of talk is a machine; so is who has talked for
    `greeting_seconds` and does nothing for `reaction_seconds` once both sides are silent. After talk of
    `robot_greeting_seconds`, `reply_seconds` of it after our words are the answer of a call screening robot, and
    `reply_wait_seconds` are waited for it before a machine is hung up on. `message_pause_seconds`: silence after a
    greeting that lets a message begin. `robot_repeats`: how often more the announcement is said to whoever a robot lets
    us talk to.
    """

    mode: ScreeningMode = ScreeningMode.CONCURRENT
    machine: MachineAction = MachineAction.HANG_UP
    talk_level: int = 500
    pause_seconds: float = 0.3
    beep_greeting_seconds: float = 0.6
    greeting_seconds: float = 4.5
    robot_greeting_seconds: float = 2.8
    reaction_seconds: float = 4.0
    reply_seconds: float = 1.0
    reply_wait_seconds: float = 4.0
    message_pause_seconds: float = 1.0
    robot_repeats: int = 3


class OutcomeRule(Value):
    """What one outcome changes of the retry policy; None keeps the policy's value."""

    max: int | None = None
    interval_seconds: float | None = None


class AttemptPolicy(Value):
    """How often and how far apart a customer is called; `fault_interval_seconds` after a failure of our own."""

    max: int = 3
    interval_seconds: float = 600
    fault_interval_seconds: float = 60
    by_outcome: Mapping[Outcome, OutcomeRule] = field(default_factory=dict)


class SlotPolicy(Value):
    """How scheduled callbacks are cut from business hours.

    `minutes` (15, 30 or 60) is a slot's length, `capacity` what each holds unless it has its own. Slots may be booked
    up to `days_ahead` days after today, and those that start within `min_notice_seconds` no more.
    """

    minutes: int = 30
    capacity: int = 4
    days_ahead: int = 14
    min_notice_seconds: float = 0


class CallLimits(Value):
    """How long each step of a call may last at most before the engine ends it on the customer's side.

    `enter_seconds`: from the answer to our hands, longer than the dialplan keeps a customer while the engine is away.
    `closing_seconds`: for a leg that is hung up to be gone. Together with the service's own times they are also
    Asterisk's limit for each leg, which holds when no engine comes back.
    """

    enter_seconds: float = 40
    announcement_seconds: float = 60
    whisper_seconds: float = 10
    bridge_seconds: float = 10
    closing_seconds: float = 10
    last_words_seconds: float = 30
    conversation_seconds: float = 4 * 3600


class Pace(Value):
    """How many customers may be dialled at once, and how many calls begun in a second; None: no limit of its own."""

    max_dials: int | None = None
    calls_per_second: float | None = None


class Widening(Value):
    """After `after_seconds` in the line this requirement counts instead."""

    after_seconds: float
    requirement: Expression


class Recording(Value):
    """That conversations are recorded by Asterisk. `announce`: both sides are told before it begins."""

    announce: bool = True


class Inbound(Value):
    """How a service takes calls that come in.

    `numbers`: those dialled that lead to it; empty: all that lead to no other service. `callback_key`: pressed by a
    caller who waits, it makes their call a callback in the same place; None: it is not offered. `news_seconds`: how
    often they are told their place and the wait. `wait_limit_seconds`: the longest they wait.
    """

    numbers: tuple[str, ...] = ()
    callback_key: str | None = "1"
    news_seconds: float = 40
    wait_limit_seconds: float = 3600
    priority: int = 0


class Service(Value):
    """One line of business that customers are called back for.

    `subjects` may have requirements of their own; `expansion` is in order of time and counts for all of them.
    Without a calendar it is always open; `slots` need one. `calendar` names one of the configuration's.
    """

    id: ServiceId
    name: str
    company: str
    skill: Expression
    languages: tuple[str, ...] = ("en",)
    subjects: Mapping[str, Expression | None] = field(default_factory=dict)
    expansion: tuple[Widening, ...] = ()
    agent_order: AgentOrder = AgentOrder.LONGEST_IDLE
    pace: Pace = Pace()
    connect: ConnectMode = ConnectMode.RESERVE
    preview_seconds: float = 30
    reject_exclusion_seconds: float = 600
    attempts: AttemptPolicy = AttemptPolicy()
    confirmation: Confirmation = Confirmation()
    screening: Screening = Screening()
    ring_timeout_seconds: float = 32
    agent_ring_seconds: float = 15
    hold_limit_seconds: float = 120
    comfort_seconds: float | None = 30
    call_limits: CallLimits = CallLimits()
    wrap_up_seconds: float = 30
    rona_return_seconds: float | None = None
    life_seconds: float = 86400
    queue_cap: int = 1000
    priority: int = 0
    inbound: Inbound | None = None
    recording: Recording | None = None
    interaction_priority: int = 0
    caller_id: str | None = None
    calendar: CalendarId | None = None
    slots: SlotPolicy | None = None
    calling_window: CallingWindow | None = None


class Agent(Value):
    """A person who serves customers from a phone on Asterisk.

    `capacity`: what they may hold at once, as a rule over the number of items of each medium; None: one item of any.
    `username`: by which they log in; None: they do not.
    """

    id: AgentId
    name: str
    endpoint: str
    skills: Mapping[str, int] = field(default_factory=dict)
    capacity: Expression | None = None
    username: str | None = None


class Limits(Value):
    """Bounds across all services, for each number.

    `per_number_per_day` counts accepted requests, `attempts_per_number_per_day` dials, both on one calendar day of the
    customer; `min_gap_seconds` lie between two dials. `countries`: ISO regions that may be called.
    """

    max_open_per_number: int = 2
    per_number_per_day: int = 6
    min_gap_seconds: float = 60
    attempts_per_number_per_day: int = 8
    countries: tuple[str, ...] = ()


class Disposition(Value):
    """A code by which agents classify calls. `services`: those it is for; empty: all."""

    id: DispositionId
    name: str
    kind: DispositionKind = DispositionKind.CALL
    services: frozenset[ServiceId] = frozenset()

    def fits(self, service: ServiceId, kind: DispositionKind) -> bool:
        return self.kind is kind and (not self.services or service in self.services)


class OwnReason(Value):
    """Why an agent takes no work, besides the reasons that every centre has."""

    id: ReasonId
    name: str


class Configuration(Value):
    """Everything an administrator has set; `version` counts up with each applied document."""

    version: int = 0
    services: Mapping[ServiceId, Service] = field(default_factory=dict)
    agents: Mapping[AgentId, Agent] = field(default_factory=dict)
    calendars: Mapping[CalendarId, Calendar] = field(default_factory=dict)
    dispositions: Mapping[DispositionId, Disposition] = field(default_factory=dict)
    reasons: Mapping[ReasonId, OwnReason] = field(default_factory=dict)
    limits: Limits = Limits()

    def knows_reason(self, reason: str) -> bool:
        return reason in self.reasons or reason in tuple(NotReadyReason)

    def reason_ids(self) -> list[str]:
        """The reasons that every centre has, then its own."""
        return [*NotReadyReason, *self.reasons]
