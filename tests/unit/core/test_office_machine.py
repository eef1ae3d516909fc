"""Appointments, previews, permission, pace and work from outside against disorder: whatever is asked, at any time.

After every event the World checks the invariants, and a second engine that starts from the journal has to decide the
same. At the end everything is left alone, and every callback must reach an end.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.core.callphase import Phase
from engine.core.configuration import Agent, AttemptPolicy, Inbound, Limits, Pace, Service, SlotPolicy, Widening
from engine.core.effects import Connect
from engine.core.events import (
    CallbackRequested,
    CancelRequested,
    EffectEnded,
    InteractionEndRequested,
    InteractionRequested,
    LegEnded,
    MoveRequested,
    NewNumber,
    PauseRequested,
    PhoneChanged,
    PhonesSeen,
    PhonesUnknown,
    PresenceRequested,
    PreviewRescheduled,
    ResumeRequested,
    SlotCapacityRequested,
    SuppressRequested,
    TimerFired,
    UnsuppressRequested,
    WorkAccepted,
    WorkCompleted,
    WorkRejected,
)
from engine.core.expressions import parse
from engine.core.hours import Calendar, CalendarId, Interval
from engine.core.permission import CallingWindow
from engine.core.records import Request
from engine.core.terms import (
    VOICE,
    AgentId,
    CallbackId,
    ConnectMode,
    InteractionId,
    PhoneState,
    Presence,
    Reason,
    RequestChannel,
    ServiceId,
    WorkId,
)
from engine.core.values import replace
from tests.unit.core.caller_news import CALLERS_DO, KEYS, caller_does, enters, next_of_caller
from tests.unit.core.meetings import Meeting
from tests.unit.core.news import ANSWERERS_DO, answerer_does, looks_at, next_of, results_of
from tests.unit.core.office import CHAT, Doubled
from tests.unit.core.world import START, configuration

ALWAYS = Calendar(CalendarId("always"), "UTC", tuple((Interval(0, 86400),) for _day in range(7)))
BY_DAY = Calendar(CalendarId("by-day"), "UTC", tuple((Interval(6 * 3600, 23 * 3600),) for _day in range(7)))
BRIEFLY = replace(BY_DAY, weekly=((Interval(81_000, 81_300), Interval(82_200, 82_800)),) * 7)
"""The same one, open from 22:30 to 22:35 and from 22:50 to 23:00; a story begins at 22:13."""
PLACES = SlotPolicy(minutes=5, capacity=2, days_ahead=1, min_notice_seconds=60)

AMY = Agent(AgentId("amy"), "Amy", "PJSIP/agent-1001", {"a": 5}, parse("voice <= 1 and chat <= 2"))
BEN = Agent(AgentId("ben"), "Ben", "PJSIP/agent-1002", {"a": 2, "b": 3}, parse("voice + chat <= 1"))
EVE = Agent(AgentId("eve"), "Eve", "PJSIP/agent-1003", {"b": 5})

RESERVED = Service(
    ServiceId("reserved"),
    "Reserved",
    "Example Ltd",
    parse("a >= 3"),
    expansion=(Widening(60, parse("a")), Widening(200, parse("a or b"))),
    calendar=ALWAYS.id,
    slots=PLACES,
    attempts=AttemptPolicy(max=2, interval_seconds=90),
    pace=Pace(max_dials=1),
    wrap_up_seconds=20,
    rona_return_seconds=30,
    life_seconds=900,
    inbound=Inbound(("1",), news_seconds=30, wait_limit_seconds=240),
    subjects={"hard": parse("a >= 5 or b >= 5")},
)
PREVIEWED = replace(
    RESERVED,
    id=ServiceId("previewed"),
    connect=ConnectMode.PREVIEW,
    skill=parse("a or b"),
    preview_seconds=20,
    reject_exclusion_seconds=45,
    expansion=(Widening(100, parse("b")),),
    pace=Pace(calls_per_second=0.1),
    rona_return_seconds=None,
    wrap_up_seconds=0,
    inbound=Inbound(("2",), callback_key="9", wait_limit_seconds=60, priority=1),
)
WINDOWED = replace(
    PREVIEWED,
    id=ServiceId("windowed"),
    connect=ConnectMode.RESERVE,
    calling_window=CallingWindow(22 * 3600 + 15 * 60, 22 * 3600 + 25 * 60),
    pace=Pace(calls_per_second=1),
    priority=1,
    inbound=Inbound(("3",), news_seconds=20),
)
SERVICES = (RESERVED, PREVIEWED, WINDOWED)
LIMITS = Limits(max_open_per_number=2, per_number_per_day=6, min_gap_seconds=30, attempts_per_number_per_day=3)
EVERY_HOUR = (ALWAYS, BY_DAY)

DOCUMENTS = [
    configuration(SERVICES, (AMY, BEN, EVE), LIMITS, EVERY_HOUR),
    configuration(
        (
            replace(RESERVED, connect=ConnectMode.AGENT_FIRST, pace=Pace(2, 1), expansion=(Widening(30, parse("b")),)),
            replace(PREVIEWED, pace=Pace(1), calendar=None, slots=None),
            replace(WINDOWED, connect=ConnectMode.AGENT_FIRST),
        ),
        (AMY, replace(BEN, capacity=None), EVE),
        replace(LIMITS, min_gap_seconds=0),
        EVERY_HOUR,
    ),
    configuration(
        (
            replace(RESERVED, connect=ConnectMode.PREVIEW, expansion=(), calendar=BY_DAY.id),
            replace(PREVIEWED, connect=ConnectMode.RESERVE, life_seconds=200),
            replace(WINDOWED, connect=ConnectMode.PREVIEW, pace=Pace(calls_per_second=0.25)),
        ),
        (AMY, EVE),
        replace(LIMITS, min_gap_seconds=200, max_open_per_number=3),
        EVERY_HOUR,
    ),
    configuration((RESERVED,), (AMY, BEN, EVE), LIMITS, EVERY_HOUR),
    configuration(
        (
            replace(RESERVED, calendar=BY_DAY.id, life_seconds=3600),
            replace(PREVIEWED, calendar=BY_DAY.id, calling_window=WINDOWED.calling_window),
            replace(WINDOWED, calendar=BY_DAY.id, connect=ConnectMode.AGENT_FIRST),
        ),
        (AMY, BEN, EVE),
        LIMITS,
        (ALWAYS, BRIEFLY),
    ),
]

pick = st.integers(0, 10_000)
names = st.sampled_from(["amy", "ben", "eve"])
endpoints = st.sampled_from(["PJSIP/agent-1001", "PJSIP/agent-1002", "PJSIP/agent-1003"])
phone_states = st.sampled_from(PhoneState)
services = st.sampled_from([service.id for service in SERVICES])
phones = st.integers(0, 3).map(lambda n: f"+120255501{n:02}")
slots = st.integers(0, 5).map(lambda n: START // 300 * 300 + 300 * n)
zones = st.sampled_from([(), ("UTC",), ("America/New_York",), ("UTC", "Africa/Abidjan")])


class Office(RuleBasedStateMachine):
    """Rules are what may be asked, and what mostly happens to calls."""

    def __init__(self) -> None:
        super().__init__()
        node = Pace(max_dials=2, calls_per_second=1)
        self.world = Doubled(SERVICES, (AMY, BEN, EVE), LIMITS, EVERY_HOUR, node)
        self.asked = 0

    @initialize(ready=st.sets(names), waiting=st.integers(0, 4))
    def a_day_begins(self, ready: set[str], waiting: int) -> None:
        for agent in sorted(ready):
            self.world.tell(PresenceRequested(AgentId(agent), Presence.READY))
        for n in range(waiting):
            self.somebody_asks(SERVICES[n % 3].id, f"+120255502{n:02}", None, (), None, freely=False)

    # ---- customers

    @rule(
        service=services,
        phone=phones,
        when=st.none() | slots,
        where=zones,
        subject=st.sampled_from([None, "hard"]),
        freely=st.booleans(),
    )
    def somebody_asks(
        self,
        service: ServiceId,
        phone: str,
        when: float | None,
        where: tuple[str, ...],
        subject: str | None,
        *,
        freely: bool,
    ) -> None:
        self.asked += 1
        request = Request(service, phone, "en", RequestChannel.WEB, subject=subject, zones=where)
        free = freely and when is not None
        self.world.tell(CallbackRequested(CallbackId(f"c{self.asked:03}"), request, "hash", None, when, free))

    @rule(which=pick, when=st.none() | slots, now=st.booleans(), phone=st.none() | phones, where=zones)
    def somebody_moves(
        self,
        which: int,
        when: float | None,
        phone: str | None,
        where: tuple[str, ...],
        *,
        now: bool,
    ) -> None:
        number = None if phone is None else NewNumber(phone, where)
        if found := self._open_ones():
            event = MoveRequested(found[which % len(found)], when, now and when is None, number)
            self.world.tell(event)

    @rule(which=pick)
    def somebody_cancels(self, which: int) -> None:
        if found := self._open_ones():
            self.world.tell(CancelRequested(found[which % len(found)], Reason.BY_CUSTOMER))

    def _open_ones(self) -> list[CallbackId]:
        return [each.id for each in self.world.journal.callbacks.values() if each.open]

    # ---- agents

    @rule(agent=names, presence=st.sampled_from([Presence.READY, Presence.READY, Presence.READY, *Presence]))
    def an_agent_changes(self, agent: str, presence: Presence) -> None:
        self.world.tell(PresenceRequested(AgentId(agent), presence))

    @rule(which=pick, what=st.sampled_from(["accept", "accept", "accept", "reject", "put off", "complete"]), when=slots)
    def an_agent_answers(self, which: int, what: str, when: float) -> None:
        held = [(status.id, work) for status in self.world.journal.agents.values() for work in status.works]
        if not held:
            return
        agent, work = held[which % len(held)]
        match what:
            case "accept":
                self.world.tell(WorkAccepted(agent, work.id))
            case "reject":
                self.world.tell(WorkRejected(agent, work.id))
            case "put off":
                self.world.tell(PreviewRescheduled(agent, work.id, when))
            case "complete":
                self.world.tell(WorkCompleted(agent, work.id, work.callback, work.service, None))

    @rule(agent=names, which=pick)
    def somebody_else_answers(self, agent: str, which: int) -> None:
        held = [work.id for status in self.world.journal.agents.values() for work in status.works]
        work = held[which % len(held)] if held else WorkId("nothing")
        self.world.tell(WorkAccepted(AgentId(agent), work))

    @rule(endpoint=endpoints, state=phone_states)
    def a_phone_changes(self, endpoint: str, state: PhoneState) -> None:
        self.world.tell(PhoneChanged(endpoint, state))

    @rule(states=st.none() | st.dictionaries(endpoints, phone_states))
    def all_phones_are_looked_at_or_lost_from_view(self, states: dict[str, PhoneState] | None) -> None:
        self.world.tell(PhonesUnknown() if states is None else PhonesSeen(states))

    # ---- outside

    @rule(service=services, media=st.sampled_from([CHAT, CHAT, VOICE]), priority=st.sampled_from([None, 0, 2]))
    def work_comes_from_outside(self, service: ServiceId, media: str, priority: int | None) -> None:
        self.asked += 1
        self.world.tell(
            InteractionRequested(
                InteractionId(f"i{self.asked:03}"), CHAT if media == CHAT else VOICE, service, priority
            )
        )

    @rule(which=pick, completed=st.booleans())
    def work_ends_outside(self, which: int, *, completed: bool) -> None:
        if found := list(self.world.journal.interactions):
            self.world.tell(InteractionEndRequested(found[which % len(found)], completed))

    # ---- staff

    @rule(phone=phones, removed=st.booleans())
    def a_number_is_suppressed(self, phone: str, *, removed: bool) -> None:
        self.world.tell(UnsuppressRequested(phone) if removed else SuppressRequested(phone))

    @rule(service=services, resumed=st.booleans())
    def a_service_is_paused(self, service: ServiceId, *, resumed: bool) -> None:
        self.world.tell(ResumeRequested(service) if resumed else PauseRequested(service))

    @rule(service=services, start=slots, capacity=st.sampled_from([None, 0, 1, 3]))
    def a_slot_has_another_capacity(self, service: ServiceId, start: float, capacity: int | None) -> None:
        self.world.tell(SlotCapacityRequested(service, start, capacity))

    @rule(which=st.integers(0, len(DOCUMENTS) - 1))
    def a_configuration_is_applied(self, which: int) -> None:
        self.world.tell(DOCUMENTS[which])

    # ---- callers

    @rule(phone=st.none() | phones, dialled=st.sampled_from("1123"))
    def somebody_rings_in(self, phone: str | None, dialled: str) -> None:
        self.asked += 1
        self.world.tell(enters(self.asked, dialled, phone))

    @rule(which=pick, steps=st.integers(1, 5), keys=st.sampled_from(KEYS))
    def a_caller_goes_on(self, which: int, steps: int, keys: str) -> None:
        for _step in range(steps):
            flows = list(self.world.dispatcher.callers())
            event = next_of_caller(self.world, flows[which % len(flows)], keys=keys) if flows else None
            if event is not None:
                self.world.tell(event)

    @rule(which=pick, then=st.lists(st.sampled_from(CALLERS_DO), min_size=1, max_size=8))
    def a_caller_is_asked(self, which: int, then: list[str]) -> None:
        for n, what in enumerate(then):
            if flows := list(self.world.dispatcher.callers()):
                caller_does(self.world, flows[which % len(flows)], what, which + n)

    # ---- calls and time

    @rule(which=pick, steps=st.integers(1, 6), keys=st.sampled_from("11112239"))
    def a_call_goes_on(self, which: int, steps: int, keys: str) -> None:
        for _step in range(steps):
            flows = list(self.world.dispatcher.live())
            if flows:
                self.world.tell(next_of(self.world, flows[which % len(flows)], keys=keys))

    @rule(which=pick, then=st.lists(st.sampled_from(ANSWERERS_DO), min_size=2, max_size=6))
    def somebody_or_something_answers(self, which: int, then: list[str]) -> None:
        asking = (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING)
        for what in ["enter", "hear", *then]:
            flows = [flow for flow in self.world.dispatcher.live() if flow.phase in asking]
            if flows:
                answerer_does(self.world, flows[which % len(flows)], what)

    @rule(which=pick, cause=st.sampled_from([1, 16, 17, 34]))
    def a_call_ends(self, which: int, cause: int) -> None:
        flows = [flow for flow in self.world.dispatcher.live() if flow.attempt.customer_leg in self.world.posted]
        if flows:
            self.world.tell(LegEnded(flows[which % len(flows)].attempt.customer_leg, cause))

    @rule(seconds=st.sampled_from([0.5, 1.0, 7.0, 20.0, 45.0, 130.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(which=pick)
    def a_timer_fires_that_is_not_due(self, which: int) -> None:
        if found := sorted(self.world.journal.timers):
            timer = self.world.journal.timers[found[which % len(found)]]
            if timer.due_at > self.world.now:
                decision = self.world.tell(TimerFired(timer.owner, timer.name))
                assert decision.changes == []

    # ---- the engine

    @rule(accepted=st.booleans(), which=pick, seconds=st.sampled_from([0.0, 0.0, 20.0, 45.0]))
    def it_cannot_hear_for_a_while(self, which: int, seconds: float, *, accepted: bool) -> None:
        self.world.lose_telephony()
        self.world.pass_time(seconds)
        if accepted:
            self.an_agent_answers(which, "accept", START)
        self._hear_again()

    @rule(away=st.sampled_from([0.0, 0.0, 20.0, 130.0]))
    def it_starts_again(self, away: float) -> None:
        self.world.restart()
        self.world.lose_telephony()
        self.world.now += away
        self._hear_again()

    @rule(which=pick)
    def it_stops_and_starts_again(self, which: int) -> None:
        self.world.stop()
        self.an_agent_answers(which, "accept", START)
        self.world.pass_time(1.0)
        self.it_starts_again(0.0)

    @rule(which=pick, written=st.booleans())
    def it_dies_over_an_answer(self, which: int, *, written: bool) -> None:
        held = [(status.id, work.id) for status in self.world.journal.agents.values() for work in status.works]
        if held:
            event = WorkAccepted(*held[which % len(held)])
            (self.world.die_after_commit if written else self.world.fail_to_commit)(event)
            self.world.lose_telephony()
            self._hear_again()

    def _hear_again(self) -> None:
        for flow in list(self.world.dispatcher.calls()):
            looks = looks_at(self.world, flow.call)
            self.world.tell(looks[self.asked % len(looks)])
        self.world.pass_time(0)
        self.world.regain_telephony()

    # ---- what must be true in the end

    def teardown(self) -> None:
        world = self.world
        for service in SERVICES:
            world.tell(ResumeRequested(service.id))
        for _moment in range(3000):
            for flow in list(world.dispatcher.calls()):
                for connect in world.done(Connect, flow.call.id)[-1:]:
                    if world.meetings.at(connect.bridge) is Meeting.UNDER_WAY:
                        world.tell(EffectEnded(connect, results_of(world, connect)[0]))
                if flow.phase in (Phase.CONNECTED, Phase.BRIDGING):
                    world.tell(LegEnded(flow.call.customer_leg))
            for interaction in list(world.journal.interactions.values()):
                if not interaction.state.ended:
                    world.tell(InteractionEndRequested(interaction.id, completed=True))
            if not world.journal.timers:
                break
            world.pass_time(max(0.0, min(timer.due_at for timer in world.journal.timers.values()) - world.now))
        assert [each for each in world.journal.callbacks.values() if each.open] == [], "left alone, and never ended"
        assert list(world.dispatcher.calls()) == []
        assert all(status.works == () for status in world.journal.agents.values())
        assert len(world.dispatcher.line) == 0


SEARCH = os.environ.get("RINGBACK_DISORDER")
"""How many days of disorder to look through at random; left out, the same 300 each time."""

TestOffice = Office.TestCase
TestOffice.settings = settings(
    max_examples=int(SEARCH or 300),
    derandomize=SEARCH is None,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
