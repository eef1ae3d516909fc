"""One shape for every error: `application/problem+json` (RFC 9457), also for those that aiohttp makes itself.

A problem never repeats a phone number or a secret, and a defect tells a client nothing but that it happened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, Field, JsonValue

from engine.api.codes import MEANINGS, Code
from engine.api.moments import utc_text_of
from engine.core.decision import Refusal
from engine.errors import FieldProblem, StoreError

log = structlog.get_logger()

CODE_OF_ANSWER = web.ResponseKey("code", str)
"""The code of a problem, for the access log."""

_OF_SLOTS = frozenset({Code.SLOT_NOT_AVAILABLE, Code.IN_THE_PAST, Code.TOO_FAR_AHEAD})
_TIME: dict[str, JsonValue] = {"format": "date-time"}
_BY_STATUS = {
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Code.TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.UNSUPPORTED_MEDIA_TYPE,
}


class FieldError(BaseModel):
    """One field and how to mend it."""

    field: str
    message: str


class FreeSlot(BaseModel):
    """A slot that may be booked instead."""

    start: str = Field(json_schema_extra={"format": "date-time"})
    end: str = Field(json_schema_extra={"format": "date-time"})


class ProblemShape(BaseModel):
    """An error; `code` is one of a closed list. Members with a default stand only where they belong."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    errors: list[FieldError]
    opens_at: str | None = Field(
        None, description="Of `closed`: when it opens; null: not within a year.", json_schema_extra=_TIME
    )
    slots: list[FreeSlot] = Field([], description="Of a time that cannot be booked: the nearest free ones.")
    checks: dict[str, Any] = Field({}, description="Of `not-ready` at /readyz: how each outside system stands.")


class ProblemError(Exception):
    """Ends the handling of a request with one of the codes. `more` are further members of the answer."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail or MEANINGS[code].title)
        self.code = code
        self.detail = detail or MEANINGS[code].mend
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    @classmethod
    def of_refusal(cls, refusal: Refusal) -> ProblemError:
        """The dispatcher said no."""
        code, headers = Code(refusal.code), dict[str, str]()
        more: dict[str, object] = {}
        if code is Code.CLOSED:
            more["opens_at"] = None if refusal.opens_at is None else utc_text_of(refusal.opens_at)
        if code in _OF_SLOTS:
            more["slots"] = [{"start": utc_text_of(each.start), "end": utc_text_of(each.end)} for each in refusal.slots]
        if refusal.retry_after_seconds is not None:
            headers["Retry-After"] = str(math.ceil(refusal.retry_after_seconds))
        return cls(code, refusal.detail, more=more, headers=headers)

    @classmethod
    def of_fields(cls, problems: Sequence[FieldProblem]) -> ProblemError:
        """Fields that cannot be used; `unknown-field` if only their names are wrong."""
        code = Code.UNKNOWN_FIELD if all(each.unknown for each in problems) else Code.INVALID_FIELD
        first = problems[0]
        return cls(code, f"{first.field}: {first.message}", errors=problems)

    @classmethod
    def of_field(cls, field: str, message: str, code: Code = Code.INVALID_FIELD) -> ProblemError:
        """One field that cannot be used."""
        return cls(code, f"{field}: {message}", errors=[FieldProblem(field, message)])

    def response(self) -> web.Response:
        """The answer to the client."""
        meaning = MEANINGS[self.code]
        shape = ProblemShape(
            type=f"urn:ringback:error:{self.code}",
            title=meaning.title,
            status=meaning.status,
            detail=self.detail,
            code=self.code,
            errors=[FieldError(field=each.field, message=each.message) for each in self.errors],
        )
        body = json.dumps(shape.model_dump(mode="json", exclude_unset=True) | self.more, ensure_ascii=False)
        response = web.Response(
            status=meaning.status, text=body, content_type="application/problem+json", headers=self.headers
        )
        response[CODE_OF_ANSWER] = str(self.code)
        return response


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn everything that is raised into a problem."""
    try:
        return await handler(request)
    except ProblemError as problem:
        response = problem.response()
        if problem.code is Code.TOO_LARGE:
            # What is left of the body is not worth reading.
            response.force_close()
        return response
    except StoreError as error:
        log.warning("store.refused", why=str(error))
        return ProblemError(Code.NOT_READY, headers={"Retry-After": "5"}).response()
    except web.HTTPException as error:
        code = _BY_STATUS.get(HTTPStatus(error.status))
        if code is None:
            raise
        kept = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return ProblemError(code, headers=kept).response()
    except Exception:
        # The last stop: one request met a defect of ours, the others must go on.
        log.exception("http.defect", method=request.method)
        return ProblemError(Code.INTERNAL_ERROR).response()
