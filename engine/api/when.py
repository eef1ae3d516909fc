"""The times a client names: `now` or the start of a slot, and the day or moment from which slots are listed.

Whatever else is sent gets one message that shows how a time is written.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema

from engine.api.bodies import Moment
from engine.api.moments import utc_text

_MOMENT = TypeAdapter[datetime](Moment)
_BEGINS_WITH_A_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BLANK_FOR_PLUS = re.compile(r"(\S+T\S+) (\d\d:?\d\d)", re.ASCII)
_EXAMPLE = "2027-01-15T09:00:00-05:00"


def start_of(text: object) -> datetime:
    """A moment, in UTC. Raises ValueError for what is no ISO 8601 time with an offset."""
    # pydantic would also take a number for a time.
    if isinstance(text, str) and _BEGINS_WITH_A_DAY.match(text):
        try:
            return _MOMENT.validate_python(text).astimezone(UTC)
        except ValidationError:
            pass
    raise ValueError(f"must be a time with its offset, such as {_EXAMPLE}")


def seconds_of(when: Literal["now"] | datetime) -> float | None:
    """The epoch seconds of a slot's start; None: now."""
    return when.timestamp() if isinstance(when, datetime) else None


def _now_or_start(value: object) -> Literal["now"] | datetime:
    if value == "now":
        return "now"
    try:
        return start_of(value)
    except ValueError:
        message = f'must be "now" or the start of a slot, a time with its offset such as "{_EXAMPLE}"'
        raise ValueError(message) from None


def _asked(value: object) -> datetime:
    # An unescaped plus in an address arrives as a blank.
    found = _BLANK_FOR_PLUS.fullmatch(value) if isinstance(value, str) else None
    return start_of(f"{found[1]}+{found[2]}" if found else value)


def _day_or_moment(value: object) -> date:
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            pass
        else:
            if 1970 <= day.year < 3000:
                return day
    try:
        return _asked(value)
    except ValueError:
        message = f"must be a day such as 2027-01-15, or a time with its offset such as {_EXAMPLE}"
        raise ValueError(message) from None


_TIME_SCHEMA = {"type": "string", "format": "date-time"}
When = Annotated[
    Literal["now"] | datetime,
    PlainValidator(_now_or_start),
    PlainSerializer(lambda when: utc_text(when) if isinstance(when, datetime) else str(when), return_type=str),
    WithJsonSchema({"anyOf": [{"const": "now"}, _TIME_SCHEMA]}),
]
"""`"now"`, or when a slot begins."""
Start = Annotated[datetime, PlainValidator(start_of), WithJsonSchema(_TIME_SCHEMA)]
"""A moment in a body."""
Asked = Annotated[datetime, PlainValidator(_asked), WithJsonSchema(_TIME_SCHEMA)]
"""A moment in an address."""
DayOrMoment = Annotated[
    date,
    PlainValidator(_day_or_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, _TIME_SCHEMA]}),
]
"""A day in the service's zone, or a moment, which is a `datetime`."""
