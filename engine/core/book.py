"""The open callbacks: accepting, moving along the lifecycle, and ending them. Ended ones are forgotten here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.changes import CallbackChanged, CallbackMoved, Change
from engine.core.lifecycle import REASONS, Because, after
from engine.core.records import Callback
from engine.core.terms import CallbackId, CallbackState, Reason, ServiceId
from engine.core.values import replace


class CallbackBook:
    """Every open callback by id, and how many a number has."""

    def __init__(self) -> None:
        self._open: dict[CallbackId, Callback] = {}
        self._by_phone: dict[str, tuple[CallbackId, ...]] = {}

    def restore(self, callbacks: Iterable[Callback]) -> None:
        for callback in callbacks:
            self._keep(callback)

    def __iter__(self) -> Iterator[Callback]:
        return iter(self._open.values())

    def get(self, callback: CallbackId) -> Callback | None:
        return self._open.get(callback)

    def open_of(self, phone: str, service: ServiceId | None = None) -> list[Callback]:
        """The open callbacks of a number, of one service or of all, in the order of their ids."""
        found = (self._open[each] for each in self._by_phone.get(phone, ()))
        return [callback for callback in found if service is None or callback.request.service == service]

    def uses(self, service: ServiceId) -> bool:
        return any(callback.request.service == service for callback in self._open.values())

    def accept(self, callback: Callback, now: float) -> list[Change]:
        self._keep(callback)
        because = Because.BOOKED if callback.state is CallbackState.SCHEDULED else Because.ACCEPTED
        moved = CallbackMoved(callback.id, None, callback.state, because, now)
        return [CallbackChanged(callback), moved]

    def keep(self, callback: Callback) -> list[Change]:
        """Fields of an open callback have changed, its state has not."""
        before = self._open[callback.id]
        if before.request.phone != callback.request.phone:
            self._forget(before)
        self._keep(callback)
        return [CallbackChanged(callback)]

    def move(self, callback: Callback, because: Because, now: float, reason: Reason | None = None) -> list[Change]:
        """Move `callback` (with its other fields as given) along the table. Raises IllegalMoveError."""
        state = after(callback.state, because)
        moved = CallbackMoved(callback.id, callback.state, state, because, now)
        if state.ended:
            ended_for = reason or REASONS[because]
            callback = replace(callback, state=state, reason=ended_for, ended_at=now, next_attempt_at=None)
            self._forget(callback)
        else:
            callback = replace(callback, state=state)
            self._open[callback.id] = callback
        return [CallbackChanged(callback), moved]

    def begin_attempt(self, callback: Callback, because: Because, now: float) -> list[Change]:
        """Move the callback along the table and on to its next attempt. Raises IllegalMoveError."""
        state = after(callback.state, because)
        moved = CallbackMoved(callback.id, callback.state, state, because, now)
        n = callback.attempts_started + 1
        begun = replace(callback, state=state, attempts_started=n, next_attempt_at=None)
        self._open[callback.id] = begun
        return [CallbackChanged(begun), moved]

    def _keep(self, callback: Callback) -> None:
        self._open[callback.id] = callback
        ids = self._by_phone.get(callback.request.phone, ())
        if callback.id not in ids:
            self._by_phone[callback.request.phone] = tuple(sorted((*ids, callback.id)))

    def _forget(self, callback: Callback) -> None:
        del self._open[callback.id]
        phone = callback.request.phone
        self._by_phone[phone] = tuple(each for each in self._by_phone[phone] if each != callback.id)
        if not self._by_phone[phone]:
            del self._by_phone[phone]
