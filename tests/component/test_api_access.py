"""Who may do what over HTTP: keys, their roles and origins, and making and revoking them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.api.access import STAFF
from engine.api.endpoints import PREFIX
from engine.store.records import KeyRole
from tests.component.api_harness import ADMIN_KEY, ORIGIN, Api, refused, running_api

KEYS = f"{PREFIX}/keys"
ADMIN, EVERYBODY = frozenset({KeyRole.ADMIN}), frozenset(KeyRole)
CUSTOMERS, AGENT = STAFF | {KeyRole.PUBLIC}, frozenset({KeyRole.AGENT})

# What each address needs, written down a second time on purpose: a role that is widened by mistake must be noticed.
ROLES: dict[tuple[str, str], frozenset[KeyRole]] = {
    ("POST", f"{PREFIX}/callbacks"): CUSTOMERS,
    ("GET", f"{PREFIX}/callbacks"): STAFF,
    ("GET", f"{PREFIX}/callbacks/{{id}}"): CUSTOMERS,
    ("PATCH", f"{PREFIX}/callbacks/{{id}}"): CUSTOMERS,
    ("DELETE", f"{PREFIX}/callbacks/{{id}}"): CUSTOMERS,
    ("POST", f"{PREFIX}/callbacks/{{id}}/requeue"): STAFF,
    ("GET", f"{PREFIX}/callbacks/{{id}}/explain"): STAFF,
    ("GET", f"{PREFIX}/services"): CUSTOMERS,
    ("GET", f"{PREFIX}/services/{{service}}/availability"): CUSTOMERS,
    ("GET", f"{PREFIX}/resolve"): CUSTOMERS,
    ("GET", f"{PREFIX}/services/{{id}}/slots"): STAFF,
    ("PUT", f"{PREFIX}/services/{{id}}/slots/{{start}}"): STAFF,
    ("DELETE", f"{PREFIX}/services/{{id}}/slots/{{start}}"): STAFF,
    ("PUT", f"{PREFIX}/services/{{id}}/paused"): STAFF,
    ("GET", f"{PREFIX}/agent"): AGENT,
    ("PUT", f"{PREFIX}/agent/state"): AGENT,
    **{
        ("POST", f"{PREFIX}/agent/work/{{id}}/{answer}"): AGENT
        for answer in ("accept", "reject", "reschedule", "complete")
    },
    ("GET", f"{PREFIX}/agent/stream"): AGENT,
    ("POST", f"{PREFIX}/sessions"): EVERYBODY,
    ("DELETE", f"{PREFIX}/sessions"): AGENT,
    ("PUT", f"{PREFIX}/agents/{{id}}/password"): ADMIN,
    ("GET", f"{PREFIX}/dispositions"): STAFF | AGENT,
    ("GET", f"{PREFIX}/reasons"): STAFF | AGENT,
    ("GET", f"{PREFIX}/inbound"): STAFF,
    ("GET", f"{PREFIX}/inbound/{{id}}"): STAFF,
    ("POST", f"{PREFIX}/interactions"): STAFF,
    ("GET", f"{PREFIX}/interactions"): STAFF,
    ("GET", f"{PREFIX}/interactions/{{id}}"): STAFF,
    ("POST", f"{PREFIX}/interactions/{{id}}/complete"): STAFF,
    ("DELETE", f"{PREFIX}/interactions/{{id}}"): STAFF,
    ("GET", f"{PREFIX}/suppressions"): STAFF,
    ("POST", f"{PREFIX}/suppressions"): STAFF,
    ("DELETE", f"{PREFIX}/suppressions/{{phone}}"): STAFF,
    ("GET", f"{PREFIX}/agents"): STAFF,
    ("PUT", f"{PREFIX}/agents/{{id}}/state"): STAFF,
    ("POST", f"{PREFIX}/config"): ADMIN,
    ("GET", f"{PREFIX}/config"): ADMIN,
    ("POST", KEYS): ADMIN,
    ("GET", KEYS): ADMIN,
    ("DELETE", f"{KEYS}/{{id}}"): ADMIN,
    **{("GET", f"{at}/metrics"): frozenset({KeyRole.METRICS, KeyRole.ADMIN}) for at in ("", PREFIX)},
    **{("GET", f"{at}/{name}"): EVERYBODY for at in ("", PREFIX) for name in ("healthz", "readyz", "openapi.json")},
}


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path) as running:
        yield running


def test_every_route_has_its_roles_written_down(api: Api) -> None:
    assert api.client.app is not None
    served = {(route.method, route.resource.canonical) for route in api.client.app.router.routes() if route.resource}
    assert served == set(ROLES)


async def test_each_role_reaches_what_it_may_and_nothing_else(api: Api) -> None:
    for (method, path), allowed in ROLES.items():
        for role in KeyRole:
            response = await api.ask(method, re.sub(r"{\w+}", "nothing", path), role=role)
            if role in allowed:
                assert response.status not in (401, 403) or (method, role) == ("DELETE", KeyRole.PUBLIC), (path, role)
            else:
                await refused(response, 403, "forbidden")
        without = await api.ask(method, re.sub(r"{\w+}", "nothing", path), role=None)
        if allowed == EVERYBODY:
            assert without.status == (415 if method == "POST" else 200)
        else:
            await refused(without, 401, "invalid-token")
            assert without.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer ", "Bearer", "Basic YTpi", ADMIN_KEY, "Bearer " + "x" * 300, "bearer \udcff"]
)
async def test_a_wrong_key_is_refused(api: Api, header: str) -> None:
    response = await api.ask("GET", f"{PREFIX}/agents", role=None, headers={"Authorization": header})
    await refused(response, 401, "invalid-token")


async def test_a_token_opens_nothing_but_its_request(api: Api) -> None:
    accepted = await api.accepted()
    for path in (f"{PREFIX}/callbacks", f"{PREFIX}/services", f"{PREFIX}/config"):
        response = await api.ask("GET", path, role=None, headers={"X-Callback-Token": accepted["token"]})
        await refused(response, 401, "invalid-token")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN.replace("https", "http"), ORIGIN + ":444"])
async def test_a_web_key_works_from_its_origins_only(api: Api, origin: str) -> None:
    assert (await api.ask("GET", f"{PREFIX}/services", role=KeyRole.PUBLIC)).status == 200
    response = await api.ask("GET", f"{PREFIX}/services", role=KeyRole.PUBLIC, headers={"Origin": origin})
    await refused(response, 403, "forbidden")


async def test_a_web_key_without_an_origin_is_refused(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.keys[KeyRole.PUBLIC]}"}
    await refused(await api.ask("GET", f"{PREFIX}/services", role=None, headers=headers), 403, "forbidden")


async def test_a_mobile_key_needs_a_known_subject(api: Api) -> None:
    made = await (await api.ask("POST", KEYS, json={"name": "app", "role": "public"})).json()
    assert made["kind"] == "mobile"
    headers = {"Authorization": f"Bearer {made['key']}"}
    body = {"service": "billing", "phone": "+12025550113"}
    await refused(
        await api.ask("POST", f"{PREFIX}/callbacks", role=None, json=body, headers=headers), 422, "unknown-subject"
    )
    body["subject"] = "invoice"
    accepted = await api.ask("POST", f"{PREFIX}/callbacks", role=None, json=body, headers=headers)
    view = await (await api.ask("GET", f"{PREFIX}/callbacks/{(await accepted.json())['id']}")).json()
    assert view["channel"] == "mobile"


async def test_a_key_is_shown_once_works_and_can_be_revoked(api: Api) -> None:
    response = await api.ask("POST", KEYS, json={"name": "Olga", "role": "supervisor"})
    made = await response.json()
    assert response.status == 201
    assert response.headers["Cache-Control"] == "no-store"
    assert made["key"].startswith("rbk_supervisor_")
    listed = await (await api.ask("GET", KEYS)).text()
    assert made["id"] in listed
    assert made["key"] not in listed
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await api.ask("GET", f"{PREFIX}/agents", role=None, headers=headers)).status == 200
    for _ in range(2):
        assert (await api.ask("DELETE", f"{KEYS}/{made['id']}")).status == 204
    await refused(await api.ask("GET", f"{PREFIX}/agents", role=None, headers=headers), 401, "invalid-token")
    shown = {each["id"]: each for each in (await (await api.ask("GET", KEYS)).json())["items"]}
    assert shown[made["id"]]["revoked_at"].endswith("Z")
    await refused(await api.ask("DELETE", f"{KEYS}/nothing"), 404, "not-found")


def _database(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.glob("ringback.db*"))


async def test_only_a_hash_of_a_key_is_kept(api: Api, tmp_path: Path) -> None:
    made = await (await api.ask("POST", KEYS, json={"name": "Olga", "role": "supervisor"})).json()
    kept = _database(tmp_path)
    assert made["id"].encode() in kept
    assert made["key"].encode() not in kept


async def test_keys_outlive_a_restart_and_so_does_a_revocation(tmp_path: Path) -> None:
    async with running_api(tmp_path) as api:
        good = await (await api.ask("POST", KEYS, json={"name": "good", "role": "supervisor"})).json()
        bad = await (await api.ask("POST", KEYS, json={"name": "bad", "role": "supervisor"})).json()
        await api.ask("DELETE", f"{KEYS}/{bad['id']}")
    async with running_api(tmp_path) as api:
        statuses = [
            (await api.ask("GET", f"{PREFIX}/agents", role=None, headers={"Authorization": f"Bearer {key}"})).status
            for key in (good["key"], bad["key"])
        ]
    assert statuses == [200, 401]


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "x", "role": "king"},
        {"name": "x", "role": "public", "kind": "secret"},
        {"name": "x", "role": "admin", "kind": "web", "origins": [ORIGIN]},
        {"name": "x", "role": "public", "kind": "web"},
        {"name": "x", "role": "public", "kind": "mobile", "origins": [ORIGIN]},
        {"name": "x", "role": "public", "origins": ["https://shop.example/path"]},
        {"name": "x", "role": "public", "origins": ["*"]},
        {"name": "x", "role": "agent"},
        {"name": "x", "role": "admin", "subject": "amy"},
        {"name": "", "role": "admin"},
        {"role": "admin"},
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(api: Api, wanted: dict[str, object]) -> None:
    await refused(await api.ask("POST", KEYS, json=wanted), 422, "invalid-field")
