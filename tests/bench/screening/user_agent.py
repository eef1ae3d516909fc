"""The SIP side of the far end: a user agent server over UDP that answers calls and ends them (RFC 3261).

It holds dialogs and repeats what must be repeated; it knows no sockets and no media. Requests that come again are
answered again and never act twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol
from uuid import uuid4

from engine.lab.phone.sdp import Offer, answer, read_offer
from engine.lab.phone.sip import Address, MalformedError, Request, Response, parse, response, written
from tests.bench.screening.call_result import EndedBy
from tests.bench.screening.timers import Timers

T1, T2 = 0.5, 4.0
GIVE_UP_SECONDS = 64 * T1
"""How long anything is repeated, and how long an ended dialog is remembered."""
ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS")
OK, NOT_FOUND, CANCELLED, NOT_ACCEPTABLE = (
    "200 OK",
    "404 Not Found",
    "487 Request Terminated",
    "488 Not Acceptable Here",
)


class State(Enum):
    """Where a dialog stands."""

    RINGING = auto()
    UP = auto()
    ENDED = auto()


@dataclass(eq=False, slots=True)
class Dialog:
    """One call, or one that was refused. `final` is the last final response to an INVITE, repeated until its ACK."""

    invite: Request
    source: Address
    tag: str
    hears_at: Address
    offer: Offer | None = None
    state: State = State.RINGING
    final: bytes = b""
    acknowledged: bool = False
    sequence: int = 0
    """CSeq of the INVITE that `final` answers."""
    to_hang_up: bool = False
    bye_answered: bool = False

    @property
    def number(self) -> str:
        """The number that was called, without +."""
        return self.invite.number

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self.invite.call_id


class Telephone(Protocol):
    """What is told of calls."""

    def is_known(self, number: str) -> bool:
        """Whether somebody answers at this number."""

    def media_address(self) -> Address:
        """Where the next call is to be heard."""

    def invited(self, dialog: Dialog) -> None:
        """A new call, before any answer."""

    def answered(self, dialog: Dialog) -> None:
        """The 200 goes out as soon as this returns: nothing of the call can come before it."""

    def moved(self, dialog: Dialog) -> None:
        """The caller wants to hear at another address from now on, as in the dialog's offer."""

    def ended(self, dialog: Dialog, status: int, by: EndedBy) -> None:
        """Told once a call, also of one that was never answered."""


