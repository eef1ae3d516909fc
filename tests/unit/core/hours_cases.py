"""The hours of calendars, written by hand: what is open in a range. `test_hours` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core.hours import Calendar, Period
from tests.unit.core.calendars import (
    APIA,
    AUCKLAND,
    BERLIN,
    LORD_HOWE,
    NEW_YORK,
    SANTIAGO,
    ST_JOHNS,
    calendar,
    moment,
)


@dataclass(frozen=True)
class Case:
    """`week` in a zone; in `within` it is open in the periods of `expected`, one a line."""

    id: str
    timezone: str
    week: dict[str, str] | str
    within: str
    expected: str
    closed: str = ""
    special: dict[str, str] = field(default_factory=dict)

    @property
    def calendar(self) -> Calendar:
        return calendar(self.timezone, self.week, closed=self.closed, special=self.special)


def stretch(text: str) -> tuple[float, float]:
    start, end = map(moment, text.split(" to "))
    return start, end


def stretches(text: str) -> list[Period]:
    return [Period(*stretch(line.strip())) for line in text.strip().splitlines() if line.strip()]


NY_SPRING = "2025-03-09T00:00-05:00 to 2025-03-10T00:00-04:00"
NY_FALL = "2025-11-02T00:00-04:00 to 2025-11-03T00:00-05:00"
BERLIN_SPRING = "2025-03-30T00:00+01:00 to 2025-03-31T00:00+02:00"
BERLIN_FALL = "2025-10-26T00:00+02:00 to 2025-10-27T00:00+01:00"
HOWE_FALL = "2025-04-06T00:00+11:00 to 2025-04-07T00:00+10:30"
HOWE_SPRING = "2025-10-05T00:00+10:30 to 2025-10-06T00:00+11:00"
SANTIAGO_FALL = "2025-04-05T00:00-03:00 to 2025-04-07T00:00-04:00"
SANTIAGO_SPRING = "2025-09-06T00:00-04:00 to 2025-09-08T00:00-03:00"
AUCKLAND_FALL = "2025-04-06T00:00+13:00 to 2025-04-07T00:00+12:00"
AUCKLAND_SPRING = "2025-09-28T00:00+12:00 to 2025-09-29T00:00+13:00"
ST_JOHNS_FALL = "2010-11-06T00:00-02:30 to 2010-11-08T00:00-03:30"
APIA_SKIP = "2011-12-29T00:00-10:00 to 2012-01-01T00:00+14:00"
# 2 June 2025 is a Monday.
MONDAY = "2025-06-02T00:00-04:00 to 2025-06-03T00:00-04:00"
THREE_DAYS = "2025-06-02T00:00-04:00 to 2025-06-05T00:00-04:00"

CASES = [
    # The clock goes forward: what it leaves out is never open.
    Case(
        "new-york-spring-hours-around-the-missing-hour",
        NEW_YORK,
        "01:30-04:30",
        NY_SPRING,
        "2025-03-09T01:30-05:00 to 2025-03-09T04:30-04:00",
    ),
    Case("new-york-spring-hours-are-the-missing-hour", NEW_YORK, "02:00-03:00", NY_SPRING, ""),
    Case("new-york-spring-hours-inside-the-missing-hour", NEW_YORK, "02:15-02:45", NY_SPRING, ""),
    Case(
        "new-york-spring-hours-begin-in-the-missing-hour",
        NEW_YORK,
        "02:30-04:00",
        NY_SPRING,
        "2025-03-09T03:00-04:00 to 2025-03-09T04:00-04:00",
    ),
    Case(
        "new-york-spring-hours-end-in-the-missing-hour",
        NEW_YORK,
        "01:00-02:30",
        NY_SPRING,
        "2025-03-09T01:00-05:00 to 2025-03-09T02:00-05:00",
    ),
    Case(
        "new-york-spring-whole-day-has-23-hours",
        NEW_YORK,
        "00:00-24:00",
        NY_SPRING,
        "2025-03-09T05:00+00:00 to 2025-03-10T04:00+00:00",
    ),
    Case(
        "new-york-spring-night-over-the-change",
        NEW_YORK,
        {"sat": "22:00-27:00"},
        "2025-03-08T00:00-05:00 to 2025-03-10T00:00-04:00",
        "2025-03-08T22:00-05:00 to 2025-03-09T03:00-04:00",
    ),
    Case(
        "new-york-spring-night-ends-in-the-missing-hour",
        NEW_YORK,
        {"sat": "22:00-26:30"},
        "2025-03-08T00:00-05:00 to 2025-03-10T00:00-04:00",
        "2025-03-08T22:00-05:00 to 2025-03-09T02:00-05:00",
    ),
    Case(
        "berlin-spring-hours-around-the-missing-hour",
        BERLIN,
        "01:00-04:00",
        BERLIN_SPRING,
        "2025-03-30T01:00+01:00 to 2025-03-30T04:00+02:00",
    ),
    Case(
        "berlin-spring-hours-begin-in-the-missing-hour",
        BERLIN,
        "02:30-03:30",
        BERLIN_SPRING,
        "2025-03-30T03:00+02:00 to 2025-03-30T03:30+02:00",
    ),
    Case("lord-howe-spring-hours-are-the-missing-half-hour", LORD_HOWE, "02:00-02:30", HOWE_SPRING, ""),
    Case(
        "lord-howe-spring-hours-around-the-missing-half-hour",
        LORD_HOWE,
        "01:45-02:45",
        HOWE_SPRING,
        "2025-10-05T01:45+10:30 to 2025-10-05T02:45+11:00",
    ),
    Case(
        "lord-howe-spring-hours-begin-in-the-missing-half-hour",
        LORD_HOWE,
        "02:15-03:00",
        HOWE_SPRING,
        "2025-10-05T02:30+11:00 to 2025-10-05T03:00+11:00",
    ),
    Case(
        "santiago-spring-sunday-begins-at-one",
        SANTIAGO,
        {"sun": "00:00-02:00"},
        SANTIAGO_SPRING,
        "2025-09-07T01:00-03:00 to 2025-09-07T02:00-03:00",
    ),
    Case("santiago-spring-hours-after-the-missing-midnight", SANTIAGO, {"sun": "00:15-00:45"}, SANTIAGO_SPRING, ""),
    Case(
        "santiago-spring-night-over-the-missing-midnight",
        SANTIAGO,
        {"sat": "22:00-26:00"},
        SANTIAGO_SPRING,
        "2025-09-06T22:00-04:00 to 2025-09-07T02:00-03:00",
    ),
    Case(
        "santiago-spring-night-ends-in-the-missing-hour",
        SANTIAGO,
        {"sat": "22:00-24:30"},
        SANTIAGO_SPRING,
        "2025-09-06T22:00-04:00 to 2025-09-07T01:00-03:00",
    ),
    Case(
        "auckland-spring-hours-around-the-missing-hour",
        AUCKLAND,
        "01:30-03:30",
        AUCKLAND_SPRING,
        "2025-09-28T01:30+12:00 to 2025-09-28T03:30+13:00",
    ),
    # The clock goes back: what it shows twice is open twice.
    Case(
        "new-york-fall-hours-inside-the-doubled-hour",
        NEW_YORK,
        "01:15-01:45",
        NY_FALL,
        """2025-11-02T01:15-04:00 to 2025-11-02T01:45-04:00
        2025-11-02T01:15-05:00 to 2025-11-02T01:45-05:00""",
    ),
    Case(
        "new-york-fall-hours-are-the-doubled-hour",
        NEW_YORK,
        "01:00-02:00",
        NY_FALL,
        "2025-11-02T01:00-04:00 to 2025-11-02T02:00-05:00",
    ),
    Case(
        "new-york-fall-hours-end-in-the-doubled-hour",
        NEW_YORK,
        "00:30-01:30",
        NY_FALL,
        """2025-11-02T00:30-04:00 to 2025-11-02T01:30-04:00
        2025-11-02T01:00-05:00 to 2025-11-02T01:30-05:00""",
    ),
    Case(
        "new-york-fall-hours-begin-in-the-doubled-hour",
        NEW_YORK,
        "01:30-03:00",
        NY_FALL,
        """2025-11-02T01:30-04:00 to 2025-11-02T01:00-05:00
        2025-11-02T01:30-05:00 to 2025-11-02T03:00-05:00""",
    ),
    Case(
        "new-york-fall-whole-day-has-25-hours",
        NEW_YORK,
        "00:00-24:00",
        NY_FALL,
        "2025-11-02T04:00+00:00 to 2025-11-03T05:00+00:00",
    ),
    Case(
        "new-york-fall-night-over-the-change",
        NEW_YORK,
        {"sat": "22:00-27:00"},
        "2025-11-01T00:00-04:00 to 2025-11-03T00:00-05:00",
        "2025-11-01T22:00-04:00 to 2025-11-02T03:00-05:00",
    ),
    Case(
        "new-york-fall-night-ends-in-the-doubled-hour",
        NEW_YORK,
        {"sat": "22:00-25:30"},
        "2025-11-01T00:00-04:00 to 2025-11-03T00:00-05:00",
        """2025-11-01T22:00-04:00 to 2025-11-02T01:30-04:00
        2025-11-02T01:00-05:00 to 2025-11-02T01:30-05:00""",
    ),
    Case(
        "new-york-fall-two-intervals-in-the-doubled-hour",
        NEW_YORK,
        "01:10-01:20 01:40-01:50",
        NY_FALL,
        """2025-11-02T01:10-04:00 to 2025-11-02T01:20-04:00
        2025-11-02T01:40-04:00 to 2025-11-02T01:50-04:00
        2025-11-02T01:10-05:00 to 2025-11-02T01:20-05:00
        2025-11-02T01:40-05:00 to 2025-11-02T01:50-05:00""",
    ),
    Case(
        "berlin-fall-hours-inside-the-doubled-hour",
        BERLIN,
        "02:30-02:45",
        BERLIN_FALL,
        """2025-10-26T02:30+02:00 to 2025-10-26T02:45+02:00
        2025-10-26T02:30+01:00 to 2025-10-26T02:45+01:00""",
    ),
    Case(
        "berlin-fall-hours-around-the-doubled-hour",
        BERLIN,
        "01:00-04:00",
        BERLIN_FALL,
        "2025-10-26T01:00+02:00 to 2025-10-26T04:00+01:00",
    ),
    Case(
        "berlin-fall-night-ends-where-the-doubled-hour-begins",
        BERLIN,
        {"sat": "23:00-26:00"},
        "2025-10-25T00:00+02:00 to 2025-10-27T00:00+01:00",
        "2025-10-25T23:00+02:00 to 2025-10-26T02:00+02:00",
    ),
    Case(
        "lord-howe-fall-hours-are-the-doubled-half-hour",
        LORD_HOWE,
        "01:30-02:00",
        HOWE_FALL,
        "2025-04-06T01:30+11:00 to 2025-04-06T02:00+10:30",
    ),
    Case(
        "lord-howe-fall-hours-inside-the-doubled-half-hour",
        LORD_HOWE,
        "01:40-01:50",
        HOWE_FALL,
        """2025-04-06T01:40+11:00 to 2025-04-06T01:50+11:00
        2025-04-06T01:40+10:30 to 2025-04-06T01:50+10:30""",
    ),
    Case(
        "lord-howe-fall-hours-end-in-the-doubled-half-hour",
        LORD_HOWE,
        "01:00-01:45",
        HOWE_FALL,
        """2025-04-06T01:00+11:00 to 2025-04-06T01:45+11:00
        2025-04-06T01:30+10:30 to 2025-04-06T01:45+10:30""",
    ),
    Case(
        "lord-howe-fall-whole-day-has-24-and-a-half-hours",
        LORD_HOWE,
        "00:00-24:00",
        HOWE_FALL,
        "2025-04-05T13:00+00:00 to 2025-04-06T13:30+00:00",
    ),
    Case(
        "santiago-fall-saturdays-last-hour-comes-twice",
        SANTIAGO,
        {"sat": "22:00-23:30"},
        SANTIAGO_FALL,
        """2025-04-05T22:00-03:00 to 2025-04-05T23:30-03:00
        2025-04-05T23:00-04:00 to 2025-04-05T23:30-04:00""",
    ),
    Case(
        "santiago-fall-night-over-the-doubled-hour",
        SANTIAGO,
        {"sat": "22:00-26:00"},
        SANTIAGO_FALL,
        "2025-04-05T22:00-03:00 to 2025-04-06T02:00-04:00",
    ),
    Case(
        "santiago-fall-sunday-begins-once",
        SANTIAGO,
        {"sun": "00:00-02:00"},
        SANTIAGO_FALL,
        "2025-04-06T00:00-04:00 to 2025-04-06T02:00-04:00",
    ),
    Case(
        "santiago-fall-whole-saturday-has-25-hours",
        SANTIAGO,
        {"sat": "00:00-24:00"},
        SANTIAGO_FALL,
        "2025-04-05T03:00+00:00 to 2025-04-06T04:00+00:00",
    ),
    Case(
        "auckland-fall-hours-begin-in-the-doubled-hour",
        AUCKLAND,
        "02:30-03:30",
        AUCKLAND_FALL,
        """2025-04-06T02:30+13:00 to 2025-04-06T02:00+12:00
        2025-04-06T02:30+12:00 to 2025-04-06T03:30+12:00""",
    ),
    Case(
        "st-johns-fall-saturday-comes-back-after-a-minute-of-sunday",
        ST_JOHNS,
        {"sat": "23:00-24:00"},
        ST_JOHNS_FALL,
        """2010-11-06T23:00-02:30 to 2010-11-07T00:00-02:30
        2010-11-06T23:01-03:30 to 2010-11-07T00:00-03:30""",
    ),
    Case(
        "st-johns-fall-sunday-begins-twice",
        ST_JOHNS,
        {"sun": "00:00-00:30"},
        ST_JOHNS_FALL,
        """2010-11-07T00:00-02:30 to 2010-11-07T00:01-02:30
        2010-11-07T00:00-03:30 to 2010-11-07T00:30-03:30""",
    ),
    # Apia left out Friday, 30 December 2011.
    Case(
        "apia-a-day-that-does-not-exist-is-not-open",
        APIA,
        "09:00-17:00",
        APIA_SKIP,
        """2011-12-29T09:00-10:00 to 2011-12-29T17:00-10:00
        2011-12-31T09:00+14:00 to 2011-12-31T17:00+14:00""",
    ),
    Case(
        "apia-a-night-into-a-day-that-does-not-exist-ends-at-midnight",
        APIA,
        {"thu": "22:00-26:00"},
        APIA_SKIP,
        "2011-12-29T22:00-10:00 to 2011-12-31T00:00+14:00",
    ),
    Case(
        "apia-the-night-of-a-day-that-does-not-exist-is-on-the-wall",
        APIA,
        {"fri": "22:00-26:00"},
        APIA_SKIP,
        "2011-12-31T00:00+14:00 to 2011-12-31T02:00+14:00",
    ),
    # Ordinary days.
    Case(
        "one-day",
        NEW_YORK,
        "09:00-17:00",
        MONDAY,
        "2025-06-02T09:00-04:00 to 2025-06-02T17:00-04:00",
    ),
    Case(
        "quarter-hour-zone",
        "Asia/Kathmandu",
        "09:00-17:00",
        "2025-06-02T00:00+05:45 to 2025-06-03T00:00+05:45",
        "2025-06-02T03:15+00:00 to 2025-06-02T11:15+00:00",
    ),
    Case(
        "to-the-second",
        "Asia/Kolkata",
        "09:00:30-09:00:45",
        "2025-06-02T00:00+05:30 to 2025-06-03T00:00+05:30",
        "2025-06-02T09:00:30+05:30 to 2025-06-02T09:00:45+05:30",
    ),
    Case(
        "several-intervals",
        NEW_YORK,
        "09:00-12:00 13:00-17:00 19:00-20:30",
        MONDAY,
        """2025-06-02T09:00-04:00 to 2025-06-02T12:00-04:00
        2025-06-02T13:00-04:00 to 2025-06-02T17:00-04:00
        2025-06-02T19:00-04:00 to 2025-06-02T20:30-04:00""",
    ),
    Case(
        "intervals-that-touch-are-one-period",
        NEW_YORK,
        "09:00-12:00 12:00-17:00",
        MONDAY,
        "2025-06-02T09:00-04:00 to 2025-06-02T17:00-04:00",
    ),
    Case(
        "intervals-in-any-order",
        NEW_YORK,
        "13:00-17:00 09:00-12:00",
        MONDAY,
        """2025-06-02T09:00-04:00 to 2025-06-02T12:00-04:00
        2025-06-02T13:00-04:00 to 2025-06-02T17:00-04:00""",
    ),
    Case(
        "weekdays-only",
        NEW_YORK,
        dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-17:00"),
        "2025-06-06T00:00-04:00 to 2025-06-10T00:00-04:00",
        """2025-06-06T09:00-04:00 to 2025-06-06T17:00-04:00
        2025-06-09T09:00-04:00 to 2025-06-09T17:00-04:00""",
    ),
    Case(
        "whole-days-are-one-period",
        NEW_YORK,
        "00:00-24:00",
        THREE_DAYS,
        "2025-06-02T00:00-04:00 to 2025-06-05T00:00-04:00",
    ),
    Case("closed-for-ever", NEW_YORK, "-", THREE_DAYS, ""),
    # The range asked for.
    Case(
        "range-cuts-both-ends",
        NEW_YORK,
        "09:00-12:00 13:00-17:00",
        "2025-06-02T10:00-04:00 to 2025-06-02T14:30-04:00",
        """2025-06-02T10:00-04:00 to 2025-06-02T12:00-04:00
        2025-06-02T13:00-04:00 to 2025-06-02T14:30-04:00""",
    ),
    Case(
        "range-with-parts-of-a-second",
        NEW_YORK,
        "09:00-12:00",
        "2025-06-02T11:59:59.250-04:00 to 2025-06-02T14:00-04:00",
        "2025-06-02T11:59:59.250-04:00 to 2025-06-02T12:00-04:00",
    ),
    Case("range-of-no-length", NEW_YORK, "09:00-12:00", "2025-06-02T10:00-04:00 to 2025-06-02T10:00-04:00", ""),
    Case("range-ends-at-the-opening", NEW_YORK, "09:00-12:00", "2025-06-02T08:00-04:00 to 2025-06-02T09:00-04:00", ""),
    Case("range-begins-at-the-close", NEW_YORK, "09:00-12:00", "2025-06-02T12:00-04:00 to 2025-06-02T13:00-04:00", ""),
    # Past midnight.
    Case(
        "night",
        NEW_YORK,
        {"fri": "22:00-26:00"},
        "2025-06-05T00:00-04:00 to 2025-06-09T00:00-04:00",
        "2025-06-06T22:00-04:00 to 2025-06-07T02:00-04:00",
    ),
    Case(
        "night-seen-from-the-next-day",
        NEW_YORK,
        {"fri": "22:00-26:00"},
        "2025-06-07T00:00-04:00 to 2025-06-08T00:00-04:00",
        "2025-06-07T00:00-04:00 to 2025-06-07T02:00-04:00",
    ),
    Case(
        "night-from-sunday-into-monday",
        NEW_YORK,
        {"sun": "20:00-30:00"},
        "2025-06-01T00:00-04:00 to 2025-06-03T00:00-04:00",
        "2025-06-01T20:00-04:00 to 2025-06-02T06:00-04:00",
    ),
    Case(
        "night-touches-the-morning",
        NEW_YORK,
        {"mon": "22:00-26:00", "tue": "02:00-03:00"},
        THREE_DAYS,
        "2025-06-02T22:00-04:00 to 2025-06-03T03:00-04:00",
    ),
    Case(
        "night-reaches-into-the-morning",
        NEW_YORK,
        {"mon": "22:00-26:00", "tue": "01:00-03:00"},
        THREE_DAYS,
        "2025-06-02T22:00-04:00 to 2025-06-03T03:00-04:00",
    ),
    Case(
        "night-covers-a-short-morning",
        NEW_YORK,
        {"mon": "22:00-27:00", "tue": "01:00-02:00"},
        THREE_DAYS,
        "2025-06-02T22:00-04:00 to 2025-06-03T03:00-04:00",
    ),
    Case(
        "night-far-west-until-the-next-afternoon",
        "Pacific/Pago_Pago",
        {"mon": "20:00-38:00"},
        "2025-06-03T13:00-11:00 to 2025-06-04T00:00-11:00",
        "2025-06-04T00:00+00:00 to 2025-06-04T01:00+00:00",
    ),
    Case(
        "night-before-a-holiday-stays",
        NEW_YORK,
        {"mon": "22:00-26:00", "tue": "01:00-17:00"},
        THREE_DAYS,
        "2025-06-02T22:00-04:00 to 2025-06-03T02:00-04:00",
        closed="2025-06-03",
    ),
    Case(
        "night-before-an-empty-special-day-stays",
        NEW_YORK,
        {"mon": "22:00-26:00"},
        THREE_DAYS,
        "2025-06-02T22:00-04:00 to 2025-06-03T02:00-04:00",
        special={"2025-06-03": "-"},
    ),
    Case("night-of-a-holiday-goes-with-it", NEW_YORK, {"mon": "22:00-26:00"}, THREE_DAYS, "", closed="2025-06-02"),
    Case(
        "night-almost-round-the-clock",
        NEW_YORK,
        {"mon": "12:00-35:59"},
        THREE_DAYS,
        "2025-06-02T12:00-04:00 to 2025-06-03T11:59-04:00",
    ),
    # Holidays and special days.
    Case(
        "holiday",
        NEW_YORK,
        "09:00-17:00",
        THREE_DAYS,
        """2025-06-02T09:00-04:00 to 2025-06-02T17:00-04:00
        2025-06-04T09:00-04:00 to 2025-06-04T17:00-04:00""",
        closed="2025-06-03",
    ),
    Case(
        "holiday-among-whole-days",
        NEW_YORK,
        "00:00-24:00",
        THREE_DAYS,
        """2025-06-02T00:00-04:00 to 2025-06-03T00:00-04:00
        2025-06-04T00:00-04:00 to 2025-06-05T00:00-04:00""",
        closed="2025-06-03",
    ),
    Case("holidays-in-a-row", NEW_YORK, "09:00-17:00", THREE_DAYS, "", closed="2025-06-02 2025-06-03 2025-06-04"),
    Case(
        "special-day-over-a-holiday",
        NEW_YORK,
        "09:00-17:00",
        "2025-12-24T00:00-05:00 to 2025-12-26T00:00-05:00",
        "2025-12-24T09:00-05:00 to 2025-12-24T12:00-05:00",
        closed="2025-12-24 2025-12-25",
        special={"2025-12-24": "09:00-12:00"},
    ),
    Case(
        "special-day-on-a-closed-weekday",
        NEW_YORK,
        {"mon": "09:00-17:00"},
        "2025-06-07T00:00-04:00 to 2025-06-09T00:00-04:00",
        "2025-06-07T10:00-04:00 to 2025-06-07T11:00-04:00",
        special={"2025-06-07": "10:00-11:00"},
    ),
    Case("special-day-without-hours", NEW_YORK, "09:00-17:00", MONDAY, "", special={"2025-06-02": "-"}),
    Case(
        "special-night-into-a-holiday",
        NEW_YORK,
        "09:00-17:00",
        "2025-12-31T00:00-05:00 to 2026-01-02T00:00-05:00",
        "2025-12-31T20:00-05:00 to 2026-01-01T01:00-05:00",
        closed="2026-01-01",
        special={"2025-12-31": "20:00-25:00"},
    ),
    Case(
        "special-day-on-the-odd-day",
        NEW_YORK,
        "09:00-17:00",
        NY_FALL,
        """2025-11-02T01:30-04:00 to 2025-11-02T01:40-04:00
        2025-11-02T01:30-05:00 to 2025-11-02T01:40-05:00""",
        special={"2025-11-02": "01:30-01:40"},
    ),
    # The calendar's own corners.
    Case(
        "leap-day",
        BERLIN,
        {"thu": "09:00-17:00"},
        "2024-02-28T00:00+01:00 to 2024-03-02T00:00+01:00",
        "2024-02-29T09:00+01:00 to 2024-02-29T17:00+01:00",
    ),
    Case(
        "leap-day-is-a-holiday",
        BERLIN,
        "09:00-17:00",
        "2024-02-28T00:00+01:00 to 2024-03-02T00:00+01:00",
        """2024-02-28T09:00+01:00 to 2024-02-28T17:00+01:00
        2024-03-01T09:00+01:00 to 2024-03-01T17:00+01:00""",
        closed="2024-02-29",
    ),
    Case(
        "no-leap-day",
        BERLIN,
        "20:00-28:00",
        "2025-02-28T12:00+01:00 to 2025-03-01T12:00+01:00",
        "2025-02-28T20:00+01:00 to 2025-03-01T04:00+01:00",
    ),
    Case(
        "night-over-the-end-of-the-year",
        NEW_YORK,
        {"wed": "22:00-26:00"},
        "2025-12-31T00:00-05:00 to 2026-01-02T00:00-05:00",
        "2025-12-31T22:00-05:00 to 2026-01-01T02:00-05:00",
    ),
    Case(
        "end-of-the-year-far-east",
        AUCKLAND,
        "23:00-25:00",
        "2025-12-31T12:00+13:00 to 2026-01-01T12:00+13:00",
        "2025-12-31T10:00+00:00 to 2025-12-31T12:00+00:00",
    ),
    Case(
        "end-of-the-year-far-west",
        "Pacific/Pago_Pago",
        "23:00-25:00",
        "2025-12-31T12:00-11:00 to 2026-01-01T12:00-11:00",
        "2026-01-01T10:00+00:00 to 2026-01-01T12:00+00:00",
    ),
]
