"""Every number of the simulated network ends as its last two digits say, by the engine's record and by the witness."""

from dataclasses import dataclass

import pytest

from engine.lab.witness import WitnessCall
from tests.live.calls.audio import first_sound_seconds, seconds_of_tone
from tests.live.calls.cast import NUMBERS_AGENTS
from tests.live.calls.centre import Callback, Centre
from tests.live.faults.background import Beside
from tests.live.faults.listening import prompt_heard_at

PERSONS = (*(f"0{digit}" for digit in range(10)), "19", "21", "22", "24", "25", "26", "29")
MACHINES = ("13", "23", "28")

EXPECTED: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(PERSONS, ("completed", "talked", "connected")),
    "10": ("unsuccessful", "attempts_exhausted", "busy busy"),
    "11": ("unsuccessful", "attempts_exhausted", "no_answer"),
    "12": ("unsuccessful", "attempts_exhausted", "rejected rejected"),
    "13": ("unsuccessful", "attempts_exhausted", "machine"),
    "14": ("unsuccessful", "attempts_exhausted", "unconfirmed"),
    "15": ("cancelled", "by_key", "cancelled_by_key"),
    "16": ("unsuccessful", "attempts_exhausted", "hung_up"),
    "17": ("unsuccessful", "invalid_number", "invalid_number"),
    "18": ("unsuccessful", "attempts_exhausted", "network_failure network_failure"),
    "19": ("completed", "talked", "busy connected"),
    "20": ("unsuccessful", "attempts_exhausted", "later later unconfirmed"),
    "23": ("unsuccessful", "attempts_exhausted", "machine"),
    "27": ("cancelled", "never_again", "never_again"),
    "28": ("unsuccessful", "attempts_exhausted", "fax"),
}
"""State, reason and the attempts' outcomes, in the order of the table of numbers."""

VERDICTS: dict[str, str] = {
    **dict.fromkeys((*PERSONS, "15", "20", "27"), "person key"),
    "13": "machine",
    "14": "person short_greeting",
    "21": "screening_robot reply",
    "23": "machine",
    "28": "fax fax_tone",
}
"""Of the last attempt, with its reason where only one is right; who was never spoken to has none, and 16 hangs up at
the moment at which one may come."""
ANSWERED = (*VERDICTS, "16")
AT_ONCE_SECONDS = 1.0
"""AMD() takes longer before it lets anything be said; where the announcement waits for nothing it takes a tenth."""

RING_TIMEOUT_SECONDS = 5.0

KEYS = {**dict.fromkeys(PERSONS, "1"), "15": "3", "20": "222", "27": "9"}


@dataclass(frozen=True, slots=True)
class Told:
    """One number's story: the engine's record, and what the network saw."""

    callback: Callback
    calls: list[WitnessCall]


def everybody_is_called(centre: Centre) -> dict[str, Told]:
    """All numbers, at the same time."""
    centre.ready(*NUMBERS_AGENTS)
    asked = {digits: centre.request("numbers", f"120255501{digits}") for digits in EXPECTED}
    ended = dict(zip(asked, centre.until_ended(*asked.values(), limit_seconds=150), strict=True))
    return {digits: Told(ended[digits], centre.calls_to(f"120255501{digits}")) for digits in EXPECTED}


CENTRE_STORIES = {everybody_is_called: 70}


@pytest.fixture(scope="module")
def told(centre_stories: Beside[Centre]) -> dict[str, Told]:
    return centre_stories.result(everybody_is_called)


@pytest.mark.parametrize("digits", EXPECTED)
def test_a_number_ends_as_its_digits_say(told: dict[str, Told], digits: str) -> None:
    callback, calls = told[digits].callback, told[digits].calls
    outcomes = " ".join(attempt["outcome"] for attempt in callback["attempts"])
    assert (callback["state"], callback["reason"], outcomes) == EXPECTED[digits]
    assert len(calls) == len(callback["attempts"])
    assert len({call.call_id for call in calls}) == len(calls)
    assert "".join(call.pressed for call in calls) == KEYS.get(digits, "")


@pytest.mark.parametrize("digits", sorted(EXPECTED))
def test_who_answered_is_told_right(told: dict[str, Told], digits: str) -> None:
    last = told[digits].callback["attempts"][-1]
    if digits == "16":
        assert last["verdict"] in ("person", "unknown")
    elif digits in VERDICTS:
        assert f"{last['verdict']} {last['verdict_reason']}".startswith(VERDICTS[digits])
    else:
        assert (last["verdict"], last["verdict_reason"], last["verdict_seconds"]) == (None, None, None)


@pytest.mark.parametrize("digits", sorted(ANSWERED))
def test_the_announcement_waits_for_no_verdict(centre: Centre, told: dict[str, Told], digits: str) -> None:
    call, attempt = told[digits].calls[-1], told[digits].callback["attempts"][-1]
    heard = first_sound_seconds(centre.lab.recordings(call))
    assert heard < AT_ONCE_SECONDS
    assert heard < attempt["verdict_seconds"]


@pytest.mark.parametrize("digits", MACHINES)
def test_no_machine_is_hung_up_on_before_it_has_heard_who_called(
    centre: Centre, told: dict[str, Told], digits: str
) -> None:
    [call] = told[digits].calls
    words = [centre.lab.prompts_dir / "en" / "numbers" / f"{name}.wav" for name in ("announce", "machine-goodbye")]
    heard = [at for prompt in words for at in prompt_heard_at(centre.lab.recordings(call), prompt)]
    assert heard, "the whole of one of them, before the call ended"


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


def test_the_end_of_the_ringing_is_ours(told: dict[str, Told]) -> None:
    """The network would let it ring for three minutes, Asterisk for five seconds more than we do."""
    [call], [attempt] = told["11"].calls, told["11"].callback["attempts"]
    assert call.ended_at is not None
    assert RING_TIMEOUT_SECONDS - 0.5 < call.ended_at - call.invited_at < RING_TIMEOUT_SECONDS + 1.5
    assert (attempt["answered_at"], attempt["sip_code"]) == (None, None)


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
