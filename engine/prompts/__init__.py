"""Voice prompts: what they say, how they are built from text, and whether they are ready to be played.

Texts stand in the shipped folder `prompts/`; built files lie at `<dir>/<language>/<service>/<prompt>.wav`. This package
knows nothing of calls, of the store or of Asterisk beyond the name under which Asterisk plays a file.
"""

from engine.core.terms import PromptId
from engine.prompts.build import BuildReport, build
from engine.prompts.errors import PromptError
from engine.prompts.library import CheckReport, MissingPrompt, PromptLibrary, Unfit, check
from engine.prompts.services import Keys, SpokenService, read_services

__all__ = [
    "BuildReport",
    "CheckReport",
    "Keys",
    "MissingPrompt",
    "PromptError",
    "PromptId",
    "PromptLibrary",
    "SpokenService",
    "Unfit",
    "build",
    "check",
    "read_services",
]
