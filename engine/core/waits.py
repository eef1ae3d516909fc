"""How long those in the line will wait: brings together who stands before them, who can serve them, and experience.

Who stands before somebody counts as far as they compete for the same agents: of those whom six agents could serve, four
of them yours too, two thirds are before you.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from msgspec import Struct

from engine.core.desks import Desks
from engine.core.line import ItemId, Key, Line, Need, Place, Queue
from engine.core.staffing import Agents, Staffing
from engine.core.terms import ServiceId
from engine.core.values import Value, field, replace
from engine.core.wait import Experience, Forecast, Standing, Wait

MOST_NEEDS = 1000
"""Each remembers a few hundred queues at most."""


class _Told(Value):
    """Somebody waits, since `at`, and was told this. `turn_at`: an agent was found, who is rung or asked first."""

    service: ServiceId
    at: float
    forecast: Forecast
    turn_at: float | None = None


class _Rival(Struct):
    """A queue whose agents, `theirs`, are in part those of somebody else. `share`: as of `version` of those on duty."""

    queue: Queue
    theirs: Agents
    share: float = 0.0
    version: int = -1


class _Rivals(Struct):
    """Of one need, among the first `looked_at` queues of a generation of the line."""

    generation: int
    rivals: list[_Rival] = field(default_factory=list)
    looked_at: int = 0


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
        self._served: list[tuple[_Told, float]] = []
        self._rivals: dict[Need, _Rivals] = {}

    def configured(self) -> None:
        """The agents are others, or have other skills."""
        self._staffing.configured()
        self._rivals.clear()

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

    def turn_came(self, item: ItemId, now: float) -> None:
        """There is an agent for them, who is rung or asked first. If nothing comes of it, the next turn counts."""
        told = self._told.get(item)
        if told is not None:
            self._told[item] = replace(told, turn_at=now)

    def served(self, item: ItemId, now: float) -> None:
        """They are called now, or, if they are no call, an agent is asked about them."""
        told = self._told.pop(item, None)
        if told is not None:
            self._served.append((told, now))  # learned from when somebody asks: now a customer is to be called

    def gave_up(self, item: ItemId, now: float) -> None:
        """They wait no more."""
        told = self._told.pop(item, None)
        if told is not None:
            self._learn()
            self._experience_of(told.service).gave_up(now - told.at)

    def forget(self, item: ItemId) -> None:
        """Something else than the line decides on when they are called."""
        self._told.pop(item, None)

    def _learn(self) -> None:
        for told, now in self._served:
            lead = 0.0 if told.turn_at is None else now - told.turn_at
            self._experience_of(told.service).served(told.forecast, now - told.at, lead)
        self._served.clear()

    # ---- the forecast --------------------------------------------------------------------------------

    def _forecast(self, place: Place, *, is_new: bool) -> Forecast | None:
        self._staffing.refresh()
        self._learn()
        need = place.need
        able = self._staffing.without(self._staffing.able(need.requirement), need.excluded)
        if need.dials and need.service in self._paused:
            return None
        if is_new and self._staffing.have_room(able, need.media):
            return self._experience_of(need.service).at_once()
        places = self._staffing.places(able, need.media)
        handle_seconds = self._desks.handle_times.mean(need.service)
        if not places or handle_seconds is None:
            return None
        ahead, seconds = self._before(need, place.key, able)
        standing = Standing(ahead, (seconds + handle_seconds) / (ahead + 1), places)
        return self._experience_of(need.service).forecast(standing)

    def _before(self, need: Need, key: Key, able: Agents) -> tuple[float, float]:
        """How many stand before this place, as far as they compete, and for how long they keep an agent in all."""
        ahead = seconds = 0.0
        for rival in self._rivals_of(need, able):
            queue = rival.queue
            if queue.first is None or queue.first >= key or (queue.need.dials and queue.need.service in self._paused):
                continue
            count = self._share(rival, need, able) * queue.before(key)
            ahead += count
            seconds += count * (self._desks.handle_times.mean(queue.need.service) or 0.0)
        return ahead, seconds

    def _rivals_of(self, need: Need, able: Agents) -> list[_Rival]:
        """The queues that some of these agents could serve too. Each is looked at once, until the agents are others."""
        known = self._rivals.get(need)
        if known is None or known.generation != self._line.generation:
            if len(self._rivals) >= MOST_NEEDS:
                self._rivals.clear()
            known = self._rivals[need] = _Rivals(self._line.generation)
        for queue in self._line.queues[known.looked_at :]:
            theirs = self._staffing.without(self._staffing.able(queue.need.requirement), queue.need.excluded)
            if able & theirs:
                known.rivals.append(_Rival(queue, theirs))
        known.looked_at = len(self._line.queues)
        return known.rivals

    def _share(self, rival: _Rival, need: Need, able: Agents) -> float:
        """Which part of those in the queue will be served by agents who could serve somebody of this need as well."""
        staffing = self._staffing
        if rival.version != staffing.version:
            media, rival.version = rival.queue.need.media, staffing.version
            both = able & rival.theirs
            if media != need.media:
                both = staffing.held_by_one(both)
            places = staffing.places(rival.theirs, media)
            rival.share = staffing.places(both, media) / places if places else 0.0
        return rival.share

    def _experience_of(self, service: ServiceId) -> Experience:
        experience = self._experience.get(service)
        if experience is None:
            experience = self._experience[service] = Experience()
        return experience
