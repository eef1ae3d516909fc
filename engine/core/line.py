"""Who waits, in which order: customers on the phone, heads of the line, then priority and time of joining.

One line for everything that needs an agent. Items whose needs are equal stand in one queue, and only the first of a
queue can be the next to be served. It knows nothing of agents; who serves whom says matching.py.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TypeAlias

from sortedcontainers import SortedList

from engine.core.expressions import Expression
from engine.core.terms import VOICE, AgentId, AgentOrder, Media, ServiceId
from engine.core.values import Value

ItemId: TypeAlias = str
"""The id of a callback, or of an interaction."""
Key: TypeAlias = tuple[int, int, float, float, str]

_BEHIND_HEADS = 2
LAST_ID = "\U0010ffff"
"""Behind every id that is."""
NOBODY: Key = (_BEHIND_HEADS + 1, 0, 0.0, 0.0, "")
"""Behind every key that is."""
GONE_BEFORE_A_SWEEP = 64
"""So many keys of those who left stay in a queue, or as many as wait there."""
QUEUES_BEFORE_A_SWEEP = 256
"""Needs that come and go leave empty queues behind; with so many queues the empty ones are swept."""


class Need(Value):
    """What an item asks of an agent. `dials`: to serve it a customer has to be called."""

    service: ServiceId
    requirement: Expression
    media: Media = VOICE
    order: AgentOrder = AgentOrder.LONGEST_IDLE
    excluded: frozenset[AgentId] = frozenset()
    dials: bool = True


class Place(Value):
    """One item's place. `on_the_phone`: the customer confirmed and is listening to music.

    `asked_at` orders those who joined at the same moment, as at the start of a slot.
    """

    item: ItemId
    need: Need
    joined_at: float
    asked_at: float = 0.0
    priority: int = 0
    at_head: bool = False
    on_the_phone: bool = False

    @property
    def key(self) -> Key:
        """Sorts before others: smaller first; the id makes the order total."""
        rank = 0 if self.on_the_phone else 1 if self.at_head else _BEHIND_HEADS
        return rank, -self.priority, self.joined_at, self.asked_at, self.item


class _Standing(Value):
    """Who waits, their key, and the queue they stand in, or would if they were not parked; the queue has only keys."""

    place: Place
    key: Key
    queue: Queue


class Queue:
    """Those whose needs are equal. `first` is the key of the head, None if nobody waits; closed ones are not served.

    `head`: the same, but behind every other key if nobody waits here whom an agent may be given. `number`: its place
    in `Line.queues`. Nearly all join at the end and leave at the head, so the keys stand in a plain list, whose first
    `_gone` have left.
    """

    __slots__ = ("_gone", "_keys", "first", "head", "is_open", "need", "number")

    def __init__(self, need: Need, number: int) -> None:
        self.need = need
        self.number = number
        self.first: Key | None = None
        self.head = NOBODY
        self.is_open = True
        self._keys: list[Key] = []
        self._gone = 0

    @property
    def is_served(self) -> bool:
        """Whether somebody waits here whom an agent may be given."""
        return self.head is not NOBODY

    def before(self, key: Key) -> int:
        """How many of them stand before this place."""
        keys = self._keys
        if self.first is None or key <= self.first:
            return 0
        return (len(keys) if keys[-1] < key else bisect_left(keys, key, self._gone)) - self._gone

    def _add(self, key: Key) -> None:
        keys = self._keys
        if self.first is None or keys[-1] < key:
            keys.append(key)
        else:
            insort(keys, key, self._gone)
        self.first = first = keys[self._gone]
        self.head = first if self.is_open else NOBODY

    def _remove(self, key: Key) -> None:
        keys = self._keys
        if key == self.first:
            self._gone += 1
            if self._gone >= GONE_BEFORE_A_SWEEP and 2 * self._gone >= len(keys):
                del keys[: self._gone]
                self._gone = 0
        else:
            place = bisect_left(keys, key, self._gone)
            if place == len(keys) or keys[place] != key:
                raise ValueError(f"{key} does not stand in this queue")
            del keys[place]
        if self._gone < len(keys):
            self.first = first = keys[self._gone]
            self.head = first if self.is_open else NOBODY
        else:
            self.first, self.head = None, NOBODY

    def _let(self, *, be_open: bool) -> None:
        self.is_open = be_open
        self.head = self.first if be_open and self.first is not None else NOBODY


class Line:
    """The line. `touched` are queues with a new head, or open again, since whoever matches looked last.

    `generation` counts how often empty queues were swept: what was remembered of queues before counts no more.
    """

    def __init__(self) -> None:
        self.queues: list[Queue] = []
        self.touched: set[Queue] = set()
        self.generation = 0
        self._by_need: dict[Need, Queue] = {}
        self._by_service: dict[ServiceId, list[Queue]] = {}
        self._places: dict[ItemId, _Standing] = {}
        self._parked: dict[ServiceId, SortedList[Key]] = {}
        self._waiting: dict[ServiceId, int] = {}
        self._closed: set[ServiceId] = set()
        self._dials_open = True
        self._voice_open = True
        self._sweep_at = QUEUES_BEFORE_A_SWEEP

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, item: ItemId) -> bool:
        return item in self._places

    def join(self, place: Place) -> None:
        """Take a place; one held before is given up."""
        if place.item in self._places:
            self.leave(place.item)
        queue = self._by_need.get(place.need) or self._new_queue(place.need)
        key = place.key
        self._places[place.item] = _Standing(place, key, queue)
        service = place.need.service
        self._waiting[service] = self._waiting.get(service, 0) + 1
        queue._add(key)  # noqa: SLF001 - one part, two classes
        if queue.first is key and queue.is_open:
            self.touched.add(queue)

    def leave(self, item: ItemId) -> None:
        """Take an item out; one that does not wait is no error."""
        found = self._places.pop(item, None)
        if found is None:
            return
        service, key = found.place.need.service, found.key
        self._waiting[service] -= 1
        parked = self._parked.get(service)
        if parked is not None and key in parked:
            parked.remove(key)
        else:
            found.queue._remove(key)  # noqa: SLF001

    def park(self, item: ItemId) -> None:
        """Keep the item's place, but let others be served before it until it joins again."""
        found = self._places[item]
        found.queue._remove(found.key)  # noqa: SLF001
        self._parked.setdefault(found.place.need.service, SortedList()).add(found.key)

    def place(self, item: ItemId) -> Place | None:
        """Where an item waits, parked or not; None if it does not."""
        found = self._places.get(item)
        return found.place if found else None

    def is_parked(self, item: ItemId) -> bool:
        found = self._places.get(item)
        return found is not None and found.key in self._parked.get(found.place.need.service, ())

    def position(self, item: ItemId) -> int | None:
        """1-based place among those of the same service, parked ones included; None if it does not wait."""
        found = self._places.get(item)
        if found is None:
            return None
        return 1 + self._before(found.place.need.service, found.key)

    def position_of_new(self, service: ServiceId, priority: int, at: float) -> int:
        """1-based place that somebody would have who joined at `at` as the last of their priority."""
        return 1 + self._before(service, (_BEHIND_HEADS, -priority, at, at, LAST_ID))

    def ahead_of(self, place: Place) -> int:
        """How many of the same service stand before this place, whether it is taken or not, parked ones included."""
        return self._before(place.need.service, place.key)

    def waiting(self, service: ServiceId) -> int:
        """How many of a service wait."""
        return self._waiting.get(service, 0)

    def let_dial(self, service: ServiceId, *, may: bool) -> None:
        """Whether customers of this service may be called."""
        if may == (service not in self._closed):
            return
        (self._closed.discard if may else self._closed.add)(service)
        for queue in self._by_service.get(service, ()):
            self._judge(queue)

    def let_anybody_dial(self, *, may: bool) -> None:
        """Whether customers may be called at all."""
        if may != self._dials_open:
            self._dials_open = may
            for queue in self.queues:
                self._judge(queue)

    def let_anybody_speak(self, *, may: bool) -> None:
        """Whether calls can be handled at all; work of other media goes on."""
        if may != self._voice_open:
            self._voice_open = may
            for queue in self.queues:
                self._judge(queue)

    def _before(self, service: ServiceId, key: Key) -> int:
        before = 0
        for queue in self._by_service.get(service, ()):
            before += queue.before(key)
        parked = self._parked.get(service)
        return before + (parked.bisect_left(key) if parked else 0)

    def _judge(self, queue: Queue) -> None:
        need, was_open = queue.need, queue.is_open
        may_speak = self._voice_open or need.media != VOICE
        may_dial = not need.dials or (self._dials_open and need.service not in self._closed)
        queue._let(be_open=may_speak and may_dial)  # noqa: SLF001
        if queue.is_open and not was_open and queue.first is not None:
            self.touched.add(queue)

    def _new_queue(self, need: Need) -> Queue:
        if len(self.queues) >= self._sweep_at:
            self._sweep()
        queue = self._by_need[need] = Queue(need, len(self.queues))
        self.queues.append(queue)
        self._by_service.setdefault(need.service, []).append(queue)
        self._judge(queue)
        return queue

    def _sweep(self) -> None:
        """Forget queues nobody waits in, not even parked; the next time when there are twice as many as now."""
        used = {id(each.queue) for each in self._places.values()}
        self.queues = [queue for queue in self.queues if id(queue) in used]
        for number, queue in enumerate(self.queues):
            queue.number = number
        self._by_need = {queue.need: queue for queue in self.queues}
        self._by_service = {}
        for queue in self.queues:
            self._by_service.setdefault(queue.need.service, []).append(queue)
        self.touched &= set(self.queues)
        self.generation += 1
        self._sweep_at = max(2 * len(self.queues), QUEUES_BEFORE_A_SWEEP)
