"""Checks of one Asterisk through its manager interface (AMI), which tells what ARI cannot: the dialplan, and phones.

Asked only when a password for it is set.
"""

from __future__ import annotations

from dataclasses import replace

from engine.asterisk.ami import AmiAnswer, AmiRefused, AmiSession, LoginRefusedError, NoAmiError
from engine.asterisk.ami.session import DEVICE_STATES
from engine.asterisk_login import ami_settings
from engine.config import AsteriskSettings
from engine.doctor.finding import Finding, bad, good

ANSWER_SECONDS = 3.0
_CONTEXT, _EXTENSIONS = "ringback", ("customer", "agent")


async def ami(settings: AsteriskSettings) -> list[Finding]:
    """Whether the manager interface lets us in, whether the dialplan has our context, and whether phones are told."""
    name = f"{settings.name}: AMI"
    login = ami_settings(settings)
    if login is None:
        told = "not checked: only AMI can tell, and ami_password_file is not set"
        return [good(f"{settings.name}: dialplan", told)]
    login = replace(login, events="off", connect_seconds=ANSWER_SECONDS, answer_seconds=ANSWER_SECONDS)
    try:
        async with await AmiSession.open(login) as session:
            return [
                good(name, f"{login.where} accepts user {login.user}"),
                await _dialplan(f"{settings.name}: dialplan", session),
                await _phones(f"{settings.name}: phones", session),
            ]
    except (LoginRefusedError, NoAmiError) as error:
        seen, _, mend = str(error).partition(": ")
        return [bad(name, seen, mend)]


async def _dialplan(name: str, session: AmiSession) -> Finding:
    found: set[str] = set()
    match await session.ask("ShowDialPlan", {"Context": _CONTEXT}):
        case AmiRefused(message=message) if message.startswith("Permission denied"):
            mend = "manager.conf: the user needs write = system,reporting,config"
            return bad(name, "our AMI user may not look at it", mend)
        case AmiAnswer(events=events):
            found = {row.get("extension", "") for row in events if row.get("event") == "ListDialplan"}
        case AmiRefused():
            pass  # Asterisk has no words for an empty context but an error
        case unknown:
            return bad(name, unknown.why, "look into Asterisk's log")
    missing = [each for each in _EXTENSIONS if each not in found]
    if not missing:
        return good(name, f"context {_CONTEXT} is there")
    seen = f"context {_CONTEXT} is missing" if not found else f"context {_CONTEXT} lacks {', '.join(missing)}"
    mend = "ringback asterisk render --to DIR; include its extensions.conf, then: asterisk -rx 'dialplan reload'"
    return bad(name, seen, mend)


async def _phones(name: str, session: AmiSession) -> Finding:
    match await session.ask("ModuleCheck", {"Module": DEVICE_STATES}):
        case AmiAnswer():
            return good(name, "their changes are told")
        case AmiRefused(message=message):
            mend = f"modules.conf: load = {DEVICE_STATES}.so; manager.conf: the user needs write = system"
            return bad(name, f"their changes are not told ({message})", mend)
        case unknown:
            return bad(name, unknown.why, "look into Asterisk's log")
