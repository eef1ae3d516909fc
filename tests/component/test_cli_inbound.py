"""`ringback inbound` and how `ringback agent` shows a call that came in, against the real HTTP side on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core.events import LegEnded
from engine.core.terms import LegId
from engine.store.records import KeyRole
from tests.component.api_harness import OTHER_PHONE, PHONE
from tests.component.cli_harness import Served, one_line, serving
from tests.component.inbound_harness import inbound_document, rings_in
from tests.component.slot_harness import Clock

WAITING, GONE = "calltest-1", "calltest-2"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def served(tmp_path: Path, clock: Clock) -> Iterator[Served]:
    """One caller waits, another one has hung up after 65 seconds."""
    with serving(tmp_path, document=inbound_document(), clock=clock) as running:
        for call, phone in ((WAITING, PHONE), (GONE, OTHER_PHONE)):
            running.tell(rings_in(call, phone))
        clock.at += 65
        running.tell(LegEnded(LegId(f"pbx-{GONE}"), 16))
        yield running


def test_calls_are_listed_with_place_and_how_long_they_waited(served: Served) -> None:
    said = served.run("inbound", "list", role=KeyRole.SUPERVISOR).stdout.splitlines()
    columns = "ID SERVICE PHONE STATE OUTCOME PLACE WAIT WAITED AGENT TALK CALLBACK BEGAN"
    assert said[0].split() == columns.split()
    assert {line.split()[0]: line.split()[1:9] for line in said[1:]} == {
        WAITING: ["billing", PHONE, "waiting", "-", "1", "-", "65", "s"],
        GONE: ["billing", OTHER_PHONE, "ended", "abandoned", "-", "-", "65", "s"],
    }


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), {WAITING, GONE}),
        (("--outcome", "abandoned"), {GONE}),
        (("--phone", PHONE), {WAITING}),
        (("--service", "hidden"), set()),
        (("--from", "2027-01-13T10:00:01-05:00"), set()),
        (("--to", "2027-01-13T10:00:01-05:00"), {WAITING, GONE}),
    ],
)
def test_the_list_is_narrowed(served: Served, arguments: tuple[str, ...], found: set[str]) -> None:
    assert {each["id"] for each in served.json("inbound", "list", *arguments)} == found


def test_one_call_is_shown(served: Served) -> None:
    shown = served.json("inbound", "show", WAITING)
    assert (shown["state"], shown["position"], shown["wait_seconds"]) == ("waiting", 1, 65)
    facts = dict(line.split(maxsplit=1) for line in served.run("inbound", "show", GONE).stdout.splitlines())
    assert (facts["state"], facts["outcome"], facts["wait_seconds"]) == ("ended", "abandoned", "65.0")
    assert "talk_seconds" not in facts


def test_what_cannot_be_is_told_in_one_line(served: Served) -> None:
    nobody = served.run("inbound", "show", "callnobody-1")
    assert (nobody.exit_code, one_line(nobody).partition(":")[0]) == (1, "There is no such thing")
    assert served.run("inbound", "list", "--outcome", "busy").exit_code == 2
    assert served.run("inbound", "list", "--from", "yesterday").exit_code == 1
    assert served.run("inbound", "list", "--service", "hidden").stdout == "no calls that came in\n"


def test_an_agent_is_shown_with_the_call_that_came_in(served: Served) -> None:
    served.run("agent", "state", "amy", "ready")
    header, amy, _ben = (line.split() for line in served.run("agent", "list").stdout.splitlines())
    assert dict(zip(header, amy, strict=False))["CALL"] == WAITING
    works = served.run("agent", "show", "amy").stdout.partition("\n\n")[2].splitlines()
    assert [line.split() for line in works] == [
        ["ID", "KIND", "MEDIA", "SERVICE", "STAGE", "CALLBACK"],
        [WAITING, "inbound", "voice", "billing", "ringing", "-"],
    ]
