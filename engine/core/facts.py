"""What a call flow reports to the dispatcher: the few moments of a call that matter outside of it."""

from __future__ import annotations

from typing import TypeAlias

from engine.core.records import Attempt
from engine.core.terms import AgentId, Outcome
from engine.core.values import dataclass


@dataclass(frozen=True, slots=True)
class Dialling:
    """The customer is dialled after the agent has come to the phone: from now on theirs may ring."""


@dataclass(frozen=True, slots=True)
class Dialled:
    """The customer's leg exists."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The customer's leg is in our hands and the announcement starts."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The customer pressed the key to be connected."""


@dataclass(frozen=True, slots=True)
class AgentWanted:
    """The customer is on the line with music and has no agent."""


@dataclass(frozen=True, slots=True)
class AgentRinging:
    agent: AgentId


@dataclass(frozen=True, slots=True)
class AgentWaits:
    """The agent, who was rung first, is on the phone and waits for the customer."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class AgentMissed:
    """The agent's phone was not answered, refused the call, or hung up before the bridge."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class AgentFreed:
    """The agent is no longer needed and did not talk."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class Bridged:
    agent: AgentId


@dataclass(frozen=True, slots=True)
class Closing:
    """The attempt's outcome stands and the customer is being let go: nobody is looked for any more."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The attempt is over. `unobserved`: a conversation ended while nobody watched.

    If the attempt was never dialled, nobody was called, and the callback keeps its place in the line.
    """

    attempt: Attempt
    outcome: Outcome
    agent_talked: AgentId | None
    unobserved: bool = False


Fact: TypeAlias = (
    Dialling
    | Dialled
    | Answered
    | Confirmed
    | AgentWanted
    | AgentRinging
    | AgentWaits
    | AgentMissed
    | AgentFreed
    | Bridged
    | Closing
    | Finished
)
