"""Agents hold customers and give them away with the keys of their phones, and the engine dies meanwhile.

Each act has a service, an agent and a customer of its own. All happen at the same time; then the engine is killed with
one customer on hold and one given away, and once more in the middle of a transfer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.crash_points import VARIABLE
from engine.lab import Lab
from engine.lab.callers import ring_in, steps
from engine.lab.engine_process import EngineProcess
from engine.lab.phone.audio import AGENT_HERTZ, CUSTOMER_HERTZ
from engine.lab.phone.call import Call
from engine.lab.phone.phone import Phone, mix
from tests.live.calls.centre import Callback, Centre, agent, service
from tests.live.faults.background import Background, Place
from tests.live.legs import Legs

HOLDS, GIVES, ASKS, MIXES, TO_NOBODY, TO_WHO_RINGS, CALLED, TO_WHO_REFUSES, LEFT = range(1961, 1970)
TAKES, ASKED, MIXED, FREE_LATER, REFUSES, TAKES_CALLER, REFUSES_TOO, MENU, TALKS_ON, ALONE = range(1972, 1982)
NOBODY = 1990
SERVICES = {
    HOLDS: "holds",
    GIVES: "gives",
    ASKS: "asks",
    MIXES: "mixes",
    TO_NOBODY: "nobody",
    TO_WHO_RINGS: "rings",
    TO_WHO_REFUSES: "refuses",
    LEFT: "left",
    CALLED: "called",
}
AREAS = dict(zip(SERVICES, ("202", "203", "205", "206", "207", "208", "209", "210", "212"), strict=True))
PRESSES_AT_ONCE = "25"
ABSENCE_SECONDS = 1.0
RINGS_SECONDS = 1.5
DIALLED, CALLER = "+12025550142", "+12125550143"


@dataclass(slots=True)
class Seen:
    """What was found out, by the agent who did it."""

    ended: dict[int, Callback] = field(default_factory=dict)
    states: dict[int, list[str]] = field(default_factory=dict)
    let_go: set[str] = field(default_factory=set)
    caller: dict[str, Any] = field(default_factory=dict)
    did: dict[str, str] = field(default_factory=dict)


class Floor:
    """The phones on the desks, and the engine that is asked beside them."""

    def __init__(self, centre: Centre, phones: dict[int, Phone], seen: Seen) -> None:
        self.centre = centre
        self.phones = phones
        self.seen = seen
        self.callbacks: dict[int, str] = {}

    def number(self, act: int) -> str:
        return f"1{AREAS[act]}55501{PRESSES_AT_ONCE}"

    async def until(self, holds: Callable[[], object], what: str, limit_seconds: float = 25.0) -> None:
        await asyncio.to_thread(self.centre.wait, holds, what, limit_seconds)

    async def ask(self, act: int) -> None:
        self.callbacks[act] = await asyncio.to_thread(self.centre.request, SERVICES[act], self.number(act))

    async def ready(self, number: int) -> None:
        await asyncio.to_thread(self.centre.ready, number)

    async def leaves(self, number: int) -> None:
        """After this call: so that the customer is not given to them again."""
        state = {"state": "not_ready", "reason": "lunch"}
        await asyncio.to_thread(self.centre.client.put, f"/agents/a{number}/state", state)

    async def served(self, number: int) -> Call:
        """The call of a customer, once the agent hears them."""
        call = await self.phones[number].rung()
        await call.answer()
        await call.hear(CUSTOMER_HERTZ, within=30)
        return call

    async def taken(self, number: int, *, after_seconds: float = 0.0) -> Call:
        """The call of a customer who was given away, once the colleague hears them."""
        call = await self.phones[number].rung()
        await asyncio.sleep(after_seconds)
        await call.answer()
        await call.hear(CUSTOMER_HERTZ)
        return call

    async def shows(self, number: int, *states: str) -> None:
        """Wait until the agent's desk shows one of these, and keep it."""
        found: list[str] = []

        def shown() -> bool:
            found[:] = [self.centre.agent_state(number)[0]]
            return found[0] in states

        await self.until(shown, f"agent {number} shows {states}")
        self.seen.states.setdefault(number, []).extend(found)

    async def transferred(self, act: int) -> None:
        """Wait until the transfer is on record, and the call goes on."""

        def known() -> bool:
            callback = self.centre.callback(self.callbacks[act])
            return callback["state"] == "connected" and callback["attempts"][-1]["transferred_at"] is not None

        await self.until(known, f"the transfer of {act} is on record")

    async def waits_again(self, act: int) -> None:
        """Wait until the customer, whom nobody answered, hears music again."""

        def waits() -> bool:
            attempts = self.centre.rows("select * from attempts where callback = ?", self.callbacks[act])
            return attempts[-1]["waits_again_at"] is not None

        await self.until(waits, f"the customer of {act} waits again")

    async def ended(self, act: int) -> None:
        [self.seen.ended[act]] = await asyncio.to_thread(
            self.centre.until_ended, self.callbacks[act], limit_seconds=30.0
        )
        await self.until(lambda: not self.is_up(act), f"the customer of {act} is let go")

    def is_up(self, act: int) -> bool:
        return any(call.ended_at is None for call in self.centre.calls_to_so_far(self.number(act)))

    def hang_up_customer(self, act: int) -> None:
        leg = self.centre.calls_to_so_far(self.number(act))[-1].channel
        answer = self.centre.lab.console(f"channel request hangup {leg}", side="network")
        assert "Requested" in answer, answer

    async def lets_go(self, call: Call, why: str) -> None:
        """Wait until the engine has ended a colleague's call."""
        async with asyncio.timeout(15):
            await call.ended.wait()
        self.seen.let_go.add(why)

    async def left_alone(self, legs: Legs, bridge: str) -> Call:
        """Somebody in a bridge as an engine leaves it behind that dies when the customer has gone."""
        leg = await legs.post(str(ALONE), {})
        call = await self.phones[ALONE].rung()
        await call.answer()
        await legs.when("StasisStart")
        await legs.request("POST", f"/bridges/{bridge}", {"type": "mixing"})
        await legs.request("POST", f"/bridges/{bridge}/addChannel", {"channel": leg})
        return call

    async def consult(self, act: int, call: Call, number: int) -> tuple[Call, Call]:
        """Hold, and talk to a colleague: both ends of that call."""
        await call.hold()
        ours = await self.phones[act].call(str(number))
        theirs = await self.phones[number].rung()
        await theirs.answer()
        await ours.answered.wait()
        await theirs.hear(AGENT_HERTZ)
        return ours, theirs


