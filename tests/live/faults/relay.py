"""A cable to Asterisk that a story can unplug: alone the event socket, or everything."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_EVENTS = b"/ari/events"
_HEAD_LIMIT = 65536


class Relay:
    """Listens on `port` and carries each connection to Asterisk's `to_port`, until it is unplugged.

    Both ends of a connection that is cut learn of it; a new one is refused after it was accepted, as by a proxy whose
    far side is gone.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._lock = threading.Lock()
        self._events_unplugged = self._unplugged = False
        self._carried: list[tuple[bool, socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def unplug_events(self) -> None:
        """Cut the event socket and let no new one come about; other requests go on."""
        with self._lock:
            self._events_unplugged = True
            self._cut(events_only=True)

    def unplug(self) -> None:
        """Cut everything and let nothing come about."""
        with self._lock:
            self._events_unplugged = self._unplugged = True
            self._cut(events_only=False)

    def plug_in(self) -> None:
        """Carry new connections again."""
        with self._lock:
            self._events_unplugged = self._unplugged = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _end(self._listener)
        self.unplug()

    def _cut(self, *, events_only: bool) -> None:
        for carried in list(self._carried):
            is_events, near, far = carried
            if is_events or not events_only:
                _end(near)
                _end(far)
                self._carried.remove(carried)

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(near,), name="relayed", daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with suppress(OSError):
            head = near.recv(_HEAD_LIMIT)
            is_events = _EVENTS in head.split(b"\r\n", 1)[0]
            far = socket.create_connection(("127.0.0.1", self._to_port))
            with self._lock:
                if self._unplugged or (is_events and self._events_unplugged):
                    _end(near)
                    _end(far)
                    return
                self._carried.append((is_events, near, far))
            far.sendall(head)
            threading.Thread(target=_pump, args=(far, near), name="relayed back", daemon=True).start()
            _pump(near, far)
            return
        _end(near)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
