"""Values the core works with: ids, closed lists, configuration and records.

Every value is frozen; a change is a new value, so a decision can be written down, compared and replayed.
Times are seconds since the epoch (UTC) as floats, durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from engine.core.expressions import SkillExpression
from engine.core.hours import Calendar, CalendarId

ServiceId = NewType("ServiceId", str)
CallbackId = NewType("CallbackId", str)
AttemptId = NewType("AttemptId", str)
AgentId = NewType("AgentId", str)
LegId = NewType("LegId", str)
BridgeId = NewType("BridgeId", str)


class CallbackState(StrEnum):
    """Where a callback stands; the last four are ends and are never left."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    AWAITING_CUSTOMER = "awaiting_customer"
    RESERVED = "reserved"
    PREVIEWING = "previewing"
    RINGING_AGENT = "ringing_agent"
    DIALING = "dialing"
    ANNOUNCING = "announcing"
    CONFIRMED = "confirmed"
    CONNECTED = "connected"
    RETRY_WAIT = "retry_wait"
    COMPLETED = "completed"
    UNSUCCESSFUL = "unsuccessful"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self in _ENDS


_ENDS = frozenset({CallbackState.COMPLETED, CallbackState.UNSUCCESSFUL, CallbackState.CANCELLED, CallbackState.EXPIRED})


class Reason(StrEnum):
    """Why a callback ended."""

    TALKED = "talked"
    ENDED_UNOBSERVED = "ended_unobserved"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    INVALID_NUMBER = "invalid_number"
    NOT_PERMITTED = "not_permitted"
    NO_AGENT = "no_agent"
    BY_CUSTOMER = "by_customer"
    BY_KEY = "by_key"
    NEVER_AGAIN = "never_again"
    BY_PUSH = "by_push"
    BY_AGENT = "by_agent"
    BY_ADMIN = "by_admin"
    CALLED_IN = "called_in"
    LIFETIME = "lifetime"
    NO_PERMITTED_TIME = "no_permitted_time"


class Outcome(StrEnum):
    """How one attempt ended."""

    CONNECTED = "connected"
    ABANDONED = "abandoned"
    UNCONFIRMED = "unconfirmed"
    HUNG_UP = "hung_up"
    LATER = "later"
    CANCELLED_BY_KEY = "cancelled_by_key"
    NEVER_AGAIN = "never_again"
    MACHINE = "machine"
    MESSAGE_LEFT = "message_left"
    FAX = "fax"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    NETWORK_FAILURE = "network_failure"
    NO_AGENT = "no_agent"
    INTERRUPTED = "interrupted"
    REFUSED = "refused"


class Presence(StrEnum):
    """Whether an agent takes work."""

    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"


class Stage(StrEnum):
    """How far an agent's work item has come."""

    RESERVED = "reserved"
    RINGING = "ringing"
    ACTIVE = "active"
    WRAP_UP = "wrap_up"


class RequestChannel(StrEnum):
    """How a request reached us."""

    WEB = "web"
    MOBILE = "mobile"
    PHONE = "phone"
    API = "api"
    AGENT = "agent"


class PromptId(StrEnum):
    """The voice prompts a call may need."""

    ANNOUNCE = "announce"
    PRESS = "press"
    CONNECTING = "connecting"
    LATER_CONFIRMED = "later-confirmed"
    CANCEL_CONFIRMED = "cancel-confirmed"
    NEVER_CONFIRMED = "never-confirmed"
    UNCONFIRMED_GOODBYE = "unconfirmed-goodbye"
    APOLOGY = "apology"
    ONE_MOMENT = "one-moment"
    WHISPER = "whisper"


