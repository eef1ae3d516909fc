"""What the calls of the screening bench are made of: shares, halves that share nothing, levels, bands, tones."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from tests.bench.screening import machines, noise, robots, scenes, sound, texts, voices
from tests.bench.screening.outline import ENDINGS, KINDS, dealt, outlines
from tests.bench.screening.scene import RATE, Say, Truth
from tests.bench.screening.sound import Sound

B = scenes.planned("B")
WHAT = {
    "person": ("word", "sentence", "business", "again", "talkback", "aside", "chat"),
    "machine": ("open", "away", "ask", "close", "network", "first_part", "second_part", "short", "full"),
    "robot": ("ask", "hold"),
}


def dice(seed: int = 1) -> Random:
    return Random(seed)  # noqa: S311 - no secret


def strongest(heard: Sound) -> float:
    """The frequency that carries most."""
    return float(np.fft.rfftfreq(len(heard), 1 / RATE)[np.argmax(np.abs(np.fft.rfft(heard)))])


def test_given_the_same_split_seed_and_counts_then_the_same_calls_and_otherwise_others() -> None:
    counts = {Truth.PERSON: 40, Truth.MACHINE: 20}
    same = outlines("A", 1, counts)
    assert outlines("A", 1, counts) == same
    assert [each.kind for each in outlines("A", 2, counts)] != [each.kind for each in same]
    drawn = {
        outline.dice().random() for split in ("A", "B") for seed in (1, 2) for outline in outlines(split, seed, counts)
    }
    assert len(drawn) == 240  # chance that no two calls share


def test_given_all_calls_of_b_then_there_are_as_many_as_promised_and_a_has_half() -> None:
    a, b = (Counter(each.truth for each in scenes.planned(split)) for split in ("A", "B"))
    assert b[Truth.PERSON] >= 1200
    assert b[Truth.MACHINE] >= 600
    assert b[Truth.ROBOT] >= 100
    assert b[Truth.FAX] >= 30
    assert all(2 * a[truth] == b[truth] for truth in Truth)
    assert len({each.name for each in B}) == len(B)


@pytest.mark.parametrize("truth", Truth)
@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_given_a_scale_then_the_shares_of_kinds_stay(truth: Truth, scale: float) -> None:
    kinds = Counter(each.kind for each in scenes.planned("B", scale) if each.truth is truth)
    for kind, share in KINDS[truth].items():
        assert kinds[kind] == pytest.approx(share * kinds.total(), abs=1)


def test_given_the_calls_then_half_have_no_noise_but_the_lines_and_persons_have_more_than_operators() -> None:
    voices_only = [each for each in B if each.truth in {Truth.PERSON, Truth.MACHINE}]
    clean = {each.name for each in voices_only if not each.noise and each.kind != "babble"}
    assert len(clean) / len(voices_only) == pytest.approx(0.5, abs=0.03)
    persons, operators = (
        [each.name in clean for each in voices_only if each.truth is truth and each.kind in kinds]
        for truth, kinds in ((Truth.PERSON, KINDS[Truth.PERSON]), (Truth.MACHINE, {"network", "asterisk", "full"}))
    )
    assert sum(persons) / len(persons) < 0.45
    assert sum(operators) / len(operators) > 0.8


def test_given_the_calls_then_as_many_are_suppressed_lossy_early_and_left_as_said() -> None:
    persons = [each for each in B if each.truth is Truth.PERSON]
    assert sum(each.suppress_silence for each in B) / len(B) == pytest.approx(0.30, abs=0.002)
    assert sum(each.lossy for each in B) / len(B) == pytest.approx(0.25, abs=0.002)
    for ending, share in ENDINGS.items():
        assert sum(each.ending == ending for each in persons) / len(persons) == pytest.approx(share, abs=0.002)


def test_given_seven_cards_in_thirds_then_none_is_lost() -> None:
    cards = dealt({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, 7, dice())
    assert sorted(Counter(cards).values()) == [2, 2, 3]


@pytest.mark.parametrize("language", texts.SHARES)
def test_given_a_language_then_the_splits_share_no_voice_and_no_text_but_hello(language: str) -> None:
    speakers = [{voice.speaker for voice in voices.pool(split, language)} for split in texts.SPLITS]
    assert all(speakers)
    assert not speakers[0] & speakers[1]
    for who, kinds in WHAT.items():
        for what in kinds:
            a, b = (set(texts.choices(who, what, language, split)) for split in texts.SPLITS)
            assert a
            assert b
            assert not a & b, (who, what)


@pytest.mark.parametrize("language", texts.SHARES)
def test_given_texts_with_names_then_none_is_said_in_both_splits(language: str) -> None:
    chance = dice()
    kinds = (("person", "word"), ("person", "business"), ("machine", "network"), ("machine", "second_part"))
    said = [
        {texts.drawn(*kind, language, split, chance) for kind in kinds for _ in range(100)} for split in texts.SPLITS
    ]
    assert not said[0] & said[1]
    assert not any("{" in text for text in said[0] | said[1])


@pytest.mark.parametrize("rate", [16000, 22050, 17200])
def test_given_tones_then_only_those_of_the_telephones_band_pass_and_nothing_is_folded_back(rate: int) -> None:
    at = np.arange(rate) / rate

    def passed(hertz: float) -> float:
        return sound.rms_level(sound.telephone_band(np.sin(2 * np.pi * hertz * at), rate)[800:7200])

    assert passed(1000) == pytest.approx(-3.0, abs=0.1)
    assert passed(3300) == pytest.approx(-3.0, abs=0.2)
    for outside in (100, 3900, 4500, 5500, 7000):
        assert passed(outside) < -43, outside


def test_given_a_tone_then_its_length_and_pitch_stay_at_another_rate() -> None:
    heard = sound.telephone_band(np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050), 22050)
    assert strongest(heard[400:7600]) == pytest.approx(1000, abs=1.5)
    assert sound.seconds(sound.trimmed(heard)) == pytest.approx(1.0, abs=0.05)


def test_given_speech_with_long_pauses_then_its_active_level_is_that_of_the_speech() -> None:
    syllables = sound.joined(*(sound.joined(sound.tone((500.0,), 0.15, -20), sound.silence(0.05)) for _ in range(10)))
    level = sound.active_level(syllables)
    assert level == pytest.approx(-21.2, abs=0.4)  # pauses of 50 ms belong to it
    assert sound.active_level(sound.joined(syllables, sound.silence(20))) == pytest.approx(level, abs=0.5)
    assert sound.active_level(sound.levelled(syllables, -30.0)) == pytest.approx(-30.0, abs=0.1)


def test_given_sound_then_samples_are_clipped_and_come_back() -> None:
    samples = sound.to_samples(np.array([0.0, 0.5, -0.5, 1.7, -1.7]))
    assert samples == np.array([0, 16384, -16384, 32767, -32768], "<i2").tobytes()
    assert sound.to_samples(sound.from_samples(samples)) == samples


@pytest.mark.parametrize("kind", ["white", "pink", "street"])
def test_given_noise_then_it_has_the_level_asked_for_and_no_seam(kind: str) -> None:
    heard = noise.background(kind, "A", -40.0, dice())
    assert sound.rms_level(heard) == pytest.approx(-40.0, abs=0.01)
    assert abs(heard[0] - heard[-1]) <= np.abs(np.diff(heard)).max()


def test_given_a_street_then_cars_pass_and_hiss_does_not_change() -> None:
    def swing(heard: Sound) -> float:
        halves = [sound.rms_level(part) for part in np.array_split(heard, round(2 * sound.seconds(heard)))]
        return max(halves) - min(halves)

    assert swing(noise.background("street", "A", -40.0, dice())) > 4
    assert swing(noise.background("white", "A", -40.0, dice())) < 2


def test_given_many_beeps_then_they_are_tones_of_the_promised_pitch_and_length() -> None:
    chance = dice()
    for _ in range(50):
        heard = machines.beep(-20.0, chance)
        assert 395 <= strongest(heard) <= 1405
        assert 0.14 <= sound.seconds(heard) <= 0.91
        assert sound.rms_level(heard) == pytest.approx(-20.0, abs=1.0)


@pytest.mark.parametrize("kind", KINDS[Truth.FAX])
def test_given_a_fax_machine_then_it_answers_with_2100_hertz_and_shifts_between_two_frequencies(kind: str) -> None:
    outline = next(each for each in B if each.kind == kind)
    scene = scenes.build(outline)
    answer, *told = (sound.from_samples(step.audio) for step in scene.steps if isinstance(step, Say))
    assert strongest(answer) == pytest.approx(2100, abs=20)
    assert 2.6 <= sound.seconds(answer) <= 4.0
    assert len(told) == 5
    spectrum = np.abs(np.fft.rfft(told[0])) ** 2
    hertz = np.fft.rfftfreq(len(told[0]), 1 / RATE)
    assert spectrum[(hertz > 1400) & (hertz < 2100)].sum() / spectrum.sum() > 0.95
    assert scene == scenes.build(outline)


def test_given_ringback_then_it_rings_and_pauses() -> None:
    heard = robots.ringback(7.0, -25.0, dice(3))
    assert sound.seconds(heard) == 7.0
    assert sound.frame_levels(heard).max() == pytest.approx(-25.0, abs=3.5)
    assert sound.frame_levels(heard).min() == -120.0
