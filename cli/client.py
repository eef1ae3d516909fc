"""One question at a time to a running engine over HTTP, for the command line.

The key goes to the engine that was named and nowhere else: no proxy, no redirect. It never stands in an argument,
because arguments can be seen by everybody on the machine. Whatever goes wrong ends as a RingbackError with one line.
"""

from __future__ import annotations

import functools
import http.client
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import click

from engine.errors import FieldProblem, RingbackError

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8080"
PAGE = 500
_PREFIX = "/api/v1"
_GATEWAY_LOST = frozenset({502, 504})
_MAX_ANSWER = 64 * 1024 * 1024
_MEND_KEY = "set RINGBACK_KEY_FILE to a file with a valid key; ringback key create --local makes one"


class EngineNotReachableError(RingbackError):
    """No engine answers there, or not in time."""

    exit_code = 3


class RequestRefusedError(RingbackError):
    """The engine answered and did not do it. `code` is the stable word of its problem, empty if it sent none."""

    def __init__(self, status: int, code: str, line: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        self.status = status
        self.code = code
        self.problems = problems
        super().__init__(line)


@dataclass(frozen=True, slots=True)
class EngineClient:
    """Where the engine is and which key it is shown. `timeout_seconds` bounds each wait for the network."""

    url: str
    key: str | None
    timeout_seconds: float = 10.0

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        """The JSON at `path` (below the prefix); entries of `query` that are None are left out."""
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        return self._exchange("GET", path + (f"?{urlencode(wanted)}" if wanted else ""))

    def items(self, path: str, query: Mapping[str, object] | None = None, most: int | None = None) -> Iterator[Any]:
        """The items of a list, page after page, at most `most`."""
        left, cursor = most, None
        while left is None or left > 0:
            limit = PAGE if left is None else min(left, PAGE)
            page = self.get(path, {**(query or {}), "limit": limit, "cursor": cursor})
            yield from page["items"][:limit]
            left = None if left is None else left - len(page["items"])
            cursor = page.get("next")
            if cursor is None:
                return

    def post(self, path: str, body: Mapping[str, object], idempotency_key: str | None = None) -> Any:  # noqa: ANN401
        """Send `body`; the answer's JSON. With `idempotency_key` the engine does it once, however often it is asked."""
        return self._exchange("POST", path, body, {"Idempotency-Key": idempotency_key} if idempotency_key else {})

    def put(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401
        """Send `body` for what lies at `path`."""
        return self._exchange("PUT", path, body)

    def patch(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401
        """Change some of what lies at `path`."""
        return self._exchange("PATCH", path, body)

    def delete(self, path: str) -> Any:  # noqa: ANN401
        """Remove what lies at `path`; None when the engine has nothing to say."""
        return self._exchange("DELETE", path)

    def _exchange(
        self, method: str, path: str, body: Mapping[str, object] | None = None, more: Mapping[str, str] | None = None
    ) -> Any:  # noqa: ANN401
        headers = {"Accept": "application/json", **(more or {})}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        where = urlsplit(self.url)
        connection_type = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        connection = connection_type(where.hostname or "", where.port, timeout=self.timeout_seconds)
        try:
            connection.request(method, f"{where.path.rstrip('/')}{_PREFIX}{path}", body=sent, headers=headers)
            answer = connection.getresponse()
            content = answer.read(_MAX_ANSWER)
        except TimeoutError:
            raise EngineNotReachableError(
                f"the engine at {self.url} gives no answer within {self.timeout_seconds:g} s{_perhaps_done(method)}"
            ) from None
        except ssl.SSLError as error:
            raise EngineNotReachableError(f"no trusted connection to {self.url}: {error.reason}; check --url") from None
        except (OSError, http.client.HTTPException) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
            raise EngineNotReachableError(
                f"no engine at {self.url} ({why.lower()}); start it (ringback serve) or name its address with --url"
            ) from None
        finally:
            connection.close()
        return _judge(self.url, answer.status, answer.headers.get("Location"), content)


def segment(name: str) -> str:
    """An id as one part of a path: nothing in it can reach another resource."""
    if name in ("", ".", ".."):
        raise click.UsageError(f"{name!r} is no id")
    return quote(name, safe="")


def _perhaps_done(method: str) -> str:
    return "; try again" if method == "GET" else "; look whether it was done before you try again"


def _judge(url: str, status: int, location: str | None, content: bytes) -> Any:  # noqa: ANN401
    try:
        answer = json.loads(content) if content else None
    except ValueError:
        answer = None
    if 200 <= status < 300:
        if content and answer is None:
            raise EngineNotReachableError(f"{url} answers, but it is no Ringback engine; check --url")
        return answer
    if not isinstance(answer, dict) or "code" not in answer:
        if 300 <= status < 400:
            raise EngineNotReachableError(f"{url} redirects to {location}; name the engine itself with --url")
        if status in _GATEWAY_LOST:
            raise EngineNotReachableError(f"the gateway at {url} cannot reach the engine ({status}); start the engine")
        raise RequestRefusedError(status, "", f"{url} answers {status}: is it a Ringback engine? check --url")
    raise _refusal(status, answer)


def _refusal(status: int, problem: Mapping[str, Any]) -> RequestRefusedError:
    """problem+json as one line: title, detail, fields."""
    title, detail = str(problem.get("title") or problem["code"]), str(problem.get("detail") or "")
    line = title if detail.casefold() in ("", title.casefold()) else f"{title}: {detail}"
    problems = tuple(
        FieldProblem(str(each.get("field", "")), str(each.get("message", "")))
        for each in problem.get("errors") or ()
        if isinstance(each, dict)
    )
    told = "; ".join(f"{each.field}: {each.message}" for each in problems if each.message not in line)
    line = line.rstrip(".") + (f" ({told})" if told else "") + _instead(problem)
    if status == 401:
        line += f"; {_MEND_KEY}"
    return RequestRefusedError(status, str(problem["code"]), line, problems)


def _instead(problem: Mapping[str, Any]) -> str:
    """What may be asked for instead of a time that cannot be had."""
    free = ", ".join(str(each.get("start")) for each in problem.get("slots") or () if isinstance(each, dict))
    opens_at = problem.get("opens_at")
    return (f"; it opens at {opens_at}" if opens_at else "") + (f"; free: {free}" if free else "")


def with_engine(command: Callable[Concatenate[EngineClient, P], T]) -> Callable[P, T]:
    """Give a command the options that name the engine, and the client as its first argument."""

    @click.option("--url", envvar="RINGBACK_URL", default=DEFAULT_URL, show_default=True, help="The engine's address.")
    @click.option(
        "--key-file",
        envvar="RINGBACK_KEY_FILE",
        type=click.Path(dir_okay=False),
        help="File that holds the access key; or set RINGBACK_KEY_FILE, or the key itself in RINGBACK_KEY.",
    )
    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        url, key_file = kwargs.pop("url"), kwargs.pop("key_file")
        engine = client_of(str(url), None if key_file is None else str(key_file))
        try:
            return command(engine, *args, **kwargs)
        except UnicodeEncodeError as error:
            # Python hands on bytes that are no text as half characters, and nothing can be sent that holds one.
            if error.encoding != "utf-8":
                raise
            raise click.UsageError("an argument is not UTF-8 text; write it in UTF-8") from None

    return run


def client_of(url: str, key_file: str | None) -> EngineClient:
    """The client for these options. Raises click.UsageError for what cannot be used."""
    import os

    try:
        where = urlsplit(url)
        # http.client writes a path as it is, and a host by the rules of international names.
        sendable = re.fullmatch(r"[!-~]*", where.path) and (where.hostname or "").encode("idna")
        usable = where.scheme in ("http", "https") and sendable and where.port != 0
    except ValueError:
        usable = False
        where = urlsplit("")
    if not usable or where.username or where.password or where.query or where.fragment:
        # It is not repeated: it may hold a password.
        raise click.UsageError(f"--url must look like {DEFAULT_URL}, without user, password and query")
    key = os.environ.get("RINGBACK_KEY", "").strip() or None
    if key_file is not None:
        key = _read_key(key_file)
    if key is not None and not (key.isascii() and key.isprintable()):
        raise click.UsageError(
            "the access key holds characters that no key has; check RINGBACK_KEY_FILE and RINGBACK_KEY"
        )
    return EngineClient(url.rstrip("/"), key)


def _read_key(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not loaded otherwise
            key = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise click.UsageError(f"cannot read the key file {path}: {reason}") from None
    if not key:
        raise click.UsageError(f"the key file {path} is empty; write the access key into it")
    return key
