"""A recorded day decided anew: the same requests at the same times, the same people, perhaps another configuration.

What a customer did in their nth call they do in their nth call again. For calls that the record does not have, the
customer's last call counts, else that of another customer, drawn by chance; agents act as they did when they were rung
before. Calls that were up when the recording began are left out, so are those that came in, and whatever went wrong
outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from engine.core.configuration import Configuration
from engine.core.decision import Snapshot
from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import (
    ConfigurationApplied,
    Event,
    InteractionEndRequested,
    PresenceRequested,
)
from engine.core.hours import DAY_SECONDS
from engine.core.records import Callback, Work
from engine.core.terms import VOICE, AgentId, AttemptId, CallbackState, Presence, ServiceId, WorkId
from engine.core.values import replace
from engine.simulation.acts import AgentActs, Conversation, CustomerActs, OfferActs
from engine.simulation.arrivals import WITHDRAWABLE
from engine.simulation.figures import figures
from engine.simulation.recorded import Recorded
from engine.simulation.run import AFTERWARDS_DAYS, LOOKS_EVERY_SECONDS, Ran, is_empty, still_open
from engine.simulation.staff import Staff
from engine.simulation.streams import Streams
from engine.simulation.tally import Tally
from engine.simulation.telephones import Telephones
from engine.simulation.virtual_engine import Observer, VirtualEngine

USUAL_ANSWER_SECONDS, USUAL_TALK_SECONDS, USUAL_OFFER_SECONDS = 4.0, 180.0, 5.0
"""Where the record has no example of it."""
WAITING = (CallbackState.QUEUED, CallbackState.SCHEDULED, CallbackState.RETRY_WAIT)

_T = TypeVar("_T")


class RecordedPeople:
    """People who do what they did."""

    def __init__(self, recorded: Recorded, streams: Streams) -> None:
        self._recorded = recorded
        self._streams = streams
        self._last_calls = {attempt.rpartition("-")[0]: acts for attempt, acts in recorded.calls.items()}
        self._calls = list(recorded.calls.values())
        self._conversations = {
            attempt.rpartition("-")[0]: Conversation(talks, recorded.wrap_ups.get(attempt))
            for attempt, talks in recorded.talks.items()
        }
        self._talks = list(recorded.talks.values())
        self._rings = [acts for each in recorded.rings.values() for acts in each]
        self._offers = [acts for each in recorded.offers.values() for acts in each]
        self._offered: dict[tuple[AgentId, WorkId], int] = {}
        self._handled = list(recorded.handled.values())

    def customer(self, dial: DialCustomer) -> CustomerActs:
        """As in this call, else as in their last one, else as somebody."""
        found = self._recorded.calls.get(dial.attempt) or self._last_calls.get(dial.attempt.rpartition("-")[0])
        return found or self._somebodys(self._calls, CustomerActs(1.0, 8.0, keys=((8.0, "1"),)), "call", dial.attempt)

    def agent(self, ring: RingAgent) -> AgentActs:
        """As at this ring, else as they answered another, else as somebody did."""
        found = self._recorded.rings_by_leg.get(ring.leg)
        if found is not None:
            return found
        own = self._recorded.rings.get(ring.agent) or self._rings
        return self._somebodys(own, AgentActs(USUAL_ANSWER_SECONDS), "agent", ring.agent, ring.leg)

    def conversation(self, attempt: AttemptId, agent: AgentId, service: ServiceId) -> Conversation:  # noqa: ARG002
        """As long as they talked, at whichever attempt."""
        callback = attempt.rpartition("-")[0]
        own = self._conversations.get(callback)
        return own or Conversation(self._somebodys(self._talks, USUAL_TALK_SECONDS, "talk", callback))

    def offered(self, agent: AgentId, work: Work) -> OfferActs:
        """As they answered this offer, else as somebody did."""
        own = self._recorded.offers.get((agent, work.id))
        n = self._offered[agent, work.id] = self._offered.get((agent, work.id), -1) + 1
        if own is not None and n < len(own):
            acts = own[n]
        else:
            acts = self._somebodys(self._offers, OfferActs(USUAL_OFFER_SECONDS), "offer", agent, work.id, str(n))
        if work.media == VOICE:
            return acts
        handles = self._recorded.handled.get(work.id)
        if handles is None:
            handles = self._somebodys(self._handled, USUAL_TALK_SECONDS, "talk", work.id)
        return replace(acts, handles_seconds=handles)

    def returns_after(self, agent: AgentId) -> float | None:  # noqa: ARG002 - as the protocol has it
        """Who came back by hand stands among the events."""
        return None

    def _somebodys(self, examples: Sequence[_T], usual: _T, *name: str) -> _T:
        chance = self._streams.of(*name)
        return examples[int(chance.random() * len(examples))] if examples else usual


def rerun(
    recorded: Recorded,
    configuration: Configuration | None,
    within_seconds: float,
    seed: int = 1,
    progress: Callable[[float], object] | None = None,
    observers: Sequence[Observer] = (),
) -> Ran:
    """Decide the recorded day anew; `configuration` None: as it was configured then, with each document at its time."""
    snapshot = _beginning(recorded.snapshot, configuration)
    engine = VirtualEngine(snapshot, recorded.began)
    engine.observers += observers
    people = RecordedPeople(recorded, Streams(seed))
    Telephones(engine, people)
    tally = Tally(engine, within_seconds, recorded.began, recorded.ended)
    Staff(engine, people)
    known = {status.id for status in recorded.snapshot.agents}
    for at, event in _events(recorded, configuration):
        if isinstance(event, InteractionEndRequested):
            engine.at(at, lambda withdrawn: _withdraw(engine, withdrawn), event)
        else:
            engine.tell_at(at, event)
        if isinstance(event, PresenceRequested):
            known.add(event.agent)
    for agent in configuration.agents if configuration is not None else ():
        if agent not in known:
            engine.tell_at(recorded.began, PresenceRequested(agent, Presence.READY))
    _pass(engine, recorded, progress)
    tally.close()
    return Ran(figures(tally), tally.events, still_open(engine))


def _events(recorded: Recorded, configuration: Configuration | None) -> Iterator[tuple[float, Event]]:
    for at, event in recorded.events:
        if configuration is None or not isinstance(event, ConfigurationApplied):
            yield at, event


def _pass(engine: VirtualEngine, recorded: Recorded, progress: Callable[[float], object] | None) -> None:
    whole = recorded.ended - recorded.began
    limit = recorded.ended + AFTERWARDS_DAYS * DAY_SECONDS
    while engine.next_at is not None and engine.now < limit:
        if engine.now >= recorded.ended and is_empty(engine):
            break
        engine.run_until(engine.next_at + LOOKS_EVERY_SECONDS)
        if progress is not None and whole > 0:
            progress(min(1.0, (engine.now - recorded.began) / whole))


def _withdraw(engine: VirtualEngine, event: InteractionEndRequested) -> None:
    """Whoever is being served by now is not turned away."""
    interaction = engine.dispatcher.interactions.get(event.id)
    if interaction is not None and interaction.state in WITHDRAWABLE:
        engine.tell(event)


def _beginning(snapshot: Snapshot, configuration: Configuration | None) -> Snapshot:
    """Who waited when the recording began; nobody is on the phone."""
    services = snapshot.configuration.services if configuration is None else configuration.services
    kept = tuple(each for each in snapshot.callbacks if _waits(each) and each.request.service in services)
    ids = {callback.id for callback in kept}
    return replace(
        snapshot,
        configuration=snapshot.configuration if configuration is None else configuration,
        callbacks=kept,
        attempts=(),
        agents=tuple(replace(status, works=()) for status in snapshot.agents),
        timers=tuple(timer for timer in snapshot.timers if timer.owner in ids),
        interactions=(),
        inbound=(),
        paused=tuple(each for each in snapshot.paused if each in services),
        slot_capacities=tuple(each for each in snapshot.slot_capacities if each.service in services),
    )


def _waits(callback: Callback) -> bool:
    return callback.state in WAITING
