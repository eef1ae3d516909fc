"""Named moments between a decision, its writing down and its effect, at which a test may kill the process.

`RINGBACK_CRASH_AT=DialCustomer.before` ends the engine with SIGKILL when it comes to that point for the first time,
`DialCustomer.before#3` at the third time. `DialCustomer.before@billing` counts only what concerns that service, and
`commit.after@WorkAccepted` only commits of such an event, or of the timer of that name. Without the variable a point
costs one comparison. A power failure does the same at any time; the points only make the dangerous instants hittable.

Every effect has `<Effect>.before`: what led to it is durable as far as its class demands, and nothing was asked of
Asterisk; and `<Effect>.after`: Asterisk has done it, and nobody was told. The others stand beside their code.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Container
from typing import Final, get_args

from engine.core.effects import Effect

VARIABLE: Final = "RINGBACK_CRASH_AT"

COMMIT_BEFORE: Final = "commit.before"
"""A group is decided, its media and release effects are under way, nothing of it is written."""
COMMIT_AFTER: Final = "commit.after"
"""The group is durable; nobody was answered and no irreversible effect has begun."""
BRIDGE_MADE: Final = "Connect.bridge-made"
"""The bridge exists and nobody is in it."""
LAST_WORDS_SAID: Final = "last-words.said"
"""The customer has heard them and is not hung up yet."""

POINTS: Final[tuple[str, ...]] = (
    COMMIT_BEFORE,
    COMMIT_AFTER,
    *(f"{effect.__name__}.{moment}" for effect in get_args(Effect) for moment in ("before", "after")),
    BRIDGE_MADE,
    LAST_WORDS_SAID,
)
"""Every point there is."""

About = Callable[[], Container[str]]
"""What a moment concerns; asked only if the point is armed for something."""

_point, _, _times = os.environ.get(VARIABLE, "").partition("#")
_name, _, _concern = _point.partition("@")
_left = int(_times) if _times.isdigit() else 1


def _nothing() -> Container[str]:
    return ()


def is_armed(point: str, about: About = _nothing) -> bool:
    """Whether the process is to die at this point, now or at a later time."""
    return point == _name and (not _concern or _concern in about())


def reached(point: str, about: About = _nothing) -> None:
    """The process is at this point; it ends here if the point is armed."""
    global _left
    if not is_armed(point, about):
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
