"""Which Asterisk a lab takes: a version that Ringback is known to work with, else one line that says what to do."""

from pathlib import Path

import pytest

from engine.lab import Lab, NoAsteriskError
from engine.lab.installation import Installation, find


def _asterisk_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    script = folder / "asterisk"
    script.write_text(f"#!/bin/sh\necho '{says}'\n", "utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize("says", ["Asterisk 20.18.2", "Asterisk 22.6.0", "Asterisk 24.0.0-rc1", "Asterisk 1.8"])
def test_an_asterisk_of_another_version_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    _asterisk_on_path(tmp_path, monkeypatch, says)
    with pytest.raises(NoAsteriskError, match=r"install 22\.7 or newer of 22 or 23, or take it off the PATH"):
        Lab.up()


@pytest.mark.parametrize("says", ["Asterisk GIT-master-1a2b3c", ""])
def test_an_asterisk_without_a_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    _asterisk_on_path(tmp_path, monkeypatch, says)
    with pytest.raises(NoAsteriskError, match="does not say its version"):
        Lab.up()


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("Asterisk 22.7.0", "22.7.0"),
        ("Asterisk 23.1.0~dfsg+~cs6", "23.1.0"),
        ("Asterisk certified/22.8-cert1", "22.8-cert1"),
    ],
)
def test_a_known_version_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, version: str
) -> None:
    _asterisk_on_path(tmp_path, monkeypatch, says)
    assert find(lambda _line: None) == Installation(version=version, root=None)
