"""/callbacks: asking for a callback, following it, cancelling it, and the staff's list."""

from __future__ import annotations

import asyncio

from aiohttp import web

from engine.api.access import STAFF, TOKEN_HEADER, Caller
from engine.api.bodies import answer, read_body, read_query
from engine.api.callback_shapes import (
    CallbackAccepted,
    CallbackList,
    CallbackListQuery,
    CallbackWanted,
    CustomerView,
    StaffView,
    customer_view,
    staff_view,
)
from engine.api.codes import Code
from engine.api.credentials import matches
from engine.api.endpoints import Endpoint
from engine.api.idempotency import Repetitions, hash_of_body, key_of
from engine.api.intake import Intake, Once
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.rate_limit import AddressLimit, client_address
from engine.config import Settings
from engine.core.decision import Accepted, Refusal
from engine.core.events import CancelRequested
from engine.core.model import Callback, CallbackId, Reason, ServiceId
from engine.metrics import Metrics
from engine.store.queries import Queries
from engine.store.records import KeyRole

_CUSTOMERS = frozenset({KeyRole.PUBLIC}) | STAFF


class Callbacks:
    """The requests of customers."""

    def __init__(self, settings: Settings, engine: Engine, queries: Queries, intake: Intake, metrics: Metrics) -> None:
        self._engine = engine
        self._queries = queries
        self._intake = intake
        self._metrics = metrics
        self._repetitions = Repetitions(queries)
        self._limit = AddressLimit(settings.limits.requests_per_minute_per_address)
        self._proxies = frozenset(settings.http.trusted_proxies)

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
                    Code.SLOT_NOT_AVAILABLE,
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
        try:
            if caller.public:
                self._count(request)
            wanted = await read_body(request, CallbackWanted)
            key = key_of(request, caller)
            if key is None:
                return self._created((await self._accept(wanted, caller, None)).model_dump_json())
            once = Once(key, hash_of_body(wanted))
            async with self._repetitions.alone(key):
                if kept := await self._repetitions.earlier(key, once.body_hash):
                    sent = self._repetitions.sent(kept.callback)
                    return self._created(sent or self._intake.repeat(kept).model_dump_json())
                accepted = await self._accept(wanted, caller, once)
                text = accepted.model_dump_json()
                self._repetitions.remember(accepted.id, text)
                return self._created(text)
        except ProblemError as problem:
            self._metrics.refused(problem.code)
            raise

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
        items = []
        for each in page.items:
            items.append(staff_view(each, attempts[each.id], self._position(each)))
            # Finding a place in a long line takes a while; calls must not wait for a whole page of them.
            await asyncio.sleep(0)
        return answer(CallbackList(items=items, next=page.next))

    async def show(self, request: web.Request, caller: Caller) -> web.Response:
        """One callback, in the caller's view."""
        callback = await self._find(request)
        if caller.token is not None and not caller.staff:
            _check_token(callback, caller.token)
        return await self._view(callback, caller)

    async def cancel(self, request: web.Request, caller: Caller) -> web.Response:
        """End a callback that is not being called. A publishable key alone does not suffice for this."""
        callback = await self._find(request)
        if not caller.staff:
            if caller.token is None:
                raise ProblemError(Code.FORBIDDEN, f"send the token of this request as {TOKEN_HEADER}")
            _check_token(callback, caller.token)
        reason = Reason.BY_ADMIN if caller.staff else Reason.BY_CUSTOMER
        reply = await self._engine.submit(CancelRequested(callback.id, reason))
        match reply:
            case Accepted(callback=ended):
                return await self._view(ended, caller)
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a cancellation was answered with {type(reply).__name__}")

    def _count(self, request: web.Request) -> None:
        wait = self._limit.take(client_address(request, self._proxies))
        if wait is not None:
            raise ProblemError(Code.TOO_MANY_REQUESTS, f"try again in {wait} s", headers={"Retry-After": str(wait)})

    async def _accept(self, wanted: CallbackWanted, caller: Caller, once: Once | None) -> CallbackAccepted:
        if not self._engine.accepting:
            raise ProblemError(Code.NOT_READY, headers={"Retry-After": "5"})
        return await self._intake.accept(wanted, caller, once)

    def _created(self, text: str) -> web.Response:
        return web.Response(
            status=201, text=text, content_type="application/json", headers={"Cache-Control": "no-store"}
        )

    async def _find(self, request: web.Request) -> Callback:
        callback = await self._queries.callback(CallbackId(request.match_info["id"]))
        if callback is None:
            raise ProblemError(Code.NOT_FOUND, "there is no callback with this id")
        return callback

    async def _view(self, callback: Callback, caller: Caller) -> web.Response:
        position = self._position(callback)
        if not caller.staff:
            return answer(customer_view(callback, position))
        return answer(staff_view(callback, await self._queries.attempts_of(callback.id), position))

    def _position(self, callback: Callback) -> int | None:
        return self._engine.dispatcher.line.position(callback.id)


def _check_token(callback: Callback, token: str) -> None:
    if not matches(token, callback.token_hash):
        raise ProblemError(Code.INVALID_TOKEN, "this token does not belong to this request")
