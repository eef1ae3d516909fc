"""What an agent sees of their own desk: state, load, and each thing they hold with the customer's data.

Only the agent who holds the work sees this, for as long as they hold it.
"""

from __future__ import annotations

from engine.agent_news import attended, load_of
from engine.api.access import Caller
from engine.api.agents import ShownState, WorkKind, kind_of
from engine.api.bodies import Answered, Moment, moment_or_none
from engine.api.callers import live_call, wish_of
from engine.api.codes import Code
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.configuration import Agent
from engine.core.records import AgentStatus, Callback, Request, Work
from engine.core.switchboard import ANSWER, PREVIEW
from engine.core.terms import AgentId, AttemptId, InteractionId, Presence, Stage
from engine.store.queries import Queries


class OwnState(Answered):
    """The agent: `presence` is what was set, `state` what is shown, a call first; `load`: how many of each medium."""

    id: str
    name: str
    presence: Presence
    state: ShownState
    reason: str | None
    load: dict[str, int]


class WorkCustomer(Answered):
    """Whom the work is for; of work from outside only what its system said, of a caller what their number asked for."""

    subject: str | None = None
    customer_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    language: str | None = None
    page_url: str | None = None
    context: dict[str, str]


class OwnWork(Answered):
    """One thing the agent holds. What is `offered` has to be answered until `respond_by`."""

    id: str
    kind: WorkKind
    media: str
    service: str
    stage: Stage
    callback: str | None
    attempt: str | None
    respond_by: Moment | None
    customer: WorkCustomer


class OwnDesk(Answered):
    """The agent's own view: `work` is what they attend to, a call first; `works` all they hold."""

    agent: OwnState
    work: OwnWork | None
    works: list[OwnWork]


class PutOff(OwnDesk):
    """The same, and the callback that is now due at another time."""

    callback: str
    scheduled_for: Moment


def own_agent(engine: Engine, caller: Caller) -> Agent:
    """The agent whose key this is. Raises ProblemError `forbidden`."""
    subject = caller.key.subject if caller.key is not None else None
    if subject is None:
        raise ProblemError(Code.FORBIDDEN, "this key belongs to no agent; make one with the agent's id as its subject")
    agent = engine.dispatcher.configuration.agents.get(AgentId(subject))
    if agent is None:
        raise ProblemError(Code.FORBIDDEN, f"agent {subject} is not configured any more; ask an administrator")
    return agent


async def own_desk(engine: Engine, queries: Queries, agent: Agent) -> OwnDesk:
    """The desk as it stands. Raises StoreError."""
    status = engine.dispatcher.desks.status(agent.id) or AgentStatus(agent.id)
    works = {work.id: await _shown(engine, queries, work) for work in status.works}
    first = attended(status)
    return OwnDesk(
        agent=OwnState(
            id=agent.id,
            name=agent.name,
            presence=status.presence,
            state=status.shown,
            reason=status.reason,
            load=load_of(status),
        ),
        work=None if first is None else works[first.id],
        works=list(works.values()),
    )


async def _shown(engine: Engine, queries: Queries, work: Work) -> OwnWork:
    dispatcher = engine.dispatcher
    if work.callback is not None:
        # In wrap-up the callback has ended: then only the store knows it.
        found = dispatcher.book.get(work.callback) or await queries.callback(work.callback)
        due_at = dispatcher.timers.due_at(work.callback, PREVIEW)
    else:
        found = None
        due_at = dispatcher.timers.due_at(work.id, ANSWER)
    return OwnWork(
        id=work.id,
        kind=kind_of(work),
        media=work.media,
        service=work.service,
        stage=work.stage,
        callback=work.callback,
        attempt=None if work.callback is None else work.attempt,
        respond_by=moment_or_none(due_at) if work.stage is Stage.OFFERED else None,
        customer=await customer_of(engine, queries, work, found),
    )


async def customer_of(engine: Engine, queries: Queries, work: Work, callback: Callback | None) -> WorkCustomer:
    """Whom the work is for. `callback`: of a call back, if it is known. Raises StoreError."""
    if callback is not None:
        return _asked(callback.request)
    if kind_of(work) == "inbound":
        call = live_call(engine, AttemptId(work.id)) or await queries.inbound_call(AttemptId(work.id))
        return WorkCustomer(context={}) if call is None else _asked((await wish_of(engine, queries, call)).request)
    interaction = engine.dispatcher.interactions.get(InteractionId(work.id))
    return WorkCustomer(context=dict(interaction.context) if interaction else {})


def _asked(request: Request) -> WorkCustomer:
    return WorkCustomer(
        subject=request.subject,
        customer_id=request.customer_id,
        first_name=request.first_name,
        last_name=request.last_name,
        phone=request.phone or None,
        language=request.language,
        page_url=request.page_url,
        context=dict(request.context),
    )
