"""Carries out the core's effects on one Asterisk, and knows which of its playbacks and farewells are under way.

It decides nothing about callbacks. Every request ends as ok, refused or unknown, and an unknown one is followed by
looks at Asterisk, never by a second request: a leg's name is posted once in its life.

What happens if the process dies: before a request, nothing happened, and the look after the next start says so; after
it, the leg carries its attempt in its name and in RB_ATTEMPT, so the same look finds it, and until somebody comes back
the dialplan and the leg's own TIMEOUT(absolute) end it. A farewell that is cut off leaves a leg of an ended attempt,
which is hung up on sight.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from engine.asterisk.ari import AriClient, Ok, Refused, Result, Unknown
from engine.asterisk.ari.snapshots import PlaybackState
from engine.core.effects import (
    Connect,
    DialCustomer,
    Dismantle,
    Effect,
    Farewell,
    HoldWithMusic,
    Play,
    Release,
    RingAgent,
    Voice,
)
from engine.core.events import Event, PlayingFinished, ResultKind
from engine.core.model import LegId, PromptId

log = structlog.get_logger()
T = TypeVar("T")

CONTEXT = "ringback"
MUSIC_CLASS = "ringback"
BRIDGE_TYPE = "mixing,proxy_media"
"""Media goes through Asterisk: docs/decisions/media-through-asterisk.md says why."""
LOOKS_SECONDS = (0.05, 0.2, 0.75, 2.0, 3.0)
"""Pauses before each look after a request without an answer; a leg was seen to appear 3-6 ms after it."""
FAREWELL_LIMIT_SECONDS = 20.0
RING_BACKSTOP_SECONDS = 5.0
"""Asterisk's own ring limit is this much longer than ours, which is the one that counts."""

Ended = tuple[ResultKind, str]


class Prompts(Protocol):
    """Where the voice prompts are, as Asterisk sees them."""

    def media(self, voice: Voice, prompt: PromptId) -> str:
        """A media address such as `sound:/path/without/extension`."""


