"""What holds an open callback back at this moment; the switchboard as it stands, only looked at.

Everything is counted when somebody asks, so that no decision costs more for it. It looks at each agent and each queue
once, never at each callback, and changes nothing that a decision rests on.
"""

from __future__ import annotations

from engine.core.configuration import Agent, Pace
from engine.core.explain_rules import forbids, zone_of
from engine.core.explain_steps import Rule, Step
from engine.core.explain_waits import (
    AgentPreviews,
    Ahead,
    BeingCalled,
    Expected,
    Forbidden,
    Held,
    HoldsTheLine,
    LeftOut,
    NobodyAble,
    NobodyFree,
    Obstacle,
    Talking,
    WaitsForAppointment,
    WaitsForRetry,
    WaitsForSupervisor,
    Widens,
)
from engine.core.line import Need, Place
from engine.core.records import AgentStatus, Callback
from engine.core.switchboard import EXCLUSION, NODE, OF_SERVICE, PACE, PREVIEW, RONA_RETURN, WRAP_UP, Switchboard
from engine.core.terms import VOICE, AgentId, CallbackId, CallbackState, Presence, Stage
from engine.core.values import replace

MOST_COMPARED = 100_000
"""Queues times kinds of agents, up to which customers of other services are counted who wait for the same agents."""
_HIGHEST = 10**9
_FREE, _NO_ROOM = "free", "no_room"
PHONE = "phone_"
"""Before the state of a phone at which nobody can be called: how its agent stands."""


