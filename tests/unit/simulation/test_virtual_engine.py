"""The agenda of a virtual engine: order, timers, effects, observers."""

from __future__ import annotations

from engine.core.changes import CallbackChanged
from engine.core.configuration import Agent, Configuration, Service
from engine.core.decision import Accepted, Decision, Snapshot
from engine.core.effects import DialCustomer, Effect
from engine.core.events import (
    CallbackRequested,
    CancelRequested,
    EffectEnded,
    Event,
    InteractionEndRequested,
    InteractionRequested,
    LegEnded,
    LegRinging,
    PresenceRequested,
    ResultKind,
    TimerFired,
    WorkAccepted,
)
from engine.core.expressions import parse
from engine.core.records import Request
from engine.core.terms import (
    AgentId,
    CallbackId,
    CallbackState,
    InteractionId,
    Media,
    Presence,
    Reason,
    RequestChannel,
    ServiceId,
    WorkId,
)
from engine.simulation.virtual_engine import FEW_STALE, VirtualEngine

START = 1_700_000_000.0
BILLING = Service(ServiceId("billing"), "Billing", "Example", parse("billing"), queue_cap=1_000_000)
AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"billing": 5})
CONFIGURATION = Configuration(services={BILLING.id: BILLING}, agents={AMY.id: AMY})


class Busy:
    """Every customer's line is busy after a second."""

    def __init__(self) -> None:
        self.done: list[tuple[float, Effect]] = []

    def carry_out(self, effect: Effect, engine: VirtualEngine) -> None:
        self.done.append((engine.now - START, effect))
        engine.tell_after(0, EffectEnded(effect, ResultKind.OK))
        if isinstance(effect, DialCustomer):
            engine.tell_after(0.5, LegRinging(effect.leg))
            engine.tell_after(1, LegEnded(effect.leg, 17, 486))


def engine(outside: Busy | None = None) -> VirtualEngine:
    return VirtualEngine(Snapshot(configuration=CONFIGURATION), START, outside)


def asks(n: int = 1) -> CallbackRequested:
    request = Request(BILLING.id, f"+1202555{n:04}", "en", RequestChannel.API)
    return CallbackRequested(CallbackId(f"c{n}"), request, "")


READY = PresenceRequested(AMY.id, Presence.READY)


def test_items_of_the_same_moment_come_in_the_order_in_which_they_were_put_there() -> None:
    virtual, seen = engine(), list[str]()
    virtual.at(START + 2, seen.append, "last")
    virtual.at(START + 1, seen.append, "second")
    virtual.after(1, seen.append, "third")
    virtual.at(START - 5, seen.append, "first, though its moment has passed")
    virtual.run_until(START + 10)
    assert seen == ["first, though its moment has passed", "second", "third", "last"]
    assert (virtual.now, virtual.next_at) == (START + 10, None)


def test_what_is_due_later_stays_to_come() -> None:
    virtual, seen = engine(), list[float]()
    virtual.after(10, lambda _: seen.append(virtual.now), None)
    virtual.run_until(START + 9)
    assert (seen, virtual.next_at) == ([], START + 10)
    virtual.run_until(START + 10)
    assert seen == [START + 10]


def test_given_a_customer_who_is_busy_then_the_retry_comes_when_its_timer_says() -> None:
    busy = Busy()
    virtual = engine(busy)
    virtual.tell(READY)
    virtual.tell_after(100, asks())
    virtual.run_until(START + 3000)
    dials = [at for at, effect in busy.done if isinstance(effect, DialCustomer)]
    assert dials == [100, 100 + 1 + 600, 100 + 2 * 601]


def test_an_observer_is_told_before_effects_are_carried_out_and_with_the_decision() -> None:
    busy = Busy()
    virtual = engine(busy)
    told: list[tuple[str, float, int, int]] = []

    def observe(event: Event, decision: Decision, now: float) -> None:
        told.append((type(event).__name__, now, len(decision.effects), len(busy.done)))

    virtual.observers.append(observe)
    virtual.tell(READY)
    decision = virtual.tell(asks())
    assert isinstance(decision.reply, Accepted)
    assert told == [("PresenceRequested", START, 0, 0), ("CallbackRequested", START, 1, 0)]
    virtual.run_until(START + 2)
    assert [name for name, *_ in told[2:]] == ["EffectEnded", "LegRinging", "LegEnded"]


def test_a_timer_that_was_cleared_or_moved_is_never_told() -> None:
    virtual = engine()
    fired: list[Event] = []
    virtual.observers.append(lambda event, _decision, _now: fired.append(event))
    virtual.tell(asks())
    virtual.tell(CancelRequested(CallbackId("c1"), Reason.BY_CUSTOMER))
    virtual.run_until(START + 200_000)
    assert not [event for event in fired if isinstance(event, TimerFired)]


def test_a_callback_that_nobody_serves_expires_when_its_life_is_over() -> None:
    virtual = engine()
    ended: list[tuple[float, CallbackState]] = []

    def observe(_event: Event, decision: Decision, now: float) -> None:
        states = [each.callback.state for each in decision.changes if isinstance(each, CallbackChanged)]
        ended.extend((now, state) for state in states if state.ended)

    virtual.observers.append(observe)
    virtual.tell(asks())
    virtual.run_until(START + 86_400)
    assert ended == [(START + 86_400, CallbackState.EXPIRED)]


def test_the_agenda_does_not_grow_with_those_who_have_left() -> None:
    virtual = engine()
    for n in range(5000):
        virtual.tell(asks(n))
        virtual.tell(CancelRequested(CallbackId(f"c{n}"), Reason.BY_CUSTOMER))
    assert len(virtual) <= 2 * FEW_STALE
    assert virtual.next_at is None
    assert len(virtual) == 0


def test_timers_of_a_snapshot_are_armed() -> None:
    first = engine()
    accepted = first.tell(asks()).reply
    assert isinstance(accepted, Accepted)
    timers = tuple(first.dispatcher.timers.pending())
    second = VirtualEngine(Snapshot(CONFIGURATION, (accepted.callback,), timers=timers), START + 10)
    assert second.next_at == START + 86_400


def test_work_that_is_no_call_needs_no_outside() -> None:
    virtual = engine()
    virtual.tell(READY)
    ended: list[float] = []
    for n in range(3):
        chat = InteractionId(f"chat{n}")
        virtual.tell(InteractionRequested(chat, Media("chat"), BILLING.id))
        virtual.tell_after(n * 10, WorkAccepted(AMY.id, WorkId(chat)))
        virtual.tell_after(n * 10 + 10, InteractionEndRequested(chat, completed=True))
        virtual.after(n * 10 + 10, ended.append, n)
    virtual.run_until(START + 100)
    assert ended == [0, 1, 2]
    assert not virtual.dispatcher.interactions
