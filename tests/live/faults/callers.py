"""People who ring in while something fails: who they are, what is written of them, what they heard."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from engine.lab import RungIn
from engine.lab.callers import hang_up, ring_in, steps
from tests.live.calls.audio import longest_silence_seconds
from tests.live.faults.scene import Scene

Who = TypeVar("Who", bound=StrEnum)
AREAS = (202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219)
TALKS_ON = "talk"
"""What most callers do: they are heard all the time, and notice when they hear an agent."""


@dataclass(slots=True)
class Callers(Generic[Who]):
    """The callers of a scene, each of whom dials a number of their own and rings from one.

    Pressing a key lets a caller talk afterwards, as everybody here does anyway.
    """

    at: Scene
    who: Sequence[Who]
    _rings: dict[Who, str] = field(default_factory=dict)

    def phone(self, who: Who) -> str:
        """The number they ring from; who is called there answers and presses 1."""
        return f"1{AREAS[self.who.index(who)]}5550100"

    def dialled(self, who: Who) -> str:
        return f"+120255501{50 + self.who.index(who)}"

    def ring(self, who: Who, script: str = TALKS_ON) -> None:
        self._rings[who] = ring_in(self.at.lab, self.dialled(who), f"+{self.phone(who)}", steps(script))

    def call(self, who: Who) -> RungIn | None:
        """As the network saw it so far."""
        return next((each for each in self.at.lab.rung_in() if each.ring_id == self._rings[who]), None)

    def seen(self, who: Who) -> RungIn:
        """The same, of a call that has begun."""
        call = self.call(who)
        assert call is not None, f"{who} has not rung"
        return call

    def ended(self, who: Who) -> RungIn:
        return self.at.lab.await_rung_in(self._rings[who])

    def _has_met(self, who: Who) -> bool:
        call = self.call(who)
        return call is not None and call.met_at is not None

    def is_up(self, who: Who) -> bool:
        call = self.call(who)
        return call is not None and call.answered_at is not None and call.ended_at is None

    def hang_up(self, who: Who) -> None:
        hang_up(self.at.lab, self._rings[who])

    def press(self, who: Who, key: str) -> None:
        """Not before their script has begun: at the answer Dial() still has the phone, and a redirect makes another
        channel of it, of which nobody knows whose it is.
        """
        self.at.wait(lambda: self._acts(who), f"{who} has been answered and acts", 10)
        told = self.at.lab.console(f"channel redirect {self.seen(who).channel} press,{key},1", side="network")
        assert "successfully" in told, told

    def _acts(self, who: Who) -> bool:
        shown = self.at.lab.console(f"core show channel {self.seen(who).channel}", side="network")
        return self.is_up(who) and "Application:" in shown and "AppDial" not in shown

    # ---- what is written ---------------------------------------------------------------------------------

    def row(self, who: Who) -> sqlite3.Row:
        return self.rows(who)[-1]

    def rows(self, who: Who) -> list[sqlite3.Row]:
        return self.at.rows("select * from inbound_calls where phone = ? order by entered_at", f"+{self.phone(who)}")

    def timers(self, who: Who) -> set[str]:
        found = self.rows(who)
        of_call = self.at.rows("select name from timers where owner = ?", found[-1]["id"]) if found else []
        return {row["name"] for row in of_call}

    def callbacks(self, who: Who) -> list[sqlite3.Row]:
        return self.at.rows("select * from callbacks where phone = ?", f"+{self.phone(who)}")

    # ---- waiting for them --------------------------------------------------------------------------------

    def until_waiting(self, *some: Who) -> None:
        """Until they wait with music and have heard the greeting."""
        for who in some:
            self.at.wait(lambda who=who: "comfort" in self.timers(who), f"{who} waits", 15)  # type: ignore[misc]

    def until_asked(self, who: Who) -> None:
        self.at.wait(
            lambda: self.timers(who) >= {"menu"} and "comfort" not in self.timers(who), f"{who} is in the menu", 10
        )

    def until_met(self, *some: Who) -> None:
        for who in some:
            self.at.wait(lambda who=who: self._has_met(who), f"{who} hears the agent", 40)  # type: ignore[misc]

    def until_over(self, *some: Who) -> None:
        for who in some:
            self.at.wait(lambda who=who: self.row(who)["ended_at"], f"{who}'s call is over", 30)  # type: ignore[misc]

    def keep_place(self, who: Who) -> None:
        """They press the key, hear the question begin, and say yes."""
        self.press(who, "1")
        self.until_asked(who)
        self.press(who, "1")

    def silence_seconds(self, who: Who, start: float, end: float) -> float:
        """The longest silence they heard between two moments (epoch seconds); their call is over."""
        call = self.ended(who)
        recorded = self.at.lab.recordings(call)
        return longest_silence_seconds(recorded, start - call.started_at, end - call.started_at)


def hours_closed_now() -> str:
    """Two hours of the day, UTC, that are hours away."""
    return "20:00-22:00" if time.gmtime().tm_hour < 12 else "02:00-04:00"
