"""Reading a services document for sending: YAML's surprises, and the line of each field."""

from pathlib import Path

import pytest

from cli.document import DocumentFile, DocumentFileError, to_yaml


def document(folder: Path, text: str) -> DocumentFile:
    file = folder / "d.yaml"
    file.write_text(text, "utf-8")
    return DocumentFile(file)


def test_dates_stay_text(tmp_path: Path) -> None:
    read = document(tmp_path, "calendars:\n- special_days: {2026-12-31: []}\n  add: [2026-12-24]\n")
    assert read.content == {"calendars": [{"special_days": {"2026-12-31": []}, "add": ["2026-12-24"]}]}


def test_anchors_may_be_used(tmp_path: Path) -> None:
    read = document(tmp_path, "x: &a {k: 1}\ny:\n  <<: *a\n  z: 2\n")
    assert read.content["y"] == {"k": 1, "z": 2}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1\nb: 2\n", r"d\.yaml:2:2: not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", r"d\.yaml:3: 'a' stands twice, first in line 1"),
        ("- a\n", "must hold a mapping"),
        ("", "must hold a mapping"),
        ("a: !!python/object/apply:os.system [true]\n", r"d\.yaml:1:4: not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("a: \x07\n", "not valid YAML"),
        ("{[a]: 1}: 2\n", "not valid YAML"),
        ("limits: {min_gap_seconds: .nan}\n", "holds what no document can"),
        ("a: !!set {x}\n", "holds what no document can"),
        ("a: !!binary aGVsbG8=\n", "holds what no document can"),
        ("a: &a [*a]\n", "holds what no document can"),
        ('a: "\\ud800"\n', "holds what no document can"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DocumentFileError, match=says):
        document(tmp_path, text)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentFileError, match="No such file"):
        DocumentFile(tmp_path / "none.yaml")
    with pytest.raises(DocumentFileError, match="1 MiB"):
        document(tmp_path, "# " + "x" * 1024 * 1024)


def test_fields_are_found(tmp_path: Path) -> None:
    read = document(tmp_path, "services:\n- id: a\n- id: b\n  attempts:\n    max: 0\n")
    places = {
        "services[1].attempts.max": 5,
        "services[1].attempts.interval_seconds": 4,
        "services[1].name": 3,
        "services": 1,
    }
    for field, line in places.items():
        assert read.locate(field) == f"{read.path}:{line}: {field}"
    assert read.locate("limits.countries") == f"{read.path}: limits.countries"
    assert read.locate("document") == str(read.path)


def test_yaml_is_written_in_order() -> None:
    assert to_yaml({"b": [{"y": "é", "x": None}], "a": {}}) == "b:\n- y: é\n  x: null\na: {}\n"
