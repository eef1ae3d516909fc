"""Numbers of the simulated telephone network that the engine accepts; what each does is said by its last two digits."""

from __future__ import annotations

from collections.abc import Iterator

from engine.numbers import NumberAccepted, check

CALLER_ID = "+12025550100"


def area_codes() -> tuple[str, ...]:
    """Every area code whose numbers the engine calls."""
    codes = (str(code) for code in range(201, 990))
    return tuple(code for code in codes if isinstance(check(f"+1{code}5550100", caller_id=CALLER_ID), NumberAccepted))


def numbers(*digits: str) -> Iterator[str]:
    """Distinct numbers, as the network sees them, whose customers behave as `digits` say: all of the first, then on."""
    return (f"1{code}55501{each}" for each in digits for code in area_codes())
