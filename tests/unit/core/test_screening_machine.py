"""Who answers, in disorder: talk, tones, keys, prompts that fail, starts and lost sockets at any moment of one call.

The World checks after every event that nobody is left who was not named to, that a key has the last word and that
nobody is kept for ever; see named.py. At the end everything is left alone and has to end.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.configuration import Confirmation, Screening, Service
from engine.core.dispatcher import Dispatcher
from engine.core.effects import CountAudio, Play
from engine.core.events import EffectEnded, LegEnded, LegEntered, LegSeen, ResultKind
from engine.core.terms import ConnectMode, MachineAction, ScreeningMode
from engine.core.values import replace
from tests.unit.core.news import AMD, ANSWERERS_DO, answerer_does, looks_at, odd_news_of
from tests.unit.core.world import AMY, BILLING, World

MODES = st.sampled_from([*[ScreeningMode.CONCURRENT] * 4, ScreeningMode.ASTERISK, ScreeningMode.OFF])
ACTIONS = st.sampled_from([*[MachineAction.HANG_UP] * 2, *[MachineAction.LEAVE_MESSAGE] * 2, MachineAction.IGNORE])
CONFIRMATIONS = st.sampled_from(
    [Confirmation(), Confirmation(wait_seconds=3, repeats=0), Confirmation(wait_seconds=20)]
)
RESULTS = st.sampled_from([*[ResultKind.OK] * 6, ResultKind.REFUSED, ResultKind.UNKNOWN, None])
SILENT_NETWORK = st.sampled_from([None, 0.0, 0.5, 1.0, 1.0, 1.0])
"""How much of the time audio comes, if that is ever told."""

A_MACHINE_IS_LEFT = ["wait", "wait", "hear", "hear", "hear half", "hear late", "greeting", "talk"]
A_MACHINE_IS_LEFT += ["1", "5", "5", "fax", "beep", "ear"]


class Answerer(RuleBasedStateMachine):
    """One customer's calls, one after another; most of what happens is done by whoever answers."""

    @initialize(mode=MODES, action=ACTIONS, confirmation=CONFIRMATIONS, agent_first=st.booleans(), share=SILENT_NETWORK)
    def a_call_begins(
        self,
        mode: ScreeningMode,
        action: MachineAction,
        confirmation: Confirmation,
        share: float | None,
        *,
        agent_first: bool,
    ) -> None:
        self.service: Service = replace(
            BILLING,
            screening=Screening(mode=mode, machine=action),
            confirmation=confirmation,
            connect=ConnectMode.AGENT_FIRST if agent_first else ConnectMode.RESERVE,
        )
        self.world = World((self.service,), (AMY,))
        world = self.world
        everything = world.audio
        if share is None or everything is None:
            world.audio = None
        else:
            world.audio = lambda leg: everything(leg) * share
        world.agent().ready()
        world.customer()
        self._until_answered()

    def _flow(self) -> CallFlow | None:
        return next(iter(self.world.dispatcher.live()), None)

    def _until_answered(self) -> None:
        """A call gets as far as the announcement, if it can; somebody new asks for one if there is none."""
        world = self.world
        if world.stopping:
            self.it_cannot_hear_for_a_while(LegSeen.ENTERED, restarted=True)
        if self._flow() is None and world.telephony:
            world.agent().ready()
            if self._flow() is None:
                world.customer()
        flow = self._flow()
        if flow is not None and flow.phase is Phase.RINGING_FIRST:
            world.agent().picks_up()
        if flow is not None and flow.phase in (Phase.DIALING, Phase.ANSWERED):
            answerer_does(world, flow, "enter")

    def _acts(self, acts: list[str]) -> None:
        self._until_answered()
        for what in acts:
            if (flow := self._flow()) is not None and flow.phase is Phase.ANNOUNCING:
                answerer_does(self.world, flow, what)

    # ---- what mostly happens

    @rule(acts=st.lists(st.sampled_from(ANSWERERS_DO), min_size=1, max_size=5))
    def the_answerer_acts(self, acts: list[str]) -> None:
        self._acts(acts)

    @rule(
        greeting=st.sampled_from(["speech", "speech", "greeting", "talk", "fax"]),
        goes_on=st.booleans(),
        beeps=st.booleans(),
        then=st.lists(st.sampled_from(A_MACHINE_IS_LEFT), max_size=7),
    )
    def a_machine_greets(self, greeting: str, then: list[str], *, goes_on: bool, beeps: bool) -> None:
        self._acts([greeting, *["beep"] * beeps, *["talk"] * goes_on, "hear", "wait", "wait", *then])

    @rule(seconds=st.sampled_from([0.3, 1.0, 4.0, 12.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    # ---- what may happen too

    @rule(what=st.integers(0, 10_000))
    def something_odd_is_told(self, what: int) -> None:
        if (flow := self._flow()) is not None and flow.phase is not Phase.CONNECTED:
            events = odd_news_of(self.world, flow)
            self.world.tell(events[what % len(events)])

    @rule(play=RESULTS, count=RESULTS)
    def asterisk_fails_or_mends(self, play: ResultKind | None, count: ResultKind | None) -> None:
        for kind, result in ((Play, play), (CountAudio, count)):
            self.world.results.pop(kind, None)
            if result is not None:
                self.world.results[kind] = result

    @rule(which=st.integers(0, 2))
    def what_is_said_fails_late(self, which: int) -> None:
        if (flow := self._flow()) is not None:
            for play in self.world.done(Play, flow.attempt.id)[-1:]:
                self.world.tell(EffectEnded(play, list(ResultKind)[which]))

    @rule(restarted=st.booleans(), seen=st.sampled_from([LegSeen.ENTERED, LegSeen.ENTERED, *LegSeen]))
    def it_cannot_hear_for_a_while(self, seen: LegSeen, *, restarted: bool) -> None:
        world = self.world
        if restarted:
            world.restart()
        world.lose_telephony()
        world.pass_time(1.0)
        for flow in list(world.dispatcher.live()):
            looks = [look for look in looks_at(world, flow.attempt) if look.customer is seen]
            world.tell((looks or looks_at(world, flow.attempt))[0])
        world.regain_telephony()

    @rule(status=st.sampled_from(AMD))
    def amd_has_heard_them(self, status: str) -> None:
        if (flow := self._flow()) is not None and flow.phase in (Phase.DIALING, Phase.ANSWERED):
            self.world.tell(LegEntered(flow.attempt.customer_leg, status))

    @rule()
    def the_engine_stops(self) -> None:
        self.world.stop()

    # ---- what must be true in the end

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        fresh = Dispatcher(world.started_from)
        for event, now, decision in world.told:
            assert fresh.handle(event, now) == decision
        for _moment in range(1000):
            for flow in list(world.dispatcher.live()):
                if flow.phase in (Phase.CONNECTED, Phase.BRIDGING):
                    world.tell(LegEnded(flow.attempt.customer_leg))
            if not world.journal.timers:
                break
            world.pass_time(max(0.0, min(timer.due_at for timer in world.journal.timers.values()) - world.now))
        assert [each for each in world.journal.callbacks.values() if each.open] == [], "left alone, and never ended"
        assert list(world.dispatcher.live()) == []


SEARCH = os.environ.get("RINGBACK_DISORDER")

TestAnswerer = Answerer.TestCase
TestAnswerer.settings = settings(
    max_examples=int(SEARCH or 1000),
    derandomize=SEARCH is None,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
