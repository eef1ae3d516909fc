"""A page that says which test notices a fault names one that exists."""

from __future__ import annotations

import ast
import re

from tests.component.test_docs import ROOT

_TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_test_that_a_page_names_exists() -> None:
    named = [
        (page.name, *found)
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for found in _TEST.findall(page.read_text())
    ]
    assert named
    for page, file, name in named:
        tree = ast.parse((ROOT / file).read_text())
        functions = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, f"{page} names {file}::{name}"
