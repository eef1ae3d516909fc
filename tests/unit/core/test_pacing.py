"""How many calls may begin: against a naive count of any stretch of time, never more, and nobody held up in vain."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.configuration import Pace, Service
from engine.core.pacing import LiveCall, Pacer
from engine.core.terms import AttemptId, ServiceId
from engine.core.values import replace
from tests.unit.core.held_back import too_soon
from tests.unit.core.world import BILLING, SALES, START

B, S = BILLING.id, SALES.id
NONE = Pace()

rates = st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0, 1.5, 2.0, 2.5, 3.0, 7.3, 10.0])
waits = st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.1, 0.3, 0.5, 0.99, 1.0, 1.01, 4.0, 30.0]), max_size=40)


def services(billing: Pace = NONE, sales: Pace = NONE) -> dict[ServiceId, Service]:
    return {B: replace(BILLING, pace=billing), S: replace(SALES, pace=sales)}


@dataclass
class Street:
    """Somebody who calls whenever it is allowed, and the moments at which they did."""

    pacer: Pacer
    now: float = START
    began: list[float] = field(default_factory=list)

    def calls(self, service: ServiceId = B) -> AttemptId:
        assert self.next_at(service) == self.now
        attempt = AttemptId(f"a{len(self.began)}")
        self.pacer.begun(attempt, service)
        self.pacer.dialled(attempt, service, self.now)
        self.began.append(self.now)
        return attempt

    def next_at(self, service: ServiceId = B) -> float:
        return max(self.pacer.next_at(self.now), self.pacer.next_of(service, self.now))

    def calls_as_often_as_it_may(self, waiting: list[float]) -> None:
        """After each wait calls, unless it has to wait longer."""
        for seconds in waiting:
            self.now += seconds
            if self.next_at() == self.now:
                self.calls()


def most_in(began: list[float], seconds: float) -> int:
    """The most calls in any stretch of so many seconds, its end left out."""
    return max((sum(start <= each < start + seconds for each in began) for start in began), default=0)


def of_rate(rate: float, *, node: bool) -> Pacer:
    pace = Pace(calls_per_second=rate)
    return Pacer(pace, services()) if node else Pacer(NONE, services(pace))


@given(rates, st.booleans(), waits)
def test_given_any_waits_then_no_stretch_of_time_sees_more_calls_than_the_rate(
    rate: float,
    node: bool,  # noqa: FBT001 - whose rate it is
    waiting: list[float],
) -> None:
    street = Street(of_rate(rate, node=node))

    street.calls_as_often_as_it_may(waiting)

    for seconds in (1.0, 2.0, 5.0, 60.0):
        # A moment has a part of a second that a float leaves out.
        assert most_in(street.began, seconds - 1e-6) <= math.ceil(rate * seconds)


@given(rates, st.booleans(), waits)
def test_given_any_waits_then_a_call_that_is_held_up_would_have_been_one_too_many(
    rate: float,
    node: bool,  # noqa: FBT001 - whose rate it is
    waiting: list[float],
) -> None:
    street = Street(of_rate(rate, node=node))
    whole = rate == int(rate)
    stretch, most = (1.0, int(rate)) if whole else (1 / rate, 1)

    for seconds in waiting:
        street.now += seconds
        at = street.next_at()
        recent = sorted(each for each in street.began if each + stretch > street.now)
        assert at == (street.now if len(recent) < most else recent[-most] + stretch)
        if at == street.now:
            street.calls()


@given(rates, rates, waits, waits)
def test_given_a_rate_that_changes_then_what_was_begun_before_counts_for_the_new_one(
    before: float, after: float, waiting: list[float], waiting_on: list[float]
) -> None:
    street = Street(of_rate(before, node=False))
    street.calls_as_often_as_it_may(waiting)
    changed_at = len(street.began)

    pace = Pace(calls_per_second=after)
    street.pacer.configured(services(pace))
    street.calls_as_often_as_it_may(waiting_on)

    # The old calls that the new rate looks back at are those that the old one still knew.
    known_from = max(0, changed_at - (int(before) if before == int(before) else 1))
    for n in range(changed_at, len(street.began)):
        assert not too_soon(pace, street.began[known_from:n], street.began[n])


def test_given_a_slower_rate_then_the_last_call_under_the_faster_one_counts() -> None:
    street = Street(of_rate(10, node=False))
    street.calls()

    street.pacer.configured(services(Pace(calls_per_second=0.25)))

    assert street.next_at() == START + 4


def test_given_a_rate_where_there_was_none_then_the_calls_that_are_live_count() -> None:
    street = Street(Pacer(NONE, services()))
    over, _live = street.calls(), street.calls()
    street.pacer.ended(over)

    street.pacer.configured(services(Pace(calls_per_second=2)))

    street.calls()
    assert street.next_at() == START + 1


def test_given_another_limit_of_dials_and_the_same_rate_then_nothing_is_forgotten() -> None:
    street = Street(of_rate(1, node=False))
    street.calls()

    street.pacer.configured(services(Pace(3, 1)))

    assert street.next_at() == START + 1


def test_given_a_service_that_is_left_out_and_comes_back_then_it_begins_anew() -> None:
    street = Street(of_rate(1, node=False))
    street.pacer.ended(street.calls())

    street.pacer.configured({S: SALES})
    street.pacer.configured(services(Pace(calls_per_second=1)))

    assert street.next_at() == START


# ---- how many at once ----------------------------------------------------------------------------------


def test_given_as_many_dials_as_a_service_may_have_then_an_answer_makes_room() -> None:
    street = Street(Pacer(NONE, services(Pace(max_dials=2))))
    first, _second = street.calls(), street.calls()
    assert street.pacer.is_full_of(B)
    assert not street.pacer.is_full_of(S)
    assert not street.pacer.is_full()

    street.pacer.answered(first)

    assert not street.pacer.is_full_of(B)


def test_given_an_answer_told_twice_and_an_end_then_it_makes_room_once() -> None:
    street = Street(Pacer(NONE, services(Pace(max_dials=2))))
    first, _second = street.calls(), street.calls()
    for _twice in range(2):
        street.pacer.answered(first)
    street.pacer.ended(first)
    street.pacer.ended(first)

    street.calls()

    assert street.pacer.is_full_of(B)


def test_given_as_many_calls_as_the_node_may_have_then_only_an_end_makes_room() -> None:
    street = Street(Pacer(Pace(max_dials=2), services()))
    first, _second = street.calls(B), street.calls(S)
    street.pacer.answered(first)
    assert street.pacer.is_full()

    street.pacer.ended(first)

    assert not street.pacer.is_full()


# ---- after a start, and with a clock that is set back --------------------------------------------------


def restored(pacer: Pacer, live: list[LiveCall], dials: list[float], rests: dict[ServiceId | None, float]) -> Street:
    pacer.restore(live, dials, rests.items())
    return Street(pacer)


def test_given_live_calls_at_a_start_then_they_count_as_before() -> None:
    live = [LiveCall(AttemptId("a1"), B, True, START - 0.5), LiveCall(AttemptId("a2"), B, False, START - 0.25)]
    street = restored(Pacer(Pace(max_dials=2), services(Pace(2, 2))), live, [], {})

    assert street.pacer.is_full()
    assert not street.pacer.is_full_of(B), "one of them has answered"
    assert street.next_at() == START + 0.5


def test_given_dials_of_the_last_second_at_a_start_then_the_node_counts_them() -> None:
    street = restored(of_rate(2, node=True), [], [START - 9, START - 0.75, START - 0.5], {})

    assert street.next_at() == START + 0.25


def test_given_a_rest_at_a_start_then_nobody_is_called_before_and_after_it_the_rate_counts() -> None:
    street = restored(of_rate(0.1, node=False), [], [], {B: START + 7, S: START + 99})
    assert (street.next_at(), street.next_at(S)) == (START + 7, START)

    street.now = START + 7
    street.calls()

    assert street.next_at() == START + 17


def test_given_a_rest_of_the_node_then_it_is_for_all() -> None:
    street = restored(of_rate(1, node=True), [], [], {None: START + 0.5})

    assert street.next_at(B) == street.next_at(S) == START + 0.5


@pytest.mark.parametrize("node", [True, False])
@pytest.mark.parametrize(("rate", "rest"), [(1, 1.0), (0.25, 4.0), (10, 1.0)])
def test_given_a_clock_that_is_set_back_then_nobody_waits_for_it_to_come_round_again(
    rate: float,
    rest: float,
    node: bool,  # noqa: FBT001 - whose rate it is
) -> None:
    street = Street(of_rate(rate, node=node))
    for _call in range(max(1, int(rate))):
        street.calls()
    street.now -= 3600

    assert street.next_at() == street.now + rest

    street.now += rest
    assert street.next_at() == street.now


def test_given_a_rest_and_a_clock_that_is_set_back_then_it_is_no_longer_than_the_rate_asks_for() -> None:
    street = restored(of_rate(0.25, node=False), [], [], {B: START + 3})
    street.now -= 3600

    assert street.next_at() == street.now + 4
    street.now += 4
    assert street.next_at() == street.now
