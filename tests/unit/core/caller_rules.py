"""What must be true of calls that come in, whatever happens: checked by the World after each decision.

Nobody is hung up on while they wait, nobody is forgotten in no line, and nobody loses a callback for a call that came
to nothing. Judged by the journal and by what was done and told; only what a caller is asked is known to the flow alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from engine.core.callphase import Phase
from engine.core.changes import AgentChanged, CallbackChanged, InboundChanged
from engine.core.configuration import Agent, Inbound
from engine.core.decision import Decision
from engine.core.effects import AnswerCaller, Connect, Dismantle, Farewell, Release
from engine.core.events import (
    AttemptLetGo,
    AttemptSeen,
    CallerEntered,
    CancelRequested,
    Event,
    KeyPressed,
    LegSeen,
    TelephonyReady,
    TimerFired,
)
from engine.core.records import Callback, InboundCall, attempt_of_leg
from engine.core.terms import AttemptId, CallbackId, CallbackState, InboundOutcome, Reason, ServiceId, Stage
from tests.unit.core import invariants

if TYPE_CHECKING:
    from tests.unit.core.world import World

_ENDED_BY = {Phase.WHISPERING: "whisper", Phase.BRIDGING: "bridge", Phase.ASKING: "menu", Phase.CLOSING: "closing"}
"""The timer that ends each phase, if nothing else does."""


_NO_SERVICE = ServiceId("")
"""Nobody is held up by the pace of the service that serves a caller; callbacks may be."""


def check(world: World, event: Event, decision: Decision, before: Mapping[CallbackId, Callback]) -> None:
    """All rules. `before`: the rows of the callbacks before the decision."""
    _memory_and_journal_agree(world)
    _work_belongs_to_a_live_call(world)
    _something_ends_each_wait(world)
    _nobody_is_hung_up_on_who_waits(world, decision)
    _no_call_goes_on_without_its_people(world)
    for call in _decided(world, decision):
        _ends_for_a_reason(world, event, call)
    _a_call_ends_when_the_leg_is_gone(world, event, decision)
    _nothing_is_left_over(world, decision)
    if not isinstance(event, CancelRequested):
        _whoever_talked_is_not_called_any_more(world, decision, before)
    _line_order_is_kept(world, decision, before)
    if world.telephony and not world.stopping:
        _nobody_waits_beside_a_free_agent(world)


def waits(world: World, call: InboundCall) -> bool:
    """In the line, also while they are asked something; not yet known again after a start."""
    waiting = call.joined_at is not None and call.outcome is None and call.bridging_at is None
    return waiting and call.id not in _held(world) and call.id not in world.unseen


def rank(call: InboundCall) -> invariants.Rank:
    """The place in the line: who has talked, priority, then the time of joining."""
    assert call.joined_at is not None
    return 2 if call.waits_again_at is None else 0, -call.priority, call.joined_at, call.joined_at, call.id


def _held(world: World) -> set[AttemptId]:
    works = [status.work for status in world.journal.agents.values() if status.work is not None]
    return {work.attempt for work in works if work.stage is not Stage.WRAP_UP}


def _memory_and_journal_agree(world: World) -> None:
    dispatcher, journal = world.dispatcher, world.journal
    assert {flow.inbound.id: flow.inbound for flow in dispatcher.callers()} == {
        call.id: call for call in journal.open_inbound()
    }
    for call in journal.inbound.values():
        if call.id not in world.unseen:
            assert (call.id in dispatcher.line) == waits(world, call), f"{call} and the line do not agree"
        assert dispatcher.owns(call.leg) == (call.ended_at is None)
        assert call.ended_at is None or call.outcome is not None
    for flow in dispatcher.callers():
        if waits(world, flow.inbound):
            assert dispatcher.line.is_parked(flow.inbound.id) == (flow.phase is Phase.ASKING)


def _work_belongs_to_a_live_call(world: World) -> None:
    flows = {flow.inbound.id: flow for flow in world.dispatcher.callers()}
    for flow in flows.values():
        if flow.agent is not None:
            held = world.journal.agents[flow.agent].work
            assert held is not None, f"{flow.agent} serves {flow.inbound.id} and holds nothing"
            assert held.attempt == flow.inbound.id
    for status in world.journal.agents.values():
        if status.work is None or status.work.attempt not in world.journal.inbound:
            continue
        call = world.journal.inbound[status.work.attempt]
        assert (status.work.callback, status.work.service) == (None, call.service)
        if status.work.stage is Stage.WRAP_UP:
            assert call.parted_at is not None
            assert (status.id, "wrap_up") in world.journal.timers
        else:
            assert flows[call.id].agent == status.id


def _something_ends_each_wait(world: World) -> None:
    for flow in world.dispatcher.callers():
        timers = {name for owner, name in world.journal.timers if owner == flow.inbound.id}
        if flow.phase is Phase.CLOSING:
            assert timers == {"closing"}, f"{flow.inbound.id} is closing and has {timers}"
        elif flow.phase is Phase.CONNECTED:
            assert flow.inbound.id in world.unlooked or timers == set(), f"{flow.inbound.id} talks and has {timers}"
        elif flow.inbound.id not in world.unlooked:
            by = ("hold" if flow.agent is None else "agent_ring") if flow.phase is Phase.WAITING else ""
            assert _ENDED_BY.get(flow.phase, by) in timers, f"{flow.phase}: nothing ends the wait of {flow.inbound}"


def _nobody_is_hung_up_on_who_waits(world: World, decision: Decision) -> None:
    for effect in decision.effects:
        call = world.journal.inbound.get(effect.attempt)
        if call is None:
            continue
        if call.outcome is None:
            assert not isinstance(effect, Farewell), f"{effect} for a caller who waits"
            assert not (isinstance(effect, Release) and effect.leg == call.leg), f"{effect} for a caller who waits"
            assert not (isinstance(effect, Dismantle) and call.talks), f"{effect} during a conversation"
        elif not (isinstance(effect, AnswerCaller) and call.id not in world.inbound_before):
            assert isinstance(effect, Release | Farewell | Dismantle), f"{effect} for a call that is decided"
        if isinstance(effect, Farewell):
            assert call.outcome is InboundOutcome.CALLBACK, f"{effect} for a call that is {call.outcome}"
        if isinstance(effect, Connect):
            assert world.bridges.get(effect.bridge, effect.agent) == effect.agent, f"{effect.bridge} is used twice"
            assert effect.bridge not in world.bridged_since_start, f"{effect.bridge} is made twice"


def _no_call_goes_on_without_its_people(world: World) -> None:
    for call in world.journal.open_inbound():
        connecting = call.bridging_at is not None and not call.talks
        gone = call.leg in world.meetings.told
        assert connecting or not gone, f"{call} goes on, and the caller is gone"
        agent_gone = call.agent_leg in world.meetings.told and call.talks and call.given_to is None
        assert not agent_gone, f"{call} goes on as a conversation, and its agent is gone"


def _decided(world: World, decision: Decision) -> Iterator[InboundCall]:
    last = {change.call.id: change.call for change in decision.changes if isinstance(change, InboundChanged)}
    for call in last.values():
        earlier = world.inbound_before.get(call.id)
        if earlier is not None and earlier.outcome is not None:
            assert call.outcome is earlier.outcome, f"{call.id} was {earlier.outcome} and becomes {call.outcome}"
        elif call.outcome is not None:
            yield call


def _ends_for_a_reason(world: World, event: Event, call: InboundCall) -> None:
    met = world.meetings.may_have_met(call.id)
    assert (call.outcome is InboundOutcome.CONNECTED) == met, f"{call.id} ends {call.outcome}, may have met: {met}"
    assert met == (call.bridging_at is not None or call.bridged_at is not None), (
        f"{call} and what was done do not agree"
    )
    if isinstance(event, TimerFired):
        assert world.telephony, f"{call} is decided by {event}, unheard"
    match call.outcome:
        case InboundOutcome.NO_AGENT:
            # Before the look after a start, what was set counts as it was.
            limit = 0.0 if call.id in world.unlooked else _inbound_of(world, call).wait_limit_seconds
            assert world.now >= call.entered_at + limit, f"{call}: too early"
        case InboundOutcome.ABANDONED:
            assert call.leg in world.meetings.ended, f"{call} is said to have hung up"
        case InboundOutcome.CALLBACK:
            assert isinstance(event, KeyPressed)
            assert call.callback is not None
            callback = world.journal.callbacks[call.callback]
            assert callback.open, f"{call} is promised a callback that is over"
            assert call.joined_at is None or callback.joined_at <= call.joined_at, f"{callback} lost its place"
        case InboundOutcome.CLOSED:
            assert call.joined_at is None
        case InboundOutcome.REFUSED:
            assert isinstance(event, CallerEntered)
        case InboundOutcome.INTERRUPTED:
            bridge = isinstance(event, TimerFired) and event.name == "bridge"
            gone = isinstance(event, AttemptSeen) and event.customer is LegSeen.GONE
            seen = isinstance(event, AttemptSeen) and call.leg in world.meetings.ended
            held = isinstance(event, TelephonyReady)
            let_go = isinstance(event, AttemptLetGo)
            assert bridge or gone or seen or held or let_go, f"{call} is interrupted by {event}"
        case _:
            assert met


def _inbound_of(world: World, call: InboundCall) -> Inbound:
    """By which the call is served; a configuration that comes later counts for later calls."""
    flow = next(flow for flow in world.dispatcher.callers() if flow.inbound.id == call.id)
    return flow.service.inbound or Inbound()


def _a_call_ends_when_the_leg_is_gone(world: World, event: Event, decision: Decision) -> None:
    """Or is let go in the same moment, because the agent hung up; or was waited for in vain, for the full time."""
    for change in decision.changes:
        if not isinstance(change, InboundChanged) or change.call.ended_at is None:
            continue
        call = change.call
        if call.leg not in world.rung_in:
            continue
        released = any(isinstance(effect, Release) and effect.leg == call.leg for effect in decision.effects)
        given_up = event in (TimerFired(call.id, "closing"), TelephonyReady())
        assert released or given_up, f"{call} ended because of {event} and its leg is alive"
        if not released:
            assert world.now >= world.awaited[call.leg], f"{call.leg} was given up too early"


def _nothing_is_left_over(world: World, decision: Decision) -> None:
    released = world.released | {effect.leg for effect in decision.effects if isinstance(effect, Release)}
    going = {effect.bridge for effect in decision.effects if isinstance(effect, Dismantle)} | world.dismantled
    for change in decision.changes:
        if isinstance(change, InboundChanged) and change.call.ended_at is not None:
            call = change.call
            if call.agent_legs:
                assert call.agent_leg in released | world.meetings.ended, f"{call.agent_leg} is left over"
            made = {bridge for bridge in world.bridges if attempt_of_leg(bridge) == call.id}
            assert made <= going, f"{made - going} of {call.id} are left over"


def _whoever_talked_is_not_called_any_more(
    world: World, decision: Decision, before: Mapping[CallbackId, Callback]
) -> None:
    for change in decision.changes:
        if isinstance(change, CallbackChanged) and change.callback.reason is Reason.CALLED_IN:
            request, asked_at = change.callback.request, change.callback.created_at
            talked = [
                call.id
                for call in world.journal.inbound.values()
                if (call.phone, call.service) == (request.phone, request.service)
                and world.meetings.may_have_met(call.id)
                and asked_at <= (call.bridged_at or call.bridging_at or 0.0)
            ]
            assert talked, f"{change.callback.id} ends because they called in, and they have not talked since"
    for change in decision.changes:
        if isinstance(change, InboundChanged) and change.call.bridged_at is not None:
            call = change.call
            earlier = world.inbound_before.get(call.id)
            if earlier is not None and earlier.bridged_at is not None and call.ended_at is None:
                continue  # what they ask for while they talk is something else
            for callback in world.journal.callbacks.values():
                request = callback.request
                if (request.phone, request.service) == (call.phone, call.service) and callback.id in before:
                    waiting = callback.state in (
                        *(CallbackState.QUEUED, CallbackState.RETRY_WAIT),
                        *(CallbackState.SCHEDULED, CallbackState.PREVIEWING),
                    )
                    asked_for_before = callback.created_at <= (call.bridged_at or 0.0)
                    assert not (waiting and asked_for_before), f"{callback.id} waits on, and they talk in {call.id}"


# ---- the line ------------------------------------------------------------------------------------------


def _nobody_waits_beside_a_free_agent(world: World) -> None:
    free = [agent for agent in invariants.configured(world.dispatcher) if invariants.is_free(world, agent)]
    for call in _in_the_line(world):
        able = [agent.id for agent in free if may_serve(world, agent, call)]
        assert not able, f"{call.id} waits although {able} are free"


def _line_order_is_kept(world: World, decision: Decision, before: Mapping[CallbackId, Callback]) -> None:
    """As among callbacks: whoever was given an agent came before every caller whom the same agent could serve."""
    rows = dict(before)
    for change in decision.changes:
        if isinstance(change, CallbackChanged):
            rows[change.callback.id] = change.callback
        work = change.status.work if isinstance(change, AgentChanged) else None
        if not isinstance(change, AgentChanged) or work is None or work.stage not in (Stage.RESERVED, Stage.OFFERED):
            continue
        agent = world.journal.configuration.agents.get(change.status.id)
        if agent is None or (change.status.id, work.attempt) in world.held_before:
            continue
        caller = world.journal.inbound.get(work.attempt)
        if work.callback is not None:
            served = invariants.rank(rows[work.callback])
        elif caller is not None:
            served = rank(caller)
        else:
            continue  # work from outside
        for call in _in_the_line(world):
            overtaken = rank(call) < served and may_serve(world, agent, call)
            assert not overtaken, f"{work.id} was served before {call.id}"
        if caller is not None:
            for callback in invariants.overtaken(world, agent, served, _NO_SERVICE):
                raise AssertionError(f"{caller.id} was served before {callback.id}")


def _in_the_line(world: World) -> Iterator[InboundCall]:
    """Those who wait with music."""
    for flow in world.dispatcher.callers():
        if flow.phase is Phase.WAITING and waits(world, flow.inbound):
            yield flow.inbound


def may_serve(world: World, agent: Agent, call: InboundCall) -> bool:
    """By the service's requirement, or by the step of the expansion."""
    service = world.journal.configuration.services[call.service]
    wanted = service.expansion[call.widened - 1].requirement if call.widened else service.skill
    return wanted.met_by(agent.skills)
