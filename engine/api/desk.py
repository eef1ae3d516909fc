"""/agent: an agent's own side, with a key whose subject is the agent: state, answers to offers, dispositions.

An agent reaches only what they hold or held; what belongs to others does not exist for them.
"""

from __future__ import annotations

from aiohttp import web

from engine.api.access import Caller
from engine.api.agents import StateWanted, kind_of, set_presence
from engine.api.bodies import Nothing, Received, answer, moment, read_body, read_nothing
from engine.api.callback_shapes import Notes
from engine.api.callers import Wish, wish_of
from engine.api.codes import Code
from engine.api.endpoints import Endpoint
from engine.api.follow_up import FollowUps
from engine.api.own_desk import OwnDesk, PutOff, own_agent, own_desk
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.reasons import refuse_unchosen
from engine.api.when import Start
from engine.core.configuration import Agent
from engine.core.decision import Refusal
from engine.core.events import Event, PreviewRescheduled, WorkAccepted, WorkCompleted, WorkRejected
from engine.core.records import Callback, Classification, InboundCall, Work
from engine.core.terms import AttemptId, CallbackId, DispositionId, InboundOutcome, Stage, WorkId
from engine.document.values import Id
from engine.store.queries import Queries
from engine.store.records import KeyRole

_AGENT = frozenset({KeyRole.AGENT})
_RESCHEDULING = (
    Code.NOT_FOUND,
    Code.WRONG_STATE,
    Code.CLOSED,
    Code.IN_THE_PAST,
    Code.TOO_FAR_AHEAD,
    Code.UNKNOWN_SERVICE,
    Code.DUPLICATE_REQUEST,
    Code.INVALID_PHONE,
    Code.PHONE_NOT_ALLOWED,
    Code.TOO_MANY_REQUESTS,
)


class RescheduleWanted(Received):
    """When the customer is to be called instead, or again."""

    when: Start


class Completion(Received):
    """How a call went. Work from outside has no codes here: leave all of it out."""

    disposition: Id | None = None
    outcome_code: Id | None = None
    notes: Notes | None = None


