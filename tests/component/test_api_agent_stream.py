"""What an agent's screen hears: first how everything stands, then each change once, and no longer than it may."""

from __future__ import annotations

import asyncio
import base64
import socket as sockets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from sqlite3 import SQLITE_FULL
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, WSServerHandshakeError
from pydantic import SecretStr

from engine.api import agent_stream, build_app
from engine.api.endpoints import PREFIX
from engine.app import RunningEngine, running_engine
from engine.config import AgentSettings, AsteriskSettings, HttpSettings, Settings, StoreSettings
from engine.core.events import ConfigurationApplied, PresenceRequested, TelephonyReady, TimerFired
from engine.core.switchboard import PREVIEW
from engine.core.terms import AgentId, CallbackId, Presence
from engine.document import parse
from engine.errors import StoreError
from engine.listening import listening
from engine.metrics import Metrics
from engine.store.queries import Queries
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT, OTHER_PHONE, PHONE, refused
from tests.component.desk_harness import BEN, answered
from tests.component.faulty_disk import FaultyDisk
from tests.component.session_harness import (
    FOREIGN,
    OURS,
    Office,
    Stream,
    bearer,
    cookie,
    login_document,
    running_office,
)
from tests.component.store_samples import url_of

STREAM = f"{PREFIX}/agent/stream"
MOST_CHANGES = 4000
"""Of some 5 KB each: more than the system keeps for a connection, by far."""
NOBODY: dict[str, Any] = {"state": "logged_out", "reason": None, "load": {}}


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(tmp_path) as running:
        yield running


def told(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["type"], each["agent"]["state"]) for each in messages]


async def until(condition: Any, seconds: float = 5) -> None:  # noqa: ANN401
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


# ---- what is told --------------------------------------------------------------------------------------------------


async def test_a_call_from_preview_to_wrap_up_is_told_step_by_step_without_a_gap(office: Office) -> None:
    stream = await office.stream()
    first = await stream.next()
    assert first == {"type": "snapshot", "seq": 1, "at": "2027-01-13T15:00:00.000Z", "agent": NOBODY, "work": None}
    work = await office.previewed(first_name="Ada", context={"invoice": "4711"})
    heard = await stream.until("preview")
    assert told(heard) == [("state", "ready"), ("preview", "previewing")]
    assert heard[0]["work"] is None
    assert heard[1]["agent"] == {"state": "previewing", "reason": None, "load": {"voice": 1}}
    assert heard[1]["work"] == {
        "id": work,
        "kind": "callback",
        "media": "voice",
        "service": "billing",
        "attempt": work,
        "respond_by": "2027-01-13T15:00:20.000Z",
        "customer": {
            "subject": None,
            "customer_id": None,
            "first_name": "Ada",
            "last_name": None,
            "phone": PHONE,
            "language": "en",
            "page_url": None,
            "context": {"invoice": "4711"},
        },
    }
    await office.talks(work)
    await office.hangs_up(work)
    office.clock.at += 5
    await answered(await office.as_agent("PUT", "/state", {"state": "not_ready", "reason": "lunch"}))
    await office.wrap_up_ends()
    heard += await stream.until("ended")
    assert told(heard) == [
        ("state", "ready"),
        ("preview", "previewing"),
        ("state", "reserved"),
        ("ringing", "ringing"),
        ("connected", "talking"),
        ("wrap_up", "wrap_up"),
        ("state", "wrap_up"),
        ("ended", "not_ready"),
    ]
    assert [each["seq"] for each in heard] == list(range(2, 2 + len(heard)))
    assert heard[-1]["agent"] == {"state": "not_ready", "reason": "lunch", "load": {}}
    assert [each["at"] for each in heard[-2:]] == ["2027-01-13T15:00:05.000Z", "2027-01-13T15:00:35.000Z"]
    for each in heard[2:]:
        assert (each["work"]["id"], each["work"]["respond_by"]) == (work, None)
        assert each["work"]["customer"] == heard[1]["work"]["customer"]


