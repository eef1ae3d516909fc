"""Every number of the simulated network ends as its last two digits say, by the engine's record and by the witness."""

from dataclasses import dataclass

import pytest

from engine.lab.witness import WitnessCall
from tests.live.calls.audio import seconds_of_tone
from tests.live.calls.centre import Callback, Centre

PERSONS = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "19", "22", "24", "25", "26")

EXPECTED: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(PERSONS, ("completed", "talked", "connected")),
    "10": ("unsuccessful", "attempts_exhausted", "busy busy"),
    "11": ("unsuccessful", "attempts_exhausted", "no_answer"),
    "12": ("unsuccessful", "attempts_exhausted", "rejected rejected"),
    "13": ("unsuccessful", "attempts_exhausted", "unconfirmed"),
    "14": ("unsuccessful", "attempts_exhausted", "unconfirmed"),
    "15": ("cancelled", "by_key", "cancelled_by_key"),
    "16": ("unsuccessful", "attempts_exhausted", "hung_up"),
    "17": ("unsuccessful", "invalid_number", "invalid_number"),
    "18": ("unsuccessful", "attempts_exhausted", "network_failure network_failure"),
    "19": ("completed", "talked", "busy connected"),
    "20": ("unsuccessful", "attempts_exhausted", "later later unconfirmed"),
    "27": ("cancelled", "never_again", "never_again"),
}
"""State, reason and the attempts' outcomes, in the order of the table of numbers."""

KEYS = {**dict.fromkeys(PERSONS, "1"), "15": "3", "20": "222", "27": "9"}


@dataclass(frozen=True, slots=True)
class Told:
    """One number's story: the engine's record, and what the network saw."""

    callback: Callback
    calls: list[WitnessCall]


@pytest.fixture(scope="module")
def told(centre: Centre, asked_numbers: dict[str, str]) -> dict[str, Told]:
    """All numbers are called at the same time."""
    ended = dict(zip(asked_numbers, centre.until_ended(*asked_numbers.values(), limit_seconds=150), strict=True))
    return {digits: Told(ended[digits], centre.calls_to(f"120255501{digits}")) for digits in EXPECTED}


@pytest.mark.parametrize("digits", EXPECTED)
def test_a_number_ends_as_its_digits_say(told: dict[str, Told], digits: str) -> None:
    callback, calls = told[digits].callback, told[digits].calls
    outcomes = " ".join(attempt["outcome"] for attempt in callback["attempts"])
    assert (callback["state"], callback["reason"], outcomes) == EXPECTED[digits]
    assert len(calls) == len(callback["attempts"])
    assert len({call.call_id for call in calls}) == len(calls)
    assert "".join(call.pressed for call in calls) == KEYS.get(digits, "")


@pytest.mark.parametrize("digits", PERSONS)
def test_a_person_and_the_agent_hear_each_other(centre: Centre, told: dict[str, Told], digits: str) -> None:
    callback, calls = told[digits].callback, told[digits].calls
    heard_by_customer = seconds_of_tone(centre.lab.recordings(calls[-1]), 1000)
    agent_call = _agent_call(centre, callback)
    heard_by_agent = seconds_of_tone(centre.lab.recordings(agent_call), 440)
    talked = callback["attempts"][-1]["talk_seconds"]
    assert heard_by_customer > talked - 1.0 > 1.0
    assert heard_by_agent > talked - 1.0


def _agent_call(centre: Centre, callback: Callback) -> WitnessCall:
    number = str(callback["agent"]).removeprefix("a")
    bridged = centre.rows("select bridged_at from attempts where callback = ? and bridged_at > 0", callback["id"])
    at = bridged[0]["bridged_at"]
    return next(call for call in centre.calls_to(number) if call.invited_at < at < (call.ended_at or at + 1))


def test_the_causes_of_the_network_are_kept(told: dict[str, Told]) -> None:
    sip_codes = {digits: told[digits].callback["attempts"][0]["sip_code"] for digits in ("10", "12", "17", "18")}
    assert sip_codes == {"10": 486, "12": 603, "17": 404, "18": 503}


def test_no_attempt_of_a_callback_begins_before_the_last_one_ended(told: dict[str, Told]) -> None:
    for story in told.values():
        for earlier, later in zip(story.calls, story.calls[1:], strict=False):
            assert earlier.ended_at is not None
            assert later.invited_at > earlier.ended_at


def test_at_each_originate_there_are_no_more_dials_in_flight_than_reserved_agents(
    centre: Centre, told: dict[str, Told]
) -> None:
    # An agent who is called first may leave while the customer is dialled: that dial is taken back.
    attempts = centre.rows(
        "select dialed_at, answered_at, attempts.ended_at from attempts join callbacks on callbacks.id = callback "
        "where service not like 'first%'"
    )
    moves = centre.rows("select agent, after, at from agent_moves order by at, id")
    for attempt in attempts:
        now = attempt["dialed_at"]
        in_flight = sum(
            each["dialed_at"] <= now < (each["answered_at"] or each["ended_at"] or now + 1) for each in attempts
        )
        states = {move["agent"]: move["after"] for move in moves if move["at"] <= now}
        assert in_flight <= sum(state == "reserved" for state in states.values())
