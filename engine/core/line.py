"""Who waits, in which order: customers on the phone, heads of the line, then priority and time of joining."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass

from engine.core.expressions import Expression
from engine.core.model import CallbackId, ServiceId

Key = tuple[int, int, float, str]


@dataclass(frozen=True, slots=True)
class Place:
    """One callback's place. `on_the_phone`: the customer confirmed and is listening to music."""

    callback: CallbackId
    service: ServiceId
    requirement: Expression
    joined_at: float
    priority: int = 0
    at_head: bool = False
    on_the_phone: bool = False

    @property
    def key(self) -> Key:
        """Sorts before others: smaller first; the id makes the order total."""
        rank = 0 if self.on_the_phone else 1 if self.at_head else 2
        return rank, -self.priority, self.joined_at, self.callback


class Line:
    """The line, kept apart by requirement: only the first of each can be the next to be served."""

    def __init__(self) -> None:
        self._places: dict[CallbackId, Place] = {}
        self._keys: dict[Expression, list[Key]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, callback: CallbackId) -> bool:
        return callback in self._places

    def join(self, place: Place) -> None:
        """Take a place; one held before is given up."""
        self.leave(place.callback)
        self._places[place.callback] = place
        insort(self._keys.setdefault(place.requirement, []), place.key)

    def leave(self, callback: CallbackId) -> None:
        """Take a callback out; one that does not wait is no error."""
        place = self._places.pop(callback, None)
        if place is None:
            return
        keys = self._keys[place.requirement]
        del keys[bisect_left(keys, place.key)]
        if not keys:
            del self._keys[place.requirement]

    def heads(self) -> Iterator[Place]:
        """The first of each requirement, in the order they should be served."""
        for key in sorted(keys[0] for keys in self._keys.values()):
            yield self._places[CallbackId(key[3])]

    def position(self, callback: CallbackId) -> int | None:
        """1-based place among those of the same service; None if it does not wait."""
        place = self._places.get(callback)
        if place is None:
            return None
        return 1 + sum(other.service == place.service and other.key < place.key for other in self._places.values())

    def waiting(self, service: ServiceId) -> int:
        """How many of a service wait."""
        return sum(place.service == service for place in self._places.values())
