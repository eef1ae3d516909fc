"""Reasons for being not ready: built-in ones and a centre's own, who may choose which, and what becomes of old ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.api.endpoints import PREFIX
from engine.core.terms import NotReadyReason
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT, refused
from tests.component.desk_harness import Floor, answered, desk_document, running_floor

OWN = [{"id": "fire_drill", "name": "Fire drill"}, {"id": "back-office", "name": "Post & files"}]
KNOWN = "admin_work, lunch, meeting, pause, rona, training, system, fire_drill, back-office"
CHOSEN = "admin_work, lunch, meeting, pause, training, fire_drill, back-office"


def reasoned(*own: dict[str, str]) -> dict[str, Any]:
    return desk_document() | {"reasons": list(own)}


@pytest_asyncio.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with running_floor(tmp_path, reasoned(*OWN)) as running:
        yield running


async def by_staff(floor: Floor, reason: str) -> Any:  # noqa: ANN401
    wanted = {"state": "not_ready", "reason": reason}
    return await floor.api.ask("PUT", f"{PREFIX}/agents/{AGENT}/state", role=KeyRole.SUPERVISOR, json=wanted)


async def by_agent(floor: Floor, reason: str) -> Any:  # noqa: ANN401
    return await floor.as_agent("PUT", "/state", {"state": "not_ready", "reason": reason})


async def test_built_in_reasons_and_own_ones_are_listed(floor: Floor) -> None:
    for role in (KeyRole.AGENT, KeyRole.SUPERVISOR, KeyRole.ADMIN):
        listed = await answered(await floor.api.ask("GET", f"{PREFIX}/reasons", role=role))
        items = listed["items"]
        assert [each["id"] for each in items] == KNOWN.split(", ")
        assert [each["own"] for each in items] == [False] * 7 + [True] * 2
        assert items[7:] == [each | {"own": True} for each in OWN]
        assert all(each["name"] for each in items)
    page = await answered(await floor.api.ask("GET", f"{PREFIX}/reasons?limit=8"))
    assert (len(page["items"]), page["next"]) == (8, "fire_drill")


async def test_an_own_reason_is_set_and_shown_by_agent_and_staff(floor: Floor) -> None:
    assert (await answered(await by_agent(floor, "fire_drill")))["agent"]["reason"] == "fire_drill"
    assert (await answered(await by_staff(floor, "back-office")))["reason"] == "back-office"
    assert (await floor.desk())["agent"]["reason"] == "back-office"


async def test_an_unknown_reason_is_refused_and_the_known_ones_are_named(floor: Floor) -> None:
    await answered(await by_agent(floor, "lunch"))
    for response in (await by_agent(floor, "surfing"), await by_staff(floor, "surfing")):
        problem = await refused(response, 422, "unknown-reason")
        assert problem["detail"] == f"there is no reason 'surfing'; the reasons are {KNOWN}"
    assert (await floor.desk())["agent"]["reason"] == "lunch"


@pytest.mark.parametrize("reason", ["rona", "system"])
async def test_what_is_not_an_agents_choice_is_staffs(floor: Floor, reason: str) -> None:
    problem = await refused(await by_agent(floor, reason), 422, "unknown-reason")
    assert problem["detail"] == f"{reason} is not an agent's to choose; the reasons are {CHOSEN}"
    assert (await answered(await by_staff(floor, reason)))["reason"] == reason


async def test_a_reason_that_is_taken_out_of_the_document_stays_with_who_has_it_and_is_nobodys_choice_any_more(
    tmp_path: Path,
) -> None:
    async with running_floor(tmp_path, reasoned(*OWN)) as floor:
        await answered(await by_agent(floor, "fire_drill"))
        await answered(await floor.api.ask("POST", f"{PREFIX}/config", json={"document": reasoned(OWN[1])}))
        assert (await floor.desk())["agent"]["reason"] == "fire_drill"
        await refused(await by_staff(floor, "fire_drill"), 422, "unknown-reason")
    async with running_floor(tmp_path, reasoned(OWN[1])) as floor:
        assert (await floor.desk())["agent"]["reason"] == "fire_drill"
        listed = await answered(await floor.api.ask("GET", f"{PREFIX}/agents"))
        assert [each["reason"] for each in listed["items"]] == ["fire_drill", None]
        assert (await floor.ready())["agent"]["reason"] is None


async def test_reasons_are_compared_and_exported_like_all_that_is_set(floor: Floor) -> None:
    changed = reasoned(OWN[0] | {"name": "Drill"}, {"id": "walk", "name": "Walk"})
    wanted = {"document": changed, "dry_run": True}
    result = await answered(await floor.api.ask("POST", f"{PREFIX}/config", json=wanted))
    assert [(each["action"], each["path"]) for each in result["changes"]] == [
        ("remove", "reasons.back-office"),
        ("change", "reasons.fire_drill.name"),
        ("add", "reasons.walk"),
    ]
    shown = await answered(await floor.api.ask("GET", f"{PREFIX}/config"))
    assert shown["document"]["reasons"] == OWN


@pytest.mark.parametrize("reason", list(NotReadyReason))
async def test_a_built_in_reason_cannot_be_set_anew(floor: Floor, reason: NotReadyReason) -> None:
    document = reasoned({"id": reason.value, "name": "Mine"})
    problem = await refused(
        await floor.api.ask("POST", f"{PREFIX}/config", json={"document": document}), 422, "invalid-field"
    )
    assert [each["field"] for each in problem["errors"]] == ["reasons[0].id"]
