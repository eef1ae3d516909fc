"""What happened, said as a supervisor would say it: one or a few short sentences for each step.

Words of the engine's closed lists never appear; where a cause is not known the sentence says so. What holds a callback
back now is said by explain_now_words.py.
"""

from __future__ import annotations

from engine.core import retry
from engine.core.explain_now_words import says_of_now
from engine.core.explain_speech import Speech, counted, lasting, listed
from engine.core.explain_steps import (
    AgentMissed,
    Answered,
    AppointmentCame,
    CallFailed,
    Chosen,
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
    WhyNow,
)
from engine.core.terms import AgentOrder, ConnectMode, Evidence, Outcome, Reason, RequestChannel, Verdict

_CHANNELS = {
    RequestChannel.WEB: "on the web",
    RequestChannel.MOBILE: "in the app",
    RequestChannel.PHONE: "on the phone",
    RequestChannel.API: "through another system",
    RequestChannel.AGENT: "through an agent",
}
_OUTCOMES = {
    Outcome.CONNECTED: "The customer was connected",
    Outcome.ABANDONED: "The customer hung up while waiting for an agent",
    Outcome.UNCONFIRMED: "The customer answered but pressed no key",
    Outcome.HUNG_UP: "The customer answered and hung up without pressing a key",
    Outcome.LATER: "The customer pressed the key to be called later",
    Outcome.CANCELLED_BY_KEY: "The customer pressed the key to cancel",
    Outcome.NEVER_AGAIN: "The customer pressed the key never to be called again",
    Outcome.MACHINE: "An answering machine answered",
    Outcome.MESSAGE_LEFT: "An answering machine answered and was left a message",
    Outcome.FAX: "A fax machine answered",
    Outcome.BUSY: "The line was busy",
    Outcome.NO_ANSWER: "Nobody answered",
    Outcome.REJECTED: "The call was rejected at the customer's end",
    Outcome.INVALID_NUMBER: "The number does not exist",
    Outcome.NETWORK_FAILURE: "The call did not get through the telephone network",
    Outcome.NO_AGENT: "No agent came for the customer in time",
    Outcome.INTERRUPTED: "The call was broken off by a fault on our side",
    Outcome.REFUSED: "Our own line refused to make the call",
}
_VERDICTS = {
    Verdict.PERSON: "a person",
    Verdict.MACHINE: "an answering machine",
    Verdict.SCREENING_ROBOT: "a robot that asks who is calling",
    Verdict.FAX: "a fax machine",
}
_EVIDENCE = {
    Evidence.SHORT_GREETING: "a few words were said, and then somebody listened",
    Evidence.BEEP: "there was a beep after a greeting",
    Evidence.NO_REACTION: "there was a long greeting, and nobody did anything when we had spoken",
    Evidence.SAID_AND_LEFT: "there was a long greeting, and then it hung up",
    Evidence.REPLY: "it answered when we had spoken",
    Evidence.FAX_TONE: "its tone was heard",
    Evidence.AMD: "the telephone system, which listened first, said so",
}
_FREED = {
    "asked": "became ready",
    "ready": "ended the wrap-up",
    "completed": "finished other work",
    "cancelled": "was rid of other work",
    "wrap_up_over": "was through with the wrap-up",
    "no_wrap_up": "had ended another call",
    "not_needed": "was no longer needed for another call, which ended without a conversation",
    "rona_return": "was set to ready again, some time after missing a call",
    "rejected": "said no to something else",
    "withdrawn": "was no longer asked about something else",
    "rescheduled": "had put another customer off to another time",
}
_RULES = {
    Rule.NUMBER_GAP: "two calls to a number may not follow each other faster",
    Rule.NUMBER_DAY: "the number has had all the calls it may get in a day",
    Rule.CALLING_WINDOW: "the customer may be called only at certain times of day",
    Rule.BUSINESS_HOURS: "the service is closed before",
}
_ALLOWED = {
    WhyNow.AT_ONCE: "There was nothing to wait for.",
    WhyNow.AGENT_ALLOWED_AGAIN: "Not earlier, because {agent} had said no to this customer a while before.",
    WhyNow.NUMBER_FREE: "Not earlier, because another call to the same number was still up.",
    WhyNow.NUMBER_GAP: "Not earlier, because the number had been called shortly before.",
    WhyNow.NUMBER_DAY: "Not earlier, because the number had had all the calls it may get in a day.",
    WhyNow.CALLING_WINDOW: "Not earlier, because it was not a time of day at which the customer may be called.",
    WhyNow.SERVICE_PACE: "Not earlier, because the service keeps a pace and had begun as many calls as it may.",
    WhyNow.ALL_PACE: "Not earlier, because as many calls had just begun as the telephone system may begin at a time.",
    WhyNow.UNKNOWN: (
        "What it had waited for is not on record: a pause that is over, a call that the customer made to us, an "
        "agent's phone that was in use or not registered, or the telephone system, away or fully used."
    ),
}
_WITHDRAWN = {
    "paused": "because the service was paused",
    "not_permitted": "because the customer may not be called just now",
    "phone": "because the agent's phone was in use or not registered",
    "called_in": "because the customer called in and talks already",
}
_ENDS = {
    Reason.ENDED_UNOBSERVED: "The call ended while nobody could see it. Customer and agent may have talked: done.",
    Reason.INVALID_NUMBER: "The number does not exist, so it is not called again.",
    Reason.NO_AGENT: "No agent could be found.",
    Reason.BY_CUSTOMER: "The customer cancelled it.",
    Reason.BY_KEY: "The customer pressed the key to cancel.",
    Reason.NEVER_AGAIN: "The customer pressed the key never to be called again; the number is blocked from now on.",
    Reason.BY_PUSH: "The customer cancelled it when asked whether to be called.",
    Reason.BY_AGENT: "An agent cancelled it.",
    Reason.BY_ADMIN: "A supervisor or administrator cancelled it.",
    Reason.CALLED_IN: "The customer called in, so they are not called back any more.",
    Reason.NOT_PERMITTED: "The number was put on the list of those that are never called.",
    Reason.NO_PERMITTED_TIME: (
        "There is no time left at which this customer may be called (business hours, calling times, limits), "
        "so it ended."
    ),
}

