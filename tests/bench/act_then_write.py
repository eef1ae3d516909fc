"""The rival of the crash bench: calls customers back the obvious way; it acts at once and writes down afterwards.

It makes the same calls as the engine. A request is answered when it is in memory and written with the next batch, an
attempt once it is dialled. After a start it begins with every request that is not marked done.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sqlite3
import time
from typing import Any

import aiohttp
from aiohttp import web

ARI, USER, PASSWORD, ANNOUNCEMENT, PHONES = (
    os.environ.get(f"RIVAL_{name}", "") for name in ("ARI", "USER", "PASSWORD", "ANNOUNCEMENT", "PHONES")
)
BATCH_SECONDS, RING_SECONDS, KEY_SECONDS, INTERVAL_SECONDS, ATTEMPTS = 0.2, 5, 20.0, 8.0, 3
OUTCOMES = {17: "busy", 21: "rejected", 1: "invalid_number"}
COLUMNS = "id text primary key, callback text, dialed_at real, answered_at real, confirmed_at real, ended_at real"
TABLES = f"""pragma journal_mode = wal; create table if not exists attempts ({COLUMNS}, outcome text); create table
if not exists callbacks (id text primary key, phone text, state text, reason text, ended_at real, service text);"""
LATER = ("answered_at", "confirmed_at", "ended_at", "outcome")
DONE = "update callbacks set state = 'done', reason = ?, ended_at = ? where id = ?"
ATTEMPT = "insert or replace into attempts values (?, ?, ?, ?, ?, ?, ?)"
Heard = asyncio.Queue[dict[str, Any]]


class Rival:
    """Everything it knows is in memory; the database follows."""

    def __init__(self) -> None:
        self.database = sqlite3.connect("ringback.db")
        self.database.executescript(TABLES)
        self.unwritten: list[tuple[str, tuple[object, ...]]] = []
        self.heard: dict[str, Heard] = {}
        self.agents: asyncio.Queue[str] = asyncio.Queue()
        self.tasks: list[asyncio.Task[None]] = []
        self.ready = False

    def write(self, statement: str, *values: object) -> None:
        self.unwritten.append((statement, values))

    async def write_always(self) -> None:
        while True:
            await asyncio.sleep(BATCH_SECONDS)
            batch, self.unwritten = self.unwritten, []
            with self.database:
                for statement, values in batch:
                    self.database.execute(statement, values)

    async def ask(self, method: str, path: str, **body: object) -> dict[str, Any]:
        async with self.session.request(method, ARI + path, json=body) as answer:
            return dict(json.loads(await answer.text() or "{}"))

    async def listen(self) -> None:
        async with self.session.ws_connect(f"{ARI}/events?app=ringback&subscribeAll=true") as events:
            self.ready = True
            async for message in events:
                event = json.loads(message.data)
                if (queue := self.heard.get(event.get("channel", {}).get("id", ""))) is not None:
                    queue.put_nowait(event)

    async def dial(self, endpoint: str) -> tuple[str, Heard]:
        channel = secrets.token_hex(8)
        heard = self.heard[channel] = asyncio.Queue()
        await self.ask("POST", f"/channels/{channel}", endpoint=endpoint, app="ringback", timeout=RING_SECONDS)
        return channel, heard

    async def until(self, heard: Heard, *kinds: str) -> dict[str, Any]:
        while (event := await heard.get())["type"] not in (*kinds, "ChannelDestroyed"):
            pass
        return event

    async def serve(self, callback: str, phone: str) -> None:
        for n in range(1, ATTEMPTS + 1):
            agent = await self.agents.get()
            self.write("update callbacks set state = 'calling' where id = ?", callback)
            outcome = await self.attempt(f"{callback}-{secrets.token_hex(4)}", callback, phone, agent)
            self.agents.put_nowait(agent)
            if outcome in ("connected", "declined") or n == ATTEMPTS:
                break
            await asyncio.sleep(INTERVAL_SECONDS)
        self.write(DONE, outcome, time.time(), callback)

    async def attempt(self, name: str, callback: str, phone: str, agent: str) -> str:
        row = {"id": name, "callback": callback, "dialed_at": time.time()} | dict.fromkeys(LATER)
        channel, heard = await self.dial(f"PJSIP/{phone.removeprefix('+')}@trunk")
        self.write(ATTEMPT, *row.values())
        event = await self.until(heard, "StasisStart")
        if event["type"] == "ChannelDestroyed":
            row["outcome"] = OUTCOMES.get(event["cause"], "no_answer")
        else:
            row["answered_at"] = time.time()
            row["outcome"] = await self.talk(channel, heard, agent, row)
            await self.ask("DELETE", f"/channels/{channel}")
        row["ended_at"] = time.time()
        self.write(ATTEMPT, *row.values())
        return str(row["outcome"])

    async def talk(self, customer: str, heard: Heard, agent: str, row: dict[str, Any]) -> str:
        await self.ask("POST", f"/channels/{customer}/play", media=f"sound:{ANNOUNCEMENT}")
        try:
            async with asyncio.timeout(KEY_SECONDS):
                key = (await self.until(heard, "ChannelDtmfReceived")).get("digit", "hung up")
        except TimeoutError:
            return "unconfirmed"
        if key != "1":
            return {"2": "later", "3": "declined", "9": "declined"}.get(key, "hung_up")
        row["confirmed_at"] = time.time()
        phone, rung = await self.dial(f"PJSIP/agent-{agent}")
        if (await self.until(rung, "StasisStart"))["type"] == "ChannelDestroyed":
            return "no_agent"
        bridge = await self.ask("POST", "/bridges", type="mixing")
        await self.ask("POST", f"/bridges/{bridge['id']}/addChannel", channel=[customer, phone])
        ends = [asyncio.create_task(self.until(each)) for each in (rung, heard)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await self.ask("DELETE", f"/channels/{phone}")
        return "connected"

    async def take(self, request: web.Request) -> web.Response:
        phone, callback = (await request.json())["phone"], secrets.token_hex(8)
        self.write("insert into callbacks values (?, ?, 'queued', null, null, 'crash')", callback, phone)
        self.tasks.append(asyncio.create_task(self.serve(callback, phone)))
        return web.json_response({"id": callback}, status=201)

    async def stand(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ready" if self.ready else "starting"})

    async def run(self) -> None:
        runner = web.AppRunner(app := web.Application())
        app.add_routes([web.post("/api/v1/callbacks", self.take), web.get("/readyz", self.stand)])
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told = {"event": "http.listening", "url": f"http://127.0.0.1:{runner.addresses[0][1]}"}
        print(json.dumps(told), flush=True)  # noqa: T201 - where it listens, for whoever started it
        async with aiohttp.ClientSession(auth=aiohttp.BasicAuth(USER, PASSWORD)) as self.session:
            list(map(self.agents.put_nowait, PHONES.split(",")))
            for callback, phone in self.database.execute("select id, phone from callbacks where ended_at is null"):
                self.tasks.append(asyncio.create_task(self.serve(callback, phone)))
            await asyncio.gather(self.write_always(), self.listen())


if __name__ == "__main__":
    asyncio.run(Rival().run())
