"""Whatever happens in the office in disorder can be explained at any moment, and what is claimed of a choice is so.

That looking changes no decision shows the office itself: each decision is made a second time by an engine nobody asks.
"""

from __future__ import annotations

import os
import re

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant

from engine.core.changes import AgentChanged, CallbackChanged, CallbackMoved, TimerSet
from engine.core.configuration import Configuration
from engine.core.explain import explain, looks
from engine.core.explain_speech import Speech
from engine.core.explain_steps import Chosen, Step
from engine.core.explain_words import says
from engine.core.lifecycle import Because
from engine.core.needs import Needs
from engine.core.records import AgentStatus, Callback
from engine.core.switchboard import EXCLUSION
from engine.core.terms import VOICE, AgentId, CallbackId
from tests.unit.core.explained import crew_of, past_of
from tests.unit.core.test_office_machine import Office

_JARGON = re.compile(r"_|None(?! of)|\b(?:Outcome|Reason|queued|retry_wait|rona)\b")


class Explained(Office):
    """The office, with somebody who asks for the reason of everything all the time.

    `chosen`: who was chosen for each callback at each moment, and how many could have been, counted as it happened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.configurations: list[tuple[float, Configuration]] = [(0.0, self.world.journal.configuration)]
        self.chosen: dict[tuple[CallbackId, float], list[tuple[AgentId, int]]] = {}
        self.statuses: dict[AgentId, AgentStatus] = {}
        self.callbacks: dict[CallbackId, Callback] = {}
        self.allowed_again: set[tuple[str, float]] = set()
        self.before: dict[AgentId, AgentStatus] = {}
        self.started_from = self.world.started_from
        self.seen = 0

    @invariant()
    def everything_is_explained(self) -> None:
        self._follow()
        world = self.world
        if self.configurations[-1][1] != world.journal.configuration:
            self.configurations.append((world.now, world.journal.configuration))
        for callback in list(world.journal.callbacks.values()):
            past = past_of(world, callback.id, tuple(self.configurations))
            trail = explain(past, [crew_of(world, past, look) for look in looks(past)])
            now = world.dispatcher.why_not_yet(callback.id, world.now)
            speech = Speech(world.journal.configuration, callback.request.service)
            for step in [*trail, *now]:
                assert not _JARGON.search(says(step, speech)), says(step, speech)
            assert [step.at for step in trail] == sorted(step.at for step in trail)
            assert bool(now) == callback.open, f"{callback.id} is {callback.state} and waits for nothing"
            self._is_true(callback.id, trail)

    def _is_true(self, callback: CallbackId, trail: list[Step]) -> None:
        changed = {since for since, _configuration in self.configurations}
        for step in trail:
            if isinstance(step, Chosen) and (callback, step.at) in self.chosen and step.at not in changed:
                who = self.chosen[callback, step.at]
                if step.agent is not None:
                    assert step.agent in [agent for agent, _free in who], (step, who)
                if step.free is not None and not self._other_work_ended(step.at):
                    assert (step.agent, step.free) in who, (step, who)

    def _other_work_ended(self, at: float) -> bool:
        """At the very same moment: whether before or after the choice is not written."""
        return any(each.ended_at == at for each in self.world.journal.interactions.values())

    def _follow(self) -> None:
        """Count what the decisions since the last look did; of those before a restart only the end is known."""
        world = self.world
        if self.started_from is not world.started_from or not self.statuses:
            self.started_from = world.started_from
            self.statuses, self.callbacks = dict(world.journal.agents), dict(world.journal.callbacks)
        else:
            for _event, now, decision in world.told[self.seen :]:
                for change in decision.changes:
                    self._follow_change(change, now)
        self.seen = len(world.told)

    def _follow_change(self, change: object, now: float) -> None:
        match change:
            case AgentChanged(status=status):
                self.before = dict(self.statuses)
                self.statuses[status.id] = status
            case CallbackChanged(callback=callback):
                self.callbacks[callback.id] = callback
            case TimerSet(timer=timer) if timer.name.startswith(EXCLUSION):
                self.allowed_again.add((timer.owner, timer.due_at))
            case CallbackMoved(callback=callback_id, because=Because.AGENT_RESERVED):
                callback = self.callbacks[callback_id]
                widened = Needs(self.world.dispatcher.configuration.services).widened_at(callback, now)
                if callback.widened != widened or (callback_id, now) in self.allowed_again:
                    return  # at the very moment of a timer that had not fired yet
                agent = next(
                    each.id for each in self.statuses.values() for work in each.works if work.callback == callback_id
                )
                free = [each for each in self.before.values() if self._could_take(each, callback)]
                self.chosen.setdefault((callback_id, now), []).append((agent, len(free)))
            case _:
                pass

    def _could_take(self, status: AgentStatus, callback: Callback) -> bool:
        configuration = self.world.dispatcher.configuration
        agent = configuration.agents.get(status.id)
        if agent is None or callback.request.service not in configuration.services or status.id in callback.excluded:
            return False
        need = Needs(configuration.services).of(callback, on_the_phone=False)
        return status.ready and status.may_take(VOICE, agent.capacity) and need.requirement.met_by(agent.skills)


SEARCH = os.environ.get("RINGBACK_DISORDER")

TestExplained = Explained.TestCase
TestExplained.settings = settings(
    phases=[Phase.generate],  # everything is explained after every step: to make an example smaller takes minutes
    max_examples=int(SEARCH or 60),
    derandomize=SEARCH is None,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
del Office  # its own module runs it
