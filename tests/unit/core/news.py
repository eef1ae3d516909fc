"""What may be told of a World in disorder: in season, out of season, late and doubled, but never against the facts.

Facts are what no order of events can change: whether two people were put together, and that a customer's leg which was
never posted cannot end. A look that finds them apart, or a Connect that is refused, is never told after they were; all
other news may be nonsense.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.effects import Connect, Effect, Play
from engine.core.events import (
    AttemptLetGo,
    AttemptSeen,
    AudioCounted,
    BeepHeard,
    CancelRequested,
    EarClosed,
    EarOpened,
    EffectEnded,
    Event,
    FaxToneHeard,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    LegSeen,
    PlayingFinished,
    PresenceRequested,
    ResultKind,
    TalkFinished,
    TalkStarted,
    TimerFired,
)
from engine.core.records import Call
from engine.core.terms import AgentId, AttemptId, CallbackId, LegId, Presence, Reason
from engine.core.values import replace
from tests.unit.core.meetings import Meeting
from tests.unit.core.world import PAUSE, World

NOBODY = "nobody"
TIMER_NAMES = [
    *("dial", "ring", "silent", "enter", "announcement", "confirm", "agent_ring", "hold", "whisper", "bridge", "music"),
    *("closing", "retry", "life", "wrap_up", "rona_return", "screening", "parting"),
]
ANSWERERS_DO = [
    *("hear", "hear", "hear half", "hear late", "hello", "greeting", "greeting", "speech", "speech", "talk", "fax"),
    *("beep", "beep", "wait", "wait", "wait", "wait long", "count", "count nothing", "1", "5", "5"),
    *("enter", "MACHINE", "HUMAN", "ear", "ear", "no ear"),
]
AMD = ("HUMAN", "MACHINE", "NOTSURE", "HANGUP", "")
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
        case Phase.WAITING:
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


def looks_at(world: World, attempt: Call) -> Sequence[AttemptSeen]:
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
    plays = [effect for effect in world.done(Play, attempt.id) if effect.leg == customer]
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
        *(PlayingFinished(customer, play.tag, complete) for play in plays[-2:] for complete in (True, True, False)),
        *talk_on(customer),
        *talk_on(agent)[:2],
        *(LegEntered(customer, status) for status in AMD),
        *results,
        *results,
        *looks_at(world, attempt),
        *(TimerFired(attempt.id, name) for name in TIMER_NAMES),
        AttemptLetGo(attempt.id),
    ]


def talk_on(leg: LegId) -> Sequence[Event]:
    """What may be heard of a leg's audio."""
    return [
        TalkStarted(leg),
        *(TalkFinished(leg, seconds) for seconds in (0.05, 0.8, 3.0, 7.0)),
        *(AudioCounted(leg, received) for received in (None, 0.0, 4.0, 12.0)),
        EarOpened(leg),
        EarClosed(leg),
        BeepHeard(leg, 0.5),
        FaxToneHeard(leg),
    ]


def answerer_does(world: World, flow: CallFlow, what: str) -> None:
    """What whoever answered does while the announcement is said: one step of a story of screening."""
    customer = flow.attempt.customer_leg
    match what:
        case "enter" | "HUMAN" | "MACHINE":
            world.tell(LegEntered(customer, None if what == "enter" else what))
        case "hear" | "hear half":
            for play in [each for each in world.done(Play, flow.attempt.id) if each.leg == customer][-1:]:
                world.tell(PlayingFinished(customer, play.tag, what == "hear"))
        case "hear late":
            for play in [each for each in world.done(Play, flow.attempt.id) if each.leg == customer][-2:-1]:
                world.tell(PlayingFinished(customer, play.tag))
        case "hello" | "greeting" | "speech":
            seconds = {"hello": 0.7, "greeting": 3.0, "speech": 7.0}[what]
            world.tell(TalkStarted(customer))
            world.pass_time(seconds + PAUSE)
            world.tell(TalkFinished(customer, seconds))
        case "talk":
            world.tell(TalkStarted(customer))
        case "wait" | "wait long":
            world.pass_time(2.1 if what == "wait" else 11.0)
        case "beep":
            world.tell(BeepHeard(customer, 0.5))
        case "ear" | "no ear":
            world.tell(EarOpened(customer) if what == "ear" else EarClosed(customer))
        case "fax":
            world.tell(FaxToneHeard(customer))
        case "count" | "count nothing":
            world.tell(AudioCounted(customer, 3.0 if what == "count" else None))
        case digit:
            world.tell(KeyPressed(customer, digit))


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
        *(event for leg in legs[-3:] for event in talk_on(leg)),
        *(EffectEnded(effect, result) for effect in world.effects[-6:] for result in results_of(world, effect)),
        *(AttemptSeen(attempt, LegSeen.GONE, LegSeen.GONE) for attempt in list(journal.attempts)[-3:]),
        AttemptSeen(AttemptId(NOBODY), LegSeen.ENTERED, LegSeen.ENTERED),
        PresenceRequested(AgentId(NOBODY), Presence.READY),
    ]
