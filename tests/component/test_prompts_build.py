"""Prompts built for real: by the synthesiser, from the command line, with hostile names, twice at once."""

import json
import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.prompts import prompts_group
from engine import shipped
from engine.prompts import (
    Keys,
    PromptError,
    PromptId,
    PromptLibrary,
    SpokenService,
    Unfit,
    audio,
    build,
    check,
    occasions,
    speech,
)
from engine.prompts.errors import SynthesiserMissingError, SynthesisError
from engine.prompts.texts import Synthesiser, Voice

VOICE = Voice(Synthesiser.FLITE, "rms", 0.92, "flite")
BILLING = SpokenService("billing", "Billing", "Example Ltd")
SUPPORT = SpokenService("support", "Technical Support", "Example Ltd", ("en",), Keys(never=None))
OWN = len(list(occasions.of_service(BILLING)))
SHARED = len(list(occasions.of_desks())) + 1
"""The phone menu of agents and the hold music."""
NAME_THE_COMPANY = {f"en/billing/{name}.wav" for name in ("announce", "machine-goodbye", "message")}
Program = Callable[[str], None]


def quiet(_: str) -> None:
    """Progress nobody reads."""


def longest_pause(sound: audio.AudioSegment) -> int:
    """The longest stretch below -50 dBFS inside `sound`, in milliseconds."""
    silent = [piece.dBFS < -50 for piece in sound[::10]]
    return max((10 * len(list(run)) for is_silent, run in groupby(silent) if is_silent), default=0)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("prompts")
    report = build([BILLING, SUPPORT], folder, progress=quiet)
    assert len(report.built) == 2 * OWN + SHARED
    assert report.seconds < 10
    yield folder


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a program in place of flite: a shell script that knows the voice and then runs the given lines."""

    def install(lines: str) -> None:
        script = tmp_path / "bin" / "flite"
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\nif [ "$1" = -lv ]; then echo "Voices available: rms"; exit 0; fi\n{lines}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}:/bin:/usr/bin")

    return install


def test_given_two_services_when_built_then_every_file_is_telephone_sound_at_one_level(built: Path) -> None:
    spoken = sorted(built.glob("en/*/*.wav"))

    assert len(spoken) == 2 * OWN
    for path in spoken:
        sound = audio.decode(path.read_bytes())
        assert sound.dBFS == pytest.approx(audio.SPEECH_LEVEL, abs=3), path
        assert sound.max_dBFS <= audio.PEAK_LIMIT + 0.1, path
        assert sound[:60].max_dBFS > sound.dBFS - 35, f"{path} begins at once"
        assert sound[-160:].max_dBFS > sound.dBFS - 35, f"{path} ends at once"
        assert longest_pause(sound) < 600, path
        assert path.stat().st_mode & 0o444 == 0o444, "Asterisk may read it"


def test_given_the_default_keys_when_built_then_announcement_and_keys_take_8_to_11_seconds(built: Path) -> None:
    both = [audio.decode((built / f"en/billing/{prompt}.wav").read_bytes()) for prompt in ("announce", "press")]

    assert 8_000 <= sum(len(sound) for sound in both) <= 11_200


def test_given_a_built_folder_when_built_again_then_nothing_is_spoken_and_nothing_is_left_over(built: Path) -> None:
    report = build([BILLING, SUPPORT], built, progress=quiet)

    assert (report.built, report.kept) == ((), 2 * OWN + SHARED)
    assert check([BILLING, SUPPORT], built).unfit == ()
    assert not list(built.rglob("*.part"))


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


def test_given_a_changed_company_when_checked_then_only_what_names_it_is_out_of_date(copy: Path) -> None:
    renamed = SpokenService("billing", "Billing", "Other Bank")

    unfit = {(unfit.file, unfit.reason) for unfit in PromptLibrary(copy).missing([renamed])}
    assert unfit == {(file, Unfit.OUT_OF_DATE) for file in NAME_THE_COMPANY}
    assert set(build([renamed], copy, progress=quiet).built) == NAME_THE_COMPANY
    assert PromptLibrary(copy).missing([renamed]) == []


def test_given_another_voice_when_checked_then_all_speech_is_out_of_date(copy: Path, tmp_path: Path) -> None:
    english = (shipped.prompts_dir() / "en.yaml").read_text(encoding="utf-8")
    (tmp_path / "en.yaml").write_text(english.replace("name: rms", "name: slt"), encoding="utf-8")

    unfit = PromptLibrary(copy, own_texts=tmp_path).missing([BILLING])

    assert {problem.reason for problem in unfit} == {Unfit.OUT_OF_DATE}
    assert len(unfit) == OWN + SHARED - 1


def test_given_an_own_recording_when_built_then_it_stays_until_forced(copy: Path) -> None:
    announce, renamed = copy / "en/billing/announce.wav", SpokenService("billing", "Billing", "Other Bank")
    recording = (copy / "en/billing/apology.wav").read_bytes()
    audio.write(announce, recording)

    assert set(build([renamed], copy, progress=quiet).built) == NAME_THE_COMPANY - {"en/billing/announce.wav"}
    assert announce.read_bytes() == recording
    assert len(build([renamed], copy, progress=quiet, only_missing=False).built) == OWN + SHARED
    assert announce.read_bytes() != recording


def test_given_a_language_of_own_recordings_when_built_then_no_texts_are_asked_for(copy: Path) -> None:
    shutil.copytree(copy / "en/billing", copy / "es/billing")
    both = SpokenService("billing", "Billing", "Example Ltd", ("en", "es"))

    assert build([both], copy, progress=quiet).built == ()
    (copy / "es/billing/press.wav").unlink()
    with pytest.raises(PromptError, match=r"es\.yaml"):
        build([both], copy, progress=quiet)


@pytest.mark.parametrize("voice", [VOICE, Voice(Synthesiser.FESTIVAL, "cmu_us_slt_arctic_hts", 1.0, "festival")])
@pytest.mark.parametrize(
    "hostile",
    [
        '") (system "touch {mark}") ("',
        "$(touch {mark})`touch {mark}`; touch {mark}",
        '<?xml version="1.0"?><SABLE><AUDIO SRC="{mark}"/></SABLE>',
        "-o {mark}\n-eval (system \"touch {mark}\")\x00\x1b[2J",
    ],
)  # fmt: skip
def test_given_a_hostile_text_when_spoken_then_it_is_only_speech(tmp_path: Path, voice: Voice, hostile: str) -> None:
    if voice.synthesiser is Synthesiser.FESTIVAL and shutil.which("text2wave") is None:
        pytest.skip("festival is not installed; English does not need it")
    mark = tmp_path / "mark"

    sound = speech.speak(hostile.replace("{mark}", str(mark)), voice)

    assert len(sound) > 300
    assert not mark.exists()


def test_given_a_hostile_company_when_built_then_the_announcement_is_built_and_nothing_runs(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hostile = SpokenService("billing", "株式会社", f'"(system "touch {mark}")\x00\n$(touch {mark})')

    report = build([hostile], tmp_path / "prompts", progress=quiet)

    assert len(report.built) == OWN + SHARED
    assert len(report.warnings) == 2, "one name cannot be said, the other not as it is written"
    assert all(warning.isprintable() for warning in report.warnings)
    assert not mark.exists()


def test_given_a_service_that_takes_calls_when_built_then_all_it_says_is_telephone_sound(tmp_path: Path) -> None:
    inbound = SpokenService("sales", "Sales", "Example Ltd", takes_calls=True, callback_key="*", records=True)

    build([inbound], tmp_path, progress=quiet)

    assert check([inbound], tmp_path).unfit == ()
    library = PromptLibrary(tmp_path)
    said = (*(prompt for prompt in PromptId), *range(60))
    paths = [Path(f"{library.media('sales', 'en', prompt).removeprefix('sound:')}.wav") for prompt in said]
    assert len(set(paths)) == len(list(PromptId)) + 60
    for path in paths:
        sound = audio.decode(path.read_bytes())
        assert sound.dBFS == pytest.approx(audio.SPEECH_LEVEL, abs=3), path
        assert len(sound) < 9_000, path
    texts = {prompt.file: prompt.text for prompt in library.stored()}
    assert texts["en/sales/keep-place.wav"] == "To keep your place and be called back, press star."
    assert texts["_shared/en/number-42.wav"] == "42"


def test_given_own_texts_of_before_when_built_then_only_a_service_that_takes_calls_asks_for_more(
    tmp_path: Path,
) -> None:
    english = (shipped.prompts_dir() / "en.yaml").read_text(encoding="utf-8")
    lines = [line for line in english.splitlines() if not line.startswith(("  inbound-", "  monday", "  desk-"))]
    (tmp_path / "es.yaml").write_text("\n".join(lines), encoding="utf-8")
    outbound = SpokenService("billing", "Billing", "Example Ltd", ("es",))

    build([outbound], tmp_path / "prompts", progress=quiet, own_texts=tmp_path)
    with pytest.raises(PromptError, match=r"es\.yaml: the text of inbound-greeting is missing; write it"):
        build([replace(outbound, takes_calls=True)], tmp_path / "prompts", progress=quiet, own_texts=tmp_path)

    assert (tmp_path / "prompts/_shared/en/desk-ready.wav").is_file(), "agents hear English"


def test_given_a_language_of_recordings_when_calls_are_taken_then_its_numbers_are_asked_for_too(copy: Path) -> None:
    shutil.copytree(copy / "en/billing", copy / "es/billing")
    taking = SpokenService("billing", "Billing", "Example Ltd", ("es",), takes_calls=True)

    missing = {unfit.file for unfit in check([taking], copy).unfit}

    assert {"es/billing/inbound-greeting.wav", "_shared/es/number-59.wav", "_shared/es/monday.wav"} <= missing
    with pytest.raises(PromptError, match=r"es\.yaml"):
        build([taking], copy, progress=quiet)


def _build_in_own_process(folder: Path) -> None:
    build([BILLING, SUPPORT], folder, progress=quiet)


def test_given_builds_at_the_same_time_when_done_then_all_succeed_and_the_folder_is_whole(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_build_in_own_process, args=(tmp_path,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert check([BILLING, SUPPORT], tmp_path).unfit == ()
    assert len(json.loads((tmp_path / "index.json").read_text())["files"]) == 2 * OWN + SHARED - 1


def test_given_no_synthesiser_when_built_then_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SynthesiserMissingError, match="apt-get install flite"):
        build([BILLING], tmp_path / "prompts", progress=quiet)


def test_given_an_unknown_voice_when_spoken_then_no_other_voice_speaks_in_its_place() -> None:
    with pytest.raises(SynthesiserMissingError, match="voice nobody is not installed"):
        speech.speak("Hello", Voice(Synthesiser.FLITE, "nobody", 1.0, "flite"))


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("echo out of memory >&2; exit 1", "gave no sound: out of memory"),
        ('eval "out=\\${$#}"; echo nonsense > "$out"', "unusable file"),
    ],
)
def test_given_a_failing_synthesiser_when_spoken_then_one_line_says_so(
    program: Program, lines: str, complaint: str
) -> None:
    program(lines)

    with pytest.raises(SynthesisError, match=complaint):
        speech.speak("Hello", VOICE)


def test_given_a_synthesiser_that_hangs_when_spoken_then_it_is_ended(program: Program) -> None:
    program("exec sleep 60")
    begun = time.monotonic()

    with pytest.raises(SynthesisError, match="longer than"):
        speech.speak("Hello", VOICE, timeout_seconds=0.3)
    assert time.monotonic() - begun < 5


def test_given_a_failure_halfway_when_built_then_what_is_there_is_whole(program: Program, tmp_path: Path) -> None:
    flite = shutil.which("flite")
    program(f'if grep -q moment "$6"; then echo broken >&2; exit 1; fi; exec {flite} "$@"')
    folder = tmp_path / "prompts"

    with pytest.raises(SynthesisError, match="broken"):
        build([BILLING], folder, progress=quiet)

    files = list(folder.rglob("*.wav"))
    assert all(audio.silence_reason(audio.decode(path.read_bytes())) is None for path in files)
    assert not list(folder.rglob("*.part"))


def ringback(*arguments: str | Path) -> Result:
    return CliRunner().invoke(prompts_group, [str(argument) for argument in arguments])


@pytest.fixture
def services(tmp_path: Path) -> Path:
    path = tmp_path / "services.yaml"
    path.write_text(
        "services: [{id: billing, name: Billing, company: Example Ltd, confirmation: {keys: {connect: 1}}}]\n"
    )
    return path


def test_given_the_command_line_when_built_checked_and_listed_then_each_says_what_is_so(
    services: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "prompts"

    before = ringback("check", services, "--dir", folder, "--json")
    made = ringback("build", services, "--to", folder, "--json")
    after = ringback("check", services, "--dir", folder, "--json")
    shown = ringback("list", "--dir", folder, "--json")

    assert (before.exit_code, len(json.loads(before.stdout)["unfit"])) == (1, OWN + SHARED)
    assert "ringback prompts build" in before.stderr
    assert (made.exit_code, len(json.loads(made.stdout)["built"])) == (0, OWN + SHARED)
    assert "built en/billing/press.wav" in made.stderr
    assert (after.exit_code, json.loads(after.stdout)) == (0, {"needed": OWN + SHARED, "unfit": []})
    items = {item["file"]: item for item in json.loads(shown.stdout)["items"]}
    assert items["en/billing/whisper.wav"]["text"] == "Callback, Billing."
    assert "24.0 s" in ringback("list", "--dir", folder).stdout
    assert f"{OWN + SHARED} kept" in ringback("build", services, "--to", folder).stdout


def test_given_a_mistake_when_run_then_one_line_on_stderr_and_the_right_exit_code(
    services: Path, tmp_path: Path
) -> None:
    missing = ringback("build", tmp_path / "no.yaml", "--to", tmp_path / "prompts")
    blocked = ringback("build", services, "--to", services / "prompts")
    unlisted = ringback("list", "--dir", tmp_path / "nowhere")

    for result in (missing, blocked, unlisted):
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert ringback("build", services).exit_code == 2


def test_given_a_fresh_python_with_all_warnings_as_errors_when_imported_then_it_is_silent() -> None:
    context = multiprocessing.get_context("spawn")
    context.set_executable(sys.executable)
    process = context.Process(target=_import_strictly)
    process.start()
    process.join(60)

    assert process.exitcode == 0


def _import_strictly() -> None:
    # Importing this module for the child has imported the package already; ask for it once more, from the start.
    import importlib
    import warnings

    for name in [name for name in sys.modules if name.startswith(("pydub", "engine.prompts"))]:
        del sys.modules[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module("engine.prompts")
