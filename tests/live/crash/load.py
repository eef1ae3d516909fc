"""Customers who ask: keeps some waiting in the line, whatever happens, and writes down what each was told."""

from __future__ import annotations

import http.client
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from engine.lab.errors import LabError
from tests.live.crash.evidence import Answer, Asked

SERVICE = "crash"
LOOK_SECONDS = 0.2
ANSWER_LIMIT_SECONDS = 10.0
BURST = 3


class Load:
    """A thread that asks for callbacks while fewer than `wanted` wait; `waiting()` says how many do.

    `address()` gives the engine's URL of now and raises LabError while there is none.
    """

    def __init__(
        self,
        numbers: Iterator[str],
        address: Callable[[], str],
        key: str,
        waiting: Callable[[], int],
        wanted: int,
    ) -> None:
        self.asked: list[Asked] = []
        self._numbers = numbers
        self._address = address
        self._key = key
        self._waiting = waiting
        self._wanted = wanted
        self._next: str | None = None
        self._stopping = threading.Event()
        self._burst = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    def burst(self) -> None:
        """Ask a few times at once: a kill should hit requests that are under way."""
        self._burst.set()

    def stop(self) -> None:
        self._stopping.set()
        self._burst.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            burst = self._burst.wait(LOOK_SECONDS)
            self._burst.clear()
            for _ in range(BURST if burst else 1):
                if not self._stopping.is_set() and (burst or self._is_short()):
                    self._ask()

    def _is_short(self) -> bool:
        with suppress(sqlite3.Error):  # before its first start the engine has no tables
            return self._waiting() < self._wanted
        return True

    def _ask(self) -> None:
        number = self._next = self._next or next(self._numbers)
        try:
            where = urlsplit(self._address())
            connection = http.client.HTTPConnection(f"{where.hostname}:{where.port}", timeout=ANSWER_LIMIT_SECONDS)
            connection.connect()
        except (LabError, OSError):
            return  # nobody was asked, so the number is as good as new
        self._next = None
        self.asked.append(_answered(connection, number, self._key))


def _answered(connection: http.client.HTTPConnection, number: str, key: str) -> Asked:
    body = json.dumps({"service": SERVICE, "phone": f"+{number}", "when": "now", "channel": "api"})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/api/v1/callbacks", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError):
        return Asked(number, Answer.NONE)
    finally:
        connection.close()
    if answer.status == http.HTTPStatus.CREATED:
        return Asked(number, Answer.ACCEPTED, str(told["id"]), answer.status)
    return Asked(number, Answer.REFUSED, "", answer.status)
