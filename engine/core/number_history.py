"""How often a number was called and asked for a call lately, in all services together.

Two limits rest on it: so many dials and so many accepted requests a number may have on one calendar day of the
customer, and so much time lies between two dials. Restored from what was written, noted with each decision, and
forgotten in order, a few numbers at a time, so that neither memory nor a single decision ever grows with the past.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from engine.core.configuration import Limits
from engine.core.hours import DAY_SECONDS
from engine.core.permission import local_day, local_midnight_after
from engine.core.values import Value, replace

FORGOTTEN_AT_ONCE = 64


def kept_seconds(limits: Limits) -> float:
    """How far back the history has to reach: over any local day, and over the gap between two dials."""
    return max(2.0 * DAY_SECONDS, limits.min_gap_seconds)


class _Past(Value):
    """The times of a number's dials and accepted requests, as they were noted."""

    dials: tuple[float, ...] = ()
    requests: tuple[float, ...] = ()

    @property
    def latest(self) -> float:
        return max((*self.dials, *self.requests), default=float("-inf"))

    def since(self, moment: float) -> _Past:
        """What is not older; mostly that is all."""
        if min((*self.dials, *self.requests), default=moment) >= moment:
            return self
        return _Past(
            tuple(each for each in self.dials if each >= moment),
            tuple(each for each in self.requests if each >= moment),
        )


class NumberHistory:
    """The lately called and requested numbers, in E.164; the one noted last stands last."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[str, _Past] = OrderedDict()
        self._kept_from = float("-inf")

    def __len__(self) -> int:
        """How many numbers are remembered."""
        return len(self._numbers)

    def restore(self, dials: Iterable[tuple[str, float]], requests: Iterable[tuple[str, float]]) -> None:
        """Note what the journal holds of the last `kept_seconds`: (number, time), in any order."""
        noted = [(at, phone, self.note_dial) for phone, at in dials]
        noted += [(at, phone, self.note_request) for phone, at in requests]
        for at, phone, note in sorted(noted, key=lambda each: each[0]):
            note(phone, at)

    def note_dial(self, phone: str, at: float) -> None:
        past = self._past(phone)
        self._keep(phone, _Past((*past.dials, at), past.requests))

    def note_request(self, phone: str, at: float) -> None:
        """A request was accepted."""
        past = self._past(phone)
        self._keep(phone, _Past(past.dials, (*past.requests, at)))

    def move_request(self, before: str, phone: str, at: float) -> None:
        """The request that was accepted at `at` has another number now, and counts for that one."""
        past = self._past(before)
        if at in past.requests:
            found = past.requests.index(at)
            self._keep(before, replace(past, requests=past.requests[:found] + past.requests[found + 1 :]))
        self.note_request(phone, at)

    def requests_today(self, phone: str, zone: str, at: float) -> int:
        """How many requests were accepted on the calendar day that it is in the zone at `at`."""
        return _on_the_day(self._past(phone).requests, zone, at)

    def next_dial_at(self, phone: str, zone: str, at: float, limits: Limits) -> float:
        """The earliest moment, not before `at`, at which the number may be dialled.

        By then `min_gap_seconds` have passed since its last dial, and on that calendar day of the zone it has been
        dialled less than `attempts_per_number_per_day` times; a full day leads to the next local midnight.
        """
        dials = self._past(phone).dials
        if not dials:
            return at
        at = max(at, max(dials) + limits.min_gap_seconds)
        while _on_the_day(dials, zone, at) >= limits.attempts_per_number_per_day:
            at = local_midnight_after(zone, at)
        return at

    def forget(self, before: float) -> None:
        """Drop numbers of which nothing happened since `before`, the longest silent first, FORGOTTEN_AT_ONCE at most.

        Call it with each decision that notes something, with now - `kept_seconds`: what is called so often forgets
        faster than it learns.
        """
        self._kept_from = max(self._kept_from, before)
        for _number in range(min(FORGOTTEN_AT_ONCE, len(self._numbers))):
            if next(iter(self._numbers.values())).latest >= self._kept_from:
                return
            self._numbers.popitem(last=False)

    def _past(self, phone: str) -> _Past:
        return self._numbers.get(phone, _NOTHING)

    def _keep(self, phone: str, past: _Past) -> None:
        self._numbers[phone] = past.since(self._kept_from)
        self._numbers.move_to_end(phone)


_NOTHING = _Past()


def _on_the_day(times: tuple[float, ...], zone: str, at: float) -> int:
    if not times:
        return 0
    day = local_day(zone, at)
    return sum(local_day(zone, each) == day for each in times)
