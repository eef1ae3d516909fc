"""Asking for a callback over HTTP, following and cancelling it."""

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from engine.api.bodies import read_body
from engine.api.callback_shapes import CallbackWanted
from engine.api.codes import Code
from engine.api.credentials import hash_of
from engine.api.problems import ProblemError
from engine.core.events import LegEnded
from engine.core.terms import CallbackId, LegId
from engine.store.records import KeyRole
from tests.component.api_harness import DOCUMENT, OTHER_PHONE, PHONE, Api, refused, running_api

CALLBACKS = "/api/v1/callbacks"


def nested(depth: int) -> dict[str, object]:
    """An object in an object in an object."""
    return {"a": nested(depth - 1)} if depth else {}


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as running:
        yield running


async def test_a_customers_request_is_accepted_and_durable(api: Api) -> None:
    response = await api.request_callback(
        subject="invoice", first_name="Ada", context={"order": 5, "vip": True}, page_url="https://shop.example/pay"
    )
    answer = await response.json()
    assert response.status == 201
    assert response.headers["Cache-Control"] == "no-store"
    assert answer["id"].startswith("cb")
    assert len(answer["id"]) == 22
    assert answer["state"] == "queued"
    assert answer["position"] == 1
    assert answer["wait"] is None
    assert answer["scheduled_for"] is None
    assert answer["manage_url"] == f"http://127.0.0.1:8080/manage/{answer['id']}#{answer['token']}"
    kept = await api.queries.callback(CallbackId(answer["id"]))
    assert kept is not None
    assert kept.request.phone == PHONE
    assert kept.request.context == {"order": "5", "vip": "true"}
    assert kept.token_hash == hash_of(answer["token"])
    assert answer["token"] not in repr(kept)


async def test_the_next_customer_has_the_next_place(api: Api) -> None:
    await api.accepted()
    assert (await api.accepted(phone="(202) 555-0114"))["position"] == 2


async def test_language_falls_back_to_the_services_first(api: Api) -> None:
    spanish = await api.accepted(language="es-MX")
    other = await api.accepted(language="fr", phone=OTHER_PHONE)
    kept = [await api.queries.callback(CallbackId(each["id"])) for each in (spanish, other)]
    assert [each and each.request.language for each in kept] == ["es", "en"]


async def test_the_subject_may_decide_the_service(api: Api) -> None:
    accepted = await api.accepted(service=None, subject="invoice")
    kept = await api.queries.callback(CallbackId(accepted["id"]))
    assert kept is not None
    assert kept.request.service == "billing"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"phone": "hello"}, 422, "invalid-phone"),
        ({"phone": "+1202555011"}, 422, "invalid-phone"),
        ({"phone": "+12025550113;ext=1"}, 422, "invalid-phone"),
        ({"phone": "+19005551234"}, 422, "phone-not-allowed"),
        ({"phone": "+4930123456"}, 422, "phone-not-allowed"),
        ({"phone": "911"}, 422, "phone-not-allowed"),
        ({"service": "nope"}, 404, "unknown-service"),
        ({"service": "hidden"}, 404, "unknown-service"),
        ({"service": None}, 404, "unknown-service"),
        ({"subject": "nope"}, 422, "unknown-subject"),
        ({"when": "2030-01-01T10:00:00+00:00"}, 422, "slot-not-available"),
        ({"when": "tomorrow"}, 422, "invalid-field"),
        ({"frist_name": "Ada"}, 422, "unknown-field"),
        ({"first_name": "Ada\nBob"}, 422, "invalid-field"),
        ({"first_name": 5}, 422, "invalid-field"),
        ({"page_url": "javascript:alert(1)"}, 422, "invalid-field"),
        ({"context": {"a": ["b"]}}, 422, "invalid-field"),
        ({"context": {"a": "b\x00"}}, 422, "invalid-field"),
        ({"when": "0001-01-01T00:00:00+23:59"}, 422, "invalid-field"),
        ({"timezone": "Mars/Phobos"}, 422, "invalid-field"),
        ({"push": {}}, 422, "invalid-field"),
        ({"push": nested(400)}, 422, "invalid-field"),
        ({"offer_id": "x"}, 422, "invalid-field"),
        ({"skill_expression": "billing"}, 403, "forbidden"),
        ({"channel": "agent"}, 403, "forbidden"),
    ],
)
async def test_a_request_that_cannot_be_served_is_refused_and_not_stored(
    api: Api, fields: dict[str, object], status: int, code: str
) -> None:
    problem = await refused(await api.request_callback(**fields), status, code)
    assert str(fields.get("phone", "none")) not in str(problem)
    assert (await api.queries.callbacks()).items == ()
    assert f'ringback_requests_refused_total{{code="{code}"}} 1.0' in api.metrics.text().decode()


