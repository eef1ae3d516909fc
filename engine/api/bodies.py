"""Reads what a client sent into a checked model, and writes models as JSON.

A body is read only up to its limit, must be one JSON object in UTF-8 with each name once, and must hold no field that
the model does not know.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, ValidationError

from engine.api.codes import Code
from engine.api.moments import utc_text
from engine.api.problems import ProblemError
from engine.config import MAX_BODY_BYTES
from engine.fields import problems

T = TypeVar("T", bound=BaseModel)
NOT_KEPT = {"Cache-Control": "no-store"}
"""An answer is for who asked, at this moment; a cache does not know by what they were let in."""


class Received(BaseModel):
    """A body or query of a client: frozen, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Nothing(Received):
    """The body of a request that needs none."""


class Answered(BaseModel):
    """A body of ours."""

    model_config = ConfigDict(frozen=True)


def _sensible(moment: datetime) -> datetime:
    # At the ends of the calendar a change of zone overflows.
    if not 1970 <= moment.year < 3000:
        raise ValueError("must be a year between 1970 and 2999")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_sensible), PlainSerializer(utc_text, return_type=str)]
"""A time: ISO 8601 with offset when received, UTC with Z when answered."""


def moment(seconds: float) -> datetime:
    """Epoch seconds as a time."""
    return datetime.fromtimestamp(seconds, UTC)


def moment_or_none(seconds: float | None) -> datetime | None:
    """Epoch seconds as a time; None stays None."""
    return None if seconds is None else moment(seconds)


async def read_body(request: web.Request, model: type[T], limit: int = MAX_BODY_BYTES) -> T:
    """The request's JSON body as `model`. Raises ProblemError."""
    if request.content_type != "application/json":
        raise ProblemError(Code.UNSUPPORTED_MEDIA_TYPE)
    return _validate(model, _object(await _bytes(request, limit)))


async def read_nothing(request: web.Request) -> None:
    """The request needs no body; an empty object is none. Raises ProblemError."""
    if request.can_read_body:
        await read_body(request, Nothing)


def read_query(request: web.Request, model: type[T], *, lists: frozenset[str] = frozenset()) -> T:
    """The query string as `model`; the names in `lists` may be repeated or hold several values with commas."""
    values: dict[str, Any] = {}
    for name in request.query:
        given = request.query.getall(name)
        if name in lists:
            values[name] = [part for each in given for part in each.split(",") if part]
        elif len(given) > 1:
            raise ProblemError.of_field(name, "stands more than once; write it once")
        else:
            values[name] = given[0]
    return _validate(model, values)


def answer(model: BaseModel, status: int = 200) -> web.Response:
    """A model as JSON."""
    text = model.model_dump_json(by_alias=True)
    return web.Response(status=status, text=text, content_type="application/json", headers=NOT_KEPT)


def _validate(model: type[T], values: dict[str, Any]) -> T:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = problems(model, error)
        raise ProblemError.of_fields(found) from None


async def _bytes(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise ProblemError(Code.TOO_LARGE, f"send at most {limit} bytes")
    body = bytearray()
    try:
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                raise ProblemError(Code.TOO_LARGE, f"send at most {limit} bytes")
    except (web.RequestPayloadError, ConnectionError):
        # Wrongly encoded, or the client has gone: no defect of ours.
        raise ProblemError(
            Code.BAD_JSON, "the body did not arrive whole, or is not encoded as its headers say"
        ) from None
    return bytes(body)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        if "\\u" in text:
            # Half a surrogate pair is valid JSON but no text: nothing behind us could write it down.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise ProblemError(Code.BAD_JSON, "the body is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ProblemError(Code.BAD_JSON, f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, _NotPlainError) else "a value is nested too deeply or too long"
        raise ProblemError(Code.BAD_JSON, detail) from None
    if not isinstance(value, dict):
        raise ProblemError(Code.BAD_JSON, "the body must be one JSON object: {...}")
    return value


class _NotPlainError(ValueError):
    """JSON that two readers could understand differently."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _NotPlainError("a name stands twice in one object; write each once")
    return values


def _no_constant(name: str) -> NoReturn:
    raise _NotPlainError(f"{name} is no JSON number")
