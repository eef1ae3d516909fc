"""The engine is killed with people who rang in in every phase of their call, and comes back: nobody is hung up on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from cli.client import EngineClient
from engine.lab import RungIn
from engine.lab.callers import ring_in, steps
from tests.live.calls.centre import Callback, agent, service
from tests.live.faults.background import Background, Place
from tests.live.faults.callers import TALKS_ON, Callers, hours_closed_now
from tests.live.faults.listening import EDGE_SECONDS, longest_gap_seconds
from tests.live.faults.scene import LONG_NAME, Scene, scene


class Who(StrEnum):
    """How far each caller has come when the engine is killed."""

    GREETED = "greeted"
    WAITS = "waits"
    MENU = "menu"
    RUNG = "rung"
    WHISPERED = "whispered"
    TALKS = "talks"
    PARTED = "parted"
    """Talks, and the agent hangs up meanwhile."""
    KEPT = "kept"
    """Has kept the place, and hears so."""
    CLOSED = "closed"
    FULL = "full"
    """Hears that the line is full."""
    BEFORE = "before"
    """Waits, so that the line of that service is full."""
    GONE = "gone"
    """Hangs up meanwhile, and had asked for a callback."""
    LATE = "late"
    """Rings in meanwhile."""


AGENTS = {
    Who.GREETED: 1011,
    Who.WAITS: 1021,
    Who.RUNG: 1901,
    Who.WHISPERED: 1041,
    Who.TALKS: 1051,
    Who.PARTED: 1061,
    Who.KEPT: 1071,
    Who.GONE: 1081,
    Who.LATE: 1091,
}
"""1901 never answers; the others answer after a second."""
COLLEAGUE = 1031
"""Can do what 1901 does, and is not there at first."""
PREVIEW, PREVIEWS = "preview", 1101
MENU_PHONE, LOOKS_ON = 1111, 1121
"""Of these two agents only the first has dialled the menu."""
ABSENCE_SECONDS = 5.0
AGENTS_TONE = 1000
PREVIEWED = "19855550100"
WAIT_LONG = (Who.WAITS, Who.MENU, Who.KEPT, Who.BEFORE, Who.GONE)
JUST_ANSWERED = (Who.CLOSED, Who.FULL, Who.GREETED)
IN_THE_LINE = (Who.GREETED, Who.WAITS, Who.MENU, Who.RUNG, Who.WHISPERED, Who.BEFORE)


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of everybody. `places`: before and afterwards. `did`: what the start did. `silence`: the longest that
    those who wait with music heard. `gap`: the longest for which one who talks did not hear the agent.
    """

    spawned_at: float
    was: dict[Who, str]
    places: dict[Who, tuple[float, float]]
    did: dict[Who, str]
    calls: dict[Who, RungIn]
    outcomes: dict[Who, list[str]]
    callbacks: dict[Who, list[dict[str, Any]]]
    called: dict[Who, int]
    silence: dict[Who, float]
    gap: float
    agents_rung: dict[int, int]
    preview: Preview
    menu_phone: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Preview:
    """An agent looks at a callback: what is so after the start, and what became of it."""

    state: str
    agent: tuple[str, str | None]
    ended: Callback
    calls: int


