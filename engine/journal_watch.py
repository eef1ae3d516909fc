"""Tells the log and the figures what was decided: a line and a count for each ended and for each recovered attempt, and
for each call that came in and is over.

Of each attempt that begins it counts whom it overtook. Whoever is held for a supervisor is told as an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import structlog

from engine.core.changes import AttemptChanged, CallbackChanged, CallbackMoved, InboundChanged
from engine.core.decision import Recovered, Reply
from engine.core.events import AttemptSeen, Event
from engine.core.lifecycle import Because
from engine.core.records import Attempt, InboundCall
from engine.core.terms import CallbackId, CallbackState, ServiceId
from engine.metrics import Metrics
from engine.store.records import Entry

log = structlog.get_logger()


class JournalWatch:
    """Told of each written group; sees every attempt begin and end exactly once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._changed = asyncio.Event()

    def written(self, changes: Sequence[Entry]) -> None:
        """A group of changes is durable."""
        self._changed.set()
        unobserved = {
            change.callback
            for change in changes
            if isinstance(change, CallbackMoved) and change.because == Because.CALL_ENDED_UNOBSERVED
        }
        for change in changes:
            if isinstance(change, AttemptChanged) and change.attempt.ended_at is not None:
                self._ended(change.attempt, observed=change.attempt.callback not in unobserved)
            if isinstance(change, CallbackMoved) and change.because == Because.HELD_FOR_SUPERVISOR:
                self._metrics.callback_held()
                log.error("callback.held", callback=change.callback, mend="ringback callback reschedule ID --when now")
            if isinstance(change, InboundChanged) and change.call.ended_at is not None:
                self._caller_gone(change.call)
        for service, attempt in _begun(changes):
            self._metrics.overtook(service, attempt.overtook)

    def told(self, event: Event, reply: Reply | None) -> None:
        """The dispatcher has decided on an event."""
        self._metrics.event(type(event).__name__)
        if isinstance(event, AttemptSeen) and isinstance(reply, Recovered):
            self._metrics.attempt_recovered(reply.did)
            log.info(
                "attempt.recovered",
                attempt=reply.attempt,
                phase=reply.phase,
                customer_leg=event.customer,
                agent_leg=event.agent,
                bridged=event.bridged,
                did=reply.did,
            )

    async def next_change(self) -> None:
        """Wait until something more has been written."""
        self._changed.clear()
        await self._changed.wait()

    def _ended(self, attempt: Attempt, *, observed: bool) -> None:
        self._metrics.attempt_ended(str(attempt.outcome))
        to_verdict = _between(attempt.answered_at, attempt.judged_at)
        if attempt.verdict is not None and attempt.evidence is not None and to_verdict is not None:
            self._metrics.screened(attempt.verdict, attempt.evidence, to_verdict)
        log.info(
            "attempt.ended",
            attempt=attempt.id,
            n=attempt.n,
            outcome=attempt.outcome,
            cause=attempt.cause,
            sip_code=attempt.sip_code,
            agent=attempt.agent,
            rang=attempt.rang,
            verdict=attempt.verdict,
            evidence=attempt.evidence,
            seconds_to_verdict=to_verdict,
            seconds_to_answer=_between(attempt.dialed_at, attempt.answered_at),
            seconds_to_confirm=_between(attempt.answered_at, attempt.confirmed_at),
            seconds_to_bridge=_between(attempt.confirmed_at, attempt.bridged_at),
            seconds_talked=_between(attempt.bridged_at, attempt.parted_at) if observed else None,
        )

    def _caller_gone(self, call: InboundCall) -> None:
        waited = None if call.joined_at is None else _between(call.entered_at, call.met_at or call.ended_at)
        self._metrics.inbound_ended(call.service, str(call.outcome))
        if waited is not None and call.met_at is not None:
            self._metrics.inbound_served(call.service, waited)
        log.info(
            "inbound.ended",
            call=call.id,
            service=call.service,
            outcome=call.outcome,
            cause=call.cause,
            agent=call.agent,
            callback=call.callback,
            number_known=call.phone is not None,
            seconds_waited=waited,
            seconds_talked=_between(call.bridged_at, call.parted_at),
        )


def _begun(changes: Sequence[Entry]) -> Iterator[tuple[ServiceId, Attempt]]:
    """The attempts that begin with this group: each is written for the first time right after its callback moved to
    reserved."""
    services: dict[CallbackId, ServiceId] = {}
    reserved: set[CallbackId] = set()
    for change in changes:
        match change:
            case CallbackChanged(callback=callback):
                services[callback.id] = callback.request.service
            case CallbackMoved(callback=moved, after=CallbackState.RESERVED):
                reserved.add(moved)
            case CallbackMoved(callback=moved):
                reserved.discard(moved)
            case AttemptChanged(attempt=attempt) if attempt.callback in reserved:
                reserved.discard(attempt.callback)
                yield services[attempt.callback], attempt


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(end - start, 3)
