"""What is done about machines, as each service has it: messages, nothing, AMD() first, no screening. Side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.lab.witness import WitnessCall
from tests.live.calls.audio import first_sound_seconds
from tests.live.calls.centre import Callback, Centre
from tests.live.calls.screening import (
    AMD,
    FAX,
    IGNORED,
    INTERRUPTS,
    MESSAGES,
    PERSON,
    UNSCREENED,
    VOICEMAIL,
    Stories,
    tell,
)
from tests.live.faults.background import Beside
from tests.live.faults.listening import prompt_heard_at

AMD_SECONDS = 1.0
"""AMD() takes at least so long; a recording may begin half a second after the answer."""


CENTRE_STORIES = {tell: 100}


@pytest.fixture(scope="module")
def stories(centre_stories: Beside[Centre]) -> Stories:
    return centre_stories.result(tell)


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
    assert end(stories.messages[digits])[:2] == ("message_left", "machine")
    call = the_call(centre, MESSAGES[digits])
    heard = prompt_heard_at(centre.lab.recordings(call), prompt(centre, "leaves_message", "message"))
    assert call.answered_at is not None
    assert call.beep_at is not None
    assert len(heard) == 1
    assert heard[0] > call.beep_at - call.answered_at


def test_a_machine_that_is_ignored_is_asked_for_a_key_like_anybody_and_its_verdict_kept(
    centre: Centre, stories: Stories
) -> None:
    assert end(stories.ignored)[:2] == ("unconfirmed", "machine")
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
