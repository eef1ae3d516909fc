"""What all decisions share: the parts that hold state, the decision under way, the line, and what is permitted.

The dispatcher is put together from this and from the modules that each decide on one kind of event: `admission` on
requests, `serving` on who is served next, `workspace` on what agents answer, `calling` on calls that we make,
`receiving` and `promising` on calls that come in, `reconfiguring` on what administrators set.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from engine.core.book import CallbackBook
from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.changes import Change
from engine.core.configuration import Agent, Service
from engine.core.decision import Decision, Refusal, Snapshot
from engine.core.deskmenu import DeskMenu
from engine.core.desks import Desks
from engine.core.dialled import DialledNumbers
from engine.core.hours import Calendar, opens_at
from engine.core.lifecycle import Because
from engine.core.line import Line, Place
from engine.core.matching import Matching
from engine.core.needs import Needs
from engine.core.number_history import NumberHistory
from engine.core.openings import Openings
from engine.core.pacing import LiveCall, Pacer
from engine.core.permission import Constraint, earliest, window_opens_at
from engine.core.records import AgentStatus, Attempt, Callback, InboundCall, Interaction, Suppression
from engine.core.slots import SlotBook
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    CallbackState,
    InteractionId,
    InteractionState,
    LegId,
    Reason,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.timers import Timers
from engine.core.waits import Waits

RETRY, LIFE, SLOT, WIDEN, PERMITTED = "retry", "life", "slot", "widen", "permitted"
PREVIEW, ANSWER, EXCLUSION = "preview", "answer", "exclusion "
WRAP_UP, RONA_RETURN = "wrap_up", "rona_return"
PACE = "pace"
NODE = "node"
"""The owner of the timer by which anybody may be dialled again."""
OF_SERVICE = "service/"
"""Before its id: the owner of the timer by which customers of a service may be dialled again."""
NO_ZONE = "UTC"
"""Where a customer is taken to be whose number tells nothing and whose service has no calendar."""


_ON_THE_PHONE = (CallbackState.CONFIRMED, CallbackState.CONNECTED)
"""A callback in one of these states that stands in the line is that of a customer who hears music."""


class Switchboard:
    """The parts and the decision under way.

    `_asked` says which agent is asked about a callback, `_agreed` who said yes and waits for the dial. `_excused` are
    callbacks and interactions whose offer could not be answered all the time: nobody is blamed for them.
    `_leg_owners`: whose the legs are that Asterisk named. `_ringing_in`: the calls of each number that came in.
    `_promised`: callbacks whose customers are still on the phone with which they asked for them.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.configuration = snapshot.configuration
        self.book = CallbackBook()
        self.line = Line()
        self.desks = Desks()
        self.timers = Timers()
        self.slots = SlotBook()
        self.interactions: dict[InteractionId, Interaction] = {}
        self.suppressions: dict[str, Suppression] = {each.phone: each for each in snapshot.suppressions}
        self.paused: set[ServiceId] = set(snapshot.paused)
        self._needs = Needs(self.configuration.services)
        self._dialled = DialledNumbers(self.configuration.services)
        self._matching = Matching(self.line, self.desks)
        self.openings = Openings()
        self.waits = Waits(self.line, self.desks, self.paused)
        self._pacer = Pacer(snapshot.pace, self.configuration.services)
        self._history = NumberHistory()
        self._flows: dict[AttemptId, CallFlow] = {}
        self._calling: dict[str, AttemptId] = {}
        self._callers: dict[AttemptId, CallerFlow] = {}
        self._menus: dict[AttemptId, DeskMenu] = {}
        self._leg_owners: dict[LegId, AttemptId] = {}
        self._ringing_in: dict[str, set[AttemptId]] = {}
        self._promised: set[CallbackId] = set()
        self._asked: dict[CallbackId, AgentId] = {}
        self._agreed: dict[CallbackId, AgentId] = {}
        self._excused: set[str] = set()
        self._stopping = False
        self._telephony = True
        self._decision = Decision()
        self._restore(snapshot)

    def _restore(self, snapshot: Snapshot) -> None:
        self.desks.restore(snapshot.agents)
        self.desks.handle_times.restore(snapshot.handle_times)
        self.desks.configure(self.configuration.agents, 0.0)
        self._matching.configured()
        self.waits.configured()
        self.timers.restore(snapshot.timers)
        self.book.restore(snapshot.callbacks)
        self._history.restore(snapshot.dials, snapshot.requests)
        booked = sorted((each for each in snapshot.callbacks if each.booked), key=_asked_at)
        self.slots.restore(
            ((each.request.service, each.scheduled_for, each.id) for each in booked if each.scheduled_for is not None),
            (
                (each.service, each.start, each.capacity)
                for each in snapshot.slot_capacities
                if each.capacity is not None
            ),
        )
        for callback in snapshot.callbacks:
            if callback.state is CallbackState.QUEUED:
                self._join(callback)
                if self.timers.is_set(callback.id, PERMITTED):
                    self.line.park(callback.id)
        for interaction in snapshot.interactions:
            self.interactions[interaction.id] = interaction
            if interaction.state is InteractionState.QUEUED:
                self._join_interaction(interaction)
            elif interaction.state is InteractionState.OFFERED:
                self._excused.add(interaction.id)
        for attempt in snapshot.attempts:
            self._restore_flow(attempt)
        self._restore_callers(snapshot.inbound)
        self._restore_previews()
        self._restore_pace(snapshot)

    def _restore_callers(self, calls: tuple[InboundCall, ...]) -> None:
        """Those who rang in and are not over; `receiving` decides on them."""
        raise NotImplementedError

    def _restore_previews(self) -> None:
        for status in self.desks.statuses():
            for work in status.works:
                callback = self.book.get(work.callback) if work.callback is not None else None
                if callback is not None and callback.state is CallbackState.PREVIEWING:
                    self._asked[callback.id] = status.id
                    self._excused.add(callback.id)
                    if work.stage is Stage.RESERVED:
                        self._agreed[callback.id] = status.id

    def _restore_pace(self, snapshot: Snapshot) -> None:
        live = []
        for attempt in snapshot.attempts:
            callback = self._open(attempt.callback)
            dialling = callback.state in (CallbackState.RESERVED, CallbackState.RINGING_AGENT, CallbackState.DIALING)
            live.append(LiveCall(attempt.id, callback.request.service, dialling, attempt.dialed_at))
        rests = [
            (None if timer.owner == NODE else ServiceId(timer.owner.removeprefix(OF_SERVICE)), timer.due_at)
            for timer in snapshot.timers
            if timer.name == PACE
        ]
        self._pacer.restore(live, [at for _phone, at in snapshot.dials], rests)
        for service in self.configuration.services:
            full = service in self.paused or self._pacer.is_full_of(service)
            self.line.let_dial(service, may=not full and not self.timers.is_set(OF_SERVICE + service, PACE))
        self.line.let_anybody_dial(may=not self._pacer.is_full() and not self.timers.is_set(NODE, PACE))

    # ---- the line ------------------------------------------------------------------------------------

    def _join(self, callback: Callback, *, on_the_phone: bool = False) -> None:
        self.line.join(self._place_of(callback, on_the_phone=on_the_phone))
        if not on_the_phone and self._is_ringing_in(callback):
            self._park(callback)

    def _park(self, callback: Callback) -> None:
        """Keep the place, and let others be served before it."""
        self.line.park(callback.id)
        self.waits.forget(callback.id)

    def _is_ringing_in(self, callback: Callback) -> bool:
        """Whether the customer has rung in and is on the phone with us."""
        return callback.request.phone in self._ringing_in or callback.id in self._promised

    def _place_of(self, callback: Callback, *, on_the_phone: bool = False) -> Place:
        return Place(
            callback.id,
            self._needs.of(callback, on_the_phone=on_the_phone),
            callback.joined_at,
            _asked_at(callback),
            callback.priority,
            callback.at_head,
            on_the_phone,
        )

    def _rejoin(self, callback: Callback) -> None:
        """What the callback asks of an agent has changed; if it waits, its place is the same, and who holds it back."""
        if callback.id in self.line:
            parked = self.line.is_parked(callback.id)
            self._join(callback, on_the_phone=callback.state in _ON_THE_PHONE)
            if parked and not self.line.is_parked(callback.id):
                self.line.park(callback.id)

    def _look_anew(self, callback: Callback) -> None:
        """What held the callback back may hold no more."""
        self._write(self.timers.clear(callback.id, PERMITTED))
        if self.line.is_parked(callback.id):
            self._join(callback)

    def _join_interaction(self, interaction: Interaction) -> None:
        self.line.join(self._place_of_interaction(interaction))

    def _place_of_interaction(self, interaction: Interaction) -> Place:
        return Place(
            interaction.id,
            self._needs.of_interaction(interaction),
            interaction.created_at,
            interaction.created_at,
            interaction.priority,
        )

    def _widen_in_time(self, callback: Callback) -> None:
        """Arm the next step of the expansion, if the service has one."""
        widens_at = self._needs.widens_at(callback)
        if widens_at is None:
            self._write(self.timers.clear(callback.id, WIDEN))
        elif not self.timers.is_set_for(callback.id, WIDEN, widens_at):
            self._write(self.timers.set(callback.id, WIDEN, widens_at))

    def _live_until(self, callback: Callback) -> None:
        """The callback's life counts from the moment at which it joins the line."""
        self._write(self.timers.set(callback.id, LIFE, callback.joined_at + self._service_of(callback).life_seconds))

    def _life_over(self, callback: Callback, at: float) -> bool:
        """Whether the callback may not wait until `at`; its timer is gone if it fired during a call."""
        return not self.timers.is_set(callback.id, LIFE) or self.timers.due(callback.id, LIFE, at)

    # ---- what is permitted ---------------------------------------------------------------------------

    def _permitted_at(self, callback: Callback, at: float) -> float | None:
        """The first moment from `at` on at which the customer may be called; None: there is none."""
        return earliest(at, *self._rules_of(callback))

    def _retry_permitted_at(self, callback: Callback, at: float) -> float | None:
        """The same, within business hours."""
        calendar = self._calendar_of(self._service_of(callback))
        hours: list[Constraint] = [] if calendar is None else [partial(opens_at, calendar)]
        return earliest(at, *hours, *self._rules_of(callback))

    def _permitted_in_its_life(self, callback: Callback, at: float) -> float | None:
        """The same; None also if only the rules keep it from being within the callback's life."""
        permitted = self._retry_permitted_at(callback, at)
        if permitted is None or (self._life_over(callback, permitted) and not self._life_over(callback, at)):
            return None
        return permitted

    def dials_at(self, callback: Callback, at: float) -> float | None:
        """When the customer may be dialled whose agent is on the phone: at once, or in a moment; None: not now."""
        service = callback.request.service
        suppressed = callback.request.phone in self.suppressions
        forbidden = suppressed or self._is_ringing_in(callback) or service in self.paused
        if forbidden or self._permitted_at(callback, at) != at:
            return None
        return self._pacer.next_dial_of(service, at)

    def can_be_kept(self, callback: Callback, at: float) -> float | None:
        """When a later call, promised for `at`, would be; None if it could not be made any more."""
        permitted = self._retry_permitted_at(callback, at)
        return None if permitted is None or self._life_over(callback, permitted) else permitted

    def _rules_of(self, callback: Callback) -> list[Constraint]:
        service, phone, limits = self._service_of(callback), callback.request.phone, self.configuration.limits
        zones = callback.request.zones or (self._zone_of(service),)
        rules: list[Constraint] = [lambda moment: self._history.next_dial_at(phone, zones[0], moment, limits)]
        if service.calling_window is not None:
            rules.append(partial(window_opens_at, service.calling_window, zones))
        return rules

    def _zone_of(self, service: Service) -> str:
        calendar = self._calendar_of(service)
        return NO_ZONE if calendar is None else calendar.timezone

    def _calendar_of(self, service: Service) -> Calendar | None:
        return None if service.calendar is None else self.configuration.calendars[service.calendar]

    def _service_of(self, callback: Callback) -> Service:
        return self.configuration.services[callback.request.service]

    # ---- bookkeeping ---------------------------------------------------------------------------------

    def _restore_flow(self, attempt: Attempt) -> None:
        callback = self.book.get(attempt.callback)
        if callback is None:
            raise ValueError(f"attempt {attempt.id} is open, but its callback is not")
        self._flows[attempt.id] = self._flow(attempt, callback, self._holder_of(attempt.id))
        self._calling[callback.request.phone] = attempt.id
        if attempt.given_to is not None:
            self._leg_owners[attempt.given_to] = attempt.id

    def _holder_of(self, call: AttemptId) -> Agent | None:
        """The agent who serves a restored call."""
        holder = next((status.id for status in self.desks.statuses() if _serves(status, call)), None)
        # Somebody removed in the middle of a call is never rung again, but their work has to end.
        return (self.desks.agent(holder) or Agent(holder, name=holder, endpoint="")) if holder else None

    def _flow(self, attempt: Attempt, callback: Callback, agent: Agent | None) -> CallFlow:
        return CallFlow(attempt, callback, self._service_of(callback), agent, self)

    def _open(self, callback: CallbackId) -> Callback:
        """An open callback as it stands now."""
        found = self.book.get(callback)
        if found is None:
            raise ValueError(f"{callback} is not open")
        return found

    def _end(self, callback: Callback, because: Because, now: float, reason: Reason | None = None) -> None:
        self.line.leave(callback.id)
        self.waits.gave_up(callback.id, now)
        self.slots.release(callback.id)
        self._ask_no_more(callback, because.value, now)
        self._write(self.timers.clear_all(callback.id))
        self._write(self.book.move(callback, because, now, reason))

    def _ask_no_more(self, callback: Callback, because: str, now: float) -> None:
        """The agent who previews the callback, if anybody does, is free of it."""
        agent = self._asked.pop(callback.id, None)
        self._agreed.pop(callback.id, None)
        if agent is not None:
            self._write(self.timers.clear(callback.id, PREVIEW))
            self._write(self.desks.release(agent, WorkId(callback.next_attempt), because, now))

    def _move_if(self, callback: Callback, state: CallbackState, because: Because, now: float) -> None:
        """Facts such as Dialled are told more than once; only the first moves the callback."""
        if callback.state is state:
            self._write(self.book.move(callback, because, now))

    def _refuse(self, code: str, detail: str) -> None:
        self._decision.reply = Refusal(code, detail)

    def _write(self, changes: Iterable[Change]) -> None:
        self._decision.changes.extend(changes)


def _asked_at(callback: Callback) -> float:
    return callback.asked_at or callback.created_at


def _serves(status: AgentStatus, call: AttemptId) -> bool:
    return any(work.attempt == call and work.stage is not Stage.WRAP_UP for work in status.works)