class Desk:
    """What an agent may see and do by themselves."""

    def __init__(self, engine: Engine, queries: Queries, follow_ups: FollowUps) -> None:
        self._engine = engine
        self._queries = queries
        self._follow_ups = follow_ups

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="GET",
                path="/agent",
                handle=self.show,
                summary="An agent's own state and work, with the customer's data",
                tag="agents",
                roles=_AGENT,
                answers=(OwnDesk,),
            ),
            Endpoint(
                method="PUT",
                path="/agent/state",
                handle=self.set_state,
                summary="Set one's own state",
                tag="agents",
                roles=_AGENT,
                body=StateWanted,
                answers=(OwnDesk,),
                codes=(Code.UNKNOWN_REASON,),
            ),
            Endpoint(
                method="POST",
                path="/agent/work/{id}/accept",
                handle=self.accept,
                summary="Say yes to a preview, or to work from outside",
                tag="agents",
                roles=_AGENT,
                body=Nothing,
                body_needed=False,
                answers=(OwnDesk,),
                codes=(Code.NOT_FOUND, Code.WRONG_STATE),
            ),
            Endpoint(
                method="POST",
                path="/agent/work/{id}/reject",
                handle=self.reject,
                summary="Say no to it; somebody else is asked",
                tag="agents",
                roles=_AGENT,
                body=Nothing,
                body_needed=False,
                answers=(OwnDesk,),
                codes=(Code.NOT_FOUND, Code.WRONG_STATE),
            ),
            Endpoint(
                method="POST",
                path="/agent/work/{id}/reschedule",
                handle=self.reschedule,
                summary="Put a previewed customer off, or call one again after the call",
                tag="agents",
                roles=_AGENT,
                body=RescheduleWanted,
                answers=(PutOff,),
                codes=_RESCHEDULING,
            ),
            Endpoint(
                method="POST",
                path="/agent/work/{id}/complete",
                handle=self.complete,
                summary="Classify a call, also one that is over, and end the wrap-up; or end work from outside",
                tag="agents",
                roles=_AGENT,
                body=Completion,
                body_needed=False,
                answers=(OwnDesk,),
                codes=(Code.NOT_FOUND, Code.WRONG_STATE, Code.UNKNOWN_DISPOSITION),
            ),
        ]

    async def show(self, _request: web.Request, caller: Caller) -> web.Response:
        """The desk as it stands."""
        return await self._answer(own_agent(self._engine, caller))

    async def set_state(self, request: web.Request, caller: Caller) -> web.Response:
        """Set presence; what is only offered goes to others unless one is ready."""
        agent = own_agent(self._engine, caller)
        wanted = await read_body(request, StateWanted)
        refuse_unchosen(self._engine.dispatcher.configuration, wanted.reason)
        await set_presence(self._engine, agent.id, wanted)
        return await self._answer(agent)

    async def accept(self, request: web.Request, caller: Caller) -> web.Response:
        """Say yes; a customer who may not be called any more waits again, and the work is gone."""
        agent, work = await self._offered(request, caller)
        return await self._decided(agent, WorkAccepted(agent.id, work.id))

    async def reject(self, request: web.Request, caller: Caller) -> web.Response:
        """Say no."""
        agent, work = await self._offered(request, caller)
        return await self._decided(agent, WorkRejected(agent.id, work.id))

    async def reschedule(self, request: web.Request, caller: Caller) -> web.Response:
        """Move a previewed callback; after a call make a new one for the same customer, also for one who rang in."""
        agent = own_agent(self._engine, caller)
        when = (await read_body(request, RescheduleWanted)).when.timestamp()
        work_id = _work_id(request)
        held = self._held(agent, work_id)
        if held is not None and held.callback is not None and held.stage is Stage.OFFERED:
            await self._submit(PreviewRescheduled(agent.id, held.id, when))
            put_off = held.callback
        else:
            if held is not None and held.stage is not Stage.WRAP_UP:
                raise ProblemError(Code.WRONG_STATE, "only a preview, or a call that is over, can be put off")
            wish = await self._wish(await self._own_call(agent, work_id, held))
            put_off = await self._follow_ups.make(wish.request, wish.before, when)
        desk = await own_desk(self._engine, self._queries, agent)
        return answer(PutOff(**dict(desk), callback=put_off, scheduled_for=moment(when)))

    async def complete(self, request: web.Request, caller: Caller) -> web.Response:
        """Keep how a call went, also late; end the wrap-up, or the work from outside."""
        agent = own_agent(self._engine, caller)
        said = await read_body(request, Completion) if request.can_read_body else Completion()
        work_id = _work_id(request)
        held = self._held(agent, work_id)
        if held is not None and kind_of(held) == "interaction":
            for field, value in said:
                if value is not None:
                    raise ProblemError.of_field(field, "is kept of calls only; leave it out")
            return await self._decided(agent, WorkCompleted(agent.id, held.id, None, held.service, None))
        call = await self._own_call(agent, work_id, held)
        classification = _classification(said)
        if isinstance(call, InboundCall):
            event = WorkCompleted(agent.id, work_id, None, call.service, classification, call.id)
        else:
            event = WorkCompleted(agent.id, work_id, call.id, call.request.service, classification)
        return await self._decided(agent, event)

    def _held(self, agent: Agent, work_id: WorkId) -> Work | None:
        status = self._engine.dispatcher.desks.status(agent.id)
        return next((work for work in status.works if work.id == work_id), None) if status else None

    async def _offered(self, request: web.Request, caller: Caller) -> tuple[Agent, Work]:
        agent = own_agent(self._engine, caller)
        await read_nothing(request)
        work = self._held(agent, _work_id(request))
        if work is None:
            raise ProblemError(Code.NOT_FOUND, "you hold no such work, or not any more")
        return agent, work

    async def _own_call(self, agent: Agent, work_id: WorkId, held: Work | None) -> Callback | InboundCall:
        """A call that came in, or the callback of a call to a customer, which this agent has or had.

        Raises ProblemError, StoreError.
        """
        callback_id: CallbackId | None = held.callback if held is not None else None
        if callback_id is None:
            inbound = await self._queries.inbound_call(AttemptId(work_id))
            if inbound is not None and (held is not None or _talked(inbound, agent)):
                return inbound
        if held is None:
            attempt = await self._queries.attempt(AttemptId(work_id))
            if attempt is not None and attempt.agent == agent.id:
                if attempt.parted_at is None:
                    raise ProblemError(Code.WRONG_STATE, "this call goes on")
                callback_id = attempt.callback
        callback = await self._queries.callback(callback_id) if callback_id is not None else None
        if callback is None:
            raise ProblemError(Code.NOT_FOUND, "you have and had no such call")
        return callback

    async def _wish(self, call: Callback | InboundCall) -> Wish:
        """What is wanted once more. Raises ProblemError, StoreError."""
        if isinstance(call, Callback):
            return Wish(call.request, call.id)
        if call.phone is None:
            raise ProblemError(
                Code.WRONG_STATE,
                "this caller's number is not known, so they cannot be called; "
                "ask them for one, and a supervisor can request a callback with it",
            )
        return await wish_of(self._engine, self._queries, call)

    async def _decided(self, agent: Agent, event: Event) -> web.Response:
        await self._submit(event)
        return await self._answer(agent)

    async def _submit(self, event: Event) -> None:
        reply = await self._engine.submit(event)
        if isinstance(reply, Refusal):
            raise ProblemError.of_refusal(reply)

    async def _answer(self, agent: Agent) -> web.Response:
        return answer(await own_desk(self._engine, self._queries, agent))


def _talked(call: InboundCall, agent: Agent) -> bool:
    """An agent whose phone rang out may stand in the record as well, until somebody else's rings."""
    talked = call.transferred_at is not None or call.outcome is InboundOutcome.CONNECTED
    return talked and call.parted_at is not None and call.agent == agent.id


def _work_id(request: web.Request) -> WorkId:
    return WorkId(request.match_info["id"])


def _classification(said: Completion) -> Classification:
    if said.disposition is None:
        raise ProblemError.of_field("disposition", "is needed for a call; GET /dispositions lists the codes")
    outcome = None if said.outcome_code is None else DispositionId(said.outcome_code)
    return Classification(DispositionId(said.disposition), outcome, said.notes)
