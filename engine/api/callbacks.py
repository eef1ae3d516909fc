"""/callbacks: asking for a callback, following it, cancelling it, and the staff's list."""

from __future__ import annotations

import asyncio

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import answer, read_body, read_query
from engine.api.callback_shapes import (
    CallbackAccepted,
    CallbackList,
    CallbackListQuery,
    CallbackWanted,
    CustomerView,
    StaffView,
    staff_view,
)
from engine.api.codes import Code
from engine.api.creation import Creation
from engine.api.endpoints import Endpoint
from engine.api.idempotency import hash_of_body
from engine.api.intake import Intake
from engine.api.lookup import Lookup
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.rate_limit import CustomerLimit
from engine.core.events import CancelRequested
from engine.core.terms import Reason, ServiceId
from engine.store.queries import Queries
from engine.store.records import KeyRole

_CUSTOMERS = frozenset({KeyRole.PUBLIC}) | STAFF


class Callbacks:
    """The requests of customers."""

    def __init__(
        self,
        engine: Engine,
        queries: Queries,
        lookup: Lookup,
        intake: Intake,
        creation: Creation,
        limit: CustomerLimit,
    ) -> None:
        self._engine = engine
        self._queries = queries
        self._lookup = lookup
        self._intake = intake
        self._creation = creation
        self._limit = limit

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="POST",
                path="/callbacks",
                handle=self.create,
                summary="Ask for a callback",
                tag="customers",
                roles=_CUSTOMERS,
                body=CallbackWanted,
                answers=(CallbackAccepted,),
                status=201,
                creates_once=True,
                codes=(
                    Code.UNKNOWN_SERVICE,
                    Code.DUPLICATE_REQUEST,
                    Code.INVALID_PHONE,
                    Code.PHONE_NOT_ALLOWED,
                    Code.UNKNOWN_SUBJECT,
                    Code.CLOSED,
                    Code.SLOT_NOT_AVAILABLE,
                    Code.IN_THE_PAST,
                    Code.TOO_FAR_AHEAD,
                    Code.TOO_MANY_REQUESTS,
                    Code.QUEUE_FULL,
                ),
            ),
            Endpoint(
                method="GET",
                path="/callbacks",
                handle=self.list,
                summary="List callbacks, newest first",
                tag="staff",
                roles=STAFF,
                query=CallbackListQuery,
                answers=(CallbackList,),
            ),
            Endpoint(
                method="GET",
                path="/callbacks/{id}",
                handle=self.show,
                summary="Follow one callback; staff see all of it",
                tag="customers",
                roles=_CUSTOMERS,
                token_suffices=True,
                answers=(CustomerView, StaffView),
                codes=(Code.NOT_FOUND,),
            ),
            Endpoint(
                method="DELETE",
                path="/callbacks/{id}",
                handle=self.cancel,
                summary="Cancel a callback",
                tag="customers",
                roles=_CUSTOMERS,
                token_suffices=True,
                answers=(CustomerView, StaffView),
                codes=(Code.NOT_FOUND, Code.CALL_IN_PROGRESS, Code.ALREADY_ENDED),
            ),
        ]

    async def create(self, request: web.Request, caller: Caller) -> web.Response:
        """Accept a request, once for each Idempotency-Key."""
        with self._creation.counting_refusals():
            if caller.public:
                self._limit.count(request)
            wanted = await read_body(request, CallbackWanted)
            return await self._creation.answer(
                request, caller, hash_of_body(wanted), lambda once: self._intake.accept(wanted, caller, once)
            )

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """One page of the staff's list."""
        query = read_query(request, CallbackListQuery, lists=frozenset({"state"}))
        try:
            page = await self._queries.callbacks(
                states=query.state or None,
                service=None if query.service is None else ServiceId(query.service),
                phone=query.phone,
                created_from=query.created_from.timestamp() if query.created_from else None,
                created_to=query.created_to.timestamp() if query.created_to else None,
                limit=query.limit,
                cursor=query.cursor,
            )
        except ValueError:
            raise ProblemError.of_field("cursor", "is not the `next` of an earlier page; begin without it") from None
        attempts = await self._queries.attempts_of_all(each.id for each in page.items)
        said = await self._queries.classifications_of_all(each.id for each in page.items)
        items = []
        for each in page.items:
            items.append(staff_view(each, attempts[each.id], self._lookup.outlook(each), said.get(each.id)))
            # Finding a place in a long line takes a while; calls must not wait for a whole page of them.
            await asyncio.sleep(0)
        return answer(CallbackList(items=items, next=page.next))

    async def show(self, request: web.Request, caller: Caller) -> web.Response:
        """One callback, in the caller's view."""
        return await self._lookup.view(await self._lookup.to_see(request, caller), caller)

    async def cancel(self, request: web.Request, caller: Caller) -> web.Response:
        """End a callback that is not being called. A publishable key alone does not suffice for this."""
        callback = await self._lookup.to_change(request, caller)
        reason = Reason.BY_ADMIN if caller.staff else Reason.BY_CUSTOMER
        reply = await self._engine.submit(CancelRequested(callback.id, reason))
        return await self._lookup.view_changed(reply, caller)
