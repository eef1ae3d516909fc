"""Who rings in, as far as anybody can tell: by the number alone, which may be another's or none.

What the number has asked the same service for is shown to the agent who talks to them, and kept if they are to be
called again. Nothing is granted because of it.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.api.ports import Engine
from engine.core.records import Callback, InboundCall, Request
from engine.core.terms import AttemptId, CallbackId, RequestChannel
from engine.core.values import replace
from engine.store.queries import Queries

KNOWN_SECONDS = 30 * 86400.0
"""So long after its end it is still told what a number had asked for."""


class Wish(NamedTuple):
    """What a caller wants, as if they had asked for a callback; `before`: the callback that this was known from."""

    request: Request
    before: CallbackId | None


def live_call(engine: Engine, call: AttemptId) -> InboundCall | None:
    """A call that came in and is not over, as it stands."""
    return next((flow.inbound for flow in engine.dispatcher.callers() if flow.inbound.id == call), None)


async def wish_of(engine: Engine, queries: Queries, call: InboundCall) -> Wish:
    """Names, subject and context of what the number asks for or asked for last. Raises StoreError.

    Without a number there is none in the request either: an empty text.
    """
    callback = await _callback_of(engine, queries, call)
    if callback is None:
        request = Request(call.service, call.phone or "", call.language, RequestChannel.PHONE, zones=call.zones)
        return Wish(request, None)
    return Wish(replace(callback.request, language=call.language, channel=RequestChannel.PHONE), callback.id)


async def _callback_of(engine: Engine, queries: Queries, call: InboundCall) -> Callback | None:
    if call.phone is None:
        return None
    for callback in engine.dispatcher.book.open_of(call.phone, call.service):
        return callback
    for callback in (await queries.callbacks(service=call.service, phone=call.phone, limit=1)).items:
        if callback.ended_at is None or callback.ended_at >= call.entered_at - KNOWN_SECONDS:
            return callback
    return None
