"""Which prompts a configuration needs, and making them ready before it is applied.

Synthesis runs in a thread: calls go on meanwhile. A prompt that cannot be made keeps the configuration from being
applied, so that no customer ever hears silence instead of who is calling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from engine.config import PromptSettings
from engine.core.configuration import Configuration
from engine.core.effects import Voice
from engine.core.terms import Prompt, PromptId
from engine.prompts import Keys, PromptError, PromptLibrary, SpokenService, build
from engine.prompts.library import MissingPrompt, Unfit
from engine.prompts.occasions import SHARED_FOLDER

log = structlog.get_logger()


def spoken(configuration: Configuration) -> tuple[SpokenService, ...]:
    """What the texts need of each service."""
    return tuple(
        SpokenService(
            id=service.id,
            name=service.name,
            company=service.company,
            languages=service.languages,
            keys=Keys(
                connect=service.confirmation.keys.connect,
                later=service.confirmation.keys.later,
                cancel=service.confirmation.keys.cancel,
                never=service.confirmation.keys.never,
            ),
            takes_calls=service.inbound is not None,
            records=service.recording is not None and service.recording.announce,
            callback_key=service.inbound.callback_key if service.inbound else None,
        )
        for service in configuration.services.values()
    )


def prompt_problems(configuration: Configuration, settings: PromptSettings) -> list[str]:
    """One line if prompts of the configured services are not ready, naming the first ones and how to mend."""
    return _in_one_line(_needed_for_calls(configuration, _unfit(configuration, settings)), settings)


def prompt_problems_at_start(configuration: Configuration, settings: PromptSettings) -> list[str]:
    """As `prompt_problems`; but what is only out of date is played: better wording must not stop calls.

    What is not there is built if it can be: a newer version may say more. What the keys do is said anew too: a document
    may have been prepared and, with the engine's death, not applied.
    """
    unfit = _unfit(configuration, settings)
    if settings.build and any(each.reason is not Unfit.OUT_OF_DATE or _says_the_keys(each) for each in unfit):
        _try_to_build(configuration, settings)
        unfit = _unfit(configuration, settings)
    unfit = _needed_for_calls(configuration, unfit)
    old = [each.file for each in unfit if each.reason is Unfit.OUT_OF_DATE]
    if old:
        log.warning("prompts.out_of_date", files=len(old), first=old[0], mend="apply the services document again")
    return _in_one_line([each for each in unfit if each.reason is not Unfit.OUT_OF_DATE], settings)


def _needed_for_calls(configuration: Configuration, unfit: Sequence[MissingPrompt]) -> list[MissingPrompt]:
    """Calls are made without the phone menu of agents too: whoever has recorded all prompts need not record it."""
    if any(service.takes_calls for service in spoken(configuration)):
        return list(unfit)
    needed = [each for each in unfit if not each.file.startswith(f"{SHARED_FOLDER}/")]
    if len(needed) < len(unfit):
        log.warning("prompts.agents_menu_not_ready", files=len(unfit) - len(needed), mend="run: ringback prompts build")
    return needed


def _says_the_keys(prompt: MissingPrompt) -> bool:
    return Path(prompt.file).stem == PromptId.PRESS


def _try_to_build(configuration: Configuration, settings: PromptSettings) -> list[str]:
    """Why nothing was built, if so."""
    try:
        build(spoken(configuration), settings.dir, progress=lambda line: log.info("prompts.building", file=line))
    except PromptError as error:
        log.error("prompts.not_built", why=str(error))
        return [str(error)]
    return []


def _unfit(configuration: Configuration, settings: PromptSettings) -> list[MissingPrompt]:
    return PromptLibrary(settings.dir).missing(spoken(configuration)) if configuration.services else []


def _in_one_line(missing: Sequence[MissingPrompt], settings: PromptSettings) -> list[str]:
    if not missing:
        return []
    first = ", ".join(f"{each.file} ({each.reason})" for each in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    mend = f"run: ringback prompts build SERVICES.yaml --to {settings.dir}"
    return [f"prompts not ready in {settings.dir}: {first}{more}; {mend}"]


async def prepare_prompts(configuration: Configuration, settings: PromptSettings) -> list[str]:
    """Build what is missing, if the settings allow it; the problems that are left."""
    return await asyncio.to_thread(_prepare, configuration, settings)


def _prepare(configuration: Configuration, settings: PromptSettings) -> list[str]:
    try:
        may_build = settings.build and _unfit(configuration, settings)
        not_built = _try_to_build(configuration, settings) if may_build else []
        problems = prompt_problems(configuration, settings)
    except PromptError as error:
        return [str(error)]
    return problems and (not_built or problems)


class ServicePrompts:
    """Prompts by voice, falling back to the service's default language."""

    def __init__(self, library: PromptLibrary, configuration: Callable[[], Configuration]) -> None:
        self._library = library
        self._configuration = configuration

    def media(self, voice: Voice, prompt: Prompt) -> str:
        service = self._configuration().services.get(voice.service)
        default = service.languages[0] if service else None
        return self._library.media(voice.service, voice.language, prompt, default_language=default)
