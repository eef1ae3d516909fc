"""Appointments: booking a slot, keeping its place, moving and cancelling, and what happens when the slot begins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.configuration import Agent, SlotPolicy, Widening
from engine.core.decision import Accepted, Done, Refusal
from engine.core.events import LegEnded, NewNumber, SlotCapacityRequested, TimerFired
from engine.core.expressions import parse
from engine.core.hours import Calendar, Interval
from engine.core.slots import Slot, Unbookable, conflicts
from engine.core.terms import CallbackState, Outcome, ServiceId
from engine.core.values import replace
from tests.unit.core.office import (
    DAY,
    DESK,
    HALF_HOUR,
    HOURS,
    SLOTS,
    Doubled,
    at,
    booked,
    code,
    dials,
    goes_on_until,
    moment,
    moves,
    sets_capacity,
    suppresses,
)
from tests.unit.core.world import AMY, BEN, NO_CAPS, START, Customer, World

S = CallbackState
NINE, HALF_PAST_NINE, TEN = at("09:00"), at("09:30"), at("10:00")
PHONE = "+12025550100"


def office(agents: tuple[Agent, ...] = (AMY, BEN), calendar: Calendar = HOURS, now: float = START) -> Doubled:
    world = Doubled((DESK,), agents, None, (calendar,))
    world.now = now
    return world


def with_slots(policy: SlotPolicy) -> Doubled:
    return Doubled((replace(DESK, slots=policy),), (AMY, BEN), None, (HOURS,))


def refused(world: World, start: float | None, phone: str | None = None) -> Refusal:
    """Ask for a slot, and check that the refusal changes nothing."""
    before = world.journal.snapshot()
    reply = world.ask("desk", phone, when=start)
    assert isinstance(reply, Refusal), reply
    assert world.journal.snapshot() == before
    return reply


def place_in(world: World, start: float) -> list[str]:
    return list(world.dispatcher.slots.booked(ServiceId("desk"), start))


def remaining(world: World, start: float) -> int:
    return world.dispatcher.slots.remaining(ServiceId("desk"), SLOTS, start)


# ---- booking -------------------------------------------------------------------------------------------


def test_given_a_free_slot_when_it_is_booked_then_the_callback_is_scheduled_for_its_start() -> None:
    world = office()
    world.agent().ready()

    reply = world.ask("desk", when=NINE)

    assert isinstance(reply, Accepted)
    assert (reply.callback.state, reply.position) == (S.SCHEDULED, None)
    assert (reply.callback.scheduled_for, reply.callback.joined_at, reply.callback.booked) == (NINE, NINE, True)
    timers = {name: timer.due_at for (owner, name), timer in world.journal.timers.items() if owner == reply.callback.id}
    assert timers == {"slot": NINE, "life": NINE + DESK.life_seconds}
    assert dials(world) == []


def test_given_a_booking_when_its_slot_begins_and_an_agent_is_free_then_they_are_dialled_at_that_second() -> None:
    world = office()
    world.agent().ready()
    customer = booked(world, NINE)

    goes_on_until(world, NINE - 0.25)
    assert customer.is_in(S.SCHEDULED)
    goes_on_until(world, NINE)

    assert customer.trail == [S.SCHEDULED, S.QUEUED, S.RESERVED, S.DIALING]
    assert customer.attempt.dialed_at == NINE
    assert (customer.id, "slot") not in world.journal.timers


def test_given_a_booking_when_nobody_is_free_then_it_waits_among_the_others_from_the_slot_on() -> None:
    world = office()
    appointment = booked(world, NINE)
    goes_on_until(world, at("09:01"))
    later = world.customer("desk")

    assert (appointment.state, later.state) == (S.QUEUED, S.QUEUED)
    assert [world.dispatcher.line.position(each.id) for each in (appointment, later)] == [1, 2]


def test_given_a_booking_that_nobody_serves_then_its_life_counts_from_the_slot() -> None:
    world = office()
    customer = booked(world, NINE)

    goes_on_until(world, NINE + DESK.life_seconds - 1)
    assert customer.is_in(S.QUEUED), "it was asked for the evening before"
    world.pass_time(1)

    assert (customer.state, customer.reason) == (S.EXPIRED, "lifetime")


def test_given_a_full_line_when_a_slot_is_booked_then_it_is_accepted() -> None:
    world = Doubled((replace(DESK, queue_cap=1),), (AMY,), None, (HOURS,))
    goes_on_until(world, at("09:10"))
    world.customer("desk")

    assert code(world.ask("desk")) == "queue-full"
    assert booked(world, TEN).state is S.SCHEDULED


def test_given_a_booking_when_the_number_asks_again_then_it_is_refused() -> None:
    world = office()
    booked(world, NINE, phone=PHONE)

    assert refused(world, TEN, PHONE).code == "duplicate-request"


# ---- who is served first -------------------------------------------------------------------------------


def test_given_a_slot_with_two_bookings_when_the_later_ones_timer_fires_first_then_the_order_of_booking_decides() -> (
    None
):
    world = office(agents=(AMY,))
    world.agent().ready()
    first, second = booked(world, NINE), booked(world, NINE)
    world.now = NINE

    world.tell(TimerFired(second.id, "slot"))

    assert (first.state, second.state) == (S.DIALING, S.QUEUED)
    decision = world.tell(TimerFired(first.id, "slot"))
    assert (decision.changes, decision.effects) == ([], []), "they joined together"


def test_given_a_booking_that_was_moved_away_and_back_then_it_comes_after_those_who_stayed() -> None:
    world = office(agents=(AMY,))
    world.agent().ready()
    moved = booked(world, NINE)
    world.pass_time(1)
    stayed = booked(world, NINE)
    world.pass_time(1)
    moves(moved, TEN)
    moves(moved, NINE)

    goes_on_until(world, NINE)

    assert (moved.state, stayed.state) == (S.QUEUED, S.DIALING)


def test_given_a_booking_that_is_moved_to_its_own_slot_then_it_keeps_its_place_also_after_a_start() -> None:
    world = office(agents=(AMY,))
    world.agent().ready()
    first = booked(world, NINE)
    world.pass_time(1)
    second = booked(world, NINE)
    moves_before = len(world.journal.callback_moves)

    reply = moves(first, NINE)

    assert reply == first.callback
    assert first.callback.asked_at == START
    assert len(world.journal.callback_moves) == moves_before
    world.restart()
    assert place_in(world, NINE) == [first.id, second.id]
    goes_on_until(world, NINE)
    assert (first.state, second.state) == (S.DIALING, S.QUEUED)


def test_given_a_slot_that_begins_while_the_engine_is_away_then_all_of_it_join_in_their_order_when_it_is_back() -> None:
    world = office(agents=(AMY,))
    world.agent().ready()
    moved, first, second = booked(world, TEN), booked(world, NINE), booked(world, NINE)
    world.pass_time(1)
    moves(second, TEN)
    moves(moved, NINE)
    world.restart()
    world.now = NINE + 100

    world.pass_time(0)

    assert [each.state for each in (first, moved, second)] == [S.DIALING, S.QUEUED, S.SCHEDULED]
    assert first.callback.joined_at == NINE


# ---- capacity ------------------------------------------------------------------------------------------


def test_given_one_place_left_when_two_ask_for_it_then_one_wins_and_the_other_is_told_the_nearest() -> None:
    world = office()
    booked(world, HALF_PAST_NINE)

    first = world.ask("desk", when=HALF_PAST_NINE)
    second = refused(world, HALF_PAST_NINE)

    assert isinstance(first, Accepted)
    assert second.code == "slot-not-available"
    starts = [slot.start for slot in second.slots]
    assert starts == [NINE, TEN, at("10:30"), at("11:00"), at("11:30")]
    assert second.slots[0] == Slot(NINE, HALF_PAST_NINE)


def test_given_a_full_slot_when_one_cancels_then_the_place_is_free_again() -> None:
    world = office()
    one, _other = booked(world, NINE), booked(world, NINE)
    assert refused(world, NINE).code == "slot-not-available"

    one.cancels()

    assert one.state is S.CANCELLED
    assert booked(world, NINE).state is S.SCHEDULED


def test_given_a_full_slot_when_its_capacity_is_raised_then_more_fit_in_and_when_it_is_taken_back_nobody_moves() -> (
    None
):
    world = office()
    customers = [booked(world, NINE), booked(world, NINE)]

    assert sets_capacity(world, NINE, 3).reply == Done()
    customers.append(booked(world, NINE))
    assert refused(world, NINE).code == "slot-not-available"
    sets_capacity(world, NINE, None)

    assert [each.state for each in customers] == [S.SCHEDULED] * 3
    assert [each.callback for each in conflicts(HOURS, SLOTS, world.dispatcher.slots, ServiceId("desk"))] == [
        customers[2].id
    ]
    customers[0].cancels()
    assert refused(world, NINE).code == "slot-not-available", "two are booked, and two may be"


def test_given_bookings_when_the_capacity_is_lowered_then_nobody_is_moved_and_nobody_fits_in() -> None:
    world = office()
    customer = booked(world, NINE)

    sets_capacity(world, NINE, 0)

    assert customer.is_in(S.SCHEDULED)
    assert refused(world, NINE).code == "slot-not-available"
    world.restart()
    assert refused(world, NINE).code == "slot-not-available"
    goes_on_until(world, NINE)
    assert customer.state is S.QUEUED


@pytest.mark.parametrize(
    ("service", "start", "capacity", "said"),
    [
        ("nothing", NINE, 1, "unknown-service"),
        ("desk", START - 60, 1, "in-the-past"),
        ("desk", NINE + 60, 1, "slot-not-available"),
        ("desk", at("17:00"), 1, "slot-not-available"),
        ("desk", NINE + 400 * DAY, 1, "too-far-ahead"),
        ("desk", 253_402_300_799.0, 1, "too-far-ahead"),
    ],
)
def test_given_no_such_slot_when_its_capacity_is_set_then_it_is_refused(
    service: str, start: float, capacity: int, said: str
) -> None:
    world = office()
    before = world.journal.snapshot()

    assert code(sets_capacity(world, start, capacity, service).reply) == said

    assert world.journal.snapshot() == before


def test_given_a_slot_that_is_none_any_more_when_its_capacity_is_cleared_then_it_is_done() -> None:
    world = office()
    sets_capacity(world, NINE, 9)
    world.tell(SlotCapacityRequested(ServiceId("desk"), NINE + 7, None))
    sets_capacity(world, NINE, None)

    assert world.journal.slot_capacities == {}
    assert world.dispatcher.slots.overrides() == {}


def test_given_capacities_of_slots_long_past_when_another_is_set_then_they_are_forgotten_everywhere() -> None:
    world = office()
    sets_capacity(world, NINE, 9)
    sets_capacity(world, NINE + DAY, 8)
    goes_on_until(world, NINE + 2 * DAY)
    sets_capacity(world, NINE + 5 * DAY, 7)
    assert [start for _service, start in world.journal.slot_capacities] == [NINE, NINE + DAY, NINE + 5 * DAY]

    world.pass_time(1)
    world.restart()
    sets_capacity(world, NINE + 5 * DAY, None)

    assert [start for _service, start in world.journal.slot_capacities] == [NINE + DAY]
    assert world.dispatcher.slots.overrides() == {(ServiceId("desk"), NINE + DAY): 8}


STARTS = [NINE + n * HALF_HOUR for n in range(3)]
ASKS = st.tuples(st.just("book"), st.sampled_from(STARTS))
STEPS = st.lists(
    ASKS
    | st.tuples(st.just("move"), st.sampled_from(STARTS))
    | st.tuples(st.just("cancel"), st.sampled_from(STARTS))
    | st.tuples(st.integers(0, 3), st.sampled_from(STARTS)),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_given_any_bookings_and_capacities_then_who_is_accepted_is_whom_a_count_of_places_would_accept(
    steps: list[tuple[str | int, float]],
) -> None:
    world = office()
    capacity = dict.fromkeys(STARTS, SLOTS.capacity)
    held: dict[str, tuple[Customer, float]] = {}
    for n, (what, start) in enumerate(steps):
        free = sum(at_ == start for _each, at_ in held.values()) < capacity[start]
        found = list(held.values())[n % len(held)] if held else None
        if what == "book":
            reply = world.ask("desk", when=start)
            assert isinstance(reply, Accepted) == free
            if isinstance(reply, Accepted):
                held[reply.callback.id] = Customer(world, reply.callback.id), start
        elif what == "move" and found is not None:
            customer, own = found
            accepted = not isinstance(moves(customer, start), Refusal)
            assert accepted == (free or own == start)
            if accepted:
                held[customer.id] = customer, start
        elif what == "cancel" and found is not None:
            found[0].cancels()
            del held[found[0].id]
        elif isinstance(what, int):
            sets_capacity(world, start, what)
            capacity[start] = what
        for slot in STARTS:
            assert set(place_in(world, slot)) == {each for each, (_customer, at_) in held.items() if at_ == slot}


# ---- moving --------------------------------------------------------------------------------------------


def test_given_a_booking_when_it_is_moved_then_its_old_place_is_free_and_it_is_called_at_the_new_time_only() -> None:
    world = office()
    world.agent().ready()
    customer = booked(world, NINE)

    callback = moves(customer, TEN)

    assert not isinstance(callback, Refusal)
    assert (callback.state, callback.scheduled_for, callback.joined_at) == (S.SCHEDULED, TEN, TEN)
    assert (place_in(world, NINE), place_in(world, TEN)) == ([], [customer.id])
    goes_on_until(world, TEN - 1)
    assert dials(world) == []
    world.pass_time(1)
    assert customer.attempt.dialed_at == TEN


def test_given_a_booking_when_it_is_moved_to_now_then_it_joins_the_line_behind_those_who_wait() -> None:
    world = office()
    goes_on_until(world, at("09:10"))
    waiting = world.customer("desk")
    customer = booked(world, TEN)
    world.pass_time(5)

    callback = moves(customer, now=True)

    assert not isinstance(callback, Refusal)
    assert (callback.state, callback.scheduled_for, callback.booked) == (S.QUEUED, None, False)
    assert callback.joined_at == world.now
    assert place_in(world, TEN) == []
    assert [world.dispatcher.line.position(each.id) for each in (waiting, customer)] == [1, 2]
    assert world.journal.timers[customer.id, "life"].due_at == world.now + DESK.life_seconds
    assert (customer.id, "slot") not in world.journal.timers


def test_given_a_customer_in_line_when_they_move_to_a_slot_then_they_leave_the_line_and_wait_for_it() -> None:
    world = office()
    goes_on_until(world, at("09:10"))
    customer, next_one = world.customer("desk"), world.customer("desk")

    moves(customer, TEN)

    assert (customer.state, customer.callback.joined_at) == (S.SCHEDULED, TEN)
    assert world.dispatcher.line.position(next_one.id) == 1
    world.agent("amy").ready()
    world.agent("ben").ready()
    assert (customer.state, next_one.state) == (S.SCHEDULED, S.DIALING)
    goes_on_until(world, TEN)
    assert customer.state is S.DIALING


def test_given_a_customer_between_two_attempts_when_they_move_to_a_slot_then_the_retry_is_forgotten() -> None:
    world = office()
    goes_on_until(world, at("09:10"))
    world.agent().ready()
    customer = world.customer("desk")
    customer.hangs_up(cause=17)
    assert customer.is_in(S.RETRY_WAIT)

    moves(customer, TEN)

    assert (customer.callback.next_attempt_at, customer.outcomes) == (None, (Outcome.BUSY,))
    goes_on_until(world, TEN - 1)
    assert len(dials(world)) == 1
    world.pass_time(1)
    assert len(dials(world)) == 2


def test_given_the_head_of_the_line_when_they_move_to_a_slot_then_they_come_in_their_turn_there() -> None:
    world = office(agents=(AMY,))
    goes_on_until(world, at("09:10"))
    world.agent().ready()
    customer = world.customer("desk")
    customer.confirms()
    customer.hangs_up()
    other = booked(world, TEN)
    world.pass_time(1)
    assert customer.callback.at_head

    moves(customer, TEN)
    goes_on_until(world, TEN)

    assert (other.state, customer.state) == (S.DIALING, S.QUEUED)


def test_given_a_wider_requirement_when_the_customer_moves_to_a_slot_then_it_is_narrow_until_they_waited_there() -> (
    None
):
    service = replace(DESK, skill=parse("billing >= 5"), expansion=(Widening(60, parse("billing")),))
    world = Doubled((service,), (BEN,), None, (HOURS,))
    goes_on_until(world, at("09:10"))
    early, late = world.customer("desk"), world.customer("desk")
    moves(early, TEN)
    world.pass_time(60)
    assert (early.callback.widened, late.callback.widened) == (0, 1)
    moves(late, TEN)

    goes_on_until(world, TEN)
    world.agent("ben").ready()
    assert (early.state, late.state) == (S.QUEUED, S.QUEUED)
    world.pass_time(60)

    assert {early.state, late.state} == {S.DIALING, S.QUEUED}
    assert early.attempt.dialed_at == TEN + 60


def test_given_a_full_slot_when_a_booking_is_moved_there_then_it_keeps_its_own_place() -> None:
    world = office()
    booked(world, TEN)
    booked(world, TEN)
    customer = booked(world, NINE)
    before = world.journal.snapshot()

    reply = moves(customer, TEN)

    assert isinstance(reply, Refusal)
    assert reply.code == "slot-not-available"
    assert world.journal.snapshot() == before


def test_given_a_closed_service_when_a_booking_is_moved_to_now_then_it_stays_and_is_told_when_it_opens() -> None:
    world = office()
    customer = booked(world, NINE)

    reply = moves(customer, now=True)

    assert isinstance(reply, Refusal)
    assert (reply.code, reply.opens_at) == ("closed", NINE)
    assert customer.state is S.SCHEDULED


def test_given_a_full_line_when_a_booking_is_moved_to_now_then_it_stays() -> None:
    world = Doubled((replace(DESK, queue_cap=1),), (AMY,), None, (HOURS,))
    goes_on_until(world, at("09:10"))
    world.customer("desk")
    customer = booked(world, TEN)

    assert code(moves(customer, now=True)) == "queue-full"
    assert customer.state is S.SCHEDULED


def test_given_a_customer_in_line_when_they_ask_for_now_then_nothing_changes() -> None:
    world = office()
    goes_on_until(world, at("09:10"))
    customer = world.customer("desk")
    before = world.journal.snapshot()

    reply = moves(customer, now=True)

    assert reply == customer.callback
    assert world.journal.snapshot() == before


def test_given_two_of_a_slot_between_attempts_when_the_first_asks_for_now_then_they_are_still_before_the_second() -> (
    None
):
    world = office(agents=(AMY, BEN))
    for agent in ("amy", "ben"):
        world.agent(agent).ready()
    first = booked(world, NINE)
    world.pass_time(1)
    second = booked(world, NINE)
    goes_on_until(world, NINE)
    for agent in ("amy", "ben"):
        world.agent(agent).leaves()
    world.pass_time(1)
    assert (first.state, second.state) == (S.RETRY_WAIT, S.RETRY_WAIT)

    moves(second, now=True)
    world.pass_time(1)
    moves(first, now=True)
    world.agent("amy").ready()

    assert (first.state, second.state) == (S.DIALING, S.QUEUED)
    assert first.callback.joined_at == NINE


@pytest.mark.parametrize(
    ("reach", "said"),
    [
        (lambda customer: customer.world.agent().ready(), "call-in-progress"),
        (lambda customer: customer.cancels(), "already-ended"),
    ],
)
def test_given_a_call_in_progress_or_over_when_it_is_to_be_moved_then_it_is_refused(
    reach: Callable[[Customer], object], said: str
) -> None:
    world = office()
    goes_on_until(world, at("09:10"))
    customer = world.customer("desk")
    reach(customer)

    assert code(moves(customer, TEN)) == said
    assert code(moves(customer, now=True)) == said


# ---- another number ------------------------------------------------------------------------------------


def test_given_a_booking_when_its_number_changes_then_it_keeps_slot_and_place_and_the_new_number_is_called() -> None:
    world = office(agents=(AMY,))
    world.agent().ready()
    first, second = booked(world, NINE), booked(world, NINE)

    moves(first, number=NewNumber(PHONE, ("America/Chicago",)))
    goes_on_until(world, NINE)

    assert dials(world) == [PHONE]
    assert first.callback.request.zones == ("America/Chicago",)
    assert second.state is S.QUEUED
    assert isinstance(world.ask("desk", "+12025550001", when=TEN), Accepted), "the old number is free"


def test_given_another_number_and_another_slot_when_one_of_them_cannot_be_then_neither_is() -> None:
    world = office()
    booked(world, TEN)
    booked(world, TEN)
    customer = booked(world, NINE)
    other = booked(world, HALF_PAST_NINE, phone=PHONE)
    before = world.journal.snapshot()

    assert code(moves(customer, TEN, number=NewNumber("+12025550199"))) == "slot-not-available"
    assert code(moves(customer, HALF_PAST_NINE, number=NewNumber(other.callback.request.phone))) == "duplicate-request"
    assert world.journal.snapshot() == before

    suppresses(world, "+12025550198")
    assert code(moves(customer, HALF_PAST_NINE, number=NewNumber("+12025550198"))) == "phone-not-allowed"
    assert (customer.callback.request.phone, place_in(world, NINE)) == ("+12025550003", [customer.id])


# ---- a place that is held ------------------------------------------------------------------------------


def test_given_a_booking_that_joined_the_line_then_it_holds_its_place_until_it_is_cancelled() -> None:
    world = office()
    one, other = booked(world, NINE), booked(world, NINE)
    goes_on_until(world, NINE + 1)
    assert (one.state, remaining(world, NINE)) == (S.QUEUED, 0)

    world.restart()
    assert place_in(world, NINE) == [one.id, other.id]
    one.cancels()

    assert place_in(world, NINE) == [other.id]


def test_given_a_booking_that_joined_the_line_when_it_is_moved_then_the_place_is_given_up() -> None:
    world = office()
    one, other = booked(world, NINE), booked(world, NINE)
    goes_on_until(world, NINE + 1)

    moves(one, TEN)

    assert (place_in(world, NINE), place_in(world, TEN)) == ([other.id], [one.id])


def test_given_a_booking_whose_attempt_failed_then_its_retry_takes_no_other_place() -> None:
    world = office()
    world.agent().ready()
    customer = booked(world, NINE)
    goes_on_until(world, NINE)
    customer.hangs_up(cause=17)
    world.pass_time(customer.waits_until)
    assert customer.is_in(S.DIALING)

    assert place_in(world, NINE) == [customer.id]
    assert world.dispatcher.slots.starts(ServiceId("desk")) == [NINE]


def test_given_a_booking_whose_call_is_over_then_its_place_is_forgotten() -> None:
    world = office()
    world.agent().ready()
    customer = booked(world, NINE)
    goes_on_until(world, NINE)
    customer.confirms()
    world.agent().answers()
    customer.hangs_up()

    assert (customer.state, place_in(world, NINE)) == (S.COMPLETED, [])


# ---- refused -------------------------------------------------------------------------------------------


def test_given_a_closed_service_when_somebody_asks_for_now_then_they_are_told_when_it_opens() -> None:
    reply = refused(office(), None)

    assert (reply.code, reply.opens_at) == ("closed", NINE)


def test_given_a_service_that_never_opens_then_it_is_closed_and_no_opening_is_promised() -> None:
    world = office(calendar=replace(HOURS, weekly=((),) * 7))

    reply = refused(world, None)

    assert (reply.code, reply.opens_at) == ("closed", None)


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (START, "in-the-past"),
        (START - 3600, "in-the-past"),
        (0.0, "in-the-past"),
        (moment("2023-11-23 09:00"), "too-far-ahead"),
        (253_402_300_799.0, "too-far-ahead"),
        (NINE + 60, "slot-not-available"),
        (at("08:30"), "slot-not-available"),
        (at("17:00"), "slot-not-available"),
        (moment("2023-11-18 09:00"), "slot-not-available"),
    ],
)
def test_given_a_time_that_cannot_be_booked_then_it_is_refused_with_the_nearest_free_slots(
    start: float, said: str
) -> None:
    reply = refused(office(), start)

    assert reply.code == said
    assert len(reply.slots) == 5
    nearest = sorted(reply.slots, key=lambda slot: (abs(slot.start - start), slot.start))
    assert list(reply.slots) == nearest


def test_given_the_last_day_that_may_be_booked_then_it_is_accepted() -> None:
    assert booked(office(), moment("2023-11-21 16:30")).state is S.SCHEDULED


def test_given_a_slot_that_has_begun_then_it_is_not_booked_though_it_has_places() -> None:
    world = office()
    booked(world, NINE)
    goes_on_until(world, NINE)

    assert refused(world, NINE).code == "in-the-past"
    assert remaining(world, NINE) == 1


def test_given_a_notice_that_is_asked_for_then_a_slot_is_booked_up_to_that_moment() -> None:
    world = with_slots(replace(SLOTS, min_notice_seconds=600))
    goes_on_until(world, NINE - 600)
    assert booked(world, NINE).state is S.SCHEDULED

    world.pass_time(0.5)

    late = refused(world, NINE)
    assert late.code == "slot-not-available"
    assert late.slots[0].start == HALF_PAST_NINE


def test_given_a_notice_when_a_booking_is_moved_to_its_own_slot_then_it_still_may() -> None:
    world = with_slots(replace(SLOTS, min_notice_seconds=600))
    customer = booked(world, NINE)
    goes_on_until(world, NINE - 60)

    assert moves(customer, NINE) == customer.callback
    assert code(moves(customer, NINE + 1)) == "slot-not-available"


def test_given_a_service_without_slots_then_none_is_booked() -> None:
    world = World()

    assert code(world.ask("billing", when=NINE)) == "slot-not-available"


# ---- staff ---------------------------------------------------------------------------------------------


def test_given_staff_who_name_a_time_then_it_needs_no_slot_and_takes_no_place() -> None:
    world = office()
    world.agent().ready()
    when = NINE + 61

    reply = world.ask("desk", when=when, freely=True)

    assert isinstance(reply, Accepted)
    customer = Customer(world, reply.callback.id)
    assert (customer.state, customer.callback.booked) == (S.SCHEDULED, False)
    assert world.dispatcher.slots.starts(ServiceId("desk")) == []
    goes_on_until(world, when)
    assert customer.attempt.dialed_at == when


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (START, "in-the-past"),
        (START + 366 * DAY + 1, "too-far-ahead"),
        (at("08:59"), "closed"),
    ],
)
def test_given_staff_who_name_a_time_that_cannot_be_then_it_is_refused(when: float, said: str) -> None:
    assert code(office().ask("desk", when=when, freely=True)) == said


def test_given_a_service_without_hours_then_staff_may_name_any_time() -> None:
    world = World()

    assert isinstance(world.ask("billing", when=START + 5, freely=True), Accepted)


# ---- hours that change, and odd days -------------------------------------------------------------------


def test_given_bookings_when_the_calendar_changes_then_nobody_is_moved_and_the_conflict_can_be_seen() -> None:
    world = office()
    world.agent().ready()
    customer, other = booked(world, NINE), booked(world, TEN)
    later = replace(HOURS, special_days={date(2023, 11, 15): (Interval(10 * 3600, 12 * 3600),)})

    world.configure((DESK,), (AMY, BEN), NO_CAPS, (later,))

    found = conflicts(later, SLOTS, world.dispatcher.slots, ServiceId("desk"))
    assert [(each.callback, each.why) for each in found] == [(customer.id, Unbookable.NOT_A_SLOT)]
    assert refused(world, NINE).code == "slot-not-available"
    goes_on_until(world, NINE)
    assert (customer.state, other.state) == (S.DIALING, S.SCHEDULED)


def test_given_a_night_in_which_the_clock_is_put_forward_then_slots_are_as_long_as_ever() -> None:
    """On 10 March 2024 the clock goes from 01:59:59 to 03:00:00."""
    night = replace(HOURS, weekly=(*((),) * 6, (Interval(3600, 4 * 3600),)))
    world = office(calendar=night, now=moment("2024-03-09 12:00"))
    one = moment("2024-03-10 01:00")

    reply = refused(world, one - 60)

    assert [slot.start - one for slot in reply.slots] == [0, HALF_HOUR, 2 * HALF_HOUR, 3 * HALF_HOUR]
    assert moment("2024-03-10 03:00") == one + 2 * HALF_HOUR
    world.agent().ready()
    customer = booked(world, moment("2024-03-10 03:00"))
    goes_on_until(world, one + 2 * HALF_HOUR)
    assert customer.attempt.dialed_at == one + 3600


def test_given_a_night_in_which_an_hour_comes_twice_then_each_of_both_can_be_booked() -> None:
    """On 3 November 2024 the clock goes from 01:59:59 back to 01:00:00."""
    night = replace(HOURS, weekly=(*((),) * 6, (Interval(3600, 3 * 3600),)))
    world = office(calendar=night, now=moment("2024-11-02 12:00"))
    first_half_past_one = moment("2024-11-03 01:30")

    customers = [booked(world, first_half_past_one), booked(world, first_half_past_one + 3600)]

    assert remaining(world, first_half_past_one) == remaining(world, first_half_past_one + 3600) == 1
    goes_on_until(world, first_half_past_one)
    assert [each.state for each in customers] == [S.QUEUED, S.SCHEDULED]
    world.pass_time(3600)
    assert [each.state for each in customers] == [S.QUEUED, S.QUEUED]


# ---- starting again ------------------------------------------------------------------------------------

Step = Callable[[World], object]


def _customer(world: World, n: int) -> Customer:
    return Customer(world, sorted(world.journal.callbacks)[n])


def _whoever_is_called_is_busy(world: World) -> None:
    """The agent is free at once, and the next one in the line is called."""
    assert len(list(world.dispatcher.live())) == 1
    for flow in list(world.dispatcher.live()):
        world.tell(LegEnded(flow.attempt.customer_leg, 17))


A_MORNING: list[Step] = [
    lambda world: booked(world, NINE),
    lambda world: booked(world, HALF_PAST_NINE),
    lambda world: booked(world, NINE),
    lambda world: moves(_customer(world, 1), NINE),
    lambda world: sets_capacity(world, NINE, 3),
    lambda world: moves(_customer(world, 1), NINE),
    lambda world: moves(_customer(world, 0), TEN),
    lambda world: moves(_customer(world, 0), NINE),
    lambda world: sets_capacity(world, NINE, 1),
    lambda world: goes_on_until(world, NINE),
    lambda world: world.ask("desk"),
    lambda world: moves(_customer(world, 2), now=True),
    lambda world: moves(_customer(world, 3), TEN),
    lambda world: goes_on_until(world, HALF_PAST_NINE),
    lambda world: _customer(world, 1).cancels(),
    lambda world: goes_on_until(world, TEN),
    lambda world: world.agent("amy").ready(),
    lambda world: _whoever_is_called_is_busy(world),
    lambda world: _whoever_is_called_is_busy(world),
    lambda world: goes_on_until(world, TEN + 1200),
]
"""Each step leaves calls only where a start knows as much as the engine that died."""


@pytest.mark.parametrize("died_after", range(len(A_MORNING)))
def test_given_a_morning_when_the_engine_starts_again_after_any_step_then_all_that_follows_is_decided_the_same(
    died_after: int,
) -> None:
    decided = []
    for restarted in (False, True):
        world = office(agents=(AMY,))
        for step in A_MORNING[: died_after + 1]:
            step(world)
        if restarted:
            world.restart()
        else:
            world.told.clear()
        for step in A_MORNING[died_after + 1 :]:
            step(world)
        decided.append([(event, now, decision) for event, now, decision in world.told])

    assert decided[0] == decided[1]
