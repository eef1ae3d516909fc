"""A cable between the engine and Asterisk, for tests that pull it out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Cable:
    """A TCP relay to Asterisk that can be cut (both ends learn of it) or go dead (nobody does).

    `answers_lost_of`: once such words have passed to Asterisk, the near end's connection is cut before the answer; it
    happens once.
    """

    def __init__(self, port: int) -> None:
        self.answers_lost_of: bytes | None = None
        self._port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._dead = asyncio.Event()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def go_dead(self) -> None:
        """Connections of now carry nothing any more; later ones do."""
        self._dead.set()
        self._dead = asyncio.Event()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers += (writer, far_writer)
        dead = self._dead
        await asyncio.gather(self._pump(reader, far_writer, dead, writer), self._pump(far_reader, writer, dead, None))

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        dead: asyncio.Event,
        back: asyncio.StreamWriter | None,
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not dead.is_set():
                    writer.write(data)
                    await writer.drain()
                if back is not None and self.answers_lost_of is not None and self.answers_lost_of in data:
                    self.answers_lost_of = None
                    back.transport.abort()
            if not dead.is_set():
                writer.close()
