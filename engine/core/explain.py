"""Explains a callback: from what was written of it, step by step what happened and because of what.

Pure, and only for reading: nothing here decides, and no decision waits for it. What holds an open callback back at this
moment says explain_now.py; who was chosen and why, explain_choice.py; explain_words.py turns steps into sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core import retry
from engine.core.changes import CallbackMoved
from engine.core.configuration import Configuration, Pace, Service
from engine.core.explain_choice import LATE_SECONDS, Calls, Choice, Crew, Look, able, at_once, chosen, need_at, stood
from engine.core.explain_rules import forbids_retry, history_of, outcome_rule
from engine.core.explain_steps import (
    AgentMissed,
    Answered,
    AppointmentCame,
    CallFailed,
    Confirmed,
    Connected,
    CustomerCalled,
    Ended,
    Judged,
    LastWith,
    Moved,
    MovedToNow,
    NextAgent,
    NotCalled,
    PreviewAnswer,
    PreviewEnded,
    Requested,
    RetryCame,
    Rule,
    Step,
    Transferred,
    TransferUnanswered,
)
from engine.core.lifecycle import Because
from engine.core.records import Attempt, Callback
from engine.core.terms import AgentId, CallbackState, ConnectMode, Evidence, Outcome, Verdict
from engine.core.values import Value, replace

_APPOINTS = (Because.BOOKED, Because.MOVED, Because.RESCHEDULED_BY_AGENT)
_CHANGES_TIME = (*_APPOINTS, Because.MOVED_TO_NOW)
_PREVIEW_ENDS = {
    Because.PREVIEW_ACCEPTED: PreviewAnswer.ACCEPTED,
    Because.PREVIEW_REJECTED: PreviewAnswer.REJECTED,
    Because.PREVIEW_MISSED: PreviewAnswer.MISSED,
    Because.PREVIEW_WITHDRAWN: PreviewAnswer.WITHDRAWN,
}
_WAITS_AGAIN = (Because.ATTEMPT_FAILED, Because.LATER_BY_KEY, Because.HELD_FOR_SUPERVISOR)

_AFTER = (Confirmed, CallFailed, Ended)
"""What comes after the verdict if it is written at the same moment."""
_OVER = (CallbackState.QUEUED, CallbackState.SCHEDULED, CallbackState.RETRY_WAIT)


class Past(Value):
    """What is written of one callback: its moves and attempts, in order, and the calls of others to its number.

    `configurations`: since when each was in force, in order; None for one that cannot be read any more. `pace_of_all`:
    of all services together, as it is now.
    """

    callback: Callback
    moves: tuple[CallbackMoved, ...]
    attempts: tuple[Attempt, ...]
    others: tuple[Attempt, ...]
    configurations: tuple[tuple[float, Configuration | None], ...]
    pace_of_all: Pace = Pace()

    def configuration_at(self, at: float) -> Configuration | None:
        """The one in force at a moment."""
        return next((found for since, found in reversed(self.configurations) if since <= at), None)

    def calls_before(self, at: float) -> Calls:
        """The calls to the number before a moment."""
        dialled = [each.dialed_at for each in (*self.attempts, *self.others) if each.dialed_at is not None]
        ended = [each.ended_at for each in self.others if each.ended_at is not None]
        return Calls(tuple(sorted(each for each in dialled if each < at)), tuple(each for each in ended if each <= at))


def looks(past: Past) -> list[Look]:
    """The moments at which an agent was chosen, or it ended in the line, in order: `explain` wants a Crew for each."""
    found = []
    for place, joined_at, since in _looked_at(past):
        at = past.moves[place].at
        configuration = past.configuration_at(at)
        callback = replace(past.callback, joined_at=joined_at)
        need = need_at(configuration, callback, at) if configuration is not None else None
        agents = able(configuration, need) if configuration is not None and need is not None else []
        callers = dict.fromkeys(each.agent for each in past.attempts if each.agent is not None)
        over = (move.at for move in past.moves[place:] if move.after in _OVER or move.after.ended)
        paced = need is not None and configuration is not None and configuration.services[need.service].pace != Pace()
        most, ids = at_once(past.pace_of_all), tuple(each.id for each in agents)
        found.append(Look(at, since, next(over, None), ids, tuple(callers), paced, most))
    return found


def explain(past: Past, crews: Sequence[Crew | None]) -> list[Step]:
    """What happened, in order. `crews`: of each of the `looks`; None: not looked at."""
    return _Story(past, crews).steps


def _looked_at(past: Past) -> list[tuple[int, float, float]]:
    """The moves of these moments, with the time of joining and when it joined the line last."""
    found = []
    joined_at = since = past.callback.created_at
    for place, move in enumerate(past.moves):
        if move.because == Because.AGENT_RESERVED or _ends_in_line(move):
            last = not any(each.because in _CHANGES_TIME for each in past.moves[place:])
            found.append((place, past.callback.joined_at if last else joined_at, since))
        elif move.after is CallbackState.QUEUED:
            since = move.at
            if move.because == Because.SLOT_STARTED or move.before is CallbackState.SCHEDULED:
                joined_at = move.at
    return found


class _Story:
    """Tells the moves one after another."""

    def __init__(self, past: Past, crews: Sequence[Crew | None]) -> None:
        self.steps: list[Step] = []
        self._past = past
        self._callback = past.callback
        self._crews = iter(crews)
        self._joined = {place: joined_at for place, joined_at, _since in _looked_at(past)}
        self._crew: Crew | None = None
        self._agent: AgentId | None = None
        self._n = 0
        self._at_head = False
        self._talks_since: float | None = None
        self._waits_since: float | None = None
        self._left_out: dict[AgentId, float] = {}
        for place, move in enumerate(past.moves):
            self._tell(place, move)
        for attempt in past.attempts:
            self._judged(attempt)

    def _judged(self, attempt: Attempt) -> None:
        """A key tells itself, and that nobody knows is no news."""
        verdict, evidence, at = attempt.verdict, attempt.evidence, attempt.judged_at
        seconds = _between(attempt.answered_at, at)
        if verdict is None or evidence is None or at is None or seconds is None:
            return
        if verdict is Verdict.UNKNOWN or evidence is Evidence.KEY:
            return
        later = (n for n, step in enumerate(self.steps) if step.at > at or (step.at == at and isinstance(step, _AFTER)))
        self.steps.insert(next(later, len(self.steps)), Judged(at, verdict, evidence, seconds))

    def _tell(self, place: int, move: CallbackMoved) -> None:
        at, attempt, service = move.at, self._attempt, self._callback.request.service
        match Because(move.because):
            case Because.ACCEPTED | Because.BOOKED as because:
                for_at = self._appointment(place) if because is Because.BOOKED else None
                moved = because is Because.BOOKED and for_at is None
                channel, parent = self._callback.request.channel, self._callback.parent_id
                self.steps.append(Requested(at, service, channel, for_at, moved, parent))
            case Because.SLOT_STARTED:
                self.steps.append(AppointmentCame(at, service))
            case Because.MOVED:
                self.steps.append(Moved(at, self._appointment(place)))
            case Because.RESCHEDULED_BY_AGENT:
                self.steps.append(Moved(at, self._appointment(place), self._agent))
            case Because.MOVED_TO_NOW:
                self.steps.append(MovedToNow(at, service))
            case Because.RETRY_DUE:
                self.steps.append(RetryCame(at, service, self._at_head))
            case Because.AGENT_RESERVED:
                self._choose(place, move)
            case because if because in _PREVIEW_ENDS:
                self._preview_ended(at, _PREVIEW_ENDS[because])
            case Because.DIALLED if move.before is CallbackState.RINGING_AGENT:
                self.steps.append(CustomerCalled(at, self._agent))
            case Because.NOT_DIALLED:
                self.steps.append(NotCalled(at, self._agent, attempt.outcome if attempt else None))
            case Because.ANSWERED:
                self.steps.append(Answered(at, _between(attempt.dialed_at, attempt.answered_at) if attempt else None))
            case Because.CONFIRMED:
                self.steps.append(Confirmed(at))
                self._agents_who_missed(attempt)
            case Because.BRIDGED:
                after = _between(self._waits_since or (attempt.confirmed_at if attempt else None), at)
                self._talks_since = at
                last = attempt.agent if attempt else self._callback.agent
                self.steps.append(Connected(at, self._did(at, "bridged") or last, after))
            case Because.TRANSFERRED:
                agent = self._did(at, "call_ended") or (attempt.agent if attempt else None)
                self.steps.append(Transferred(at, agent, _between(self._talks_since, at)))
            case Because.TRANSFER_UNANSWERED:
                self._waits_since = at
                self.steps.append(TransferUnanswered(at))
            case because if because in _WAITS_AGAIN:
                self._waits_again(place, move)
            case _ if move.after.ended:
                self._ended(place, move)

    def _did(self, at: float, because: str) -> AgentId | None:
        """Whose move this was, if it is known."""
        later = self._crew.later if self._crew is not None else ()
        return next((move.agent for move in later if (move.at, move.because) == (at, because)), None)

    @property
    def _attempt(self) -> Attempt | None:
        """The attempt begun last."""
        return next((each for each in self._past.attempts if each.n == self._n), None)

    def _service(self, at: float) -> Service | None:
        configuration = self._past.configuration_at(at)
        return None if configuration is None else configuration.services.get(self._callback.request.service)

    def _appointment(self, place: int) -> float | None:
        """The time an appointment was made for; None if it was changed before it came."""
        later = self._past.moves[place + 1 :]
        if not any(move.because in _CHANGES_TIME for move in later):
            return self._callback.scheduled_for
        first = next(move for move in later if move.because in (Because.SLOT_STARTED, *_CHANGES_TIME))
        return first.at if first.because == Because.SLOT_STARTED else None

    # ---- agents --------------------------------------------------------------------------------------

    def _choose(self, place: int, move: CallbackMoved) -> None:
        moves = self._past.moves
        follows = moves[place + 1].because if place + 1 < len(moves) else ""
        mode = ConnectMode.RESERVE
        if follows == Because.PREVIEW_OFFERED:
            mode = ConnectMode.PREVIEW
        elif follows == Because.AGENT_RINGING:
            mode = ConnectMode.AGENT_FIRST
        begins = mode is not ConnectMode.PREVIEW or self._is_accepted(place)
        self._n += begins
        self._crew = next(self._crews, None)
        told = chosen(
            Choice(
                move.at,
                replace(self._callback, joined_at=self._joined[place]),
                mode,
                self._attempt if begins else None,
                joined=moves[place - 1].at == move.at,
                left_out=self._left_out,
                calls=self._past.calls_before(move.at),
                pace_of_all=self._past.pace_of_all,
            ),
            self._crew,
            self._past.configuration_at(move.at),
        )
        self._agent = told.agent
        self.steps.append(told)

    def _is_accepted(self, place: int) -> bool:
        return place + 2 < len(self._past.moves) and self._past.moves[place + 2].because == Because.PREVIEW_ACCEPTED

    def _preview_ended(self, at: float, answer: PreviewAnswer) -> None:
        agent, service = self._who_answered(at, answer), self._service(at)
        until = why = None
        if answer is PreviewAnswer.REJECTED and agent is not None and service is not None:
            until = self._left_out[agent] = at + service.reject_exclusion_seconds
        if answer is PreviewAnswer.WITHDRAWN and self._crew is not None:
            why = next((each.because for each in self._crew.later if (each.agent, each.at) == (agent, at)), None)
        self.steps.append(PreviewEnded(at, answer, agent, until, why))

    def _who_answered(self, at: float, answer: PreviewAnswer) -> AgentId | None:
        """Who was asked, or, where that is not known for certain, the only one who said no at that moment."""
        if self._agent is not None or answer is not PreviewAnswer.REJECTED or self._crew is None:
            return self._agent
        said_no = [move.agent for move in self._crew.later if (move.because, move.at) == ("rejected", at)]
        return said_no[0] if len(said_no) == 1 else None

    def _agents_who_missed(self, attempt: Attempt | None) -> None:
        """After the customer confirmed: the first agent did not come, and another one did."""
        if self._crew is None or attempt is None or self._agent is None:
            return
        for move in self._crew.later:
            if move.agent == self._agent:
                if move.because == "rona":
                    self.steps.append(AgentMissed(move.at, self._agent))
                if move.after not in ("reserved", "ringing"):
                    break
        bridged_at = attempt.bridged_at
        other = (self._did(bridged_at, "bridged") if bridged_at is not None else None) or attempt.agent
        if other is not None and other != self._agent:
            given = [m.at for m in self._crew.later if (m.agent, m.because) == (other, "reserved")]
            given = [at for at in given if at >= (attempt.confirmed_at or 0.0)]
            if given:
                self.steps.append(NextAgent(given[-1], other))
        self.steps.sort(key=lambda step: step.at)

    # ---- ends of calls -------------------------------------------------------------------------------

    def _waits_again(self, place: int, move: CallbackMoved) -> None:
        attempt, at = self._attempt, move.at
        outcome = attempt.outcome if attempt is not None else None
        moves = self._past.moves
        next_at = self._callback.next_attempt_at if place + 1 == len(moves) else None
        if place + 1 < len(moves) and moves[place + 1].because == Because.RETRY_DUE:
            next_at = moves[place + 1].at
        if move.because == Because.HELD_FOR_SUPERVISOR:
            self.steps.append(CallFailed(at, self._n, outcome, held=True))
            return
        told = CallFailed(at, self._n, outcome, next_at)
        service, configuration = self._service(at), self._past.configuration_at(at)
        if attempt is not None and service is not None and configuration is not None:
            decided = retry.decide(
                service.attempts, service.confirmation, self._outcomes(), attempt, at, permitted=lambda moment: moment
            )
            if isinstance(decided, retry.RetryDecision):
                self._at_head = decided.at_head
                told = replace(told, wait_seconds=decided.at - at)
                if next_at is not None and next_at > decided.at + LATE_SECONDS:
                    told = replace(told, moved_by=self._moved_by(configuration, service, at, decided.at))
        self.steps.append(told)

    def _moved_by(self, configuration: Configuration, service: Service, now: float, at: float) -> Rule | None:
        """The rule that forbade the next call longest, as it stood at `now`."""
        request, attempt = self._callback.request, self._attempt
        if attempt is None or attempt.phone != request.phone:
            return None  # it has another number by now
        history = history_of(request.phone, self._past.calls_before(now).dialled)
        found = forbids_retry(configuration, service, request, history, at)
        last = max(found, key=lambda each: each.until or float("inf"), default=None)
        return last.rule if last is not None else None

    def _outcomes(self) -> tuple[Outcome, ...]:
        """Those of the calls so far in which the customer was dialled."""
        return tuple(
            each.outcome
            for each in self._past.attempts
            if each.n <= self._n and each.dialed_at is not None and each.outcome is not None
        )

    def _ended(self, place: int, move: CallbackMoved) -> None:
        attempt, service, outcomes = self._attempt, self._service(move.at), self._outcomes()
        in_a_call = attempt is not None and attempt.ended_at == move.at
        told = Ended(
            move.at,
            move.after,
            self._callback.reason,
            attempt.outcome if attempt is not None and in_a_call else None,
            self._callback.agent,
            _between(attempt.bridged_at, attempt.ended_at) if attempt is not None else None,
            _last_with(attempt),
            calls=len(outcomes),
            life_seconds=service.life_seconds if service is not None else None,
        )
        if move.because == Because.ATTEMPTS_EXHAUSTED and service is not None and outcomes:
            most = outcome_rule(service.attempts, outcomes[-1]).max
            if most is not None and outcomes.count(outcomes[-1]) >= most:
                told = replace(told, calls=outcomes.count(outcomes[-1]), most=most)
            else:
                counted = sum(each in retry.COUNTED for each in outcomes)
                told = replace(told, calls=counted, most=service.attempts.max)
        if _ends_in_line(move):
            told = replace(told, before=self._stood(place, move.at))
        self.steps.append(told)

    def _stood(self, place: int, at: float) -> Mapping[AgentId, str]:
        crew, configuration = next(self._crews, None), self._past.configuration_at(at)
        if crew is None or configuration is None:
            return {}
        return stood(replace(self._callback, joined_at=self._joined[place]), at, self._left_out, crew, configuration)


def _last_with(attempt: Attempt | None) -> LastWith:
    if attempt is not None and attempt.waits_again_at is not None:
        return LastWith.NOBODY
    given = attempt is not None and attempt.given_to is not None
    return LastWith.SOMEBODY_ELSE if given else LastWith.AGENT


def _ends_in_line(move: CallbackMoved) -> bool:
    return move.before is CallbackState.QUEUED and move.after.ended


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start
