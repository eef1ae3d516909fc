"""Carries out the core's effects on one Asterisk, and knows which farewells are under way.

It decides nothing about callbacks. Every request ends as ok, refused or unknown, and an unknown one is followed by
looks at Asterisk, never by a second request: a leg's name is posted once in its life. Only answering and hanging up
are asked again.

What happens if the process dies: before a request, nothing happened, and the look after the next start says so; after
it, the leg carries its attempt in its name and in RB_ATTEMPT, so the same look finds it, and until somebody comes back
the dialplan and the leg's own TIMEOUT(absolute) end it. A farewell that is cut off leaves a leg of an ended attempt,
which is hung up on sight.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from engine import crash_points
from engine.asterisk.ari import AriClient, Ok, Refused, Result, Unknown
from engine.asterisk.ear import Ears
from engine.asterisk.playing import Playing, PromptPlayer, Prompts
from engine.asterisk.translation import our_leg
from engine.core.effects import (
    AnswerCaller,
    CheckNumber,
    Connect,
    CountAudio,
    DialCustomer,
    Dismantle,
    Effect,
    Farewell,
    HoldWithMusic,
    Limit,
    Listen,
    Listening,
    Play,
    Record,
    Release,
    RingAgent,
    Voice,
)
from engine.core.events import AudioCounted, Event, LegEnded, ResultKind
from engine.core.terms import BridgeId, LegId, Prompt, PromptId

log = structlog.get_logger()
T = TypeVar("T")

CONTEXT = "ringback"
MUSIC_CLASS = "ringback"
BRIDGE_TYPE = "mixing,proxy_media"
"""Media goes through Asterisk: docs/decisions/media-through-asterisk.md says why."""
LOOKS_SECONDS = (0.05, 0.2, 0.75, 2.0, 3.0)
"""Pauses before each look after a request without an answer; a leg was seen to appear 3-6 ms after it."""
FAREWELL_LIMIT_SECONDS = 20.0
PACKET_SECONDS = 0.02
"""The audio in one RTP packet, as nearly everybody sends it."""
FAX_TONE = "TONE_DETECT(2100,500,r)"
"""The answering tone (CED of ITU-T T.30), heard for half a second; only what we receive is listened to."""
LISTENING_OFF = ("TALK_DETECT(remove)", "TONE_DETECT(0,,x)")
"""What a conversation needs no more; each stretch of talk would be an event."""
RING_BACKSTOP_SECONDS = 5.0
"""Asterisk's own ring limit is this much longer than ours, which is the one that counts."""

_NUMBER = re.compile(r"\+?[0-9]{7,}")

Ended = tuple[ResultKind, str]


