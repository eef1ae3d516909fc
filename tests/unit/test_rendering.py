"""Rendering of the shipped Asterisk configuration: right or refused, never half right."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from engine.asterisk.rendering import AsteriskSettings, RenderingError, fill, render
from engine.shipped import asterisk_config_dir

SETTINGS = AsteriskSettings(
    prompts_dir="/srv/prompts", ari_password="ari-secret", ami_password="ami-secret", application="callbacks"
)


def test_every_shipped_file_is_rendered_and_no_placeholder_is_left(tmp_path: Path) -> None:
    written = render(SETTINGS, tmp_path / "new" / "folder")
    assert [path.name for path in written] == sorted(path.name for path in asterisk_config_dir().glob("*.conf"))
    for path in written:
        assert "@@" not in path.read_text("utf-8"), path.name


def test_every_setting_is_used_by_some_file() -> None:
    templates = "".join(path.read_text("utf-8") for path in asterisk_config_dir().glob("*.conf"))
    used = set(re.findall(r"@@([a-z_]+)@@", templates))
    assert used == {field.name for field in fields(AsteriskSettings)}


def test_values_arrive_and_asterisks_own_variables_stay(tmp_path: Path) -> None:
    render(SETTINGS, tmp_path)
    dialplan = (tmp_path / "extensions.conf").read_text("utf-8")
    assert "Stasis(callbacks,customer,${AMDSTATUS})" in dialplan
    assert "Stasis(callbacks,agent)" in dialplan
    assert "Stasis(callbacks,inbound,${RB_DIALLED})" in dialplan
    assert "Stasis(callbacks,desk)" in dialplan
    assert "${STASISSTATUS}" in dialplan
    assert "password = ari-secret" in (tmp_path / "ari.user.conf").read_text("utf-8")
    assert "directory = /srv/prompts/music" in (tmp_path / "musiconhold.conf").read_text("utf-8")


def test_files_are_not_readable_by_everybody_even_when_they_were_before(tmp_path: Path) -> None:
    (tmp_path / "ari.user.conf").write_text("old", "utf-8")
    (tmp_path / "ari.user.conf").chmod(0o666)
    for path in render(SETTINGS, tmp_path):
        assert path.stat().st_mode & 0o007 == 0, path.name
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "bad", ["a\nb", "a\rb", "a;b", "a[b", "a]b", "a{b", "a}b", "a\\b", "a\0b", "", " ", "a ", "@@x@@"]
)
def test_a_value_that_could_break_out_of_its_line_is_refused_and_not_shown(tmp_path: Path, bad: str) -> None:
    secret = f"secret{bad}" if bad.strip() else bad
    with pytest.raises(RenderingError, match="ari_password") as refused:
        render(replace(SETTINGS, ari_password=secret), tmp_path)
    assert "secret" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"application": "a,b"}, "application"),
        ({"application": ""}, "application"),
        ({"ari_user": "a b"}, "ari_user"),
        ({"ami_user": "x]"}, "ami_user"),
        ({"http_address": "localhost"}, "IP address"),
        ({"media_address": ""}, "IP address"),
        ({"http_port": 0}, "not a port"),
        ({"ami_port": 65536}, "not a port"),
        ({"prompts_dir": "prompts"}, "absolute"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_named(tmp_path: Path, change: dict[str, str | int], says: str) -> None:
    with pytest.raises(RenderingError, match=says):
        render(replace(SETTINGS, **change), tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_placeholder_is_named_with_its_place() -> None:
    with pytest.raises(RenderingError, match=r"x\.conf line 2: unknown placeholder @@colour@@"):
        fill("x.conf", "a = 1\nb = @@colour@@\n", {"port": "1"})


@pytest.mark.parametrize("slip", ["@@Port@@", "@@port@", "@@ port @@"])
def test_a_malformed_placeholder_is_named_with_its_place(slip: str) -> None:
    with pytest.raises(RenderingError, match=r"x\.conf line 1: malformed"):
        fill("x.conf", f"port = {slip}", {"port": "1"})


def test_a_file_says_how_it_is_included() -> None:
    for path in asterisk_config_dir().glob("*.conf"):
        head = path.read_text("utf-8").split("\n\n")[0]
        assert head.startswith("; Ringback: "), path.name
        assert "; Use: " in head, path.name


def test_agents_phones_are_given_no_way_to_the_trunk(tmp_path: Path) -> None:
    render(SETTINGS, tmp_path)
    dialplan = (tmp_path / "extensions.conf").read_text("utf-8")
    context = dialplan.partition("[ringback-agents]\n")[2].partition("\n[")[0]
    assert re.findall(r"Dial\((.+?)\)", context) == ["PJSIP/agent-${EXTEN},30"]
    assert re.findall(r"exten => (.+?),", context) == ["*80", "_XXXX"]
    assert "include" not in context


def test_nobody_on_the_trunk_transfers_a_call(tmp_path: Path) -> None:
    """Asterisk permits it if nothing is said: a customer could send an agent back into the line."""
    render(SETTINGS, tmp_path)
    templates = (tmp_path / "pjsip.conf").read_text("utf-8")
    trunk = templates.partition("[ringback-trunk](!)\n")[2].partition("\n[")[0]
    assert re.findall(r"^allow_transfer = (.+)$", trunk, re.MULTILINE) == ["no"]
