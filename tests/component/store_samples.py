"""Values for the store's tests: small ones to count with, and full ones with every field set."""

from __future__ import annotations

from pathlib import Path

from engine.core.changes import CallbackChanged, CallbackMoved, IdempotencyKept, TimerSet
from engine.core.events import IdempotencyKey
from engine.core.expressions import parse
from engine.core.records import Attempt, Callback, Request, Timer
from engine.core.terms import (
    AgentId,
    AttemptId,
    CallbackId,
    CallbackState,
    Evidence,
    LegId,
    Outcome,
    Reason,
    RequestChannel,
    ServiceId,
    Verdict,
)
from engine.core.values import replace
from engine.core.wait import Wait
from engine.store.records import Entry

NOW = 1_790_000_000.123456
BILLING = ServiceId("billing")


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def a_callback(n: int, *, state: CallbackState = CallbackState.QUEUED, service: ServiceId = BILLING) -> Callback:
    """The n-th callback: its own id, number and second."""
    request = Request(service, f"+1202555{n:04d}", "en", RequestChannel.WEB)
    at = NOW + n
    return Callback(CallbackId(f"cb{n}"), request, state, at, at, f"hash-{n}", ended_at=at if state.ended else None)


def a_full_callback() -> Callback:
    """Every field differs from its default."""
    request = Request(
        service=ServiceId("rechnungen & mehr"),
        phone="+4915112345678",
        language="de",
        channel=RequestChannel.PHONE,
        subject="invoice",
        customer_id="c-1",
        first_name="Zoë 🦊",
        last_name="O'Brien; DROP TABLE callbacks",
        page_url="https://example.com/ä?b=%20",
        context={"ключ": '値\n"quoted"', "empty": ""},
        skill=parse("billing and english"),
        zones=("Europe/Berlin", "Europe/Vienna"),
    )
    return Callback(
        id=CallbackId("full"),
        request=request,
        state=CallbackState.RETRY_WAIT,
        created_at=NOW,
        joined_at=NOW + 0.000001,
        token_hash="f" * 64,
        priority=-3,
        reason=Reason.BY_ADMIN,
        at_head=True,
        next_attempt_at=NOW + 600.5,
        ended_at=NOW + 700.25,
        attempts_started=2,
        outcomes=tuple(Outcome),
        agent=AgentId("amy"),
        parent_id=CallbackId("cb1"),
        widened=2,
        excluded=(AgentId("amy"), AgentId("ben")),
        scheduled_for=NOW + 3600.5,
        booked=True,
        asked_at=NOW + 1,
        told=Wait(61.5, 122.25),
    )


def a_full_attempt(callback: CallbackId, n: int = 1) -> Attempt:
    """Every field differs from its default."""
    return Attempt(
        id=AttemptId(f"{callback}-{n}"),
        callback=callback,
        n=n,
        agent=AgentId("amy"),
        dialed_at=NOW,
        agent_legs=2,
        rang=True,
        answered_at=NOW + 1,
        confirmed_at=NOW + 2,
        bridging_at=NOW + 2.5,
        bridged_at=NOW + 3,
        ended_at=NOW + 4,
        outcome=Outcome.CONNECTED,
        cause=16,
        phone="+4915112345678",
        sip_code=200,
        overtook=3,
        verdict=Verdict.PERSON,
        evidence=Evidence.KEY,
        judged_at=NOW + 2,
        transferred_at=NOW + 3.5,
        given_to=LegId("pbx-1764188400.58"),
        transfer_answered_at=NOW + 3.75,
        waits_again_at=NOW + 3.875,
    )


def an_open_attempt(callback: CallbackId, n: int = 1) -> Attempt:
    return Attempt(AttemptId(f"{callback}-{n}"), callback, n, None, NOW + n)


def accepted(callback: Callback) -> list[Entry]:
    """What the dispatcher writes for one accepted request."""
    return [
        CallbackChanged(callback),
        CallbackMoved(callback.id, None, callback.state, "accepted", callback.created_at),
        TimerSet(Timer(callback.id, "life", callback.created_at + 86400)),
        IdempotencyKept(IdempotencyKey(f"key-{callback.id}", "b", "{}"), callback.id, callback.created_at),
    ]


def ended(callback: Callback) -> Callback:
    return replace(callback, state=CallbackState.CANCELLED, reason=Reason.BY_CUSTOMER, ended_at=callback.created_at + 1)
