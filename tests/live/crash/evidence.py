"""What a run leaves for the judge: the network's record, the database, what the load was told, what the rig did.

Nothing here comes from what the engine says about itself, except the rows it wrote, which are what is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum

from engine.lab.rung_in import RungIn
from engine.lab.witness import WitnessCall

KEY_MARGIN_SECONDS = 0.5
"""A key counts when its tone has ended, its event was heard and its decision is written. One pressed so shortly before
a death may be lost like one pressed during it. The tone lasts 0.15 s; its event was decided on 0.25 s after the press,
measured with nothing else to do; then come the commit that is under way and its own, each up to a tenth of a second
where many press at once on a loaded machine."""

PBX_DIES_SECONDS = 5.0
"""So long after its death the network may end its calls."""
HEARD_LATE_SECONDS = 2.0
"""So much later than somebody has rung and hung up the engine may take them in."""


class Answer(StrEnum):
    """What a request was told."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NONE = "none"
    """The connection broke: nobody can know."""


class Word(StrEnum):
    """What can be said of a work item at a screen; CANCEL is an outside system's word."""

    ACCEPT = "accept"
    REJECT = "reject"
    RESCHEDULE = "reschedule"
    COMPLETE = "complete"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the load; `number` as the network writes it, `id` if it was accepted, `when` the slot's start."""

    number: str
    answer: Answer
    id: str = ""
    status: int = 0
    service: str = ""
    when: float | None = None
    sent_at: float = 0.0
    answered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """A word about a work item, and what it was told. `agent` is empty for an outside system.

    `callback`: whose call it is, empty for work from outside. `made`: the callback that is now due at `when`.
    """

    agent: str
    work: str
    word: Word
    answer: Answer
    status: int = 0
    callback: str = ""
    when: float | None = None
    made: str = ""
    sent_at: float = 0.0
    answered_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Offered:
    """An agent was asked about `item`, a callback or work from outside; at `at` or later it stood on the screen."""

    agent: str
    item: str
    at: float


@dataclass(frozen=True, slots=True)
class Announced:
    """Work from outside; `mark` is its own, `id` what it was given if it was accepted."""

    mark: str
    answer: Answer
    id: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class CallbackSeen:
    """A row of callbacks; times are epoch seconds."""

    id: str
    number: str
    state: str
    reason: str | None
    ended_at: float | None
    service: str = ""
    created_at: float = 0.0
    scheduled_for: float | None = None
    booked: bool = False
    asked_at: float = 0.0
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class InteractionSeen:
    """A row of interactions; times are epoch seconds."""

    id: str
    mark: str
    state: str
    agent: str | None
    accepted_at: float | None
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class InboundSeen:
    """A row of inbound_calls; times are epoch seconds. `number`: if it may be called."""

    id: str
    number: str | None
    entered_at: float
    joined_at: float | None
    bridging_at: float | None
    ended_at: float | None
    outcome: str | None
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    """A row of attempts; times are epoch seconds."""

    id: str
    callback: str
    dialed_at: float
    answered_at: float | None
    confirmed_at: float | None
    ended_at: float | None
    outcome: str | None

    def lasts_at(self, moment: float) -> bool:
        return self.dialed_at <= moment and (self.ended_at is None or moment <= self.ended_at)


@dataclass(frozen=True, slots=True)
class Outage:
    """Nobody heard the telephone: from a death or cut until the engine was ready again.

    A death while the store was down takes with it all that was heard since: the outage begins when the store broke.
    `lag_seconds`: how late events came before it.
    """

    start: float
    end: float
    lag_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Blow:
    """A kill, or another fault that can end a call: when, what, and how many customers were in a call.

    `of_pbx`: all calls ended with it.
    """

    at: float
    what: str
    live: int
    point: str = ""
    of_pbx: bool = False


