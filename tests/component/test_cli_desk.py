"""`ringback suppression`, `interaction`, `service pause` and `agent show` against the real HTTP side on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.records import KeyRole
from tests.component.api_harness import OTHER_PHONE, PHONE
from tests.component.cli_harness import Served, one_line, serving
from tests.component.desk_harness import desk_document
from tests.component.slot_harness import Clock


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, document=desk_document(), clock=Clock()) as running:
        yield running


# ---- numbers that are never called -------------------------------------------------------------------------------


def test_a_number_is_suppressed_listed_and_allowed_again(served: Served) -> None:
    added = served.run("suppression", "add", PHONE, "--note", "asked by letter", role=KeyRole.SUPERVISOR)
    assert (added.exit_code, added.stdout) == (0, f"{PHONE}: never called\n")
    refused = served.run("callback", "request", "--service", "billing", "--phone", PHONE)
    assert (refused.exit_code, one_line(refused).partition(":")[0]) == (1, "This number is not called back")
    table = served.run("suppression", "list").stdout.splitlines()
    assert table[0].split() == ["PHONE", "BECAUSE", "SINCE", "NOTE"]
    assert table[1].split()[:2] == [PHONE, "by_admin"]
    assert table[1].endswith("asked by letter")
    assert served.run("suppression", "remove", PHONE).stdout == f"{PHONE}: may be called\n"
    assert served.run("suppression", "list").stdout == "no number is suppressed\n"
    again = served.run("suppression", "remove", PHONE)
    assert (again.exit_code, one_line(again).partition(":")[0]) == (1, "There is no such thing")


def test_suppressions_as_json(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made = served.json("suppression", "add", PHONE)
    assert (made["phone"], made["because"], made["note"]) == (PHONE, "by_admin", None)
    other = served.json("suppression", "add", OTHER_PHONE)
    monkeypatch.setattr("cli.client.PAGE", 1)
    assert served.json("suppression", "list") == [made, other]
    assert served.json("suppression", "list", "--limit", "1") == [made]
    assert served.json("suppression", "remove", PHONE) == {"phone": PHONE, "suppressed": False}


def test_what_is_no_number_is_refused_in_one_line(served: Served) -> None:
    result = served.run("suppression", "add", "202-555-0113")
    assert (result.exit_code, one_line(result).partition(":")[0]) == (1, "This is no valid phone number")
    assert served.run("suppression", "add").exit_code == 2


# ---- other work --------------------------------------------------------------------------------------------------


def test_work_is_announced_listed_completed_and_cancelled(served: Served) -> None:
    command = ("interaction", "add", "--media", "chat", "--service", "billing", "-c", "chat=4711")
    made = served.run(*command)
    interaction, _, said = made.stdout.strip().partition(": ")
    assert (made.exit_code, said) == (0, "queued, place 1 in the line")
    other = served.json(*command, "--priority", "5", "--idempotency-key", "chat-2")
    assert other == served.json(*command, "--priority", "5", "--idempotency-key", "chat-2")
    assert (other["position"], other["priority"], other["context"]) == (1, 5, {"chat": "4711"})
    table = served.run("interaction", "list", "--service", "billing").stdout.splitlines()
    assert table[0].split() == [
        "ID",
        "MEDIA",
        "SERVICE",
        "STATE",
        "PLACE",
        "AGENT",
        "CREATED",
        "ACCEPTED",
        "ENDED",
        "CONTEXT",
    ]
    assert {line.split()[0] for line in table[1:]} == {interaction, other["id"]}
    assert served.run("interaction", "complete", interaction).stdout == f"{interaction}: completed\n"
    assert served.json("interaction", "cancel", other["id"])["state"] == "cancelled"
    assert served.run("interaction", "list", "--state", "queued").stdout == "no work from outside\n"
    ended = served.json("interaction", "list", "--state", "completed", "--state", "cancelled")
    assert {each["id"] for each in ended} == {interaction, other["id"]}
    assert len(served.json("interaction", "list", "--limit", "1")) == 1
    again = served.run("interaction", "complete", interaction)
    assert (again.exit_code, one_line(again).partition(":")[0]) == (1, "This request has already ended")


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("add", "--media", "voice", "--service", "billing"), 1),
        (("add", "--media", "chat", "--service", "nope"), 1),
        (("add", "--media", "chat"), 2),
        (("add", "--media", "chat", "--service", "billing", "--priority", "1001"), 2),
        (("add", "--media", "chat", "--service", "billing", "-c", "chat"), 2),
        (("list", "--state", "waiting"), 2),
        (("complete", "innothing"), 1),
        (("cancel", ".."), 2),
    ],
)
def test_what_cannot_be_is_told_in_one_line(served: Served, arguments: tuple[str, ...], exit_code: int) -> None:
    result = served.run("interaction", *arguments)
    assert (result.exit_code, result.stdout, one_line(result) != "") == (exit_code, "", True)
    assert served.json("interaction", "list") == []


# ---- services and agents -----------------------------------------------------------------------------------------


def test_a_service_is_paused_and_resumed(served: Served) -> None:
    assert served.run("service", "pause", "billing", role=KeyRole.SUPERVISOR).stdout == "billing: paused\n"
    rows = [line.split()[:3] for line in served.run("service", "list").stdout.splitlines()]
    assert rows == [["ID", "NAME", "PAUSED"], ["billing", "Billing", "yes"], ["hidden", "Hidden", "no"]]
    assert served.json("service", "resume", "billing") == {"id": "billing", "paused": False}
    assert [each["paused"] for each in served.json("service", "list")] == [False, False]
    unknown = served.run("service", "pause", "nope")
    assert (unknown.exit_code, one_line(unknown).partition(":")[0]) == (1, "There is no such service")


def test_all_that_an_agent_holds_is_shown(served: Served) -> None:
    interaction = served.json("interaction", "add", "--media", "chat", "--service", "billing")["id"]
    callback = served.requested()
    assert "STAGE" not in served.run("agent", "show", "amy").stdout
    served.run("agent", "state", "amy", "ready")
    said = served.run("agent", "show", "amy").stdout
    facts, _, works = said.partition("\n\n")
    load = dict(line.split(maxsplit=1) for line in facts.splitlines())["load"]
    assert set(load.split(", ")) == {"chat=1", "voice=1"}
    rows = [line.split() for line in works.splitlines()]
    assert rows[0] == ["ID", "KIND", "MEDIA", "SERVICE", "STAGE", "CALLBACK"]
    assert sorted(rows[1:]) == sorted(
        [
            [interaction, "interaction", "chat", "billing", "offered", "-"],
            [f"{callback}-1", "callback", "voice", "billing", "offered", callback],
        ]
    )


def test_an_agents_key_is_made_for_an_agent_only(served: Served) -> None:
    made = served.json("key", "create", "--role", "agent", "--subject", "amy", "--name", "Amy")
    assert (made["role"], made["kind"], made["subject"]) == ("agent", "secret", "amy")
    for arguments in (("--role", "agent"), ("--role", "supervisor", "--subject", "amy")):
        result = served.run("key", "create", *arguments)
        assert (result.exit_code, "subject names the agent" in one_line(result)) == (1, True)
