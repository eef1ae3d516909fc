"""Requests about media being played. Asterisk has no list of playbacks, and forgets one as soon as it ends
(404).
"""

from engine.asterisk.ari.results import Result
from engine.asterisk.ari.snapshots import Playback, read_playback
from engine.asterisk.ari.transport import Transport, nothing, segment


class Playbacks:
    """`/playbacks` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, playback_id: str) -> Result[Playback]:
        """One playback that is queued or playing."""
        return await self._transport.request("GET", _path(playback_id), read_playback)

    async def stop(self, playback_id: str) -> Result[None]:
        """Ends a playback, queued or playing; its `PlaybackFinished` says `done`. Refused 404 when it has
        ended.
        """
        return await self._transport.request("DELETE", _path(playback_id), nothing)


def _path(playback_id: str) -> str:
    return f"/playbacks/{segment(playback_id)}"
