"""The root of the command line: what it finds, what it says of errors, and how fast it answers."""

import gc
import importlib.util
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cli.main import SUBCOMMANDS, main

GROUPS = (
    *("config", "callback", "service", "slot", "interaction", "suppression", "agent", "key", "prompts", "asterisk"),
    *("db", "lab"),
)


@pytest.mark.parametrize("name", [n for n, each in SUBCOMMANDS.items() if importlib.util.find_spec(each.module)])
def test_every_subcommand_can_be_loaded(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_garbage_collector_looks_again_once_a_subcommand_is_loaded() -> None:
    with click.Context(main) as context:
        assert main.get_command(context, "serve") is not None
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000, "what was imported is still looked at"


@pytest.mark.parametrize(
    "name", ["doctor", "config", "callback", "service", "slot", "interaction", "suppression", "agent", "key"]
)
def test_every_command_has_an_example(name: str) -> None:
    with click.Context(main) as context:
        command = main.get_command(context, name)
    leaves = [command] if not isinstance(command, click.Group) else list(command.commands.values())
    for leaf in leaves:
        assert leaf is not None
        assert leaf.help
        assert "ringback " in leaf.help + (leaf.epilog or ""), f"{name} {leaf.name} has no example"


def test_help_names_every_group_without_loading_any() -> None:
    program = "import sys; from cli.main import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    for name in GROUPS:
        assert f"\n  {name} " in said
    loaded = said.rsplit("\n", 2)[1].split()
    assert not {"aiohttp", "sqlalchemy", "pydantic", "rich", "cli.callback", "cli.db"} & set(loaded)


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("ringback ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["colback"], "There is no command 'colback'; see: ringback --help"),
        (["callback", "lits"], "No such command 'lits'"),
        (["callback", "show"], "Missing argument 'ID'; see: ringback callback show --help"),
        (["callback", "list", "--url", "ftp://engine"], "--url must look like http://127.0.0.1:8080"),
        (["callback", "list", "--url", "http://me:secret@engine"], "--url must look like http://127.0.0.1:8080"),
        (["callback", "request", "--phone", "+1", "-c", "x"], "Invalid value for '--context'"),
        (["callback", "request", "--phone", "+1", "--idempotency-key", "a\nb"], "--idempotency-key takes"),
        (["key", "create", "--role", "root"], "Invalid value for '--role'"),
        (["key", "create", "--role", "admin", "--config", "x"], "--config goes with --local"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], line: str) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="ringback")
    assert result.exit_code == 2
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.output


def test_a_command_that_is_not_installed_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUBCOMMANDS, "teleport", SUBCOMMANDS["demo"]._replace(module="cli.teleport"))
    runner = CliRunner()
    assert "teleport" not in runner.invoke(main, ["--help"]).stdout
    assert runner.invoke(main, ["teleport"]).exit_code == 2


def test_ctrl_c_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.client.EngineClient.get", interrupted)
    result = CliRunner().invoke(main, ["service", "list"])
    assert (result.exit_code, result.output.strip()) == (130, "")
