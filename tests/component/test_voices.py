"""At the start: a prompt that cannot be played stops it, one whose wording is merely old does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engine import voices
from engine.config import PromptSettings
from engine.core.configuration import Configuration, Service
from engine.core.expressions import parse
from engine.core.terms import ServiceId
from engine.prompts import PromptError, PromptLibrary, SpokenService
from engine.prompts.library import MissingPrompt, Unfit

BILLING = Service(ServiceId("billing"), "Billing", "Example Ltd", parse("billing"))
CONFIGURATION = Configuration(services={BILLING.id: BILLING})
OLD = MissingPrompt("en/billing/press.wav", Unfit.OUT_OF_DATE, "the text has changed since")
ABSENT = MissingPrompt("en/billing/apology.wav", Unfit.MISSING, "never built")
MENU = MissingPrompt("_shared/en/number-5.wav", Unfit.MISSING, "never built")


@pytest.fixture
def settings(tmp_path: Path) -> PromptSettings:
    return PromptSettings(dir=tmp_path, build=False)


def found(monkeypatch: pytest.MonkeyPatch, *unfit: MissingPrompt) -> None:
    monkeypatch.setattr(PromptLibrary, "missing", lambda *_: list(unfit))


def test_old_wording_is_told_and_does_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: PromptSettings
) -> None:
    found(monkeypatch, OLD)
    with capture_logs() as logs:
        assert voices.prompt_problems_at_start(CONFIGURATION, settings) == []
    assert [(line["event"], line["first"]) for line in logs] == [("prompts.out_of_date", OLD.file)]
    assert OLD.file in voices.prompt_problems(CONFIGURATION, settings)[0]


def test_keys_that_are_said_otherwise_are_said_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built: list[str] = []
    monkeypatch.setattr(PromptLibrary, "missing", lambda *_: [] if built else [OLD])
    monkeypatch.setattr(voices, "build", lambda services, _folder, **_: built.extend(each.id for each in services))
    assert voices.prompt_problems_at_start(CONFIGURATION, PromptSettings(dir=tmp_path)) == []
    assert built == ["billing"]


def test_keys_that_cannot_be_said_anew_do_not_stop_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: object, **__: object) -> None:
        raise PromptError("flite is not installed")

    found(monkeypatch, OLD)
    monkeypatch.setattr(voices, "build", fails)
    with capture_logs() as logs:
        assert voices.prompt_problems_at_start(CONFIGURATION, PromptSettings(dir=tmp_path)) == []
    assert [line["event"] for line in logs] == ["prompts.not_built", "prompts.out_of_date"]


def test_a_prompt_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch, settings: PromptSettings) -> None:
    found(monkeypatch, OLD, ABSENT)
    (problem,) = voices.prompt_problems_at_start(CONFIGURATION, settings)
    assert ABSENT.file in problem
    assert OLD.file not in problem


def test_a_prompt_that_is_not_there_is_built_at_the_start_if_that_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built: list[str] = []
    monkeypatch.setattr(PromptLibrary, "missing", lambda *_: [] if built else [ABSENT])
    monkeypatch.setattr(voices, "build", lambda services, _folder, **_: built.extend(each.id for each in services))
    assert voices.prompt_problems_at_start(CONFIGURATION, PromptSettings(dir=tmp_path)) == []
    assert built == ["billing"]


async def test_without_the_menu_of_agents_calls_are_made_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise PromptError("flite is not installed")

    found(monkeypatch, MENU)
    monkeypatch.setattr(voices, "build", fails)
    with capture_logs() as logs:
        assert voices.prompt_problems_at_start(CONFIGURATION, PromptSettings(dir=tmp_path)) == []
        assert await voices.prepare_prompts(CONFIGURATION, PromptSettings(dir=tmp_path)) == []
    assert [line["event"] for line in logs] == ["prompts.not_built", "prompts.agents_menu_not_ready"] * 2

    found(monkeypatch, MENU, ABSENT)
    assert await voices.prepare_prompts(CONFIGURATION, PromptSettings(dir=tmp_path)) == ["flite is not installed"]


async def test_without_numbers_no_calls_are_taken(monkeypatch: pytest.MonkeyPatch, settings: PromptSettings) -> None:
    taking = SpokenService("billing", "Billing", "Example Ltd", takes_calls=True)
    monkeypatch.setattr(voices, "spoken", lambda _: (taking,))
    found(monkeypatch, MENU)
    (problem,) = await voices.prepare_prompts(CONFIGURATION, settings)
    assert MENU.file in problem


async def test_faulty_texts_are_a_problem_of_the_document_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, settings: PromptSettings
) -> None:
    def faulty(*_: object) -> list[MissingPrompt]:
        raise PromptError("prompts/en.yaml line 3 cannot be read")

    monkeypatch.setattr(PromptLibrary, "missing", faulty)
    assert await voices.prepare_prompts(CONFIGURATION, settings) == ["prompts/en.yaml line 3 cannot be read"]
