"""How a time is written in every answer, problems included."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """A time as ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_text_of(seconds: float) -> str:
    """The same of epoch seconds."""
    return utc_text(datetime.fromtimestamp(seconds, UTC))