_TOLD_FIRST = frozenset(retry.COUNTED | retry.FAULTS | {Outcome.LATER})
"""Outcomes that an end does not tell by itself."""


def says(step: Step, speech: Speech) -> str:
    """The step in plain words."""
    match step:
        case Requested():
            return _requested(step, speech)
        case AppointmentCame(service=service):
            return f"The time agreed had come: the customer joined the line of {speech.of(service)}."
        case Moved(to_at=None):
            return "The call was moved to another time, which was changed again later."
        case Moved(at=at, to_at=float(to_at), agent=None):
            return f"The call was moved to {speech.clock(to_at, at)}."
        case Moved(at=at, to_at=float(to_at), agent=agent):
            return f"{_capital(speech.agent(agent))} put the call off to {speech.clock(to_at, at)}."
        case MovedToNow(service=service):
            return f"The call was moved to now: the customer joined the line of {speech.of(service)}."
        case RetryCame(service=service, at_head=at_head):
            where = "to the head of the line" if at_head else "to the old place in the line"
            return f"Time for the next call: back {where} of {speech.of(service)}."
        case Chosen():
            return _chosen(step, speech)
        case PreviewEnded():
            return _preview_ended(step, speech)
        case CustomerCalled(agent=agent):
            return f"{_capital(speech.agent(agent))} picked up, so the customer was called."
        case NotCalled():
            return _not_called(step, speech)
        case _:
            return _in_call(step, speech)


