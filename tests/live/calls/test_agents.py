"""What agents' phones do to a call: taking turns, ringing out, refusing, hanging up, nobody there. Side by side."""

from dataclasses import dataclass

import pytest

from tests.live.calls.audio import longest_silence_seconds
from tests.live.calls.centre import Callback, Centre
from tests.live.faults.background import Beside


@dataclass(frozen=True, slots=True)
class Stories:
    """The callbacks of each story, ended."""

    solo: list[Callback]
    rona: Callback
    rejecting: Callback
    leaving: Callback
    dropping: Callback
    breaking: Callback
    nobody: Callback


def agents_do_all_sorts_of_things(centre: Centre) -> Stories:
    centre.ready(1121, 1901, 1131, 1902, 1141, 1903, 1151, 1161)
    solo = [centre.request("solo", "12125550100"), centre.request("solo", "12125550125")]
    rona = centre.request("rona", "12125550101")
    rejecting = centre.request("rejecting", "12125550102")
    leaving = centre.request("leaving", "12125550103")
    for each in ("a1904-drops", "a1904-breaks"):
        centre.client.put(f"/agents/{each}/state", {"state": "ready"})
    centre.ready(1211)
    dropping, breaking = centre.request("dropping", "12125550104"), centre.request("breaking", "12125550105")
    nobody = centre.request("nobody", "12125550122")
    # Reserved for this customer, the only agent goes away while the announcement plays.
    centre.until_state(nobody, "announcing")
    centre.client.put("/agents/a1161/state", {"state": "not_ready", "reason": "lunch"})
    centre.wait(
        lambda: "no_agent" in [attempt["outcome"] for attempt in centre.callback(nobody)["attempts"]],
        "the hold limit ends the first attempt",
    )
    centre.ready(1161)
    return Stories(
        centre.until_ended(*solo),
        *centre.until_ended(rona, rejecting, leaving, dropping, breaking, nobody),
    )


CENTRE_STORIES = {agents_do_all_sorts_of_things: 60}


@pytest.fixture(scope="module")
def stories(centre_stories: Beside[Centre]) -> Stories:
    return centre_stories.result(agents_do_all_sorts_of_things)


def test_two_requests_and_one_agent_the_second_waits(centre: Centre, stories: Stories) -> None:
    assert [callback["state"] for callback in stories.solo] == ["completed", "completed"]
    first, second = centre.calls_to("12125550100")[0], centre.calls_to("12125550125")[0]
    assert first.ended_at is not None
    assert second.invited_at > first.ended_at


def test_an_agent_who_rings_out_is_not_ready_and_the_customer_gets_the_next_one(
    centre: Centre, stories: Stories
) -> None:
    assert (stories.rona["state"], stories.rona["agent"]) == ("completed", "a1131")
    assert len(stories.rona["attempts"]) == 1
    assert centre.agent_state(1901) == ("not_ready", "rona")
    assert len(centre.calls_to("12125550101")) == 1


def test_who_missed_the_call_who_came_and_why_the_second_waited_is_explained(centre: Centre, stories: Stories) -> None:
    def trail(callback: Callback) -> list[str]:
        return [step["says"] for step in centre.client.get(f"/callbacks/{callback['id']}/explain")["steps"]]

    rona, second = trail(stories.rona), trail(stories.solo[1])
    assert rona[1].startswith("Agent 1901 was chosen and the customer called: of the 2 free agents with the skills")
    assert "not on record" not in rona[1]
    assert "The customer pressed the key to be connected." in rona
    missed = rona.index("Agent 1901 did not pick up and was set to not ready; the customer waited on with music.")
    assert rona[missed + 1] == "Agent 1131 was chosen instead."
    assert rona[-1].startswith("The conversation with Agent 1131 ended")
    assert "Just then Agent 1121 was through with the wrap-up." in second[1]
    assert "Before that nobody with the skills was free: Agent 1121 was in wrap-up." in second[1]


