"""What the far end hears of one call: counted as it arrives, with the times at which the kernel received the packets.

Times are epoch seconds. The announcement's window begins with the first packet that can be heard after the answer and
ends after so many seconds, at the first key, or with the call.
"""

from __future__ import annotations

from engine.lab.phone.g711 import ALAW_LOUDNESS, FRAME_SECONDS, ULAW_LOUDNESS, is_audible
from engine.lab.phone.rtp import PCMA, payload_of

_NOTHING, _SILENT, _AUDIBLE = b".-#"
_LONGEST_TIMELINE = 30_000
"""Ten minutes; nothing after it is drawn."""


class Ear:
    """Hears one call from its answer on."""

    __slots__ = (
        "_answered_at", "_highest", "_last_packet_at", "_loudness", "_payload_type", "_window_ends", "_window_seconds",
        "audible", "first_audio_at", "first_packet_at", "last_audible_at", "longest_gap", "longest_silence",
        "malformed", "missing", "received", "timeline",
    )  # fmt: skip

    def __init__(self, payload_type: int, answered_at: float, announcement_seconds: float) -> None:
        self._payload_type = payload_type
        self._loudness = ALAW_LOUDNESS if payload_type == PCMA else ULAW_LOUDNESS
        self._answered_at = answered_at
        self._window_seconds = announcement_seconds
        self._window_ends: float | None = None
        self._last_packet_at = answered_at
        self._highest = -1
        self.first_packet_at: float | None = None
        self.first_audio_at: float | None = None
        self.last_audible_at = 0.0
        self.longest_gap = 0.0
        self.longest_silence = 0.0
        self.audible = 0
        self.received = 0
        self.missing = 0
        self.malformed = 0
        self.timeline = bytearray()

    def hear(self, packet: bytes, at: float) -> None:
        """One packet that arrived at that time."""
        payload = packet[12:] if packet[:1] == b"\x80" and len(packet) > 12 else payload_of(packet)
        if payload is None:
            self.malformed += 1
            return
        self.received += 1
        self._count(packet[2] << 8 | packet[3])
        if packet[1] & 0x7F != self._payload_type:
            return
        if self.first_packet_at is None:
            self.first_packet_at = at
        window_ends = self._window_ends
        if window_ends is not None:
            if at < window_ends:
                self.longest_gap = max(self.longest_gap, at - self._last_packet_at)
            else:
                self.end_announcement(window_ends)
        self._last_packet_at = at
        if is_audible(payload, self._loudness):
            self._is_heard(at)
            self._draw(at, _AUDIBLE)
        else:
            self._draw(at, _SILENT)

    def end_announcement(self, at: float) -> None:
        """The announcement is over, if it is not yet: what was missing up to now counts."""
        ends, self._window_ends = self._window_ends, None
        self._window_seconds = 0.0
        if ends is None:
            return
        ends = min(ends, at)
        self.longest_gap = max(self.longest_gap, ends - self._last_packet_at)
        self.longest_silence = max(self.longest_silence, ends - self.last_audible_at - FRAME_SECONDS)

    def _is_heard(self, at: float) -> None:
        if self.first_audio_at is None:
            self.first_audio_at = at
            self._window_ends = at + self._window_seconds
        elif self._window_ends is not None:
            self.longest_silence = max(self.longest_silence, at - self.last_audible_at - FRAME_SECONDS)
        self.audible += 1
        self.last_audible_at = at

    def _count(self, sequence: int) -> None:
        """Numbers that were left out count as missing; one that comes late is no longer."""
        if self._highest < 0:
            self._highest = sequence
            return
        step = sequence - self._highest & 0xFFFF
        if 0 < step < 0x8000:
            self.missing += step - 1
            self._highest = sequence
        elif step and self.missing:
            self.missing -= 1

    def _draw(self, at: float, mark: int) -> None:
        place = max(0, int((at - self._answered_at) / FRAME_SECONDS))
        timeline = self.timeline
        if place >= _LONGEST_TIMELINE:
            return
        if place >= len(timeline):
            timeline.extend(bytes((_NOTHING,)) * (place + 1 - len(timeline)))
        if timeline[place] != _AUDIBLE:
            timeline[place] = mark
