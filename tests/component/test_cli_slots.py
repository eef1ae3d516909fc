"""`ringback slot`, and appointments in `ringback callback` and `ringback config`, against the real HTTP side."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from cli.printing import moment
from tests.component.api_harness import OTHER_PHONE, PHONE
from tests.component.cli_harness import Served, one_line, serving
from tests.component.slot_harness import (
    HALF_PAST_TEN,
    HALF_PAST_TEN_UTC,
    TEN_NEXT_DAY,
    TEN_NEXT_DAY_UTC,
    Clock,
    slotted_document,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(tmp_path: Path, clock: Clock) -> Iterator[Served]:
    with serving(tmp_path, document=slotted_document(), clock=clock) as running:
        yield running


def booked(served: Served, phone: str = PHONE, when: str = TEN_NEXT_DAY) -> str:
    made: str = served.json("callback", "request", "--service", "billing", "--phone", phone, "--when", when)["id"]
    return made


# ---- callbacks -------------------------------------------------------------------------------------------------------


def test_given_a_slot_when_it_is_requested_then_request_show_and_list_say_when(served: Served) -> None:
    command = ("callback", "request", "--service", "billing", "--phone", PHONE, "--when", TEN_NEXT_DAY)
    result = served.run(*command)
    callback_id, _, said = result.stdout.strip().partition(": ")
    at = moment(TEN_NEXT_DAY)
    assert said == f"scheduled for {at}"
    shown = served.run("callback", "show", callback_id).stdout
    assert re.search(rf"^scheduled_for +{at}$", shown, re.MULTILINE)
    assert served.json("callback", "show", callback_id)["scheduled_for"] == TEN_NEXT_DAY_UTC
    header, row = served.run("callback", "list").stdout.splitlines()
    column = header.index("SCHEDULED")
    assert row[column : column + len(at)] == at


def test_given_a_time_that_cannot_be_had_then_one_line_says_what_can(served: Served, clock: Clock) -> None:
    command = ("callback", "request", "--service", "billing", "--phone", PHONE, "--when")
    result = served.run(*command, "2027-01-14T10:10:00-05:00")
    assert result.exit_code == 1
    assert one_line(result).startswith(
        "This time cannot be booked: no slot begins at this time; "
        f"free: {TEN_NEXT_DAY_UTC}, {HALF_PAST_TEN_UTC}, 2027-01-14T14:30:00.000Z"
    )
    clock.set("2027-01-13T20:00:00-05:00")
    closed = served.run(*command, "now")
    assert closed.exit_code == 1
    assert one_line(closed).endswith("it opens at 2027-01-14T14:00:00.000Z")


def test_given_a_booking_then_it_is_rescheduled_and_requeued(served: Served) -> None:
    callback_id = booked(served)
    moved = served.run("callback", "reschedule", callback_id, "--when", HALF_PAST_TEN, "--phone", OTHER_PHONE)
    assert moved.stdout == f"{callback_id}: scheduled for {moment(HALF_PAST_TEN)}\n"
    shown = served.json("callback", "reschedule", callback_id, "--when", "now")
    assert (shown["state"], shown["phone"], shown["scheduled_for"]) == ("queued", OTHER_PHONE, None)
    early = served.run("callback", "requeue", callback_id)
    assert (early.exit_code, one_line(early).partition(":")[0]) == (1, "Not possible in this state")
    served.run("callback", "cancel", callback_id)
    again = served.json("callback", "requeue", callback_id, "--when", TEN_NEXT_DAY, "--idempotency-key", "one")
    same = served.json("callback", "requeue", callback_id, "--when", TEN_NEXT_DAY, "--idempotency-key", "one")
    assert again == same
    assert served.json("callback", "show", again["id"])["parent_id"] == callback_id
    ended = served.run("callback", "reschedule", callback_id, "--when", "now")
    assert (ended.exit_code, one_line(ended).partition(":")[0]) == (1, "This request has already ended")


def test_given_nothing_to_change_then_reschedule_is_wrong_usage(served: Served) -> None:
    result = served.run("callback", "reschedule", "cb1")
    assert (result.exit_code, one_line(result).partition(";")[0]) == (2, "name --when, --phone or both")


# ---- slots -----------------------------------------------------------------------------------------------------------


def test_given_slots_then_the_list_shows_them_by_the_services_clock(served: Served) -> None:
    callback_id = booked(served)
    lines = served.run("slot", "list", "billing", "--from", "2027-01-14", "--days", "1").stdout.splitlines()
    assert lines[0].split() == ["START", "END", "CAPACITY", "OWN", "BOOKED", "FREE", "CALLBACKS"]
    assert lines[3].split() == [TEN_NEXT_DAY, HALF_PAST_TEN, "2", "no", "1", "1", callback_id]
    assert len(lines) == 17
    found = served.json("slot", "list", "billing")
    assert (found["service"], found["slot_minutes"]) == ("billing", 30)
    assert served.run("slot", "list", "hidden").stdout == "no slots in these days\n"


def test_given_a_start_as_it_is_listed_then_its_capacity_is_set_and_cleared(served: Served) -> None:
    for phone in (PHONE, OTHER_PHONE):
        booked(served, phone)
    result = served.run("slot", "set-capacity", "billing", TEN_NEXT_DAY, "1")
    assert result.stdout == f"billing {TEN_NEXT_DAY}: capacity 1, 2 booked\n"
    assert one_line(result) == f"1 too many; see: ringback slot list billing --from {TEN_NEXT_DAY}"
    listed = served.run("slot", "list", "billing", "--from", TEN_NEXT_DAY, "--days", "1")
    assert listed.stdout.splitlines()[1].split()[2:6] == ["1", "yes", "2", "0"]
    conflict = listed.stdout.splitlines()[-1]
    assert conflict.startswith("conflict: cb")
    assert conflict.endswith("and this is one of the last")
    assert "ringback callback reschedule ID --when START" in one_line(listed)
    assert served.json("slot", "set-capacity", "billing", TEN_NEXT_DAY_UTC, "5")["own_capacity"] == 5
    cleared = served.run("slot", "clear", "billing", TEN_NEXT_DAY)
    assert cleared.stdout == f"billing {TEN_NEXT_DAY}: the service's capacity again\n"
    assert served.json("slot", "clear", "billing", TEN_NEXT_DAY)["own_capacity"] is None
    assert served.json("slot", "list", "billing")["conflicts"] == []


@pytest.mark.parametrize(
    ("arguments", "exit_code", "line"),
    [
        (("list", "nope"), 1, "There is no such service: there is no service with this id"),
        (("set-capacity", "billing", "2027-01-14T10:10:00-05:00", "1"), 1, "This time cannot be booked: no slot of"),
        (("set-capacity", "billing", "tomorrow", "1"), 1, "A field cannot be used: start: must be a time with its"),
        (("set-capacity", "billing", TEN_NEXT_DAY, "many"), 2, "Invalid value for 'N': 'many' is not a valid integer"),
        (("list", "billing", "--from", "tomorrow"), 1, "A field cannot be used: from: must be a day such as"),
        (("clear", "billing", "tomorrow"), 1, "A field cannot be used: start: must be a time with its"),
    ],
)
def test_given_what_cannot_be_done_then_it_is_told_in_one_line(
    served: Served, arguments: tuple[str, ...], exit_code: int, line: str
) -> None:
    result = served.run("slot", *arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert one_line(result).startswith(line)


# ---- a document that permits less ------------------------------------------------------------------------------------


def test_given_a_document_that_permits_less_then_apply_and_diff_name_the_bookings(served: Served) -> None:
    callback_id = booked(served)
    document = slotted_document()
    document["calendars"][0]["special_days"] = {"2027-01-14": []}
    file = served.folder / "services.yaml"
    file.write_text(yaml.safe_dump(document))
    line = (
        f"conflict: {callback_id} is booked at billing for {TEN_NEXT_DAY_UTC}: "
        "no slot of the service begins then any more"
    )
    diff = served.run("config", "diff", str(file))
    assert diff.stdout.splitlines()[-1] == line
    as_json = served.json("config", "diff", str(file))
    assert [each["callback"] for each in as_json["conflicts"]] == [callback_id]
    for more in (("--dry-run",), ()):
        applied = served.run("config", "apply", str(file), *more)
        assert (applied.exit_code, applied.stdout.splitlines()[-1]) == (0, line)
        assert "nobody was moved" in one_line(applied)
    assert json.loads(served.run("config", "apply", str(file), "--json").stdout)["conflicts"] == as_json["conflicts"]


def test_given_a_document_that_would_be_refused_then_diff_still_compares_and_says_so(served: Served) -> None:
    document = slotted_document()
    document["services"][0]["queue_cap"] = 0
    file = served.folder / "services.yaml"
    file.write_text(yaml.safe_dump(document))
    result = served.run("config", "diff", str(file))
    assert result.exit_code == 0
    assert "+  queue_cap: 0" in result.stdout
    assert one_line(result).startswith("this document would be refused")
    assert served.run("config", "diff", str(file), "--json").exit_code == 0


def test_given_a_clock_of_today_then_a_slot_of_tomorrow_is_listed_as_one_can_paste_it(tmp_path: Path) -> None:
    with serving(tmp_path, document=slotted_document()) as served:
        tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        listed = served.run("slot", "list", "round_the_clock", "--from", tomorrow, "--days", "1").stdout.splitlines()
        start = listed[1].split()[0]
        made = served.json("callback", "request", "--service", "round_the_clock", "--phone", PHONE, "--when", start)
    assert datetime.fromisoformat(made["scheduled_for"]) == datetime.fromisoformat(start)