class UserAgent:
    """All calls of one SIP address. `send` sends a datagram."""

    def __init__(
        self,
        address: Address,
        send: Callable[[bytes, Address], None],
        timers: Timers,
        telephone: Telephone,
        ring_seconds: float,
    ) -> None:
        self._address = address
        self._send = send
        self._timers = timers
        self._telephone = telephone
        self._ring_seconds = ring_seconds
        self._dialogs: dict[str, Dialog] = {}
        self.malformed = 0

    def receive(self, datagram: bytes, source: Address) -> None:
        """Whatever arrived; what is no SIP message is counted."""
        try:
            message = parse(datagram)
        except MalformedError:
            self.malformed += 1
            return
        if isinstance(message, Response):
            self._on_response(message)
            return
        match message.method:
            case "INVITE":
                self._on_invite(message, source)
            case "ACK":
                self._on_ack(message)
            case "BYE":
                self._on_bye(message, source)
            case "CANCEL":
                self._on_cancel(message, source)
            case "OPTIONS":
                self._reply(message, OK, source)
            case _:
                self._reply(message, "501 Not Implemented", source)

    def hang_up(self, dialog: Dialog) -> None:
        """End an answered call; before its ACK has come, that has to wait for it."""
        if dialog.state is not State.UP:
            return
        if dialog.acknowledged:
            self._bye(dialog)
        else:
            dialog.to_hang_up = True

    # ---- requests ------------------------------------------------------------------------------------

    def _on_invite(self, request: Request, source: Address) -> None:
        dialog = self._dialogs.get(request.call_id)
        if dialog is not None and request.sequence == dialog.sequence:
            if dialog.final:
                self._send(dialog.final, source)
            else:
                self._reply(request, "180 Ringing", source, dialog)
        elif dialog is not None and request.to_tag == dialog.tag and dialog.state is State.UP:
            self._on_invite_again(dialog, request, source)
        elif dialog is not None or request.to_tag:
            self._reply(request, "481 Call/Transaction Does Not Exist", source)
        else:
            self._on_new_call(request, source)

    def _on_new_call(self, request: Request, source: Address) -> None:
        dialog = Dialog(request, source, uuid4().hex, self._telephone.media_address(), read_offer(request.body))
        dialog.sequence = request.sequence
        self._dialogs[request.call_id] = dialog
        self._telephone.invited(dialog)
        self._reply(request, "100 Trying", source)
        if not self._telephone.is_known(dialog.number):
            self._refuse(dialog, NOT_FOUND)
        elif dialog.offer is None:
            self._refuse(dialog, NOT_ACCEPTABLE)
        else:
            self._reply(request, "180 Ringing", source, dialog)
            self._timers.after(self._ring_seconds, lambda: self._answer(dialog))

    def _on_invite_again(self, dialog: Dialog, request: Request, source: Address) -> None:
        dialog.sequence = request.sequence
        offer = read_offer(request.body) if request.body else dialog.offer
        if offer is None or dialog.offer is None or offer.payload_type != dialog.offer.payload_type:
            self._finally(dialog, request, source, NOT_ACCEPTABLE)
        else:
            dialog.offer = offer
            self._finally(dialog, request, source, OK)
            self._telephone.moved(dialog)

    def _on_ack(self, request: Request) -> None:
        dialog = self._dialogs.get(request.call_id)
        if dialog is None or request.sequence != dialog.sequence:
            return
        dialog.acknowledged = True
        if dialog.to_hang_up and dialog.state is State.UP:
            self._bye(dialog)

    def _on_bye(self, request: Request, source: Address) -> None:
        dialog = self._dialogs.get(request.call_id)
        if dialog is None or request.to_tag != dialog.tag:
            self._reply(request, "481 Call/Transaction Does Not Exist", source)
            return
        self._reply(request, OK, source, dialog)
        if dialog.state is State.RINGING:
            self._refuse(dialog, CANCELLED)
        elif dialog.state is State.UP:
            self._end(dialog, 200, EndedBy.PBX)

    def _on_cancel(self, request: Request, source: Address) -> None:
        dialog = self._dialogs.get(request.call_id)
        if dialog is None or request.branch != dialog.invite.branch:
            self._reply(request, "481 Call/Transaction Does Not Exist", source)
            return
        self._reply(request, OK, source, dialog)
        if dialog.state is State.RINGING:
            self._refuse(dialog, CANCELLED)

    def _on_response(self, message: Response) -> None:
        dialog = self._dialogs.get(message.call_id)
        if dialog is not None and message.sequence_method == "BYE" and message.status >= 200:
            dialog.bye_answered = True

    # ---- what we do ----------------------------------------------------------------------------------

    def _answer(self, dialog: Dialog) -> None:
        if dialog.state is not State.RINGING:
            return
        dialog.state = State.UP
        self._telephone.answered(dialog)
        self._finally(dialog, dialog.invite, dialog.source, OK)

    def _refuse(self, dialog: Dialog, status: str) -> None:
        self._finally(dialog, dialog.invite, dialog.source, status)
        by = EndedBy.PBX if status == CANCELLED else EndedBy.FAR_END
        self._end(dialog, int(status[:3]), by)

    def _finally(self, dialog: Dialog, request: Request, source: Address, status: str) -> None:
        """Send the final response to an INVITE, again and again until its ACK."""
        dialog.acknowledged = False
        if status == OK and dialog.offer is not None:
            dialog.final = response(
                request,
                status,
                source,
                tag=dialog.tag,
                headers=(self._contact(dialog), ALLOW, ("Content-Type", "application/sdp")),
                body=answer(dialog.offer, dialog.hears_at),
            )
        else:
            dialog.final = response(request, status, source, tag=dialog.tag)
        final = dialog.final

        def is_wanted() -> bool:
            return dialog.final is final and not dialog.acknowledged and (status != OK or dialog.state is State.UP)

        self._repeat(final, source, is_wanted, lambda: self._bye(dialog) if dialog.state is State.UP else None)

    def _bye(self, dialog: Dialog) -> None:
        invite = dialog.invite
        ours = invite.first("to") + f";tag={dialog.tag}"
        host, port = self._address
        headers = [
            ("Via", f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{uuid4().hex};rport"),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in invite.all("record-route")),
            ("From", ours),
            ("To", invite.first("from")),
            ("Call-ID", invite.call_id),
            ("CSeq", "1 BYE"),
            # As gateways to the telephone network say it; Asterisk knows no cause without it.
            ("Reason", 'Q.850;cause=16;text="Normal Clearing"'),
        ]
        datagram = written(f"BYE {invite.contact} SIP/2.0", headers)
        self._end(dialog, 200, EndedBy.FAR_END)
        self._repeat(datagram, dialog.source, lambda: not dialog.bye_answered, lambda: None)

    def _end(self, dialog: Dialog, status: int, by: EndedBy) -> None:
        dialog.state = State.ENDED
        self._timers.after(GIVE_UP_SECONDS, lambda: self._forget(dialog))
        self._telephone.ended(dialog, status, by)

    def _forget(self, dialog: Dialog) -> None:
        self._dialogs.pop(dialog.call_id, None)

    def _repeat(self, datagram: bytes, to: Address, is_wanted: Callable[[], bool], in_vain: Callable[[], None]) -> None:
        """Send now, then at intervals that double up to T2 while it is wanted; `in_vain` after 32 s of that."""
        self._send(datagram, to)

        def again(interval: float, waited: float) -> None:
            if not is_wanted():
                return
            if waited >= GIVE_UP_SECONDS:
                in_vain()
                return
            self._send(datagram, to)
            following = min(T2, 2 * interval)
            self._timers.after(following, lambda: again(following, waited + following))

        self._timers.after(T1, lambda: again(T1, T1))

    def _reply(self, request: Request, status: str, source: Address, dialog: Dialog | None = None) -> None:
        tag = dialog.tag if dialog else "" if status.startswith("100") else uuid4().hex
        headers = (self._contact(dialog), ALLOW) if dialog else (ALLOW,)
        self._send(response(request, status, source, tag=tag, headers=headers), source)

    def _contact(self, dialog: Dialog) -> tuple[str, str]:
        host, port = self._address
        return "Contact", f"<sip:{dialog.number}@{host}:{port}>"
