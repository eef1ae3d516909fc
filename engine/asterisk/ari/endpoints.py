"""Requests about trunks and phones as Asterisk knows them."""

from engine.asterisk.ari import wire
from engine.asterisk.ari.results import Result
from engine.asterisk.ari.snapshots import Endpoint, read_endpoint
from engine.asterisk.ari.transport import Transport, segment


class Endpoints:
    """`/endpoints` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> Result[tuple[Endpoint, ...]]:
        """Every endpoint of every technology."""
        return await self._transport.request("GET", "/endpoints", wire.each(read_endpoint, "endpoints"))

    async def get(self, tech: str, resource: str) -> Result[Endpoint]:
        """One endpoint, such as `PJSIP`, `trunk`; Refused 404 when it is not configured."""
        return await self._transport.request("GET", f"/endpoints/{segment(tech)}/{segment(resource)}", read_endpoint)
