"""Carries out a plan on a program: a load, and one kill after another.

A kill at which fewer than LEAST_LIVE customers were in a call does not count and is done again. The rig writes down
what it did and when; what came of it is the judge's to say.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from engine.lab import Lab
from engine.lab.errors import LabError
from engine.lab.witness import Side
from tests.live.cable import Cable, CableInThread
from tests.live.crash.crowd import Crowd
from tests.live.crash.evidence import Blow, Evidence, Outage
from tests.live.crash.load import Load
from tests.live.crash.plan import OF_THE_STORE, Fault, Kill, Plan, Step
from tests.live.crash.run import RigError, Run, Say, Subject
from tests.live.crash.store import FailingStore
from tests.live.crash.town import INTERVALS, LIFE_SECONDS
from tests.live.crash.written import read_database, still_open

LEAST_LIVE = 5
TRIES = 4
LOOK_SECONDS = 0.01
READY_LIMIT_SECONDS = 40.0
NOBODY_LET_GO_SECONDS = 1.5
"""A store that is back so soon is not down for long enough to let customers go."""
REFUSED = 1
"""The exit code of an engine that does not start because it cannot write."""
LIVE_LIMIT_SECONDS = 60.0
POINT_LIMIT_SECONDS = 40.0
LAST_CALL_SECONDS = 90.0
"""The longest that a call of a request whose life is over may still take."""


class Rig:
    """One run of a plan on a subject."""

    def __init__(
        self, plan: Plan, lab: Lab, subject: Subject, cable: CableInThread, say: Say, store: FailingStore
    ) -> None:
        self._plan = plan
        self._lab = lab
        self._subject = subject
        self._cable = cable
        self._say = say
        self._store = store
        self._spawned_at = 0.0
        self._armed = ""
        self._down = 0
        self._refused = 0
        self._kills: list[Blow] = []
        self._faults: list[Blow] = []
        self._outages: list[Outage] = []
        self._deaf_since: float | None = None
        self._lag = 0.0
        self._lag_before = 0.0
        self._unreached: list[str] = []
        self._thin = 0
        self._gave_up = ""

    def run(self, prepare: Callable[[], Crowd]) -> Run:
        """Prepare the subject, kill it as planned, wait for the end of all calls, and gather the evidence."""
        began = time.monotonic()
        self._deaf_since = time.time()
        self._spawn()
        self._until_ready()
        with prepare() as crowd:
            with crowd.load as load:
                try:
                    self._until_live()
                    for n, step in enumerate(self._plan.steps, 1):
                        self._take(n, step, load)
                except RigError as error:
                    self._gave_up = str(error)  # what was seen until now is judged all the same
            crowd.calm_down()
            self._store.end()
            if not self._subject.is_running():
                self._spawn()
            self._until_ready()
            self._until_over()
        written = read_database(self._subject.database)
        calls = self._lab.witness()
        evidence = Evidence(
            calls=[call for call in calls if call.side is Side.CUSTOMER],
            agents=[call for call in calls if call.side is Side.AGENT],
            callbacks=written.callbacks,
            attempts=written.attempts,
            interactions=written.interactions,
            rung_in=self._lab.rung_in(),
            inbound=written.inbound,
            inward=crowd.inward,
            suppressed=written.suppressed,
            classified=written.classified,
            asked=load.asked,
            said=crowd.said,
            offered=crowd.offered,
            announced=crowd.announced,
            connects=crowd.connects,
            capacity=crowd.capacity,
            intervals=INTERVALS,
            kills=self._kills,
            faults=self._faults,
            outages=tuple(self._outages),
        )
        return Run(
            self._plan,
            evidence,
            self._subject.log_file.read_text("utf-8", errors="replace"),
            time.monotonic() - began,
            self._unreached,
            self._thin,
            self._gave_up,
            self._down,
            self._refused,
        )

    # ---- one step ------------------------------------------------------------------------------------

    def _take(self, n: int, step: Step, load: Load) -> None:
        for n_try in range(TRIES):
            if step.kill is not Kill.INSTANT and self._live() <= LEAST_LIVE:
                self._have_calls_again()
            self._start(step)
            blow = self._strike(step, load, least=LEAST_LIVE + 2 * n_try if n_try else 0)
            self._cable_slow(0.0, 0.0)
            self._say(f"{n}/{len(self._plan.steps)} {step}: {blow.live} live")
            if blow.live >= LEAST_LIVE:
                self._kills.append(blow)
                return
            if step.fault in OF_THE_STORE and step.kill is Kill.POINT:
                step = replace(step, fault_seconds=min(step.fault_seconds, NOBODY_LET_GO_SECONDS))
            self._thin += 1
            self._faults.append(blow)  # it happened, it only does not count
        raise RigError(f"step {n} ({step}) found fewer than {LEAST_LIVE} live calls {TRIES} times")

    def _have_calls_again(self) -> None:
        """Run until enough customers are in a call; who dies early or at a point cannot wait for them."""
        if not self._subject.is_running():
            self._spawn()
        self._until_ready()
        self._until_live(LEAST_LIVE * 2)
        self._kills.append(self._death("for calls at the next kill", self._subject.kill))

    def _start(self, step: Step) -> None:
        """From the last death to a running engine, armed if the step says so."""
        if self._subject.is_running():
            if not step.armed:
                return
            self._death("restarted to arm a point", self._subject.kill)
        time.sleep(step.pause_seconds)
        self._spawn(step.armed)

    def _spawn(self, armed: str = "") -> None:
        self._armed, self._spawned_at = armed, time.time()
        self._subject.spawn(**({"RINGBACK_CRASH_AT": armed} if armed else {}))

    def _is_refused(self) -> bool:
        """Whether it has ended because it found a store that it cannot write; it is then started again."""
        if self._subject.is_running() or not self._store.has_failed_since(self._spawned_at):
            return False
        if self._subject.wait_until_ended() != REFUSED:
            return False
        with suppress(LabError):
            raise RigError(f"the engine at {self._subject.url} ended by itself; {self._words()}")
        self._refused += 1
        self._spawn(self._armed)
        return True

    def _strike(self, step: Step, load: Load, least: int) -> Blow:
        """Bring the engine's death about; what was live at it. It does not wait until fewer than `least` are."""
        if step.kill is Kill.EARLY:
            while self._is_dead_within(step.after_seconds):
                if not self._is_refused():
                    raise RigError(f"the engine ended by itself; {self._words()}")
            load.burst()
            return self._death(str(step.kill), self._subject.kill)
        if self._until_ready():
            self._suffer(step, load)
        if step.kill is Kill.POINT:
            if self._is_dead_within(POINT_LIMIT_SECONDS):
                return self._death(step.armed, lambda: None, step.point)
            self._unreached.append(step.armed)
            return self._death(f"{step.armed} was not reached", self._subject.kill)
        if step.fault in OF_THE_STORE:
            self._sit_out(step, least)
        else:
            self._until_live()
            self._is_dead_within(step.after_seconds)
        if not self._subject.is_running():
            raise RigError(f"the engine ended by itself; {self._words()}")
        load.burst()
        if step.fault is Fault.PBX_KILLED_TOO:
            return self._death_with_pbx(step.fault_seconds)
        return self._death(str(step.kill), self._subject.kill)

    def _death(self, what: str, kill: Callable[[], None], point: str = "") -> Blow:
        blow = Blow(time.time(), what, self._live(), point)
        kill()
        down_since = self._store.down_since
        if down_since is not None:
            self._down += 1
            blow = replace(blow, what=f"{what}, the store down for {blow.at - down_since:.1f} s")
        self._deaf_from(blow.at if down_since is None else down_since)
        self._store.forget()
        return blow

    def _death_with_pbx(self, away_seconds: float) -> Blow:
        blow = Blow(time.time(), "engine and PBX", self._live(), of_pbx=True)
        self._lab.stop_pbx()
        self._subject.kill()
        self._deaf_from(blow.at)
        self._network_notices()
        time.sleep(away_seconds)
        self._lab.start_pbx()
        return blow

    # ---- faults --------------------------------------------------------------------------------------

    def _suffer(self, step: Step, load: Load) -> None:
        match step.fault:
            case Fault.EVENTS_CUT:
                self._cut(step.fault, Cable.cut_events)
            case Fault.ALL_CUT:
                self._cut(step.fault, Cable.cut)
            case Fault.EVENTS_SLOW:
                self._cable_slow(step.fault_seconds, 0.0)
                self._fault(step.fault)
            case Fault.ANSWERS_SLOW:
                self._cable_slow(0.0, step.fault_seconds)
                self._fault(step.fault)
            case Fault.PBX_KILLED:
                self._until_live()
                self._fault(step.fault)
                self._deaf_from(time.time())
                self._lab.stop_pbx()
                self._network_notices()
                time.sleep(step.fault_seconds)
                self._lab.start_pbx()
                self._until_ready(after_a_loss=True)
            case Fault.STORE_LOCKED | Fault.DISK_FULL:
                self._until_live()
                self._fault(step.fault)
                self._store.begin(step.fault, step.fault_seconds, load.burst)
            case _:
                pass

    def _sit_out(self, step: Step, least: int) -> None:
        """From the beginning of a fault of the store to the kill: within it, or when calls go on after it."""
        began = time.monotonic()
        if step.after_seconds > step.fault_seconds:
            self._store.is_over_within(step.fault_seconds + 1.0)
            self._until_ready(after_a_loss=True)
            self._until_live()
            self._is_dead_within(step.after_seconds - step.fault_seconds)
            return
        while time.monotonic() < began + step.after_seconds and self._live() > least:
            if self._is_dead_within(0.05):
                return

    def _cut(self, fault: Fault, action: Callable[[Cable], None]) -> None:
        self._fault(fault)
        self._deaf_from(time.time())
        self._cable.do(action)
        self._until_ready(after_a_loss=True)

    def _fault(self, fault: Fault) -> None:
        self._faults.append(Blow(time.time(), str(fault), self._live(), of_pbx=fault is Fault.PBX_KILLED))

    def _network_notices(self) -> None:
        """A carrier ends the calls of a PBX that is gone; over UDP our simulated one would not see it for minutes."""
        self._lab.console("channel request hangup all", side="network")

    def _cable_slow(self, events: float, answers: float) -> None:
        def slow(cable: Cable) -> None:
            cable.event_delay_seconds, cable.answer_delay_seconds = events, answers

        self._cable.do(slow)
        self._lag = events

    # ---- waiting -------------------------------------------------------------------------------------

    def _live(self) -> int:
        """Customers whose phone rings or who are in a call."""
        return sum(call.ended_at is None for call in self._lab.witness() if call.side is Side.CUSTOMER)

    def _until_live(self, wanted: int = LEAST_LIVE + 1) -> None:
        deadline = time.monotonic() + LIVE_LIMIT_SECONDS
        while self._live() < wanted and self._subject.is_running():
            if time.monotonic() > deadline:
                raise RigError(f"fewer than {wanted} live calls for {LIVE_LIMIT_SECONDS:.0f} s; {self._words()}")
            time.sleep(0.1)

    def _is_dead_within(self, seconds: float) -> bool:
        return self._subject.has_ended_within(seconds)

    def _until_ready(self, *, after_a_loss: bool = False) -> bool:
        """Wait until the engine hears the telephone. False: it came to its armed point before."""
        deadline = time.monotonic() + READY_LIMIT_SECONDS
        unready_by = time.monotonic() + (1.0 if after_a_loss else 0.0)
        while time.monotonic() < unready_by and self._subject.is_ready():
            time.sleep(LOOK_SECONDS)
        while not self._subject.is_ready():
            if not self._subject.is_running() and not self._is_refused():
                return False
            if time.monotonic() > deadline:
                raise RigError(f"the engine is not ready after {READY_LIMIT_SECONDS:.0f} s; {self._words()}")
            time.sleep(LOOK_SECONDS)
        self._hears_again()
        return True

    def _until_over(self) -> None:
        """Everything that was accepted has ended, and nobody is in a call; bounded, the judge sees what is left."""
        deadline = time.monotonic() + LIFE_SECONDS + LAST_CALL_SECONDS
        while time.monotonic() < deadline:
            try:
                left = still_open(self._subject.database)
            except sqlite3.Error:  # it is being written to
                left = 1
            if left == 0 and self._live() == 0:
                return
            time.sleep(0.2)

    def _deaf_from(self, moment: float) -> None:
        if self._deaf_since is None:
            self._deaf_since, self._lag_before = moment, self._lag

    def _hears_again(self) -> None:
        if self._deaf_since is not None:
            self._outages.append(Outage(self._deaf_since, time.time(), self._lag_before))
            self._deaf_since = None

    def _words(self) -> str:
        lines = self._subject.log_file.read_text("utf-8", errors="replace").splitlines()
        return "its last words: " + " | ".join(lines[-5:])
