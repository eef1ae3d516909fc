"""Slots for staff: who holds a place, capacities of their own, and bookings that a document no longer permits."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from engine.store.records import KeyRole
from tests.component.api_harness import Api, refused
from tests.component.slot_harness import (
    HALF_PAST_TEN,
    HALF_PAST_TEN_UTC,
    TEN_NEXT_DAY,
    TEN_NEXT_DAY_UTC,
    Clock,
    slotted_api,
    slotted_document,
    starts,
    stored,
)

SLOTS = "/api/v1/services/billing/slots"
CONFIG = "/api/v1/config"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    async with slotted_api(tmp_path, clock) as running:
        yield running


async def look(api: Api, query: str = "") -> dict[str, Any]:
    response = await api.ask("GET", SLOTS + query, role=KeyRole.SUPERVISOR)
    assert response.status == 200, await response.text()
    view: dict[str, Any] = await response.json()
    return view


async def slot(api: Api, start: str = TEN_NEXT_DAY_UTC) -> dict[str, Any]:
    (found,) = [each for each in (await look(api))["slots"] if each["start"] == start]
    answer: dict[str, Any] = found
    return answer


def one(start: str) -> str:
    return f"{SLOTS}/{quote(start, safe='')}"


async def booked(api: Api, *ends_of_phones: int, when: str = TEN_NEXT_DAY) -> list[str]:
    return [(await api.accepted(when=when, phone=f"+1202555{end:04}"))["id"] for end in ends_of_phones]


# ---- listed ----------------------------------------------------------------------------------------------------------


async def test_given_bookings_then_each_slot_says_who_is_booked_in_their_order(api: Api, clock: Clock) -> None:
    first = await booked(api, 121)
    clock.at += 1
    second = await booked(api, 122)
    assert await slot(api) == {
        "start": TEN_NEXT_DAY_UTC,
        "end": HALF_PAST_TEN_UTC,
        "capacity": 2,
        "own_capacity": None,
        "booked": 2,
        "remaining": 0,
        "callbacks": first + second,
    }
    assert (await slot(api, HALF_PAST_TEN_UTC))["callbacks"] == []


async def test_given_a_range_then_every_slot_of_it_is_listed_also_past_and_far_ones(api: Api) -> None:
    view = await look(api, "?from=2027-01-13&days=1")
    assert {name: view[name] for name in ("service", "timezone", "slot_minutes", "conflicts")} == {
        "service": "billing",
        "timezone": "America/New_York",
        "slot_minutes": 30,
        "conflicts": [],
    }
    assert (len(view["slots"]), starts(view["slots"])[0]) == (16, "2027-01-13T14:00:00.000Z")
    assert len((await look(api, "?from=2027-12-01&days=3"))["slots"]) == 48
    assert len((await look(api, "?days=366"))["slots"]) > 4000


async def test_given_a_service_without_slots_then_none_are_listed(api: Api) -> None:
    view = await (await api.ask("GET", "/api/v1/services/hidden/slots")).json()
    assert view == {"service": "hidden", "timezone": None, "slot_minutes": None, "slots": [], "conflicts": []}


async def test_given_an_unknown_service_then_it_is_refused(api: Api) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PUT", f"/{quote(TEN_NEXT_DAY)}", {"capacity": 1}),
        ("DELETE", f"/{quote(TEN_NEXT_DAY)}", None),
    ):
        response = await api.ask(method, f"/api/v1/services/nope/slots{path}", json=body)
        await refused(response, 404, "unknown-service")


# ---- capacities of their own -----------------------------------------------------------------------------------------


async def test_given_a_capacity_of_its_own_then_it_counts_until_it_is_cleared_also_after_a_restart(
    tmp_path: Path, clock: Clock
) -> None:
    async with slotted_api(tmp_path, clock) as api:
        response = await api.ask("PUT", one(TEN_NEXT_DAY), role=KeyRole.SUPERVISOR, json={"capacity": 3})
        answer = await response.json()
        assert (response.status, answer["start"], answer["end"]) == (200, TEN_NEXT_DAY_UTC, HALF_PAST_TEN_UTC)
        assert (answer["capacity"], answer["own_capacity"], answer["remaining"]) == (3, 3, 3)
    async with slotted_api(tmp_path, clock) as api:
        await booked(api, 121, 122, 123)
        refusal = await refused(
            await api.request_callback(when=TEN_NEXT_DAY, phone="+12025550124"), 422, "slot-not-available"
        )
        assert TEN_NEXT_DAY_UTC not in starts(refusal["slots"])
        for _time in range(2):
            response = await api.ask("DELETE", one("2027-01-14T16:00:00+01:00"), role=KeyRole.SUPERVISOR)
            assert (response.status, await response.text()) == (204, "")
        found = await slot(api)
        assert (found["capacity"], found["own_capacity"], found["booked"], found["remaining"]) == (2, None, 3, 0)


async def test_given_a_capacity_of_none_then_nobody_can_book_the_slot(api: Api) -> None:
    await api.ask("PUT", one(TEN_NEXT_DAY), json={"capacity": 0})
    await refused(await api.request_callback(when=TEN_NEXT_DAY), 422, "slot-not-available")


async def test_given_a_capacity_below_the_bookings_then_they_stay_and_the_last_ones_are_conflicts(
    api: Api, clock: Clock
) -> None:
    first = await booked(api, 121)
    clock.at += 1
    last = await booked(api, 122)
    answer = await (await api.ask("PUT", one(TEN_NEXT_DAY), json={"capacity": 1})).json()
    assert (answer["capacity"], answer["booked"], answer["remaining"]) == (1, 2, 0)
    assert answer["callbacks"] == first + last
    conflict = {"callback": last[0], "service": "billing", "start": TEN_NEXT_DAY_UTC, "why": "full"}
    assert (await look(api, "?from=2027-03-01"))["conflicts"] == [conflict]
    clock.set(TEN_NEXT_DAY)
    assert (await look(api))["conflicts"] == []


@pytest.mark.parametrize(
    ("start", "body", "code"),
    [
        ("2027-01-14T10:10:00-05:00", {"capacity": 1}, "slot-not-available"),
        ("2027-01-16T10:00:00-05:00", {"capacity": 1}, "slot-not-available"),
        ("2027-01-13T09:30:00-05:00", {"capacity": 1}, "in-the-past"),
        ("2027-01-13T10:00:00-05:00", {"capacity": 1}, "in-the-past"),
        ("2029-01-15T10:00:00-05:00", {"capacity": 1}, "too-far-ahead"),
        ("tomorrow", {"capacity": 1}, "invalid-field"),
        ("2027-01-14T10:00:00", {"capacity": 1}, "invalid-field"),
        (TEN_NEXT_DAY, {"capacity": -1}, "invalid-field"),
        (TEN_NEXT_DAY, {"capacity": 100_001}, "invalid-field"),
        (TEN_NEXT_DAY, {"capacity": "1"}, "invalid-field"),
        (TEN_NEXT_DAY, {"capacity": None}, "invalid-field"),
        (TEN_NEXT_DAY, {}, "invalid-field"),
    ],
)
async def test_given_a_capacity_that_makes_no_sense_then_nothing_is_stored(
    api: Api, tmp_path: Path, start: str, body: dict[str, object], code: str
) -> None:
    before = stored(tmp_path)
    await refused(await api.ask("PUT", one(start), json=body), 422, code)
    assert stored(tmp_path) == before


async def test_given_a_service_without_slots_then_none_gets_a_capacity(api: Api) -> None:
    path = f"/api/v1/services/hidden/slots/{quote(TEN_NEXT_DAY)}"
    await refused(await api.ask("PUT", path, json={"capacity": 1}), 422, "slot-not-available")


# ---- a document that permits less ------------------------------------------------------------------------------------


def closed_on_the_day(document: dict[str, Any]) -> None:
    document["calendars"][0]["special_days"] = {"2027-01-14": []}


def open_later(document: dict[str, Any]) -> None:
    document["calendars"][0]["special_days"] = {"2027-01-14": ["10:30-17:00"]}


def smaller(document: dict[str, Any]) -> None:
    document["services"][0]["slots"]["capacity"] = 1


def longer(document: dict[str, Any]) -> None:
    document["services"][0]["slots"]["minutes"] = 60


def without_slots(document: dict[str, Any]) -> None:
    del document["services"][0]["slots"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (closed_on_the_day, [(0, "not_a_slot"), (1, "not_a_slot"), (2, "not_a_slot")]),
        (open_later, [(0, "not_a_slot"), (1, "not_a_slot")]),
        (smaller, [(1, "full")]),
        (longer, [(2, "not_a_slot")]),
        (without_slots, [(0, "not_a_slot"), (1, "not_a_slot"), (2, "not_a_slot")]),
    ],
)
async def test_given_a_document_that_permits_less_then_its_conflicts_are_told_and_nobody_is_moved(
    api: Api,
    clock: Clock,
    change: Callable[[dict[str, Any]], None],
    expected: list[tuple[int, str]],
) -> None:
    ids, whens = [], []
    for end, when in ((121, TEN_NEXT_DAY), (122, TEN_NEXT_DAY), (123, HALF_PAST_TEN)):
        clock.at += 1
        ids += await booked(api, end, when=when)
        whens.append(TEN_NEXT_DAY_UTC if when == TEN_NEXT_DAY else HALF_PAST_TEN_UTC)
    conflicts = [{"callback": ids[n], "service": "billing", "start": whens[n], "why": why} for n, why in expected]
    document = slotted_document()
    change(document)
    for dry_run in (True, False):
        answer = await (await api.ask("POST", CONFIG, json={"document": document, "dry_run": dry_run})).json()
        assert (answer["applied"], answer["conflicts"]) == (not dry_run, conflicts)
        assert (await look(api))["conflicts"] == ([] if dry_run else conflicts)
    for n, each in enumerate(ids):
        view = await (await api.ask("GET", f"/api/v1/callbacks/{each}")).json()
        assert (view["state"], view["scheduled_for"]) == ("scheduled", whens[n])
    again = await (await api.ask("POST", CONFIG, json={"document": document})).json()
    assert (again["changes"], again["conflicts"]) == ([], conflicts)


async def test_given_bookings_of_a_slot_that_has_begun_then_they_are_no_conflict(api: Api, clock: Clock) -> None:
    await booked(api, 121)
    clock.set(TEN_NEXT_DAY)
    document = slotted_document()
    closed_on_the_day(document)
    answer = await (await api.ask("POST", CONFIG, json={"document": document})).json()
    assert answer["conflicts"] == []
