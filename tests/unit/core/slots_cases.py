"""The slots of calendars, written by hand. `test_slots` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.core.hours import Calendar
from tests.unit.core.calendars import AUCKLAND, BERLIN, LORD_HOWE, NEW_YORK, SANTIAGO, ST_JOHNS, calendar


@dataclass(frozen=True)
class Case:
    """`week` in a zone; its slots that begin in `within` begin at `starts`, in order."""

    id: str
    timezone: str
    week: dict[str, str] | str
    minutes: int
    within: str
    starts: str
    closed: str = ""
    special: dict[str, str] = field(default_factory=dict)

    @property
    def calendar(self) -> Calendar:
        return calendar(self.timezone, self.week, closed=self.closed, special=self.special)


MONDAY = "2025-06-02T00:00-04:00 to 2025-06-03T00:00-04:00"
TWO_DAYS = "2025-06-02T00:00-04:00 to 2025-06-04T00:00-04:00"
NY_SPRING = "2025-03-09T00:00-05:00 to 2025-03-10T00:00-04:00"
NY_FALL = "2025-11-02T00:00-04:00 to 2025-11-03T00:00-05:00"

CASES = [
    Case(
        "half-hours",
        NEW_YORK,
        "09:00-11:00",
        30,
        MONDAY,
        "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00 2025-06-02T10:00-04:00 2025-06-02T10:30-04:00",
    ),
    Case(
        "a-last-piece-is-no-slot", NEW_YORK, "09:00-10:20", 30, MONDAY, "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00"
    ),
    Case("hours-shorter-than-a-slot", NEW_YORK, "09:00-09:59", 60, MONDAY, ""),
    Case("hours-of-exactly-one-slot", NEW_YORK, "09:00-10:00", 60, MONDAY, "2025-06-02T09:00-04:00"),
    Case(
        "cut-from-an-odd-beginning",
        NEW_YORK,
        "09:10-11:30",
        60,
        MONDAY,
        "2025-06-02T09:10-04:00 2025-06-02T10:10-04:00",
    ),
    Case(
        "each-interval-from-its-own-beginning",
        NEW_YORK,
        "09:00-10:15 11:05-12:10",
        30,
        MONDAY,
        "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00 2025-06-02T11:05-04:00 2025-06-02T11:35-04:00",
    ),
    Case(
        "intervals-that-touch-are-cut-as-one",
        NEW_YORK,
        "09:00-09:45 09:45-10:30",
        30,
        MONDAY,
        "2025-06-02T09:00-04:00 2025-06-02T09:30-04:00 2025-06-02T10:00-04:00",
    ),
    Case(
        "a-range-takes-its-beginning-and-leaves-its-end",
        NEW_YORK,
        "09:00-12:00",
        30,
        "2025-06-02T09:30-04:00 to 2025-06-02T10:30-04:00",
        "2025-06-02T09:30-04:00 2025-06-02T10:00-04:00",
    ),
    Case("a-range-inside-a-slot", NEW_YORK, "09:00-12:00", 60, "2025-06-02T09:10-04:00 to 2025-06-02T09:50-04:00", ""),
    # The two odd days.
    Case(
        "new-york-spring-half-hours-skip-the-missing-hour",
        NEW_YORK,
        "01:30-04:30",
        30,
        NY_SPRING,
        "2025-03-09T01:30-05:00 2025-03-09T03:00-04:00 2025-03-09T03:30-04:00 2025-03-09T04:00-04:00",
    ),
    Case(
        "new-york-spring-hours-are-of-real-time",
        NEW_YORK,
        "01:30-04:30",
        60,
        NY_SPRING,
        "2025-03-09T01:30-05:00 2025-03-09T03:30-04:00",
    ),
    Case("new-york-spring-no-slot-in-the-missing-hour", NEW_YORK, "02:00-03:00", 15, NY_SPRING, ""),
    Case(
        "new-york-fall-the-doubled-hour-has-slots-twice",
        NEW_YORK,
        "00:30-02:30",
        30,
        NY_FALL,
        """2025-11-02T00:30-04:00 2025-11-02T01:00-04:00 2025-11-02T01:30-04:00
        2025-11-02T01:00-05:00 2025-11-02T01:30-05:00 2025-11-02T02:00-05:00""",
    ),
    Case(
        "new-york-fall-pieces-of-the-doubled-hour-are-cut-each",
        NEW_YORK,
        "01:15-01:45",
        15,
        NY_FALL,
        "2025-11-02T01:15-04:00 2025-11-02T01:30-04:00 2025-11-02T01:15-05:00 2025-11-02T01:30-05:00",
    ),
    Case("new-york-fall-two-pieces-make-no-slot", NEW_YORK, "01:15-01:45", 60, NY_FALL, ""),
    Case(
        "lord-howe-fall",
        LORD_HOWE,
        "01:00-02:30",
        30,
        "2025-04-06T00:00+11:00 to 2025-04-07T00:00+10:30",
        "2025-04-06T01:00+11:00 2025-04-06T01:30+11:00 2025-04-06T01:30+10:30 2025-04-06T02:00+10:30",
    ),
    Case(
        "lord-howe-spring",
        LORD_HOWE,
        "01:30-03:00",
        30,
        "2025-10-05T00:00+10:30 to 2025-10-06T00:00+11:00",
        "2025-10-05T01:30+10:30 2025-10-05T02:30+11:00",
    ),
    Case(
        "lord-howe-spring-an-hour-over-the-change",
        LORD_HOWE,
        "01:15-03:15",
        60,
        "2025-10-05T00:00+10:30 to 2025-10-06T00:00+11:00",
        "2025-10-05T01:15+10:30",
    ),
    Case(
        "berlin-fall-night",
        BERLIN,
        {"sat": "23:30-27:30"},
        60,
        "2025-10-25T00:00+02:00 to 2025-10-27T00:00+01:00",
        """2025-10-25T23:30+02:00 2025-10-26T00:30+02:00 2025-10-26T01:30+02:00
        2025-10-26T02:30+02:00 2025-10-26T02:30+01:00""",
    ),
    Case(
        "santiago-fall-night",
        SANTIAGO,
        {"sat": "22:00-26:00"},
        60,
        "2025-04-05T00:00-03:00 to 2025-04-07T00:00-04:00",
        """2025-04-05T22:00-03:00 2025-04-05T23:00-03:00 2025-04-05T23:00-04:00
        2025-04-06T00:00-04:00 2025-04-06T01:00-04:00""",
    ),
    Case(
        "auckland-fall-begins-in-the-doubled-hour",
        AUCKLAND,
        "02:40-03:10",
        15,
        "2025-04-06T00:00+13:00 to 2025-04-07T00:00+12:00",
        "2025-04-06T02:40+13:00 2025-04-06T02:40+12:00 2025-04-06T02:55+12:00",
    ),
    Case(
        "st-johns-fall-saturday-comes-back",
        ST_JOHNS,
        {"sat": "23:00-24:00"},
        30,
        "2010-11-06T00:00-02:30 to 2010-11-08T00:00-03:30",
        "2010-11-06T23:00-02:30 2010-11-06T23:30-02:30 2010-11-06T23:01-03:30",
    ),
    # Past midnight.
    Case(
        "a-night-is-cut-from-its-own-beginning",
        NEW_YORK,
        {"mon": "22:40-25:15"},
        30,
        TWO_DAYS,
        """2025-06-02T22:40-04:00 2025-06-02T23:10-04:00 2025-06-02T23:40-04:00
        2025-06-03T00:10-04:00 2025-06-03T00:40-04:00""",
    ),
    Case(
        "a-night-seen-from-its-middle",
        NEW_YORK,
        {"mon": "22:40-25:15"},
        30,
        "2025-06-03T00:00-04:00 to 2025-06-04T00:00-04:00",
        "2025-06-03T00:10-04:00 2025-06-03T00:40-04:00",
    ),
    Case(
        "a-morning-that-the-night-reaches-into-begins-after-it",
        NEW_YORK,
        {"mon": "23:00-26:20", "tue": "01:00-04:00"},
        60,
        TWO_DAYS,
        """2025-06-02T23:00-04:00 2025-06-03T00:00-04:00 2025-06-03T01:00-04:00
        2025-06-03T02:20-04:00""",
    ),
    Case(
        "a-morning-that-the-night-touches-is-cut-by-itself",
        NEW_YORK,
        {"mon": "23:10-25:00", "tue": "01:00-03:00"},
        60,
        TWO_DAYS,
        "2025-06-02T23:10-04:00 2025-06-03T01:00-04:00 2025-06-03T02:00-04:00",
    ),
    Case(
        "a-night-reaching-into-hours-that-reach-into-the-next-night",
        NEW_YORK,
        {"mon": "12:00-25:00", "tue": "00:30-24:10", "wed": "00:00-03:00"},
        60,
        "2025-06-03T22:00-04:00 to 2025-06-05T00:00-04:00",
        "2025-06-03T22:00-04:00 2025-06-03T23:00-04:00 2025-06-04T00:10-04:00 2025-06-04T01:10-04:00",
    ),
    Case(
        "a-night-far-west-that-begins-late-and-ends-late",
        "Pacific/Honolulu",
        {"mon": "21:00-44:20", "tue": "20:00-43:50"},
        60,
        "2025-06-04T18:00-10:00 to 2025-06-04T19:00-10:00",
        "2025-06-04T18:20-10:00",
    ),
    Case(
        "round-the-clock-each-day-from-its-midnight",
        NEW_YORK,
        "00:00-24:00",
        60,
        "2025-06-02T22:17-04:00 to 2025-06-03T01:30-04:00",
        "2025-06-02T23:00-04:00 2025-06-03T00:00-04:00 2025-06-03T01:00-04:00",
    ),
    Case(
        "almost-round-the-clock-leaves-a-piece",
        NEW_YORK,
        "00:10-24:00",
        60,
        "2025-06-02T22:00-04:00 to 2025-06-03T02:00-04:00",
        "2025-06-02T22:10-04:00 2025-06-03T00:10-04:00 2025-06-03T01:10-04:00",
    ),
    # Holidays and special days on the edges of slots.
    Case(
        "a-holiday-ends-a-day-round-the-clock",
        NEW_YORK,
        "00:00-24:00",
        60,
        "2025-06-02T22:00-04:00 to 2025-06-04T02:00-04:00",
        "2025-06-02T22:00-04:00 2025-06-02T23:00-04:00 2025-06-04T00:00-04:00 2025-06-04T01:00-04:00",
        closed="2025-06-03",
    ),
    Case(
        "a-night-into-a-holiday-keeps-its-slots",
        NEW_YORK,
        {"mon": "23:30-24:30", "tue": "09:00-10:00"},
        30,
        TWO_DAYS,
        "2025-06-02T23:30-04:00 2025-06-03T00:00-04:00",
        closed="2025-06-03",
    ),
    Case(
        "a-special-day-has-its-own-slots",
        NEW_YORK,
        "09:00-17:00",
        60,
        MONDAY,
        "2025-06-02T10:20-04:00 2025-06-02T11:20-04:00",
        closed="2025-06-02",
        special={"2025-06-02": "10:20-12:30"},
    ),
    Case(
        "an-ordinary-day-of-the-zone-farthest-east",
        "Pacific/Kiritimati",
        {"mon": "00:00-01:00"},
        30,
        "2025-06-01T00:00+00:00 to 2025-06-03T00:00+00:00",
        "2025-06-02T00:00+14:00 2025-06-02T00:30+14:00",
    ),
    Case(
        "an-ordinary-day-of-the-zone-farthest-west",
        "Pacific/Pago_Pago",
        {"mon": "23:00-25:00"},
        60,
        "2025-06-03T10:00+00:00 to 2025-06-03T12:00+00:00",
        "2025-06-02T23:00-11:00 2025-06-03T00:00-11:00",
    ),
    Case("closed-for-ever", NEW_YORK, "-", 15, TWO_DAYS, ""),
]
