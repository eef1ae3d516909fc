"""Accepting, refusing and cancelling requests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.configuration import Inbound
from engine.core.decision import Accepted, Refusal
from engine.core.events import CancelRequested, ConfigurationApplied, IdempotencyKey
from engine.core.terms import CallbackId, CallbackState, Reason
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN, BILLING, NO_CAPS, SALES, START, Customer, World, connected

S = CallbackState
PHONE = "+12025550100"


def refused(world: World, service: str = "billing", phone: str | None = PHONE) -> str:
    """Ask, and check that the refusal changes nothing; returns its code."""
    before = world.journal.snapshot()
    reply = world.ask(service, phone)
    assert isinstance(reply, Refusal), reply
    assert world.journal.snapshot() == before
    return reply.code


def test_given_nobody_ready_when_a_request_comes_then_it_waits_at_its_position() -> None:
    world = World()

    first, second = world.ask(), world.ask()

    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (first.position, second.position) == (1, 2)
    assert second.callback.state is S.QUEUED
    assert second.callback.created_at == second.callback.joined_at == START


def test_given_a_free_agent_when_a_request_comes_then_the_answer_says_that_it_is_being_served() -> None:
    world = World()
    world.results.clear()
    world.agent().ready()

    served, waiting = world.ask(), world.ask()

    assert isinstance(served, Accepted)
    assert (served.callback.state, served.position) == (S.RESERVED, None)
    assert served.callback == world.journal.callbacks[served.callback.id]
    assert isinstance(waiting, Accepted)
    assert (waiting.callback.state, waiting.position) == (S.QUEUED, 1)


def test_given_a_request_with_an_idempotency_key_then_the_key_is_written_with_it() -> None:
    world = World()
    key = IdempotencyKey("k1", "hash of the body", "the answer")

    reply = world.ask(idempotency=key)

    assert isinstance(reply, Accepted)
    assert [(kept.key, kept.callback) for kept in world.journal.idempotency] == [(key, reply.callback.id)]


def test_given_no_such_service_then_the_request_is_refused() -> None:
    assert refused(World(), service="nothing") == "unknown-service"


def test_given_an_open_request_when_the_number_asks_again_for_the_service_then_it_is_refused() -> None:
    world = World()
    world.customer(phone=PHONE)

    assert refused(world) == "duplicate-request"


def test_given_an_open_request_in_a_call_when_the_number_asks_again_then_it_is_refused() -> None:
    world = World()
    world.agent().ready()
    world.customer(phone=PHONE).answers()

    assert refused(world) == "duplicate-request"


def test_given_too_many_open_requests_when_the_number_asks_for_another_service_then_it_is_refused() -> None:
    world = World(services=(BILLING, SALES), limits=replace(NO_CAPS, max_open_per_number=1))
    world.customer("billing", PHONE)

    assert refused(world, "sales") == "duplicate-request"
    assert isinstance(world.ask("sales", "+12025550101"), Accepted)


def test_given_two_open_requests_allowed_when_the_number_asks_for_another_service_then_both_stand() -> None:
    world = World(services=(BILLING, SALES))
    world.customer("billing", PHONE)

    assert isinstance(world.ask("sales", PHONE), Accepted)


def test_given_an_ended_request_when_the_number_asks_again_then_it_is_accepted() -> None:
    world = World()
    world.customer(phone=PHONE).cancels()

    assert isinstance(world.ask(phone=PHONE), Accepted)


def test_given_a_full_line_when_somebody_asks_then_it_is_refused_until_one_is_served() -> None:
    world = World(services=(replace(BILLING, queue_cap=1), SALES))
    first = world.customer()

    assert refused(world) == "queue-full"
    assert isinstance(world.ask("sales"), Accepted), "each service has its own line"
    first.cancels()
    assert isinstance(world.ask(phone=PHONE), Accepted)


# ---- cancelling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.BY_CUSTOMER, Reason.BY_AGENT, Reason.BY_ADMIN, Reason.CALLED_IN])
def test_given_a_waiting_request_when_it_is_cancelled_then_it_ends_with_the_reason(reason: Reason) -> None:
    world = World()
    customer = world.customer()
    world.pass_time(5)

    reply = customer.cancels(reason).reply

    assert isinstance(reply, Accepted)
    assert reply.callback == customer.callback
    assert (customer.state, customer.reason, customer.callback.ended_at) == (S.CANCELLED, reason, START + 5)
    assert world.journal.timers == {}
    world.agent().ready()
    assert customer.attempts == []


def test_given_a_request_between_attempts_when_it_is_cancelled_then_it_is_never_called_again() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.hangs_up(17, 486)

    reply = customer.cancels().reply
    assert isinstance(reply, Accepted)
    assert reply.callback == customer.callback
    world.pass_time(BILLING.life_seconds)

    assert customer.state is S.CANCELLED
    assert len(customer.attempts) == 1


def reserved(customer: Customer) -> None:
    customer.world.results.clear()
    customer.world.agent().ready()


def dialing(customer: Customer) -> None:
    customer.world.agent().ready()


def announcing(customer: Customer) -> None:
    customer.world.agent().ready()
    customer.answers()


def confirmed(customer: Customer) -> None:
    customer.world.agent().ready()
    customer.confirms()


def in_conversation(customer: Customer) -> None:
    confirmed(customer)
    customer.world.agent().answers()


@pytest.mark.parametrize(
    ("reach", "state"),
    [
        (reserved, S.RESERVED),
        (dialing, S.DIALING),
        (announcing, S.ANNOUNCING),
        (confirmed, S.CONFIRMED),
        (in_conversation, S.CONNECTED),
    ],
)
def test_given_a_call_in_progress_when_it_is_cancelled_then_it_is_refused_and_the_call_goes_on(
    reach: Callable[[Customer], None], state: CallbackState
) -> None:
    world = World()
    customer = world.customer()
    reach(customer)
    before = world.journal.snapshot()

    reply = customer.cancels().reply

    assert isinstance(reply, Refusal)
    assert reply.code == "call-in-progress"
    assert customer.state is state
    assert world.journal.snapshot() == before


def test_given_an_ended_or_unknown_request_when_it_is_cancelled_then_it_has_already_ended() -> None:
    world = World()
    customer = connected(world)
    customer.hangs_up()

    for decision in (customer.cancels(), world.tell(CancelRequested(CallbackId("c999"), Reason.BY_CUSTOMER))):
        assert isinstance(decision.reply, Refusal)
        assert decision.reply.code == "already-ended"
        assert decision.changes == []


def test_given_a_request_nobody_serves_when_its_life_is_over_then_it_expires() -> None:
    world = World()
    customer = world.customer()

    world.pass_time(BILLING.life_seconds - 1)
    assert customer.state is S.QUEUED
    world.pass_time(1)

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.LIFETIME)
    assert len(world.dispatcher.line) == 0


def test_given_services_of_different_priority_when_an_agent_can_serve_both_then_the_higher_goes_first() -> None:
    both = replace(AMY, skills={"billing": 1, "sales": 1})
    world = World(services=(BILLING, replace(SALES, priority=5)), agents=(both, BEN))
    low, high = world.customer("billing"), world.customer("sales")

    world.agent("amy").ready()

    assert (low.state, high.state) == (S.QUEUED, S.DIALING)


def test_given_a_number_that_callers_dial_when_it_is_to_be_called_back_then_it_is_refused() -> None:
    """We would call ourselves: an agent would talk to our own announcement. An applied document counts at once."""
    takes_calls = replace(BILLING, inbound=Inbound(("0012025550100",)))
    world = World((takes_calls, SALES))
    assert refused(world, "sales") == "phone-not-allowed"

    world.tell(ConfigurationApplied(replace(world.dispatcher.configuration, services={SALES.id: SALES}), ""))

    assert isinstance(world.ask("sales", PHONE), Accepted)
