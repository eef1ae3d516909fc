"""Never twice, never lost: what no disorder may bring about, checked by the World after each decision.

Judged by what was done and told (`World.meetings`, `alive`, `wished_to_end`), never by the engine's own phases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from engine.core.callphase import SILENT_DIAL_SECONDS
from engine.core.changes import AgentMoved, AttemptChanged
from engine.core.decision import Decision
from engine.core.desks import RONA
from engine.core.dispatcher import TIMED_UNHEARD
from engine.core.effects import Connect, DialCustomer, Release
from engine.core.events import (
    AttemptLetGo,
    AttemptSeen,
    ConfigurationApplied,
    EffectEnded,
    Event,
    KeyPressed,
    LegEnded,
    LegReplaced,
    PlayingFinished,
    PresenceRequested,
    ResultKind,
    StopRequested,
    TelephonyLost,
    TelephonyReady,
    TimerFired,
)
from engine.core.records import Attempt, attempt_of_leg
from engine.core.switchboard import ANSWER
from engine.core.terms import AttemptId, Outcome

if TYPE_CHECKING:
    from tests.unit.core.world import World

_WISHES = (Outcome.CANCELLED_BY_KEY, Outcome.NEVER_AGAIN)
_MEANT = (KeyPressed, StopRequested, AttemptLetGo, PresenceRequested, ConfigurationApplied, AttemptSeen)
"""What may end a call whether Asterisk is heard or not: somebody wants it, or it was looked at."""


def check(world: World, event: Event, decision: Decision, before: Mapping[AttemptId, Attempt]) -> None:
    """All rules. `before`: the rows of the attempts before the decision."""
    for effect in decision.effects:
        if isinstance(effect, Connect):
            call = world.call(effect.attempt)
            assert call is not None
            assert call.bridging_at is not None, f"{effect} is not written first"
            world.meetings.connect(effect)
    _who_may_have_talked_is_written_so(world)
    _nobody_is_called_again_who_talked_or_wished_otherwise(world, event, decision, before)
    _a_number_has_one_leg(world, decision)
    _no_call_goes_on_without_its_people(world)
    _who_is_dialled_after_the_agent_has_the_agent_on_the_phone(world, decision)
    _no_agents_leg_is_left_over(world, decision)
    _a_look_blames_nobody(event, decision)
    _who_is_left_in_a_dead_call_is_released(world, decision)
    if isinstance(event, TelephonyReady):
        _what_was_held_has_fired(world)
    elif not world.telephony and not isinstance(event, TelephonyLost):
        _nothing_is_concluded_unheard(world, event, decision, before)


def _who_may_have_talked_is_written_so(world: World) -> None:
    for attempt in world.journal.attempts.values():
        if attempt.outcome is None:
            continue
        talked = attempt.outcome is Outcome.CONNECTED
        may_have = attempt.bridging_at is not None or attempt.bridged_at is not None
        assert talked == may_have, f"{attempt.id}: {attempt.outcome}, {attempt.bridging_at=}, {attempt.bridged_at=}"


def _nobody_is_called_again_who_talked_or_wished_otherwise(
    world: World, event: Event, decision: Decision, before: Mapping[AttemptId, Attempt]
) -> None:
    for change in decision.changes:
        if isinstance(change, AttemptChanged) and (earlier := before.get(change.attempt.id)):
            stands = earlier.outcome in (None, change.attempt.outcome)
            may_still_wish = isinstance(event, KeyPressed) and earlier.outcome not in (*_WISHES, Outcome.CONNECTED)
            wishes = may_still_wish and change.attempt.outcome in _WISHES
            assert stands or wishes, f"{earlier.id} was {earlier.outcome} and becomes {change.attempt.outcome}"
            if wishes:
                world.wished_to_end.add(change.attempt.callback)
    for attempt in _decided(decision, before):
        met = world.meetings.may_have_met(attempt.id)
        assert (attempt.outcome is Outcome.CONNECTED) == met, (
            f"{attempt.id} ends {attempt.outcome}, may have met: {met}"
        )
    for effect in decision.effects:
        if isinstance(effect, DialCustomer):
            callback = world.journal.attempts[effect.attempt].callback
            met_in = [
                attempt.id
                for attempt in world.journal.attempts.values()
                if attempt.callback == callback and world.meetings.may_have_met(attempt.id)
            ]
            assert not met_in, f"{effect.leg} is dialled, and they may have talked in {met_in}"
            assert callback not in world.wished_to_end, f"{effect.leg} is dialled, and they pressed 3 or 9"


def _a_number_has_one_leg(world: World, decision: Decision) -> None:
    """One service never has two live legs to one number, except one that a conversation leaves behind, released."""
    for effect in decision.effects:
        if not isinstance(effect, DialCustomer):
            continue
        journal = world.journal
        callback = journal.callbacks[journal.attempts[effect.attempt].callback]
        for leg in world.alive - world.given_up - {effect.leg}:
            attempt = journal.attempts[attempt_of_leg(leg)]
            other = journal.callbacks[attempt.callback].request
            if (other.phone, other.service) == (effect.phone, callback.request.service):
                assert attempt.outcome is Outcome.CONNECTED, f"{effect.leg} is dialled while {leg} may be there"


def _no_call_goes_on_without_its_people(world: World) -> None:
    """Nobody is kept on the phone for somebody who is known to be gone, unless only a Connect can tell what it was."""
    for attempt in world.journal.open_attempts():
        connecting = attempt.bridging_at is not None and not attempt.talks
        if attempt.customer_leg in world.meetings.told and not connecting:
            raise AssertionError(f"{attempt.id} goes on, and its customer is gone: {attempt}")
        with_agent = attempt.talks and attempt.given_to is None
        if attempt.agent_leg in world.meetings.told and with_agent:
            raise AssertionError(f"{attempt.id} goes on as a conversation, and its agent is gone")


def _who_is_dialled_after_the_agent_has_the_agent_on_the_phone(world: World, decision: Decision) -> None:
    """And nobody is dialled while Asterisk cannot be heard."""
    for effect in decision.effects:
        if not isinstance(effect, DialCustomer):
            continue
        assert world.telephony, f"{effect.leg} is dialled unheard"
        attempt = world.journal.attempts[effect.attempt]
        if attempt.agent_legs > 0:
            there = attempt.agent_leg in world.entered and attempt.agent_leg not in world.meetings.told
            assert there, f"{effect.leg} is dialled, and {attempt.agent_leg} is not on the phone"


def _no_agents_leg_is_left_over(world: World, decision: Decision) -> None:
    """Whose call is over is released, or known to be gone."""
    for effect in decision.effects:
        if isinstance(effect, Release):
            world.released.add(effect.leg)
    for change in decision.changes:
        if isinstance(change, AttemptChanged) and change.attempt.ended_at is not None and change.attempt.agent_legs:
            leg = change.attempt.agent_leg
            assert leg in world.released | world.meetings.ended, f"{leg} is left over"


def _a_look_blames_nobody(event: Event, decision: Decision) -> None:
    if isinstance(event, AttemptSeen):
        missed = [each.agent for each in decision.changes if isinstance(each, AgentMoved) and each.because == RONA]
        assert not missed, f"{missed} are said to have missed a call because of {event}"


def _who_is_left_in_a_dead_call_is_released(world: World, decision: Decision) -> None:
    for change in decision.changes:
        if isinstance(change, AttemptChanged) and change.attempt.ended_at is not None:
            attempt = change.attempt
            if attempt.outcome is Outcome.CONNECTED and attempt.customer_leg in world.alive:
                released = world.released | {each.leg for each in decision.effects if isinstance(each, Release)}
                assert attempt.customer_leg in released, f"{attempt.customer_leg} is left alone on the phone"


def _what_was_held_has_fired(world: World) -> None:
    """Or was set anew by a look; an owner may have ended meanwhile."""
    timers = world.journal.timers
    left = [timer for timer in world.held if timers.get((timer.owner, timer.name)) == timer]
    assert not left, f"held while telephony was lost and never fired: {left}"


def _nothing_is_concluded_unheard(
    world: World, event: Event, decision: Decision, before: Mapping[AttemptId, Attempt]
) -> None:
    """Silence, and failures that silence may explain, end no call and blame no agent."""
    for attempt in _decided(decision, before):
        assert _may_end(world, event, attempt), f"{attempt.id} ends {attempt.outcome} unheard because of {event}"
    held = dict(world.held_before)
    if isinstance(event, TimerFired) and event.name == ANSWER:
        return  # work from outside is answered over HTTP, whatever Asterisk does
    for change in decision.changes:
        if isinstance(change, AgentMoved) and change.because == RONA:
            call = before.get(held[change.agent]) or world.inbound_before[held[change.agent]]
            leg = call.agent_leg
            gone = leg in world.meetings.told or isinstance(event, LegReplaced)
            hung_up = gone and not isinstance(event, TimerFired)
            assert hung_up, f"{change.agent} is said to have missed a call unheard because of {event}"


def _may_end(world: World, event: Event, attempt: Attempt) -> bool:
    match event:
        case LegEnded(leg=leg) | PlayingFinished(leg=leg) | LegReplaced(leg=leg):
            return attempt_of_leg(leg) == attempt.id or leg == attempt.given_to
        case TimerFired(owner=owner, name=name):
            service = world.journal.configuration.services.get(
                world.journal.callbacks[attempt.callback].request.service
            )
            ring_seconds = service.ring_timeout_seconds if service else 0
            dialled_for = 0.0 if attempt.dialed_at is None else world.now - attempt.dialed_at
            waited = dialled_for >= ring_seconds + SILENT_DIAL_SECONDS
            return owner == attempt.id and name == TIMED_UNHEARD[-1] and waited
        case EffectEnded(effect=DialCustomer(), result=ResultKind.REFUSED):
            return True
        case EffectEnded(effect=Connect()):
            return bool({attempt.customer_leg, attempt.agent_leg} & world.meetings.ended)
        case _:
            return isinstance(event, _MEANT)


def _decided(decision: Decision, before: Mapping[AttemptId, Attempt]) -> Iterator[Attempt]:
    """The attempts whose outcome this decision wrote, as it left them."""
    last = {change.attempt.id: change.attempt for change in decision.changes if isinstance(change, AttemptChanged)}
    for attempt in last.values():
        earlier = before.get(attempt.id)
        if attempt.outcome is not None and (earlier is None or earlier.outcome is None):
            yield attempt
