"""Who may have talked, by what was done and told: kept apart from what the engine makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from engine.core.effects import Connect
from engine.core.events import AttemptSeen, EffectEnded, Event, LegEnded, LegSeen, ResultKind
from engine.core.records import Attempt, Call, attempt_of_leg
from engine.core.terms import AttemptId, BridgeId, LegId


class Meeting(StrEnum):
    """UNTOLD: whoever waited for the end of Connect is dead, or the end was that nobody knows."""

    UNDER_WAY = "under way"
    UNTOLD = "untold"
    MADE = "made"


class Meetings:
    """One Meeting for each bridge that may have held two people; a bridge that never did is forgotten.

    `ended` are the legs that are gone, `told` those of them that the living engine knows to be gone. `unseen` are those
    that no look finds any more: they ended before the engine started, or before an earlier look.
    """

    def __init__(self) -> None:
        self.ended: set[LegId] = set()
        self.told: set[LegId] = set()
        self.unseen: set[LegId] = set()
        self._of: dict[BridgeId, Meeting] = {}

    def at(self, bridge: BridgeId) -> Meeting | None:
        return self._of.get(bridge)

    def may_have_met(self, attempt: AttemptId) -> bool:
        return any(attempt_of_leg(bridge) == attempt for bridge in self._of)

    def connect(self, effect: Connect) -> None:
        """A Connect is written, and being carried out unless the engine dies at once."""
        if self._of.get(effect.bridge) is not Meeting.MADE:
            self._of[effect.bridge] = Meeting.UNDER_WAY

    def engine_died(self) -> None:
        self.unseen |= self.ended
        self.told.clear()
        self._of = {
            bridge: Meeting.UNTOLD if meeting is Meeting.UNDER_WAY else meeting for bridge, meeting in self._of.items()
        }

    def note(self, event: Event, calls: Mapping[AttemptId, Call], *, decided: bool = True) -> None:
        """Keep what was told; `decided` False: to an engine that died over it."""
        match event:
            case LegEnded(leg=leg):
                self.ended.add(leg)
                if decided:
                    self.told.add(leg)
            case EffectEnded(effect=Connect(bridge=bridge), result=result) if bridge in self._of:
                # That it was refused is not known to whoever comes after an engine that died over the news.
                if decided or result is ResultKind.OK:
                    self._ended(bridge, result)
            case AttemptSeen(attempt=call) if call in calls and decided:
                self._seen(calls[call], event)
            case _:
                pass

    def _ended(self, bridge: BridgeId, result: ResultKind) -> None:
        if result is ResultKind.OK:
            self._of[bridge] = Meeting.MADE
        elif self._of[bridge] is not Meeting.MADE:
            if result is ResultKind.REFUSED:
                del self._of[bridge]
            else:
                self._of[bridge] = Meeting.UNTOLD

    def _seen(self, attempt: Call, look: AttemptSeen) -> None:
        """Who was ever in a bridge stays in it: a leg that is there and in none proves that they never met.

        That a customer who was never dialled is not there says nothing of the leg that is to come.
        """
        for leg, seen in ((attempt.customer_leg, look.customer), (attempt.agent_leg, look.agent)):
            to_come = leg == attempt.customer_leg and isinstance(attempt, Attempt) and attempt.dialed_at is None
            if seen is LegSeen.GONE and not to_come:
                for gone in (self.ended, self.told, self.unseen):
                    gone.add(leg)
        if attempt.bridge not in self._of:
            return
        customer_gone, agent_gone = attempt.customer_leg in self.ended, attempt.agent_leg in self.ended
        if look.bridged:
            self._of[attempt.bridge] = Meeting.MADE
        elif self._of[attempt.bridge] is Meeting.UNTOLD and not (customer_gone and agent_gone):
            del self._of[attempt.bridge]
