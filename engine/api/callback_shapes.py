"""What is received and answered about callbacks: the request, the customer's view and the staff's view.

The customer's view holds nothing personal, so that a link which leaks shows only how far a request has come.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from engine.api.bodies import Answered, Moment, Received, moment, moment_or_none
from engine.api.moments import utc_text_of
from engine.api.when import Asked, When
from engine.core.records import Attempt, Callback, Classification
from engine.core.terms import CallbackState, Evidence, Outcome, Reason, RequestChannel, Verdict
from engine.core.wait import Wait
from engine.document.values import Id, Timezone


def _no_control(value: str) -> str:
    if any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in value):
        raise ValueError("must be one line of text without control characters")
    return value


def _readable(value: str) -> str:
    if any(unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\r\t" for each in value):
        raise ValueError("must be text without control characters")
    return value


def _web_page(value: str) -> str:
    if not re.match(r"https?://[^\s]+$", value, re.IGNORECASE):
        raise ValueError("must begin with https:// or http://")
    try:
        urlsplit(value)
    except ValueError:
        raise ValueError("must be the address of a web page") from None
    return value


def _language(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value, re.ASCII):
        raise ValueError("must be a language code such as en or pt-BR")
    return value.replace("_", "-")


def _scalar(value: object) -> object:
    # A web shop passes numbers and truth values; agents are shown text.
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _unavailable(value: object) -> None:
    # A field of the contract that this version does not act on must not be swallowed.
    if value is not None:
        raise ValueError("is not available in this version; leave it out")


def _phone_query(value: object) -> object:
    # An unescaped plus in an address arrives as a blank.
    return "+" + value.strip().removeprefix("+") if isinstance(value, str) else value


PhoneAsked = Annotated[str, BeforeValidator(_phone_query)]
Language = Annotated[str, Field(max_length=100), AfterValidator(_language)]
PageUrl = Annotated[str, Field(max_length=2000), AfterValidator(_web_page), AfterValidator(_no_control)]
Text = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_no_control)]
ContextKey = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_no_control)]
ContextValue = Annotated[str, BeforeValidator(_scalar), Field(max_length=1000), AfterValidator(_readable)]
Context = Annotated[dict[ContextKey, ContextValue], Field(max_length=50)]
Notes = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_readable)]


class CallbackWanted(Received):
    """A customer's wish to be called back."""

    service: Id | None = Field(None, description="May be left out when the page or the subject decides it.")
    phone: str = Field(max_length=64, description="E.164, or national form of the service's region.")
    subject: Id | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    customer_id: Text | None = None
    language: Language | None = None
    when: When = Field("now", description="Now, or when a slot begins.")
    timezone: Timezone | None = Field(None, description="Where the customer is; left out: what the number tells.")
    page_url: PageUrl | None = None
    context: Context = Field(default_factory=dict)
    channel: RequestChannel | None = Field(None, description="Left out: the kind of the key, or api.")
    offer_id: Annotated[str | None, AfterValidator(_unavailable)] = Field(
        None, description="Not available in this version."
    )
    skill_expression: str | None = Field(None, description="Staff only: what an agent needs besides.")
    push: Annotated[dict[str, Any] | None, AfterValidator(_unavailable)] = Field(
        None, description="Not available in this version."
    )


class MoveWanted(Received):
    """Another time, another number, or both."""

    when: When | None = Field(None, description="Now, or when a slot begins.")
    phone: str | None = Field(None, max_length=64, description="As in a request.")

    @model_validator(mode="after")
    def _something(self) -> MoveWanted:
        if self.when is None and self.phone is None:
            raise ValueError("name when, phone or both")
        return self


class RequeueWanted(Received):
    """When the customer of a callback that has ended is to be called again."""

    when: When = Field("now", description="Now, or when a slot begins.")


class CallbackListQuery(Received):
    """Which callbacks to list, newest first."""

    state: list[CallbackState] = Field([], description="May be repeated, or several with commas.")
    service: str | None = None
    phone: PhoneAsked | None = None
    created_from: Asked | None = Field(None, alias="from")
    created_to: Asked | None = Field(None, alias="to", description="Not included.")
    limit: int = Field(100, ge=1, le=500)
    cursor: str | None = None


class WaitView(Answered):
    """Expected wait until the call begins: one in two is called within the first, four in five within the other."""

    p50_seconds: float
    p80_seconds: float


def wait_view(wait: Wait | None) -> WaitView | None:
    """In whole seconds; None: not known."""
    if wait is None:
        return None
    return WaitView(p50_seconds=round(wait.p50_seconds), p80_seconds=round(wait.p80_seconds))


class CallbackAccepted(Answered):
    """A new request. `when` is `now` or the start of its slot. `token` manages it and is shown only here."""

    id: str
    state: CallbackState
    when: str
    position: int | None
    wait: WaitView | None
    scheduled_for: Moment | None
    token: str
    manage_url: str


class CustomerView(Answered):
    """What a customer sees of their request."""

    id: str
    state: CallbackState
    reason: Reason | None
    service: str
    when: str
    position: int | None
    wait: WaitView | None
    scheduled_for: Moment | None
    next_attempt_at: Moment | None
    attempts_made: int


