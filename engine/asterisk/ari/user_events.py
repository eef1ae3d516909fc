"""Events that we make ourselves, in Asterisk, for an application that listens there."""

from engine.asterisk.ari.results import Result
from engine.asterisk.ari.transport import Transport, nothing, segment


class UserEvents:
    """`/events/user` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, name: str, application: str) -> Result[None]:
        """Asterisk sends `ChannelUserevent` to the application; Refused 404 when there is none of that name.

        Ok does not mean that anybody heard it: an application whose socket is gone lives on while it is subscribed to
        something.
        """
        path = f"/events/user/{segment(name)}"
        return await self._transport.request("POST", path, nothing, query={"application": application})
