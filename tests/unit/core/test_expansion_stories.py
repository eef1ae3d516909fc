"""Who may serve a customer: the requirement that widens with time, subjects, staff's own wish, levels and capacity."""

from __future__ import annotations

import pytest

from engine.core.configuration import Agent, Widening
from engine.core.decision import Accepted
from engine.core.expressions import Expression, parse
from engine.core.terms import AgentId, AgentOrder, CallbackState
from engine.core.values import replace
from tests.unit.core.office import Doubled, chat
from tests.unit.core.world import AMY, BEN, BILLING, SALES, START, Customer, World

S = CallbackState
STEPS = (Widening(60, parse("billing >= 2")), Widening(150, parse("billing or sales")))
EXPERTS = replace(BILLING, skill=parse("billing >= 5"), expansion=STEPS, subjects={"tax": parse("tax"), "other": None})
PAT = Agent(AgentId("pat"), "Pat", "PJSIP/agent-1004", {"sales": 1})
TINA = Agent(AgentId("tina"), "Tina", "PJSIP/agent-1005", {"billing": 5, "tax": 1})


def asks(world: World, subject: str | None = None, skill: Expression | None = None) -> Customer:
    reply = world.ask("billing", subject=subject, skill=skill)
    assert isinstance(reply, Accepted)
    return Customer(world, reply.callback.id)


def ready(*agents: Agent) -> Doubled:
    world = Doubled((EXPERTS,), agents)
    for agent in agents:
        world.agent(agent.id).ready()
    return world


def served_after(customer: Customer) -> float:
    """Seconds from asking to the first dial."""
    dialed_at = customer.attempts[0].dialed_at
    assert dialed_at is not None
    return dialed_at - customer.callback.joined_at


def widens_at(customer: Customer) -> float | None:
    timer = customer.world.journal.timers.get((customer.id, "widen"))
    return None if timer is None else timer.due_at


# ---- steps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("agent", "seconds"), [(AMY, 0), (BEN, 60), (PAT, 150)])
def test_given_a_requirement_that_widens_then_each_agent_may_serve_from_their_step_on(
    agent: Agent, seconds: float
) -> None:
    world = ready(agent)
    customer = asks(world)

    world.pass_time(max(0.0, seconds - 0.25))
    assert customer.is_in(S.QUEUED) == (seconds > 0)
    world.pass_time(0.25)

    assert (customer.state, served_after(customer)) == (S.DIALING, seconds)


def test_given_a_requirement_that_widens_then_the_place_in_the_line_stays() -> None:
    world = ready()
    first = asks(world)
    world.pass_time(59)
    second = asks(world)

    world.pass_time(100)

    assert (first.callback.widened, second.callback.widened) == (2, 1)
    assert [world.dispatcher.line.position(each.id) for each in (first, second)] == [1, 2]
    assert (widens_at(first), widens_at(second)) == (None, START + 59 + 150)


def test_given_an_agent_for_everybody_then_the_first_in_line_comes_first_whatever_they_need() -> None:
    world = Doubled((EXPERTS,), (AMY,))
    first = asks(world)
    world.pass_time(70)
    second = asks(world)

    world.agent("amy").ready()

    assert (first.state, second.state) == (S.DIALING, S.QUEUED)


def test_given_a_step_that_counts_when_the_attempt_fails_then_the_next_one_is_as_wide_as_the_wait_is_long() -> None:
    world = ready(AMY)
    customer = asks(world)
    customer.hangs_up(cause=17)
    world.agent("amy").leaves()

    world.pass_time(100)
    assert (customer.state, customer.callback.widened) == (S.RETRY_WAIT, 1)
    world.pass_time(500)
    assert (customer.state, customer.callback.widened, widens_at(customer)) == (S.QUEUED, 2, None)


def test_given_a_customer_on_the_phone_without_an_agent_when_it_widens_then_the_wider_agent_is_rung() -> None:
    world = Doubled((replace(EXPERTS, expansion=(Widening(30, parse("billing")),)),), (AMY, BEN))
    world.agent("amy").ready()
    customer = asks(world)
    customer.confirms()
    world.agent("amy").rejects()
    world.agent("ben").ready()
    assert world.agent("ben").times_rung == 0

    world.pass_time(30)

    assert world.agent("ben").shown == "ringing"
    world.agent("ben").answers()
    assert customer.state is S.CONNECTED


