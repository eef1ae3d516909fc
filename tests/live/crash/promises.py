"""Rules about what was promised: to those who booked, to those who want no call, to agents and to outside systems.

As in `judge`, each rule is a function from the evidence to the violations it found, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from tests.live.crash.evidence import Answer, Evidence, Said, Word

LATE_NEWS_SECONDS = 2.0
"""How late the engine may hear of a leg's end or a key, with slow events and a full disk beside."""
ENDED_BY_ITSELF = frozenset({"lifetime", "not_permitted"})
"""Reasons for which a callback may end though an agent just agreed to call."""

Rule = Callable[[Evidence], Iterator[str]]


def nobody_is_called_before_their_time(seen: Evidence) -> Iterator[str]:
    """8: what was booked or put off is not called before its time, and the time is kept as it was told."""
    for asked in seen.asked:
        callback = seen.by_id.get(asked.id)
        if asked.when is not None and callback is not None and callback.scheduled_for != asked.when:
            yield f"{asked.number}: {asked.id} was booked for {asked.when}, and is for {callback.scheduled_for}"
    for calls in seen.calls_of.values():
        for call in calls:
            attempt = seen.attempt_of(call)
            callback = None if attempt is None else seen.by_id.get(attempt.callback)
            if callback is None:
                continue  # a violation of another rule
            if callback.booked and callback.scheduled_for is not None and call.invited_at < callback.scheduled_for:
                yield f"{call.number}: called at {call.invited_at:.3f}, booked for {callback.scheduled_for:.3f}"
            for put_off in seen.said:
                when = put_off.when if put_off.made == callback.id else None
                if when is not None and put_off.sent_at < call.invited_at < when:
                    yield f"{call.number}: called at {call.invited_at:.3f}, put off to {when:.3f}"


def slots_hold_no_more_than_their_capacity(seen: Evidence) -> Iterator[str]:
    """9: at no time more callbacks hold a place of a slot than it has."""
    booked = sorted(
        (
            (each.service, each.scheduled_for or 0.0, each.asked_at, each.ended_at)
            for each in seen.callbacks
            if each.booked
        ),
        key=lambda each: each[:3],
    )
    for (service, start), places in groupby(booked, key=lambda each: each[:2]):
        held: list[float] = []
        capacity = seen.capacity.get(service, 0)
        for _service, _start, since, until in places:
            held = [end for end in held if end > since]
            held.append(float("inf") if until is None else until)
            if len(held) > capacity:
                yield f"{service}: {len(held)} hold a place of the slot of {start:.0f}, which has {capacity}"


def who_wants_no_call_is_suppressed(seen: Evidence) -> Iterator[str]:
    """10: a 9 that was heard is written down, and no later request of that number is taken; no other is suppressed."""
    pressed: dict[str, float] = {}
    for number, calls in seen.calls_of.items():
        nines = [key.at for call in calls for key in call.keys if key.key == "9"]
        if not nines and number in seen.suppressed:
            yield f"{number}: is never called again, and has not asked for it"
        heard = [at for at in nines if not seen.is_lost(at)]
        if heard:
            pressed[number] = min(heard)
            if number not in seen.suppressed:
                yield f"{number}: pressed 9 at {min(heard):.3f}, and the database does not say so"
    for number in seen.suppressed - seen.calls_of.keys():
        yield f"{number}: is never called again, and was never called"
    for callback in seen.callbacks:
        at = pressed.get(callback.number)
        if at is not None and callback.created_at > at + LATE_NEWS_SECONDS:
            yield f"{callback.number}: pressed 9 at {at:.3f}, and {callback.id} was taken afterwards"


def previewed_customers_are_called_by_a_yes(seen: Evidence) -> Iterator[str]:
    """11: no INVITE for a preview to which no agent has said yes."""
    agreed: dict[str, float] = {}
    for said in seen.said:
        if said.word is Word.ACCEPT and not _is_denied(said):
            agreed[said.work] = min(said.sent_at, agreed.get(said.work, said.sent_at))
    for calls in seen.calls_of.values():
        for call in calls:
            attempt = seen.attempt_of(call)
            if attempt is None or seen.mode(attempt.callback) != "preview":
                continue
            if (at := agreed.get(attempt.id)) is None or at > call.invited_at:
                yield f"{call.number}: called at {call.invited_at:.3f}, and no agent agreed to {attempt.id} before"


