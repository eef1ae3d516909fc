"""What an explanation needs to know, read from the journal of a world as the store reads it from its tables."""

from __future__ import annotations

from engine.core.changes import AgentMoved
from engine.core.configuration import Configuration
from engine.core.explain import Past, explain, looks
from engine.core.explain_choice import KEEPS_IDLE, RUNG_SECONDS, Crew, Look
from engine.core.explain_speech import Speech
from engine.core.explain_steps import Step
from engine.core.explain_words import says
from engine.core.terms import AgentId, CallbackId, Media
from tests.unit.core.world import Customer, World

Configurations = tuple[tuple[float, Configuration | None], ...]


def past_of(world: World, callback_id: CallbackId, configurations: Configurations = ()) -> Past:
    """Everything written of a callback; without others the present configuration counts as in force all the time."""
    journal = world.journal
    callback = journal.callbacks[callback_id]
    phone = callback.request.phone
    return Past(
        callback,
        tuple(move for move in journal.callback_moves if move.callback == callback_id),
        tuple(sorted((a for a in journal.attempts.values() if a.callback == callback_id), key=lambda a: a.n)),
        tuple(
            attempt
            for attempt in journal.attempts.values()
            if attempt.callback != callback_id and journal.callbacks[attempt.callback].request.phone == phone
        ),
        configurations or ((0.0, journal.configuration),),
        world.node,
    )


def crew_of(world: World, past: Past, look: Look) -> Crew:
    """How the agents stood at a moment."""
    moves = world.journal.agent_moves
    before: dict[AgentId, AgentMoved] = {}
    idle_since: dict[AgentId, float] = {}
    for move in moves:
        if move.at < look.at and move.agent in look.agents:
            before[move.agent] = move
            if move.after == "ready" and move.because not in KEEPS_IDLE:
                idle_since[move.agent] = move.at
    then = tuple(move for move in moves if move.at == look.at)
    concerned = {move.agent for move in then} | set(look.callers)
    until = float("inf") if look.until is None else look.until
    other_work: dict[AgentId, tuple[Media, ...]] = {}
    for each in world.journal.interactions.values():
        held = each.offered_at is not None and each.offered_at < look.at < (each.ended_at or float("inf"))
        if each.agent is not None and held:
            other_work[each.agent] = (*other_work.get(each.agent, ()), each.media)
    callbacks = world.journal.callbacks
    called = [
        (attempt.agent, callbacks[attempt.callback])
        for attempt in world.journal.attempts.values()
        if attempt.dialed_at is not None
        and look.since <= attempt.dialed_at < look.at
        and attempt.callback != past.callback.id
    ]
    service, priority = past.callback.request.service, past.callback.priority
    same = [each for _agent, each in called if each.request.service == service]
    others = [each for agent, each in called if each.request.service != service and agent in look.agents]
    rung = [
        (each.dialed_at, min(each.answered_at or float("inf"), each.ended_at or float("inf")))
        for each in world.journal.attempts.values()
        if look.paced
        and each.dialed_at is not None
        and look.at - RUNG_SECONDS < each.dialed_at < look.at
        and callbacks[each.callback].request.service == service
    ]
    dials = (each.dialed_at for each in world.journal.attempts.values() if each.dialed_at is not None)
    began = sorted((each for each in dials if each < look.at), reverse=True)
    return Crew(
        before,
        {agent: at for agent, at in idle_since.items() if before[agent].after == "ready"},
        then,
        tuple(m.callback for m in world.journal.callback_moves if (m.at, m.because) == (look.at, "agent_reserved")),
        tuple(move for move in moves if look.at <= move.at <= until and move.agent in concerned),
        other_work,
        len(same),
        len(others),
        sum(each.priority > priority for each in (*same, *others)),
        tuple(sorted(rung)),
        began[look.most_at_once - 1] if 0 < look.most_at_once <= len(began) else None,
    )


def steps_of(world: World, customer: Customer) -> list[Step]:
    """The whole trail, and what holds the callback back now."""
    past = past_of(world, customer.id)
    crews = [crew_of(world, past, look) for look in looks(past)]
    return explain(past, crews) + world.dispatcher.why_not_yet(customer.id, world.now)


def told(world: World, customer: Customer) -> list[str]:
    """Every sentence, with the time of day before it."""
    speech = Speech(world.journal.configuration, customer.callback.request.service)
    return [f"{speech.stamp(step.at)[11:]} {says(step, speech)}" for step in steps_of(world, customer)]