async def test_whoever_comes_late_gets_all_that_they_hold_also_of_a_call_that_is_over(office: Office) -> None:
    work = await office.previewed()
    await office.talks(work)
    wanted = {"media": "chat", "service": "billing", "context": {"chat": "7"}}
    chat = (await answered(await office.api.ask("POST", f"{PREFIX}/interactions", json=wanted), 201))["id"]
    await office.hangs_up(work)
    stream = await office.stream()
    snapshot, further = await stream.next(), await stream.next()
    assert (snapshot["type"], snapshot["agent"]["state"]) == ("snapshot", "wrap_up")
    assert (snapshot["work"]["id"], snapshot["work"]["customer"]["phone"]) == (work, PHONE)
    assert snapshot["agent"]["load"] == {"voice": 1, "chat": 1}
    assert (further["type"], further["seq"], further["work"]["id"]) == ("preview", 2, chat)
    assert (further["work"]["kind"], further["work"]["attempt"]) == ("interaction", None)
    assert further["work"]["customer"]["context"] == {"chat": "7"}
    assert further["work"]["respond_by"] == "2027-01-13T15:00:15.000Z"
    await answered(await office.as_agent("POST", f"/work/{chat}/accept"))
    await answered(await office.as_agent("POST", f"/work/{chat}/complete"))
    connected, ended = await stream.next(), await stream.next()
    assert told([connected, ended]) == [("connected", "wrap_up"), ("ended", "wrap_up")]
    assert ended["work"]["customer"] == connected["work"]["customer"] == further["work"]["customer"]
    assert ended["agent"]["load"] == {"voice": 1}


async def test_a_preview_that_is_not_answered_ends_in_rona(office: Office) -> None:
    stream = await office.stream()
    work = await office.previewed()
    await stream.until("preview")
    office.clock.at += 20
    await office.api.engine.submit(TimerFired(CallbackId(work.rpartition("-")[0]), PREVIEW))
    ended = await stream.next()
    assert (ended["type"], ended["work"]["id"]) == ("ended", work)
    assert ended["agent"] == {"state": "not_ready", "reason": "rona", "load": {}}


async def test_several_screens_of_an_agent_hear_the_same_and_nothing_of_others(office: Office) -> None:
    screens = [await office.stream(), await office.stream(), await office.stream(agent=BEN)]
    for screen in screens:
        await screen.next()
    await office.ready(AGENT)
    first, second = await screens[0].next(), await screens[1].next()
    assert first == second
    await office.ready(BEN)
    assert (await screens[2].next())["seq"] == 2
    connected = office.api.engine.agent_news.connected
    assert (connected(AgentId(AGENT)), connected(AgentId(BEN)), connected(AgentId("carl"))) == (True, True, False)
    await screens[0].socket.close()
    await until(lambda: office.api.engine.agent_news.listeners(AgentId(AGENT)) == 1)
    assert connected(AgentId(AGENT))
    await screens[1].socket.close()
    await until(lambda: not connected(AgentId(AGENT)))
    assert connected(AgentId(BEN))


async def test_what_a_screen_says_is_nothing_and_a_flood_of_it_ends_the_stream_only(office: Office) -> None:
    stream = await office.stream()
    await stream.next()
    await stream.socket.send_str('{"type": "state", "state": "ready"}')
    await office.ready()
    assert (await stream.next())["type"] == "state"
    await stream.socket.send_str("x" * 100_000)
    assert await stream.close_code() == 1009
    assert (await (await office.stream()).next())["agent"]["state"] == "ready"


