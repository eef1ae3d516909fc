"""What the far end knows of a call once it has ended, and of all calls once it is stopped. Times are epoch seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from engine.lab.witness import KeyPress


class EndedBy(StrEnum):
    """Who ended a call first."""

    FAR_END = "far_end"
    PBX = "pbx"


@dataclass(frozen=True, slots=True)
class CallResult:
    """One INVITE and what became of it.

    `status` is the final response: 200, 404 (no scene for the number), 487 (cancelled) or 488 (no codec in common).
    Everything from `answered_at` on is None, zero or empty unless it is 200.

    `first_packet_at`, `first_audio_at`: the first audio packet, and the first that could be heard (-50 dBov).
    `longest_gap`, `longest_silence`: the longest time between two arriving packets, and between two that could be
    heard, within the announcement's window: from `first_audio_at` for so many seconds, to the first key, or to the end.
    `sent` counts packets that went out, `lost` those that were dropped on purpose, `missing` those of the PBX that
    never came. `timeline` has a character per 20 ms since the answer: `.` no packet, `-` silent, `#` audible.
    """

    number: str
    scene: str
    call_id: str
    status: int
    invited_at: float
    ended_at: float
    ended_by: EndedBy
    answered_at: float | None = None
    first_packet_at: float | None = None
    first_audio_at: float | None = None
    longest_gap: float = 0.0
    longest_silence: float = 0.0
    keys: tuple[KeyPress, ...] = ()
    sent: int = 0
    lost: int = 0
    received: int = 0
    missing: int = 0
    audible_seconds: float = 0.0
    timeline: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the far end's process did and what it took. `late_*`: packets sent after they were due, in milliseconds.

    `strangers`: RTP packets from an address that no call has. `malformed`: datagrams that are no SIP, no RTP.
    """

    calls: int
    most_at_once: int
    sent: int
    received: int
    strangers: int
    malformed: int
    cpu_seconds: float
    seconds: float
    late_median: float
    late_99: float
    late_most: float


def line(result: CallResult) -> bytes:
    """One line of the results' file."""
    return msgspec.json.encode(result) + b"\n"


def read(path: Path) -> list[CallResult]:
    """The results that are in the file so far, in the order in which the calls ended."""
    whole, newline, _ = path.read_bytes().rpartition(b"\n")
    return [msgspec.json.decode(each, type=CallResult) for each in whole.splitlines()] if newline else []