async def test_a_misspelt_field_is_answered_with_the_nearest_one(api: Api) -> None:
    problem = await refused(await api.request_callback(frist_name="Ada"), 422, "unknown-field")
    assert problem["errors"] == [{"field": "frist_name", "message": "unknown field; did you mean first_name?"}]


async def test_a_second_request_of_the_same_number_is_refused(api: Api) -> None:
    await api.accepted()
    await refused(await api.request_callback(phone="202-555-0113"), 409, "duplicate-request")


async def test_a_full_line_refuses(api: Api) -> None:
    for n in range(5):
        await api.accepted(phone=f"+1202555012{n}")
    await refused(await api.request_callback(), 503, "queue-full")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[1]",
        b'{"phone": "1", "phone": "2"}',
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b"[" * 60_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
async def test_a_body_that_is_no_plain_json_object_is_refused(api: Api, body: bytes) -> None:
    await refused(await api.ask("POST", CALLBACKS, role=KeyRole.PUBLIC, data=body), 400, "bad-json")


async def test_a_body_of_another_type_is_refused(api: Api) -> None:
    response = await api.ask("POST", CALLBACKS, data="phone=1", headers={"Content-Type": "text/plain"})
    await refused(response, 415, "unsupported-media-type")


async def test_a_body_over_the_limit_is_refused(api: Api) -> None:
    body = b'{"phone": "' + b"1" * 65536 + b'"}'
    await refused(await api.ask("POST", CALLBACKS, data=body), 413, "too-large")


