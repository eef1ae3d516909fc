"""When a number may be called: tables of the odd days, and a naive look at every minute beside the real answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.core import permission
from engine.core.hours import DAY_SECONDS
from engine.core.permission import (
    COMMON_DAYS,
    SEARCHED_DAYS,
    SEARCHED_ROUNDS,
    CallingWindow,
    earliest,
    local_day,
    local_midnight_after,
    window_opens_at,
)

NEW_YORK, BERLIN, LORD_HOWE, HAVANA = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"
SAO_PAULO, APIA, ST_JOHNS, SYDNEY = "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns", "Australia/Sydney"
ZONES = (NEW_YORK, BERLIN, LORD_HOWE, HAVANA, SAO_PAULO, APIA, ST_JOHNS, SYDNEY, "Asia/Kathmandu", "UTC")
AUSTRALIAN_MOBILE = (SYDNEY, "Australia/Adelaide", "Australia/Perth", "Indian/Christmas", "Indian/Cocos")
ODD_DAYS = [
    "2026-03-08 New York, an hour skipped",
    "2026-11-01 New York, an hour twice",
    "2026-03-29 Berlin",
    "2026-10-25 Berlin",
    "2026-04-05 Lord Howe, half an hour twice; Sydney",
    "2026-10-04 Lord Howe, half an hour skipped; Sydney",
    "2017-10-15 Sao Paulo, no midnight",
    "2018-02-18 Sao Paulo, before midnight an hour twice",
    "2024-03-10 Havana, no midnight",
    "2024-11-03 Havana, midnight twice",
    "2011-12-30 Apia, a day skipped",
    "2010-11-07 St. John's, one minute of a day before the day before comes back",
    "2026-07-15 an ordinary day",
]


def at(text: str) -> float:
    """The moment of an ISO time with its offset."""
    return datetime.fromisoformat(text).timestamp()


def window(start: str, end: str) -> CallingWindow:
    seconds = [
        moment.hour * 3600 + moment.minute * 60 + moment.second for moment in map(time.fromisoformat, (start, end))
    ]
    return CallingWindow(*seconds)


DAYTIME = window("08:00", "21:00")


# ---- one zone, on paper ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "zone", "asked", "opens"),
    [
        # inside, and exactly at both ends
        (DAYTIME, NEW_YORK, "2026-07-15T12:00:00.25-04:00", "2026-07-15T12:00:00.25-04:00"),
        (DAYTIME, NEW_YORK, "2026-07-15T08:00:00-04:00", "2026-07-15T08:00:00-04:00"),
        (DAYTIME, NEW_YORK, "2026-07-15T07:59:59.9-04:00", "2026-07-15T08:00:00-04:00"),
        (DAYTIME, NEW_YORK, "2026-07-15T20:59:59.9-04:00", "2026-07-15T20:59:59.9-04:00"),
        (DAYTIME, NEW_YORK, "2026-07-15T21:00:00-04:00", "2026-07-16T08:00:00-04:00"),
        # seconds count
        (window("08:00:07", "21:00"), NEW_YORK, "2026-07-15T08:00:06.5-04:00", "2026-07-15T08:00:07-04:00"),
        # past midnight, and the whole day
        (window("20:00", "02:00"), BERLIN, "2026-07-15T01:59:59+02:00", "2026-07-15T01:59:59+02:00"),
        (window("20:00", "02:00"), BERLIN, "2026-07-15T02:00:00+02:00", "2026-07-15T20:00:00+02:00"),
        (window("20:00", "00:00"), BERLIN, "2026-07-15T00:00:00+02:00", "2026-07-15T20:00:00+02:00"),
        (window("09:00", "09:00"), BERLIN, "2026-07-15T03:00:00+02:00", "2026-07-15T03:00:00+02:00"),
        # the night between is an hour shorter or longer
        (DAYTIME, NEW_YORK, "2026-03-07T22:00:00-05:00", "2026-03-08T08:00:00-04:00"),
        (DAYTIME, NEW_YORK, "2026-10-31T22:00:00-04:00", "2026-11-01T08:00:00-05:00"),
        # opens within the skipped hour: when the clock jumps
        (window("02:30", "05:00"), NEW_YORK, "2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"),
        (window("02:30", "05:00"), NEW_YORK, "2026-03-09T01:00:00-04:00", "2026-03-09T02:30:00-04:00"),
        # closes within the skipped hour: when the clock jumps
        (window("01:00", "02:30"), NEW_YORK, "2026-03-08T01:59:59-05:00", "2026-03-08T01:59:59-05:00"),
        (window("01:00", "02:30"), NEW_YORK, "2026-03-08T03:00:00-04:00", "2026-03-09T01:00:00-04:00"),
        # lies within the skipped hour: not on that day
        (window("02:10", "02:50"), NEW_YORK, "2026-03-08T00:00:00-05:00", "2026-03-09T02:10:00-04:00"),
        # the hour that comes twice: inside both times, and what is outside of it is outside both times
        (window("01:00", "01:30"), NEW_YORK, "2026-11-01T01:10:00-04:00", "2026-11-01T01:10:00-04:00"),
        (window("01:00", "01:30"), NEW_YORK, "2026-11-01T01:30:00-04:00", "2026-11-01T01:00:00-05:00"),
        (window("01:00", "01:30"), NEW_YORK, "2026-11-01T01:10:00-05:00", "2026-11-01T01:10:00-05:00"),
        (window("01:00", "01:30"), NEW_YORK, "2026-11-01T01:30:00-05:00", "2026-11-02T01:00:00-05:00"),
        (window("00:30", "01:30"), NEW_YORK, "2026-11-01T01:45:00-04:00", "2026-11-01T01:00:00-05:00"),
        (window("01:45", "06:00"), NEW_YORK, "2026-11-01T01:50:00-04:00", "2026-11-01T01:50:00-04:00"),
        (window("01:45", "06:00"), NEW_YORK, "2026-11-01T01:30:00-05:00", "2026-11-01T01:45:00-05:00"),
        # half an hour
        (window("02:15", "05:00"), LORD_HOWE, "2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00"),
        (window("01:40", "01:50"), LORD_HOWE, "2026-04-05T01:50:00+11:00", "2026-04-05T01:40:00+10:30"),
        # a day that was skipped
        (window("08:00", "09:00"), APIA, "2011-12-29T09:00:00-10:00", "2011-12-31T08:00:00+14:00"),
        (window("23:00", "01:00"), APIA, "2011-12-29T23:59:59-10:00", "2011-12-29T23:59:59-10:00"),
    ],
)
def test_given_a_moment_then_the_window_opens_at(hours: CallingWindow, zone: str, asked: str, opens: str) -> None:
    assert window_opens_at(hours, (zone,), at(asked)) == at(opens)


def test_given_the_last_moment_before_a_second_then_it_is_not_rounded_into_it() -> None:
    opening = at("2026-07-15T08:00:00-04:00")
    just_before = opening - 2**-22
    assert opening - 2e-6 < just_before < opening

    assert window_opens_at(DAYTIME, (NEW_YORK,), just_before) == opening
    assert local_day("UTC", at("2026-07-15T00:00:00+00:00") - 2**-22) == date(2026, 7, 14)
    assert local_midnight_after("UTC", at("2026-07-15T00:00:00+00:00") - 2**-22) == at("2026-07-15T00:00:00+00:00")


# ---- several zones ---------------------------------------------------------------------------------------


def test_given_an_australian_mobile_then_the_window_is_open_where_it_is_open_everywhere() -> None:
    opens = at("2026-07-15T08:00:00+06:30")  # on Cocos, when Sydney has 11:30
    closes = at("2026-07-15T21:00:00+10:00")  # in Sydney

    assert window_opens_at(DAYTIME, AUSTRALIAN_MOBILE, at("2026-07-15T08:00:00+10:00")) == opens
    assert window_opens_at(DAYTIME, AUSTRALIAN_MOBILE, opens) == opens
    assert window_opens_at(DAYTIME, AUSTRALIAN_MOBILE, closes - 1) == closes - 1
    assert window_opens_at(DAYTIME, AUSTRALIAN_MOBILE, closes) == opens + DAY_SECONDS


def test_given_zones_that_never_agree_then_the_first_one_counts_and_stands_when_asked_again() -> None:
    morning, zones = window("09:00", "11:00"), (SYDNEY, NEW_YORK)

    opens = window_opens_at(morning, zones, at("2026-07-15T12:00:00+10:00"))

    assert opens == at("2026-07-16T09:00:00+10:00")
    assert window_opens_at(morning, zones, opens) == opens
    assert window_opens_at(morning, zones[::-1], at("2026-07-15T12:00:00+10:00")) == at("2026-07-15T09:00:00-04:00")


# Phoenix keeps its clock, so it has Denver's time from the first Sunday of November on.
TOGETHER = at("2026-11-01T09:00:00-07:00")


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        (TOGETHER - COMMON_DAYS * DAY_SECONDS, TOGETHER),
        (TOGETHER - COMMON_DAYS * DAY_SECONDS - 7200, TOGETHER),
        (TOGETHER - (COMMON_DAYS + 1) * DAY_SECONDS, TOGETHER - (COMMON_DAYS + 1) * DAY_SECONDS),
        (TOGETHER - (COMMON_DAYS + 1) * DAY_SECONDS - 7200, TOGETHER - (COMMON_DAYS + 1) * DAY_SECONDS),
    ],
)
def test_given_zones_that_agree_after_a_change_of_clocks_then_it_is_waited_for_a_few_days(
    asked: float, opens: float
) -> None:
    assert window_opens_at(window("09:00", "10:00"), ("America/Phoenix", "America/Denver"), asked) == opens


def test_given_no_zone_or_an_unknown_one_then_it_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        window_opens_at(DAYTIME, (), 0.0)
    with pytest.raises(ZoneInfoNotFoundError):
        window_opens_at(DAYTIME, ("Mars/Olympus_Mons",), 0.0)


# ---- against a naive evaluator ---------------------------------------------------------------------------


def inside(hours: CallingWindow, zone: str, moment: float) -> bool:
    """By the clock on the wall, as a person would look."""
    wall = datetime.fromtimestamp(int(moment // 1), ZoneInfo(zone)).time()
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    start = (midnight + timedelta(seconds=hours.start_seconds)).time()
    end = (midnight + timedelta(seconds=hours.end_seconds)).time()
    if start < end:
        return start <= wall < end
    return wall >= start or wall < end


def inside_all(hours: CallingWindow, zones: tuple[str, ...], moment: float) -> bool:
    return all(inside(hours, zone, moment) for zone in zones)


times_of_day = st.integers(0, DAY_SECONDS - 1)
hours_ = st.builds(CallingWindow, times_of_day, times_of_day)
near_odd_days = st.builds(
    lambda day, offset: datetime.fromisoformat(day[:10]).replace(tzinfo=UTC).timestamp() + offset,
    st.sampled_from(ODD_DAYS),
    st.one_of(st.integers(-2 * DAY_SECONDS, 2 * DAY_SECONDS), st.floats(-2 * DAY_SECONDS, 2 * DAY_SECONDS)),
)


@settings(deadline=None)  # the naive look at every minute takes its time
@given(hours=hours_, zone=st.sampled_from(ZONES), asked=near_odd_days)
def test_given_any_window_in_one_zone_then_it_opens_then_and_at_no_second_before(
    hours: CallingWindow, zone: str, asked: float
) -> None:
    opens = window_opens_at(hours, (zone,), asked)

    assert opens >= asked
    assert inside(hours, zone, opens)
    assert opens == asked or opens == int(opens)
    assert opens <= asked + 2 * DAY_SECONDS, "one skipped opening at most"
    if opens > asked:
        assert not inside(hours, zone, asked)
        assert not inside(hours, zone, opens - 1)
        assert not any(inside(hours, zone, moment) for moment in range(int(asked) + 1, int(opens), 61))
    assert window_opens_at(hours, (zone,), opens) == opens


@settings(deadline=None)
@given(
    hours=hours_,
    zones=st.lists(st.sampled_from(ZONES), min_size=2, max_size=4, unique=True).map(tuple),
    asked=near_odd_days,
)
@example(CallingWindow(32400, 39600), (SYDNEY, NEW_YORK), 1_784_000_000.0)
def test_given_any_window_in_several_zones_then_it_is_open_in_all_or_else_in_the_first(
    hours: CallingWindow, zones: tuple[str, ...], asked: float
) -> None:
    opens = window_opens_at(hours, zones, asked)
    first = window_opens_at(hours, zones[:1], asked)

    if inside_all(hours, zones, opens):
        looked_at = range(int(asked) + 1, int(opens), 61)
        assert not any(inside_all(hours, zones, moment) for moment in looked_at)
        assert opens == asked or not inside_all(hours, zones, opens - 1)
    else:
        assert opens == first
        looked_at = range(int(asked) + 1, int(first) + COMMON_DAYS * DAY_SECONDS, 61)
        assert not any(inside_all(hours, zones, moment) for moment in looked_at)
    assert window_opens_at(hours, zones, opens) == opens


# ---- local days ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "asked", "midnight"),
    [
        (NEW_YORK, "2026-07-15T12:00:00-04:00", "2026-07-16T00:00:00-04:00"),
        (NEW_YORK, "2026-07-15T00:00:00-04:00", "2026-07-16T00:00:00-04:00"),
        (NEW_YORK, "2026-07-15T23:59:59.5-04:00", "2026-07-16T00:00:00-04:00"),
        (NEW_YORK, "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00"),
        (NEW_YORK, "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"),
        (SAO_PAULO, "2017-10-14T12:00:00-03:00", "2017-10-15T01:00:00-02:00"),
        (SAO_PAULO, "2018-02-17T22:30:00-02:00", "2018-02-18T00:00:00-03:00"),
        (SAO_PAULO, "2018-02-17T23:30:00-02:00", "2018-02-18T00:00:00-03:00"),
        (HAVANA, "2024-11-03T00:30:00-04:00", "2024-11-04T00:00:00-05:00"),
        (HAVANA, "2024-11-02T23:00:00-04:00", "2024-11-03T00:00:00-04:00"),
        (APIA, "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"),
        (ST_JOHNS, "2010-11-07T00:00:30-02:30", "2010-11-08T00:00:00-03:30"),
        (ST_JOHNS, "2010-11-06T23:30:00-03:30", "2010-11-07T00:00:00-03:30"),
        ("Asia/Kathmandu", "2026-07-15T23:00:00+05:45", "2026-07-16T00:00:00+05:45"),
    ],
)
def test_given_a_moment_then_the_next_local_midnight_is(zone: str, asked: str, midnight: str) -> None:
    assert local_midnight_after(zone, at(asked)) == at(midnight)


@given(zone=st.sampled_from(ZONES), asked=near_odd_days)
def test_given_any_moment_then_its_day_lasts_until_the_next_midnight(zone: str, asked: float) -> None:
    midnight = local_midnight_after(zone, asked)
    today = datetime.fromtimestamp(int(asked // 1), ZoneInfo(zone)).date()

    assert local_day(zone, asked) == today
    assert asked < midnight <= asked + 26 * 3600
    assert local_day(zone, midnight) > today
    assert local_day(zone, midnight - 1) <= today
    assert all(local_day(zone, moment) <= today for moment in range(int(asked) + 1, int(midnight), 601))


# ---- several rules ---------------------------------------------------------------------------------------


def multiples(step: int, rest: int = 0) -> Callable[[float], float | None]:
    """Permits the whole seconds that leave this rest."""
    return lambda moment: -(-(moment - rest) // step) * step + rest


def only_until(end: float) -> Callable[[float], float | None]:
    return lambda moment: moment if moment < end else None


@given(
    asked=st.integers(0, 10_000),
    rules=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 11)), max_size=3),
)
def test_given_any_rules_then_the_first_moment_is_found_that_all_permit(
    asked: int, rules: list[tuple[int, int]]
) -> None:
    candidates = (moment for moment in range(asked, asked + 2000) if all(moment % m == r % m for m, r in rules))

    assert earliest(asked, *(multiples(step, rest % step) for step, rest in rules)) == next(candidates, None)


def test_given_a_rule_that_says_never_then_the_answer_is_never() -> None:
    assert earliest(5.0, multiples(10), only_until(10.0)) is None
    assert earliest(5.0, multiples(10), only_until(10.5)) == 10.0


def test_given_no_rule_then_the_moment_itself_is_permitted() -> None:
    assert earliest(5.5) == 5.5


def test_given_windows_that_never_meet_then_the_search_ends() -> None:
    morning = window("09:00", "10:00")
    asked = []

    def in_new_york(moment: float) -> float:
        asked.append(moment)
        return window_opens_at(morning, (NEW_YORK,), moment)

    assert (
        earliest(at("2026-07-15T00:00:00-04:00"), in_new_york, lambda m: window_opens_at(morning, (BERLIN,), m)) is None
    )
    assert len(asked) <= SEARCHED_DAYS + 2


def test_given_rules_that_creep_away_from_each_other_then_the_search_ends() -> None:
    assert earliest(0.0, lambda moment: moment + 1) is None
    assert earliest(0.0, multiples(2), multiples(2, 1)) is None


@pytest.mark.parametrize(("days", "found"), [(SEARCHED_DAYS, True), (SEARCHED_DAYS + 1, False)])
def test_given_a_moment_far_away_then_it_is_found_within_the_days_searched(
    days: int,
    found: bool,  # noqa: FBT001 - a column of the table
) -> None:
    far = float(days * DAY_SECONDS)

    assert earliest(0.0, lambda moment: max(moment, far)) == (far if found else None)


def test_given_rules_that_meet_late_then_no_round_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = multiples(7), multiples(11, 5), multiples(13, 6)
    meeting = next(m for m in range(1, 1002) if m % 7 == 0 and m % 11 == 5 and m % 13 == 6)

    assert earliest(1.0, *rules) == meeting
    monkeypatch.setattr(permission, "SEARCHED_ROUNDS", 2)
    assert earliest(1.0, *rules) is None
    assert SEARCHED_ROUNDS > 2 * SEARCHED_DAYS
