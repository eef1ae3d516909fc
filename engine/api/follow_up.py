"""Another call to the same customer: a new callback with the old one as its parent, for an ended one never reopens."""

from __future__ import annotations

from engine.api.codes import Code
from engine.api.credentials import hash_of, new_callback_id, new_token
from engine.api.intake import Intake
from engine.api.ports import Engine
from engine.api.problems import ProblemError
from engine.core.decision import Accepted, Refusal
from engine.core.events import CallbackRequested
from engine.core.records import Callback
from engine.core.terms import CallbackId
from engine.metrics import Metrics


class FollowUps:
    """Makes the new callbacks."""

    def __init__(self, engine: Engine, intake: Intake, metrics: Metrics) -> None:
        self._engine = engine
        self._intake = intake
        self._metrics = metrics

    async def make(self, callback: Callback, when: float) -> CallbackId:
        """The same request once more, at `when` (epoch seconds). Raises ProblemError, StoreError.

        Nobody is given its token: the customer has none for a call that they did not ask for.
        """
        if not self._engine.accepting:
            raise ProblemError(Code.NOT_READY, headers={"Retry-After": "5"})
        await self._intake.check_again(callback.request)
        event = CallbackRequested(
            CallbackId(new_callback_id()),
            callback.request,
            hash_of(new_token()),
            when=when,
            freely=True,
            parent_id=callback.id,
        )
        reply = await self._engine.submit(event)
        match reply:
            case Accepted():
                self._metrics.accepted(callback.request.service)
                return event.id
            case Refusal():
                raise ProblemError.of_refusal(reply)
            case _:
                raise TypeError(f"a request was answered with {type(reply).__name__}")
