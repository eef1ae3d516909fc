"""Moving an open callback to another time or number, and requeuing one that has ended."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientResponse

from engine.core.events import CancelRequested, MoveRequested, NewNumber, SuppressRequested
from engine.core.terms import CallbackId, Reason, ServiceId
from engine.store.records import KeyRole
from tests.component.api_harness import OTHER_PHONE, PHONE, Api, refused
from tests.component.slot_harness import (
    EVENING,
    HALF_PAST_TEN,
    HALF_PAST_TEN_UTC,
    TEN_NEXT_DAY,
    TEN_NEXT_DAY_UTC,
    Clock,
    seconds,
    slotted_api,
    slotted_document,
    stored,
)

CALLBACKS = "/api/v1/callbacks"
BILLING = ServiceId("billing")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    async with slotted_api(tmp_path, clock) as running:
        yield running


async def move(api: Api, accepted: dict[str, Any], **fields: object) -> ClientResponse:
    """By the customer, with nothing but the token."""
    headers = {"X-Callback-Token": accepted["token"]}
    return await api.ask("PATCH", f"{CALLBACKS}/{accepted['id']}", role=None, json=fields, headers=headers)


async def moved(api: Api, accepted: dict[str, Any], **fields: object) -> dict[str, Any]:
    response = await move(api, accepted, **fields)
    assert response.status == 200, await response.text()
    view: dict[str, Any] = await response.json()
    return view


async def test_given_a_number_that_becomes_free_while_its_heir_is_moved_then_all_of_it_is_written(api: Api) -> None:
    first, heir = await api.accepted(), await api.accepted(phone=OTHER_PHONE)
    to_a_slot = MoveRequested(CallbackId(heir["id"]), seconds(TEN_NEXT_DAY))
    to_the_number = MoveRequested(CallbackId(heir["id"]), number=NewNumber(PHONE, ()))
    cancel = CancelRequested(CallbackId(first["id"]), Reason.BY_CUSTOMER)
    # One group of events, as they are where several customers ask while the last commit is under way.
    await asyncio.gather(*(api.engine.submit(each) for each in (to_a_slot, cancel, to_the_number)))
    kept = await api.queries.callback(CallbackId(heir["id"]))
    assert kept is not None
    assert (kept.request.phone, kept.scheduled_for) == (PHONE, seconds(TEN_NEXT_DAY))


def booked(api: Api, when: str) -> tuple[CallbackId, ...]:
    return api.engine.dispatcher.slots.booked(BILLING, seconds(when))


# ---- moved -----------------------------------------------------------------------------------------------------------


async def test_given_a_booking_when_it_is_moved_then_its_old_place_is_free(api: Api) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    view = await moved(api, accepted, when=HALF_PAST_TEN)
    assert view == {
        "id": accepted["id"],
        "state": "scheduled",
        "reason": None,
        "service": "billing",
        "when": HALF_PAST_TEN_UTC,
        "position": None,
        "wait": None,
        "scheduled_for": HALF_PAST_TEN_UTC,
        "next_attempt_at": None,
        "attempts_made": 0,
    }
    assert booked(api, TEN_NEXT_DAY) == ()
    assert booked(api, HALF_PAST_TEN) == (accepted["id"],)


async def test_given_a_booking_when_it_is_moved_to_now_and_back_then_it_joins_and_leaves_the_line(api: Api) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    view = await moved(api, accepted, when="now")
    assert (view["state"], view["when"], view["position"], view["scheduled_for"]) == ("queued", "now", 1, None)
    assert booked(api, TEN_NEXT_DAY) == ()
    view = await moved(api, accepted, when=TEN_NEXT_DAY)
    assert (view["state"], view["when"], view["position"]) == ("scheduled", TEN_NEXT_DAY_UTC, None)
    assert booked(api, TEN_NEXT_DAY) == (accepted["id"],)


async def test_given_who_waits_when_asked_for_now_again_then_the_place_is_kept(api: Api, clock: Clock) -> None:
    first = await api.accepted()
    clock.at += 1
    await api.accepted(phone=OTHER_PHONE)
    assert (await moved(api, first, when="now"))["position"] == 1


async def test_given_the_same_time_or_number_again_then_nothing_changes(api: Api, tmp_path: Path) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY, timezone="Asia/Tokyo")
    await api.accepted(when=TEN_NEXT_DAY, phone=OTHER_PHONE)
    before = stored(tmp_path)
    view = await moved(api, accepted, when=TEN_NEXT_DAY, phone="(202) 555-0113")
    assert view["scheduled_for"] == TEN_NEXT_DAY_UTC
    assert stored(tmp_path) == before


async def test_given_another_number_then_it_is_checked_kept_and_its_zones_are_its_own(api: Api) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY, timezone="Asia/Tokyo")
    await moved(api, accepted, phone="(202) 555-0114")
    kept = await api.queries.callback(CallbackId(accepted["id"]))
    assert kept is not None
    assert (kept.request.phone, kept.request.zones) == (OTHER_PHONE, ("America/New_York",))
    assert (kept.scheduled_for, booked(api, TEN_NEXT_DAY)) == (seconds(TEN_NEXT_DAY), (accepted["id"],))
    assert (await api.request_callback()).status == 201


async def test_given_staff_then_they_move_without_a_token_and_see_all_of_it(api: Api) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    response = await api.ask(
        "PATCH", f"{CALLBACKS}/{accepted['id']}", role=KeyRole.SUPERVISOR, json={"when": "now", "phone": OTHER_PHONE}
    )
    view = await response.json()
    assert (response.status, view["phone"], view["state"], view["attempts"]) == (200, OTHER_PHONE, "queued", [])


# ---- not moved -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 422, "invalid-field"),
        ({"when": None}, 422, "invalid-field"),
        ({"when": "later"}, 422, "invalid-field"),
        ({"wenn": "now"}, 422, "unknown-field"),
        ({"when": "2027-01-13T09:00:00-05:00"}, 422, "in-the-past"),
        ({"when": "2027-02-13T09:00:00-05:00"}, 422, "too-far-ahead"),
        ({"when": "2027-01-14T10:10:00-05:00"}, 422, "slot-not-available"),
        ({"when": HALF_PAST_TEN}, 422, "slot-not-available"),
        ({"phone": "12"}, 422, "invalid-phone"),
        ({"phone": "+19005551234"}, 422, "phone-not-allowed"),
        ({"phone": "+4930123456"}, 422, "phone-not-allowed"),
        ({"phone": "+12025550198"}, 422, "phone-not-allowed"),
        ({"phone": "+12025550121"}, 409, "duplicate-request"),
        ({"when": "2027-01-14T11:00:00-05:00", "phone": "+12025550121"}, 409, "duplicate-request"),
        ({"when": HALF_PAST_TEN, "phone": OTHER_PHONE}, 422, "slot-not-available"),
    ],
)
async def test_given_a_move_that_cannot_be_had_then_nothing_of_it_is_done(
    api: Api, tmp_path: Path, fields: dict[str, object], status: int, code: str
) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    for n in (1, 2):
        await api.accepted(when=HALF_PAST_TEN, phone=f"+1202555012{n}")
    await api.engine.submit(SuppressRequested("+12025550198"))
    before = stored(tmp_path)
    await refused(await move(api, accepted, **fields), status, code)
    assert stored(tmp_path) == before
    assert api.engine.effects == []


async def test_given_a_closed_service_then_nobody_is_moved_to_now(api: Api, clock: Clock) -> None:
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    clock.set(EVENING)
    problem = await refused(await move(api, accepted, when="now"), 422, "closed")
    assert problem["opens_at"] == "2027-01-14T14:00:00.000Z"


async def test_given_a_call_in_progress_or_an_end_then_nothing_is_moved(api: Api) -> None:
    await api.ask("PUT", "/api/v1/agents/amy/state", json={"state": "ready"})
    called = await api.accepted()
    ended = await api.accepted(when=TEN_NEXT_DAY, phone=OTHER_PHONE)
    await api.ask("DELETE", f"{CALLBACKS}/{ended['id']}")
    for fields in ({"when": HALF_PAST_TEN}, {"phone": "+12025550115"}):
        await refused(await move(api, called, **fields), 409, "call-in-progress")
        await refused(await move(api, ended, **fields), 409, "already-ended")


async def test_given_no_token_or_another_ones_then_nothing_is_moved(api: Api) -> None:
    first, second = await api.accepted(), await api.accepted(phone=OTHER_PHONE)
    path = f"{CALLBACKS}/{first['id']}"
    await refused(await api.ask("PATCH", path, role=KeyRole.PUBLIC, json={"when": "now"}), 403, "forbidden")
    await refused(await api.ask("PATCH", path, role=None, json={"when": "now"}), 401, "invalid-token")
    await refused(await move(api, first | {"token": second["token"]}, when="now"), 401, "invalid-token")
    await refused(await move(api, {"id": "cbnothing", "token": "x"}, when="now"), 404, "not-found")


async def test_given_one_place_and_many_who_move_at_once_then_one_of_them_gets_it(api: Api) -> None:
    await api.accepted(when=HALF_PAST_TEN, phone="+12025550120")
    waiting = [await api.accepted(when=f"2027-01-15T{9 + n:02}:00-05:00", phone=f"+1202555013{n}") for n in range(8)]
    answers = await asyncio.gather(*(move(api, each, when=HALF_PAST_TEN) for each in waiting))
    assert sorted(each.status for each in answers) == [200] + [422] * 7
    assert len(booked(api, HALF_PAST_TEN)) == 2
    assert sum(len(booked(api, f"2027-01-15T{9 + n:02}:00-05:00")) for n in range(8)) == 7


async def test_given_an_address_that_moves_too_often_then_it_waits(tmp_path: Path, clock: Clock) -> None:
    async with slotted_api(tmp_path, clock, requests_per_minute=3) as api:
        accepted = await api.accepted(when=TEN_NEXT_DAY)
        assert [(await move(api, accepted, when=when)).status for when in (HALF_PAST_TEN, TEN_NEXT_DAY)] == [200, 200]
        response = await move(api, accepted, when=HALF_PAST_TEN)
        await refused(response, 429, "too-many-requests")
        assert int(response.headers["Retry-After"]) > 0
        staff = await api.ask("PATCH", f"{CALLBACKS}/{accepted['id']}", json={"when": HALF_PAST_TEN})
        assert staff.status == 200


# ---- requeued --------------------------------------------------------------------------------------------------------


async def ended_callback(api: Api, **fields: object) -> dict[str, Any]:
    accepted = await api.accepted(**fields)
    await api.ask("DELETE", f"{CALLBACKS}/{accepted['id']}")
    return accepted


async def requeue(api: Api, callback: str, *, key: str | None = None, **fields: object) -> ClientResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await api.ask(
        "POST", f"{CALLBACKS}/{callback}/requeue", role=KeyRole.SUPERVISOR, json=fields, headers=headers
    )


async def test_given_an_ended_callback_when_it_is_requeued_then_a_child_with_its_request_is_made(api: Api) -> None:
    ended = await ended_callback(
        api, subject="invoice", first_name="Ada", context={"a": "1"}, timezone="Asia/Tokyo", language="es"
    )
    response = await requeue(api, ended["id"])
    made = await response.json()
    assert response.status == 201
    assert response.headers["Cache-Control"] == "no-store"
    assert (made["state"], made["when"], made["position"]) == ("queued", "now", 1)
    assert made["id"] != ended["id"]
    assert made["token"] != ended["token"]
    parent, child = [await api.queries.callback(CallbackId(each["id"])) for each in (ended, made)]
    assert parent is not None
    assert child is not None
    assert (child.parent_id, child.request) == (parent.id, parent.request)
    view = await (await api.ask("GET", f"{CALLBACKS}/{made['id']}")).json()
    assert view["parent_id"] == ended["id"]
    assert (await moved(api, made, when=TEN_NEXT_DAY))["state"] == "scheduled"


async def test_given_a_slot_then_the_requeued_callback_is_booked(api: Api) -> None:
    ended = await ended_callback(api)
    made = await (await requeue(api, ended["id"], when=TEN_NEXT_DAY)).json()
    assert (made["state"], made["scheduled_for"]) == ("scheduled", TEN_NEXT_DAY_UTC)
    assert booked(api, TEN_NEXT_DAY) == (made["id"],)


async def test_given_no_body_at_all_then_it_is_requeued_for_now(api: Api) -> None:
    ended = await ended_callback(api)
    assert (await api.ask("POST", f"{CALLBACKS}/{ended['id']}/requeue")).status == 201


async def test_given_a_callback_that_has_not_ended_then_it_is_not_requeued(api: Api, tmp_path: Path) -> None:
    accepted = await api.accepted()
    before = stored(tmp_path)
    await refused(await requeue(api, accepted["id"]), 409, "wrong-state")
    await refused(await requeue(api, "cbnothing"), 404, "not-found")
    assert stored(tmp_path) == before


async def test_given_an_idempotency_key_then_a_repeated_requeue_makes_one_callback(
    tmp_path: Path, clock: Clock
) -> None:
    async with slotted_api(tmp_path, clock) as api:
        ended, other = await ended_callback(api), await ended_callback(api, phone=OTHER_PHONE)
        answers = [await (await requeue(api, ended["id"], key="once", when=TEN_NEXT_DAY)).json() for _time in range(2)]
        await refused(await requeue(api, ended["id"], key="once"), 409, "idempotency-conflict")
        await refused(await requeue(api, other["id"], key="once", when=TEN_NEXT_DAY), 409, "idempotency-conflict")
        body = {"service": "billing", "phone": OTHER_PHONE, "when": TEN_NEXT_DAY}
        again = await api.ask(
            "POST", CALLBACKS, role=KeyRole.SUPERVISOR, json=body, headers={"Idempotency-Key": "once"}
        )
        await refused(again, 409, "idempotency-conflict")
        assert len((await api.queries.callbacks()).items) == 3
    assert answers == [answers[0]] * 2


async def test_given_a_requeue_then_every_check_of_a_request_is_made(tmp_path: Path, clock: Clock) -> None:
    document = slotted_document()
    async with slotted_api(tmp_path, clock, document) as api:
        by_number = {
            "+12025550130": "phone-not-allowed",
            "+12025550131": "duplicate-request",
            "+12025550132": "unknown-subject",
            "+447400123456": "phone-not-allowed",
        }
        ended = {phone: await ended_callback(api, phone=phone, subject="invoice") for phone in by_number}
        await api.engine.submit(SuppressRequested("+12025550130"))
        await api.accepted(phone="+12025550131")
        before = stored(tmp_path)
        for phone in ("+12025550130", "+12025550131"):
            response = await requeue(api, ended[phone]["id"])
            assert (await response.json())["code"] == by_number[phone]
        clock.set(EVENING)
        await refused(await requeue(api, ended["+12025550132"]["id"]), 422, "closed")
        early = await requeue(api, ended["+12025550132"]["id"], when="2027-01-13T11:00-05:00")
        await refused(early, 422, "in-the-past")
        assert stored(tmp_path) == before
        document["limits"]["countries"] = ["US"]
        document["services"][0]["subjects"] = []
        document["services"][0]["languages"] = ["es"]
        await api.ask("POST", "/api/v1/config", json={"document": document})
        for phone in ("+12025550132", "+447400123456"):
            response = await requeue(api, ended[phone]["id"])
            assert response.status == 422
        document["services"][0]["subjects"] = [{"id": "invoice", "name": "Invoice"}]
        await api.ask("POST", "/api/v1/config", json={"document": document})
        await refused(await requeue(api, ended["+447400123456"]["id"]), 422, "phone-not-allowed")
        made = await (await requeue(api, ended["+12025550132"]["id"], when=TEN_NEXT_DAY)).json()
        kept = await api.queries.callback(CallbackId(made["id"]))
        assert kept is not None
        assert kept.request.language == "es"
        document["services"].pop(0)
        await api.ask("DELETE", f"{CALLBACKS}/{made['id']}")
        for each in (await api.queries.callbacks()).items:
            if each.open:
                await api.ask("DELETE", f"{CALLBACKS}/{each.id}")
        await api.ask("POST", "/api/v1/config", json={"document": document})
        await refused(await requeue(api, made["id"]), 404, "unknown-service")
        await refused(await move(api, made, phone=PHONE), 409, "already-ended")
