"""What may be told of somebody who rings in to a World in disorder: in season, out of season, late and doubled."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.callerflow import CallerFlow
from engine.core.callphase import Phase
from engine.core.effects import Connect, Play
from engine.core.events import (
    AttemptLetGo,
    CallerEntered,
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    NewNumber,
    NumberChecked,
    PlayingFinished,
    ResultKind,
    TimerFired,
)
from engine.core.terms import AttemptId, LegId
from tests.unit.core.news import looks_at, results_of
from tests.unit.core.world import World

KEYS = "1111222333*#0559"
CALLERS_DO = ["keys", "keys", "keys", "keys", "hear", "hear", "wait", "wait long", "number", "checked", "end"]
_TIMERS = ("comfort", "hold", "menu", "agent_ring", "music", "whisper", "bridge", "closing", "widen")


def enters(n: int, dialled: str, phone: str | None) -> CallerEntered:
    """A call that nobody knew of."""
    number = None if phone is None else NewNumber(phone)
    return CallerEntered(AttemptId(f"callpbx-{n}"), LegId(f"pbx.{n}"), dialled, number)


def next_of_caller(
    world: World, flow: CallerFlow, *, keys: str = "1", connect: ResultKind = ResultKind.OK
) -> Event | None:
    """The natural next event of a call that came in; None while it waits for an agent."""
    call = flow.inbound
    match flow.phase:
        case Phase.WAITING if flow.agent is None:
            return KeyPressed(call.leg, "1") if keys != "1" else None
        case Phase.WAITING:
            return LegEntered(call.agent_leg)
        case Phase.WHISPERING:
            return PlayingFinished(call.agent_leg, "whisper")
        case Phase.BRIDGING if (connects := world.done(Connect, call.id)) and connects[-1].bridge == call.bridge:
            possible = results_of(world, connects[-1])
            return EffectEnded(connects[-1], connect if connect in possible else possible[0])
        case Phase.ASKING:
            return KeyPressed(call.leg, keys)
        case _:
            return LegEnded(call.leg, 16)


def odd_news_of_caller(world: World, flow: CallerFlow) -> Sequence[Event]:
    """What may be told of a live call that came in, in season or not."""
    call = flow.inbound
    effects = [effect for effect in world.effects if effect.attempt == call.id]
    results = [EffectEnded(effect, result) for effect in effects[-4:] for result in results_of(world, effect)]
    plays = [effect for effect in world.done(Play, call.id) if effect.leg == call.leg]
    return [
        LegEnded(call.leg, 16),
        *(LegEnded(call.agent_leg, cause) for cause in (0, 16, 21)),
        *(kind(leg) for leg in (call.leg, call.agent_leg) for kind in (LegRinging, LegAnswered, LegEntered)),
        *(KeyPressed(call.leg, digit) for digit in KEYS),
        KeyPressed(call.agent_leg, "1"),
        *(PlayingFinished(call.leg, play.tag, complete) for play in plays[-2:] for complete in (True, True, False)),
        *(PlayingFinished(call.agent_leg, "whisper", complete) for complete in (True, False)),
        *(NumberChecked(call.leg, number) for number in (None, NewNumber("+12025550103"), NewNumber("+12025550104"))),
        *results,
        *results,
        *looks_at(world, call),
        *(TimerFired(call.id, name) for name in _TIMERS),
        AttemptLetGo(call.id),
        CallerEntered(call.id, call.leg, call.dialled, None),
    ]


def caller_does(world: World, flow: CallerFlow, what: str, which: int) -> None:
    """One step of a caller who is asked something, or would like to be."""
    call = flow.inbound
    match what:
        case "keys":
            world.tell(KeyPressed(call.leg, KEYS[which % len(KEYS)]))
        case "hear":
            for play in [effect for effect in world.done(Play, call.id) if effect.leg == call.leg][-1:]:
                world.tell(PlayingFinished(call.leg, play.tag, which % 5 > 0))
        case "wait" | "wait long":
            world.pass_time(4.1 if what == "wait" else 45.0)
        case "number":
            for digit in "2025550103#":
                world.tell(KeyPressed(call.leg, digit))
        case "checked":
            world.tell(NumberChecked(call.leg, NewNumber(f"+120255501{which % 6:02}") if which % 7 else None))
        case _:
            world.tell(LegEnded(call.leg, 16))
