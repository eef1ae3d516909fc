"""Calls of the screening bench as they are heard, made by the real synthesisers."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.bench.screening import scenes, sound, voices, wav_files
from tests.bench.screening.outline import ENDINGS, Outline
from tests.bench.screening.persons import KEY
from tests.bench.screening.scene import Listen, Press, Say, Scene, Truth, Wait
from tests.bench.screening.sound import Sound

Call = tuple[Outline, Scene]
FIRST_WORD = {
    "word": (0.2, 0.9),
    "sentence": (1.0, 2.2),
    "business": (2.5, 5.0),
    "aside": (1.5, 4.0),
    "babble": (0.2, 0.9),
}
GREETING = {
    "personal": (3.0, 12.0), "network": (3.0, 9.0), "two_parts": (2.5, 12.5), "short": (1.0, 2.2), "music": (4.0, 16.5),
    "full": (2.5, 9.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    """A few of every kind, but for Asterisk's own prompts, and of every ending."""
    planned = [each for each in scenes.planned("B", 0.25) if each.kind != "asterisk"]
    alike: dict[tuple[str, str], list[Outline]] = {}
    for each in planned:
        alike.setdefault((each.truth, each.kind), []).append(each)
        alike.setdefault((each.truth, each.ending), []).append(each)
    chosen = {each.name: each for some in alike.values() for each in some[:3]}
    return [(each, scenes.build(each)) for each in chosen.values()]


def of(calls: list[Call], truth: Truth, kinds: Iterable[str]) -> list[Call]:
    found = [each for each in calls if each[0].truth is truth and each[0].kind in kinds]
    assert found
    return found


def said(scene: Scene) -> list[Sound]:
    return [sound.from_samples(step.audio) for step in scene.steps if isinstance(step, Say)]


def lasts(scene: Scene) -> float:
    """Seconds of all steps but those that listen."""
    return sum(map(sound.seconds, said(scene))) + sum(step.seconds for step in scene.steps if isinstance(step, Wait))


def test_given_any_call_then_it_says_what_it_is(calls: list[Call]) -> None:
    for outline, scene in calls:
        assert (scene.name, scene.split, scene.truth, scene.kind) == (outline.name, "B", outline.truth, outline.kind)
        assert scene.suppress_silence is outline.suppress_silence
        assert (0.01 <= scene.loss <= 0.05) if outline.lossy else scene.loss == 0
        assert bool(scene.voice) is (outline.truth is not Truth.FAX and outline.kind != "silent")


def test_given_a_person_then_the_first_words_are_as_long_as_their_kind(calls: list[Call]) -> None:
    for _, scene in of(calls, Truth.PERSON, FIRST_WORD):
        shortest, longest = FIRST_WORD[scene.kind]
        assert shortest - 0.1 <= sound.seconds(said(scene)[0]) <= longest + 0.1, scene.name
        waits = [step.seconds for step in scene.steps[:1] if isinstance(step, Wait)]
        assert sum(waits) <= 5.0


def test_given_a_person_who_repeats_or_talks_back_or_is_silent_then_there_is_more_speech_or_none(
    calls: list[Call],
) -> None:
    assert all(len(said(scene)) in {2, 3} for _, scene in of(calls, Truth.PERSON, {"repeated"}))
    assert all(said(scene) == [] for _, scene in of(calls, Truth.PERSON, {"silent"}))
    for _, scene in of(calls, Truth.PERSON, {"talks_back"}):
        hello, talk = said(scene)
        assert sound.seconds(hello) <= 1.0 <= sound.seconds(talk) + 0.1 <= 3.2


