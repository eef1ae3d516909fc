"""How many customers may be dialled at once and how many calls may begin in a second, of each service and of the node.

It counts and says when the next call may begin; it never waits. What it has counted is not written down: after a start
the dials in flight are counted anew from the live attempts, and a second without a memory does no harm.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from engine.core.model import AttemptId, Pace, Service, ServiceId


class _Meter:
    """At most `calls` in any `seconds`, which is the rate in whole calls."""

    __slots__ = ("_began", "_calls", "_seconds")

    def __init__(self, calls_per_second: float) -> None:
        self._calls = max(1, int(calls_per_second))
        self._seconds = self._calls / calls_per_second
        self._began: deque[float] = deque(maxlen=self._calls)

    def count(self, now: float) -> None:
        self._began.append(now)

    def next_at(self, now: float) -> float:
        """When the next call may begin: now, or when the oldest one that counts is old enough."""
        if len(self._began) < self._calls:
            return now
        return max(now, self._began[0] + self._seconds)


class Pacer:
    """`node` bounds all services together: there `max_dials` counts every live call, answered or not."""

    def __init__(self, node: Pace, services: Mapping[ServiceId, Service]) -> None:
        self._node = node
        self._node_meter = _meter(node)
        self._live: set[AttemptId] = set()
        self._dialling: dict[AttemptId, ServiceId] = {}
        self._in_flight: dict[ServiceId, int] = {}
        self._meters: dict[ServiceId, _Meter] = {}
        self._services: Mapping[ServiceId, Service] = {}
        self.configured(services)

    def configured(self, services: Mapping[ServiceId, Service]) -> None:
        """The services are others; a service whose pace is the same goes on counting."""
        before, self._services = self._services, services
        self._meters = {
            service.id: self._meters[service.id]
            if service.id in self._meters and before[service.id].pace == service.pace
            else meter
            for service in services.values()
            if (meter := _meter(service.pace)) is not None
        }

    def restore(self, live: Iterable[tuple[AttemptId, ServiceId, bool]]) -> None:
        """Live attempts at a start; the third value says whether the customer is still being dialled."""
        for attempt, service, dialling in live:
            self._live.add(attempt)
            if dialling:
                self._note_dial(attempt, service)

    def begun(self, attempt: AttemptId, service: ServiceId) -> None:
        """An attempt begins: one dial more is in flight, or will be when the agent, who is rung first, is there."""
        self._live.add(attempt)
        self._note_dial(attempt, service)

    def dialled(self, service: ServiceId, now: float) -> None:
        """A call to a customer begins."""
        for meter in (self._node_meter, self._meters.get(service)):
            if meter is not None:
                meter.count(now)

    def answered(self, attempt: AttemptId) -> None:
        """The customer's phone rings no more."""
        service = self._dialling.pop(attempt, None)
        if service is not None:
            self._in_flight[service] -= 1

    def ended(self, attempt: AttemptId) -> None:
        """The call is over."""
        self.answered(attempt)
        self._live.discard(attempt)

    def next_at(self, now: float) -> float | None:
        """When any call may begin; None: not before one has ended."""
        if self._node.max_dials is not None and len(self._live) >= self._node.max_dials:
            return None
        return now if self._node_meter is None else self._node_meter.next_at(now)

    def next_of(self, service: ServiceId, now: float) -> float | None:
        """When a call of this service may begin; None: not before one has been answered or has ended."""
        pace = self._services[service].pace
        if pace.max_dials is not None and self._in_flight.get(service, 0) >= pace.max_dials:
            return None
        meter = self._meters.get(service)
        return now if meter is None else meter.next_at(now)

    def next_dial_of(self, service: ServiceId, now: float) -> float:
        """When the dial of an attempt that has begun may follow: it counts in flight already."""
        meters = (self._node_meter, self._meters.get(service))
        return max((meter.next_at(now) for meter in meters if meter is not None), default=now)

    def _note_dial(self, attempt: AttemptId, service: ServiceId) -> None:
        self._dialling[attempt] = service
        self._in_flight[service] = self._in_flight.get(service, 0) + 1


def _meter(pace: Pace) -> _Meter | None:
    return None if pace.calls_per_second is None else _Meter(pace.calls_per_second)
