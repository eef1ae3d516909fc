"""Finds a callback for whoever may see or change it, and shows it in their view."""

from __future__ import annotations

from aiohttp import web

from engine.api.access import TOKEN_HEADER, Caller
from engine.api.bodies import answer
from engine.api.callback_shapes import Outlook, customer_view, staff_view
from engine.api.codes import Code
from engine.api.credentials import matches
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Accepted, Refusal, Reply
from engine.core.records import Callback
from engine.core.terms import CallbackId, CallbackState
from engine.store.queries import Queries


class Lookup:
    """Callbacks by the id in an address."""

    def __init__(self, engine: Engine, queries: Queries) -> None:
        self._engine = engine
        self._queries = queries

    async def find(self, request: web.Request) -> Callback:
        """The callback, ended or not. Raises ProblemError `not-found`, StoreError."""
        callback = await self._queries.callback(CallbackId(request.match_info["id"]))
        if callback is None:
            raise ProblemError(Code.NOT_FOUND, "there is no callback with this id")
        return callback

    async def to_see(self, request: web.Request, caller: Caller) -> Callback:
        """The same; a token that is shown must be its own. Raises ProblemError, StoreError."""
        callback = await self.find(request)
        if caller.token is not None and not caller.staff:
            _check_token(callback, caller.token)
        return callback

    async def to_change(self, request: web.Request, caller: Caller) -> Callback:
        """The same; a publishable key alone does not suffice for this. Raises ProblemError, StoreError."""
        callback = await self.find(request)
        if not caller.staff:
            if caller.token is None:
                raise ProblemError(Code.FORBIDDEN, f"send the token of this request as {TOKEN_HEADER}")
            _check_token(callback, caller.token)
        return callback

    async def view(self, callback: Callback, caller: Caller) -> web.Response:
        """The callback in the caller's view."""
        outlook = self.outlook(callback)
        if not caller.staff:
            return answer(customer_view(callback, outlook))
        attempts = await self._queries.attempts_of(callback.id)
        said = await self._queries.classifications_of_all([callback.id])
        return answer(staff_view(callback, attempts, outlook, said.get(callback.id)))

    async def view_changed(self, reply: Reply | None, caller: Caller) -> web.Response:
        """What a change was replied, in the caller's view. Raises ProblemError for a refusal."""
        match reply:
            case Accepted(callback=changed):
                return await self.view(changed, caller)
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a change of a callback was answered with {type(reply).__name__}")

    def outlook(self, callback: Callback) -> Outlook:
        """Its place in the line, and how long it will still wait there."""
        dispatcher = self._engine.dispatcher
        position = dispatcher.line.position(callback.id)
        if position is None or callback.state is not CallbackState.QUEUED:
            return Outlook(position)
        return Outlook(position, dispatcher.waits.of(callback.id))


def _check_token(callback: Callback, token: str) -> None:
    if not matches(token, callback.token_hash):
        raise ProblemError(Code.INVALID_TOKEN, "this token does not belong to this request")
