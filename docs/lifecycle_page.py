"""The page of the callback lifecycle: its diagram and its table of causes are drawn from the engine's own table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.core.lifecycle import REASONS, TABLE, Because
from engine.core.terms import CallbackState

PAGE = Path(__file__).resolve().parent / "lifecycle.md"
BEGIN = "<!-- drawn from engine/core/lifecycle.py by `make docs`; do not edit below -->\n"
END = "<!-- end of what is drawn -->\n"

MEANINGS: dict[Because, str] = {
    Because.ACCEPTED: "the request was accepted",
    Because.BOOKED: "the request was accepted for a slot, or for a time that staff chose",
    Because.SLOT_STARTED: "its time has come; the callback joins the line",
    Because.MOVED: "the customer moved it to a slot",
    Because.MOVED_TO_NOW: "the customer wants to be called now",
    Because.AGENT_RESERVED: "an agent is free and reserved; an attempt begins",
    Because.AGENT_RINGING: "the agent is rung before the customer is called",
    Because.NOT_DIALLED: "no agent came to the phone, or the customer may not be called; the place in line is kept",
    Because.PREVIEW_OFFERED: "the agent is shown the customer's data and asked",
    Because.PREVIEW_ACCEPTED: "the agent said yes; an attempt begins",
    Because.PREVIEW_REJECTED: "the agent said no; others are asked, this one not for a while",
    Because.PREVIEW_MISSED: "the agent did not answer in time and is not ready now",
    Because.PREVIEW_WITHDRAWN: "the agent left, or the customer may not be called at this moment",
    Because.RESCHEDULED_BY_AGENT: "the agent put the customer off to another time",
    Because.DIALLED: "the customer's leg exists",
    Because.ANSWERED: "the customer answered; the announcement starts",
    Because.CONFIRMED: "the customer pressed the key to be connected",
    Because.BRIDGED: "customer and agent are connected",
    Because.TRANSFERRED: "the agent gave the customer to somebody else; the conversation goes on",
    Because.TRANSFER_UNANSWERED: "nobody answered there; the customer hears music until another agent is free",
    Because.CALL_ENDED: "the conversation is over",
    Because.CALL_ENDED_UNOBSERVED: "the conversation ended while the engine was not watching",
    Because.ATTEMPT_FAILED: "the attempt came to nothing; another one follows",
    Because.LATER_BY_KEY: "the customer pressed the key to be called later",
    Because.CANCELLED_BY_KEY: "the customer pressed the key to cancel",
    Because.NEVER_AGAIN_BY_KEY: "the customer pressed the key never to be called again",
    Because.ATTEMPTS_EXHAUSTED: "the attempt came to nothing and was the last one allowed",
    Because.INVALID_NUMBER: "the network says that the number does not exist",
    Because.HELD_FOR_SUPERVISOR: "too many failures of our own; a supervisor decides",
    Because.RETRY_DUE: "the time of the next attempt has come",
    Because.CANCELLED: "the customer, an agent or an administrator cancelled the request",
    Because.SUPPRESSED: "the number is never to be called again",
    Because.LIFE_OVER: "the callback's life is over",
    Because.NO_PERMITTED_TIME: "hours, window and limits permit no further call within the life of the callback",
}


def lifecycle_page() -> str:
    """The page as it stands, with the drawn part made anew. Raises ValueError if a marker is missing."""
    page = PAGE.read_text("utf-8")
    head, begin, rest = page.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} needs the two lines {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n{_diagram()}\n{_causes()}\n{END}{tail}"


def _diagram() -> str:
    """One arrow for each two states, labelled with its causes; ends lead to the final dot."""
    causes: dict[tuple[str, str], list[str]] = {}
    for (state, because), target in TABLE.items():
        causes.setdefault((state or "[*]", target), []).append(because)
    arrows = [f"    {before} --> {target}: {', '.join(names)}" for (before, target), names in causes.items()]
    ends = [f"    {state} --> [*]" for state in CallbackState if state.ended]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, *ends, "```", ""])


def _causes() -> str:
    return "\n".join(
        ["| cause | what happened | from | to | reason |", "| --- | --- | --- | --- | --- |", *_rows(), ""]
    )


def _rows() -> Iterator[str]:
    for because in Because:
        pairs = [(state, target) for (state, cause), target in TABLE.items() if cause is because]
        before = ", ".join(f"`{state}`" for state, _target in pairs if state is not None) or "-"
        after = ", ".join(f"`{target}`" for target in dict.fromkeys(target for _state, target in pairs))
        reason = f"`{REASONS[because]}`" if because in REASONS else "-"
        if because is Because.CANCELLED:
            reason = "as given"
        yield f"| `{because}` | {MEANINGS[because]} | {before} | {after} | {reason} |"
