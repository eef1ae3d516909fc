"""Checks of one Asterisk through its manager interface (AMI), which tells what ARI cannot: the dialplan.

Asked only when a password for it is set. Names and password are checked before they are sent, because a line break in
one of them would be an action of its own.
"""

from __future__ import annotations

import asyncio
import os

from engine.config import AsteriskSettings
from engine.doctor.finding import Finding, bad, good

ANSWER_SECONDS = 3.0
_CONTEXT, _EXTENSIONS = "ringback", ("customer", "agent")
_END = b"\r\n\r\n"


async def ami(settings: AsteriskSettings) -> list[Finding]:
    """Whether the manager interface lets us in, and whether the dialplan has our context."""
    name = f"{settings.name}: AMI"
    secret = settings.ami_secret()
    if secret is None:
        told = "not checked: only AMI can tell, and ami_password_file is not set"
        return [good(f"{settings.name}: dialplan", told)]
    password = secret.get_secret_value()
    if not password.isprintable():
        return [bad(name, "the password holds control characters", "write it anew, in one line")]
    where = f"{settings.ami_host}:{settings.ami_port}"
    writer = None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(settings.ami_host, settings.ami_port)
            if not (await reader.readline()).startswith(b"Asterisk Call Manager"):
                return [_no_interface(name, where, "something else answers")]
            login = f"Action: Login\r\nUsername: {settings.ami_user}\r\nSecret: {password}\r\nEvents: off\r\n\r\n"
            writer.write(login.encode())
            if b"Response: Success" not in await reader.readuntil(_END):
                mend = "write the secret of manager.conf into the file of ami_password_file"
                return [bad(name, f"{where} refuses user {settings.ami_user} or the password", mend)]
            accepted = good(name, f"{where} accepts user {settings.ami_user}")
            return [accepted, await _dialplan(f"{settings.name}: dialplan", reader, writer)]
    except TimeoutError:
        return [_no_interface(name, where, f"no answer within {ANSWER_SECONDS:g} s")]
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        number = getattr(error, "errno", None)
        return [_no_interface(name, where, os.strerror(number) if number else type(error).__name__)]
    finally:
        if writer is not None:
            writer.close()


def _no_interface(name: str, where: str, why: str) -> Finding:
    mend = "manager.conf: enabled = yes, bindaddr and port as in ami_host and ami_port"
    return bad(name, f"no manager interface at {where} ({why})", mend)


async def _dialplan(name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Finding:
    writer.write(f"Action: ShowDialPlan\r\nActionID: dialplan\r\nContext: {_CONTEXT}\r\n\r\n".encode())
    found: set[str] = set()
    while True:
        fields = _fields(await reader.readuntil(_END))
        if fields.get("actionid") != "dialplan":
            continue
        if fields.get("message", "").startswith("Permission denied"):
            mend = "manager.conf: the user needs write = system,reporting,config"
            return bad(name, "our AMI user may not look at it", mend)
        if fields.get("event") == "ListDialplan":
            found.add(fields.get("extension", ""))
        elif fields.get("event") == "ShowDialPlanComplete" or fields.get("response") == "Error":
            break
    missing = [each for each in _EXTENSIONS if each not in found]
    if not missing:
        return good(name, f"context {_CONTEXT} is there")
    seen = f"context {_CONTEXT} is missing" if not found else f"context {_CONTEXT} lacks {', '.join(missing)}"
    mend = "ringback asterisk render --to DIR; include its extensions.conf, then: asterisk -rx 'dialplan reload'"
    return bad(name, seen, mend)


def _fields(message: bytes) -> dict[str, str]:
    lines = message.decode(errors="replace").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip().lower(): value.strip() for key, value in pairs}
