"""What people do in one call, said before it happens: the telephones only play it. Values only.

Durations are seconds; None: it never happens.
"""

from __future__ import annotations

from typing import Protocol

from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import AudioNews
from engine.core.records import Work
from engine.core.terms import AgentId, AttemptId, ServiceId
from engine.core.values import Value

BUSY = 17, 486
REJECTED = 21, 603
INVALID_NUMBER = 1, 404
NETWORK_FAILURE = 38, 503
"""Causes of Q.850 and SIP responses, as a network gives them."""


class CustomerActs(Value):
    """What a customer and their network do in one call.

    From the dial on: `rings_after`, and then `answers_after`, or `ends_after` with its cause. From the moment the call
    is in our hands: `keys` and `hangs_up_after`, which counts unless they have confirmed by then. From the confirmation
    on: `waits_seconds` with music before they hang up.
    `sounds`: what is heard of them after they came into our hands, and when, of whichever leg; `amd`: what Asterisk's
    AMD() says of them. Both only where the service listens for it.
    """

    rings_after: float | None = None
    answers_after: float | None = None
    ends_after: float | None = None
    cause: int | None = None
    sip_code: int | None = None
    keys: tuple[tuple[float, str], ...] = ()
    hangs_up_after: float | None = None
    waits_seconds: float | None = None
    sounds: tuple[tuple[float, AudioNews], ...] = ()
    amd: str | None = None


class AgentActs(Value):
    """What an agent does when their phone rings: answers, rejects, or lets it ring."""

    answers_after: float | None = None
    rejects_after: float | None = None


class Conversation(Value):
    """How long two people talk. `wraps_up_seconds`: when the agent says they are done; None: when the service's time is
    over.
    """

    talks_seconds: float
    wraps_up_seconds: float | None = None


class OfferActs(Value):
    """What an agent does with a preview, or with work from outside, which then takes `handles_seconds`."""

    answers_after: float | None = None
    accepts: bool = True
    handles_seconds: float = 0.0


class People(Protocol):
    """Everybody outside. Each is asked once for each thing they do."""

    def customer(self, dial: DialCustomer) -> CustomerActs:
        """The customer who is dialled."""

    def agent(self, ring: RingAgent) -> AgentActs:
        """The agent whose phone rings."""

    def conversation(self, attempt: AttemptId, agent: AgentId, service: ServiceId) -> Conversation:
        """Customer and agent, who have just been connected."""

    def offered(self, agent: AgentId, work: Work) -> OfferActs:
        """The agent who is asked first."""

    def returns_after(self, agent: AgentId) -> float | None:
        """When an agent who has just missed a call is ready again, if they say so themselves."""
