"""Explanations of calls that were answered by something else than a person, as a supervisor reads them."""

from __future__ import annotations

import pytest

from engine.core.explain_words import _EVIDENCE, _VERDICTS
from engine.core.terms import Evidence, Verdict
from tests.unit.core.explained import told
from tests.unit.core.test_screening_stories import (
    A_GREETING,
    A_HELLO,
    BY_AMD,
    RULES,
    WAIT,
    answered,
    fax_is_told_goodbye,
    has_heard_the_announcement,
    has_the_message,
    is_told_goodbye,
    robot_has_answered,
)
from tests.unit.core.world import Customer, World


def sentences(customer: Customer) -> list[str]:
    """What is told of the call from the answer on, without times."""
    said = [line[9:] for line in told(customer.world, customer)]
    return said[said.index("The customer answered.") + 1 :]


def test_given_a_machine_then_it_is_told_what_it_was_and_by_what() -> None:
    customer = is_told_goodbye()
    customer.hears_announcement()
    customer.world.pass_time(1)

    verdict, failed, *_ = sentences(customer)

    assert verdict.startswith("After ")
    assert verdict.endswith(" it was taken for an answering machine: there was a beep after a greeting.")
    assert failed.startswith("An answering machine answered. The next call was set for ")


def test_given_a_message_that_was_left_then_both_are_told() -> None:
    customer = has_the_message()
    customer.world.pass_time(RULES.reply_wait_seconds + 1)

    verdict, failed, *_ = sentences(customer)

    assert "taken for an answering machine" in verdict
    assert failed.startswith("An answering machine answered and was left a message.")


def test_given_a_machine_that_nothing_gave_away_but_silence_then_that_is_told_while_the_call_goes_on() -> None:
    customer = answered()
    customer.talks(A_GREETING)
    customer.hears_announcement()
    customer.world.pass_time(RULES.reaction_seconds)

    assert "nobody did anything when we had spoken" in sentences(customer)[0]


def test_given_who_said_something_long_and_left_then_the_verdict_is_told_before_the_end_of_the_call() -> None:
    customer = answered()
    customer.talks(A_GREETING)

    customer.hangs_up()

    verdict, failed, *_ = sentences(customer)
    assert verdict.endswith("there was a long greeting, and then it hung up.")
    assert failed.startswith("The customer answered and hung up without pressing a key.")


def test_given_a_fax_then_it_is_told_at_once() -> None:
    customer = fax_is_told_goodbye()

    assert sentences(customer)[0] == "At once it was taken for a fax machine: its tone was heard."


def test_given_a_robots_person_who_presses_1_then_the_robot_is_told_before_the_key() -> None:
    customer = robot_has_answered()
    customer.talks(A_HELLO)
    customer.presses("1")

    verdict, confirmed, *_ = sentences(customer)

    assert verdict.endswith("it was taken for a robot that asks who is calling: it answered when we had spoken.")
    assert confirmed == "The customer pressed the key to be connected."


def test_given_asterisks_amd_then_its_word_is_told_after_the_answer() -> None:
    world = World((BY_AMD,))
    world.agent().ready()
    customer = world.customer()
    customer.picks_up()
    customer.enters("MACHINE")

    expected = "At once it was taken for an answering machine: the telephone system, which listened first, said so."
    assert sentences(customer)[0] == expected


@pytest.mark.parametrize("digit", ["1", "5"])
def test_given_a_key_then_it_tells_itself(digit: str) -> None:
    customer = has_heard_the_announcement()

    customer.presses(digit)

    assert not [line for line in sentences(customer) if "taken for" in line]


def test_given_nobody_knows_who_it_was_then_nothing_is_told() -> None:
    customer = answered()
    customer.hears_announcement()
    customer.world.pass_time(WAIT)
    customer.hangs_up()

    assert not [line for line in sentences(customer) if "taken for" in line]


def test_given_any_verdict_that_is_told_then_there_are_words_for_it() -> None:
    silent = {Evidence.KEY, Evidence.NOTHING_HEARD, Evidence.UNDECIDED}
    assert set(_VERDICTS) == set(Verdict) - {Verdict.UNKNOWN}
    assert set(_EVIDENCE) == set(Evidence) - silent