async def give(floor: Floor) -> None:
    """Blindly, to a colleague who answers; who hangs up."""
    call = await floor.served(GIVES)
    await call.transfer(str(TAKES))
    await call.hang_up()
    theirs = await floor.taken(TAKES, after_seconds=RINGS_SECONDS)
    await floor.transferred(GIVES)
    await floor.shows(GIVES, "wrap_up", "ready")
    await floor.shows(GIVES, "ready")
    await theirs.hang_up()
    await floor.ended(GIVES)


async def give_to_who_refuses(floor: Floor) -> None:
    """Blindly, to a phone that rings for a moment and refuses; then *to the agents' menu*, which takes nobody."""
    call = await floor.served(TO_WHO_REFUSES)
    await floor.leaves(TO_WHO_REFUSES)
    await call.transfer(str(REFUSES_TOO))
    await call.hang_up()
    theirs = await floor.phones[REFUSES_TOO].rung()
    await asyncio.sleep(RINGS_SECONDS)
    await floor.transferred(TO_WHO_REFUSES)
    theirs.refuse()
    await floor.waits_again(TO_WHO_REFUSES)
    await floor.ready(MENU)
    again = await floor.served(MENU)
    await again.transfer("*80")
    await again.hang_up()
    await floor.waits_again(TO_WHO_REFUSES)
    floor.hang_up_customer(TO_WHO_REFUSES)
    await floor.ended(TO_WHO_REFUSES)


async def give_to_nobody(floor: Floor) -> None:
    """Blindly, to a phone that is away: the customer waits for the next agent of ours, who becomes ready later."""
    call = await floor.served(TO_NOBODY)
    await floor.leaves(TO_NOBODY)
    await call.transfer(str(NOBODY))
    await call.hang_up()
    await floor.transferred(TO_NOBODY)
    await floor.ready(FREE_LATER)
    again = await floor.served(FREE_LATER)
    await floor.shows(FREE_LATER, "talking")
    await again.hang_up()
    await floor.ended(TO_NOBODY)


async def give_to_who_rings(floor: Floor) -> None:
    """To a call that only rings: the colleague refuses, the customer waits, and hangs up then."""
    call = await floor.served(TO_WHO_RINGS)
    await floor.leaves(TO_WHO_RINGS)
    await call.hold()
    ours = await floor.phones[TO_WHO_RINGS].call(str(REFUSES))
    theirs = await floor.phones[REFUSES].rung()
    await ours.ringing.wait()
    await call.transfer_to(ours)
    await call.hang_up()
    await floor.transferred(TO_WHO_RINGS)
    theirs.refuse()
    await floor.waits_again(TO_WHO_RINGS)
    floor.hang_up_customer(TO_WHO_RINGS)
    await floor.ended(TO_WHO_RINGS)


