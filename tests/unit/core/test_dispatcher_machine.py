"""The dispatcher against disorder: any event at any time, early, late, doubled or nonsensical, with starts in between.

After every event the World checks the invariants. At the end everything is left alone, and every callback must reach an
end; and the whole history, told again to a fresh dispatcher, must give the same decisions.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.dispatcher import Dispatcher
from engine.core.effects import Connect, Farewell, Release
from engine.core.events import (
    AttemptSeen,
    CallbackRequested,
    CancelRequested,
    ConfigurationApplied,
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
from engine.core.expressions import parse
from engine.core.model import (
    Agent,
    AgentId,
    AttemptId,
    AttemptPolicy,
    CallbackId,
    LegId,
    Limits,
    Outcome,
    OutcomeRule,
    Presence,
    Reason,
    Request,
    RequestChannel,
    ServiceId,
)
from tests.unit.core.world import AMY, BEN, BILLING, SALES, World, configuration

EVE = Agent(AgentId("eve"), "Eve", "PJSIP/agent-1003", {"sales": 5})
QUICK = replace(
    BILLING,
    life_seconds=4000,
    hold_limit_seconds=40,
    wrap_up_seconds=20,
    rona_return_seconds=30,
    queue_cap=4,
    attempts=AttemptPolicy(max=3, interval_seconds=120, by_outcome={Outcome.BUSY: OutcomeRule(max=2)}),
)
URGENT = replace(SALES, life_seconds=2000, priority=3, wrap_up_seconds=0, attempts=AttemptPolicy(max=2))
SHORT = replace(QUICK, life_seconds=100, skill=parse("billing >= 4 or sales >= 4"), attempts=AttemptPolicy(max=1))

DOCUMENTS = [
    configuration((QUICK, URGENT), (AMY, BEN, EVE)),
    configuration((QUICK, URGENT), (AMY, EVE), Limits(max_open_per_number=1)),
    configuration((SHORT, URGENT), (AMY, BEN)),
    configuration((QUICK,), (replace(BEN, skills={"billing": 1}), EVE)),
    configuration((QUICK, replace(URGENT, skill=parse("not billing"))), ()),
]

NOBODY = "nobody"
TIMER_NAMES = [
    *("ring", "enter", "announcement", "confirm", "agent_ring", "hold", "whisper", "bridge", "music", "closing"),
    *("retry", "life", "wrap_up", "rona_return"),
]
pick = st.integers(0, 10_000)


class Disorder(RuleBasedStateMachine):
    """Rules are what may happen; a call that goes on is what mostly does, so that calls get far."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World((QUICK, URGENT), (AMY, BEN, EVE))
        self.world.results.clear()
        self.requests = 0

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
            self.world.tell(self._request(phone, "sales" if phone == 2 else "billing"))

    # ---- what mostly happens

    @rule(phone=st.integers(0, 5), service=st.sampled_from(["billing", "billing", "sales", NOBODY]))
    def somebody_asks(self, phone: int, service: str) -> None:
        self.world.tell(self._request(phone, service))

    @rule(
        agent=st.sampled_from(["amy", "ben", "eve"]),
        presence=st.sampled_from([Presence.READY, Presence.READY, *Presence]),
    )
    def an_agent_changes(self, agent: str, presence: Presence) -> None:
        self.world.tell(PresenceRequested(AgentId(agent), presence))

    @rule(which=pick, steps=st.integers(1, 6))
    def a_call_goes_on(self, which: int, steps: int) -> None:
        flows = list(self.world.dispatcher.live())
        for _step in range(steps):
            if flows and self.world.dispatcher.is_live(flows[which % len(flows)].attempt.id):
                self.world.tell(self._next_of(flows[which % len(flows)]))

    @rule(seconds=st.sampled_from([0.5, 2.0, 11.0, 15.0, 45.0, 130.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    # ---- what may happen too

    @rule(which=pick, what=pick)
    def something_odd_is_told_of_a_call(self, which: int, what: int) -> None:
        flows = list(self.world.dispatcher.live())
        if flows:
            events = self._odd_news_of(flows[which % len(flows)])
            self.world.tell(events[what % len(events)])

    @rule(what=pick)
    def something_odd_is_told(self, what: int) -> None:
        events = self._foreign_news()
        self.world.tell(events[what % len(events)])

    @rule(document=st.sampled_from(DOCUMENTS))
    def a_configuration_is_applied(self, document: ConfigurationApplied) -> None:
        self.world.tell(document)

    # ---- what happens to the engine

    @rule(which=pick, customer=st.sampled_from(LegSeen), agent=st.sampled_from(LegSeen))
    def it_starts_again(self, which: int, customer: LegSeen, agent: LegSeen) -> None:
        self.world.restart()
        self.world.lose_telephony()
        for attempt in list(self.world.journal.open_attempts()):
            seen = [customer, agent, LegSeen.ENTERED]
            self.world.see(attempt.id, seen[which % 3], seen[(which + 1) % 3])
        self.world.regain_telephony()

    @rule(which=pick, what=st.sampled_from(["start", "die", "lose", "regain", "regain", "stop"]))
    def it_suffers(self, which: int, what: str) -> None:
        flows = list(self.world.dispatcher.live())
        match what:
            case "start":
                self.world.restart()
            case "die":
                event = self._next_of(flows[which % len(flows)]) if flows else self._request(which % 5, "billing")
                self.world.fail_to_commit(event)
            case "lose":
                self.world.lose_telephony()
            case "regain":
                self.world.regain_telephony()
            case "stop":
                self.world.stop()

    # ---- what must be true in the end

    def teardown(self) -> None:
        self._told_again_decides_the_same()
        self._left_alone_everything_ends()

    def _told_again_decides_the_same(self) -> None:
        fresh = Dispatcher(self.world.started_from)
        for event, now, decision in self.world.told:
            assert fresh.handle(event, now) == decision

    def _left_alone_everything_ends(self) -> None:
        """Asterisk's own limit ends a conversation; timers end all else."""
        world = self.world
        for attempt in list(world.journal.open_attempts()):
            world.see(attempt.id, LegSeen.ENTERED, LegSeen.ENTERED)
        for _moment in range(2000):
            for flow in list(world.dispatcher.live()):
                if flow.phase is Phase.CONNECTED:
                    world.tell(LegEnded(flow.attempt.customer_leg))
            if not world.journal.timers:
                break
            world.pass_time(max(0.0, min(timer.due_at for timer in world.journal.timers.values()) - world.now))
        assert all(not callback.open for callback in world.journal.callbacks.values())
        assert list(world.dispatcher.live()) == []
        assert all(status.work is None for status in world.journal.agents.values())

    # ---- drawing

    def _request(self, phone: int, service: str) -> CallbackRequested:
        self.requests += 1
        request = Request(ServiceId(service), f"+120255501{phone:02}", "en", RequestChannel.WEB)
        return CallbackRequested(CallbackId(f"c{self.requests:03}"), request, "hash")

    def _odd_news_of(self, flow: CallFlow) -> list[Event]:
        """What may be told of a live call, in season or not."""
        attempt = flow.attempt
        customer, agent = attempt.customer_leg, attempt.agent_leg
        effects = [effect for effect in self.world.effects if effect.attempt == attempt.id]
        results = [EffectEnded(effect, result) for effect in effects[-4:] for result in ResultKind]
        return [
            *(LegEnded(customer, cause) for cause in (None, 1, 17)),
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
            *(AttemptSeen(attempt.id, customer_leg, LegSeen.ENTERED) for customer_leg in LegSeen),
            *(AttemptSeen(attempt.id, LegSeen.ENTERED, agent_leg) for agent_leg in (LegSeen.GONE, LegSeen.RINGING)),
            *(TimerFired(attempt.id, name) for name in TIMER_NAMES),
        ]

    def _foreign_news(self) -> list[Event]:
        """What may be told of anything else: ended attempts, timers out of turn, callbacks and legs of nobody."""
        journal = self.world.journal
        owners = [*journal.attempts, *journal.callbacks, *journal.agents, NOBODY]
        legs = [*sorted(self.world.posted), LegId(NOBODY)]
        return [
            *(CancelRequested(callback, Reason.BY_CUSTOMER) for callback in [*journal.callbacks, CallbackId(NOBODY)]),
            *(TimerFired(owner, name) for owner in owners[-6:] for name in ("retry", "life", "wrap_up", "rona_return")),
            *(kind(leg) for leg in legs[-6:] for kind in (LegRinging, LegAnswered, LegEntered, LegEnded)),
            *(KeyPressed(leg, "1") for leg in legs[-6:]),
            *(EffectEnded(effect, result) for effect in self.world.effects[-6:] for result in ResultKind),
            *(AttemptSeen(AttemptId(owner), LegSeen.ENTERED, LegSeen.ENTERED) for owner in owners[-3:]),
            PresenceRequested(AgentId(NOBODY), Presence.READY),
        ]

    def _next_of(self, flow: CallFlow) -> Event:
        """The natural next event of a call."""
        attempt = flow.attempt
        match flow.phase:
            case Phase.DIALING | Phase.ANSWERED:
                return LegEntered(attempt.customer_leg)
            case Phase.ANNOUNCING:
                return KeyPressed(attempt.customer_leg, "1")
            case Phase.CONFIRMED:
                return LegEntered(attempt.agent_leg)
            case Phase.WHISPERING:
                return PlayingFinished(attempt.agent_leg, "whisper")
            case Phase.BRIDGING:
                return EffectEnded(self.world.done(Connect, attempt.id)[-1], ResultKind.OK)
            case Phase.CONNECTED | Phase.CLOSING | Phase.ENDED:
                return LegEnded(attempt.customer_leg, 16)


TestDisorder = Disorder.TestCase
TestDisorder.settings = settings(
    max_examples=400,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