async def test_a_body_over_the_limit_is_refused_also_when_its_length_is_not_told(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    response = await api.client.post(
        CALLBACKS,
        data=chunks(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {api.keys[KeyRole.ADMIN]}"},
    )
    await refused(response, 413, "too-large")


async def test_a_stopping_engine_takes_no_request(api: Api) -> None:
    api.engine.open_for_requests = False
    response = await api.request_callback()
    await refused(response, 503, "not-ready")
    assert response.headers["Retry-After"] == "5"


# ---- following ---------------------------------------------------------------------------------------------------


async def test_the_token_alone_shows_the_customers_view(api: Api) -> None:
    accepted = await api.accepted(first_name="Ada")
    response = await api.ask(
        "GET", f"{CALLBACKS}/{accepted['id']}", role=None, headers={"X-Callback-Token": accepted["token"]}
    )
    assert response.status == 200
    assert await response.json() == {
        "id": accepted["id"],
        "state": "queued",
        "reason": None,
        "service": "billing",
        "when": "now",
        "position": 1,
        "wait": None,
        "scheduled_for": None,
        "next_attempt_at": None,
        "attempts_made": 0,
    }


async def test_a_public_key_shows_the_customers_view_only(api: Api) -> None:
    accepted = await api.accepted(first_name="Ada")
    view = await (await api.ask("GET", f"{CALLBACKS}/{accepted['id']}", role=KeyRole.PUBLIC)).json()
    assert "phone" not in view
    assert "first_name" not in view


async def test_staff_see_all_of_it(api: Api) -> None:
    accepted = await api.accepted(first_name="Ada", subject="invoice")
    view = await (await api.ask("GET", f"{CALLBACKS}/{accepted['id']}", role=KeyRole.SUPERVISOR)).json()
    assert view["phone"] == PHONE
    assert view["first_name"] == "Ada"
    assert view["channel"] == "web"
    assert view["attempts"] == []
    assert view["created_at"].endswith("Z")


@pytest.mark.parametrize("role", [None, KeyRole.PUBLIC])
async def test_a_wrong_token_is_refused(api: Api, role: KeyRole | None) -> None:
    accepted = await api.accepted()
    for method in ("GET", "DELETE"):
        response = await api.ask(
            method, f"{CALLBACKS}/{accepted['id']}", role=role, headers={"X-Callback-Token": "wrong"}
        )
        await refused(response, 401, "invalid-token")


async def test_a_token_opens_no_other_request(api: Api) -> None:
    first, second = await api.accepted(), await api.accepted(phone=OTHER_PHONE)
    response = await api.ask(
        "GET", f"{CALLBACKS}/{first['id']}", role=None, headers={"X-Callback-Token": second["token"]}
    )
    await refused(response, 401, "invalid-token")


async def test_an_unknown_id_is_not_found(api: Api) -> None:
    await refused(await api.ask("GET", f"{CALLBACKS}/cbnothing"), 404, "not-found")
    await refused(await api.ask("DELETE", f"{CALLBACKS}/cbnothing"), 404, "not-found")


# ---- cancelling --------------------------------------------------------------------------------------------------


async def test_a_customer_cancels_with_the_token(api: Api) -> None:
    accepted = await api.accepted()
    path, headers = f"{CALLBACKS}/{accepted['id']}", {"X-Callback-Token": accepted["token"]}
    response = await api.ask("DELETE", path, role=None, headers=headers)
    view = await response.json()
    assert response.status == 200
    assert (view["state"], view["reason"], view["position"]) == ("cancelled", "by_customer", None)
    await refused(await api.ask("DELETE", path, role=None, headers=headers), 409, "already-ended")
    assert (await api.request_callback()).status == 201


async def test_a_publishable_key_alone_cancels_nothing(api: Api) -> None:
    accepted = await api.accepted()
    response = await api.ask("DELETE", f"{CALLBACKS}/{accepted['id']}", role=KeyRole.PUBLIC)
    await refused(response, 403, "forbidden")


async def test_staff_cancel_as_administration(api: Api) -> None:
    accepted = await api.accepted()
    view = await (await api.ask("DELETE", f"{CALLBACKS}/{accepted['id']}", role=KeyRole.SUPERVISOR)).json()
    assert (view["state"], view["reason"], view["phone"]) == ("cancelled", "by_admin", PHONE)


async def test_nobody_cancels_while_the_customer_is_being_called(api: Api) -> None:
    await api.ask("PUT", "/api/v1/agents/amy/state", json={"state": "ready"})
    accepted = await api.accepted()
    assert [type(effect).__name__ for effect in api.engine.effects] == ["DialCustomer"]
    await refused(await api.ask("DELETE", f"{CALLBACKS}/{accepted['id']}"), 409, "call-in-progress")
    view = await (await api.ask("GET", f"{CALLBACKS}/{accepted['id']}")).json()
    assert view["position"] is None
    assert [attempt["n"] for attempt in view["attempts"]] == [1]


async def test_an_attempt_in_which_only_the_agent_was_rung_has_no_dial_and_is_none_for_the_customer(api: Api) -> None:
    document = deepcopy(DOCUMENT)
    document["services"][0]["connect"] = "agent_first"
    applied = await (await api.ask("POST", "/api/v1/config", json={"document": document})).json()
    assert applied["applied"]
    await api.ask("PUT", "/api/v1/agents/amy/state", json={"state": "ready"})
    accepted = await api.accepted()
    path = f"{CALLBACKS}/{accepted['id']}"
    assert [type(effect).__name__ for effect in api.engine.effects] == ["RingAgent"]
    await refused(await api.ask("DELETE", path), 409, "call-in-progress")
    view = await (await api.ask("GET", path)).json()
    assert (view["state"], view["position"]) == ("ringing_agent", None)
    [attempt] = view["attempts"]
    assert (attempt["agent"], attempt["dialed_at"], attempt["ended_at"]) == ("amy", None, None)

    api.engine.runtime.tell(LegEnded(LegId(f"{accepted['id']}-1.agent.1"), 21))
    await api.ask("PUT", "/api/v1/agents/amy/state", json={"state": "not_ready"})

    headers = {"X-Callback-Token": accepted["token"]}
    customers = await (await api.ask("GET", path, role=None, headers=headers)).json()
    assert (customers["state"], customers["position"], customers["attempts_made"]) == ("queued", 1, 0)
    [missed] = (await (await api.ask("GET", path)).json())["attempts"]
    assert (missed["outcome"], missed["dialed_at"]) == ("no_agent", None)


# ---- the staff's list --------------------------------------------------------------------------------------------


async def test_the_list_is_paged_newest_first_and_filtered(api: Api) -> None:
    ids = [(await api.accepted(phone=f"+1202555012{n}"))["id"] for n in range(3)]
    await api.ask("DELETE", f"{CALLBACKS}/{ids[0]}")
    first = await (await api.ask("GET", f"{CALLBACKS}?limit=2")).json()
    assert [each["id"] for each in first["items"]] == [ids[2], ids[1]]
    second = await (await api.ask("GET", f"{CALLBACKS}?limit=2&cursor={first['next']}")).json()
    assert [each["id"] for each in second["items"]] == [ids[0]]
    assert second["next"] is None
    for query, found in {
        "state=cancelled": [ids[0]],
        "state=queued,cancelled": ids[::-1],
        "state=queued&state=cancelled": ids[::-1],
        "phone=%2B12025550121": [ids[1]],
        "phone=+12025550121": [ids[1]],
        "service=hidden": [],
        "from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z": [],
        "from=2000-01-01T00:00:00Z": ids[::-1],
        "from=2000-01-01T00:00:00+00:00": ids[::-1],
    }.items():
        page = await (await api.ask("GET", f"{CALLBACKS}?{query}")).json()
        assert [each["id"] for each in page["items"]] == found, query


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "invalid-field"),
        ("limit=501", "invalid-field"),
        ("limit=1&limit=2", "invalid-field"),
        ("cursor=x", "invalid-field"),
        ("state=sleeping", "invalid-field"),
        ("from=yesterday", "invalid-field"),
        ("to=1700000000", "invalid-field"),
        ("stat=queued", "unknown-field"),
    ],
)
async def test_a_wrong_question_is_refused(api: Api, query: str, code: str) -> None:
    await refused(await api.ask("GET", f"{CALLBACKS}?{query}"), 422, code)


