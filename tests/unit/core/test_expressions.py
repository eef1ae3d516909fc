"""Skill expressions against a naive evaluator, and what is no expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.core.expressions import MAX_LENGTH, ExpressionError, parse

NAMES = ["billing", "english", "spanish", "x_1"]
SIGNS = [">=", ">", "<=", "<", "==", "!="]


@dataclass(frozen=True)
class Skill:
    name: str


@dataclass(frozen=True)
class Comparison:
    left: str | int
    sign: str
    right: str | int


@dataclass(frozen=True)
class Not:
    inner: Tree


@dataclass(frozen=True)
class Both:
    left: Tree
    right: Tree


@dataclass(frozen=True)
class Either:
    left: Tree
    right: Tree


Tree: TypeAlias = Skill | Comparison | Not | Both | Either

values = st.sampled_from(NAMES) | st.integers(0, 6)
leaves = st.builds(Skill, st.sampled_from(NAMES)) | st.builds(Comparison, values, st.sampled_from(SIGNS), values)
trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.builds(Not, inner) | st.builds(Both, inner, inner) | st.builds(Either, inner, inner),
    max_leaves=8,
)
skills = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 6))


def written(tree: Tree) -> str:
    match tree:
        case Skill(name=name):
            return name
        case Comparison(left=left, sign=sign, right=right):
            return f"{left} {sign} {right}"
        case Not(inner=inner):
            return f"not ({written(inner)})"
        case Both(left=first, right=second):
            return f"({written(first)}) and ({written(second)})"
        case Either(left=first, right=second):
            return f"({written(first)}) or ({written(second)})"


def true_for(tree: Tree, levels: dict[str, int]) -> bool:
    match tree:
        case Skill(name=name):
            return levels.get(name, 0) > 0
        case Comparison(left=left, sign=sign, right=right):
            a = levels.get(left, 0) if isinstance(left, str) else left
            b = levels.get(right, 0) if isinstance(right, str) else right
            return {">=": a >= b, ">": a > b, "<=": a <= b, "<": a < b, "==": a == b, "!=": a != b}[sign]
        case Not(inner=inner):
            return not true_for(inner, levels)
        case Both(left=first, right=second):
            return true_for(first, levels) and true_for(second, levels)
        case Either(left=first, right=second):
            return true_for(first, levels) or true_for(second, levels)


@given(trees, skills)
def test_given_any_expression_then_it_means_what_a_naive_reading_says(tree: Tree, levels: dict[str, int]) -> None:
    text = written(tree)
    if len(text) <= MAX_LENGTH:
        assert parse(text).met_by(levels) is true_for(tree, levels)


@pytest.mark.parametrize(
    ("text", "levels", "met"),
    [
        ("billing >= 3 and (english or spanish >= 2)", {"billing": 3, "spanish": 2}, True),
        ("billing >= 3 and (english or spanish >= 2)", {"billing": 3, "spanish": 1}, False),
        ("a or b and c", {"a": 1}, True),
        ("not a and b", {"b": 1}, True),
        ("  billing\n", {"billing": 1}, True),
        ("billing", {"billing": 0}, False),
        ("billing", {}, False),
    ],
)
def test_given_the_grammar_then_words_bind_as_in_python(text: str, levels: dict[str, int], met: bool) -> None:  # noqa: FBT001
    assert parse(text).met_by(levels) is met


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "and",
            "a b",
            "a >=",
            "a >= b >= c",
            "a >= 1.5",
            "a >= '1'",
            "a >= True",
            "True",
            "1",
            "'a'",
            "None",
        ),
        *("f(a)", "a.b", "a[0]", "[a]", "{a}", "lambda: a", "a if b else c", "(a := b)", "a in b", "a is b", "a; b"),
        *("a = 1", "import os", "__import__('os')", "a >= 1 + 1", "-a", "~a", "await a", "f'{a}'", "*a", "a, b"),
        *("a\x00", "\ud800", "(" * 300, "-" * 499 + "a", "a >= " + "-" * 490 + "1", "a " * 251),
    ],
)
def test_given_something_else_then_it_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"\w"):
        parse(text)


def test_given_a_fault_in_the_middle_then_the_message_says_where() -> None:
    with pytest.raises(ExpressionError, match="position 13: f"):
        parse("billing and f(x)")
    with pytest.raises(ExpressionError, match="position 12"):
        parse("billing >= 1.5")


@given(st.text())
@example("1or a")
@example("0x1for x")
def test_given_any_text_then_it_is_an_expression_or_refused(text: str) -> None:
    try:
        met = parse(text).met_by({})
    except ExpressionError:
        return
    assert isinstance(met, bool)


def test_given_the_same_text_then_expressions_are_equal_and_share_a_hash() -> None:
    assert parse("a and b") == parse(" a and b ")
    assert hash(parse("a and b")) == hash(parse("a and b"))
    assert parse("a and b") != parse("b and a")