class AttemptView(Answered):
    """One call to the customer. `transferred_at`: when the agent gave the customer to somebody else, with whom the call
    went on; `talk_seconds`: until then, or until its end.
    """

    n: int
    outcome: Outcome | None
    cause: int | None
    sip_code: int | None
    verdict: Verdict | None
    verdict_reason: Evidence | None
    verdict_seconds: float | None
    agent: str | None
    dialed_at: Moment | None
    answered_at: Moment | None
    confirmed_at: Moment | None
    bridged_at: Moment | None
    transferred_at: Moment | None
    ended_at: Moment | None
    talk_seconds: float | None


class StaffView(Answered):
    """What supervisors and administrators see of a request."""

    id: str
    parent_id: str | None
    service: str
    subject: str | None
    phone: str
    customer_id: str | None
    first_name: str | None
    last_name: str | None
    language: str
    context: dict[str, str]
    page_url: str | None
    state: CallbackState
    reason: Reason | None
    channel: RequestChannel
    when: str
    priority: int
    position: int | None
    wait: WaitView | None
    scheduled_for: Moment | None
    next_attempt_at: Moment | None
    agent: str | None
    disposition: str | None
    outcome_code: str | None
    notes: str | None
    created_at: Moment
    ended_at: Moment | None
    attempts: list[AttemptView]


_BEING_CALLED = (
    CallbackState.RESERVED,
    CallbackState.DIALING,
    CallbackState.ANNOUNCING,
    CallbackState.CONFIRMED,
    CallbackState.CONNECTED,
)
"""The states in which an attempt has reached the customer's side; while only an agent is rung, none has."""


class CallbackList(Answered):
    """One page; `next` is the cursor of the following one."""

    items: list[StaffView]
    next: str | None


def when_text(scheduled_for: float | None) -> str:
    """`now`, or the time of an appointment."""
    return "now" if scheduled_for is None else utc_text_of(scheduled_for)


class Outlook(NamedTuple):
    """`position`: 1-based, None when the callback does not wait; `wait`: from now on, None if that is not known."""

    position: int | None = None
    wait: Wait | None = None


def customer_view(callback: Callback, outlook: Outlook) -> CustomerView:
    """The customer's view."""
    return CustomerView(
        id=callback.id,
        state=callback.state,
        reason=callback.reason,
        service=callback.request.service,
        when=when_text(callback.scheduled_for),
        position=outlook.position,
        wait=wait_view(outlook.wait),
        scheduled_for=moment_or_none(callback.scheduled_for),
        next_attempt_at=moment_or_none(callback.next_attempt_at),
        attempts_made=len(callback.outcomes) + (callback.state in _BEING_CALLED),
    )


def staff_view(
    callback: Callback, attempts: Sequence[Attempt], outlook: Outlook, said: Classification | None
) -> StaffView:
    """The staff's view, attempts first to last; `said`: how the agent classified it."""
    request = callback.request
    return StaffView(
        id=callback.id,
        parent_id=callback.parent_id,
        service=request.service,
        subject=request.subject,
        phone=request.phone,
        customer_id=request.customer_id,
        first_name=request.first_name,
        last_name=request.last_name,
        language=request.language,
        context=dict(request.context),
        page_url=request.page_url,
        state=callback.state,
        reason=callback.reason,
        channel=request.channel,
        when=when_text(callback.scheduled_for),
        priority=callback.priority,
        position=outlook.position,
        wait=wait_view(outlook.wait),
        scheduled_for=moment_or_none(callback.scheduled_for),
        next_attempt_at=moment_or_none(callback.next_attempt_at),
        agent=callback.agent,
        disposition=said and said.disposition,
        outcome_code=said and said.outcome_code,
        notes=said and said.notes,
        created_at=moment(callback.created_at),
        ended_at=moment_or_none(callback.ended_at),
        attempts=[_attempt_view(each, unobserved=callback.reason is Reason.ENDED_UNOBSERVED) for each in attempts],
    )


def _seconds_to_verdict(attempt: Attempt) -> float | None:
    if attempt.judged_at is None or attempt.answered_at is None:
        return None
    return round(attempt.judged_at - attempt.answered_at, 3)


def _attempt_view(attempt: Attempt, *, unobserved: bool) -> AttemptView:
    """`unobserved`: nobody saw the end of the conversation, so nobody knows how long it was."""
    talked = None
    known = attempt.transferred_at is not None or not unobserved
    if attempt.bridged_at is not None and attempt.parted_at is not None and known:
        talked = round(attempt.parted_at - attempt.bridged_at, 3)
    return AttemptView(
        n=attempt.n,
        outcome=attempt.outcome,
        cause=attempt.cause,
        sip_code=attempt.sip_code,
        verdict=attempt.verdict,
        verdict_reason=attempt.evidence,
        verdict_seconds=_seconds_to_verdict(attempt),
        agent=attempt.agent,
        dialed_at=moment_or_none(attempt.dialed_at),
        answered_at=moment_or_none(attempt.answered_at),
        confirmed_at=moment_or_none(attempt.confirmed_at),
        bridged_at=moment_or_none(attempt.bridged_at),
        transferred_at=moment_or_none(attempt.transferred_at),
        ended_at=moment_or_none(attempt.ended_at),
        talk_seconds=talked,
    )
