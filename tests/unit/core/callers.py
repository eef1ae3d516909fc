"""Somebody who rings in, for stories: what they do and hear, and the services that take their calls."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.callerflow import CallerFlow
from engine.core.callphase import Phase
from engine.core.configuration import Inbound
from engine.core.decision import Decision
from engine.core.effects import AnswerCaller, CheckNumber, Effect, Play
from engine.core.events import CallerEntered, KeyPressed, LegEnded, LegSeen, NewNumber, PlayingFinished
from engine.core.records import Callback, InboundCall
from engine.core.terms import AttemptId, InboundOutcome, LegId, Prompt, ServiceId
from engine.core.values import replace
from tests.unit.core.office import DESK
from tests.unit.core.world import BILLING, NORMAL_CLEARING, SALES, Customer, World, says

BILLING_NUMBER = "+12025550000"
SALES_NUMBER = "+12025559000"
OPEN = replace(BILLING, inbound=Inbound((BILLING_NUMBER,), news_seconds=40, wait_limit_seconds=600))
"""Billing, which takes calls; always open."""
ALSO_SALES = replace(SALES, inbound=Inbound((SALES_NUMBER,)))
AT_THE_DESK = replace(DESK, inbound=Inbound((BILLING_NUMBER,)))
"""With business hours and slots."""
_UNHEARD = (AnswerCaller, CheckNumber)


@dataclass(frozen=True, slots=True)
class Caller:
    """One call that came in and the person behind it."""

    world: World
    id: AttemptId
    leg: LegId

    # ---- what the journal says

    @property
    def call(self) -> InboundCall:
        return self.world.journal.inbound[self.id]

    @property
    def outcome(self) -> InboundOutcome | None:
        """How it ends, decided or over."""
        return self.call.outcome

    def ends(self, outcome: InboundOutcome | None) -> bool:
        """Whether it is so; for stories that look at it more than once."""
        return self.call.outcome is outcome

    @property
    def is_over(self) -> bool:
        return self.call.ended_at is not None

    @property
    def flow(self) -> CallerFlow:
        return next(flow for flow in self.world.dispatcher.callers() if flow.inbound.id == self.id)

    def is_in(self, phase: Phase) -> bool:
        return self.flow.phase is phase

    @property
    def position(self) -> int | None:
        return self.world.dispatcher.position_of(self.call)

    @property
    def kept(self) -> Callback:
        """The callback that was promised."""
        assert self.call.callback is not None
        return self.world.journal.callbacks[self.call.callback]

    @property
    def called_back(self) -> Customer:
        assert self.call.callback is not None
        return Customer(self.world, self.call.callback)

    @property
    def hears(self) -> Effect | None:
        """The last thing done on the caller's leg."""
        on_leg = [effect for effect in self.world.done_on(self.leg) if not isinstance(effect, _UNHEARD)]
        return on_leg[-1] if on_leg else None

    @property
    def is_told(self) -> tuple[Prompt, ...]:
        """What was said last."""
        return says(self.hears)

    def is_told_now(self, *prompts: Prompt) -> bool:
        """Whether it is so; for stories that listen more than once."""
        return self.is_told == prompts

    @property
    def all_told(self) -> list[tuple[Prompt, ...]]:
        on_leg = self.world.done_on(self.leg)
        return [prompts for effect in on_leg if (prompts := getattr(effect, "prompts", ()))]

    # ---- what the caller does

    def presses(self, keys: str) -> None:
        for key in keys:
            self.world.tell(KeyPressed(self.leg, key))

    def hears_it_out(self, *, complete: bool = True) -> Decision:
        """What is being said is over."""
        tag = [effect.tag for effect in self.world.done(Play, self.id) if effect.leg == self.leg][-1]
        return self.world.tell(PlayingFinished(self.leg, tag, complete))

    def is_silent(self) -> None:
        """Hears the question out and does nothing, until something else is said."""
        self.hears_it_out()
        self.world.pass_time(6.0)

    def hangs_up(self, cause: int = NORMAL_CLEARING) -> Decision:
        return self.world.tell(LegEnded(self.leg, cause))

    def is_seen(self, customer: LegSeen, agent: LegSeen = LegSeen.GONE, *, bridged: bool = False) -> str:
        """What a look shows of the call, and what was done about it."""
        return self.world.recover(self.id, customer, agent, bridged=bridged)

    def is_let_go(self) -> None:
        """The leg ends when the last words are said."""
        assert not self.is_over
        self.world.pass_time(self.world.leaving[self.leg] - self.world.now)
        assert self.is_over


def entering(
    n: int, phone: str | None = "+12025557001", dialled: str = BILLING_NUMBER, zones: tuple[str, ...] = ()
) -> CallerEntered:
    """The call of that number is in our hands."""
    number = None if phone is None else NewNumber(phone, zones)
    return CallerEntered(AttemptId(f"callpbx-{n}"), LegId(f"pbx.{n}"), dialled, number)


def rings_in(world: World, phone: str | None = "", dialled: str = BILLING_NUMBER) -> Caller:
    """Somebody calls, from a number of their own unless one is given; None: it is not shown."""
    n = len(world.journal.inbound) + 1
    world.tell(event := entering(n, f"+120255571{n:02}" if phone == "" else phone, dialled))
    return Caller(world, event.call, event.leg)


def centre(*services: ServiceId) -> World:
    """A world in which billing, or these services too, take calls."""
    return World((OPEN, *(ALSO_SALES for each in services if each == SALES.id)))


def in_conversation(world: World, phone: str | None = "", agent: str = "amy") -> Caller:
    """A caller who talks with an agent who was free."""
    world.agent(agent).ready()
    caller = rings_in(world, phone)
    world.agent(agent).answers()
    assert caller.is_in(Phase.CONNECTED)
    return caller
