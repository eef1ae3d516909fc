"""From a customer's wish to an accepted callback: which service, whether it may be called, and what is answered.

Every check comes before anything is stored; on a refusal nothing is stored and nobody is notified.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Literal

from engine.api.access import Caller
from engine.api.bodies import moment_or_none
from engine.api.callback_shapes import CallbackAccepted, CallbackWanted, Outlook, wait_view, when_text
from engine.api.codes import Code
from engine.api.credentials import hash_of, new_callback_id, new_token
from engine.api.current import CurrentDocument
from engine.api.idempotency import Once
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.api.targets import Target, offered_language, target_of
from engine.api.when import seconds_of
from engine.core.decision import Accepted, Refusal
from engine.core.events import CallbackRequested, IdempotencyKey, NewNumber
from engine.core.expressions import Expression, ExpressionError, parse
from engine.core.records import Callback, Request
from engine.core.terms import CallbackId, CallbackState, RequestChannel, ServiceId
from engine.core.values import replace
from engine.document import ServiceEntry
from engine.metrics import Metrics
from engine.numbers import NumberRefused, check, zones_as_stated, zones_of
from engine.store.records import KeptAnswer, KeyKind

_CHANNEL_OF_KIND = {KeyKind.WEB: RequestChannel.WEB, KeyKind.MOBILE: RequestChannel.MOBILE}


class Intake:
    """Accepts requests; `public_url` is where customers' links begin."""

    def __init__(self, engine: Engine, documents: CurrentDocument, metrics: Metrics, public_url: str) -> None:
        self._engine = engine
        self._documents = documents
        self._metrics = metrics
        self._public_url = public_url

    async def accept(self, wanted: CallbackWanted, caller: Caller, once: Once | None) -> CallbackAccepted:
        """Check, write down and answer. Raises ProblemError, StoreError."""
        skill = _skill(wanted, caller)
        services = await self._documents.services(self._version, only_public=caller.public)
        target = target_of(services, service=wanted.service, subject=wanted.subject, page_url=wanted.page_url)
        _check_subject(target, caller)
        phone = await self._number(wanted.phone, target.service)
        request = Request(
            service=ServiceId(target.service.id),
            phone=phone,
            language=offered_language(wanted.language, target.service.languages),
            channel=_channel(wanted, caller),
            subject=target.subject,
            customer_id=wanted.customer_id,
            first_name=wanted.first_name,
            last_name=wanted.last_name,
            page_url=wanted.page_url,
            context=dict(wanted.context),
            skill=skill,
            zones=_zones(phone, wanted.timezone, caller),
        )
        return await self._submit(request, wanted.when, once)

    async def requeue(self, ended: Callback, when: Literal["now"] | datetime, once: Once | None) -> CallbackAccepted:
        """The same request once more, as a child of the callback that has ended. Raises ProblemError, StoreError."""
        request = ended.request
        services = await self._documents.services(self._version, only_public=False)
        target = target_of(services, service=request.service, subject=request.subject, page_url=None)
        phone = await self._number(request.phone, target.service)
        language = offered_language(request.language, target.service.languages)
        return await self._submit(replace(request, phone=phone, language=language), when, once, ended.id)

    async def new_number(self, callback: Callback, phone: str) -> NewNumber:
        """Another number for an open callback, judged like a request's. Raises ProblemError, StoreError."""
        services = await self._documents.services(self._version, only_public=False)
        if callback.request.service not in services:
            # A service with open callbacks is never removed.
            raise ProblemError(Code.ALREADY_ENDED)
        e164 = await self._number(phone, services[callback.request.service])
        return NewNumber(e164, zones_of(e164))

    async def check_again(self, request: Request) -> None:
        """Judge the number of a request by what is in force now. Raises ProblemError, StoreError."""
        services = await self._documents.services(self._version, only_public=False)
        if request.service in services:
            await self._number(request.phone, services[request.service])

    def repeat(self, kept: KeptAnswer) -> CallbackAccepted:
        """The answer to a repetition, from what is durable: as accepted, in the line with the place it has now."""
        answer = json.loads(kept.answer)
        scheduled_for = answer.get("scheduled_for")
        if scheduled_for is not None:
            return self._answer(answer["id"], answer["token"], CallbackState.SCHEDULED, Outlook(), scheduled_for)
        dispatcher = self._engine.dispatcher
        outlook = Outlook(dispatcher.line.position(kept.callback), dispatcher.waits.of(kept.callback))
        return self._answer(answer["id"], answer["token"], CallbackState.QUEUED, outlook, None)

    @property
    def _version(self) -> int:
        return self._engine.dispatcher.configuration.version

    async def _number(self, phone: str, service: ServiceEntry) -> str:
        countries: Collection[str] = (await self._documents.current(self._version)).document.limits.countries
        number = check(phone, caller_id=service.caller_id, countries=countries)
        if isinstance(number, NumberRefused):
            raise ProblemError.of_field("phone", number.detail, Code(number.code))
        return number.e164

    async def _submit(
        self, request: Request, when: Literal["now"] | datetime, once: Once | None, parent: CallbackId | None = None
    ) -> CallbackAccepted:
        callback_id, token, start = CallbackId(new_callback_id()), new_token(), seconds_of(when)
        # The token stands in the kept answer in clear, since a repetition must give it again; the store forgets
        # kept answers after 24 hours.
        answer = json.dumps({"id": callback_id, "token": token, "scheduled_for": start})
        kept = once and IdempotencyKey(once.key, once.body_hash, answer)
        event = CallbackRequested(callback_id, request, hash_of(token), kept or None, start, parent_id=parent)
        reply = await self._engine.submit(event)
        match reply:
            case Accepted(callback=callback, position=position):
                self._metrics.accepted(request.service)
                outlook = Outlook(position, callback.told)
                return self._answer(callback_id, token, callback.state, outlook, callback.scheduled_for)
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a request was answered with {type(reply).__name__}")

    def _answer(
        self, callback: str, token: str, state: CallbackState, outlook: Outlook, scheduled_for: float | None
    ) -> CallbackAccepted:
        # Behind # the token stays in the browser: it reaches no server's log and no other site.
        manage_url = f"{self._public_url}/manage/{callback}#{token}"
        return CallbackAccepted(
            id=callback,
            state=state,
            when=when_text(scheduled_for),
            position=outlook.position,
            wait=wait_view(outlook.wait),
            scheduled_for=moment_or_none(scheduled_for),
            token=token,
            manage_url=manage_url,
        )


