"""PATCH /callbacks/{id} and its requeue: another time or number for an open callback, and one more try for an ended."""

from __future__ import annotations

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import read_body
from engine.api.callback_shapes import CallbackAccepted, CustomerView, MoveWanted, RequeueWanted, StaffView
from engine.api.codes import Code
from engine.api.creation import Creation
from engine.api.endpoints import Endpoint
from engine.api.idempotency import hash_of_body
from engine.api.intake import Intake
from engine.api.lookup import Lookup
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.rate_limit import CustomerLimit
from engine.api.when import seconds_of
from engine.core.events import MoveRequested
from engine.store.records import KeyRole

_TIME_REFUSED = (
    Code.CLOSED,
    Code.SLOT_NOT_AVAILABLE,
    Code.IN_THE_PAST,
    Code.TOO_FAR_AHEAD,
    Code.TOO_MANY_REQUESTS,
    Code.QUEUE_FULL,
)
_NUMBER_REFUSED = (Code.INVALID_PHONE, Code.PHONE_NOT_ALLOWED, Code.DUPLICATE_REQUEST)


class Rescheduling:
    """Later changes of what was asked for."""

    def __init__(
        self, engine: Engine, lookup: Lookup, intake: Intake, creation: Creation, limit: CustomerLimit
    ) -> None:
        self._engine = engine
        self._lookup = lookup
        self._intake = intake
        self._creation = creation
        self._limit = limit

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="PATCH",
                path="/callbacks/{id}",
                handle=self.move,
                summary="Another time or another number for a callback that is not being called",
                tag="customers",
                roles=frozenset({KeyRole.PUBLIC}) | STAFF,
                token_suffices=True,
                body=MoveWanted,
                answers=(CustomerView, StaffView),
                codes=(
                    Code.NOT_FOUND,
                    Code.CALL_IN_PROGRESS,
                    Code.ALREADY_ENDED,
                    *_NUMBER_REFUSED,
                    *_TIME_REFUSED,
                ),
            ),
            Endpoint(
                method="POST",
                path="/callbacks/{id}/requeue",
                handle=self.requeue,
                summary="The request of a callback that has ended once more, as a new callback",
                tag="staff",
                roles=STAFF,
                body=RequeueWanted,
                body_needed=False,
                answers=(CallbackAccepted,),
                status=201,
                creates_once=True,
                codes=(
                    Code.NOT_FOUND,
                    Code.WRONG_STATE,
                    Code.UNKNOWN_SERVICE,
                    Code.UNKNOWN_SUBJECT,
                    *_NUMBER_REFUSED,
                    *_TIME_REFUSED,
                ),
            ),
        ]

    async def move(self, request: web.Request, caller: Caller) -> web.Response:
        """All of it or nothing. A publishable key alone does not suffice for this."""
        if not caller.staff:
            self._limit.count(request)
        callback = await self._lookup.to_change(request, caller)
        wanted = await read_body(request, MoveWanted)
        number = None if wanted.phone is None else await self._intake.new_number(callback, wanted.phone)
        start = None if wanted.when is None else seconds_of(wanted.when)
        event = MoveRequested(callback.id, start, now=wanted.when == "now", number=number)
        return await self._lookup.view_changed(await self._engine.submit(event), caller)

    async def requeue(self, request: web.Request, caller: Caller) -> web.Response:
        """A new callback with the same request; whoever asks may not have waited for the first to end."""
        with self._creation.counting_refusals():
            callback = await self._lookup.find(request)
            wanted = await read_body(request, RequeueWanted) if request.body_exists else RequeueWanted()
            if callback.open:
                raise ProblemError(Code.WRONG_STATE, "this callback has not ended; move or cancel it instead")
            return await self._creation.answer(
                request,
                caller,
                hash_of_body(wanted, of=f"requeue {callback.id}"),
                lambda once: self._intake.requeue(callback, wanted.when, once),
            )