async def test_nothing_is_told_that_is_not_written(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = await office.stream()
    await stream.next()
    writing, go_on = asyncio.Event(), asyncio.Event()
    journal = office.api.engine.runtime._journal
    commit = journal.commit

    async def slow(changes: Any) -> None:  # noqa: ANN401
        writing.set()
        await go_on.wait()
        await commit(changes)

    monkeypatch.setattr(journal, "commit", slow)
    becoming = asyncio.create_task(office.ready())
    await writing.wait()
    late = await office.stream()
    assert (await late.next())["agent"]["state"] == "logged_out"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await stream.socket.receive()
    go_on.set()
    await becoming
    assert [(await each.next())["agent"]["state"] for each in (stream, late)] == ["ready", "ready"]


# ---- who may listen ------------------------------------------------------------------------------------------------


async def test_a_cookie_opens_a_stream_from_our_own_pages_only(office: Office) -> None:
    token = await office.token()
    assert (await (await office.stream(cookie(token, OURS))).next())["type"] == "snapshot"
    for origin in (None, FOREIGN, "null"):
        assert await (await office.stream(cookie(token, origin))).close_code() == 4403
    assert (await (await office.stream(bearer(token) | {"Origin": FOREIGN})).next())["type"] == "snapshot"


async def test_whoever_is_not_let_in_is_told_by_a_close_code(office: Office) -> None:
    for headers in ({}, bearer("nonsense"), cookie("nonsense", OURS), {"Authorization": "Basic eDp5"}):
        assert await (await office.stream(headers)).close_code() == 4401
    for role in set(KeyRole) - {KeyRole.AGENT}:
        assert await (await office.stream(bearer(office.api.keys[role]))).close_code() == 4403
    assert office.api.engine.agent_news.listeners() == 0


async def test_a_client_without_websockets_is_told_by_a_problem(office: Office) -> None:
    response = await office.api.ask("GET", STREAM, role=KeyRole.AGENT)
    await refused(response, 426, "upgrade-required")
    await refused(await office.api.ask("GET", STREAM, role=None), 401, "invalid-token")
    with pytest.raises(WSServerHandshakeError) as error:
        await office.api.client.ws_connect(STREAM, headers={"Sec-WebSocket-Version": "6"} | bearer(office.keys[AGENT]))
    assert error.value.status == 426


async def test_an_expired_session_ends_an_open_stream(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_stream, "LOOK_SECONDS", 0.05)
    stream = await office.stream(bearer(await office.token()))
    by_key = await office.stream()
    await stream.next()
    office.clock.at += 43200
    assert await stream.close_code() == 4401
    assert (await by_key.next())["type"] == "snapshot"


@pytest.mark.parametrize("how", ["logged out", "password", "removed"])
async def test_a_session_that_ends_takes_its_streams_with_it_at_once(office: Office, how: str) -> None:
    token, other = await office.token(), await office.token()
    streams = [await office.stream(cookie(token, OURS)), await office.stream(bearer(token))]
    untouched = await office.stream(bearer(other))
    for stream in (*streams, untouched):
        await stream.next()
    began = time.monotonic()
    match how:
        case "logged out":
            await office.api.ask("DELETE", f"{PREFIX}/sessions", role=None, headers=bearer(token))
        case "password":
            await office.set_password("another long one")
        case _:
            document = login_document()
            await office.apply(document | {"agents": document["agents"][1:]})
    for stream in streams:
        assert await stream.close_code() == 4401
    assert time.monotonic() - began < 5
    if how == "logged out":
        await office.ready()
        assert (await untouched.next())["agent"]["state"] == "ready"
    else:
        assert await untouched.close_code() == 4401


async def test_a_revoked_key_and_a_removed_agent_end_the_streams_of_keys(office: Office) -> None:
    amy, ben = await office.stream(), await office.stream(agent=BEN)
    for stream in (amy, ben):
        await stream.next()
    keys = (await answered(await office.api.ask("GET", f"{PREFIX}/keys")))["items"]
    revoked = next(each["id"] for each in keys if each["subject"] == AGENT)
    assert (await office.api.ask("DELETE", f"{PREFIX}/keys/{revoked}")).status == 204
    assert await amy.close_code() == 4401
    document = login_document()
    await office.apply(document | {"agents": document["agents"][:1]})
    assert await ben.close_code() == 4403
    assert await (await office.stream(agent=BEN)).close_code() == 4403


async def test_an_agent_and_all_together_have_so_many_streams(tmp_path: Path) -> None:
    async with running_office(tmp_path, agents=AgentSettings(max_streams_per_agent=2, max_streams=3)) as office:
        amys = [await office.stream() for _ in range(3)]
        assert [(await stream.next())["type"] for stream in amys[:2]] == ["snapshot", "snapshot"]
        assert await amys[2].close_code() == 4429
        assert (await (await office.stream(agent=BEN)).next())["type"] == "snapshot"
        assert await (await office.stream(agent=BEN)).close_code() == 4429
        await amys[0].socket.close()
        await until(lambda: office.api.engine.agent_news.listeners() == 2)
        assert (await (await office.stream()).next())["type"] == "snapshot"


# ---- when something goes wrong -------------------------------------------------------------------------------------


async def holding_much(office: Office) -> None:
    """Each message of the agent is long: they hold a chat with as much context as there may be."""
    context = {f"field{n}": "x" * 500 for n in range(10)}
    wanted = {"media": "chat", "service": "billing", "context": context}
    await answered(await office.api.ask("POST", f"{PREFIX}/interactions", json=wanted), 201)
    chat = (await office.ready())["work"]["id"]
    await answered(await office.as_agent("POST", f"/work/{chat}/accept"))


async def toggled(office: Office, times: int) -> float:
    """The agent's state changes so often; the longest that one change took."""
    longest = 0.0
    for n in range(times):
        began = time.monotonic()
        presence = (Presence.NOT_READY, Presence.READY)[n % 2]
        await office.api.engine.submit(PresenceRequested(AgentId(AGENT), presence))
        longest = max(longest, time.monotonic() - began)
    return longest


async def raw_stream(office: Office) -> sockets.socket:
    """A stream whose client reads nothing: a socket with little room, left alone after the request."""
    url = office.api.client.make_url(STREAM)
    client = sockets.socket()
    client.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, (url.host, url.port))
    key = base64.b64encode(b"sixteen bytes...").decode()
    request = (
        f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {office.keys[AGENT]}\r\n\r\n"
    )
    await asyncio.get_running_loop().sock_sendall(client, request.encode())
    await until(lambda: office.api.engine.agent_news.connected(AgentId(AGENT)))
    return client


