"""How a request to Asterisk can end, as a value: done, refused, or not known.

Network trouble is part of normal work for a callback engine, so it must never surface as an exception that
some caller forgot to catch. `Unknown` keeps apart the two cases that lead to different actions: the request
certainly never left this machine (`sent=False`), or it may have been carried out (`sent=True`) and only a
look at Asterisk can tell. A request whose end is unknown must never be repeated blindly: the second one would
dial a customer twice.
"""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """Asterisk did it; `value` is its answer, `None` where it has nothing to say (204)."""

    value: T


@dataclass(frozen=True, slots=True)
class Refused:
    """Asterisk answered and did not do it: HTTP `status` (300 to 599) and its own words."""

    status: int
    message: str

    @property
    def gone(self) -> bool:
        """The channel, bridge, playback or application of the request does not exist (any more)."""
        return self.status == 404


@dataclass(frozen=True, slots=True)
class Unknown:
    """No usable answer came.

    `sent=False`: the request certainly never reached Asterisk (refused connection, unknown host, no free
    connection), so nothing was done. `sent=True`: it may have been done, or may still be done a few
    milliseconds later.
    """

    why: str
    sent: bool = True


Result: TypeAlias = Ok[T] | Refused | Unknown
