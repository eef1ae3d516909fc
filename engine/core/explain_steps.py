"""The steps of a callback's decision trail: what happened, what holds it back now, and because of what. Values only.

Each step is one thing that a supervisor may ask about; explain_words.py says it in plain English. `what` names the kind
of step for programs, its fields say because of what. A field whose name ends in `_at` is a moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from engine.core.terms import (
    AgentId,
    AgentOrder,
    CallbackId,
    CallbackState,
    ConnectMode,
    Outcome,
    Reason,
    RequestChannel,
    ServiceId,
)
from engine.core.values import Value, field


class Rule(StrEnum):
    """What may forbid a call at a moment."""

    NUMBER_GAP = "number_gap"
    NUMBER_DAY = "number_day"
    CALLING_WINDOW = "calling_window"
    BUSINESS_HOURS = "business_hours"


class WhyNow(StrEnum):
    """What let a call begin at its moment."""

    AT_ONCE = "at_once"
    AGENT_FREE = "agent_free"
    WIDENED = "widened"
    AGENT_ALLOWED_AGAIN = "agent_allowed_again"
    NUMBER_FREE = "number_free"
    NUMBER_GAP = "number_gap"
    NUMBER_DAY = "number_day"
    CALLING_WINDOW = "calling_window"
    UNKNOWN = "unknown"


class PreviewAnswer(StrEnum):
    """How a preview ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class Obstacle(StrEnum):
    """What keeps every call, those of a service, or those to a number from beginning."""

    TELEPHONY_LOST = "telephony_lost"
    STOPPING = "stopping"
    SERVICE_PAUSED = "service_paused"
    NUMBER_BUSY = "number_busy"
    SERVICE_FULL = "service_full"
    SERVICE_PACE = "service_pace"
    ALL_FULL = "all_full"
    ALL_PACE = "all_pace"


class Step(Value):
    """One step. `at`: when it happened, or the moment of looking for what holds at that moment."""

    what: ClassVar[str]
    at: float


# ---- what happened -----------------------------------------------------------------------------------------


class Requested(Step):
    """`for_at` None: now, or, if `moved`, a time that is not known any more."""

    what = "requested"
    service: ServiceId
    channel: RequestChannel
    for_at: float | None = None
    moved: bool = False
    after: CallbackId | None = None


class AppointmentCame(Step):
    what = "appointment_came"
    service: ServiceId


class Moved(Step):
    """To another time. `to_at` None: a time that is not known any more. `agent`: who put it off."""

    what = "moved"
    to_at: float | None
    agent: AgentId | None = None


class MovedToNow(Step):
    what = "moved_to_now"
    service: ServiceId


class RetryCame(Step):
    what = "retry_came"
    service: ServiceId
    at_head: bool


class Chosen(Step):
    """An agent was chosen. `agent` None: nobody can say which.

    `free`: how many could have been chosen; None where that cannot be told for certain, and then `idle_since_at` and
    `level` are None too. `levels`: those of the agent that the requirement names. `before`: how the agents who meet it
    stood just before, where nobody of them was free. `freed_by`: what made the agent free. `others_called`: customers
    of the service that were called while this one waited; `passed_over`: those who stood before it and were not.
    """

    what = "agent_chosen"
    agent: AgentId | None
    mode: ConnectMode
    requirement: str = ""
    levels: Mapping[str, int] = field(default_factory=dict)
    free: int | None = None
    order: AgentOrder = AgentOrder.LONGEST_IDLE
    idle_since_at: float | None = None
    level: int | None = None
    why_now: WhyNow = WhyNow.UNKNOWN
    freed_by: str | None = None
    before: Mapping[AgentId, str] = field(default_factory=dict)
    others_called: int = 0
    with_priority: int = 0
    passed_over: int = 0


class PreviewEnded(Step):
    """`left_out_until_at`: the agent is not asked again before. `why`: what an offer was taken back for."""

    what = "preview_ended"
    answer: PreviewAnswer
    agent: AgentId | None
    left_out_until_at: float | None = None
    why: str | None = None


