"""What all decisions share: the parts that hold state, the decision that is being made, and joining the line.

The dispatcher is put together from this and from the modules that each decide on one kind of event: `admission` on
requests, `calling` on live calls, `serving` on who is served next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engine.core.book import CallbackBook
from engine.core.callflow import CallFlow
from engine.core.changes import Change
from engine.core.decision import Accepted, Decision, Refusal, Snapshot
from engine.core.desks import Desks
from engine.core.events import CancelRequested
from engine.core.lifecycle import Because
from engine.core.line import Line, Place
from engine.core.matching import Matching
from engine.core.model import (
    Agent,
    Attempt,
    AttemptId,
    Callback,
    CallbackState,
    Service,
    Stage,
)
from engine.core.needs import Needs
from engine.core.timers import Timers

RETRY, LIFE, WIDEN, WRAP_UP, RONA_RETURN = "retry", "life", "widen", "wrap_up", "rona_return"


class Switchboard:
    """The parts and the decision under way."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.configuration = snapshot.configuration
        self.book = CallbackBook()
        self.line = Line()
        self.desks = Desks()
        self.timers = Timers()
        self._needs = Needs(self.configuration.services)
        self._matching = Matching(self.line, self.desks)
        self._flows: dict[AttemptId, CallFlow] = {}
        self._decision = Decision()
        self.desks.restore(snapshot.agents)
        self.desks.configure(self.configuration.agents, 0.0)
        self._matching.configured()
        self.timers.restore(snapshot.timers)
        self.book.restore(snapshot.callbacks)
        for callback in snapshot.callbacks:
            if callback.state is CallbackState.QUEUED:
                self._join(callback)
        for attempt in snapshot.attempts:
            self._restore_flow(attempt)

    # ---- the line ------------------------------------------------------------------------------------

    def _join(self, callback: Callback, *, on_the_phone: bool = False) -> None:
        self.line.join(
            Place(
                callback.id,
                self._needs.of(callback, on_the_phone=on_the_phone),
                callback.joined_at,
                callback.created_at,
                callback.priority,
                callback.at_head,
                on_the_phone,
            )
        )

    def _widen_in_time(self, callback: Callback) -> None:
        """Arm the next step of the expansion, if the service has one."""
        widens_at = self._needs.widens_at(callback)
        if widens_at is None:
            self._write(self.timers.clear(callback.id, WIDEN))
        elif not self.timers.is_set_for(callback.id, WIDEN, widens_at):
            self._write(self.timers.set(callback.id, WIDEN, widens_at))

    def _service_of(self, callback: Callback) -> Service:
        return self.configuration.services[callback.request.service]

    # ---- bookkeeping ---------------------------------------------------------------------------------

    def _restore_flow(self, attempt: Attempt) -> None:
        callback = self.book.get(attempt.callback)
        if callback is None:
            raise ValueError(f"attempt {attempt.id} is open, but its callback is not")
        service = self.configuration.services[callback.request.service]
        holder = next(
            (
                status.id
                for status in self.desks.statuses()
                if status.work is not None
                and status.work.attempt == attempt.id
                and status.work.stage is not Stage.WRAP_UP
            ),
            None,
        )
        # Somebody removed in the middle of a call is never rung again, but their work has to end.
        agent = (self.desks.agent(holder) or Agent(holder, name=holder, endpoint="")) if holder else None
        self._flows[attempt.id] = CallFlow(attempt, callback, service, agent)

    def _end(self, callback: Callback, because: Because, now: float, cancel: CancelRequested | None = None) -> None:
        self.line.leave(callback.id)
        self._write(self.timers.clear_all(callback.id))
        self._write(self.book.move(callback, because, now, cancel.reason if cancel else None))
        if cancel:
            ended = replace(callback, state=CallbackState.CANCELLED, reason=cancel.reason, ended_at=now)
            self._decision.reply = Accepted(replace(ended, next_attempt_at=None), None)

    def _move_if(self, callback: Callback, state: CallbackState, because: Because, now: float) -> None:
        """Facts such as Dialled are told more than once; only the first moves the callback."""
        if callback.state is state:
            self._write(self.book.move(callback, because, now))

    def _refuse(self, code: str, detail: str) -> None:
        self._decision.reply = Refusal(code, detail)

    def _write(self, changes: Iterable[Change]) -> None:
        self._decision.changes.extend(changes)
