"""Preview on agents' screens, comfort and recording on real calls, and the menu of an agent without a screen."""

from __future__ import annotations

import asyncio
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cli.client import EngineClient
from engine.lab.callers import ring_in, steps
from engine.lab.witness import WitnessCall
from tests.live.calls.audio import RATE, WINDOW, samples, share_of_tone
from tests.live.calls.centre import Callback, Centre
from tests.live.faults.background import Beside
from tests.live.faults.listening import prompt_heard_at

KNOWS_IT, LISTENS = "25", "00"
PREVIEWED, COMFORTED, RECORDED = f"141255501{LISTENS}", f"141355501{KNOWS_IT}", f"141455501{KNOWS_IT}"
FIRST, SECOND, ON_THE_PHONE = 1271, 1272, 1291
USERNAMES = {FIRST: "first-adviser", SECOND: "second-adviser"}
PASSWORD = "a long word for advisers"
CUSTOMERS_HERTZ, AGENTS_HERTZ = 440, 1000


@dataclass(slots=True)
class Screen:
    """An agent's screen: logged in, and everything that it was told."""

    client: EngineClient
    told: list[dict[str, Any]] = field(default_factory=list)

    def now(self, kind: str) -> dict[str, Any] | None:
        """What was told last, if it is of this kind."""
        return self.told[-1] if self.told and self.told[-1]["type"] == kind else None

    @property
    def kinds(self) -> list[str]:
        return [each["type"] for each in self.told]


@dataclass(frozen=True, slots=True)
class Stories:
    """The callbacks; what each adviser's screen was told; and what the agent in the menu was in turn."""

    previewed: Callback
    screens: dict[int, Screen]
    comforted: Callback
    recorded: Callback
    recording: Path
    in_the_menu: list[tuple[str, str | None]]


def agents_decide(centre: Centre) -> Stories:
    in_the_menu = ring_in(
        centre.lab,
        "*80",
        f"agent-{ON_THE_PHONE}",
        steps("listen, press 1, listen, press 2, listen, press 2, listen, press 3, listen, hang-up"),
    )
    centre.client.put("/agents/a1903-comforted/state", {"state": "ready"})
    centre.ready(1281)
    comforted, recorded = centre.request("comforted", COMFORTED), centre.request("recorded", RECORDED)
    with _screen(centre, FIRST) as first, _screen(centre, SECOND) as second:
        centre.ready(FIRST)
        previewed = centre.request("previewed", PREVIEWED)
        _answer(centre, first, "reject")
        centre.ready(SECOND)
        _answer(centre, second, "accept")
        ended = centre.until_ended(previewed, recorded)
        centre.wait(lambda: second.now("ended"), "the wrap-up is over on the screen", 20)
    centre.lab.await_rung_in(in_the_menu)
    centre.until_state(comforted, "retry_wait", 30)
    waiting = centre.callback(comforted)
    centre.client.delete(f"/callbacks/{comforted}")
    attempt = f"{recorded}-1"
    moves = centre.rows("select after, reason from agent_moves where agent = ? order by id", f"a{ON_THE_PHONE}")
    return Stories(
        ended[0],
        {FIRST: first, SECOND: second},
        waiting,
        ended[1],
        centre.lab.directory / "pbx" / "spool" / "recording" / f"ringback-{attempt}-1.wav",
        [(row["after"], row["reason"]) for row in moves],
    )


def _answer(centre: Centre, screen: Screen, answer: str) -> None:
    centre.wait(lambda: screen.now("preview"), "the preview is on the screen", 20)
    shown = screen.now("preview")
    assert shown is not None
    screen.client.post(f"/agent/work/{shown['work']['id']}/{answer}", {})


@contextmanager
def _screen(centre: Centre, number: int) -> Iterator[Screen]:
    """Log in, and listen beside whatever else happens."""
    centre.client.put(f"/agents/a{number}/password", {"password": PASSWORD})
    login = {"username": USERNAMES[number], "password": PASSWORD}
    token = EngineClient(centre.engine.url, "", timeout_seconds=20).post("/sessions", login)["token"]
    screen, listening = Screen(EngineClient(centre.engine.url, token, timeout_seconds=20)), threading.Event()
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{centre.engine.url}/api/v1/agent/stream") as stream,
        ):
            async for message in stream:
                screen.told.append(message.json())
                listening.set()

    task = loop.create_task(listen())

    def run() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=run, name=f"screen of {number}")
    thread.start()
    try:
        assert listening.wait(10), "nothing came to the screen"
        yield screen
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


CENTRE_STORIES = {agents_decide: 45}


@pytest.fixture(scope="module")
def stories(centre_stories: Beside[Centre]) -> Stories:
    return centre_stories.result(agents_decide)


