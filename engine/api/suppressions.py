"""/suppressions: numbers that are never called, by their owners' wish or an administrator's."""

from __future__ import annotations

import heapq

from aiohttp import web
from pydantic import Field

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, Moment, Received, answer, moment, read_body, read_query
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.paging import ListQuery
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Refusal
from engine.core.events import SuppressRequested, UnsuppressRequested
from engine.core.records import Suppression
from engine.core.terms import Reason
from engine.document.values import Line
from engine.numbers import parse_e164


class SuppressionWanted(Received):
    """A number that is not to be called any more."""

    phone: str = Field(max_length=64, description="E.164: + and the country code, digits only.")
    note: Line | None = None


class SuppressionView(Answered):
    """A number that is never called. `because`: `never_again` (the owner pressed the key) or `by_admin`."""

    phone: str
    because: Reason
    at: Moment
    note: str | None


class SuppressionList(Answered):
    """One page, in the order of the numbers; `next` is the cursor of the following one."""

    items: list[SuppressionView]
    next: str | None


class Suppressions:
    """The numbers that are never called."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/suppressions",
                handle=self.list,
                summary="Numbers that are never called",
                tag="administration",
                roles=STAFF,
                query=ListQuery,
                answers=(SuppressionList,),
            ),
            Endpoint(
                method="POST",
                path="/suppressions",
                handle=self.add,
                summary="Never call a number again; whoever waits with it is not called any more",
                tag="administration",
                roles=STAFF,
                body=SuppressionWanted,
                answers=(SuppressionView,),
                status=201,
                codes=(Code.INVALID_PHONE,),
            ),
            Endpoint(
                method="DELETE",
                path="/suppressions/{phone}",
                handle=self.remove,
                summary="Allow calls to a number again",
                tag="administration",
                roles=STAFF,
                status=204,
                codes=(Code.NOT_FOUND,),
            ),
        ]

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """One page. The cursor is a number, so a page goes on though that one is allowed again meanwhile."""
        query = read_query(request, ListQuery)
        kept = self._engine.dispatcher.suppressions
        after = query.cursor or ""
        phones = heapq.nsmallest(query.limit + 1, (phone for phone in kept if phone > after))
        page = phones[: query.limit]
        following = page[-1] if len(phones) > query.limit else None
        return answer(SuppressionList(items=[_view(kept[phone]) for phone in page], next=following))

    async def add(self, request: web.Request, _caller: Caller) -> web.Response:
        """Suppress a number; a second time changes only the note."""
        wanted = await read_body(request, SuppressionWanted)
        if parse_e164(wanted.phone) is None:
            message = "must be a valid number in E.164: + and the country code, digits only"
            raise ProblemError.of_field("phone", message, Code.INVALID_PHONE)
        reply = await self._engine.submit(SuppressRequested(wanted.phone, wanted.note))
        match reply:
            case Suppression():
                return answer(_view(reply), status=201)
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a suppression was answered with {type(reply).__name__}")

    async def remove(self, request: web.Request, _caller: Caller) -> web.Response:
        """Allow a number again."""
        phone = request.match_info["phone"]
        if phone not in self._engine.dispatcher.suppressions:
            raise ProblemError(Code.NOT_FOUND, "this number is not suppressed; write its + as %2B")
        await self._engine.submit(UnsuppressRequested(phone))
        return web.Response(status=204)


def _view(suppression: Suppression) -> SuppressionView:
    return SuppressionView(
        phone=suppression.phone, because=suppression.because, at=moment(suppression.at), note=suppression.note
    )