def callers_through_a_kill(place: Place) -> Killed:
    with scene(place, talk_seconds=100, environment={"RINGBACK_ASTERISK__0__RECOVERY_SETTLE_SECONDS": "1"}) as at:
        callers = Callers(at, list(Who))
        _set_up(at, callers)
        at.ready(*(AGENTS[who] for who in (Who.RUNG, Who.WHISPERED, Who.TALKS, Who.PARTED)), PREVIEWS)
        had, previewed = at.request(Who.GONE, callers.phone(Who.GONE)), at.request(PREVIEW, PREVIEWED)
        _play(at, callers)
        menu_phone = ring_in(at.lab, "*80", f"agent-{MENU_PHONE}", steps(TALKS_ON))
        callers.keep_place(Who.KEPT)
        for who in JUST_ANSWERED:
            at.wait(lambda who=who: callers.is_up(who), f"{who} is answered", 5)  # type: ignore[misc]
        at.wait(lambda: callers.row(Who.KEPT)["outcome"], "the place is kept", 5)
        at.engine.kill()
        killed_at = time.time()
        was: dict[Who, str] = {who: _seen(callers, who) for who in Who if who is not Who.LATE}
        places = {who: callers.row(who)["joined_at"] for who in IN_THE_LINE}
        at.hang_up(str(AGENTS[Who.PARTED]))
        callers.hang_up(Who.GONE)
        callers.ring(Who.LATE)
        at.until(killed_at + ABSENCE_SECONDS)
        spawned_at = time.time()
        at.engine.start()
        did = _did(at, callers)
        places_now = {who: (place, callers.row(who)["joined_at"]) for who, place in places.items()}
        preview = at.callback(previewed)["state"], at.agent_state(PREVIEWS)

        at.until(time.time() + 2)
        _serve_all(at, callers, had, previewed, menu_phone)
        menu_states = at.agent_state(MENU_PHONE)[0], at.agent_state(LOOKS_ON)[0]
        waited_until = callers.seen(Who.WAITS).met_at or 0.0
        callers.hang_up(Who.BEFORE)
        for each in (*AGENTS.values(), COLLEAGUE, PREVIEWS):
            if at.is_up(str(each)):
                at.hang_up(str(each))
        callers.until_over(*Who)
        kept = [str(each["id"]) for each in callers.callbacks(Who.KEPT)]
        ended = at.until_ended(previewed, had, *kept)
        calls = {who: callers.ended(who) for who in Who}
        talks, over_at = calls[Who.TALKS], calls[Who.TALKS].ended_at or 0.0
        waited = {Who.WAITS: waited_until, Who.BEFORE: spawned_at + 4}
        return Killed(
            spawned_at,
            was,
            places_now,
            did,
            calls,
            {who: [row["outcome"] for row in callers.rows(who)] for who in Who},
            {who: [dict(row) for row in callers.callbacks(who)] for who in Who},
            {who: len(at.calls_to(callers.phone(who))) for who in Who},
            {who: callers.silence_seconds(who, killed_at - 1, until) for who, until in waited.items()},
            longest_gap_seconds(at.lab.recordings(talks), talks, AGENTS_TONE, over_at - EDGE_SECONDS),
            {each: len(at.calls_to_so_far(str(each))) for each in (*AGENTS.values(), COLLEAGUE)},
            Preview(*preview, ended[0], len(at.calls_to(PREVIEWED))),
            menu_states,
        )


def _play(at: Scene, callers: Callers[Who]) -> None:
    """Bring each caller but the one who is still to keep the place to where they are when the engine is killed."""
    for who in (Who.TALKS, Who.PARTED, *WAIT_LONG):
        callers.ring(who)
    callers.until_met(Who.TALKS, Who.PARTED)
    callers.until_waiting(*WAIT_LONG)
    at.until(time.time() + 3)  # the greeting
    callers.ring(Who.RUNG)
    at.wait(lambda: at.calls_to_so_far(str(AGENTS[Who.RUNG])), "the agent's phone rings", 10)
    callers.press(Who.MENU, "1")
    callers.until_asked(Who.MENU)
    callers.ring(Who.WHISPERED)
    at.wait(lambda: "whisper" in callers.timers(Who.WHISPERED), "the agent hears the whisper", 15)
    for who in JUST_ANSWERED:
        callers.ring(who)