def _in_call(step: Step, speech: Speech) -> str:
    match step:
        case Answered(after_seconds=seconds):
            return f"The customer answered{_after(seconds)}."
        case Judged(verdict=verdict, evidence=evidence, after_seconds=seconds):
            return f"{_capital(_soon(seconds))} it was taken for {_VERDICTS[verdict]}: {_EVIDENCE[evidence]}."
        case Confirmed():
            return "The customer pressed the key to be connected."
        case AgentMissed(agent=agent):
            return f"{speech.agent(agent)} did not pick up and was set to not ready; the customer waited on with music."
        case NextAgent(agent=agent):
            return f"{speech.agent(agent)} was chosen instead."
        case Connected(agent=agent, after_seconds=seconds):
            return f"The customer was connected with {speech.agent(agent)}{_after(seconds)}."
        case Transferred(agent=agent, after_seconds=seconds):
            who = speech.agent(agent)
            return f"The customer was transferred by {who}{_after(seconds)}, and the call went on without {who}."
        case TransferUnanswered():
            return "Nobody answered there: the customer heard music again until the next agent was free."
        case CallFailed():
            return _failed(step, speech)
        case Ended():
            return _ended(step, speech)
        case _:
            return says_of_now(step, speech)


def _requested(step: Requested, speech: Speech) -> str:
    how = _CHANNELS[step.channel]
    again = f" It is another call after callback {step.after}." if step.after else ""
    service = speech.of(step.service)
    if step.for_at is not None:
        return f"The customer asked {how} to be called by {service} on {_day(step.for_at, step.at, speech)}.{again}"
    if step.moved:
        return f"The customer asked {how} to be called by {service} at a time that was changed later.{again}"
    return f"The customer asked {how} to be called back and joined the line of {service}.{again}"


def _day(at: float, near: float, speech: Speech) -> str:
    text = speech.clock(at, near)
    return text if "," in text else f"the same day at {text}"


def _chosen(step: Chosen, speech: Speech) -> str:
    name = _capital(speech.agent(step.agent))
    sentences = [_who(step, name, speech), _why_now(step, name)]
    if step.before:
        sentences.append(_before(step, speech))
    if step.others_called or step.of_other_services:
        sentences.append(_others(step))
    if step.passed_over:
        stood = f"{counted(step.passed_over, 'customer')} further ahead in the line"
        sentences.append(f"{stood} could not be served: not by {name}, or not yet.")
    return " ".join(each for each in sentences if each)


def _before(step: Chosen, speech: Speech) -> str:
    """Why nobody else was chosen earlier."""
    nobody = "nobody else" if step.left_out else "nobody"
    if set(step.before.values()) == {"logged_out"}:
        return f"Before that {nobody} with the skills was logged in."
    return f"Before that {nobody} with the skills was free: {speech.stood(step.before)}."


def _others(step: Chosen) -> str:
    """Who was called while the customer waited."""
    parts = []
    if step.others_called:
        parts.append(f"{counted(step.others_called, 'other customer')} of the service")
    if step.of_other_services:
        others = counted(step.of_other_services, "customer")
        parts.append(f"{others} of {'another service' if step.of_other_services == 1 else 'other services'}")
    with_priority = f", {step.with_priority} of them with a higher priority" if step.with_priority else ""
    return f"While this customer waited, {listed(parts)} got a call{with_priority}."


def _who(step: Chosen, name: str, speech: Speech) -> str:
    begins = {
        ConnectMode.RESERVE: f"{name} was chosen and the customer called",
        ConnectMode.AGENT_FIRST: f"{name} was chosen and called first",
        ConnectMode.PREVIEW: f"{name} was chosen and shown the request",
    }[step.mode]
    if step.free is None or step.idle_since_at is None:
        return f"{begins}."
    skills = f"with the skills asked for{_levels(step, name)}"
    if step.free == 1:
        return f"{begins}: the only free agent {skills}."
    if step.order is AgentOrder.BEST_LEVEL:
        return f"{begins}: the best of the {step.free} free agents {skills}."
    since = speech.clock(step.idle_since_at, step.at)
    return f"{begins}: of the {step.free} free agents {skills}, {name} had been free longest, since {since}."


def _levels(step: Chosen, name: str) -> str:
    """What was asked for, and the levels the agent has of it."""
    if not step.levels:
        return f" ({step.requirement})"
    return f" ({step.requirement}; {name} has {listed(f'{skill} {level}' for skill, level in step.levels.items())})"