async def mix_three(floor: Floor) -> None:
    """A conference in the agent's phone: nothing is transferred."""
    call = await floor.served(MIXES)
    ours, theirs = await floor.consult(MIXES, call, MIXED)
    await call.resume()
    mix(call, ours)
    await theirs.hear(CUSTOMER_HERTZ)
    await ours.hang_up()
    await call.hang_up()
    await floor.ended(MIXES)


async def give_a_caller(floor: Floor) -> None:
    """Somebody who rang in is given away and talks to a colleague, who hangs up."""
    ring = await asyncio.to_thread(ring_in, floor.centre.lab, DIALLED, CALLER, steps("talk"))
    call = await floor.served(CALLED)
    await call.transfer(str(TAKES_CALLER))
    theirs = await floor.taken(TAKES_CALLER)
    await call.hang_up()

    def shown() -> dict[str, Any]:
        [each] = floor.centre.client.items("/inbound")
        return dict(each)

    await floor.until(lambda: shown()["transferred_at"], "the caller's transfer is on record")
    assert shown()["state"] == "connected"
    await theirs.hang_up()
    await floor.until(lambda: shown()["ended_at"], "the caller's call is over")
    floor.seen.caller = shown()
    await asyncio.to_thread(floor.centre.lab.await_rung_in, ring)


async def hold_and_give_until_the_kill(floor: Floor) -> tuple[Call, Call, Call]:
    """One customer is on hold; one was given to a colleague who had been asked, and one to a colleague who had not."""

    async def hold() -> Call:
        call = await floor.served(HOLDS)
        await floor.shows(HOLDS, "talking")
        await call.hold()
        await floor.shows(HOLDS, "held")
        return call

    async def ask() -> Call:
        call = await floor.served(ASKS)
        ours, theirs = await floor.consult(ASKS, call, ASKED)
        await call.transfer_to(ours)
        await call.hang_up()
        await theirs.hear(CUSTOMER_HERTZ)
        await floor.transferred(ASKS)
        return theirs

    async def give_blindly() -> Call:
        call = await floor.served(LEFT)
        await call.transfer(str(TALKS_ON))
        await call.hang_up()
        theirs = await floor.taken(TALKS_ON)
        await floor.transferred(LEFT)
        return theirs

    return await asyncio.gather(hold(), ask(), give_blindly())


async def go_on_after_the_kill(floor: Floor, held: Call, asked: Call, left: Call) -> None:
    """The customer of `left` has hung up meanwhile."""
    await floor.lets_go(left, "customer left during the absence")
    await floor.ended(LEFT)
    await asked.hear(CUSTOMER_HERTZ)
    await floor.shows(HOLDS, "held")
    await held.resume()
    await floor.shows(HOLDS, "talking")
    await held.hear(CUSTOMER_HERTZ)
    await asyncio.gather(held.hang_up(), asked.hang_up())
    await asyncio.gather(floor.ended(HOLDS), floor.ended(ASKS))


async def die_in_a_transfer(floor: Floor, engine: EngineProcess) -> None:
    """The engine ends itself in the transfer, before it limits the new leg; then the customer hangs up."""
    first = floor.seen.ended.pop(GIVES)
    await floor.shows(GIVES, "ready")
    await floor.ask(GIVES)
    call = await floor.served(GIVES)
    await call.transfer(str(TAKES))
    theirs = await floor.taken(TAKES)
    await call.hang_up()
    assert await asyncio.to_thread(engine.has_ended_within, 20), "the engine is to die in the transfer"
    async with Legs(floor.centre.lab) as legs:
        alone = await floor.left_alone(legs, f"{floor.callbacks[MIXES]}-1.bridge.1")
        await asyncio.to_thread(engine.start)
    await floor.transferred(GIVES)
    await theirs.hear(CUSTOMER_HERTZ)
    floor.hang_up_customer(GIVES)
    await floor.ended(GIVES)
    await floor.lets_go(theirs, "customer left")
    await floor.lets_go(alone, "alone in the bridge of a call that is over")
    floor.seen.ended[GIVES * 10] = first


