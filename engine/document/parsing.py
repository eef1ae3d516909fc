"""From the services document to the core's Configuration, and back.

Checks what a single field cannot know: ids that repeat and names that lead nowhere. A document is taken as a whole or
not at all, and all its problems are told at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.core import model
from engine.core.expressions import parse as parse_expression
from engine.core.hours import CalendarId
from engine.document.calendars import calendar_of, problems_of
from engine.document.in_effect import warnings
from engine.document.models import AgentEntry, ConfirmationEntry, ServiceEntry, ServicesDocument, SlotsEntry
from engine.errors import DocumentError, FieldProblem
from engine.fields import problems


@dataclass(frozen=True, slots=True)
class Parsed:
    """A good document, the configuration it means, and what of it has no effect, one line each."""

    document: ServicesDocument
    configuration: model.Configuration
    warnings: tuple[str, ...]

    @property
    def text(self) -> str:
        """The document as JSON text, for the store; `parse` takes it."""
        return json.dumps(export(self.document), ensure_ascii=False, separators=(",", ":"))


def parse(document: Mapping[str, Any] | str, *, version: int = 0) -> Parsed:
    """Check a document, or its JSON text from the store, and build the configuration it means.

    `version` is the one the store gave it. Raises DocumentError with every problem found.
    """
    try:
        checked = ServicesDocument.model_validate(_from_text(document) if isinstance(document, str) else dict(document))
    except ValidationError as error:
        raise DocumentError(problems(ServicesDocument, error)) from None
    found = list(_contradictions(checked))
    if found:
        raise DocumentError(found)
    configuration = model.Configuration(
        version=version,
        services={model.ServiceId(each.id): _service(each) for each in checked.services},
        agents={model.AgentId(each.id): _agent(each) for each in checked.agents},
        calendars={CalendarId(each.id): calendar_of(each) for each in checked.calendars},
        limits=model.Limits(max_open_per_number=checked.limits.max_open_per_number),
    )
    return Parsed(checked, configuration, tuple(warnings(checked)))


def _from_text(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise DocumentError(
            [FieldProblem("document", "the stored document is no JSON object; apply the document again")]
        )
    return document


def export(document: ServicesDocument) -> dict[str, Any]:
    """The document as it was written: fields that were left out stay out. Holds JSON values only."""
    return document.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _contradictions(document: ServicesDocument) -> Iterator[FieldProblem]:
    yield from _repeated("services", (each.id for each in document.services))
    yield from _repeated("agents", (each.id for each in document.agents))
    yield from _repeated("calendars", (each.id for each in document.calendars))
    for n, calendar in enumerate(document.calendars):
        yield from problems_of(calendar, f"calendars[{n}]")
    calendars = {each.id for each in document.calendars}
    for n, service in enumerate(document.services):
        at = f"services[{n}]"
        subjects = {each.id for each in service.subjects}
        yield from _repeated(f"{at}.subjects", (each.id for each in service.subjects))
        if len(set(service.languages)) != len(service.languages):
            yield FieldProblem(f"{at}.languages", "a language stands twice; name each once, the default first")
        if service.calendar is not None and service.calendar not in calendars:
            yield FieldProblem(f"{at}.calendar", f"there is no calendar {service.calendar!r}; add it or leave it out")
        if service.slots is not None and service.calendar is None:
            yield FieldProblem(f"{at}.slots", "slots are cut from the hours of a calendar; name one in calendar")
        for m, page in enumerate(service.pages):
            if page.subject not in subjects:
                yield FieldProblem(f"{at}.pages[{m}].subject", f"this service has no subject {page.subject!r}")


def _repeated(at: str, ids: Iterable[str]) -> Iterator[FieldProblem]:
    seen: set[str] = set()
    for n, each in enumerate(ids):
        if each in seen:
            yield FieldProblem(f"{at}[{n}].id", f"the id {each!r} is used twice; ids must differ")
        seen.add(each)


def _service(entry: ServiceEntry) -> model.Service:
    return model.Service(
        id=model.ServiceId(entry.id),
        name=entry.name,
        company=entry.company,
        skill=parse_expression(entry.skill_expression),
        languages=tuple(entry.languages),
        subjects=tuple(each.id for each in entry.subjects),
        calendar=None if entry.calendar is None else CalendarId(entry.calendar),
        slots=None if entry.slots is None else _slots(entry.slots),
        attempts=model.AttemptPolicy(
            max=entry.attempts.max,
            interval_seconds=entry.attempts.interval_seconds,
            fault_interval_seconds=entry.attempts.fault_interval_seconds,
            by_outcome={
                outcome: model.OutcomeRule(rule.max, rule.interval_seconds)
                for outcome, rule in entry.attempts.by_outcome.items()
            },
        ),
        confirmation=_confirmation(entry.confirmation),
        ring_timeout_seconds=entry.ring_timeout_seconds,
        agent_ring_seconds=entry.agent_ring_seconds,
        hold_limit_seconds=entry.hold_limit_seconds,
        call_limits=model.CallLimits(**entry.call_limits.model_dump()),
        wrap_up_seconds=entry.wrap_up_seconds,
        rona_return_seconds=entry.rona_return_seconds,
        life_seconds=entry.life_seconds,
        queue_cap=entry.queue_cap,
        priority=entry.priority.callback,
        caller_id=entry.caller_id,
    )


def _slots(entry: SlotsEntry) -> model.SlotPolicy:
    return model.SlotPolicy(entry.minutes, entry.capacity, entry.days_ahead, entry.min_notice_seconds)


def _confirmation(entry: ConfirmationEntry) -> model.Confirmation:
    keys = entry.keys
    return model.Confirmation(
        keys=model.ConfirmationKeys(keys.connect, keys.later, keys.cancel, keys.never),
        wait_seconds=entry.wait_seconds,
        repeats=entry.repeats,
        later_seconds=entry.later_seconds,
    )


def _agent(entry: AgentEntry) -> model.Agent:
    return model.Agent(model.AgentId(entry.id), entry.name, entry.endpoint, dict(entry.skills))
