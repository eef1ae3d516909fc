"""A telephone of an agent on a lab's PBX, driven by a test or a demonstration:

    async with Phone(lab.pbx, 1961) as phone:
        call = await phone.rung()
        await call.answer()
        await call.hold()

It registers as a real one does, and it does nothing by itself: no call is answered or ended unless it is told.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self
from uuid import uuid4

from engine.lab.configuration import PHONE_NUMBERS
from engine.lab.errors import LabError
from engine.lab.phone.audio import AGENT_HERTZ, Audio
from engine.lab.phone.call import Call, Dialog, new_tag
from engine.lab.phone.sip import Request
from engine.lab.phone.wire import HOST, Wire
from engine.lab.state import AsteriskAddress

RUNG_SECONDS = 30.0
EXPIRES_SECONDS = 3600


class Phone:
    """Registered while it is entered. `hertz`: its voice, one of `audio.VOICES`."""

    def __init__(self, pbx: AsteriskAddress, number: int, *, hertz: int = AGENT_HERTZ) -> None:
        if number not in PHONE_NUMBERS:
            raise LabError(f"a phone's number lies in {PHONE_NUMBERS[0]} to {PHONE_NUMBERS[-1]}, not {number}")
        self.number = number
        self._hertz = hertz
        self._host = f"{HOST}:{pbx.sip_port}"
        self._wire = Wire((HOST, pbx.sip_port), self._on_request)
        self._calls: dict[str, Call] = {}
        self._rung: asyncio.Queue[Call] = asyncio.Queue()
        self._registrations = 0
        self._registration_id = uuid4().hex

    async def rung(self, *, within: float | None = RUNG_SECONDS) -> Call:
        """The next call that comes in; it rings until it is answered or refused. None: wait for ever."""
        async with asyncio.timeout(within):
            return await self._rung.get()

    async def call(self, number: str) -> Call:
        """Dial; look at the call's `ringing`, `answered` and `ended`."""
        ours, theirs = new_tag(f"<sip:{self._user}@{self._host}>"), f"<sip:{number}@{self._host}>"
        dialog = Dialog(uuid4().hex, ours, theirs, f"sip:{number}@{self._host}")
        made = self._made(dialog, number)
        await made.place()
        return made

    async def hang_up(self) -> None:
        """End every call there still is."""
        await asyncio.gather(*(call.hang_up() for call in self._calls.values()))

    async def __aenter__(self) -> Self:
        await self._wire.open()
        await self._register(EXPIRES_SECONDS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.hang_up()
            await self._register(0)
        finally:
            self._wire.close()

    @property
    def _user(self) -> str:
        return f"agent-{self.number}"

    @property
    def _contact(self) -> tuple[str, str]:
        host, port = self._wire.address
        return "Contact", f"<sip:{self._user}@{host}:{port}>"

    async def _register(self, seconds: int) -> None:
        self._registrations += 1
        address = f"<sip:{self._user}@{self._host}>"
        final = await self._wire.ask(
            "REGISTER",
            f"sip:{self._host}",
            (
                ("From", new_tag(address)),
                ("To", address),
                ("Call-ID", self._registration_id),
                ("CSeq", f"{self._registrations} REGISTER"),
                self._contact,
                ("Expires", str(seconds)),
            ),
        )
        if final.status != 200:
            raise LabError(f"the PBX does not register phone {self.number}: it says {final.status}")

    def _on_request(self, request: Request) -> None:
        known = self._calls.get(request.call_id)
        if known is not None:
            known.on_request(request)
        elif request.method == "INVITE" and not request.to_tag:
            theirs, ours = request.first("from"), new_tag(request.first("to"))
            routes = request.all("record-route")
            call = self._made(Dialog(request.call_id, ours, theirs, request.contact, routes), _number_of(theirs))
            call.ring(request)
            self._rung.put_nowait(call)
        elif request.method == "OPTIONS":
            self._wire.answer(request, "200 OK")
        else:
            self._wire.answer(request, "481 Call/Transaction Does Not Exist")

    def _made(self, dialog: Dialog, number: str) -> Call:
        call = self._calls[dialog.call_id] = Call(self._wire, dialog, number, self._contact, Audio(self._hertz))
        return call


def mix(one: Call, other: Call) -> None:
    """A conference in the phone: each side hears the phone's owner and the other side."""
    one.audio.mixed_with, other.audio.mixed_with = other.audio, one.audio


def _number_of(value: str) -> str:
    return value.partition("<sip:")[2].partition("@")[0]