def test_given_a_persons_ending_then_they_press_the_key_when_told_or_again_or_never_or_hang_up(
    calls: list[Call],
) -> None:
    seen = set()
    for outline, scene in calls:
        if outline.truth is not Truth.PERSON:
            continue
        seen.add(outline.ending)
        match outline.ending:
            case "obeys":
                listens, reacts, *rest = scene.steps[-4:]
                assert listens == Listen(1.2, 25.0)
                assert isinstance(reacts, Wait)
                assert 0.3 <= reacts.seconds <= 1.5
                assert rest == [Press(KEY), Wait(10.0)]
                assert scene.steps.count(listens) == 1
            case "early":
                assert scene.steps[-2:] == (Press(KEY), Wait(10.0))
                assert not any(isinstance(step, Listen) for step in scene.steps)
                assert lasts(scene) - 10 >= 3.0
            case "slow":
                told, again, reacts, *rest = scene.steps[-5:]
                assert told == again == Listen(1.2, 25.0)
                assert isinstance(reacts, Wait)
                assert 0.3 <= reacts.seconds <= 1.5
                assert rest == [Press(KEY), Wait(10.0)]
            case "never":
                assert scene.steps[-2:] == (Listen(1.2, 25.0), Wait(40.0))
                assert not any(isinstance(step, Press) for step in scene.steps)
            case _:
                assert not any(isinstance(step, Press | Listen) for step in scene.steps)
                assert 6.0 <= lasts(scene) <= 12.5
    assert seen == set(ENDINGS)


def test_given_a_voice_then_its_level_while_it_speaks_is_that_of_a_telephone(calls: list[Call]) -> None:
    for _, scene in calls:
        levels = [sound.active_level(part) for part in said(scene)]
        assert all(-41 <= level <= -8 for level in levels), scene.name
    words = [
        sound.active_level(said(scene)[0]) for _, scene in of(calls, Truth.PERSON, {"word", "sentence", "business"})
    ]
    assert all(-30.1 <= level <= -13.9 for level in words)
    assert max(words) - min(words) > 5


def test_given_a_person_who_speaks_to_somebody_else_then_hello_is_ten_decibels_louder(calls: list[Call]) -> None:
    for _, scene in of(calls, Truth.PERSON, {"aside"}):
        away, hello = map(sound.active_level, said(scene))
        assert hello - away == pytest.approx(10, abs=0.5)


def test_given_people_around_then_they_are_so_much_softer_than_the_voice(calls: list[Call]) -> None:
    for _, scene in of(calls, Truth.PERSON, {"babble"}):
        below = sound.active_level(said(scene)[0]) - sound.rms_level(sound.from_samples(scene.noise))
        assert 11.5 <= below <= 20.5


def test_given_noise_around_a_person_then_it_is_heard_all_the_time_and_around_a_machine_only_in_its_greeting(
    calls: list[Call],
) -> None:
    noisy = [each for each in calls if each[0].noise]
    for outline, scene in noisy:
        behind = sound.rms_level(sound.from_samples(scene.noise)) if scene.noise else -120.0
        if outline.truth is Truth.PERSON and outline.kind != "silent":
            assert 9.5 <= sound.active_level(said(scene)[-1]) - behind <= 25.5
        elif outline.truth is Truth.MACHINE:
            assert behind <= -47.9
            assert sound.frame_levels(said(scene)[0]).min() > -75
    assert {outline.truth for outline, _ in noisy} == {Truth.PERSON, Truth.MACHINE}


def test_given_a_machine_then_greeting_pause_beep_and_twenty_seconds_of_recording(calls: list[Call]) -> None:
    for outline, scene in of(calls, Truth.MACHINE, GREETING):
        shortest, longest = GREETING[outline.kind]
        if outline.kind == "full":
            *greeting, end = scene.steps
            assert isinstance(end, Wait)
            assert end.seconds <= 1.2
        else:
            *greeting, pause, beep, records = scene.steps
            assert isinstance(pause, Wait)
            assert 0.1 <= pause.seconds <= 1.5
            assert isinstance(beep, Say)
            assert 0.1 < sound.seconds(sound.from_samples(beep.audio)) < 0.95
            assert records == Wait(20.0)
        first = greeting[0]
        onset = first.seconds if isinstance(first, Wait) else 0.0
        assert onset <= 5.0
        length = lasts(Scene("", "", outline.truth, "", "", "", tuple(greeting))) - onset
        assert shortest - 0.15 <= length <= longest + 0.15, scene.name


