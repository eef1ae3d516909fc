"""How many customers may be dialled at once and how many calls may begin in a second, of each service and of the node.

It counts and says when the next call may begin; it never waits. It writes nothing down: after a start it counts anew
from the live attempts, from the moments of the last dials, and from the timers that said when a call may begin again.
Only a call of a service with several calls a second, begun and over within the second before the start, is forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from engine.core.configuration import Pace, Service
from engine.core.terms import AttemptId, ServiceId
from engine.core.values import Value


class _Meter:
    """A whole rate: at most so many calls in any second. Another one: calls at equal distances.

    So no stretch of time that is a whole number of seconds, or of distances, ever sees more calls than the rate.
    """

    __slots__ = ("_began", "_calls", "_rests_until", "_seconds")

    def __init__(self, calls_per_second: float) -> None:
        self._calls = int(calls_per_second) if calls_per_second == int(calls_per_second) else 1
        self._seconds = self._calls / calls_per_second
        self._began: deque[float] = deque(maxlen=self._calls)
        self._rests_until = float("-inf")

    def count(self, now: float) -> None:
        self._began.append(now)

    def rest(self, until: float) -> None:
        """No call before; for who does not know the calls that this comes from."""
        self._rests_until = until

    def go_on_from(self, other: _Meter) -> None:
        """Take over what a meter of another rate has counted."""
        self._began.extend(other._began)

    def next_at(self, now: float) -> float:
        """When the next call may begin: now, or when the oldest one that counts is old enough."""
        if self._began and self._began[-1] > now:
            # The clock was set back: nobody waits until it shows the same time again.
            self._began = deque((now for _each in self._began), maxlen=self._calls)
        at = self._rests_until = min(self._rests_until, now + self._seconds)
        if len(self._began) == self._calls:
            at = max(at, self._began[0] + self._seconds)
        return max(now, at)


class LiveCall(Value):
    """An attempt that was live at a start. `dialling`: the customer has not answered yet, or is not even dialled."""

    attempt: AttemptId
    service: ServiceId
    dialling: bool
    dialed_at: float | None


class Pacer:
    """`node` bounds all services together: there `max_dials` counts every live call, answered or not."""

    def __init__(self, node: Pace, services: Mapping[ServiceId, Service]) -> None:
        self._node = node
        self._node_meter = _meter(node)
        self._live: dict[AttemptId, tuple[ServiceId, float | None]] = {}
        self._dialling: dict[AttemptId, ServiceId] = {}
        self._in_flight: dict[ServiceId, int] = {}
        self._meters: dict[ServiceId, _Meter] = {}
        self._paces: dict[ServiceId, Pace] = {}
        self.configured(services)

    @property
    def node(self) -> Pace:
        """That of all services together."""
        return self._node

    def configured(self, services: Mapping[ServiceId, Service]) -> None:
        """The services are others, or their paces; what was begun before counts for the new pace too."""
        before, paces, self._meters = self._meters, self._paces, {}
        self._paces = {service.id: service.pace for service in services.values()}
        for service, pace in self._paces.items():
            meter = _meter(pace)
            if meter is None:
                continue
            if service in before and paces[service] == pace:
                meter = before[service]
            elif service in before:
                meter.go_on_from(before[service])
            else:
                for at in sorted(
                    at for of_service, at in self._live.values() if of_service == service and at is not None
                ):
                    meter.count(at)
            self._meters[service] = meter

    def restore(
        self,
        live: Iterable[LiveCall],
        dials: Sequence[float],
        rests: Iterable[tuple[ServiceId | None, float]],
    ) -> None:
        """What is known at a start: live calls in the order of their dials, when anybody was dialled lately, oldest
        first, and until when no call of a service (None: any call) was to begin."""
        for call in live:
            self._live[call.attempt] = call.service, call.dialed_at
            if call.dialling:
                self._note_dial(call.attempt, call.service)
            meter = self._meters.get(call.service)
            if meter is not None and call.dialed_at is not None:
                meter.count(call.dialed_at)
        if self._node_meter is not None:
            for at in dials:
                self._node_meter.count(at)
        for service, until in rests:
            meter = self._node_meter if service is None else self._meters.get(service)
            if meter is not None:
                meter.rest(until)

    def begun(self, attempt: AttemptId, service: ServiceId) -> None:
        """An attempt begins: one dial more is in flight, or will be when the agent, who is rung first, is there."""
        self._live[attempt] = service, None
        self._note_dial(attempt, service)

    def dialled(self, attempt: AttemptId, service: ServiceId, now: float) -> None:
        """A call to a customer begins."""
        self._live[attempt] = service, now
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
        self._live.pop(attempt, None)

    def is_full(self) -> bool:
        """Whether no call at all may begin before one has ended."""
        return self._node.max_dials is not None and len(self._live) >= self._node.max_dials

    def is_full_of(self, service: ServiceId) -> bool:
        """Whether no call of this service may begin before one of its customers has answered, or a call has ended."""
        most = self._paces[service].max_dials
        return most is not None and self._in_flight.get(service, 0) >= most

    def next_at(self, now: float) -> float:
        """When the rate lets any call begin."""
        return now if self._node_meter is None else self._node_meter.next_at(now)

    def next_of(self, service: ServiceId, now: float) -> float:
        """When the service's rate lets a call of it begin."""
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
