"""The rival on a failing disk: says yes first, writes soon after without waiting for the disk, hides errors.

Run as a script: DATABASE. It prints its port and serves `POST /api/v1/callbacks` until it is killed.
"""

import asyncio
import secrets
import sqlite3
import sys

from aiohttp import web

waiting: list[tuple[str, str]] = []


async def ask(request: web.Request) -> web.Response:
    body = await request.json()
    callback = secrets.token_hex(8)
    waiting.append((callback, body["phone"]))
    return web.json_response({"id": callback}, status=201)


async def write(connection: sqlite3.Connection) -> None:
    while True:
        await asyncio.sleep(0.1)
        rows, waiting[:] = waiting[:], []
        try:
            with connection:
                connection.executemany("INSERT INTO callbacks VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            print(error, file=sys.stderr)  # noqa: T201


async def main(database: str) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE callbacks (id TEXT PRIMARY KEY, phone TEXT)")
    app = web.Application()
    app.router.add_post("/api/v1/callbacks", ask)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201
    await write(connection)


asyncio.run(main(sys.argv[1]))
