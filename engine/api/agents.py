"""/agents: who serves customers, what they are doing, and setting their state for them."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from aiohttp import web

from engine.api.access import STAFF, Caller
from engine.api.bodies import Answered, Received, answer, read_body, read_query
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.paging import Listed, ListQuery, page_of
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.configuration import Agent
from engine.core.decision import Refusal
from engine.core.events import PresenceRequested
from engine.core.records import AgentStatus, Work
from engine.core.terms import VOICE, AgentId, NotReadyReason, PhoneState, Presence
from engine.document.values import Id


class StateWanted(Received):
    """The state an agent is to have. Without a reason, not_ready is a pause. `GET /reasons` lists the reasons."""

    state: Presence
    reason: Id | None = None


ShownState = Literal[
    "logged_out", "not_ready", "ready", "reserved", "previewing", "ringing", "talking", "held", "wrap_up"
]


WorkKind = Literal["callback", "inbound", "interaction"]


class AgentWork(Answered):
    """One thing an agent holds. Of a call that came in `id` is its own; only a call to a customer has a callback."""

    id: str
    kind: WorkKind
    media: str
    service: str
    stage: str
    callback: str | None
    attempt: str | None


class AgentView(Listed):
    """An agent: `presence` is what was set, `state` what is shown, a call first.

    `phone`: as Asterisk knows it; while it is busy or unregistered the agent gets no calls. `work` is the call they
    hold, `works` all they hold, `load` how many of each medium.
    """

    name: str
    endpoint: str
    phone: PhoneState
    skills: dict[str, int]
    presence: Presence
    state: ShownState
    reason: str | None
    load: dict[str, int]
    work: AgentWork | None
    works: list[AgentWork]


class AgentList(Answered):
    """One page; `next` is the cursor of the following one."""

    items: list[AgentView]
    next: str | None


class Agents:
    """The configured agents."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/agents",
                handle=self.list,
                summary="Agents and what they are doing",
                tag="staff",
                roles=STAFF,
                query=ListQuery,
                answers=(AgentList,),
            ),
            Endpoint(
                method="PUT",
                path="/agents/{id}/state",
                handle=self.set_state,
                summary="Set an agent's state",
                tag="staff",
                roles=STAFF,
                body=StateWanted,
                answers=(AgentView,),
                codes=(Code.NOT_FOUND, Code.UNKNOWN_REASON),
            ),
        ]

    async def list(self, request: web.Request, _caller: Caller) -> web.Response:
        """The agents in the document's order."""
        dispatcher = self._engine.dispatcher
        agents = list(dispatcher.configuration.agents.values())
        page, following = page_of(agents, read_query(request, ListQuery))
        desks = dispatcher.desks
        items = [
            _view(each, desks.status(each.id) or AgentStatus(each.id), desks.phones.of(each.endpoint)) for each in page
        ]
        return answer(AgentList(items=items, next=following))

    async def set_state(self, request: web.Request, _caller: Caller) -> web.Response:
        """Set presence; work that an agent already has goes on."""
        agent = self._engine.dispatcher.configuration.agents.get(AgentId(request.match_info["id"]))
        if agent is None:
            raise ProblemError(Code.NOT_FOUND, "there is no agent with this id")
        wanted = await read_body(request, StateWanted)
        status = await set_presence(self._engine, agent.id, wanted)
        return answer(_view(agent, status, self._engine.dispatcher.desks.phones.of(agent.endpoint)))


async def set_presence(engine: Engine, agent: AgentId, wanted: StateWanted) -> AgentStatus:
    """Set an agent's presence, durably. Raises ProblemError, StoreError."""
    reason = wanted.reason
    if wanted.state is Presence.NOT_READY:
        reason = reason or NotReadyReason.PAUSE
    elif reason is not None:
        raise ProblemError.of_field("reason", "belongs to not_ready only; leave it out")
    reply = await engine.submit(PresenceRequested(agent, wanted.state, reason))
    match reply:
        case AgentStatus():
            return reply
        case Refusal():
            raise ProblemError.of_refusal(reply)
        case _:
            raise TypeError(f"a presence was answered with {type(reply).__name__}")


def _view(agent: Agent, status: AgentStatus, phone: PhoneState) -> AgentView:
    return AgentView.model_validate(
        {
            "id": agent.id,
            "name": agent.name,
            "endpoint": agent.endpoint,
            "phone": phone,
            "skills": dict(agent.skills),
            "presence": status.presence,
            "state": status.shown,
            "reason": status.reason,
            "load": Counter(work.media for work in status.works),
            "work": status.work and _work(status.work),
            "works": [_work(work) for work in status.works],
        }
    )


def _work(work: Work) -> AgentWork:
    return AgentWork(
        id=work.id,
        kind=kind_of(work),
        media=work.media,
        service=work.service,
        stage=work.stage.value,
        callback=work.callback,
        attempt=work.attempt if work.callback is not None else None,
    )


def kind_of(work: Work) -> WorkKind:
    """What a thing that an agent holds is: a call to a customer, a call of theirs, or work from outside."""
    if work.callback is not None:
        return "callback"
    return "inbound" if work.media == VOICE else "interaction"
