"""The sound of prompts without a synthesiser: trimming, level, resampling, judging, music, and names for Asterisk."""

import io
import math
import wave
from array import array
from pathlib import Path

import pytest

from engine.prompts import PromptError, PromptLibrary, SpokenService, Unfit, audio, music, occasions

SERVICE = SpokenService("billing", "Billing", "Example")


def tone(frequency: float, length_ms: int, *, rate: int = audio.RATE, peak: float = 0.3) -> bytes:
    """A WAV file with a sine."""
    count = rate * length_ms // 1000
    samples = array("h", (round(32767 * peak * math.sin(2 * math.pi * frequency * n / rate)) for n in range(count)))
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setparams((1, 2, rate, count, "NONE", "not compressed"))
        writer.writeframes(samples.tobytes())
    return out.getvalue()


def test_given_silence_around_speech_when_trimmed_then_little_of_it_is_left() -> None:
    quiet = audio.AudioSegment.silent(400, frame_rate=audio.RATE)
    sound = quiet + audio.decode(tone(500, 1000)) + quiet

    assert 1000 <= len(audio.trimmed(sound)) <= 1000 + 50 + 150


@pytest.mark.parametrize("peak", [0.01, 0.3, 0.99])
def test_given_any_loudness_when_levelled_then_it_is_minus_20_and_does_not_clip(peak: float) -> None:
    sound = audio.levelled(audio.decode(tone(500, 1000, peak=peak)))

    assert sound.dBFS == pytest.approx(-20, abs=0.3)
    assert sound.max_dBFS <= audio.PEAK_LIMIT + 0.1


@pytest.mark.parametrize(("frequency", "change_db"), [(500, 0.0), (3000, 0.0), (5500, -40.0), (7000, -40.0)])
def test_given_16_khz_when_halved_then_speech_stays_and_the_upper_octave_does_not_fold_back(
    frequency: float, change_db: float
) -> None:
    before = 20 * math.log10(0.3 / math.sqrt(2))
    after = audio.decode(audio.halve_rate(tone(frequency, 500, rate=16000))).dBFS

    if change_db == 0:
        assert after == pytest.approx(before, abs=0.5)
    else:
        assert after <= before + change_db


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Unfit.WRONG_FORMAT),
        (b"RIFF\x00\x00", Unfit.WRONG_FORMAT),
        (tone(500, 1000)[:-400], Unfit.WRONG_FORMAT),
        (tone(500, 1000, rate=16000), Unfit.WRONG_FORMAT),
        (tone(500, 1000, peak=0), Unfit.SILENT),
        (tone(500, 50), Unfit.SILENT),
        (tone(500, 0), Unfit.SILENT),
    ],
)
def test_given_an_unfit_file_when_judged_then_its_reason_is_told(tmp_path: Path, content: bytes, reason: Unfit) -> None:
    audio.write(tmp_path / "en/billing/announce.wav", content)

    found = {unfit.file: unfit.reason for unfit in PromptLibrary(tmp_path).missing([SERVICE])}

    assert found["en/billing/announce.wav"] is reason
    assert found["en/billing/press.wav"] is Unfit.MISSING
    assert len(found) == len({*occasions.of_service(SERVICE), *occasions.of_desks(), "hold music"})


def test_given_a_folder_in_place_of_a_file_when_judged_then_it_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "en/billing/announce.wav").mkdir(parents=True)

    found = {unfit.file: unfit.reason for unfit in PromptLibrary(tmp_path).missing([SERVICE])}

    assert found["en/billing/announce.wav"] is Unfit.UNREADABLE


def test_given_a_failed_write_when_looked_at_then_the_old_file_is_whole_and_nothing_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "announce.wav"
    audio.write(path, b"old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.prompts.audio.os.fsync", full_disk)
    with pytest.raises(PromptError, match="No space left"):
        audio.write(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_given_the_hold_music_when_made_twice_then_it_is_the_same_calm_loop() -> None:
    sound = music.hold_music()

    assert sound.raw_data == music.hold_music().raw_data
    assert 20_000 <= len(sound) <= 30_000
    assert sound.dBFS == pytest.approx(music.LEVEL, abs=0.3)
    assert sound.max_dBFS <= audio.PEAK_LIMIT + 0.1
    first, *_, last = sound.get_array_of_samples()
    assert max(abs(first), abs(last)) < 100, "the seam of the loop does not click"
    assert min(second.dBFS for second in sound[::1000]) > -36, "it never stops sounding"


def library_with(tmp_path: Path, *files: str) -> PromptLibrary:
    for file in files:
        audio.write(tmp_path / f"{file}.wav", tone(500, 500))
    return PromptLibrary(tmp_path, "/var/lib/asterisk/rb/")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("es", "es"), ("es-MX", "es"), ("en", "en"), ("fr", "en"), ("", "en"), ("../../etc", "en"), ("es/../en", "en"),
    ],
)  # fmt: skip
def test_given_a_customers_language_when_named_for_asterisk_then_it_falls_back_to_the_default(
    tmp_path: Path, language: str, expected: str
) -> None:
    prompts = library_with(tmp_path, "en/billing/announce", "es/billing/announce")

    media = prompts.media("billing", language, "announce", default_language="en")

    assert media == f"sound:/var/lib/asterisk/rb/{expected}/billing/announce"


def test_given_a_missing_prompt_when_named_then_the_last_language_tried_is_named(tmp_path: Path) -> None:
    media = library_with(tmp_path).media("billing", "es", "press", default_language="en")

    assert media == "sound:/var/lib/asterisk/rb/en/billing/press"


def test_given_nonsense_when_named_for_asterisk_then_refused(tmp_path: Path) -> None:
    prompts = library_with(tmp_path)

    with pytest.raises(PromptError, match="service id"):
        prompts.media("../billing", "en", "press")
    with pytest.raises(PromptError, match="no prompt"):
        prompts.media("billing", "en", "../press")
    with pytest.raises(PromptError, match="no language"):
        prompts.media("billing", "..", "press")


@pytest.mark.parametrize(
    ("language", "default", "expected"),
    [("es-MX", "en", "es"), ("es", None, "es"), ("fr", "es", "es"), ("fr", "fr", "en"), ("../x", None, "en")],
)
@pytest.mark.parametrize(("prompt", "name"), [(0, "number-0"), (59, "number-59"), ("monday", "monday")])
def test_given_what_is_not_of_a_service_when_named_then_it_is_found_for_any_and_falls_back_to_english_at_last(
    tmp_path: Path, language: str, default: str | None, expected: str, prompt: str | int, name: str
) -> None:
    prompts = library_with(tmp_path, f"_shared/en/{name}", f"_shared/es/{name}")

    media = prompts.media("", language, prompt, default_language=default)

    assert media == f"sound:/var/lib/asterisk/rb/_shared/{expected}/{name}"


@pytest.mark.parametrize("number", [-1, 60])
def test_given_a_number_that_is_not_spoken_when_named_then_refused(tmp_path: Path, number: int) -> None:
    with pytest.raises(PromptError, match="from 0 to 59"):
        library_with(tmp_path).media("billing", "en", number)


def test_given_no_other_path_when_named_then_it_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert PromptLibrary(Path("prompts")).media("billing", "en", "press").startswith(f"sound:{tmp_path.resolve()}/")
    assert PromptLibrary(Path("prompts")).music_directory() == f"{tmp_path.resolve()}/prompts/music"
