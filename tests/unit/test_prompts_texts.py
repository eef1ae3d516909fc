"""What prompts say: names made safe and speakable, keys, faulty text files, and the services document."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import shipped
from engine.prompts import Keys, PromptError, PromptId, SpokenService, library, occasions, read_services
from engine.prompts.speech import plain
from engine.prompts.texts import TextFiles, Wording, pronunciation_warnings, speakable

ENGLISH = (shipped.prompts_dir() / "en.yaml").read_text(encoding="utf-8")


def service(company: str = "Example Ltd", name: str = "Billing", keys: Keys | None = None) -> SpokenService:
    return SpokenService("billing", name, company, ("en",), keys or Keys())


def english() -> Wording:
    return TextFiles().require("en")


@given(st.text())
def test_given_any_name_when_made_speakable_then_only_harmless_characters_are_left(name: str) -> None:
    said = speakable(name)

    assert re.fullmatch(r"[A-Za-z0-9.,' -]{0,80}", said)
    assert plain(said) == said, "nothing of it is changed again on the way to the synthesiser"


@given(st.text())
def test_given_any_company_when_announced_then_there_is_a_text_and_no_placeholder_survives(company: str) -> None:
    text = english().text(service(company), PromptId.ANNOUNCE)

    assert text
    assert not set(text) & set('{}()"<>`$\\;')


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Crème & Brûlée, Inc.", "Creme and Brulee, Inc"),
        ("Łódź Ærø", "Lodz Aero"),
        ("O'Neil-Smith", "O'Neil-Smith"),
        ('"; (system "reboot")', "system reboot"),
        ("<speak>Hi</speak>", "speak Hi speak"),
        ("{company}", "company"),
        ("Red\x1b[0m\x00 Cross", "Red 0m Cross"),
        ("'-.'", ""),
    ],
)
def test_given_an_odd_name_when_made_speakable_then_it_is_words(name: str, said: str) -> None:
    assert speakable(name) == said


def test_given_a_name_in_another_script_when_announced_then_the_fallback_is_said_with_a_warning() -> None:
    odd = service("株式会社")

    assert (
        english().text(odd, PromptId.ANNOUNCE)
        == "Hello, this is the company you contacted with the call you asked for."
    )
    assert len(pronunciation_warnings(odd)) == 1
    assert pronunciation_warnings(odd)[0].isascii()


def test_given_an_ordinary_name_when_built_then_nobody_is_warned_and_the_abbreviation_is_said_in_full() -> None:
    assert pronunciation_warnings(service("Example & Sons, Ltd.")) == []
    text = english().text(service("Example & Sons, Ltd."), PromptId.ANNOUNCE)
    assert text is not None
    assert "Example and Sons, Limited" in text


def test_given_the_last_words_of_a_call_then_they_promise_what_is_done() -> None:
    never, apology = (english().text(service(), each) for each in (PromptId.NEVER_CONFIRMED, PromptId.APOLOGY))

    assert never == "Understood. We will not call this number again. Goodbye.", "no service calls it, not only this one"
    assert apology is not None
    assert "We will try to call you again." in apology, "the request may be too old, or have failed too often"


def test_given_keys_left_out_when_spoken_then_only_the_configured_ones_are_offered() -> None:
    text = english().text(service(keys=Keys("5", None, "*", None)), PromptId.PRESS)

    assert text == "To talk now press 5. To cancel press star."


def test_given_no_keys_at_all_when_spoken_then_there_is_no_press_prompt() -> None:
    assert english().text(service(keys=Keys(None, None, None, None)), PromptId.PRESS) is None


CALLS = {"inbound-greeting", "inbound-full", "position-is", "will-call", "slot-kept"}


@pytest.mark.parametrize(
    ("described", "needed", "not_needed"),
    [
        (service(), {"announce", "press", "comfort"}, CALLS | {"recorded", "keep-place", "monday"}),
        (replace(service(), takes_calls=True), CALLS | {"press"}, {"recorded", "keep-place", "monday"}),
        (replace(service(), takes_calls=True, callback_key="1"), CALLS | {"keep-place"}, {"recorded"}),
        (replace(service(), records=True), {"recorded"}, CALLS),
        (service(keys=Keys(None, None, None, None)), {"announce"}, {"press"}),
    ],
)
def test_given_what_a_service_does_then_only_the_prompts_of_that_are_needed(
    described: SpokenService, needed: set[str], not_needed: set[str]
) -> None:
    prompts = {prompt.value for prompt in occasions.of_service(described)}

    assert needed <= prompts
    assert not prompts & not_needed


def test_given_services_when_asked_what_is_shared_then_numbers_are_of_the_languages_in_which_calls_are_taken() -> None:
    def shared(*services: SpokenService) -> list[str]:
        wanted = [want.file for want in library.wanted(services, TextFiles())]
        assert len(wanted) == len(set(wanted)), "each file is asked for once"
        return [file for file in wanted if file.startswith("_shared/")]

    abroad = replace(service(), id="abroad", languages=("es",))
    for quiet in (shared(service(), abroad), shared(abroad, service())):
        assert {"_shared/en/desk-ready.wav", "_shared/en/number-9.wav"} <= set(quiet), "the menu of agents"
        assert not {"_shared/en/number-10.wav", "_shared/en/monday.wav"} & set(quiet)
        assert all(file.startswith("_shared/en/") for file in quiet)
    taking = shared(replace(service(), takes_calls=True), replace(abroad, takes_calls=True))
    for language in ("en", "es"):
        assert {f"_shared/{language}/{name}.wav" for name in ("number-0", "number-59", "sunday", "at")} <= set(taking)
    assert shared() == []


@pytest.mark.parametrize(("key", "said"), [("7", "press 7."), ("*", "press star.")])
def test_given_the_key_of_a_call_back_when_spoken_then_it_is_said(key: str, said: str) -> None:
    text = english().text(replace(service(), takes_calls=True, callback_key=key), PromptId.KEEP_PLACE)

    assert text is not None
    assert text.endswith(said)


def test_given_a_key_of_a_call_back_that_no_telephone_has_then_refused() -> None:
    with pytest.raises(PromptError, match="billing: key 'x' is not on a telephone"):
        replace(service(), callback_key="x")


def test_given_own_english_texts_without_the_newer_ones_then_the_shipped_ones_are_taken(tmp_path: Path) -> None:
    own = [line for line in ENGLISH.splitlines() if not line.startswith(("  comfort:", "  desk-"))]
    (tmp_path / "en.yaml").write_text("\n".join(own).replace("One moment please.", "Hold on."), encoding="utf-8")
    wording = TextFiles(tmp_path).require("en")

    assert wording.text(service(), PromptId.ONE_MOMENT) == "Hold on."
    assert wording.text(service(), PromptId.COMFORT) == english().text(service(), PromptId.COMFORT)
    assert wording.shared(PromptId.DESK_GOODBYE) == "Goodbye."


def test_given_texts_of_another_language_without_one_that_is_needed_then_the_file_and_the_prompt_are_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "es.yaml").write_text(ENGLISH.replace("  comfort:", "  # comfort:"), encoding="utf-8")
    wording = TextFiles(tmp_path).require("es")

    assert wording.text(service(), PromptId.ONE_MOMENT) == "One moment please."
    with pytest.raises(PromptError, match=r"es\.yaml: the text of comfort is missing; write it"):
        wording.text(service(), PromptId.COMFORT)


@pytest.mark.parametrize("keys", [("1", "1", None, None), ("12", None, None, None), ("a", None, None, None)])
def test_given_impossible_keys_when_described_then_refused(keys: tuple[str | None, ...]) -> None:
    with pytest.raises(PromptError, match="key"):
        Keys(*keys)


@pytest.mark.parametrize("service_id", ["../etc", "a/b", "", ".", "a b", "x" * 65, "a\n"])
def test_given_an_id_that_could_leave_the_folder_when_described_then_refused(service_id: str) -> None:
    with pytest.raises(PromptError, match="service id"):
        SpokenService(service_id, "Billing", "Example")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("{company} with", "{compny} with"), r"announce uses \{compny\}"),
        (("{company} with", "{company.__class__} with"), "announce uses"),
        (("{company} with", "{company!r} with"), "announce uses"),
        (("{company} with", "{company with"), "braces|announce uses"),
        (("one-moment: ", "one-minute: "), "one-minute"),
        (('one-moment: "One moment please."', "one-moment:"), "one-moment is missing"),
        (("name: rms", "name: 'rms) (system 1'"), "voice.name"),
        (("synthesiser: flite", "synthesiser: parrot"), "voice.synthesiser"),
        (("stretch: 0.92", "stretch: 9"), "voice.stretch"),
        (("service: a customer", "service: ''"), "fallback"),
        (("texts:", "words:"), "texts is missing"),
        (("language: en", "language: ["), "cannot read"),
        (("called back, press {key}", "called back, press {kee}"), r"keep-place uses \{kee\}"),
        (('monday: "on Monday"', 'monday: "on {company}"'), r"monday uses \{company\}"),
    ],
)
def test_given_a_faulty_text_file_when_read_then_one_line_says_where(
    tmp_path: Path, change: tuple[str, str], complaint: str
) -> None:
    assert change[0] in ENGLISH
    (tmp_path / "en.yaml").write_text(ENGLISH.replace(*change), encoding="utf-8")

    with pytest.raises(PromptError, match=complaint) as refusal:
        TextFiles(tmp_path).require("en")
    assert "\n" not in str(refusal.value)
    assert "en.yaml" in str(refusal.value)


def test_given_a_language_without_texts_when_required_then_the_file_to_write_is_named(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match=r"language es; write .*es\.yaml"):
        TextFiles(tmp_path).require("es")


def test_given_a_services_document_when_read_then_only_what_is_spoken_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(
        "calendars: []\nservices:\n"
        "  - {id: billing, name: Billing, company: Example, queue_cap: 5, languages: [en, es],\n"
        "     confirmation: {keys: {connect: 4, never: null}, repeats: 1}}\n"
    )

    assert read_services(path) == (
        SpokenService("billing", "Billing", "Example", ("en", "es"), Keys("4", "2", "3", None)),
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", (False, None, False)),
        (", inbound: null, recording: false", (False, None, False)),
        (", inbound: {}", (True, "1", False)),
        (", inbound: {callback_key: 5}, recording: {}", (True, "5", True)),
        (", recording: {announce: false}", (False, None, False)),
        (", inbound: {callback_key: null}", (True, None, False)),
    ],
)
def test_given_a_services_document_when_read_then_it_is_known_whether_calls_are_taken_and_recorded(
    tmp_path: Path, more: str, expected: tuple[bool, str | None, bool]
) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(f"services: [{{id: a, name: A, company: C{more}}}]")

    (read,) = read_services(path)

    assert (read.takes_calls, read.callback_key, read.records) == expected


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("services: [{id: a, name: A, company: C, inbound: {callback_key: true}}]", "service a: inbound.callback_key"),
        ("services: [{id: a, name: A, company: C, inbound: {callback_key: x}}]", "service a: key 'x'"),
        ("[]", "no list 'services'"),
        ("services: [1]", "number 1 is not a mapping"),
        ("services: [{id: a, name: A}]", "service a: company is missing"),
        ("services: [{id: a, name: A, company: 5}]", "service a: company is missing or not text"),
        ("services: [{id: a, name: A, company: C, languages: [no]}]", "languages must be"),
        ("services: [{id: a, name: A, company: C, languages: [../x]}]", "no language"),
        ("services: [{id: a, name: A, company: C, confirmation: {keys: {conect: 1}}}]", "may hold only"),
        ("services: [{id: a, name: A, company: C, confirmation: {keys: {connect: true}}}]", "connect is True"),
        ("services: [{id: a, name: A, company: C}, {id: a, name: B, company: C}]", "two services"),
        ("services: [", "not valid YAML"),
    ],
)
def test_given_a_faulty_services_document_when_read_then_one_line_says_why(
    tmp_path: Path, document: str, complaint: str
) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(document)

    with pytest.raises(PromptError, match=complaint) as refusal:
        read_services(path)
    assert "\n" not in str(refusal.value)
