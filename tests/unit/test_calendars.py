"""Calendars of the services document: hours, holidays and special days as the core knows them, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import yaml

from engine.core.configuration import SlotPolicy
from engine.core.hours import Calendar, CalendarId, Interval, is_open, open_periods
from engine.core.terms import ServiceId
from engine.document import parse
from engine.document.public_holidays import public_holidays, regions_of
from engine.errors import DocumentError
from tests.unit.test_document import EXAMPLE, changed

NINE_TO_FIVE = (Interval(9 * 3600, 17 * 3600),)


def document(**fields: object) -> dict[str, Any]:
    return {"calendars": [{"id": "office", "timezone": "America/New_York", **fields}]}


def office(**fields: object) -> Calendar:
    return parse(document(**fields)).configuration.calendars[CalendarId("office")]


def closed_days(**holidays: object) -> frozenset[date]:
    return office(holidays=holidays).closed_days


def problems(**fields: object) -> list[tuple[str, str]]:
    """Each problem's path below the calendar and its message."""
    with pytest.raises(DocumentError) as error:
        parse(document(**fields))
    return [(each.field.removeprefix("calendars[0]."), each.message) for each in error.value.problems]


@pytest.fixture
def machine_speaks_german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was worked out in another language before, and what is worked out here, counts for no other test."""
    monkeypatch.setenv("LANGUAGE", "de")
    public_holidays.cache_clear()
    yield
    public_holidays.cache_clear()


@pytest.mark.parametrize(
    ("days", "open_on"),
    [
        ("mon", "mon"),
        ("mon-fri", "mon tue wed thu fri"),
        ("sat-sun", "sat sun"),
        ("mon-sun", "mon tue wed thu fri sat sun"),
        ("fri-mon", "mon fri sat sun"),
        ("sun-mon", "mon sun"),
        ("sun-sat", "mon tue wed thu fri sat sun"),
        ("wed-wed", "wed"),
    ],
)
def test_given_days_of_the_week_then_a_range_holds_both_ends_and_may_go_over_sunday(days: str, open_on: str) -> None:
    weekly = office(weekly={days: ["09:00-17:00"]}).weekly
    week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    assert dict(zip(week, weekly, strict=True)) == {day: NINE_TO_FIVE if day in open_on else () for day in week}


@pytest.mark.parametrize(
    ("hours", "start", "end"),
    [
        ("09:00-17:00", 32400, 61200),
        ("09:00:30-09:00:45", 32430, 32445),
        ("00:00-24:00", 0, 86400),
        ("12:00-24:00", 43200, 86400),
        ("22:00-00:00", 79200, 86400),
        ("22:00-02:00", 79200, 93600),
        ("12:00-11:59:59", 43200, 129599),
    ],
)
def test_given_hours_then_an_end_before_the_beginning_is_on_the_next_day(hours: str, start: int, end: int) -> None:
    assert office(weekly={"mon": [hours]}).weekly[0] == (Interval(start, end),)
    assert office(special_days={"2026-12-31": [hours]}).special_days == {date(2026, 12, 31): (Interval(start, end),)}


def test_given_several_hours_of_a_day_then_they_are_in_order() -> None:
    afternoon, morning = Interval(13 * 3600, 17 * 3600), Interval(9 * 3600, 12 * 3600)
    assert office(weekly={"tue": ["13:00-17:00", "09:00-12:00"]}).weekly[1] == (morning, afternoon)


def test_given_no_hours_at_all_then_the_calendar_is_closed_for_ever() -> None:
    calendar = office()
    assert calendar == Calendar(CalendarId("office"), "America/New_York", ((),) * 7)
    assert open_periods(calendar, 0, 100 * 86400) == []


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"weekly": {"mon-fri": ["09:00-17:00"], "fri": ["09:00-12:00"]}},
            "weekly.fri",
            "fri is in mon-fri already; name each day once",
        ),
        (
            {"weekly": {"fri-mon": [], "sun-tue": []}},
            "weekly.sun-tue",
            "sun is in fri-mon already; name each day once",
        ),
        (
            {"weekly": {"mon": ["09:00-12:00", "11:59-17:00"]}},
            "weekly.mon[1]",
            "overlaps 09:00-12:00; make one of the two",
        ),
        (
            {"weekly": {"mon": ["13:00-17:00", "20:00-02:00", "12:00-13:01"]}},
            "weekly.mon[2]",
            "overlaps 13:00-17:00; make one of the two",
        ),
        (
            {"weekly": {"mon": ["22:00-02:00", "23:00-23:30"]}},
            "weekly.mon[1]",
            "overlaps 22:00-02:00; make one of the two",
        ),
        (
            {"weekly": {"mon": ["09:00-17:00", "09:00-17:00"]}},
            "weekly.mon[1]",
            "overlaps 09:00-17:00; make one of the two",
        ),
        ({"weekly": {"mon": ["10:00-10:00"]}}, "weekly.mon[0]", "has no length; a whole day is 00:00-24:00"),
        ({"weekly": {"mon": ["10:00-10:00:00"]}}, "weekly.mon[0]", "has no length; a whole day is 00:00-24:00"),
        (
            {"special_days": {"2026-12-31": ["09:00-13:00", "12:00-14:00"]}},
            "special_days.2026-12-31[1]",
            "overlaps 09:00-13:00; make one of the two",
        ),
        (
            {"special_days": {"2026-12-31": ["00:00-00:00"]}},
            "special_days.2026-12-31[0]",
            "has no length; a whole day is 00:00-24:00",
        ),
        (
            {"holidays": {"country": "AC"}},
            "holidays.country",
            "no holidays of it are known; leave it out and name each day in add",
        ),
        ({"holidays": {"country": "US", "region": "NYC"}}, "holidays.region", "is no region of US; did you mean NY?"),
        (
            {"holidays": {"country": "JP", "region": "Tokyo"}},
            "holidays.region",
            "is no region of JP; its holidays are the same everywhere; leave it out",
        ),
        (
            {"holidays": {"country": "US", "except": ["Labor Day", "Colombus Day"]}},
            "holidays.except[1]",
            "is no holiday there; did you mean Columbus Day?",
        ),
        (
            {"holidays": {"country": "NZ", "except": ["Zzz"]}},
            "holidays.except[0]",
            "is no holiday there; known here: Anzac Day",
        ),
        ({"holidays": {"region": "NY"}}, "holidays.country", "is missing; region and except need it"),
        ({"holidays": {"except": ["Labor Day"]}}, "holidays.country", "is missing; region and except need it"),
    ],
)
def test_given_a_calendar_that_cannot_be_then_the_field_says_how_to_mend_it(
    fields: dict[str, Any], path: str, message: str
) -> None:
    ((field, said),) = problems(**fields)
    assert field == path
    assert said.startswith(message)


def test_given_several_problems_then_all_are_told() -> None:
    found = problems(
        weekly={"mon-fri": ["09:00-17:00"], "mon": ["10:00-10:00"]}, holidays={"country": "US", "region": "QQ"}
    )
    assert [field for field, _ in found] == ["weekly.mon", "weekly.mon[0]", "holidays.region"]


def test_given_hours_that_touch_or_reach_into_the_next_day_then_they_are_taken() -> None:
    calendar = office(weekly={"mon": ["09:00-12:00", "12:00-13:00", "22:00-02:00"], "tue": ["01:00-03:00"]})
    assert [len(hours) for hours in calendar.weekly] == [3, 1, 0, 0, 0, 0, 0]


# ---- holidays ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holidays", "closed", "not_closed"),
    [
        pytest.param({"country": "US"}, "2026-01-01 2026-11-26", "2026-02-12", id="country"),
        pytest.param({"country": "US", "region": "NY"}, "2026-01-01 2026-02-12", "2026-04-20", id="region"),
        pytest.param({"country": "DE"}, "2026-10-03 2026-12-26", "2026-01-06", id="another-country"),
        pytest.param({"country": "DE", "region": "BY"}, "2026-01-06", "2026-10-31", id="another-region"),
        pytest.param({"country": "US"}, "2020-01-01 2060-12-25", "2019-12-25 2061-01-01", id="years-2020-to-2060"),
        pytest.param({"add": ["2026-12-24", "2071-01-01"]}, "2026-12-24 2071-01-01", "2026-12-25", id="only-added"),
        pytest.param({"country": "US", "add": ["2026-12-24"]}, "2026-12-24 2026-12-25", "", id="added"),
        pytest.param(
            {"country": "US", "except": ["Columbus Day"]},
            "2026-09-07",
            "2025-10-13 2026-10-12 2059-10-13",
            id="excepted-in-every-year",
        ),
        pytest.param({"country": "US"}, "2026-07-03 2026-07-04", "", id="observed-beside-the-day-itself"),
        pytest.param(
            {"country": "US", "except": ["Independence Day"]},
            "",
            "2026-07-03 2026-07-04",
            id="excepted-with-its-observed-form",
        ),
        pytest.param(
            {"country": "US", "except": ["Independence Day (observed)"]},
            "2026-07-04",
            "2026-07-03",
            id="only-the-observed-form-excepted",
        ),
        pytest.param(
            {"country": "US", "region": "NY", "except": ["Susan B. Anthony Day"]},
            "2021-02-15",
            "2022-02-15",
            id="closed-while-another-name-is-left",
        ),
        pytest.param(
            {"country": "US", "region": "NY", "except": ["Susan B. Anthony Day", "Washington's Birthday"]},
            "2021-05-31",
            "2021-02-15 2022-02-15 2022-02-21",
            id="open-when-no-name-is-left",
        ),
        pytest.param(
            {"country": "US", "except": ["Christmas Day"], "add": ["2026-12-25"]},
            "2026-12-25",
            "2027-12-25",
            id="added-though-excepted",
        ),
        pytest.param(
            {"country": "DE", "except": ["Tag der Deutschen Einheit"]}, "2026-12-25", "2026-10-03", id="own-language"
        ),
        pytest.param({"country": "DE", "except": ["German Unity Day"]}, "2026-12-25", "2026-10-03", id="english"),
        pytest.param({"country": "NZ", "except": ["Waitangi Day"]}, "2026-04-25", "2026-02-06", id="no-translations"),
        pytest.param(
            {"country": "SA", "except": ["Eid al-Fitr Holiday"]},
            "2026-09-23",
            "2026-03-20",
            id="estimated-dates-go-with-their-name",
        ),
        pytest.param({"country": "IN"}, "2026-01-26 2050-01-26", "", id="known-in-part-to-the-end"),
    ],
)
def test_given_holidays_then_these_days_are_closed_and_those_are_not(
    holidays: dict[str, Any], closed: str, not_closed: str
) -> None:
    found = closed_days(**holidays)
    assert [day for day in closed.split() if date.fromisoformat(day) not in found] == []
    assert [day for day in not_closed.split() if date.fromisoformat(day) in found] == []
    if "except" in holidays:
        without = closed_days(**{**holidays, "except": []})
        assert [day for day in not_closed.split() if date.fromisoformat(day) not in without] == []


@pytest.mark.usefixtures("machine_speaks_german")
@pytest.mark.parametrize("name", ["German Unity Day", "Tag der Deutschen Einheit"])
def test_given_a_machine_in_another_language_then_names_are_the_same(name: str) -> None:
    assert date(2026, 10, 3) not in closed_days(country="DE", **{"except": [name]})


def test_given_a_country_with_names_of_many_kinds_then_they_are_known_without_a_warning() -> None:
    for country in ("CN", "GB", "ID", "IN", "KR", "MY", "UA"):
        assert regions_of(country) is not None
        assert public_holidays(country, None).names()


def test_given_a_document_without_a_country_then_the_package_of_holidays_is_not_loaded() -> None:
    program = """
