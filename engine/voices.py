"""Which prompts a configuration needs, and making them ready before it is applied.

Synthesis runs in a thread: calls go on meanwhile. A prompt that cannot be made keeps the configuration from being
applied, so that no customer ever hears silence instead of who is calling.
"""

from __future__ import annotations

import asyncio

import structlog

from engine.config import PromptSettings
from engine.core.model import Configuration
from engine.prompts import Keys, PromptError, PromptLibrary, SpokenService, build

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
        )
        for service in configuration.services.values()
    )


def prompt_problems(configuration: Configuration, settings: PromptSettings) -> list[str]:
    """One line if prompts of the configured services are not ready, naming the first ones and how to mend."""
    if not configuration.services:
        return []
    missing = PromptLibrary(settings.dir).missing(spoken(configuration))
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
    problems = prompt_problems(configuration, settings)
    if not problems or not settings.build:
        return problems
    try:
        build(spoken(configuration), settings.dir, progress=lambda line: log.info("prompts.building", file=line))
    except PromptError as error:
        return [str(error)]
    return prompt_problems(configuration, settings)
