"""One group of changes as the statements that store it.

Several changes of one row become the last of them. Rows keep the order in which they first changed: a callback that
ends is written before the new one of its number, an attempt that ends before the next, as the unique indices demand.
A callback that ends or gets another number is written once more from there on, at that place: only so is each number
given up before another callback takes it, whichever of the two changed first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from engine.core.changes import (
    AgentChanged,
    AgentMoved,
    AttemptChanged,
    CallbackChanged,
    CallbackMoved,
    CallClassified,
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
from engine.core.records import AgentStatus, Attempt, Callback, InboundCall, Interaction, Suppression, Timer
from engine.store import inbound_rows, rows, standing_rows, statements
from engine.store.records import (
    AgentSession,
    ApiKey,
    Entry,
    KeptAnswer,
    KeyKept,
    KeyRevoked,
    NodeSeen,
    PasswordKept,
    SessionEnded,
    SessionKept,
)
from engine.store.rows import Row

Statement: TypeAlias = tuple[str, list[Row]]


@dataclass(slots=True)
class Batch:
    """What is left to write after coalescing, one collection for each table."""

    callbacks: list[Callback] = field(default_factory=list)
    callback_places: dict[str, int] = field(default_factory=dict)
    callback_moves: list[CallbackMoved] = field(default_factory=list)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    inbound: dict[str, InboundCall] = field(default_factory=dict)
    agents: dict[str, AgentStatus] = field(default_factory=dict)
    agent_moves: list[AgentMoved] = field(default_factory=list)
    timers: dict[tuple[str, str], Timer | None] = field(default_factory=dict)
    classifications: dict[str, CallClassified] = field(default_factory=dict)
    inbound_classifications: dict[str, InboundClassified] = field(default_factory=dict)
    interactions: dict[str, Interaction] = field(default_factory=dict)
    suppressions: dict[str, Suppression | None] = field(default_factory=dict)
    paused: dict[str, ServicePaused | None] = field(default_factory=dict)
    handle_times: dict[str, HandleTimeKept] = field(default_factory=dict)
    slot_capacities: dict[tuple[str, float], SlotCapacitySet] = field(default_factory=dict)
    answers: list[KeptAnswer] = field(default_factory=list)
    configurations: list[ConfigurationKept] = field(default_factory=list)
    keys: dict[str, ApiKey] = field(default_factory=dict)
    revoked: list[KeyRevoked] = field(default_factory=list)
    passwords: dict[str, PasswordKept] = field(default_factory=dict)
    sessions: dict[str, AgentSession | None] = field(default_factory=dict)
    logged_out: dict[str, None] = field(default_factory=dict)
    nodes: dict[str, NodeSeen] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Batch:
        """Coalesce a group."""
        batch = cls()
        for entry in entries:
            batch.add(entry)
        return batch

    def add(self, entry: Entry) -> None:
        match entry:
            case CallbackChanged(callback=callback):
                self._put_callback(callback)
            case CallbackMoved():
                self.callback_moves.append(entry)
            case AttemptChanged(attempt=attempt):
                self.attempts[attempt.id] = attempt
            case InboundChanged(call=call):
                self.inbound[call.id] = call
            case AgentChanged(status=status):
                self.agents[status.id] = status
            case AgentMoved():
                self.agent_moves.append(entry)
            case TimerSet(timer=timer):
                self.timers[timer.owner, timer.name] = timer
            case TimerCleared(owner=owner, name=name):
                self.timers[owner, name] = None
            case CallClassified(callback=classified):
                self.classifications[classified] = entry
            case InboundClassified(call=classified_call):
                self.inbound_classifications[classified_call] = entry
            case InteractionChanged(interaction=interaction):
                self.interactions[interaction.id] = interaction
            case SuppressionKept(suppression=suppression):
                self.suppressions[suppression.phone] = suppression
            case SuppressionRemoved(phone=phone):
                self.suppressions[phone] = None
            case ServicePaused(service=service):
                self.paused[service] = entry
            case ServiceResumed(service=service):
                self.paused[service] = None
            case HandleTimeKept(service=service):
                self.handle_times[service] = entry
            case SlotCapacitySet(service=service, start=start):
                self.slot_capacities[service, start] = entry
            case IdempotencyKept(key=key, callback=answered, at=at):
                self.answers.append(KeptAnswer(key.key, key.body_hash, key.answer, answered, at))
            case ConfigurationKept():
                self.configurations.append(entry)
                self._log_out(*entry.removed)
            case KeyKept(key=kept):
                self.keys[kept.id] = kept
            case KeyRevoked():
                self.revoked.append(entry)
            case PasswordKept(agent=agent):
                self.passwords[agent] = entry
                self._log_out(agent)
            case SessionKept(session=session):
                self.sessions[session.token_hash] = session
            case SessionEnded(token_hash=token_hash):
                self.sessions[token_hash] = None
            case NodeSeen():
                self.nodes[entry.name] = entry
            case _:
                assert_never(entry)

    def _put_callback(self, callback: Callback) -> None:
        place = self.callback_places.get(callback.id)
        if place is not None and _number_of(self.callbacks[place]) == _number_of(callback):
            self.callbacks[place] = callback
            return
        self.callback_places[callback.id] = len(self.callbacks)
        self.callbacks.append(callback)

    def _log_out(self, *agents: str) -> None:
        """End their sessions, also those that this group began."""
        self.logged_out |= dict.fromkeys(agents)
        for token_hash, session in self.sessions.items():
            if session is not None and session.agent in agents:
                self.sessions[token_hash] = None

    def statements(self) -> Iterator[Statement]:
        """The statements in the order to run them in, each with its rows; none is empty."""
        for text, written in self._all():
            if written:
                yield text, written

    def _all(self) -> Iterator[Statement]:
        yield statements.PUT_CALLBACK, [rows.callback_row(each) for each in self.callbacks]
        yield statements.ADD_CALLBACK_MOVE, [rows.callback_move_row(each) for each in self.callback_moves]
        yield statements.PUT_ATTEMPT, [rows.attempt_row(each) for each in self.attempts.values()]
        yield statements.PUT_INBOUND, [inbound_rows.inbound_row(each) for each in self.inbound.values()]
        yield statements.PUT_AGENT, [rows.agent_row(each) for each in self.agents.values()]
        yield statements.ADD_AGENT_MOVE, [rows.agent_move_row(each) for each in self.agent_moves]
        cleared = [{"owner": owner, "name": name} for (owner, name), timer in self.timers.items() if timer is None]
        yield statements.DROP_TIMER, list(cleared)
        yield (
            statements.PUT_TIMER,
            [standing_rows.timer_row(timer) for timer in self.timers.values() if timer],
        )
        yield (
            statements.PUT_CLASSIFICATION,
            [standing_rows.classification_row(each) for each in self.classifications.values()],
        )
        yield (
            statements.PUT_INBOUND_CLASSIFICATION,
            [standing_rows.inbound_classification_row(each) for each in self.inbound_classifications.values()],
        )
        yield statements.PUT_INTERACTION, [rows.interaction_row(each) for each in self.interactions.values()]
        unsuppressed = [phone for phone, kept in self.suppressions.items() if kept is None]
        yield statements.DROP_SUPPRESSION, [{"phone": phone} for phone in unsuppressed]
        yield (
            statements.PUT_SUPPRESSION,
            [standing_rows.suppression_row(each) for each in self.suppressions.values() if each],
        )
        yield statements.DROP_PAUSE, [{"service": service} for service, at in self.paused.items() if at is None]
        yield statements.PUT_PAUSE, [{"service": each.service, "at": each.at} for each in self.paused.values() if each]
        own = [each for each in self.slot_capacities.values() if each.capacity is not None]
        back = [each for each in self.slot_capacities.values() if each.capacity is None]
        yield statements.DROP_SLOT_CAPACITY, [{"service": each.service, "start": each.start} for each in back]
        yield statements.PUT_SLOT_CAPACITY, [standing_rows.slot_capacity_row(each) for each in own]
        yield statements.PUT_HANDLE_TIME, [standing_rows.handle_time_row(each) for each in self.handle_times.values()]
        yield statements.KEEP_ANSWER, [standing_rows.kept_answer_row(each) for each in self.answers]
        yield statements.ADD_CONFIGURATION, [standing_rows.configuration_row(each) for each in self.configurations]
        yield statements.PUT_KEY, [standing_rows.key_row(each) for each in self.keys.values()]
        yield statements.REVOKE_KEY, [{"key_id": each.id, "at": each.at} for each in self.revoked]
        yield statements.PUT_PASSWORD, [standing_rows.password_row(each) for each in self.passwords.values()]
        # What ended sessions comes first: what is left of this group's was begun after it.
        yield statements.DROP_SESSIONS_OF, [{"agent": agent} for agent in self.logged_out]
        over = [token_hash for token_hash, session in self.sessions.items() if session is None]
        yield statements.DROP_SESSION, [{"token_hash": each} for each in over]
        yield statements.PUT_SESSION, [standing_rows.session_row(each) for each in self.sessions.values() if each]
        yield statements.PUT_NODE, [standing_rows.node_row(each) for each in self.nodes.values()]


def _number_of(callback: Callback) -> str | None:
    """The number that no other open callback of the service may have; None once it has ended."""
    return callback.request.phone if callback.open else None
