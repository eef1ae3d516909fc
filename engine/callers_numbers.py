"""Numbers of people who ring in: their caller id, and what they enter with the keys, checked before anybody keeps them.

A number is taken by the rules of the service that was dialled, or not at all; it never reaches a dial string unchecked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from engine.core.dispatcher import Dispatcher
from engine.core.effects import CheckNumber, Effect
from engine.core.events import NewNumber, NumberChecked, ResultKind
from engine.numbers import NumberAccepted, check, zones_of

Perform = Callable[[Effect], Awaitable[tuple[ResultKind, str]]]


class CallersNumbers:
    """Answers CheckNumber itself and hands every other effect on to `others`."""

    def __init__(
        self, dispatcher: Callable[[], Dispatcher], tell: Callable[[NumberChecked], None], others: Perform
    ) -> None:
        self._dispatcher = dispatcher
        self._tell = tell
        self._others = others

    async def perform(self, effect: Effect) -> tuple[ResultKind, str]:
        """Carry out an effect."""
        if not isinstance(effect, CheckNumber):
            return await self._others(effect)
        service = self._dispatcher().configuration.services.get(effect.service)
        number = None if service is None else self._callable(effect.digits, service.caller_id)
        self._tell(NumberChecked(effect.leg, number))
        return ResultKind.OK, ""

    def of_caller(self, dialled: str, caller: str) -> NewNumber | None:
        """Whom a caller id names; carriers leave the plus out. None: nobody who could be called."""
        service = self._dispatcher().service_dialled(dialled)
        caller_id = service.caller_id if service is not None else None
        return self._callable(caller, caller_id) or self._callable(f"+{caller}", caller_id)

    def _callable(self, digits: str, caller_id: str | None) -> NewNumber | None:
        number = check(digits, caller_id=caller_id, countries=self._dispatcher().configuration.limits.countries)
        return NewNumber(number.e164, zones_of(number.e164)) if isinstance(number, NumberAccepted) else None
