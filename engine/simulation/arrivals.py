"""Customers who ask: each source of them brings one after another, so that nobody is made before they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.core.decision import Accepted
from engine.core.events import CallbackRequested, CancelRequested, InteractionEndRequested, InteractionRequested
from engine.core.records import Interaction, Request
from engine.core.slots import nearest_free
from engine.core.terms import (
    VOICE,
    CallbackId,
    InteractionId,
    InteractionState,
    Media,
    Reason,
    RequestChannel,
    ServiceId,
)
from engine.simulation.distributions import Distribution
from engine.simulation.drawn_people import Customers
from engine.simulation.rates import Process
from engine.simulation.streams import Streams
from engine.simulation.virtual_engine import VirtualEngine

WITHDRAWABLE = (InteractionState.QUEUED, InteractionState.OFFERED)


@dataclass(frozen=True, slots=True)
class Source:
    """Where customers come from, and what they ask for.

    `booked`: the share that wants a slot, about `ahead` seconds from now. `media` other than voice: work that is no
    call.
    """

    service: ServiceId
    process: Process
    customers: Customers
    subject: str | None = None
    language: str = "en"
    media: Media = VOICE
    booked: float = 0.0
    ahead: Distribution | None = None
    zones: tuple[str, ...] = ()


class Arrivals:
    """Brings the customers of all sources into one engine."""

    def __init__(self, engine: VirtualEngine, sources: Sequence[Source], streams: Streams) -> None:
        self._engine = engine
        self._sources = sources
        self._streams = streams
        self._moments: list[Iterator[float]] = []
        self._come_so_far = [0] * len(sources)

    def begin(self, until: float) -> None:
        """From now on customers come, until then."""
        now = self._engine.now
        for n, source in enumerate(self._sources):
            self._moments.append(source.process.moments(now, until, self._streams.own("arrivals", str(n))))
        for n in range(len(self._sources)):
            self._expect(n)

    def customers_of(self, customer: str) -> Customers:
        """How the customer of this id behaves."""
        return self._sources[int(customer.partition("-")[0])].customers

    def _expect(self, n: int) -> None:
        at = next(self._moments[n], None)
        if at is not None:
            self._engine.at(at, self._come, n)

    def _come(self, n: int) -> None:
        source = self._sources[n]
        number = self._come_so_far[n] = self._come_so_far[n] + 1
        self._expect(n)
        name = f"{n}-{number}"
        if source.media == VOICE:
            self._ask_for_a_call(source, CallbackId(name), f"+{n + 1}{number:010}")
        else:
            self._announce(source, InteractionId(name))

    def _ask_for_a_call(self, source: Source, name: CallbackId, phone: str) -> None:
        chance = self._streams.of("customer", name)
        books, patience = chance.random() < source.booked, source.customers.patience
        gives_up = None if patience is None else patience.draw(chance)
        when = None
        if books:
            wanted = self._engine.now + (source.ahead.draw(chance) if source.ahead else 0.0)
            when = self._free_slot(source.service, wanted)
        request = Request(
            source.service, phone, source.language, RequestChannel.WEB, subject=source.subject, zones=source.zones
        )
        reply = self._engine.tell(CallbackRequested(name, request, "", when=when)).reply
        if isinstance(reply, Accepted) and gives_up is not None and when is None:
            self._engine.after(gives_up, self._give_up, name)

    def _free_slot(self, service: ServiceId, wanted: float) -> float:
        """The free slot that is nearest to what they want; if there is none, they ask for that in vain."""
        dispatcher = self._engine.dispatcher
        policy = dispatcher.configuration.services[service]
        if policy.slots is None or policy.calendar is None:
            return wanted
        calendar = dispatcher.configuration.calendars[policy.calendar]
        free = nearest_free(calendar, policy.slots, dispatcher.slots, service, wanted, self._engine.now, limit=1)
        return free[0].start if free else wanted

    def _announce(self, source: Source, name: InteractionId) -> None:
        reply = self._engine.tell(InteractionRequested(name, source.media, source.service)).reply
        if isinstance(reply, Interaction) and source.customers.patience is not None:
            seconds = source.customers.patience.draw(self._streams.of("customer", name))
            self._engine.after(seconds, self._turn_away, name)

    # ---- patience --------------------------------------------------------------------------------------

    def _give_up(self, name: CallbackId) -> None:
        """Who has been called already has been patient enough."""
        callback = self._engine.dispatcher.book.get(name)
        if callback is not None and callback.attempts_started == 0:
            self._engine.tell(CancelRequested(name, Reason.BY_CUSTOMER))

    def _turn_away(self, name: InteractionId) -> None:
        interaction = self._engine.dispatcher.interactions.get(name)
        if interaction is not None and interaction.state in WITHDRAWABLE:
            self._engine.tell(InteractionEndRequested(name, completed=False))
