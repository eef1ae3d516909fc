"""Which rules forbid a call at a moment, one by one, and how long each does; for explanations only.

The dispatcher asks all rules together when a call could begin, the retry policy when one has failed.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.core.configuration import AttemptPolicy, Configuration, Limits, OutcomeRule, Service
from engine.core.explain_steps import Rule
from engine.core.hours import Calendar, opens_at
from engine.core.number_history import NumberHistory
from engine.core.permission import window_opens_at
from engine.core.records import Request
from engine.core.switchboard import NO_ZONE
from engine.core.terms import Outcome
from engine.core.values import Value

_NO_LIMIT = 10**9


class Forbids(Value):
    """`until` None: for good, as far as anybody can see."""

    rule: Rule
    until: float | None


def calendar_of(configuration: Configuration, service: Service) -> Calendar | None:
    """The service's business hours."""
    return None if service.calendar is None else configuration.calendars.get(service.calendar)


def zone_of(configuration: Configuration, service: Service | None) -> str:
    """The zone in which the service's people read a clock."""
    calendar = calendar_of(configuration, service) if service is not None else None
    return NO_ZONE if calendar is None else calendar.timezone


def forbids(
    configuration: Configuration, service: Service, request: Request, history: NumberHistory, at: float
) -> list[Forbids]:
    """The rules by which the number may not be called at a moment."""
    zones = request.zones or (zone_of(configuration, service),)
    number = _number_rule(history, request.phone, zones[0], configuration.limits, at)
    found = [] if number is None else [number]
    if service.calling_window is not None:
        opens = window_opens_at(service.calling_window, zones, at)
        if opens > at:
            found.append(Forbids(Rule.CALLING_WINDOW, opens))
    return found


def forbids_retry(
    configuration: Configuration, service: Service, request: Request, history: NumberHistory, at: float
) -> list[Forbids]:
    """The same, business hours among them."""
    calendar = calendar_of(configuration, service)
    opens = at if calendar is None else opens_at(calendar, at)
    hours = [] if opens == at else [Forbids(Rule.BUSINESS_HOURS, opens)]
    return hours + forbids(configuration, service, request, history, at)


def history_of(phone: str, dials: Iterable[float]) -> NumberHistory:
    """A number of which these dials are known."""
    history = NumberHistory()
    history.restore([(phone, at) for at in dials], [])
    return history


def outcome_rule(policy: AttemptPolicy, outcome: Outcome) -> OutcomeRule:
    """What the policy says of one outcome."""
    return policy.by_outcome.get(outcome, OutcomeRule())


def _number_rule(history: NumberHistory, phone: str, zone: str, limits: Limits, at: float) -> Forbids | None:
    until = history.next_dial_at(phone, zone, at, limits)
    if until <= at:
        return None
    gap_only = Limits(min_gap_seconds=limits.min_gap_seconds, attempts_per_number_per_day=_NO_LIMIT)
    by_gap = history.next_dial_at(phone, zone, at, gap_only) == until
    return Forbids(Rule.NUMBER_GAP if by_gap else Rule.NUMBER_DAY, until)
