"""What the end of a call means: SIP response first, then the Q.850 cause; and what our own timers make of a call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from docs.outcomes_page import MEANINGS, outcomes_page
from engine.core.callphase import SILENT_DIAL_SECONDS
from engine.core.configuration import Screening
from engine.core.effects import Connect, DialCustomer
from engine.core.events import ResultKind
from engine.core.outcomes import CAUSES, RESPONSES, TIMEOUTS, Cause, TimeOut, of_cause, of_response, of_unanswered
from engine.core.retry import COUNTED, ENDS, FAULTS
from engine.core.terms import MachineAction, Outcome
from engine.core.values import replace
from tests.unit.core.world import BILLING, LIMITS, Customer, World, being_bridged

O = Outcome  # noqa: E741 - the tables read better with a short name
UNREACHED = {O.BUSY, O.NO_ANSWER, O.REJECTED, O.INVALID_NUMBER, O.NETWORK_FAILURE, O.REFUSED}
"""What can be said of a call that nobody answered."""


@pytest.mark.parametrize(
    ("cause", "sip_code", "outcome"),
    [
        (17, 486, O.BUSY),
        (17, 600, O.BUSY),
        (19, 480, O.NO_ANSWER),
        (19, 408, O.NO_ANSWER),
        (0, 487, O.NO_ANSWER),
        (21, 603, O.REJECTED),
        (21, 403, O.REJECTED),
        (21, 607, O.REJECTED),
        (21, 608, O.REJECTED),
        (127, 433, O.REJECTED),
        (127, 470, O.REJECTED),
        (1, 404, O.INVALID_NUMBER),
        (1, 410, O.INVALID_NUMBER),
        (28, 484, O.INVALID_NUMBER),
        (1, 485, O.INVALID_NUMBER),
        (1, 604, O.INVALID_NUMBER),
        (21, 401, O.REFUSED),
        (21, 402, O.REFUSED),
        (21, 407, O.REFUSED),
        (58, 488, O.NETWORK_FAILURE),
        (58, 606, O.NETWORK_FAILURE),
        (127, 400, O.NETWORK_FAILURE),
        (127, 416, O.NETWORK_FAILURE),
        (25, 482, O.NETWORK_FAILURE),
        (25, 483, O.NETWORK_FAILURE),
        (38, 500, O.NETWORK_FAILURE),
        (29, 501, O.NETWORK_FAILURE),
        (27, 502, O.NETWORK_FAILURE),
        (38, 503, O.NETWORK_FAILURE),
        (102, 504, O.NETWORK_FAILURE),
        (127, 301, O.NETWORK_FAILURE),
        (127, 302, O.NETWORK_FAILURE),
        # not in any table: as x00 of its class
        (0, 399, O.NETWORK_FAILURE),
        (41, 409, O.NETWORK_FAILURE),
        (0, 499, O.NETWORK_FAILURE),
        (0, 599, O.NETWORK_FAILURE),
        (0, 699, O.BUSY),
    ],
)
def test_given_a_final_response_then_it_says_the_outcome(cause: int, sip_code: int, outcome: Outcome) -> None:
    assert of_unanswered(cause, sip_code) is outcome


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (None, O.NETWORK_FAILURE),
        (0, O.NETWORK_FAILURE),
        (1, O.INVALID_NUMBER),
        (2, O.NETWORK_FAILURE),
        (3, O.NETWORK_FAILURE),
        (5, O.REFUSED),
        (16, O.NO_ANSWER),
        (17, O.BUSY),
        (18, O.NO_ANSWER),
        (19, O.NO_ANSWER),
        (20, O.NO_ANSWER),
        (21, O.REJECTED),
        (22, O.INVALID_NUMBER),
        (23, O.NETWORK_FAILURE),
        (24, O.REJECTED),
        (25, O.NETWORK_FAILURE),
        (26, O.NETWORK_FAILURE),
        (27, O.NETWORK_FAILURE),
        (28, O.INVALID_NUMBER),
        (29, O.NETWORK_FAILURE),
        (31, O.NO_ANSWER),
        (34, O.NETWORK_FAILURE),
        (38, O.NETWORK_FAILURE),
        (41, O.NETWORK_FAILURE),
        (42, O.NETWORK_FAILURE),
        (44, O.NETWORK_FAILURE),
        (47, O.NETWORK_FAILURE),
        (50, O.REFUSED),
        (52, O.REFUSED),
        (53, O.REFUSED),
        (54, O.REJECTED),
        (55, O.REJECTED),
        (57, O.REFUSED),
        (58, O.NETWORK_FAILURE),
        (63, O.NETWORK_FAILURE),
        (65, O.NETWORK_FAILURE),
        (69, O.NETWORK_FAILURE),
        (79, O.NETWORK_FAILURE),
        (87, O.REJECTED),
        (88, O.NETWORK_FAILURE),
        (95, O.NETWORK_FAILURE),
        (102, O.NETWORK_FAILURE),
        (111, O.NETWORK_FAILURE),
        (127, O.NETWORK_FAILURE),
        # not assigned: as the unspecified one of its class
        (10, O.NO_ANSWER),
        (15, O.NO_ANSWER),
        (32, O.NETWORK_FAILURE),
        (60, O.NETWORK_FAILURE),
        (126, O.NETWORK_FAILURE),
    ],
)
@pytest.mark.parametrize("sip_code", [None, 180, 200])
def test_given_no_final_response_then_the_cause_says_the_outcome(
    cause: int | None, sip_code: int | None, outcome: Outcome
) -> None:
    assert of_unanswered(cause, sip_code) is outcome


def test_given_a_response_that_contradicts_the_cause_then_the_response_is_believed() -> None:
    assert of_unanswered(17, 404) is O.INVALID_NUMBER


# ---- the tables as a whole -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", range(300, 700))
def test_given_any_final_response_then_nobody_is_said_to_have_been_reached(code: int) -> None:
    assert of_response(code) in UNREACHED


@pytest.mark.parametrize("cause", range(128))
def test_given_any_cause_then_nobody_is_said_to_have_been_reached(cause: int) -> None:
    assert of_cause(cause) in UNREACHED


def test_given_a_code_of_no_class_then_the_network_is_said_to_have_failed() -> None:
    assert of_response(700) is of_response(9999) is of_cause(128) is O.NETWORK_FAILURE


def test_given_the_tables_then_each_code_stands_once_in_order_with_its_source() -> None:
    codes, causes = [row.code for row in RESPONSES], [row.number for row in CAUSES]
    assert codes == sorted(set(codes))
    assert causes == sorted(set(causes))
    assert {300, 400, 500, 600} < set(codes)
    assert {31, 47, 63, 79, 95, 111, 127} < set(causes)
    assert all(row.source.startswith("RFC ") for row in RESPONSES)
    assert all(row.source.startswith(("ITU-T Q.850", "Asterisk")) for row in CAUSES)


RFC_3398 = """1:404 2:404 3:404 17:486 18:408 19:480 20:480 21:403 22:410 23:410 26:404 27:502 28:484 29:501 31:480
34:503 38:503 41:503 42:503 47:503 55:403 57:403 58:503 65:488 70:488 79:501 87:403 88:503 102:504 111:500 127:500"""
"""The mapping of section 7.2.4.1; cause 16 has none, and 22 with a diagnostic would be 301."""


def test_given_the_causes_then_their_responses_are_those_of_rfc_3398() -> None:
    mapped = {row.number: row.response for row in CAUSES if row.response is not None}
    assert mapped == {int(cause): int(code) for cause, _, code in (pair.partition(":") for pair in RFC_3398.split())}


@pytest.mark.parametrize("row", [row for row in CAUSES if row.response is not None], ids=lambda row: str(row.number))
def test_given_a_cause_with_a_response_then_both_mean_the_same_or_a_note_says_why_not(row: Cause) -> None:
    assert row.response is not None
    assert (of_response(row.response) is row.outcome) == (row.note == "")


# ---- our own time-outs -----------------------------------------------------------------------------------

RING = BILLING.ring_timeout_seconds


def called() -> Customer:
    world = World()
    world.agent().ready()
    return world.customer()


def rings_out(customer: Customer) -> None:
    customer.rings()
    customer.world.pass_time(RING)


def is_never_heard_of(customer: Customer) -> None:
    customer.world.pass_time(RING)


def rings_unheard(customer: Customer) -> None:
    customer.rings()
    customer.world.lose_telephony()
    customer.world.pass_time(RING + SILENT_DIAL_SECONDS)


def never_enters(customer: Customer) -> None:
    customer.picks_up()
    customer.world.pass_time(LIMITS.enter_seconds)


def hears_nothing(customer: Customer) -> None:
    customer.answers()
    customer.hears_announcement(complete=False)
    customer.world.pass_time(LIMITS.announcement_seconds)


def presses_nothing(customer: Customer) -> None:
    customer.answers()
    for _heard in range(1 + BILLING.confirmation.repeats):
        customer.hears_announcement()
        customer.world.pass_time(BILLING.confirmation.wait_seconds)


def finds_no_agent(customer: Customer) -> None:
    customer.confirms()
    customer.world.agent().rejects()
    customer.world.pass_time(BILLING.hold_limit_seconds)


def is_not_connected(customer: Customer) -> None:
    customer.world.ends(Connect, ResultKind.REFUSED)
    customer.world.pass_time(LIMITS.bridge_seconds)


def silent_dial() -> Customer:
    world = World()
    world.results.pop(DialCustomer)  # nothing is heard of it
    world.agent().ready()
    return world.customer()


def has_a_message() -> Customer:
    world = World((replace(BILLING, screening=Screening(machine=MachineAction.LEAVE_MESSAGE)),))
    world.agent().ready()
    return greeted_by_a_machine(world.customer())


def greeted_by_a_machine(customer: Customer) -> Customer:
    customer.answers()
    customer.talks(3)
    customer.beeps()
    return customer


def answers_no_message(customer: Customer) -> None:
    customer.world.pass_time(BILLING.screening.message_pause_seconds)
    customer.hears_announcement()
    customer.world.pass_time(BILLING.screening.reply_wait_seconds)


def is_not_told_the_end_of_the_goodbye(customer: Customer) -> None:
    customer.hears_announcement()
    customer.world.pass_time(BILLING.screening.reply_wait_seconds)
    customer.world.pass_time(LIMITS.last_words_seconds)


TIMED_OUT: dict[tuple[str, Outcome], tuple[Callable[[], Customer], Callable[[Customer], None]]] = {
    ("ring", O.NO_ANSWER): (called, rings_out),
    ("ring", O.INTERRUPTED): (silent_dial, is_never_heard_of),
    ("silent", O.INTERRUPTED): (called, rings_unheard),
    ("enter", O.INTERRUPTED): (called, never_enters),
    ("announcement", O.INTERRUPTED): (called, hears_nothing),
    ("confirm", O.UNCONFIRMED): (called, presses_nothing),
    ("parting", O.MESSAGE_LEFT): (has_a_message, answers_no_message),
    ("parting", O.MACHINE): (lambda: greeted_by_a_machine(called()), is_not_told_the_end_of_the_goodbye),
    ("hold", O.NO_AGENT): (called, finds_no_agent),
    ("bridge", O.INTERRUPTED): (lambda: being_bridged(World()), is_not_connected),
}


@pytest.mark.parametrize("row", TIMEOUTS, ids=lambda row: f"{row.timer}-{row.outcome}")
def test_given_a_time_out_of_the_table_then_the_call_ends_with_its_outcome(row: TimeOut) -> None:
    begin, story = TIMED_OUT[row.timer, row.outcome]
    customer = begin()

    story(customer)

    assert customer.attempt.outcome is row.outcome


def test_given_the_time_outs_then_each_has_its_story() -> None:
    assert {(row.timer, row.outcome) for row in TIMEOUTS} == set(TIMED_OUT)


# ---- the page --------------------------------------------------------------------------------------------


def test_given_the_page_then_it_has_a_row_for_every_outcome_and_every_code() -> None:
    rows = [line.split(" | ") for line in outcomes_page().splitlines() if line.startswith("| ")]
    kinds = {cells[0].strip("| `"): cells[2].strip(" |") for cells in rows if len(cells) == 3}
    del kinds["outcome"], kinds["---"]

    assert set(kinds) == set(Outcome) == set(MEANINGS)
    assert {O(name) for name, kind in kinds.items() if kind == "counted"} == COUNTED
    assert {O(name) for name, kind in kinds.items() if kind == "ours"} == FAULTS
    assert {O(name) for name, kind in kinds.items() if kind == "ends the callback"} == set(ENDS)
    assert kinds["later"] == "free"
    numbered = {int(cells[0].strip("| ")) for cells in rows if cells[0].strip("| ").isdigit()}
    assert numbered == {row.code for row in RESPONSES} | {row.number for row in CAUSES}
