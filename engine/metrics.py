"""The figures Prometheus scrapes. All names begin with `ringback_`.

Labels come from closed lists, route templates and service ids; a phone number, a name or any other id is never one, so
that figures hold nothing personal and their number stays bounded. Gauges are read from the dispatcher at the scrape.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from engine.core.dispatcher import Dispatcher

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FAST_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One engine's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._accepted = Counter(
            "ringback_requests_accepted", "Callback requests accepted.", ["service"], registry=self.registry
        )
        self._refused = Counter(
            "ringback_requests_refused", "Callback requests refused, by error code.", ["code"], registry=self.registry
        )
        self._attempts = Counter(
            "ringback_attempts", "Attempts that have ended, by outcome.", ["outcome"], registry=self.registry
        )
        self._verdicts = Histogram(
            "ringback_screening_seconds",
            "Ended attempts that were answered: from the answer to the verdict, by verdict and what it rests on.",
            ["verdict", "evidence"],
            buckets=(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 60),
            registry=self.registry,
        )
        self._inbound = Counter(
            "ringback_inbound_calls",
            "Calls that came in and have ended, by outcome; without a service if no service takes them.",
            ["service", "outcome"],
            registry=self.registry,
        )
        self._inbound_wait = Histogram(
            "ringback_inbound_wait_seconds",
            "Calls that came in and have ended: from their beginning until the caller talked to an agent.",
            ["service"],
            buckets=(5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600),
            registry=self.registry,
        )
        self._ears = Counter(
            "ringback_ears",
            "Times a customer was to be listened to: opened, refused or not_connected by Asterisk, or none_left.",
            ["result"],
            registry=self.registry,
        )
        self._overtakes = Counter(
            "ringback_overtakes",
            "Customers of the same service who stood before one that was called.",
            ["service"],
            registry=self.registry,
        )
        self._ari = Counter(
            "ringback_ari_requests", "Requests to Asterisk, by result.", ["operation", "result"], registry=self.registry
        )
        self._events = Counter("ringback_events", "Events decided on, by type.", ["type"], registry=self.registry)
        self._commit = Histogram(
            "ringback_commit_seconds", "Time one commit took.", buckets=_FAST_SECONDS, registry=self.registry
        )
        self._group = Histogram(
            "ringback_commit_group_size",
            "Events written with one commit.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
            registry=self.registry,
        )
        self._http = Histogram(
            "ringback_http_request_seconds",
            "HTTP requests by route template.",
            ["method", "route", "status"],
            buckets=_FAST_SECONDS,
            registry=self.registry,
        )
        self._store_failures = Counter(
            "ringback_store_failures", "Times the store could not be written.", ["kind"], registry=self.registry
        )
        self._socket_lost = Counter(
            "ringback_event_socket_lost", "Event sockets lost, by Asterisk.", ["node"], registry=self.registry
        )
        self._socket_deaf = Counter(
            "ringback_event_socket_deaf",
            "Event sockets that were open and brought no event, by Asterisk.",
            ["node"],
            registry=self.registry,
        )
        self._recoveries = Counter(
            "ringback_recoveries", "Looks at all calls after a start or a fault.", ["node"], registry=self.registry
        )
        self._recovered = Counter(
            "ringback_attempts_recovered", "Attempts a recovery judged.", ["did"], registry=self.registry
        )
        self._held = Counter(
            "ringback_callbacks_held", "Requests held after too many failures of ours.", registry=self.registry
        )
        self._late = Counter(
            "ringback_legs_late", "Legs of ended attempts that were hung up on sight.", registry=self.registry
        )
        self._effects = Counter(
            "ringback_effects", "Effects carried out, by result.", ["effect", "result"], registry=self.registry
        )
        self._ami_lost = Counter(
            "ringback_ami_lost",
            "Sessions with the manager interface lost, by Asterisk.",
            ["node"],
            registry=self.registry,
        )
        self._trunk = Gauge(
            "ringback_trunk",
            "1 for the state the trunk is in: registered, unregistered, reachable, unreachable or unknown.",
            ["node", "state"],
            registry=self.registry,
        )
        self._trunks: dict[str, str] = {}
        self._start = Gauge(
            "ringback_start_seconds", "What the parts of this start took.", ["part"], registry=self.registry
        )
        ProcessCollector(namespace="ringback", registry=self.registry)

    def watch(self, dispatcher: Callable[[], Dispatcher], health: Callable[[], Mapping[str, bool]]) -> None:
        """Read the gauges at each scrape: `health` says of each outside system whether it is usable. Call it once."""
        self.registry.register(_Gauges(dispatcher, health))

    def accepted(self, service: str) -> None:
        """A request was accepted for a configured service."""
        self._accepted.labels(service).inc()

    def refused(self, code: str) -> None:
        """A request was refused with one of the public error codes."""
        self._refused.labels(code).inc()

    def attempt_ended(self, outcome: str) -> None:
        """An attempt ended; its end is written down."""
        self._attempts.labels(outcome).inc()

    def screened(self, verdict: str, evidence: str, seconds: float) -> None:
        """An attempt that was answered has ended, with this verdict so long after the answer."""
        self._verdicts.labels(verdict, evidence).observe(seconds)

    def inbound_ended(self, service: str, outcome: str) -> None:
        """A call that came in ended. `service` is empty if none takes the number that was dialled."""
        self._inbound.labels(service, outcome).inc()

    def inbound_served(self, service: str, seconds: float) -> None:
        """A caller who has talked to an agent had waited for so long."""
        self._inbound_wait.labels(service).observe(seconds)

    def ear(self, result: str) -> None:
        """A customer was to be listened to: it is `opened`, `refused` or `not_connected`, or `none_left`."""
        self._ears.labels(result).inc()

    def overtook(self, service: str, customers: int) -> None:
        """A call has begun while so many of the same service stood before this customer."""
        self._overtakes.labels(service).inc(customers)

    def ari_request(self, operation: str, result: str) -> None:
        """A request to Asterisk ended as ok, refused or unknown. `operation` names the kind, never an id."""
        self._ari.labels(operation, result).inc()

    def event(self, type_name: str) -> None:
        """The dispatcher was told of an event of this class."""
        self._events.labels(type_name).inc()

    def store_failed(self, kind: str) -> None:
        """The store counts as down: a commit `failed`, or was too `slow`."""
        self._store_failures.labels(kind).inc()

    def event_socket_lost(self, node: str) -> None:
        """The event socket to this Asterisk was lost."""
        self._socket_lost.labels(node).inc()

    def event_socket_deaf(self, node: str) -> None:
        """The event socket to this Asterisk was open and brought nothing; it counts as lost, too."""
        self._socket_deaf.labels(node).inc()

    def recovered(self, node: str) -> None:
        """Everything on this Asterisk has been looked at."""
        self._recoveries.labels(node).inc()

    def attempt_recovered(self, did: str) -> None:
        """A recovery judged one attempt."""
        self._recovered.labels(did).inc()

    def callback_held(self) -> None:
        """A callback waits for a supervisor after too many failures of ours."""
        self._held.inc()

    def leg_late(self) -> None:
        """A leg of an ended attempt showed up and is hung up."""
        self._late.inc()

    def ami_lost(self, node: str) -> None:
        """The session with this Asterisk's manager interface was lost; phones are unknown until it is back."""
        self._ami_lost.labels(node).inc()

    def trunk(self, node: str, state: str) -> None:
        """The trunk of this Asterisk is in this state, and in no other."""
        if node in self._trunks:
            self._trunk.remove(node, self._trunks[node])
        self._trunks[node] = state
        self._trunk.labels(node, state).set(1)

    def effect_ended(self, effect: str, result: str) -> None:
        """An effect ended as ok, refused or unknown."""
        self._effects.labels(effect, result).inc()

    def committed(self, size: int, seconds: float) -> None:
        """A group of `size` events was written in `seconds`."""
        self._group.observe(size)
        self._commit.observe(seconds)

    def started(self, parts: Mapping[str, float]) -> None:
        """The engine is ready; the seconds of each part of its start."""
        for part, seconds in parts.items():
            self._start.labels(part).set(seconds)

    def http(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered. `route` is the template, never the path."""
        self._http.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format (CONTENT_TYPE)."""
        return generate_latest(self.registry)


class _Gauges(Collector):
    def __init__(self, dispatcher: Callable[[], Dispatcher], health: Callable[[], Mapping[str, bool]]) -> None:
        self._dispatcher = dispatcher
        self._health = health

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The names, so that registering does not need a scrape."""
        return iter(_families())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they stand."""
        dispatcher = self._dispatcher()
        callbacks, waiting, callers, agents, phones, calls, interactions, paused, suppressed, version, up = _families()
        states = Tally((each.state.value, str(each.request.service)) for each in dispatcher.book)
        for (state, service_name), count in sorted(states.items()):
            callbacks.add_metric([state, service_name], count)
        for service_id in dispatcher.configuration.services:
            waiting.add_metric([service_id], dispatcher.line.waiting(service_id))
        in_line = (flow.inbound for flow in dispatcher.callers() if flow.inbound.id in dispatcher.line)
        on_the_phone = Tally(call.service for call in in_line)
        for service_id, service in dispatcher.configuration.services.items():
            if service.inbound is not None:
                callers.add_metric([service_id], on_the_phone[service_id])
        for shown, count in sorted(Tally(status.shown for status in dispatcher.desks.statuses()).items()):
            agents.add_metric([shown], count)
        endpoints = {agent.endpoint for agent in dispatcher.configuration.agents.values()}
        for phone, count in sorted(Tally(map(dispatcher.desks.phones.of, endpoints)).items()):
            phones.add_metric([phone.value], count)
        calls.add_metric([], sum(1 for _ in dispatcher.live()))
        work = Tally((str(each.service), each.state.value) for each in dispatcher.interactions.values())
        for (service_name, state), count in sorted(work.items()):
            interactions.add_metric([service_name, state], count)
        paused.add_metric([], len(dispatcher.paused & dispatcher.configuration.services.keys()))
        suppressed.add_metric([], len(dispatcher.suppressions))
        version.add_metric([], dispatcher.configuration.version)
        for system, usable in self._health().items():
            up.add_metric([system], usable)
        return iter((callbacks, waiting, callers, agents, phones, calls, interactions, paused, suppressed, version, up))


def _families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("ringback_callbacks_open", "Callbacks that have not ended.", labels=["state", "service"]),
        GaugeMetricFamily("ringback_line_waiting", "Callbacks and other work waiting in the line.", labels=["service"]),
        GaugeMetricFamily(
            "ringback_inbound_waiting", "Callers who wait on the phone, also in the menu.", labels=["service"]
        ),
        GaugeMetricFamily("ringback_agents", "Agents by the state that is shown.", labels=["state"]),
        GaugeMetricFamily("ringback_phones", "Agents' phones by state.", labels=["state"]),
        GaugeMetricFamily("ringback_calls_live", "Attempts that are under way.", labels=[]),
        GaugeMetricFamily(
            "ringback_interactions_open", "Work from outside that has not ended.", labels=["service", "state"]
        ),
        GaugeMetricFamily("ringback_services_paused", "Services that call nobody.", labels=[]),
        GaugeMetricFamily("ringback_suppressions", "Numbers that are never called.", labels=[]),
        GaugeMetricFamily("ringback_configuration_version", "Version of the configuration in force.", labels=[]),
        GaugeMetricFamily(
            "ringback_up", "Whether the store, each Asterisk and its manager interface are usable.", labels=["system"]
        ),
    )
