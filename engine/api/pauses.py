"""/services/{id}/paused: a service that calls nobody for a while.

Requests are taken meanwhile, and who is on the phone already is served.
"""

from __future__ import annotations

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, Received, answer, read_body
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Refusal
from engine.core.events import PauseRequested, ResumeRequested
from engine.core.terms import ServiceId
from engine.document.values import Flag


class PauseWanted(Received):
    """Whether the service is to call nobody."""

    paused: Flag


class PauseView(Answered):
    """Whether the service calls nobody."""

    id: str
    paused: bool


class Pauses:
    """Which services call nobody at the moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="PUT",
                path="/services/{id}/paused",
                handle=self.set,
                summary="Pause or resume a service",
                tag="staff",
                roles=STAFF,
                body=PauseWanted,
                answers=(PauseView,),
                codes=(Code.UNKNOWN_SERVICE,),
            )
        ]

    async def set(self, request: web.Request, _caller: Caller) -> web.Response:
        """Pause or resume; a second time changes nothing."""
        wanted = await read_body(request, PauseWanted)
        service = ServiceId(request.match_info["id"])
        if service not in self._engine.dispatcher.configuration.services:
            raise ProblemError(Code.UNKNOWN_SERVICE)
        reply = await self._engine.submit(PauseRequested(service) if wanted.paused else ResumeRequested(service))
        if isinstance(reply, Refusal):
            raise ProblemError.of_refusal(reply)
        return answer(PauseView(id=service, paused=wanted.paused))
