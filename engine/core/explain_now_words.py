"""What holds a callback back now, said as a supervisor would say it. See explain_words.py."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from zoneinfo import ZoneInfo

from engine.core.explain_speech import Speech, counted, lasting, listed
from engine.core.explain_steps import Rule, Step
from engine.core.explain_waits import (
    AgentPreviews,
    Ahead,
    BeingCalled,
    Expected,
    Forbidden,
    GivenToSomebodyElse,
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
from engine.core.terms import CallbackState


def says_of_now(step: Step, speech: Speech) -> str:
    """The step in plain words."""
    match step:
        case WaitsForAppointment(at=at, until_at=until):
            return f"The customer is not called before {speech.clock(until, at)}, the time agreed."
        case WaitsForRetry(at=at, until_at=until):
            return f"The next call is due at {speech.clock(until, at)}."
        case WaitsForSupervisor():
            return "It is not called again by itself: move it to now once the fault is mended, or cancel it."
        case AgentPreviews():
            return _previews(step, speech)
        case BeingCalled():
            return _being_called(step, speech)
        case Talking(at=at, agent=agent, since_at=since):
            return f"In conversation with {speech.agent(agent)} since {speech.clock(since, at)}."
        case GivenToSomebodyElse(at=at, since_at=since):
            return f"On the phone with whoever the agent transferred the customer to, since {speech.clock(since, at)}."
        case HoldsTheLine():
            return _holds_the_line(step, speech)
        case Held():
            return _held(step, speech)
        case Forbidden():
            return _forbidden(step, speech)
        case _:
            return _of_the_line(step, speech)


def _of_the_line(step: Step, speech: Speech) -> str:
    match step:
        case NobodyAble(requirement=requirement):
            return f"No agent at all has the skills asked for ({requirement})."
        case NobodyFree():
            return _nobody_free(step, speech)
        case Expected(at=at, half_at=half, most_at=most):
            about, by = (speech.clock(ceil(each / 60) * 60, at) for each in (half, most))
            likely = f", and four times of five by {by}" if by != about else ""
            return f"An agent should be free for them by about {about}{likely}."
        case LeftOut(at=at, agent=agent, until_at=until):
            before = f" before {speech.clock(until, at)}" if until is not None else ""
            return f"{speech.agent(agent)} said no to this customer and is not asked again{before}."
        case Ahead():
            return _ahead(step, speech)
        case Widens(at=at, from_at=from_at, requirement=requirement, agents=agents):
            who = "nobody meets" if not agents else f"{counted(agents, 'agent')} {'meets' if agents == 1 else 'meet'}"
            return f"From {speech.clock(from_at, at)} on less is asked for ({requirement}), which {who}."
        case _:
            raise TypeError(f"there are no words for {type(step).__name__}")


def _holds_the_line(step: HoldsTheLine, speech: Speech) -> str:
    since = speech.clock(step.since_at, step.at)
    most = f", until {speech.clock(step.until_at, step.at)} at most" if step.until_at is not None else ""
    return f"The customer is on the phone, with music since {since}, and waits for an agent{most}."


def _being_called(step: BeingCalled, speech: Speech) -> str:
    name = speech.agent(step.agent)
    match step.state:
        case CallbackState.RINGING_AGENT:
            return f"{name} is being called right now, and afterwards the customer."
        case CallbackState.ANNOUNCING:
            return "The customer is on the phone right now and is asked to press a key."
        case CallbackState.CONFIRMED | CallbackState.CONNECTED:
            return f"The customer is on the phone right now and about to be connected with {name}."
        case _:
            return f"The customer is being called right now, for {name}."


def _previews(step: AgentPreviews, speech: Speech) -> str:
    name = speech.agent(step.agent)
    if step.agreed:
        return f"{name} has agreed to the call, which has not begun yet."
    until = f" until {speech.clock(step.until_at, step.at)}" if step.until_at is not None else ""
    return f"{name} has been shown the request and may say yes or no{until}."


def _held(step: Held, speech: Speech) -> str:
    service = speech.of(step.service)
    until = f" before {speech.clock(step.until_at, step.at)}" if step.until_at is not None else ""
    match step.by:
        case Obstacle.TELEPHONY_LOST:
            return "Nobody can be called at the moment: the telephone system cannot be reached."
        case Obstacle.STOPPING:
            return "Nobody is called any more: the engine is being stopped."
        case Obstacle.SERVICE_PAUSED:
            return f"{service} is paused and calls nobody until somebody resumes it."
        case Obstacle.NUMBER_BUSY:
            return f"Another call to the same number is up (callback {step.callback})."
        case Obstacle.RINGS_IN:
            return "The customer has rung in and is on the phone with us; until that call is over they are not called."
        case Obstacle.SERVICE_FULL:
            most = f"{step.count} customers at once" if step.count != 1 else "1 customer at a time"
            return f"{service} may dial {most}, and is doing so; one has to answer or end first."
        case Obstacle.ALL_FULL:
            return "As many calls are up as the telephone system may carry; one has to end first."
        case Obstacle.SERVICE_PACE:
            return f"{service} may begin no further call{until}, to keep its pace."
        case Obstacle.ALL_PACE:
            return f"No service may begin a further call{until}, to keep the pace of the telephone system."


def _forbidden(step: Forbidden, speech: Speech) -> str:
    until = f"not before {speech.clock(step.until_at, step.at)}" if step.until_at is not None else "never"
    match step.by:
        case Rule.NUMBER_GAP:
            gap = f" {lasting(step.limit)}" if step.limit is not None else ""
            return f"The number was called a moment ago; the next call has to wait{gap}, so {until}."
        case Rule.NUMBER_DAY:
            most = f", {step.limit:.0f}" if step.limit is not None else ""
            return f"The number has had all the calls it may get in a day{most}; {until}."
        case Rule.CALLING_WINDOW:
            where, local = _place(step)
            return f"It is {local} where the customer is ({where}), too early or too late to call; {until}."
        case Rule.BUSINESS_HOURS:
            return f"The service is closed; {until}."


def _place(step: Forbidden) -> tuple[str, str]:
    """Where the customer is, and the time of day there."""
    zone = step.zone or "UTC"
    return zone.rpartition("/")[2].replace("_", " "), f"{datetime.fromtimestamp(step.at, ZoneInfo(zone)):%H:%M}"


def _nobody_free(step: NobodyFree, speech: Speech) -> str:
    agents, skills = step.agents, f"the skills asked for ({step.requirement})"
    other, more = ("other ", " else") if step.said_no else ("", "")
    if set(agents.values()) == {"logged_out"}:
        if len(agents) == 1:
            return f"The only {other}agent with {skills}, {speech.agent(next(iter(agents)))}, is not logged in."
        return f"None of the {len(agents)} {other}agents with {skills} is logged in."
    back = ""
    if step.first_agent is not None and step.first_at is not None:
        back = (
            f" {speech.agent(step.first_agent)} is back first, by {speech.clock(step.first_at, step.at)} at the latest."
        )
    return f"Nobody{more} with {skills} is free: {speech.standing(agents)}.{back}"


def _ahead(step: Ahead, speech: Speech) -> str:
    service = speech.of(step.service)
    others = ""
    if step.of_others:
        others = f"{counted(step.of_others, 'customer')} of other services come first for the same agents"
        others = others.replace("customer of other services come", "customer of another service comes")
    if not step.count:
        return f"First in the line of {service}, but {others}."
    kinds = (
        (step.on_the_phone, "on the phone already"),
        (step.at_head, "called again after being let down"),
        (step.with_priority, "with a higher priority"),
    )
    told = [f"{number} {text}" for number, text in kinds if number]
    of_them = f", {listed(told)}" if told else ""
    also = f"; besides, {others}" if others else ""
    return f"{counted(step.count, 'customer')} of {service} {'is' if step.count == 1 else 'are'} ahead{of_them}{also}."