async def test_the_list_is_for_staff(api: Api) -> None:
    await refused(await api.ask("GET", CALLBACKS, role=KeyRole.PUBLIC), 403, "forbidden")


# ---- bodies that do not arrive ------------------------------------------------------------------------------------


async def test_a_body_that_is_not_encoded_as_its_headers_say_is_refused(api: Api) -> None:
    headers = {"Content-Encoding": "gzip"}
    await refused(await api.ask("POST", CALLBACKS, data=b"no gzip", headers=headers), 400, "bad-json")


async def test_given_a_client_who_goes_in_the_middle_of_a_body_then_it_is_no_defect_of_ours() -> None:
    body = StreamReader(BaseProtocol(asyncio.get_running_loop()), 1024)
    body.feed_data(b'{"phone": ')
    body.set_exception(ConnectionResetError("Connection lost"))
    request = make_mocked_request("POST", CALLBACKS, {"Content-Type": "application/json"}, payload=body)
    with pytest.raises(ProblemError) as caught:
        await read_body(request, CallbackWanted)
    assert caught.value.code is Code.BAD_JSON


# ---- the same request again --------------------------------------------------------------------------------------


async def _post(api: Api, key: str, role: KeyRole = KeyRole.PUBLIC, **fields: object) -> tuple[int, dict[str, object]]:
    body = {"service": "billing", "phone": PHONE} | fields
    response = await api.ask("POST", CALLBACKS, role=role, json=body, headers={"Idempotency-Key": key})
    return response.status, await response.json()


async def test_a_repeated_request_gets_the_same_answer_and_makes_nothing(api: Api) -> None:
    first = await _post(api, "once")
    assert first[0] == 201
    assert await _post(api, "once") == first
    assert len((await api.queries.callbacks()).items) == 1


async def test_the_same_key_with_another_body_conflicts(api: Api) -> None:
    await _post(api, "once")
    status, problem = await _post(api, "once", phone=OTHER_PHONE)
    assert (status, problem["code"]) == (409, "idempotency-conflict")


async def test_two_requests_at_once_with_one_key_make_one_callback(api: Api) -> None:
    answers = await asyncio.gather(*(_post(api, "once") for _ in range(10)))
    assert answers == [answers[0]] * 10
    assert answers[0][0] == 201
    assert len((await api.queries.callbacks()).items) == 1


async def test_a_refused_request_may_be_repeated_and_then_accepted(api: Api) -> None:
    blocking = await api.accepted()
    assert (await _post(api, "once"))[0] == 409
    await api.ask("DELETE", f"{CALLBACKS}/{blocking['id']}")
    assert (await _post(api, "once"))[0] == 201


async def test_one_clients_key_is_nothing_to_another_client(api: Api) -> None:
    await _post(api, "once")
    status, problem = await _post(api, "once", role=KeyRole.SUPERVISOR, phone=OTHER_PHONE)
    assert (status, problem.get("code")) == (201, None)


async def test_a_key_that_is_no_key_is_refused(api: Api) -> None:
    assert (await _post(api, "two words"))[1]["code"] == "invalid-field"


async def test_after_a_restart_a_repeated_request_still_gets_its_id_and_token(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        _, first = await _post(api, "once", role=KeyRole.ADMIN)
    async with running_api(tmp_path) as api:
        status, second = await _post(api, "once", role=KeyRole.ADMIN)
    assert (status, second) == (201, first)


# ---- limits ------------------------------------------------------------------------------------------------------


async def test_one_address_may_ask_so_often_and_staff_as_often_as_they_like(tmp_path: Path) -> None:
    async with running_api(tmp_path, requests_per_minute=2) as api:
        assert (await api.request_callback()).status == 201
        await refused(await api.request_callback(), 409, "duplicate-request")
        response = await api.request_callback(phone=OTHER_PHONE)
        await refused(response, 429, "too-many-requests")
        assert 1 <= int(response.headers["Retry-After"]) <= 30
        body = {"service": "billing", "phone": OTHER_PHONE}
        assert (await api.ask("POST", CALLBACKS, role=KeyRole.SUPERVISOR, json=body)).status == 201
