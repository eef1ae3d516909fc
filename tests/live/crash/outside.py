"""An outside system: it announces chats, and now and then says itself that one is over or not wanted any more."""

from __future__ import annotations

import itertools
import random
import time

from tests.live.crash.busy import Busy
from tests.live.crash.evidence import Announced, Answer, Said, Word
from tests.live.crash.town import CHAT
from tests.live.crash.wire import Door

EVERY_SECONDS = 1.2
MOST_OPEN = 4
ENDED_SHARE = 0.2
ENDED_AFTER_SECONDS = (0.5, 4.0)


class Outside(Busy):
    """Announces at most MOST_OPEN more than have been heard of as ended; `key` is an administrator's."""

    def __init__(self, door: Door, key: str, seed: int) -> None:
        super().__init__("outside", EVERY_SECONDS)
        self.announced: list[Announced] = []
        self.said: list[Said] = []
        self._door = door
        self._key = key
        self._dice = random.Random(f"outside {seed}")  # noqa: S311 - a plan must be repeatable
        self._marks = itertools.count(1)
        self._to_end: dict[str, tuple[Word, float]] = {}
        self._calm = False

    def calm_down(self) -> None:
        """Announce nothing more."""
        self._calm = True

    def _look(self, *, roused: bool) -> None:
        for item, (word, at) in list(self._to_end.items()):
            if time.time() >= at and self._end(item, word):
                del self._to_end[item]
        if not self._calm and self._open() < MOST_OPEN:
            self._announce()

    def _open(self) -> int:
        told = self._door.ask(self._key, "GET", "/interactions?state=queued,offered,active")
        return MOST_OPEN if told is None or told.answer is not Answer.ACCEPTED else len(told.said["items"])

    def _announce(self) -> None:
        mark = str(next(self._marks))
        body = {"media": "chat", "service": CHAT, "context": {"mark": mark}}
        told = self._door.ask(self._key, "POST", "/interactions", body)
        if told is None:
            return
        item = str(told.said["id"]) if told.answer is Answer.ACCEPTED else ""
        self.announced.append(Announced(mark, told.answer, item, told.status))
        if item and self._dice.random() < ENDED_SHARE:
            word = self._dice.choice((Word.COMPLETE, Word.CANCEL))
            self._to_end[item] = word, time.time() + self._dice.uniform(*ENDED_AFTER_SECONDS)

    def _end(self, item: str, word: Word) -> bool:
        """Whether it was taken, or refused for good."""
        if word is Word.CANCEL:
            told = self._door.ask(self._key, "DELETE", f"/interactions/{item}")
        else:
            told = self._door.ask(self._key, "POST", f"/interactions/{item}/complete")
        if told is None:
            return False
        self.said.append(
            Said("", item, word, told.answer, told.status, sent_at=told.sent_at, answered_at=told.answered_at)
        )
        return told.answer is Answer.ACCEPTED or 400 <= told.status < 500
