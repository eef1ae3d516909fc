"""Places one call from the PBX of a lab with plain ARI requests and tells what Asterisk said about it.

It plays an announcement to whoever answers, once or more, waits for a key and hangs up: enough to see how a number of
the simulated network acts. It is a look from the PBX's side; the witness holds the other side's.
"""

import asyncio
import json
import math
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from engine.lab.errors import LabError
from engine.lab.state import AsteriskAddress

_REQUEST_SECONDS = 10.0
_Event = dict[str, Any]  # as ARI sends it; only this module reads it


@dataclass(frozen=True, slots=True)
class CallReport:
    """What the PBX saw of one call. Durations are seconds from the request to dial; None: it did not happen.

    `cause` is the Q.850 cause with its name, `sip_code` the final SIP response of the far end when it was no answer.
    """

    endpoint: str
    ringing_after: float | None
    answered_after: float | None
    keys: str
    key_after: float | None
    sip_code: int | None
    cause: int
    cause_name: str
    ended_by: str
    seconds: float


@dataclass(slots=True)
class _Progress:
    """One call while it lasts."""

    started: float = field(default_factory=time.monotonic)
    ringing: float | None = None
    answered: float | None = None
    key: float | None = None
    keys: str = ""
    hung_up_by_us: bool = False

    def now(self) -> float:
        return time.monotonic() - self.started


@dataclass(slots=True)
class _Playing:
    """What is left to be played of the announcements; `next_at` in seconds from the request to dial."""

    announcement: str
    left: int
    pause_seconds: float
    next_at: float = math.inf


async def call(
    pbx: AsteriskAddress,
    endpoint: str,
    *,
    announcement: str,
    limit_seconds: float = 45.0,
    seconds_after_key: float = 1.0,
    announcements: int = 1,
    pause_seconds: float = 9.0,
) -> CallReport:
    """Dial `endpoint` (`PJSIP/12025550100@trunk`), play the announcement, hang up `seconds_after_key` after the first
    key, or `limit_seconds` after dialling.

    Until there is a key, it is played `announcements` times, with `pause_seconds` of nothing between.
    """
    application = f"lab-{secrets.token_hex(6)}"
    timeout = aiohttp.ClientTimeout(total=_REQUEST_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(headers=pbx.headers(), timeout=timeout) as session,
            session.ws_connect(f"{pbx.ari_url}/events", params={"app": application}) as events,
        ):
            # Durations count from the request to dial, not from having a connection for it: Asterisk queues 10 at most,
            # and one beyond comes again after a second.
            async with session.get(f"{pbx.ari_url}/asterisk/ping") as answer:
                await answer.read()
            caller = _Caller(session, events, pbx.ari_url, application)
            playing = _Playing(announcement, announcements, pause_seconds)
            return await caller.run(endpoint, playing, limit_seconds, seconds_after_key)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise LabError(f"the PBX at {pbx.ari_url} does not answer: {error}") from error


class _Caller:
    def __init__(
        self,
        session: aiohttp.ClientSession,
        events: aiohttp.ClientWebSocketResponse,
        ari_url: str,
        application: str,
    ) -> None:
        self._session = session
        self._events = events
        self._channel = f"{application}.call"
        self._channel_url = f"{ari_url}/channels/{self._channel}"
        self._application = application
        self._progress = _Progress()

    async def run(self, endpoint: str, playing: _Playing, limit_seconds: float, seconds_after_key: float) -> CallReport:
        body = {"endpoint": endpoint, "app": self._application, "timeout": int(limit_seconds)}
        async with self._session.post(self._channel_url, json=body) as answer:
            if answer.status >= 400:
                raise LabError(f"the PBX refuses to dial {endpoint}: {(await answer.text())[:200]}")
        progress = self._progress
        deadline = limit_seconds
        while True:
            event = await self._next(max(0.0, min(deadline, playing.next_at) - progress.now()))
            if event is None and playing.next_at < deadline:
                await self._play(playing)
                continue
            if event is None:
                playing.next_at = math.inf
                progress.hung_up_by_us = True
                await self._request("DELETE", self._channel_url)
                deadline = progress.now() + _REQUEST_SECONDS
                continue
            kind = event["type"]
            if kind == "ChannelStateChange" and event["channel"]["state"] == "Ringing":
                progress.ringing = progress.ringing or progress.now()
            elif kind == "StasisStart":
                progress.answered = progress.now()
                await self._play(playing)
            elif kind == "PlaybackFinished" and playing.left and not progress.keys:
                playing.next_at = progress.now() + playing.pause_seconds
            elif kind == "ChannelDtmfReceived":
                progress.keys += event["digit"]
                if progress.key is None:
                    progress.key = progress.now()
                    playing.next_at = math.inf
                    deadline = min(deadline, progress.key + seconds_after_key)
            elif kind == "ChannelDestroyed":
                return self._report(endpoint, event)

    async def _next(self, seconds: float) -> _Event | None:
        try:
            async with asyncio.timeout(seconds):
                message = await self._events.receive()
        except TimeoutError:
            if self._progress.hung_up_by_us:
                raise LabError("the PBX does not end the call; look at its log") from None
            return None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise LabError("the PBX closed the event socket during the call")
        event: _Event = json.loads(message.data)
        return event

    async def _play(self, playing: _Playing) -> None:
        playing.left -= 1
        playing.next_at = math.inf
        await self._request("POST", f"{self._channel_url}/play", {"media": f"sound:{playing.announcement}"})

    async def _request(self, method: str, url: str, body: dict[str, str] | None = None) -> None:
        # The far end may hang up at any moment; 404 then only says what the events say as well.
        async with self._session.request(method, url, json=body) as answer:
            await answer.read()

    def _report(self, endpoint: str, event: _Event) -> CallReport:
        progress = self._progress
        return CallReport(
            endpoint=endpoint,
            ringing_after=progress.ringing,
            answered_after=progress.answered,
            keys=progress.keys,
            key_after=progress.key,
            sip_code=event.get("tech_cause"),
            cause=event["cause"],
            cause_name=event["cause_txt"],
            ended_by="pbx" if progress.hung_up_by_us else "far end",
            seconds=progress.now(),
        )
