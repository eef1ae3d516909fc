"""`ringback agent set-password`, and that no password leaves by any other command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from engine.store.records import KeyRole
from tests.component.api_harness import AGENT
from tests.component.cli_harness import Served, one_line, serving
from tests.component.session_harness import PASSWORD, login_document
from tests.component.slot_harness import Clock


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, document=login_document(), clock=Clock()) as running:
        yield running


def typed(served: Served, *arguments: str, text: str, role: KeyRole = KeyRole.ADMIN) -> Result:
    """A command that is typed at, or gets `text` on its standard input."""
    env = {"RINGBACK_URL": served.url, "RINGBACK_KEY": served.keys[role], "RINGBACK_KEY_FILE": None}
    return CliRunner().invoke(main, ["agent", "set-password", *arguments], env=env, input=text, catch_exceptions=False)


def logs_in(served: Served, password: str) -> bool:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    body = json.dumps({"username": "amy-desk", "password": password}).encode()
    request = Request(f"{served.url}/api/v1/sessions", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return bool(json.load(answer)["agent"] == AGENT)
    except HTTPError as error:
        with error:
            assert error.code == 401
        return False


def test_a_password_is_asked_for_twice_and_never_shown(served: Served) -> None:
    result = typed(served, "amy", text=f"{PASSWORD}\n{PASSWORD}\n")
    assert (result.exit_code, result.stdout) == (0, "amy: password set; sessions begun before have ended\n")
    assert PASSWORD not in result.output + result.stderr
    assert logs_in(served, PASSWORD)


def test_two_that_differ_are_asked_for_again_and_nothing_is_set_before(served: Served) -> None:
    result = typed(served, "amy", text=f"{PASSWORD}\nanother one\n{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert logs_in(served, PASSWORD)
    assert typed(served, "amy", text="the second one\nthe third one\n").exit_code == 130
    assert logs_in(served, PASSWORD)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_is_read_from_a_file_or_from_standard_input(served: Served, tmp_path: Path, end: str) -> None:
    file = tmp_path / "amy.password"
    file.write_bytes(f"{PASSWORD}{end}".encode())
    assert typed(served, "amy", "--password-file", str(file), text="").exit_code == 0
    assert logs_in(served, PASSWORD)
    result = typed(served, "amy", "--password-file", "-", "--json", text=f"geheimes Wört{end}")
    assert json.loads(result.stdout) == {"id": "amy", "password": "set"}
    assert (logs_in(served, "geheimes Wört"), logs_in(served, PASSWORD)) == (True, False)


@pytest.mark.parametrize(
    ("arguments", "text", "exit_code"),
    [
        (("amy", PASSWORD), "", 2),
        (("amy", "--password", PASSWORD), "", 2),
        (("amy", "--password-file", "-"), "", 2),
        (("amy", "--password-file", "-"), "two\nlines of it\n", 2),
        (("amy", "--password-file", "no-such-file"), "", 2),
        (("amy", "--password-file", "-"), "short\n", 1),
        (("nobody", "--password-file", "-"), PASSWORD, 1),
        (("..", "--password-file", "-"), PASSWORD, 2),
    ],
)
def test_what_cannot_be_is_told_in_one_line_without_the_password(
    served: Served, arguments: tuple[str, ...], text: str, exit_code: int
) -> None:
    result = typed(served, *arguments, text=text)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert one_line(result)
    assert "lines of it" not in result.stderr
    assert text.strip() == "" or text.strip() not in result.stderr
    assert not logs_in(served, PASSWORD)


def test_a_supervisor_sets_no_password(served: Served) -> None:
    result = typed(served, "amy", "--password-file", "-", text=PASSWORD, role=KeyRole.SUPERVISOR)
    assert (result.exit_code, PASSWORD in result.stderr) == (1, False)
    assert not logs_in(served, PASSWORD)


def test_no_command_gives_a_password_away(served: Served) -> None:
    assert typed(served, "amy", "--password-file", "-", text=PASSWORD).exit_code == 0
    for command in (("config", "export"), ("agent", "list", "--json"), ("agent", "show", "amy"), ("key", "list")):
        result = served.run(*command)
        assert result.exit_code == 0
        assert PASSWORD not in result.stdout
        assert "argon2" not in result.stdout
    assert "username: amy-desk" in served.run("config", "export").stdout


def test_an_unknown_reason_is_told_with_the_known_ones(served: Served) -> None:
    result = served.run("agent", "state", "amy", "not_ready", "--reason", "surfing")
    assert result.exit_code == 1
    assert one_line(result).endswith("the reasons are admin_work, lunch, meeting, pause, rona, training, system")
