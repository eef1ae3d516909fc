"""Requests about our Stasis application: what it is subscribed to and which events it wants.

A subscription keeps the application, with its filter, in Asterisk while the event socket is down. One to each
trunk's endpoint brings the events of calls that are refused before they reach Stasis.
"""

from collections.abc import Sequence

from engine.asterisk.ari import wire
from engine.asterisk.ari.results import Result
from engine.asterisk.ari.snapshots import Application, read_application
from engine.asterisk.ari.transport import Transport, segment


class Applications:
    """`/applications` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> Result[tuple[Application, ...]]:
        """Every application known to this Asterisk."""
        return await self._transport.request("GET", "/applications", wire.each(read_application, "applications"))

    async def get(self, name: str) -> Result[Application]:
        """One application; Refused 404 when it has neither a socket nor a subscription."""
        return await self._transport.request("GET", _path(name), read_application)

    async def subscribe(self, name: str, event_sources: Sequence[str]) -> Result[Application]:
        """Adds sources: `endpoint:PJSIP/<name>`, `channel:<id>`, `bridge:<id>`, `deviceState:<name>`.

        Asterisk counts subscriptions: one made twice brings no event twice, but has to be removed twice. Refused 422
        for a source that does not exist, 404 for an application that does not.
        """
        path = f"{_path(name)}/subscription"
        return await self._transport.request("POST", path, read_application, body={"eventSource": list(event_sources)})

    async def unsubscribe(self, name: str, event_sources: Sequence[str]) -> Result[Application]:
        """Removes sources, one subscription of each; Refused 422 for a source it is not subscribed to."""
        query = {"eventSource": ",".join(event_sources)}
        return await self._transport.request("DELETE", f"{_path(name)}/subscription", read_application, query=query)

    async def set_event_filter(
        self, name: str, allowed: Sequence[str] = (), disallowed: Sequence[str] = ()
    ) -> Result[Application]:
        """Sets both lists of event types; an empty `allowed` allows all. Replaces the filter that was there."""
        body = {"allowed": [{"type": t} for t in allowed], "disallowed": [{"type": t} for t in disallowed]}
        return await self._transport.request("PUT", f"{_path(name)}/eventFilter", read_application, body=body)


def _path(name: str) -> str:
    return f"/applications/{segment(name)}"
