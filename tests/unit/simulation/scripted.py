"""A small simulated centre whose people do as a test says, and what it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.changes import AttemptChanged, CallbackChanged
from engine.core.configuration import Agent, AttemptPolicy, Configuration, Limits, Service
from engine.core.decision import Accepted, Decision, Snapshot
from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import CallbackRequested, Event, PresenceRequested
from engine.core.expressions import parse
from engine.core.records import Attempt, Callback, Request, Work
from engine.core.terms import AgentId, AttemptId, CallbackId, Presence, RequestChannel, ServiceId
from engine.core.values import replace
from engine.simulation.acts import AgentActs, Conversation, CustomerActs, OfferActs
from engine.simulation.staff import Staff
from engine.simulation.telephones import Telephones, Timing
from engine.simulation.virtual_engine import VirtualEngine

START = 1_700_000_000.0
BILLING = Service(ServiceId("billing"), "Billing", "Example", parse("billing"), attempts=AttemptPolicy(max=2))
AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"billing": 5})
ANSWERS = CustomerActs(rings_after=1, answers_after=6, keys=((8, "1"),))
"""Rings after a second, is answered after six, and presses 1 eight seconds later."""
QUICK = Timing(request_seconds=0.0, ring_seconds=0.0, enter_seconds=0.0, hang_up_seconds=0.0)
"""Nothing takes time but what people do, the announcement and the whisper."""


class Script:
    """What people do: customers by their number of call, agents by their number of ring; the last one goes on."""

    def __init__(self) -> None:
        self.customers: dict[str, Sequence[CustomerActs]] = {}
        self.agents: Sequence[AgentActs] = (AgentActs(answers_after=3),)
        self.offers: Sequence[OfferActs] = (OfferActs(answers_after=2),)
        self.talks = Conversation(100)
        self.returns: float | None = None
        self.rings: list[AgentId] = []
        self.offered_to: list[AgentId] = []

    def customer(self, dial: DialCustomer) -> CustomerActs:
        callback, _, n = dial.attempt.rpartition("-")
        acts = self.customers.get(callback, (ANSWERS,))
        return acts[min(int(n), len(acts)) - 1]

    def agent(self, ring: RingAgent) -> AgentActs:
        self.rings.append(ring.agent)
        return self.agents[min(len(self.rings), len(self.agents)) - 1]

    def conversation(self, attempt: AttemptId, agent: AgentId, service: ServiceId) -> Conversation:
        return self.talks

    def offered(self, agent: AgentId, work: Work) -> OfferActs:
        self.offered_to.append(agent)
        return self.offers[min(len(self.offered_to), len(self.offers)) - 1]

    def returns_after(self, agent: AgentId) -> float | None:
        return self.returns


class Centre:
    """One service and its agents; everybody is there from the beginning."""

    def __init__(
        self,
        service: Service = BILLING,
        agents: Sequence[Agent] = (AMY,),
        customers: Mapping[str, Sequence[CustomerActs]] | None = None,
        timing: Timing = QUICK,
    ) -> None:
        configuration = Configuration(
            services={service.id: service},
            agents={agent.id: agent for agent in agents},
            limits=Limits(min_gap_seconds=0),
        )
        self.service = service
        self.engine = VirtualEngine(Snapshot(configuration=configuration), START)
        self.script = Script()
        self.script.customers.update(customers or {})
        self.telephones = Telephones(self.engine, self.script, timing)
        self.staff = Staff(self.engine, self.script)
        self.callbacks: dict[str, Callback] = {}
        self.attempts: dict[str, Attempt] = {}
        self.told: list[tuple[float, Event]] = []
        self.engine.observers.append(self._observe)
        for agent in agents:
            self.engine.tell(PresenceRequested(agent.id, Presence.READY))

    def asks(self, name: str = "c", at: float = 0) -> None:
        """A customer of this name asks so many seconds after the start."""
        request = Request(self.service.id, f"+1{len(name)}{hash_free(name)}", "en", RequestChannel.WEB)
        self.engine.tell_at(START + at, CallbackRequested(CallbackId(name), request, ""))

    def passes(self, seconds: float) -> None:
        self.engine.run_until(self.engine.now + seconds)

    def outcomes(self, name: str = "c") -> list[str]:
        return [outcome.value for outcome in self.callbacks[name].outcomes]

    def times(self, attempt: str) -> tuple[float | None, ...]:
        """When the attempt was dialled, answered, confirmed, bridged and over, in seconds from the start."""
        of = self.attempts[attempt]
        moments = (of.dialed_at, of.answered_at, of.confirmed_at, of.bridged_at, of.ended_at)
        return tuple(None if each is None else round(each - START, 3) for each in moments)

    def _observe(self, event: Event, decision: Decision, now: float) -> None:
        self.told.append((round(now - START, 3), event))
        for change in decision.changes:
            if isinstance(change, CallbackChanged):
                self.callbacks[change.callback.id] = change.callback
            elif isinstance(change, AttemptChanged):
                self.attempts[change.attempt.id] = change.attempt


def accepted(decision: Decision) -> Callback:
    assert isinstance(decision.reply, Accepted), decision.reply
    return decision.reply.callback


def hash_free(name: str) -> str:
    """Digits that differ for different names."""
    return "".join(f"{ord(letter):03}" for letter in name)


__all__ = ["AMY", "ANSWERS", "BILLING", "QUICK", "START", "Centre", "Script", "accepted", "replace"]