def test_given_a_robot_then_it_asks_listens_connects_and_a_person_with_another_voice_presses_the_key(
    calls: list[Call],
) -> None:
    for outline, scene in of(calls, Truth.ROBOT, {each[0].kind for each in calls}):
        robot, person = scene.voice.split()
        assert robot
        assert person
        kinds = [type(step) for step in scene.steps]
        assert kinds.count(Listen) == 2
        before = [step for step in scene.steps[: kinds.index(Listen)] if isinstance(step, Say)]
        assert len(before) == (2 if outline.kind.startswith("beep") else 1)
        assert scene.steps[kinds.index(Listen)] == Listen(1.2, 15.0)
        assert scene.steps[-2:] == (Press(KEY), Wait(10.0))


def test_given_a_plan_when_made_twice_then_its_calls_are_the_same_in_every_process(tmp_path: Path) -> None:
    planned = [each for each in scenes.planned("A", 0.02) if each.kind != "asterisk"][:6]
    scenes.generate(tmp_path, planned, workers=1)
    assert len(list(tmp_path.iterdir())) == len(planned)
    for outline in planned:
        assert scenes.read(tmp_path, outline.name) == scenes.build(outline)


def test_given_an_empty_cache_then_each_voice_speaks_in_its_own_way_and_again_the_same(tmp_path: Path) -> None:
    heard: dict[bytes, voices.Voice] = {}
    for split in ("A", "B"):
        pool = [
            voice for voice in voices.pool(split, "en") if voice.program == "flite" or voice.name.startswith("en-us+")
        ]
        for voice in pool:
            samples = sound.to_samples(voices.spoken(voice, voices.Manner(170, 50), "Good morning, hello?", tmp_path))
            assert samples not in heard, (voice, heard.get(samples))
            heard[samples] = voice
    assert len(list(tmp_path.iterdir())) == len(heard) > 60
    first, voice = next(iter(heard.items()))
    again = voices.spoken(voice, voices.Manner(170, 50), "Good morning, hello?", tmp_path / "other")
    assert sound.to_samples(again) == first


def test_given_another_manner_then_the_voice_is_quicker_or_higher(tmp_path: Path) -> None:
    for voice in (voices.Voice("flite", "slt"), voices.Voice("espeak-ng", "de+m2")):
        slow, quick = (
            sound.seconds(voices.spoken(voice, voices.Manner(rate, 50), "Hello there, good morning", tmp_path))
            for rate in (130, 210)
        )
        assert slow > 1.3 * quick
        low, high = (voices.spoken(voice, voices.Manner(170, pitch), "Hello", tmp_path) for pitch in (20, 80))
        assert sound.to_samples(low) != sound.to_samples(high)


def test_given_a_folder_to_listen_to_then_it_holds_whole_calls_and_a_table_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wav_files.main(["--listen", str(tmp_path), "--split", "A", "--count", "4"]) == 0
    printed = capsys.readouterr().out
    assert all(truth.value in printed for truth in Truth)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.split("-")[1] for name in names] == ["fax", "machine", "person", "person", "screening_robot"]
    with wave.open(str(tmp_path / names[0])) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (8000, 1, 2)
        assert reader.getnframes() > 10 * 8000


@pytest.mark.live
def test_given_asterisks_own_voicemail_then_its_prompts_are_heard_and_the_splits_have_other_extensions() -> None:
    greetings = []
    for split in ("A", "B"):
        outline = next(each for each in scenes.planned(split) if each.kind == "asterisk" and not each.noise)
        scene = scenes.build(outline)
        greetings.append(said(scene)[0])
        assert scene.voice == "asterisk:allison"
        assert 4.0 < sound.seconds(greetings[-1]) < 20.0
        assert scene.steps[-1] == Wait(20.0)
    assert greetings[0].shape != greetings[1].shape or (greetings[0] != greetings[1]).any()
