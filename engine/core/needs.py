"""What each callback asks of an agent: its service's requirement, its subject's, its own, and how far it was widened.

A subject's expression is needed besides the service's. A step of the expansion takes the place of both. What a request
itself narrows the target to always stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.configuration import Service
from engine.core.expressions import Expression, all_of
from engine.core.line import Need
from engine.core.records import Callback, InboundCall, Interaction
from engine.core.terms import AgentId, ServiceId

MOST_KNOWN = 10_000

_Kind = tuple[ServiceId, str | None, Expression | None, int, frozenset[AgentId], bool]


class Needs:
    """Needs by what they are made of, so that equal ones are made once."""

    def __init__(self, services: Mapping[ServiceId, Service]) -> None:
        self._services = services
        self._known: dict[_Kind, Need] = {}

    def of(self, callback: Callback, *, on_the_phone: bool) -> Need:
        """What the callback needs now; who is on the phone already needs no dial."""
        request = callback.request
        excluded = frozenset(callback.excluded)
        return self._of((request.service, request.subject, request.skill, callback.widened, excluded, not on_the_phone))

    def of_new(self, service: ServiceId, subject: str | None, narrowed: Expression | None = None) -> Need:
        """What a request would need."""
        return self._of((service, subject, narrowed, 0, frozenset(), True))

    def _of(self, kind: _Kind) -> Need:
        need = self._known.get(kind)
        if need is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            need = self._known[kind] = self._make(*kind)
        return need

    def of_caller(self, call: InboundCall) -> Need:
        """What a call that came in needs: the service's own requirement, as far as it was widened."""
        return self._of((call.service, None, None, call.widened, frozenset(), False))

    def of_interaction(self, interaction: Interaction) -> Need:
        """What work from outside needs: the service's own requirement, in its medium."""
        service = self._services[interaction.service]
        excluded = frozenset(interaction.excluded)
        return Need(service.id, service.skill, interaction.media, service.agent_order, excluded, dials=False)

    def widened_at(self, callback: Callback, at: float) -> int:
        """How many steps of the expansion count at a moment."""
        return self.steps_at(callback.request.service, callback.joined_at, at)

    def widens_at(self, callback: Callback) -> float | None:
        """When the next step of the expansion counts; None if there is none."""
        return self.step_after(callback.request.service, callback.joined_at, callback.widened)

    def steps_at(self, service: ServiceId, joined_at: float, at: float) -> int:
        """The same of anybody who joined the line of a service."""
        return sum(joined_at + step.after_seconds <= at for step in self._services[service].expansion)

    def step_after(self, service: ServiceId, joined_at: float, widened: int) -> float | None:
        """When the step after so many counts; None if there is none."""
        steps = self._services[service].expansion
        return joined_at + steps[widened].after_seconds if widened < len(steps) else None

    def _make(
        self,
        service_id: ServiceId,
        subject: str | None,
        narrowed: Expression | None,
        widened: int,
        excluded: frozenset[AgentId],
        dials: bool,  # noqa: FBT001 - a field of the need
    ) -> Need:
        service = self._services[service_id]
        steps = service.expansion[:widened]
        own = service.subjects.get(subject) if subject is not None else None
        wanted = [steps[-1].requirement] if steps else [service.skill, own]
        requirement = all_of(*(each for each in (*wanted, narrowed) if each is not None))
        return Need(service_id, requirement, order=service.agent_order, excluded=excluded, dials=dials)
