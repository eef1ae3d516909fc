"""Numbers that are never called and services that are paused, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.endpoints import PREFIX
from engine.core.effects import DialCustomer
from engine.store.records import KeyRole
from tests.component.api_harness import OTHER_PHONE, PHONE, Api, refused, running_api
from tests.component.desk_harness import answered
from tests.component.slot_harness import Clock

SUPPRESSIONS, AGENT = f"{PREFIX}/suppressions", f"{PREFIX}/agents/amy/state"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path, clock=Clock()) as running:
        yield running


async def suppressed(api: Api, phone: str = PHONE, **fields: object) -> dict[str, Any]:
    return await answered(await api.ask("POST", SUPPRESSIONS, json={"phone": phone} | fields), 201)


async def listed(api: Api, query: str = "") -> dict[str, Any]:
    return await answered(await api.ask("GET", f"{SUPPRESSIONS}{query}"))


# ---- numbers that are never called ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", [KeyRole.SUPERVISOR, KeyRole.ADMIN])
async def test_a_number_is_suppressed_listed_and_allowed_again(api: Api, role: KeyRole) -> None:
    wanted = {"phone": PHONE, "note": "asked by letter"}
    made = await answered(await api.ask("POST", SUPPRESSIONS, json=wanted, role=role), 201)
    assert made == wanted | {"because": "by_admin", "at": "2027-01-13T15:00:00.000Z"}
    assert await listed(api) == {"items": [made], "next": None}
    await refused(await api.request_callback(), 422, "phone-not-allowed")
    removed = await api.ask("DELETE", f"{SUPPRESSIONS}/%2B{PHONE[1:]}", role=role)
    assert (removed.status, await removed.text()) == (204, "")
    assert (await listed(api))["items"] == []
    await refused(await api.ask("DELETE", f"{SUPPRESSIONS}/%2B{PHONE[1:]}"), 404, "not-found")
    await api.accepted()


async def test_whoever_waits_with_a_suppressed_number_is_not_called_any_more(api: Api) -> None:
    waiting = await api.accepted()
    await suppressed(api)
    view = await answered(await api.ask("GET", f"{PREFIX}/callbacks/{waiting['id']}"))
    assert (view["state"], view["reason"]) == ("unsuccessful", "not_permitted")


async def test_a_second_time_changes_only_the_note(api: Api) -> None:
    first = await suppressed(api, note="asked by letter")
    assert await suppressed(api) == first
    assert await suppressed(api, note="and by mail") == first | {"note": "and by mail"}
    assert len((await listed(api))["items"]) == 1


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"phone": "202-555-0113"}, "invalid-phone"),
        ({"phone": "+1 202 555 0113"}, "invalid-phone"),
        ({"phone": "+1202555011"}, "invalid-phone"),
        ({"phone": ""}, "invalid-phone"),
        ({"phone": "+" + "1" * 100}, "invalid-field"),
        ({}, "invalid-field"),
        ({"phone": PHONE, "note": "two\nlines"}, "invalid-field"),
        ({"phone": PHONE, "because": "never_again"}, "unknown-field"),
    ],
)
async def test_what_is_no_number_is_refused_and_not_stored(api: Api, wanted: dict[str, str], code: str) -> None:
    problem = await refused(await api.ask("POST", SUPPRESSIONS, json=wanted), 422, code)
    assert (wanted.get("phone") or "none") not in str(problem)
    assert api.engine.dispatcher.suppressions == {}


async def test_the_list_goes_on_page_by_page_though_numbers_go(api: Api) -> None:
    phones = [f"+1202555012{n}" for n in range(5)]
    for phone in reversed(phones):
        await suppressed(api, phone)
    page = await listed(api, "?limit=2")
    assert [each["phone"] for each in page["items"]] == phones[:2]
    await api.ask("DELETE", f"{SUPPRESSIONS}/%2B{phones[1][1:]}")
    cursor = page["next"].replace("+", "%2B")
    page = await listed(api, f"?limit=2&cursor={cursor}")
    assert [each["phone"] for each in page["items"]] == phones[2:4]
    page = await listed(api, f"?limit=2&cursor={page['next'].replace('+', '%2B')}")
    assert ([each["phone"] for each in page["items"]], page["next"]) == (phones[4:], None)


async def test_suppressions_and_pauses_outlast_a_restart(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        made = await suppressed(api, note="asked by letter")
        await answered(await api.ask("PUT", f"{PREFIX}/services/billing/paused", json={"paused": True}))
    async with running_api(tmp_path) as api:
        assert (await listed(api))["items"] == [made]
        await refused(await api.request_callback(), 422, "phone-not-allowed")
        await api.accepted(phone=OTHER_PHONE)
        await api.ask("PUT", AGENT, json={"state": "ready"})
        assert dials(api) == 0
        assert (await services(api))["billing"] is True


async def test_a_suppressed_number_stands_in_no_figure(api: Api) -> None:
    await suppressed(api)
    text = await (await api.ask("GET", "/metrics")).text()
    assert "ringback_suppressions 1.0" in text
    assert PHONE[1:] not in text


# ---- pauses -----------------------------------------------------------------------------------------------------


def dials(api: Api) -> int:
    return sum(isinstance(effect, DialCustomer) for effect in api.engine.effects)


async def services(api: Api) -> dict[str, bool]:
    page = await answered(await api.ask("GET", f"{PREFIX}/services", role=KeyRole.SUPERVISOR))
    return {each["id"]: each["paused"] for each in page["items"]}


@pytest.mark.parametrize("role", [KeyRole.SUPERVISOR, KeyRole.ADMIN])
async def test_a_paused_service_takes_requests_and_calls_nobody_until_it_is_resumed(api: Api, role: KeyRole) -> None:
    at = f"{PREFIX}/services/billing/paused"
    for _ in range(2):
        paused = await answered(await api.ask("PUT", at, json={"paused": True}, role=role))
        assert paused == {"id": "billing", "paused": True}
    assert await services(api) == {"billing": True, "hidden": False}
    await api.accepted()
    await api.ask("PUT", AGENT, json={"state": "ready"})
    assert dials(api) == 0
    assert "ringback_services_paused 1.0" in await (await api.ask("GET", "/metrics")).text()
    resumed = await answered(await api.ask("PUT", at, json={"paused": False}, role=role))
    assert resumed == {"id": "billing", "paused": False}
    assert dials(api) == 1
    assert await services(api) == {"billing": False, "hidden": False}


async def test_customers_are_not_told_which_service_is_paused(api: Api) -> None:
    await api.ask("PUT", f"{PREFIX}/services/billing/paused", json={"paused": True})
    page = await answered(await api.ask("GET", f"{PREFIX}/services", role=KeyRole.PUBLIC))
    assert "paused" not in page["items"][0]


@pytest.mark.parametrize(
    ("service", "body", "status", "code"),
    [
        ("nope", {"paused": True}, 404, "unknown-service"),
        ("nope", {"paused": False}, 404, "unknown-service"),
        ("billing", {"paused": "yes"}, 422, "invalid-field"),
        ("billing", {}, 422, "invalid-field"),
        ("billing", {"paused": True, "until": "noon"}, 422, "unknown-field"),
    ],
)
async def test_a_pause_that_cannot_be_is_refused(
    api: Api, service: str, body: dict[str, object], status: int, code: str
) -> None:
    await refused(await api.ask("PUT", f"{PREFIX}/services/{service}/paused", json=body), status, code)
    assert api.engine.dispatcher.paused == set()
