"""Callers who ring in to the lab's PBX, from the telephone network or from an agent's phone.

`ring_in` starts one and does not wait; the caller then goes through its steps by itself on the network's Asterisk, so
that dozens can ring at once. What came of it is in `lab.rung_in()`, and `lab.await_rung_in(ring_id)` waits for the end.

Steps, separated by commas; they begin when the call is answered:

    listen [S]     wait for sound, then for 1.2 s without a packet, each no longer than S seconds (default 40)
    press KEYS     press the keys 0-9 * # one after another, two a second, each 150 ms long (RFC 4733)
    wait S         say nothing for S seconds (silence is sent)
    talk [S]       a tone of 440 Hz; hang up S seconds after hearing an agent (1000 Hz), without S never
    stay           say nothing until the other side hangs up
    hang-up        hang up

Music is no silence: `listen` ends with an announcement that is followed by nothing, or after S seconds.
`talk`, `stay` and `hang-up` end a script; one without them ends with `stay`. Ten minutes after the answer every caller
hangs up. This module never answers for the PBX: a caller's phone is the calling side.
"""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

from engine.lab.errors import LabError
from engine.lab.lab import Lab

_REQUEST_SECONDS = 10.0
_LISTEN_SECONDS = "40"
_DIALLED = re.compile(r"[0-9A-Za-z*+._-]{1,40}")
_CALLER = re.compile(r"\+?[0-9]{1,20}|agent-[0-9]{4}|second-trunk")
_SECONDS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_WHOLE_SECONDS = re.compile(r"[1-9][0-9]{0,2}")
_KEYS = re.compile(r"[0-9*#]{1,40}")


class Verb(StrEnum):
    """What a caller can do."""

    LISTEN = "listen"
    PRESS = "press"
    WAIT = "wait"
    TALK = "talk"
    STAY = "stay"
    HANG_UP = "hang-up"


_LAST = (Verb.TALK, Verb.STAY, Verb.HANG_UP)
_TAKES = {Verb.LISTEN: _WHOLE_SECONDS, Verb.PRESS: _KEYS, Verb.WAIT: _SECONDS, Verb.TALK: _SECONDS}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a caller does; `argument` as in the table above, empty if left out."""

    verb: Verb
    argument: str = ""


def steps(text: str) -> tuple[Step, ...]:
    """The script in `text`, such as `listen, press 1, talk`. Raises LabError with what is wrong."""
    script = tuple(_step(each.strip()) for each in text.split(",") if each.strip())
    early = next((each.verb for each in script[:-1] if each.verb in _LAST), None)
    if early is not None:
        raise LabError(f"nothing can follow {early.value!r} in a caller's steps")
    return script


def check(dialled: str, caller: str | None) -> None:
    """Raises LabError with what cannot be dialled, or who cannot call."""
    if not _DIALLED.fullmatch(dialled):
        raise LabError(f"{dialled!r} cannot be dialled: use digits and letters, and + * . _ -")
    if caller is not None and not _CALLER.fullmatch(caller):
        raise LabError(f"{caller!r} cannot be a caller: use a number such as +12025550100, agent-1001 or second-trunk")


def ring_in(
    lab: Lab, dialled: str, caller: str | None, script: Sequence[Step], *, patience_seconds: float = 120.0
) -> str:
    """Ring the lab's PBX at `dialled` as `caller`; the ring id, at once. Who is not answered gives up after
    `patience_seconds`.

    `caller`: a number as the carrier sends it, None for a withheld one, or `agent-1001` for a call from that agent's
    phone (to `*80` or `1002`, say), or `second-trunk` for somebody without a number who comes by another trunk than
    that of the calls to customers. `dialled`: as in the INVITE, such as `+12025550199`.
    """
    check(dialled, caller)
    ending = () if script and script[-1].verb in _LAST else (Step(Verb.STAY),)
    ring_id = f"ring-{secrets.token_hex(6)}"
    body = {
        "endpoint": "Local/s@ring-in/n",
        # Never reached: the half that ARI dials ends with the other one.
        "context": "ring-in",
        "extension": "answered",
        "priority": 1,
        "timeout": -1,
        # Otherwise Asterisk takes its best for the way between the two halves: 192 kHz, in which no tone is detected.
        "formats": "ulaw",
        "variables": {
            "__RING_ID": ring_id,
            "__RING_DIALLED": dialled,
            "__RING_CALLER": caller or "",
            "__RING_PATIENCE": f"{patience_seconds:g}",
            "__RING_STEPS": ",".join(f"{each.verb.value},{each.argument}" for each in (*script, *ending)),
        },
    }
    _request(lab, "POST", f"/channels/{ring_id}", body)
    return ring_id


def hang_up(lab: Lab, ring_id: str) -> None:
    """Put the caller's phone down now, answered or not; it is not recorded as a step of the script."""
    for call in lab.rung_in():
        if call.ring_id == ring_id and call.ended_at is None:
            _request(lab, "DELETE", f"/channels/{call.channel}", {})


def _step(text: str) -> Step:
    verb, _blank, argument = text.partition(" ")
    if verb not in tuple(Verb):
        raise LabError(f"no caller can {text!r}; steps are {', '.join(Verb)}")
    step = Step(Verb(verb), argument.strip() or (_LISTEN_SECONDS if verb == Verb.LISTEN else ""))
    takes = _TAKES.get(step.verb)
    if takes is None and step.argument:
        raise LabError(f"{verb!r} takes nothing, so {text!r} is not a step")
    if takes is None or (step.verb is Verb.TALK and not step.argument):
        return step
    if not takes.fullmatch(step.argument):
        wants = {Verb.PRESS: "keys 0-9 * #", Verb.LISTEN: "whole seconds"}.get(step.verb, "seconds")
        raise LabError(f"{text!r} is not a step: {verb} takes {wants}")
    return step


def _request(lab: Lab, method: str, path: str, body: dict[str, object]) -> None:
    """One after another, so that the ten connections that Asterisk queues are never exceeded by callers."""
    where = urlsplit(lab.network.ari_url)
    connection = HTTPConnection(f"{where.hostname}:{where.port}", timeout=_REQUEST_SECONDS)
    headers = {**lab.network.headers(), "Content-Type": "application/json"}
    try:
        connection.request(method, f"{where.path}{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except OSError as error:
        raise LabError(f"the lab's network does not answer at {lab.network.ari_url}: {error}") from error
    finally:
        connection.close()
    if answer.status == HTTPStatus.NOT_FOUND and method == "DELETE":
        return  # the call ended by itself meanwhile
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise LabError(f"the lab's network refuses the call ({answer.status}): {text[:200]}")