def an_agent_is_on_the_phone_first(seen: Evidence) -> Iterator[str]:
    """12: with the agent first, nobody is called before an agent has answered for them, nor after that agent left."""
    for calls in seen.calls_of.values():
        for call in calls:
            attempt = seen.attempt_of(call)
            if attempt is None or seen.mode(attempt.callback) != "agent_first":
                continue
            waits = any(
                agent.caller.lstrip("+") == call.number
                and agent.answered_at is not None
                and agent.answered_at <= call.invited_at
                and (agent.ended_at is None or agent.ended_at > call.invited_at - LATE_NEWS_SECONDS)
                for agent in seen.agents
            )
            if not waits:
                yield f"{call.number}: called at {call.invited_at:.3f} ({attempt.id}), and no agent was on the phone"


def what_agents_were_told_is_so(seen: Evidence) -> Iterator[str]:
    """13: a yes that was taken leads to a call, a classification is kept, a call that was put off is there."""
    begun = {attempt.id for attempt in seen.attempts}
    for said in seen.said:
        if said.answer is not Answer.ACCEPTED or not said.callback:
            continue
        callback = seen.by_id.get(said.callback)
        if callback is None:
            yield f"{said.agent}: {said.word} of {said.work} was taken, and the database does not know {said.callback}"
        elif said.word is Word.ACCEPT and said.work not in begun and callback.reason not in ENDED_BY_ITSELF:
            yield f"{callback.number}: {said.agent} agreed to {said.work}, and it was never called"
        elif said.word is Word.COMPLETE and said.callback not in seen.classified:
            yield f"{callback.number}: {said.agent} classified {said.work}, and the database does not know how"
        elif said.word is Word.RESCHEDULE and said.made not in seen.by_id:
            yield f"{callback.number}: {said.agent} put it off as {said.made}, which the database does not know"


def outside_work_is_kept_and_ends(seen: Evidence) -> Iterator[str]:
    """14: work from outside that was taken is there, is done by who was given it, and ends as was told."""
    by_id = {each.id: each for each in seen.interactions}
    marks = {each.mark for each in seen.interactions}
    for announced in seen.announced:
        if announced.answer is Answer.ACCEPTED and announced.id not in by_id:
            yield f"{announced.id}: accepted, and the database does not know it"
        if announced.answer is Answer.REFUSED and announced.mark in marks:
            yield f"work {announced.mark}: refused with {announced.status}, and the database has it"
    for mark in marks - {announced.mark for announced in seen.announced}:
        yield f"work {mark}: is in the database and nobody announced it"
    for each in seen.interactions:
        words = [said for said in seen.said if said.work == each.id]
        if each.ended_at is None:
            yield f"{each.id}: is still {each.state} after the final wait"
        elif not any(said.word in _ENDS and _ENDS[said.word] == each.state and not _is_denied(said) for said in words):
            yield f"{each.id}: is {each.state}, and nobody said so"
        for said in words:
            if said.answer is not Answer.ACCEPTED:
                continue
            if said.word is Word.ACCEPT and (each.agent != said.agent or each.accepted_at is None):
                yield f"{each.id}: given to {said.agent}, and the database says {each.agent}, {each.accepted_at}"
            if said.word in _ENDS and each.state != _ENDS[said.word]:
                yield f"{each.id}: {said.word} was taken, and it is {each.state}"


def who_said_no_is_not_asked_again_at_once(seen: Evidence) -> Iterator[str]:
    """15: an agent is not asked again about what they rejected until the exclusion is over."""
    for said in seen.said:
        if said.word is not Word.REJECT or said.answer is not Answer.ACCEPTED:
            continue
        for offered in seen.offered:
            same = (offered.agent, offered.item) == (said.agent, said.callback or said.work)
            if same and said.answered_at < offered.at < said.sent_at + seen.intervals.exclusion:
                passed = offered.at - said.answered_at
                yield f"{said.agent}: asked about {offered.item} again {passed:.2f} s after a no"


_ENDS = {Word.COMPLETE: "completed", Word.CANCEL: "cancelled"}

RULES: Mapping[str, Rule] = {
    "early": nobody_is_called_before_their_time,
    "overbooked": slots_hold_no_more_than_their_capacity,
    "suppressed": who_wants_no_call_is_suppressed,
    "unasked": previewed_customers_are_called_by_a_yes,
    "agent-first": an_agent_is_on_the_phone_first,
    "unkept": what_agents_were_told_is_so,
    "outside": outside_work_is_kept_and_ends,
    "rejected": who_said_no_is_not_asked_again_at_once,
}


def _is_denied(said: Said) -> bool:
    """It was not taken for a reason of its own; after anything else nobody can know."""
    return said.answer is Answer.REFUSED and said.status < 500
