"""Values the core works with: ids, closed lists, configuration and records.

Every value is frozen; a change is a new value, so a decision can be written down, compared and replayed.
Times are seconds since the epoch (UTC) as floats, durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import NewType

from engine.core.expressions import Expression
from engine.core.hours import Calendar, CalendarId
from engine.core.permission import CallingWindow
from engine.core.values import dataclass

ServiceId = NewType("ServiceId", str)
CallbackId = NewType("CallbackId", str)
AttemptId = NewType("AttemptId", str)
AgentId = NewType("AgentId", str)
LegId = NewType("LegId", str)
BridgeId = NewType("BridgeId", str)
WorkId = NewType("WorkId", str)
InteractionId = NewType("InteractionId", str)
DispositionId = NewType("DispositionId", str)
Media = NewType("Media", str)
"""What kind of conversation it is, such as voice, chat or email; outside systems may name their own."""

VOICE = Media("voice")


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
    """How far an agent's work item has come. OFFERED: the agent may say no."""

    OFFERED = "offered"
    RESERVED = "reserved"
    RINGING = "ringing"
    ACTIVE = "active"
    HELD = "held"
    WRAP_UP = "wrap_up"


class RequestChannel(StrEnum):
    """How a request reached us."""

    WEB = "web"
    MOBILE = "mobile"
    PHONE = "phone"
    API = "api"
    AGENT = "agent"


class ConnectMode(StrEnum):
    """Who is called first: the customer for a reserved agent, the agent, or the customer once the agent agrees."""

    RESERVE = "reserve"
    AGENT_FIRST = "agent_first"
    PREVIEW = "preview"


class InteractionState(StrEnum):
    """Where work from outside stands; the last two are ends."""

    QUEUED = "queued"
    OFFERED = "offered"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (InteractionState.COMPLETED, InteractionState.CANCELLED)


class DispositionKind(StrEnum):
    """What a code classifies: the call itself, or what came out of it."""

    CALL = "call"
    OUTCOME = "outcome"


class AgentOrder(StrEnum):
    """Which of several free agents is taken."""

    LONGEST_IDLE = "longest_idle"
    BEST_LEVEL = "best_level"


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
class Pace:
    """How many customers may be dialled at once, and how many calls begun in a second; None: no limit of its own."""

    max_dials: int | None = None
    calls_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Widening:
    """After `after_seconds` in the line this requirement counts instead."""

    after_seconds: float
    requirement: Expression


@dataclass(frozen=True, slots=True)
class Service:
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
    ring_timeout_seconds: float = 32
    agent_ring_seconds: float = 15
    hold_limit_seconds: float = 120
    call_limits: CallLimits = CallLimits()
    wrap_up_seconds: float = 30
    rona_return_seconds: float | None = None
    life_seconds: float = 86400
    queue_cap: int = 1000
    priority: int = 0
    interaction_priority: int = 0
    caller_id: str | None = None
    calendar: CalendarId | None = None
    slots: SlotPolicy | None = None
    calling_window: CallingWindow | None = None


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who serves customers from a phone on Asterisk.

    `capacity`: what they may hold at once, as a rule over the number of items of each medium; None: one item of any.
    """

    id: AgentId
    name: str
    endpoint: str
    skills: Mapping[str, int] = field(default_factory=dict)
    capacity: Expression | None = None

    def is_full(self, status: AgentStatus) -> bool:
        """Whether they have no room for anything more, whatever its medium."""
        return self.capacity is None and bool(status.works)

    def may_take(self, media: Media, status: AgentStatus) -> bool:
        """Whether their capacity has room for one more item of this medium; a second call never has."""
        if not status.works:
            return self.capacity is None or self.capacity.met_by({media: 1})
        if self.capacity is None or (media == VOICE and status.work is not None):
            return False
        return self.capacity.met_by(status.load_with(media))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds across all services, for each number.

    `per_number_per_day` counts accepted requests, `attempts_per_number_per_day` dials, both on one calendar day of the
    customer; `min_gap_seconds` lie between two dials.
    """

    max_open_per_number: int = 2
    per_number_per_day: int = 6
    min_gap_seconds: float = 60
    attempts_per_number_per_day: int = 8