class Explaining(Switchboard):
    """The switchboard, asked why."""

    @property
    def pace_of_all(self) -> Pace:
        """How many calls of all services together may be up, and how many begun in a second."""
        return self._pacer.node

    def why_not_yet(self, callback_id: CallbackId, now: float) -> list[Step]:
        """What the callback waits for, all of it; nothing if it has ended."""
        callback = self.book.get(callback_id)
        if callback is None:
            return []
        match callback.state:
            case CallbackState.SCHEDULED:
                return [WaitsForAppointment(now, callback.joined_at), *self._not_called(callback, now)]
            case CallbackState.RETRY_WAIT if callback.next_attempt_at is None:
                return [WaitsForSupervisor(now), *self._rings_in(callback, now)]
            case CallbackState.RETRY_WAIT:
                return [WaitsForRetry(now, callback.next_attempt_at or now), *self._not_called(callback, now)]
            case CallbackState.QUEUED:
                return self._why_queued(callback, now)
            case CallbackState.PREVIEWING:
                return self._why_previewing(callback, now)
            case _:
                return self._in_a_call(callback, now)

    def _why_queued(self, callback: Callback, now: float) -> list[Step]:
        place = self.line.place(callback.id)
        if place is None:
            return []
        return [
            *self._obstacles(callback, now),
            *self._forbidden(callback, now),
            *self._agents(callback, place.need, now),
            *self._ahead(place, now),
            *self._widens(callback, place.need, now),
            *self._expected(callback, now),
        ]

    def _why_previewing(self, callback: Callback, now: float) -> list[Step]:
        agent = self._asked[callback.id]
        agreed = callback.id in self._agreed
        asked = AgentPreviews(now, agent, self.timers.due_at(callback.id, PREVIEW), agreed)
        return [asked, *(self._obstacles(callback, now) if agreed else self._rings_in(callback, now))]

    def _in_a_call(self, callback: Callback, now: float) -> list[Step]:
        flow = self._flows.get(callback.live_attempt)
        if flow is None:
            return []
        attempt, place = flow.attempt, self.line.place(callback.id)
        if callback.state is CallbackState.CONNECTED and place is None:
            return [Talking(now, callback.agent, attempt.bridged_at or now)]
        if place is None or attempt.confirmed_at is None:
            return [BeingCalled(now, callback.state, flow.agent)]
        lost = [Held(now, Obstacle.TELEPHONY_LOST, callback.request.service)] if not self._telephony else []
        holds = HoldsTheLine(
            now, attempt.waits_again_at or attempt.confirmed_at, self.timers.due_at(attempt.id, "hold")
        )
        return [holds, *lost, *self._agents(callback, place.need, now), *self._ahead(place, now)]

    # ---- calls that may not begin --------------------------------------------------------------------

    def _paused_for(self, callback: Callback, now: float) -> list[Step]:
        service = callback.request.service
        return [Held(now, Obstacle.SERVICE_PAUSED, service)] if service in self.paused else []

    def _rings_in(self, callback: Callback, now: float) -> list[Step]:
        return [Held(now, Obstacle.RINGS_IN, callback.request.service)] if self._is_ringing_in(callback) else []

    def _not_called(self, callback: Callback, now: float) -> list[Step]:
        """What would keep them from being called, were it their turn."""
        return [*self._paused_for(callback, now), *self._rings_in(callback, now)]

    def _obstacles(self, callback: Callback, now: float) -> list[Step]:
        """What stands in the way whoever is free."""
        service, found = self._service_of(callback), self._not_called(callback, now)
        if self._stopping:
            found.append(Held(now, Obstacle.STOPPING, service.id))
        if not self._telephony:
            found.append(Held(now, Obstacle.TELEPHONY_LOST, service.id))
        other = self._flows.get(self._calling[callback.request.phone]) if self._is_called(callback) else None
        if other is not None and other.attempt.callback != callback.id:
            found.append(Held(now, Obstacle.NUMBER_BUSY, service.id, callback=other.attempt.callback))
        if self._pacer.is_full_of(service.id):
            found.append(Held(now, Obstacle.SERVICE_FULL, service.id, count=service.pace.max_dials))
        if self._pacer.is_full():
            found.append(Held(now, Obstacle.ALL_FULL, service.id))
        for owner, obstacle in ((OF_SERVICE + service.id, Obstacle.SERVICE_PACE), (NODE, Obstacle.ALL_PACE)):
            until = self.timers.due_at(owner, PACE)
            if until is not None and until > now:
                found.append(Held(now, obstacle, service.id, until))
        return found

    def _is_called(self, callback: Callback) -> bool:
        return callback.request.phone in self._calling

    def _forbidden(self, callback: Callback, now: float) -> list[Step]:
        service, request, limits = self._service_of(callback), callback.request, self.configuration.limits
        zone = (request.zones or (zone_of(self.configuration, service),))[0]
        bounds = {Rule.NUMBER_GAP: limits.min_gap_seconds, Rule.NUMBER_DAY: limits.attempts_per_number_per_day}
        return [
            Forbidden(now, each.rule, each.until, zone, bounds.get(each.rule))
            for each in forbids(self.configuration, service, request, self._history, now)
        ]

    # ---- agents --------------------------------------------------------------------------------------

    def _agents(self, callback: Callback, need: Need, now: float) -> list[Step]:
        """Nothing, if somebody is free: then something else is in the way."""
        able = [each for each in self.desks.agents() if need.requirement.met_by(each.skills)]
        if not able:
            return [NobodyAble(now, need.requirement.text)]
        left_out = [each.id for each in able if each.id in need.excluded]
        steps: list[Step] = [LeftOut(now, each, self.timers.due_at(callback.id, EXCLUSION + each)) for each in left_out]
        stand = {each.id: self._stand(each) for each in able if each.id not in need.excluded}
        if stand and _FREE not in stand.values():
            back = [(at, each) for each in stand if (at := self._free_again_at(each)) is not None and at > now]
            first_at, first = min(back, default=(None, None))
            steps.append(NobodyFree(now, need.requirement.text, stand, len(left_out), first, first_at))
        return steps

    def _stand(self, agent: Agent) -> str:
        status = self.desks.status(agent.id)
        if status is None:
            return Presence.LOGGED_OUT.value
        if status.work is not None or not status.ready:
            return status.shown
        phone = self.desks.phones.of(agent.endpoint)
        if agent.id in self.desks.phones.unusable:
            return PHONE + phone
        return _FREE if status.may_take(VOICE, agent.capacity) else _NO_ROOM

    def _free_again_at(self, agent: AgentId) -> float | None:
        """By when at the latest the agent takes calls again, as far as a timer says so."""
        status = self.desks.status(agent)
        if status is None:
            return None
        return self.timers.due_at(agent, WRAP_UP if _wraps_up(status) else RONA_RETURN)

    # ---- the line ------------------------------------------------------------------------------------

    def _ahead(self, place: Place, now: float) -> list[Step]:
        count = self.line.ahead_of(place)
        first = replace(place, item="", joined_at=float("-inf"), priority=_HIGHEST, on_the_phone=False)
        on_the_phone = self.line.ahead_of(replace(first, at_head=True))
        at_head = self.line.ahead_of(replace(first, at_head=False)) - on_the_phone
        higher = self.line.ahead_of(replace(first, at_head=False, priority=place.priority)) - on_the_phone - at_head
        if place.on_the_phone or place.at_head:
            # They stand before all of those, whatever their priority.
            on_the_phone, at_head, higher = (0, 0, 0) if place.on_the_phone else (on_the_phone, 0, 0)
        others = self._of_others(place)
        if not count and not others:
            return []
        return [Ahead(now, place.need.service, count, on_the_phone, at_head, higher, others)]

    def _of_others(self, place: Place) -> int | None:
        """Those of other services before this place whom one of the same agents can serve; None: too much to count."""
        need = place.need
        kinds = {
            frozenset(each.skills.items()): each.skills
            for each in self.desks.agents()
            if each.id not in need.excluded and need.requirement.met_by(each.skills)
        }
        queues = [each for each in self.line.queues if each.need.service != need.service and each.is_served]
        if len(queues) * len(kinds) > MOST_COMPARED:
            return None
        before = 0
        for queue in queues:
            if any(queue.need.requirement.met_by(skills) for skills in kinds.values()):
                before += queue.before(place.key)
        return before

    def _expected(self, callback: Callback, now: float) -> list[Step]:
        """When the agents who are busy will have come to them; nothing if nobody can say."""
        wait = self.waits.of(callback.id)
        return [] if wait is None else [Expected(now, now + wait.p50_seconds, now + wait.p80_seconds)]

    def _widens(self, callback: Callback, need: Need, now: float) -> list[Step]:
        from_at = self._needs.widens_at(callback)
        if from_at is None or from_at <= now:
            return []
        wider = self._needs.of(replace(callback, widened=callback.widened + 1), on_the_phone=not need.dials)
        agents = sum(wider.requirement.met_by(each.skills) for each in self.desks.agents())
        return [Widens(now, from_at, wider.requirement.text, agents)]


def _wraps_up(status: AgentStatus) -> bool:
    return status.work is not None and status.work.stage is Stage.WRAP_UP
