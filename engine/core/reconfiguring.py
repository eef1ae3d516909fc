"""Decides on what administrators set: a configuration that is applied, and services that are paused.

Calls go on as they began, but nobody waits by a rule that is no more. A service that is used cannot be removed.
"""

from __future__ import annotations

from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.changes import ConfigurationKept, ServicePaused, ServiceResumed
from engine.core.decision import Done
from engine.core.dialled import DialledNumbers
from engine.core.events import ConfigurationApplied
from engine.core.needs import Needs
from engine.core.receiving import Receiving
from engine.core.records import Callback
from engine.core.switchboard import OF_SERVICE, PACE
from engine.core.terms import CallbackState, ServiceId
from engine.core.values import replace


class Reconfiguring(Receiving):
    """The administrators' side of the switchboard."""

    def _configure(self, event: ConfigurationApplied, now: float) -> None:
        used = [
            service
            for service in self.configuration.services
            if service not in event.configuration.services and self.is_used(service)
        ]
        if used:
            self._refuse("service-in-use", f"service {used[0]!r} has open callbacks or other open work; end them first")
            return
        before, version = self.configuration.services, self.configuration.version + 1
        removed = tuple(each for each in self.configuration.agents if each not in event.configuration.agents)
        self.configuration = replace(event.configuration, version=version)
        self._write([ConfigurationKept(version, event.document, now, removed)])
        self._write(self.desks.configure(self.configuration.agents, now))
        for flow in self._flows_in_order():
            flow.keys = self.configuration.services[flow.service.id].confirmation.keys
            if flow.agent is not None and self.desks.agent(flow.agent) is None:
                self._apply(flow, flow.withdraw_agent(now), now)
        for agent in sorted(each.id for each in self.desks.statuses() if self.desks.agent(each.id) is None):
            self._withdraw_offers(agent, now)
        self._needs = Needs(self.configuration.services)
        self._dialled = DialledNumbers(self.configuration.services)
        self._matching.configured()
        self.waits.configured()
        self._pacer.configured(self.configuration.services)
        for service in before:
            if service not in self.configuration.services:
                self._write(self.timers.clear(OF_SERVICE + service, PACE))
                self._resume(service, now)  # should there be such a service again, nobody remembers the pause
        for service in self.configuration.services:
            self._pace(service, now)
        for callback in sorted(self.book, key=lambda each: each.id):
            self._need_as_configured(callback, now)
        for interaction in self.interactions.values():
            if interaction.id in self.line:
                self._join_interaction(interaction)
        for caller in self._callers_in_order():
            self._caller_as_configured(caller, now)
        self._decision.reply = self.configuration

    def _need_as_configured(self, callback: Callback, now: float) -> None:
        """The steps of the expansion are others: what counts is how long the callback has waited."""
        if callback.state is not CallbackState.SCHEDULED:
            widened = self._needs.widened_at(callback, now)
            if widened != callback.widened:
                callback = replace(callback, widened=widened)
                self._write(self.book.keep(callback))
            self._widen_in_time(callback)
        self._rejoin(callback)
        self._look_anew(callback)

    def is_used(self, service: ServiceId) -> bool:
        """Whether anything open belongs to this service."""
        others = [each.service for each in self.interactions.values()]
        others += [flow.inbound.service for flow in self._callers.values()]
        return self.book.uses(service) or service in others

    def _callers_in_order(self) -> list[CallerFlow]:
        return [self._callers[call] for call in sorted(self._callers)]

    def _flows_in_order(self) -> list[CallFlow]:
        """The same order after a start, which finds them in another one."""
        return [self._flows[attempt] for attempt in sorted(self._flows)]

    def _pause(self, service: ServiceId, now: float) -> None:
        if service not in self.configuration.services:
            self._refuse("unknown-service", f"there is no service {service!r}")
            return
        if service not in self.paused:
            self.paused.add(service)
            self._write([ServicePaused(service, now)])
            self._pace(service, now)
            for callback in [self._open(each) for each in sorted(self._asked)]:
                if callback.request.service == service:
                    self._withdraw_preview(callback, "paused", now)
        self._decision.reply = Done()

    def _resume(self, service: ServiceId, now: float) -> None:
        if service in self.paused:
            self.paused.discard(service)
            self._write([ServiceResumed(service)])
            if service in self.configuration.services:
                self._pace(service, now)
        self._decision.reply = Done()