def _serve_all(at: Scene, callers: Callers[Who], had: str, previewed: str, menu_phone: str) -> None:
    """Everybody comes to what they wait for, and says what they are asked; those who can talk do in the end."""
    at.ready(*(AGENTS[who] for who in (Who.GREETED, Who.WAITS, Who.KEPT, Who.GONE, Who.LATE)), COLLEAGUE)
    key = at.client.post("/keys", {"name": "previews", "role": "agent", "subject": f"a{PREVIEWS}"})["key"]
    EngineClient(at.engine.url, key, timeout_seconds=20).post(f"/agent/work/{previewed}-1/accept", {})
    phone = next(each for each in at.lab.rung_in() if each.ring_id == menu_phone)
    told = at.lab.console(f"channel redirect {phone.channel} press,1,1", side="network")
    assert "successfully" in told, told
    callers.keep_place(Who.MENU)
    callers.press(Who.CLOSED, "1")  # the time
    at.until(time.time() + 1)
    callers.press(Who.CLOSED, "1")  # the number
    callers.until_met(Who.GREETED, Who.WAITS, Who.RUNG, Who.WHISPERED, Who.LATE)
    for who in (Who.MENU, Who.CLOSED):
        at.wait(lambda who=who: callers.callbacks(who), f"{who} is promised a callback", 15)  # type: ignore[misc]
    for callback in (str(callers.callbacks(Who.KEPT)[0]["id"]), had, previewed):
        at.until_state(callback, "connected")


def _set_up(at: Scene, callers: Callers[Who]) -> None:
    fields: dict[str, Any] = {"name": LONG_NAME, "agent_ring_seconds": 15}
    more: dict[Who, dict[str, Any]] = {
        Who.CLOSED: {"calendar": "elsewhen", "slots": {"minutes": 30, "capacity": 2, "days_ahead": 3}},
        Who.FULL: {"queue_cap": 1},
    }
    services = []
    for who in Who:
        if who is Who.BEFORE:
            continue
        numbers = [callers.dialled(who)] + ([callers.dialled(Who.BEFORE)] if who is Who.FULL else [])
        services.append(service(who, **fields, inbound={"numbers": numbers}, **more.get(who, {})))
    services.append(service(PREVIEW, connect="preview", preview_seconds=120))
    agents = [agent(number, who) for who, number in AGENTS.items()]
    agents += [agent(COLLEAGUE, Who.RUNG), agent(PREVIEWS, PREVIEW), agent(MENU_PHONE, "none"), agent(LOOKS_ON, "none")]
    at.configure(
        services, agents, calendars=[{"id": "elsewhen", "timezone": "UTC", "weekly": {"mon-sun": [hours_closed_now()]}}]
    )


def _seen(callers: Callers[Who], who: Who) -> str:
    """How far they have come, by what is written down."""
    row, timers = callers.row(who), callers.timers(who)
    if row["outcome"] is not None:
        return f"closing: {row['outcome']}"
    if row["bridged_at"] is not None:
        return "talks"
    names = {"whisper": "whisper", "agent_ring": "agent rings", "menu": "menu"}
    return next((said for name, said in names.items() if name in timers), "waits")


def _did(at: Scene, callers: Callers[Who]) -> dict[Who, str]:
    told = {line["attempt"]: str(line["did"]) for line in at.logged("attempt.recovered")}
    return {who: told[row["id"]] for who in Who for row in callers.rows(who) if row["id"] in told}


STORIES = {callers_through_a_kill: 60}


@pytest.fixture(scope="module")
def killed(background: Background) -> Killed:
    return background.result(callers_through_a_kill)


WAS = {
    Who.GREETED: "waits",
    Who.WAITS: "waits",
    Who.MENU: "menu",
    Who.RUNG: "agent rings",
    Who.WHISPERED: "whisper",
    Who.TALKS: "talks",
    Who.PARTED: "talks",
    Who.KEPT: "closing: callback",
    Who.CLOSED: "menu",
    Who.FULL: "closing: refused",
    Who.BEFORE: "waits",
    Who.GONE: "waits",
}


def test_somebody_was_in_every_phase_when_the_engine_was_killed(killed: Killed) -> None:
    assert killed.was == WAS


@pytest.mark.parametrize("who", IN_THE_LINE)
def test_who_waits_keeps_the_place(killed: Killed, who: Who) -> None:
    before, now = killed.places[who]
    assert before == now
    assert before is not None


@pytest.mark.parametrize("who", [Who.GREETED, Who.WAITS, Who.RUNG, Who.WHISPERED, Who.LATE])
def test_who_waited_for_an_agent_talks_in_the_same_call(killed: Killed, who: Who) -> None:
    assert killed.calls[who].met_at is not None
    assert (killed.outcomes[who], killed.called[who]) == (["connected"], 0)


