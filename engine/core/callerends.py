"""How a call that came in waits, and how it ends: the record of it, its limits and what is said at its end.

A caller is never hung up on while they wait, except at the limit of the wait and for a fault of ours. What is done
about keys stands in callermenu.py, which event leads to which move in callerflow.py.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from engine.core.callphase import Phase
from engine.core.configuration import Agent, Inbound, Service
from engine.core.effects import Dismantle, Farewell, Voice
from engine.core.events import NewNumber
from engine.core.facts import CallerGone, Closing
from engine.core.meeting import Meeting
from engine.core.records import InboundCall
from engine.core.slots import Slot
from engine.core.terms import CallbackId, InboundOutcome, Prompt, PromptId
from engine.core.values import Value, replace
from engine.core.wait import Wait

STEP_TIMERS = ("comfort", "hold", "menu", "agent_ring", "music", "whisper", "bridge")
"""Every timer of a call that goes on; one that is closing has none of them."""
FIRST_NEWS_SECONDS = 8.0
"""After the greeting; who is served at once need not hear of a line."""
MOST_SAID = 59
"""The highest number there is a prompt for."""


class Admittance(Enum):
    """What becomes of somebody who rings in."""

    JOINS = auto()
    CLOSED = auto()
    FULL = auto()


class Promise(Value):
    """A caller's wish to be called back: at this number, now or in this slot."""

    number: NewNumber
    slot: float | None = None


class Reception(Protocol):
    """Who knows the line, the slots and the callbacks."""

    def position_of(self, call: InboundCall) -> int | None:
        """The caller's place, 1-based; None if they are in no line."""

    def wait_of(self, call: InboundCall) -> Wait | None:
        """How long they will wait; None: nobody can say."""

    def free_slots(self, call: InboundCall, now: float) -> list[Slot]:
        """The nearest slots that can be booked by phone."""

    def spoken(self, start: float, service: Service, now: float) -> tuple[Prompt, ...]:
        """A slot's day and time, as they are said."""

    def keep_promise(self, call: InboundCall, promise: Promise, now: float) -> CallbackId | None:
        """Take the callback, in the call's place or in the slot; None: it cannot be had."""


class CallerEnds(Meeting[InboundCall]):
    """The caller's record, wait and end. `heard` and `service` as of every call."""

    def __init__(self, call: InboundCall, service: Service, agent: Agent | None, reception: Reception) -> None:
        super().__init__(call, _phase_of(call), service, Voice(service.id, call.language), call.phone, agent)
        self._inbound = service.inbound or Inbound()
        self._reception = reception

    # ---- the wait ---------------------------------------------------------------------------------------

    @property
    def _comfort_seconds(self) -> float | None:
        return self._inbound.news_seconds

    def _comforting(self) -> tuple[Prompt, ...]:
        """Their place, the wait if it is known, and that they need not wait on the phone."""
        position, wait = self._reception.position_of(self.call), self._reception.wait_of(self.call)
        said: list[Prompt] = []
        if position is not None and position <= MOST_SAID:
            said += (PromptId.POSITION_IS, position)
        if wait is not None:
            minutes = round(wait.p50_seconds / 60)
            if minutes <= 1:
                said.append(PromptId.WAIT_SHORT)
            elif minutes <= MOST_SAID:
                said += (PromptId.WAIT_ABOUT, minutes, PromptId.MINUTES)
        if self._may_ask:
            said.append(PromptId.KEEP_PLACE)
        return tuple(said) or (PromptId.COMFORT,)

    @property
    def _may_ask(self) -> bool:
        """Whether the key for a callback means something; who has talked is not asked to wait for another call."""
        return self._inbound.callback_key is not None and self.call.bridged_at is None

    @property
    def _is_listened_to(self) -> bool:
        return False

    def _first_waits_until(self) -> float | None:
        return self.call.entered_at + self._inbound.wait_limit_seconds

    def _waiting_limit(self) -> float:
        limits = self._limits
        return (
            self._inbound.wait_limit_seconds
            + self.service.agent_ring_seconds
            + limits.whisper_seconds
            + limits.bridge_seconds
            + limits.last_words_seconds
        )

    # ---- the end ------------------------------------------------------------------------------------------

    def _nobody_came(self, now: float) -> None:
        self._close(InboundOutcome.NO_AGENT, now, PromptId.INBOUND_SORRY)

    def _break_off(self, now: float) -> None:
        self._close(InboundOutcome.INTERRUPTED, now, PromptId.INBOUND_SORRY)

    def _as_it_was(self, outcome: InboundOutcome) -> InboundOutcome:
        """Whatever ends the call of somebody who has talked, they have talked."""
        return outcome if self.call.bridged_at is None else InboundOutcome.CONNECTED

    def _talked(self, now: float, *, unobserved: bool = False) -> None:
        self._finish(InboundOutcome.CONNECTED, now, unobserved=unobserved)

    def _customer_left(self, cause: int | None, sip_code: int | None, now: float) -> None:  # noqa: ARG002 - as told
        self.call = replace(self.call, cause=cause)
        match self.phase:
            case Phase.ENDED:
                pass
            case Phase.CLOSING:
                self._closed(now)
            case Phase.CONNECTED:
                self._talked(now)
            case _ if self.call.joined_at is None:
                self._finish(InboundOutcome.CLOSED, now)
            case _:
                self._finish(InboundOutcome.ABANDONED, now)

    def _close(self, outcome: InboundOutcome, now: float, *prompts: PromptId) -> None:
        """The outcome stands; let the caller go, with a few last words or without."""
        self._release_customer(*prompts)
        self._closing(outcome, now + (self._limits.last_words_seconds if prompts else self._limits.closing_seconds))

    def _promised(self, callback: CallbackId, now: float, prompt: PromptId) -> None:
        """The callback is written: say so, and goodbye."""
        self.call = replace(self.call, callback=callback)
        self._do(Farewell(self.call.id, self.call.leg, (prompt,), self._voice))
        self._closing(InboundOutcome.CALLBACK, now + self._limits.last_words_seconds)

    def _closing(self, outcome: InboundOutcome, limit: float) -> None:
        self.phase = Phase.CLOSING
        self.call = replace(self.call, outcome=self._as_it_was(outcome))
        for name in STEP_TIMERS:
            self._arm(name, None)
        self._arm("closing", limit)
        self._tell(Closing())
        self._drop_agent_leg()
        self._free_agent()

    def _closed(self, now: float) -> None:
        outcome = self.call.outcome
        assert outcome is not None  # noqa: S101 - nothing closes without one
        self._finish(outcome, now)

    def _finish(self, outcome: InboundOutcome, now: float, *, unobserved: bool = False) -> None:
        in_conversation, self.phase = self.phase is Phase.CONNECTED, Phase.ENDED
        self.call = replace(self.call, outcome=self._as_it_was(outcome), ended_at=now)
        self._drop_agent_leg()
        self._drop_half()
        if self.call.agent_legs:
            self._do(Dismantle(self.call.id, self.call.bridge))
        talked = self._agent.id if self._agent and (unobserved or in_conversation) else None
        if talked is None:
            self._free_agent()
        self._tell(CallerGone(self.call, talked, unobserved))


def _phase_of(call: InboundCall) -> Phase:
    """Where a restored call stood; a menu, an agent's ringing and a whisper are not written."""
    if call.ended_at is not None:
        return Phase.ENDED
    if call.outcome is not None:
        return Phase.CLOSING
    if call.talks:
        return Phase.CONNECTED
    if call.bridging_at is not None:
        return Phase.BRIDGING
    return Phase.ASKING if call.joined_at is None else Phase.WAITING
