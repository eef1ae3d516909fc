"""What stories of appointments, previews and work from outside have in common: an office with hours, and who does what.

Times are told as they stand on the wall: `at("09:30")` is a moment of the first morning, in the office's own zone.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.core.callphase import Phase
from engine.core.configuration import SlotPolicy
from engine.core.decision import Accepted, Decision, Refusal
from engine.core.dispatcher import Dispatcher
from engine.core.effects import DialCustomer
from engine.core.events import (
    ConfigurationApplied,
    Event,
    InteractionEndRequested,
    InteractionRequested,
    MoveRequested,
    NewNumber,
    PauseRequested,
    PreviewRescheduled,
    ResumeRequested,
    SlotCapacityRequested,
    SuppressRequested,
    TimerFired,
    UnsuppressRequested,
    WorkAccepted,
    WorkCompleted,
    WorkRejected,
)
from engine.core.hours import Calendar, CalendarId, Interval
from engine.core.records import Attempt, Callback, Classification, Interaction
from engine.core.switchboard import ANSWER, PREVIEW
from engine.core.terms import ConnectMode, InteractionId, Media, ServiceId, WorkId
from engine.core.values import replace
from tests.unit.core.world import BILLING, AgentAtDesk, Customer, World

ZONE = "America/New_York"
DAY = 86400.0
HALF_HOUR = 1800.0
CHAT = Media("chat")
SLOWEST_RATE = 10.0
"""No pace here lies further apart, in seconds."""
_WRITTEN = {Phase.DIALING, Phase.CONNECTED, Phase.CLOSING}

_MORNING = Interval(9 * 3600, 17 * 3600)
HOURS = Calendar(CalendarId("office"), ZONE, (*((_MORNING,) for _day in range(5)), (), ()))
SLOTS = SlotPolicy(minutes=30, capacity=2, days_ahead=7)
DESK = replace(BILLING, id=ServiceId("desk"), name="Desk", calendar=HOURS.id, slots=SLOTS, life_seconds=7200)
ASKED_FIRST = replace(BILLING, connect=ConnectMode.PREVIEW, preview_seconds=20, reject_exclusion_seconds=300)
"""Billing, whose agents are asked before anybody is called."""


def moment(text: str, zone: str = ZONE) -> float:
    """The moment of a wall clock, such as `2023-11-15 09:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def at(clock: str) -> float:
    """A time of day of the first working day, Wednesday 15 November 2023."""
    return moment(f"2023-11-15 {clock}")


def goes_on_until(world: World, when: float) -> None:
    """Time passes until a moment."""
    world.pass_time(when - world.now)


def booked(world: World, start: float, service: str = "desk", phone: str | None = None) -> Customer:
    """A customer who has booked a slot."""
    reply = world.ask(service, phone, when=start)
    assert isinstance(reply, Accepted), reply
    return Customer(world, reply.callback.id)


def code(reply: object) -> str:
    """The code of a refusal."""
    assert isinstance(reply, Refusal), reply
    return reply.code


def moves(
    customer: Customer, when: float | None = None, *, now: bool = False, number: NewNumber | None = None
) -> Callback | Refusal:
    """The customer asks for another time or number."""
    reply = customer.world.tell(MoveRequested(customer.id, when, now, number)).reply
    if isinstance(reply, Accepted):
        return reply.callback
    assert isinstance(reply, Refusal)
    return reply


def sets_capacity(world: World, start: float, capacity: int | None, service: str = "desk") -> Decision:
    return world.tell(SlotCapacityRequested(ServiceId(service), start, capacity))


def suppresses(world: World, phone: str) -> Decision:
    return world.tell(SuppressRequested(phone, "asked us in a letter"))


def unsuppresses(world: World, phone: str) -> Decision:
    return world.tell(UnsuppressRequested(phone))


def pauses(world: World, service: str = "billing") -> Decision:
    return world.tell(PauseRequested(ServiceId(service)))


def resumes(world: World, service: str = "billing") -> Decision:
    return world.tell(ResumeRequested(ServiceId(service)))


def dials(world: World) -> list[str]:
    """The numbers dialled so far, in order."""
    return [effect.phone for effect in world.done(DialCustomer)]


# ---- agents --------------------------------------------------------------------------------------------


def work_of(agent: AgentAtDesk, customer: Customer) -> WorkId:
    """What the agent holds, or would hold, while they preview this customer."""
    return WorkId(customer.callback.next_attempt)


def accepts(agent: AgentAtDesk, customer: Customer) -> Decision:
    return agent.world.tell(WorkAccepted(agent.id, work_of(agent, customer)))


def rejects(agent: AgentAtDesk, customer: Customer) -> Decision:
    return agent.world.tell(WorkRejected(agent.id, work_of(agent, customer)))


def puts_off(agent: AgentAtDesk, customer: Customer, when: float) -> Decision:
    return agent.world.tell(PreviewRescheduled(agent.id, work_of(agent, customer), when))


# ---- work from outside ---------------------------------------------------------------------------------


class Chat:
    """One piece of work from outside, by its id."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.id = InteractionId(name)

    @property
    def now(self) -> Interaction:
        return self.world.journal.interactions[self.id]

    @property
    def shown(self) -> tuple[str, str | None]:
        """Its state, and who has it."""
        return self.now.state.value, self.now.agent

    def is_with(self, state: str, agent: str | None) -> bool:
        """Whether it is so; for stories that look at it more than once."""
        return self.shown == (state, agent)

    def is_accepted(self, by: str = "amy") -> Decision:
        return self.world.tell(WorkAccepted(self.world.agent(by).id, WorkId(self.id)))

    def is_rejected(self, by: str = "amy") -> Decision:
        return self.world.tell(WorkRejected(self.world.agent(by).id, WorkId(self.id)))

    def is_done(self, by: str = "amy", classification: Classification | None = None) -> Decision:
        """The agent says that it is."""
        service = self.now.service
        return self.world.tell(WorkCompleted(self.world.agent(by).id, WorkId(self.id), None, service, classification))

    def ends_outside(self, *, completed: bool) -> Decision:
        return self.world.tell(InteractionEndRequested(self.id, completed))


def chat(world: World, name: str = "chat-1", service: str = "billing", priority: int | None = None) -> Chat:
    """An outside system announces a chat."""
    world.tell(InteractionRequested(InteractionId(name), CHAT, ServiceId(service), priority))
    return Chat(world, name)


# ---- after a restart -----------------------------------------------------------------------------------


class Doubled(World):
    """Before each decision a second engine starts from the journal, and has to decide the same.

    Not where a start knows less: an announcement, an agent's ringing and a whisper are not written, nor what was not
    heard, nor what the pace of a service has counted of calls that have ended. Nor where it is to decide otherwise:
    whoever was asked before a start is not blamed for no answer. What came of the waits that were told is not written
    either, nor are phones, and both are taken over here.
    """

    def _decide(self, event: Event, *, act: bool = True) -> Decision:
        second = Dispatcher(self.journal.snapshot(self.now, self.node)) if self._all_is_written(event) else None
        if second is not None:
            second.waits._experience = deepcopy(self.dispatcher.waits._experience)
            second.waits._told = dict(self.dispatcher.waits._told)
            second.waits._served = list(self.dispatcher.waits._served)
            second.desks.see_phones(self.phones)
        decision = super()._decide(event, act=act)
        if second is not None:
            others = second.handle(event, self.now)
            assert others == decision, f"{event} is decided otherwise after a start"
        return decision

    def _all_is_written(self, event: Event) -> bool:
        phases = {flow.phase for flow in self.dispatcher.calls()}
        if isinstance(event, TimerFired) and event.name in (PREVIEW, ANSWER):
            return False
        is_known = not any(self._is_counted_only_here(attempt, event) for attempt in self.journal.attempts.values())
        return is_known and self.telephony and not self.stopping and not self.held and phases <= _WRITTEN

    def _is_counted_only_here(self, attempt: Attempt, event: Event) -> bool:
        """Whether a call that has ended counts for a rate, now or by this event, of which a start does not know."""
        if attempt.ended_at is None or attempt.dialed_at is None or attempt.dialed_at + SLOWEST_RATE < self.now:
            return False
        service = self.journal.configuration.services.get(self.journal.callbacks[attempt.callback].request.service)
        has_rate = service is not None and service.pace.calls_per_second is not None
        return has_rate or isinstance(event, ConfigurationApplied)
