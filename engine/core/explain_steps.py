"""The steps of a callback's decision trail: what happened, and because of what. Values only.

Each step is one thing that a supervisor may ask about; explain_words.py says it in plain English. `what` names the kind
of step for programs, its fields say because of what. A field whose name ends in `_at` is a moment. What holds a
callback back now stands in explain_waits.py.
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
    Evidence,
    Outcome,
    Reason,
    RequestChannel,
    ServiceId,
    Verdict,
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
    SERVICE_PACE = "service_pace"
    ALL_PACE = "all_pace"
    UNKNOWN = "unknown"


class PreviewAnswer(StrEnum):
    """How a preview ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"


class LastWith(StrEnum):
    """With whom a customer who has talked was at the end of the call: who they were given to, or nobody yet."""

    AGENT = "agent"
    SOMEBODY_ELSE = "somebody_else"
    NOBODY = "nobody"


class Step(Value):
    """One step. `at`: when it happened, or the moment of looking for what holds at that moment."""

    what: ClassVar[str]
    at: float


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
    stood just before, where nobody of them was free. `freed_by`: what made the agent free. `asked_before`: the
    requirement until just before, if it was another one. `left_out`: agents who had said no. `others_called`: customers
    of the service who were called while this one waited, `of_other_services`: those of others who got one of the same
    agents, `with_priority`: those of both with a higher priority; `passed_over`: those who stood before and did not.
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
    asked_before: str | None = None
    before: Mapping[AgentId, str] = field(default_factory=dict)
    left_out: tuple[AgentId, ...] = ()
    others_called: int = 0
    of_other_services: int = 0
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


class Judged(Step):
    """Who answered, as far as anybody could tell, on what evidence and how long after the answer."""

    what = "judged"
    verdict: Verdict
    evidence: Evidence
    after_seconds: float


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


class Transferred(Step):
    """The agent gave the customer to somebody else with their phone."""

    what = "transferred"
    agent: AgentId | None
    after_seconds: float | None


class TransferUnanswered(Step):
    """Nobody answered there: the customer waited on the phone for an agent again."""

    what = "transfer_unanswered"


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
    """`calls` of at most `most` were made; `life_seconds`: how long it might have waited. `talk_seconds`: from
    the first word to the end of the call. `last_with`: of those who talked.

    `before`: how the agents with the skills stood at the end of one that waited in the line, if nobody was free.
    """

    what = "ended"
    state: CallbackState
    reason: Reason | None
    outcome: Outcome | None = None
    agent: AgentId | None = None
    talk_seconds: float | None = None
    last_with: LastWith = LastWith.AGENT
    calls: int = 0
    most: int | None = None
    life_seconds: float | None = None
    before: Mapping[AgentId, str] = field(default_factory=dict)
