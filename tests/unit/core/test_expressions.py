"""Expressions against a naive evaluator, their one normal spelling, and what is no expression and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine.core.expressions import (
    MAX_LENGTH,
    MAX_LEVEL,
    MAX_NESTING,
    MAX_OPERANDS,
    MAX_RESULT,
    ExpressionError,
    parse,
)

NAMES = ["billing", "english", "x_1", "AND", "_"]
SIGNS = [">=", ">", "<=", "<", "==", "!="]


@dataclass(frozen=True)
class Minus:
    inner: Number


@dataclass(frozen=True)
class Calculation:
    left: Number
    sign: Literal["+", "-", "*"]
    right: Number


@dataclass(frozen=True)
class Comparison:
    first: Number
    others: tuple[tuple[str, Number], ...]


@dataclass(frozen=True)
class Not:
    inner: Test


@dataclass(frozen=True)
class Joined:
    left: Test
    word: Literal["and", "or"]
    right: Test


Number: TypeAlias = str | int | Minus | Calculation
Test: TypeAlias = str | Comparison | Not | Joined

calculating: st.SearchStrategy[Literal["+", "-", "*"]] = st.sampled_from(["+", "-", "*"])
joining: st.SearchStrategy[Literal["and", "or"]] = st.sampled_from(["and", "or"])
numbers: st.SearchStrategy[Number] = st.recursive(
    st.sampled_from(NAMES) | st.integers(0, 6),
    lambda inner: st.builds(Minus, inner) | st.builds(Calculation, inner, calculating, inner),
    max_leaves=3,
)
others = st.lists(st.tuples(st.sampled_from(SIGNS), numbers), min_size=1, max_size=2).map(tuple)
tests: st.SearchStrategy[Test] = st.recursive(
    st.sampled_from(NAMES) | st.builds(Comparison, numbers, others),
    lambda inner: st.builds(Not, inner) | st.builds(Joined, inner, joining, inner),
    max_leaves=6,
)
held = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 6))
spelling = st.randoms(use_true_random=False)


# ---- the naive reading -------------------------------------------------------------------------------


def value_of(number: Number, values: dict[str, int]) -> int:
    match number:
        case str():
            return values.get(number, 0)
        case int():
            return number
        case Minus(inner=inner):
            return -value_of(inner, values)
        case Calculation(left=left, sign=sign, right=right):
            a, b = value_of(left, values), value_of(right, values)
            return {"+": a + b, "-": a - b, "*": a * b}[sign]


def true_for(test: Test, values: dict[str, int]) -> bool:
    match test:
        case str():
            return values.get(test, 0) > 0
        case Comparison(first=first, others=others):
            links = []
            for sign, other in others:
                a, b = value_of(first, values), value_of(other, values)
                links.append({">=": a >= b, ">": a > b, "<=": a <= b, "<": a < b, "==": a == b, "!=": a != b}[sign])
                first = other
            return all(links)
        case Not(inner=inner):
            return not true_for(inner, values)
        case Joined(left=left, word=word, right=right):
            sides = [true_for(left, values), true_for(right, values)]
            return all(sides) if word == "and" else any(sides)


def names_of(tree: Test | Number) -> Iterator[tuple[str, bool]]:
    """Each name in order, and whether it stands under a `not`."""
    match tree:
        case str():
            yield tree, False
        case Minus(inner=inner):
            yield from names_of(inner)
        case Calculation(left=left, right=right) | Joined(left=left, right=right):
            yield from names_of(left)
            yield from names_of(right)
        case Comparison(first=first, others=others):
            for each in (first, *(other for _, other in others)):
                yield from names_of(each)
        case Not(inner=denied):
            yield from ((name, True) for name, _ in names_of(denied))


# ---- texts -------------------------------------------------------------------------------------------

BINDING = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6}


def tokens_of(tree: Test | Number, least: int, chance: Random) -> list[str]:
    """The tree as words and signs; in parentheses if it binds less than `least`, and sometimes without a reason."""
    binding, written = _plain(tree, chance)
    return ["(", *written, ")"] if binding < least or chance.random() < 0.2 else written


def _plain(tree: Test | Number, chance: Random) -> tuple[int, list[str]]:
    match tree:
        case str() | int():
            return 8, [str(tree)]
        case Minus(inner=inner):
            return 7, ["-", *tokens_of(inner, 7, chance)]
        case Calculation(left=left, sign=word, right=right) | Joined(left=left, word=word, right=right):
            binding = BINDING[word]
            return binding, [*tokens_of(left, binding, chance), word, *tokens_of(right, binding + 1, chance)]
        case Comparison(first=first, others=others):
            written = tokens_of(first, 5, chance)
            for sign, other in others:
                written += [sign, *tokens_of(other, 5, chance)]
            return 4, written
        case Not(inner=denied):
            return 3, ["not", *tokens_of(denied, 3, chance)]


def written(tree: Test, chance: Random) -> str:
    """The tree as a text with spaces here and there, and where two words would run together."""
    text = ""
    for token in tokens_of(tree, 0, chance):
        space = chance.choice(["", "", " ", " ", "  ", "\n", "\t"])
        run_together = re.search(r"\w$", text) and re.match(r"\w", token)
        text += (space or " " if run_together else space) + token
    assume(len(text) <= MAX_LENGTH)
    return text


@given(tests, spelling, held)
def test_given_any_expression_then_it_means_what_a_naive_reading_says(
    tree: Test, chance: Random, values: dict[str, int]
) -> None:
    assert parse(written(tree, chance)).met_by(values) is true_for(tree, values)


@given(tests, spelling, held)
def test_given_any_expression_then_its_names_are_in_order_and_give_its_level(
    tree: Test, chance: Random, values: dict[str, int]
) -> None:
    expression = parse(written(tree, chance))
    found = list(names_of(tree))
    assert list(expression.names) == list(dict.fromkeys(name for name, denied in found if not denied))
    assert list(expression.mentioned) == list(dict.fromkeys(name for name, _ in found))
    assert expression.level(values) == sum(values.get(name, 0) for name in expression.names)


@given(tests, spelling, spelling)
def test_given_other_spaces_and_needless_parentheses_then_it_is_the_same_expression(
    tree: Test, chance: Random, other_chance: Random
) -> None:
    one, other = parse(written(tree, chance)), parse(written(tree, other_chance))
    assert one == other
    assert {one: "first"}[other] == "first"
    assert (one.text, one.names) == (other.text, other.names)


@given(tests, spelling, held)
def test_given_the_normal_spelling_then_it_parses_to_the_same_expression(
    tree: Test, chance: Random, values: dict[str, int]
) -> None:
    expression = parse(written(tree, chance))
    again = parse(expression.text)
    assert again == expression
    assert again.text == expression.text
    assert again.met_by(values) is expression.met_by(values)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("billing>=3 and(english or spanish>=2)", "billing >= 3 and (english or spanish >= 2)"),
        ("  ( a )\n", "a"),
        ("(a and b) and (c and (d))", "a and b and c and d"),
        ("(a or b) or c and (d or e)", "a or b or c and (d or e)"),
        ("not (not (a)) or not (a == 1) or not (a and b)", "not not a or not a == 1 or not (a and b)"),
        ("(a + (b - c)) - (d - e) > ((1))", "a + b - c - d + e > 1"),
        ("(a * 2) * (3 * (a + 1)) == (-(a)) * -(b + 1)", "a * 2 * 3 * (a + 1) == -a * -(b + 1)"),
        ("a and b and c and (d > 1)", "a and b and c and d > 1"),
        ("(1)<=(a)<=(3)", "1 <= a <= 3"),
    ],
)
def test_given_a_spelling_then_the_normal_one_holds_only_parentheses_with_a_meaning(text: str, normal: str) -> None:
    assert parse(text).text == normal


def test_given_another_order_or_meaning_then_expressions_differ() -> None:
    assert parse("a and b") != parse("b and a")
    assert parse("a - (b + c) > 0") != parse("a - b + c > 0")
    assert parse("(a or b) and c") != parse("a or b and c")


@pytest.mark.parametrize(
    ("text", "values", "met"),
    [
        ("billing >= 3 and (english or spanish >= 2)", {"billing": 3, "spanish": 2}, True),
        ("billing >= 3 and (english or spanish >= 2)", {"billing": 3, "spanish": 1}, False),
        ("voice <= 1 and chat <= 3 and (voice == 0 or chat == 0)", {"voice": 1}, True),
        ("voice <= 1 and chat <= 3 and (voice == 0 or chat == 0)", {"voice": 1, "chat": 1}, False),
        ("voice * 3 + chat <= 4", {"voice": 1, "chat": 1}, True),
        ("voice * 3 + chat <= 4", {"voice": 1, "chat": 2}, False),
        ("1 <= a <= 3", {"a": 3}, True),
        ("1 <= a <= 3", {"a": 4}, False),
        ("a - b == -1", {"b": 1}, True),
        ("2 - 1 - 1 == 0", {}, True),
        ("a or b and c", {"a": 1}, True),
        ("not a and b", {"b": 1}, True),
        ("not a == b", {"a": 1}, True),
        ("billing", {"billing": 0}, False),
        ("billing", {}, False),
        ("AND and NOT", {"AND": 1, "NOT": 1}, True),
    ],
)
def test_given_the_grammar_then_words_bind_as_in_python(text: str, values: dict[str, int], met: bool) -> None:  # noqa: FBT001
    assert parse(text).met_by(values) is met


# ---- what is no expression ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 1, "write such as billing"),
        (" \n", 1, "write such as billing"),
        ("a = 1", 3, "write =="),
        ("a === 1", 3, "write =="),
        ("a is b", 3, "write =="),
        ("a => 1", 3, "write >="),
        ("a =< 1", 3, "write <="),
        ("a <> 1", 3, "write !="),
        ("a \u2265 1", 3, "write >="),
        ("a && b", 3, "write and"),
        ("a, b", 2, "write and"),
        ("a || b", 3, "write or"),
        ("!a", 1, "write not"),
        ("a AND b", 3, "write and"),
        ("a Or (b)", 3, "write or"),
        ("  NOT a", 3, "write not"),
        ("NOT (a)", 1, "write not"),
        ("1", 1, "a number alone is no test"),
        ("a and 1", 7, "a number alone is no test"),
        ("-a", 1, "a number alone is no test"),
        ("a + b", 1, "compare it"),
        ("(a > 1) + 2", 2, "a test stands where a number is needed"),
        ("(1 <= a) <= 3", 2, "a test stands where a number is needed"),
        ("a >= (b or c)", 7, "a test stands where a number is needed"),
        ("a + not b", 5, "a test stands where a number is needed"),
        ("a == not b", 6, "a test stands where a number is needed"),
        ("-not a >= 1", 2, "a test stands where a number is needed"),
        ("a ** 2 > 1", 3, "calculate with +, - and * only"),
        ("a / 2 > 1", 3, "calculate with +, - and * only"),
        ("a % 2", 3, "calculate with +, - and * only"),
        ("~a", 1, "write not"),
        ("a \u2212 1 > 0", 3, "write -"),
        ("+a > 0", 1, "leave it out"),
        ("a >= +1", 6, "leave it out"),
        ("(a or b", 1, "this ( is never closed"),
        ("a and (b", 7, "this ( is never closed"),
        ("a) and b", 2, "this ) closes nothing"),
        ("a and ()", 8, "the parentheses are empty"),
        ("[a]", 1, "write ("),
        ("a or {b}", 6, "write ("),
        ("a b", 3, "an operator is missing"),
        ("a not in b", 3, "an operator is missing"),
        ("(a) (b)", 5, "an operator is missing"),
        ("a and", 3, "nothing follows and"),
        ("a >=", 3, "nothing follows >="),
        ("or a", 1, "nothing stands before or"),
        ("a and * 2", 7, "nothing stands before *"),
        ("(a -)", 5, "nothing stands before )"),
        ("f(a)", 2, "nothing can be called"),
        ("__import__('os')", 11, "nothing can be called"),
        ("billing.x", 8, "names hold no dot"),
        ("'a'", 1, "names stand without quotes"),
        ("billing >= '1'", 12, "names stand without quotes"),
        ("\u201ca\u201d", 1, "names stand without quotes"),
        ("billing >= 1.5", 12, "no whole number"),
        ("1e3 > a", 1, "no whole number"),
        ("0x10 > a", 1, "no whole number"),
        ("1_000 > a", 1, "no whole number"),
        ("2nd", 1, "names begin with a letter"),
        ("a > 007", 5, "leave out zeros in front"),
        ("True", 1, "a bare name already means 1 or more"),
        ("a == None", 6, "write == 0"),
        ("class >= 1", 1, "give the skill or medium another name"),
        ("lambda: a", 1, "reserved word"),
        ("a if b else c", 3, "reserved word"),
        ("await a", 1, "reserved word"),
        ("a in b", 3, "write a comparison for each"),
        ("import os", 1, "reserved word"),
        ("(a := b)", 4, "not known"),
        ("\ufb01", 1, "write names with a-z"),
        ("caf\u00e9", 4, "write names with a-z"),
        ("a > \u0661", 5, "write names with a-z"),
        ("a\u00a0and b", 2, "write a plain space"),
        ("a # b", 3, "not known"),
        ("a\x00", 2, "U+0000"),
        ("a \ud800", 3, "U+D800"),
    ],
)
def test_given_something_else_then_the_message_says_where_and_how_to_mend_it(
    text: str, position: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert error.value.position == position
    assert str(error.value).startswith(f"position {position}: ")
    assert str(error.value).endswith(f"; {error.value.hint}")
    assert message in str(error.value)
    assert str(error.value).isprintable()


def test_given_a_fault_then_names_of_the_text_are_not_repeated() -> None:
    with pytest.raises(ExpressionError) as error:
        parse("hush_hush(secret)")
    assert "hush" not in str(error.value)
    assert "secret" not in str(error.value)


WORDS = ["a", "b", "0", "1", "(", ")", "and", "or", "not", "+", "-", "*", *SIGNS]
STRANGE = [
    "=",
    "&&",
    "AND",
    "1.5",
    "'",
    "#",
    "\\",
    "\n",
    "True",
    "lambda",
    "[",
    "f(",
    "1or",
    "\x0c",
    "\u00e9",
    "\ud800",
]


@given(st.text() | st.lists(st.sampled_from([*WORDS, *STRANGE]), max_size=40).map(" ".join) | st.text("a1 ()<=!+-*not"))
@example("1or a")
@example("0x1for x")
@example("a\x0cor b")
@example("a\\\n or b")
@example("-" * (MAX_LENGTH - 1) + "a")
@example("not " * (MAX_LENGTH // 4 - 1) + "a")
@example("(" * (MAX_LENGTH // 2) + ")" * (MAX_LENGTH // 2))
@example("(a or" * (MAX_LENGTH // 5))
@example("9" * MAX_LENGTH)
@example("a " * MAX_LENGTH * 1000)
def test_given_any_text_then_it_is_an_expression_or_refused_in_one_line(text: str) -> None:
    try:
        expression = parse(text)
    except ExpressionError as error:
        assert 1 <= error.position <= max(len(text), 1)
        assert str(error).isprintable()
        return
    assert expression.met_by({}) in {True, False}
    assert parse(expression.text) == expression


operands = st.tuples(
    st.sampled_from(["", "", "", "not ", "-", "("]),
    st.sampled_from(["a", "b", "1"]),
    st.sampled_from(["", "", "", ")"]),
).map("".join)
links = st.sampled_from([" and ", " or ", " >= ", " == ", " < ", " + ", " - ", " * "])
rows = st.builds(
    lambda first, others: first + "".join(link + operand for link, operand in others),
    operands,
    st.lists(st.tuples(links, operands), max_size=5),
)


@settings(max_examples=500)
@given(rows, st.integers(0, 2), st.integers(0, 2))
def test_given_any_row_of_operands_then_what_is_taken_means_what_python_says(text: str, a: int, b: int) -> None:
    try:
        expression = parse(text)
    except ExpressionError:
        return
    expected = eval(text, {}, {"a": a, "b": b})  # noqa: S307 - made of the words above only
    assert expression.met_by({"a": a, "b": b}) is bool(expected)


@pytest.mark.parametrize(
    ("at_the_limit", "beyond"),
    [
        ("a" * MAX_LENGTH, "a" * (MAX_LENGTH + 1)),
        (" or ".join(["a"] * MAX_OPERANDS), "+".join(["a"] * MAX_OPERANDS) + " > 1"),
        ("(" * MAX_NESTING + "a" + ")" * MAX_NESTING, "(" * (MAX_NESTING + 1) + "a" + ")" * (MAX_NESTING + 1)),
        ("not " * (MAX_NESTING - 1) + "a", "not " * MAX_NESTING + "a"),
        ("a > " + "-" * (MAX_NESTING - 2) + "1", "a > " + "-" * (MAX_NESTING - 1) + "1"),
        (f"a < {MAX_RESULT}", f"a < {MAX_RESULT + 1}"),
        (f"a * {MAX_RESULT // MAX_LEVEL} > 1", f"a * {MAX_RESULT // MAX_LEVEL + 1} > 1"),
        ("a * a * a > 1", "a * a * a + a > 1"),
        ("(a - 1) * a * -500 > 1", "(a - 1) * a * -1000 > 1"),
        ("+".join(["aaa"] * 80) + " > 0", "+".join(["aaaa"] * 80) + " > 0"),
    ],
)
def test_given_a_size_within_the_limits_then_it_is_taken_and_beyond_refused(at_the_limit: str, beyond: str) -> None:
    parsed = parse(at_the_limit)
    assert parse(parsed.text) == parsed
    with pytest.raises(ExpressionError, match=r"longer than|more than|deeper than|too large"):
        parse(beyond)


def test_given_deep_needless_parentheses_then_only_parts_inside_others_count() -> None:
    chain = "a and (" * (MAX_NESTING - 1) + "b" + ")" * (MAX_NESTING - 1)
    assert parse(chain).text == "a and " * (MAX_NESTING - 1) + "b"


@pytest.mark.parametrize(
    ("text", "names", "level"),
    [
        ("billing >= 3 and (english or spanish >= 2)", ("billing", "english", "spanish"), 7),
        ("spanish or billing or spanish > 1", ("spanish", "billing"), 6),
        ("billing and not trainee", ("billing",), 5),
        ("billing and not (trainee or english) and english", ("billing", "english"), 6),
        ("not not billing", (), 0),
        ("unknown or billing", ("unknown", "billing"), 5),
        ("1 <= 2", (), 0),
    ],
)
def test_given_levels_then_the_names_outside_a_not_are_summed(text: str, names: tuple[str, ...], level: int) -> None:
    values = {"billing": 5, "english": 1, "spanish": 1, "trainee": 9, "other": 100}
    assert (parse(text).names, parse(text).level(values)) == (names, level)
