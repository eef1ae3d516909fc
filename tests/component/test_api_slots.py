"""Booking a slot over HTTP: what is accepted and answered, what is refused, and who wins the last places."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from engine.core.events import SuppressRequested
from engine.core.terms import CallbackId, ServiceId
from engine.store.records import KeyRole
from tests.component.api_harness import ORIGIN, OTHER_PHONE, PHONE, Api, refused
from tests.component.slot_harness import (
    EVENING,
    HALF_PAST_TEN,
    HALF_PAST_TEN_UTC,
    MORNING,
    TEN_NEXT_DAY,
    TEN_NEXT_DAY_UTC,
    Clock,
    seconds,
    slotted_api,
    slotted_document,
    starts,
    stored,
)

CALLBACKS = "/api/v1/callbacks"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    async with slotted_api(tmp_path, clock) as running:
        yield running


# ---- accepted --------------------------------------------------------------------------------------------------------


async def test_given_a_free_slot_when_it_is_booked_then_every_answer_says_so(api: Api) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    expected = {
        "state": "scheduled",
        "when": TEN_NEXT_DAY_UTC,
        "scheduled_for": TEN_NEXT_DAY_UTC,
        "position": None,
        "wait": None,
    }
    assert {name: accepted[name] for name in expected} == expected
    path = f"{CALLBACKS}/{accepted['id']}"
    token = {"X-Callback-Token": accepted["token"]}
    followed = await api.ask("GET", path, role=None, headers=token)
    assert followed.headers["Cache-Control"] == "no-store"
    customer = await followed.json()
    staff = await (await api.ask("GET", path, role=KeyRole.SUPERVISOR)).json()
    listed = (await (await api.ask("GET", CALLBACKS)).json())["items"][0]
    for view in (customer, staff, listed):
        assert {name: view[name] for name in expected} == expected
    assert api.engine.effects == []


async def test_given_any_way_to_write_a_start_then_the_same_slot_is_meant(api: Api) -> None:
    for n, when in enumerate((TEN_NEXT_DAY, "2027-01-14T16:00:00+01:00")):
        accepted = await api.accepted(when=when, phone=f"+1202555012{n}")
        assert accepted["scheduled_for"] == TEN_NEXT_DAY_UTC
    await refused(await api.request_callback(when="2027-01-14T15:00Z"), 422, "slot-not-available")


async def test_given_a_request_for_now_in_business_hours_then_when_is_now(api: Api) -> None:
    accepted = await api.accepted()
    assert (accepted["state"], accepted["when"], accepted["scheduled_for"]) == ("queued", "now", None)


async def test_given_a_stated_zone_or_a_number_then_the_customers_zones_are_kept(api: Api) -> None:
    stated = await api.accepted(timezone="Asia/Tokyo")
    by_number = await api.accepted(phone=OTHER_PHONE)
    kept = [await api.queries.callback(CallbackId(each["id"])) for each in (stated, by_number)]
    # Anybody may fill in a web form: their word does not outweigh the number.
    assert [each and each.request.zones for each in kept] == [("America/New_York", "Asia/Tokyo"), ("America/New_York",)]


async def test_given_a_zone_that_staff_stated_then_it_counts_alone(api: Api) -> None:
    body = {"service": "billing", "phone": PHONE, "timezone": "Asia/Tokyo"}
    made = await (await api.ask("POST", CALLBACKS, role=KeyRole.SUPERVISOR, json=body)).json()
    kept = await api.queries.callback(CallbackId(made["id"]))
    assert kept is not None
    assert kept.request.zones == ("Asia/Tokyo",)


async def test_given_staff_then_a_skill_expression_narrows_the_target(api: Api) -> None:
    body = {"service": "billing", "phone": PHONE, "skill_expression": "spanish>=2 and billing"}
    made = await (await api.ask("POST", CALLBACKS, role=KeyRole.SUPERVISOR, json=body)).json()
    kept = await api.queries.callback(CallbackId(made["id"]))
    assert kept is not None
    assert kept.request.skill is not None
    assert kept.request.skill.text == "spanish >= 2 and billing"


async def test_given_a_faulty_skill_expression_then_position_and_hint_are_told(api: Api) -> None:
    body = {"service": "billing", "phone": PHONE, "skill_expression": "spanish = 2"}
    problem = await refused(await api.ask("POST", CALLBACKS, json=body), 422, "invalid-field")
    assert problem["errors"] == [
        {"field": "skill_expression", "message": "position 9: = is not known here; write =="},
    ]


# ---- refused ---------------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[str, dict[str, object], int, str]] = [
    (MORNING, {"when": "2027-01-13T10:00:00-05:00"}, 422, "in-the-past"),
    (MORNING, {"when": "2020-01-13T10:00:00-05:00"}, 422, "in-the-past"),
    (MORNING, {"when": "2027-01-21T09:00:00-05:00"}, 422, "too-far-ahead"),
    (MORNING, {"when": "2999-01-01T00:00:00Z"}, 422, "too-far-ahead"),
    (MORNING, {"when": "2027-01-14T10:15:00-05:00"}, 422, "slot-not-available"),
    (MORNING, {"when": "2027-01-14T10:00:00.001-05:00"}, 422, "slot-not-available"),
    (MORNING, {"when": "2027-01-14T17:00:00-05:00"}, 422, "slot-not-available"),
    (MORNING, {"when": "2027-01-16T10:00:00-05:00"}, 422, "slot-not-available"),
    (MORNING, {"when": "2027-01-14T10:00:00-05:00"}, 422, "slot-not-available"),
    (MORNING, {"service": "hidden", "when": TEN_NEXT_DAY}, 404, "unknown-service"),
    (EVENING, {"when": "now"}, 422, "closed"),
    (MORNING, {"when": "2027-01-14T10:00:00"}, 422, "invalid-field"),
    (MORNING, {"when": "2027-01-14"}, 422, "invalid-field"),
    (MORNING, {"when": 1800000000}, 422, "invalid-field"),
    (MORNING, {"when": None}, 422, "invalid-field"),
    (MORNING, {"phone": "+12025550198", "when": HALF_PAST_TEN}, 422, "phone-not-allowed"),
    (MORNING, {"phone": "+12025550121", "when": HALF_PAST_TEN}, 409, "duplicate-request"),
    (MORNING, {"phone": "+12025550199", "when": HALF_PAST_TEN}, 429, "too-many-requests"),
    (MORNING, {"service": "billing", "subject": "nope", "when": HALF_PAST_TEN}, 422, "unknown-subject"),
    (MORNING, {"page_url": "https://[shop.example/", "when": HALF_PAST_TEN}, 422, "invalid-field"),
]


@pytest.mark.parametrize(("at", "fields", "status", "code"), REFUSALS)
async def test_given_a_request_that_cannot_be_had_then_nothing_is_stored(
    tmp_path: Path, at: str, fields: dict[str, object], status: int, code: str
) -> None:
    clock, document = Clock(), slotted_document()
    document["limits"]["per_number_per_day"] = 1
    async with slotted_api(tmp_path, clock, document) as api:
        # The slot is full, one number must not be called, one waits already, and one asked today and cancelled.
        for n in (1, 2):
            await api.accepted(when=TEN_NEXT_DAY, phone=f"+1202555012{n}")
        await api.engine.submit(SuppressRequested("+12025550198"))
        gone = await api.accepted(when=HALF_PAST_TEN, phone="+12025550199")
        await api.ask("DELETE", f"{CALLBACKS}/{gone['id']}")
        clock.set(at)
        before = stored(tmp_path)
        body = {"service": "billing", "phone": PHONE, "when": "now", "channel": "web"} | fields
        headers = {"Idempotency-Key": "once"}
        await refused(await api.ask("POST", CALLBACKS, role=KeyRole.PUBLIC, json=body, headers=headers), status, code)
        assert stored(tmp_path) == before
        assert api.engine.effects == []
        assert f'ringback_requests_refused_total{{code="{code}"}} 1.0' in api.metrics.text().decode()


async def test_given_a_closed_service_then_the_refusal_says_when_it_opens(api: Api, clock: Clock) -> None:
    clock.set(EVENING)
    problem = await refused(await api.request_callback(), 422, "closed")
    assert problem["opens_at"] == "2027-01-14T14:00:00.000Z"
    clock.set("2027-01-15T17:00:00-05:00")
    assert (await refused(await api.request_callback(), 422, "closed"))["opens_at"] == "2027-01-18T14:00:00.000Z"
    assert (await api.accepted(when="2027-01-18T09:00:00-05:00"))["state"] == "scheduled"


async def test_given_a_service_that_never_opens_then_the_refusal_says_that_too(tmp_path: Path, clock: Clock) -> None:
    document = slotted_document()
    document["calendars"][0]["weekly"] = {}
    async with slotted_api(tmp_path, clock, document) as api:
        assert (await refused(await api.request_callback(), 422, "closed"))["opens_at"] is None
        problem = await refused(await api.request_callback(when=TEN_NEXT_DAY), 422, "slot-not-available")
        assert problem["slots"] == []


async def test_given_a_full_slot_then_the_nearest_free_ones_are_told(api: Api) -> None:
    for n in (1, 2):
        await api.accepted(when=TEN_NEXT_DAY, phone=f"+1202555012{n}")
    problem = await refused(await api.request_callback(when=TEN_NEXT_DAY), 422, "slot-not-available")
    assert problem["slots"][:2] == [
        {"start": "2027-01-14T14:30:00.000Z", "end": "2027-01-14T15:00:00.000Z"},
        {"start": HALF_PAST_TEN_UTC, "end": "2027-01-14T16:00:00.000Z"},
    ]
    assert (await api.accepted(when=problem["slots"][0]["start"]))["state"] == "scheduled"


async def test_given_a_time_too_early_or_too_late_then_the_nearest_free_ones_are_told(api: Api) -> None:
    early = await refused(await api.request_callback(when="2026-01-01T00:00:00Z"), 422, "in-the-past")
    assert starts(early["slots"])[:2] == ["2027-01-13T15:30:00.000Z", "2027-01-13T16:00:00.000Z"]
    late = await refused(await api.request_callback(when="2028-01-01T00:00:00Z"), 422, "too-far-ahead")
    assert starts(late["slots"])[0] == "2027-01-20T21:30:00.000Z"


async def test_given_a_service_without_slots_then_only_now_can_be_asked_for(api: Api) -> None:
    body = {"service": "hidden", "phone": "+12025550113", "when": TEN_NEXT_DAY}
    problem = await refused(await api.ask("POST", CALLBACKS, json=body), 422, "slot-not-available")
    assert problem["slots"] == []
    assert (await api.ask("POST", CALLBACKS, json=body | {"when": "now"})).status == 201


async def test_given_a_number_with_its_days_requests_then_it_may_ask_again_at_its_midnight(
    tmp_path: Path, clock: Clock
) -> None:
    document = slotted_document()
    document["limits"]["per_number_per_day"] = 1
    async with slotted_api(tmp_path, clock, document) as api:
        accepted = await api.accepted(timezone="America/Los_Angeles")
        await api.ask("DELETE", f"{CALLBACKS}/{accepted['id']}")
        clock.at += 0.5
        response = await api.request_callback(timezone="America/Los_Angeles")
        await refused(response, 429, "too-many-requests")
        # Where the number belongs it is 10 in the morning.
        assert response.headers["Retry-After"] == str(14 * 3600)
        clock.at += 14 * 3600
        assert (await api.request_callback(timezone="America/Los_Angeles", when="2027-01-14T09:30-05:00")).status == 201


async def test_given_short_notice_then_a_slot_that_begins_too_soon_is_refused(tmp_path: Path, clock: Clock) -> None:
    document = slotted_document()
    document["services"][0]["slots"]["min_notice_seconds"] = 1800
    clock.set("2027-01-13T10:00:01-05:00")
    async with slotted_api(tmp_path, clock, document) as api:
        problem = await refused(await api.request_callback(when="2027-01-13T10:30-05:00"), 422, "slot-not-available")
        assert starts(problem["slots"])[0] == "2027-01-13T16:00:00.000Z"
        assert (await api.accepted(when="2027-01-13T11:00-05:00"))["state"] == "scheduled"


# ---- the last places -------------------------------------------------------------------------------------------------


async def test_given_a_hundred_clients_at_once_then_the_last_ten_places_go_to_ten_of_them(
    tmp_path: Path, clock: Clock
) -> None:
    document = slotted_document()
    document["services"][0]["slots"]["capacity"] = 12
    async with slotted_api(tmp_path, clock, document) as api:
        for n in (1, 2):
            await api.accepted(when=TEN_NEXT_DAY, phone=f"+1202455012{n}")
        before = {each.id for each in (await api.queries.callbacks()).items}
        server, gate = api.client.make_url("/"), asyncio.Barrier(100)

        async def customer(n: int) -> tuple[int, dict[str, Any]]:
            headers = {"Authorization": f"Bearer {api.keys[KeyRole.PUBLIC]}", "Origin": ORIGIN}
            body = {"service": "billing", "phone": f"+120255501{n:02}", "when": TEN_NEXT_DAY}
            async with aiohttp.ClientSession(server, headers=headers) as session:
                await session.get("/healthz")
                await gate.wait()
                async with session.post(CALLBACKS, json=body) as response:
                    return response.status, await response.json()

        answers = await asyncio.gather(*(customer(n) for n in range(100)))
        won = [answer for status, answer in answers if status == 201]
        lost = [answer for status, answer in answers if status == 422]
        assert (len(won), len(lost)) == (10, 90)
        assert {answer["scheduled_for"] for answer in won} == {TEN_NEXT_DAY_UTC}
        assert {answer["code"] for answer in lost} == {"slot-not-available"}
        assert {tuple(starts(answer["slots"])[:2]) for answer in lost} == {
            ("2027-01-14T14:30:00.000Z", HALF_PAST_TEN_UTC),
        }
        kept = {each.id for each in (await api.queries.callbacks(limit=500)).items} - before
        assert kept == {answer["id"] for answer in won}
        assert len(api.engine.dispatcher.slots.booked(ServiceId("billing"), seconds(TEN_NEXT_DAY))) == 12


# ---- the same request again ------------------------------------------------------------------------------------------


async def test_given_a_booking_that_is_repeated_then_the_answer_is_the_same_also_after_a_restart(
    tmp_path: Path, clock: Clock
) -> None:
    body = {"service": "billing", "phone": PHONE, "when": TEN_NEXT_DAY}
    answers = []
    for _start in range(2):
        async with slotted_api(tmp_path, clock) as api:
            for when in (TEN_NEXT_DAY, "2027-01-14T15:00:00Z"):
                headers = {"Idempotency-Key": "once"}
                response = await api.ask("POST", CALLBACKS, json=body | {"when": when}, headers=headers)
                assert response.status == 201
                answers.append(await response.json())
            assert len((await api.queries.callbacks()).items) == 1
        clock.at += 3600
    assert answers == [answers[0]] * 4
    assert (answers[0]["state"], answers[0]["scheduled_for"]) == ("scheduled", TEN_NEXT_DAY_UTC)


# ---- days on which the clocks change ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "hours", "adjacent"),
    [
        ("2027-03-14", 23, ("2027-03-14T01:00:00-05:00", "2027-03-14T03:00:00-04:00")),
        ("2027-11-07", 25, ("2027-11-07T01:00:00-04:00", "2027-11-07T01:00:00-05:00")),
    ],
)
async def test_given_a_day_on_which_clocks_change_then_each_of_its_real_hours_is_one_slot(
    api: Api, clock: Clock, day: str, hours: int, adjacent: tuple[str, str]
) -> None:
    clock.set("2027-03-01T12:00:00-05:00")
    path = f"/api/v1/services/round_the_clock/availability?from={day}&days=1"
    view = await (await api.ask("GET", path, role=KeyRole.PUBLIC)).json()
    assert len(view["slots"]) == hours
    assert [each["end"] for each in view["slots"][:-1]] == starts(view["slots"])[1:]
    made = [
        await api.accepted(service="round_the_clock", when=when, phone=f"+1202555012{n}")
        for n, when in enumerate(adjacent)
    ]
    first, second = (starts(view["slots"]).index(each["scheduled_for"]) for each in made)
    assert second == first + 1
    left = await (await api.ask("GET", path, role=KeyRole.PUBLIC)).json()
    assert len(left["slots"]) == hours - 2
