"""The page of the lifecycle is drawn from the table, completely, and its committed text is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import generate, lifecycle_page
from engine.core.lifecycle import TABLE, Because
from engine.core.terms import CallbackState


def test_given_the_committed_page_then_it_is_what_the_table_says() -> None:
    assert lifecycle_page.PAGE.read_text("utf-8") == lifecycle_page.lifecycle_page()


def test_given_every_move_then_it_is_an_arrow_of_the_diagram() -> None:
    page = lifecycle_page.lifecycle_page()
    for (before, because), after in TABLE.items():
        arrows = [line for line in page.splitlines() if line.strip().startswith(f"{before or '[*]'} --> {after}: ")]
        assert len(arrows) == 1
        assert because in arrows[0].partition(": ")[2].split(", ")


def test_given_every_cause_then_it_has_a_row_with_its_meaning() -> None:
    rows = [line for line in lifecycle_page.lifecycle_page().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(Because)
    assert set(lifecycle_page.MEANINGS) == set(Because)


def test_given_a_changed_table_then_the_page_is_named_as_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"lifecycle.md": lifecycle_page.lifecycle_page}
    monkeypatch.setattr(generate, "PAGES", pages)
    assert generate.main(["--check"]) is None

    changed = {pair: after for pair, after in TABLE.items() if pair != (CallbackState.QUEUED, Because.CANCELLED)}
    monkeypatch.setattr(lifecycle_page, "TABLE", changed)

    assert generate.out_of_date() == ["lifecycle.md"]
    assert "lifecycle.md" in (generate.main(["--check"]) or "")


def test_given_an_unknown_argument_then_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generate, "DOCS", tmp_path)

    assert "--chekc" in (generate.main(["--chekc"]) or "")

    assert list(tmp_path.iterdir()) == []


def test_given_a_page_without_markers_then_it_is_not_overwritten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "lifecycle.md"
    page.write_text("# Written by hand\n", "utf-8")
    monkeypatch.setattr(lifecycle_page, "PAGE", page)

    with pytest.raises(ValueError, match="needs the two lines"):
        lifecycle_page.lifecycle_page()