@dataclass(slots=True)
class _Playing:
    """Prompts of one effect on one leg that have not all ended."""

    leg: LegId
    tag: str
    pending: set[str]
    complete: bool = True
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Calls:
    """The legs and bridges of one Asterisk. `customer_endpoint` holds {number} or {e164}."""

    def __init__(
        self,
        client: AriClient,
        application: str,
        customer_endpoint: str,
        prompts: Prompts,
        tell: Callable[[Event], None],
    ) -> None:
        self._client = client
        self._application = application
        self._customer_endpoint = customer_endpoint
        self._prompts = prompts
        self._tell = tell
        self._subscribed: set[str] = set()
        self._playing: dict[str, _Playing] = {}
        self._played: dict[LegId, int] = {}
        self._closing: dict[LegId, asyncio.Task[None]] = {}

    @property
    def trunk(self) -> str:
        """The endpoint that customers are called through, such as `PJSIP/trunk`."""
        technology, _, rest = self._customer_endpoint.partition("/")
        return f"{technology}/{rest.rpartition('@')[2]}" if "@" in rest else ""

    async def perform(self, effect: Effect) -> Ended:
        """Carry out one effect; the result says how the last request of it ended."""
        match effect:
            case DialCustomer():
                return await self._dial(effect)
            case RingAgent():
                return await self._ring(effect)
            case Play(leg=leg, prompts=prompts, voice=voice, tag=tag):
                await self._stop_playing(leg)
                return _ended(await self._play(leg, prompts, voice, tag))
            case HoldWithMusic():
                return await self._hold(effect)
            case Connect():
                return await self._connect(effect)
            case Farewell(leg=leg, prompts=prompts, voice=voice) | Release(leg=leg, prompts=prompts, voice=voice):
                return await self._let_go(leg, prompts, voice)
            case Dismantle(bridge=bridge):
                return _ended(await self._client.bridges.destroy(bridge))

    def playback_ended(self, playback: str, state: PlaybackState, media: str) -> None:
        """Asterisk finished one prompt."""
        playing = self._playing.pop(playback, None)
        if playing is None:
            return
        playing.pending.discard(playback)
        if state is PlaybackState.FAILED:
            playing.complete = False
            log.error("prompt.failed", media=media, mend="run: ringback prompts check")
        if not playing.pending:
            self._finished(playing)

    def leg_ended(self, leg: LegId) -> None:
        """Forget what was under way on a leg that is gone."""
        self._played.pop(leg, None)
        for playback in [each for each, playing in self._playing.items() if playing.leg == leg]:
            self._playing.pop(playback).ended.set()

    def forget_subscriptions(self) -> None:
        """The event socket is new: Asterisk may have forgotten what we wanted to hear."""
        self._subscribed.clear()

    async def listen_to(self, endpoints: Sequence[str]) -> Result[None]:
        """Hear of every leg of these endpoints, also of one refused at once. Each is asked for only once."""
        wanted = [endpoint for endpoint in endpoints if endpoint and endpoint not in self._subscribed]
        if not wanted:
            return Ok(None)
        result = await self._client.applications.subscribe(self._application, [f"endpoint:{each}" for each in wanted])
        if isinstance(result, Ok):
            self._subscribed.update(wanted)
            return Ok(None)
        return result

    async def close(self) -> None:
        """Wait until every farewell is said and its leg hung up; each is bounded."""
        if self._closing:
            await asyncio.wait(set(self._closing.values()))

    # ---- dialling ------------------------------------------------------------------------------------

    async def _dial(self, effect: DialCustomer) -> Ended:
        endpoint = self._customer_endpoint.format(number=effect.phone.removeprefix("+"), e164=effect.phone)
        variables = self._variables(effect.attempt, "dialing", effect.voice, effect.max_seconds)
        return await self._originate(
            effect.leg, endpoint, self.trunk, "customer", effect.caller_id, effect.ring_timeout_seconds, variables
        )

    async def _ring(self, effect: RingAgent) -> Ended:
        variables = self._variables(effect.attempt, "agent", effect.voice, effect.max_seconds)
        variables["RB_AGENT"] = effect.agent
        return await self._originate(
            effect.leg,
            effect.endpoint,
            effect.endpoint,
            "agent",
            effect.caller_id,
            effect.ring_timeout_seconds,
            variables,
        )

    async def _originate(
        self,
        leg: LegId,
        endpoint: str,
        heard_at: str,
        extension: str,
        caller_id: str | None,
        ring_timeout_seconds: float,
        variables: dict[str, str],
    ) -> Ended:
        heard = await self.listen_to([heard_at])
        if not isinstance(heard, Ok):
            # Without the subscription an instant refusal would go unheard: not dialling is the safe side.
            return ResultKind.REFUSED, f"cannot hear {heard_at}: {_ended(heard)[1]}"
        result = await self._client.channels.originate(
            endpoint=endpoint,
            channel_id=leg,
            context=CONTEXT,
            extension=extension,
            caller_id=caller_id,
            timeout_seconds=math.ceil(ring_timeout_seconds + RING_BACKSTOP_SECONDS),
            variables=variables,
        )
        if not isinstance(result, Unknown):
            return _ended(result)
        if not result.sent:
            return ResultKind.REFUSED, result.why
        return await self._look_for(leg, result.why)

    async def _look_for(self, leg: LegId, why: str) -> Ended:
        """Nobody knows whether the leg was made; one look proves nothing, several over seconds do."""
        for pause in LOOKS_SECONDS:
            await asyncio.sleep(pause)
            if isinstance(await self._client.channels.get(leg), Ok):
                return ResultKind.OK, "found after a lost answer"
        return ResultKind.UNKNOWN, why

    def _variables(self, attempt: str, phase: str, voice: Voice, max_seconds: float) -> dict[str, str]:
        return {
            "RB_ATTEMPT": attempt,
            "RB_PHASE": phase,
            "RB_ONE_MOMENT": self._sound(voice, PromptId.ONE_MOMENT),
            "RB_APOLOGY": self._sound(voice, PromptId.APOLOGY),
            "TIMEOUT(absolute)": str(math.ceil(max_seconds)),
        }

    def _sound(self, voice: Voice, prompt: PromptId) -> str:
        return self._prompts.media(voice, prompt).removeprefix("sound:")

    # ---- media ---------------------------------------------------------------------------------------

    async def _play(self, leg: LegId, prompts: Sequence[PromptId], voice: Voice, tag: str) -> Result[None]:
        """Queue the prompts on the leg: Asterisk plays them without a gap. All are registered beforehand."""
        first = self._played.get(leg, 0)
        self._played[leg] = first + len(prompts)
        ids = [f"{leg}.play.{first + n}" for n in range(len(prompts))]
        playing = _Playing(leg, tag, set(ids))
        for playback in ids:
            self._playing[playback] = playing
        for n, playback in enumerate(ids):
            result = await self._client.channels.play(leg, self._prompts.media(voice, prompts[n]), playback)
            if not isinstance(result, Ok):
                for missed in ids[n:]:
                    self._playing.pop(missed, None)
                    playing.pending.discard(missed)
                playing.ended.set()
                return result
        return Ok(None)

    async def _hold(self, effect: HoldWithMusic) -> Ended:
        await self._stop_playing(effect.leg)
        if effect.prompts:
            await self._play(effect.leg, effect.prompts, effect.voice, "hold")
        # Asterisk starts the music when the prompts before it have ended.
        return _ended(await self._client.channels.start_moh(effect.leg, MUSIC_CLASS))

    async def _stop_playing(self, leg: LegId) -> None:
        for playback in [each for each, playing in self._playing.items() if playing.leg == leg]:
            await self._client.playbacks.stop(playback)

    def _finished(self, playing: _Playing) -> None:
        playing.ended.set()
        self._tell(PlayingFinished(playing.leg, playing.tag, playing.complete))

    async def _connect(self, effect: Connect) -> Ended:
        await self._stop_playing(effect.customer)
        await self._client.channels.stop_moh(effect.customer)
        created = await self._client.bridges.create(effect.bridge, BRIDGE_TYPE)
        if isinstance(created, Refused):
            return _ended(created)
        legs = (effect.customer, effect.agent)
        joined: Result[None] = await self._client.bridges.add_channels(effect.bridge, legs)
        if isinstance(joined, Unknown):
            look = await self._client.bridges.get(effect.bridge)
            if isinstance(look, Ok) and set(legs) <= set(look.value.channel_ids):
                joined = Ok(None)
        if isinstance(joined, Ok):
            for leg in legs:
                limit = str(math.ceil(effect.max_seconds))
                await self._client.channels.set_variable(leg, "TIMEOUT(absolute)", limit)
                await self._client.channels.set_variable(leg, "RB_PHASE", "connected")
        return _ended(joined)

    # ---- letting go ----------------------------------------------------------------------------------

    async def _let_go(self, leg: LegId, prompts: Sequence[PromptId], voice: Voice) -> Ended:
        """Hang up now, or after a few last words that nobody else has to wait for."""
        if not prompts:
            return _ended(await self._client.channels.hangup(leg))
        await self._stop_playing(leg)
        await self._client.channels.stop_moh(leg)
        played = await self._play(leg, prompts, voice, "farewell")
        if not isinstance(played, Ok):
            return _ended(await self._client.channels.hangup(leg))
        last = next(playing for playing in self._playing.values() if playing.leg == leg and playing.tag == "farewell")
        task = asyncio.create_task(self._hang_up_after(leg, last), name=f"farewell {leg}")
        self._closing[leg] = task
        task.add_done_callback(lambda _: self._closing.pop(leg, None))
        return ResultKind.OK, ""

    async def _hang_up_after(self, leg: LegId, playing: _Playing) -> None:
        try:
            async with asyncio.timeout(FAREWELL_LIMIT_SECONDS):
                await playing.ended.wait()
        except TimeoutError:
            log.warning("farewell.overdue", leg=leg)
        await self._client.channels.hangup(leg)


def _ended(result: Result[T]) -> Ended:
    match result:
        case Ok():
            return ResultKind.OK, ""
        case Refused(status=status, message=message):
            return ResultKind.REFUSED, f"{status} {message}"
        case Unknown(why=why):
            return ResultKind.UNKNOWN, why
