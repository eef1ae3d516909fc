"""/reasons: why an agent may be not ready. Some are built in; own ones are set with the services document."""

from __future__ import annotations

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, answer, read_query
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.paging import Listed, ListQuery, page_of
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.configuration import Configuration
from engine.core.terms import NotReadyReason
from engine.store.records import KeyRole

_NAMES = {
    NotReadyReason.ADMIN_WORK: "Administrative work",
    NotReadyReason.LUNCH: "Lunch",
    NotReadyReason.MEETING: "Meeting",
    NotReadyReason.PAUSE: "Pause",
    NotReadyReason.RONA: "Did not answer",
    NotReadyReason.TRAINING: "Training",
    NotReadyReason.SYSTEM: "Set by a system",
}
_NOT_CHOSEN = [each for each in NotReadyReason if not each.chosen_by_agents]


class ReasonView(Listed):
    """A reason. `own`: it stands in the services document; the others are there always."""

    name: str
    own: bool


class ReasonList(Answered):
    """One page, the built-in ones first; `next` is the cursor of the following one."""

    items: list[ReasonView]
    next: str | None


class Reasons:
    """The reasons in force."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/reasons",
                handle=self.list,
                summary="Reasons for being not ready",
                tag="agents",
                roles=STAFF | {KeyRole.AGENT},
                query=ListQuery,
                answers=(ReasonList,),
            )
        ]

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """All reasons."""
        own = self._engine.dispatcher.configuration.reasons.values()
        items = [
            *(ReasonView(id=each.value, name=_NAMES[each], own=False) for each in NotReadyReason),
            *(ReasonView(id=each.id, name=each.name, own=True) for each in own),
        ]
        page, following = page_of(items, read_query(request, ListQuery))
        return answer(ReasonList(items=page, next=following))


def refuse_unchosen(configuration: Configuration, reason: str | None) -> None:
    """Raise ProblemError for a reason that is never an agent's own choice; the dispatcher refuses unknown ones."""
    if reason in _NOT_CHOSEN:
        others = ", ".join(each for each in configuration.reason_ids() if each not in _NOT_CHOSEN)
        raise ProblemError(Code.UNKNOWN_REASON, f"{reason} is not an agent's to choose; the reasons are {others}")
