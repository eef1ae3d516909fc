"""People who act by chance: customers as their share of all customers does, agents alike.

Each call, each conversation and each agent's ring has random numbers of its own, named after it, so a configuration
that calls earlier or in another order meets the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from engine.core.configuration import ConfirmationKeys, Service
from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import AudioNews, BeepHeard, EarOpened, TalkFinished, TalkStarted
from engine.core.records import Work
from engine.core.terms import VOICE, AgentId, AttemptId, LegId, ServiceId
from engine.simulation.acts import (
    BUSY,
    INVALID_NUMBER,
    NETWORK_FAILURE,
    REJECTED,
    AgentActs,
    Conversation,
    CustomerActs,
    OfferActs,
)
from engine.simulation.distributions import Distribution
from engine.simulation.streams import Streams

FAILS_AFTER_SECONDS = 1.0
RINGS_AFTER_SECONDS = 0.5
"""After the dial: a network says busy, or the phone begins to ring."""
_ANY = LegId("")
_GREETS_SECONDS, _BEEPS_SECONDS = 6.0, 0.5
VOICEMAIL: tuple[tuple[float, AudioNews], ...] = (
    (0.1, EarOpened(_ANY)),
    (0.5, TalkStarted(_ANY)),
    (7.0, TalkFinished(_ANY, _GREETS_SECONDS)),
    (8.0, BeepHeard(_ANY, _BEEPS_SECONDS)),
)
"""A greeting, a pause, and the beep after which it records without end."""
_FAILURES = {"busy": BUSY, "rejected": REJECTED, "invalid": INVALID_NUMBER, "network_failure": NETWORK_FAILURE}


@dataclass(frozen=True, slots=True)
class Customers:
    """How customers of one kind behave.

    `calls`: what comes of a call before a person speaks (`busy`, `no_answer`, `rejected`, `invalid`, `network_failure`,
    `voicemail`, which greets and beeps), each with its share; the rest answer. `presses`: what those do (`later`,
    `cancel`, `never`, `nothing`, `hang_up`), each with its share; the rest press the key to be connected. `talk` is
    also how long work from outside takes. `patience`: how long they wait to be called before they cancel;
    `hold_patience`: with music.
    """

    calls: Mapping[str, float]
    presses: Mapping[str, float]
    answer: Distribution
    press: Distribution
    talk: Distribution
    patience: Distribution | None = None
    hold_patience: Distribution | None = None


@dataclass(frozen=True, slots=True)
class Agents:
    """How agents behave. `misses`: the share of rings that they let ring; `rejects`: of offers that they refuse.

    `wrap_up` None: as long as the service gives them. `returns`: after a missed call, until they are ready again.
    """

    answer: Distribution
    misses: float
    offer: Distribution
    rejects: float
    wrap_up: Distribution | None
    returns: Distribution


class DrawnPeople:
    """Draws what everybody does. `customers_of` says how the customer behaves to whom an id belongs."""

    def __init__(
        self,
        streams: Streams,
        services: Mapping[ServiceId, Service],
        customers_of: Callable[[str], Customers],
        agents: Agents,
    ) -> None:
        self._streams = streams
        self._services = services
        self._customers_of = customers_of
        self._agents = agents
        self._of_agents: dict[tuple[str, AgentId], Random] = {}

    def customer(self, dial: DialCustomer) -> CustomerActs:
        """One call to them."""
        customers = self._customers_of(_callback(dial.attempt))
        chance = self._streams.of("call", dial.attempt)
        came = _choice(chance, customers.calls)
        # Always in this order, and all of it: what follows does not depend on what came before.
        answers, presses, press = customers.answer.draw(chance), chance.random(), customers.press.draw(chance)
        waits = None if customers.hold_patience is None else customers.hold_patience.draw(chance)
        if came in _FAILURES:
            cause, sip_code = _FAILURES[came]
            return CustomerActs(ends_after=FAILS_AFTER_SECONDS, cause=cause, sip_code=sip_code)
        if came == "no_answer":
            return CustomerActs(RINGS_AFTER_SECONDS)
        rings = min(RINGS_AFTER_SECONDS, answers)
        if came == "voicemail":
            return CustomerActs(rings, answers, sounds=VOICEMAIL, amd="MACHINE")
        keys = self._services[dial.voice.service].confirmation.keys
        wish = _among(presses, customers.presses)
        if wish == "hang_up":
            return CustomerActs(rings, answers, hangs_up_after=press)
        digit = _digit(keys, wish)
        return CustomerActs(rings, answers, keys=((press, digit),) if digit else (), waits_seconds=waits)

    def agent(self, ring: RingAgent) -> AgentActs:
        """Whether they are at their desk, and how fast."""
        chance = self._streams.of("agent", ring.agent, ring.leg)
        missed, answers = chance.random() < self._agents.misses, self._agents.answer.draw(chance)
        return AgentActs(None if missed else answers)

    def conversation(self, attempt: AttemptId, agent: AgentId, service: ServiceId) -> Conversation:  # noqa: ARG002
        """The same for a customer whoever serves them, at whichever attempt."""
        callback = _callback(attempt)
        chance = self._streams.of("talk", callback)
        talks = self._customers_of(callback).talk.draw(chance)
        return Conversation(talks, None if self._agents.wrap_up is None else self._agents.wrap_up.draw(chance))

    def offered(self, agent: AgentId, work: Work) -> OfferActs:
        """What they say, and how long work from outside then takes."""
        customer = work.id if work.callback is None else work.callback
        chance = self._own("offer", agent)
        rejected, missed = chance.random() < self._agents.rejects, chance.random() < self._agents.misses
        answers = None if missed else self._agents.offer.draw(chance)
        if work.media == VOICE or rejected or missed:
            return OfferActs(answers, not rejected)
        handles = self._customers_of(customer).talk.draw(self._streams.of("talk", customer))
        return OfferActs(answers, handles_seconds=handles)

    def returns_after(self, agent: AgentId) -> float:
        """How long they are away after a missed call."""
        return self._agents.returns.draw(self._own("return", agent))

    def _own(self, what: str, agent: AgentId) -> Random:
        """An agent's own numbers, one after another: the same work may be offered to them twice."""
        if (what, agent) not in self._of_agents:
            self._of_agents[what, agent] = self._streams.own(what, agent)
        return self._of_agents[what, agent]


def _callback(attempt: AttemptId) -> str:
    return attempt.rpartition("-")[0]


def _choice(chance: Random, shares: Mapping[str, float]) -> str | None:
    return _among(chance.random(), shares)


def _among(at: float, shares: Mapping[str, float]) -> str | None:
    """Which of the shares a number between 0 and 1 falls into; None: into the rest."""
    for name, share in shares.items():
        if at < share:
            return name
        at -= share
    return None


def _digit(keys: ConfirmationKeys, wish: str | None) -> str | None:
    digits = {None: keys.connect, "later": keys.later, "cancel": keys.cancel, "never": keys.never}
    return digits.get(wish)
