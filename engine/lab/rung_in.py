"""Reads what callers who rang in saw, from the simulated network's own record.

The other direction of `engine.lab.witness`: that one tells of calls that reached the network, this one of calls that
began there. It only reads.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from engine.lab.witness import KeyPress, Line, lines

_SIP_FINAL = re.compile(r"SIP ([3-6]\d\d)")


@dataclass(frozen=True, slots=True)
class RungIn:
    """One call to the PBX as the caller saw it. Times are epoch seconds; None: it did not happen (yet).

    `ring_id` is what `ring_in` returned, `dialled` the number dialled, `caller` the number sent as who calls
    (`agent-1001` for an agent's phone, empty if withheld), `call_id` the SIP Call-ID, `channel` the network's channel.
    `answered_at`: billing began. `heard`, `quiet`: for each `listen` of the script that heard something, when speech
    began and when 1.2 s of silence had followed it. `met_at`: 0.4 s of the agent's tone, while talking. `hung_up_at`:
    the caller ended the call by its script; None in an ended call: the PBX did, or the caller's patience was over.
    `sip_code`: the PBX's refusal, None if it was answered or given up. `cause`: the Q.850 cause at the end.
    """

    ring_id: str
    dialled: str
    caller: str
    call_id: str
    channel: str
    started_at: float
    answered_at: float | None = None
    keys: tuple[KeyPress, ...] = ()
    heard: tuple[float, ...] = ()
    quiet: tuple[float, ...] = ()
    met_at: float | None = None
    hung_up_at: float | None = None
    ended_at: float | None = None
    sip_code: int | None = None
    cause: int | None = None

    @property
    def pressed(self) -> str:
        """The keys pressed, in order."""
        return "".join(press.key for press in self.keys)


@dataclass(slots=True)
class _Building:
    """A call while its lines are read."""

    ring_id: str
    dialled: str
    caller: str
    call_id: str
    started_at: float
    times: dict[str, float] = field(default_factory=dict)
    keys: list[KeyPress] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    cause: int | None = None


def read(path: Path) -> list[RungIn]:
    """Every caller in the record, in the order in which they rang; an empty list while nobody did."""
    calls: dict[str, _Building] = {}
    refusals: dict[str, int] = {}
    for line in lines(path):
        if line.event == "UNANSWERED":  # written by the channel that dialled, not by the phone's
            ring_id, _blank, response = line.text.partition(" ")
            if final := _SIP_FINAL.match(response):
                refusals[ring_id] = int(final[1])
            continue
        _note(calls, line)
    return [_finished(channel, call, refusals.get(call.ring_id)) for channel, call in calls.items()]


def _note(calls: dict[str, _Building], line: Line) -> None:
    if line.event == "RING":
        ring_id, dialled, call_id, caller = (*line.text.split(" "), "", "", "")[:4]
        calls[line.channel] = _Building(ring_id, dialled, caller, call_id, line.at)
        return
    call = calls.get(line.channel)
    if call is None:
        return
    match line.event:
        case "KEY":
            call.keys.append(KeyPress(key=line.text, at=line.at))
        case "HEARD":
            call.heard.append(line.at)
        case "QUIET":
            call.quiet.append(line.at)
        case "HANGUP":
            call.times["HANGUP"] = line.at
            call.cause = line.cause
        case "ANSWER" | "MET" | "HUNG_UP":
            call.times.setdefault(line.event, line.at)


def _finished(channel: str, call: _Building, refusal: int | None) -> RungIn:
    return RungIn(
        ring_id=call.ring_id,
        dialled=call.dialled,
        caller=call.caller,
        call_id=call.call_id,
        channel=channel,
        started_at=call.started_at,
        answered_at=call.times.get("ANSWER"),
        keys=tuple(call.keys),
        heard=tuple(call.heard),
        quiet=tuple(call.quiet),
        met_at=call.times.get("MET"),
        hung_up_at=call.times.get("HUNG_UP"),
        ended_at=call.times.get("HANGUP"),
        sip_code=refusal,
        cause=call.cause,
    )
