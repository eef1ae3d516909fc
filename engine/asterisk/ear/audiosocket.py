"""The receiving end of Asterisk's AudioSocket: one TCP connection a call, 20 ms of audio after another.

A message is one byte of kind, two bytes of length (big endian) and the content; the first says the call's UUID. What
does not begin with a UUID that is expected is closed, and so is what goes on for too long without one, or is the oldest
of too many such connections: Asterisk says the UUID at once, so whoever may connect cannot use up what we have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

HANG_UP, IDENTIFY, AUDIO = 0x00, 0x01, 0x10
_HEADER = 3
_LONGEST = 4096
"""Bytes in one message of ours at most; 20 ms of audio are 320."""
_UNKNOWN_SECONDS = 2.0
STRANGERS = 64
"""Connections at most that have not said a UUID."""


class Listener(Protocol):
    """Who is told what comes."""

    def audio(self, samples: bytes) -> None:
        """Signed 16-bit samples at 8 kHz, little-endian, of any length."""

    def gone(self) -> None:
        """The connection is over; told once."""


class Strangers:
    """The connections that have not said a UUID, oldest first."""

    def __init__(self) -> None:
        self._sockets: dict[AudioSocket, None] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def come(self, socket: AudioSocket) -> None:
        if len(self._sockets) >= STRANGERS:
            oldest = next(iter(self._sockets))
            self.go(oldest)
            oldest.close()
        self._sockets[socket] = None

    def go(self, socket: AudioSocket) -> None:
        """It is known, or over."""
        self._sockets.pop(socket, None)

    def close(self) -> None:
        for socket in self._sockets:
            socket.close()
        self._sockets.clear()


class AudioSocket(asyncio.Protocol):
    """One connection. `expected` finds who listens to the call with this UUID, if anybody does."""

    def __init__(self, expected: Callable[[UUID, AudioSocket], Listener | None], strangers: Strangers) -> None:
        self._expected = expected
        self._strangers = strangers
        self._listener: Listener | None = None
        self._buffer = bytearray()
        self._transport: asyncio.BaseTransport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._strangers.come(self)
        self._deadline = asyncio.get_running_loop().call_later(_UNKNOWN_SECONDS, self.close)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        while len(buffer) >= _HEADER:
            length = int.from_bytes(buffer[1:_HEADER], "big")
            if length > _LONGEST:
                self.close()
                return
            if len(buffer) < _HEADER + length:
                return
            kind, content = buffer[0], bytes(buffer[_HEADER : _HEADER + length])
            del buffer[: _HEADER + length]
            if not self._message(kind, content):
                self.close()
                return

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._is_no_stranger()
        if self._listener is not None:
            self._listener.gone()

    def close(self) -> None:
        """End it; the listener is told."""
        if self._transport is not None:
            self._transport.close()

    def _message(self, kind: int, content: bytes) -> bool:
        """Whether to go on."""
        if self._listener is None:
            if kind != IDENTIFY or len(content) != 16:
                return False
            self._listener = self._expected(UUID(bytes=content), self)
            self._is_no_stranger()
            return self._listener is not None
        if kind == AUDIO:
            self._listener.audio(content)
        return kind != HANG_UP

    def _is_no_stranger(self) -> None:
        self._strangers.go(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
