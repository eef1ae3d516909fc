"""Acts out a scene, frame by frame of 20 ms: what is said, noise, keys, and waiting for the other side to pause.

All that can be known before the call is encoded once; a frame of speech with noise is mixed when it is sent, because
the noise goes on at whatever moment the speech begins.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from engine.lab.phone.g711 import (
    FRAME_SAMPLES,
    FRAME_SECONDS,
    SILENCE,
    encoded,
    frames,
    is_audible,
    mixed,
    samples,
)
from engine.lab.phone.rtp import KEY_FRAMES, Stream
from tests.bench.screening.listening import Ear
from tests.bench.screening.scene import Listen, Press, Say, Scene, Step, Wait

HEARD_PACKETS = 3
"""The other side was heard when so many packets could be heard; a click is none."""

Frames: TypeAlias = Generator[tuple[bytes, ...], float, None]
"""Yields the packets of one frame after another; is sent the time, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Audio ready to be sent: mu-law payloads of 20 ms, and the samples for mixing."""

    payloads: tuple[bytes, ...]
    samples: array[int]

    @classmethod
    def of(cls, audio: bytes) -> Sound:
        """16 bit little-endian mono of 8000 Hz."""
        values = samples(audio)
        return cls(frames(encoded(values)), values)

    def frame(self, index: int) -> array[int]:
        """The samples of one payload."""
        return self.samples[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES]


class Library:
    """Every sound of the scenes, encoded once however many scenes have it."""

    def __init__(self, scenes: Iterable[Scene]) -> None:
        self._sounds: dict[bytes, Sound] = {}
        for scene in scenes:
            for audio in (scene.noise, *(step.audio for step in scene.steps if isinstance(step, Say))):
                if audio not in self._sounds:
                    self._sounds[audio] = Sound.of(audio)

    def sound(self, audio: bytes) -> Sound:
        """The sound of this audio, which some scene has."""
        return self._sounds[audio]


class Performance:
    """One call's scene. `on_key` is told of a key when its first packet is due."""

    def __init__(self, scene: Scene, library: Library, stream: Stream, ear: Ear, on_key: Callable[[str], None]) -> None:
        self._scene = scene
        self._library = library
        self._stream = stream
        self._ear = ear
        self._on_key = on_key
        noise = library.sound(scene.noise)
        self._noise = noise if noise.payloads else None
        self._frame = 0

    def frames(self) -> Frames:
        """The packets of each frame; the end is the end of the last step."""
        for step in self._scene.steps:
            yield from self._act(step)

    def _act(self, step: Step) -> Frames:
        match step:
            case Say(audio=audio):
                yield from self._say(self._library.sound(audio))
            case Wait(seconds=seconds):
                for _ in range(round(seconds / FRAME_SECONDS)):
                    yield self._silence()
            case Listen():
                yield from self._listen(step)
            case Press(key=key):
                yield from self._press(key)

    def _say(self, sound: Sound) -> Frames:
        for index, payload in enumerate(sound.payloads):
            if self._scene.suppress_silence and not is_audible(payload):
                yield self._silence()
                continue
            noise = self._noise
            if noise is not None:
                payload = mixed(sound.frame(index), noise.frame(self._frame % len(noise.payloads)))
            self._frame += 1
            yield self._stream.audio(payload)

    def _listen(self, step: Listen) -> Frames:
        ear, before = self._ear, self._ear.audible
        for _ in range(round(step.limit_seconds / FRAME_SECONDS)):
            now = yield self._silence()
            if ear.audible - before >= HEARD_PACKETS and now - ear.last_audible_at >= step.quiet_seconds:
                return

    def _press(self, key: str) -> Frames:
        self._on_key(key)
        for frame in range(KEY_FRAMES):
            self._frame += 1
            yield self._stream.key(key, frame)

    def _silence(self) -> tuple[bytes, ...]:
        """Nobody speaks: the noise, or nothing with silence suppression."""
        frame = self._frame
        self._frame = frame + 1
        if self._scene.suppress_silence:
            return self._stream.nothing()
        noise = self._noise
        return self._stream.audio(SILENCE if noise is None else noise.payloads[frame % len(noise.payloads)])
