"""What an agent sees of their own desk: state, load, and each thing they hold with the customer's data.

Only the agent who holds the work sees this, for as long as they hold it.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from engine.api.access import Caller
from engine.api.agents import ShownState
from engine.api.bodies import Answered, Moment, moment_or_none
from engine.api.codes import Code
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.configuration import Agent
from engine.core.records import AgentStatus, Callback, Work
from engine.core.switchboard import ANSWER, PREVIEW
from engine.core.terms import AgentId, InteractionId, Presence, Stage
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
    """Whom the work is for; of work from outside only what its system said."""

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
    kind: Literal["callback", "interaction"]
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
    # A call first, then what waits for an answer.
    first = status.work or next((work for work in status.works if work.stage is Stage.OFFERED), None)
    first = first or next(iter(status.works), None)
    return OwnDesk(
        agent=OwnState(
            id=agent.id,
            name=agent.name,
            presence=status.presence,
            state=status.shown,
            reason=status.reason,
            load=Counter(work.media for work in status.works),
        ),
        work=None if first is None else works[first.id],
        works=list(works.values()),
    )


async def _shown(engine: Engine, queries: Queries, work: Work) -> OwnWork:
    dispatcher = engine.dispatcher
    if work.callback is not None:
        # In wrap-up the callback has ended: then only the store knows it.
        found = dispatcher.book.get(work.callback) or await queries.callback(work.callback)
        customer = WorkCustomer(context={}) if found is None else _customer_of(found)
        due_at = dispatcher.timers.due_at(work.callback, PREVIEW)
    else:
        interaction = dispatcher.interactions.get(InteractionId(work.id))
        customer = WorkCustomer(context=dict(interaction.context) if interaction else {})
        due_at = dispatcher.timers.due_at(work.id, ANSWER)
    return OwnWork(
        id=work.id,
        kind="interaction" if work.callback is None else "callback",
        media=work.media,
        service=work.service,
        stage=work.stage,
        callback=work.callback,
        attempt=None if work.callback is None else work.attempt,
        respond_by=moment_or_none(due_at) if work.stage is Stage.OFFERED else None,
        customer=customer,
    )


def _customer_of(callback: Callback) -> WorkCustomer:
    request = callback.request
    return WorkCustomer(
        subject=request.subject,
        customer_id=request.customer_id,
        first_name=request.first_name,
        last_name=request.last_name,
        phone=request.phone,
        language=request.language,
        page_url=request.page_url,
        context=dict(request.context),
    )
