"""Expressions: which skills an agent needs, and what an agent may hold at once, in one small language.

The grammar is a small part of Python's: names, whole numbers, `and`, `or`, `not`, comparisons, `+`, `-`, `*` and
parentheses. Where a test is needed a bare name means 1 or more; a name without a value counts 0. `ast` reads it, and
nothing of it is ever executed as Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.core.expression_parts import MAX_LEVEL, MAX_RESULT, Holds, Values, no_number, test_of
from engine.core.expression_text import MAX_LENGTH, MAX_NESTING, MAX_OPERANDS, ExpressionError, checked

__all__ = [
    "MAX_LENGTH",
    "MAX_LEVEL",
    "MAX_NESTING",
    "MAX_OPERANDS",
    "MAX_RESULT",
    "Expression",
    "ExpressionError",
    "Values",
    "all_of",
    "parse",
]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; those whose texts differ only in spaces and needless parentheses are equal.

    `text`: the normal spelling, which parses to an equal expression. `names`: those that do not stand under a `not`,
    in order. `mentioned`: all names, in order.
    """

    text: str
    names: tuple[str, ...] = field(compare=False)
    mentioned: tuple[str, ...] = field(compare=False)
    _holds: Holds = field(compare=False, repr=False)

    def __hash__(self) -> int:
        # Expressions are keys of the line; a text remembers its hash.
        return hash(self.text)

    def met_by(self, values: Values) -> bool:
        """Whether levels of skills, or numbers of items held, satisfy the expression; `{name: value}`."""
        return self._holds(values)

    def level(self, values: Values) -> int:
        """The sum of the values of `names`: the better agent has the higher one."""
        return sum(values.get(name, 0) for name in self.names)


def parse(text: str) -> Expression:
    """Parse `billing >= 3 and (english or spanish >= 2)` or `voice * 3 + chat <= 4`. Raises ExpressionError."""
    line = checked(text)
    try:
        # The parenthesis lets spaces stand in front, and turns offsets from 0 into positions from 1.
        body = ast.parse(f"({line})", mode="eval").body
    except SyntaxError as error:
        # Of Python's rules only the one where `not` may stand is left: `a + not b`.
        raise no_number(max((error.offset or 2) - 1, 1)) from None
    test = test_of(body)
    if len(test.text) > MAX_LENGTH:
        problem = f"longer than {MAX_LENGTH} characters with a space beside each operator"
        raise ExpressionError(1, problem, "shorten it")
    found = list(_names(body, denied=False))
    names = dict.fromkeys(name for name, denied in found if not denied)
    return Expression(test.text, tuple(names), tuple(dict.fromkeys(name for name, _ in found)), test.holds)


def _names(node: ast.AST, *, denied: bool) -> Iterator[tuple[str, bool]]:
    """Each name in the order of the text, and whether it stands under a `not`."""
    if isinstance(node, ast.Name):
        yield node.id, denied
    below = denied or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
    for child in ast.iter_child_nodes(node):
        yield from _names(child, denied=below)


def all_of(first: Expression, *others: Expression) -> Expression:
    """The expression that is met when all of these are. It may be longer than any text that may be written."""
    if not others:
        return first
    every = (first, *others)
    return Expression(
        " and ".join(f"({each.text})" for each in every),
        tuple(dict.fromkeys(name for each in every for name in each.names)),
        tuple(dict.fromkeys(name for each in every for name in each.mentioned)),
        lambda values: all(each.met_by(values) for each in every),
    )
