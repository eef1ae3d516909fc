"""Those of the demonstration who act while it goes on: Uma, who rings in; the receptionist; Nora, who has a screen;
whoever watches Hugo.

Their `act` is called again and again, does what is due, and never waits. They use the telephone network and the engine
as anybody could, and judge nothing; what they saw is kept for `engine.demo.scenes`.
"""

from __future__ import annotations

import secrets
import time

from cli.client import EngineClient
from engine.demo.cast import GIVER, LENDER, RECEPTION, RECEPTION_NUMBER, RECEPTIONIST, UMA, WILL
from engine.demo.scenes import Offer
from engine.errors import RingbackError
from engine.lab import Lab
from engine.lab.callers import ring_in, steps

UMA_RINGS_IN = "listen 15, press 1, listen, press 1, stay"
"""Greeting, music and her place, all of it; the key; her number is read back; it is right."""
IN_LINE_LIMIT_SECONDS = 10.0
READS_SECONDS = 2.0
"""How long Nora reads what is offered before she says yes."""
_POLL_SECONDS = 0.1


class Receptionist:
    """Comes when Uma has rung off: until then nobody is there for her or for who asks after her."""

    def __init__(self, lab: Lab, client: EngineClient) -> None:
        self._lab = lab
        self._client = client
        self._came = False
        self._ring = ring_in(lab, RECEPTION_NUMBER, UMA.number, steps(UMA_RINGS_IN))

    def wait_until_uma_is_in_line(self) -> None:
        """Raises RingbackError if she does not come in."""
        deadline = time.monotonic() + IN_LINE_LIMIT_SECONDS
        while not list(self._client.items("/inbound", {"service": RECEPTION})):
            if time.monotonic() > deadline:
                raise RingbackError(f"the engine did not take Uma's call within {IN_LINE_LIMIT_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)

    def act(self) -> None:
        """Come, once."""
        if self._came or all(call.ring_id != self._ring or call.ended_at is None for call in self._lab.rung_in()):
            return
        self._client.put(f"/agents/{RECEPTIONIST}/state", {"state": "ready"})
        self._came = True


class Screen:
    """What Nora's screen does: logs in, shows who is to be called, and sends her yes."""

    def __init__(self, admin: EngineClient) -> None:
        password = secrets.token_urlsafe(16)
        admin.put(f"/agents/{LENDER}/password", {"password": password})
        session = EngineClient(admin.url, None).post("/sessions", {"username": LENDER, "password": password})
        self._client = EngineClient(admin.url, session["token"])
        self._client.put("/agent/state", {"state": "ready"})
        self.offer: Offer | None = None

    def act(self) -> None:
        """Look at the offer, and say yes once it is read."""
        if self.offer is not None and self.offer.accepted_at is not None:
            return
        work = self._client.get("/agent")["work"]
        if work is None or work["stage"] != "offered":
            return
        if self.offer is None:
            self.offer = Offer(work["callback"], work["customer"]["first_name"], shown_at=time.time())
        if time.time() < self.offer.shown_at + READS_SECONDS:
            return
        accepted_at = time.time()
        self._client.post(f"/agent/work/{work['id']}/accept", {})
        self.offer = self.offer.accepted(accepted_at)


class Watcher:
    """Looks at Hugo, who has given Will away, until he is seen in wrap-up while Will goes on talking."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self.wrapped_up = False

    def act(self) -> None:
        """Look once more."""
        if self.wrapped_up:
            return
        states = {agent["id"]: agent["state"] for agent in self._client.items("/agents")}
        if states[GIVER] != "wrap_up":
            return
        # In this order: a call that goes on now went on then.
        calls = self._client.items("/callbacks", {"phone": WILL.number})
        self.wrapped_up = any(callback["state"] == "connected" for callback in calls)
