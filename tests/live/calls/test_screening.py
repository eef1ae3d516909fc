"""What is done about machines, as each service has it: messages, nothing, AMD() first, no screening. Side by side."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from engine.lab import Lab
from engine.lab.witness import WitnessCall
from tests.live.calls.audio import first_sound_seconds
from tests.live.calls.centre import Callback, Centre
from tests.live.faults.listening import prompt_heard_at

AGENTS = (1221, 1222, 1231, 1241, 1251, 1252, 1253, 1261)
PERSON, VOICEMAIL, SLOW_VOICEMAIL, FAX = "00", "13", "23", "28"
MESSAGES = {digits: f"140655501{digits}" for digits in (VOICEMAIL, SLOW_VOICEMAIL)}
IGNORED, UNSCREENED = f"140755501{VOICEMAIL}", f"140855501{VOICEMAIL}"
AMD = {digits: f"140955501{digits}" for digits in (PERSON, VOICEMAIL, FAX)}
INTERRUPTS = f"141055501{VOICEMAIL}"
AMD_SECONDS = 1.0
"""AMD() takes at least so long; a recording may begin half a second after the answer."""


@dataclass(frozen=True, slots=True)
class Stories:
    """The callbacks of each story, ended. `amd_said`: verdict, reason and seconds of the person that AMD() looked at.

    `talkers`: the attempts whose customer Asterisk was heard to report on.
    """

    messages: dict[str, Callback]
    ignored: Callback
    unscreened: Callback
    amd: dict[str, Callback]
    amd_said: tuple[str, str, float]
    interrupts: Callback
    interrupted_verdict: str
    talkers: frozenset[str]


@pytest.fixture(scope="module")
def stories(centre: Centre, asked_numbers: dict[str, str]) -> Iterator[Stories]:
    with _talkers(centre.lab) as talkers:
        centre.ready(*AGENTS)
        messages = {digits: centre.request("leaves_message", number) for digits, number in MESSAGES.items()}
        ignored, unscreened = centre.request("ignores", IGNORED), centre.request("unscreened", UNSCREENED)
        amd = {digits: centre.request("amd", number) for digits, number in AMD.items()}
        interrupts = centre.request("taken_for_machine", INTERRUPTS)
        centre.wait(lambda: _attempt(centre, amd[PERSON])["verdict"], "AMD() has looked at a person", 30)
        said = _attempt(centre, amd[PERSON])
        centre.wait(lambda: _parts(centre, interrupts), "the engine says goodbye to what it takes for a machine", 40)
        before = _attempt(centre, interrupts)["verdict"]
        _press(centre, INTERRUPTS, "1")
        ended = {each["id"]: each for each in centre.until_ended(*messages.values(), *amd.values())}
        others = centre.until_ended(ignored, unscreened, interrupts)
        yield Stories(
            messages={digits: ended[callback] for digits, callback in messages.items()},
            ignored=others[0],
            unscreened=others[1],
            amd={digits: ended[callback] for digits, callback in amd.items()},
            amd_said=(said["verdict"], said["verdict_reason"], said["verdict_seconds"]),
            interrupts=others[2],
            interrupted_verdict=before,
            talkers=frozenset(talkers),
        )


def _attempt(centre: Centre, callback: str) -> Callback:
    """The first attempt, with nothing known of it while there is none."""
    attempts = centre.callback(callback)["attempts"]
    found: Callback = attempts[0] if attempts else {"verdict": None}
    return found


def _parts(centre: Centre, callback: str) -> bool:
    return bool(centre.rows("select 1 from timers where owner = ? and name = 'parting'", f"{callback}-1"))


def _press(centre: Centre, number: str, key: str) -> None:
    """Somebody picks up in the middle of the voicemail and presses a key; neither engine nor PBX takes part."""
    centre.lab.console("module load res_clioriginate.so", side="network")
    [call] = centre.calls_to_so_far(number)
    answer = centre.lab.console(f"channel redirect {call.channel} press,{key},1", side="network")
    assert "successfully" in answer, answer


@contextmanager
def _talkers(lab: Lab) -> Iterator[set[str]]:
    """The attempts whose customer's talk Asterisk reports, by an application of our own that hears of all channels."""
    heard: set[str] = set()
    ready, over = threading.Event(), threading.Event()

    async def listen() -> None:
        url = f"{lab.pbx.ari_url}/events?app=talkers&subscribeAll=true"
        async with (
            aiohttp.ClientSession(headers=lab.pbx.headers()) as session,
            session.ws_connect(url, max_msg_size=0) as events,
        ):
            ready.set()
            while not over.is_set():
                try:
                    event = await events.receive_json(timeout=0.5)
                except TimeoutError:
                    continue
                if event["type"] == "ChannelTalkingStarted":
                    heard.add(str(event["channel"]["id"]).removesuffix(".customer"))

    thread = threading.Thread(target=lambda: asyncio.run(listen()), name="talkers")
    thread.start()
    try:
        assert ready.wait(10)
        yield heard
    finally:
        over.set()
        thread.join()


