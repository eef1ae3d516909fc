"""The dispatcher against disorder: any event at any time, early, late, doubled or nonsensical, with starts in between.

After every event the World checks the invariants. At the end everything is left alone, and every callback must reach an
end; and the whole history, told again to a fresh dispatcher, must give the same decisions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.configuration import Agent, AttemptPolicy, Confirmation, Inbound, OutcomeRule, Screening, Widening
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Connect, DialCustomer, Effect, Farewell, Release, RingAgent
from engine.core.events import (
    AttemptSeen,
    CallbackRequested,
    CallerEntered,
    ConfigurationApplied,
    EffectEnded,
    Event,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegHeld,
    LegReplaced,
    LegSeen,
    LegUnheld,
    PresenceRequested,
    ResultKind,
)
from engine.core.expressions import parse
from engine.core.records import Request
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    ConnectMode,
    LegId,
    MachineAction,
    Outcome,
    Presence,
    RequestChannel,
    ScreeningMode,
    ServiceId,
)
from engine.core.values import replace
from tests.unit.core.caller_news import CALLERS_DO, KEYS, caller_does, enters, next_of_caller, odd_news_of_caller
from tests.unit.core.meetings import Meeting
from tests.unit.core.news import (
    ANSWERERS_DO,
    NOBODY,
    OK,
    REFUSED,
    UNKNOWN,
    answerer_does,
    foreign_news,
    looks_at,
    next_of,
    odd_news_of,
    results_of,
)
from tests.unit.core.world import AMY, BEN, BILLING, NO_CAPS, SALES, World, configuration

EVE = Agent(AgentId("eve"), "Eve", "PJSIP/agent-1003", {"sales": 5})
QUICK = replace(
    BILLING,
    life_seconds=4000,
    hold_limit_seconds=40,
    wrap_up_seconds=20,
    rona_return_seconds=30,
    queue_cap=4,
    inbound=Inbound(("1",), news_seconds=20, wait_limit_seconds=200),
    attempts=AttemptPolicy(max=3, interval_seconds=120, by_outcome={Outcome.BUSY: OutcomeRule(max=2)}),
)
BY_AMD = Screening(mode=ScreeningMode.ASTERISK)
URGENT = replace(
    SALES,
    life_seconds=2000,
    priority=3,
    wrap_up_seconds=0,
    attempts=AttemptPolicy(max=2),
    screening=BY_AMD,
    inbound=Inbound(("2",), wait_limit_seconds=90, priority=1),
)
FIRST = replace(
    BILLING,
    id=ServiceId("first"),
    skill=parse("billing or sales"),
    connect=ConnectMode.AGENT_FIRST,
    life_seconds=3000,
    wrap_up_seconds=20,
    priority=1,
    attempts=AttemptPolicy(max=2, interval_seconds=120),
    screening=Screening(machine=MachineAction.LEAVE_MESSAGE),
    confirmation=Confirmation(wait_seconds=3, repeats=0),
)
SHORT = replace(QUICK, life_seconds=100, skill=parse("billing >= 4 or sales >= 4"), attempts=AttemptPolicy(max=1))

DOCUMENTS = [
    configuration((QUICK, URGENT, FIRST), (AMY, BEN, EVE)),
    configuration((QUICK, URGENT, FIRST), (AMY, EVE), replace(NO_CAPS, max_open_per_number=1)),
    configuration((SHORT, URGENT, FIRST), (AMY, BEN)),
    configuration((QUICK, FIRST), (replace(BEN, skills={"billing": 1}), EVE)),
    configuration((QUICK, replace(URGENT, skill=parse("not billing")), replace(FIRST, life_seconds=100)), ()),
    configuration(
        (replace(QUICK, connect=ConnectMode.AGENT_FIRST), URGENT, replace(FIRST, connect=ConnectMode.RESERVE)),
        (AMY, BEN),
    ),
    configuration((QUICK,), (AMY, BEN, EVE)),
    configuration(
        (
            replace(QUICK, inbound=None, expansion=(Widening(20, parse("billing or sales")),)),
            replace(
                URGENT, inbound=Inbound(), expansion=(Widening(10, parse("not billing")), Widening(70, URGENT.skill))
            ),
            FIRST,
        ),
        (BEN, EVE),
    ),
    configuration(
        (
            replace(QUICK, screening=replace(BY_AMD, mode=ScreeningMode.OFF)),
            replace(URGENT, screening=Screening(machine=MachineAction.IGNORE)),
            replace(FIRST, screening=Screening()),
        ),
        (AMY, BEN, EVE),
    ),
]

pick = st.integers(0, 10_000)
AN_AGENT_GIVES = [
    *("hold", "resume", "give", "give", "answer", "other", "other", "agent", "customer"),
    *("start", "look", "time", "next"),
]
AN_AGENT_DOES = ["enter", "end", "leave", "refuse", "look", "time", "lose", "regain"]


def _dials(effect: Effect) -> bool:
    return isinstance(effect, DialCustomer | RingAgent)


class Disorder(RuleBasedStateMachine):
    """Rules are what may happen; a call that goes on is what mostly does, so that calls get far."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World((QUICK, URGENT, FIRST), (AMY, BEN, EVE))
        self.world.results.clear()
        self.requests = 0
        self.calls = 0
        self.halves = 0
        self.unknown: list[CallerEntered] = []

    @initialize(
        ready=st.sets(st.sampled_from(["amy", "ben", "eve"])),
        waiting=st.integers(0, 4),
        letting_go=st.sampled_from([None, *ResultKind]),
    )
    def a_day_begins(self, ready: set[str], waiting: int, letting_go: ResultKind | None) -> None:
        if letting_go is not None:
            self.world.results |= {Release: letting_go, Farewell: letting_go}
        for agent in sorted(ready):
            self.world.tell(PresenceRequested(AgentId(agent), Presence.READY))
        for phone in range(waiting):
            self.world.tell(self._request(phone, ("billing", "first", "sales", "first")[phone]))

    # ---- what mostly happens

    @rule(phone=st.integers(0, 5), service=st.sampled_from(["billing", "first", "sales", "first", NOBODY]))
    def somebody_asks(self, phone: int, service: str) -> None:
        self.world.tell(self._request(phone, service))

    @rule(
        phone=st.integers(0, 5),
        dialled=st.sampled_from(["1", "1", "1", "2", "9"]),
        shown=st.sampled_from([True, True, True, False]),
    )
    def somebody_rings_in(self, phone: int, dialled: str, *, shown: bool) -> None:
        self.world.tell(self._call(phone, dialled, shown=shown))

    @rule(
        which=pick, steps=st.integers(1, 5), keys=st.sampled_from(KEYS), connect=st.sampled_from([OK, REFUSED, UNKNOWN])
    )
    def a_caller_goes_on(self, which: int, steps: int, keys: str, connect: ResultKind) -> None:
        flows = list(self.world.dispatcher.callers())
        for _step in range(steps):
            if flows and self.world.dispatcher.is_live(flows[which % len(flows)].inbound.id):
                event = next_of_caller(self.world, flows[which % len(flows)], keys=keys, connect=connect)
                if event is not None:
                    self.world.tell(event)

    @rule(which=pick, then=st.lists(st.sampled_from(CALLERS_DO), min_size=1, max_size=8))
    def a_caller_is_asked(self, which: int, then: list[str]) -> None:
        flows = list(self.world.dispatcher.callers())
        for n, what in enumerate(then):
            if flows and self.world.dispatcher.is_live(flows[which % len(flows)].inbound.id):
                caller_does(self.world, flows[which % len(flows)], what, which + n)

    @rule(which=pick, what=pick)
    def something_odd_is_told_of_a_caller(self, which: int, what: int) -> None:
        flows = list(self.world.dispatcher.callers())
        if flows:
            events = odd_news_of_caller(self.world, flows[which % len(flows)])
            self.world.tell(events[what % len(events)])

    @rule(
        agent=st.sampled_from(["amy", "ben", "eve"]),
        presence=st.sampled_from([Presence.READY, Presence.READY, *Presence]),
    )
    def an_agent_changes(self, agent: str, presence: Presence) -> None:
        self.world.tell(PresenceRequested(AgentId(agent), presence))

    @rule(
        which=pick,
        steps=st.integers(1, 6),
        keys=st.sampled_from("11111239"),
        connect=st.sampled_from([OK, OK, REFUSED, UNKNOWN]),
    )
    def a_call_goes_on(self, which: int, steps: int, keys: str, connect: ResultKind) -> None:
        flows = list(self.world.dispatcher.live())
        for _step in range(steps):
            if flows and self.world.dispatcher.is_live(flows[which % len(flows)].attempt.id):
                self.world.tell(next_of(self.world, flows[which % len(flows)], keys=keys, connect=connect))

    @rule(seconds=st.sampled_from([0.5, 2.0, 11.0, 15.0, 45.0, 130.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    # ---- what may happen too

    @rule(which=pick, what=pick)
    def something_odd_is_told_of_a_call(self, which: int, what: int) -> None:
        flows = list(self.world.dispatcher.live())
        if flows:
            events = odd_news_of(self.world, flows[which % len(flows)])
            self.world.tell(events[what % len(events)])

    @rule(
        which=pick,
        leave=st.sampled_from([[], ["customer"], ["agent"], ["agent", "customer"], ["customer", "agent"]]),
        then=st.lists(st.sampled_from(["connect", "connect", "look", "start", "time"]), max_size=4),
        connect=st.sampled_from(ResultKind),
    )
    def two_are_being_connected(self, which: int, leave: list[str], then: list[str], connect: ResultKind) -> None:
        """The moments that decide whether two people have met, in any order."""
        flows = list(self.world.dispatcher.calls())
        if not flows:
            return
        call = flows[which % len(flows)].call.id
        for _step in range(6):
            flow = self._call_of(call)
            if flow is not None and flow.phase not in (Phase.BRIDGING, Phase.CONNECTED, Phase.CLOSING):
                event = self._next_of(flow)
                if event is not None:
                    self.world.tell(event)
        for n, what in enumerate([*leave, *then]):
            flow = self._call_of(call)
            if flow is not None:
                self._happens(flow, what, which + n, connect)

    @rule(
        which=pick,
        steps=st.integers(0, 2),
        then=st.lists(st.sampled_from(AN_AGENT_DOES), max_size=4),
    )
    def an_agent_is_rung_first(self, which: int, steps: int, then: list[str]) -> None:
        """The moments before the customer has answered, in any order."""
        live = self.world.dispatcher.live()
        flows = [flow for flow in live if flow.attempt.agent_legs > 0 and flow.attempt.answered_at is None]
        if not flows:
            return
        attempt = flows[which % len(flows)].attempt.id
        for n, what in enumerate([*["enter"] * steps, *then]):
            flow = self._flow_of(attempt)
            if flow is not None:
                self._an_agent_does(flow, what, which + n)

    @rule(which=pick, then=st.lists(st.sampled_from(ANSWERERS_DO), min_size=2, max_size=8), announced=st.booleans())
    def somebody_or_something_answers(self, which: int, then: list[str], *, announced: bool) -> None:
        """What is heard of whoever answered, and what they hear, in any order."""
        asking = (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING)
        flows = [flow for flow in self.world.dispatcher.live() if flow.phase in asking]
        if not flows:
            return
        attempt = flows[which % len(flows)].attempt.id
        for what in ["enter", *["hear"] * announced, *then]:
            flow = self._flow_of(attempt)
            if flow is not None:
                answerer_does(self.world, flow, what)

    @rule(
        which=pick,
        then=st.lists(st.sampled_from(AN_AGENT_GIVES), min_size=1, max_size=8),
    )
    def an_agent_gives_a_customer_away(self, which: int, then: list[str]) -> None:
        """Two talk, and one of them holds, transfers or leaves, in any order."""
        flows = list(self.world.dispatcher.calls())
        if not flows:
            return
        call = flows[which % len(flows)].call.id
        for _step in range(7):
            flow = self._call_of(call)
            if flow is not None and flow.phase not in (Phase.CONNECTED, Phase.CLOSING):
                event = self._next_of(flow)
                if event is not None:
                    self.world.tell(event)
        for n, what in enumerate(then):
            flow = self._call_of(call)
            if flow is not None:
                self._gives(flow, what, which + n)

    def _gives(self, flow: CallFlow | CallerFlow, what: str, which: int) -> None:
        world, leg = self.world, flow.call.agent_leg
        half = flow.call.given_to or LegId(f"pbx-9.{self.halves}")
        match what:
            case "hold" | "resume":
                world.tell(LegHeld(leg) if what == "hold" else LegUnheld(leg))
            case "give" if flow.call.agent_legs and flow.call.given_to is None:
                self.halves += 1
                world.tell(LegReplaced(leg, LegId(f"pbx-9.{self.halves}")))
            case "answer":
                world.tell(LegAnswered(half))
            case "other":
                world.tell(LegEnded(half))
            case "look" if flow.call.talks and flow.call.bridge in world.bridges:
                self._looks_at_a_conversation(flow, half, which)
            case "next":
                event = self._next_of(flow)
                if event is not None:
                    world.tell(event)
            case _:
                self._happens(flow, what, which, OK)

    def _looks_at_a_conversation(self, flow: CallFlow | CallerFlow, half: LegId, which: int) -> None:
        """The customer is there; so is the agent, or whoever they gave the customer to, or nobody."""
        world, call = self.world, flow.call
        there = LegSeen.GONE if call.agent_leg in world.meetings.unseen else LegSeen.ENTERED
        if call.customer_leg in world.meetings.ended:
            return
        looks = [
            AttemptSeen(call.id, LegSeen.ENTERED, there, bridged=True),
            AttemptSeen(call.id, LegSeen.ENTERED, there, bridged=True, other=half, other_up=which % 2 == 0),
            AttemptSeen(call.id, LegSeen.ENTERED, there, bridged=True, apart=there is LegSeen.ENTERED),
            AttemptSeen(call.id, LegSeen.ENTERED, LegSeen.GONE, bridged=True),
        ]
        world.tell(looks[which % len(looks)])

    def _an_agent_does(self, flow: CallFlow, what: str, which: int) -> None:
        world, leg = self.world, flow.attempt.agent_leg
        match what:
            case "enter":
                world.tell(LegEntered(leg))
            case "end":
                world.tell(LegEnded(leg, 16))
            case "leave" if flow.agent is not None:
                world.tell(PresenceRequested(flow.agent, Presence.NOT_READY))
            case "refuse":
                for ring in world.done(RingAgent, flow.attempt.id)[-1:]:
                    world.tell(EffectEnded(ring, list(ResultKind)[which % 3]))
            case "look":
                looks = looks_at(world, flow.attempt)
                world.tell(looks[which % len(looks)])
            case "time":
                world.pass_time(BILLING.agent_ring_seconds)
            case "lose":
                world.lose_telephony()
            case "regain":
                world.regain_telephony()

    def _flow_of(self, attempt: AttemptId) -> CallFlow | None:
        return next((flow for flow in self.world.dispatcher.live() if flow.attempt.id == attempt), None)

    def _call_of(self, call: AttemptId) -> CallFlow | CallerFlow | None:
        return next((flow for flow in self.world.dispatcher.calls() if flow.call.id == call), None)

    def _next_of(self, flow: CallFlow | CallerFlow) -> Event | None:
        return next_of_caller(self.world, flow) if isinstance(flow, CallerFlow) else next_of(self.world, flow)

    def _happens(self, flow: CallFlow | CallerFlow, what: str, which: int, connect: ResultKind) -> None:
        world = self.world
        match what:
            case "customer" if flow.call.customer_leg in world.posted:
                world.tell(LegEnded(flow.call.customer_leg, 16))
            case "agent":
                world.tell(LegEnded(flow.call.agent_leg, 16))
            case "look":
                looks = looks_at(world, flow.call)
                world.tell(looks[which % len(looks)])
            case "connect":
                for effect in world.done(Connect, flow.call.id)[-1:]:
                    if connect in results_of(world, effect):
                        world.tell(EffectEnded(effect, connect))
            case "start":
                world.restart()
            case "time":
                world.pass_time(11.0)

    @rule(what=pick)
    def something_odd_is_told(self, what: int) -> None:
        events = foreign_news(self.world)
        self.world.tell(events[what % len(events)])

    @rule(document=st.sampled_from(DOCUMENTS))
    def a_configuration_is_applied(self, document: ConfigurationApplied) -> None:
        self.world.tell(document)

    # ---- what happens to the engine and to Asterisk

    @rule(
        which=pick,
        restarted=st.booleans(),
        seconds=st.sampled_from([0.0, 1.0, 70.0]),
        told_between=st.booleans(),
        dials_end=st.none() | st.sampled_from(ResultKind),
    )
    def it_cannot_hear_and_recovers(
        self, which: int, *, restarted: bool, seconds: float, told_between: bool, dials_end: ResultKind | None
    ) -> None:
        if restarted:
            self.world.restart()
        self.world.lose_telephony()
        for live in list(self.world.dispatcher.live()):
            dials = [each for each in self.world.effects if each.attempt == live.attempt.id and _dials(each)]
            if dials and dials_end is not None:
                self.world.tell(EffectEnded(dials[-1], dials_end))
        self.world.pass_time(seconds)
        for n, flow in enumerate(list(self.world.dispatcher.calls())):
            if told_between:
                events = self._odd_news_of(flow)
                self.world.tell(events[(which + n) % len(events)])
            if self.world.dispatcher.is_live(flow.call.id):
                looks = looks_at(self.world, flow.call)
                self.world.tell(looks[(which + n) % len(looks)])
        self._take_unknown_callers()
        self.world.regain_telephony()

    def _odd_news_of(self, flow: CallFlow | CallerFlow) -> Sequence[Event]:
        if isinstance(flow, CallerFlow):
            return odd_news_of_caller(self.world, flow)
        return odd_news_of(self.world, flow)

    def _take_unknown_callers(self) -> None:
        """As a recovery does, when it finds callers whom no journal knows."""
        unknown, self.unknown = self.unknown, []
        for event in unknown:
            if event.leg not in self.world.meetings.ended:
                self.world.tell(event)

    @rule(
        which=pick,
        what=st.sampled_from(["start", "before", "after", "after", "lose", "regain", "regain", "stop"]),
        of_a_caller=st.booleans(),
        keys=st.sampled_from("1139"),
        connect=st.sampled_from(ResultKind),
    )
    def it_suffers(self, which: int, what: str, keys: str, connect: ResultKind, *, of_a_caller: bool) -> None:
        world, flows = self.world, list(self.world.dispatcher.live())
        match what:
            case "start":
                world.restart()
            case "before" | "after":
                event: Event = self._request(which % 5, "billing")
                if of_a_caller:
                    callers = list(world.dispatcher.callers())
                    caller = callers[which % len(callers)] if callers else None
                    of_caller = next_of_caller(world, caller, keys=keys, connect=connect) if caller else None
                    event = of_caller or self._call(which % 5, "1", shown=which % 4 > 0)
                    if isinstance(event, CallerEntered) and what == "before":
                        self.unknown.append(event)
                elif flows:
                    event = next_of(world, flows[which % len(flows)], keys=keys, connect=connect)
                (world.fail_to_commit if what == "before" else world.die_after_commit)(event)
            case "lose":
                world.lose_telephony()
            case "regain":
                world.regain_telephony()
            case "stop":
                world.stop()

    # ---- what must be true in the end

    def teardown(self) -> None:
        self._told_again_decides_the_same()
        self._left_alone_everything_ends()

    def _told_again_decides_the_same(self) -> None:
        fresh = Dispatcher(self.world.started_from)
        for event, now, decision in self.world.told:
            assert fresh.handle(event, now) == decision

    def _left_alone_everything_ends(self) -> None:
        """Every Connect ends at last, late; Asterisk's own limit ends who may be talking; timers end all else."""
        world = self.world
        for flow in list(world.dispatcher.calls()):
            if not world.telephony or flow.call.id in world.unlooked:
                looks = looks_at(world, flow.call)
                world.tell(looks[self.requests % len(looks)])
        self._take_unknown_callers()
        world.regain_telephony()
        for _moment in range(2000):
            for flow in list(world.dispatcher.calls()):
                for connect in world.done(Connect, flow.call.id)[-1:]:
                    if world.meetings.at(connect.bridge) is Meeting.UNDER_WAY:
                        world.tell(EffectEnded(connect, list(ResultKind)[self.requests % 3]))
                if flow.phase in (Phase.CONNECTED, Phase.BRIDGING):
                    world.tell(LegEnded(flow.call.customer_leg))
            if not world.journal.timers:
                break
            world.pass_time(max(0.0, min(timer.due_at for timer in world.journal.timers.values()) - world.now))
        open_ones = [each for each in world.journal.callbacks.values() if each.open]
        assert open_ones == [], "left alone, and never ended"
        assert list(world.dispatcher.calls()) == []
        assert all(status.work is None for status in world.journal.agents.values())
        assert len(world.dispatcher.line) == 0

    def _call(self, phone: int, dialled: str, *, shown: bool) -> CallerEntered:
        self.calls += 1
        return enters(self.calls, dialled, f"+120255501{phone:02}" if shown else None)

    def _request(self, phone: int, service: str) -> CallbackRequested:
        self.requests += 1
        request = Request(ServiceId(service), f"+120255501{phone:02}", "en", RequestChannel.WEB)
        return CallbackRequested(CallbackId(f"c{self.requests:03}"), request, "hash")


SEARCH = os.environ.get("RINGBACK_DISORDER")
"""How many days of disorder to look through at random; left out, the same 600 each time."""

TestDisorder = Disorder.TestCase
TestDisorder.settings = settings(
    max_examples=int(SEARCH or 600),
    derandomize=SEARCH is None,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
