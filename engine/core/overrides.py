"""Decides on what staff set beside the configuration: capacities of single slots, and numbers that are never called."""

from __future__ import annotations

from engine.core.changes import SlotCapacitySet, SuppressionKept, SuppressionRemoved
from engine.core.configuration import Service
from engine.core.decision import Done
from engine.core.events import SlotCapacityRequested, SuppressRequested, UnsuppressRequested
from engine.core.lifecycle import Because, can
from engine.core.records import Suppression
from engine.core.slots import slot_at
from engine.core.switchboard import Switchboard
from engine.core.terms import CallbackState, Reason, ServiceId
from engine.core.values import replace

FARTHEST_SECONDS = 366 * 86400.0
"""How far ahead staff may put a call whose service has no slots, or give a slot a capacity of its own."""
PAST_CAPACITY_KEPT_SECONDS = 2 * 86400.0
"""So long a slot that has begun keeps a capacity of its own; the next one that is set afterwards sweeps it."""


class Overrides(Switchboard):
    """The part of the switchboard for it."""

    # ---- slots ---------------------------------------------------------------------------------------

    def _set_slot_capacity(self, event: SlotCapacityRequested, now: float) -> None:
        service = self.configuration.services.get(event.service)
        if service is None:
            self._refuse("unknown-service", f"there is no service {event.service!r}")
            return
        if event.capacity is not None and not self._may_have_a_capacity(service, event.start, now):
            return
        for of_service, start in self.slots.overrides():
            if start < now - PAST_CAPACITY_KEPT_SECONDS:
                self._keep_slot_capacity(of_service, start, None)
        self._keep_slot_capacity(event.service, event.start, event.capacity)
        self._decision.reply = Done()

    def _keep_slot_capacity(self, service: ServiceId, start: float, capacity: int | None) -> None:
        self.slots.set_capacity(service, start, capacity)
        self._write([SlotCapacitySet(service, start, capacity)])

    def _may_have_a_capacity(self, service: Service, start: float, now: float) -> bool:
        calendar, policy = self._calendar_of(service), service.slots
        if start <= now:
            self._refuse("in-the-past", "this slot has begun")
        elif start > now + FARTHEST_SECONDS:
            self._refuse("too-far-ahead", "no slot more than a year ahead has a capacity of its own")
        elif calendar is None or policy is None or slot_at(calendar, policy.minutes, start) is None:
            self._refuse("slot-not-available", "no slot of this service begins at this time")
        else:
            return True
        return False

    # ---- never again ---------------------------------------------------------------------------------

    def _suppress(self, event: SuppressRequested, now: float) -> None:
        # Whose wish it was first, and when, stays.
        kept = self.suppressions.get(event.phone) or Suppression(event.phone, Reason.BY_ADMIN, now)
        kept = replace(kept, note=event.note or kept.note)
        self._keep_suppression(kept, now)
        self._decision.reply = kept

    def _unsuppress(self, event: UnsuppressRequested) -> None:
        if self.suppressions.pop(event.phone, None) is not None:
            self._write([SuppressionRemoved(event.phone)])
        self._decision.reply = Done()

    def _keep_suppression(self, suppression: Suppression, now: float) -> None:
        """From now on nobody calls this number; a call that is up goes on and is the last one."""
        self.suppressions[suppression.phone] = suppression
        self._write([SuppressionKept(suppression)])
        for callback in self.book.open_of(suppression.phone):
            if callback.state is CallbackState.PREVIEWING or can(callback.state, Because.CANCELLED):
                self._end(callback, Because.SUPPRESSED, now)
