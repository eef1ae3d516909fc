"""Which fields of the services document this version keeps without acting on them.

Whoever writes such a field is told so when the document is applied. A field leaves this list in the change that puts it
into effect.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.expressions import parse as parse_expression
from engine.document.models import ServiceEntry, ServicesDocument

_KEPT = "kept, but not in effect in this version"
# A value that already says what this version does needs no warning.
_SERVICE_FIELDS: dict[str, object] = {
    "cost_per_minute": None,
}


def warnings(document: ServicesDocument) -> list[str]:
    """One line for each field that was written and has no effect, and for each service that nobody can serve."""
    lines = []
    for n, service in enumerate(document.services):
        lines += [f"services[{n}].{line}" for line in _of_service(service)]
        requirement = parse_expression(service.skill_expression)
        if document.agents and not any(requirement.met_by(agent.skills) for agent in document.agents):
            lines.append(
                f"services[{n}].skill_expression: no agent of this document meets it, so nobody will be called"
            )
    return lines


def _of_service(service: ServiceEntry) -> Iterator[str]:
    written = service.model_fields_set
    for name, inert in _SERVICE_FIELDS.items():
        if name in written and getattr(service, name) != inert:
            yield f"{name}: {_KEPT}"
    if service.push.enabled:
        yield f"push: {_KEPT}"
