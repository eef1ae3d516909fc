"""Nobody who waits is lost or called against a rule: what must be true of appointments, previews, work from outside and
whoever is held back, checked by the World after each decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.changes import AgentChanged
from engine.core.decision import Decision
from engine.core.effects import DialCustomer
from engine.core.records import AgentStatus, Callback, Interaction, Work
from engine.core.terms import VOICE, AgentId, CallbackState, InteractionState, Presence, Stage, WorkId
from tests.unit.core import held_back
from tests.unit.core.invariants import phone_is_usable

if TYPE_CHECKING:
    from tests.unit.core.world import World

_LIVES = (CallbackState.SCHEDULED, CallbackState.QUEUED, CallbackState.RETRY_WAIT, CallbackState.PREVIEWING)
_ONLY_IN = {
    "slot": (CallbackState.SCHEDULED,),
    "retry": (CallbackState.RETRY_WAIT,),
    "permitted": (CallbackState.QUEUED,),
    "preview": (CallbackState.PREVIEWING,),
}


def check(world: World, decision: Decision) -> None:
    _memory_and_journal_agree(world)
    for callback in world.journal.callbacks.values():
        if callback.open:
            _is_not_lost(world, callback)
    _previews_have_one_agent(world)
    _work_from_outside_has_one_agent(world)
    _nobody_is_called_against_a_rule(world, decision)
    _new_work_fits(world, decision)
    if not world.stopping:
        _no_outside_work_waits_beside_a_free_agent(world)


def _memory_and_journal_agree(world: World) -> None:
    dispatcher, journal = world.dispatcher, world.journal
    assert dispatcher.interactions == {each.id: each for each in journal.interactions.values() if not each.state.ended}
    assert dispatcher.suppressions == journal.suppressions
    assert dispatcher.paused == journal.paused
    booked = {each.id: (each.request.service, each.scheduled_for) for each in journal.callbacks.values() if each.booked}
    for callback in journal.callbacks.values():
        place = booked.get(callback.id) if callback.open else None
        assert place == dispatcher.slots._places.get(callback.id), f"{callback.id} holds another place than is written"
    own = {(service, start): each.capacity for (service, start), each in journal.slot_capacities.items()}
    assert dispatcher.slots.overrides() == own


def _is_not_lost(world: World, callback: Callback) -> None:
    """Something ends each wait, and nothing is timed that does not belong to it."""
    timers = {name: timer for (owner, name), timer in world.journal.timers.items() if owner == callback.id}
    for name, states in _ONLY_IN.items():
        assert name not in timers or callback.state in states, f"{callback.id} is {callback.state} and has a {name}"
    if callback.state in _LIVES:
        assert "life" in timers, f"{callback.id} waits for ever"
    if callback.state is CallbackState.SCHEDULED:
        assert timers["slot"].due_at == callback.joined_at == callback.scheduled_for
        assert (callback.widened, "widen" in timers) == (0, False), f"{callback.id} is widened before it waits"
        assert timers["life"].due_at >= callback.joined_at
    if world.dispatcher.line.is_parked(callback.id):
        assert held_back.is_on_the_phone(world, callback) or "permitted" in timers, (
            f"{callback.id} is held back for ever"
        )
    else:
        assert "permitted" not in timers, f"{callback.id} is not held back, and is waited for"
    for name in timers:
        if name.startswith("exclusion "):
            assert name.removeprefix("exclusion ") in callback.excluded
    assert all(f"exclusion {agent}" in timers for agent in callback.excluded), f"{callback.id} excludes for ever"


def _previews_have_one_agent(world: World) -> None:
    held: dict[str, list[Work]] = {}
    for status in world.journal.agents.values():
        for work in status.works:
            if work.callback is not None:
                held.setdefault(work.callback, []).append(work)
    for callback in world.journal.callbacks.values():
        works = [work for work in held.get(callback.id, []) if work.stage is not Stage.WRAP_UP]
        if callback.state is not CallbackState.PREVIEWING:
            assert all(work.stage is not Stage.OFFERED for work in works), (
                f"{callback.id} is offered, and not previewed"
            )
            continue
        assert [work.attempt for work in works] == [callback.next_attempt], f"{callback.id} is previewed by {works}"
        timed = (callback.id, "preview") in world.journal.timers
        assert timed == (works[0].stage is Stage.OFFERED), f"{callback.id}: {works[0].stage}, timed {timed}"
        assert works[0].stage in (Stage.OFFERED, Stage.RESERVED)
        if works[0].stage is Stage.RESERVED and world.telephony and not world.stopping:
            assert held_back.service_is_held(world, callback.request.service), f"{callback.id} could be dialled"


def _work_from_outside_has_one_agent(world: World) -> None:
    for interaction in world.journal.interactions.values():
        holders = {
            status.id: work.stage
            for status in world.journal.agents.values()
            for work in status.works
            if work.id == WorkId(interaction.id)
        }
        timers = {name: timer for (owner, name), timer in world.journal.timers.items() if owner == interaction.id}
        match interaction.state:
            case InteractionState.OFFERED:
                assert holders == {interaction.agent: Stage.OFFERED}
            case InteractionState.ACTIVE:
                assert holders == {interaction.agent: Stage.ACTIVE}
            case _:
                assert holders == {}, f"{interaction.id} is {interaction.state} and held by {holders}"
        assert ("answer" in timers) == (interaction.state is InteractionState.OFFERED)
        assert (interaction.id in world.dispatcher.line) == (interaction.state is InteractionState.QUEUED)
        assert (interaction.ended_at is not None) == interaction.state.ended
        assert not (interaction.state.ended and timers), f"{interaction.id} has ended and keeps {timers}"


def _nobody_is_called_against_a_rule(world: World, decision: Decision) -> None:
    """Judged against all other calls; the call itself is left out of what was there before."""
    journal = world.journal
    for effect in decision.effects:
        if not isinstance(effect, DialCustomer):
            continue
        assert world.telephony, f"{effect.leg} is dialled unheard"
        assert not world.stopping, f"{effect.leg} is dialled by an engine that stops"
        attempt = journal.attempts[effect.attempt]
        request = journal.callbacks[attempt.callback].request
        assert effect.phone not in journal.suppressions, f"{effect.leg} is dialled, and {effect.phone} is suppressed"
        assert request.service not in journal.paused, f"{effect.leg} is dialled, and {request.service} is paused"
        others = [each for each in journal.attempts.values() if each.phone == effect.phone and each.id != attempt.id]
        assert all(each.ended_at is not None for each in others), f"{effect.phone} is called twice at once"
        rings_in = [call.id for call in journal.open_inbound() if call.phone == effect.phone]
        rings_in += [call.id for call in journal.open_inbound() if call.callback == attempt.callback]
        assert not rings_in, f"{effect.leg} is dialled, and has rung in: {rings_in}"
        limits = journal.configuration.limits
        dials = [each.dialed_at for each in others if each.dialed_at is not None]
        assert all(world.now >= at + limits.min_gap_seconds for at in dials), f"{effect.phone}: too soon"
        window = journal.configuration.services[request.service].calling_window
        zones = held_back.zones_of(world, request)
        assert window is None or held_back.in_the_window(window, zones, world.now), f"{effect.leg} outside the window"


def _new_work_fits(world: World, decision: Decision) -> None:
    """Whoever is given one more item may hold it, and was asked while ready."""
    agents = world.journal.configuration.agents
    for change in decision.changes:
        if isinstance(change, AgentChanged) and change.status.id in agents:
            status = change.status
            held = world.works_before.get(status.id, frozenset())
            new = [work for work in status.works if work.id not in held]
            if new:
                assert status.presence is Presence.READY, f"{status.id} is given {new}"
                _fits(status, world)


def _fits(status: AgentStatus, world: World) -> None:
    media = [work.media for work in status.works]
    capacity = world.journal.configuration.agents[status.id].capacity
    assert media.count(VOICE) <= 1, f"{status.id} has two calls"
    if capacity is None:
        assert len(media) == 1, f"{status.id} holds {media}"
    else:
        assert capacity.met_by({each: media.count(each) for each in media}), f"{status.id} holds {media}"


def _no_outside_work_waits_beside_a_free_agent(world: World) -> None:
    for interaction in world.journal.interactions.values():
        if interaction.state is InteractionState.QUEUED and (world.telephony or interaction.media != VOICE):
            able = [agent for agent in world.journal.agents if may_take(world, agent, interaction)]
            assert not able, f"{interaction.id} waits although {able} are free"


def may_take(world: World, agent_id: AgentId, interaction: Interaction) -> bool:
    """Ready, with the skill, not excluded, and with room for one more of this medium."""
    agent, status = world.journal.configuration.agents.get(agent_id), world.journal.agents[agent_id]
    if agent is None or status.presence is not Presence.READY or agent_id in interaction.excluded:
        return False
    if not world.journal.configuration.services[interaction.service].skill.met_by(agent.skills):
        return False
    held = [work.media for work in status.works]
    if interaction.media == VOICE and (VOICE in held or not phone_is_usable(world, agent)):
        return False
    if agent.capacity is None:
        return not held
    together = [*held, interaction.media]
    return agent.capacity.met_by({media: together.count(media) for media in together})
