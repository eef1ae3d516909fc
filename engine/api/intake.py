"""From a customer's wish to an accepted callback: which service, whether it may be called, and what is answered.

Every check comes before anything is stored; on a refusal nothing is stored and nobody is notified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from engine.api.access import Caller
from engine.api.bodies import not_available
from engine.api.callback_shapes import CallbackAccepted, CallbackWanted
from engine.api.codes import Code
from engine.api.credentials import hash_of, new_callback_id, new_token
from engine.api.current import CurrentDocument
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Accepted, Refusal
from engine.core.events import CallbackRequested, IdempotencyKey
from engine.core.model import CallbackId, CallbackState, Request, RequestChannel, ServiceId
from engine.document import ServiceEntry
from engine.metrics import Metrics
from engine.numbers import NumberRefused, check
from engine.store.records import KeptAnswer, KeyKind

_CHANNEL_OF_KIND = {KeyKind.WEB: RequestChannel.WEB, KeyKind.MOBILE: RequestChannel.MOBILE}


@dataclass(frozen=True, slots=True)
class Once:
    """The scoped idempotency key of a request and the hash of its body."""

    key: str
    body_hash: str


class Intake:
    """Accepts requests; `public_url` is where customers' links begin."""

    def __init__(self, engine: Engine, documents: CurrentDocument, metrics: Metrics, public_url: str) -> None:
        self._engine = engine
        self._documents = documents
        self._metrics = metrics
        self._public_url = public_url

    async def accept(self, wanted: CallbackWanted, caller: Caller, once: Once | None) -> CallbackAccepted:
        """Check, write down and answer. Raises ProblemError, StoreError."""
        _refuse_unavailable(wanted, caller)
        version = self._engine.dispatcher.configuration.version
        services = await self._documents.services(version, only_public=caller.public)
        service = _service_of(wanted, services)
        _check_subject(wanted, caller, service)
        countries = (await self._documents.current(version)).document.limits.countries
        number = check(wanted.phone, caller_id=service.caller_id, countries=countries)
        if isinstance(number, NumberRefused):
            raise ProblemError.of_field("phone", number.detail, Code(number.code))
        if wanted.when != "now":
            raise ProblemError(
                Code.SLOT_NOT_AVAILABLE,
                'scheduled callbacks are not available in this version; ask with when: "now"',
                more={"slots": []},
            )
        request = Request(
            service=ServiceId(service.id),
            phone=number.e164,
            language=_language(wanted.language, service.languages),
            channel=_channel(wanted, caller),
            subject=wanted.subject,
            customer_id=wanted.customer_id,
            first_name=wanted.first_name,
            last_name=wanted.last_name,
            page_url=wanted.page_url,
            context=dict(wanted.context),
        )
        callback_id, token = CallbackId(new_callback_id()), new_token()
        # The token stands in the kept answer in clear, since a repetition must give it again; the store forgets
        # kept answers after 24 hours.
        kept = once and IdempotencyKey(once.key, once.body_hash, json.dumps({"id": callback_id, "token": token}))
        reply = await self._engine.submit(CallbackRequested(callback_id, request, hash_of(token), kept or None))
        match reply:
            case Accepted(callback=callback, position=position):
                self._metrics.accepted(service.id)
                return self._answer(callback_id, token, callback.state, position)
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a request was answered with {type(reply).__name__}")

    def repeat(self, kept: KeptAnswer) -> CallbackAccepted:
        """The answer to a repetition, from what is durable: as accepted, with the place it has now."""
        answer = json.loads(kept.answer)
        position = self._engine.dispatcher.line.position(kept.callback)
        return self._answer(answer["id"], answer["token"], CallbackState.QUEUED, position)

    def _answer(self, callback: str, token: str, state: CallbackState, position: int | None) -> CallbackAccepted:
        # Behind # the token stays in the browser: it reaches no server's log and no other site.
        manage_url = f"{self._public_url}/manage/{callback}#{token}"
        return CallbackAccepted(
            id=callback,
            state=state,
            position=position,
            wait=None,
            scheduled_for=None,
            token=token,
            manage_url=manage_url,
        )


def _refuse_unavailable(wanted: CallbackWanted, caller: Caller) -> None:
    if wanted.skill_expression is not None and not caller.staff:
        raise ProblemError(Code.FORBIDDEN, "skill_expression is for supervisors and administrators; leave it out")
    for field in ("skill_expression", "offer_id", "push"):
        if getattr(wanted, field) is not None:
            raise not_available(field)


def _service_of(wanted: CallbackWanted, services: Mapping[str, ServiceEntry]) -> ServiceEntry:
    if wanted.service is not None:
        if wanted.service not in services:
            raise ProblemError.of_field("service", "there is no such service", Code.UNKNOWN_SERVICE)
        return services[wanted.service]
    having = [each for each in services.values() if any(subject.id == wanted.subject for subject in each.subjects)]
    if len(having) != 1:
        raise ProblemError.of_field("service", "name the service; the subject does not decide it", Code.UNKNOWN_SERVICE)
    return having[0]


def _check_subject(wanted: CallbackWanted, caller: Caller, service: ServiceEntry) -> None:
    if wanted.subject is None:
        if caller.public and caller.key is not None and caller.key.kind is KeyKind.MOBILE:
            raise ProblemError.of_field("subject", "a mobile key needs one of the subjects", Code.UNKNOWN_SUBJECT)
        return
    if wanted.subject not in {each.id for each in service.subjects}:
        raise ProblemError.of_field("subject", f"service {service.id} has no such subject", Code.UNKNOWN_SUBJECT)


def _channel(wanted: CallbackWanted, caller: Caller) -> RequestChannel:
    kind = caller.key.kind if caller.key else KeyKind.SECRET
    if wanted.channel is None:
        return _CHANNEL_OF_KIND.get(kind, RequestChannel.API)
    if wanted.channel is RequestChannel.AGENT and not caller.staff:
        raise ProblemError(Code.FORBIDDEN, "only staff may make requests of channel agent")
    return wanted.channel


def _language(asked: str | None, offered: list[str]) -> str:
    """The asked language if it is offered, else its main language, else the service's first."""
    if asked is not None:
        by_name = {each.lower(): each for each in offered}
        for name in (asked.lower(), asked.lower().partition("-")[0]):
            if name in by_name:
                return by_name[name]
    return offered[0]
