"""Whether calendars are open, remembered until that changes: a look at a calendar's weeks takes a while."""

from __future__ import annotations

from engine.core.hours import DAY_SECONDS, Calendar, CalendarId, closes_at, is_open, opens_at
from engine.core.values import Value


class Opening(Value):
    """How a calendar stands, worked out at `since`, and until when; None: it does not change within 400 days."""

    calendar: Calendar
    open: bool
    since: float
    until: float | None

    def holds_at(self, calendar: Calendar, now: float) -> bool:
        """Whether it still says how this calendar stands."""
        until = self.since + DAY_SECONDS if self.until is None else self.until
        return self.calendar is calendar and self.since <= now < until


class Openings:
    """One for each calendar that was asked for."""

    def __init__(self) -> None:
        self._known: dict[CalendarId, Opening] = {}

    def of(self, calendar: Calendar, now: float) -> Opening:
        """How it stands now."""
        opening = self._known.get(calendar.id)
        if opening is None or not opening.holds_at(calendar, now):
            is_open_now = is_open(calendar, now)
            until = closes_at(calendar, now) if is_open_now else opens_at(calendar, now)
            opening = self._known[calendar.id] = Opening(calendar, is_open_now, now, until)
        return opening
