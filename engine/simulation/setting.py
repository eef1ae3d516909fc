"""What a scenario means: a configuration, who comes when, who serves when, and how all of them behave.

Checks what a single field cannot know: names that lead nowhere, files that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from engine.core.configuration import Agent, Configuration, Pace
from engine.core.hours import Calendar
from engine.core.terms import VOICE, AgentId, Media, ServiceId
from engine.core.values import replace
from engine.document import parse as parse_document
from engine.document.calendars import calendar_of, problems_of
from engine.document.models import CalendarEntry
from engine.errors import DocumentError, FieldProblem
from engine.fields import nearest, problems
from engine.simulation.arrivals import Source
from engine.simulation.changed_document import changed
from engine.simulation.drawn_people import Agents, Customers
from engine.simulation.meanings import Files, agents_of, customers_of, distribution, process_of
from engine.simulation.scenario import ScenarioEntry, ShiftEntry, VariantEntry
from engine.simulation.telephones import Timing

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration and its world. `starts` and `ends` are when customers come; what they began goes on after."""

    name: str
    configuration: Configuration
    sources: tuple[Source, ...]
    shifts: Mapping[AgentId, Calendar | None]
    agents: Agents
    timing: Timing
    pace: Pace
    starts: float
    ends: float
    counts_from: float
    within_seconds: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read: one setting, or two that are to be compared."""

    first: Setting
    second: Setting | None
    replications: int
    seed: int

    @property
    def settings(self) -> list[Setting]:
        return [self.first] if self.second is None else [self.first, self.second]


def read(content: Mapping[str, Any], files: Files) -> Scenario:
    """The scenario that a file means. Raises DocumentError with every problem found."""
    try:
        entry = ScenarioEntry.model_validate(dict(content))
    except ValidationError as error:
        raise DocumentError(problems(ScenarioEntry, error)) from None
    first = _setting(entry, files, "")
    second = None if entry.against is None else _setting(_varied(entry, entry.against), files, "against.")
    return Scenario(first, second, entry.replications, entry.seed)


def _varied(entry: ScenarioEntry, variant: VariantEntry) -> ScenarioEntry:
    written = {name: getattr(variant, name) for name in variant.model_fields_set}
    if "document" not in written:
        written["changes"] = {**entry.changes, **variant.changes}
    return entry.model_copy(update={"name": variant.name, **written})


def _setting(entry: ScenarioEntry, files: Files, at: str) -> Setting:
    configuration = _configuration(entry, files, at)
    starts = _moment(entry, at)
    found = [
        *_of_arrivals(entry, configuration, at),
        *_of_shifts(entry, configuration, at),
    ]
    if entry.warm_up_hours >= entry.hours:
        found.append(FieldProblem(f"{at}warm_up_hours", "must be less than hours, or nothing is counted"))
    if not configuration.agents and not entry.shifts:
        found.append(FieldProblem(f"{at}shifts", "nobody works: the services document has no agents, and no shift has"))
    if found:
        raise DocumentError(found)
    made = dict(_made_agents(entry.shifts))
    return Setting(
        name=entry.name or "",
        configuration=replace(configuration, agents={**configuration.agents, **made}),
        sources=tuple(_source(n, entry, files, starts, at) for n in range(len(entry.arrivals))),
        shifts=_shifts(entry, configuration),
        agents=agents_of(entry.agents, files, f"{at}agents"),
        timing=Timing(**entry.timing.model_dump()),
        pace=Pace(entry.pacing.max_dials, entry.pacing.calls_per_second),
        starts=starts,
        ends=starts + entry.hours * HOUR,
        counts_from=starts + entry.warm_up_hours * HOUR,
        within_seconds=entry.service_level_seconds,
    )


def _configuration(entry: ScenarioEntry, files: Files, at: str) -> Configuration:
    inline = isinstance(entry.document, dict)
    document = changed(entry.document if inline else files.document(entry.document), entry.changes, at)
    try:
        return parse_document(document).configuration
    except DocumentError as error:
        raise DocumentError(
            [
                FieldProblem(f"{at}document.{each.field}", each.message)
                if inline
                else FieldProblem(f"{at}document", f"{entry.document}: {each.field}: {each.message}")
                for each in error.problems
            ]
        ) from None


def _moment(entry: ScenarioEntry, at: str) -> float:
    try:
        moment = datetime.fromisoformat(entry.starts)
    except ValueError:
        problem = FieldProblem(f"{at}starts", 'must be a moment on the wall clock, such as "2026-03-02T08:00"')
        raise DocumentError([problem]) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(entry.timezone))).timestamp()


# ---- who asks ------------------------------------------------------------------------------------------


def _of_arrivals(entry: ScenarioEntry, configuration: Configuration, at: str) -> Iterator[FieldProblem]:
    for n, arrival in enumerate(entry.arrivals):
        here = f"{at}arrivals[{n}]"
        service = configuration.services.get(ServiceId(arrival.service))
        if service is None:
            hint = nearest(arrival.service, configuration.services) if configuration.services else "it has none"
            yield FieldProblem(f"{here}.service", f"is no service of the services document; {hint}")
            continue
        if arrival.subject is not None and arrival.subject not in service.subjects:
            yield FieldProblem(f"{here}.subject", f"service {service.id!r} has no subject {arrival.subject!r}")
        if arrival.slots is not None and service.slots is None:
            yield FieldProblem(f"{here}.slots", f"service {service.id!r} has no slots; give it some")
        if arrival.slots is not None and arrival.media != VOICE:
            yield FieldProblem(f"{here}.slots", "only calls can be booked; leave it out")


def _source(n: int, entry: ScenarioEntry, files: Files, starts: float, at: str) -> Source:
    arrival, here = entry.arrivals[n], f"{at}arrivals[{n}]"
    slots = arrival.slots
    return Source(
        service=ServiceId(arrival.service),
        process=process_of(arrival, files, entry.timezone, starts, here),
        customers=_customers(entry, n, files, at),
        subject=arrival.subject,
        language=arrival.language or "en",
        media=Media(arrival.media),
        booked=0.0 if slots is None else slots.share,
        ahead=None if slots is None else distribution(slots.ahead_seconds, files, f"{here}.slots.ahead_seconds"),
        zones=tuple(arrival.timezones),
    )


def _customers(entry: ScenarioEntry, n: int, files: Files, at: str) -> Customers:
    """What an arrival leaves out is as in the scenario."""
    own = entry.arrivals[n].customers
    if own is None:
        return customers_of(entry.customers, files, f"{at}customers")
    written = {name: getattr(own, name) for name in own.model_fields_set}
    return customers_of(entry.customers.model_copy(update=written), files, f"{at}arrivals[{n}].customers")


# ---- who serves ----------------------------------------------------------------------------------------


def _of_shifts(entry: ScenarioEntry, configuration: Configuration, at: str) -> Iterator[FieldProblem]:
    named: set[str] = set()
    for n, shift in enumerate(entry.shifts):
        here = f"{at}shifts[{n}]"
        for m, agent in enumerate(shift.agents or ()):
            if agent not in configuration.agents:
                hint = nearest(agent, configuration.agents) if configuration.agents else "it has none"
                yield FieldProblem(f"{here}.agents[{m}]", f"is no agent of the services document; {hint}")
            elif agent in named:
                yield FieldProblem(f"{here}.agents[{m}]", f"{agent!r} has a shift already; put all hours into one")
            named.add(agent)
        if shift.calendar is not None and shift.calendar not in configuration.calendars:
            yield FieldProblem(f"{here}.calendar", "is no calendar of the services document; write weekly instead")
        if shift.weekly is not None:
            yield from problems_of(_calendar_entry(shift, entry.timezone), here)


def _shifts(entry: ScenarioEntry, configuration: Configuration) -> dict[AgentId, Calendar | None]:
    if not entry.shifts:
        return dict.fromkeys(configuration.agents)
    found: dict[AgentId, Calendar | None] = {}
    for n, shift in enumerate(entry.shifts):
        calendar = None
        if shift.weekly is not None:
            calendar = calendar_of(_calendar_entry(shift, entry.timezone))
        elif shift.calendar is not None:
            calendar = next(each for name, each in configuration.calendars.items() if name == shift.calendar)
        agents = shift.agents if shift.agents is not None else [each for each, _ in _made_of(n, shift)]
        found |= dict.fromkeys(map(AgentId, agents), calendar)
    return found


def _calendar_entry(shift: ShiftEntry, timezone: str) -> CalendarEntry:
    return CalendarEntry(id="shift", timezone=timezone, weekly=shift.weekly or {})


def _made_agents(shifts: list[ShiftEntry]) -> Iterator[tuple[AgentId, Agent]]:
    for n, shift in enumerate(shifts):
        yield from _made_of(n, shift)


def _made_of(n: int, shift: ShiftEntry) -> Iterator[tuple[AgentId, Agent]]:
    """Agents of a shift that the services document does not know."""
    for m in range(shift.count or 0):
        agent = AgentId(f"shift{n}-{m + 1}")
        yield agent, Agent(agent, agent, f"PJSIP/{agent}", dict(shift.skills))
