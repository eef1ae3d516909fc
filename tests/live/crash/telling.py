"""A run in words: what happened in numbers, and the whole story of each number whose guarantee was broken."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import median

from tests.live.crash.evidence import Answer, Evidence
from tests.live.crash.judge import Verdict
from tests.live.crash.run import Run

STORIES = 8
LOG_LINES = 60


def summary(run: Run, verdict: Verdict) -> list[str]:
    """A few lines of numbers."""
    seen = run.evidence
    answers = [asked.answer for asked in seen.asked]
    live = [blow.live for blow in seen.kills] or [0]
    return [
        (
            f"seed {run.plan.seed}: {len(seen.kills)} kills in {run.seconds:.0f} s, live calls at each at least "
            f"{min(live)}, median {median(live):.0f}; {run.thin} more kills with fewer; "
            f"other faults {len(seen.faults)}; kills while the store was down {run.down}, "
            f"starts that it refused {run.refused}"
        ),
        (
            f"requests accepted {answers.count(Answer.ACCEPTED)}, refused "
            f"{_counted(Counter(str(asked.status) for asked in seen.asked if asked.answer is Answer.REFUSED)) or 0}, "
            f"without answer {answers.count(Answer.NONE)}; INVITEs {len(seen.calls)}, attempts {len(seen.attempts)}; "
            f"keys pressed in an outage {verdict.keys_lost}"
        ),
        "ends: " + _counted(verdict.reasons),
        "outcomes: " + _counted(verdict.outcomes),
        (
            f"booked {sum(each.booked for each in seen.callbacks)}, put off "
            f"{sum(each.scheduled_for is not None and not each.booked for each in seen.callbacks)}, called again by "
            f"agents {sum(each.parent_id is not None for each in seen.callbacks)}, never called again "
            f"{len(seen.suppressed)}; INVITEs by service: {_counted(_by_service(seen))}"
        ),
        (
            f"work from outside {len(seen.interactions)}, offers to agents at screens {len(seen.offered)}; said: "
            f"{_counted(Counter(f'{said.word} {said.answer}' for said in seen.said))}"
        ),
        (
            f"rang in {len(seen.rung_in)}, answered {sum(each.answered_at is not None for each in seen.rung_in)}, "
            f"talked {sum(each.met_at is not None for each in seen.rung_in)}; ends: "
            f"{_counted(Counter(str(each.outcome) for each in seen.inbound))}"
        ),
    ]


def _by_service(seen: Evidence) -> Mapping[str, int]:
    """Of all services with slots together."""
    attempts = [attempt for call in seen.calls if (attempt := seen.attempt_of(call))]
    services = [seen.by_id[attempt.callback].service for attempt in attempts]
    return Counter("slots" if service in seen.capacity else service for service in services)


def violations(run: Run, verdict: Verdict) -> list[str]:
    """Each broken rule, then the stories of the first few numbers."""
    lines = [f"{rule}: {words}" for rule, found in verdict.violations.items() for words in found]
    numbers = list(dict.fromkeys(number for line in lines if (number := _number_of(line, run.evidence))))
    for number in numbers[:STORIES]:
        lines += ["", f"the story of {number}:", *story(run, number)]
    return lines


def story(run: Run, number: str) -> Iterator[str]:
    """Everything about one number in the order of time: the far end, the rows, the rig, and the engine's log."""
    seen = run.evidence
    moments: list[tuple[float, str]] = []
    for call in seen.calls_of.get(number, ()):
        moments.append((call.invited_at, f"network: INVITE {call.call_id}"))
        for name in ("answered_at", "heard_at", "asked_at", "met_at", "ended_at"):
            if (at := getattr(call, name)) is not None:
                what = f"{name} sip_code={call.sip_code} cause={call.cause}" if name == "ended_at" else name
                moments.append((at, f"network: {what}"))
        moments += [(key.at, f"network: presses {key.key}") for key in call.keys]
    for came in (each for each in seen.rung_in if each.caller.lstrip("+") == number):
        moments.append((came.started_at, f"network: rings in, {came.ring_id}"))
        for name in ("answered_at", "met_at", "hung_up_at", "ended_at"):
            if (at := getattr(came, name)) is not None:
                moments.append((at, f"network: rang in, {name}"))
        moments += [(key.at, f"network: rang in, presses {key.key}") for key in came.keys]
    if moments:
        first, last = min(moments)[0] - 1, max(moments)[0] + 1
        blows = (*seen.kills, *seen.faults)
        moments += [(blow.at, f"rig: {blow.what}, {blow.live} live") for blow in blows if first < blow.at < last]
        moments += [(each.end, "rig: engine ready") for each in seen.outages if first < each.end < last]
    yield from (f"  {_clock(at)} {what}" for at, what in sorted(moments))
    for callback in seen.callbacks:
        if callback.number == number:
            yield f"  row: {callback}"
            ended = [each for each in run.engine_log.splitlines() if re.search(rf"{callback.id}\b", each)]
            yield from (f"  row: {attempt}" for attempt in seen.attempts if attempt.callback == callback.id)
            yield from (f"  log: {line[:400]}" for line in ended[:LOG_LINES])
    for row in seen.inbound:
        if row.number == number:
            yield f"  row: {row}"
            told = [each for each in run.engine_log.splitlines() if re.search(rf"{row.id}\b", each)]
            yield from (f"  log: {line[:400]}" for line in told[:LOG_LINES])
    yield from (f"  asked: {asked}" for asked in seen.asked if asked.number == number)


def _number_of(line: str, seen: Evidence) -> str | None:
    if found := re.search(r"\b1[2-9][0-9]{2}55501[0-9]{2}\b", line):
        return found[0]
    number_of = {attempt.id: number for number, attempts in seen.attempts_of.items() for attempt in attempts}
    return next((number for attempt, number in number_of.items() if attempt in line), None)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(at)) + f"{at % 1:.3f}"[1:]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items(), key=lambda each: -each[1]))
