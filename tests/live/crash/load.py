"""Customers who ask: keeps some waiting in the line, whatever happens, and writes down what each was told.

Besides those who want to be called now, some book a slot that begins in a moment, one more than it has places; and who
has pressed 9 asks again, as if somebody else had the number now.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.live.crash.busy import Busy
from tests.live.crash.evidence import Answer, Asked
from tests.live.crash.town import PLAIN, SLOT_CAPACITY, SlotService
from tests.live.crash.wire import Door

LOOK_SECONDS = 0.2
BURST = 3
SOON_SECONDS = (2.0, 10.0)
"""A slot is booked when it begins in so many seconds."""
AGAIN_SECONDS = 2.5
TIMES_AGAIN = 2
DECLINES = "27"
"""The last digits of those who press 9."""


@dataclass(frozen=True, slots=True)
class Want:
    """So many customers are to wait in the line of a service."""

    service: str
    waiting: int


class Load(Busy):
    """Asks while fewer customers wait than are wanted; `waiting()` says how many do, by service.

    `declined()`: when which number pressed 9.
    """

    def __init__(
        self,
        numbers: Iterator[str],
        door: Door,
        key: str,
        waiting: Callable[[], Mapping[str, int]],
        wants: Sequence[Want],
        slots: Sequence[SlotService] = (),
        declined: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        super().__init__("load", LOOK_SECONDS)
        self.asked: list[Asked] = []
        self._numbers = numbers
        self._door = door
        self._key = key
        self._waiting = waiting
        self._wants = wants
        self._slots = slots
        self._declined = declined
        self._next: str | None = None
        self._booked: Counter[tuple[str, float]] = Counter()
        self._will_decline: list[str] = []
        self._again: Counter[str] = Counter()
        self._looked_back_at = 0.0

    def burst(self) -> None:
        """Ask a few times at once: a kill should hit requests that are under way."""
        self._roused.set()

    def _look(self, *, roused: bool) -> None:
        for _ in range(BURST if roused else 0):
            self._ask(PLAIN)
        for want in self._short():
            self._ask(want.service)
        for slots in self._slots:
            self._book(slots)
        if time.time() > self._looked_back_at + AGAIN_SECONDS:
            self._looked_back_at = time.time()
            self._ask_again()

    def _short(self) -> list[Want]:
        with suppress(sqlite3.Error):  # before its first start the engine has no tables
            waiting = self._waiting()
            return [want for want in self._wants if waiting.get(want.service, 0) < want.waiting]
        return list(self._wants)

    def _book(self, slots: SlotService) -> None:
        """All places of a slot that begins soon, and one more than there are, one after another."""
        least, most = SOON_SECONDS
        start = slots.start_after(time.time() + least)
        left = (start - least - time.time()) / (most - least)
        asked = self._booked[slots.id, start]
        if left > 1 - asked / (SLOT_CAPACITY + 1) or asked > SLOT_CAPACITY:
            return
        # Somebody who waits for a call of another service, and will say in it that they want none at all.
        number = self._will_decline[-1] if self._will_decline else None
        if self._ask(slots.id, number, start):
            self._booked[slots.id, start] += 1
            if number is not None:
                self._will_decline.pop()

    def _ask_again(self) -> None:
        for number, at in self._declined().items():
            if self._again[number] < TIMES_AGAIN and time.time() > at + AGAIN_SECONDS and self._ask(PLAIN, number):
                self._again[number] += 1

    def _ask(self, service: str, number: str | None = None, when: float | None = None) -> bool:
        """Whether somebody was there to be asked; if not, a new number is as good as new."""
        asks = number or self._next or next(self._numbers)
        body: dict[str, object] = {"service": service, "phone": f"+{asks}", "when": "now", "channel": "api"}
        if when is not None:
            body["when"] = datetime.fromtimestamp(when, UTC).isoformat()
        told = self._door.ask(self._key, "POST", "/callbacks", body)
        if number is None:
            self._next = asks if told is None else None
        if told is None:
            return False
        made = str(told.said["id"]) if told.answer is Answer.ACCEPTED else ""
        self.asked.append(Asked(asks, told.answer, made, told.status, service, when, told.sent_at, told.answered_at))
        if made and number is None and when is None and asks.endswith(DECLINES):
            self._will_decline.append(asks)
        return True
