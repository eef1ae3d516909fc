"""Counting agents by bits gives what asking each of them would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.configuration import Agent
from engine.core.desks import Desks
from engine.core.expressions import parse
from engine.core.records import Work
from engine.core.staffing import Staffing
from engine.core.terms import VOICE, AgentId, Media, PhoneState, Presence, ServiceId, Stage, WorkId

CHAT = Media("chat")
CAPACITIES = (None, parse("voice <= 1 and chat <= 3"), parse("chat <= 2 and voice == 0"), parse("voice + chat <= 2"))
REQUIREMENTS = tuple(map(parse, ("billing", "billing >= 2", "sales or billing", "not sales", "sales and billing")))
MOST = {None: {VOICE: 1, CHAT: 1}, 1: {VOICE: 1, CHAT: 3}, 2: {VOICE: 0, CHAT: 2}, 3: {VOICE: 2, CHAT: 2}}
"""Worked out by hand: how many items of one medium alone each capacity rule lets an agent hold."""

agents = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["billing", "sales"]), st.integers(1, 3)),
        st.sampled_from(range(len(CAPACITIES))),
    ),
    max_size=6,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["ready", "away", "voice", "chat", "release", "idle", "busy", "unregistered", "unknown"]),
        st.integers(0, 5),
    ),
    max_size=20,
)


@given(agents=agents, steps=steps)
def test_given_any_agents_and_what_they_do_then_places_and_room_are_those_of_each_of_them(
    agents: list[tuple[dict[str, int], int]], steps: list[tuple[str, int]]
) -> None:
    staff = {
        AgentId(f"a{n}"): Agent(AgentId(f"a{n}"), "", f"PJSIP/{n // 2}", skills, CAPACITIES[capacity])
        for n, (skills, capacity) in enumerate(agents)
    }
    desks = Desks()
    desks.configure(staff, 0.0)
    staffing = Staffing(desks)
    staffing.configured()
    for now, (what, n) in enumerate(steps, start=1):
        agent = staff.get(AgentId(f"a{n}"))
        if agent is not None:
            _do(desks, agent, what, float(now))
        if now % 2:
            _compare(staffing, desks, staff, [capacity for _skills, capacity in agents])
    _compare(staffing, desks, staff, [capacity for _skills, capacity in agents])


def _do(desks: Desks, agent: Agent, what: str, now: float) -> None:
    status = desks.status(agent.id)
    assert status is not None
    if what in ("ready", "away"):
        desks.set_presence(agent.id, Presence.READY if what == "ready" else Presence.NOT_READY, None, "", now)
    elif what in set(PhoneState):
        desks.note_phone(agent.endpoint, PhoneState(what))
    elif what == "release":
        if status.works:
            desks.release(agent.id, status.works[0].id, "", now)
    elif status.may_take(Media(what), agent.capacity):
        desks.take(agent.id, Work(WorkId(f"w{now}"), ServiceId("s"), Stage.ACTIVE, media=Media(what)), "", now)


def _compare(staffing: Staffing, desks: Desks, staff: dict[AgentId, Agent], capacities: list[int]) -> None:
    staffing.refresh()
    for requirement in REQUIREMENTS:
        able = staffing.able(requirement)
        for media in (VOICE, CHAT):
            places, room, alone = 0, False, 0
            for agent, capacity in zip(staff.values(), capacities, strict=True):
                status = desks.status(agent.id)
                assert status is not None
                if not requirement.met_by(agent.skills) or not status.ready:
                    continue
                most = MOST[None if agent.capacity is None else capacity][media]
                phone = desks.phones.of(agent.endpoint)
                has_phone = media != VOICE or phone is not PhoneState.UNREGISTERED
                places += most * has_phone
                alone += most * has_phone if agent.capacity is None else 0
                can_talk = has_phone and (media != VOICE or phone is not PhoneState.BUSY)
                room |= can_talk and status.may_take(media, agent.capacity)
            assert staffing.places(able, media) == places
            assert staffing.places(staffing.held_by_one(able), media) == alone
            assert staffing.have_room(able, media) == room


def test_given_other_agents_on_duty_then_the_version_counts_up_and_not_for_their_work() -> None:
    amy = Agent(AgentId("amy"), "Amy", "", {"billing": 1})
    desks = Desks()
    desks.configure({amy.id: amy}, 0.0)
    staffing = Staffing(desks)
    staffing.configured()
    staffing.refresh()
    before = staffing.version
    desks.set_presence(amy.id, Presence.READY, None, "", 1.0)
    staffing.refresh()
    assert staffing.version == before + 1
    desks.take(amy.id, Work(WorkId("w"), ServiceId("s"), Stage.ACTIVE), "", 2.0)
    staffing.refresh()
    assert staffing.version == before + 1


def test_given_excluded_agents_then_they_do_not_count() -> None:
    staff = {AgentId(each): Agent(AgentId(each), "", "", {"billing": 1}) for each in ("amy", "ben")}
    desks = Desks()
    desks.configure(staff, 0.0)
    staffing = Staffing(desks)
    staffing.configured()
    for agent in staff:
        desks.set_presence(agent, Presence.READY, None, "", 1.0)
    staffing.refresh()
    able = staffing.able(parse("billing"))
    assert staffing.places(staffing.without(able, [AgentId("amy"), AgentId("gone")]), VOICE) == 1
