"""Work from outside over HTTP: announced, offered to agents beside calls, and ended."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.endpoints import PREFIX
from engine.core.events import TimerFired
from engine.core.switchboard import ANSWER
from engine.store.records import KeyRole
from tests.component.api_harness import refused
from tests.component.desk_harness import BEN, Floor, answered, running_floor

INTERACTIONS = f"{PREFIX}/interactions"
CHAT = {"media": "chat", "service": "billing", "context": {"chat": "4711", "vip": True}}


@pytest_asyncio.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with running_floor(tmp_path) as running:
        yield running


async def announced(floor: Floor, **fields: object) -> dict[str, Any]:
    floor.clock.at += 1  # of two that come at the same moment either may be the first
    return await answered(await floor.api.ask("POST", INTERACTIONS, json=CHAT | fields), 201)


async def shown(floor: Floor, interaction: str) -> dict[str, Any]:
    return await answered(await floor.api.ask("GET", f"{INTERACTIONS}/{interaction}"))


async def count(floor: Floor) -> int:
    return len((await floor.api.queries.interactions()).items)


@pytest.mark.parametrize("role", [KeyRole.SUPERVISOR, KeyRole.ADMIN])
async def test_work_waits_in_the_line_until_it_is_ended(floor: Floor, role: KeyRole) -> None:
    made = await answered(await floor.api.ask("POST", INTERACTIONS, json=CHAT, role=role), 201)
    assert made["id"].startswith("in")
    assert len(made["id"]) == 22
    assert made == {
        "id": made["id"],
        "media": "chat",
        "service": "billing",
        "state": "queued",
        "priority": 0,
        "position": 1,
        "context": {"chat": "4711", "vip": "true"},
        "agent": None,
        "created_at": "2027-01-13T15:00:00.000Z",
        "offered_at": None,
        "accepted_at": None,
        "ended_at": None,
    }
    assert await shown(floor, made["id"]) == made
    assert (await announced(floor))["position"] == 2
    ended = await answered(await floor.api.ask("DELETE", f"{INTERACTIONS}/{made['id']}", role=role))
    assert (ended["state"], ended["position"], ended["ended_at"]) == ("cancelled", None, "2027-01-13T15:00:01.000Z")
    assert await shown(floor, made["id"]) == ended


async def test_the_first_in_the_line_is_the_one_with_the_higher_priority(floor: Floor) -> None:
    await announced(floor)
    assert (await announced(floor, priority=5))["position"] == 1


async def test_an_agent_accepts_and_completes_work_from_outside(floor: Floor) -> None:
    made = await announced(floor)
    work = (await floor.ready())["work"]
    assert work == {
        "id": made["id"],
        "kind": "interaction",
        "media": "chat",
        "service": "billing",
        "stage": "offered",
        "callback": None,
        "attempt": None,
        "respond_by": "2027-01-13T15:00:16.000Z",
        "customer": {
            "subject": None,
            "customer_id": None,
            "first_name": None,
            "last_name": None,
            "phone": None,
            "language": None,
            "page_url": None,
            "context": {"chat": "4711", "vip": "true"},
        },
    }
    assert ((await shown(floor, made["id"]))["state"], (await shown(floor, made["id"]))["agent"]) == ("offered", "amy")
    await refused(await floor.as_agent("POST", f"/work/{made['id']}/complete"), 409, "wrong-state")
    await refused(await floor.as_agent("POST", f"/work/{made['id']}/accept", agent=BEN), 404, "not-found")
    desk = await answered(await floor.as_agent("POST", f"/work/{made['id']}/accept"))
    assert (desk["work"]["stage"], desk["work"]["respond_by"]) == ("active", None)
    assert desk["agent"]["load"] == {"chat": 1}
    await refused(await floor.as_agent("POST", f"/work/{made['id']}/accept"), 409, "wrong-state")
    with_a_code = await floor.as_agent("POST", f"/work/{made['id']}/complete", {"disposition": "sold"})
    await refused(with_a_code, 422, "invalid-field")
    desk = await answered(await floor.as_agent("POST", f"/work/{made['id']}/complete", {"disposition": None}))
    assert desk["works"] == []
    assert (await shown(floor, made["id"]))["state"] == "completed"
    await refused(await floor.as_agent("POST", f"/work/{made['id']}/complete"), 404, "not-found")


async def test_an_agent_holds_chats_beside_a_call_and_sees_the_call_first(floor: Floor) -> None:
    chats = [(await announced(floor))["id"] for _ in range(3)]
    await floor.api.accepted()
    desk = await floor.ready()
    assert desk["agent"]["load"] == {"chat": 2, "voice": 1}
    assert desk["work"]["media"] == "voice"
    assert {work["id"] for work in desk["works"]} == {*chats[:2], desk["work"]["id"]}
    assert (await shown(floor, chats[2]))["state"] == "queued", "two chats are all she may hold"
    await answered(await floor.as_agent("POST", f"/work/{desk['work']['id']}/reject"))
    assert (await floor.desk())["work"]["id"] == chats[0]


async def test_what_is_rejected_or_missed_goes_to_somebody_else(floor: Floor) -> None:
    made = (await announced(floor))["id"]
    await floor.ready()
    assert (await answered(await floor.as_agent("POST", f"/work/{made}/reject")))["work"] is None
    assert (await floor.ready(BEN))["work"]["id"] == made
    floor.clock.at += 15
    await floor.api.engine.submit(TimerFired(made, ANSWER))
    ben = await floor.desk(BEN)
    assert (ben["agent"]["reason"], ben["work"]) == ("rona", None)
    assert (await shown(floor, made))["state"] == "queued"
    await refused(await floor.as_agent("POST", f"/work/{made}/accept", agent=BEN), 404, "not-found")


async def test_its_system_says_that_it_is_done(floor: Floor) -> None:
    made = (await announced(floor))["id"]
    await floor.ready()
    await answered(await floor.as_agent("POST", f"/work/{made}/accept"))
    done = await answered(await floor.api.ask("POST", f"{INTERACTIONS}/{made}/complete"))
    assert (done["state"], done["agent"]) == ("completed", "amy")
    assert (await floor.desk())["works"] == []
    await refused(await floor.api.ask("POST", f"{INTERACTIONS}/{made}/complete"), 409, "already-ended")
    await refused(await floor.api.ask("DELETE", f"{INTERACTIONS}/{made}"), 409, "already-ended")
    again = await floor.api.ask("POST", f"{INTERACTIONS}/{made}/complete", json={"why": "x"})
    await refused(again, 422, "unknown-field")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/complete"), ("DELETE", "")])
async def test_what_was_never_announced_is_not_found(floor: Floor, method: str, path: str) -> None:
    await refused(await floor.api.ask(method, f"{INTERACTIONS}/innothing{path}"), 404, "not-found")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"service": "nope"}, 404, "unknown-service"),
        ({"media": "voice"}, 422, "invalid-field"),
        ({"media": "Chat"}, 422, "invalid-field"),
        ({"media": "9chat"}, 422, "invalid-field"),
        ({"media": "c" * 33}, 422, "invalid-field"),
        ({"media": ""}, 422, "invalid-field"),
        ({"priority": 1001}, 422, "invalid-field"),
        ({"priority": "5"}, 422, "invalid-field"),
        ({"context": {"a": ["b"]}}, 422, "invalid-field"),
        ({"context": {"a": "x" * 1001}}, 422, "invalid-field"),
        ({"context": {f"n{n}": "x" for n in range(51)}}, 422, "invalid-field"),
        ({"phone": "+12025550113"}, 422, "unknown-field"),
    ],
)
async def test_what_cannot_be_announced_is_refused_and_not_stored(
    floor: Floor, fields: dict[str, object], status: int, code: str
) -> None:
    problem = await refused(await floor.api.ask("POST", INTERACTIONS, json=CHAT | fields), status, code)
    assert await count(floor) == 0
    if fields.get("media") == "voice":
        assert "POST /callbacks" in problem["detail"]


async def test_a_full_line_takes_no_more_work(floor: Floor) -> None:
    for _ in range(5):
        await announced(floor)
    await refused(await floor.api.ask("POST", INTERACTIONS, json=CHAT), 503, "queue-full")
    assert await count(floor) == 5


async def test_a_stopping_engine_takes_no_work(floor: Floor) -> None:
    floor.api.engine.open_for_requests = False
    await refused(await floor.api.ask("POST", INTERACTIONS, json=CHAT), 503, "not-ready")
    assert await count(floor) == 0


async def test_a_repeated_announcement_is_one_piece_of_work_also_after_a_restart(tmp_path: Path) -> None:
    once = {"Idempotency-Key": "chat-4711"}
    async with running_floor(tmp_path) as floor:
        first = await answered(await floor.api.ask("POST", INTERACTIONS, json=CHAT, headers=once), 201)
        assert await answered(await floor.api.ask("POST", INTERACTIONS, json=CHAT, headers=once), 201) == first
        other = await floor.api.ask("POST", INTERACTIONS, json=CHAT | {"priority": 1}, headers=once)
        await refused(other, 409, "idempotency-conflict")
    async with running_floor(tmp_path) as floor:
        assert await answered(await floor.api.ask("POST", INTERACTIONS, json=CHAT, headers=once), 201) == first
        assert await count(floor) == 1
        assert (await floor.ready())["work"]["id"] == first["id"], "it stands in the line again"


async def test_the_list_has_filters_and_pages(floor: Floor) -> None:
    made = [await announced(floor, service=service) for service in (*["billing"] * 4, "hidden")]
    ids = [each["id"] for each in made]
    await answered(await floor.api.ask("DELETE", f"{INTERACTIONS}/{ids[0]}"))

    async def listed(query: str) -> list[str]:
        page = await answered(await floor.api.ask("GET", f"{INTERACTIONS}?{query}"))
        return [each["id"] for each in page["items"]]

    assert await listed("") == ids[::-1]
    assert await listed("state=queued&service=billing") == ids[3:0:-1]
    assert await listed("state=cancelled,completed") == ids[:1]
    assert await listed("service=hidden") == ids[4:]
    page = await answered(await floor.api.ask("GET", f"{INTERACTIONS}?limit=3"))
    assert await listed(f"limit=3&cursor={page['next']}") == ids[1::-1]
    await refused(await floor.api.ask("GET", f"{INTERACTIONS}?cursor=x"), 422, "invalid-field")
    await refused(await floor.api.ask("GET", f"{INTERACTIONS}?state=waiting"), 422, "invalid-field")


async def test_open_work_stands_in_the_figures(floor: Floor) -> None:
    await announced(floor)
    text = await (await floor.api.ask("GET", "/metrics")).text()
    assert 'ringback_interactions_open{service="billing",state="queued"} 1.0' in text
