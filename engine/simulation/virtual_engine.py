"""A dispatcher in virtual time: an agenda of what is to come, the timers it sets, and someone who does what it asks.

Everything that happens is an item of one agenda, in order of time; items of the same moment come in the order in which
they were put there, so a run depends on nothing but what is put there. Time jumps from item to item. Between a decision
and its effects nothing is written down and nothing fails.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Protocol, TypeAlias, TypeVar

from engine.core.changes import Change, TimerCleared, TimerSet
from engine.core.decision import Decision, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Effect
from engine.core.events import Event, TimerFired
from engine.core.records import Timer

FEW_STALE = 256
"""So many timers that were cleared or moved may stand in the agenda, however short it is."""

_What = TypeVar("_What")
_Item: TypeAlias = tuple[float, int, Callable[[Any], object], object]

Observer: TypeAlias = Callable[[Event, Decision, float], None]
"""Told of each event, what was decided and when, before the effects are carried out."""


class Outside(Protocol):
    """Telephones and screens: whoever carries out effects. It puts what comes of them into the agenda, and never tells
    the engine anything in the same call.
    """

    def carry_out(self, effect: Effect, engine: VirtualEngine) -> None: ...


class Nothing:
    """An outside world in which nothing ever happens; enough for work that is no call."""

    def carry_out(self, effect: Effect, engine: VirtualEngine) -> None:
        """It stays undone."""


class VirtualEngine:
    """One dispatcher and its agenda. `now` is in epoch seconds, as everywhere in the core.

    `observers` may be added to at any time; they must not change anything.
    """

    def __init__(self, snapshot: Snapshot, now: float, outside: Outside | None = None) -> None:
        self.now = now
        self.dispatcher = Dispatcher(snapshot)
        self.observers: list[Observer] = []
        self._handle = self.dispatcher.handle
        self._carry_out = (outside or Nothing()).carry_out
        self._agenda: list[_Item] = []
        self._places = count()
        self._timers: dict[tuple[str, str], Timer] = {}
        self._stale = 0
        self._fire_it = self._fire  # one and the same object in every item
        for timer in sorted(self.dispatcher.timers.pending(), key=lambda each: (each.due_at, each.owner, each.name)):
            self._arm(timer)

    # ---- what is to come -------------------------------------------------------------------------------

    def at(self, when: float, do: Callable[[_What], object], what: _What) -> None:
        """Call `do(what)` when it is `when`; a moment that has passed is now, after what is due already."""
        heappush(self._agenda, (when if when > self.now else self.now, next(self._places), do, what))

    def after(self, seconds: float, do: Callable[[_What], object], what: _What) -> None:
        """Call `do(what)` so much later."""
        heappush(self._agenda, (self.now + seconds if seconds > 0 else self.now, next(self._places), do, what))

    def tell_at(self, when: float, event: Event) -> None:
        """Tell the dispatcher this event when it is `when`."""
        self.at(when, self.tell, event)

    def tell_after(self, seconds: float, event: Event) -> None:
        """Tell the dispatcher this event so much later."""
        self.after(seconds, self.tell, event)

    @property
    def next_at(self) -> float | None:
        """When the next item is due; None if nothing is to come."""
        self._drop_stale_head()
        return self._agenda[0][0] if self._agenda else None

    def __len__(self) -> int:
        """How many items the agenda has, timers that were cleared not long ago among them."""
        return len(self._agenda)

    # ---- what happens ----------------------------------------------------------------------------------

    def tell(self, event: Event) -> Decision:
        """Tell the dispatcher an event now, and have done what it asks; returns its decision."""
        decision = self._handle(event, self.now)
        self._keep_timers(decision.changes)
        for observe in self.observers:
            observe(event, decision, self.now)
        for effect in decision.effects:
            self._carry_out(effect, self)
        return decision

    def run_until(self, until: float) -> None:
        """Let everything happen that is due by then; afterwards it is `until`."""
        agenda = self._agenda
        while agenda and agenda[0][0] <= until:
            self.now, _place, do, what = heappop(agenda)
            do(what)
        if until > self.now:
            self.now = until

    # ---- timers ----------------------------------------------------------------------------------------

    def _keep_timers(self, changes: list[Change]) -> None:
        for change in changes:
            if type(change) is TimerSet:
                self._arm(change.timer)
            elif type(change) is TimerCleared and self._timers.pop((change.owner, change.name), None) is not None:
                self._stale += 1
        if self._stale > FEW_STALE and 2 * self._stale > len(self._agenda):
            self._drop_stale()

    def _arm(self, timer: Timer) -> None:
        key = timer.owner, timer.name
        if key in self._timers:
            self._stale += 1
        self._timers[key] = timer
        self.at(timer.due_at, self._fire_it, timer)

    def _fire(self, timer: Timer) -> None:
        if self._is_stale(timer):
            self._stale -= 1
            return
        del self._timers[timer.owner, timer.name]
        self.tell(TimerFired(timer.owner, timer.name))

    def _is_stale(self, timer: Timer) -> bool:
        """Whether it was cleared, or set to another moment, since it was armed."""
        return self._timers.get((timer.owner, timer.name)) is not timer

    def _drop_stale(self) -> None:
        self._agenda[:] = [each for each in self._agenda if not self._is_stale_item(each)]
        heapify(self._agenda)
        self._stale = 0

    def _drop_stale_head(self) -> None:
        while self._agenda and self._is_stale_item(self._agenda[0]):
            heappop(self._agenda)
            self._stale -= 1

    def _is_stale_item(self, item: _Item) -> bool:
        return item[2] is self._fire_it and self._is_stale(item[3])  # type: ignore[arg-type]
