"""Callers who had asked to be called back: nobody loses by ringing in, and nobody is called who has talked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import Phase
from engine.core.configuration import AttemptPolicy, Limits, Service
from engine.core.effects import Connect, DialCustomer, RingAgent
from engine.core.events import CallbackRequested, CancelRequested, LegSeen
from engine.core.records import Request
from engine.core.terms import (
    CallbackId,
    CallbackState,
    ConnectMode,
    InboundOutcome,
    PromptId,
    Reason,
    RequestChannel,
    ServiceId,
)
from engine.core.values import replace
from tests.unit.core.callers import ALSO_SALES, AT_THE_DESK, OPEN, SALES_NUMBER, Caller, rings_in
from tests.unit.core.explained import told
from tests.unit.core.office import HOURS, accepts, at, booked, dials, goes_on_until, suppresses
from tests.unit.core.world import AMY, BEN, NO_CAPS, START, Customer, World

OWN = "+12025557001"
PREVIEWED = replace(OPEN, connect=ConnectMode.PREVIEW, preview_seconds=300)
Q, RETRY, SCHEDULED, CANCELLED = (
    CallbackState.QUEUED,
    CallbackState.RETRY_WAIT,
    CallbackState.SCHEDULED,
    CallbackState.CANCELLED,
)


def queued() -> Customer:
    return World((OPEN,)).customer(phone=OWN)


def waits_for_retry() -> Customer:
    customer = queued()
    customer.world.agent().ready()
    customer.hangs_up(cause=17)
    customer.world.agent().leaves()
    return customer


def held_for_the_supervisor() -> Customer:
    service = replace(OPEN, attempts=AttemptPolicy(fault_interval_seconds=1))
    customer = World((service,)).customer(phone=OWN)
    customer.world.agent().ready()
    while customer.state is not RETRY or customer.callback.next_attempt_at is not None:
        if customer.state is CallbackState.DIALING:
            customer.world.recover(customer.attempt.id, LegSeen.GONE)
        customer.world.pass_time(1)
    customer.world.agent().leaves()
    return customer


def scheduled() -> Customer:
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, at("10:00"))
    return booked(world, at("15:00"), phone=OWN)


def previewed() -> Customer:
    world = World((PREVIEWED,))
    world.agent().ready()
    return world.customer(phone=OWN)


WAITING: list[Callable[[], Customer]] = [queued, waits_for_retry, held_for_the_supervisor, scheduled, previewed]


def talks(caller: Caller) -> None:
    """Whoever is free answers the caller."""
    world = caller.world
    if caller.call.agent is None:
        world.agent().ready()
    world.agent().answers()
    assert caller.is_in(Phase.CONNECTED)


def no_one_is_called(world: World) -> bool:
    before = len(world.done(DialCustomer))
    world.pass_time(86400)
    world.agent().ready()
    return len(world.done(DialCustomer)) == before


# ---- they talk, or do not --------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [queued, waits_for_retry, held_for_the_supervisor, scheduled])
def test_given_a_callback_that_waits_then_it_ends_when_they_talk(before: Callable[[], Customer]) -> None:
    customer = before()
    caller = rings_in(customer.world, OWN)
    assert customer.callback.open
    talks(caller)
    assert (customer.state, customer.reason) == (CANCELLED, Reason.CALLED_IN)
    caller.hangs_up()
    assert no_one_is_called(customer.world)


def test_given_a_callback_that_an_agent_previews_then_it_ends_when_they_talk() -> None:
    customer = previewed()
    world = customer.world
    world.configure((PREVIEWED,), (AMY, BEN))
    world.agent("ben").ready()
    world.pass_time(5)
    caller = rings_in(world, OWN)
    assert world.agent("amy").shown == "previewing"
    world.agent("ben").answers()
    assert caller.is_in(Phase.CONNECTED)
    assert (customer.state, customer.reason) == (CANCELLED, Reason.CALLED_IN)
    assert world.agent("amy").shown == "ready"
    assert any("Amy is not asked any more, because the customer called in" in line for line in told(world, customer))
    caller.hangs_up()
    assert no_one_is_called(world)


@pytest.mark.parametrize("before", WAITING)
def test_given_a_caller_who_hangs_up_before_they_talk_then_the_callback_waits_on(
    before: Callable[[], Customer],
) -> None:
    customer = before()
    state, joined_at = customer.state, customer.callback.joined_at
    caller = rings_in(customer.world, OWN)
    customer.world.pass_time(5)
    caller.hangs_up()
    assert customer.is_in(state)
    assert customer.callback.joined_at == joined_at
    assert caller.ends(InboundOutcome.ABANDONED)


def test_given_a_call_that_ends_unobserved_then_the_callback_is_done() -> None:
    customer = queued()
    caller = rings_in(customer.world, OWN)
    customer.world.agent().ready()
    customer.world.results.pop(Connect)
    customer.world.agent().answers()
    assert customer.is_in(Q)
    customer.world.restart()
    assert caller.is_seen(LegSeen.GONE) == "ended unobserved"
    assert (customer.state, customer.reason) == (CANCELLED, Reason.CALLED_IN)


def test_given_an_agent_who_misses_the_caller_then_the_callback_still_waits() -> None:
    customer = queued()
    caller = rings_in(customer.world, OWN)
    customer.world.agent().ready()
    customer.world.agent().picks_up()
    customer.world.agent().hangs_up()
    caller.hangs_up()
    assert customer.state is Q


def test_given_a_request_made_while_they_talk_then_it_stands_when_the_call_is_over() -> None:
    world = World((OPEN,))
    caller = rings_in(world, OWN)
    talks(caller)
    world.pass_time(30)
    later = world.customer(phone=OWN)
    assert later.is_in(Q)
    caller.hangs_up()
    world.pass_time(OPEN.wrap_up_seconds)
    assert later.state is CallbackState.DIALING


def test_given_a_callback_of_another_service_then_it_waits_until_the_call_is_over_and_goes_on() -> None:
    world = World((OPEN, ALSO_SALES), (AMY, BEN))
    other = world.customer("sales", OWN)
    caller = rings_in(world, OWN)
    world.agent("ben").ready()
    assert caller.call.agent == "ben"
    world.agent("ben").answers()
    assert other.is_in(Q)
    caller.hangs_up()
    world.pass_time(OPEN.wrap_up_seconds)
    assert other.state is CallbackState.DIALING


# ---- not called meanwhile ----------------------------------------------------------------------------------


def test_given_a_number_that_is_ringing_in_then_its_callback_is_not_dialled_and_goes_on_afterwards() -> None:
    world = World((OPEN, ALSO_SALES), (AMY, BEN))
    callback = world.customer("sales", OWN)
    caller = rings_in(world, OWN)
    caller.presses("1")
    world.agent("ben").ready()
    assert callback.is_in(Q)
    assert any("on the phone with us" in line for line in told(world, callback))
    caller.hangs_up()
    assert callback.state is CallbackState.DIALING
    assert dials(world) == [OWN]


def test_given_a_callback_whose_turn_comes_meanwhile_then_others_are_called_before() -> None:
    world = World((OPEN,), (AMY, BEN))
    mine = world.customer(phone=OWN)
    other = world.customer()
    caller = rings_in(world, OWN)
    caller.presses("1")
    world.agent("amy").ready()
    assert other.is_in(CallbackState.DIALING)
    caller.presses("*")
    world.agent("ben").ready()
    assert world.done(RingAgent)[-1].attempt == caller.id
    assert mine.state is Q


def test_given_a_retry_that_falls_due_meanwhile_then_it_waits_in_the_line() -> None:
    customer = waits_for_retry()
    caller = rings_in(customer.world, OWN)
    caller.presses("1")
    for _ in range(10):
        customer.world.pass_time(60)
        if caller.is_in(Phase.WAITING):
            caller.presses("1")
    assert customer.is_in(Q)
    assert customer.world.dispatcher.line.is_parked(customer.id)
    caller.hangs_up()
    customer.world.agent().ready()
    assert customer.state is CallbackState.DIALING


def test_given_an_agent_who_agrees_to_a_preview_meanwhile_then_nobody_is_called() -> None:
    customer = previewed()
    caller = rings_in(customer.world, OWN)
    assert any("on the phone with us" in line for line in told(customer.world, customer))
    accepts(customer.world.agent(), customer)
    assert customer.is_in(Q)
    assert customer.world.done(RingAgent)[-1].attempt == caller.id
    assert dials(customer.world) == []


@pytest.mark.parametrize("before", [waits_for_retry, held_for_the_supervisor, scheduled])
def test_given_somebody_who_asks_why_then_it_is_said_that_they_are_on_the_phone(
    before: Callable[[], Customer],
) -> None:
    customer = before()
    rings_in(customer.world, OWN)
    assert any("on the phone with us" in line for line in told(customer.world, customer))


def test_given_somebody_who_asks_why_afterwards_then_the_end_reads_well() -> None:
    customer = queued()
    talks(rings_in(customer.world, OWN))
    ends = "22:13:20 The customer called in, so they are not called back any more."
    assert told(customer.world, customer)[-1] == ends


# ---- being dialled and ringing in at once --------------------------------------------------------------------


def test_given_a_caller_whom_we_are_calling_then_that_call_is_let_go_when_they_talk_and_nobody_calls_again() -> None:
    world = World((OPEN,), (AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer(phone=OWN)
    customer.rings()
    caller = rings_in(world, OWN)
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert caller.is_in(Phase.CONNECTED)
    assert customer.closing is not None
    world.pass_time(1)
    assert (customer.state, customer.reason) == (CANCELLED, Reason.CALLED_IN)
    assert world.agent("amy").shown == "ready"
    caller.hangs_up()
    assert no_one_is_called(world)


def test_given_a_caller_whose_agent_is_rung_first_for_a_callback_then_that_is_over_when_they_talk() -> None:
    service = replace(OPEN, connect=ConnectMode.AGENT_FIRST)
    world = World((service,), (AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer(phone=OWN)
    caller = rings_in(world, OWN)
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert caller.is_in(Phase.CONNECTED)
    assert (customer.state, customer.reason) == (CANCELLED, Reason.CALLED_IN)
    assert world.agent("amy").shown == "ready"
    assert dials(world) == []


def test_given_an_agent_rung_first_who_comes_while_the_customer_rings_in_then_nobody_is_dialled() -> None:
    world = World((replace(OPEN, connect=ConnectMode.AGENT_FIRST),))
    world.agent("amy").ready()
    customer = world.customer(phone=OWN)
    rings_in(world, OWN)
    world.agent().picks_up()
    assert dials(world) == []
    assert customer.state is Q


def test_given_a_caller_whom_we_are_calling_then_a_promise_is_not_possible() -> None:
    world = World((OPEN,))
    world.agent().ready()
    customer = world.customer(phone=OWN)
    caller = rings_in(world, OWN)
    caller.presses("11")
    assert caller.is_told == (PromptId.NOT_POSSIBLE,)
    assert customer.state is CallbackState.DIALING


def test_given_somebody_who_answers_our_call_on_another_phone_then_that_call_goes_on() -> None:
    world = World((OPEN,), (AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer(phone=OWN)
    customer.answers()
    caller = rings_in(world, OWN)
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert caller.is_in(Phase.CONNECTED)
    assert customer.is_in(CallbackState.ANNOUNCING)
    customer.hears_announcement()
    customer.presses("1")
    world.agent("amy").answers()
    assert customer.state is CallbackState.CONNECTED


# ---- the place ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [queued, waits_for_retry, previewed])
def test_given_a_callback_that_has_waited_then_the_caller_has_its_place(before: Callable[[], Customer]) -> None:
    customer = before()
    world, joined_at = customer.world, customer.callback.joined_at
    world.agent().leaves()
    world.pass_time(30)
    other = rings_in(world)
    world.pass_time(30)
    caller = rings_in(world, OWN)
    assert caller.call.joined_at == joined_at
    assert (caller.position, other.position) == (1, 3 if customer.state is Q else 2)


def test_given_a_full_line_then_only_who_has_a_place_in_it_is_taken_in() -> None:
    world = World((replace(OPEN, queue_cap=1),))
    world.customer(phone=OWN)
    assert rings_in(world).outcome is InboundOutcome.REFUSED
    caller = rings_in(world, OWN)
    assert (caller.outcome, caller.position) == (None, 1)


@pytest.mark.parametrize("service", [OPEN, PREVIEWED, replace(OPEN, connect=ConnectMode.AGENT_FIRST)])
def test_given_an_agent_who_has_come_to_their_callback_then_the_caller_has_its_place_too(service: Service) -> None:
    world = World((service,))
    world.agent().ready()
    customer = world.customer(phone=OWN)
    world.pass_time(5)
    other = rings_in(world)
    caller = rings_in(world, OWN)
    assert customer.state in (CallbackState.DIALING, CallbackState.PREVIEWING, CallbackState.RINGING_AGENT)
    assert (caller.position, other.position) == (1, 2)


def test_given_a_callback_whose_customer_talks_then_another_call_of_the_number_has_its_own_place() -> None:
    world = World((OPEN,))
    world.agent().ready()
    customer = world.customer(phone=OWN)
    customer.confirms()
    world.agent().answers()
    world.pass_time(60)
    assert rings_in(world, OWN).call.joined_at == START + 60


def test_given_an_appointment_then_the_caller_has_the_place_of_the_call() -> None:
    customer = scheduled()
    caller = rings_in(customer.world, OWN)
    assert caller.call.joined_at == customer.world.now


def test_given_a_callback_with_priority_then_the_caller_has_it_too() -> None:
    service = replace(OPEN, priority=4)
    world = World((service,))
    world.customer(phone=OWN)
    world.pass_time(10)
    assert rings_in(world, OWN).call.priority == 4


# ---- a promise to somebody who has one already -----------------------------------------------------------------


def promised(customer: Customer) -> Caller:
    """They ring in, wait a while and press the key."""
    caller = rings_in(customer.world, OWN)
    customer.world.pass_time(10)
    caller.presses("11")
    assert caller.ends(InboundOutcome.CALLBACK)
    assert caller.call.callback == customer.id
    assert len(customer.world.journal.callbacks) == 1
    return caller


@pytest.mark.parametrize("before", [queued, waits_for_retry, held_for_the_supervisor, scheduled])
def test_given_a_callback_that_waits_then_a_caller_who_asks_has_this_one_with_the_better_place(
    before: Callable[[], Customer],
) -> None:
    customer = before()
    began, joined_at = customer.world.now, customer.callback.joined_at
    caller = promised(customer)
    assert customer.is_in(Q), "the next call is due as soon as somebody is free"
    assert customer.callback.joined_at == min(began, joined_at)
    caller.is_let_go()
    customer.world.pass_time(60)
    customer.world.agent().ready()
    assert customer.state is CallbackState.DIALING


def test_given_a_callback_that_an_agent_previews_then_it_stays_with_the_agent() -> None:
    customer = previewed()
    caller = promised(customer)
    assert customer.is_in(CallbackState.PREVIEWING)
    caller.is_let_go()
    accepts(customer.world.agent(), customer)
    assert customer.state is CallbackState.DIALING


def test_given_a_call_with_priority_then_the_callback_has_it_too() -> None:
    customer = queued()
    service = replace(OPEN, inbound=replace(OPEN.inbound, priority=3))  # type: ignore[type-var]
    customer.world.configure((service,), (AMY,))
    promised(customer)
    assert (customer.callback.priority, customer.callback.joined_at) == (3, START)


def test_given_a_callback_that_waits_then_a_caller_of_the_closed_service_may_move_it_to_a_slot() -> None:
    world = World((AT_THE_DESK,), calendars=(HOURS,))
    goes_on_until(world, at("16:50"))
    customer = world.customer("desk", OWN)
    goes_on_until(world, at("17:30"))
    caller = rings_in(world, OWN)
    caller.presses("11")
    assert caller.is_told == (PromptId.SLOT_KEPT,)
    assert caller.call.callback == customer.id
    assert (customer.state, customer.callback.booked) == (SCHEDULED, True)
    assert customer.callback.scheduled_for == at("09:00") + 86400


# ---- who may not be called ---------------------------------------------------------------------------------------


def refused(caller: Caller) -> bool:
    caller.presses("11")
    return caller.is_told == (PromptId.NOT_POSSIBLE,) and caller.is_in(Phase.WAITING)


def test_given_a_number_that_is_never_called_then_they_may_ring_in_but_are_promised_nothing() -> None:
    world = World((OPEN,))
    suppresses(world, OWN)
    caller = rings_in(world, OWN)
    assert refused(caller)
    talks(caller)


def test_given_a_number_with_all_its_requests_of_the_day_then_they_are_promised_no_more() -> None:
    world = World((OPEN,), limits=replace(NO_CAPS, per_number_per_day=1))
    first = rings_in(world, OWN)
    first.presses("11")
    first.is_let_go()
    world.tell(CancelRequested(first.kept.id, Reason.BY_CUSTOMER))
    assert refused(rings_in(world, OWN))


def test_given_a_number_with_too_many_open_requests_then_they_are_promised_no_more() -> None:
    world = World((OPEN, ALSO_SALES), limits=Limits(max_open_per_number=1))
    world.customer("sales", OWN)
    assert refused(rings_in(world, OWN))


def test_given_a_promise_of_the_same_number_in_two_calls_at_once_then_it_is_one_callback() -> None:
    world = World((OPEN,))
    first, second = rings_in(world, OWN), rings_in(world, OWN)
    first.presses("11")
    second.presses("11")
    assert first.kept.id == second.kept.id
    first.is_let_go()
    world.agent().ready()
    assert dials(world) in ([], [OWN])
    world.pass_time(1)
    assert first.called_back.state is CallbackState.DIALING


def test_given_a_promise_then_the_queue_cap_and_other_callers_stay_as_they_are() -> None:
    world = World((replace(OPEN, queue_cap=1),))
    caller = rings_in(world, OWN)
    caller.presses("11")
    assert caller.ends(InboundOutcome.CALLBACK), "their place is one that they had"
    assert rings_in(world).ends(InboundOutcome.REFUSED)


def test_given_a_callback_asked_for_online_while_they_ring_in_then_it_has_no_better_place_than_its_own() -> None:
    world = World((OPEN, ALSO_SALES), (AMY, BEN))
    caller = rings_in(world, OWN, SALES_NUMBER)
    world.pass_time(50)
    request = Request(ServiceId("sales"), OWN, "en", RequestChannel.WEB)
    world.tell(CallbackRequested(CallbackId("c900"), request, "hash"))
    assert world.journal.callbacks[CallbackId("c900")].joined_at == START + 50
    caller.presses("11")
    assert world.journal.callbacks[CallbackId("c900")].joined_at == START
