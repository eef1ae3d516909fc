"""Why this agent and why at that moment: the choice of an agent, judged again from what was written of all agents.

Nothing is written down for it when an agent is chosen; it would cost every call. What cannot be told for certain is
left open: nothing here is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.changes import AgentMoved
from engine.core.configuration import Agent, Configuration, Pace, Service
from engine.core.explain_rules import forbids, history_of
from engine.core.explain_steps import Chosen, Rule, WhyNow
from engine.core.line import Need
from engine.core.needs import Needs
from engine.core.records import Attempt, Callback
from engine.core.terms import VOICE, AgentId, AgentOrder, CallbackId, ConnectMode, Media
from engine.core.values import Value, field, replace

LATE_SECONDS = 5.0
"""How long after a rule has ceased to forbid it a call may begin and still be said to have waited for that rule."""
RESTED_SECONDS = 0.5
"""The same where the rate of calls has forbidden it."""
RUNG_SECONDS = 600.0
"""No customer is rung, and no pace reaches back, for longer than this."""
KEEPS_IDLE = ("offered", "accepted")
"""Causes by which an agent who is shown as ready goes on being idle as long as before."""
_SHOWN_TO, _CALLED_FOR = ("offered", "previewing"), ("reserved", "reserved")
"""Cause and shown state of an agent who is chosen for a callback."""
_READY, _LOGGED_OUT = "ready", "logged_out"


class Look(Value):
    """The moment at which agents have to be known; `agents`: those with the skills, `callers`: those who had the call.

    `since`: when the callback joined the line; `until`: when it was back there, or over; None: not yet. `paced`: its
    service bounds how many customers are dialled at once, or in a second; `most_at_once`: how many calls of all
    services may begin at once, 0: any number.
    """

    at: float
    since: float
    until: float | None
    agents: tuple[AgentId, ...]
    callers: tuple[AgentId, ...]
    paced: bool
    most_at_once: int


class Crew(Value):
    """Those agents at that moment, as their moves tell.

    `before`: the last move of each before the moment. `idle_since`: when each of those who were shown as ready then
    began to be idle. `then`: all moves of that very moment, in order, `chosen_for`: the
    callbacks for which agents were chosen at it. `later`: what those who were chosen at it, and
    those who had the call in the end, did next. `other_work`: what they held besides calls. `others_called`: customers
    of the same service called between joining and the moment; `of_other_services`: those of other services for whom one
    of those agents was chosen; `with_priority`: how many of both had a higher priority. `ringing`: of a
    paced service the calls begun not long before: when each began, and until when the customer was rung. `last_began`:
    when the call of any service began that is so many back as may begin at once.
    """

    before: Mapping[AgentId, AgentMoved] = field(default_factory=dict)
    idle_since: Mapping[AgentId, float] = field(default_factory=dict)
    then: tuple[AgentMoved, ...] = ()
    chosen_for: tuple[CallbackId, ...] = ()
    later: tuple[AgentMoved, ...] = ()
    other_work: Mapping[AgentId, tuple[Media, ...]] = field(default_factory=dict)
    others_called: int = 0
    of_other_services: int = 0
    with_priority: int = 0
    ringing: tuple[tuple[float, float], ...] = ()
    last_began: float | None = None


class Calls(Value):
    """The calls to the number before a moment: when it was dialled, and when calls for other callbacks were over."""

    dialled: tuple[float, ...] = ()
    others_ended: tuple[float, ...] = ()


class Choice(Value):
    """One choice to explain. `attempt`: the call it led to; `joined`: its cause is that the callback joined just then.

    `left_out`: agents who had said no and were not asked, and until when.
    """

    at: float
    callback: Callback
    mode: ConnectMode
    attempt: Attempt | None
    joined: bool
    left_out: Mapping[AgentId, float]
    calls: Calls
    pace_of_all: Pace


def need_at(configuration: Configuration, callback: Callback, at: float) -> Need | None:
    """What the callback, whose time of joining is right, asked of agents; None: its service is not there any more."""
    if callback.request.service not in configuration.services:
        return None
    needs = Needs(configuration.services)
    return needs.of(replace(callback, widened=needs.widened_at(callback, at), excluded=()), on_the_phone=False)


def able(configuration: Configuration, need: Need) -> list[Agent]:
    """The agents who have the skills."""
    return [each for each in configuration.agents.values() if need.requirement.met_by(each.skills)]


def who(choice: Choice, crew: Crew) -> tuple[AgentId | None, int]:
    """Who was chosen, and the place of that among the moves of the moment; -1 if the place is not known."""
    wanted = _SHOWN_TO if choice.mode is ConnectMode.PREVIEW else _CALLED_FOR
    every = [place for place, move in enumerate(crew.then) if (move.because, move.after) in (_SHOWN_TO, _CALLED_FOR)]
    if len(every) == len(crew.chosen_for) and crew.chosen_for.count(choice.callback.id) == 1:
        # One decision chooses for many, and writes agents and callbacks in the same order.
        every = [every[crew.chosen_for.index(choice.callback.id)]]
    places = [place for place in every if (crew.then[place].because, crew.then[place].after) == wanted]
    if len(places) > 1 and choice.attempt is not None:
        places = [place for place in places if crew.then[place].agent == choice.attempt.agent]
    if len(places) == 1:
        return crew.then[places[0]].agent, places[0]
    known = choice.attempt.agent if choice.attempt is not None and choice.attempt.agent_legs <= 1 else None
    return known, -1


def chosen(choice: Choice, crew: Crew | None, configuration: Configuration | None) -> Chosen:
    """The choice, with all that can be told of it. `configuration`: the one in force then, if it is known."""
    attempt = choice.attempt
    passed_over = attempt.overtook if attempt is not None else 0
    why_now = WhyNow.AT_ONCE if choice.joined else WhyNow.UNKNOWN
    need = need_at(configuration, choice.callback, choice.at) if configuration is not None else None
    if crew is None:
        agent = attempt.agent if attempt is not None and attempt.agent_legs <= 1 else None
        return Chosen(choice.at, agent, choice.mode, why_now=why_now, passed_over=passed_over)
    agent, place = who(choice, crew)
    told = Chosen(
        choice.at,
        agent,
        choice.mode,
        why_now=why_now,
        passed_over=passed_over,
        others_called=crew.others_called,
        of_other_services=crew.of_other_services,
        left_out=tuple(each for each, until in choice.left_out.items() if until > choice.at),
        with_priority=crew.with_priority,
    )
    if configuration is None or need is None or agent is None or agent not in configuration.agents:
        return told
    skills = configuration.agents[agent].skills
    levels = {name: skills[name] for name in need.requirement.names if name in skills}
    told = replace(told, requirement=need.requirement.text, levels=levels, order=need.order)
    if place >= 0:
        told = _among_others(
            told, agent, _Desks(choice.at, choice.left_out, crew, configuration, need, place), joined=choice.joined
        )
    if not choice.joined:
        told = _why_now(told, choice, crew, configuration, place)
    return told


def stood(
    callback: Callback, at: float, left_out: Mapping[AgentId, float], crew: Crew, configuration: Configuration
) -> Mapping[AgentId, str]:
    """How those who could have been chosen stood just before a moment; nobody, if one of them was free."""
    need = need_at(configuration, callback, at)
    if need is None:
        return {}
    before = _Desks(at, left_out, crew, configuration, need, 0).before
    return {} if _READY in before.values() else before


class _Desks:
    """The agents with the skills, just before the choice and just before its moment."""

    def __init__(
        self,
        at: float,
        left_out: Mapping[AgentId, float],
        crew: Crew,
        configuration: Configuration,
        need: Need,
        place: int,
    ) -> None:
        self.need = need
        self._crew = crew
        self._agents = {each.id: each for each in able(configuration, need) if left_out.get(each.id, 0.0) <= at}
        self.before = {each: crew.before[each].after if each in crew.before else _LOGGED_OUT for each in self._agents}
        self._then, self.idle_since = dict(self.before), dict(crew.idle_since)
        self.is_uncertain = False
        for move in crew.then[:place]:
            if move.because == "offered" and move.after == _READY:
                self.is_uncertain = True  # other work at the very same moment: whether there was room left is not known
            self._then[move.agent] = move.after
            if move.after == _READY and move.because not in KEEPS_IDLE:
                self.idle_since[move.agent] = move.at

    def free(self) -> list[AgentId]:
        """Those who could have been chosen."""
        return [each for each in self._agents if self._then[each] == _READY and self._has_room(each)]

    def level(self, agent: AgentId) -> int:
        return self.need.requirement.level(self._agents[agent].skills)

    def _has_room(self, agent: AgentId) -> bool:
        held, rule = self._crew.other_work.get(agent, ()), self._agents[agent].capacity
        if rule is None:
            return not held
        load: dict[str, int] = {VOICE: 1}
        for media in held:
            load[media] = load.get(media, 0) + 1
        return rule.met_by(load)


def _among_others(told: Chosen, agent: AgentId, desks: _Desks, *, joined: bool) -> Chosen:
    """How many were free and what gave the preference, if that is what the rule says too."""
    free, idle = desks.free(), desks.idle_since
    if desks.is_uncertain or agent not in free or any(each not in idle for each in free):
        return told
    best = desks.need.order is AgentOrder.BEST_LEVEL
    first = min(free, key=lambda each: (-desks.level(each) if best else 0, idle[each], each))
    if first != agent:
        return told
    level = desks.level(agent) if best else None
    before = {} if joined or _READY in desks.before.values() else desks.before
    return replace(told, free=len(free), idle_since_at=idle[agent], level=level, before=before)


def _why_now(told: Chosen, choice: Choice, crew: Crew, configuration: Configuration, place: int) -> Chosen:
    """What made the call possible at this moment and not before."""
    assert told.agent is not None  # noqa: S101 - asked of a choice with an agent only
    freed = [
        move
        for move in crew.then[: max(place, 0)]
        if move.agent == told.agent and move.after == _READY and move.because not in KEEPS_IDLE
    ]
    if freed:
        return replace(told, why_now=WhyNow.AGENT_FREE, freed_by=freed[-1].because)
    if _was_full(choice.at, configuration.services[choice.callback.request.service].pace, crew):
        return replace(told, why_now=WhyNow.SERVICE_PACE)
    earlier = need_at(configuration, choice.callback, choice.at - LATE_SECONDS)
    if earlier is not None and not earlier.requirement.met_by(configuration.agents[told.agent].skills):
        return replace(told, why_now=WhyNow.WIDENED, asked_before=earlier.requirement.text)
    why_now = _why_allowed(told.agent, choice, configuration)
    if why_now is WhyNow.UNKNOWN and _had_to_rest(choice.at, choice.pace_of_all, crew.last_began):
        why_now = WhyNow.ALL_PACE
    return replace(told, why_now=why_now)


def _was_full(at: float, pace: Pace, crew: Crew) -> bool:
    """Whether the pace let no call of the service begin until just before."""
    if pace.max_dials is not None and sum(began < at <= until for began, until in crew.ringing) >= pace.max_dials:
        return True
    latest = sorted((began for began, _until in crew.ringing if began < at), reverse=True)
    most = max(at_once(pace), 1)
    return _had_to_rest(at, pace, latest[most - 1] if len(latest) >= most else None)


def at_once(pace: Pace) -> int:
    """How many calls a rate lets begin at once, before a rest; 0: any number. A rate that is not whole spaces them."""
    rate = pace.calls_per_second
    if rate is None:
        return 0
    return int(rate) if rate == int(rate) else 1


def _had_to_rest(at: float, pace: Pace, last_began: float | None) -> bool:
    """Whether the rate let no call begin until just before. `last_began`: the one so many back as may begin at once."""
    if pace.calls_per_second is None or last_began is None:
        return False
    return at - RESTED_SECONDS < last_began + at_once(pace) / pace.calls_per_second <= at


def _why_allowed(agent: AgentId, choice: Choice, configuration: Configuration) -> WhyNow:
    callback, at = choice.callback, choice.at
    service = configuration.services[callback.request.service]
    if at - LATE_SECONDS < choice.left_out.get(agent, 0.0) <= at:
        return WhyNow.AGENT_ALLOWED_AGAIN
    if choice.attempt is not None and choice.attempt.phone != callback.request.phone:
        return WhyNow.UNKNOWN  # it has another number by now: what was permitted for that one is not known
    if at in choice.calls.others_ended:
        return WhyNow.NUMBER_FREE
    return _why_permitted(choice, configuration, service)


def _why_permitted(choice: Choice, configuration: Configuration, service: Service) -> WhyNow:
    """The rule that forbade the call until just before."""
    request, before = choice.callback.request, choice.at - LATE_SECONDS
    history = history_of(request.phone, [each for each in choice.calls.dialled if each <= before])
    ended = [each for each in forbids(configuration, service, request, history, before) if each.until is not None]
    last = max(ended, key=lambda each: each.until or 0.0, default=None)
    if last is None or last.until is None or last.until > choice.at:
        return WhyNow.UNKNOWN
    return _WHY_PERMITTED[last.rule]


_WHY_PERMITTED: Mapping[Rule, WhyNow] = {
    Rule.NUMBER_GAP: WhyNow.NUMBER_GAP,
    Rule.NUMBER_DAY: WhyNow.NUMBER_DAY,
    Rule.CALLING_WINDOW: WhyNow.CALLING_WINDOW,
}
