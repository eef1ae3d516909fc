"""What one answered call sounds like and does: the truth about who answers, and what they say and do in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

RATE = 8000
"""Samples a second; audio is 16 bit little-endian mono everywhere in this bench."""


class Truth(StrEnum):
    """Who answers."""

    PERSON = "person"
    MACHINE = "machine"
    ROBOT = "screening_robot"
    FAX = "fax"


@dataclass(frozen=True, slots=True)
class Say:
    """Send this audio, beginning now; the next step begins at its end."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Be silent for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Listen:
    """Be silent until the other side was heard in this step and then paused for `quiet_seconds`, or to the limit."""

    quiet_seconds: float
    limit_seconds: float


@dataclass(frozen=True, slots=True)
class Press:
    """One key, as RFC 4733 telephone events."""

    key: str


Step: TypeAlias = Say | Wait | Listen | Press


@dataclass(frozen=True, slots=True)
class Scene:
    """One call. `split` is A (to tune on) or B (to report on). The call is hung up after the last step.

    `noise` is heard all the time, repeated; empty: none. `suppress_silence`: frames without speech are not sent, as by
    a network with discontinuous transmission. `loss`: the share of packets that are lost on the way, in bursts.
    """

    name: str
    split: str
    truth: Truth
    kind: str
    language: str
    voice: str
    steps: tuple[Step, ...]
    noise: bytes = b""
    suppress_silence: bool = False
    loss: float = 0.0
