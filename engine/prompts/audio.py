"""The sound of a prompt: read, trim, level, judge and write 8 kHz mono 16-bit WAV.

All files of Ringback that Asterisk plays pass through `write`, so a reader never sees half of one. Levels are RMS in
dBFS (0 = full scale), lengths in milliseconds.
"""

import io
import math
import os
import tempfile
import warnings
import wave
from pathlib import Path

from engine.prompts.errors import PromptError

with warnings.catch_warnings():
    # pydub wants ffmpeg only for formats other than WAV, and its import is noisy on Python 3.11 and 3.12.
    warnings.filterwarnings("ignore", "Couldn't find ffmpeg or avconv", RuntimeWarning)
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    warnings.filterwarnings("ignore", r".*invalid escape sequence", DeprecationWarning)
    warnings.filterwarnings("ignore", r".*invalid escape sequence", SyntaxWarning)
    import audioop

    from pydub import AudioSegment
    from pydub.generators import Sine
    from pydub.silence import detect_leading_silence

__all__ = [
    "AudioSegment",
    "Sine",
    "decode",
    "halve_rate",
    "levelled",
    "silence_reason",
    "trimmed",
    "wav_bytes",
    "write",
]

RATE = 8000
SPEECH_LEVEL = -20.0
PEAK_LIMIT = -1.0
LEADING_SILENCE = 30
TRAILING_SILENCE = 120
_BELOW_SPEECH = 30.0
_SHORTEST = 200
_QUIETEST = -45.0
# Half-band low-pass, Hamming window: what lies above 4 kHz must go before every second sample is dropped.
_HALF_BAND = tuple(
    math.sin(math.pi * k / 2) / (math.pi * k) * (0.54 + 0.46 * math.cos(math.pi * k / 32)) for k in range(1, 32, 2)
)


def decode(wav: bytes) -> AudioSegment:
    """The sound in a WAV file's bytes. Raises `PromptError` when it is not 8 kHz mono 16-bit PCM."""
    try:
        with wave.open(io.BytesIO(wav)) as reader:
            shape = (reader.getframerate(), reader.getnchannels(), reader.getsampwidth() * 8)
            frames = reader.readframes(reader.getnframes())
            promised = reader.getnframes() * reader.getnchannels() * reader.getsampwidth()
    except (wave.Error, EOFError, RuntimeError) as error:
        raise PromptError(f"not a PCM WAV file ({error or 'cut short'})") from error
    if shape != (RATE, 1, 16):
        raise PromptError(f"{shape[0]} Hz, {shape[1]} channels, {shape[2]} bit; 8000 Hz, 1 channel, 16 bit is needed")
    if len(frames) != promised:
        raise PromptError("cut short: the file holds less sound than it promises")
    return AudioSegment(data=frames, sample_width=2, frame_rate=RATE, channels=1)


def halve_rate(wav: bytes) -> bytes:
    """A 16 kHz mono 16-bit WAV file as 8 kHz; any other file comes back as it is, for `decode` to judge.

    pydub resamples without a filter and would fold the upper octave into the speech.
    """
    try:
        with wave.open(io.BytesIO(wav)) as reader:
            if (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) != (2 * RATE, 1, 2):
                return wav
            samples = audioop.lin2lin(reader.readframes(reader.getnframes()), 2, 4)
    except (wave.Error, EOFError, RuntimeError):
        return wav
    reach = 2 * len(_HALF_BAND)
    padded = bytes(4 * reach) + samples + bytes(4 * reach)

    def shifted(offset: int) -> bytes:
        start = 4 * (reach + offset)
        return padded[start : start + len(samples)]

    filtered = audioop.mul(samples, 4, 0.5)
    for offset, weight in zip(range(1, reach, 2), _HALF_BAND, strict=True):
        for side in (offset, -offset):
            filtered = audioop.add(filtered, audioop.mul(shifted(side), 4, weight), 4)
    halved, _ = audioop.ratecv(audioop.lin2lin(filtered, 4, 2), 2, 1, 2 * RATE, RATE, None)
    return wav_bytes(AudioSegment(data=halved, sample_width=2, frame_rate=RATE, channels=1))


def silence_reason(sound: AudioSegment) -> str | None:
    """Why `sound` would be heard as nothing, or None."""
    if len(sound) < _SHORTEST:
        return f"only {len(sound)} ms long"
    if sound.dBFS < _QUIETEST:
        return "silent" if sound.rms == 0 else f"nearly silent ({sound.dBFS:.0f} dBFS)"
    return None


def trimmed(sound: AudioSegment) -> AudioSegment:
    """`sound` with 30 ms of silence at most before and 120 ms at most after it."""
    threshold = sound.dBFS - _BELOW_SPEECH
    start = detect_leading_silence(sound, threshold, chunk_size=5)
    end = len(sound) - detect_leading_silence(sound.reverse(), threshold, chunk_size=5)
    return sound[max(0, start - LEADING_SILENCE) : end + TRAILING_SILENCE]


def levelled(sound: AudioSegment, level: float = SPEECH_LEVEL) -> AudioSegment:
    """`sound` at `level`, or as near to it as its highest peak allows without clipping."""
    return sound.apply_gain(min(level - sound.dBFS, PEAK_LIMIT - sound.max_dBFS))


def wav_bytes(sound: AudioSegment) -> bytes:
    """`sound` as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(sound.raw_data)
    return out.getvalue()


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: whoever reads it finds the old file or the whole new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)  # Asterisk runs as another user
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PromptError(f"cannot write {path}: {error.strerror}; choose a folder you may write to") from error
