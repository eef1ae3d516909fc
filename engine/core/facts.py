"""What a call flow reports to the dispatcher: the few moments of a call that matter outside of it."""

from __future__ import annotations

from typing import TypeAlias

from engine.core.records import Attempt, InboundCall
from engine.core.terms import AgentId, LegId, Outcome
from engine.core.values import Value


class Dialling(Value):
    """The customer is dialled after the agent has come to the phone: from now on theirs may ring."""


class Dialled(Value):
    """The customer's leg exists."""


class Answered(Value):
    """The customer's leg is in our hands and the announcement starts."""


class Confirmed(Value):
    """The customer pressed the key to be connected."""


class AgentWanted(Value):
    """The customer is on the line with music and has no agent."""


class AgentRinging(Value):
    agent: AgentId


class AgentWaits(Value):
    """The agent, who was rung first, is on the phone and waits for the customer."""

    agent: AgentId


class AgentMissed(Value):
    """The agent's phone was not answered, refused the call, or hung up before the bridge."""

    agent: AgentId


class AgentFreed(Value):
    """The agent is no longer needed and did not talk."""

    agent: AgentId


class SteppedAside(Value):
    """A caller is being asked about a callback: their place is kept, and others may be served meanwhile."""


class CallerGone(Value):
    """A call that came in is over. `unobserved`: a conversation ended while nobody watched."""

    call: InboundCall
    agent_talked: AgentId | None
    unobserved: bool = False


class Bridged(Value):
    agent: AgentId


class Held(Value):
    """The agent holds the customer."""

    agent: AgentId


class Resumed(Value):
    """The agent and the customer hear each other again."""

    agent: AgentId


class GivenAway(Value):
    """The agent gave the customer to somebody else, who comes in as `by`, and talks to them no more."""

    agent: AgentId | None
    by: LegId | None


class NobodyAnswered(Value):
    """The customer was given away, nobody answered, and they are with us again."""


class Closing(Value):
    """The attempt's outcome stands and the customer is being let go: nobody is looked for any more."""


class Finished(Value):
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
    | Held
    | Resumed
    | GivenAway
    | NobodyAnswered
    | SteppedAside
    | CallerGone
    | Closing
    | Finished
)
