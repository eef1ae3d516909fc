"""The command line against the real HTTP side on loopback: what it prints, and its exit codes."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

import cli.watch
from cli.main import main
from engine.store.records import KeyRole
from tests.component.api_harness import ADMIN_KEY, DOCUMENT, OTHER_PHONE, PHONE, running_api
from tests.component.cli_harness import Served, one_line, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


# ---- callbacks -------------------------------------------------------------------------------------------------------


def test_a_request_prints_the_id_and_no_token(served: Served) -> None:
    result = served.run("callback", "request", "--service", "billing", "--phone", PHONE, "-c", "invoice=4711")
    assert result.exit_code == 0
    callback_id, _, said = result.stdout.strip().partition(": ")
    assert said == "queued, place 1 in the line"
    shown = served.json("callback", "show", callback_id)
    assert (shown["phone"], shown["channel"], shown["context"]) == (PHONE, "api", {"invoice": "4711"})


def test_a_request_repeated_with_its_idempotency_key_is_one_callback(served: Served) -> None:
    command = ("callback", "request", "--service", "billing", "--phone", PHONE, "--idempotency-key", "order-1")
    assert served.json(*command)["id"] == served.json(*command)["id"]
    assert len(served.json("callback", "list")) == 1


def test_an_unknown_service_is_refused_in_one_line(served: Served) -> None:
    result = served.run("callback", "request", "--service", "biling", "--phone", PHONE)
    assert result.exit_code == 1
    assert one_line(result).startswith("There is no such service: ")
    assert result.stdout == ""


def test_a_bad_number_is_refused(served: Served) -> None:
    result = served.run("callback", "request", "--service", "billing", "--phone", "12")
    assert (result.exit_code, one_line(result).partition(":")[0]) == (1, "This is no valid phone number")


def test_the_list_is_filtered_and_shown_in_columns(served: Served) -> None:
    first, second = served.requested(), served.requested(OTHER_PHONE)
    served.run("callback", "cancel", first)
    table = served.run("callback", "list", "--state", "open").stdout.splitlines()
    columns = ["ID", "SERVICE", "PHONE", "STATE", "REASON", "PLACE", "WAIT", "SCHEDULED", "ATTEMPTS", "NEXT", "CREATED"]
    assert table[0].split() == columns
    assert [line.split()[:4] for line in table[1:]] == [[second, "billing", OTHER_PHONE, "queued"]]
    assert [each["id"] for each in served.json("callback", "list", "--phone", PHONE)] == [first]
    assert len(served.json("callback", "list", "--limit", "1")) == 1
    assert served.run("callback", "list", "--service", "hidden").stdout == "no callbacks\n"


def test_an_unknown_state_is_wrong_usage(served: Served) -> None:
    assert served.run("callback", "list", "--state", "waiting").exit_code == 2


def test_the_list_goes_on_over_pages(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.client.PAGE", 1)
    ids = {served.requested(), served.requested(OTHER_PHONE)}
    assert {each["id"] for each in served.json("callback", "list")} == ids


def test_a_cancelled_callback_cannot_be_cancelled_again(served: Served) -> None:
    callback_id = served.requested()
    assert served.run("callback", "cancel", callback_id).stdout == f"{callback_id}: cancelled\n"
    again = served.run("callback", "cancel", callback_id)
    assert (again.exit_code, one_line(again).partition(":")[0]) == (1, "This request has already ended")


def test_an_unknown_id_is_refused(served: Served) -> None:
    assert served.run("callback", "show", "../services").exit_code == 1
    assert served.run("callback", "show", "..").exit_code == 2


def test_a_watch_tells_each_change_and_ends_with_the_callback(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    callback_id = served.requested()
    between: list[Callable[[], object]] = [lambda: None, lambda: served.run("callback", "cancel", callback_id)]
    monkeypatch.setattr(
        cli.watch, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: between.pop(0)())
    )
    result = served.run("callback", "watch", callback_id, "--json")
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["state"] for each in told] == ["queued", "cancelled"]


def test_a_watch_of_all_shows_new_and_ended_ones_until_ctrl_c(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    first = served.requested()

    def interrupted() -> None:
        raise KeyboardInterrupt

    between: list[Callable[[], object]] = [
        lambda: served.requested(OTHER_PHONE),
        lambda: served.run("callback", "cancel", first),
        interrupted,
    ]
    monkeypatch.setattr(
        cli.watch, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: between.pop(0)())
    )
    result = served.run("callback", "watch")
    assert (result.exit_code, result.stderr) == (0, "")
    # Who moves up in the line is told as well.
    assert [line.split()[1:5] for line in result.stdout.splitlines()] == [
        [first, "billing", PHONE, "queued"],
        [result.stdout.splitlines()[1].split()[1], "billing", OTHER_PHONE, "queued"],
        [result.stdout.splitlines()[1].split()[1], "billing", OTHER_PHONE, "queued"],
        [first, "billing", PHONE, "cancelled"],
    ]


# ---- who asks, and of whom -------------------------------------------------------------------------------------------


def test_a_wrong_key_is_refused_and_not_repeated(served: Served) -> None:
    served.keys[KeyRole.ADMIN] = "rbk_admin_wrong"
    result = served.run("callback", "list")
    assert result.exit_code == 1
    assert "RINGBACK_KEY_FILE" in one_line(result)
    assert "rbk_admin_wrong" not in result.output


def test_without_a_key_the_line_says_how_to_get_one(served: Served) -> None:
    result = served.run("callback", "list", role=None)
    assert (result.exit_code, "ringback key create --local" in one_line(result)) == (1, True)


def test_a_key_of_too_small_a_role_is_refused(served: Served) -> None:
    result = served.run("key", "list", role=KeyRole.SUPERVISOR)
    assert (result.exit_code, one_line(result).partition(":")[0]) == (1, "This key may not do that")


def test_the_key_file_wins_over_the_environment(served: Served) -> None:
    file = served.folder / "key"
    file.write_text(ADMIN_KEY + "\n")
    served.keys[KeyRole.ADMIN] = "rbk_admin_wrong"
    assert served.run("callback", "list", "--key-file", str(file)).exit_code == 0
    missing = served.run("callback", "list", "--key-file", str(served.folder / "none"))
    assert (missing.exit_code, "cannot read the key file" in one_line(missing)) == (2, True)


# ---- agents and services ---------------------------------------------------------------------------------------------


def test_an_agents_state_is_set_and_shown(served: Served) -> None:
    assert served.run("agent", "state", "amy", "not_ready", "--reason", "lunch").stdout == "amy: not_ready (lunch)\n"
    assert served.json("agent", "show", "amy")["reason"] == "lunch"
    assert served.run("agent", "state", "amy", "ready").stdout == "amy: ready\n"
    assert served.run("agent", "list").stdout.splitlines()[1].split()[:3] == ["amy", "Amy", "ready"]


def test_a_reason_without_not_ready_is_wrong_usage(served: Served) -> None:
    assert served.run("agent", "state", "amy", "ready", "--reason", "lunch").exit_code == 2


def test_an_unknown_agent_is_refused(served: Served) -> None:
    for command in (("show", "bob"), ("state", "bob", "ready")):
        result = served.run("agent", *command)
        assert (result.exit_code, one_line(result) != "") == (1, True)


def test_services_are_listed_and_shown(served: Served) -> None:
    assert [each["id"] for each in served.json("service", "list")] == ["billing", "hidden"]
    assert "invoice" in served.run("service", "list").stdout
    assert served.json("service", "show", "billing") == DOCUMENT["services"][0]
    assert "queue_cap" not in served.run("service", "show", "billing", role=KeyRole.SUPERVISOR).stdout
    assert served.run("service", "show", "sales").exit_code == 1


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_shown_once_used_and_revoked(served: Served) -> None:
    result = served.run("key", "create", "--role", "supervisor", "--name", "Ann")
    secret = result.stdout.strip()
    assert secret.startswith("rbk_supervisor_")
    key_id = result.stderr.partition(",")[0]
    served.keys[KeyRole.SUPERVISOR] = secret
    assert served.run("callback", "list", role=KeyRole.SUPERVISOR).exit_code == 0
    listed = served.run("key", "list")
    assert key_id in listed.stdout
    assert secret not in listed.output
    assert served.run("key", "revoke", key_id).stdout == f"{key_id}: revoked\n"
    assert served.run("callback", "list", role=KeyRole.SUPERVISOR).exit_code == 1


def test_a_key_is_written_into_a_private_file(served: Served) -> None:
    file = served.folder / "new.key"
    result = served.run("key", "create", "--role", "metrics", "--to", str(file), "--json")
    assert result.exit_code == 0
    assert file.read_text().startswith("rbk_metrics_")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() not in result.output
    assert served.run("key", "create", "--role", "metrics", "--to", str(file)).exit_code == 2


def test_revoking_by_secret_is_wrong_usage_and_does_not_repeat_it(served: Served) -> None:
    result = served.run("key", "revoke", "rbk_admin_abc")
    assert (result.exit_code, "rbk_admin_abc" in result.output) == (2, False)


def test_a_local_key_is_refused_while_the_engine_runs(served: Served) -> None:
    result = run_local(served.folder, "--role", "admin")
    assert (result.exit_code, "is in use by the process" in one_line(result)) == (1, True)


def run_local(folder: Path, *arguments: str) -> Result:
    env = {"RINGBACK_STORE__URL": f"sqlite+aiosqlite:///{folder / 'ringback.db'}", "RINGBACK_KEY_FILE": None}
    return CliRunner().invoke(main, ["key", "create", "--local", *arguments], env=env, catch_exceptions=False)


def test_a_key_made_without_an_engine_opens_the_engine_started_later(tmp_path: Path) -> None:
    made = run_local(tmp_path, "--role", "admin")
    assert made.exit_code == 0, made.stderr

    async def started_later() -> int:
        async with running_api(tmp_path) as api:
            headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
            return (await api.ask("GET", "/api/v1/keys", role=None, headers=headers)).status

    assert asyncio.run(started_later()) == 200


def test_a_local_key_obeys_the_rules_of_keys(tmp_path: Path) -> None:
    result = run_local(tmp_path, "--role", "admin", "--kind", "web")
    assert (result.exit_code, "belong to role public" in one_line(result)) == (1, True)
    assert not (tmp_path / "ringback.db").exists()


# ---- as a program ----------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_leaves_no_traceback(served: Served) -> None:
    served.requested()
    env = {**os.environ, "RINGBACK_URL": served.url, "RINGBACK_KEY": served.keys[KeyRole.ADMIN]}
    program = [sys.executable, "-c", "from cli.main import main; main()", "callback", "list", "--json"]
    with subprocess.Popen(program, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        said = running.stderr.read()
    assert said == ""