async def test_a_screen_that_does_not_read_holds_nobody_up_and_is_given_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_stream, "PING_SECONDS", 600.0)  # which would end it, too, but late
    await holding_much(office)
    client = await raw_stream(office)
    held = connection_of(office, client)
    try:
        quick = await office.stream()
        reading = asyncio.create_task(read_on(quick))
        longest, changes = 0.0, 0
        while office.api.engine.agent_news.listeners(AgentId(AGENT)) == 2 and changes < MOST_CHANGES:
            longest, changes = max(longest, await toggled(office, 20)), changes + 20
        assert changes < MOST_CHANGES, "what is not read was kept without bound"
        assert longest < 1
        await until(lambda: held.get_extra_info("socket").fileno() == -1, 10)
        await answered(await office.as_agent("PUT", "/state", {"state": "not_ready", "reason": "training"}))
        async with asyncio.timeout(10):
            heard = await reading
        assert [each["seq"] for each in heard] == list(range(1, len(heard) + 1))
        assert (await (await office.stream()).next())["agent"]["reason"] == "training"
    finally:
        client.close()


def connection_of(office: Office, client: sockets.socket) -> asyncio.Transport:
    """The server's side of a client's connection, which holds what waits for it."""
    assert office.api.client.server.runner is not None
    server = office.api.client.server.runner.server
    assert server is not None
    held = [each.transport for each in server.connections if each.transport is not None]
    return next(each for each in held if each.get_extra_info("peername") == client.getsockname())


async def read_on(stream: Stream) -> list[dict[str, Any]]:
    """Everything until the agent is at their training."""
    heard = [await stream.next()]
    while heard[-1]["agent"]["reason"] != "training":
        heard.append(await stream.next())
    return heard


