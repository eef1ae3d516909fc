"""Asks a running Asterisk over AMI to read rendered configuration anew, module by module, and tells what happened.

A reload changes no call that is up. Each is asked for once; one without an answer may have been done.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from engine.asterisk.ami import AmiAnswer, AmiRefused, AmiSession, AmiSettings

RELOAD_SECONDS = 60.0
"""For one module; thousands of endpoints take a while."""
MODULES = {
    "pjsip.conf": "res_pjsip.so",
    "extensions.conf": "pbx_config.so",
    "musiconhold.conf": "res_musiconhold.so",
    "amd.conf": "app_amd.so",
    "ari.general.conf": "res_ari.so",
    "ari.user.conf": "res_ari.so",
    "http.general.conf": "http",
    "manager.general.conf": "manager",
    "manager.user.conf": "manager",
}
"""What reads each file; the account that asks is reloaded last. Files that are not here are read at a start only."""


class Reloaded(StrEnum):
    """How a reload ended."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reload:
    """One module's reload; `detail` in Asterisk's words where it is not done."""

    module: str
    result: Reloaded
    detail: str = ""


async def reload(settings: AmiSettings, files: Collection[str]) -> list[Reload]:
    """Reload what reads these files. Raises NoAmiError and LoginRefusedError, with nothing reloaded."""
    modules = dict.fromkeys(module for file, module in MODULES.items() if file in files)
    async with await AmiSession.open(settings) as session:
        return [await _reload(session, module) for module in modules]


def needs_restart(files: Collection[str]) -> list[str]:
    """Of these files those that Asterisk reads at a start only."""
    return [file for file in files if file not in MODULES]


async def _reload(session: AmiSession, module: str) -> Reload:
    match await session.ask("Reload", {"Module": module}, seconds=RELOAD_SECONDS):
        case AmiAnswer():
            return Reload(module, Reloaded.DONE)
        case AmiRefused(message=message):
            return Reload(module, Reloaded.REFUSED, message)
        case unknown:
            return Reload(module, Reloaded.UNKNOWN, unknown.why)