@dataclass(frozen=True, slots=True)
class Disposition:
    """A code by which agents classify calls. `services`: those it is for; empty: all."""

    id: DispositionId
    name: str
    kind: DispositionKind = DispositionKind.CALL
    services: frozenset[ServiceId] = frozenset()

    def fits(self, service: ServiceId, kind: DispositionKind) -> bool:
        return self.kind is kind and (not self.services or service in self.services)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an administrator has set; `version` counts up with each applied document."""

    version: int = 0
    services: Mapping[ServiceId, Service] = field(default_factory=dict)
    agents: Mapping[AgentId, Agent] = field(default_factory=dict)
    calendars: Mapping[CalendarId, Calendar] = field(default_factory=dict)
    dispositions: Mapping[DispositionId, Disposition] = field(default_factory=dict)
    limits: Limits = Limits()


# ---- records -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What the customer asked for. `skill`: what staff narrowed the target to.

    `zones`: the time zones the customer may be in, the likeliest first; empty if nothing is known.
    """

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
    skill: Expression | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Callback:
    """One accepted request and how far it has come.

    `outcomes` are those of its ended attempts in which the customer was dialled, in order; `attempts_started` counts
    all attempts, so that each has a name of its own.
    `widened`: how many steps of the service's expansion count. `excluded`: agents who said no to it not long ago.
    `scheduled_for`: when it joins, or joined, the line by appointment; `booked`: that is the start of a slot, of which
    it holds a place. `asked_at`: when the appointment was made.
    """

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
    widened: int = 0
    excluded: tuple[AgentId, ...] = ()
    scheduled_for: float | None = None
    booked: bool = False
    asked_at: float = 0.0

    @property
    def open(self) -> bool:
        return not self.state.ended

    @property
    def live_attempt(self) -> AttemptId:
        """The attempt begun last."""
        return AttemptId(f"{self.id}-{self.attempts_started}")

    @property
    def next_attempt(self) -> AttemptId:
        """The attempt that is begun next; an agent who is asked about the callback holds it already."""
        return AttemptId(f"{self.id}-{self.attempts_started + 1}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the customer, at `phone`: the request may have another number by now.

    `dialed_at` is None until the customer is dialled: if the agent is rung first, that may never happen.
    `agent_legs` counts the agent legs posted: the names of a leg and of its bridge are used once. `rang`: the phone
    rang, or nobody can say that it did not. `bridging_at`: from then on customer and agent may have been connected,
    though nobody has confirmed it yet. An attempt with an outcome and no end is closing: its leg is being let go.
    `overtook`: how many of the same service stood before this customer in the line when the call began.
    """

    id: AttemptId
    callback: CallbackId
    n: int
    agent: AgentId | None
    dialed_at: float | None = None
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
    phone: str = ""
    overtook: int = 0

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
    """One thing an agent holds. `id`: of a call its attempt, of work from outside the interaction."""

    id: WorkId
    service: ServiceId
    stage: Stage
    callback: CallbackId | None = None
    media: Media = VOICE

    @property
    def attempt(self) -> AttemptId:
        """Of a call: its attempt."""
        return AttemptId(self.id)


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """An agent's presence and all that they hold. `idle_since`: the longest idle is served first."""

    id: AgentId
    presence: Presence = Presence.LOGGED_OUT
    reason: str | None = None
    works: tuple[Work, ...] = ()
    idle_since: float = 0.0

    @property
    def work(self) -> Work | None:
        """The call they hold; nobody has more than one."""
        for work in self.works:
            if work.media == VOICE:
                return work
        return None

    @property
    def ready(self) -> bool:
        """Whether the agent takes work, as far as their capacity has room."""
        return self.presence is Presence.READY

    @property
    def shown(self) -> str:
        """The state people see: a call first, then presence."""
        work = self.work
        if work is None:
            return str(self.presence)
        return _SHOWN.get(work.stage, str(work.stage))

    def load_with(self, media: Media) -> dict[str, int]:
        """How many items of each medium they would hold with one more of `media`."""
        load: dict[str, int] = {media: 1}
        for work in self.works:
            load[work.media] = load.get(work.media, 0) + 1
        return load


_SHOWN = {Stage.OFFERED: "previewing", Stage.ACTIVE: "talking"}


@dataclass(frozen=True, slots=True)
class Interaction:
    """Work that an outside system announced, such as a chat. `agent`: who has it, or had it last."""

    id: InteractionId
    media: Media
    service: ServiceId
    state: InteractionState
    created_at: float
    priority: int = 0
    context: Mapping[str, str] = field(default_factory=dict)
    agent: AgentId | None = None
    offered_at: float | None = None
    accepted_at: float | None = None
    ended_at: float | None = None
    excluded: tuple[AgentId, ...] = ()


@dataclass(frozen=True, slots=True)
class Classification:
    """How an agent classified a call: a code for the call, one for what came out of it, and free notes."""

    disposition: DispositionId
    outcome_code: DispositionId | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """A number that is never called. `because`: `never_again` (the customer's key) or `by_admin`."""

    phone: str
    because: Reason
    at: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Timer:
    """A named moment of one owner (a callback, an attempt or an agent)."""

    owner: str
    name: str
    due_at: float
