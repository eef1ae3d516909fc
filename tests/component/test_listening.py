"""How many connections the HTTP side takes at once."""

import asyncio

from aiohttp import web

from engine.listening import listening


async def test_given_more_connections_than_are_taken_then_the_others_are_hung_up_on_until_one_ends() -> None:
    async with listening(web.Application(), "127.0.0.1", 0, most=2) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        assert await _answer(port) == b""
        silent[0][1].close()
        await silent[0][1].wait_closed()
        async with asyncio.timeout(5):
            while not (answer := await _answer(port)):
                pass
        assert answer.startswith(b"HTTP/1.1 404")
        silent[1][1].close()


async def _answer(port: int) -> bytes:
    """What the server says to a request; nothing if it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()
