"""A dial of which nothing is heard: the end of its ringing is ours, and the agent is free again."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.centre import Callback, Centre, agent, service
from tests.live.faults.background import Background, Place

RING, CLOSING = 4.0, 2.0
LATE_SECONDS = 2.0
SWALLOWED, UNHEARD, AGENT = "12025550100", "12025550111", 1011
SERVICE = {
    "ring_timeout_seconds": RING,
    "attempts": {"max": 2, "interval_seconds": 600},
    "call_limits": {"closing_seconds": CLOSING},
}


@dataclass(frozen=True, slots=True)
class Dial:
    """What became of one dial: seconds from the dial to the decision, and to an agent who is free again."""

    callback: Callback
    decided_seconds: float
    free_seconds: float
    agent_because: Sequence[str]


@dataclass(frozen=True, slots=True)
class Unheard:
    """A far end that never answers its INVITE, and a leg of which no event comes."""

    swallowed: Dial
    packets: int
    unheard: Dial
    rang_seconds: float


def nothing_is_heard_of_a_dial(place: Place) -> Unheard:
    with Lab.up() as lab, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as swallows:
        swallows.bind(("127.0.0.1", 0))
        swallows.setblocking(False)
        to = f"PJSIP/trunk/sip:{{number}}@127.0.0.1:{swallows.getsockname()[1]}"
        with EngineProcess(lab, _folder(place, "swallowed"), customer_endpoint=to) as engine:
            swallowed = _dial(Centre(lab, engine), SWALLOWED)
        with EngineProcess(lab, _folder(place, "unheard")) as engine:
            centre = Centre(lab, engine)
            _let_through(lab, "ChannelUserevent")  # by which the engine finds out whether events come at all
            unheard = _dial(centre, UNHEARD)
            [call] = centre.calls_to(UNHEARD)
            assert call.ended_at is not None
        return Unheard(swallowed, _packets(swallows), unheard, call.ended_at - call.invited_at)


def _folder(place: Place, name: str) -> Path:
    folder = place.folder / name
    folder.mkdir()
    return folder


def _dial(centre: Centre, number: str) -> Dial:
    centre.configure([service("unheard", **SERVICE)], [agent(AGENT, "unheard")])
    centre.ready(AGENT)
    callback = centre.request("unheard", number)
    outcome = "select dialed_at, outcome from attempts where callback = ? and outcome not null"
    centre.wait(lambda: centre.rows(outcome, callback), "the dial is given up", RING + 20)
    decided_at = time.time()
    centre.wait(lambda: centre.agent_state(AGENT)[0] == "ready", "the agent is free", CLOSING + 20)
    free_at = time.time()
    [row] = centre.rows(outcome, callback)
    centre.until_state(callback, "retry_wait", 10)
    moves = centre.rows("select because from agent_moves order by id")
    return Dial(
        centre.callback(callback),
        decided_at - row["dialed_at"],
        free_at - row["dialed_at"],
        [move["because"] for move in moves],
    )


def _let_through(lab: Lab, *kinds: str) -> None:
    """Of all events, the engine is sent only these."""
    body = {"allowed": [{"type": kind} for kind in kinds], "disallowed": []}
    request = Request(  # noqa: S310 - the lab's own Asterisk
        f"{lab.pbx.ari_url}/applications/ringback/eventFilter",
        json.dumps(body).encode(),
        {**lab.pbx.headers(), "Content-Type": "application/json"},
        method="PUT",
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        assert answer.status == 200


def _packets(swallows: socket.socket) -> int:
    """How many INVITEs came; all have one Call-ID, or it would be more than one call."""
    seen: list[bytes] = []
    while True:
        try:
            seen.append(swallows.recv(65536))
        except BlockingIOError:
            break
    invites = [packet for packet in seen if packet.startswith(b"INVITE ")]
    call_ids = {line for packet in invites for line in packet.split(b"\r\n") if line.lower().startswith(b"call-id:")}
    assert len(call_ids) == 1
    return len(invites)


STORIES = {nothing_is_heard_of_a_dial: 30}


@pytest.fixture(scope="module")
def heard(background: Background) -> Unheard:
    return background.result(nothing_is_heard_of_a_dial)


def test_a_far_end_that_never_answers_its_invite_is_given_up_by_us_and_the_agent_is_free_at_once(
    heard: Unheard,
) -> None:
    assert heard.packets > 1, "Asterisk repeated it, and nobody answered"
    assert RING <= heard.swallowed.decided_seconds < RING + LATE_SECONDS
    assert heard.swallowed.free_seconds < RING + LATE_SECONDS
    [attempt] = heard.swallowed.callback["attempts"]
    assert (attempt["outcome"], attempt["answered_at"], attempt["sip_code"]) == ("no_answer", None, None)


def test_a_leg_of_which_no_event_comes_is_given_up_by_us_and_its_agent_free_when_it_must_be_gone(
    heard: Unheard,
) -> None:
    assert RING <= heard.unheard.decided_seconds < RING + LATE_SECONDS
    assert RING - 0.5 < heard.rang_seconds < RING + LATE_SECONDS
    assert heard.unheard.free_seconds < RING + CLOSING + LATE_SECONDS
    [attempt] = heard.unheard.callback["attempts"]
    assert (attempt["outcome"], attempt["answered_at"], attempt["sip_code"]) == ("no_answer", None, None)


def test_no_agent_is_blamed_for_it(heard: Unheard) -> None:
    assert "rona" not in {*heard.swallowed.agent_because, *heard.unheard.agent_because}
