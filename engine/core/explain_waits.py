"""What holds an open callback back now, as steps of its decision trail. Values only; see explain_steps.py."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from engine.core.explain_steps import Rule, Step
from engine.core.terms import AgentId, CallbackId, CallbackState, ServiceId


class Obstacle(StrEnum):
    """What keeps every call, those of a service, or those to a number from beginning."""

    TELEPHONY_LOST = "telephony_lost"
    STOPPING = "stopping"
    SERVICE_PAUSED = "service_paused"
    NUMBER_BUSY = "number_busy"
    RINGS_IN = "rings_in"
    SERVICE_FULL = "service_full"
    SERVICE_PACE = "service_pace"
    ALL_FULL = "all_full"
    ALL_PACE = "all_pace"


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
    """`state`: how far the call has come. `agent`: for whom."""

    what = "being_called"
    state: CallbackState
    agent: AgentId | None


class Talking(Step):
    what = "talking"
    agent: AgentId | None
    since_at: float


class GivenToSomebodyElse(Step):
    """The agent transferred the customer, who talks to somebody else, or hears it ring there."""

    what = "given_to_somebody_else"
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
    """How those stand who have the skills, but for those who `said_no`.

    `first_agent` is free again at `first_at` at the latest.
    """

    what = "nobody_free"
    requirement: str
    agents: Mapping[AgentId, str]
    said_no: int = 0
    first_agent: AgentId | None = None
    first_at: float | None = None


class Expected(Step):
    """When their turn will be: half of all are called by `half_at`, four of five by `most_at`."""

    what = "expected"
    half_at: float
    most_at: float


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
