"""The parts of an expression, each turned into a function of ours and into its normal spelling.

Only the nodes named here are taken, whatever else Python's parser may know. In the normal spelling one space stands
beside each operator, and parentheses only where the meaning needs them.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import TypeAlias

from engine.core.expression_text import MAX_NESTING, ExpressionError, nested_too_deep
from engine.core.values import Value

MAX_LEVEL = 1000
MAX_RESULT = 1_000_000_000

Values: TypeAlias = Mapping[str, int]
Holds: TypeAlias = Callable[[Values], bool]
_Comparison: TypeAlias = Callable[[int, int], bool]

_COMPARISONS: dict[type[ast.cmpop], tuple[str, _Comparison]] = {
    ast.GtE: (">=", operator.ge),
    ast.Gt: (">", operator.gt),
    ast.LtE: ("<=", operator.le),
    ast.Lt: ("<", operator.lt),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}


class Binding(IntEnum):
    """How tightly the outermost operator of a part binds; inside a tighter one the part needs parentheses."""

    OR = 1
    AND = 2
    NOT = 3
    COMPARISON = 4
    SUM = 5
    PRODUCT = 6
    MINUS = 7
    OPERAND = 8


class Test(Value):
    """A part that holds or does not."""

    holds: Holds
    text: str
    binding: Binding


class Number(Value):
    """A part with a value, which lies between -size and size while each name's lies between 0 and MAX_LEVEL."""

    value: Callable[[Values], int]
    text: str
    binding: Binding
    size: int


def test_of(node: ast.expr, depth: int = 1) -> Test:
    """What a node says where a test is needed; `depth` counts the parts around it. Raises ExpressionError."""
    if depth > MAX_NESTING:
        raise nested_too_deep(node.col_offset)
    match node:
        case ast.BoolOp(op=ast.And()):
            parts = [test_of(part, depth + 1) for part in _joined(node)]
            text = " and ".join(_inside(part, Binding.NOT) for part in parts)
            return Test(_every([part.holds for part in parts]), text, Binding.AND)
        case ast.BoolOp(op=ast.Or()):
            parts = [test_of(part, depth + 1) for part in _joined(node)]
            text = " or ".join(part.text for part in parts)
            return Test(_any([part.holds for part in parts]), text, Binding.OR)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            denied = test_of(operand, depth + 1)
            holds = denied.holds
            return Test(lambda values: not holds(values), f"not {_inside(denied, Binding.NOT)}", Binding.NOT)
        case ast.Compare(left=left, ops=ops, comparators=others):
            numbers = [_number_of(part, depth + 1) for part in (left, *others)]
            return _comparison(numbers, [_COMPARISONS[type(each)] for each in ops])
        case ast.Name(id=name):
            return Test(lambda values: values.get(name, 0) >= 1, name, Binding.OPERAND)
    _number_of(node, depth)  # a fault inside the number is told first
    raise ExpressionError(node.col_offset, "a number alone is no test", "compare it, such as with >= 1")


def no_number(position: int) -> ExpressionError:
    """For a test where only a number has a meaning."""
    return ExpressionError(
        position, "a test stands where a number is needed", "compare and calculate numbers only; join tests by and, or"
    )


def _number_of(node: ast.expr, depth: int) -> Number:
    if depth > MAX_NESTING:
        raise nested_too_deep(node.col_offset)
    match node:
        case ast.Name(id=name):
            number = Number(lambda values: values.get(name, 0), name, Binding.OPERAND, MAX_LEVEL)
        case ast.Constant(value=int(whole)):
            number = Number(lambda _values: whole, str(whole), Binding.OPERAND, whole)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _number_of(operand, depth + 1)
            value = inner.value
            number = Number(
                lambda values: -value(values), f"-{_inside(inner, Binding.MINUS)}", Binding.MINUS, inner.size
            )
        case ast.BinOp(op=ast.Mult()):
            number = _product([_number_of(factor, depth + 1) for factor in _factors(node)])
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            number = _sum([(sign, _number_of(term, depth + 1)) for sign, term in _terms(node, 1)])
        case _:
            raise no_number(node.col_offset)
    if number.size > MAX_RESULT:
        hint = f"stay within {MAX_RESULT}, where a name counts up to {MAX_LEVEL}"
        raise ExpressionError(node.col_offset, "this can become too large", hint)
    return number


# Loops, where all() and any() over a generator would take 2.6 times as long: these run for each agent and requirement.
def _every(tests: list[Holds]) -> Holds:
    def holds(values: Values) -> bool:
        for test in tests:  # noqa: SIM110 - see above
            if not test(values):
                return False
        return True

    return holds


def _any(tests: list[Holds]) -> Holds:
    def holds(values: Values) -> bool:
        for test in tests:  # noqa: SIM110 - see above
            if test(values):
                return True
        return False

    return holds


def _comparison(numbers: list[Number], comparisons: list[tuple[str, _Comparison]]) -> Test:
    links = list(zip(comparisons, numbers[1:], strict=True))
    text = numbers[0].text + "".join(f" {sign} {number.text}" for (sign, _), number in links)
    first = numbers[0].value
    if len(links) == 1:
        [((_, compare), only)] = links
        second = only.value
        return Test(lambda values: compare(first(values), second(values)), text, Binding.COMPARISON)
    chain = [(compare, number.value) for (_, compare), number in links]

    def holds(values: Values) -> bool:
        left = first(values)
        for compare, value in chain:
            right = value(values)
            if not compare(left, right):
                return False
            left = right
        return True

    return Test(holds, text, Binding.COMPARISON)


def _product(factors: list[Number]) -> Number:
    numbers = [factor.value for factor in factors]
    return Number(
        lambda values: math.prod([value(values) for value in numbers]),
        " * ".join(_inside(factor, Binding.MINUS) for factor in factors),
        Binding.PRODUCT,
        math.prod(factor.size for factor in factors),
    )


def _sum(terms: list[tuple[int, Number]]) -> Number:
    (_, first), *others = terms
    signed = [(sign, term.value) for sign, term in terms]
    return Number(
        lambda values: sum([sign * value(values) for sign, value in signed]),
        first.text + "".join(f" {'+' if sign > 0 else '-'} {term.text}" for sign, term in others),
        Binding.SUM,
        sum(term.size for _, term in terms),
    )


def _inside(part: Test | Number, least: Binding) -> str:
    return part.text if part.binding >= least else f"({part.text})"


def _joined(node: ast.BoolOp) -> Iterator[ast.expr]:
    """The three parts of `a and (b and c)`; so for `or`."""
    for part in node.values:
        if isinstance(part, ast.BoolOp) and type(part.op) is type(node.op):
            yield from _joined(part)
        else:
            yield part


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    """The three factors of `a * (b * c)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from _factors(node.left)
        yield from _factors(node.right)
    else:
        yield node


def _terms(node: ast.expr, sign: int) -> Iterator[tuple[int, ast.expr]]:
    """The three terms of `a - (b - c)`, each with the sign it has without the parentheses: 1, -1, 1."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from _terms(node.left, sign)
        yield from _terms(node.right, sign if isinstance(node.op, ast.Add) else -sign)
    else:
        yield sign, node
