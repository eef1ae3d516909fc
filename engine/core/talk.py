"""How much the other side of a call has talked, from Asterisk's talk detection and from the audio that came.

Talk detection learns nothing while no packets come: a network that sends none in silence looks to it like somebody who
never stops. So a stretch without an end is believed for a moment only, and what is longer is looked at: the seconds of
audio received tell talk from nothing. Once they show gaps, they alone are the measure.
"""

from __future__ import annotations

import math

BLIP_SECONDS = 0.1
"""Shorter stretches are clicks, or the first packet of a call, which is always reported as talk."""
BELIEVED_SECONDS = 1.5
"""How long a stretch without an end is believed unseen."""
LOOK_SECONDS = 1.0
"""The time between two looks at a network that sends nothing in silence."""
_SENDS_ALWAYS = 0.75
"""The share of a span from which on its audio counts as gapless; losses stay well above it."""
_MOMENT_SECONDS = 0.02
"""So much later than it can be true: times are no exact numbers."""
_COMFORT_NOISE = 0.25
"""The share of a span below which its audio is no talk: packets that describe the noise of the line."""


class TalkMeter:
    """All times are those at which we heard of it; lengths are seconds.

    `total`: in stretches that are over. `since`: when the present one began; None while they are silent, and always
    once their network is known to send nothing in silence (`suppressed`). `pause_before`: their silence before the
    stretch heard last. `began_at`, `ended_at` and `length` are of the last one that is over.
    """

    def __init__(self, pause_seconds: float) -> None:
        self.total = 0.0
        self.since: float | None = None
        self.began_at: float | None = None
        self.ended_at: float | None = None
        self.length = 0.0
        self.pause_before = math.inf
        self.suppressed = False
        self._pause = pause_seconds
        self._silence_comes = self._ear = False
        self._seen_until = 0.0
        self._received: float | None = None
        self._looked_at = 0.0

    def has_ear(self, now: float) -> None:
        """Talk is told by somebody who hears silence too; what talk detection said last has no end any more."""
        self._ear, self.suppressed = True, False
        self._end(math.inf, now)

    def lost_ear(self) -> None:
        """Talk is told by talk detection again; the end of the present stretch, too."""
        self._ear = False

    def answered(self, now: float) -> None:
        """What was heard before, such as a ringing tone, does not count."""
        self.total, self.pause_before = 0.0, math.inf
        self.began_at = self.ended_at = None
        self._looked_at = now
        if self.since is not None:
            self.since = self._seen_until = now

    def started(self, now: float) -> None:
        if self.since is None and not self.suppressed:
            self.since = self._seen_until = now
            self.pause_before = self._pause_until(now)

    def finished(self, seconds: float, now: float) -> None:
        """The present stretch was `seconds` long and ended a pause ago."""
        self._silence_comes |= not self._ear  # or talk detection could not tell
        self._end(seconds, now)

    def _end(self, seconds: float, now: float) -> None:
        if self.since is not None:
            began, self.since = self.since, None
            end = max(began, now - self._pause)
            self._add(min(seconds, end - began), began, end)

    def counted(self, received: float | None, now: float) -> None:
        """`received`: seconds of audio that came since the leg exists; None: nobody can tell."""
        looked_at, before = self._looked_at, self._received
        self._looked_at, self._received = now, received
        if self.suppressed:
            if received is not None and before is not None:
                self._add_sent(received - before, looked_at, now)
        elif self.since is not None:
            self._check(received, before, now)

    def talked(self, now: float) -> float:
        """How much is certain."""
        if self.since is None:
            return self.total
        return self.total + self._certain_until(self.since, now) - self.since

    def silent_since(self) -> float | None:
        """The end of the last stretch; None while they talk, or if they have not talked."""
        return None if self.since is not None else self.ended_at

    @property
    def needs_look(self) -> bool:
        """Whether only a look at the audio that came can tell if they still talk."""
        return self.suppressed or (self.since is not None and not self._ear and not self._silence_comes)

    def look_at(self, enough: float, now: float) -> float | None:
        """When time, or a look at the audio that came, may show more; `enough`: the talk in all that matters next."""
        if self.suppressed:
            return max(now, self._looked_at + LOOK_SECONDS)
        if self.since is None:
            return None
        if self.needs_look:
            return self.since + BELIEVED_SECONDS if self._seen_until <= self.since else self._seen_until + LOOK_SECONDS
        at = self.since + enough - self.total + self._pause + _MOMENT_SECONDS
        return at if at > now else None

    def _pause_until(self, began: float) -> float:
        return math.inf if self.ended_at is None else began - self.ended_at

    def _certain_until(self, began: float, now: float) -> float:
        """Up to when somebody talked for certain; in the last moments there may have been a pause already."""
        if self._ear or self._silence_comes:
            return max(began, now - self._pause)
        return max(began, self._seen_until - self._pause, min(now - self._pause, began + BELIEVED_SECONDS))

    def _check(self, received: float | None, before: float | None, now: float) -> None:
        """Whether who is said to talk is really heard."""
        assert self.since is not None  # noqa: S101 - the caller has looked
        certain = self._certain_until(self.since, now)
        if received is None:
            began, self.since = self.since, None
            self._add(certain - began, began, certain)
            return
        span = now - self._seen_until
        # What came before the first look is not told apart from what came before the answer.
        came = min(span, received if before is None else received - before)
        if came >= _SENDS_ALWAYS * span:
            self._seen_until = now
            return
        began, self.since = self.since, None
        self.suppressed = True
        self._add(self._seen_until - began + came, began, now)

    def _add_sent(self, came: float, looked_at: float, now: float) -> None:
        span = now - looked_at
        if came < _COMFORT_NOISE * span:
            return
        goes_on = self.ended_at is not None and self.ended_at >= looked_at
        began = self.began_at if goes_on and self.began_at is not None else now - came
        if not goes_on:
            self.pause_before = self._pause_until(began)
        earlier = self.length if goes_on else 0.0
        self._add(came, began, now)
        self.length += earlier

    def _add(self, seconds: float, began: float, end: float) -> None:
        if seconds >= BLIP_SECONDS:
            self.total += seconds
            self.length = seconds
            self.began_at, self.ended_at = began, end
