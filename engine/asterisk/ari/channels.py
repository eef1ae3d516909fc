"""Requests about legs. Each returns a Result and may be Unknown; none is ever repeated by itself.

What may hold a phone number or a name (endpoint, caller id, variables) goes into the body, never into the
address: bodies may have 40 kB where request lines have 4 kB, and addresses end up in logs.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from engine.asterisk.ari import wire
from engine.asterisk.ari.results import Result
from engine.asterisk.ari.snapshots import Channel, Playback, read_channel, read_playback
from engine.asterisk.ari.transport import Transport, nothing, segment

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class Channels:
    """`/channels` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def originate(
        self,
        *,
        endpoint: str,
        channel_id: str,
        context: str,
        extension: str,
        priority: int = 1,
        caller_id: str | None = None,
        timeout_seconds: int | None = None,
        variables: Mapping[str, str] = _NO_VARIABLES,
    ) -> Result[Channel]:
        """Dials `endpoint` (`PJSIP/<number>@<trunk>`); the leg goes to context, extension, priority when it
        is answered.

        `channel_id` is ours: the caller must have registered it before, because events of the leg may come
        before this returns. Ok says the leg exists and the INVITE is on its way (its state is Down), not that
        anybody answered. Refused: 400 for an endpoint that cannot be dialled, 409 for an id that is alive,
        500 when Asterisk could not make the leg; no INVITE was sent. An id may be used again once its leg has
        ended, and would then dial again: never post an id twice. `timeout_seconds`: how long it may ring
        (Asterisk's default 30). `variables` may be functions, such as `TIMEOUT(absolute)`.
        """
        body: dict[str, Any] = {
            "endpoint": endpoint,
            "channelId": channel_id,
            "context": context,
            "extension": extension,
            "priority": priority,
        }
        if caller_id is not None:
            body["callerId"] = caller_id
        if timeout_seconds is not None:
            body["timeout"] = timeout_seconds
        if variables:
            body["variables"] = dict(variables)
        return await self._transport.request("POST", "/channels", read_channel, body=body)

    async def list(self) -> Result[tuple[Channel, ...]]:
        """Every leg of this Asterisk, ours or not."""
        return await self._transport.request("GET", "/channels", wire.each(read_channel, "channels"))

    async def get(self, channel_id: str) -> Result[Channel]:
        """One leg; Refused 404 when there is none at this moment (it may still be coming, see Unknown)."""
        return await self._transport.request("GET", _path(channel_id), read_channel)

    async def hangup(self, channel_id: str, reason_code: int | str | None = None) -> Result[None]:
        """Ends a leg; Refused 404 when it is gone already.

        `reason_code`: a Q.850 cause such as 16, or one of Asterisk's words: normal, busy, congestion, no_answer,
        timeout, rejected, unallocated, answered_elsewhere ...; Refused 400 for any other.
        """
        query: dict[str, str] = {}
        if reason_code is not None:
            # Asterisk takes numbers and words under different names, and refuses one under the other's.
            number = isinstance(reason_code, int) or reason_code.isdecimal()
            query["reason_code" if number else "reason"] = str(reason_code)
        return await self._transport.request("DELETE", _path(channel_id), nothing, query=query)

    async def answer(self, channel_id: str) -> Result[None]:
        """Answers an inbound leg."""
        return await self._act(channel_id, "answer")

    async def ring(self, channel_id: str) -> Result[None]:
        """Lets an inbound leg hear ringing."""
        return await self._act(channel_id, "ring")

    async def stop_ring(self, channel_id: str) -> Result[None]:
        """Ends what `ring` began."""
        return await self._transport.request("DELETE", f"{_path(channel_id)}/ring", nothing)

    async def play(self, channel_id: str, media: str, playback_id: str) -> Result[Playback]:
        """Queues one medium (`sound:<file without ending>`, `tone:ring`); its end is `PlaybackFinished` with
        this id.

        A missing file is no refusal: it ends as `failed`. One medium per request, because a list with a
        missing file ends as `done`.
        """
        path = f"{_path(channel_id)}/play/{segment(playback_id)}"
        return await self._transport.request("POST", path, read_playback, body={"media": [media]})

    async def start_moh(self, channel_id: str, moh_class: str = "default") -> Result[None]:
        """Music on the leg; idempotent."""
        return await self._act(channel_id, "moh", mohClass=moh_class)

    async def stop_moh(self, channel_id: str) -> Result[None]:
        """Ends the music; no error when there was none."""
        return await self._transport.request("DELETE", f"{_path(channel_id)}/moh", nothing)

    async def send_dtmf(
        self, channel_id: str, digits: str, *, between_ms: int = 100, duration_ms: int = 100
    ) -> Result[None]:
        """Sends keys to the leg's far end."""
        return await self._act(channel_id, "dtmf", dtmf=digits, between=between_ms, duration=duration_ms)

    async def set_variable(self, channel_id: str, name: str, value: str) -> Result[None]:
        """Sets a variable, or writes to a function such as `TIMEOUT(absolute)`."""
        return await self._act(channel_id, "variable", variable=name, value=value)

    async def get_variable(self, channel_id: str, name: str) -> Result[str]:
        """The value of a variable or function; Refused 404 when the leg is gone or the variable is not set."""
        path = f"{_path(channel_id)}/variable"
        return await self._transport.request("GET", path, _value, query={"variable": name})

    async def snoop(self, channel_id: str, snoop_id: str, application: str) -> Result[Channel]:
        """Makes a channel that hears what comes from this leg; it enters `application` and ends with the leg."""
        path = f"{_path(channel_id)}/snoop/{segment(snoop_id)}"
        return await self._transport.request("POST", path, read_channel, body={"spy": "in", "app": application})

    async def packets_received(self, channel_id: str) -> Result[int]:
        """How many RTP packets have come from the leg's far end; Refused 404 when it is gone or has no RTP."""
        return await self._transport.request("GET", f"{_path(channel_id)}/rtp_statistics", _packets)

    async def continue_in_dialplan(
        self,
        channel_id: str,
        *,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> Result[None]:
        """Lets the leg leave our application, to the place named or to where it was."""
        place = {"context": context, "extension": extension, "priority": priority, "label": label}
        return await self._act(channel_id, "continue", **{k: v for k, v in place.items() if v is not None})

    async def _act(self, channel_id: str, action: str, **body: str | int | Sequence[str]) -> Result[None]:
        return await self._transport.request("POST", f"{_path(channel_id)}/{action}", nothing, body=body or None)


def _path(channel_id: str) -> str:
    return f"/channels/{segment(channel_id)}"


def _packets(answer: object) -> int:
    return wire.integer(wire.as_object(answer, "RTP statistics"), "rxcount")


def _value(answer: object) -> str:
    return wire.text(wire.as_object(answer, "variable"), "value")