class Calls:
    """The legs and bridges of one Asterisk. `customer_endpoint` holds {number} or {e164}."""

    def __init__(
        self,
        client: AriClient,
        application: str,
        customer_endpoint: str,
        prompts: Prompts,
        tell: Callable[[Event], None],
        ears: Ears,
    ) -> None:
        self.ears = ears
        self._client = client
        self._application = application
        self._customer_endpoint = customer_endpoint
        self._prompts = prompts
        self._tell = tell
        self._subscribed: set[str] = set()
        self.playing = PromptPlayer(client, prompts, tell)
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def trunk(self) -> str:
        """The endpoint that customers are called through, such as `PJSIP/trunk`; empty when there is none."""
        return trunk_of(self._customer_endpoint)

    async def perform(self, effect: Effect) -> Ended:
        """Carry out one effect; the result says how the last request of it ended."""
        match effect:
            case DialCustomer():
                return await self._dial(effect)
            case RingAgent():
                return await self._ring(effect)
            case Limit(leg=leg, max_seconds=max_seconds):
                return _ended(await self._limit(leg, max_seconds))
            case AnswerCaller(leg=leg, max_seconds=max_seconds):
                return await self._answer(leg, max_seconds)
            case CheckNumber():
                return ResultKind.REFUSED, "numbers are not checked by Asterisk"
            case Play(leg=leg, prompts=prompts, voice=voice, tag=tag):
                await self.playing.stop(leg)
                return _ended(await self.playing.start(Playing(leg, tag), prompts, voice))
            case Listen(leg=leg, pause_seconds=pause_seconds):
                self.ears.begin(leg, pause_seconds)
                return ResultKind.OK, ""
            case CountAudio(leg=leg):
                return await self._count_audio(leg)
            case HoldWithMusic():
                return await self._hold(effect)
            case Connect():
                return await self._connect(effect)
            case Record():
                return await self._record(effect)
            case Farewell(leg=leg, prompts=prompts, voice=voice) | Release(leg=leg, prompts=prompts, voice=voice):
                return await self._let_go(leg, prompts, voice)
            case Dismantle(bridge=bridge):
                return _ended(await self._client.bridges.destroy(bridge))

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
        while self._closing:
            await asyncio.wait(set(self._closing))

    # ---- dialling ------------------------------------------------------------------------------------

    async def _dial(self, effect: DialCustomer) -> Ended:
        endpoint = self._customer_endpoint.format(number=effect.phone.removeprefix("+"), e164=effect.phone)
        variables = self._variables(effect.attempt, "dialing", effect.voice, effect.max_seconds)
        if effect.listening is not None:
            variables |= _heard_by_asterisk(effect.listening)
        return await self._originate(
            effect.leg,
            endpoint,
            self.trunk or endpoint,
            "customer",
            effect.caller_id,
            effect.ring_timeout_seconds,
            variables,
        )

    async def _answer(self, leg: LegId, max_seconds: float) -> Ended:
        # It may have come by another trunk than ours, and then only who asks for it is told of its end.
        await self._client.applications.subscribe(self._application, [f"channel:{leg}"])
        # What an earlier process plays to them ends first: Asterisk keeps every other request waiting for it.
        await self.playing.stop(leg)
        await self._limit(leg, max_seconds)
        answered = await self._client.channels.answer(leg)
        for pause in LOOKS_SECONDS:
            if not isinstance(answered, Unknown):
                break
            # Asked again, for nobody else would: who is not answered hears nothing and is heard by no agent.
            await asyncio.sleep(pause)
            answered = await self._client.channels.answer(leg)
        if isinstance(answered, Refused) and answered.gone:
            # They hung up before we could ask, or before anybody knew that they are ours.
            self._tell(LegEnded(leg))
        return _ended(answered)

    async def _limit(self, leg: LegId, max_seconds: float) -> Result[None]:
        return await self._client.channels.set_variable(leg, "TIMEOUT(absolute)", str(math.ceil(max_seconds)))

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
            return ResultKind.REFUSED, f"cannot hear {_NUMBER.sub('[number]', heard_at)}: {_ended(heard)[1]}"
        self.playing.leg_begins(leg)
        result = await self._client.channels.originate(
            endpoint=endpoint,
            channel_id=leg,
            context=CONTEXT,
            extension=extension,
            caller_id=caller_id,
            timeout_seconds=math.ceil(ring_timeout_seconds + RING_BACKSTOP_SECONDS),
            variables=variables,
        )
        if isinstance(result, Refused) or (isinstance(result, Unknown) and not result.sent):
            self.playing.leg_ended(leg)
            return ResultKind.REFUSED, _ended(result)[1]
        if isinstance(result, Ok):
            return _ended(result)
        return await self._look_for(leg, result.why)

    async def _look_for(self, leg: LegId, why: str) -> Ended:
        """Nobody knows whether the leg was made; one look proves nothing, several over seconds do."""
        for pause in LOOKS_SECONDS:
            await asyncio.sleep(pause)
            if isinstance(await self._client.channels.get(leg), Ok):
                return ResultKind.OK, "found after a lost answer"
        self.playing.leg_ended(leg)
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

    async def _count_audio(self, leg: LegId) -> Ended:
        if (heard := self.ears.received_seconds(leg)) is not None:
            self._tell(AudioCounted(leg, heard))
            return ResultKind.OK, ""
        result = await self._client.channels.packets_received(leg)
        if isinstance(result, Ok):
            self._tell(AudioCounted(leg, result.value * PACKET_SECONDS))
        return _ended(result)

    # ---- media ---------------------------------------------------------------------------------------

    async def _hold(self, effect: HoldWithMusic) -> Ended:
        self.ears.end(effect.leg)
        await self.playing.stop(effect.leg)
        if effect.prompts:
            await self.playing.start(Playing(effect.leg, "hold"), effect.prompts, effect.voice)
        return _ended(await self.playing.play_music(effect.leg, MUSIC_CLASS))

    async def _connect(self, effect: Connect) -> Ended:
        # Both music, and a whisper that is not over: while a prompt plays, whoever sets a variable waits for its end.
        await asyncio.gather(self.playing.stop(effect.customer), self.playing.stop(effect.agent))
        created = await self._client.bridges.create(effect.bridge, BRIDGE_TYPE)
        if isinstance(created, Refused) and not isinstance(await self._client.bridges.get(effect.bridge), Ok):
            return _ended(created)
        crash_points.reached(crash_points.BRIDGE_MADE)
        # Before they talk: if we die right after, nothing must cut their conversation short.
        legs = (effect.customer, effect.agent)
        set_variable = self._client.channels.set_variable
        await asyncio.gather(
            *(self._limit(leg, effect.max_seconds) for leg in legs),
            *(set_variable(effect.customer, name, "") for name in LISTENING_OFF if effect.listening),
        )
        joined: Result[None] = await self._client.bridges.add_channels(effect.bridge, legs)
        if isinstance(joined, Unknown) and joined.sent:
            joined = await self._look_for_both(effect.bridge, legs, joined)
        if isinstance(joined, Refused):
            # The customer may wait for another agent, but not for as long as a conversation may last.
            await self._limit(effect.customer, effect.waiting_seconds)
        if isinstance(joined, Ok):
            await asyncio.gather(*(set_variable(leg, "RB_PHASE", "connected") for leg in legs))
        return _ended(joined)

    async def _record(self, effect: Record) -> Ended:
        """Beside what comes next for this call: nobody waits for a sentence to be over who wants to hang up."""
        if not await self._client.bridges.is_recorded(effect.name):
            self._beside(self._announce_and_record(effect), f"recording {effect.name}")
        return ResultKind.OK, ""

    async def _announce_and_record(self, effect: Record) -> None:
        try:
            async with asyncio.timeout(FAREWELL_LIMIT_SECONDS):
                announced = await self.playing.say_in_bridge(effect.bridge, effect.prompts, effect.voice)
        except TimeoutError:
            announced = False
        if not announced:
            # Nobody is recorded who may not have heard of it. Mostly they have just hung up.
            log.warning("recording.not_announced", recording=effect.name, mend="run: ringback doctor")
            return
        result = await self._client.bridges.record(effect.bridge, effect.name, math.ceil(effect.max_seconds))
        if not isinstance(result, Ok) and not (isinstance(result, Refused) and result.gone):
            log.error("recording.failed", recording=effect.name, why=_ended(result)[1])

    def _beside(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _look_for_both(self, bridge: BridgeId, legs: Sequence[LegId], unknown: Unknown) -> Result[None]:
        """Nobody knows whether they were bridged. The last look that was answered decides; unanswered is unknown."""
        result: Result[None] = unknown
        for pause in LOOKS_SECONDS:
            await asyncio.sleep(pause)
            look = await self._client.bridges.get(bridge)
            if isinstance(look, Ok) and set(legs) <= set(look.value.channel_ids):
                return Ok(None)
            if isinstance(look, Ok) or (isinstance(look, Refused) and look.gone):
                result = Refused(409, "the legs are not in the bridge")
        return result

    async def members_of(self, bridge: BridgeId) -> Collection[str] | None:
        """Who is in the bridge, nobody if it is gone; None if Asterisk does not say."""
        look = await self._client.bridges.get(bridge)
        if isinstance(look, Ok):
            return look.value.channel_ids
        return () if isinstance(look, Refused) and look.gone else None

    # ---- letting go ----------------------------------------------------------------------------------

    async def _let_go(self, leg: LegId, prompts: Sequence[Prompt], voice: Voice) -> Ended:
        """Hang up now, or after a few last words that nobody else has to wait for."""
        self.ears.end(leg)
        if not prompts:
            return await self.hang_up(leg)
        await self.playing.stop(leg)
        if our_leg(leg) is None:
            # Who rang in and is turned away at once has not been answered, and hears words only then everywhere.
            await self._client.channels.answer(leg)
        last_words = Playing(leg, "farewell")
        played = await self.playing.start(last_words, prompts, voice)
        if not isinstance(played, Ok):
            return await self.hang_up(leg)
        self._beside(self._hang_up_after(leg, last_words), f"farewell {leg}")
        return ResultKind.OK, ""

    async def hang_up(self, leg: LegId) -> Ended:
        """End a leg. Safe to ask again while the end is unknown: the name never belongs to another leg."""
        result = await self._client.channels.hangup(leg)
        for pause in LOOKS_SECONDS:
            if not isinstance(result, Unknown):
                break
            await asyncio.sleep(pause)
            result = await self._client.channels.hangup(leg)
        return _ended(result)

    async def _hang_up_after(self, leg: LegId, playing: Playing) -> None:
        try:
            async with asyncio.timeout(FAREWELL_LIMIT_SECONDS):
                await playing.ended.wait()
        except TimeoutError:
            log.warning("farewell.overdue", leg=leg)
        crash_points.reached(crash_points.LAST_WORDS_SAID)
        await self.hang_up(leg)


def _heard_by_asterisk(listening: Listening) -> dict[str, str]:
    """The variables of an originate that let Asterisk report what it hears."""
    talk = f"{round(listening.pause_seconds * 1000)},{listening.level}"
    variables = {"TALK_DETECT(set)": talk, FAX_TONE: ""}
    if listening.amd:
        variables["RB_SCREENING"] = "amd"
    return variables


def trunk_of(customer_endpoint: str) -> str:
    """`PJSIP/trunk` of `PJSIP/{number}@trunk` and of `PJSIP/trunk/sip:{number}@host`; empty when there is none."""
    technology, _, rest = customer_endpoint.partition("/")
    endpoint, slash, _ = rest.partition("/")
    if not slash:
        endpoint = rest.rpartition("@")[2] if "@" in rest else ""
    return f"{technology}/{endpoint}" if endpoint else ""


def _ended(result: Result[T]) -> Ended:
    match result:
        case Ok():
            return ResultKind.OK, ""
        case Refused(status=status, message=message):
            return ResultKind.REFUSED, f"{status} {_NUMBER.sub('[number]', message)}"
        case Unknown(why=why):
            return ResultKind.UNKNOWN, why
