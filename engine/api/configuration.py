"""/config: everything an administrator sets, as one document that is applied as a whole or not at all."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from engine.api.access import Caller
from engine.api.bodies import Answered, Received, answer, read_body
from engine.api.codes import Code
from engine.api.current import CurrentDocument
from engine.api.endpoints import Endpoint
from engine.api.ports import Engine, Prepare
from engine.api.problems import ProblemError
from engine.api.slot_shapes import BookingConflict, booking_conflicts
from engine.config import MAX_DOCUMENT_BYTES
from engine.core.configuration import Configuration
from engine.core.decision import Refusal
from engine.core.events import ConfigurationApplied
from engine.document import Parsed, export, parse
from engine.document.comparison import differences
from engine.errors import DocumentError, FieldProblem, StoreError
from engine.store.records import KeyRole

_ADMIN = frozenset({KeyRole.ADMIN})


class ConfigWanted(Received):
    """A services document. `dry_run`: say what would change, and change nothing."""

    document: dict[str, Any]
    dry_run: bool = Field(False, strict=True)


class ConfigChange(Answered):
    """One change, such as `services.billing.attempts`; added and removed entries have no values."""

    action: Literal["add", "change", "remove"]
    path: str
    before: Any
    after: Any


class ConfigResult(Answered):
    """`version` is the one in force afterwards. `warnings` name what is kept but has no effect.

    `conflicts`: bookings that this document does not permit; they stay until somebody moves or cancels them.
    """

    changes: list[ConfigChange]
    applied: bool
    version: int
    warnings: list[str]
    conflicts: list[BookingConflict]


class ConfigView(Answered):
    """The document in force, as it was written."""

    document: dict[str, Any]
    version: int
    warnings: list[str]


class ConfigurationDocument:
    """The document in force. One is applied at a time."""

    def __init__(self, engine: Engine, documents: CurrentDocument, prepare: Prepare) -> None:
        self._engine = engine
        self._documents = documents
        self._prepare = prepare
        self._turn = asyncio.Lock()

    def endpoints(self) -> list[Endpoint]:
        """What is served here."""
        return [
            Endpoint(
                method="POST",
                path="/config",
                handle=self.apply,
                summary="Apply a services document, or see what it would change",
                tag="administration",
                roles=_ADMIN,
                body=ConfigWanted,
                answers=(ConfigResult,),
                codes=(Code.SERVICE_IN_USE, Code.MISSING_PROMPTS),
            ),
            Endpoint(
                method="GET",
                path="/config",
                handle=self.show,
                summary="The services document in force",
                tag="administration",
                roles=_ADMIN,
                answers=(ConfigView,),
            ),
        ]

    async def show(self, _request: web.Request, _caller: Caller) -> web.Response:
        """The document as it was written."""
        parsed = await self._documents.current(self._engine.dispatcher.configuration.version)
        version = parsed.configuration.version
        return answer(ConfigView(document=export(parsed.document), version=version, warnings=list(parsed.warnings)))

    async def apply(self, request: web.Request, _caller: Caller) -> web.Response:
        """Check, prepare, apply. A document that changes nothing keeps the version."""
        wanted = await read_body(request, ConfigWanted, MAX_DOCUMENT_BYTES)
        try:
            # A large document takes a while to check, and calls must not wait for it.
            parsed = await asyncio.to_thread(parse, wanted.document)
        except DocumentError as error:
            raise ProblemError.of_fields(error.problems) from None
        async with self._turn:
            before = await self._documents.current(self._engine.dispatcher.configuration.version)
            changes = [
                ConfigChange(action=each.action, path=each.path, before=each.before, after=each.after)
                for each in differences(before.document, parsed.document)
            ]
            self._refuse_if_used(parsed.configuration)
            version = before.configuration.version
            if not wanted.dry_run:
                version = await self._apply(parsed, version, changed=bool(changes))
        result = ConfigResult(
            changes=changes,
            applied=not wanted.dry_run,
            version=version,
            warnings=list(parsed.warnings),
            conflicts=self._conflicts(parsed.configuration),
        )
        return answer(result)

    async def _apply(self, parsed: Parsed, version: int, *, changed: bool) -> int:
        try:
            return await self._prepare_and_submit(parsed, version, changed=changed)
        except (ProblemError, StoreError):
            # The prompts may say other keys already: what is said must be what counts.
            await self._prepare(self._engine.dispatcher.configuration)
            raise

    async def _prepare_and_submit(self, parsed: Parsed, version: int, *, changed: bool) -> int:
        # Prompts may have been lost although the document is the same, so this comes first.
        if missing := await self._prepare(parsed.configuration):
            raise ProblemError(
                Code.MISSING_PROMPTS, missing[0], errors=[FieldProblem("document", each) for each in missing]
            )
        if not changed:
            return version
        reply = await self._engine.submit(ConfigurationApplied(parsed.configuration, parsed.text))
        match reply:
            case Configuration():
                return reply.version
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a configuration was answered with {type(reply).__name__}")

    def _conflicts(self, wanted: Configuration) -> list[BookingConflict]:
        book, now = self._engine.dispatcher.slots, self._engine.now()
        return [each for service in wanted.services for each in booking_conflicts(wanted, service, book, now)]

    def _refuse_if_used(self, wanted: Configuration) -> None:
        """A dry run must tell what the dispatcher will say."""
        dispatcher = self._engine.dispatcher
        for service in dispatcher.configuration.services:
            if service not in wanted.services and dispatcher.is_used(service):
                raise ProblemError(
                    Code.SERVICE_IN_USE,
                    f"service {service!r} has open callbacks or other open work; end them or keep the service",
                )
