"""The doctor's judgements that need no Asterisk."""

import asyncio
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from engine.config import PromptSettings, Settings, StoreSettings
from engine.doctor import Finding, bounded, machine
from engine.doctor.asterisk import clock, version_fits
from engine.store import schema


def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.mark.parametrize(
    ("version", "ok"),
    [
        ("22.7.0", True),
        ("22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("23.0.0", True),
        ("certified-22.8-cert1", True),
        ("22.6.9", False),
        ("20.15.0", False),
        ("24.0.0", False),
        ("GIT-master-abc", False),
    ],
)
def test_asterisk_must_be_22_7_to_23(version: str, ok: bool) -> None:  # noqa: FBT001
    found = version_fits("v", version)
    assert (found.ok, bool(found.mend)) == (ok, not ok)


def test_python_must_be_new_enough() -> None:
    assert machine.python((3, 11, 0))[0].ok
    assert not machine.python((3, 10, 12))[0].ok


def test_clocks_may_differ_by_a_second_and_by_what_the_question_took() -> None:
    assert clock("pbx1", 100.0, 99.99, 100.01).detail == "agrees with ours"
    assert clock("pbx1", 100.5, 99.99, 100.01).detail == "+0.500 s against ours"
    assert clock("pbx1", 103.0, 98.0, 102.0).ok
    assert not clock("pbx1", 97.0, 99.99, 100.01).ok


def test_a_name_that_does_not_resolve_or_takes_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_name: str) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    failed = machine.own_name(lambda: "pbx", unknown)[0]
    assert (failed.ok, "/etc/hosts" in failed.mend) == (False, True)
    assert machine.own_name(lambda: "pbx", lambda _name: None)[0].ok
    ticks = iter(range(100))
    monkeypatch.setattr("engine.doctor.machine.time.perf_counter", lambda: next(ticks))
    slow = machine.own_name(lambda: "pbx", lambda _name: None)[0]
    assert (slow.ok, "1000.0 ms" in slow.detail) == (False, True)


def test_each_state_of_the_store_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"
    assert "first start makes it" in machine.store(url(path))[0].detail
    schema.upgrade(path)
    assert machine.store(url(path))[0].detail == f"{path}, schema current"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in machine.store(url(path))[0].detail
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection, connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    assert not machine.store(url(foreign))[0].ok
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"no database at all" * 100)
    assert not machine.store(url(garbage))[0].ok
    assert "mkdir" in machine.store(url(tmp_path / "none" / "ringback.db"))[0].mend
    assert not machine.store("postgresql+asyncpg://host/db")[0].ok


def test_too_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "MIN_FREE_BYTES", 2**62)
    assert "MiB free" in machine.store(url(tmp_path / "ringback.db"))[0].detail


def settings_with(folder: Path, document: str | None) -> Settings:
    path = folder / "ringback.db"
    schema.upgrade(path)
    if document is not None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("INSERT INTO configuration (version, document, at) VALUES (1, ?, 0)", [document])
    return Settings(store=StoreSettings(url=url(path)), prompts=PromptSettings(dir=folder / "prompts"))


def test_without_services_no_prompts_are_missed(tmp_path: Path) -> None:
    assert [each.ok for each in machine.prompts(settings_with(tmp_path, None))] == [True]


def test_missing_prompts_and_music_of_the_stored_services_are_told(tmp_path: Path) -> None:
    document = '{"services":[{"id":"billing","name":"Billing","company":"Ex","skill_expression":"billing"}]}'
    found = machine.prompts(settings_with(tmp_path, document))
    assert [(each.name, each.ok) for each in found] == [("prompts", False), ("hold music", False)]
    assert "ringback prompts build" in found[0].mend


async def test_a_check_that_hangs_is_told_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LIMIT_SECONDS", 0.05)
    end = threading.Event()

    def hangs() -> list[Finding]:
        end.wait()
        return []

    found = await bounded.in_thread("store", hangs)
    end.set()
    assert [(each.name, each.ok) for each in found] == [("store", False)]
    assert "no result within" in found[0].detail


async def test_a_check_that_breaks_is_a_finding() -> None:
    def breaks() -> list[Finding]:
        raise ZeroDivisionError("x")

    found = await asyncio.wait_for(bounded.in_thread("store", breaks), 5)
    assert "ZeroDivisionError" in found[0].detail


def test_settings_that_cannot_be_read_are_one_finding_and_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "ringback.toml"
    file.write_text("[htp]\nport = 1\n")
    result = CliRunner().invoke(main, ["doctor", "--config", str(file)])
    assert result.exit_code == 1
    assert "✗ settings" in result.stdout
    assert "unknown key htp" in result.stdout
    assert result.stderr == "one thing needs mending; how stands beside each\n"