def _skill(wanted: CallbackWanted, caller: Caller) -> Expression | None:
    """What staff ask of the agent besides the service's own requirement."""
    if wanted.skill_expression is None:
        return None
    if not caller.staff:
        raise ProblemError(Code.FORBIDDEN, "skill_expression is for supervisors and administrators; leave it out")
    try:
        return parse(wanted.skill_expression)
    except ExpressionError as error:
        raise ProblemError.of_field("skill_expression", str(error)) from None


def _check_subject(target: Target, caller: Caller) -> None:
    if target.subject is None and caller.public and caller.key is not None and caller.key.kind is KeyKind.MOBILE:
        raise ProblemError.of_field("subject", "a mobile key needs one of the subjects", Code.UNKNOWN_SUBJECT)


def _channel(wanted: CallbackWanted, caller: Caller) -> RequestChannel:
    kind = caller.key.kind if caller.key else KeyKind.SECRET
    if wanted.channel is None:
        return _CHANNEL_OF_KIND.get(kind, RequestChannel.API)
    if wanted.channel is RequestChannel.AGENT and not caller.staff:
        raise ProblemError(Code.FORBIDDEN, "only staff may make requests of channel agent")
    return wanted.channel


def _zones(phone: str, stated: str | None, caller: Caller) -> tuple[str, ...]:
    """Where the customer may be. Staff have spoken to them; anybody may fill in a web form."""
    if stated is None:
        return zones_of(phone)
    return (stated,) if caller.staff else zones_as_stated(phone, stated)
