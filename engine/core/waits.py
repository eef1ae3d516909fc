"""How long those in the line will wait: brings together who stands before them, who can serve them, and experience.

Who stands before somebody counts as far as they compete for the same agents: of those whom six agents could serve, four
of them yours too, two thirds are before you.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from engine.core.desks import Desks
from engine.core.line import ItemId, Key, Line, Need, Place, Queue
from engine.core.staffing import Agents, Staffing
from engine.core.terms import ServiceId
from engine.core.values import Value
from engine.core.wait import AT_ONCE, Experience, Forecast, Standing, Wait


class _Told(Value):
    """Somebody waits, since `at`, and was told this."""

    service: ServiceId
    at: float
    forecast: Forecast


class Waits:
    """Looks at one line and one set of desks, and learns from what becomes of those who were told something.

    `paused`: services that call nobody; they compete for no agents.
    """

    def __init__(self, line: Line, desks: Desks, paused: AbstractSet[ServiceId]) -> None:
        self._line = line
        self._desks = desks
        self._paused = paused
        self._staffing = Staffing(desks)
        self._experience: dict[ServiceId, Experience] = {}
        self._told: dict[ItemId, _Told] = {}
        self._shares: dict[tuple[Need, Need], float] = {}
        self._counted = -1

    def configured(self) -> None:
        """The agents are others, or have other skills."""
        self._staffing.configured()

    # ---- what is asked -------------------------------------------------------------------------------

    def of_new(self, place: Place) -> Forecast | None:
        """Of somebody who would join at this place; None: nobody can say."""
        return self._forecast(place, is_new=True)

    def of(self, item: ItemId) -> Wait | None:
        """From now on, of somebody who waits; None: nobody can say, or they are held back."""
        place = self._line.place(item)
        if place is None or self._line.is_parked(item):
            return None
        forecast = self._forecast(place, is_new=False)
        return None if forecast is None else forecast.wait

    def tell(self, place: Place, forecast: Forecast | None, now: float) -> None:
        """Somebody joins and is told this; what becomes of it is remembered."""
        if forecast is not None:
            self._told[place.item] = _Told(place.need.service, now, forecast)

    def told_of(self, item: ItemId) -> Forecast | None:
        """What somebody was told who waits; None if nobody could say, or they do not wait for the first time."""
        told = self._told.get(item)
        return None if told is None else told.forecast

    # ---- what became of it ---------------------------------------------------------------------------

    def served(self, item: ItemId, now: float) -> None:
        """They are called, or an agent is asked about them."""
        told = self._told.pop(item, None)
        if told is not None:
            self._experience_of(told.service).served(told.forecast, now - told.at)

    def gave_up(self, item: ItemId, now: float) -> None:
        """They wait no more."""
        told = self._told.pop(item, None)
        if told is not None:
            self._experience_of(told.service).gave_up(now - told.at)

    def forget(self, item: ItemId) -> None:
        """Something else than the line decides on when they are called."""
        self._told.pop(item, None)

    # ---- the forecast --------------------------------------------------------------------------------

    def _forecast(self, place: Place, *, is_new: bool) -> Forecast | None:
        self._staffing.refresh()
        need = place.need
        able = self._staffing.without(self._staffing.able(need.requirement), need.excluded)
        if need.dials and need.service in self._paused:
            return None
        if is_new and self._staffing.have_room(able, need.media):
            return AT_ONCE
        places = self._staffing.places(able, need.media)
        handle_seconds = self._desks.handle_times.mean(need.service)
        if not places or handle_seconds is None:
            return None
        ahead, seconds = self._before(need, place.key, able)
        standing = Standing(ahead, (seconds + handle_seconds) / (ahead + 1), places)
        return self._experience_of(need.service).forecast(standing)

    def _before(self, need: Need, key: Key, able: Agents) -> tuple[float, float]:
        """How many stand before this place, as far as they compete, and for how long they keep an agent in all."""
        if self._counted != self._staffing.version:
            self._shares.clear()
            self._counted = self._staffing.version
        ahead = seconds = 0.0
        for queue in self._line.queues:
            if queue.first is None or queue.first >= key or self._is_paused(queue):
                continue
            share = self._shares.get((need, queue.need))
            if share is None:
                share = self._shares[need, queue.need] = self._share(need, able, queue.need)
            if share > 0:
                count = share * queue.before(key)
                ahead += count
                seconds += count * (self._desks.handle_times.mean(queue.need.service) or 0.0)
        return ahead, seconds

    def _is_paused(self, queue: Queue) -> bool:
        return queue.need.dials and queue.need.service in self._paused

    def _share(self, need: Need, able: Agents, other: Need) -> float:
        """Which part of those who wait with another need will be served by agents who could serve this one."""
        staffing = self._staffing
        theirs = staffing.without(staffing.able(other.requirement), other.excluded)
        both = able & theirs if other.media == need.media else staffing.held_by_one(able & theirs)
        places = staffing.places(theirs, other.media)
        return staffing.places(both, other.media) / places if places else 0.0

    def _experience_of(self, service: ServiceId) -> Experience:
        experience = self._experience.get(service)
        if experience is None:
            experience = self._experience[service] = Experience()
        return experience