@dataclass(frozen=True, slots=True)
class Intervals:
    """The services' intervals in seconds."""

    retry: float
    fault: float
    later: float
    exclusion: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it. `kills` are those of the engine, `faults` the other blows.

    `connects`: how each service connects; `capacity`: of each slot of a service. `suppressed`: numbers that the
    database will never call; `classified`: callbacks of which it knows how the call went. `agents`: calls to them.
    `rung_in`: of people who rang in to the service `inward`, `inbound` what is written of them.
    """

    calls: Sequence[WitnessCall]
    callbacks: Sequence[CallbackSeen]
    attempts: Sequence[AttemptSeen]
    asked: Sequence[Asked]
    intervals: Intervals
    kills: Sequence[Blow] = ()
    faults: Sequence[Blow] = ()
    outages: Sequence[Outage] = ()
    agents: Sequence[WitnessCall] = ()
    said: Sequence[Said] = ()
    offered: Sequence[Offered] = ()
    announced: Sequence[Announced] = ()
    interactions: Sequence[InteractionSeen] = ()
    rung_in: Sequence[RungIn] = ()
    inbound: Sequence[InboundSeen] = ()
    inward: str = ""
    suppressed: Set[str] = frozenset()
    classified: Set[str] = frozenset()
    connects: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=dict)
    calls_of: Mapping[str, Sequence[WitnessCall]] = field(init=False)
    attempts_of: Mapping[str, Sequence[AttemptSeen]] = field(init=False)
    by_id: Mapping[str, CallbackSeen] = field(init=False)

    def __post_init__(self) -> None:
        calls: dict[str, list[WitnessCall]] = {}
        for call in sorted(self.calls, key=lambda call: call.invited_at):
            calls.setdefault(call.number, []).append(call)
        by_id = {callback.id: callback for callback in self.callbacks}
        attempts: dict[str, list[AttemptSeen]] = {}
        for attempt in sorted(self.attempts, key=lambda attempt: attempt.dialed_at):
            number = by_id[attempt.callback].number if attempt.callback in by_id else "?"
            attempts.setdefault(number, []).append(attempt)
        object.__setattr__(self, "calls_of", calls)
        object.__setattr__(self, "attempts_of", attempts)
        object.__setattr__(self, "by_id", by_id)

    def attempts_at(self, call: WitnessCall) -> list[AttemptSeen]:
        """Those to which the INVITE may belong; exactly one if all is sound."""
        return [attempt for attempt in self.attempts_of.get(call.number, ()) if attempt.lasts_at(call.invited_at)]

    def attempt_of(self, call: WitnessCall) -> AttemptSeen | None:
        """The one it belongs to; None: there is none, or more than one."""
        fitting = self.attempts_at(call)
        return fitting[0] if len(fitting) == 1 else None

    def calls_of_wishes(self) -> Iterator[Sequence[WitnessCall]]:
        """The calls of each callback, in order. Of a number that has only one, all calls, whatever is written."""
        wishes = Counter(callback.number for callback in self.callbacks)
        for number, calls in self.calls_of.items():
            if wishes[number] <= 1:
                yield calls
                continue
            of_callback: dict[str, list[WitnessCall]] = {}
            for call in calls:
                if attempt := self.attempt_of(call):
                    of_callback.setdefault(attempt.callback, []).append(call)
            yield from of_callback.values()

    def mode(self, callback: str) -> str:
        """How its service connects, as the configuration says it."""
        return self.connects.get(self.by_id[callback].service, "reserve") if callback in self.by_id else "reserve"

    def rows_of(self, call: RungIn) -> list[InboundSeen]:
        """What may be written of a call that came in: begun while it lasted, of its number or of none."""
        number, ended_at = call.caller.lstrip("+"), call.ended_at
        return [
            row
            for row in self.inbound
            if row.number in (number, None)
            and call.started_at <= row.entered_at
            and (ended_at is None or row.entered_at <= ended_at + HEARD_LATE_SECONDS)
        ]

    def died_with_the_pbx(self, moment: float) -> bool:
        """Whether a call that ended then ended because the PBX did."""
        blows = (*self.kills, *self.faults)
        return any(blow.of_pbx and blow.at <= moment <= blow.at + PBX_DIES_SECONDS for blow in blows)

    def is_lost(self, pressed_at: float) -> bool:
        """Whether a key of that moment may be lost: nobody was there to hear it, or to write it down."""
        return any(
            outage.start - outage.lag_seconds - KEY_MARGIN_SECONDS <= pressed_at <= outage.end
            for outage in self.outages
        )
