"""Decides on requests: who is accepted, cancelled or refused. On a refusal nothing changes."""

from __future__ import annotations

from engine.core.changes import IdempotencyKept
from engine.core.decision import Accepted
from engine.core.events import CallbackRequested, CancelRequested
from engine.core.lifecycle import Because, can
from engine.core.model import Callback, CallbackState
from engine.core.switchboard import LIFE, Switchboard


class Admission(Switchboard):
    """The customers' side of the switchboard."""

    def _requested(self, event: CallbackRequested, now: float) -> None:
        request = event.request
        service = self.configuration.services.get(request.service)
        limit = self.configuration.limits.max_open_per_number
        if service is None:
            self._refuse("unknown-service", f"there is no service {request.service!r}")
        elif self.book.open_of(request.phone, request.service):
            self._refuse("duplicate-request", "this number already has an open request of this service")
        elif len(self.book.open_of(request.phone)) >= limit:
            self._refuse("duplicate-request", f"this number already has {limit} open requests")
        elif self.line.waiting(request.service) >= service.queue_cap:
            self._refuse("queue-full", "too many customers wait for this service; try again later")
        else:
            callback = Callback(
                id=event.id,
                request=request,
                state=CallbackState.QUEUED,
                created_at=now,
                joined_at=now,
                token_hash=event.token_hash,
                priority=service.priority,
            )
            self._write(self.book.accept(callback, now))
            self._write(self.timers.set(callback.id, LIFE, now + service.life_seconds))
            if event.idempotency is not None:
                self._write([IdempotencyKept(event.idempotency, callback.id, now)])
            self._widen_in_time(callback)
            self._join(callback)
            self._decision.reply = Accepted(callback, None)

    def _cancel(self, event: CancelRequested, now: float) -> None:
        callback = self.book.get(event.id)
        if callback is None:
            self._refuse("already-ended", "this request has already ended")
        elif not can(callback.state, Because.CANCELLED):
            self._refuse("call-in-progress", "we are calling right now")
        else:
            self._end(callback, Because.CANCELLED, now, event)
