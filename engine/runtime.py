"""The shell around the dispatcher: queue -> dispatcher -> one commit -> effects, and the timers.

All changes go through this one queue, so no two handlers race. Events that wait together are decided together and
written in one transaction; only then are people called and requests answered. Media and release effects need no
written decision and start at once.

A commit that fails leaves the dispatcher ahead of the journal: the runtime then answers nobody with a yes, starts
nothing, and `run` ends with the store's error. `restore` goes on with a dispatcher made from the journal: the decisions
are lost, what happened to the calls meanwhile is not and is decided on again, each fact with its own time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, get_args

import structlog

from engine import crash_points
from engine.core.decision import Accepted, Decision, Reply
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Effect, EffectClass, Release
from engine.core.events import (
    AttemptLetGo,
    EffectEnded,
    Event,
    Fact,
    ResultKind,
    StopRequested,
    TelephonyLost,
    TimerFired,
)
from engine.core.records import Interaction
from engine.due_timers import DueTimers
from engine.errors import CommitUnknownError, StoreError
from engine.store.records import AccessRecord, Entry, NodeSeen

log = structlog.get_logger()

GROUP_LIMIT = 500
"""Events decided and written together at most, and as many timers; bounds how long the first of them waits."""
CLOCK_LOOK_SECONDS = 30.0
"""The longest sleep of the timers: a clock that was set forward, or a machine that slept, is noticed after it."""


BEFORE_COMMIT_SECONDS = 0.05
"""How long effects that need no commit may run before a process that is to die there dies."""


class Writer(Protocol):
    """What the runtime needs of the journal."""

    async def commit(self, changes: Sequence[Entry]) -> None:
        """Write all or nothing. Raises StoreError."""


class Effects(Protocol):
    """What the runtime needs of those who act."""

    def start(self, effect: Effect) -> None:
        """Begin an effect; its end comes back as an event."""


@dataclass(slots=True)
class _Item:
    """An event to decide on, or a record to write; `answer` is set once it is durable.

    `due_at`: a timer's moment. It is never decided on as if it were earlier, even if the clock is set back meanwhile.
    `told_at`: when it was told. `at`: the moment to decide as of, for a fact whose first decision was lost.
    """

    event: Event | None = None
    record: AccessRecord | NodeSeen | None = None
    answer: asyncio.Future[Reply | None] | None = None
    due_at: float = 0.0
    told_at: float = 0.0
    at: float | None = None

    def refuse(self, why: str) -> None:
        """Tell whoever waits for an answer that nothing was stored."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(StoreError(why))

    def resolve(self, reply: Reply | None) -> None:
        """Give whoever waits for an answer the reply."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(reply)


@dataclass(slots=True)
class _Group:
    """What is written in one commit, and what follows it.

    `effects` wait for the commit. `facts` happened whatever becomes of it; `let_go` are releases that have begun.
    """

    changes: list[Entry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    answers: list[tuple[_Item, Reply | None]] = field(default_factory=list)
    facts: list[_Item] = field(default_factory=list)
    let_go: list[_Item] = field(default_factory=list)


class Runtime:
    """One for each engine. `observe` is told each group's size and the seconds its commit took.

    `told` hears of each event as it is decided on and what was replied, `decided` of each group that is durable.
    `decide` hands an event to the dispatcher; who puts something in its place may only watch.
    `accepting`: whether requests are taken. `unwritten_since`: the monotonic time of the commit that is under way or
    has failed; None while there is none.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        journal: Writer,
        *,
        clock: Callable[[], float] = time.time,
        observe: Callable[[int, float], None] = lambda _size, _seconds: None,
        decided: Callable[[Sequence[Entry]], None] = lambda _changes: None,
        told: Callable[[Event, Reply | None], None] = lambda _event, _reply: None,
        decide: Callable[[Dispatcher, Event, float], Decision] = Dispatcher.handle,
    ) -> None:
        self.dispatcher = dispatcher
        self.accepting = True
        self.unwritten_since: float | None = None
        self.effects: Effects | None = None
        self._journal = journal
        self._clock = clock
        self._observe = observe
        self._decided = decided
        self._told = told
        self._hand_over = decide
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._due = DueTimers(dispatcher.timers)
        self._timers_armed = False
        self._stop_asked = False
        self._facts: list[_Item] = []
        self._unsure: list[tuple[_Item, Reply | None]] = []

    def tell(self, event: Event) -> None:
        """Queue what happened; never waits."""
        self._queue.put_nowait(_Item(event, told_at=self._clock()))

    async def submit(self, event: Event) -> Reply | None:
        """Decide on a request and return its reply once it is durable. Raises StoreError."""
        self._stop_asked |= isinstance(event, StopRequested)
        return await self._put(_Item(event))

    async def write(self, record: AccessRecord | NodeSeen) -> None:
        """Write something that needs no decision. Raises StoreError."""
        await self._put(_Item(record=record))

    def arm_timers(self) -> None:
        """Let timers fire from now on: overdue ones in order, before whatever is told after this."""
        self._timers_armed = True
        for item in self._overdue(len(self._due)):
            self._queue.put_nowait(item)
        self._queue.put_nowait(_Item())

    async def run(self) -> None:
        """Decide, write and act until cancelled. Raises StoreError when nothing can be written."""
        try:
            while True:
                items = await self._next_group()
                await self._handle(items)
        except BaseException:
            self.close_intake()
            raise

    def close_intake(self) -> None:
        """Take no more requests; those that wait undecided are refused. What happened to calls is kept."""
        self.accepting = False
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for item in waiting:
            if item.answer is not None:
                item.refuse("the engine takes no requests now; try again later")
            else:
                self._queue.put_nowait(item)

    def restore(self, dispatcher: Dispatcher) -> None:
        """Go on with a dispatcher made from the journal, before the next `run`.

        What it holds settles the requests of a commit whose end was not known. Timers have to be armed again, and
        telephony counts as lost until every attempt has been looked at.
        """
        for item, reply in self._unsure:
            if _is_written(reply, dispatcher):
                item.resolve(reply)
            item.refuse("the request could not be written down; try again later")
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        facts = self._facts + [
            replace(item, at=item.told_at if item.at is None else item.at)
            for item in waiting
            if isinstance(item.event, get_args(Fact))
        ]
        self._unsure, self._facts = [], []
        self.dispatcher = dispatcher
        self._due = DueTimers(dispatcher.timers)
        self._timers_armed = False
        self.unwritten_since = None
        self.accepting = True
        self.tell(TelephonyLost())
        for item in facts:
            self._queue.put_nowait(item)
        if self._stop_asked:
            self.tell(StopRequested())

    def now(self) -> float:
        """The time by which everything is decided, in epoch seconds."""
        return self._clock()

    async def _put(self, item: _Item) -> Reply | None:
        if not self.accepting:
            raise StoreError("the engine takes no requests now; try again later")
        item.answer = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(item)
        return await item.answer

    async def _next_group(self) -> list[_Item]:
        items: list[_Item] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(self._until_next_timer()):
                items.append(await self._queue.get())
        while len(items) < GROUP_LIMIT and not self._queue.empty():
            items.append(self._queue.get_nowait())
        if self._timers_armed:
            items += self._overdue(GROUP_LIMIT)
        return items

    def _overdue(self, most: int) -> list[_Item]:
        """Take the timers whose moment has come, the earliest first."""
        taken = self._due.take(self._clock(), most)
        return [_Item(TimerFired(timer.owner, timer.name), due_at=timer.due_at) for timer in taken]

    def _until_next_timer(self) -> float | None:
        next_at = self._due.next_at if self._timers_armed else None
        return None if next_at is None else min(max(0.0, next_at - self._clock()), CLOCK_LOOK_SECONDS)

    async def _handle(self, items: list[_Item]) -> None:
        group = _Group()
        try:
            for item in items:
                self._decide(item, group)
            if group.changes:
                await self._commit(group.changes, items)
        except CommitUnknownError:
            self._facts += group.facts
            self._unsure += group.answers
            raise
        except asyncio.CancelledError:
            # A commit under way goes on to its end: to say no could be a lie, so nothing is said.
            for item in items:
                if item.answer is not None:
                    item.answer.cancel()
            raise
        except BaseException:
            # Whoever was let go already is gone for a reason of ours, also if that reason is not decided again.
            self._facts += group.facts + group.let_go
            for item in items:
                item.refuse("the request could not be written down; try again later")
            raise
        for item, reply in group.answers:
            item.resolve(reply)
        self._decided(group.changes)
        if not self.accepting:
            # What was decided is durable and out of date; that its effects were not begun is known for certain.
            self._facts += [self._not_begun(effect) for effect in group.effects]
            raise StoreError("a commit took too long")
        self._due.note(group.changes)
        for effect in group.effects:
            self._start(effect)

    def _decide(self, item: _Item, group: _Group) -> None:
        """Add to the group what one item brings about; what needs no commit begins at once."""
        reply: Reply | None = None
        if item.record is not None:
            group.changes.append(item.record)
        if item.event is not None:
            now = max(self._clock(), item.due_at) if item.at is None else item.at
            if isinstance(item.event, get_args(Fact)):
                group.facts.append(replace(item, at=now))
            decision = self._hand_over(self.dispatcher, item.event, now)
            reply = decision.reply
            self._told(item.event, reply)
            group.changes += decision.changes
            for effect in decision.effects:
                if effect.kind is EffectClass.IRREVERSIBLE:
                    group.effects.append(effect)
                else:
                    self._start(effect)
                if isinstance(effect, Release) and effect.leg == self.dispatcher.customer_leg(effect.attempt):
                    group.let_go.append(_Item(AttemptLetGo(effect.attempt), told_at=now, at=now))
        if item.answer is not None:
            group.answers.append((item, reply))

    def _not_begun(self, effect: Effect) -> _Item:
        now = self._clock()
        return _Item(EffectEnded(effect, ResultKind.REFUSED, "its commit took too long"), told_at=now, at=now)

    async def _commit(self, changes: list[Entry], items: Sequence[_Item]) -> None:
        about = partial(_concerned, items)
        if crash_points.is_armed(crash_points.COMMIT_BEFORE, about):
            await asyncio.sleep(BEFORE_COMMIT_SECONDS)
        crash_points.reached(crash_points.COMMIT_BEFORE, about)
        began = self.unwritten_since = time.monotonic()
        await self._journal.commit(changes)
        if self.accepting:
            self.unwritten_since = None
        crash_points.reached(crash_points.COMMIT_AFTER, about)
        self._observe(len(items), time.monotonic() - began)

    def _start(self, effect: Effect) -> None:
        if self.effects is None:
            raise RuntimeError("an effect was decided before anybody could carry it out")
        self.effects.start(effect)


def _is_written(reply: Reply | None, dispatcher: Dispatcher) -> bool:
    """Whether a yes is true, by what is stored: a request or work from outside that is taken, moved or ended."""
    match reply:
        case Accepted(callback=told):
            # A request, another time and another number are kept; a cancelled one is not open.
            stored = dispatcher.book.get(told.id)
            if stored is None or not told.open:
                return stored is None and not told.open
            return (told.request, told.asked_at) == (stored.request, stored.asked_at)
        case Interaction(id=id_, state=state):
            return (id_ in dispatcher.interactions) != state.ended
        case _:
            return False


def _concerned(items: Sequence[_Item]) -> set[str]:
    """What a group decides on, as a crash point names it: kinds of events, and names of timers."""
    events = [item.event for item in items if item.event is not None]
    return {event.name if isinstance(event, TimerFired) else type(event).__name__ for event in events}
