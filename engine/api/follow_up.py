"""Another call to the same customer: a new callback, for an ended one never reopens; who rang in may have had none."""

from __future__ import annotations

from engine.api.codes import Code
from engine.api.credentials import hash_of, new_callback_id, new_token
from engine.api.intake import Intake
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Accepted, Refusal
from engine.core.events import CallbackRequested
from engine.core.records import Request
from engine.core.terms import CallbackId
from engine.metrics import Metrics


class FollowUps:
    """Makes the new callbacks."""

    def __init__(self, engine: Engine, intake: Intake, metrics: Metrics) -> None:
        self._engine = engine
        self._intake = intake
        self._metrics = metrics

    async def make(self, request: Request, parent: CallbackId | None, when: float) -> CallbackId:
        """This request at `when` (epoch seconds); `parent`: whose it was. Raises ProblemError, StoreError.

        Nobody is given its token: the customer has none for a call that they did not ask for.
        """
        if not self._engine.accepting:
            raise ProblemError(Code.NOT_READY, headers={"Retry-After": "5"})
        await self._intake.check_again(request)
        event = CallbackRequested(
            CallbackId(new_callback_id()),
            request,
            hash_of(new_token()),
            when=when,
            freely=True,
            parent_id=parent,
        )
        reply = await self._engine.submit(event)
        match reply:
            case Accepted():
                self._metrics.accepted(request.service)
                return event.id
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a request was answered with {type(reply).__name__}")
