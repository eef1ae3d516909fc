"""Who serves whom, against a naive search over everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.configuration import Agent
from engine.core.desks import Desks
from engine.core.expressions import parse
from engine.core.line import Line, Need, Place
from engine.core.matching import Matching
from engine.core.records import Work
from engine.core.terms import VOICE, AgentId, AgentOrder, Media, PhoneState, Presence, ServiceId, Stage, WorkId
from engine.core.values import replace

CHAT = Media("chat")
SERVICES = [ServiceId("billing"), ServiceId("sales")]
REQUIREMENTS = [parse(text) for text in ("billing", "sales >= 3", "billing and sales", "billing or sales", "not sales")]
ONE_OR_TWO = parse("voice + chat <= 1")
AGENTS = {
    agent.id: agent
    for agent in (
        Agent(AgentId("a"), "A", "PJSIP/a", {"billing": 5}),
        Agent(AgentId("b"), "B", "PJSIP/a", {"billing": 5}),
        Agent(AgentId("c"), "C", "PJSIP/c", {"billing": 2, "sales": 4}),
        Agent(AgentId("d"), "D", "PJSIP/d", {"sales": 2}, parse("voice <= 1 and chat <= 2")),
        Agent(
            AgentId("e"),
            "E",
            "PJSIP/e",
            {"billing": 1, "sales": 3},
            parse("voice + chat <= 1"),
        ),
        Agent(AgentId("f"), "F", "PJSIP/f"),
    )
}
OTHER_AGENTS = {**AGENTS, AgentId("a"): replace(AGENTS[AgentId("a")], skills={"sales": 9})}

agents = st.sampled_from(sorted(AGENTS))
items = st.integers(0, 9).map(lambda n: f"c{n}")
needs = st.builds(
    Need,
    service=st.sampled_from(SERVICES),
    requirement=st.sampled_from(REQUIREMENTS),
    media=st.sampled_from([VOICE, VOICE, CHAT]),
    order=st.sampled_from(AgentOrder),
    excluded=st.frozensets(agents, max_size=2),
    dials=st.booleans(),
)
places = st.builds(
    Place,
    item=items,
    need=needs,
    joined_at=st.sampled_from([1.0, 2.0, 3.0]),
    priority=st.integers(0, 1),
    at_head=st.booleans(),
)
calls = st.tuples(
    st.just("phone"), st.sampled_from(["PJSIP/a", "PJSIP/c", "PJSIP/d", "PJSIP/gone"]), st.sampled_from(PhoneState)
)
pictures = st.tuples(
    st.just("phones"), st.dictionaries(st.sampled_from(["PJSIP/a", "PJSIP/c", "PJSIP/d"]), st.sampled_from(PhoneState))
)
presences = st.tuples(st.just("presence"), agents, st.sampled_from(Presence))
ends = st.tuples(st.just("end"), agents)
leaves = st.tuples(st.just("leave"), items)
gates = st.tuples(st.sampled_from(["dial", "anybody", "speak"]), st.sampled_from(SERVICES), st.booleans())
configured = st.tuples(st.just("configure"), st.sampled_from([AGENTS, OTHER_AGENTS]))
happenings = places | presences | ends | leaves | gates | configured | calls | pictures
steps = st.lists(st.lists(happenings, min_size=1, max_size=3), max_size=25)


@dataclass
class House:
    """A line and desks; what the matching says is done, and noted beside what a naive search would have done."""

    line: Line = field(default_factory=Line)
    desks: Desks = field(default_factory=Desks)
    waiting: dict[str, Place] = field(default_factory=dict)
    closed: set[object] = field(default_factory=set)
    phones: dict[str, PhoneState] = field(default_factory=dict)
    now: float = 10.0

    def __post_init__(self) -> None:
        self.matching = Matching(self.line, self.desks)
        self.configure(AGENTS)

    def configure(self, configured: dict[AgentId, Agent]) -> None:
        self.agents = configured
        self.desks.configure(configured, self.now)
        self.matching.configured()

    def does(self, step: object) -> None:
        self.now += 1
        match step:
            case Place():
                self.line.join(step)
                self.waiting[step.item] = step
            case ("presence", agent, Presence() as presence):
                self.desks.set_presence(AgentId(str(agent)), presence, None, "asked", self.now)
            case ("end", agent):
                status = self.desks.status(AgentId(str(agent)))
                if status is not None and status.works:
                    self.desks.release(status.id, status.works[0].id, "ended", self.now)
            case ("leave", item):
                self.line.leave(str(item))
                self.waiting.pop(str(item), None)
            case ("dial", service, bool() as may):
                self.line.let_dial(ServiceId(str(service)), may=may)
                (self.closed.discard if may else self.closed.add)(service)
            case ("anybody", _service, bool() as may):
                self.line.let_anybody_dial(may=may)
                (self.closed.discard if may else self.closed.add)("dial")
            case ("speak", _service, bool() as may):
                self.line.let_anybody_speak(may=may)
                (self.closed.discard if may else self.closed.add)("speak")
            case ("phone", str() as endpoint, PhoneState() as state):
                self.desks.note_phone(endpoint, state)
                self.phones[endpoint] = state
            case ("phones", dict() as states):
                self.desks.see_phones(states)
                self.phones = dict(states)
            case ("configure", configured):
                assert isinstance(configured, dict)
                self.configure(configured)

    def serve_all(self) -> None:
        while pair := self.matching.next_pair():
            expected = self.naive_pair()
            assert expected is not None, f"{pair} cannot be"
            assert (pair[0], pair[1].id) == (expected[0], expected[1].id)
            place, agent = pair
            self.line.leave(place.item)
            del self.waiting[place.item]
            work = Work(WorkId(place.item), place.need.service, Stage.ACTIVE, None, place.need.media)
            self.desks.take(agent.id, work, "taken", self.now)
        assert self.naive_pair() is None, "an eligible pair is left waiting"

    def naive_pair(self) -> tuple[Place, Agent] | None:
        for place in sorted(self.waiting.values(), key=lambda place: place.key):
            if self.is_open(place.need) and (able := list(self.able(place.need))):
                return place, min(able, key=lambda agent: self.preferred(place.need, agent))
        return None

    def is_open(self, need: Need) -> bool:
        if need.media == VOICE and "speak" in self.closed:
            return False
        return not need.dials or not ({"dial", need.service} & self.closed)

    def able(self, need: Need) -> Iterator[Agent]:
        for agent in self.agents.values():
            status = self.desks.status(agent.id)
            assert status is not None
            held = [work.media for work in status.works]
            room = agent.capacity is None and not held
            if agent.capacity is not None and (need.media != VOICE or VOICE not in held):
                room = agent.capacity.met_by({m: [*held, need.media].count(m) for m in {*held, need.media}})
            if need.media == VOICE and self.phones.get(agent.endpoint) in (PhoneState.BUSY, PhoneState.UNREGISTERED):
                continue
            wants = room and status.presence is Presence.READY and agent.id not in need.excluded
            if wants and need.requirement.met_by(agent.skills):
                yield agent

    def preferred(self, need: Need, agent: Agent) -> tuple[float, float, str]:
        status = self.desks.status(agent.id)
        assert status is not None
        level = sum(agent.skills.get(name, 0) for name in ("billing", "sales") if name in need.requirement.names)
        return (-level if need.order is AgentOrder.BEST_LEVEL else 0, status.idle_since, agent.id)


@settings(max_examples=400, deadline=None)
@given(steps)
def test_given_anything_that_happens_then_a_naive_search_would_have_served_the_same(steps: list[list[object]]) -> None:
    house = House()
    for together in steps:
        for step in together:
            house.does(step)
        house.serve_all()


def test_given_two_who_wait_and_one_agent_then_the_first_is_served_and_ids_break_ties() -> None:
    house = House()
    for item, joined_at in (("late", 2.0), ("early", 1.0), ("ebony", 1.0)):
        house.does(Place(item, Need(SERVICES[0], parse("billing")), joined_at))
    house.does(("presence", "a", Presence.READY))

    pair = house.matching.next_pair()

    assert pair is not None
    assert (pair[0].item, pair[1].id) == ("early", "a")


@pytest.mark.parametrize(("order", "served_by"), [(AgentOrder.LONGEST_IDLE, "e"), (AgentOrder.BEST_LEVEL, "c")])
def test_given_two_free_agents_then_the_order_of_the_service_decides(order: AgentOrder, served_by: str) -> None:
    house = House()
    for agent in ("e", "c"):
        house.does(("presence", agent, Presence.READY))
        house.serve_all()
    house.does(Place("c1", Need(SERVICES[0], parse("billing and sales"), order=order), 1.0))

    pair = house.matching.next_pair()

    assert pair is not None
    assert pair[1].id == served_by


@pytest.mark.parametrize("state", [PhoneState.BUSY, PhoneState.UNREGISTERED])
def test_given_a_phone_that_cannot_be_rung_when_it_is_idle_again_then_its_agents_are_served_at_once(
    state: PhoneState,
) -> None:
    house = House()
    house.does(("phone", "PJSIP/a", state))
    for agent in ("a", "b"):
        house.does(("presence", agent, Presence.READY))
    house.does(Place("c1", Need(SERVICES[0], parse("billing")), 1.0))
    house.does(Place("c2", Need(SERVICES[0], parse("billing")), 2.0))
    house.serve_all()
    assert set(house.waiting) == {"c1", "c2"}, "both agents share the phone"

    house.does(("phone", "PJSIP/a", PhoneState.IDLE))
    house.serve_all()

    assert house.waiting == {}


def test_given_a_phone_that_cannot_be_rung_then_its_agent_still_takes_a_chat() -> None:
    house = House()
    house.does(("phone", "PJSIP/a", PhoneState.UNREGISTERED))
    house.does(("presence", "a", Presence.READY))
    house.does(Place("chat", Need(SERVICES[0], parse("billing"), media=CHAT), 1.0))

    house.serve_all()

    assert house.waiting == {}


def test_given_phones_of_which_nothing_is_known_any_more_then_all_count_as_usable() -> None:
    house = House()
    house.does(("phones", {"PJSIP/a": PhoneState.BUSY}))
    house.does(("presence", "a", Presence.READY))
    house.does(Place("c1", Need(SERVICES[0], parse("billing")), 1.0))
    house.serve_all()
    assert set(house.waiting) == {"c1"}

    house.does(("phones", {}))
    house.serve_all()

    assert house.waiting == {}


@pytest.mark.parametrize("state", [PhoneState.BUSY, PhoneState.UNREGISTERED])
def test_given_somebody_who_waits_when_the_only_agent_becomes_ready_without_a_phone_then_nobody_is_served(
    state: PhoneState,
) -> None:
    house = House()
    house.does(Place("c1", Need(SERVICES[0], parse("billing")), 1.0))
    house.does(("phone", "PJSIP/a", state))
    house.serve_all()
    house.does(("presence", "a", Presence.READY))

    house.serve_all()

    assert set(house.waiting) == {"c1"}