def test_music_goes_on(killed: Killed) -> None:
    # It plays on while nobody is there; whoever comes back stops it and begins it anew.
    assert max(killed.silence.values()) < 1.0, killed.silence


def test_who_was_in_the_menu_has_music_again_and_the_key_works(killed: Killed) -> None:
    assert killed.did[Who.MENU] == "music again, agent wanted"
    assert killed.outcomes[Who.MENU] == ["callback"]
    (callback,) = killed.callbacks[Who.MENU]
    assert callback["joined_at"] == killed.places[Who.MENU][0]


def test_an_agent_who_is_rung_or_hears_the_whisper_is_kept(killed: Killed) -> None:
    assert {killed.did[who] for who in (Who.RUNG, Who.WHISPERED)} == {"music again, agent kept"}
    assert killed.agents_rung[AGENTS[Who.WHISPERED]] == 1
    assert killed.agents_rung[AGENTS[Who.RUNG]] == killed.agents_rung[COLLEAGUE] == 1, (
        "nobody answers; a colleague does"
    )


def test_a_conversation_notices_nothing(killed: Killed) -> None:
    assert killed.did[Who.TALKS] == "left alone"
    assert killed.gap < 0.2
    assert (killed.outcomes[Who.TALKS], killed.agents_rung[AGENTS[Who.TALKS]]) == (["connected"], 1)


def test_a_conversation_that_ended_meanwhile_was_one(killed: Killed) -> None:
    assert (killed.did[Who.PARTED], killed.outcomes[Who.PARTED]) == ("ended unobserved", ["connected"])


def test_a_kept_place_is_kept_once_and_called_once(killed: Killed) -> None:
    (callback,) = killed.callbacks[Who.KEPT]
    assert (callback["state"], callback["reason"]) == ("completed", "talked")
    assert killed.called[Who.KEPT] == 1
    assert killed.outcomes[Who.KEPT] == ["callback"]
    assert killed.did[Who.KEPT] in ("let go again", "closed as decided")


def test_outside_the_hours_the_offer_is_made_again_and_can_be_taken(killed: Killed) -> None:
    assert (killed.did[Who.CLOSED], killed.outcomes[Who.CLOSED]) == ("announced again", ["callback"])
    (callback,) = killed.callbacks[Who.CLOSED]
    assert (callback["state"], callback["booked"]) == ("scheduled", 1)


def test_for_whom_the_line_was_full_is_let_go_as_decided(killed: Killed) -> None:
    assert killed.outcomes[Who.FULL] == ["refused"]
    assert killed.outcomes[Who.BEFORE] == ["abandoned"], "who fills the line stays in it until they hang up"
    assert killed.calls[Who.BEFORE].answered_at is not None


def test_who_hung_up_meanwhile_is_found_gone_and_their_callback_goes_on(killed: Killed) -> None:
    assert (killed.did[Who.GONE], killed.outcomes[Who.GONE]) == ("interrupted", ["interrupted"])
    (callback,) = killed.callbacks[Who.GONE]
    assert (callback["state"], callback["reason"], killed.called[Who.GONE]) == ("completed", "talked", 1)


def test_who_rings_in_meanwhile_is_taken_when_the_engine_is_back(killed: Killed) -> None:
    late = killed.calls[Who.LATE]
    assert late.started_at < killed.spawned_at < (late.answered_at or 0.0)
    assert late.met_at is not None


def test_nobody_is_hung_up_on_who_was_not_told_goodbye(killed: Killed) -> None:
    let_go = {who for who, call in killed.calls.items() if call.met_at is None and call.hung_up_at is None}
    assert let_go == {Who.MENU, Who.KEPT, Who.CLOSED, Who.FULL, Who.BEFORE, Who.GONE}, "the last two hung up"


def test_a_preview_that_an_agent_looks_at_stays_theirs(killed: Killed) -> None:
    seen = killed.preview
    assert (seen.state, seen.agent) == ("previewing", ("previewing", None))
    assert (seen.ended["reason"], seen.calls) == ("talked", 1)


def test_an_agent_in_the_menu_is_asked_again_and_heard(killed: Killed) -> None:
    assert killed.menu_phone == ("ready", "logged_out")
