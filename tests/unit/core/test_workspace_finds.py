"""What has not begun cannot be done, a wish outlasts what staff write over it, and who was overtaken is counted."""

from __future__ import annotations

import pytest

from engine.core.changes import AttemptChanged, CallClassified, Change, IdempotencyKept, InteractionChanged
from engine.core.configuration import Agent, Configuration, Disposition, Limits, Service
from engine.core.decision import Decision, Refusal, Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.events import (
    CallbackRequested,
    ConfigurationApplied,
    Event,
    IdempotencyKey,
    InteractionRequested,
    PresenceRequested,
    SuppressRequested,
    WorkAccepted,
    WorkCompleted,
)
from engine.core.expressions import parse
from engine.core.records import Attempt, Classification, Request, Suppression, Work
from engine.core.terms import (
    AgentId,
    CallbackId,
    ConnectMode,
    DispositionId,
    InteractionId,
    InteractionState,
    Media,
    Presence,
    Reason,
    RequestChannel,
    ServiceId,
    Stage,
    WorkId,
)
from engine.core.values import replace

START = 1_700_000_000.0
BILLING, AMY, BEN, SOLD = ServiceId("billing"), AgentId("amy"), AgentId("ben"), DispositionId("sold")
PREVIEWED = Service(BILLING, "Billing", "Example Ltd", parse("billing"), connect=ConnectMode.PREVIEW)
FIRST, CHAT = CallbackId("c1"), InteractionId("in1")
FIRST_WORK, CHAT_WORK = WorkId("c1-1"), WorkId("in1")


class Desk:
    """A dispatcher with one service, agents, and a clock that stands until it is moved."""

    def __init__(self, service: Service = PREVIEWED) -> None:
        self.now = START
        self.dispatcher = Dispatcher(Snapshot())
        agents = {each: Agent(each, each, f"PJSIP/{each}", {"billing": 1}) for each in (AMY, BEN)}
        codes = {SOLD: Disposition(SOLD, "Sold")}
        limits = Limits(per_number_per_day=10**6, min_gap_seconds=0, attempts_per_number_per_day=10**6)
        configuration = Configuration(services={BILLING: service}, agents=agents, dispositions=codes, limits=limits)
        self.tell(ConfigurationApplied(configuration, "the document"))

    def tell(self, event: Event) -> Decision:
        return self.dispatcher.handle(event, self.now)

    def asks(self, callback: CallbackId = FIRST, phone: str = "+12025550113", subject: str | None = None) -> Decision:
        request = Request(BILLING, phone, "en", RequestChannel.WEB, subject=subject)
        return self.tell(CallbackRequested(callback, request, "hash"))

    def ready(self, agent: AgentId = AMY) -> Decision:
        return self.tell(PresenceRequested(agent, Presence.READY))

    def accepts(self, work: WorkId = FIRST_WORK) -> Decision:
        return self.tell(WorkAccepted(AMY, work))

    def completes(self, work: WorkId, callback: CallbackId | None = None) -> Decision:
        said = Classification(SOLD) if callback is not None else None
        return self.tell(WorkCompleted(AMY, work, callback, BILLING, said))

    def works(self) -> tuple[Work, ...]:
        status = self.dispatcher.desks.status(AMY)
        assert status is not None
        return status.works


@pytest.fixture
def desk() -> Desk:
    """One customer's preview is shown to Amy."""
    desk = Desk()
    desk.asks()
    desk.ready()
    assert [(work.id, work.stage) for work in desk.works()] == [(FIRST_WORK, Stage.OFFERED)]
    return desk


def refusal(decision: Decision) -> str:
    assert isinstance(decision.reply, Refusal), decision.reply
    assert decision.changes == []
    return decision.reply.code


# ---- a number that is never called again -----------------------------------------------------------------


def test_given_a_number_whose_owner_wants_no_call_when_staff_suppress_it_too_then_the_first_wish_stays() -> None:
    wish = Suppression("+12025550113", Reason.NEVER_AGAIN, START - 60)
    dispatcher = Dispatcher(Snapshot(suppressions=(wish,)))
    dispatcher.handle(SuppressRequested(wish.phone, "asked again by letter"), START)
    assert dispatcher.suppressions == {wish.phone: replace(wish, note="asked again by letter")}
    dispatcher.handle(SuppressRequested(wish.phone), START)
    assert dispatcher.suppressions[wish.phone].note == "asked again by letter"


# ---- what is done has begun ------------------------------------------------------------------------------


def test_given_a_preview_that_was_not_accepted_when_it_is_completed_then_it_is_refused(desk: Desk) -> None:
    assert refusal(desk.completes(FIRST_WORK, FIRST)) == "wrong-state"


def announce(desk: Desk, idempotency: IdempotencyKey | None = None) -> Decision:
    return desk.tell(InteractionRequested(CHAT, Media("chat"), BILLING, None, {}, idempotency))


def test_given_a_chat_that_was_not_accepted_when_it_is_completed_then_it_is_refused() -> None:
    desk = Desk()
    announce(desk)
    desk.ready()
    assert refusal(desk.completes(CHAT_WORK)) == "wrong-state"
    assert desk.dispatcher.interactions[CHAT].state is InteractionState.OFFERED
    desk.accepts(CHAT_WORK)
    done = desk.completes(CHAT_WORK)
    assert states_of(done.changes) == [InteractionState.COMPLETED]


def states_of(changes: list[Change]) -> list[InteractionState]:
    return [change.interaction.state for change in changes if isinstance(change, InteractionChanged)]


def test_given_a_clients_key_when_work_is_announced_then_the_key_is_kept_with_it() -> None:
    desk, key = Desk(), IdempotencyKey("k", "b", "{}")
    kept = [change for change in announce(desk, key).changes if isinstance(change, IdempotencyKept)]
    assert kept == [IdempotencyKept(key, CHAT, START)]


def test_given_a_call_that_ended_long_ago_when_it_is_completed_then_it_is_classified() -> None:
    decision = Desk().completes(WorkId("old-1"), CallbackId("old"))
    assert decision.changes == [CallClassified(CallbackId("old"), Classification(SOLD), START)]


# ---- overtaking ------------------------------------------------------------------------------------------


def attempts_of(decision: Decision) -> list[Attempt]:
    return [change.attempt for change in decision.changes if isinstance(change, AttemptChanged)]


@pytest.mark.parametrize("mode", [ConnectMode.RESERVE, ConnectMode.PREVIEW])
def test_given_a_customer_nobody_free_can_serve_when_later_ones_are_called_then_each_attempt_says_whom_it_overtook(
    mode: ConnectMode,
) -> None:
    harder: dict[str, object] = {"hard": parse("billing >= 2")}
    desk = Desk(replace(PREVIEWED, connect=mode, subjects=harder))
    for n in range(4):
        desk.now += 1
        desk.asks(CallbackId(f"c{n}"), f"+1202555012{n}", "hard" if n in (0, 1) else None)
    for agent, callback in ((AMY, "c2"), (BEN, "c3")):
        decision = desk.ready(agent)
        if mode is ConnectMode.PREVIEW:
            decision = desk.tell(WorkAccepted(agent, WorkId(f"{callback}-1")))
        (attempt,) = attempts_of(decision)
        assert (attempt.callback, attempt.overtook) == (callback, 2)


def test_given_nobody_before_them_when_a_customer_is_called_then_nobody_was_overtaken(desk: Desk) -> None:
    (attempt,) = attempts_of(desk.accepts())
    assert attempt.overtook == 0
