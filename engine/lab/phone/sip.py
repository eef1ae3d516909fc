"""SIP messages read, answered and written: RFC 3261 as far as a telephone needs it. No state here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]
Headers: TypeAlias = tuple[tuple[str, str], ...]

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "c": "content-type",
    "l": "content-length",
}
_NEEDED = ("via", "from", "to", "call-id", "cseq")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?(.*)")
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+([A-Za-z0-9.!%*_+`'~-]+)")
_TAG = re.compile(r";\s*tag\s*=\s*([^;\s,>]+)", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;\s,]+)", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport(?=\s*(?:[;,]|$))", re.IGNORECASE)
_USER = re.compile(r"sips?:([^@;?]+)@", re.IGNORECASE)


class MalformedError(ValueError):
    """A datagram that is no SIP message."""


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses have in common; `headers` in their order, names in lower case and long form."""

    headers: Headers
    body: bytes
    sequence: int
    sequence_method: str

    def all(self, name: str) -> tuple[str, ...]:
        """The values of each such header."""
        return tuple(value for each, value in self.headers if each == name)

    def first(self, name: str) -> str:
        """The first value, empty when there is no such header."""
        return next((value for each, value in self.headers if each == name), "")

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self.first("call-id")

    @property
    def branch(self) -> str:
        """The transaction: the branch of the topmost Via, empty when there is none."""
        found = _BRANCH.search(self.first("via").partition(",")[0])
        return found[1] if found else ""

    @property
    def to_tag(self) -> str:
        """Empty outside a dialog."""
        return _tag(self.first("to"))

    @property
    def from_tag(self) -> str:
        """Empty when there is none."""
        return _tag(self.first("from"))

    @property
    def contact(self) -> str:
        """Where requests of the dialog go: the URI of Contact, of From when it has none."""
        value = self.first("contact") or self.first("from")
        bracketed = re.search(r"<([^>]*)>", value)
        return bracketed[1] if bracketed else value.partition(";")[0].strip()


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request."""

    method: str
    uri: str

    @property
    def number(self) -> str:
        """The user of the request URI without a leading +, empty when there is none."""
        found = _USER.match(self.uri)
        return found[1].removeprefix("+") if found else ""


@dataclass(frozen=True, slots=True)
class Response(Message):
    """A response."""

    status: int


def parse(datagram: bytes) -> Request | Response:
    """One message. Raises MalformedError, and nothing else, for anything that is none."""
    head, separator, body = datagram.partition(b"\r\n\r\n")
    if not separator:
        raise MalformedError("the headers do not end")
    try:
        start, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode()).split("\r\n")
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8") from error
    headers = tuple(map(_header, lines))
    names = {name for name, _ in headers}
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise MalformedError(f"without {missing[0]}")
    first = dict(reversed(headers))
    sequence = _CSEQ.fullmatch(first["cseq"])
    if sequence is None:
        raise MalformedError("CSeq is none")
    shared = (headers, _body(body, first.get("content-length")), int(sequence[1]), sequence[2])
    if status := _STATUS_LINE.fullmatch(start):
        return Response(*shared, int(status[1]))
    method, _, rest = start.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if version != "SIP/2.0" or not uri or " " in uri or method != sequence[2]:
        raise MalformedError("no request line")
    return Request(*shared, method, uri)


def response(
    request: Request, status: str, source: Address, *, tag: str = "", headers: Headers = (), body: bytes = b""
) -> bytes:
    """The answer to a request that came from `source`; `status` is as in `200 OK`. `tag` goes to To if it has none."""
    (_, via), *more = ((name, value) for name, value in request.headers if name == "via")
    first, comma, others = via.partition(",")
    via = _RPORT.sub(f";rport={source[1]};received={source[0]}", first) + comma + others
    to = request.first("to")
    if tag and not request.to_tag:
        to = f"{to};tag={tag}"
    recorded = [("Record-Route", value) for value in request.all("record-route")]
    echoed = [
        ("From", request.first("from")),
        ("To", to),
        ("Call-ID", request.call_id),
        ("CSeq", request.first("cseq")),
    ]
    return written(f"SIP/2.0 {status}", [("Via", via), *more, *recorded, *echoed, *headers], body)


def written(start: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """A message as bytes; its length is added."""
    lines = [start, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.strip().lower()
    if not colon or not _TOKEN.fullmatch(name):
        raise MalformedError("a line that is no header")
    return _COMPACT.get(name, name), value.strip()


def _body(body: bytes, length: str | None) -> bytes:
    if length is None:
        return body
    if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > len(body):
        raise MalformedError("Content-Length does not fit")
    return body[: int(length)]


def _tag(value: str) -> str:
    found = _TAG.search(value.rpartition(">")[2])
    return found[1] if found else ""