async def test_a_screen_that_reads_too_slowly_is_told_by_a_code_to_come_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_stream, "PING_SECONDS", 600.0)
    monkeypatch.setattr(agent_stream, "CLOSE_SECONDS", 5.0)
    await holding_much(office)
    slow = await office.stream()
    changes = 0
    while office.api.engine.agent_news.listeners(AgentId(AGENT)) and changes < MOST_CHANGES:
        await toggled(office, 20)
        changes += 20
    assert await slow.close_code() == 1013
    assert (await (await office.stream()).next())["type"] == "snapshot"


async def test_after_an_outage_of_the_store_a_snapshot_comes_again(office: Office) -> None:
    stream = await office.stream()
    await stream.next()
    await office.ready()
    await stream.next()
    office.api.engine.written.tell_restored()
    again = await stream.next()
    assert (again["type"], again["seq"], again["agent"]["state"]) == ("snapshot", 3, "ready")


async def test_a_customer_who_cannot_be_read_ends_the_stream_for_another_try(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = await office.previewed()
    await office.talks(work)
    await office.hangs_up(work)

    async def broken(_self: Queries, _callback: str) -> None:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as failing:
        failing.setattr(Queries, "callback", broken)
        assert await (await office.stream()).close_code() == 1013
    assert (await (await office.stream()).next())["work"]["customer"]["phone"] == PHONE


async def test_no_stream_keeps_the_engine_from_stopping(office: Office) -> None:
    api = office.api
    app = build_app(
        settings=Settings(), engine=api.engine, queries=api.queries, metrics=Metrics(), prepare=api.engine.prepare
    )
    async with ClientSession() as session:
        async with listening(app, "127.0.0.1", 0) as port:
            url = f"http://127.0.0.1:{port}{STREAM}"
            polite = Stream(await session.ws_connect(url, headers=bearer(office.keys[AGENT])))
            silent = await session.ws_connect(url, headers=bearer(office.keys[AGENT]), autoclose=False)
            await polite.next()
            goodbye = asyncio.create_task(polite.close_code())
            began = time.monotonic()
        assert time.monotonic() - began < 4
        assert await goodbye == 1001
        await silent.close()
    assert api.engine.agent_news.listeners() == 0


async def test_the_engine_itself_tells_a_snapshot_when_its_store_takes_writes_again(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    parsed = parse(login_document())
    settings = Settings(
        http=HttpSettings(port=0),
        store=StoreSettings(url=url_of(tmp_path / "ringback.db")),
        asterisk=(AsteriskSettings(ari_url="http://127.0.0.1:1/ari", ari_password=SecretStr("none")),),
    )
    async with running_engine(settings) as (engine, _):
        serving = asyncio.create_task(engine.run(None))
        try:
            await engine.submit(ConfigurationApplied(parsed.configuration, parsed.text))
            engine._hear(TelephonyReady())
            await engine.submit(PresenceRequested(AgentId(AGENT), Presence.NOT_READY, "lunch"))
            listener = engine.agent_news.listen(AgentId(AGENT))
            first = await listener.next()
            assert (first.kind, first.status.reason) == ("snapshot", "lunch")
            await broken_and_mended(engine, disk)
            async with asyncio.timeout(5):
                again = await listener.next()
            assert (again.kind, again.status.reason) == ("snapshot", "lunch")
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving


async def broken_and_mended(engine: RunningEngine, disk: FaultyDisk) -> None:
    """A change that is lost, and the store being restored after it."""
    disk.on_write = lambda: SQLITE_FULL
    with pytest.raises(StoreError):
        await engine.submit(PresenceRequested(AgentId(AGENT), Presence.READY))
    disk.heal()
    await until(lambda: engine.accepting, 20)


async def test_two_customers_are_told_of_with_their_own_numbers(office: Office) -> None:
    stream = await office.stream()
    first = await office.call_is_over(PHONE)
    await answered(await office.as_agent("PUT", "/state", {"state": "not_ready"}))
    second = await office.previewed(phone=OTHER_PHONE)
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["work"] is None or heard[-1]["work"]["id"] != second:
        heard.append(await stream.next())
    phones = {each["work"]["id"]: each["work"]["customer"]["phone"] for each in heard if each["work"]}
    assert phones == {first: PHONE, second: OTHER_PHONE}
