"""One request over HTTP to an engine that may die at any moment, and what became of it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from engine.lab.errors import LabError
from tests.live.crash.evidence import Answer

ANSWER_LIMIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a request was told, and between which moments (epoch seconds)."""

    answer: Answer
    status: int
    said: Mapping[str, Any]
    sent_at: float
    answered_at: float


class Door:
    """The way to the engine. `address()` gives its URL of now and raises LabError while there is none."""

    def __init__(self, address: Callable[[], str]) -> None:
        self._address = address

    def ask(self, key: str, method: str, path: str, body: Mapping[str, object] | None = None) -> Told | None:
        """Send one request. None: nobody was there, so that nobody was asked."""
        try:
            where = urlsplit(self._address())
            connection = http.client.HTTPConnection(f"{where.hostname}:{where.port}", timeout=ANSWER_LIMIT_SECONDS)
            connection.connect()
        except (LabError, OSError):
            return None
        headers = {"Authorization": f"Bearer {key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent_at = time.time()
        try:
            connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            return Told(Answer.NONE, 0, {}, sent_at, time.time())
        finally:
            connection.close()
        taken = Answer.ACCEPTED if answer.status < http.HTTPStatus.BAD_REQUEST else Answer.REFUSED
        return Told(taken, answer.status, said, sent_at, time.time())
