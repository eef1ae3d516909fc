"""One login at an Asterisk's manager interface, from the connection to its loss.

Whatever is asked ends within its time, as an answer, refused or unknown; unknown is never asked again by itself. The
session pings by itself: a peer that goes silent is left. The password is in no error and in no log.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias

from engine.asterisk.ami.wire import Fields, Wire, messages
from engine.errors import RingbackError

DEVICE_STATES = "res_manager_devicestate"
"""The module of Asterisk without which no change of a phone is told."""


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Where it is, who we are and how long we wait. `events`: the classes we want to hear, or `off`."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    events: str = "system,call"
    connect_seconds: float = 5.0
    answer_seconds: float = 10.0
    ping_seconds: float = 10.0

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class AmiAnswer:
    """Asterisk did it. `response` is its word; `events` are the rows, if it was asked for a list."""

    response: Fields
    events: tuple[Fields, ...] = ()


@dataclass(frozen=True, slots=True)
class AmiRefused:
    """Asterisk answered and did not do it, in its own words."""

    message: str


@dataclass(frozen=True, slots=True)
class AmiUnknown:
    """No answer came; it may have been done."""

    why: str


AmiResult: TypeAlias = AmiAnswer | AmiRefused | AmiUnknown


class NoAmiError(RingbackError):
    """There is no manager interface where one should be, or it is silent."""


class LoginRefusedError(RingbackError):
    """The manager interface refuses the user or the password."""


class AmiSession:
    """Make it with `open`; as a context manager it is closed at the end."""

    def __init__(self, settings: AmiSettings, wire: Wire) -> None:
        self.settings = settings
        self._wire = wire
        self._pinger: asyncio.Task[None] | None = None
        self._asking = 0

    @classmethod
    async def open(cls, settings: AmiSettings, on_event: Callable[[Fields], None] = lambda _event: None) -> Self:
        """Connect and log in. Raises NoAmiError and LoginRefusedError, which say how to mend."""
        wire = await _connect(settings, on_event)
        session = cls(settings, wire)
        try:
            await session._log_in()
        except BaseException:
            wire.drop("not logged in")
            raise
        session._pinger = asyncio.create_task(session._ping(), name=f"ping of {settings.where}")
        return session

    async def ask(self, action: str, fields: Mapping[str, str] | None = None, *, seconds: float = 0.0) -> AmiResult:
        """Ask once and wait for the end, `seconds` or, if that is 0, the settings' at most.

        Raises ValueError, and sends nothing, if a value cannot be sent as one line.
        """
        action_id, answered = self._wire.ask(action, fields or {})
        limit = seconds or self.settings.answer_seconds
        self._asking += 1
        try:
            await asyncio.wait([answered], timeout=limit)
        finally:
            self._asking -= 1
            self._wire.forget(action_id)
        if not answered.done():
            return AmiUnknown(f"no answer to {action} within {limit:g} s")
        if answered.cancelled():
            return AmiUnknown(self._wire.lost.result() if self._wire.lost.done() else "the connection was lost")
        response, *rows = messages(answered)
        if response.get("response") != "Success":
            return AmiRefused(response.get("message", "without a reason"))
        return AmiAnswer(response, tuple(rows[:-1]))

    async def lost(self) -> str:
        """Wait until the connection is lost; why."""
        return await asyncio.shield(self._wire.lost)

    async def close(self) -> None:
        """End it now; whatever is pending ends as unknown."""
        self._wire.drop("closed by ourselves")
        if self._pinger is not None:
            self._pinger.cancel()
            await asyncio.wait([self._pinger])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def _log_in(self) -> None:
        settings = self.settings
        fields = {"Username": settings.user, "Secret": settings.password, "Events": settings.events}
        try:
            answer = await self.ask("Login", fields, seconds=settings.connect_seconds)
        except ValueError as error:
            raise LoginRefusedError(f"the manager password or user cannot be used: {error}") from None
        match answer:
            case AmiRefused():
                raise LoginRefusedError(
                    f"AMI at {settings.where} refuses user {settings.user} or the password: "
                    "write the secret of manager.conf into the file of ami_password_file"
                )
            case AmiUnknown(why=why):
                raise _no_ami(settings, why)

    async def _ping(self) -> None:
        while not self._wire.lost.done():
            await asyncio.sleep(self.settings.ping_seconds)
            # Asterisk answers in order, and what it was asked before may take longer than a ping may.
            if not self._asking and isinstance(await self.ask("Ping"), AmiUnknown):
                self._wire.drop(f"Asterisk has not answered for {self.settings.answer_seconds:g} s")


async def _connect(settings: AmiSettings, on_event: Callable[[Fields], None]) -> Wire:
    loop = asyncio.get_running_loop()
    wire: Wire | None = None
    try:
        async with asyncio.timeout(settings.connect_seconds):
            _transport, wire = await loop.create_connection(lambda: Wire(on_event), settings.host, settings.port)
            await wire.greeted
    except TimeoutError:
        if wire is not None:
            wire.drop("no greeting")
        raise _no_ami(settings, f"no answer within {settings.connect_seconds:g} s") from None
    except OSError as error:
        raise _no_ami(settings, _words(error)) from None
    return wire


def _words(error: OSError) -> str:
    """Without the address, which is told beside it."""
    if error.errno is None:
        return str(error)
    return os.strerror(error.errno) if error.errno > 0 else error.strerror or "unknown host"


def _no_ami(settings: AmiSettings, why: str) -> NoAmiError:
    return NoAmiError(
        f"no manager interface at {settings.where} ({why}): "
        "manager.conf: enabled = yes, bindaddr and port as in ami_host and ami_port"
    )
