"""Pace: how many customers are dialled at once and in a second, pauses, and what goes on meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.configuration import Agent, AttemptPolicy, Pace, Service
from engine.core.decision import Done
from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import LegEnded, LegSeen
from engine.core.terms import AgentId, CallbackState, ServiceId
from engine.core.values import replace
from tests.unit.core.held_back import too_soon
from tests.unit.core.office import Doubled, chat, code, dials, goes_on_until, pauses, resumes
from tests.unit.core.world import AMY, BEN, BILLING, SALES, START, Customer, World

S = CallbackState
NONE = Pace()


def crew(size: int, skill: str = "billing") -> tuple[Agent, ...]:
    return tuple(Agent(AgentId(f"{skill}-{n}"), f"{skill} {n}", f"PJSIP/{skill}-{n}", {skill: 5}) for n in range(size))


def centre(
    billing: Pace = NONE,
    sales: Pace = NONE,
    node: Pace = NONE,
    agents: int = 6,
    kind: type[World] = Doubled,
    **fields: object,
) -> World:
    """Two services with agents of their own, all of them ready."""
    services = (replace(BILLING, pace=billing, **fields), replace(SALES, pace=sales, **fields))
    staff = (*crew(agents), *crew(agents, "sales"))
    world = kind(services, staff, node=node)
    for agent in staff:
        world.agent(agent.id).ready()
    return world


def dialled_at(world: World, service: str | None = None) -> list[float]:
    """When customers were dialled, of one service or of all."""
    return sorted(
        attempt.dialed_at
        for attempt in world.journal.attempts.values()
        if attempt.dialed_at is not None
        and service in (None, world.journal.callbacks[attempt.callback].request.service)
    )


def states(customers: list[Customer]) -> list[CallbackState]:
    return [customer.state for customer in customers]


def pace_timers(world: World) -> dict[str, float]:
    return {owner: timer.due_at for (owner, name), timer in world.journal.timers.items() if name == "pace"}


def all_are_busy(world: World) -> None:
    for flow in list(world.dispatcher.live()):
        world.tell(LegEnded(flow.attempt.customer_leg, 17))


# ---- calls a second ------------------------------------------------------------------------------------


def test_given_many_free_agents_then_so_many_customers_are_dialled_in_a_second_and_the_next_exactly_after_it() -> None:
    world = centre(billing=Pace(calls_per_second=2))

    customers = [world.customer() for _each in range(5)]

    assert states(customers) == [S.DIALING, S.DIALING, S.QUEUED, S.QUEUED, S.QUEUED]
    assert pace_timers(world) == {"service/billing": START + 1}
    world.pass_time(0.75)
    assert len(dials(world)) == 2
    world.pass_time(0.25)
    assert len(dials(world)) == 4
    world.pass_time(1)
    assert dialled_at(world) == [START, START, START + 1, START + 1, START + 2]
    world.pass_time(1)
    assert pace_timers(world) == {}, "nothing is timed for nobody"


def test_given_a_slow_rate_then_calls_lie_as_far_apart_as_it_says() -> None:
    world = centre(billing=Pace(calls_per_second=0.25))

    for _each in range(3):
        world.customer()
    world.pass_time(10)

    assert dialled_at(world) == [START, START + 4, START + 8]


def test_given_a_service_at_its_rate_then_another_one_is_not_held_up() -> None:
    world = centre(billing=Pace(calls_per_second=1))
    first, second = world.customer(), world.customer()

    other = world.customer("sales")

    assert states([first, second, other]) == [S.DIALING, S.QUEUED, S.DIALING]


def test_given_the_rate_of_all_services_together_then_the_first_in_line_is_next() -> None:
    world = centre(node=Pace(calls_per_second=1))
    customers = [world.customer(service) for service in ("billing", "sales", "billing", "sales")]

    world.pass_time(3)

    assert [customer.attempt.dialed_at for customer in customers] == [START + n for n in range(4)]
    assert set(pace_timers(world)) == {"node"}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0.25, 1.0, 2.0, 3.0]),
    st.sampled_from([0.5, 1.0, 4.0]),
    st.sampled_from([None, 1, 2]),
    st.lists(
        st.tuples(
            st.sampled_from(["billing", "sales"]),
            st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.0]),
            st.sampled_from([None, None, 17, "answer"]),
        ),
        min_size=3,
        max_size=20,
    ),
)
def test_given_any_requests_then_no_second_sees_more_calls_than_it_may_and_everybody_is_called(
    rate: float, of_node: float, at_once: int | None, asked: list[tuple[str, float, int | str | None]]
) -> None:
    billing, node = Pace(at_once, rate), Pace(calls_per_second=of_node)
    once = AttemptPolicy(max=1)
    world = centre(billing, node=node, agents=20, kind=World, attempts=once, ring_timeout_seconds=4)
    for service, seconds, ends in asked:
        world.customer(service)
        world.pass_time(seconds)
        for flow in list(world.dispatcher.live())[:1] if ends else []:
            if ends == 17:
                world.tell(LegEnded(flow.attempt.customer_leg, 17))
            else:
                Customer(world, flow.callback.id).answers()
    world.pass_time(300)

    for pace, began in ((billing, dialled_at(world, "billing")), (node, dialled_at(world))):
        for n, at in enumerate(began):
            assert not too_soon(pace, began[:n], at), f"{at - START} after {[each - START for each in began[:n]]}"
    assert {attempt.callback for attempt in world.journal.attempts.values()} == set(world.journal.callbacks)


# ---- how many at once ----------------------------------------------------------------------------------


def test_given_as_many_dials_as_may_be_at_once_then_the_next_begins_when_one_is_answered_or_over() -> None:
    world = centre(billing=Pace(max_dials=2))
    customers = [world.customer() for _each in range(4)]
    assert states(customers) == [S.DIALING, S.DIALING, S.QUEUED, S.QUEUED]
    assert pace_timers(world) == {}, "nobody knows when"

    customers[0].rings()
    customers[0].picks_up()
    assert customers[2].is_in(S.QUEUED)
    customers[0].enters()
    assert customers[2].is_in(S.DIALING)
    customers[1].hangs_up(cause=17)

    assert customers[3].state is S.DIALING


def test_given_dials_that_are_given_up_then_they_count_until_their_legs_are_gone() -> None:
    world = centre(billing=Pace(max_dials=1))
    first, second = world.customer(), world.customer()
    world.agent("billing-0").leaves()
    assert (first.closing, second.state) == ("no_agent", S.QUEUED)

    first.is_let_go(first.attempt.outcome)  # type: ignore[arg-type]

    assert second.state is S.DIALING


def test_given_all_calls_that_the_node_may_have_then_only_an_end_makes_room_for_any_service() -> None:
    world = centre(node=Pace(max_dials=2))
    first, second, third = world.customer(), world.customer("sales"), world.customer("sales")
    first.answers()
    assert third.is_in(S.QUEUED), "an answered call is one of the node's"

    second.hangs_up(cause=17)

    assert third.state is S.DIALING


def test_given_a_full_node_then_customers_on_the_phone_and_chats_get_their_agents() -> None:
    world = centre(node=Pace(max_dials=1), billing=Pace(max_dials=1, calls_per_second=0.25))
    customer = world.customer()
    customer.confirms()
    world.agent("billing-0").rejects()

    assert len(world.done(RingAgent)) == 2
    chats = chat(world)
    assert chats.shown[0] == "offered"
    assert customer.state is S.CONFIRMED
    world.agent("billing-1").answers()
    assert customer.is_in(S.CONNECTED)


def test_given_full_lines_when_the_engine_starts_again_then_they_are_still_full() -> None:
    world = centre(billing=Pace(max_dials=1), node=Pace(max_dials=2))
    first, second = world.customer(), world.customer()
    world.customer("sales")
    third = world.customer("sales")

    world.restart()
    world.agent("billing-0").ready()
    world.pass_time(5)
    assert len(dials(world)) == 2

    first.hangs_up(cause=17)
    assert (second.state, third.state) == (S.DIALING, S.QUEUED)


def test_given_a_picked_up_phone_when_the_engine_starts_again_then_the_dial_counts_as_before() -> None:
    world = centre(billing=Pace(max_dials=1))
    first, second = world.customer(), world.customer()
    first.rings()
    first.picks_up()

    world.restart()
    world.see(first.attempt.id, LegSeen.ANSWERED)
    world.pass_time(1)
    assert second.is_in(S.QUEUED)
    first.enters()

    assert second.state is S.DIALING


@pytest.mark.parametrize("ended", [False, True])
def test_given_a_slow_rate_when_the_engine_starts_again_then_the_next_call_is_not_earlier_for_it(
    ended: bool,  # noqa: FBT001 - whether the call that counts is still there
) -> None:
    world = centre(billing=Pace(calls_per_second=0.125), node=Pace(calls_per_second=0.25))
    first = world.customer()
    second, other = world.customer(), world.customer("sales")
    if ended:
        first.hangs_up(cause=1)

    world.restart()
    world.agent("billing-1").ready()
    world.pass_time(3.75)
    assert len(dials(world)) == 1
    world.pass_time(60)

    assert [each.attempt.dialed_at for each in (other, second)] == [START + 4, START + 8]


def test_given_a_second_that_is_half_used_when_the_engine_starts_again_then_only_the_rest_of_it_may_be() -> None:
    world = centre(node=Pace(calls_per_second=2))
    world.customer().hangs_up(cause=1)

    world.restart()
    world.pass_time(0.25)
    customers = [world.customer(service) for service in ("billing", "sales")]

    assert states(customers) == [S.DIALING, S.QUEUED]
    world.pass_time(0.75)
    assert customers[1].attempt.dialed_at == START + 1


# ---- pauses --------------------------------------------------------------------------------------------


def test_given_a_pause_then_nobody_of_the_service_is_called_requests_are_taken_and_others_go_on() -> None:
    world = centre()
    live = world.customer()
    live.confirms()

    assert pauses(world).reply == Done()

    waiting = [world.customer(), world.customer()]
    other = world.customer("sales")
    assert states([*waiting, other]) == [S.QUEUED, S.QUEUED, S.DIALING]
    assert [world.dispatcher.line.position(each.id) for each in waiting] == [1, 2]
    world.agent("billing-0").rejects()
    world.agent("billing-1").answers()
    assert live.state is S.CONNECTED, "who is on the phone is served"

    assert resumes(world).reply == Done()
    assert states(waiting) == [S.DIALING, S.DIALING]


def test_given_a_pause_then_retries_and_lives_go_on() -> None:
    world = Doubled((replace(BILLING, life_seconds=700),), (AMY,))
    world.agent().ready()
    customer = world.customer()
    customer.hangs_up(cause=17)
    pauses(world)

    world.pass_time(BILLING.attempts.interval_seconds)
    assert customer.is_in(S.QUEUED)
    world.pass_time(100)

    assert (customer.state, customer.reason) == (S.EXPIRED, "lifetime")


def test_given_a_pause_told_twice_and_a_resumption_told_twice_then_the_second_changes_nothing() -> None:
    world = centre()
    pauses(world)

    assert (pauses(world).changes, pauses(world).reply) == ([], Done())
    resumes(world)
    assert (resumes(world).changes, resumes(world).reply) == ([], Done())


def test_given_no_such_service_then_it_is_not_paused() -> None:
    assert code(pauses(centre(), "nothing").reply) == "unknown-service"


def test_given_a_pause_when_the_engine_starts_again_or_is_configured_then_it_is_still_paused() -> None:
    world = Doubled((BILLING,), (AMY,))
    world.agent().ready()
    pauses(world)
    customer = world.customer()

    world.restart()
    world.configure((BILLING,), (AMY,))
    world.pass_time(100)

    assert customer.is_in(S.QUEUED)
    resumes(world)
    assert customer.state is S.DIALING


def test_given_a_pause_of_a_service_that_rests_when_it_goes_on_then_the_rest_counts_also_after_a_start() -> None:
    world = centre(billing=Pace(calls_per_second=0.125))
    world.customer().hangs_up(cause=1)
    pauses(world)
    customer = world.customer()
    world.restart()

    resumes(world)
    world.pass_time(7)
    assert customer.is_in(S.QUEUED)
    world.pass_time(1)

    assert customer.attempt.dialed_at == START + 8


def test_given_a_paused_service_that_is_left_out_of_the_document_when_it_is_resumed_then_nothing_breaks() -> None:
    world = Doubled((BILLING, replace(SALES, pace=Pace(calls_per_second=0.125))), (AMY, BEN))
    world.agent("ben").ready()
    world.customer("sales").hangs_up(cause=1)
    pauses(world, "sales")

    world.configure((BILLING,), (AMY, BEN))

    assert pace_timers(world) == {}
    assert resumes(world, "sales").reply == Done()
    world.pass_time(20)


# ---- telephony and configuration -----------------------------------------------------------------------


def test_given_lost_telephony_when_a_rest_ends_meanwhile_then_nobody_is_called_before_it_is_back() -> None:
    world = centre(billing=Pace(calls_per_second=1))
    world.customer()
    second = world.customer()
    world.lose_telephony()

    world.pass_time(5)
    assert second.is_in(S.QUEUED)
    world.regain_telephony()

    assert second.attempt.dialed_at == START + 5


def test_given_a_rate_that_is_raised_then_the_waiting_are_called_at_the_new_pace() -> None:
    world = Doubled((replace(BILLING, pace=Pace(calls_per_second=0.125)),), crew(5))
    for agent in crew(5):
        world.agent(agent.id).ready()
    customers = [world.customer() for _each in range(4)]
    world.pass_time(1)

    world.configure((replace(BILLING, pace=Pace(calls_per_second=2)),), crew(5))

    assert states(customers) == [S.DIALING, S.DIALING, S.DIALING, S.QUEUED]
    world.pass_time(1)
    assert customers[3].attempt.dialed_at == START + 2


def test_given_a_rate_that_is_lowered_then_the_calls_before_count_for_it() -> None:
    world = Doubled((replace(BILLING, pace=Pace(calls_per_second=2)),), crew(5))
    for agent in crew(5):
        world.agent(agent.id).ready()
    customers = [world.customer() for _each in range(3)]

    world.configure((replace(BILLING, pace=Pace(calls_per_second=0.125)),), crew(5))
    world.pass_time(7.75)
    assert states(customers) == [S.DIALING, S.DIALING, S.QUEUED]
    world.pass_time(0.25)

    assert customers[2].attempt.dialed_at == START + 8


def test_given_limits_that_are_taken_away_then_everybody_is_called_at_once_and_nothing_is_timed() -> None:
    limited: Service = replace(BILLING, pace=Pace(1, 0.125))
    world = Doubled((limited,), crew(5))
    for agent in crew(5):
        world.agent(agent.id).ready()
    customers = [world.customer() for _each in range(4)]

    world.configure((BILLING,), crew(5))

    assert states(customers) == [S.DIALING] * 4
    assert pace_timers(world) == {}


def test_given_fewer_dials_at_once_than_are_under_way_then_the_next_begins_when_there_is_room() -> None:
    world = Doubled((replace(BILLING, pace=Pace(3)),), crew(5))
    for agent in crew(5):
        world.agent(agent.id).ready()
    customers = [world.customer() for _each in range(4)]

    world.configure((replace(BILLING, pace=Pace(1)),), crew(5))

    for customer in customers[:2]:
        customer.hangs_up(cause=17)
        assert customers[3].is_in(S.QUEUED)
    customers[2].hangs_up(cause=17)
    assert customers[3].state is S.DIALING


def test_given_a_service_id_that_looks_like_the_nodes_timer_then_both_are_told_apart() -> None:
    odd = replace(BILLING, id=ServiceId("node"), pace=Pace(calls_per_second=0.25))
    world = Doubled((odd,), crew(3), node=Pace(calls_per_second=1))
    for agent in crew(3):
        world.agent(agent.id).ready()
    customers = [world.customer("node") for _each in range(2)]
    assert pace_timers(world) == {"node": START + 1, "service/node": START + 4}

    goes_on_until(world, START + 4)

    assert [customer.attempt.dialed_at for customer in customers] == [START, START + 4]


def test_given_dials_that_fail_at_once_then_the_rate_still_holds() -> None:
    world = centre(billing=Pace(calls_per_second=2), agents=1)
    for _each in range(6):
        world.customer()
    for _moment in range(20):
        all_are_busy(world)
        world.pass_time(0.25)

    began = dialled_at(world)
    assert len(began) == len(world.done(DialCustomer)) == 6
    assert all(sum(at <= each < at + 1 for each in began) <= 2 for at in began)
