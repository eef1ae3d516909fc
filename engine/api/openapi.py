"""The OpenAPI 3.1 document, made from the endpoints and from the models that check what is received and answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from engine.api.access import COOKIE
from engine.api.codes import MEANINGS, Code
from engine.api.endpoints import Endpoint
from engine.api.problems import ProblemShape
from engine.document import ServicesDocument
from engine.store.records import KeyRole

_REF = "#/components/schemas/"
_ALWAYS = (Code.INTERNAL_ERROR, Code.NOT_READY)
_WITH_BODY = (
    Code.BAD_JSON,
    Code.TOO_LARGE,
    Code.UNSUPPORTED_MEDIA_TYPE,
    Code.UNKNOWN_FIELD,
    Code.INVALID_FIELD,
)
Mode = Literal["validation", "serialization"]
Refs = Mapping[tuple[Any, Mode], dict[str, Any]]


def openapi(endpoints: Sequence[tuple[str, Endpoint]], *, version: str, server: str) -> dict[str, Any]:
    """The document for endpoints at their full paths."""
    models: dict[tuple[type[BaseModel], Mode], None] = {
        (ProblemShape, "serialization"): None,
        (ServicesDocument, "validation"): None,
    }
    for _, endpoint in endpoints:
        for received in (endpoint.body, endpoint.query):
            if received is not None:
                models[received, "validation"] = None
        for answered in endpoint.answers:
            models[answered, "serialization"] = None
    refs, schemas = _schemas(tuple(models))
    paths: dict[str, dict[str, Any]] = {}
    for path, endpoint in endpoints:
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(path, endpoint, refs, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ringback",
            "version": version,
            "description": "Customer callbacks on Asterisk. Errors are application/problem+json with a `code`.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access key, whose role decides, or the token of a session.",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "callbackToken": {"type": "apiKey", "in": "header", "name": "X-Callback-Token"},
            },
        },
    }


@lru_cache(maxsize=1)
def _schemas(models: tuple[tuple[type[BaseModel], Mode], ...]) -> tuple[Refs, dict[str, Any]]:
    """References to the models, and what they refer to; it takes long, and a process has always the same ones."""
    refs, definitions = models_json_schema(list(models), ref_template=_REF + "{model}")
    return refs, definitions["$defs"]


def _operation(path: str, endpoint: Endpoint, refs: Refs, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint.method, path),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": _responses(endpoint, refs),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    if endpoint.query is not None:
        parameters += _query_parameters(schemas[endpoint.query.__name__])
    if endpoint.creates_once:
        described = "For 24 h the same key and body gets the same answer."
        schema = {"type": "string", "maxLength": 200}
        parameters.append({"name": "Idempotency-Key", "in": "header", "description": described, "schema": schema})
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        schema = refs[endpoint.body, "validation"]
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": endpoint.body_needed, "content": content}
    if endpoint.roles is not None:
        operation["security"] = [
            {"key": []},
            *([{"callbackToken": []}] if endpoint.token_suffices else []),
            *([{"session": []}] if KeyRole.AGENT in endpoint.roles else []),
        ]
        operation["x-roles"] = sorted(endpoint.roles)
    else:
        operation["security"] = []
    return operation


def _responses(endpoint: Endpoint, refs: Refs) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    schemas = [refs[each, "serialization"] for each in endpoint.answers]
    if schemas:
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        good["content"] = {endpoint.answer_type: {"schema": schema}}
    elif endpoint.status != 204:
        kind = "object" if endpoint.answer_type == "application/json" else "string"
        good["content"] = {endpoint.answer_type: {"schema": {"type": kind}}}
    responses = {str(endpoint.status): good}
    by_status: dict[int, list[str]] = {}
    for code in codes_of(endpoint):
        by_status.setdefault(MEANINGS[code].status, []).append(code)
    for status in sorted(by_status):
        responses[str(status)] = {
            "description": f"One of the codes {', '.join(by_status[status])}.",
            "content": {"application/problem+json": {"schema": refs[ProblemShape, "serialization"]}},
        }
    return responses


def codes_of(endpoint: Endpoint) -> list[Code]:
    """Every code an endpoint may answer with, in the order of the list."""
    codes = {*endpoint.codes, *_ALWAYS}
    if endpoint.roles is not None:
        codes |= {Code.INVALID_TOKEN, Code.FORBIDDEN}
    if endpoint.body is not None:
        codes |= set(_WITH_BODY)
    if endpoint.query is not None:
        codes |= {Code.UNKNOWN_FIELD, Code.INVALID_FIELD}
    if endpoint.creates_once:
        codes.add(Code.IDEMPOTENCY_CONFLICT)
    return [code for code in Code if code in codes]


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]


def _operation_id(method: str, path: str) -> str:
    words = [word for word in re.split(r"[^A-Za-z0-9]+", path) if word]
    return "_".join([method.lower(), *words])
