"""Skill expressions: which skills, at which level, an agent needs.

The grammar is a small part of Python's, parsed by `ast` and limited to names, whole numbers, `and`, `or`, `not` and
comparisons. A bare name means level 1 or more. Nothing of an expression is ever executed as Python.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Levels = Mapping[str, int]
_Test = Callable[[Levels], bool]
_Value = Callable[[Levels], int]

MAX_LENGTH = 500
_COMPARISONS: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.Lt: operator.lt,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class ExpressionError(ValueError):
    """The text is no expression; the message says where and why."""


@dataclass(frozen=True, slots=True)
class SkillExpression:
    """A parsed expression; two with the same text are equal."""

    text: str
    _test: _Test = field(compare=False, repr=False)

    def met_by(self, levels: Levels) -> bool:
        """Whether skills `{name: level}` satisfy the expression; a skill not held has level 0."""
        return self._test(levels)

    def level(self, levels: Levels) -> int:
        """The sum of the levels of the skills it names; orders agents who all meet it."""
        return sum(levels.get(node.id, 0) for node in ast.walk(ast.parse(self.text)) if isinstance(node, ast.Name))


def parse(text: str) -> SkillExpression:
    """Parse `billing >= 3 and (english or spanish >= 2)`. Raises ExpressionError."""
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text, mode="eval")
        return SkillExpression(text, _test(tree.body))
    except ExpressionError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        position = getattr(error, "offset", None) or 1
        raise ExpressionError(f"not an expression at position {position}: {text!r}") from error


def _test(node: ast.expr) -> _Test:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            tests = [_test(part) for part in parts]
            return lambda levels: all(test(levels) for test in tests)
        case ast.BoolOp(op=ast.Or(), values=parts):
            tests = [_test(part) for part in parts]
            return lambda levels: any(test(levels) for test in tests)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _test(operand)
            return lambda levels: not inner(levels)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            compare, first, second = _COMPARISONS[type(op)], _value(left), _value(right)
            return lambda levels: compare(first(levels), second(levels))
        case ast.Name(id=name):
            return lambda levels: levels.get(name, 0) >= 1
    raise ExpressionError(f"not allowed at position {node.col_offset + 1}: {ast.unparse(node)}")


def _value(node: ast.expr) -> _Value:
    match node:
        case ast.Name(id=name):
            return lambda levels: levels.get(name, 0)
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return lambda _levels: number
    raise ExpressionError(f"a skill or a whole number is needed at position {node.col_offset + 1}")


def all_of(first: SkillExpression, *others: SkillExpression) -> SkillExpression:
    """The expression that is met when all of these are; longer than any text that may be written."""
    if not others:
        return first
    every = (first, *others)
    text = " and ".join(f"({each.text})" for each in every)
    return SkillExpression(text, lambda levels: all(each.met_by(levels) for each in every))
