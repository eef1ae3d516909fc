"""Requests about bridges: where the customer's and the agent's legs meet.

A bridge id must never be used twice, and a bridge is destroyed only after its legs have ended.
"""

from collections.abc import Sequence

from engine.asterisk.ari import wire
from engine.asterisk.ari.results import Ok, Result
from engine.asterisk.ari.snapshots import Bridge, Playback, read_bridge, read_playback
from engine.asterisk.ari.transport import Transport, nothing, segment


class Bridges:
    """`/bridges` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        bridge_id: str,
        type: str = "mixing",  # noqa: A002 - Asterisk's word
        name: str = "",
    ) -> Result[Bridge]:
        """Makes a bridge with our own id; `type` may be a comma separated list such as `mixing,dtmf_events`.

        Refused when the id is in use: 500 on Asterisk 22, although its documentation says 409.
        """
        body = {"bridgeId": bridge_id, "type": type, "name": name}
        return await self._transport.request("POST", "/bridges", read_bridge, body=body)

    async def list(self) -> Result[tuple[Bridge, ...]]:
        """Every bridge of this Asterisk, ours or not."""
        return await self._transport.request("GET", "/bridges", wire.each(read_bridge, "bridges"))

    async def get(self, bridge_id: str) -> Result[Bridge]:
        """One bridge; Refused 404 when there is none."""
        return await self._transport.request("GET", _path(bridge_id), read_bridge)

    async def add_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> Result[None]:
        """Puts legs into the bridge at once; Refused 422 for a leg that has not entered Stasis (yet), 400 for
        one gone.
        """
        return await self._move(bridge_id, "addChannel", channel_ids)

    async def remove_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> Result[None]:
        """Takes legs out; they stay in Stasis. Refused 422 for a leg that is not in this bridge."""
        return await self._move(bridge_id, "removeChannel", channel_ids)

    async def destroy(self, bridge_id: str) -> Result[None]:
        """Ends the bridge; legs in it stay in Stasis."""
        return await self._transport.request("DELETE", _path(bridge_id), nothing)

    async def play(self, bridge_id: str, media: str, playback_id: str) -> Result[Playback]:
        """Plays one medium to everybody in the bridge, as `channels.play` does to a leg."""
        path = f"{_path(bridge_id)}/play/{segment(playback_id)}"
        return await self._transport.request("POST", path, read_playback, body={"media": [media]})

    async def record(self, bridge_id: str, name: str, max_seconds: int) -> Result[None]:
        """Records what is said in the bridge to `<name>.wav` in Asterisk's folder of recordings; Refused 409 for a name
        that is in use, 422 if the folder cannot be written.
        """
        body = {"name": name, "format": "wav", "ifExists": "fail", "maxDurationSeconds": max_seconds}
        return await self._transport.request("POST", f"{_path(bridge_id)}/record", nothing, body=body)

    async def is_recorded(self, name: str) -> bool:
        """Whether a recording of this name is being made."""
        path = f"/recordings/live/{segment(name)}"
        return isinstance(await self._transport.request("GET", path, nothing), Ok)

    async def _move(self, bridge_id: str, action: str, channel_ids: Sequence[str]) -> Result[None]:
        body = {"channel": list(channel_ids)}
        return await self._transport.request("POST", f"{_path(bridge_id)}/{action}", nothing, body=body)


def _path(bridge_id: str) -> str:
    return f"/bridges/{segment(bridge_id)}"
