"""What the page about faults tells operators to look for is what the engine says."""

from __future__ import annotations

import re
from pathlib import Path

from engine.core.callphase import Recovery

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/what-happens.md").read_text("utf-8")
_EVENT = re.compile(r"`((?:ari|asterisk|attempt|effect|engine|leg|store)\.[a-z_.]+)`")


def test_every_log_line_that_the_page_names_is_written_somewhere() -> None:
    named = set(_EVENT.findall(PAGE))
    files = [path for folder in ("engine", "cli") for path in (ROOT / folder).rglob("*.py")]
    source = "\n".join(path.read_text("utf-8") for path in files)
    assert len(named) > 15
    assert [event for event in sorted(named) if f'"{event}"' not in source] == []


def test_the_page_names_all_that_a_recovery_may_do() -> None:
    assert [did.value for did in Recovery if f"`{did}`" not in PAGE] == []


def test_every_fault_of_the_table_has_its_section() -> None:
    table = PAGE.split("## ")[0]
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    linked = re.findall(r"^\| \[[^\]]+\]\(#([^)]+)\)", table, re.MULTILINE)
    anchors = [re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert linked == anchors
