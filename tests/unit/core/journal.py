"""What a store would hold: the last row per key, every transition, every timer; kept in memory.

It is strict where a store cannot be: a change that contradicts what was written before fails the test at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.changes import (
    AgentChanged,
    AgentMoved,
    AttemptChanged,
    CallbackChanged,
    CallbackMoved,
    Change,
    ConfigurationKept,
    IdempotencyKept,
    TimerCleared,
    TimerSet,
)
from engine.core.decision import Decision, Snapshot
from engine.core.lifecycle import TABLE, Because
from engine.core.model import (
    AgentId,
    AgentStatus,
    Attempt,
    AttemptId,
    Callback,
    CallbackId,
    CallbackState,
    Configuration,
    Timer,
)


class Journal:
    """Rows by key and the trail of transitions. `keep` is one commit."""

    def __init__(self) -> None:
        self.configuration = Configuration()
        self.callbacks: dict[CallbackId, Callback] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.agents: dict[AgentId, AgentStatus] = {}
        self.timers: dict[tuple[str, str], Timer] = {}
        self.callback_moves: list[CallbackMoved] = []
        self.agent_moves: list[AgentMoved] = []
        self.idempotency: list[IdempotencyKept] = []
        self._states: dict[CallbackId, CallbackState] = {}

    def keep(self, decision: Decision) -> None:
        for change in decision.changes:
            self._keep(change)
        if isinstance(decision.reply, Configuration):
            self.configuration = decision.reply

    def snapshot(self) -> Snapshot:
        """What a start would read."""
        return Snapshot(
            self.configuration,
            tuple(callback for callback in self.callbacks.values() if callback.open),
            tuple(self.open_attempts()),
            tuple(self.agents.values()),
            tuple(self.timers.values()),
        )

    def open_attempts(self) -> Iterator[Attempt]:
        return (attempt for attempt in self.attempts.values() if attempt.ended_at is None)

    def trail(self, callback: CallbackId) -> list[CallbackState]:
        """The states a callback went through, in order."""
        return [move.after for move in self.callback_moves if move.callback == callback]

    def causes(self, callback: CallbackId) -> list[str]:
        """What moved a callback, in order."""
        return [move.because for move in self.callback_moves if move.callback == callback]

    def _keep(self, change: Change) -> None:
        match change:
            case CallbackChanged(callback=callback):
                before = self.callbacks.get(callback.id)
                assert before is None or before.open, f"{callback.id} has ended and is changed"
                self.callbacks[callback.id] = callback
            case CallbackMoved(callback=moved, before=before_state, after=after_state, because=because):
                assert self._states.get(moved) == before_state, f"the trail of {moved} has a gap before {change}"
                assert TABLE[before_state, Because(because)] is after_state
                assert self.callbacks[moved].state is after_state
                self._states[moved] = after_state
                self.callback_moves.append(change)
            case AttemptChanged(attempt=attempt):
                earlier = self.attempts.get(attempt.id)
                assert earlier is None or earlier.ended_at is None, f"{attempt.id} has ended and is changed"
                self.attempts[attempt.id] = attempt
            case AgentChanged(status=status):
                self.agents[status.id] = status
            case AgentMoved():
                assert self.agents[change.agent].shown == change.after
                self.agent_moves.append(change)
            case TimerSet(timer=timer):
                self.timers[timer.owner, timer.name] = timer
            case TimerCleared(owner=owner, name=name):
                del self.timers[owner, name]
            case IdempotencyKept():
                self.idempotency.append(change)
            case ConfigurationKept(version=version):
                assert version == self.configuration.version + 1
