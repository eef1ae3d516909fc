"""The engine is killed and comes back: conversations do not notice, and who answers meanwhile is not left alone."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from engine.lab.witness import WitnessCall
from tests.live.calls.centre import agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.listening import EDGE_SECONDS, longest_gap_seconds, prompt_heard_at
from tests.live.faults.scene import LISTENS, Scene, scene

ABSENCE_SECONDS = 30.0
TALK_SECONDS = 120.0
"""Longer than this story: somebody hangs up."""
LONG, SHORT, STRANGER = f"120255501{LISTENS}", f"120355501{LISTENS}", f"120555501{LISTENS}"
CUSTOMERS_TONE, AGENTS_TONE = 440, 1000


@dataclass(frozen=True, slots=True)
class Conversations:
    """Two conversations, of which one ended while the engine was away."""

    killed_at: float
    back_at: float
    customer: WitnessCall
    agent: WitnessCall
    gap_at_customer: float
    gap_at_agent: float
    long: tuple[str, str, float]
    short: tuple[str, str]
    short_calls: list[WitnessCall]
    short_agent: WitnessCall
    long_calls: list[WitnessCall]
    agents: dict[str, str]
    stranger_stayed: bool


def conversation_through_a_kill(place: Place) -> Conversations:
    with scene(place, talk_seconds=TALK_SECONDS) as at:
        at.configure([service("long"), service("short")], [agent(1011, "long"), agent(1021, "short")])
        at.ready(1011, 1021)
        long, short = at.request("long", LONG), at.request("short", SHORT)
        at.stranger(STRANGER)
        for callback, number in ((long, LONG), (short, SHORT)):
            at.until_state(callback, "announcing")
            at.press(number, "1")
        for callback in (long, short):
            at.until_state(callback, "connected")
        for number in (LONG, SHORT, "1011", "1021"):
            at.wait(lambda number=number: at.leg(number).met_at, "they hear each other", 10)  # type: ignore[misc]
        at.engine.kill()
        killed_at = time.time()
        at.until(killed_at + 6)
        at.hang_up("1021")
        at.until(killed_at + ABSENCE_SECONDS)
        at.engine.start()
        back_at = time.time()
        at.until(back_at + 3)
        at.hang_up("1011")
        ended = at.until_ended(long, short)
        customer, agent_call = at.calls_to(LONG)[-1], at.calls_to("1011")[-1]
        stranger_stayed = at.is_up(STRANGER)
        at.wait(lambda: at.agent_state(1011)[0] == at.agent_state(1021)[0] == "ready", "both are out of wrap-up", 15)
        return Conversations(
            killed_at,
            back_at,
            customer,
            agent_call,
            _gap(at, customer, AGENTS_TONE),
            _gap(at, agent_call, CUSTOMERS_TONE),
            (ended[0]["state"], ended[0]["reason"], ended[0]["attempts"][-1]["talk_seconds"]),
            (ended[1]["state"], ended[1]["reason"]),
            at.calls_to(SHORT),
            at.calls_to("1021")[-1],
            at.calls_to(LONG),
            {number: at.agent_state(int(number))[0] for number in ("1011", "1021")},
            stranger_stayed,
        )


def _gap(at: Scene, call: WitnessCall, hertz: float) -> float:
    assert call.ended_at is not None
    return longest_gap_seconds(at.lab.recordings(call), call, hertz, call.ended_at - EDGE_SECONDS)


IN_TIME, TOO_LATE = f"120655501{LISTENS}", f"120755501{LISTENS}"


@dataclass(frozen=True, slots=True)
class Answers:
    """Two customers who answered while the engine was away; it was back within 20 s for the first only."""

    in_time: WitnessCall
    back_at: float
    one_moment_at: list[float]
    announcement_at: list[float]
    in_time_ended: tuple[str, str | None, list[str | None]]
    in_time_calls: int
    too_late: WitnessCall
    too_late_one_moment: list[float]
    too_late_apology: list[float]
    too_late_state: str
    too_late_outcomes: list[str | None]


def answers_while_the_engine_is_away(place: Place) -> Answers:
    with scene(place, talk_seconds=4) as at:
        # They answer after a second, and the engine is back when the time to answer is over.
        fields = {"ring_timeout_seconds": 4, "attempts": {"max": 2, "interval_seconds": 600}}
        at.configure(
            [service("in_time", **fields), service("too_late", **fields)],
            [agent(1011, "in_time"), agent(1021, "too_late")],
        )
        prompts = at.lab.prompts_dir / "en"
        at.ready(1011)
        callback = at.request("in_time", IN_TIME)
        at.wait(lambda: at.calls_to_so_far(IN_TIME), "the phone rings", 10)
        at.engine.kill()
        at.wait(lambda: at.leg(IN_TIME).heard_at, "the customer hears something while the engine is away", 15)
        at.until(at.leg(IN_TIME).invited_at + 6)
        assert at.is_up(IN_TIME)
        at.engine.start()
        back_at = time.time()
        at.wait(lambda: at.callback(callback)["state"] not in ("reserved", "dialing"), "the call goes on", 20)
        at.until(time.time() + 4)  # the words before the keys
        if at.is_up(IN_TIME):
            at.press(IN_TIME, "1")
        at.wait(lambda: not at.is_up(IN_TIME), "the call is over", 60)
        at.wait(
            lambda: at.callback(callback)["state"] not in ("announcing", "confirmed", "connected"), "it is told", 10
        )
        ended = at.callback(callback)

        at.ready(1021)
        late = at.request("too_late", TOO_LATE)
        at.wait(lambda: at.calls_to_so_far(TOO_LATE), "the phone rings", 10)
        at.engine.kill()
        at.wait(lambda: at.leg(TOO_LATE).ended_at, "the customer is let go", 60)
        at.engine.start()
        at.until_state(late, "retry_wait", 20)
        in_time, too_late = at.calls_to(IN_TIME)[-1], at.calls_to(TOO_LATE)[-1]
        hers, his = at.lab.recordings(in_time), at.lab.recordings(too_late)
        return Answers(
            in_time,
            back_at,
            prompt_heard_at(hers, prompts / "in_time" / "one-moment.wav"),
            prompt_heard_at(hers, prompts / "in_time" / "announce.wav"),
            (ended["state"], ended["reason"], [each["outcome"] for each in ended["attempts"]]),
            len(at.calls_to(IN_TIME)),
            too_late,
            prompt_heard_at(his, prompts / "too_late" / "one-moment.wav"),
            prompt_heard_at(his, prompts / "too_late" / "apology.wav"),
            str(at.callback(late)["state"]),
            [each["outcome"] for each in at.callback(late)["attempts"]],
        )


STORIES = {answers_while_the_engine_is_away: 50, conversation_through_a_kill: 55}


@pytest.fixture(scope="module")
def talked(background: Background) -> Conversations:
    return background.result(conversation_through_a_kill)


@pytest.fixture(scope="module")
def answered(background: Background) -> Answers:
    return background.result(answers_while_the_engine_is_away)


def test_a_conversation_goes_on_through_a_kill_without_a_gap(talked: Conversations) -> None:
    assert talked.back_at - talked.killed_at >= ABSENCE_SECONDS
    assert talked.agent.ended_at is not None
    assert talked.agent.ended_at > talked.back_at, "it ended before the engine was back"
    assert max(talked.gap_at_customer, talked.gap_at_agent) < 0.2


def test_its_talk_time_is_right_although_nobody_listened(talked: Conversations) -> None:
    state, reason, talk_seconds = talked.long
    assert (state, reason) == ("completed", "talked")
    assert talked.customer.met_at is not None
    assert talked.customer.ended_at is not None
    assert talk_seconds == pytest.approx(talked.customer.ended_at - talked.customer.met_at, abs=1.5)
    assert len(talked.long_calls) == 1


def test_a_conversation_that_ended_meanwhile_is_marked_so_and_nobody_is_called_again(talked: Conversations) -> None:
    assert talked.short == ("completed", "ended_unobserved")
    assert len(talked.short_calls) == 1
    ended_at = talked.short_agent.ended_at
    assert ended_at is not None
    assert talked.killed_at < ended_at < talked.back_at


def test_both_agents_take_calls_again(talked: Conversations) -> None:
    assert talked.agents == {"1011": "ready", "1021": "ready"}


def test_a_stranger_in_our_application_survives_the_kill(talked: Conversations) -> None:
    assert talked.stranger_stayed


def test_who_answers_while_the_engine_is_away_is_asked_for_a_moment_and_then_served(answered: Answers) -> None:
    picked_up = answered.in_time.answered_at
    assert picked_up is not None
    assert answered.one_moment_at, "the prompt was not heard"
    assert picked_up + answered.one_moment_at[0] < answered.back_at, "it came only when the engine was back"
    assert answered.one_moment_at[0] < 1.5
    assert answered.in_time_ended == ("completed", "talked", ["connected"])
    assert answered.announcement_at
    assert picked_up + answered.announcement_at[0] > answered.back_at - 5
    assert answered.in_time_calls == 1


def test_who_answers_and_the_engine_stays_away_hears_an_apology_and_is_let_go(answered: Answers) -> None:
    call = answered.too_late
    assert call.answered_at is not None
    assert call.ended_at is not None
    assert len(answered.too_late_one_moment) >= 2
    assert len(answered.too_late_apology) == 1
    assert 20 < answered.too_late_apology[0] < 26
    assert 20 < call.ended_at - call.answered_at < 32


def test_who_was_let_go_so_is_called_again_later(answered: Answers) -> None:
    assert (answered.too_late_state, answered.too_late_outcomes) == ("retry_wait", ["interrupted"])
