"""Steps of a scene while they are written, with the time they take since the answer."""

from __future__ import annotations

from tests.bench.screening import sound
from tests.bench.screening.scene import Say, Step, Wait
from tests.bench.screening.sound import Sound


class Telling:
    """`elapsed`: seconds since the answer at the end of the steps so far, as long as none of them listens."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self.elapsed = 0.0

    def wait(self, seconds: float) -> None:
        if seconds > 0:
            self._steps.append(Wait(round(seconds, 3)))
            self.elapsed += seconds

    def wait_until(self, seconds: float) -> None:
        """Until so long after the answer; not at all if that is past."""
        self.wait(seconds - self.elapsed)

    def say(self, said: Sound) -> None:
        self._steps.append(Say(sound.to_samples(said)))
        self.elapsed += sound.seconds(said)

    def do(self, *steps: Step) -> None:
        self._steps.extend(steps)

    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps)
