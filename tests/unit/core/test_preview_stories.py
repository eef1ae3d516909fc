"""Previews: an agent is shown the customer and says yes, no, later, or nothing; nobody is dialled before a yes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.configuration import Agent, Pace, Service, Widening
from engine.core.events import (
    CancelRequested,
    MoveRequested,
    PreviewRescheduled,
    WorkAccepted,
    WorkCompleted,
    WorkRejected,
)
from engine.core.expressions import parse
from engine.core.permission import CallingWindow
from engine.core.records import AgentStatus
from engine.core.terms import AgentId, CallbackState, Outcome, Presence, Reason, Stage, WorkId
from engine.core.values import replace
from tests.unit.core.office import (
    ASKED_FIRST,
    DAY,
    DESK,
    HOURS,
    Doubled,
    accepts,
    at,
    booked,
    code,
    dials,
    goes_on_until,
    pauses,
    puts_off,
    rejects,
    resumes,
    work_of,
)
from tests.unit.core.world import AMY, BEN, BILLING, NO_CAPS, SALES, START, AgentAtDesk, Customer, World

S = CallbackState
PHONE = "+12025550100"
PREVIEW = ASKED_FIRST.preview_seconds
EXCLUDED = ASKED_FIRST.reject_exclusion_seconds
CAT = Agent(AgentId("cat"), "Cat", "PJSIP/agent-1003", {"billing": 1})


def bureau(service: Service = ASKED_FIRST, agents: tuple[Agent, ...] = (AMY, BEN), node: Pace | None = None) -> Doubled:
    return Doubled((service,), agents, node=node or Pace())


def previewed(world: World, agent: str = "amy") -> Customer:
    """A customer whom this agent is asked about, being the only one who is ready."""
    world.agent(agent).ready()
    customer = world.customer()
    assert (customer.state, world.agent(agent).shown) == (S.PREVIEWING, "previewing")
    return customer


def holds(agent: AgentAtDesk) -> list[tuple[str, Stage]]:
    return [(work.id, work.stage) for work in agent.status.works]


# ---- offered -------------------------------------------------------------------------------------------


def test_given_a_free_agent_when_somebody_asks_then_the_agent_is_asked_and_nobody_is_dialled() -> None:
    world = bureau()

    customer = previewed(world)

    assert customer.trail == [S.QUEUED, S.RESERVED, S.PREVIEWING]
    assert holds(world.agent()) == [(f"{customer.id}-1", Stage.OFFERED)]
    assert (customer.attempts, customer.callback.attempts_started) == ([], 0)
    assert world.journal.timers[customer.id, "preview"].due_at == START + PREVIEW
    assert dials(world) == []


def test_given_a_preview_when_the_agent_accepts_then_the_customer_is_dialled_at_once_for_them() -> None:
    world = bureau()
    customer = previewed(world)

    reply = accepts(world.agent(), customer).reply

    assert isinstance(reply, AgentStatus)
    assert reply.shown == "reserved"
    assert customer.trail[2:] == [S.PREVIEWING, S.RESERVED, S.DIALING]
    assert (customer.attempt.id, customer.attempt.agent, customer.attempt.dialed_at) == (
        f"{customer.id}-1",
        "amy",
        START,
    )
    assert (customer.id, "preview") not in world.journal.timers
    customer.confirms()
    world.agent().answers()
    assert customer.state is S.CONNECTED


def test_given_an_accepted_preview_when_the_attempt_fails_then_the_next_one_is_previewed_again() -> None:
    world = bureau()
    customer = previewed(world)
    accepts(world.agent(), customer)
    customer.hangs_up(cause=17)
    assert world.agent().shown == "ready"

    world.pass_time(customer.waits_until)

    assert (customer.state, customer.outcomes) == (S.PREVIEWING, (Outcome.BUSY,))
    accepts(world.agent(), customer)
    assert customer.attempt.n == 2


def test_given_two_free_agents_and_two_customers_then_each_agent_is_asked_about_another_one() -> None:
    world = bureau()
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()

    assert (first.state, second.state) == (S.PREVIEWING, S.PREVIEWING)
    accepts(world.agent("ben"), second)
    accepts(world.agent("amy"), first)

    assert [each.attempt.agent for each in (first, second)] == ["amy", "ben"]


# ---- answers that do not count -------------------------------------------------------------------------


def test_given_an_accepted_preview_when_it_is_accepted_again_then_it_is_refused_and_nobody_is_dialled_twice() -> None:
    world = bureau()
    customer = previewed(world)
    work = work_of(world.agent(), customer)
    world.tell(WorkAccepted(world.agent().id, work))

    decision = world.tell(WorkAccepted(world.agent().id, work))

    assert code(decision.reply) == "wrong-state"
    assert len(dials(world)) == 1
    assert code(world.tell(WorkRejected(world.agent().id, work)).reply) == "wrong-state"
    assert customer.state is S.DIALING


def test_given_a_preview_when_another_agent_answers_for_it_then_it_is_refused() -> None:
    world = bureau()
    customer = previewed(world)
    world.agent("ben").ready()
    before = world.journal.snapshot()

    for answer in (accepts, rejects):
        assert code(answer(world.agent("ben"), customer).reply) == "wrong-state"
    assert code(puts_off(world.agent("ben"), customer, START + 60).reply) == "wrong-state"

    assert world.journal.snapshot() == before


def test_given_a_preview_that_went_to_somebody_else_when_the_first_agent_accepts_late_then_it_is_refused() -> None:
    world = bureau()
    customer = previewed(world)
    world.pass_time(1)
    world.agent("ben").ready()
    world.pass_time(PREVIEW - 1)
    assert holds(world.agent("ben")) == [(f"{customer.id}-1", Stage.OFFERED)]

    assert code(accepts(world.agent("amy"), customer).reply) == "wrong-state"
    assert dials(world) == []
    accepts(world.agent("ben"), customer)

    assert customer.attempt.agent == "ben"


def test_given_nobody_and_nothing_when_they_answer_then_it_is_refused() -> None:
    world = bureau()

    assert code(world.tell(WorkAccepted(AgentId("nobody"), WorkId("nothing"))).reply) == "wrong-state"
    assert code(world.tell(WorkRejected(world.agent().id, WorkId("nothing"))).reply) == "wrong-state"
    assert code(world.tell(WorkCompleted(world.agent().id, WorkId("nothing"), None, BILLING.id, None)).reply) == (
        "wrong-state"
    )


def test_given_a_preview_when_the_customer_cancels_or_moves_then_it_is_as_if_they_were_being_called() -> None:
    world = bureau()
    customer = previewed(world)

    assert code(customer.cancels().reply) == "call-in-progress"
    assert code(world.tell(CancelRequested(customer.id, Reason.BY_ADMIN)).reply) == "call-in-progress"
    assert code(world.tell(MoveRequested(customer.id, now=True)).reply) == "call-in-progress"
    assert customer.state is S.PREVIEWING


# ---- no ------------------------------------------------------------------------------------------------


def test_given_an_agent_who_says_no_then_another_one_is_asked_and_the_first_is_free_for_others() -> None:
    world = bureau()
    customer = previewed(world)
    world.pass_time(1)
    world.agent("ben").ready()

    reply = rejects(world.agent("amy"), customer).reply

    assert isinstance(reply, AgentStatus)
    assert (reply.id, reply.shown) == ("amy", "ready")
    assert customer.callback.excluded == ("amy",)
    assert holds(world.agent("ben")) == [(f"{customer.id}-1", Stage.OFFERED)]
    other = world.customer()
    assert holds(world.agent("amy")) == [(f"{other.id}-1", Stage.OFFERED)]


def test_given_an_agent_who_says_no_when_nobody_else_is_there_then_they_are_asked_again_after_the_exclusion() -> None:
    world = bureau()
    customer = previewed(world)
    second = world.customer()
    rejects(world.agent(), customer)
    assert (customer.state, second.state) == (S.QUEUED, S.PREVIEWING), "the place is kept, and others are served"
    assert world.dispatcher.line.position(customer.id) == 1
    rejects(world.agent(), second)

    world.pass_time(EXCLUDED - 0.25)
    assert customer.is_in(S.QUEUED)
    world.pass_time(0.25)

    assert (customer.state, second.state) == (S.PREVIEWING, S.QUEUED)
    assert customer.callback.excluded == ()
    assert customer.callback.joined_at == START


def test_given_an_agent_who_says_no_when_the_customer_confirms_then_they_are_not_given_the_call_either() -> None:
    world = bureau()
    customer = previewed(world)
    rejects(world.agent("amy"), customer)
    world.agent("ben").ready()
    accepts(world.agent("ben"), customer)
    customer.confirms()
    world.agent("ben").rejects()
    assert world.agent("amy").times_rung == 0

    world.pass_time(20)
    assert world.agent("amy").shown == "ready"


def test_given_all_agents_said_no_when_the_exclusions_end_then_each_ends_at_its_own_time() -> None:
    world = bureau()
    customer = previewed(world)
    world.agent("ben").ready()
    rejects(world.agent("amy"), customer)
    world.pass_time(10)
    rejects(world.agent("ben"), customer)
    assert list(customer.callback.excluded) == ["amy", "ben"]

    world.pass_time(EXCLUDED - 10)

    assert list(customer.callback.excluded) == ["ben"]
    assert holds(world.agent("amy")) == [(f"{customer.id}-1", Stage.OFFERED)]


def test_given_an_exclusion_when_the_callback_ends_then_nothing_is_timed_any_more() -> None:
    world = bureau()
    customer = previewed(world)
    rejects(world.agent(), customer)

    customer.cancels()

    assert world.journal.timers == {}


# ---- no answer -----------------------------------------------------------------------------------------


def test_given_an_agent_who_does_not_answer_then_they_are_not_ready_and_another_one_is_asked() -> None:
    world = bureau()
    customer = previewed(world)
    world.pass_time(1)
    world.agent("ben").ready()

    world.pass_time(PREVIEW - 1.25)
    assert world.agent("amy").shown == "previewing"
    world.pass_time(0.25)

    assert (world.agent("amy").shown, world.agent("amy").status.reason) == ("not_ready", "rona")
    assert holds(world.agent("ben")) == [(f"{customer.id}-1", Stage.OFFERED)]
    assert customer.callback.excluded == (), "who was away may be asked again when they are back"
    assert world.journal.causes(customer.id).count("preview_missed") == 1


def test_given_an_agent_who_does_not_answer_when_they_return_by_themselves_then_they_are_asked_again() -> None:
    world = bureau(replace(ASKED_FIRST, rona_return_seconds=45))
    customer = previewed(world)
    world.pass_time(PREVIEW)
    assert (customer.state, world.agent().shown) == (S.QUEUED, "not_ready")

    world.pass_time(45)

    assert (customer.state, world.agent().shown) == (S.PREVIEWING, "previewing")
    assert ("amy", "rona_return") not in world.journal.timers


def test_given_a_preview_that_nobody_answers_when_no_agent_is_left_then_the_place_is_kept() -> None:
    world = bureau()
    customer = previewed(world)
    later = world.customer()

    world.pass_time(PREVIEW)

    assert [world.dispatcher.line.position(each.id) for each in (customer, later)] == [1, 2]


# ---- the agent leaves ----------------------------------------------------------------------------------


def goes_to_lunch(world: World) -> None:
    world.agent("amy").leaves()


def logs_out(world: World) -> None:
    world.agent("amy").becomes(Presence.LOGGED_OUT)


def is_removed(world: World) -> None:
    world.configure((ASKED_FIRST,), (BEN,))


LEAVES = [goes_to_lunch, logs_out, is_removed]


@pytest.mark.parametrize("leaves", LEAVES)
@pytest.mark.parametrize("agreed", [False, True])
def test_given_an_agent_who_leaves_then_the_callback_goes_to_the_next_one_and_nobody_is_dialled(
    leaves: Callable[[World], None],
    agreed: bool,  # noqa: FBT001 - whether they had said yes and waited for a line
) -> None:
    world = bureau(node=Pace(calls_per_second=0.05))
    customer = previewed(world, "amy")
    already = 0
    if agreed:
        other = previewed(world, "ben")
        accepts(world.agent("ben"), other)
        already = 1
        accepts(world.agent("amy"), customer)
        assert (customer.state, world.agent("amy").shown) == (S.PREVIEWING, "reserved")

    leaves(world)

    assert customer.is_in(S.QUEUED)
    assert world.agent("amy").status.works == ()
    assert (customer.id, "preview") not in world.journal.timers
    assert len(dials(world)) == already
    assert world.agent("amy").status.reason != "rona"
    if not agreed:
        world.agent("ben").ready()
        assert holds(world.agent("ben")) == [(f"{customer.id}-1", Stage.OFFERED)]


def test_given_an_agent_who_says_ready_again_during_a_preview_then_nothing_changes() -> None:
    world = bureau()
    customer = previewed(world)

    world.agent().ready()

    assert (customer.state, world.agent().shown) == (S.PREVIEWING, "previewing")


# ---- later ---------------------------------------------------------------------------------------------


def test_given_a_preview_when_the_agent_puts_it_off_then_it_is_called_at_that_time_after_a_new_preview() -> None:
    world = bureau()
    customer = previewed(world)
    second = world.customer()
    when = START + 3000

    reply = puts_off(world.agent(), customer, when).reply

    assert isinstance(reply, AgentStatus)
    assert (customer.state, customer.callback.scheduled_for, customer.callback.joined_at) == (S.SCHEDULED, when, when)
    assert second.state is S.PREVIEWING, "the agent is free at once"
    timers = {name: timer.due_at for (owner, name), timer in world.journal.timers.items() if owner == customer.id}
    assert timers == {"slot": when, "life": when + ASKED_FIRST.life_seconds}
    rejects(world.agent(), second)
    second.cancels()
    goes_on_until(world, when - 1)
    assert customer.is_in(S.SCHEDULED)
    world.pass_time(1)
    assert customer.is_in(S.PREVIEWING)
    accepts(world.agent(), customer)
    assert customer.attempt.dialed_at == when


def test_given_a_booking_when_the_agent_puts_it_off_then_its_place_is_free_and_its_expansion_begins_anew() -> None:
    service = replace(
        ASKED_FIRST,
        calendar=DESK.calendar,
        slots=DESK.slots,
        expansion=(Widening(10, parse("billing or sales")), Widening(600, parse("sales"))),
    )
    world = Doubled((service,), (AMY,), None, (HOURS,))
    world.agent().ready()
    customer = booked(world, at("09:00"), "billing")
    goes_on_until(world, at("09:00") + 12)
    assert (customer.state, customer.callback.widened) == (S.PREVIEWING, 1)

    puts_off(world.agent(), customer, at("09:45"))

    assert (customer.callback.booked, customer.callback.widened) == (False, 0)
    assert world.dispatcher.slots.booked(service.id, at("09:00")) == ()
    goes_on_until(world, at("09:45") - 1)
    assert customer.callback.widened == 0
    goes_on_until(world, at("09:45") + 10)
    assert customer.callback.widened == 1


def test_given_the_head_of_the_line_when_the_agent_puts_it_off_then_it_is_no_head_any_more() -> None:
    world = bureau()
    customer = previewed(world)
    accepts(world.agent(), customer)
    customer.confirms()
    customer.hangs_up()
    world.pass_time(customer.waits_until)
    assert (customer.state, customer.callback.at_head) == (S.PREVIEWING, True)

    puts_off(world.agent(), customer, world.now + 60)

    assert customer.callback.at_head is False


@pytest.mark.parametrize(
    ("when", "said"), [(START, "in-the-past"), (START + 400 * DAY, "too-far-ahead"), (START - 1, "in-the-past")]
)
def test_given_a_time_that_cannot_be_when_the_agent_puts_it_off_then_the_preview_stays(when: float, said: str) -> None:
    world = bureau()
    customer = previewed(world)

    assert code(puts_off(world.agent(), customer, when).reply) == said

    assert (customer.state, world.agent().shown) == (S.PREVIEWING, "previewing")
    accepts(world.agent(), customer)
    assert customer.state is S.DIALING


def test_given_an_accepted_preview_when_the_agent_puts_it_off_then_it_is_refused() -> None:
    world = bureau()
    customer = previewed(world)
    work = work_of(world.agent(), customer)
    accepts(world.agent(), customer)

    assert code(world.tell(PreviewRescheduled(world.agent().id, work, START + 60)).reply) == "wrong-state"
    assert customer.state is S.DIALING


# ---- a yes that cannot be followed at once -------------------------------------------------------------


def test_given_a_yes_when_all_lines_are_taken_then_the_customer_is_dialled_once_and_as_soon_as_one_is_free() -> None:
    world = bureau(replace(ASKED_FIRST, pace=Pace(max_dials=1)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)

    reply = accepts(world.agent("ben"), second).reply

    assert isinstance(reply, AgentStatus)
    assert (reply.shown, second.state) == ("reserved", S.PREVIEWING)
    assert (second.id, "preview") not in world.journal.timers, "a yes is no longer waited for"
    world.pass_time(12.5)
    assert len(dials(world)) == 1
    first.answers()
    assert second.attempt.dialed_at == world.now
    world.pass_time(60)
    assert len(dials(world)) == 2


def test_given_a_yes_when_the_rate_is_reached_then_the_customer_is_dialled_at_the_exact_moment() -> None:
    world = bureau(replace(ASKED_FIRST, pace=Pace(calls_per_second=0.125)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    world.pass_time(1)
    accepts(world.agent("ben"), second)

    world.pass_time(6.75)
    assert second.is_in(S.PREVIEWING)
    world.pass_time(0.25)

    assert second.attempt.dialed_at == START + 8


def test_given_several_who_were_agreed_to_when_lines_come_free_then_the_line_decides_and_not_whose_yes_came_first() -> (
    None
):
    world = bureau(replace(ASKED_FIRST, pace=Pace(max_dials=1)), (AMY, BEN, CAT))
    for agent in ("amy", "cat", "ben"):
        world.agent(agent).ready()
        world.pass_time(1)
    customers = [world.customer() for _each in range(3)]
    accepts(world.agent("amy"), customers[0])
    accepts(world.agent("ben"), customers[2])
    accepts(world.agent("cat"), customers[1])
    world.restart()
    world.agent("amy").ready()

    customers[0].hangs_up(cause=1)
    assert [each.state for each in customers[1:]] == [S.DIALING, S.PREVIEWING]
    customers[1].hangs_up(cause=1)

    assert customers[2].state is S.DIALING


def test_given_a_yes_that_waits_when_another_service_could_call_too_then_the_agent_who_waits_comes_first() -> None:
    world = Doubled((ASKED_FIRST, SALES), (AMY, BEN, CAT), node=Pace(max_dials=1))
    world.agent("amy").ready()
    world.agent("cat").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    accepts(world.agent("cat"), second)
    world.agent("ben").ready()
    other = world.customer("sales")

    first.hangs_up(cause=1)

    assert (second.state, other.state) == (S.DIALING, S.QUEUED)


def test_given_a_yes_that_waits_when_the_number_may_not_be_called_any_more_then_the_agent_is_free() -> None:
    window = CallingWindow(0, 22 * 3600 + 13 * 60 + 30)
    world = bureau(replace(ASKED_FIRST, calling_window=window, pace=Pace(calls_per_second=0.05)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    accepts(world.agent("ben"), second)

    world.pass_time(20)

    assert (second.state, world.agent("ben").shown) == (S.QUEUED, "ready")
    assert world.journal.causes(second.id)[-1] == "preview_withdrawn"
    assert len(dials(world)) == 1
    midnight = world.journal.timers[second.id, "permitted"].due_at
    goes_on_until(world, midnight)
    assert second.state is S.PREVIEWING


def test_given_a_preview_when_another_service_calls_the_number_meanwhile_then_a_yes_waits_in_the_line_for_its_end() -> (
    None
):
    world = Doubled((ASKED_FIRST, SALES), (AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer("billing", PHONE)
    world.agent("ben").ready()
    other = world.customer("sales", PHONE)
    assert (customer.is_in(S.PREVIEWING), other.state) == (True, S.DIALING)

    accepts(world.agent("amy"), customer)

    assert (customer.state, world.agent("amy").shown) == (S.QUEUED, "ready")
    assert len(dials(world)) == 1
    other.hangs_up(cause=1)
    assert customer.state is S.PREVIEWING


def test_given_a_preview_when_its_number_was_just_called_then_a_yes_waits_in_the_line_for_the_gap() -> None:
    world = Doubled((ASKED_FIRST, SALES), (AMY, BEN), replace(NO_CAPS, min_gap_seconds=60))
    world.agent("amy").ready()
    customer = world.customer("billing", PHONE)
    world.agent("ben").ready()
    world.customer("sales", PHONE).hangs_up(cause=1)

    accepts(world.agent("amy"), customer)

    assert customer.is_in(S.QUEUED)
    world.pass_time(60)
    assert customer.state is S.PREVIEWING


# ---- life, pause, stop, lost telephony -----------------------------------------------------------------


@pytest.mark.parametrize("agreed", [False, True])
def test_given_a_preview_when_the_callbacks_life_ends_then_it_expires_and_the_agent_is_free(
    agreed: bool,  # noqa: FBT001 - whether the agent had said yes and waited for a line
) -> None:
    world = bureau(replace(ASKED_FIRST, life_seconds=10, pace=Pace(max_dials=1)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, customer = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    if agreed:
        accepts(world.agent("ben"), customer)

    world.pass_time(9.75)
    assert customer.is_in(S.PREVIEWING)
    world.pass_time(0.25)

    assert (customer.state, customer.reason, customer.callback.ended_at) == (S.EXPIRED, Reason.LIFETIME, START + 10)
    assert (world.agent("ben").shown, world.agent("ben").status.works) == ("ready", ())
    assert first.state is S.DIALING, "a call that is up goes on"
    assert [owner for owner, _name in world.journal.timers if owner == customer.id] == []


def test_given_a_preview_that_is_missed_when_the_life_ends_at_that_moment_then_it_expires() -> None:
    world = bureau(replace(ASKED_FIRST, life_seconds=PREVIEW))
    customer = previewed(world)

    world.pass_time(PREVIEW)

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.LIFETIME)


@pytest.mark.parametrize("agreed", [False, True])
def test_given_a_preview_when_the_service_is_paused_then_nobody_is_asked_and_nobody_is_called_until_it_goes_on(
    agreed: bool,  # noqa: FBT001 - whether the agent had said yes and waited for a line
) -> None:
    world = bureau(replace(ASKED_FIRST, pace=Pace(max_dials=1)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, customer = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    if agreed:
        accepts(world.agent("ben"), customer)
    work = work_of(world.agent("ben"), customer)

    pauses(world)

    assert (customer.state, world.agent("ben").shown) == (S.QUEUED, "ready")
    assert code(world.tell(WorkAccepted(AgentId("ben"), work)).reply) == "wrong-state"
    first.hangs_up(cause=1)
    assert customer.is_in(S.QUEUED)
    resumes(world)
    assert (customer.state, len(dials(world))) == (S.PREVIEWING, 1)


def test_given_lost_telephony_when_the_agent_accepts_then_they_are_told_to_try_again_and_may() -> None:
    world = bureau()
    customer = previewed(world)
    world.lose_telephony()

    assert code(accepts(world.agent(), customer).reply) == "not-ready"
    assert customer.is_in(S.PREVIEWING)
    world.regain_telephony()

    accepts(world.agent(), customer)
    assert customer.state is S.DIALING


def test_given_lost_telephony_when_the_preview_times_out_then_it_is_no_fault_of_the_agents() -> None:
    world = bureau()
    customer = previewed(world)
    world.lose_telephony()

    world.pass_time(PREVIEW)

    assert (customer.state, world.agent().shown) == (S.QUEUED, "ready")
    world.regain_telephony()
    assert customer.state is S.PREVIEWING


def test_given_lost_telephony_when_a_preview_times_out_soon_after_then_it_is_no_fault_of_the_agents() -> None:
    world = bureau()
    customer = previewed(world)
    world.lose_telephony()
    world.pass_time(ASKED_FIRST.preview_seconds - 1)
    world.regain_telephony()

    world.pass_time(1)

    assert (world.agent().status.presence, customer.state) == (Presence.READY, S.PREVIEWING), "they are asked anew"


def test_given_lost_telephony_when_a_yes_waits_for_a_line_then_it_is_dialled_once_all_can_be_heard() -> None:
    world = bureau(replace(ASKED_FIRST, pace=Pace(calls_per_second=0.125)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    accepts(world.agent("ben"), second)
    world.lose_telephony()

    world.pass_time(30)
    assert len(dials(world)) == 1
    world.regain_telephony()

    assert len(dials(world)) == 2


def test_given_a_preview_when_the_engine_stops_then_a_yes_is_refused_and_the_time_out_blames_nobody() -> None:
    world = bureau()
    customer = previewed(world)
    world.stop()

    assert code(accepts(world.agent(), customer).reply) == "not-ready"
    world.pass_time(PREVIEW)

    assert (customer.state, world.agent().shown) == (S.QUEUED, "ready")
    assert dials(world) == []


# ---- starting again ------------------------------------------------------------------------------------


def test_given_a_preview_when_the_engine_starts_again_then_the_agent_is_still_asked_and_may_answer() -> None:
    world = bureau()
    customer = previewed(world)
    world.pass_time(5)

    world.restart()
    world.pass_time(PREVIEW - 6)
    assert (customer.state, world.agent().shown) == (S.PREVIEWING, "previewing")
    accepts(world.agent(), customer)

    assert customer.state is S.DIALING


def test_given_a_preview_that_timed_out_while_the_engine_was_away_then_it_blames_nobody() -> None:
    world = bureau()
    customer = previewed(world)
    world.restart()
    world.lose_telephony()
    world.now += 1000

    world.pass_time(0)
    world.regain_telephony()

    assert world.agent().status.reason != "rona"
    assert customer.state is S.PREVIEWING


def test_given_a_preview_of_before_the_start_when_its_time_passes_soon_after_then_it_blames_nobody() -> None:
    world = bureau()
    customer = previewed(world)
    world.pass_time(ASKED_FIRST.preview_seconds - 1)
    world.restart()

    world.pass_time(1)

    assert (world.agent().status.presence, customer.state) == (Presence.READY, S.PREVIEWING), "they are asked anew"
    world.pass_time(ASKED_FIRST.preview_seconds)
    assert world.agent().status.reason == "rona", "now they had all the time"
    assert customer.state is S.QUEUED


def test_given_a_yes_that_waits_for_a_line_when_the_engine_starts_again_then_it_is_dialled_once() -> None:
    world = bureau(replace(ASKED_FIRST, pace=Pace(max_dials=1)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    accepts(world.agent("ben"), second)

    world.restart()
    world.pass_time(1)
    assert len(dials(world)) == 1, "the line is taken also after a start"
    first.hangs_up(cause=17)

    assert second.attempt.agent == "ben"
    assert len(dials(world)) == 2


def test_given_a_yes_that_waits_when_the_engine_starts_again_and_the_agent_leaves_then_the_callback_is_not_lost() -> (
    None
):
    world = bureau(replace(ASKED_FIRST, pace=Pace(max_dials=1)))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    accepts(world.agent("amy"), first)
    accepts(world.agent("ben"), second)
    world.restart()

    world.agent("ben").leaves()

    assert second.is_in(S.QUEUED)
    first.hangs_up(cause=17)
    assert second.state is S.PREVIEWING


def test_given_an_exclusion_when_the_engine_starts_again_then_it_ends_at_the_same_time() -> None:
    world = bureau()
    customer = previewed(world)
    rejects(world.agent(), customer)
    world.restart()

    world.pass_time(EXCLUDED - 1)
    assert customer.is_in(S.QUEUED)
    world.pass_time(1)

    assert customer.state is S.PREVIEWING


def test_given_the_commit_of_a_yes_that_fails_then_it_was_never_said() -> None:
    world = bureau()
    customer = previewed(world)

    world.fail_to_commit(WorkAccepted(world.agent().id, work_of(world.agent(), customer)))

    assert (customer.state, dials(world)) == (S.PREVIEWING, [])
    accepts(world.agent(), customer)
    assert len(dials(world)) == 1