def the_call(centre: Centre, number: str) -> WitnessCall:
    [call] = centre.calls_to(number)
    return call


def prompt(centre: Centre, service: str, name: str) -> Path:
    return centre.lab.prompts_dir / "en" / service / f"{name}.wav"


def seconds_spoken_over(path: Path, hertz: float) -> float:
    """How long somebody speaks while the other side's tone goes on: the tone is there, and not alone."""
    heard = samples(path)
    shares = [share_of_tone(heard[start : start + WINDOW], hertz) for start in range(0, len(heard) - WINDOW, WINDOW)]
    return sum(0.05 < share < 0.95 for share in shares) * WINDOW / RATE


# ---- preview -----------------------------------------------------------------------------------------


def test_nobody_is_dialled_before_an_adviser_agrees_and_then_the_two_talk(centre: Centre, stories: Stories) -> None:
    assert (stories.previewed["state"], stories.previewed["reason"]) == ("completed", "talked")
    moves = centre.rows("select after, because, at from callback_moves where callback = ?", stories.previewed["id"])
    assert [row["after"] for row in moves] == [
        *("queued", "reserved", "previewing", "queued", "reserved", "previewing", "reserved"),
        *("dialing", "announcing", "confirmed", "connected", "completed"),
    ]
    [accepted] = [row["at"] for row in moves if row["after"] == "dialing"]
    call = the_call(centre, PREVIEWED)
    assert call.invited_at >= accepted - 1.0
    assert call.met_at is not None
    assert [attempt["agent"] for attempt in stories.previewed["attempts"]] == [f"a{SECOND}"]


def test_who_says_no_is_not_asked_again_and_rung_by_nobody(centre: Centre, stories: Stories) -> None:
    screen = stories.screens[FIRST]
    assert screen.kinds[0] == "snapshot"
    assert screen.kinds.count("preview") == 1
    assert "ringing" not in screen.kinds
    assert centre.calls_to_so_far(str(FIRST)) == []


def test_the_adviser_sees_whom_they_are_asked_about_and_each_step_of_the_call(stories: Stories) -> None:
    screen = stories.screens[SECOND]
    [asked] = [each for each in screen.told if each["type"] == "preview"]
    assert asked["work"]["customer"]["phone"] == f"+{PREVIEWED}"
    assert (asked["work"]["kind"], asked["work"]["service"]) == ("callback", "previewed")
    assert asked["work"]["respond_by"] is not None
    kinds = [each for n, each in enumerate(screen.kinds) if n == 0 or each != screen.kinds[n - 1]]
    assert [each for each in kinds if each in ("preview", "ringing", "connected", "wrap_up")] == [
        *("preview", "ringing", "connected", "wrap_up")
    ]
    assert [each["seq"] for each in screen.told] == list(
        range(screen.told[0]["seq"], screen.told[0]["seq"] + len(kinds))
    )


# ---- waiting and talking -----------------------------------------------------------------------------


def test_who_waits_for_another_agent_is_comforted_and_then_told_that_nobody_is_free(
    centre: Centre, stories: Stories
) -> None:
    assert [attempt["outcome"] for attempt in stories.comforted["attempts"]][:1] == ["no_agent"]
    call = centre.calls_to(COMFORTED)[0]
    recording = centre.lab.recordings(call)
    comforts = prompt_heard_at(recording, prompt(centre, "comforted", "comfort"))
    [apology] = prompt_heard_at(recording, prompt(centre, "comforted", "apology"))
    assert len(comforts) >= 2
    assert max(comforts) < apology


def test_both_are_told_that_they_are_recorded_and_both_are_in_the_recording(centre: Centre, stories: Stories) -> None:
    announced_seconds = len(samples(prompt(centre, "recorded", "recorded"))) / RATE
    for number, hertz in ((RECORDED, AGENTS_HERTZ), ("1281", CUSTOMERS_HERTZ)):
        call = the_call(centre, number)
        assert call.answered_at is not None
        spoken = seconds_spoken_over(centre.lab.recordings(call), hertz)
        assert announced_seconds / 2 < spoken < announced_seconds + 1.0, number
    with wave.open(str(stories.recording)) as file:
        assert file.getframerate() == RATE
        assert file.getnframes() / RATE > 3.0
    recorded = samples(stories.recording)
    windows = [recorded[start : start + WINDOW] for start in range(0, len(recorded) - WINDOW, WINDOW)]
    both = [min(share_of_tone(each, hertz) for hertz in (CUSTOMERS_HERTZ, AGENTS_HERTZ)) > 0.1 for each in windows]
    assert sum(both) > len(windows) / 2


def test_an_agent_without_a_screen_comes_takes_a_break_and_goes_by_keys(stories: Stories) -> None:
    assert stories.in_the_menu == [("ready", None), ("not_ready", "lunch"), ("logged_out", None)]
