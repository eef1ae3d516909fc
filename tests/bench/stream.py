"""A stream of requests for callbacks, each with its own number and idempotency key, and how each was answered."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp

ANSWER_LIMIT_SECONDS = 30.0


@dataclass(slots=True)
class Asked:
    """One request. Times are epoch seconds; `status` None: no answer (so far); `callback`: the id it was given."""

    number: str
    key: str
    sent_at: float
    status: int | None = None
    answered_at: float | None = None
    callback: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status == HTTPStatus.CREATED

    @property
    def refused(self) -> bool:
        return self.status == HTTPStatus.SERVICE_UNAVAILABLE


class RequestStream:
    """Sends `per_second` requests to `url()` from a thread of its own, whatever the answers are.

    Each of `numbers` is used once.
    """

    def __init__(
        self, url: Callable[[], str], key: str, service: str, numbers: Iterator[str], per_second: float
    ) -> None:
        self.asked: list[Asked] = []
        self._url, self._key, self._service = url, key, service
        self._numbers, self._pause = numbers, 1 / per_second
        self._stopping = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="stream of requests", daemon=True)

    def since(self, moment: float) -> list[Asked]:
        """The requests sent since then."""
        return [each for each in list(self.asked) if each.sent_at >= moment]

    def stop(self) -> None:
        """Send no more, and wait for the answers to those that were sent; each is bounded."""
        self._stopping.set()
        self._thread.join(ANSWER_LIMIT_SECONDS + 10)
        if self._failed is not None:
            raise self._failed

    def again(self, asked: Asked) -> Asked:
        """The same request with the same key once more, after the stream has ended."""
        return asyncio.run(self._once(asked))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever stops the stream
            self._failed = error

    async def _send(self) -> None:
        async with self._session() as session, asyncio.TaskGroup() as tasks:
            due = time.monotonic()
            while not self._stopping.is_set():
                number = next(self._numbers)
                asked = Asked(number, f"bench-{number}", time.time())
                self.asked.append(asked)
                tasks.create_task(self._ask(session, asked))
                due += self._pause
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _once(self, asked: Asked) -> Asked:
        async with self._session() as session:
            repeated = Asked(asked.number, asked.key, time.time())
            await self._ask(session, repeated)
            return repeated

    def _session(self) -> aiohttp.ClientSession:
        # A connection for each request: none may be lost with one that was kept open too long.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=ANSWER_LIMIT_SECONDS),
            headers={"Authorization": f"Bearer {self._key}"},
        )

    async def _ask(self, session: aiohttp.ClientSession, asked: Asked) -> None:
        body = {"service": self._service, "phone": f"+{asked.number}", "when": "now", "channel": "api"}
        try:
            async with session.post(
                f"{self._url()}/api/v1/callbacks", json=body, headers={"Idempotency-Key": asked.key}
            ) as answer:
                content = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return
        asked.answered_at = time.time()
        asked.status = answer.status
        asked.callback = content.get("id") if asked.accepted else None
