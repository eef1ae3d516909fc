"""What may be told of a World in disorder: in season, out of season, late and doubled, but never against the facts.

Facts are what no order of events can change: whether two people were put together, and that a customer's leg which was
never posted cannot end. A look that finds them apart, or a Connect that is refused, is never told after they were; all
other news may be nonsense.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.effects import Connect, Effect
from engine.core.events import (
    AttemptLetGo,
    AttemptSeen,
    CancelRequested,
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    LegSeen,
    PlayingFinished,
    PresenceRequested,
    ResultKind,
    TimerFired,
)
from engine.core.records import Attempt
from engine.core.terms import AgentId, AttemptId, CallbackId, LegId, Presence, Reason
from engine.core.values import replace
from tests.unit.core.meetings import Meeting
from tests.unit.core.world import World

NOBODY = "nobody"
TIMER_NAMES = [
    *("dial", "ring", "silent", "enter", "announcement", "confirm", "agent_ring", "hold", "whisper", "bridge", "music"),
    *("closing", "retry", "life", "wrap_up", "rona_return"),
]
OK, REFUSED, UNKNOWN = ResultKind.OK, ResultKind.REFUSED, ResultKind.UNKNOWN


def next_of(world: World, flow: CallFlow, *, keys: str = "1", connect: ResultKind = OK) -> Event:
    """The natural next event of a call; `keys`: what the customer presses."""
    attempt = flow.attempt
    match flow.phase:
        case Phase.RINGING_FIRST:
            return LegEntered(attempt.agent_leg)
        case Phase.DIALING | Phase.ANSWERED:
            return LegEntered(attempt.customer_leg)
        case Phase.ANNOUNCING:
            return KeyPressed(attempt.customer_leg, keys)
        case Phase.CONFIRMED:
            return LegEntered(attempt.agent_leg)
        case Phase.WHISPERING:
            return PlayingFinished(attempt.agent_leg, "whisper")
        case Phase.BRIDGING if (connects := world.done(Connect, attempt.id)) and connects[-1].bridge == attempt.bridge:
            possible = results_of(world, connects[-1])
            return EffectEnded(connects[-1], connect if connect in possible else possible[0])
        case _:
            return LegEnded(attempt.customer_leg, 16)


def results_of(world: World, effect: Effect) -> Sequence[ResultKind]:
    """How an effect may be said to have ended."""
    if not isinstance(effect, Connect):
        return list(ResultKind)
    match world.meetings.at(effect.bridge):
        case Meeting.MADE:
            return [OK, UNKNOWN]
        case None:
            return [REFUSED]
        case _:
            return list(ResultKind)


def looks_at(world: World, attempt: Attempt) -> Sequence[AttemptSeen]:
    """What looks may find of a live attempt: never two people apart who were put together, never who left long ago."""
    gone = world.meetings.unseen
    never_dialled = attempt.customer_leg not in world.posted
    customers = [LegSeen.GONE] if never_dialled or attempt.customer_leg in gone else list(LegSeen)
    agents = [LegSeen.GONE] if attempt.agent_leg in gone else list(LegSeen)
    apart = [AttemptSeen(attempt.id, customer, agent) for customer in customers for agent in agents]
    together = [replace(look, bridged=True) for look in apart if LegSeen.ENTERED in (look.customer, look.agent)]
    match world.meetings.at(attempt.bridge):
        case Meeting.MADE:
            return [*together, AttemptSeen(attempt.id, LegSeen.GONE, LegSeen.GONE)]
        case None:
            return apart
        case _:
            return [*apart, *together]


def odd_news_of(world: World, flow: CallFlow) -> Sequence[Event]:
    """What may be told of a live call, in season or not."""
    attempt = flow.attempt
    customer, agent = attempt.customer_leg, attempt.agent_leg
    effects = [effect for effect in world.effects if effect.attempt == attempt.id]
    results = [EffectEnded(effect, result) for effect in effects[-4:] for result in results_of(world, effect)]
    return [
        *(LegEnded(customer, cause) for cause in (None, 1, 17) if customer in world.posted),
        *(LegEnded(agent, cause) for cause in (0, 16, 21)),
        *(kind(leg) for leg in (customer, agent) for kind in (LegRinging, LegAnswered, LegEntered)),
        *(KeyPressed(customer, digit) for digit in "1239#"),
        KeyPressed(agent, "1"),
        *(
            PlayingFinished(leg, tag, complete)
            for leg in (customer, agent)
            for tag in ("announcement.1", "announcement.2", "whisper")
            for complete in (True, False)
        ),
        *results,
        *results,
        *looks_at(world, attempt),
        *(TimerFired(attempt.id, name) for name in TIMER_NAMES),
        AttemptLetGo(attempt.id),
    ]


def foreign_news(world: World) -> Sequence[Event]:
    """What may be told of anything else: ended attempts, timers out of turn, callbacks and legs of nobody."""
    journal = world.journal
    owners = [*journal.attempts, *journal.callbacks, *journal.agents, NOBODY]
    legs = [*sorted(world.posted), LegId(NOBODY)]
    return [
        *(CancelRequested(callback, Reason.BY_CUSTOMER) for callback in [*journal.callbacks, CallbackId(NOBODY)]),
        *(TimerFired(owner, name) for owner in owners[-6:] for name in ("retry", "life", "wrap_up", "rona_return")),
        *(kind(leg) for leg in legs[-6:] for kind in (LegRinging, LegAnswered, LegEntered, LegEnded)),
        *(KeyPressed(leg, "1") for leg in legs[-6:]),
        *(EffectEnded(effect, result) for effect in world.effects[-6:] for result in results_of(world, effect)),
        *(AttemptSeen(attempt, LegSeen.GONE, LegSeen.GONE) for attempt in list(journal.attempts)[-3:]),
        AttemptSeen(AttemptId(NOBODY), LegSeen.ENTERED, LegSeen.ENTERED),
        PresenceRequested(AgentId(NOBODY), Presence.READY),
    ]