# ---- configuration -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConfirmationKeys:
    """The digit for each answer; None leaves the answer out."""

    connect: str = "1"
    later: str | None = "2"
    cancel: str | None = "3"
    never: str | None = "9"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How the customer is asked to confirm."""

    keys: ConfirmationKeys = ConfirmationKeys()
    wait_seconds: float = 10
    repeats: int = 1
    later_seconds: float = 1800


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """What one outcome changes of the retry policy; None keeps the policy's value."""

    max: int | None = None
    interval_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class AttemptPolicy:
    """How often and how far apart a customer is called; `fault_interval_seconds` after a failure of our own."""

    max: int = 3
    interval_seconds: float = 600
    fault_interval_seconds: float = 60
    by_outcome: Mapping[Outcome, OutcomeRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SlotPolicy:
    """How scheduled callbacks are cut from business hours.

    `minutes` (15, 30 or 60) is a slot's length, `capacity` what each holds unless it has its own. Slots may be booked
    up to `days_ahead` days after today, and those that start within `min_notice_seconds` no more.
    """

    minutes: int = 30
    capacity: int = 4
    days_ahead: int = 14
    min_notice_seconds: float = 0


@dataclass(frozen=True, slots=True)
class CallLimits:
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


@dataclass(frozen=True, slots=True)
class Service:
    """One line of business that customers are called back for.

    Without a calendar it is always open; `slots` need one. `calendar` names one of the configuration's.
    """

    id: ServiceId
    name: str
    company: str
    skill: SkillExpression
    languages: tuple[str, ...] = ("en",)
    subjects: tuple[str, ...] = ()
    calendar: CalendarId | None = None
    slots: SlotPolicy | None = None
    attempts: AttemptPolicy = AttemptPolicy()
    confirmation: Confirmation = Confirmation()
    ring_timeout_seconds: float = 32
    agent_ring_seconds: float = 15
    hold_limit_seconds: float = 120
    call_limits: CallLimits = CallLimits()
    wrap_up_seconds: float = 30
    rona_return_seconds: float | None = None
    life_seconds: float = 86400
    queue_cap: int = 1000
    priority: int = 0
    caller_id: str | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who serves customers from a phone on Asterisk."""

    id: AgentId
    name: str
    endpoint: str
    skills: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds across all services."""

    max_open_per_number: int = 2


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an administrator has set; `version` counts up with each applied document."""

    version: int = 0
    services: Mapping[ServiceId, Service] = field(default_factory=dict)
    agents: Mapping[AgentId, Agent] = field(default_factory=dict)
    calendars: Mapping[CalendarId, Calendar] = field(default_factory=dict)
    limits: Limits = Limits()


# ---- records -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What the customer asked for; never changes after it was accepted."""

    service: ServiceId
    phone: str
    language: str
    channel: RequestChannel
    subject: str | None = None
    customer_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    page_url: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callback:
    """One accepted request and how far it has come. `outcomes` are those of its ended attempts, in order."""

    id: CallbackId
    request: Request
    state: CallbackState
    created_at: float
    joined_at: float
    token_hash: str
    priority: int = 0
    reason: Reason | None = None
    at_head: bool = False
    next_attempt_at: float | None = None
    ended_at: float | None = None
    attempts_started: int = 0
    outcomes: tuple[Outcome, ...] = ()
    agent: AgentId | None = None
    parent_id: CallbackId | None = None

    @property
    def open(self) -> bool:
        return not self.state.ended


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the customer.

    `agent_legs` counts the agent legs posted: the names of a leg and of its bridge are used once. `rang`: the phone
    rang, or nobody can say that it did not. `bridging_at`: from then on customer and agent may have been connected,
    though nobody has confirmed it yet. An attempt with an outcome and no end is closing: its leg is being let go.
    """

    id: AttemptId
    callback: CallbackId
    n: int
    agent: AgentId | None
    dialed_at: float
    agent_legs: int = 0
    rang: bool = False
    answered_at: float | None = None
    confirmed_at: float | None = None
    bridging_at: float | None = None
    bridged_at: float | None = None
    ended_at: float | None = None
    outcome: Outcome | None = None
    cause: int | None = None
    sip_code: int | None = None

    @property
    def customer_leg(self) -> LegId:
        return customer_leg_of(self.id)

    @property
    def agent_leg(self) -> LegId:
        """The agent leg posted last; meaningless while `agent_legs` is 0."""
        return LegId(f"{self.id}.agent.{self.agent_legs}")

    @property
    def bridge(self) -> BridgeId:
        """The bridge for the agent leg posted last."""
        return BridgeId(f"{self.id}.bridge.{self.agent_legs}")


def customer_leg_of(attempt: AttemptId) -> LegId:
    """The only leg to the customer that an attempt ever has."""
    return LegId(f"{attempt}.customer")


def attempt_of_leg(leg: str) -> AttemptId:
    """The attempt a leg that we named belongs to."""
    return AttemptId(leg.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Work:
    """What an agent holds."""

    attempt: AttemptId
    callback: CallbackId
    stage: Stage


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """An agent's presence and work. `idle_since` orders free agents: the longest idle is served first."""

    id: AgentId
    presence: Presence = Presence.LOGGED_OUT
    reason: str | None = None
    work: Work | None = None
    idle_since: float = 0.0

    @property
    def free(self) -> bool:
        return self.presence is Presence.READY and self.work is None

    @property
    def shown(self) -> str:
        """The state people see: work first, then presence."""
        if self.work is None:
            return self.presence.value
        return "talking" if self.work.stage is Stage.ACTIVE else self.work.stage.value


@dataclass(frozen=True, slots=True)
class Timer:
    """A named moment of one owner (a callback, an attempt or an agent)."""

    owner: str
    name: str
    due_at: float
