"""How often a number may be called and ask for a call: by hand, and against a plain list of all that ever happened."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.core.configuration import Limits
from engine.core.hours import DAY_SECONDS
from engine.core.number_history import FORGOTTEN_AT_ONCE, NumberHistory, kept_seconds

NEW_YORK, BERLIN, SAO_PAULO, HAVANA = "America/New_York", "Europe/Berlin", "America/Sao_Paulo", "America/Havana"
PHONE, OTHER = "+12025550113", "+12025550114"


def at(text: str) -> float:
    """The moment of an ISO time with its offset."""
    return datetime.fromisoformat(text).timestamp()


NOON = at("2026-07-15T12:00:00-04:00")
MIDNIGHT = at("2026-07-16T00:00:00-04:00")
LIMITS = Limits(min_gap_seconds=60, attempts_per_number_per_day=3)


def dialled(*moments: float, phone: str = PHONE) -> NumberHistory:
    history = NumberHistory()
    history.restore([(phone, moment) for moment in moments], [])
    return history


# ---- dials -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dials", "zone", "asked", "allowed"),
    [
        ([], NEW_YORK, NOON, NOON),
        ([NOON - 3600], NEW_YORK, NOON, NOON),
        # the gap, to the second and to its fraction
        ([NOON], NEW_YORK, NOON, NOON + 60),
        ([NOON], NEW_YORK, NOON + 59.999, NOON + 60),
        ([NOON], NEW_YORK, NOON + 60, NOON + 60),
        ([NOON + 0.125], NEW_YORK, NOON + 1, NOON + 60.125),
        # the last dial counts, in whichever order they are told
        ([NOON + 30, NOON], NEW_YORK, NOON + 60, NOON + 90),
        # the day is full: the next local midnight
        ([NOON - 300, NOON - 200], NEW_YORK, NOON, NOON),
        ([NOON - 300, NOON - 200, NOON - 100], NEW_YORK, NOON, MIDNIGHT),
        ([NOON - 300, NOON - 200, NOON - 100, NOON - 50], NEW_YORK, NOON, MIDNIGHT),
        ([NOON - 300, NOON - 200, NOON - 100], BERLIN, NOON, at("2026-07-16T00:00:00+02:00")),
        ([NOON - 300, NOON - 200, NOON - 100], NEW_YORK, MIDNIGHT - 0.5, MIDNIGHT),
        ([NOON - 300, NOON - 200, NOON - 100], NEW_YORK, MIDNIGHT, MIDNIGHT),
        # dials before the last midnight are of another day
        ([MIDNIGHT - DAY_SECONDS - 1, NOON - 200, NOON - 100], NEW_YORK, NOON, NOON),
        ([MIDNIGHT - DAY_SECONDS, NOON - 200, NOON - 100], NEW_YORK, NOON, MIDNIGHT),
        # the gap leads over midnight, and holds there
        ([MIDNIGHT - 300, MIDNIGHT - 200, MIDNIGHT - 10], NEW_YORK, MIDNIGHT - 5, MIDNIGHT + 50),
        # a day on which midnight does not exist, and one that has it twice
        (
            [at("2017-10-14T20:00:00-03:00") + 100 * n for n in range(3)],
            SAO_PAULO,
            at("2017-10-14T21:00:00-03:00"),
            at("2017-10-15T01:00:00-02:00"),
        ),
        (
            [at("2024-11-03T00:10:00-04:00") + 100 * n for n in range(3)],
            HAVANA,
            at("2024-11-03T00:30:00-05:00"),
            at("2024-11-04T00:00:00-05:00"),
        ),
    ],
)
def test_given_dials_then_the_next_one_is_allowed_at(
    dials: list[float], zone: str, asked: float, allowed: float
) -> None:
    assert dialled(*dials).next_dial_at(PHONE, zone, asked, LIMITS) == allowed


def test_given_a_clock_that_was_set_back_between_two_dials_then_the_later_time_counts() -> None:
    history = NumberHistory()
    history.note_dial(PHONE, NOON + 10)
    history.note_dial(PHONE, NOON)

    assert history.next_dial_at(PHONE, NEW_YORK, NOON, LIMITS) == NOON + 70


def test_given_dials_of_a_number_then_another_number_is_free() -> None:
    assert dialled(NOON, NOON, NOON).next_dial_at(OTHER, NEW_YORK, NOON, LIMITS) == NOON


def test_given_no_gap_then_only_the_day_counts() -> None:
    no_gap = Limits(min_gap_seconds=0, attempts_per_number_per_day=2)

    assert dialled(NOON).next_dial_at(PHONE, NEW_YORK, NOON, no_gap) == NOON
    assert dialled(NOON, NOON).next_dial_at(PHONE, NEW_YORK, NOON, no_gap) == MIDNIGHT


def test_given_accepted_requests_then_they_do_not_keep_a_number_from_being_dialled() -> None:
    history = NumberHistory()
    for _request in range(10):
        history.note_request(PHONE, NOON)

    assert history.next_dial_at(PHONE, NEW_YORK, NOON, LIMITS) == NOON


# ---- requests --------------------------------------------------------------------------------------------


def test_given_requests_around_midnight_then_each_counts_on_its_day_in_the_zone_asked_for() -> None:
    history = NumberHistory()
    for moment in (MIDNIGHT - 2, MIDNIGHT - 1, MIDNIGHT):
        history.note_request(PHONE, moment)
    history.note_dial(PHONE, MIDNIGHT - 1)

    assert history.requests_today(PHONE, NEW_YORK, MIDNIGHT - 1) == 2
    assert history.requests_today(PHONE, NEW_YORK, MIDNIGHT) == 1
    assert history.requests_today(PHONE, BERLIN, MIDNIGHT) == 3
    assert history.requests_today(PHONE, NEW_YORK, MIDNIGHT + DAY_SECONDS) == 0
    assert history.requests_today(OTHER, NEW_YORK, MIDNIGHT) == 0


# ---- forgetting ------------------------------------------------------------------------------------------


def test_given_the_limits_then_the_history_reaches_over_a_day_and_over_the_gap() -> None:
    assert kept_seconds(Limits()) == 2 * DAY_SECONDS
    assert kept_seconds(Limits(min_gap_seconds=7 * DAY_SECONDS)) == 7 * DAY_SECONDS


def test_given_silent_numbers_then_they_are_forgotten_the_longest_silent_first() -> None:
    history = NumberHistory()
    history.restore([("+3", 30.0), ("+1", 10.0)], [("+2", 20.0), ("+1", 25.0)])
    assert len(history) == 3

    history.forget(25.0)

    assert len(history) == 2
    assert history.requests_today("+2", "UTC", 20.0) == 0
    assert history.next_dial_at("+1", "UTC", 25.0, Limits(min_gap_seconds=60)) == 70.0


def test_given_very_many_numbers_then_one_call_forgets_a_few_and_the_next_goes_on() -> None:
    history = NumberHistory()
    history.restore(((f"+{n}", float(n)) for n in range(FORGOTTEN_AT_ONCE + 5)), [])

    history.forget(1e9)
    assert len(history) == 5
    history.forget(1e9)
    assert len(history) == 0
    history.forget(1e9)


def test_given_a_number_that_is_called_for_ever_then_its_own_past_does_not_grow() -> None:
    history = NumberHistory()
    for hour in range(24 * 365):
        now = 3600.0 * hour
        history.forget(now - 2 * DAY_SECONDS)
        history.note_dial(PHONE, now)
        history.note_request(PHONE, now)

    assert len(history._numbers[PHONE].dials) == len(history._numbers[PHONE].requests) == 49


def test_given_a_steady_stream_of_new_numbers_then_only_those_of_the_time_kept_are_remembered() -> None:
    history = NumberHistory()
    for n in range(5000):
        history.note_request(f"+{n}", float(n))
        history.forget(n - 100)

    assert len(history) == 101


# ---- against a naive evaluator ---------------------------------------------------------------------------

numbers = st.sampled_from(["+1", "+2", "+3"])
zones = st.sampled_from([NEW_YORK, BERLIN, SAO_PAULO, HAVANA, "Australia/Lord_Howe"])
limits_ = st.builds(
    Limits,
    min_gap_seconds=st.sampled_from([0.0, 0.5, 60.0, 7200.0, 86400.0]),
    attempts_per_number_per_day=st.integers(1, 4),
)
STARTS = [at("2026-10-30T12:00:00+00:00"), at("2026-03-06T12:00:00+00:00"), at("2017-10-13T12:00:00+00:00")]


def day(zone: str, moment: float) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d")


class Calls(RuleBasedStateMachine):
    """Time goes on, numbers are dialled and ask, and what is old is forgotten as the engine does it."""

    def __init__(self) -> None:
        super().__init__()
        self.history = NumberHistory()
        self.dials: list[tuple[str, float]] = []
        self.requests: list[tuple[str, float]] = []
        self.now = 0.0

    @precondition(lambda self: self.now == 0)
    @rule(start=st.sampled_from(STARTS))
    def begin(self, start: float) -> None:
        self.now = start

    @precondition(lambda self: self.now > 0)
    @rule(seconds=st.one_of(st.sampled_from([0.0, 1.0, 60.0, 3600.0]), st.integers(0, 100_000).map(lambda n: n / 4)))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.now > 0)
    @rule(phone=numbers, times=st.integers(1, 4))
    def dial(self, phone: str, times: int) -> None:
        for _time in range(times):
            self.history.note_dial(phone, self.now)
            self.dials.append((phone, self.now))

    @precondition(lambda self: self.now > 0)
    @rule(phone=numbers)
    def request(self, phone: str) -> None:
        self.history.note_request(phone, self.now)
        self.requests.append((phone, self.now))

    @precondition(lambda self: self.now > 0)
    @rule(limits=limits_)
    def restart(self, limits: Limits) -> None:
        since = self.now - kept_seconds(limits)
        self.history = NumberHistory()
        self.history.restore(reversed(self.dials), (each for each in self.requests if each[1] >= since))

    @precondition(lambda self: self.now > 0)
    @rule(phone=numbers, zone=zones)
    def count(self, phone: str, zone: str) -> None:
        today = sum(p == phone and day(zone, moment) == day(zone, self.now) for p, moment in self.requests)
        assert self.history.requests_today(phone, zone, self.now) == today

    @precondition(lambda self: self.now > 0)
    @rule(phone=numbers, zone=zones, limits=limits_, later=st.integers(0, 100_000))
    def ask(self, phone: str, zone: str, limits: Limits, later: int) -> None:
        asked = self.now + later
        self.history.forget(self.now - kept_seconds(limits))
        allowed = self.history.next_dial_at(phone, zone, asked, limits)
        assert allowed >= asked
        assert self.may_be_dialled(phone, zone, allowed, limits)
        earlier = {asked, *(asked + (allowed - asked) * part / 64 for part in range(64)), allowed - 1, allowed - 0.25}
        for moment in earlier:
            assert not asked <= moment < allowed or not self.may_be_dialled(phone, zone, moment, limits)
        assert self.history.next_dial_at(phone, zone, allowed, limits) == allowed

    def may_be_dialled(self, phone: str, zone: str, moment: float, limits: Limits) -> bool:
        dials = [each for number, each in self.dials if number == phone]
        today = sum(day(zone, each) == day(zone, moment) for each in dials)
        apart = all(moment - each >= limits.min_gap_seconds for each in dials)
        return apart and today < limits.attempts_per_number_per_day

    @invariant()
    def only_noted_numbers_are_remembered(self) -> None:
        assert len(self.history) <= len({phone for phone, _at in (*self.dials, *self.requests)})


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=100, stateful_step_count=40, derandomize=True, deadline=None)


@given(
    dials=st.lists(st.tuples(numbers, st.floats(0, 1e6)), max_size=12),
    requests=st.lists(st.tuples(numbers, st.floats(0, 1e6)), max_size=12),
    limits=limits_,
)
def test_given_the_same_past_in_any_order_then_the_answers_are_the_same(
    dials: list[tuple[str, float]], requests: list[tuple[str, float]], limits: Limits
) -> None:
    one, other = NumberHistory(), NumberHistory()
    one.restore(dials, requests)
    other.restore(dials[::-1], requests[::-1])

    for phone in ("+1", "+2", "+3"):
        assert one.requests_today(phone, BERLIN, 5e5) == other.requests_today(phone, BERLIN, 5e5)
        first, again = (each.next_dial_at(phone, BERLIN, 5e5, limits) for each in (one, one))
        assert first == again == other.next_dial_at(phone, BERLIN, 5e5, limits)
