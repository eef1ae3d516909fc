"""Whom nobody may dial at a moment, worked out naively from the journal alone.

Only what the engine promises stands here, in the plainest form: no memory, no parts of the engine that decide the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from engine.core.configuration import Limits, Pace
from engine.core.permission import CallingWindow
from engine.core.records import Attempt, Callback, Request
from engine.core.terms import CallbackState, ServiceId

if TYPE_CHECKING:
    from tests.unit.core.world import World

_RINGS = (CallbackState.RESERVED, CallbackState.RINGING_AGENT, CallbackState.DIALING)
_MINUTES = 3 * 24 * 60


def number_is_held(world: World, callback: Callback) -> bool:
    """Whether the customer may not be called at this moment: by their own time of day, or by other calls to them.

    A timer that is due and did not fire yet holds them back until it fires.
    """
    timer = world.journal.timers.get((callback.id, "permitted"))
    if timer is not None and timer.due_at <= world.now:
        return True
    request = callback.request
    if is_on_the_phone(world, callback):
        return True
    if _dialled_enough(world, request, world.journal.configuration.limits):
        return True
    window = world.journal.configuration.services[request.service].calling_window
    return window is not None and not in_the_window(window, zones_of(world, request), world.now)


def is_on_the_phone(world: World, callback: Callback) -> bool:
    """Whether we call their number, they have rung in, or are still in the call in which they asked for it."""
    promised = any(call.callback == callback.id for call in world.journal.open_inbound())
    return promised or any(call.phone == callback.request.phone for call in world.journal.open_calls())


def service_is_held(world: World, service: ServiceId) -> bool:
    """Whether no call of this service may begin at this moment."""
    journal = world.journal
    if service in journal.paused:
        return True
    pace_timers = (journal.timers.get((owner, "pace")) for owner in ("node", f"service/{service}"))
    if any(timer is not None and timer.due_at <= world.now for timer in pace_timers):
        return True
    of_service = [each for each in journal.attempts.values() if service_of(world, each.callback) == service]
    ringing = [
        each for each in of_service if each.ended_at is None and journal.callbacks[each.callback].state in _RINGS
    ]
    if _is_full(journal.configuration.services[service].pace, world, len(ringing), _dials(of_service)):
        return True
    live = len(list(journal.open_attempts()))
    return _is_full(world.node, world, live, _dials(journal.attempts.values()))


def zones_of(world: World, request: Request) -> tuple[str, ...]:
    calendar = world.journal.configuration.services[request.service].calendar
    where = "UTC" if calendar is None else world.journal.configuration.calendars[calendar].timezone
    return request.zones or (where,)


def in_the_window(window: CallingWindow, zones: tuple[str, ...], at: float) -> bool:
    """Inside it in all zones; only the first counts if there is no such minute in days."""
    if all(_holds(window, zone, at) for zone in zones):
        return True
    if not _holds(window, zones[0], at):
        return False
    return not any(all(_holds(window, zone, at + 60 * n) for zone in zones) for n in range(_MINUTES))


def service_of(world: World, callback: str) -> ServiceId:
    return next(each.request.service for each in world.journal.callbacks.values() if each.id == callback)


def too_soon(pace: Pace, began: list[float], now: float) -> bool:
    """Whether one more call now would be more than the rate."""
    rate = pace.calls_per_second
    if rate is None:
        return False
    if rate == int(rate):
        return sum(each + 1.0 > now for each in began) >= rate
    return any(each + 1 / rate > now for each in began)


def _is_full(pace: Pace, world: World, calls: int, began: list[float]) -> bool:
    return (pace.max_dials is not None and calls >= pace.max_dials) or too_soon(pace, began, world.now)


def _dialled_enough(world: World, request: Request, limits: Limits) -> bool:
    dials = _dials(attempt for attempt in world.journal.attempts.values() if attempt.phone == request.phone)
    if any(world.now < at + limits.min_gap_seconds for at in dials):
        return True
    zone = ZoneInfo(zones_of(world, request)[0])
    today = datetime.fromtimestamp(world.now, zone).date()
    return sum(datetime.fromtimestamp(at, zone).date() == today for at in dials) >= limits.attempts_per_number_per_day


def _dials(attempts: Iterable[Attempt]) -> list[float]:
    """When customers were dialled; who is called after their agent may not have been yet."""
    return [attempt.dialed_at for attempt in attempts if attempt.dialed_at is not None]


def _holds(window: CallingWindow, zone: str, at: float) -> bool:
    there = datetime.fromtimestamp(at, ZoneInfo(zone))
    return window.holds(there.hour * 3600 + there.minute * 60 + there.second)