def _why_now(step: Chosen, name: str) -> str:
    if step.why_now is WhyNow.AGENT_FREE:
        return f"Just then {name} {_FREED.get(step.freed_by or '', 'became free')}."
    if step.why_now is WhyNow.WIDENED:
        return f"Not earlier, because until then more was asked for: {step.asked_before}."
    return _ALLOWED[step.why_now].format(agent=name)


def _preview_ended(step: PreviewEnded, speech: Speech) -> str:
    name = _capital(speech.agent(step.agent))
    match step.answer:
        case PreviewAnswer.ACCEPTED:
            return f"{name} agreed, and the customer was called."
        case PreviewAnswer.REJECTED:
            until = step.left_out_until_at
            left_out = f"; {name} is not asked again before {speech.clock(until, step.at)}" if until else ""
            return f"{name} said no, and the customer went back to the old place in the line{left_out}."
        case PreviewAnswer.MISSED:
            return f"{name} did not answer in time and was set to not ready; back to the old place in the line."
        case PreviewAnswer.WITHDRAWN:
            why = _WITHDRAWN.get(step.why or "", "because the agent was not there any more, or nobody could be called")
            return f"{name} is not asked any more, {why}; back to the old place in the line."


def _not_called(step: NotCalled, speech: Speech) -> str:
    name = _capital(speech.agent(step.agent))
    if step.outcome is Outcome.NO_AGENT:
        return f"{name} did not come to the phone, so the customer was not called; back to the old place in the line."
    return "The customer could not be called just then and was not disturbed; back to the old place in the line."


def _failed(step: CallFailed, speech: Speech) -> str:
    begins = _OUTCOMES[step.outcome] if step.outcome is not None else "The call failed"
    if step.held:
        return f"{begins}. That was one fault too many, so it waits for a supervisor."
    if step.next_at is None:
        return f"{begins}."
    pause = f", {lasting(step.wait_seconds)} later" if step.wait_seconds is not None and not step.moved_by else ""
    why = f", because {_RULES[step.moved_by]}" if step.moved_by else ""
    return f"{begins}. The next call was set for {speech.clock(step.next_at, step.at)}{pause}{why}."


def _ended(step: Ended, speech: Speech) -> str:
    begins = f"{_OUTCOMES[step.outcome]}. " if step.outcome in _TOLD_FIRST else ""
    ends = ""
    if step.reason is Reason.CALLED_IN:
        pass  # they talked, so it does not matter who was free
    elif set(step.before.values()) == {"logged_out"}:
        ends = " At that moment nobody with the skills was logged in."
    elif step.before:
        ends = f" At that moment nobody with the skills was free: {speech.stood(step.before)}."
    return begins + _end(step, speech) + ends


def _end(step: Ended, speech: Speech) -> str:
    match step.reason:
        case Reason.TALKED:
            long = f" after {lasting(step.talk_seconds)}" if step.talk_seconds is not None else ""
            if step.last_with is LastWith.SOMEBODY_ELSE:
                return f"The call ended{long}, with whoever the customer had been given to: done."
            if step.last_with is LastWith.NOBODY:
                return f"The call ended{long}, while the customer waited for another agent: done, for they had talked."
            return f"The conversation with {speech.agent(step.agent)} ended{long}: done."
        case Reason.ATTEMPTS_EXHAUSTED:
            most = f"That was {step.calls} of at most {counted(step.most, 'call')}" if step.most else "No call is left"
            return f"{most}, so it is not called again."
        case Reason.LIFETIME:
            life = f"the {lasting(step.life_seconds)}" if step.life_seconds else "the time"
            over = "are over" if step.outcome is None else "would be over before the next call"
            return f"It ended because {life} it may be open {over}."
        case None:
            return "It ended."
        case reason:
            return _ENDS[reason]


def _after(seconds: float | None) -> str:
    return "" if seconds is None or seconds < 1 else f" after {lasting(seconds)}"


def _soon(seconds: float) -> str:
    return "at once" if seconds < 1 else f"after {lasting(seconds)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
