"""The reference page of outcomes, made from the engine's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.callphase import FREE_LATERS
from engine.core.outcomes import CAUSES, RESPONSES, TIMEOUTS
from engine.core.retry import COUNTED, ENDS, FAULTS, FAULTS_BEFORE_HOLD
from engine.core.terms import Outcome

MEANINGS: dict[Outcome, str] = {
    Outcome.CONNECTED: "customer and agent were connected, or may have been",
    Outcome.ABANDONED: "the customer confirmed and hung up before an agent was connected",
    Outcome.UNCONFIRMED: "the call was answered and no key was pressed",
    Outcome.HUNG_UP: "the customer hung up before confirming",
    Outcome.LATER: "the customer pressed the key to be called later",
    Outcome.CANCELLED_BY_KEY: "the customer pressed the key to cancel",
    Outcome.NEVER_AGAIN: "the customer pressed the key never to be called again",
    Outcome.MACHINE: "a machine answered",
    Outcome.MESSAGE_LEFT: "a machine answered and a message was left on it",
    Outcome.FAX: "a fax answered",
    Outcome.BUSY: "the line was busy",
    Outcome.NO_ANSWER: "the phone rang and nobody answered, or it could not be reached",
    Outcome.REJECTED: "the call was rejected",
    Outcome.INVALID_NUMBER: "the network says that there is no such number",
    Outcome.NETWORK_FAILURE: "the network could not set up the call",
    Outcome.NO_AGENT: "no agent was there for the customer",
    Outcome.INTERRUPTED: "the engine, Asterisk or their connection failed or stopped",
    Outcome.REFUSED: "Asterisk refused to place the call, or the trunk refused our account",
}

_HEAD = f"""\
# Outcomes of an attempt

<!-- Made by `make docs` from engine/core/outcomes.py and engine/core/retry.py; do not edit. -->

Each call to a customer ends with one outcome of a closed list, and the outcome decides what follows.

- *Counted*: one of the `attempts.max` calls is used up. After the last one the callback is `unsuccessful`.
- *Ours*: not the customer's doing, not counted. After {FAULTS_BEFORE_HOLD} the callback is held for a supervisor.
- *Free*: not counted, {FREE_LATERS} times at most; after that the key does nothing.
- *Ends the callback*: nobody is called again.

`attempts.by_outcome` gives a single outcome its own interval and maximum.

| outcome | what happened | what follows |
| --- | --- | --- |
"""
_RESPONSES = """\

## Calls that nobody answered: SIP responses

The final response to the INVITE is looked at first. One that is not in the table is read as the x00 of its class (RFC
3261 section 8.1.3.2).

| code | phrase | outcome | source | why |
| --- | --- | --- | --- | --- |
"""
_CAUSES = """\

## Calls that nobody answered: Q.850 causes

Where there is no final response, the cause of the hang-up counts. One that is not in the table is read as the
"unspecified" cause of its class: 31, 47, 63, 79, 95, 111 or 127. Behind the standard stands the SIP response of RFC
3398 section 7.2.4.1; the outcome is that response's, unless the last column says why it is not.

| cause | name | outcome | source | why |
| --- | --- | --- | --- | --- |
"""
_TIMEOUTS = """\

## Our own time-outs

| timer | set by | what it means when it fires | outcome |
| --- | --- | --- | --- |
"""


def outcomes_page() -> str:
    """The closed list first, then a table for each source of an outcome."""
    tables = [
        (_HEAD, ([f"`{each}`", MEANINGS[each], _follows(each)] for each in Outcome)),
        (_RESPONSES, ([str(r.code), r.phrase, f"`{r.outcome}`", r.source, r.note] for r in RESPONSES)),
        (_CAUSES, ([str(c.number), c.name, f"`{c.outcome}`", c.source, c.note] for c in CAUSES)),
        (_TIMEOUTS, ([f"`{t.timer}`", f"`{t.setting}`", t.when, f"`{t.outcome}`"] for t in TIMEOUTS)),
    ]
    return "".join(head + "".join(_rows(rows)) for head, rows in tables)


def _follows(outcome: Outcome) -> str:
    if outcome in COUNTED:
        return "counted"
    if outcome in FAULTS:
        return "ours"
    return "ends the callback" if outcome in ENDS else "free"


def _rows(rows: Iterable[list[str]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(row)} |\n".replace("|  |", "| |")
