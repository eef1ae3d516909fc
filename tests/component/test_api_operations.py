"""Health, figures, the OpenAPI document, and errors that no resource makes."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from engine.api.codes import Code
from engine.api.endpoints import PREFIX
from engine.api.ports import Check
from engine.errors import StoreError
from engine.store.queries import Queries
from engine.store.records import KeyRole
from tests.component.api_harness import PHONE, Api, refused, running_api


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as running:
        yield running


async def test_the_process_is_alive_whatever_happens_outside(api: Api) -> None:
    api.engine.checks = {"store": Check(False, "gone")}
    assert await (await api.ask("GET", "/healthz", role=None)).json() == {"status": "alive"}


async def test_ready_degraded_and_not_ready(api: Api) -> None:
    ready = await (await api.ask("GET", "/readyz", role=None)).json()
    assert ready["status"] == "ready"
    api.engine.checks["asterisk:pbx2"] = Check(False, "no answer; is it running?")
    degraded = await (await api.ask("GET", f"{PREFIX}/readyz", role=None)).json()
    assert degraded["status"] == "degraded"
    assert degraded["checks"]["asterisk:pbx2"] == {"ok": False, "detail": "no answer; is it running?"}
    api.engine.checks["asterisk:pbx1"] = Check(False, "refused")
    problem = await refused(await api.ask("GET", "/readyz", role=None), 503, "not-ready")
    assert problem["checks"]["asterisk:pbx1"] == {"ok": False, "detail": "refused"}


async def test_a_store_that_does_not_answer_makes_it_not_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: Queries) -> None:
        raise StoreError("the disk is full; make room")

    monkeypatch.setattr(Queries, "ping", broken)
    problem = await refused(await api.ask("GET", "/readyz", role=None), 503, "not-ready")
    assert problem["detail"] == "the disk is full; make room"


async def test_a_stopping_engine_is_not_ready(api: Api) -> None:
    api.engine.open_for_requests = False
    await refused(await api.ask("GET", "/readyz", role=None), 503, "not-ready")


async def test_a_store_that_fails_is_answered_as_not_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: Queries, _callback: str) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Queries, "callback", broken)
    await refused(await api.ask("GET", f"{PREFIX}/callbacks/x"), 503, "not-ready")


async def test_a_defect_tells_the_client_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: Queries, _callback: str) -> None:
        raise ValueError("inner secret")

    monkeypatch.setattr(Queries, "callback", broken)
    problem = await refused(await api.ask("GET", f"{PREFIX}/callbacks/x"), 500, "internal-error")
    assert "inner secret" not in str(problem)


async def test_unknown_addresses_and_methods_are_problems_too(api: Api) -> None:
    await refused(await api.ask("GET", f"{PREFIX}/nothing"), 404, "not-found")
    response = await api.ask("PATCH", f"{PREFIX}/services")
    await refused(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "GET"


async def test_figures_count_requests_and_hold_nothing_personal(api: Api) -> None:
    accepted = await api.accepted(first_name="Ada")
    await api.request_callback()
    await api.ask("GET", f"{PREFIX}/callbacks/{accepted['id']}")
    response = await api.ask("GET", "/metrics", role=KeyRole.METRICS)
    text = await response.text()
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in (
        'ringback_callbacks_open{service="billing",state="queued"} 1.0',
        'ringback_line_waiting{service="billing"} 1.0',
        'ringback_agents{state="logged_out"} 1.0',
        'ringback_requests_accepted_total{service="billing"} 1.0',
        'ringback_requests_refused_total{code="duplicate-request"} 1.0',
        'ringback_http_request_seconds_count{method="GET",route="/api/v1/callbacks/{id}",status="200"} 1.0',
    ):
        assert line in text
    for name in (each.split("{")[0].split(" ")[0] for each in text.splitlines() if not each.startswith("#")):
        assert name.startswith("ringback_")
    for personal in (PHONE, PHONE[1:], "Ada", accepted["id"]):
        assert personal not in text


async def test_every_request_is_one_log_line_without_personal_values(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as lines, caplog.at_level(logging.DEBUG):
        accepted = await api.accepted(first_name="Ada")
        await api.request_callback()
        await api.ask("GET", f"{PREFIX}/callbacks/{accepted['id']}", headers={"X-Callback-Token": accepted["token"]})
    requests = [line for line in lines if line["event"] == "http.request"]
    assert [(line["status"], line["code"]) for line in requests] == [
        (201, None),
        (409, "duplicate-request"),
        (200, None),
    ]
    assert requests[2]["route"] == f"{PREFIX}/callbacks/{{id}}"
    outside = [{key: value for key, value in line.items() if not key.startswith("pii.")} for line in lines]
    for personal in (PHONE, "Ada", "127.0.0.1", accepted["token"], api.keys[KeyRole.PUBLIC]):
        assert personal not in str(outside)
        assert personal not in caplog.text


# ---- the OpenAPI document ----------------------------------------------------------------------------------------


async def _openapi(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = await (await api.ask("GET", "/openapi.json", role=None)).json()
    return document


async def test_every_route_is_in_the_openapi_document_and_nothing_else(api: Api) -> None:
    document = await _openapi(api)
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert api.client.app is not None
    served = {(route.method, route.resource.canonical) for route in api.client.app.router.routes() if route.resource}
    assert described == served


async def test_every_reference_in_the_openapi_document_leads_somewhere(api: Api) -> None:
    document = await _openapi(api)
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    found = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert found <= set(schemas)
    assert {"CallbackWanted", "CustomerView", "StaffView", "ProblemShape", "ConfigWanted"} <= found
    names = [item["operationId"] for each in document["paths"].values() for item in each.values()]
    assert len(names) == len(set(names))


async def test_every_code_is_in_the_openapi_document(api: Api) -> None:
    codes = (await _openapi(api))["components"]["schemas"]["Code"]["enum"]
    assert set(codes) == {code.value for code in Code}


async def test_answers_have_the_fields_that_are_described(api: Api) -> None:
    schemas = (await _openapi(api))["components"]["schemas"]
    accepted = await api.accepted()
    view = await (await api.ask("GET", f"{PREFIX}/callbacks/{accepted['id']}")).json()
    assert set(accepted) == set(schemas["CallbackAccepted"]["properties"])
    assert set(view) == set(schemas["StaffView"]["properties"])
