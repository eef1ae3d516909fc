"""One call of a telephone: a SIP dialog with its audio, and what its owner does in it.

Hold and resume are re-INVITEs (RFC 3264, 8.4); transfers are REFER (RFC 3515), with Replaces for an attended one
(RFC 3891, RFC 5589).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

from engine.lab.errors import LabError
from engine.lab.phone.audio import HEAR_SECONDS, Audio
from engine.lab.phone.rtp import PCMU
from engine.lab.phone.sdp import Offer, read_offer, written
from engine.lab.phone.sip import Address, Headers, Request, Response
from engine.lab.phone.wire import NoAnswerError, Wire

ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER")
_SDP = ("Content-Type", "application/sdp")
_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})")
KEY_TYPE = 101
ACCEPTED = 202
TRANSFER_SECONDS = 40.0


@dataclass(slots=True)
class Dialog:
    """What names a dialog and its two sides; `ours` and `theirs` are the values of From and To with their tags."""

    call_id: str
    ours: str
    theirs: str
    target: str
    routes: tuple[str, ...] = ()
    sequence: int = 0

    def headers(self, method: str, sequence: int | None = None) -> Headers:
        """Those every request of the dialog has; a new number in it, unless `sequence` names an earlier one."""
        if sequence is None:
            sequence = self.sequence = self.sequence + 1
        return (
            *(("Route", route) for route in self.routes),
            ("From", self.ours),
            ("To", self.theirs),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
        )


class Call:
    """Made by a `Phone`. `number`: the other side's, as it was dialled or shown."""

    def __init__(self, wire: Wire, dialog: Dialog, number: str, contact: tuple[str, str], audio: Audio) -> None:
        self.number = number
        self.dialog = dialog
        self.audio = audio
        self.invite: Request | None = None
        self.answered = asyncio.Event()
        self.ringing = asyncio.Event()
        self.ended = asyncio.Event()
        self.refused_with: int | None = None
        """The final response of a call that we placed and nobody took."""
        self._wire = wire
        self._contact = contact
        self._hears_at: Address = ("", 0)
        self._offer: Offer | None = None
        self._version = 0
        self._branch = wire.new_branch()
        self._direction = "sendrecv"
        self._told: asyncio.Queue[int | None] = asyncio.Queue()
        self._dialling: asyncio.Task[None] | None = None

    # ---- beginning -----------------------------------------------------------------------------------

    def ring(self, invite: Request) -> None:
        """A call came in."""
        self.invite = invite
        self._wire.answer(invite, "180 Ringing", tag=self._our_tag, headers=(self._contact, ALLOW))

    async def answer(self) -> None:
        """Take a call that came in; returns when the other side has acknowledged it."""
        if self.invite is None:
            raise AssertionError("a call that we placed cannot be answered by us")
        self._offer = read_offer(self.invite.body)
        if self._offer is None:
            self.refuse("488 Not Acceptable Here")
            return
        self._hears_at = await self.audio.open()
        if self.ended.is_set():  # the caller has given up, perhaps before we were asked to answer
            self.audio.close()
            return
        self._reply_with_audio(self.invite)
        self.audio.talk_to(self._offer)
        self.answered.set()
        await self._wire.acknowledged(self.invite)

    def refuse(self, status: str = "486 Busy Here") -> None:
        """Do not take a call that came in."""
        if self.invite is not None and not self.answered.is_set():
            self._wire.answer(self.invite, status, tag=self._our_tag)
        self._end()

    async def place(self) -> None:
        """Dial; returns at once, `answered` or `ended` tells the rest."""
        self._hears_at = await self.audio.open()
        self._dialling = asyncio.create_task(self._dial(), name=f"dial {self.number}")

    async def _dial(self) -> None:
        body = self._described(Offer(self._hears_at, PCMU, KEY_TYPE))
        dialog = self.dialog
        headers = (*dialog.headers("INVITE"), self._contact, ALLOW, _SDP)
        sequence, uri = dialog.sequence, dialog.target
        try:
            final = await self._wire.ask(
                "INVITE", uri, headers, body, branch=self._branch, on_provisional=self._on_provisional
            )
        except NoAnswerError:
            self._end()
            return
        dialog.theirs = final.first("to")
        if final.status >= 300:
            self.refused_with = final.status
            self._wire.send("ACK", uri, self._branch, dialog.headers("ACK", sequence))
            self._end()
            return
        dialog.target = final.contact
        dialog.routes = tuple(reversed(final.all("record-route")))
        self._acknowledge(sequence)
        self._offer = read_offer(final.body)
        if self._offer is not None:
            self.audio.talk_to(self._offer)
        self.answered.set()

    def _on_provisional(self, response: Response) -> None:
        if response.status in (180, 183):
            self.dialog.theirs = response.first("to")
            self.dialog.target = response.contact
            self.ringing.set()

    # ---- in the call ---------------------------------------------------------------------------------

    async def hold(self, direction: str = "sendonly") -> None:
        """Put the other side on hold, as some phones do with `inactive`; nothing is said to it meanwhile."""
        self.audio.speaks = False
        await self._invite_again(direction)

    async def resume(self) -> None:
        """Take the other side off hold."""
        await self._invite_again("sendrecv")
        self.audio.speaks = True

    async def transfer(self, target: str) -> list[int]:
        """Blind: have the other side connected to `target`. See `_refer` for what is given."""
        return await self._refer(f"<{_uri_of(target, self.dialog.target)}>")

    async def transfer_to(self, other: Call) -> list[int]:
        """Attended: have the other side connected to that of another call of this phone."""
        dialog = other.dialog
        replaces = f"{dialog.call_id};to-tag={_tag(dialog.theirs)};from-tag={_tag(dialog.ours)}"
        return await self._refer(f"<{dialog.target.partition(';')[0]}?Replaces={quote(replaces, safe='')}>")

    def press(self, key: str) -> None:
        """Press a key."""
        self.audio.press(key)

    def heard(self, since: float) -> dict[int, float]:
        """Seconds of each tone heard since a time of the loop's clock, as `Audio.heard` says."""
        return self.audio.heard(since)

    async def hear(self, tone: int, seconds: float = 0.3, *, within: float = HEAR_SECONDS) -> None:
        """Wait until a tone is heard, as `Audio.hear` says."""
        await self.audio.hear(tone, seconds, within=within)

    async def hang_up(self) -> None:
        """End the call, also one that only rings; a second time does nothing."""
        if self.ended.is_set():
            return
        if self.answered.is_set():
            self._end()
            await self._wire.ask("BYE", self.dialog.target, self.dialog.headers("BYE"))
        elif self.invite is not None:
            self.refuse("603 Decline")
        else:
            headers = self.dialog.headers("CANCEL", self.dialog.sequence)
            headers = tuple((name, value.partition(";tag=")[0] if name == "To" else value) for name, value in headers)
            await self._wire.ask("CANCEL", self._dialled_uri, headers, branch=self._branch)
            await self.ended.wait()

    # ---- what the other side asks ----------------------------------------------------------------------

    def on_request(self, request: Request) -> None:
        """A request of this dialog."""
        match request.method:
            case "BYE":
                self._wire.answer(request, "200 OK")
                self._end()
            case "CANCEL":
                self._wire.answer(request, "200 OK")
                self.refuse("487 Request Terminated")
            case "INVITE" | "UPDATE":
                self._offer = read_offer(request.body) or self._offer
                self._reply_with_audio(request)
                if self._offer is not None:
                    self.audio.talk_to(self._offer)
            case "NOTIFY":
                self._wire.answer(request, "200 OK")
                if found := _STATUS.match(request.body):
                    self._told.put_nowait(int(found[1]))
            case "OPTIONS":
                self._wire.answer(request, "200 OK", headers=(ALLOW,))
            case _:
                self._wire.answer(request, "501 Not Implemented")

    # ---- the rest --------------------------------------------------------------------------------------

    async def _refer(self, refer_to: str) -> list[int]:
        """Send REFER; the status of its answer, then those told by NOTIFY until a final one or the end of the call."""
        ours = self._contact[1]
        headers = (*self.dialog.headers("REFER"), self._contact, ("Refer-To", refer_to), ("Referred-By", ours))
        told = [(await self._wire.ask("REFER", self.dialog.target, headers)).status]
        async with asyncio.timeout(TRANSFER_SECONDS):
            while told[0] == ACCEPTED and (told[-1] == ACCEPTED or told[-1] < 200):
                status = await self._told.get()
                if status is None:
                    break
                told.append(status)
        return told

    async def _invite_again(self, direction: str) -> None:
        if self._offer is None:
            raise AssertionError("a call without audio cannot be held")
        self._direction = direction
        headers = (*self.dialog.headers("INVITE"), self._contact, ALLOW, _SDP)
        sequence = self.dialog.sequence
        final = await self._wire.ask("INVITE", self.dialog.target, headers, self._described(self._offer))
        self._acknowledge(sequence)
        if final.status >= 300:
            raise LabError(f"the PBX refuses to change the call: {final.status}")

    def _acknowledge(self, sequence: int) -> None:
        self._wire.send("ACK", self.dialog.target, self._wire.new_branch(), self.dialog.headers("ACK", sequence))

    def _reply_with_audio(self, request: Request) -> None:
        body = b"" if self._offer is None else self._described(self._offer)
        headers = (self._contact, ALLOW, _SDP)
        self._wire.answer(request, "200 OK", tag=self._our_tag, headers=headers, body=body)

    def _described(self, offer: Offer) -> bytes:
        self._version += 1
        return written(offer, self._hears_at, version=self._version, direction=self._direction)

    @property
    def _our_tag(self) -> str:
        return _tag(self.dialog.ours)

    @property
    def _dialled_uri(self) -> str:
        return self.dialog.theirs.partition("<")[2].partition(">")[0]

    def _end(self) -> None:
        if not self.ended.is_set():
            self.ended.set()
            self._told.put_nowait(None)
            self.audio.close()


def new_tag(value: str) -> str:
    """A From or To with a tag of ours."""
    return f"{value};tag={uuid4().hex}"


def _tag(value: str) -> str:
    return value.rpartition(";tag=")[2].partition(";")[0]


def _uri_of(number: str, beside: str) -> str:
    """The URI of a number at the host of another URI."""
    host = beside.partition("@")[2] or beside.partition(":")[2]
    return f"sip:{number}@{host.partition(';')[0]}"