def test_given_a_step_that_falls_into_a_ring_when_the_agent_misses_it_then_the_wider_requirement_counts() -> None:
    world = Doubled((replace(EXPERTS, expansion=(Widening(5, parse("billing")),)),), (AMY, BEN))
    world.agent("amy").ready()
    customer = asks(world)
    customer.confirms()
    world.agent("ben").ready()
    world.pass_time(6)
    assert customer.callback.widened == 1

    world.agent("amy").rejects()

    assert world.agent("ben").shown == "ringing"


def test_given_a_callback_that_ends_then_no_step_is_timed_any_more() -> None:
    world = ready()
    asks(world).cancels()

    assert world.journal.timers == {}


def test_given_steps_that_passed_while_the_engine_was_away_then_all_of_them_count_when_it_is_back() -> None:
    world = Doubled((EXPERTS,), (PAT,))
    world.agent("pat").ready()
    customer = asks(world)
    world.restart()
    world.now += 1000

    world.pass_time(0)

    assert (customer.callback.widened, customer.state) == (2, S.DIALING)


def test_given_two_steps_at_one_time_then_both_count_at_once() -> None:
    steps = (Widening(30, parse("billing >= 2")), Widening(30, parse("sales")))
    world = Doubled((replace(EXPERTS, expansion=steps),), (PAT,))
    world.agent("pat").ready()
    customer = asks(world)

    world.pass_time(30)

    assert (customer.state, served_after(customer)) == (S.DIALING, 30)


def test_given_a_step_at_once_then_it_counts_from_the_first_moment_on() -> None:
    world = Doubled((replace(EXPERTS, expansion=(Widening(0, parse("sales")),)),), (PAT,))
    world.agent("pat").ready()
    customer = asks(world)

    world.pass_time(0)

    assert customer.state is S.DIALING


# ---- subjects and staff's wish -------------------------------------------------------------------------


def test_given_a_subject_with_an_expression_of_its_own_then_it_counts_besides_the_services_until_it_widens() -> None:
    world = ready(AMY, TINA)
    about_tax, other = asks(world, "tax"), asks(world, "other")
    assert (about_tax.attempt.agent, other.attempt.agent) == ("tina", "amy")
    about_tax.confirms()
    world.agent("tina").answers()

    waiting = asks(world, "tax")
    other.hangs_up(cause=1)
    assert waiting.is_in(S.QUEUED), "amy knows nothing of taxes"
    world.pass_time(60)

    assert waiting.attempt.agent == "amy"


def test_given_a_target_that_staff_narrowed_then_it_stays_narrow_whatever_widens() -> None:
    world = ready(AMY, BEN, PAT)
    customer = asks(world, skill=parse("tax"))

    world.pass_time(1000)
    assert (customer.state, customer.callback.widened) == (S.QUEUED, 2)
    world.configure((EXPERTS,), (AMY, BEN, PAT, TINA))
    world.agent("tina").ready()

    assert customer.attempt.agent == "tina"


def test_given_a_narrowed_target_when_the_engine_starts_again_then_it_is_still_narrow() -> None:
    world = ready(AMY)
    customer = asks(world, skill=parse("tax"))

    world.restart()
    world.agent("amy").ready()
    world.pass_time(10)

    assert customer.state is S.QUEUED


# ---- other steps ---------------------------------------------------------------------------------------


def test_given_steps_that_are_taken_away_then_the_requirement_is_narrow_again_and_nothing_is_timed() -> None:
    world = Doubled((EXPERTS,), (BEN,))
    customer = asks(world)
    world.pass_time(70)
    assert customer.callback.widened == 1

    world.configure((replace(EXPERTS, expansion=()),), (BEN,))
    world.agent("ben").ready()

    assert (customer.state, customer.callback.widened, widens_at(customer)) == (S.QUEUED, 0, None)


def test_given_steps_that_come_earlier_then_those_that_would_have_counted_by_now_do_at_once() -> None:
    world = Doubled((EXPERTS,), (PAT,))
    world.agent("pat").ready()
    customer = asks(world)
    world.pass_time(30)

    world.configure((replace(EXPERTS, expansion=(Widening(10, parse("tax")), Widening(20, parse("sales")))),), (PAT,))

    assert (customer.state, customer.callback.widened) == (S.DIALING, 2)


