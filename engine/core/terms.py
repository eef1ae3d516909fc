"""The words the core works with: ids, each a type of its own, and closed lists."""

from enum import StrEnum
from typing import NewType, TypeAlias

ServiceId = NewType("ServiceId", str)
CallbackId = NewType("CallbackId", str)
AttemptId = NewType("AttemptId", str)
AgentId = NewType("AgentId", str)
LegId = NewType("LegId", str)
BridgeId = NewType("BridgeId", str)
WorkId = NewType("WorkId", str)
InteractionId = NewType("InteractionId", str)
DispositionId = NewType("DispositionId", str)
ReasonId = NewType("ReasonId", str)
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


class InboundOutcome(StrEnum):
    """How a call that came in ended. CALLBACK: the caller is called back instead. CLOSED: nothing came of it then."""

    CONNECTED = "connected"
    ABANDONED = "abandoned"
    CALLBACK = "callback"
    NO_AGENT = "no_agent"
    CLOSED = "closed"
    REFUSED = "refused"
    INTERRUPTED = "interrupted"


class Verdict(StrEnum):
    """Who answered, as far as screening can tell."""

    PERSON = "person"
    MACHINE = "machine"
    SCREENING_ROBOT = "screening_robot"
    FAX = "fax"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """What a verdict rests on."""

    KEY = "key"
    SHORT_GREETING = "short_greeting"
    BEEP = "beep"
    NO_REACTION = "no_reaction"
    SAID_AND_LEFT = "said_and_left"
    REPLY = "reply"
    FAX_TONE = "fax_tone"
    AMD = "amd"
    NOTHING_HEARD = "nothing_heard"
    UNDECIDED = "undecided"


class ScreeningMode(StrEnum):
    """How persons are told from machines: beside the announcement, by Asterisk's AMD() before it, or not at all."""

    CONCURRENT = "concurrent"
    ASTERISK = "asterisk"
    OFF = "off"


class MachineAction(StrEnum):
    """What is done when a machine has answered."""

    HANG_UP = "hang_up"
    LEAVE_MESSAGE = "leave_message"
    IGNORE = "ignore"


class Presence(StrEnum):
    """Whether an agent takes work."""

    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"


class NotReadyReason(StrEnum):
    """Why an agent takes no work, as far as every centre has it; documents add their own.

    RONA: a phone rang out or an offer was not answered. SYSTEM: set from outside.
    """

    ADMIN_WORK = "admin_work"
    LUNCH = "lunch"
    MEETING = "meeting"
    PAUSE = "pause"
    RONA = "rona"
    TRAINING = "training"
    SYSTEM = "system"

    @property
    def chosen_by_agents(self) -> bool:
        return self not in (NotReadyReason.RONA, NotReadyReason.SYSTEM)


class PhoneState(StrEnum):
    """An agent's phone as Asterisk knows it. BUSY: in use, ringing or on hold; UNREGISTERED: nowhere to ring it."""

    IDLE = "idle"
    BUSY = "busy"
    UNREGISTERED = "unregistered"
    UNKNOWN = "unknown"


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
    MACHINE_GOODBYE = "machine-goodbye"
    MESSAGE = "message"
    COMFORT = "comfort"
    RECORDED = "recorded"
    INBOUND_GREETING = "inbound-greeting"
    INBOUND_FULL = "inbound-full"
    INBOUND_SORRY = "inbound-sorry"
    INBOUND_CLOSED = "inbound-closed"
    CLOSED_GOODBYE = "closed-goodbye"
    POSITION_IS = "position-is"
    WAIT_ABOUT = "wait-about"
    MINUTES = "minutes"
    WAIT_SHORT = "wait-short"
    KEEP_PLACE = "keep-place"
    WILL_CALL = "will-call"
    CONFIRM_NUMBER = "confirm-number"
    ENTER_NUMBER = "enter-number"
    NUMBER_NOT_POSSIBLE = "number-not-possible"
    NOT_POSSIBLE = "not-possible"
    NOT_POSSIBLE_GOODBYE = "not-possible-goodbye"
    CALLBACK_KEPT = "callback-kept"
    SLOT_OFFER = "slot-offer"
    AT = "at"
    O_CLOCK = "o-clock"
    SLOT_ACCEPT = "slot-accept"
    SLOT_KEPT = "slot-kept"
    TODAY = "today"
    TOMORROW = "tomorrow"
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    DESK_READY = "desk-ready"
    DESK_NOT_READY = "desk-not-ready"
    DESK_LOGGED_OUT = "desk-logged-out"
    DESK_REASON = "desk-reason"
    REASON_ADMIN_WORK = "reason-admin-work"
    REASON_LUNCH = "reason-lunch"
    REASON_MEETING = "reason-meeting"
    REASON_PAUSE = "reason-pause"
    REASON_TRAINING = "reason-training"
    DESK_UNKNOWN = "desk-unknown"
    DESK_GOODBYE = "desk-goodbye"


Prompt: TypeAlias = PromptId | int
"""What can be played: a voice prompt, or a number from 0 to 59 that is said."""
