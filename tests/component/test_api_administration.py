"""Services, agents and the services document over HTTP."""

import copy
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.endpoints import PREFIX
from engine.core.terms import ServiceId
from engine.store.records import KeyRole
from tests.component.api_harness import DOCUMENT, Api, refused, running_api

CONFIG, AGENTS = f"{PREFIX}/config", f"{PREFIX}/agents"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as running:
        yield running


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


# ---- services ----------------------------------------------------------------------------------------------------


async def test_customers_see_public_services(api: Api) -> None:
    services = await (await api.ask("GET", f"{PREFIX}/services", role=KeyRole.PUBLIC)).json()
    assert services == {
        "items": [
            {
                "id": "billing",
                "name": "Billing",
                "languages": ["en", "es"],
                "subjects": [{"id": "invoice", "name": "Question about an invoice"}],
            }
        ],
        "next": None,
    }


async def test_staff_see_all_services(api: Api) -> None:
    services = await (await api.ask("GET", f"{PREFIX}/services", role=KeyRole.SUPERVISOR)).json()
    assert [each["id"] for each in services["items"]] == ["billing", "hidden"]


# ---- agents ------------------------------------------------------------------------------------------------------


async def test_a_supervisor_sets_an_agents_state(api: Api) -> None:
    listed = (await (await api.ask("GET", AGENTS, role=KeyRole.SUPERVISOR)).json())["items"]
    assert listed == [
        {
            "id": "amy",
            "name": "Amy",
            "endpoint": "PJSIP/agent-1001",
            "phone": "unknown",
            "skills": {"billing": 5, "hidden": 1},
            "presence": "logged_out",
            "state": "logged_out",
            "reason": None,
            "load": {},
            "work": None,
            "works": [],
        }
    ]
    ready = await api.ask("PUT", f"{AGENTS}/amy/state", role=KeyRole.SUPERVISOR, json={"state": "ready"})
    assert ready.status == 200
    assert (await ready.json())["state"] == "ready"


async def test_not_ready_without_a_reason_is_a_pause(api: Api) -> None:
    view = await (await api.ask("PUT", f"{AGENTS}/amy/state", json={"state": "not_ready"})).json()
    assert (view["state"], view["reason"]) == ("not_ready", "pause")
    view = await (await api.ask("PUT", f"{AGENTS}/amy/state", json={"state": "not_ready", "reason": "lunch"})).json()
    assert view["reason"] == "lunch"


async def test_an_agent_who_is_ready_gets_work_and_it_is_shown(api: Api) -> None:
    accepted = await api.accepted()
    await api.ask("PUT", f"{AGENTS}/amy/state", json={"state": "ready"})
    (amy,) = (await (await api.ask("GET", AGENTS)).json())["items"]
    assert amy["state"] == "reserved"
    assert amy["work"]["callback"] == accepted["id"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"state": "asleep"}, "invalid-field"),
        ({"state": "not_ready", "reason": "surfing"}, "unknown-reason"),
        ({"state": "not_ready", "reason": "no reason"}, "invalid-field"),
        ({"state": "ready", "reason": "lunch"}, "invalid-field"),
        ({}, "invalid-field"),
        ({"state": "ready", "resaon": "lunch"}, "unknown-field"),
    ],
)
async def test_a_state_that_makes_no_sense_is_refused(api: Api, body: dict[str, str], code: str) -> None:
    await refused(await api.ask("PUT", f"{AGENTS}/amy/state", json=body), 422, code)


async def test_an_unknown_agent_is_not_found(api: Api) -> None:
    await refused(await api.ask("PUT", f"{AGENTS}/bob/state", json={"state": "ready"}), 404, "not-found")


