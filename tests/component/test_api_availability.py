"""What customers may be offered before they ask: hours, the place they would have, and the slots with room."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.core.events import PauseRequested, ResumeRequested
from engine.core.terms import CallbackId, ServiceId
from engine.store.records import KeyRole
from tests.component.api_harness import PHONE, Api, refused
from tests.component.slot_harness import EVENING, TEN_NEXT_DAY, Clock, slotted_api, slotted_document, starts

SERVICES = "/api/v1/services"
BILLING = ServiceId("billing")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def api(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    async with slotted_api(tmp_path, clock) as running:
        yield running


async def look(api: Api, query: str = "", service: str = "billing", role: KeyRole = KeyRole.PUBLIC) -> dict[str, Any]:
    response = await api.ask("GET", f"{SERVICES}/{service}/availability{query}", role=role)
    assert response.status == 200, await response.text()
    view: dict[str, Any] = await response.json()
    return view


async def test_given_an_open_service_then_all_of_it_is_told(api: Api) -> None:
    view = await look(api, "?days=1")
    slots = view.pop("slots")
    assert view == {
        "service": "billing",
        "timezone": "America/New_York",
        "open": True,
        "opens_at": None,
        "closes_at": "2027-01-13T22:00:00.000Z",
        "immediate": {"offered": True, "reason": None, "position": 1, "wait": None},
        "slot_minutes": 30,
    }
    assert slots[0] == {
        "start": "2027-01-13T15:30:00.000Z",
        "end": "2027-01-13T16:00:00.000Z",
        "capacity": 2,
        "remaining": 2,
    }
    assert len(slots) == 13
    assert slots[-1]["end"] == view["closes_at"]


async def test_given_a_closed_service_then_it_is_told_when_it_opens(api: Api, clock: Clock) -> None:
    clock.set(EVENING)
    view = await look(api)
    assert (view["open"], view["opens_at"], view["closes_at"]) == (False, "2027-01-14T14:00:00.000Z", None)
    assert view["immediate"] == {"offered": False, "reason": "closed", "position": None, "wait": None}
    assert starts(view["slots"])[0] == view["opens_at"]


async def test_given_time_that_passes_then_hours_are_told_anew_also_after_another_document(
    api: Api, clock: Clock
) -> None:
    told = []
    for at in ("2027-01-13T16:59:59-05:00", "2027-01-13T17:00:00-05:00", "2027-01-14T09:00:00-05:00"):
        clock.set(at)
        told.append((await look(api))["open"])
    assert told == [True, False, True]
    document = slotted_document()
    document["calendars"][0]["special_days"] = {"2027-01-14": ["12:00-13:00"]}
    await api.ask("POST", "/api/v1/config", json={"document": document})
    view = await look(api)
    assert (view["open"], view["opens_at"]) == (False, "2027-01-14T17:00:00.000Z")
    clock.set("2027-01-13T16:59:59-05:00")
    assert (await look(api))["open"] is True


async def test_given_a_service_without_calendar_then_it_is_always_open_and_has_no_slots(api: Api) -> None:
    view = await look(api, service="hidden", role=KeyRole.SUPERVISOR)
    assert {name: view[name] for name in ("timezone", "open", "opens_at", "closes_at", "slot_minutes", "slots")} == {
        "timezone": None,
        "open": True,
        "opens_at": None,
        "closes_at": None,
        "slot_minutes": None,
        "slots": [],
    }


async def test_given_a_service_that_never_closes_then_no_closing_is_told(api: Api) -> None:
    view = await look(api, service="round_the_clock")
    assert (view["open"], view["closes_at"]) == (True, None)


async def test_given_customers_who_wait_then_the_place_told_is_the_one_that_is_given(api: Api, clock: Clock) -> None:
    for n in range(3):
        clock.at += 1
        told = (await look(api))["immediate"]["position"]
        assert (await api.accepted(phone=f"+1202555012{n}"))["position"] == told == n + 1
    await api.accepted(phone="+12025550129", service="round_the_clock")
    assert (await look(api))["immediate"]["position"] == 4


async def test_given_a_full_line_or_a_paused_service_then_now_is_not_offered(api: Api) -> None:
    await api.engine.submit(PauseRequested(BILLING))
    assert (await look(api))["immediate"]["reason"] == "paused"
    await api.engine.submit(ResumeRequested(BILLING))
    for n in range(5):
        assert (await look(api))["immediate"]["offered"] is True
        await api.accepted(phone=f"+1202555012{n}")
    full = {"offered": False, "reason": "queue-full", "position": None, "wait": None}
    assert (await look(api))["immediate"] == full
    await refused(await api.request_callback(), 503, "queue-full")
    api.engine.open_for_requests = False
    assert (await look(api))["immediate"]["reason"] == "not-ready"


async def test_given_bookings_then_only_slots_with_room_are_listed(api: Api) -> None:
    def of_ten(view: dict[str, Any]) -> list[int]:
        return [each["remaining"] for each in view["slots"] if each["start"] == "2027-01-14T15:00:00.000Z"]

    found = [of_ten(await look(api))]
    for n in range(2):
        await api.accepted(when=TEN_NEXT_DAY, phone=f"+1202555012{n}")
        found.append(of_ten(await look(api)))
    assert found == [[2], [1], []]


async def test_given_every_slot_that_is_listed_then_each_can_be_booked(api: Api) -> None:
    listed = starts((await look(api, "?days=2"))["slots"])
    assert len(listed) == 13 + 16
    for n, start in enumerate(listed):
        accepted = await api.accepted(when=start, phone=f"+120255501{n:02}")
        assert accepted["scheduled_for"] == start


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2027-01-13T15:30", "2027-01-19T21:30"),
        ("?days=1", "2027-01-13T15:30", "2027-01-13T21:30"),
        ("?days=366", "2027-01-13T15:30", "2027-01-20T21:30"),
        ("?from=2027-01-15&days=1", "2027-01-15T14:00", "2027-01-15T21:30"),
        ("?from=2027-01-15&days=4", "2027-01-15T14:00", "2027-01-18T21:30"),
        ("?from=2027-01-15T20:15:00Z&days=1", "2027-01-15T20:30", "2027-01-15T21:30"),
        ("?from=2027-01-15T21:15:00%2B01:00&days=1", "2027-01-15T20:30", "2027-01-15T21:30"),
        ("?from=2027-01-15T21:15:00+01:00&days=1", "2027-01-15T20:30", "2027-01-15T21:30"),
        ("?from=2026-12-25&days=20", "2027-01-13T15:30", "2027-01-13T21:30"),
    ],
)
async def test_given_a_day_or_a_time_then_slots_are_listed_from_there(
    api: Api, query: str, first: str, last: str
) -> None:
    found = starts((await look(api, query))["slots"])
    assert (found[0], found[-1]) == (f"{first}:00.000Z", f"{last}:00.000Z")


@pytest.mark.parametrize("query", ["?from=2027-01-16&days=2", "?from=2026-12-25&days=3", "?from=2027-01-21&days=9"])
async def test_given_days_without_anything_to_book_then_nothing_is_listed(api: Api, query: str) -> None:
    assert (await look(api, query))["slots"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?days=0", "invalid-field"),
        ("?days=367", "invalid-field"),
        ("?days=x", "invalid-field"),
        ("?from=tomorrow", "invalid-field"),
        ("?from=2027-01-15T10:00:00", "invalid-field"),
        ("?from=0001-01-01", "invalid-field"),
        ("?from=9999-12-31", "invalid-field"),
        ("?from=1800000000", "invalid-field"),
        ("?form=2027-01-15", "unknown-field"),
        ("?subject=nope", "unknown-subject"),
        ("?page_url=nope", "invalid-field"),
        ("?language=!", "invalid-field"),
    ],
)
async def test_given_a_wrong_question_then_it_is_refused_with_one_message(api: Api, query: str, code: str) -> None:
    response = await api.ask("GET", f"{SERVICES}/billing/availability{query}", role=KeyRole.PUBLIC)
    problem = await refused(response, 422, code)
    assert [each["field"] for each in problem["errors"]] == [query[1:].partition("=")[0]]


@pytest.mark.parametrize("service", ["nope", "hidden"])
async def test_given_a_service_that_customers_cannot_name_then_it_is_unknown(api: Api, service: str) -> None:
    response = await api.ask("GET", f"{SERVICES}/{service}/availability", role=KeyRole.PUBLIC)
    await refused(response, 404, "unknown-service")


async def test_given_more_slots_than_one_answer_holds_then_fewer_days_are_asked_for(
    tmp_path: Path, clock: Clock
) -> None:
    document = slotted_document()
    document["services"][2]["slots"] = {"minutes": 15, "days_ahead": 365}
    async with slotted_api(tmp_path, clock, document) as api:
        path = f"{SERVICES}/round_the_clock/availability"
        problem = await refused(await api.ask("GET", f"{path}?days=366"), 422, "invalid-field")
        assert problem["errors"][0]["field"] == "days"
        some = await look(api, "?days=50", service="round_the_clock")
        assert 4000 < len(some["slots"]) <= 5000


# ---- which service a page or subject means -------------------------------------------------------------------------


@pytest_asyncio.fixture
async def paged(tmp_path: Path, clock: Clock) -> AsyncIterator[Api]:
    document = slotted_document()
    document["services"][0]["pages"] = [{"match": "/checkout/*", "subject": "invoice"}]
    async with slotted_api(tmp_path, clock, document) as running:
        yield running


async def test_given_a_page_then_it_decides_service_and_subject(paged: Api) -> None:
    page_url = "https://shop.example/checkout/pay?step=2"
    accepted = await paged.accepted(service=None, page_url=page_url)
    kept = await paged.queries.callback(CallbackId(accepted["id"]))
    assert kept is not None
    assert (kept.request.service, kept.request.subject, kept.request.page_url) == ("billing", "invoice", page_url)
    response = await paged.ask("GET", f"/api/v1/resolve?page_url={page_url}&language=es-MX", role=KeyRole.PUBLIC)
    assert await response.json() == {"service": "billing", "subject": "invoice", "language": "es"}


async def test_given_a_page_that_decides_nothing_then_the_request_is_refused(paged: Api) -> None:
    fields: dict[str, object] = {"service": None, "page_url": "https://shop.example/basket"}
    await refused(await paged.request_callback(**fields), 404, "unknown-service")
    response = await paged.ask("GET", "/api/v1/resolve?page_url=https://shop.example/basket", role=KeyRole.PUBLIC)
    await refused(response, 404, "unknown-service")


async def test_given_pages_then_nothing_says_that_they_have_no_effect(paged: Api) -> None:
    view = await (await paged.ask("GET", "/api/v1/config")).json()
    assert view["warnings"] == []


async def test_given_a_mobile_key_then_the_subject_of_the_page_suffices(paged: Api) -> None:
    made = await paged.ask("POST", "/api/v1/keys", json={"name": "app", "role": "public", "kind": "mobile"})
    headers = {"Authorization": f"Bearer {(await made.json())['key']}"}
    body = {"service": "billing", "phone": PHONE}
    without = await paged.ask("POST", "/api/v1/callbacks", role=None, json=body, headers=headers)
    await refused(without, 422, "unknown-subject")
    body["page_url"] = "https://shop.example/checkout/pay"
    assert (await paged.ask("POST", "/api/v1/callbacks", role=None, json=body, headers=headers)).status == 201


async def test_given_many_who_look_at_once_then_all_see_the_same(api: Api) -> None:
    views = await asyncio.gather(*(look(api) for _ in range(50)))
    assert all(view == views[0] for view in views)


# ---- as it is described ----------------------------------------------------------------------------------------------


async def test_given_the_openapi_document_then_answers_and_refusals_have_the_members_it_describes(api: Api) -> None:
    document = await (await api.ask("GET", "/openapi.json", role=None)).json()
    schemas = document["components"]["schemas"]

    def members(name: str) -> set[str]:
        return set(schemas[name]["properties"])

    view = await look(api)
    assert (set(view), set(view["slots"][0])) == (members("AvailabilityView"), members("BookableSlot"))
    assert set(view["immediate"]) == members("Immediate")
    slots = await (await api.ask("GET", f"{SERVICES}/billing/slots")).json()
    assert (set(slots), set(slots["slots"][0])) == (members("StaffSlots"), members("StaffSlot"))
    accepted = await api.accepted(when=TEN_NEXT_DAY)
    token = {"X-Callback-Token": accepted["token"]}
    customer = await (await api.ask("GET", f"/api/v1/callbacks/{accepted['id']}", role=None, headers=token)).json()
    assert (set(accepted), set(customer)) == (members("CallbackAccepted"), members("CustomerView"))
    refusal = await refused(await api.request_callback(when="2027-01-16T09:00-05:00"), 409, "duplicate-request")
    other = await api.request_callback(when="2027-01-16T09:00-05:00", phone="+12025550115")
    problem = await refused(other, 422, "slot-not-available")
    assert set(refusal) == set(schemas["ProblemShape"]["required"])
    assert set(problem) == set(refusal) | {"slots"}
    assert set(problem["slots"][0]) == members("FreeSlot")
    assert {"opens_at", "slots"} < members("ProblemShape")
    operation = document["paths"][f"{SERVICES}/{{service}}/availability"]["get"]
    assert [each["name"] for each in operation["parameters"]] == [
        *("service", "from", "days", "subject", "page_url", "language"),
    ]
    moving = document["paths"]["/api/v1/callbacks/{id}"]["patch"]
    assert {"callbackToken": []} in moving["security"]
    assert {"404", "409", "422", "429"} <= set(moving["responses"])
