"""The agent first, on real phones: rung and kept with music before the customer is dialled. Side by side."""

from dataclasses import dataclass

import pytest

from engine.lab.witness import WitnessCall
from tests.live.calls.audio import longest_silence_seconds
from tests.live.calls.centre import Callback, Centre
from tests.live.faults.background import Beside
from tests.live.faults.listening import prompt_heard_at

KNOWS_IT, LISTENS, BUSY, RINGS_FOR_EVER = "25", "00", "10", "11"
CONNECTED, RINGS_OUT = f"130355501{LISTENS}", f"130455501{KNOWS_IT}"
FIRST_BUSY, THEN_CONNECTED = f"130555501{BUSY}", f"130555501{KNOWS_IT}"
LEFT_ALONE = f"130655501{RINGS_FOR_EVER}"


@dataclass(frozen=True, slots=True)
class Stories:
    """The callbacks of each story, ended, except the one whose agent leaves: it waits for its next attempt."""

    connected: Callback
    rings_out: Callback
    busy: Callback
    after_busy: Callback
    left_alone: Callback


def agents_are_rung_first(centre: Centre) -> Stories:
    centre.ready(1181, 1201, 1904)
    centre.client.put("/agents/a1901-first/state", {"state": "ready"})
    centre.ready(1191)
    connected = centre.request("first", CONNECTED)
    rings_out = centre.request("first_rings_out", RINGS_OUT)
    busy, after_busy = centre.request("first_busy", FIRST_BUSY), centre.request("first_busy", THEN_CONNECTED)
    left_alone = centre.request("first_leaves", LEFT_ALONE)
    centre.until_state(left_alone, "retry_wait", 30)
    waiting = centre.callback(left_alone)
    centre.client.delete(f"/callbacks/{left_alone}")
    ended = centre.until_ended(connected, rings_out, busy, after_busy)
    return Stories(ended[0], ended[1], ended[2], ended[3], waiting)


CENTRE_STORIES = {agents_are_rung_first: 45}


@pytest.fixture(scope="module")
def stories(centre_stories: Beside[Centre]) -> Stories:
    return centre_stories.result(agents_are_rung_first)


def the_call(centre: Centre, number: str) -> WitnessCall:
    [call] = centre.calls_to(number)
    return call


def test_the_customer_is_dialled_when_the_agent_has_answered_and_they_talk(centre: Centre, stories: Stories) -> None:
    agent, customer = the_call(centre, "1181"), the_call(centre, CONNECTED)
    assert (stories.connected["state"], stories.connected["reason"]) == ("completed", "talked")
    assert agent.answered_at is not None
    assert customer.invited_at > agent.answered_at
    assert agent.caller == f"+{CONNECTED}", "the agent sees whom they will talk to"
    assert (agent.met_at, customer.met_at) != (None, None)
    moves = centre.rows("select after from callback_moves where callback = ? order by id", stories.connected["id"])
    assert [row["after"] for row in moves] == [
        *("queued", "reserved", "ringing_agent", "dialing", "announcing", "confirmed", "connected", "completed")
    ]
    states = [row["after"] for row in centre.rows("select after from agent_moves where agent = 'a1181' order by id")]
    assert states[:6] == ["ready", "reserved", "ringing", "reserved", "talking", "wrap_up"]


def test_the_agent_hears_music_until_the_customer_confirms_and_then_the_whisper(
    centre: Centre, stories: Stories
) -> None:
    agent = the_call(centre, "1181")
    [row] = centre.rows("select dialed_at, confirmed_at from attempts where callback = ?", stories.connected["id"])
    assert agent.answered_at is not None
    start, end = row["dialed_at"] - agent.answered_at + 0.5, row["confirmed_at"] - agent.answered_at
    assert end - start > 4.0
    assert longest_silence_seconds(centre.lab.recordings(agent), start, end) < 0.5
    whisper = centre.lab.prompts_dir / "en" / "first" / "whisper.wav"
    [whispered_at] = prompt_heard_at(centre.lab.recordings(agent), whisper)
    assert end - 0.5 < whispered_at < end + 1.0


def test_an_agent_who_rings_out_is_not_ready_and_the_next_one_is_taken_for_a_customer_who_notices_nothing(
    centre: Centre, stories: Stories
) -> None:
    missed, connected = stories.rings_out["attempts"]
    assert (missed["outcome"], missed["agent"], missed["dialed_at"]) == ("no_agent", "a1901-first", None)
    assert (connected["outcome"], connected["agent"]) == ("connected", "a1191")
    state = next(each for each in centre.client.items("/agents") if each["id"] == "a1901-first")
    assert (state["state"], state["reason"]) == ("not_ready", "rona")
    assert the_call(centre, RINGS_OUT).invited_at > the_call(centre, "1191").invited_at


def test_a_busy_customer_frees_the_agent_at_once_without_wrap_up(centre: Centre, stories: Stories) -> None:
    assert [attempt["outcome"] for attempt in stories.busy["attempts"]] == ["busy"]
    assert stories.after_busy["state"] == "completed", "the same agent serves the next customer"
    first, second = centre.calls_to("1201")
    assert first.ended_at is not None
    assert first.ended_at - the_call(centre, FIRST_BUSY).invited_at < 1.0
    assert second.invited_at - first.ended_at < 1.0
    states = [row["after"] for row in centre.rows("select after from agent_moves where agent = 'a1201' order by id")]
    assert states[:6] == ["ready", "reserved", "ringing", "reserved", "ready", "reserved"]


def test_an_agent_who_leaves_while_the_customer_is_dialled_ends_the_dial(centre: Centre, stories: Stories) -> None:
    [attempt] = stories.left_alone["attempts"]
    assert (attempt["outcome"], attempt["answered_at"]) == ("no_agent", None)
    assert centre.agent_state(1904) == ("not_ready", "rona")
    [agent] = [call for call in centre.calls_to("1904") if call.caller == f"+{LEFT_ALONE}"]
    customer = the_call(centre, LEFT_ALONE)
    assert agent.ended_at is not None
    assert customer.ended_at is not None
    assert 0 <= customer.ended_at - agent.ended_at < 1.0
