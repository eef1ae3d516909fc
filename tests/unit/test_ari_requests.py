"""How requests end on a bad network: as values, sent once, and knowing whether they were sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from engine.asterisk.ari import AriClient, Ok, Refused, Result, Unknown
from tests.unit.ari_bad_network import (
    CREDENTIALS,
    PASSWORD,
    Exchange,
    bad_network,
    client_of,
    drop,
    garbage,
    never_answer,
)
from tests.unit.ari_samples import AT, CHANNEL


async def dial(client: AriClient) -> Result[object]:
    result = await client.channels.originate(
        endpoint="PJSIP/12025550110@trunk",
        channel_id="a1.customer",
        context="ringback",
        extension="customer",
        variables={"RB_ATTEMPT": "a1"},
    )
    return Ok(result.value) if isinstance(result, Ok) else result


async def test_a_refused_connection_is_certainly_not_sent() -> None:
    async with bad_network(drop) as network:
        pass
    async with client_of(network) as client:
        result = await dial(client)
    assert isinstance(result, Unknown)
    assert not result.sent


async def test_an_unknown_host_is_certainly_not_sent() -> None:
    async with AriClient("http://asterisk.invalid:8088/ari", "engine", PASSWORD) as client:
        result = await dial(client)
    assert isinstance(result, Unknown)
    assert not result.sent


async def test_no_free_connection_in_time_is_certainly_not_sent() -> None:
    async with (
        bad_network(never_answer) as network,
        client_of(network, request_timeout_seconds=0.4, max_connections=1) as client,
    ):
        first, second = await asyncio.gather(dial(client), dial(client))
    assert first == Unknown("no answer within 0.4 s", sent=True)
    assert isinstance(second, Unknown)
    assert not second.sent
    assert len(network.seen) == 1


async def test_a_burst_never_overflows_the_queue_of_connections_that_asterisk_has() -> None:
    async with (
        bad_network(never_answer) as network,
        AriClient(network.url, "engine", PASSWORD, request_timeout_seconds=0.4) as client,
    ):
        await asyncio.gather(*(dial(client) for _ in range(40)))
    assert 4 <= len(network.seen) < 10


async def test_a_late_answer_leaves_it_open_what_was_done() -> None:
    async with bad_network(never_answer) as network, client_of(network, request_timeout_seconds=0.2) as client:
        result = await dial(client)
    assert result == Unknown("no answer within 0.2 s", sent=True)


@pytest.mark.parametrize("timeout_seconds", [0.3, 0.6])
async def test_an_answer_that_stops_in_the_middle_ends_at_the_timeout(timeout_seconds: float) -> None:
    async def stop(exchange: Exchange) -> None:
        exchange.answer(200, b'{"id"', declared_length=500)
        await never_answer(exchange)

    async with bad_network(stop) as network, client_of(network, request_timeout_seconds=timeout_seconds) as client:
        result = await dial(client)
    assert isinstance(result, Unknown)
    assert result.sent


async def test_a_request_before_open_or_after_close_is_not_sent() -> None:
    async with bad_network(drop) as network:
        client = client_of(network)
        assert await client.asterisk.ping() == Unknown("the client is closed", sent=False)
        await client.open()
        await client.close()
        await client.close()
        assert await client.asterisk.ping() == Unknown("the client is closed", sent=False)
        assert not network.seen


async def test_closing_the_client_ends_requests_on_their_way_as_unknown() -> None:
    async with bad_network(never_answer) as network:
        client = client_of(network)
        await client.open()
        dialling = asyncio.create_task(dial(client))
        await network.reached.wait()
        await client.close()
        result = await dialling
    assert isinstance(result, Unknown)
    assert result.sent


async def test_a_request_made_while_the_client_is_closing_is_not_sent() -> None:
    async with bad_network(never_answer) as network:
        client = client_of(network)
        await client.open()

        async def dial_twice() -> tuple[object, object]:
            return await dial(client), await dial(client)

        dialling = asyncio.create_task(dial_twice())
        await network.reached.wait()
        await client.close()
        _broken, second = await dialling
    assert second == Unknown("the client is closed", sent=False)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\x01\x02 nonsense\r\n\r\n",
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\xff\xfe\xfd{}",
        b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"id":1}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_nonsense_for_an_answer_is_unknown_and_never_an_error(raw: bytes, method: str) -> None:
    async with bad_network(garbage(raw)) as network, client_of(network) as client:
        requests: dict[str, Callable[[], Awaitable[Result[object]]]] = {
            "GET": lambda: read(client),
            "POST": lambda: dial(client),
            "DELETE": lambda: remove(client),
        }
        result = await requests[method]()
    assert isinstance(result, Unknown)
    assert result.sent
    assert PASSWORD not in result.why


async def read(client: AriClient) -> Result[object]:
    result = await client.channels.get("a1.customer")
    return Ok(result.value) if isinstance(result, Ok) else result


async def remove(client: AriClient) -> Result[object]:
    result = await client.applications.unsubscribe("ringback", ["endpoint:PJSIP/trunk"])
    return Ok(result.value) if isinstance(result, Ok) else result


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b'{"message":"Channel not found"}', "Channel not found"),
        (409, b'{"error":"Channel exists"}', "Channel exists"),
        (500, b"<html>a page of somebody else</html>", ""),
        (401, b"", ""),
        (302, b"", ""),
        (400, b'{"message":' + b'"' + b"x" * 5000 + b'"}', "x" * 300),
    ],
)
async def test_an_answer_of_another_kind_is_a_refusal(status: int, body: bytes, message: str) -> None:
    async def refuse(exchange: Exchange) -> None:
        exchange.answer(status, body)

    async with bad_network(refuse) as network, client_of(network) as client:
        result = await dial(client)
    assert result == Refused(status, message)
    assert isinstance(result, Refused)
    assert result.gone == (status == 404)
    assert len(network.seen) == 1


async def answer_once_then_drop(exchange: Exchange) -> None:
    """Keeps the connection after the first answer and drops it when the second request has come in."""
    if exchange.target.endswith("/ping"):
        exchange.answer(200, json.dumps({"asterisk_id": "02:fc", "ping": "pong", "timestamp": AT}).encode())
    else:
        exchange.cut()


async def test_dialling_on_a_kept_connection_that_drops_is_sent_once() -> None:
    async with bad_network(answer_once_then_drop) as network, client_of(network) as client:
        assert isinstance(await client.asterisk.ping(), Ok)
        result = await dial(client)
    assert isinstance(result, Unknown)
    assert result.sent
    assert [exchange.method for exchange in network.seen] == ["GET", "POST"]


async def test_put_and_delete_on_a_kept_connection_that_drops_are_sent_once() -> None:
    async with bad_network(answer_once_then_drop) as network, client_of(network) as client:
        assert isinstance(await client.asterisk.ping(), Ok)
        hung_up = await client.channels.hangup("a1.customer")
        assert isinstance(await client.asterisk.ping(), Ok)
        filtered = await client.applications.set_event_filter("ringback", disallowed=["ChannelVarset"])
    for result in (hung_up, filtered):
        assert isinstance(result, Unknown)
        assert result.sent
    assert [exchange.method for exchange in network.seen] == ["GET", "DELETE", "GET", "PUT"]


async def test_reading_on_a_kept_connection_that_drops_is_tried_once_more() -> None:
    async with bad_network(answer_once_then_drop) as network, client_of(network) as client:
        assert isinstance(await client.asterisk.ping(), Ok)
        result = await client.channels.get("a1.customer")
    assert isinstance(result, Unknown)
    assert [exchange.target for exchange in network.seen[1:]] == ["/ari/channels/a1.customer"] * 2


async def test_the_password_travels_in_the_header_and_numbers_in_the_body() -> None:
    async def create(exchange: Exchange) -> None:
        exchange.answer(200, json.dumps(CHANNEL).encode())

    async with bad_network(create) as network, client_of(network) as client:
        assert isinstance(await dial(client), Ok)
        assert PASSWORD not in repr(vars(client)) + client.url
    (exchange,) = network.seen
    assert exchange.target == "/ari/channels"
    assert exchange.headers["authorization"] == f"Basic {CREDENTIALS}"
    assert json.loads(exchange.body) == {
        "endpoint": "PJSIP/12025550110@trunk",
        "channelId": "a1.customer",
        "context": "ringback",
        "extension": "customer",
        "priority": 1,
        "variables": {"RB_ATTEMPT": "a1"},
    }


async def test_a_name_cannot_reach_another_resource() -> None:
    async def refuse(exchange: Exchange) -> None:
        exchange.answer(404)

    async with bad_network(refuse) as network, client_of(network) as client:
        await client.channels.hangup("../bridges/b?x=1#y")
    assert network.seen[0].target == "/ari/channels/..%2Fbridges%2Fb%3Fx%3D1%23y"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "asterisk:8088",
        "ftp://asterisk/ari",
        "http:///ari",
        f"http://engine:{PASSWORD}@asterisk:8088/ari",
        f"http://engine:{PASSWORD}@asterisk:x{PASSWORD}/ari",
        f"http://asterisk:8088/ari?api_key=engine:{PASSWORD}",
    ],
)
def test_an_address_that_is_none_or_holds_a_password_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="ARI address") as refusal:
        AriClient(url, "engine", PASSWORD)
    assert PASSWORD not in str(refusal.value)
