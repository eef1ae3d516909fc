"""Prompts and music on legs: queues them, knows what is under way, tells when the last prompt of an effect has ended.

Asterisk cannot list playbacks and forgets one as soon as it has ended, so each has a name that can be counted up from
its leg's. A leg of an earlier process is treated with care: its playbacks are stopped by the names they may have, and
ours get names that nobody had before, or the end of an old prompt would be taken for the end of a new one. The leg
itself carries which processes have taken it over, so that the next one knows their names too.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from engine.asterisk.ari import AriClient, Ok, Refused, Result
from engine.asterisk.ari.snapshots import PlaybackState
from engine.core.effects import Voice
from engine.core.events import Event, PlayingFinished
from engine.core.terms import BridgeId, LegId, Prompt

log = structlog.get_logger()

NAMES = 32
"""So many names the playbacks of a leg have in turn: more than are ever queued on it, few enough for the next process
to stop each. Who waits for long hears hundreds of prompts."""
FAILED_GRACE_SECONDS = 1.0
"""After a prompt that failed, for the end of its leg to be heard of."""
TAKEN_OVER = "RB_TAKEN_OVER"
"""The channel variable with the processes, oldest first, that found the leg and played on it."""


class Prompts(Protocol):
    """Where the voice prompts are, as Asterisk sees them."""

    def media(self, voice: Voice, prompt: Prompt) -> str:
        """A media address such as `sound:/path/without/extension`; numbers reach from 0 to 59."""


@dataclass(slots=True)
class Playing:
    """Prompts of one effect on one leg; `pending` are the playbacks that have not ended."""

    leg: LegId
    tag: str
    pending: set[str] = field(default_factory=set)
    complete: bool = True
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class PromptPlayer:
    """What is playing or queued on the legs of one Asterisk."""

    def __init__(self, client: AriClient, prompts: Prompts, tell: Callable[[Event], None]) -> None:
        self._client = client
        self._prompts = prompts
        self._tell = tell
        self._playing: dict[str, Playing] = {}
        self._played: dict[LegId, int] = {}
        self._inherited: set[LegId] = set()
        self._with_music: set[LegId] = set()
        self._process = secrets.token_hex(3)

    def leg_begins(self, leg: LegId) -> None:
        """The leg is about to be made by us: nothing plays on it yet."""
        self._played[leg] = 0

    def leg_ended(self, leg: LegId) -> None:
        """Forget what was under way on a leg that is gone."""
        self._played.pop(leg, None)
        self._inherited.discard(leg)
        self._with_music.discard(leg)
        for playback in [each for each, playing in self._playing.items() if playing.leg == leg]:
            self._playing.pop(playback).ended.set()

    def only_these_are_left(self, channels: Container[str]) -> None:
        """Forget legs whose end nobody heard."""
        for leg in [leg for leg in self._played if leg not in channels]:
            self.leg_ended(leg)

    def playback_ended(self, playback: str, state: PlaybackState, media: str) -> None:
        """Asterisk finished one prompt."""
        playing = self._playing.pop(playback, None)
        if playing is None:
            return
        playing.pending.discard(playback)
        if state is PlaybackState.FAILED:
            playing.complete = False
            asyncio.get_running_loop().call_later(FAILED_GRACE_SECONDS, self._alarm, playing.leg, media)
        if not playing.pending:
            playing.ended.set()
            self._tell(PlayingFinished(playing.leg, playing.tag, playing.complete))

    def _alarm(self, leg: LegId, media: str) -> None:
        """A prompt also fails when somebody hangs up in it; that is no alarm."""
        if leg in self._played:
            log.error("prompt.failed", media=media, mend="run: ringback prompts check")

    async def start(self, playing: Playing, prompts: Sequence[Prompt], voice: Voice) -> Result[None]:
        """Queue the prompts on the leg: Asterisk plays them without a gap. All are registered beforehand."""
        leg = playing.leg
        media = [self._prompts.media(voice, prompt) for prompt in prompts]
        first = self._played.get(leg, 0)
        self._played[leg] = first + len(prompts)
        name = f"{leg}.play.{self._process}" if leg in self._inherited else f"{leg}.play"
        ids = [f"{name}.{(first + n) % NAMES}" for n in range(len(prompts))]
        playing.pending.update(ids)
        for playback in ids:
            self._playing[playback] = playing
        for n, playback in enumerate(ids):
            result = await self._client.channels.play(leg, media[n], playback)
            if not isinstance(result, Ok):
                self._could_not_queue(playing, ids[n:])
                if isinstance(result, Refused) and result.gone:
                    self.leg_ended(leg)
                return result
        return Ok(None)

    async def say_in_bridge(self, bridge: BridgeId, prompts: Sequence[Prompt], voice: Voice) -> bool:
        """Play prompts to all who are in a bridge; whether all of them have been said."""
        for n, prompt in enumerate(prompts):
            playing = Playing(LegId(bridge), "bridge")
            playback = f"{bridge}.play.{self._process}.{n}"
            playing.pending.add(playback)
            self._playing[playback] = playing
            result = await self._client.bridges.play(bridge, self._prompts.media(voice, prompt), playback)
            if isinstance(result, Ok):
                await playing.ended.wait()
            self._playing.pop(playback, None)
            if not isinstance(result, Ok) or not playing.complete:
                return False
        return True

    async def play_music(self, leg: LegId, music_class: str) -> Result[None]:
        """Music until the leg is stopped. Asterisk starts it when the prompts that are queued before it have ended."""
        self._with_music.add(leg)
        return await self._client.channels.start_moh(leg, music_class)

    async def stop(self, leg: LegId) -> None:
        """Stop what plays on the leg, what is queued there, and its music."""
        if leg not in self._played:
            self._played[leg] = 0
            self._inherited.add(leg)
            await self._take_over(leg)
        for playback in [each for each, playing in self._playing.items() if playing.leg == leg]:
            await self._client.playbacks.stop(playback)
        if leg in self._with_music:
            self._with_music.discard(leg)
            await self._client.channels.stop_moh(leg)

    async def _take_over(self, leg: LegId) -> None:
        channels, stop = self._client.channels, self._client.playbacks.stop
        told = await channels.get_variable(leg, TAKEN_OVER)
        earlier = told.value.split("-") if isinstance(told, Ok) and told.value else []
        names = (f"{leg}.play", *(f"{leg}.play.{process}" for process in earlier))
        await asyncio.gather(*(stop(f"{name}.{n}") for name in names for n in range(NAMES)))
        await channels.stop_moh(leg)
        # Afterwards: while a prompt plays, Asterisk keeps whoever sets a variable waiting for its end.
        await channels.set_variable(leg, TAKEN_OVER, "-".join((*earlier, self._process)))

    def _could_not_queue(self, playing: Playing, playbacks: Sequence[str]) -> None:
        playing.complete = False
        for playback in playbacks:
            self._playing.pop(playback, None)
            playing.pending.discard(playback)
        playing.ended.set()