import sys, engine.app
from engine.document import parse
calendar = {"id": "office", "timezone": "Europe/Berlin", "holidays": {"add": ["2026-12-24"]}}
parse({"calendars": [calendar]})
print("holidays" in sys.modules)
parse({"calendars": [{**calendar, "holidays": {"country": "DE"}}]})
print("holidays" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


# ---- services ------------------------------------------------------------------------------------------


def test_given_a_service_with_slots_then_its_policy_and_calendar_are_the_documents() -> None:
    written = changed("services.0.slots", {"minutes": 15, "capacity": 3, "days_ahead": 30, "min_notice_seconds": 600})
    written["services"][0]["calendar"] = "office"
    configuration = parse({**written, **document()}).configuration
    service = configuration.services[ServiceId("billing")]
    assert service.slots == SlotPolicy(15, 3, 30, 600)
    assert service.calendar == "office"
    assert list(configuration.calendars) == ["office"]


def test_given_slots_with_nothing_said_then_they_have_the_cores_defaults() -> None:
    written = changed("services.0.slots", {})
    written["services"][0]["calendar"] = "office"
    assert parse({**written, **document()}).configuration.services[ServiceId("billing")].slots == SlotPolicy()


def test_given_a_service_without_slots_then_it_has_none_and_may_have_a_calendar() -> None:
    configuration = parse({**changed("services.0.calendar", "office"), **document()}).configuration
    service = configuration.services[ServiceId("billing")]
    assert (service.slots, service.calendar) == (None, "office")


def test_given_slots_without_a_calendar_then_the_service_is_refused() -> None:
    with pytest.raises(DocumentError) as error:
        parse(changed("services.0.slots", {"minutes": 30}))
    assert [(each.field, each.message) for each in error.value.problems] == [
        ("services[0].slots", "slots are cut from the hours of a calendar; name one in calendar")
    ]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param("2026-06-01T09:00-04:00", "open", id="monday-morning"),
        pytest.param("2026-06-01T17:00-04:00", "closed", id="monday-evening"),
        pytest.param("2026-06-06T11:59-04:00", "open", id="saturday-morning"),
        pytest.param("2026-06-06T12:00-04:00", "closed", id="saturday-noon"),
        pytest.param("2026-06-07T10:00-04:00", "closed", id="sunday"),
        pytest.param("2026-10-12T10:00-04:00", "open", id="columbus-day-is-excepted"),
        pytest.param("2026-11-26T10:00-05:00", "closed", id="thanksgiving"),
        pytest.param("2026-12-24T10:00-05:00", "closed", id="an-added-day"),
        pytest.param("2026-12-31T12:59-05:00", "open", id="a-special-day"),
        pytest.param("2026-12-31T13:00-05:00", "closed", id="a-special-day-closes-early"),
        pytest.param("2027-01-01T10:00-05:00", "closed", id="new-years-day"),
    ],
)
def test_given_the_example_of_the_reference_then_it_is_open_as_it_says(at: str, shown: str) -> None:
    calendar = parse(yaml.safe_load(EXAMPLE)).configuration.calendars[CalendarId("office")]
    assert is_open(calendar, datetime.fromisoformat(at).timestamp()) is (shown == "open")