def test_the_customer_hears_music_while_the_next_agent_is_rung(centre: Centre, stories: Stories) -> None:
    call = centre.calls_to("12125550101")[0]
    row = centre.rows("select confirmed_at, bridged_at from attempts where callback = ?", stories.rona["id"])[0]
    assert call.answered_at is not None
    start, end = row["confirmed_at"] - call.answered_at, row["bridged_at"] - call.answered_at
    assert end - start > 4.0
    assert longest_silence_seconds(centre.lab.recordings(call), start, end) < 0.5


def test_an_agent_who_rejects_is_not_ready(centre: Centre, stories: Stories) -> None:
    assert (stories.rejecting["state"], stories.rejecting["agent"]) == ("completed", "a1141")
    assert centre.agent_state(1902) == ("not_ready", "rona")


def test_an_agent_who_hangs_up_before_the_bridge_is_not_ready_and_the_customer_stays(
    centre: Centre, stories: Stories
) -> None:
    assert (stories.leaving["state"], stories.leaving["agent"]) == ("completed", "a1151")
    assert centre.agent_state(1903) == ("not_ready", "rona")
    assert len(centre.calls_to("12125550103")) == 1


def test_an_agent_whose_call_drops_in_the_whisper_is_not_ready_and_the_customer_stays(
    centre: Centre, stories: Stories
) -> None:
    assert (stories.dropping["state"], stories.dropping["agent"]) == ("completed", "a1211")
    state = next(each for each in centre.client.items("/agents") if each["id"] == "a1904-drops")
    assert (state["state"], state["reason"]) == ("not_ready", "rona")
    assert len(centre.calls_to("12125550104")) == 1


def test_a_conversation_that_an_agents_phone_drops_was_one_and_the_customer_is_let_go(
    centre: Centre, stories: Stories
) -> None:
    assert (stories.breaking["state"], stories.breaking["reason"]) == ("completed", "talked")
    assert 0 < stories.breaking["attempts"][0]["talk_seconds"] < 2
    [customer] = centre.calls_to("12125550105")
    [agent] = [call for call in centre.calls_to("1904") if call.caller == "+12125550105"]
    assert agent.answered_at is not None
    assert agent.ended_at is not None
    assert customer.ended_at is not None
    assert 1.8 < agent.ended_at - agent.answered_at < 3.0
    assert customer.ended_at - agent.ended_at < 1.0


def test_nobody_within_the_hold_limit_an_apology_and_a_new_attempt(stories: Stories) -> None:
    outcomes = [attempt["outcome"] for attempt in stories.nobody["attempts"]]
    assert (stories.nobody["state"], outcomes) == ("completed", ["no_agent", "connected"])


def test_an_agent_in_wrap_up_is_ready_again_afterwards(centre: Centre, stories: Stories) -> None:
    centre.wait(lambda: centre.agent_state(1121) == ("ready", None), "wrap-up is over", 10)
    states = [row["after"] for row in centre.rows("select after from agent_moves where agent = 'a1121' order by id")]
    assert states == ["ready", *["reserved", "ringing", "talking", "wrap_up", "ready"] * 2]


def test_an_agent_who_leaves_while_the_customer_is_dialled_ends_the_dial(centre: Centre) -> None:
    centre.ready(1171)
    callback = centre.request("withdrawn", "12125550111")
    centre.wait(lambda: centre.calls_to_so_far("12125550111"), "the customer's phone rings", 10)
    centre.client.put("/agents/a1171/state", {"state": "logged_out"})
    centre.until_state(callback, "retry_wait", 10)
    assert centre.callback(callback)["attempts"][0]["outcome"] == "no_agent"
    assert centre.calls_to("12125550111")[0].answered_at is None
    centre.client.delete(f"/callbacks/{callback}")
    assert centre.callback(callback)["reason"] == "by_admin"
