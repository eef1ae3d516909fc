"""Phones that act by themselves in a thread of their own, for a demonstration or a test without an event loop:

    with Duty(lab.pbx, {1961: hold_once, 1962: give_to("1001")}):
        ...

Each phone takes one call after the other and does its act in each; the act ends with the call, and the call with the
act. An act that fails ends the duty with its error.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Self, TypeAlias

from engine.lab.phone.audio import CUSTOMER_HERTZ
from engine.lab.phone.call import Call
from engine.lab.phone.phone import Phone
from engine.lab.state import AsteriskAddress

Act: TypeAlias = Callable[[Phone, Call], Awaitable[None]]
"""What a phone does once it hears its customer."""
CUSTOMER_SECONDS = 60.0
"""How long a phone waits for its customer's voice: a whisper comes first, or a whole call if agents are rung first."""
TALK_SECONDS = 1.0
HOLD_SECONDS = 2.0
END_SECONDS = 20.0


class Duty:
    """On duty while it is entered, from the moment at which all phones are registered."""

    def __init__(self, pbx: AsteriskAddress, acts: Mapping[int, Act]) -> None:
        self._pbx = pbx
        self._acts = acts
        self._begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._over: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, name="phones", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.result(END_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop, end = self._begun.result()
        if not self._over.done():
            loop.call_soon_threadsafe(end.set)
        failed = self._over.exception(END_SECONDS)
        if failed is not None and error is None:
            raise failed

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that ends the duty
            for future in (self._begun, self._over):
                if not future.done():
                    future.set_exception(error)
        else:
            self._over.set_result(None)

    async def _run(self) -> None:
        end, registered = asyncio.Event(), [asyncio.Event() for _ in self._acts]
        async with asyncio.TaskGroup() as tasks:
            working = [
                tasks.create_task(self._work(number, act, ready), name=f"phone {number}")
                for (number, act), ready in zip(self._acts.items(), registered, strict=True)
            ]
            for each in registered:
                await each.wait()
            self._begun.set_result((asyncio.get_running_loop(), end))
            await end.wait()
            for task in working:
                task.cancel()

    async def _work(self, number: int, act: Act, ready: asyncio.Event) -> None:
        async with Phone(self._pbx, number) as phone:
            ready.set()
            while True:
                call = await phone.rung(within=None)
                await call.answer()
                acting = asyncio.create_task(_attend(act, phone, call), name=f"act of {number}")
                over = asyncio.create_task(call.ended.wait(), name=f"end of call of {number}")
                done, _ = await asyncio.wait({acting, over}, return_when=asyncio.FIRST_COMPLETED)
                if acting in done:
                    acting.result()
                acting.cancel()
                over.cancel()
                await phone.hang_up()


async def _attend(act: Act, phone: Phone, call: Call) -> None:
    await call.hear(CUSTOMER_HERTZ, within=CUSTOMER_SECONDS)
    await asyncio.sleep(TALK_SECONDS)
    await act(phone, call)


async def hold_once(_phone: Phone, call: Call) -> None:
    """Put the customer on hold for a moment, then talk until somebody else ends the call."""
    await call.hold()
    await asyncio.sleep(HOLD_SECONDS)
    await call.resume()
    await call.ended.wait()


def give_to(number: str) -> Act:
    """Transfer the customer without asking."""

    async def act(_phone: Phone, call: Call) -> None:
        await call.transfer(number)

    return act


def ask_and_give_to(number: str) -> Act:
    """Hold, call a colleague, talk, and transfer the customer to that call."""

    async def act(phone: Phone, call: Call) -> None:
        await call.transfer_to(await _ask(phone, call, number))

    return act


def ask_only(number: str) -> Act:
    """Hold, call a colleague, talk, and go back to the customer until somebody else ends the call."""

    async def act(phone: Phone, call: Call) -> None:
        consult = await _ask(phone, call, number)
        await consult.hang_up()
        await call.resume()
        await call.ended.wait()

    return act


async def _ask(phone: Phone, call: Call, number: str) -> Call:
    await call.hold()
    consult = await phone.call(number)
    await consult.answered.wait()
    await asyncio.sleep(TALK_SECONDS)
    return consult
