"""The text of an expression, read symbol by symbol from left to right before its meaning is looked at.

Every fault of spelling and order is found here, with its place and how to mend it; the messages of Python's parser
differ from one Python to the next. What passes holds ASCII names, whole numbers, known operators and balanced
parentheses, never another word of Python's, and its size is bounded.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from engine.core.values import Value

MAX_LENGTH = 500
MAX_OPERANDS = 100
MAX_NESTING = 20

_SIGNS = frozenset({">=", ">", "<=", "<", "==", "!=", "+", "-", "*"})
_WORDS = frozenset({"and", "or", "not"})
_BETWEEN = _SIGNS | {"and", "or"}
_AWAITS_OPERAND = _SIGNS | _WORDS | {"("}
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"
# What habit, another language or a word processor puts there, and what is meant.
_INSTEAD = {
    **dict.fromkeys(("=", "===", "is"), "write =="),
    **dict.fromkeys(("!==", "<>", "\u2260"), "write !="),
    **dict.fromkeys(("=>", "\u2265"), "write >="),
    **dict.fromkeys(("=<", "\u2264"), "write <="),
    **dict.fromkeys(("&", "&&", ",", ";"), "write and"),
    **dict.fromkeys(("|", "||"), "write or"),
    **dict.fromkeys(("!", "~"), "write not"),
    **dict.fromkeys(("\u2212", "\u2013", "\u2014"), "write -"),
    **dict.fromkeys(("/", "//", "%", "**", "^", "\u00d7"), "calculate with +, - and * only"),
    **dict.fromkeys("[{", "write ("),
    **dict.fromkeys("]}", "write )"),
    **dict.fromkeys(_QUOTES, "names stand without quotes"),
    ".": "names hold no dot, and numbers are whole",
    "True": "a bare name already means 1 or more",
    "False": "write == 0",
    "None": "write == 0",
    "in": "write a comparison for each and join them with or",
}
_SYMBOLS = sorted({*_SIGNS, "(", ")", *(each for each in _INSTEAD if not each.isalpha())}, key=len, reverse=True)
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
       | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
       | (?P<number>[0-9][A-Za-z0-9_.]*)
       | (?P<symbol>{"|".join(map(re.escape, _SYMBOLS))})
       | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class ExpressionError(ValueError):
    """The text is no expression. `position`: where the fault is, from 1; `hint`: how to mend it. One line of text."""

    def __init__(self, position: int, problem: str, hint: str) -> None:
        super().__init__(f"position {position}: {problem}; {hint}")
        self.position = position
        self.hint = hint


class _Token(Value):
    text: str
    position: int
    is_operand: bool = False


def checked(text: str) -> str:
    """The text on one line, each character at its old place. Raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH + 1, f"longer than {MAX_LENGTH} characters", "shorten it")
    before: _Token | None = None
    opened: list[_Token] = []
    operands = 0
    for token in _tokens(text):
        if before is None or before.text in _AWAITS_OPERAND:
            _check_operand_begins(before, token)
        else:
            _check_operand_is_followed(before, token, opened)
        if token.text == "(":
            opened.append(token)
        elif token.text == ")":
            opened.pop()
        operands += token.is_operand
        if len(opened) > MAX_NESTING:
            raise nested_too_deep(token.position)
        if operands > MAX_OPERANDS:
            raise ExpressionError(token.position, f"more than {MAX_OPERANDS} names and numbers", "shorten it")
        before = token
    if before is None:
        raise ExpressionError(1, "there is no text", "write such as billing >= 1 and english")
    if before.text in _AWAITS_OPERAND:
        raise ExpressionError(before.position, f"nothing follows {before.text}", "write a name or a number after it")
    if opened:
        raise ExpressionError(opened[-1].position, "this ( is never closed", "write ) where it ends")
    return re.sub(r"\s", " ", text)


def nested_too_deep(position: int) -> ExpressionError:
    """For a part that stands inside more than MAX_NESTING others."""
    return ExpressionError(position, f"nested deeper than {MAX_NESTING}", "write it with fewer parts inside parts")


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        word, kind, position = found[0], found.lastgroup, found.start() + 1
        match kind:
            case "space":
                continue
            case "name" if keyword.iskeyword(word) and word not in _WORDS:
                hint = _INSTEAD.get(word, "give the skill or medium another name")
                raise ExpressionError(position, f"{word} is a reserved word", hint)
            case "number" if not word.isdigit():
                raise ExpressionError(position, "no whole number", "write digits only; names begin with a letter")
            case "number" if word.startswith("0") and word != "0":
                raise ExpressionError(position, "a number begins with 0", "leave out zeros in front")
            case "symbol" if word in _INSTEAD:
                raise ExpressionError(position, f"{word} is not known here", _INSTEAD[word])
            case "other":
                raise _unknown_character(word, position)
        yield _Token(word, position, is_operand=kind in {"name", "number"} and word not in _WORDS)


def _unknown_character(character: str, position: int) -> ExpressionError:
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    if character.isspace():
        return ExpressionError(position, f"U+{ord(character):04X} is a space of another kind", "write a plain space")
    if character.isalnum():
        return ExpressionError(position, f"{shown} cannot stand in a name", "write names with a-z, A-Z, 0-9 and _")
    return ExpressionError(position, f"{shown} is not known here", "write names, whole numbers and operators only")


def _check_operand_begins(before: _Token | None, token: _Token) -> None:
    if token.text == ")" and before is not None and before.text == "(":
        raise ExpressionError(token.position, "the parentheses are empty", "write something between them")
    if token.text == "+":
        raise ExpressionError(token.position, "this + adds to nothing", "leave it out")
    if token.text in _BETWEEN - {"-"} or token.text == ")":
        raise ExpressionError(token.position, f"nothing stands before {token.text}", "write a name or a number there")


def _check_operand_is_followed(before: _Token, token: _Token, opened: list[_Token]) -> None:
    if token.text in _BETWEEN:
        return
    if token.text == ")":
        if not opened:
            raise ExpressionError(token.position, "this ) closes nothing", "leave it out, or write ( where it begins")
        return
    for each in (before, token):
        if each.is_operand and each.text.lower() in _WORDS:
            raise ExpressionError(each.position, f"{each.text} is read as a name", f"write {each.text.lower()}")
    if token.text == "(" and before.is_operand:
        raise ExpressionError(token.position, "nothing can be called here", "write an operator, such as and, before (")
    raise ExpressionError(
        token.position, "an operator is missing", "write and, or, a comparison, +, - or * between the two"
    )