class CustomerCalled(Step):
    """After the agent, who was rung first, came to the phone."""

    what = "customer_called"
    agent: AgentId | None


class NotCalled(Step):
    """The agent was rung first, and the customer not called. `outcome` no_agent: the agent did not come."""

    what = "customer_not_called"
    agent: AgentId | None
    outcome: Outcome | None


class Answered(Step):
    what = "answered"
    after_seconds: float | None


class Confirmed(Step):
    what = "confirmed"


class AgentMissed(Step):
    """The agent's phone rang, and nobody came. `next_agent`: who was chosen next, if one is known."""

    what = "agent_missed"
    agent: AgentId


class NextAgent(Step):
    what = "next_agent"
    agent: AgentId


class Connected(Step):
    what = "connected"
    agent: AgentId | None
    after_seconds: float | None


class CallFailed(Step):
    """`next_at` None and not `held`: not known. `wait_seconds`: the pause that the service sets.

    `moved_by`: the rule for which the next call is later than the pause alone would have it.
    """

    what = "call_failed"
    n: int
    outcome: Outcome | None
    next_at: float | None = None
    wait_seconds: float | None = None
    moved_by: Rule | None = None
    held: bool = False


class Ended(Step):
    """`calls` of at most `most` were made; `life_seconds`: how long it might have waited."""

    what = "ended"
    state: CallbackState
    reason: Reason | None
    outcome: Outcome | None = None
    agent: AgentId | None = None
    talk_seconds: float | None = None
    calls: int = 0
    most: int | None = None
    life_seconds: float | None = None


# ---- what holds now ----------------------------------------------------------------------------------------


class WaitsForAppointment(Step):
    what = "waits_for_appointment"
    until_at: float


class WaitsForRetry(Step):
    what = "waits_for_retry"
    until_at: float


class WaitsForSupervisor(Step):
    what = "waits_for_supervisor"


class AgentPreviews(Step):
    """`agreed`: the agent said yes, and the call waits for something else."""

    what = "agent_previews"
    agent: AgentId
    until_at: float | None
    agreed: bool


class BeingCalled(Step):
    what = "being_called"
    agent: AgentId | None


class Talking(Step):
    what = "talking"
    agent: AgentId | None
    since_at: float


class HoldsTheLine(Step):
    """The customer is on the phone, with music, until `until_at` at the latest."""

    what = "holds_the_line"
    since_at: float
    until_at: float | None


class Held(Step):
    """`count`: the limit that is reached. `callback`: whose call is up to the same number."""

    what = "held"
    by: Obstacle
    service: ServiceId
    until_at: float | None = None
    count: int | None = None
    callback: CallbackId | None = None


class Forbidden(Step):
    """A rule forbids a call to the number until then. `zone`: where the customer is taken to be."""

    what = "forbidden"
    by: Rule
    until_at: float | None
    zone: str | None = None
    limit: float | None = None


class NobodyAble(Step):
    """No agent at all has the skills."""

    what = "nobody_able"
    requirement: str


class NobodyFree(Step):
    """How all those stand who have the skills. `first_agent` is free again at `first_at` at the latest."""

    what = "nobody_free"
    requirement: str
    agents: Mapping[AgentId, str]
    first_agent: AgentId | None = None
    first_at: float | None = None


class LeftOut(Step):
    """An agent who said no is not asked before then."""

    what = "left_out"
    agent: AgentId
    until_at: float | None


class Ahead(Step):
    """Who is served before, of the same service; `of_others`: of other services, and waiting for the same agents."""

    what = "ahead"
    service: ServiceId
    count: int
    on_the_phone: int = 0
    at_head: int = 0
    with_priority: int = 0
    of_others: int | None = None


class Widens(Step):
    """From `from_at` on another requirement counts, which `agents` agents meet."""

    what = "widens"
    from_at: float
    requirement: str
    agents: int
