"""Reads the simulated network's own record of every INVITE.

The record is written by the second Asterisk, one line per event (its channel event log), so it does not depend on
the engine or the PBX: it is what a carrier could prove. This module only reads it. Calls in the other direction, of
callers who ring in, stand in the same record and are read by `engine.lab.rung_in`; they are never among these.
"""

import csv
import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_PACKET_SECONDS = 0.02


class Side(StrEnum):
    """Whose phone was called."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key that the far end pressed; `at` in epoch seconds, just before the tone began."""

    key: str
    at: float


@dataclass(frozen=True, slots=True)
class WitnessCall:
    """One INVITE as the far end saw it. Times are epoch seconds.

    `call_id` is the SIP Call-ID, `number` what was dialled, `caller` the number shown as who calls, `sip_code` the
    refusal the far end itself sent, `cause` the Q.850 cause at the end. `heard_at`: the listener took notice of sound
    after its own hello; `asked_at`: 1.2 s of silence after the announcement; `beep_at`: end of a voicemail's beep;
    `person_at`: somebody came to the phone after the call screening robot; `met_at`: 0.4 s of the other side's talking
    tone. `rtp_sent`: packets sent until `asked_at`. `recorded_seconds`: how much a voicemail heard after its beep.
    """

    call_id: str
    number: str
    side: Side
    channel: str
    invited_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    sip_code: int | None = None
    cause: int | None = None
    keys: tuple[KeyPress, ...] = ()
    heard_at: float | None = None
    asked_at: float | None = None
    beep_at: float | None = None
    person_at: float | None = None
    met_at: float | None = None
    rtp_sent: int | None = None
    recorded_seconds: float | None = None
    caller: str = ""

    @property
    def pressed(self) -> str:
        """The keys pressed, in order."""
        return "".join(press.key for press in self.keys)


@dataclass(slots=True)
class _Building:
    """A call while its lines are read."""

    call_id: str
    number: str
    caller: str
    invited_at: float
    times: dict[str, float] = field(default_factory=dict)
    keys: list[KeyPress] = field(default_factory=list)
    sip_code: int | None = None
    cause: int | None = None
    rtp_sent: int | None = None
    recorded_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record: what happened, when, on which channel of the network, with what besides. `cause`: the
    Q.850 cause, of a HANGUP only."""

    event: str
    at: float
    channel: str
    text: str
    cause: int | None


def lines(path: Path) -> list[Line]:
    """The record in the order of time; an empty list while nothing happened."""
    if not path.exists():
        return []
    # A line that is being written just now has no end yet: it belongs to the next look.
    whole = path.read_text("utf-8", errors="replace").rpartition("\n")[0]
    rows = [row for row in csv.reader(whole.splitlines()) if len(row) == 5]
    return sorted((_line(row) for row in rows), key=lambda line: line.at)


def _line(row: list[str]) -> Line:
    event, at, channel, _own_name, written = row
    extra = json.loads(written) if written else {}
    return Line(event, float(at), channel, str(extra.get("extra", "")), int(extra.get("hangupcause", 0)) or None)


def read(path: Path) -> list[WitnessCall]:
    """Every call to the network in the record, in the order of their INVITEs; an empty list while nobody was called."""
    calls: dict[str, _Building] = {}
    for line in lines(path):
        _note(calls, line)
    return [_finished(channel, call) for channel, call in calls.items()]


def _note(calls: dict[str, _Building], line: Line) -> None:
    text, at = line.text, line.at
    if line.event == "INVITE":
        number, call_id, caller = (*text.split(" "), "", "")[:3]
        calls[line.channel] = _Building(call_id=call_id, number=number, caller=caller, invited_at=at)
        return
    call = calls.get(line.channel)
    if call is None:
        return
    match line.event:
        case "KEY":
            call.keys.append(KeyPress(key=text, at=at))
        case "REFUSED":
            call.sip_code = int(text)
        case "HANGUP":
            call.times["HANGUP"] = at
            call.cause = line.cause
        case "RECORDED" if text.isdigit():
            call.recorded_seconds = int(text) * _PACKET_SECONDS
        case "ASKED" | "HEARD" | "ANSWER" | "BEEP" | "PERSON" | "MET":
            call.times.setdefault(line.event, at)
            if line.event == "ASKED" and text.isdigit():
                call.rtp_sent = int(text)


def _finished(channel: str, call: _Building) -> WitnessCall:
    return WitnessCall(
        call_id=call.call_id,
        number=call.number,
        side=Side.AGENT if len(call.number) == 4 else Side.CUSTOMER,
        channel=channel,
        invited_at=call.invited_at,
        answered_at=call.times.get("ANSWER"),
        ended_at=call.times.get("HANGUP"),
        sip_code=call.sip_code,
        cause=call.cause,
        keys=tuple(call.keys),
        heard_at=call.times.get("HEARD"),
        asked_at=call.times.get("ASKED"),
        beep_at=call.times.get("BEEP"),
        person_at=call.times.get("PERSON"),
        met_at=call.times.get("MET"),
        rtp_sent=call.rtp_sent,
        recorded_seconds=call.recorded_seconds,
        caller=call.caller,
    )
