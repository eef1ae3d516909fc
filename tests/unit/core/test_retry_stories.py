"""Retries as a customer lives through them: when the phone rings again, and when it never does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import FREE_LATERS
from engine.core.configuration import AttemptPolicy, OutcomeRule, Service
from engine.core.decision import Accepted
from engine.core.effects import DialCustomer
from engine.core.events import MoveRequested, TimerFired
from engine.core.retry import FAULTS_BEFORE_HOLD
from engine.core.terms import CallbackState, Evidence, Outcome, Reason, Verdict
from engine.core.values import replace
from tests.unit.core.world import AMY, BILLING, LIMITS, NO_CAPS, START, Customer, World, only_judged

S = CallbackState
BY_KEY = (Verdict.PERSON, Evidence.KEY)


def world_with(service: Service = BILLING, policy: AttemptPolicy | None = None) -> World:
    world = World(services=(replace(service, attempts=policy) if policy else service,))
    world.agent().ready()
    return world


def is_busy(customer: Customer) -> None:
    customer.hangs_up(17, 486)


def has_no_answer(customer: Customer) -> None:
    customer.hangs_up(19, 480)


def asks_for_later(customer: Customer) -> None:
    customer.answers()
    customer.presses("2")
    customer.is_let_go(Outcome.LATER)


def finds_no_agent(customer: Customer) -> None:
    """The reserved agent leaves while the phone does not ring yet."""
    customer.world.agent().leaves()
    customer.is_let_go(Outcome.NO_AGENT)


def abandons(customer: Customer) -> None:
    customer.confirms()
    customer.hangs_up()


def waits(customer: Customer) -> None:
    customer.world.pass_time(customer.waits_until)


def test_given_three_attempts_when_nobody_answers_then_the_callback_is_unsuccessful() -> None:
    world = world_with()
    customer = world.customer()

    for n in (1, 2, 3):
        assert customer.attempt.n == n
        has_no_answer(customer)
        world.pass_time(BILLING.attempts.interval_seconds)

    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.ATTEMPTS_EXHAUSTED)
    assert len(world.done(DialCustomer)) == 3
    assert world.journal.timers == {}


def test_given_a_retry_when_it_is_due_then_not_earlier_and_from_the_end_of_the_attempt() -> None:
    world = world_with()
    customer = world.customer()
    world.pass_time(20)
    is_busy(customer)

    world.pass_time(BILLING.attempts.interval_seconds - 1)
    assert (customer.state, len(customer.attempts)) == (S.RETRY_WAIT, 1)
    world.pass_time(1)

    assert (customer.state, len(customer.attempts)) == (S.DIALING, 2)
    assert customer.callback.next_attempt_at is None


def test_given_a_rule_for_busy_when_busy_then_its_interval_holds_and_others_keep_theirs() -> None:
    policy = AttemptPolicy(by_outcome={Outcome.BUSY: OutcomeRule(interval_seconds=180)})
    world = world_with(policy=policy)
    customer = world.customer()

    is_busy(customer)
    assert customer.waits_until == 180
    waits(customer)
    has_no_answer(customer)

    assert customer.waits_until == policy.interval_seconds


def test_given_a_rule_with_a_maximum_when_it_is_reached_then_the_callback_is_unsuccessful() -> None:
    world = world_with(policy=AttemptPolicy(by_outcome={Outcome.REJECTED: OutcomeRule(max=1)}))
    customer = world.customer()

    customer.hangs_up(21, 603)

    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.ATTEMPTS_EXHAUSTED)


def test_given_later_by_key_when_pressed_twice_then_it_is_free_and_the_third_time_the_key_does_nothing() -> None:
    world = world_with(policy=AttemptPolicy(max=1))
    customer = world.customer()
    for _free in range(FREE_LATERS):
        asks_for_later(customer)
        assert customer.state is S.RETRY_WAIT
        assert customer.waits_until == BILLING.confirmation.later_seconds
        waits(customer)
    customer.answers()

    before = customer.attempt

    decision = customer.presses("2")

    assert only_judged(decision, before) == BY_KEY
    assert customer.is_in(S.ANNOUNCING)
    for _asked in range(1 + BILLING.confirmation.repeats):
        customer.hears_announcement()
        world.pass_time(BILLING.confirmation.wait_seconds)
    customer.is_let_go(Outcome.UNCONFIRMED)
    assert (customer.state, customer.reason) == (S.UNSUCCESSFUL, Reason.ATTEMPTS_EXHAUSTED)
    assert customer.outcomes == (Outcome.LATER, Outcome.LATER, Outcome.UNCONFIRMED)


def test_given_later_by_key_twice_when_the_customer_presses_1_the_third_time_then_they_are_connected() -> None:
    world = world_with()
    customer = world.customer()
    for _free in range(FREE_LATERS):
        asks_for_later(customer)
        waits(customer)
    customer.answers()
    customer.presses("2")

    customer.presses("1")

    assert customer.state is S.CONFIRMED


LATER = BILLING.confirmation.later_seconds


@pytest.mark.parametrize(
    ("life_seconds", "kept"),
    [(LATER, False), (LATER + LIMITS.last_words_seconds, False), (LATER + LIMITS.last_words_seconds + 1, True)],
)
def test_given_later_by_key_then_it_is_promised_only_if_the_life_lasts_until_then_however_long_the_last_words(
    life_seconds: float,
    kept: bool,  # noqa: FBT001 - a column of the table
) -> None:
    world = world_with(replace(BILLING, life_seconds=life_seconds))
    world.last_words_seconds = LIMITS.last_words_seconds - 0.25
    customer = world.customer()
    customer.answers()
    before = customer.attempt

    decision = customer.presses("2")

    if kept:
        customer.is_let_go(Outcome.LATER)
        waits(customer)
        assert (customer.is_in(S.DIALING), customer.attempt.n) == (True, 2)
    else:
        assert only_judged(decision, before) == BY_KEY
        assert customer.is_in(S.ANNOUNCING)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (OutcomeRule(max=1), False),
        (OutcomeRule(interval_seconds=BILLING.life_seconds), False),
        (OutcomeRule(max=2, interval_seconds=60), True),
    ],
)
def test_given_later_by_key_when_the_policy_has_a_rule_for_it_then_only_what_it_allows_is_promised(
    rule: OutcomeRule,
    kept: bool,  # noqa: FBT001 - a column of the table
) -> None:
    world = world_with(policy=AttemptPolicy(by_outcome={Outcome.LATER: rule}))
    customer = world.customer()
    customer.answers()

    customer.presses("2")

    assert customer.closing is (Outcome.LATER if kept else None)
    if kept:
        customer.is_let_go(Outcome.LATER)
        assert customer.waits_until == rule.interval_seconds


def test_given_an_abandoned_call_when_it_is_due_again_then_it_is_at_the_head_of_the_line() -> None:
    world = world_with()
    early, late = world.customer(), world.customer()
    abandons(early)
    is_busy(late)
    world.agent().leaves()
    newcomer = world.customer()

    world.pass_time(BILLING.attempts.interval_seconds)

    line = world.dispatcher.line
    assert [line.position(each.id) for each in (early, late, newcomer)] == [1, 2, 3]
    assert early.callback.at_head
    world.agent().ready()
    assert not early.callback.at_head, "the head is for one attempt"


def test_given_a_retry_when_it_joins_again_then_it_keeps_its_time_of_joining() -> None:
    world = world_with()
    first = world.customer()
    is_busy(first)
    world.agent().leaves()
    world.pass_time(1)
    second = world.customer()

    waits(first)

    assert world.dispatcher.line.position(first.id) == 1
    assert world.dispatcher.line.position(second.id) == 2


def test_given_faults_of_our_own_when_the_limit_is_reached_then_it_is_held_and_nobody_is_called() -> None:
    world = world_with()
    customer = world.customer()
    for n in range(1, FAULTS_BEFORE_HOLD + 1):
        assert customer.attempt.n == n
        finds_no_agent(customer)
        world.agent().ready()
        if n < FAULTS_BEFORE_HOLD:
            waits(customer)

    assert customer.state is S.RETRY_WAIT
    assert customer.callback.next_attempt_at is None
    assert world.journal.causes(customer.id)[-1] == "held_for_supervisor"
    world.pass_time(BILLING.attempts.interval_seconds * 10)
    assert len(customer.attempts) == FAULTS_BEFORE_HOLD
    assert customer.outcomes == (Outcome.NO_AGENT,) * FAULTS_BEFORE_HOLD


def test_given_a_held_callback_when_it_is_let_go_on_then_it_is_called_again() -> None:
    world = world_with(policy=AttemptPolicy(by_outcome={Outcome.NO_AGENT: OutcomeRule(max=1)}))
    customer = world.customer()
    finds_no_agent(customer)
    world.agent().ready()
    assert customer.is_in(S.RETRY_WAIT)

    world.tell(MoveRequested(customer.id, now=True))

    assert customer.state is S.DIALING


def test_given_a_held_callback_when_it_is_cancelled_then_it_ends() -> None:
    world = world_with(policy=AttemptPolicy(by_outcome={Outcome.NO_AGENT: OutcomeRule(max=1)}))
    customer = world.customer()
    finds_no_agent(customer)
    assert customer.callback.next_attempt_at is None

    customer.cancels(Reason.BY_ADMIN)

    assert (customer.state, customer.reason) == (S.CANCELLED, Reason.BY_ADMIN)


def test_given_a_held_callback_when_its_life_is_over_then_it_expires() -> None:
    world = world_with(policy=AttemptPolicy(by_outcome={Outcome.NO_AGENT: OutcomeRule(max=1)}))
    customer = world.customer()
    finds_no_agent(customer)
    assert customer.is_in(S.RETRY_WAIT)

    world.pass_time(BILLING.life_seconds)

    assert customer.state is S.EXPIRED


# ---- the life of a callback ----------------------------------------------------------------------------


def test_given_a_retry_beyond_its_life_then_the_callback_expires_at_once() -> None:
    world = world_with(replace(BILLING, life_seconds=700))
    customer = world.customer()
    world.pass_time(20)
    is_busy(customer)
    assert customer.state is S.RETRY_WAIT
    waits(customer)

    is_busy(customer)

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.LIFETIME)


def test_given_a_life_that_ends_in_a_call_then_the_call_goes_on_and_may_succeed() -> None:
    world = world_with(replace(BILLING, life_seconds=30))
    customer = world.customer()
    customer.answers()
    world.pass_time(35)
    assert customer.state is S.ANNOUNCING

    customer.presses("1")
    world.agent().answers()
    customer.hangs_up()

    assert (customer.state, customer.reason) == (S.COMPLETED, Reason.TALKED)


def test_given_a_life_that_ended_in_a_call_when_the_call_fails_then_the_callback_expires() -> None:
    world = world_with(replace(BILLING, life_seconds=30))
    customer = world.customer()
    customer.answers()
    world.pass_time(35)

    customer.hangs_up()

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.LIFETIME)


def test_given_a_life_that_ended_in_a_call_when_lives_become_longer_meanwhile_then_it_still_expires() -> None:
    world = world_with(replace(BILLING, life_seconds=30))
    customer = world.customer()
    customer.answers()
    world.pass_time(35)
    world.configure((BILLING,), (AMY,))

    customer.hangs_up()

    assert customer.state is S.EXPIRED, "nothing would end it any more"


def test_given_a_life_that_ended_in_a_call_when_the_call_is_the_last_fault_then_it_is_not_held_for_ever() -> None:
    policy = AttemptPolicy(by_outcome={Outcome.NO_AGENT: OutcomeRule(max=1)})
    world = world_with(replace(BILLING, life_seconds=30, attempts=policy))
    customer = world.customer()
    customer.answers()
    world.pass_time(20)
    customer.presses("1")
    world.agent().rejects()
    world.pass_time(BILLING.hold_limit_seconds)

    customer.is_let_go(Outcome.NO_AGENT)
    assert customer.state is S.EXPIRED


@pytest.mark.parametrize("outcome", [Outcome.NO_AGENT, Outcome.BUSY])
def test_given_a_policy_changed_between_attempts_then_the_new_one_decides(outcome: Outcome) -> None:
    world = world_with()
    customer = world.customer()
    world.configure((replace(BILLING, attempts=AttemptPolicy(by_outcome={outcome: OutcomeRule(max=1)})),), (AMY,))

    if outcome is Outcome.BUSY:
        is_busy(customer)
        assert customer.state is S.UNSUCCESSFUL
    else:
        finds_no_agent(customer)
        assert world.journal.causes(customer.id)[-1] == "held_for_supervisor"


def retried(world: World) -> Customer:
    customer = world.customer()
    world.agent().ready()
    is_busy(customer)
    return customer


def with_an_appointment(world: World) -> Customer:
    reply = world.ask(when=START + 600, freely=True)
    assert isinstance(reply, Accepted)
    world.agent().ready()
    return Customer(world, reply.callback.id)


def held_back(world: World) -> Customer:
    first = retried(world)
    first.cancels()
    return world.customer(phone=first.callback.request.phone)


@pytest.mark.parametrize("wait", [retried, with_an_appointment, held_back])
def test_given_a_clock_that_leaps_beyond_a_life_when_all_timers_fire_in_order_then_nobody_is_called_so_late(
    wait: Callable[[World], Customer],
) -> None:
    world = World((BILLING,), (AMY,), replace(NO_CAPS, min_gap_seconds=60))
    customer = wait(world)
    called = len(world.done(DialCustomer))
    assert customer.state in (S.RETRY_WAIT, S.SCHEDULED, S.QUEUED)

    world.now += 2 * BILLING.life_seconds
    for timer in sorted(world.journal.timers.values(), key=lambda each: each.due_at):
        world.tell(TimerFired(timer.owner, timer.name))

    assert (customer.state, customer.reason) == (S.EXPIRED, Reason.LIFETIME)
    assert len(world.done(DialCustomer)) == called
    assert world.journal.timers == {}
