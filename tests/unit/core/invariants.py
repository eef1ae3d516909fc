"""What must be true after every decision, whatever happened: checked by the World after each event.

Each rule is written against the journal and against its own naive search, never against the parts it judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from engine.core.changes import AgentChanged, AttemptChanged, CallbackChanged
from engine.core.configuration import Agent
from engine.core.decision import Decision
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Connect, DialCustomer, Dismantle, Farewell, Release, RingAgent
from engine.core.events import Event, TelephonyReady, TimerFired
from engine.core.records import AgentStatus, Attempt, Callback, Work, attempt_of_leg
from engine.core.terms import (
    VOICE,
    AttemptId,
    CallbackId,
    CallbackState,
    ConnectMode,
    PhoneState,
    Presence,
    ServiceId,
    Stage,
)
from tests.unit.core import held_back

if TYPE_CHECKING:
    from tests.unit.core.world import World

_IN_A_CALL = (
    CallbackState.RESERVED,
    CallbackState.RINGING_AGENT,
    CallbackState.DIALING,
    CallbackState.ANNOUNCING,
    CallbackState.CONFIRMED,
    CallbackState.CONNECTED,
)
_IN_FLIGHT = (CallbackState.RESERVED, CallbackState.RINGING_AGENT, CallbackState.DIALING)

Rank = tuple[int, int, float, float, str]


def check(
    world: World,
    event: Event,
    decision: Decision,
    before: dict[CallbackId, Callback],
    attempts: Mapping[AttemptId, Attempt],
) -> None:
    """All rules. `before`, `attempts`: the rows of the callbacks and of the attempts before the decision."""
    _memory_and_journal_agree(world)
    _one_live_attempt_for_each_call(world)
    _work_belongs_to_a_call(world)
    _timers_have_living_owners(world)
    _legs_are_posted_once(world, decision)
    _decided_attempts_only_release(world, decision)
    _closing_is_timed_and_holds_nobody(world)
    _attempts_end_when_the_leg_is_gone(world, event, decision)
    _calls_of_one_customer_never_overlap(world, decision)
    _bridges_are_used_once_and_dismantled(world, decision)
    _dials_have_a_reserved_agent(world, decision)
    _who_is_dialled_has_an_agent(world)
    _who_is_dialled_is_written_so(world)
    _the_agent_comes_first_where_it_is_wanted(world, decision, attempts)
    _who_was_not_called_keeps_their_place(world, decision, before)
    _line_order_is_kept(world, decision, before)
    _nobody_is_chosen_who_cannot_be_rung(world, decision, attempts)
    if world.telephony and not world.stopping:
        _nobody_waits_beside_a_free_agent(world)


def _memory_and_journal_agree(world: World) -> None:
    dispatcher, journal = world.dispatcher, world.journal
    assert {each.id: each for each in dispatcher.book} == {
        each.id: each for each in journal.callbacks.values() if each.open
    }
    assert {status.id: status for status in dispatcher.desks.statuses()} == {
        agent: status
        for agent, status in journal.agents.items()
        if agent in journal.configuration.agents or status.works
    }
    assert {(each.owner, each.name): each for each in dispatcher.timers.pending()} == journal.timers
    assert {flow.attempt.id: flow.attempt for flow in dispatcher.live()} == {
        attempt.id: attempt for attempt in journal.open_attempts()
    }
    assert dispatcher.configuration == journal.configuration
    for callback in journal.callbacks.values():
        waits = callback.state is CallbackState.QUEUED or waits_on_the_phone(world, callback)
        assert (callback.id in dispatcher.line) == waits
        assert callback.open == (callback.ended_at is None) == (callback.reason is None)
        retry = journal.timers.get((callback.id, "retry"))
        assert callback.next_attempt_at == (retry.due_at if retry else None)


def _one_live_attempt_for_each_call(world: World) -> None:
    open_attempts = list(world.journal.open_attempts())
    callbacks = [attempt.callback for attempt in open_attempts]
    assert len(set(callbacks)) == len(callbacks), "a callback has two live attempts"
    in_a_call = {each.id for each in world.journal.callbacks.values() if each.state in _IN_A_CALL}
    assert in_a_call == set(callbacks)
    for callback in world.journal.callbacks.values():
        ended = [attempt for attempt in attempts_of(world, callback.id) if attempt.ended_at is not None]
        assert callback.outcomes == tuple(attempt.outcome for attempt in ended if attempt.dialed_at is not None)
        assert callback.attempts_started == len(ended) + (callback.id in in_a_call)


def _work_belongs_to_a_call(world: World) -> None:
    agents = world.dispatcher.desks
    for flow in world.dispatcher.live():
        if flow.agent is not None:
            status = agents.status(flow.agent)
            assert status is not None
            assert status.work is not None
            assert status.work.attempt == flow.attempt.id
    for status in world.journal.agents.values():
        if status.work is None or not _is_of_a_call(world, status.work):
            continue
        attempt = world.journal.attempts[status.work.attempt]
        assert attempt.callback == status.work.callback
        if status.work.stage is Stage.WRAP_UP:
            assert attempt.parted_at is not None
            assert (status.id, "wrap_up") in world.journal.timers
        else:
            assert [flow.agent for flow in world.dispatcher.live() if flow.attempt.id == attempt.id] == [status.id]


def _is_of_a_call(world: World, work: Work) -> bool:
    """Not work from outside, and not a callback that an agent is only asked about."""
    return work.callback is not None and world.journal.callbacks[work.callback].state is not CallbackState.PREVIEWING


def _timers_have_living_owners(world: World) -> None:
    for owner, _name in world.journal.timers:
        callback = world.journal.callbacks.get(CallbackId(owner))
        attempt = world.journal.attempts.get(AttemptId(owner))
        caller = world.journal.inbound.get(AttemptId(owner))
        assert callback is None or callback.open, f"{owner} has ended and keeps a timer"
        assert attempt is None or attempt.ended_at is None, f"{owner} has ended and keeps a timer"
        assert caller is None or caller.ended_at is None, f"{owner} has ended and keeps a timer"


def _legs_are_posted_once(world: World, decision: Decision) -> None:
    for effect in decision.effects:
        if isinstance(effect, DialCustomer | RingAgent):
            assert effect.leg not in world.posted, f"{effect.leg} is posted twice"
            world.posted.add(effect.leg)


def _decided_attempts_only_release(world: World, decision: Decision) -> None:
    """Once the outcome stands, nothing but letting go is done; before, nobody is let go who is still needed."""
    for effect in decision.effects:
        attempt = world.journal.attempts.get(effect.attempt)
        if attempt is None:
            continue  # of a call that came in, whose rules are its own
        if attempt.outcome is not None:
            assert isinstance(effect, Release | Farewell | Dismantle), f"{effect} for an attempt that is decided"
            continue
        assert not isinstance(effect, Farewell), f"{effect} for an attempt that goes on"
        if isinstance(effect, Release):
            assert effect.leg != attempt.customer_leg, f"{effect} for an attempt that goes on"
        if isinstance(effect, Dismantle):
            assert not attempt.talks, f"{effect} during a conversation"


def _closing_is_timed_and_holds_nobody(world: World) -> None:
    for attempt in world.journal.open_attempts():
        if attempt.outcome is None:
            assert (attempt.id, "closing") not in world.journal.timers
            continue
        assert attempt.bridging_at is None
        assert {name for owner, name in world.journal.timers if owner == attempt.id} == {"closing"}
        if attempt.answered_at is not None or attempt.agent_legs > 0:
            assert attempt.id not in _served(world)


def _attempts_end_when_the_leg_is_gone(world: World, event: Event, decision: Decision) -> None:
    """Or when it was waited for in vain, for the full time; only who may have talked ends with the first leg."""
    for change in decision.changes:
        if not isinstance(change, AttemptChanged) or change.attempt.ended_at is None:
            continue
        attempt = change.attempt
        if attempt.customer_leg not in world.alive or attempt.bridging_at is not None:
            continue
        given_up = event in (TimerFired(attempt.id, "closing"), TimerFired(attempt.id, "silent"), TelephonyReady())
        assert given_up, f"{attempt.id} ended because of {event} and its leg is alive"
        if event != TimerFired(attempt.id, "silent"):
            assert world.now >= world.awaited[attempt.customer_leg], f"{attempt.customer_leg} was given up too early"
        world.given_up.add(attempt.customer_leg)


def _calls_of_one_customer_never_overlap(world: World, decision: Decision) -> None:
    for effect in decision.effects:
        if isinstance(effect, DialCustomer):
            callback = world.journal.attempts[effect.attempt].callback
            legs = {each.customer_leg for each in attempts_of(world, callback) if each.id != effect.attempt}
            there = legs & world.alive - world.given_up
            assert not there, f"{effect.leg} is dialled and {there} may still be there"


def _bridges_are_used_once_and_dismantled(world: World, decision: Decision) -> None:
    """Each agent leg has a bridge of its own; only after a start the same legs may be put into it again."""
    for effect in decision.effects:
        if isinstance(effect, Connect):
            assert world.bridges.get(effect.bridge, effect.agent) == effect.agent, f"{effect.bridge} is used twice"
            assert effect.bridge not in world.bridged_since_start, f"{effect.bridge} is made twice"
    going = {effect.bridge for effect in decision.effects if isinstance(effect, Dismantle)} | world.dismantled
    for change in decision.changes:
        if isinstance(change, AttemptChanged) and change.attempt.ended_at is not None:
            made = {bridge for bridge, leg in world.bridges.items() if attempt_of_leg(leg) == change.attempt.id}
            assert made <= going, f"{made - going} of {change.attempt.id} are left over"


def _dials_have_a_reserved_agent(world: World, decision: Decision) -> None:
    """No more phones ring than agents are reserved; one whose own phone was rung first is free once it is decided."""
    if not any(isinstance(effect, DialCustomer) for effect in decision.effects):
        return
    in_flight = [
        attempt
        for attempt in world.journal.open_attempts()
        if attempt.dialed_at is not None
        and attempt.answered_at is None
        and (attempt.outcome is None or attempt.agent_legs == 0)
    ]
    reserved = [
        status
        for status in world.journal.agents.values()
        if status.work is not None and status.work.stage is Stage.RESERVED
    ]
    assert len(in_flight) <= len(reserved)


def _who_is_dialled_has_an_agent(world: World) -> None:
    """Until they answer, or the dial is given up."""
    held = {status.work.attempt for status in world.journal.agents.values() if status.work is not None}
    for attempt in world.journal.open_attempts():
        undecided = attempt.answered_at is None and attempt.outcome is None
        assert not undecided or attempt.id in held, f"{attempt.id} rings for nobody"


def _who_is_dialled_is_written_so(world: World) -> None:
    for attempt in world.journal.attempts.values():
        assert (attempt.dialed_at is not None) == (attempt.customer_leg in world.posted)
        if attempt.dialed_at is None and attempt.ended_at is None and attempt.id not in world.unlooked:
            timers = {name for owner, name in world.journal.timers if owner == attempt.id}
            assert timers & {"agent_ring", "dial"}, f"{attempt.id} waits for an agent, and nothing ends it"


def _the_agent_comes_first_where_it_is_wanted(
    world: World, decision: Decision, attempts: Mapping[AttemptId, Attempt]
) -> None:
    """Judged by the service at the beginning of an attempt, the only moment at which it is asked."""
    for change in decision.changes:
        if isinstance(change, AttemptChanged) and change.attempt.id not in attempts:
            callback = world.journal.callbacks[change.attempt.callback]
            service = world.journal.configuration.services[callback.request.service]
            agent_first = service.connect is ConnectMode.AGENT_FIRST
            assert (change.attempt.dialed_at is None) == agent_first
            assert (change.attempt.agent_legs == 1) == agent_first


def _who_was_not_called_keeps_their_place(
    world: World, decision: Decision, before: Mapping[CallbackId, Callback]
) -> None:
    rows = dict(before)
    for change in decision.changes:
        if not isinstance(change, CallbackChanged):
            continue
        callback = change.callback
        earlier = rows.get(callback.id)
        rows[callback.id] = callback
        if earlier is not None and earlier.state is CallbackState.QUEUED:
            world.places[callback.id] = rank(earlier)
        if earlier is not None and earlier.state is CallbackState.RINGING_AGENT and callback.state not in _IN_A_CALL:
            dialled = attempts_of(world, callback.id)[callback.attempts_started - 1].dialed_at is not None
            kept = rank(callback) == world.places[callback.id] and callback.outcomes == earlier.outcomes
            assert dialled or kept, f"{callback.id} was not called and has lost its place or counts an outcome"


def _nobody_waits_beside_a_free_agent(world: World) -> None:
    free = [agent for agent in configured(world.dispatcher) if is_free(world, agent)]
    for callback in world.journal.callbacks.values():
        if callback.state is CallbackState.QUEUED or waits_on_the_phone(world, callback):
            able = [agent.id for agent in free if may_serve(world, agent, callback) and not _is_held(world, callback)]
            assert not able, f"{callback.id} waits although {able} are free"


def _line_order_is_kept(world: World, decision: Decision, before: dict[CallbackId, Callback]) -> None:
    """Whoever was given an agent came before everybody whom the same agent could serve and who still waits."""
    rows = dict(before)
    for change in decision.changes:
        if isinstance(change, CallbackChanged):
            rows[change.callback.id] = change.callback
        elif isinstance(change, AgentChanged) and _newly_reserved(change.status, world.held_before):
            work = change.status.work
            assert work is not None
            assert work.callback is not None
            agent = world.journal.configuration.agents[change.status.id]
            for waiting in overtaken(world, agent, rank(rows[work.callback]), work.service):
                raise AssertionError(f"{work.callback} was served before {waiting.id}")


def overtaken(world: World, agent: Agent, served: Rank, service: ServiceId) -> Iterator[Callback]:
    """Whom this agent could have served before somebody of this service, of that place in the line."""
    for waiting in world.journal.callbacks.values():
        if waiting.state is CallbackState.QUEUED or waits_on_the_phone(world, waiting):
            before = may_serve(world, agent, waiting) and rank(waiting) < served
            if before and not _may_be_overtaken(world, waiting, service):
                yield waiting


def _nobody_is_chosen_who_cannot_be_rung(
    world: World, decision: Decision, attempts: Mapping[AttemptId, Attempt]
) -> None:
    """Neither for a call nor for a preview; and nobody is dialled for one who cannot be, having said yes before."""
    for change in decision.changes:
        if isinstance(change, AgentChanged) and _newly_reserved(change.status, world.held_before):
            agent = world.journal.configuration.agents[change.status.id]
            assert phone_is_usable(world, agent), f"{agent.id} is chosen, and {agent.endpoint} cannot be rung"
        if isinstance(change, AttemptChanged) and change.attempt.id not in attempts and change.attempt.agent:
            agent = world.journal.configuration.agents[change.attempt.agent]
            assert phone_is_usable(world, agent), f"{change.attempt.id} begins, and {agent.endpoint} cannot be rung"


def _newly_reserved(status: AgentStatus, held_before: set[tuple[str, AttemptId]]) -> bool:
    work = status.work
    if work is None or work.callback is None or (status.id, work.attempt) in held_before:
        return False
    return work.stage in (Stage.RESERVED, Stage.OFFERED)


def _is_held(world: World, callback: Callback) -> bool:
    """Nobody may dial them now; who is on the phone needs no dial."""
    if callback.state in (CallbackState.CONFIRMED, CallbackState.CONNECTED):
        return False
    return held_back.number_is_held(world, callback) or held_back.service_is_held(world, callback.request.service)


def _may_be_overtaken(world: World, waiting: Callback, service: ServiceId) -> bool:
    """By a customer of this service; another one may be held up by its own pace, or by a pause."""
    if waiting.state in (CallbackState.CONFIRMED, CallbackState.CONNECTED):
        return False
    of_another = waiting.request.service != service and held_back.service_is_held(world, waiting.request.service)
    return of_another or held_back.number_is_held(world, waiting)


# ---- naive answers ---------------------------------------------------------------------------------------


def rank(callback: Callback) -> Rank:
    """The place in the line as the design puts it: on the phone, head of the line, priority, time of joining.

    Those who join together, as at the start of a slot, stand in the order in which they asked for it.
    """
    on_the_phone = callback.state in (CallbackState.CONFIRMED, CallbackState.CONNECTED)
    first = 0 if on_the_phone else 1 if callback.at_head else 2
    return first, -callback.priority, callback.joined_at, callback.asked_at, callback.id


def is_free(world: World, agent: Agent) -> bool:
    """Ready, and one more call is no more than they may hold; nobody has two calls."""
    status = world.journal.agents[agent.id]
    held = [work.media for work in status.works]
    if status.presence is not Presence.READY or VOICE in held or not phone_is_usable(world, agent):
        return False
    if agent.capacity is None:
        return not held
    load: dict[str, int] = {media: held.count(media) for media in held}
    load[VOICE] = 1
    return agent.capacity.met_by(load)


def phone_is_usable(world: World, agent: Agent) -> bool:
    """By what was told of it last; of whom nothing is known, they are called."""
    return world.phones.get(agent.endpoint) not in (PhoneState.BUSY, PhoneState.UNREGISTERED)


def may_serve(world: World, agent: Agent, callback: Callback) -> bool:
    """By the service's requirement and the subject's, or by the step of the expansion; always by what staff want."""
    request = callback.request
    service = world.journal.configuration.services[request.service]
    wanted = [service.skill, service.subjects.get(request.subject or "")]
    if callback.widened:
        wanted = [service.expansion[callback.widened - 1].requirement]
    every = [each for each in (*wanted, request.skill) if each is not None]
    return agent.id not in callback.excluded and all(each.met_by(agent.skills) for each in every)


def waits_on_the_phone(world: World, callback: Callback) -> bool:
    """With music, not being let go, and no agent holds the call; not yet known again after a start."""
    if callback.state not in (CallbackState.CONFIRMED, CallbackState.CONNECTED):
        return False
    attempt = attempts_of(world, callback.id)[-1]
    if attempt.outcome is not None or attempt.talks:
        return False
    held = attempt.id in _served(world)
    return not held and attempt.id not in world.unseen


def _served(world: World) -> set[AttemptId]:
    """The calls that an agent holds; who gave a customer away may be in wrap-up while the call goes on."""
    works = [status.work for status in world.journal.agents.values() if status.work is not None]
    return {work.attempt for work in works if work.stage is not Stage.WRAP_UP}


def attempts_of(world: World, callback: CallbackId) -> list[Attempt]:
    found = [attempt for attempt in world.journal.attempts.values() if attempt.callback == callback]
    return sorted(found, key=lambda attempt: attempt.n)


def configured(dispatcher: Dispatcher) -> Iterable[Agent]:
    return dispatcher.configuration.agents.values()
