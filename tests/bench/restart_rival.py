"""The restart's rival: reads the same rows, lists the channels, gives music to one who waits. It keeps no promise.

Run as a script: DATABASE ARI_URL USER PASSWORD. It prints its steps in seconds since its start as one JSON line.
"""

import asyncio
import json
import sqlite3
import sys
import time

import aiohttp

IMPORTED = time.time()
ENDED = "'completed', 'unsuccessful', 'cancelled', 'expired'"


async def main(database: str, url: str, user: str, password: str) -> None:
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    callbacks = connection.execute(f"SELECT * FROM callbacks WHERE state NOT IN ({ENDED})").fetchall()  # noqa: S608
    attempts = connection.execute("SELECT * FROM attempts WHERE ended_at IS NULL").fetchall()
    connection.execute("SELECT * FROM agents").fetchall()
    connection.execute("SELECT * FROM timers").fetchall()
    loaded = time.time()
    waiting = {f"{row['id']}.customer" for row in attempts if row["confirmed_at"] and not row["bridged_at"]}
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth(user, password)) as session:
        async with session.get(f"{url}/channels") as answer:
            channels = await answer.json()
        found = next(each["id"] for each in channels if each["id"] in waiting)
        async with session.post(f"{url}/channels/{found}/moh", params={"mohClass": "ringback"}) as answer:
            await answer.read()
    print(  # noqa: T201
        json.dumps({"imported": IMPORTED, "loaded": loaded, "callbacks": len(callbacks), "channels": len(channels)})
    )


asyncio.run(main(*sys.argv[1:]))