def the_call(centre: Centre, number: str) -> WitnessCall:
    [call] = centre.calls_to(number)
    return call


def prompt(centre: Centre, service: str, name: str) -> Path:
    return centre.lab.prompts_dir / "en" / service / f"{name}.wav"


def end(callback: Callback) -> tuple[str, str | None, str | None]:
    """Outcome, verdict and its reason of the only attempt."""
    [attempt] = callback["attempts"]
    return attempt["outcome"], attempt["verdict"], attempt["verdict_reason"]


@pytest.mark.parametrize("digits", MESSAGES)
def test_a_voicemail_records_the_whole_message_after_its_beep(centre: Centre, stories: Stories, digits: str) -> None:
    assert end(stories.messages[digits]) == ("message_left", "machine", "beep")
    call = the_call(centre, MESSAGES[digits])
    heard = prompt_heard_at(centre.lab.recordings(call), prompt(centre, "leaves_message", "message"))
    assert call.answered_at is not None
    assert call.beep_at is not None
    assert len(heard) == 1
    assert heard[0] > call.beep_at - call.answered_at


def test_a_machine_that_is_ignored_is_asked_for_a_key_like_anybody_and_its_verdict_kept(
    centre: Centre, stories: Stories
) -> None:
    assert end(stories.ignored) == ("unconfirmed", "machine", "beep")
    recording = centre.lab.recordings(the_call(centre, IGNORED))
    assert len(prompt_heard_at(recording, prompt(centre, "ignores", "announce"))) == 2
    assert stories.ignored["attempts"][0]["verdict_seconds"] > 5


def test_without_screening_there_is_no_verdict_and_asterisk_measures_no_talk(centre: Centre, stories: Stories) -> None:
    assert end(stories.unscreened) == ("unconfirmed", None, None)
    recording = centre.lab.recordings(the_call(centre, UNSCREENED))
    assert len(prompt_heard_at(recording, prompt(centre, "unscreened", "announce"))) == 2
    assert f"{stories.ignored['id']}-1" in stories.talkers, "the same voicemail, with screening"
    assert f"{stories.unscreened['id']}-1" not in stories.talkers


def test_amd_says_who_answered_and_nothing_is_said_before_that(centre: Centre, stories: Stories) -> None:
    verdict, reason, seconds = stories.amd_said
    assert (verdict, reason) == ("person", "amd")
    call = the_call(centre, AMD[PERSON])
    assert call.answered_at is not None
    assert call.heard_at is not None
    assert AMD_SECONDS < seconds < call.heard_at - call.answered_at
    assert first_sound_seconds(centre.lab.recordings(call)) > AMD_SECONDS
    assert end(stories.amd[PERSON]) == ("connected", "person", "key")


def test_amd_takes_a_voicemail_for_a_machine_and_it_is_told_who_called(centre: Centre, stories: Stories) -> None:
    assert end(stories.amd[VOICEMAIL]) == ("machine", "machine", "amd")
    recording = centre.lab.recordings(the_call(centre, AMD[VOICEMAIL]))
    assert first_sound_seconds(recording) > AMD_SECONDS
    assert prompt_heard_at(recording, prompt(centre, "amd", "announce"))


def test_a_fax_is_known_by_its_tone_whatever_amd_says_and_is_told_who_called(centre: Centre, stories: Stories) -> None:
    assert end(stories.amd[FAX]) == ("fax", "fax", "fax_tone")
    recording = centre.lab.recordings(the_call(centre, AMD[FAX]))
    assert first_sound_seconds(recording) > AMD_SECONDS
    assert prompt_heard_at(recording, prompt(centre, "amd", "machine-goodbye"))


def test_a_person_taken_for_a_machine_who_presses_1_during_the_goodbye_is_connected(
    centre: Centre, stories: Stories
) -> None:
    assert stories.interrupted_verdict == "machine"
    assert end(stories.interrupts) == ("connected", "person", "key")
    assert (stories.interrupts["state"], stories.interrupts["reason"]) == ("completed", "talked")
    call = the_call(centre, INTERRUPTS)
    assert call.met_at is not None
    assert stories.interrupts["attempts"][0]["talk_seconds"] > 2