async def _play(lab: Lab, engine: EngineProcess) -> Seen:
    seen = Seen()
    async with AsyncExitStack() as stack:
        numbers = (*SERVICES, *range(TAKES, ALONE + 1))
        phones = {number: await stack.enter_async_context(Phone(lab.pbx, number)) for number in numbers}
        floor = Floor(Centre(lab, engine), phones, seen)
        await asyncio.to_thread(_set_up, floor.centre)
        for number in SERVICES:
            await floor.ready(number)
            if number != CALLED:
                await floor.ask(number)
        async with asyncio.TaskGroup() as acts:
            for act in (give, give_to_nobody, give_to_who_refuses, give_to_who_rings, mix_three, give_a_caller):
                acts.create_task(act(floor))
            talking = acts.create_task(hold_and_give_until_the_kill(floor))
        engine.kill()
        floor.hang_up_customer(LEFT)
        await asyncio.sleep(ABSENCE_SECONDS)
        engine.spawn(**{VARIABLE: "Limit.before"})
        await asyncio.to_thread(engine.wait_until_ready)
        seen.did = {line["attempt"]: line["did"] for line in engine.log_entries() if "did" in line}
        await go_on_after_the_kill(floor, *talking.result())
        await die_in_a_transfer(floor, engine)
    return seen


def _set_up(centre: Centre) -> None:
    services = [service(name, wrap_up_seconds=2, attempts={"max": 1}) for name in SERVICES.values()]
    services[-1]["inbound"] = {"numbers": [DIALLED]}
    agents = [agent(number, name) for number, name in SERVICES.items()]
    centre.configure(services, [*agents, agent(FREE_LATER, SERVICES[TO_NOBODY]), agent(MENU, SERVICES[TO_WHO_REFUSES])])


def agents_transfer(place: Place) -> Seen:
    with Lab.up() as lab, EngineProcess(lab, place.folder) as engine:
        lab.console("module load res_clioriginate.so", side="network")
        return asyncio.run(_play(lab, engine))


STORIES = {agents_transfer: 60}


@pytest.fixture(scope="module")
def seen(background: Background) -> Seen:
    return background.result(agents_transfer)


def test_every_customer_has_talked_and_is_called_once(seen: Seen) -> None:
    acts = {*SERVICES, GIVES * 10} - {CALLED}
    reasons = {act: (each["state"], each["reason"]) for act, each in seen.ended.items()}
    assert reasons == {**dict.fromkeys(acts, ("completed", "talked")), LEFT: ("completed", "ended_unobserved")}
    outcomes = {act: tuple(attempt["outcome"] for attempt in each["attempts"]) for act, each in seen.ended.items()}
    assert outcomes == dict.fromkeys(acts, ("connected",))


def test_only_who_was_given_away_is_on_record_as_given_away(seen: Seen) -> None:
    given = {act for act, each in seen.ended.items() if each["attempts"][0]["transferred_at"] is not None}
    assert given == {GIVES, GIVES * 10, ASKS, TO_NOBODY, TO_WHO_RINGS, TO_WHO_REFUSES, LEFT}


def test_a_hold_is_shown_until_it_is_over_also_through_a_kill(seen: Seen) -> None:
    assert seen.states[HOLDS] == ["talking", "held", "held", "talking"]


def test_the_agent_is_free_while_the_customer_talks_on(seen: Seen) -> None:
    assert seen.states[GIVES][-1] == "ready"
    attempt = seen.ended[GIVES * 10]["attempts"][0]
    assert attempt["talk_seconds"] is not None
    assert attempt["transferred_at"] < attempt["ended_at"]


def test_a_customer_given_to_nobody_is_served_by_another_agent(seen: Seen) -> None:
    assert seen.ended[TO_NOBODY]["agent"] == f"a{FREE_LATER}"
    assert seen.ended[TO_NOBODY]["attempts"][0]["agent"] == f"a{FREE_LATER}"


def test_after_a_kill_conversations_go_on(seen: Seen) -> None:
    assert sorted(seen.did.values()) == ["ended unobserved", "left alone", "left alone"]


def test_whoever_was_given_a_customer_is_let_go_after_them_whenever_the_engine_dies(seen: Seen) -> None:
    assert seen.let_go == {
        "customer left during the absence",
        "customer left",
        "alone in the bridge of a call that is over",
    }


def test_a_caller_who_was_given_away_talks_until_the_colleague_hangs_up(seen: Seen) -> None:
    assert (seen.caller["outcome"], seen.caller["agent"]) == ("connected", f"a{CALLED}")
    assert seen.caller["transferred_at"] < seen.caller["ended_at"]
