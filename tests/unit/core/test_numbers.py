"""One story for each number of the simulated telephone network: what the customer does, and how the attempt ends.

13 and 23 (voicemail) are nobody who presses anything as long as there is no screening.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from engine.core.effects import Connect, Dismantle, Farewell, Release
from engine.core.terms import CallbackState, Outcome, PromptId, Reason
from tests.unit.core.world import BILLING, LAST_WORDS, Customer, World, connected, only, says

S = CallbackState


def presses_1_when_asked(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().answers()
    customer.world.pass_time(60)
    customer.hangs_up()


def presses_1_over_the_announcement(customer: Customer) -> None:
    customer.answers()
    customer.presses("1")
    customer.hears_announcement(complete=False)
    customer.world.agent().answers()
    customer.hangs_up()


def presses_1_late(customer: Customer) -> None:
    customer.answers()
    customer.hears_announcement()
    customer.world.pass_time(BILLING.confirmation.wait_seconds + 1)
    customer.hears_announcement()
    customer.world.pass_time(BILLING.confirmation.wait_seconds - 1)
    customer.presses("1")
    customer.world.agent().answers()
    customer.hangs_up()


def never_presses(customer: Customer) -> None:
    customer.answers()
    for _asked in range(2):
        customer.hears_announcement()
        customer.world.pass_time(BILLING.confirmation.wait_seconds)


def is_silent_then_greets(customer: Customer) -> None:
    customer.answers()
    customer.world.pass_time(4)
    for _asked in range(2):
        customer.hears_announcement()
        customer.world.pass_time(BILLING.confirmation.wait_seconds)


def rings_for_ever(customer: Customer) -> None:
    customer.rings()
    customer.world.pass_time(BILLING.ring_timeout_seconds)


def plays_early_media_then_answers(customer: Customer) -> None:
    customer.rings()
    customer.world.pass_time(5)
    customer.confirms()
    customer.world.agent().answers()
    customer.hangs_up()


def hangs_up_during_the_announcement(customer: Customer) -> None:
    customer.answers()
    customer.world.pass_time(2)
    customer.hangs_up()


def is_busy_then_a_person(customer: Customer) -> None:
    customer.hangs_up(17, 486)
    customer.world.pass_time(BILLING.attempts.interval_seconds)
    presses_1_when_asked(customer)


def presses(digit: str) -> Callable[[Customer], None]:
    def story(customer: Customer) -> None:
        customer.answers()
        customer.hears_announcement()
        customer.presses(digit)

    return story


def network_says(cause: int, sip_code: int) -> Callable[[Customer], None]:
    def story(customer: Customer) -> None:
        customer.hangs_up(cause, sip_code)

    return story


@dataclass(frozen=True)
class Number:
    """`let_go`: we end the call, so the attempt is over only when the leg is gone."""

    last_digits: str
    story: Callable[[Customer], None]
    outcomes: tuple[Outcome, ...]
    state: CallbackState
    reason: Reason | None = None
    let_go: bool = False


PERSONS = [Number(f"{n:02}", presses_1_when_asked, (Outcome.CONNECTED,), S.COMPLETED, Reason.TALKED) for n in range(10)]
NUMBERS = [
    *PERSONS,
    Number("10", network_says(17, 486), (Outcome.BUSY,), S.RETRY_WAIT),
    Number("11", rings_for_ever, (Outcome.NO_ANSWER,), S.RETRY_WAIT, let_go=True),
    Number("12", network_says(21, 603), (Outcome.REJECTED,), S.RETRY_WAIT),
    Number("13", never_presses, (Outcome.UNCONFIRMED,), S.RETRY_WAIT, let_go=True),
    Number("14", never_presses, (Outcome.UNCONFIRMED,), S.RETRY_WAIT, let_go=True),
    Number("15", presses("3"), (Outcome.CANCELLED_BY_KEY,), S.CANCELLED, Reason.BY_KEY, let_go=True),
    Number("16", hangs_up_during_the_announcement, (Outcome.HUNG_UP,), S.RETRY_WAIT),
    Number("17", network_says(1, 404), (Outcome.INVALID_NUMBER,), S.UNSUCCESSFUL, Reason.INVALID_NUMBER),
    Number("18", network_says(38, 503), (Outcome.NETWORK_FAILURE,), S.RETRY_WAIT),
    Number("19", is_busy_then_a_person, (Outcome.BUSY, Outcome.CONNECTED), S.COMPLETED, Reason.TALKED),
    Number("20", presses("2"), (Outcome.LATER,), S.RETRY_WAIT, let_go=True),
    Number("22", presses_1_late, (Outcome.CONNECTED,), S.COMPLETED, Reason.TALKED),
    Number("23", is_silent_then_greets, (Outcome.UNCONFIRMED,), S.RETRY_WAIT, let_go=True),
    Number("24", plays_early_media_then_answers, (Outcome.CONNECTED,), S.COMPLETED, Reason.TALKED),
    Number("25", presses_1_over_the_announcement, (Outcome.CONNECTED,), S.COMPLETED, Reason.TALKED),
    Number("27", presses("9"), (Outcome.NEVER_AGAIN,), S.CANCELLED, Reason.NEVER_AGAIN, let_go=True),
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.last_digits)
def test_given_a_number_when_it_is_called_then_the_attempt_ends_as_the_table_says(number: Number) -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    number.story(customer)
    if number.let_go:
        customer.is_let_go(number.outcomes[-1])

    assert customer.outcomes == number.outcomes
    assert (customer.state, customer.reason) == (number.state, number.reason)
    assert len(customer.attempts) == len(number.outcomes)
    assert all(attempt.ended_at is not None for attempt in customer.attempts)
    talked = Outcome.CONNECTED in number.outcomes
    assert len(world.done(Connect)) == talked
    assert world.agent().shown == ("wrap_up" if talked else "ready")


def test_given_a_person_when_called_then_the_callback_passes_every_state_of_reserve_mode() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    presses_1_when_asked(customer)

    assert customer.trail == [
        S.QUEUED,
        S.RESERVED,
        S.DIALING,
        S.ANNOUNCING,
        S.CONFIRMED,
        S.CONNECTED,
        S.COMPLETED,
    ]
    assert customer.callback.agent == "amy"


def test_given_each_phase_of_a_call_then_it_has_its_own_timers_and_no_others() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    steps: list[tuple[Callable[[], object], set[str]]] = [
        (lambda: None, {"ring"}),
        (customer.picks_up, {"enter"}),
        (customer.enters, {"announcement"}),
        (customer.hears_announcement, {"confirm"}),
        (lambda: customer.presses("1"), {"hold", "comfort", "agent_ring"}),
        (world.agent().picks_up, {"hold", "comfort", "whisper"}),
        (world.agent().hears_whisper, set()),
    ]
    for step, expected in steps:
        step()
        assert {name for owner, name in world.journal.timers if owner == customer.attempt.id} == expected


def test_given_a_conversation_that_is_over_then_its_bridge_is_removed() -> None:
    world = World()
    customer = connected(world)

    customer.hangs_up()

    bridges = [effect.bridge for effect in world.done(Connect)]
    assert [effect.bridge for effect in world.done(Dismantle)] == bridges == [customer.attempt.bridge]


def test_given_a_call_that_never_reached_an_agent_then_there_is_no_bridge_to_remove() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.answers()

    customer.hangs_up()

    assert world.done(Dismantle) == []


def test_given_a_person_when_called_then_the_attempt_keeps_each_moment() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    dialed_at = world.now
    moments = []
    for step in (customer.answers, lambda: customer.presses("1"), world.agent().answers, customer.hangs_up):
        world.pass_time(3)
        moments.append(world.now)
        step()

    attempt = customer.attempt
    assert attempt.dialed_at == dialed_at
    assert [attempt.answered_at, attempt.confirmed_at, attempt.bridged_at, attempt.ended_at] == moments
    assert attempt.rang


@pytest.mark.parametrize(
    ("digit", "prompt"),
    [
        ("2", PromptId.LATER_CONFIRMED),
        ("3", PromptId.CANCEL_CONFIRMED),
        ("9", PromptId.NEVER_CONFIRMED),
    ],
)
def test_given_a_wish_by_key_when_it_is_pressed_then_it_is_confirmed_and_the_call_ends(
    digit: str, prompt: PromptId
) -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    presses(digit)(customer)

    assert says(only(customer.hears, Farewell)) == (prompt,)
    assert world.agent().shown == "ready", "the agent need not wait for the last words"
    world.pass_time(LAST_WORDS)
    assert customer.attempt.ended_at == world.now


def test_given_nothing_pressed_when_asked_twice_then_a_goodbye_is_said() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    never_presses(customer)

    assert says(only(customer.hears, Release)) == (PromptId.UNCONFIRMED_GOODBYE,)
    customer.is_let_go(Outcome.UNCONFIRMED)


def test_given_a_busy_number_when_the_call_ends_then_cause_and_sip_code_are_kept() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    customer.hangs_up(17, 486)

    assert (customer.attempt.cause, customer.attempt.sip_code) == (17, 486)


def test_given_key_2_when_pressed_then_the_next_call_is_later_by_the_services_setting() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    presses("2")(customer)

    customer.is_let_go(Outcome.LATER)
    assert customer.waits_until == BILLING.confirmation.later_seconds