async def test_agents_are_listed_in_pages(api: Api, document: dict[str, Any]) -> None:
    document["agents"] = [{"id": f"a{n}", "name": "A", "endpoint": f"PJSIP/a{n}"} for n in range(5)]
    assert (await api.ask("POST", CONFIG, json={"document": document})).status == 200
    found, cursor = [], ""
    for size in (2, 2, 1):
        page = await (await api.ask("GET", f"{AGENTS}?limit=2{cursor}")).json()
        assert len(page["items"]) == size
        found += [each["id"] for each in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert page["next"] is None
    assert found == ["a0", "a1", "a2", "a3", "a4"]
    await refused(await api.ask("GET", f"{AGENTS}?cursor=nobody"), 422, "invalid-field")


# ---- the services document ---------------------------------------------------------------------------------------


async def test_the_document_is_given_back_as_it_was_written(api: Api) -> None:
    view = await (await api.ask("GET", CONFIG)).json()
    assert view == {"document": DOCUMENT, "version": 1, "warnings": []}


async def test_before_anything_was_applied_the_document_is_empty(tmp_path: Path) -> None:
    async with running_api(tmp_path, document=None) as api:
        assert await (await api.ask("GET", CONFIG)).json() == {"document": {}, "version": 0, "warnings": []}
        await refused(await api.request_callback(), 404, "unknown-service")


async def test_a_change_is_told_applied_and_survives_a_restart(tmp_path: Path, document: dict[str, Any]) -> None:
    document["services"][0]["wrap_up_seconds"] = 5
    document["services"][0]["cost_per_minute"] = 0.1
    document["agents"].append({"id": "bob", "name": "Bob", "endpoint": "PJSIP/agent-1002"})
    document["services"].pop()
    async with running_api(tmp_path) as api:
        result = await (await api.ask("POST", CONFIG, json={"document": document})).json()
        changes = {each["path"]: each for each in result["changes"]}
        assert (result["applied"], result["version"]) == (True, 2)
        assert result["warnings"] == ["services[0].cost_per_minute: kept, but not in effect in this version"]
        billing = "services.billing"
        assert list(changes) == [
            "services.hidden",
            f"{billing}.wrap_up_seconds",
            f"{billing}.cost_per_minute",
            "agents.bob",
        ]
        assert [each["action"] for each in changes.values()] == ["remove", "change", "change", "add"]
        assert changes["services.billing.wrap_up_seconds"]["before"] == 30
        assert changes["services.billing.wrap_up_seconds"]["after"] == 5
        assert api.engine.prepared[-1].agents.keys() == {"amy", "bob"}
    async with running_api(tmp_path) as api:
        view = await (await api.ask("GET", CONFIG)).json()
        assert (view["document"], view["version"]) == (document, 2)
        assert len((await (await api.ask("GET", AGENTS)).json())["items"]) == 2


async def test_a_dry_run_tells_and_changes_nothing(api: Api, document: dict[str, Any]) -> None:
    document["services"][0]["name"] = "Invoices"
    prepared = len(api.engine.prepared)
    result = await (await api.ask("POST", CONFIG, json={"document": document, "dry_run": True})).json()
    assert (result["applied"], result["version"]) == (False, 1)
    assert [each["path"] for each in result["changes"]] == ["services.billing.name"]
    assert len(api.engine.prepared) == prepared
    assert (await (await api.ask("GET", CONFIG)).json())["document"] == DOCUMENT


async def test_the_same_document_again_keeps_the_version(api: Api) -> None:
    result = await (await api.ask("POST", CONFIG, json={"document": DOCUMENT})).json()
    assert result == {"changes": [], "applied": True, "version": 1, "warnings": [], "conflicts": []}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_service_with_open_callbacks_cannot_be_removed(
    api: Api, document: dict[str, Any], *, dry_run: bool
) -> None:
    await api.accepted()
    document["services"].pop(0)
    response = await api.ask("POST", CONFIG, json={"document": document, "dry_run": dry_run})
    await refused(response, 409, "service-in-use")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_service_with_other_open_work_cannot_be_removed(
    api: Api, document: dict[str, Any], *, dry_run: bool
) -> None:
    work = {"media": "chat", "service": "billing"}
    assert (await api.ask("POST", f"{PREFIX}/interactions", json=work)).status == 201
    document["services"].pop(0)
    prepared = len(api.engine.prepared)
    response = await api.ask("POST", CONFIG, json={"document": document, "dry_run": dry_run})
    await refused(response, 409, "service-in-use")
    assert len(api.engine.prepared) == prepared, "no prompt says what is not applied"


async def test_missing_prompts_refuse_the_document(api: Api, document: dict[str, Any]) -> None:
    document["services"][0]["name"] = "Invoices"
    api.engine.problems = ["billing: announce.wav is missing; run ringback prompts build"]
    problem = await refused(await api.ask("POST", CONFIG, json={"document": document}), 422, "missing-prompts")
    assert problem["errors"] == [{"field": "document", "message": api.engine.problems[0]}]
    assert (await (await api.ask("GET", CONFIG)).json())["version"] == 1
    assert api.engine.prepared[-1].services[ServiceId("billing")].name == "Billing", "the prompts in force are back"


async def test_a_bad_document_is_refused_with_every_problem(api: Api, document: dict[str, Any]) -> None:
    document["services"][0]["caller_id"] = "123"
    document["services"][0]["attemps"] = {}
    problem = await refused(await api.ask("POST", CONFIG, json={"document": document}), 422, "invalid-field")
    assert {each["field"] for each in problem["errors"]} == {"services[0].caller_id", "services[0].attemps"}
    del document["services"][0]["caller_id"]
    await refused(await api.ask("POST", CONFIG, json={"document": document}), 422, "unknown-field")


async def test_a_document_may_be_larger_than_other_bodies_but_not_any_size(api: Api, document: dict[str, Any]) -> None:
    document["agents"] = [{"id": f"agent{n}", "name": "x" * 150, "endpoint": f"PJSIP/agent{n}"} for n in range(1000)]
    assert (await api.ask("POST", CONFIG, json={"document": document})).status == 200
    response = await api.ask("POST", CONFIG, data=io.BytesIO(b" " * (1024 * 1024 + 1)))
    await refused(response, 413, "too-large")