def test_given_steps_that_come_later_then_what_counted_already_counts_again_at_its_new_time() -> None:
    world = Doubled((EXPERTS,), (BEN,))
    customer = asks(world)
    world.pass_time(70)
    world.configure((replace(EXPERTS, expansion=(Widening(100, parse("billing >= 2")),)),), (BEN,))
    world.agent("ben").ready()
    assert (customer.state, customer.callback.widened, widens_at(customer)) == (S.QUEUED, 0, START + 100)

    world.pass_time(30)

    assert served_after(customer) == 100


def test_given_steps_where_there_were_none_then_the_waiting_are_timed_from_when_they_joined() -> None:
    world = Doubled((replace(EXPERTS, expansion=()),), (BEN,))
    world.agent("ben").ready()
    customer = asks(world)
    world.pass_time(50)
    assert widens_at(customer) is None

    world.configure((EXPERTS,), (BEN,))
    assert widens_at(customer) == START + 60
    world.pass_time(10)

    assert customer.state is S.DIALING


# ---- who of several ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "agent"), [(AgentOrder.LONGEST_IDLE, "ben"), (AgentOrder.BEST_LEVEL, "amy")])
def test_given_two_free_agents_then_the_order_of_the_service_decides_who_is_taken(
    order: AgentOrder, agent: str
) -> None:
    world = Doubled((replace(BILLING, agent_order=order),), (AMY, BEN))
    world.agent("ben").ready()
    world.pass_time(10)
    world.agent("amy").ready()

    assert world.customer().attempt.agent == agent


def test_given_equal_levels_then_the_longest_idle_is_taken_and_the_ring_goes_to_the_next_best() -> None:
    eve = Agent(AgentId("eve"), "Eve", "PJSIP/agent-1003", {"billing": 5})
    world = Doubled((replace(BILLING, agent_order=AgentOrder.BEST_LEVEL),), (AMY, BEN, eve))
    for agent in ("ben", "eve", "amy"):
        world.agent(agent).ready()
        world.pass_time(1)
    customer = world.customer()
    assert customer.attempt.agent == "eve"
    customer.confirms()

    world.agent("eve").rejects()
    assert world.agent("amy").shown == "ringing"
    world.agent("amy").rejects()

    assert world.agent("ben").shown == "ringing"


# ---- how much at once ----------------------------------------------------------------------------------


def test_given_a_capacity_for_one_call_and_two_chats_then_the_agent_takes_as_much_and_never_two_calls() -> None:
    many = replace(AMY, capacity=parse("voice <= 2 and chat <= 2"))
    world = Doubled((BILLING,), (many,))
    world.agent().ready()
    chats = [chat(world, f"chat-{n}") for n in range(3)]
    first, second = world.customer(), world.customer()

    assert [each.shown[0] for each in chats] == ["offered", "offered", "queued"]
    assert (first.state, second.state) == (S.DIALING, S.QUEUED)
    chats[0].ends_outside(completed=True)
    assert chats[2].shown[0] == "offered"
    first.hangs_up(cause=17)
    assert second.state is S.DIALING


def test_given_a_capacity_that_is_made_smaller_then_what_is_held_stays_and_nothing_is_added() -> None:
    world = Doubled((BILLING,), (replace(AMY, capacity=parse("chat <= 3")),))
    world.agent().ready()
    chats = [chat(world, f"chat-{n}") for n in range(2)]
    for each in chats:
        each.is_accepted()

    world.configure((BILLING,), (replace(AMY, capacity=parse("chat <= 1")),))
    third = chat(world, "chat-3")

    assert [each.shown[0] for each in chats] == ["active", "active"]
    assert third.shown[0] == "queued"
    chats[0].is_done()
    assert third.shown[0] == "queued"
    chats[1].is_done()
    assert third.shown[0] == "offered"


def test_given_a_capacity_that_is_made_larger_then_more_is_offered_at_once() -> None:
    world = Doubled((BILLING, SALES), (AMY,))
    world.agent().ready()
    chat(world, "chat-1").is_accepted()
    second = chat(world, "chat-2")

    world.configure((BILLING, SALES), (replace(AMY, capacity=parse("chat <= 2 and voice <= 1")),))

    assert second.shown[0] == "offered"


def test_given_a_capacity_without_calls_then_no_customer_is_ever_called_for_this_agent() -> None:
    world = Doubled((BILLING,), (replace(AMY, capacity=parse("chat <= 5 and voice == 0")),))
    world.agent().ready()
    customer = world.customer()

    assert customer.state is S.QUEUED
    assert chat(world).shown[0] == "offered"
