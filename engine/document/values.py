"""The kinds of value a services document holds, each with its own check and a message that says how to mend it.

An agent's endpoint and a service's caller id go near a dial string, and ids become names of folders and figures: their
character sets are strict, and nothing here ever loosens one to be kind.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from engine.core import expressions
from engine.numbers import is_region, is_zone, parse_e164

DAY_SECONDS = 86400


def _matching(pattern: str, message: str) -> Callable[[str], str]:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(message)
        return value

    return check


def _printable(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("must be one line of readable text")
    return value


def _expression(value: str) -> str:
    expressions.parse(value)  # its errors are ValueErrors that say where the fault is and how to mend it
    return value


def _capacity_rule(value: str) -> str:
    rule = expressions.parse(value)
    if not rule.mentioned:
        raise ValueError("names no medium, so it limits nothing; write such as voice <= 1 and chat <= 3")
    if not any(rule.met_by({medium: 1}) for medium in rule.mentioned):
        raise ValueError(
            "lets an agent take nothing: a first item of any medium it names breaks it; "
            "write such as voice <= 1 and chat <= 3"
        )
    return value


def _caller_id(value: str) -> str:
    if parse_e164(value) is None:
        raise ValueError('must be a valid number in E.164, such as "+12025550100"')
    return value


def _region(value: str) -> str:
    if not is_region(value):
        raise ValueError("must be an ISO region in capitals, such as US")
    return value


def _timezone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("must be a zone of the tz database, such as America/New_York")
    return value


def _skill_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", value, re.ASCII):
        raise ValueError("a skill is named with letters, digits and _, beginning with a letter")
    if keyword.iskeyword(value):
        raise ValueError(f"{value} is a reserved word in expressions; give the skill another name")
    return value


def _iso_date(value: object) -> object:
    # YAML turns 2026-12-24 into a date when it stands without quotes.
    return value.isoformat() if isinstance(value, date) else value


def _calendar_date(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError('must be a date such as "2026-12-24"') from None


Id = Annotated[
    str,
    AfterValidator(
        _matching(r"[a-z0-9][a-z0-9_-]{0,63}", "must be 1 to 64 of a-z, 0-9, - and _, beginning with a letter or digit")
    ),
]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Expression = Annotated[str, AfterValidator(_expression)]
CapacityRule = Annotated[str, AfterValidator(_capacity_rule)]
CallerId = Annotated[str, AfterValidator(_caller_id)]
Endpoint = Annotated[
    str,
    AfterValidator(
        _matching(
            r"PJSIP/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}",
            "must be PJSIP/ and the name of an endpoint, such as PJSIP/agent-1001",
        )
    ),
]
Dialled = Annotated[
    str,
    AfterValidator(_matching(r"\+?[0-9]{2,20}", 'must be a number as your trunk passes it on, such as "+12025550199"')),
]
Key = Annotated[str, AfterValidator(_matching(r"[0-9*#]", 'must be one key of a telephone in quotes, such as "1"'))]
Language = Annotated[
    str, AfterValidator(_matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "must be a language code such as en or pt-BR"))
]
Region = Annotated[str, AfterValidator(_region)]
Timezone = Annotated[str, AfterValidator(_timezone)]
SkillName = Annotated[str, AfterValidator(_skill_name)]
Whole = Annotated[int, Strict()]
Seconds = Annotated[float, Strict(), Field(gt=0, le=90 * DAY_SECONDS, allow_inf_nan=False)]
SecondsOrNone = Annotated[float, Strict(), Field(ge=0, le=90 * DAY_SECONDS, allow_inf_nan=False)]
CallSeconds = Annotated[float, Strict(), Field(gt=0, le=3600, allow_inf_nan=False)]
Flag = Annotated[bool, Strict()]
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
TimeOfDay = Annotated[str, AfterValidator(_matching(_TIME, 'must be a time such as "09:00"'))]
Hours = Annotated[str, AfterValidator(_matching(rf"{_TIME}-({_TIME}|24:00)", 'must be hours such as "09:00-17:00"'))]
_DAY = r"(mon|tue|wed|thu|fri|sat|sun)"
Days = Annotated[str, AfterValidator(_matching(rf"{_DAY}(-{_DAY})?", "must be days such as mon, or mon-fri"))]
CalendarDate = Annotated[str, BeforeValidator(_iso_date), AfterValidator(_calendar_date)]
