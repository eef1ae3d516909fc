"""What a store would hold: the last row per key, every transition, every timer; kept in memory.

It is strict where a store cannot be: a change that contradicts what was written before fails the test at once. What a
start reads has the order of the store's own statements, and reaches as far back.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.changes import (
    AgentChanged,
    AgentMoved,
    AttemptChanged,
    CallbackChanged,
    CallbackMoved,
    CallClassified,
    Change,
    ConfigurationKept,
    HandleTimeKept,
    IdempotencyKept,
    InboundChanged,
    InboundClassified,
    InteractionChanged,
    ServicePaused,
    ServiceResumed,
    SlotCapacitySet,
    SuppressionKept,
    SuppressionRemoved,
    TimerCleared,
    TimerSet,
)
from engine.core.configuration import Configuration, Pace
from engine.core.decision import Decision, Snapshot
from engine.core.lifecycle import TABLE, Because
from engine.core.records import AgentStatus, Attempt, Call, Callback, InboundCall, Interaction, Suppression, Timer
from engine.core.terms import AgentId, AttemptId, CallbackId, CallbackState, InteractionId, ServiceId

NO_LIMIT = Pace()
HISTORY_SECONDS = 2 * 86400.0
"""How far back a start reads what became of a number."""


class Journal:
    """Rows by key and the trail of transitions. `keep` is one commit."""

    def __init__(self) -> None:
        self.configuration = Configuration()
        self.callbacks: dict[CallbackId, Callback] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.inbound: dict[AttemptId, InboundCall] = {}
        self.agents: dict[AgentId, AgentStatus] = {}
        self.timers: dict[tuple[str, str], Timer] = {}
        self.callback_moves: list[CallbackMoved] = []
        self.agent_moves: list[AgentMoved] = []
        self.idempotency: list[IdempotencyKept] = []
        self.interactions: dict[InteractionId, Interaction] = {}
        self.suppressions: dict[str, Suppression] = {}
        self.paused: set[ServiceId] = set()
        self.slot_capacities: dict[tuple[ServiceId, float], SlotCapacitySet] = {}
        self.handle_times: dict[ServiceId, HandleTimeKept] = {}
        self.classified: list[CallClassified] = []
        self.inbound_classified: list[InboundClassified] = []
        self._states: dict[CallbackId, CallbackState] = {}

    def keep(self, decision: Decision) -> None:
        for change in decision.changes:
            self._keep(change)
        if isinstance(decision.reply, Configuration):
            self.configuration = decision.reply

    def snapshot(self, now: float = 0.0, pace: Pace = NO_LIMIT) -> Snapshot:
        """What a start would read at `now`; of a clock that stands long ago it reads all there is."""
        since = now - HISTORY_SECONDS
        dials = [(each.dialed_at, each.id, each.phone) for each in self.attempts.values() if each.dialed_at is not None]
        asked = sorted(self.callbacks.values(), key=lambda each: (each.created_at, each.id))
        interactions = sorted(self.interactions.values(), key=lambda each: (each.created_at, each.id))
        return Snapshot(
            self.configuration,
            tuple(
                sorted(
                    (callback for callback in self.callbacks.values() if callback.open),
                    key=lambda each: (each.joined_at, each.created_at, each.id),
                )
            ),
            tuple(sorted(self.open_attempts(), key=lambda each: (each.dialed_at or 0.0, each.id))),
            tuple(sorted(self.agents.values(), key=lambda each: each.id)),
            tuple(sorted(self.timers.values(), key=lambda each: (each.due_at, each.owner, each.name))),
            tuple(each for each in interactions if not each.state.ended),
            tuple(sorted(self.suppressions.values(), key=lambda each: each.phone)),
            tuple(sorted(self.paused)),
            tuple(sorted(self.slot_capacities.values(), key=lambda each: (each.service, each.start))),
            tuple(self.handle_times[each] for each in sorted(self.handle_times)),
            tuple((phone, at) for at, _id, phone in sorted(dials) if at >= since),
            tuple((each.request.phone, each.created_at) for each in asked if each.created_at >= since),
            pace,
            tuple(
                sorted(
                    self.open_inbound(),
                    key=lambda each: (each.entered_at, each.id),
                )
            ),
        )

    def open_attempts(self) -> Iterator[Attempt]:
        return (attempt for attempt in self.attempts.values() if attempt.ended_at is None)

    def open_inbound(self) -> Iterator[InboundCall]:
        return (call for call in self.inbound.values() if call.ended_at is None)

    def open_calls(self) -> Iterator[Call]:
        """Both, whoever called whom."""
        yield from self.open_attempts()
        yield from self.open_inbound()

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
            case HandleTimeKept(service=service):
                self.handle_times[service] = change
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
            case InboundChanged(call=call):
                so_far = self.inbound.get(call.id)
                assert so_far is None or so_far.ended_at is None, f"{call.id} has ended and is changed"
                self.inbound[call.id] = call
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
            case InteractionChanged(interaction=interaction):
                known = self.interactions.get(interaction.id)
                assert known is None or not known.state.ended, f"{interaction.id} has ended and is changed"
                self.interactions[interaction.id] = interaction
            case SuppressionKept(suppression=suppression):
                self.suppressions[suppression.phone] = suppression
            case SuppressionRemoved(phone=phone):
                del self.suppressions[phone]
            case ServicePaused(service=service):
                assert service not in self.paused
                self.paused.add(service)
            case ServiceResumed(service=service):
                self.paused.remove(service)
            case SlotCapacitySet(service=service, start=start, capacity=capacity):
                self.slot_capacities.pop((service, start), None)
                if capacity is not None:
                    self.slot_capacities[service, start] = change
            case CallClassified():
                self.classified.append(change)
            case InboundClassified(call=classified):
                assert classified in self.inbound, f"{classified} is classified and was never written"
                self.inbound_classified.append(change)
            case ConfigurationKept(version=version):
                assert version == self.configuration.version + 1
