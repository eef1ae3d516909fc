"""When a customer may be called: their time of day, other calls to the same number, and a wish never to be called."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from engine.core.changes import CallbackMoved, SuppressionKept
from engine.core.configuration import Agent, AttemptPolicy, Confirmation, Limits, OutcomeRule, Pace, Service, Widening
from engine.core.decision import Accepted, Done
from engine.core.effects import DialCustomer, Farewell, Play
from engine.core.events import EffectEnded, KeyPressed, NewNumber, ResultKind
from engine.core.expressions import parse
from engine.core.hours import Calendar
from engine.core.permission import CallingWindow
from engine.core.records import Suppression
from engine.core.terms import AgentId, CallbackState, Outcome, Reason, ServiceId
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
    moment,
    moves,
    suppresses,
    unsuppresses,
)
from tests.unit.core.world import AMY, BEN, BILLING, NO_CAPS, SALES, START, Customer, World

S = CallbackState
PHONE = "+12025550100"
NEW_YORK, LOS_ANGELES, TOKYO = "America/New_York", "America/Los_Angeles", "Asia/Tokyo"
BY_DAY = CallingWindow(8 * 3600, 21 * 3600)
OFFICE_TIME = CallingWindow(8 * 3600, 17 * 3600)
"""At the start it is 17:13:20 in New York, 14:13:20 in Los Angeles and 07:13:20 in Tokyo."""


def caller(world: World, service: str = "billing", phone: str | None = None, *zones: str) -> Customer:
    """A customer who asks to be called now, from a number that may be in these zones."""
    reply = world.ask(service, phone, zones=zones)
    assert isinstance(reply, Accepted), reply
    return Customer(world, reply.callback.id)


def within(window: CallingWindow, agents: tuple[Agent, ...] = (AMY,), **fields: float) -> Doubled:
    world = Doubled((replace(BILLING, calling_window=window, **fields),), agents)
    for agent in agents:
        world.agent(agent.id).ready()
    return world


def two_services(limits: Limits = NO_CAPS) -> Doubled:
    """One number may wait for both; Ben serves both, Amy only the first."""
    return Doubled((BILLING, SALES), (AMY, BEN), limits)


def wait_of(customer: Customer) -> float:
    """Until when the customer is held back."""
    return customer.world.journal.timers[customer.id, "permitted"].due_at


# ---- the calling window --------------------------------------------------------------------------------


def test_given_a_customer_who_still_sleeps_then_others_are_served_first_and_they_are_dialled_when_they_may_be() -> None:
    world = within(BY_DAY, (AMY, BEN))
    asleep = caller(world, "billing", None, TOKYO)
    awake = caller(world, "billing", None, NEW_YORK)
    opening = moment("2023-11-15 08:00", TOKYO)

    assert (asleep.state, awake.state) == (S.QUEUED, S.DIALING)
    assert world.dispatcher.line.position(asleep.id) == 1
    goes_on_until(world, opening - 0.25)
    assert asleep.is_in(S.QUEUED)
    goes_on_until(world, opening)

    assert asleep.attempt.dialed_at == opening
    assert asleep.callback.joined_at == START
    assert (asleep.id, "permitted") not in world.journal.timers


def test_given_a_held_back_customer_when_the_window_opens_and_nobody_is_free_then_they_come_first_again() -> None:
    world = within(BY_DAY)
    asleep = caller(world, "billing", None, TOKYO)
    caller(world, "billing", None, NEW_YORK).confirms()
    world.agent().answers()
    goes_on_until(world, moment("2023-11-15 08:00", TOKYO))
    waiting = caller(world, "billing", None, NEW_YORK)
    assert (asleep.state, waiting.state) == (S.QUEUED, S.QUEUED)

    world.agent().hangs_up()
    world.pass_time(BILLING.wrap_up_seconds)

    assert (asleep.state, waiting.state) == (S.DIALING, S.QUEUED)


def test_given_a_customer_who_may_be_in_several_zones_then_they_are_called_when_it_is_day_in_all_of_them() -> None:
    world = within(OFFICE_TIME)

    customer = caller(world, "billing", None, LOS_ANGELES, NEW_YORK)

    assert wait_of(customer) == at("11:00") == moment("2023-11-15 08:00", LOS_ANGELES)
    goes_on_until(world, at("11:00"))
    assert customer.attempt.dialed_at == at("11:00")


def test_given_zones_whose_days_never_meet_then_the_likeliest_one_counts() -> None:
    world = within(CallingWindow(14 * 3600, 15 * 3600), (AMY, BEN))

    assert caller(world, "billing", None, LOS_ANGELES, TOKYO).state is S.DIALING
    assert wait_of(caller(world, "billing", None, TOKYO, LOS_ANGELES)) == moment("2023-11-15 14:00", TOKYO)


def test_given_a_number_that_tells_no_zone_then_the_services_own_counts() -> None:
    late = CallingWindow(20 * 3600, 21 * 3600)
    with_hours = Doubled((replace(DESK, calling_window=late),), (AMY,), None, (HOURS,))
    with_hours.agent().ready()
    without_hours = within(late)
    goes_on_until(with_hours, at("09:00"))

    assert wait_of(caller(with_hours, "desk")) == at("20:00")
    assert wait_of(caller(without_hours)) == moment("2023-11-15 20:00", "UTC")


def test_given_the_last_second_of_the_window_then_it_counts_and_the_next_one_does_not() -> None:
    world = within(CallingWindow(8 * 3600, 17 * 3600 + 15 * 60), (AMY, BEN))
    goes_on_until(world, moment("2023-11-14 17:15:00") - 0.25)
    assert caller(world, "billing", None, NEW_YORK).state is S.DIALING

    world.pass_time(0.25)

    assert wait_of(caller(world, "billing", None, NEW_YORK)) == at("08:00")


def test_given_a_window_when_nobody_is_free_then_nobody_is_held_back_for_it() -> None:
    world = Doubled((replace(BILLING, calling_window=BY_DAY),), (AMY,))
    asleep = caller(world, "billing", None, TOKYO)

    assert (asleep.id, "permitted") not in world.journal.timers
    world.agent().ready()
    assert (asleep.id, "permitted") in world.journal.timers


def test_given_a_held_back_customer_when_their_life_ends_first_then_they_expire_and_nothing_is_timed_any_more() -> None:
    world = within(BY_DAY, life_seconds=600)
    asleep = caller(world, "billing", None, TOKYO)

    world.pass_time(600)

    assert (asleep.state, asleep.reason, asleep.callback.ended_at) == (S.EXPIRED, Reason.LIFETIME, START + 600)
    assert world.journal.timers == {}


def test_given_a_held_back_customer_when_they_cancel_then_nothing_is_timed_any_more() -> None:
    world = within(BY_DAY)
    asleep = caller(world, "billing", None, TOKYO)

    asleep.cancels()

    assert world.journal.timers == {}
    assert len(world.dispatcher.line) == 0


def test_given_a_held_back_customer_when_the_window_is_taken_away_then_they_are_called_at_once() -> None:
    world = within(BY_DAY)
    asleep = caller(world, "billing", None, TOKYO)

    world.configure((BILLING,), (AMY,))

    assert asleep.state is S.DIALING
    assert (asleep.id, "permitted") not in world.journal.timers


def test_given_a_held_back_customer_when_the_window_opens_later_then_they_wait_for_that() -> None:
    world = within(BY_DAY)
    asleep = caller(world, "billing", None, TOKYO)

    world.configure((replace(BILLING, calling_window=CallingWindow(10 * 3600, 11 * 3600)),), (AMY,))

    assert wait_of(asleep) == moment("2023-11-15 10:00", TOKYO)
    goes_on_until(world, moment("2023-11-15 10:00", TOKYO))
    assert asleep.state is S.DIALING


def test_given_a_held_back_customer_when_they_give_a_number_elsewhere_then_they_are_called_at_once() -> None:
    world = within(BY_DAY)
    asleep = caller(world, "billing", None, TOKYO)

    moves(asleep, number=NewNumber(PHONE, (NEW_YORK,)))

    assert (asleep.state, dials(world)) == (S.DIALING, [PHONE])


def test_given_a_held_back_customer_when_the_requirement_widens_then_they_are_still_held_back() -> None:
    service = replace(BILLING, calling_window=BY_DAY, expansion=(Widening(60, parse("sales or billing")),))
    world = Doubled((service,), (AMY,))
    world.agent().ready()
    asleep = caller(world, "billing", None, TOKYO)
    opening = wait_of(asleep)
    world.agent().leaves()

    world.pass_time(60)

    assert (asleep.callback.widened, wait_of(asleep)) == (1, opening)
    assert world.dispatcher.line.is_parked(asleep.id)
    world.agent().ready()
    goes_on_until(world, opening)
    assert asleep.attempt.dialed_at == opening


def test_given_a_held_back_customer_when_the_engine_starts_again_then_they_are_held_back_until_the_same_second() -> (
    None
):
    world = within(BY_DAY)
    asleep = caller(world, "billing", None, TOKYO)
    opening = wait_of(asleep)

    world.restart()
    assert world.dispatcher.line.is_parked(asleep.id)
    goes_on_until(world, opening)

    assert asleep.attempt.dialed_at == opening


def test_given_a_held_back_customer_when_another_call_to_their_number_ends_then_they_are_still_held_back() -> None:
    world = Doubled((replace(BILLING, calling_window=BY_DAY), SALES), (AMY, BEN))
    world.agent("amy").ready()
    asleep = caller(world, "billing", PHONE, TOKYO)
    opening = wait_of(asleep)
    world.agent("ben").ready()
    other = caller(world, "sales", PHONE, TOKYO)
    assert other.is_in(S.DIALING), "the other service calls at any time"
    world.agent("amy").leaves()
    world.agent("ben").leaves()

    world.pass_time(1)

    assert other.is_in(S.RETRY_WAIT)
    assert world.dispatcher.line.is_parked(asleep.id)
    other.cancels()
    world.agent("amy").ready()
    goes_on_until(world, opening)
    assert asleep.attempt.dialed_at == opening


# ---- how often a number is called ----------------------------------------------------------------------


def test_given_two_services_then_so_much_time_lies_between_two_dials_of_a_number_and_others_are_served_meanwhile() -> (
    None
):
    world = two_services(replace(NO_CAPS, min_gap_seconds=60))
    world.agent("ben").ready()
    first = caller(world, "billing", PHONE)
    second = caller(world, "sales", PHONE)
    world.pass_time(5)
    first.hangs_up(cause=17)
    other = caller(world, "sales")

    assert (second.state, other.state) == (S.QUEUED, S.DIALING)
    assert wait_of(second) == START + 60
    other.hangs_up(cause=17)
    world.pass_time(54.75)
    assert second.is_in(S.QUEUED)
    world.pass_time(0.25)

    assert second.attempt.dialed_at == START + 60


def test_given_a_number_with_a_live_call_then_no_other_service_dials_it_until_it_is_over() -> None:
    world = two_services()
    world.agent("amy").ready()
    world.agent("ben").ready()
    first = caller(world, "billing", PHONE)
    second = caller(world, "sales", PHONE)
    other = caller(world, "billing")
    assert [each.state for each in (first, second, other)] == [S.DIALING, S.QUEUED, S.DIALING]
    other.hangs_up(cause=17)
    assert second.is_in(S.QUEUED), "an agent is free, and the number is not"
    first.answers()
    first.presses("3")
    assert second.is_in(S.QUEUED), "the leg is still there"
    assert (second.id, "permitted") not in world.journal.timers

    world.pass_time(4)

    assert (first.state, second.state) == (S.CANCELLED, S.DIALING)


def test_given_a_number_with_a_live_call_when_the_other_request_gets_another_number_then_it_is_dialled() -> None:
    world = two_services()
    world.agent("amy").ready()
    world.agent("ben").ready()
    caller(world, "billing", PHONE)
    second = caller(world, "sales", PHONE)
    assert second.is_in(S.QUEUED)

    moves(second, number=NewNumber("+12025550101"))

    assert dials(world) == [PHONE, "+12025550101"]


def test_given_a_number_with_a_live_call_when_the_engine_starts_again_then_it_is_still_not_dialled() -> None:
    world = two_services()
    world.agent("ben").ready()
    first = caller(world, "billing", PHONE)
    second = caller(world, "sales", PHONE)
    world.restart()
    world.agent("amy").ready()
    world.pass_time(1)
    assert second.is_in(S.QUEUED)

    first.hangs_up(cause=17)

    assert second.state is S.DIALING


def test_given_as_many_dials_as_a_number_may_have_a_day_then_the_next_is_after_midnight_where_the_customer_is() -> None:
    world = two_services(replace(NO_CAPS, attempts_per_number_per_day=2))
    world.agent("ben").ready()
    first = caller(world, "billing", PHONE, LOS_ANGELES)
    first.hangs_up(cause=17)
    world.pass_time(first.waits_until)
    first.hangs_up(cause=17)

    midnight = moment("2023-11-15 00:00", LOS_ANGELES)
    assert first.callback.next_attempt_at == midnight, "the retry rolls"
    second = caller(world, "sales", PHONE, LOS_ANGELES)
    assert wait_of(second) == midnight
    goes_on_until(world, midnight)
    assert [first.attempt.dialed_at, len(dials(world))] == [midnight, 3]


def test_given_dials_of_yesterday_where_the_customer_is_then_today_they_do_not_count() -> None:
    world = two_services(replace(NO_CAPS, attempts_per_number_per_day=1))
    world.agent("ben").ready()
    goes_on_until(world, moment("2023-11-14 23:59", NEW_YORK))
    first = caller(world, "billing", PHONE, NEW_YORK)
    first.hangs_up(cause=17)

    world.pass_time(first.waits_until)

    assert first.attempt.dialed_at == moment("2023-11-15 00:09", NEW_YORK)


def test_given_a_restart_then_the_dials_before_it_still_count() -> None:
    world = two_services(replace(NO_CAPS, min_gap_seconds=100, attempts_per_number_per_day=1))
    world.agent("ben").ready()
    caller(world, "billing", PHONE, NEW_YORK).hangs_up(cause=1)
    world.restart()

    second = caller(world, "sales", PHONE, NEW_YORK)

    assert wait_of(second) == moment("2023-11-15 00:00", NEW_YORK)


def test_given_as_many_requests_as_a_number_may_have_a_day_then_the_next_is_refused_until_midnight() -> None:
    world = two_services(replace(NO_CAPS, per_number_per_day=2))
    caller(world, "billing", PHONE, NEW_YORK).cancels()
    caller(world, "sales", PHONE, NEW_YORK).cancels()
    before = world.journal.snapshot()

    assert code(world.ask("billing", PHONE, zones=(NEW_YORK,))) == "too-many-requests"
    assert world.journal.snapshot() == before
    world.restart()
    assert code(world.ask("billing", PHONE, zones=(NEW_YORK,))) == "too-many-requests"
    goes_on_until(world, moment("2023-11-15 00:00"))
    assert isinstance(world.ask("billing", PHONE, zones=(NEW_YORK,)), Accepted)


def test_given_two_requests_at_one_moment_when_one_gets_another_number_then_one_is_left_for_each() -> None:
    world = two_services(replace(NO_CAPS, per_number_per_day=2, max_open_per_number=9))
    first, _second = caller(world, "billing", PHONE), caller(world, "sales", PHONE)
    other = "+12025550101"
    moves(first, number=NewNumber(other))
    first.cancels()

    caller(world, "billing", PHONE).cancels()
    assert code(world.ask("billing", PHONE)) == "too-many-requests"
    caller(world, "billing", other).cancels()
    assert code(world.ask("billing", other)) == "too-many-requests"


def test_given_a_number_that_asked_enough_when_another_request_is_moved_to_it_then_that_is_refused() -> None:
    world = two_services(replace(NO_CAPS, per_number_per_day=1))
    caller(world, "sales", PHONE).cancels()
    customer = caller(world)

    assert code(moves(customer, number=NewNumber(PHONE))) == "too-many-requests"


# ---- retries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "called", "again"),
    [
        (None, "16:55", "2023-11-16 09:00"),
        (CallingWindow(10 * 3600, 12 * 3600), "11:55", "2023-11-16 10:00"),
        (CallingWindow(16 * 3600, 9 * 3600 + 60), "16:55", "2023-11-16 09:00"),
        (CallingWindow(20 * 3600, 9 * 3600), "16:55", None),
    ],
)
def test_given_a_retry_after_hours_then_it_rolls_to_the_next_opening_and_into_the_window(
    window: CallingWindow | None, called: str, again: str | None
) -> None:
    world = Doubled((replace(DESK, life_seconds=2 * DAY),), (AMY,), None, (HOURS,))
    world.agent().ready()
    goes_on_until(world, at(called))
    customer = caller(world, "desk")
    world.configure((replace(DESK, calling_window=window),), (AMY,), None, (HOURS,))

    customer.hangs_up(cause=17)

    if again is None:
        assert (customer.state, customer.reason) == (S.EXPIRED, Reason.NO_PERMITTED_TIME)
        return
    assert customer.callback.next_attempt_at == moment(again)
    goes_on_until(world, moment(again))
    assert customer.attempt.dialed_at == moment(again)


@pytest.mark.parametrize(
    ("life_seconds", "reason"),
    [(7200, Reason.NO_PERMITTED_TIME), (601, Reason.NO_PERMITTED_TIME), (600, Reason.LIFETIME)],
)
def test_given_a_retry_that_is_permitted_only_after_the_callbacks_life_then_it_expires_at_once_and_says_why(
    life_seconds: float, reason: Reason
) -> None:
    world = Doubled((replace(DESK, life_seconds=life_seconds),), (AMY,), None, (HOURS,))
    world.agent().ready()
    goes_on_until(world, at("16:55"))
    customer = caller(world, "desk")

    customer.hangs_up(cause=17)

    assert (customer.state, customer.reason) == (S.EXPIRED, reason)


@pytest.mark.parametrize("hours", [HOURS, replace(HOURS, weekly=((),) * 7)])
def test_given_a_number_suppressed_in_a_call_when_no_retry_is_permitted_either_then_the_wish_is_the_reason(
    hours: Calendar,
) -> None:
    world = Doubled((DESK,), (AMY,), None, (HOURS,))
    world.agent().ready()
    goes_on_until(world, at("16:55"))
    customer = caller(world, "desk", PHONE)
    world.configure((DESK,), (AMY,), None, (hours,))
    suppresses(world, PHONE)

    customer.hangs_up(cause=17)

    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.NOT_PERMITTED)


def test_given_a_service_that_never_opens_again_when_an_attempt_fails_then_there_is_no_permitted_time() -> None:
    world = Doubled((DESK,), (AMY,), None, (HOURS,))
    world.agent().ready()
    goes_on_until(world, at("09:00"))
    customer = caller(world, "desk")
    world.configure((DESK,), (AMY,), None, (replace(HOURS, weekly=((),) * 7),))

    customer.hangs_up(cause=17)

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.NO_PERMITTED_TIME)


def test_given_a_retry_whose_day_is_closed_meanwhile_then_it_rolls_once_more_when_it_is_due() -> None:
    long_lived = replace(DESK, life_seconds=5 * DAY)
    world = Doubled((long_lived,), (AMY,), None, (HOURS,))
    world.agent().ready()
    goes_on_until(world, at("16:55"))
    customer = caller(world, "desk")
    customer.hangs_up(cause=17)
    assert customer.callback.next_attempt_at == moment("2023-11-16 09:00")

    world.configure((long_lived,), (AMY,), None, (replace(HOURS, closed_days=frozenset({date(2023, 11, 16)})),))
    goes_on_until(world, moment("2023-11-16 09:00"))

    assert (customer.state, customer.callback.next_attempt_at) == (S.RETRY_WAIT, moment("2023-11-17 09:00"))
    goes_on_until(world, moment("2023-11-17 09:00"))
    assert [each.dialed_at for each in customer.attempts[1:]] == [moment("2023-11-17 09:00")]


def test_given_a_retry_that_new_hours_never_permit_then_it_expires_when_it_is_due() -> None:
    world = Doubled((replace(DESK, life_seconds=2 * DAY),), (AMY,), None, (HOURS,))
    world.agent().ready()
    goes_on_until(world, at("16:55"))
    customer = caller(world, "desk")
    customer.hangs_up(cause=17)

    world.configure((DESK,), (AMY,), None, (replace(HOURS, weekly=((),) * 7),))
    goes_on_until(world, moment("2023-11-16 09:00"))

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.NO_PERMITTED_TIME)
    assert world.journal.timers == {}


def test_given_a_number_that_may_not_be_dialled_for_years_then_the_request_ends_and_says_so_at_once() -> None:
    world = two_services(replace(NO_CAPS, min_gap_seconds=500 * DAY))
    world.agent("ben").ready()
    caller(world, "billing", PHONE).hangs_up(cause=1)

    reply = world.ask("sales", PHONE)

    assert isinstance(reply, Accepted)
    assert (reply.callback.state, reply.callback.reason) == (S.EXPIRED, Reason.NO_PERMITTED_TIME)
    assert reply.callback == world.journal.callbacks[reply.callback.id]
    assert world.journal.timers == {}


# ---- "later" is promised only if it can be kept --------------------------------------------------------

LATER = Confirmation(later_seconds=1800)
UNTIL_HALF_PAST_FIVE = CallingWindow(8 * 3600, 17 * 3600 + 1800)


def listening(service: Service, world_type: type[World] = Doubled) -> Customer:
    """A customer in New York who listens to the announcement at 17:13:20."""
    world = world_type((service,), (AMY,))
    world.agent().ready()
    customer = caller(world, "billing", None, NEW_YORK)
    customer.answers()
    return customer


def test_given_a_window_that_closes_before_later_then_the_call_is_promised_and_made_at_the_next_opening() -> None:
    customer = listening(replace(BILLING, confirmation=LATER, calling_window=UNTIL_HALF_PAST_FIVE))

    customer.presses("2")
    customer.world.pass_time(5)

    assert customer.callback.next_attempt_at == at("08:00")
    goes_on_until(customer.world, at("08:00"))
    assert customer.attempt.dialed_at == at("08:00")


def test_given_a_life_that_ends_before_the_next_opening_then_later_is_not_promised() -> None:
    service = replace(BILLING, confirmation=LATER, calling_window=UNTIL_HALF_PAST_FIVE, life_seconds=6 * 3600)
    customer = listening(service)

    customer.presses("2")

    assert isinstance(customer.hears, Play), "the key does nothing"
    assert customer.is_in(S.ANNOUNCING)
    customer.presses("1")
    assert customer.state is S.CONFIRMED


def test_given_a_life_that_was_made_longer_when_it_counts_from_before_then_later_is_promised_by_what_counts() -> None:
    """The life of a callback is set when it is accepted."""
    world = Doubled((replace(BILLING, confirmation=LATER, life_seconds=1000),), (AMY,))
    customer = caller(world)
    world.configure((replace(BILLING, confirmation=LATER),), (AMY,))
    world.agent().ready()
    customer.answers()

    customer.presses("2")

    assert customer.state is S.ANNOUNCING, "a later call could not be made any more"
    assert world.done(Farewell) == []


def test_given_the_last_dial_of_the_day_then_later_is_promised_for_the_next_day() -> None:
    world = two_services(replace(NO_CAPS, attempts_per_number_per_day=1))
    world.agent("ben").ready()
    customer = caller(world, "billing", PHONE, NEW_YORK)
    customer.answers()

    customer.presses("2")
    world.pass_time(5)

    assert customer.callback.next_attempt_at == moment("2023-11-15 00:00")


# ---- never again ---------------------------------------------------------------------------------------


def waits(world: World) -> Customer:
    return caller(world, "sales", PHONE)


def has_booked(world: World) -> Customer:
    return booked(world, at("09:00"), "desk", PHONE)


def waits_for_a_retry(world: World) -> Customer:
    world.agent("ben").ready()
    customer = caller(world, "sales", PHONE)
    customer.hangs_up(cause=17)
    world.agent("ben").leaves()
    return customer


def is_held_for_the_supervisor(world: World) -> Customer:
    world.agent("ben").ready()
    customer = caller(world, "held", PHONE)
    world.tell(EffectEnded(world.done(DialCustomer)[-1], ResultKind.REFUSED))
    assert (customer.state, customer.callback.next_attempt_at) == (S.RETRY_WAIT, None)
    world.agent("ben").leaves()
    return customer


def is_held_back(world: World) -> Customer:
    world.agent("ben").ready()
    customer = caller(world, "asleep", PHONE, TOKYO)
    assert world.dispatcher.line.is_parked(customer.id)
    world.agent("ben").leaves()
    return customer


def is_previewed(world: World) -> Customer:
    world.agent("ben").ready()
    customer = caller(world, "previewed", PHONE)
    assert customer.is_in(S.PREVIEWING)
    return customer


def is_previewed_and_agreed(world: World) -> Customer:
    world.agent("ben").ready()
    first = caller(world, "previewed")
    world.agent("cat").ready()
    customer = caller(world, "previewed", PHONE)
    accepts(world.agent("ben"), first)
    accepts(world.agent("cat"), customer)
    assert (customer.state, world.agent("cat").shown) == (S.PREVIEWING, "reserved"), "the line is taken"
    return customer


WAITING = [
    waits,
    has_booked,
    waits_for_a_retry,
    is_held_for_the_supervisor,
    is_held_back,
    is_previewed,
    is_previewed_and_agreed,
]
CAT = replace(BEN, id=AgentId("cat"), name="Cat", endpoint="PJSIP/agent-1003")


def all_services() -> Doubled:
    services = (
        BILLING,
        SALES,
        DESK,
        replace(
            SALES,
            id=ServiceId("held"),
            attempts=AttemptPolicy(by_outcome={Outcome.REFUSED: OutcomeRule(max=1)}),
        ),
        replace(SALES, id=ServiceId("asleep"), calling_window=BY_DAY),
        replace(ASKED_FIRST, id=ServiceId("previewed"), skill=parse("sales"), pace=Pace(max_dials=1)),
    )
    return Doubled(services, (AMY, BEN, CAT), replace(NO_CAPS, max_open_per_number=9), (HOURS,))


@pytest.mark.parametrize("reach", WAITING)
def test_given_a_customer_who_waits_when_their_number_is_suppressed_then_they_are_not_called_any_more(
    reach: Callable[[World], Customer],
) -> None:
    world = all_services()
    customer = reach(world)
    already = dials(world)

    decision = suppresses(world, PHONE)

    assert isinstance(decision.reply, Suppression)
    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.NOT_PERMITTED)
    assert [name for owner, name in world.journal.timers if owner == customer.id] == []
    assert world.dispatcher.slots.booked(ServiceId("desk"), at("09:00")) == ()
    holders = [status.id for status in world.journal.agents.values() for work in status.works]
    assert holders == (["ben"] if reach is is_previewed_and_agreed else []), "whoever was asked is free"
    world.agent("ben").ready()
    goes_on_until(world, START + 2 * DAY)
    assert [phone for phone in dials(world)[len(already) :] if phone == PHONE] == []


@pytest.mark.parametrize("reach", WAITING)
def test_given_a_customer_who_waits_when_they_say_never_again_in_another_call_then_it_is_written_in_that_decision(
    reach: Callable[[World], Customer],
) -> None:
    world = all_services()
    customer = reach(world)
    world.agent("amy").ready()
    on_the_phone = caller(world, "billing", PHONE)
    on_the_phone.answers()

    decision = world.tell(KeyPressed(on_the_phone.attempt.customer_leg, "9"))

    kept = [change.suppression for change in decision.changes if isinstance(change, SuppressionKept)]
    assert kept == [Suppression(PHONE, Reason.NEVER_AGAIN, world.now)]
    ended = [(each.callback, each.after) for each in decision.changes if isinstance(each, CallbackMoved)]
    assert ended == [(customer.id, S.UNSUCCESSFUL)]
    assert customer.reason is Reason.NOT_PERMITTED
    assert [type(effect) for effect in decision.effects] == [Farewell]
    world.pass_time(5)
    assert (on_the_phone.state, on_the_phone.reason) == (S.CANCELLED, Reason.NEVER_AGAIN)
    assert code(world.ask("billing", PHONE)) == "phone-not-allowed"


def rings(customer: Customer) -> None:
    customer.rings()


def listens(customer: Customer) -> None:
    customer.answers()


def confirms(customer: Customer) -> None:
    customer.confirms()


@pytest.mark.parametrize("reach", [rings, listens, confirms])
@pytest.mark.parametrize("ends", ["customer", "fault"])
def test_given_a_live_call_when_its_number_is_suppressed_then_it_goes_on_and_is_the_last_one(
    reach: Callable[[Customer], None], ends: str
) -> None:
    held = AttemptPolicy(by_outcome={Outcome.INTERRUPTED: OutcomeRule(max=1)})
    world = Doubled((replace(BILLING, attempts=held),), (AMY,))
    world.agent().ready()
    customer = caller(world, "billing", PHONE)
    reach(customer)
    before = customer.state

    suppresses(world, PHONE)

    assert customer.is_in(before)
    if ends == "customer":
        customer.hangs_up(cause=17)
    else:
        world.stop()
        world.pass_time(5)
        assert customer.outcomes == (Outcome.INTERRUPTED,)
    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.NOT_PERMITTED)
    assert world.agent().status.works == ()


def test_given_a_live_call_when_its_number_is_suppressed_and_they_talk_then_it_is_completed() -> None:
    world = Doubled((BILLING,), (AMY,))
    world.agent().ready()
    customer = caller(world, "billing", PHONE)
    customer.confirms()
    suppresses(world, PHONE)

    world.agent().answers()
    customer.hangs_up()

    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)


def test_given_a_suppressed_number_then_requests_bookings_and_moves_to_it_are_refused_and_nothing_is_kept() -> None:
    world = all_services()
    suppresses(world, PHONE)
    customer = caller(world, "sales")
    before = world.journal.snapshot()

    assert code(world.ask("billing", PHONE)) == "phone-not-allowed"
    assert code(world.ask("desk", PHONE, when=at("09:00"))) == "phone-not-allowed"
    assert code(world.ask("desk", PHONE, when=at("09:00"), freely=True)) == "phone-not-allowed"
    assert code(moves(customer, number=NewNumber(PHONE))) == "phone-not-allowed"
    assert world.journal.snapshot() == before


def test_given_a_suppressed_number_when_it_is_taken_off_the_list_then_it_may_ask_again_also_after_a_start() -> None:
    world = Doubled((BILLING,), (AMY,))
    suppresses(world, PHONE)
    world.restart()
    assert code(world.ask("billing", PHONE)) == "phone-not-allowed"

    assert unsuppresses(world, PHONE).reply == Done()
    again = unsuppresses(world, PHONE)

    assert (again.reply, again.changes) == (Done(), [])
    assert isinstance(world.ask("billing", PHONE), Accepted)


def test_given_many_requests_of_a_number_when_it_is_suppressed_then_they_end_in_the_order_of_their_ids() -> None:
    services = [replace(BILLING, id=ServiceId(f"s{n}")) for n in range(9)]
    world = Doubled(services, (AMY,), replace(NO_CAPS, max_open_per_number=9))
    customers = [caller(world, service.id, PHONE) for service in services]

    decision = suppresses(world, PHONE)

    ended = [change.callback for change in decision.changes if isinstance(change, CallbackMoved)]
    assert ended == [customer.id for customer in customers]


def test_given_a_preview_of_a_suppressed_number_when_the_agent_accepts_late_then_nobody_is_dialled() -> None:
    world = all_services()
    customer = is_previewed(world)
    suppresses(world, PHONE)

    decision = accepts(world.agent("ben"), customer)

    assert code(decision.reply) == "wrong-state"
    assert dials(world) == []
