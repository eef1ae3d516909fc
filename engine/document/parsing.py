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

from engine.core.configuration import (
    Agent,
    AttemptPolicy,
    CallLimits,
    Configuration,
    Confirmation,
    ConfirmationKeys,
    Disposition,
    Inbound,
    Limits,
    OutcomeRule,
    OwnReason,
    Pace,
    Recording,
    Screening,
    Service,
    SlotPolicy,
    Widening,
)
from engine.core.expressions import parse as parse_expression
from engine.core.hours import CalendarId
from engine.core.permission import CallingWindow
from engine.core.terms import (
    AgentId,
    AgentOrder,
    ConnectMode,
    DispositionId,
    DispositionKind,
    MachineAction,
    NotReadyReason,
    ReasonId,
    ScreeningMode,
    ServiceId,
)
from engine.document.calendars import calendar_of, problems_of
from engine.document.in_effect import warnings
from engine.document.models import (
    AgentEntry,
    CallingWindowEntry,
    ConfirmationEntry,
    DispositionEntry,
    InboundEntry,
    LimitsEntry,
    ScreeningEntry,
    ServiceEntry,
    ServicesDocument,
    SlotsEntry,
)
from engine.errors import DocumentError, FieldProblem
from engine.fields import problems


@dataclass(frozen=True, slots=True)
class Parsed:
    """A good document, the configuration it means, and what of it has no effect, one line each."""

    document: ServicesDocument
    configuration: Configuration
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
    configuration = Configuration(
        version=version,
        services={ServiceId(each.id): _service(each) for each in checked.services},
        agents={AgentId(each.id): _agent(each) for each in checked.agents},
        dispositions={DispositionId(each.id): _disposition(each) for each in checked.dispositions},
        reasons={ReasonId(each.id): OwnReason(ReasonId(each.id), each.name) for each in checked.reasons},
        calendars={CalendarId(each.id): calendar_of(each) for each in checked.calendars},
        limits=_limits(checked.limits),
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
    return _as_written(document.model_dump(mode="json", by_alias=True, exclude_unset=True))  # type: ignore[no-any-return]


def _as_written(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Checking made 5.0 of the 5 that somebody wrote for seconds."""
    match value:
        case dict():
            return {name: _as_written(each) for name, each in value.items()}
        case list():
            return [_as_written(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _contradictions(document: ServicesDocument) -> Iterator[FieldProblem]:
    yield from _repeated("services", (each.id for each in document.services))
    yield from _repeated("agents", (each.id for each in document.agents))
    yield from _repeated("calendars", (each.id for each in document.calendars))
    yield from _repeated("dispositions", (each.id for each in document.dispositions))
    yield from _repeated("reasons", (each.id for each in document.reasons))
    for n, reason in enumerate(document.reasons):
        if reason.id in tuple(NotReadyReason):
            yield FieldProblem(f"reasons[{n}].id", f"{reason.id!r} is there always; leave it out")
    usernames: set[str | None] = {None}
    for n, agent in enumerate(document.agents):
        if agent.username is not None and agent.username in usernames:
            yield FieldProblem(f"agents[{n}].username", f"{agent.username!r} is used twice; usernames must differ")
        usernames.add(agent.username)
    services = {each.id for each in document.services}
    for n, code in enumerate(document.dispositions):
        for unknown in (each for each in code.services if each not in services):
            yield FieldProblem(
                f"dispositions[{n}].services", f"there is no service {unknown!r}; add it or leave it out"
            )
    for n, calendar in enumerate(document.calendars):
        yield from problems_of(calendar, f"calendars[{n}]")
    yield from _inbound_numbers(document)
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


def _inbound_numbers(document: ServicesDocument) -> Iterator[FieldProblem]:
    """A number leads to one service, and all other numbers to one at most."""
    leads_to: dict[str, str] = {}
    for n, service in enumerate(document.services):
        for number in [] if service.inbound is None else service.inbound.numbers or ["*"]:
            other = leads_to.setdefault(number.removeprefix("+"), service.id)
            if other == service.id:
                continue
            what = "all other numbers lead" if number == "*" else f"{number} leads"
            yield FieldProblem(f"services[{n}].inbound.numbers", f"{what} to service {other} already; name others")


def _repeated(at: str, ids: Iterable[str]) -> Iterator[FieldProblem]:
    seen: set[str] = set()
    for n, each in enumerate(ids):
        if each in seen:
            yield FieldProblem(f"{at}[{n}].id", f"the id {each!r} is used twice; ids must differ")
        seen.add(each)


def _service(entry: ServiceEntry) -> Service:
    return Service(
        id=ServiceId(entry.id),
        name=entry.name,
        company=entry.company,
        skill=parse_expression(entry.skill_expression),
        languages=tuple(entry.languages),
        subjects={
            each.id: None if each.skill_expression is None else parse_expression(each.skill_expression)
            for each in entry.subjects
        },
        expansion=tuple(
            Widening(each.after_seconds, parse_expression(each.skill_expression))
            for each in sorted(entry.expansion, key=lambda each: each.after_seconds)
        ),
        agent_order=AgentOrder(entry.agent_order),
        pace=Pace(entry.pacing.max_dials, entry.pacing.calls_per_second),
        calendar=None if entry.calendar is None else CalendarId(entry.calendar),
        slots=None if entry.slots is None else _slots(entry.slots),
        attempts=AttemptPolicy(
            max=entry.attempts.max,
            interval_seconds=entry.attempts.interval_seconds,
            fault_interval_seconds=entry.attempts.fault_interval_seconds,
            by_outcome={
                outcome: OutcomeRule(rule.max, rule.interval_seconds)
                for outcome, rule in entry.attempts.by_outcome.items()
            },
        ),
        confirmation=_confirmation(entry.confirmation),
        screening=_screening(entry.screening),
        ring_timeout_seconds=entry.ring_timeout_seconds,
        agent_ring_seconds=entry.agent_ring_seconds,
        hold_limit_seconds=entry.hold_limit_seconds,
        comfort_seconds=entry.comfort_seconds,
        call_limits=CallLimits(**entry.call_limits.model_dump()),
        wrap_up_seconds=entry.wrap_up_seconds,
        rona_return_seconds=entry.rona_return_seconds,
        connect=ConnectMode(entry.connect),
        preview_seconds=entry.preview_seconds,
        reject_exclusion_seconds=entry.reject_exclusion_seconds,
        life_seconds=entry.life_seconds,
        queue_cap=entry.queue_cap,
        priority=entry.priority.callback,
        inbound=None if entry.inbound is None else _inbound(entry.inbound, entry.priority.inbound),
        recording=None if entry.recording is None else Recording(entry.recording.announce),
        interaction_priority=entry.priority.interaction,
        caller_id=entry.caller_id,
        calling_window=None if entry.calling_window is None else _calling_window(entry.calling_window),
    )


def _slots(entry: SlotsEntry) -> SlotPolicy:
    return SlotPolicy(entry.minutes, entry.capacity, entry.days_ahead, entry.min_notice_seconds)


def _inbound(entry: InboundEntry, priority: int) -> Inbound:
    return Inbound(
        numbers=tuple(entry.numbers),
        callback_key=entry.callback_key,
        news_seconds=entry.news_seconds,
        wait_limit_seconds=entry.wait_limit_seconds,
        priority=priority,
    )


def _confirmation(entry: ConfirmationEntry) -> Confirmation:
    keys = entry.keys
    return Confirmation(
        keys=ConfirmationKeys(keys.connect, keys.later, keys.cancel, keys.never),
        wait_seconds=entry.wait_seconds,
        repeats=entry.repeats,
        later_seconds=entry.later_seconds,
    )


def _screening(entry: ScreeningEntry) -> Screening:
    chosen = entry.model_dump() | {"mode": ScreeningMode(entry.mode), "machine": MachineAction(entry.machine)}
    return Screening(**chosen)


def _agent(entry: AgentEntry) -> Agent:
    capacity = None if entry.capacity_rule is None else parse_expression(entry.capacity_rule)
    return Agent(AgentId(entry.id), entry.name, entry.endpoint, dict(entry.skills), capacity, entry.username)


def _disposition(entry: DispositionEntry) -> Disposition:
    return Disposition(
        DispositionId(entry.id),
        entry.name,
        DispositionKind(entry.kind),
        frozenset(ServiceId(each) for each in entry.services),
    )


def _limits(entry: LimitsEntry) -> Limits:
    return Limits(
        max_open_per_number=entry.max_open_per_number,
        per_number_per_day=entry.per_number_per_day,
        min_gap_seconds=entry.min_gap_seconds,
        attempts_per_number_per_day=entry.attempts_per_number_per_day,
        countries=tuple(entry.countries),
    )


def _calling_window(entry: CallingWindowEntry) -> CallingWindow:
    return CallingWindow(_second_of_day(entry.start), _second_of_day(entry.end))


def _second_of_day(time: str) -> int:
    """`HH:MM` or `HH:MM:SS`, checked before."""
    hours, minutes, *seconds = (int(part) for part in time.split(":"))
    return hours * 3600 + minutes * 60 + sum(seconds)
