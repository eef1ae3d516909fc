"""Hold music, composed and synthesised here: eight calm bars that end where they begin.

The same notes give the same bytes on every machine; nothing here may draw a random number. Pitches lie in the telephone
band, so that nothing of the tune is lost on the way.
"""

import functools

from engine.prompts import audio
from engine.prompts.audio import AudioSegment, Sine

LEVEL = -24.0
_BEAT = 750  # milliseconds; four to a bar
# Semitones above concert A (440 Hz). Each bar: the chord that lies under it, and the tune as (pitch, beats).
_BARS: tuple[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], ...] = (
    ((-5, -2, 3), ((7, 1), (3, 1), (10, 2))),
    ((-5, 0, 3), ((12, 1), (10, 1), (7, 2))),
    ((-4, 0, 3), ((8, 1), (7, 1), (3, 2))),
    ((-2, 2, 5), ((5, 1), (7, 1), (2, 2))),
    ((-5, -2, 3), ((3, 1), (7, 1), (10, 2))),
    ((-2, 2, 7), ((14, 1), (10, 1), (7, 2))),
    ((-4, 0, 3), ((8, 1), (12, 1), (10, 2))),
    ((-5, -2, 3), ((7, 1), (5, 1), (3, 2))),
)


def hold_music() -> AudioSegment:
    """24 seconds of music for a loop, at -24 dBFS; it starts and ends in silence so that the seam is not heard."""
    bar_length = 4 * _BEAT
    music = AudioSegment.silent(bar_length * len(_BARS), frame_rate=audio.RATE)
    for number, (chord, tune) in enumerate(_BARS):
        start = number * bar_length
        for pitch in chord:
            music = music.overlay(_pad(pitch, bar_length), position=start)
        for pitch, beats in tune:
            music = music.overlay(_bell(pitch, beats * _BEAT), position=start)
            start += beats * _BEAT
    return audio.levelled(music, LEVEL)


@functools.cache
def _tone(pitch: float, length: int) -> AudioSegment:
    return Sine(440 * 2 ** (pitch / 12), sample_rate=audio.RATE, bit_depth=16).to_audio_segment(length, volume=-18.0)


@functools.cache
def _pad(pitch: int, length: int) -> AudioSegment:
    return (_tone(pitch, length) - 12).fade_in(400).fade_out(900)


@functools.cache
def _bell(pitch: int, length: int) -> AudioSegment:
    octave = (_tone(pitch + 12, length) - 16).fade_out(length // 2)
    return _tone(pitch, length).overlay(octave).fade_in(15).fade_out(length - 30)
