"""One design in virtual time: the engine's dispatcher serves, tells waits, and what came of them is added up.

Those who wait are work of another medium than calls, as it takes the fewest events; the line, the agents and the waits
are the same. Only who had to wait counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from engine.core.changes import InteractionChanged
from engine.core.decision import Decision, Snapshot
from engine.core.events import Event, InteractionEndRequested, InteractionRequested, PresenceRequested, WorkAccepted
from engine.core.records import Interaction
from engine.core.terms import AgentId, InteractionId, InteractionState, Media, Presence, ServiceId, WorkId
from engine.simulation.virtual_engine import VirtualEngine
from tests.bench.wait_designs import SHIFT, Design

START = 1_700_000_000.0
EMAIL = Media("email")
WARM_UP = 0.05
"""So much of what is measured comes before and does not count."""


@dataclass(slots=True)
class Squares:
    """Sums over those who had to wait. Predictors by name; `theory`: what queue-length prediction errs by, squared."""

    count: int = 0
    waited: float = 0.0
    errors: dict[str, float] = field(default_factory=dict)
    theory: float = 0.0
    within_p50: int = 0
    within_p80: int = 0

    def relative(self, name: str) -> float:
        """Mean squared error over the squared mean wait."""
        return self.errors[name] / self.count / (self.waited / self.count) ** 2


@dataclass(slots=True)
class _Waiting:
    """What each predictor said to somebody, and when they came."""

    at: float
    said: dict[str, float]
    theory: float
    p50: float
    p80: float


class Queue:
    """Runs one design until so many had to wait."""

    def __init__(self, design: Design, seed: int, wanted: int, progress: Callable[[int], None]) -> None:
        self.squares = Squares()
        self._design = design
        self._chance = Random(seed)  # noqa: S311 - no secret
        self._wanted = round(wanted * (1 + WARM_UP))
        self._skipped = self._wanted - wanted
        self._progress = progress
        self._engine = VirtualEngine(Snapshot(configuration=design.configuration()), START)
        self._engine.observers.append(self._observe)
        self._waiting: dict[InteractionId, _Waiting] = {}
        self._served = 0
        self._asked = 0
        self._last_waited = 0.0
        self._average = 0
        self._came: dict[InteractionId, float] = {}

    def run(self) -> Squares:
        """Until enough were served."""
        engine = self._engine
        for agent in engine.dispatcher.configuration.agents:
            engine.tell(PresenceRequested(agent, Presence.READY))
        for service in self._design.streams:
            self._expect(service)
        if self._design.leaving:
            engine.after(SHIFT, self._change_shifts, False)
        while self._served < self._wanted:
            at = engine.next_at
            assert at is not None
            engine.run_until(at)
        return self.squares

    # ---- what happens ----------------------------------------------------------------------------------

    def _expect(self, service: str) -> None:
        gap = self._design.streams[service].gap(self._chance, self._engine.now)
        self._engine.after(gap, self._come, service)

    def _come(self, service: str) -> None:
        self._expect(service)
        self._asked += 1
        name = InteractionId(f"i{self._asked}")
        self._came[name] = self._engine.now
        said = self._said(service)
        decision = self._engine.tell(InteractionRequested(name, EMAIL, ServiceId(service)))
        patience = self._design.streams[service].patience
        if not isinstance(decision.reply, Interaction) or decision.reply.state is not InteractionState.QUEUED:
            return
        told = self._engine.dispatcher.waits.told_of(name)
        if told is not None:
            said["ours"] = told.mean_seconds
            p50, p80 = told.wait.p50_seconds, told.wait.p80_seconds
            self._waiting[name] = _Waiting(self._engine.now, said, self._theory(), p50, p80)
        if patience is not None:
            self._engine.after(patience.draw(self._chance), self._give_up, name)

    def _said(self, service: str) -> dict[str, float]:
        """What the others say to somebody who comes now."""
        stream = self._design.streams[service]
        able = [each for each in self._design.skills if service in each]
        ahead = len(self._engine.dispatcher.line)
        return {
            "queue length": (ahead + 1) * stream.handle.mean / len(able),
            "last to enter": self._last_waited,
            "moving average": float(self._average),
        }

    def _theory(self) -> float:
        """The variance of a wait behind so many, where handle times are exponential."""
        (stream,) = list(self._design.streams.values())[:1]
        rate = len(self._design.skills) / stream.handle.mean
        return len(self._engine.dispatcher.line) / rate**2

    def _observe(self, _event: Event, decision: Decision, now: float) -> None:
        for change in decision.changes:
            if type(change) is InteractionChanged and change.interaction.state is InteractionState.OFFERED:
                self._is_served(change.interaction, now)

    def _is_served(self, interaction: Interaction, now: float) -> None:
        handle = self._design.streams[interaction.service].handle.draw(self._chance)
        assert interaction.agent is not None
        self._engine.tell_after(0.0, WorkAccepted(interaction.agent, WorkId(interaction.id)))
        self._engine.after(handle, self._done, interaction.id)
        waited = now - self._came.pop(interaction.id)
        self._average = (3 * self._average + round(waited)) >> 2
        waiting = self._waiting.pop(interaction.id, None)
        if waiting is None:
            return
        self._last_waited = waited
        self._served += 1
        if self._served > self._skipped:
            self._add(waiting, waited)
        if self._served % 10_000 == 0:
            self._progress(self._served)

    def _add(self, waiting: _Waiting, waited: float) -> None:
        sums = self.squares
        sums.count += 1
        sums.waited += waited
        sums.theory += waiting.theory
        sums.within_p50 += waited <= waiting.p50
        sums.within_p80 += waited <= waiting.p80
        for name, said in waiting.said.items():
            sums.errors[name] = sums.errors.get(name, 0.0) + (waited - said) ** 2

    def _done(self, name: InteractionId) -> None:
        self._engine.tell(InteractionEndRequested(name, completed=True))

    def _give_up(self, name: InteractionId) -> None:
        if self._waiting.pop(name, None) is not None:
            del self._came[name]
            self._engine.tell(InteractionEndRequested(name, completed=False))

    def _change_shifts(self, back: bool) -> None:  # noqa: FBT001 - an item of the agenda has one argument
        agents = list(self._engine.dispatcher.configuration.agents)[: self._design.leaving]
        for agent in agents:
            self._engine.tell(PresenceRequested(AgentId(agent), Presence.READY if back else Presence.NOT_READY))
        self._engine.after(SHIFT, self._change_shifts, not back)
