"""Who called is always named: what no disorder may bring about when it is judged who answered.

Checked by the World after each decision, by what was done and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.core.callphase import Phase
from engine.core.changes import AttemptChanged
from engine.core.decision import Decision
from engine.core.effects import Play
from engine.core.events import AttemptSeen, Event, KeyPressed, PlayingFinished, TimerFired
from engine.core.records import Attempt
from engine.core.terms import AttemptId, Evidence, Outcome, PromptId, ScreeningMode, Verdict

if TYPE_CHECKING:
    from tests.unit.core.world import World

_NAMING = {PromptId.ANNOUNCE, PromptId.MACHINE_GOODBYE, PromptId.MESSAGE}
_OF_MACHINES = (Outcome.MACHINE, Outcome.FAX, Outcome.MESSAGE_LEFT)
_OF_SCREENING = {"screening", "parting"}
_KEY_TURNS = 1
"""A key that means nothing to us, pressed while a machine is being left, brings the announcement once more."""


class Naming:
    """What was said to whoever answered. `named`, `left_message`: the attempts in which that was told to be complete.

    `announced`: how often each attempt's announcement has begun since it was looked at last.
    """

    def __init__(self) -> None:
        self.named: set[AttemptId] = set()
        self.left_message: set[AttemptId] = set()
        self.announced: dict[AttemptId, int] = {}
        self._plays: dict[tuple[str, str], Play] = {}

    def engine_died(self) -> None:
        self.announced.clear()

    def begun(self, play: Play) -> None:
        self._plays[play.leg, play.tag] = play
        if PromptId.ANNOUNCE in play.prompts:
            self.announced[play.attempt] = self.announced.get(play.attempt, 0) + 1

    def note(self, event: Event) -> None:
        match event:
            case PlayingFinished(leg=leg, tag=tag, complete=True) if play := self._plays.get((leg, tag)):
                if _NAMING & set(play.prompts):
                    self.named.add(play.attempt)
                if PromptId.MESSAGE in play.prompts:
                    self.left_message.add(play.attempt)
            case TimerFired(owner=owner, name="announcement"):
                # Nothing failed and nothing was heard of its end for a minute: it is taken to have been said.
                self.named.add(AttemptId(owner))
            case AttemptSeen(attempt=attempt):
                self.announced.pop(attempt, None)
            case _:
                pass


def check(world: World, event: Event, decision: Decision, before: Mapping[AttemptId, Attempt]) -> None:
    """All rules. `before`: the rows of the attempts before the decision."""
    world.naming.note(event)
    for change in decision.changes:
        if isinstance(change, AttemptChanged):
            _a_machine_has_heard_who_called(world, change.attempt)
            _who_answered_is_judged_after_the_answer(change.attempt)
            _a_key_has_the_last_word(change.attempt, before.get(change.attempt.id))
    for effect in decision.effects:
        if isinstance(effect, Play):
            world.naming.begun(effect)
    if isinstance(event, KeyPressed):
        _a_key_is_a_persons(world, event)
    _announcements_are_few(world)
    _whoever_listens_is_not_kept_for_ever(world)
    _timers_of_screening_end_with_it(world)


def _a_machine_has_heard_who_called(world: World, attempt: Attempt) -> None:
    if attempt.outcome in _OF_MACHINES:
        assert attempt.id in world.naming.named, f"{attempt.id} is {attempt.outcome}, and was not named to"
        assert attempt.verdict in (Verdict.MACHINE, Verdict.FAX), f"{attempt.outcome} after {attempt.verdict}"
    if attempt.outcome is Outcome.MESSAGE_LEFT:
        assert attempt.id in world.naming.left_message, f"{attempt.id}: the message was not said"


def _who_answered_is_judged_after_the_answer(attempt: Attempt) -> None:
    known = attempt.verdict is not None
    assert (attempt.evidence is not None, attempt.judged_at is not None) == (known, known)
    if known:
        in_time = attempt.answered_at is not None and (attempt.judged_at or 0.0) >= attempt.answered_at
        assert in_time, f"{attempt.id} is judged before it is answered"


def _a_key_has_the_last_word(attempt: Attempt, before: Attempt | None) -> None:
    if before is None or before.evidence is not Evidence.KEY:
        return
    kept = (attempt.verdict, attempt.evidence, attempt.judged_at)
    assert kept == (before.verdict, before.evidence, before.judged_at), f"{attempt.id}: {kept} after a key"


def _a_key_is_a_persons(world: World, event: KeyPressed) -> None:
    for flow in world.dispatcher.live():
        screened = flow.service.screening.mode is not ScreeningMode.OFF
        if flow.attempt.customer_leg == event.leg and flow.phase is Phase.ANNOUNCING and screened:
            assert flow.attempt.evidence in (Evidence.KEY, Evidence.REPLY), f"{flow.attempt} after a key"


def _announcements_are_few(world: World) -> None:
    for flow in world.dispatcher.live():
        service = flow.service
        most = 1 + service.confirmation.repeats + service.screening.robot_repeats + _KEY_TURNS
        assert world.naming.announced.get(flow.attempt.id, 0) <= most, f"{flow.attempt.id} is asked again and again"


def _whoever_listens_is_not_kept_for_ever(world: World) -> None:
    for flow in world.dispatcher.live():
        if flow.phase is not Phase.ANNOUNCING or flow.attempt.id in world.unlooked:
            continue
        timers = {name for owner, name in world.journal.timers if owner == flow.attempt.id}
        is_left = flow.attempt.verdict in (Verdict.MACHINE, Verdict.FAX) and "screening" in timers
        assert timers & {"announcement", "confirm", "parting"} or is_left, (
            f"{flow.attempt.id} is kept, and nothing ends it"
        )


def _timers_of_screening_end_with_it(world: World) -> None:
    for owner, name in world.journal.timers:
        if name in _OF_SCREENING:
            attempt = world.journal.attempts[AttemptId(owner)]
            asked = attempt.answered_at is not None and attempt.confirmed_at is None and attempt.outcome is None
            assert asked, f"{owner} keeps its timer {name!r}"
