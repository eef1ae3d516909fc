"""The one module that imports panoramisk: its protocol of AMI messages, without its manager.

The manager reconnects by itself and then sends again what was not answered, an Originate too; its log holds passwords.
So only the protocol is used, behind a peer that is not trusted: a greeting first, bounded messages, no exception on the
way in, and whatever is pending ends when the connection does. Nothing is ever sent twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message

Fields = Mapping[str, str]
"""One message: names in lower case. Of a name that came several times only the first value is kept."""

ACTIONS = frozenset(
    {
        "Login",
        "Logoff",
        "Ping",
        "ModuleCheck",
        "DeviceStateList",
        "PJSIPShowEndpoints",
        "PJSIPShowRegistrationsOutbound",
        "Reload",
        "ShowDialPlan",
    }
)
"""All that is ever asked; none of them places a call."""
GREETING = b"Asterisk Call Manager/"
MAX_GREETING_BYTES = 200
MAX_MESSAGE_BYTES = 256 * 1024
"""Of one message without an end; Asterisk's own are a few kilobytes."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Wire(AMIProtocol):  # type: ignore[misc] # the library ships no types
    """One connection, from the greeting to its loss.

    `greeted` is set when an Asterisk has greeted, or with why none has; `lost` with why the connection ended.
    `on_event` hears of messages that answer no action.
    """

    def __init__(self, on_event: Callable[[Fields], None]) -> None:
        self.closed = False
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[str] = loop.create_future()
        self._on_event = on_event
        self._greeting = b""
        self._pending: dict[str, asyncio.Future[Any]] = {}

    # ---- what the connection says --------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.encoding = "utf8"
        self.factory = self

    def data_received(self, data: bytes) -> None:
        """Whatever comes; a peer that is no Asterisk, or says what cannot be read, is left."""
        if self.closed:
            return
        if not self.greeted.done():
            self._greeting += data
            line, end, data = self._greeting.partition(b"\r\n")
            if not line.startswith(GREETING[: len(line)]) or (not end and len(line) > MAX_GREETING_BYTES):
                self.drop("something else than Asterisk's manager interface answers")
                return
            if not end:
                return
            self.version = line.removeprefix(GREETING).decode("ascii", "replace").strip()
            self.greeted.set_result(None)
        try:
            super().data_received(data)
        except Exception as error:  # noqa: BLE001 - the library trips over messages that are no messages
            self.drop(f"what it says cannot be read ({type(error).__name__})")
            return
        if sum(map(len, self.queue)) > MAX_MESSAGE_BYTES:
            self.drop("it sends a message without an end")

    def connection_lost(self, exc: Exception | Message | None) -> None:
        """Also called by the library, with the message, when Asterisk says that it shuts down."""
        if isinstance(exc, Message):
            self.drop("Asterisk shuts down")
        else:
            self.drop("Asterisk has closed the connection" if exc is None else "the connection was lost")

    def drop(self, why: str) -> None:
        """End it; what is pending ends as unknown, and is forgotten."""
        self.responses.clear()
        if not self.closed:
            self.closed = True
            self.transport.abort()
        if not self.lost.done():
            self.lost.set_result(why)
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionError(why))
            self.greeted.exception()  # it may be that nobody waits for it any more
        pending, self._pending = self._pending, {}
        for answered in pending.values():
            answered.cancel()

    def dispatch(self, message: Message) -> None:
        """What the library calls with a message that answers nothing."""
        self._on_event(_fields(message))

    # ---- what we say ---------------------------------------------------------------------------------

    def ask(self, action: str, fields: Mapping[str, str]) -> tuple[str, asyncio.Future[Any]]:
        """Send one action, once; its id, and what will hold the messages that answer it, for `messages`.

        Raises ValueError before anything is sent if a name or a value cannot be sent as one line.
        """
        check(action, fields)
        sent = Action({"Action": action, **fields})
        answered = self._pending[sent.id] = sent.future
        if self.closed:
            self.forget(sent.id)
            answered.cancel()
        else:
            # None: a list is what Asterisk calls one; with the default every list would end at its first row.
            self.send(sent, as_list=None)
        return sent.id, answered

    def forget(self, action_id: str) -> None:
        """Wait for this answer no more."""
        self._pending.pop(action_id, None)
        self.responses.pop(action_id, None)


def check(action: str, fields: Mapping[str, str]) -> None:
    """Raise ValueError, which never shows a value, unless this is one action and nothing else."""
    if action not in ACTIONS:
        raise ValueError(f"{action!r} is no action that Ringback asks for")
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or name.lower() in ("action", "actionid"):
            raise ValueError(f"{name!r} is no name of a field of {action}")
        if _CONTROL.search(value):
            raise ValueError(f"{action}: {name} holds a line break or another control character; write it in one line")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{action}: {name} is no text that can be sent; write it in UTF-8") from None


def messages(answered: asyncio.Future[Any]) -> list[Fields]:
    """The messages that answer an action, its response first."""
    result = answered.result()
    return [_fields(each) for each in (result if isinstance(result, list) else [result])]


def _fields(message: Message) -> Fields:
    return {
        str(name).lower(): str(value[0]) if isinstance(value, list) else str(value) for name, value in message.items()
    }
