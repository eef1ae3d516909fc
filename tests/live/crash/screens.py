"""Agents at their screens: they see what they are offered over HTTP, and say yes, no, later or nothing at all."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.live.crash.busy import Busy
from tests.live.crash.evidence import Answer, Offered, Said, Word
from tests.live.crash.town import DONE
from tests.live.crash.wire import Door

LOOK_SECONDS = 0.3
THINKING_SECONDS = (0.0, 1.5)
PUT_OFF_SECONDS = (3.0, 6.0)
CHAT_SECONDS = (0.5, 3.0)
_TO_PREVIEWS = (*[Word.ACCEPT] * 9, *[Word.REJECT] * 5, *[Word.RESCHEDULE] * 3, *[None] * 3)
_TO_OUTSIDE_WORK = (*[Word.ACCEPT] * 7, Word.REJECT, Word.REJECT, None)
_AFTER_CALLS = (*[Word.COMPLETE] * 4, *[Word.RESCHEDULE] * 5, None)
"""What is said how often; None: the agent looks away."""


class Screens(Busy):
    """One thread for all of them; `keys` are theirs, by agent. What cannot be said is said again at the next look."""

    def __init__(self, door: Door, keys: Mapping[str, str], seed: int) -> None:
        super().__init__("screens", LOOK_SECONDS)
        self.said: list[Said] = []
        self.offered: list[Offered] = []
        self._door = door
        self._keys = keys
        self._dice = random.Random(f"screens {seed}")  # noqa: S311 - a plan must be repeatable
        self._meant: dict[tuple[str, str, str], tuple[Word | None, float]] = {}
        self._made: set[str] = set()
        self._calm = False

    def calm_down(self) -> None:
        """From now on nobody is put off any more: the run comes to its end."""
        self._calm = True

    def _look(self, *, roused: bool) -> None:
        for agent, key in self._keys.items():
            seen = self._door.ask(key, "GET", "/agent")
            if seen is not None and seen.answer is Answer.ACCEPTED:
                for work in seen.said["works"]:
                    self._attend(agent, work, seen.sent_at)

    def _attend(self, agent: str, work: Mapping[str, Any], seen_at: float) -> None:
        """Make up one's mind at the first sight of something; say it when its time has come."""
        stage, is_call = work["stage"], work["kind"] == "callback"
        if stage not in ("offered", "wrap_up") and (stage != "active" or is_call):
            return
        sight = agent, str(work["id"]), f"{stage} {work['respond_by']}"
        if sight not in self._meant:
            if stage == "offered":
                self.offered.append(Offered(agent, work["callback"] or work["id"], seen_at))
            self._meant[sight] = self._mind(work, stage, is_call=is_call)
        word, at = self._meant[sight]
        if word is Word.RESCHEDULE and self._calm:
            return  # it could not be said in time
        if word is not None and time.time() >= at and self._say(agent, work, word):
            self._meant[sight] = None, 0.0

    def _mind(self, work: Mapping[str, Any], stage: str, *, is_call: bool) -> tuple[Word | None, float]:
        if stage == "active":
            return Word.COMPLETE, time.time() + self._dice.uniform(*CHAT_SECONDS)
        words = _AFTER_CALLS if stage == "wrap_up" else _TO_PREVIEWS if is_call else _TO_OUTSIDE_WORK
        word = self._dice.choice(words)
        # Who was called once more by an agent's wish is not put off again and again.
        if word is Word.RESCHEDULE and (self._calm or work["callback"] in self._made):
            word = Word.COMPLETE if stage == "wrap_up" else Word.ACCEPT
        return word, time.time() + self._dice.uniform(*THINKING_SECONDS)

    def _say(self, agent: str, work: Mapping[str, Any], word: Word) -> bool:
        """Whether it was taken, or refused for good."""
        body: dict[str, object] | None = None
        when = None
        if word is Word.RESCHEDULE:
            when = float(math.ceil(time.time() + self._dice.uniform(*PUT_OFF_SECONDS)))
            body = {"when": datetime.fromtimestamp(when, UTC).isoformat()}
        elif word is Word.COMPLETE and work["kind"] == "callback":
            body = {"disposition": DONE}
        told = self._door.ask(self._keys[agent], "POST", f"/agent/work/{work['id']}/{word}", body)
        if told is None:
            return False
        made = str(told.said.get("callback") or "") if when is not None else ""
        if made:
            self._made.add(made)
        callback = str(work["callback"] or "")
        self.said.append(
            Said(
                agent,
                str(work["id"]),
                word,
                told.answer,
                told.status,
                callback,
                when,
                made,
                told.sent_at,
                told.answered_at,
            )
        )
        return told.answer is Answer.ACCEPTED or 400 <= told.status < 500
