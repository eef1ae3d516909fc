"""What an agent's phone does to a bridge of ours, as docs/decisions/agents-phones-hold-and-transfer.md says.

The customer is a phone too, so that both sides tell at once what they hear.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from engine.lab import Lab
from engine.lab.phone.audio import AGENT_HERTZ, CUSTOMER_HERTZ, OTHER
from engine.lab.phone.call import Call
from engine.lab.phone.duty import Duty, ask_and_give_to, ask_only, give_to, hold_once
from engine.lab.phone.phone import Phone, mix
from tests.live.legs import Legs

AGENT, CUSTOMER, COLLEAGUE, ANOTHER, NOBODY = 1961, 1962, 1963, 1964, 1990
COLLEAGUE_HERTZ, ANOTHER_HERTZ = 2000, 1500
SETTLE_SECONDS, SILENCE_SECONDS = 0.3, 0.5


@dataclass(frozen=True, slots=True)
class Talk:
    """A customer and an agent in a bridge, who hear each other; the colleagues' phones are idle."""

    legs: Legs
    bridge: str
    customer_leg: str
    agent_leg: str
    customer: Call
    agent: Call
    phone: Phone
    colleague: Phone
    another: Phone

    async def members(self) -> set[str]:
        return set((await self.legs.request("GET", f"/bridges/{self.bridge}", {}))["channels"])

    async def gone(self, leg: str) -> None:
        while (await self.legs.when("ChannelDestroyed"))["channel"]["id"] != leg:
            pass  # the agent's second call ends about then

    async def consult(self) -> tuple[Call, Call]:
        """The agent holds the customer and talks to the colleague: both ends of that call."""
        await self.agent.hold()
        ours = await self.phone.call(str(COLLEAGUE))
        theirs = await answered(self.colleague)
        await ours.answered.wait()
        # Until they are connected, Asterisk treats a transfer like one to a phone that rings.
        await theirs.hear(AGENT_HERTZ)
        return ours, theirs

    async def hear_each_other(self) -> None:
        await asyncio.gather(self.customer.hear(AGENT_HERTZ), self.agent.hear(CUSTOMER_HERTZ))


@pytest.fixture
async def talk(lab: Lab) -> AsyncIterator[Talk]:
    async with (
        Phone(lab.pbx, CUSTOMER, hertz=CUSTOMER_HERTZ) as customers,
        Phone(lab.pbx, AGENT) as phone,
        Phone(lab.pbx, COLLEAGUE, hertz=COLLEAGUE_HERTZ) as colleague,
        Phone(lab.pbx, ANOTHER, hertz=ANOTHER_HERTZ) as another,
        Legs(lab) as legs,
        bridged(legs, customers, phone) as (bridge, ids, customer, agent),
    ):
        customer_leg, agent_leg = ids
        talk = Talk(legs, bridge, customer_leg, agent_leg, customer, agent, phone, colleague, another)
        await talk.hear_each_other()
        yield talk


@asynccontextmanager
async def bridged(legs: Legs, *phones: Phone) -> AsyncIterator[tuple[str, Sequence[str], Call, Call]]:
    for phone in phones:
        # As the engine does; without it the end of a leg that was replaced is not told.
        source = f"endpoint:PJSIP/agent-{phone.number}"
        await legs.request("POST", f"/applications/{legs.application}/subscription?eventSource={source}", {})
    ids = [await legs.post(str(phone.number), {}) for phone in phones]
    calls = [await answered(phone) for phone in phones]
    for _ in phones:
        await legs.when("StasisStart")
    bridge = (await legs.request("POST", "/bridges", {"type": "mixing,proxy_media"}))["id"]
    await legs.request("POST", f"/bridges/{bridge}/addChannel", {"channel": ids})
    for _ in phones:
        await legs.when("ChannelEnteredBridge")
    yield bridge, ids, calls[0], calls[1]
    await legs.request("DELETE", f"/bridges/{bridge}", {})


async def answered(phone: Phone) -> Call:
    call = await phone.rung()
    await call.answer()
    return call


async def hears_nothing(call: Call) -> bool:
    """Whether it is silent once the last packets have arrived."""
    await asyncio.sleep(SETTLE_SECONDS)
    since = asyncio.get_running_loop().time()
    await asyncio.sleep(SILENCE_SECONDS)
    return not call.heard(since)


def kinds(events: Sequence[dict[str, Any]]) -> list[str]:
    wanted = ("StasisStart", "ChannelLeftBridge", "ChannelEnteredBridge", "BridgeBlindTransfer", "StasisEnd")
    return [event["type"] for event in events if event["type"] in wanted]


def half_of(events: Sequence[dict[str, Any]], talk: Talk) -> str:
    """The channel that came in instead of the agent's leg."""
    (entered,) = (event for event in events if event["type"] == "StasisStart")
    assert entered["args"] == []
    assert entered["replace_channel"]["id"] == talk.agent_leg
    return str(entered["channel"]["id"])


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_a_held_customer_hears_our_music_and_both_stay_in_the_bridge(talk: Talk, direction: str) -> None:
    await talk.agent.hold(direction)
    held = await talk.legs.when("ChannelHold")
    assert (held["channel"]["id"], held["musicclass"]) == (talk.agent_leg, "ringback")
    await talk.customer.hear(OTHER)
    assert await hears_nothing(talk.agent)
    assert await talk.members() == {talk.customer_leg, talk.agent_leg}
    await talk.agent.resume()
    assert (await talk.legs.when("ChannelUnhold"))["channel"]["id"] == talk.agent_leg
    await talk.hear_each_other()


async def test_a_blind_transfer_puts_a_foreign_channel_in_the_agents_place_before_anybody_answers(talk: Talk) -> None:
    told = await talk.agent.transfer(str(COLLEAGUE))
    events = await talk.legs.until("BridgeBlindTransfer")
    half = half_of(events, talk)
    assert kinds(events) == ["StasisStart", "ChannelLeftBridge", "ChannelEnteredBridge", "BridgeBlindTransfer"]
    assert (events[-1]["result"], events[-1]["exten"]) == ("Success", str(COLLEAGUE))
    assert events[-1]["transferee"]["id"] == talk.customer_leg
    assert told == [202, 100, 200]
    assert await talk.members() == {talk.customer_leg, half}
    colleague = await answered(talk.colleague)
    await asyncio.gather(talk.customer.hear(COLLEAGUE_HERTZ), colleague.hear(CUSTOMER_HERTZ))


async def test_the_first_agents_leg_stays_in_our_hands_after_a_transfer(talk: Talk) -> None:
    await talk.agent.transfer(str(COLLEAGUE))
    await talk.legs.when("BridgeBlindTransfer")
    leg = await talk.legs.request("GET", f"/channels/{talk.agent_leg}", {})
    assert (leg["state"], leg["dialplan"]["app_name"]) == ("Up", "Stasis")
    await talk.legs.request("DELETE", f"/channels/{talk.agent_leg}", {})
    assert (await talk.legs.when("ChannelDestroyed"))["channel"]["id"] == talk.agent_leg
    await (await talk.colleague.rung()).answer()
    await talk.customer.hear(COLLEAGUE_HERTZ)


async def test_the_end_of_the_foreign_channel_is_that_of_its_stay_with_us(talk: Talk) -> None:
    await talk.agent.transfer(str(COLLEAGUE))
    half = half_of(await talk.legs.until("BridgeBlindTransfer"), talk)
    colleague = await answered(talk.colleague)
    await talk.customer.hear(COLLEAGUE_HERTZ)
    await talk.agent.hang_up()
    await talk.legs.when("ChannelDestroyed")
    await colleague.hang_up()
    assert (await talk.legs.when("StasisEnd"))["channel"]["id"] == half
    assert await talk.members() == {talk.customer_leg}
    await talk.customer.hang_up()
    assert (await talk.legs.when("ChannelDestroyed"))["channel"]["id"] == talk.customer_leg


async def test_a_customer_transferred_to_nobody_is_alone_in_the_bridge_in_silence(talk: Talk) -> None:
    assert await talk.agent.transfer(str(NOBODY)) == [202, 100, 200]
    events = await talk.legs.until("StasisEnd")
    assert events[-1]["channel"]["id"] == half_of(events, talk)
    assert await talk.members() == {talk.customer_leg}
    assert await hears_nothing(talk.customer)


async def test_a_number_that_does_not_exist_changes_nothing(talk: Talk) -> None:
    assert await talk.agent.transfer("99999") == [202, 100, 404]
    assert await talk.members() == {talk.customer_leg, talk.agent_leg}
    await talk.hear_each_other()


async def test_an_attended_transfer_ends_the_same_way(talk: Talk) -> None:
    consult, colleague = await talk.consult()
    assert await talk.agent.transfer_to(consult) == [202, 100, 200]
    events = await talk.legs.until("BridgeAttendedTransfer")
    half, transfer = half_of(events, talk), events[-1]
    assert (transfer["result"], transfer["destination_type"]) == ("Success", "link")
    assert transfer["destination_link_first_leg"]["id"] == half
    assert transfer["transfer_target"]["name"].startswith(f"PJSIP/agent-{COLLEAGUE}-")
    assert await talk.members() == {talk.customer_leg, half}
    await asyncio.gather(talk.customer.hear(COLLEAGUE_HERTZ), colleague.hear(CUSTOMER_HERTZ))


async def test_the_colleague_stays_when_the_customer_goes_until_we_hang_the_foreign_channel_up(talk: Talk) -> None:
    consult, colleague = await talk.consult()
    await talk.agent.transfer_to(consult)
    half = half_of(await talk.legs.until("BridgeAttendedTransfer"), talk)
    await talk.customer.hang_up()
    await talk.gone(talk.customer_leg)
    assert await talk.members() == {half}
    await talk.legs.request("DELETE", f"/channels/{half}", {})
    await asyncio.wait_for(colleague.ended.wait(), 5)


async def test_an_attended_transfer_may_be_made_from_the_second_call(talk: Talk) -> None:
    consult, colleague = await talk.consult()
    await consult.transfer_to(talk.agent)
    half = half_of(await talk.legs.until("BridgeAttendedTransfer"), talk)
    assert await talk.members() == {talk.customer_leg, half}
    await asyncio.gather(talk.customer.hear(COLLEAGUE_HERTZ), colleague.hear(CUSTOMER_HERTZ))
    await asyncio.wait_for(talk.agent.ended.wait(), 5)


async def test_a_transfer_to_a_phone_that_rings_is_complete_before_it_answers(talk: Talk) -> None:
    await talk.agent.hold()
    consult = await talk.phone.call(str(COLLEAGUE))
    colleague = await talk.colleague.rung()
    await consult.ringing.wait()
    assert await talk.agent.transfer_to(consult) == [202, 100, 200]
    events = await talk.legs.until("BridgeAttendedTransfer")
    half, transfer = half_of(events, talk), events[-1]
    assert (transfer["destination_type"], transfer["replace_channel"]["id"]) == ("application", half)
    # Ringing, 440 and 480 Hz: nobody else speaks with the customer's own voice.
    await talk.customer.hear(CUSTOMER_HERTZ)
    await colleague.answer()
    await asyncio.gather(talk.customer.hear(COLLEAGUE_HERTZ), colleague.hear(CUSTOMER_HERTZ))


async def test_after_asking_a_colleague_the_agent_has_the_customer_again(talk: Talk) -> None:
    consult, _ = await talk.consult()
    await consult.hang_up()
    await talk.agent.resume()
    await talk.hear_each_other()
    assert await talk.members() == {talk.customer_leg, talk.agent_leg}


async def test_a_conference_in_the_phone_changes_nothing_for_us(talk: Talk) -> None:
    consult, colleague = await talk.consult()
    await talk.agent.resume()
    mix(talk.agent, consult)
    await asyncio.gather(
        talk.customer.hear(AGENT_HERTZ),
        talk.customer.hear(COLLEAGUE_HERTZ),
        colleague.hear(AGENT_HERTZ),
        colleague.hear(CUSTOMER_HERTZ),
    )
    assert await talk.members() == {talk.customer_leg, talk.agent_leg}


async def test_a_second_transfer_leaves_the_foreign_channel_where_it_is(talk: Talk) -> None:
    await talk.agent.transfer(str(COLLEAGUE))
    half = half_of(await talk.legs.until("BridgeBlindTransfer"), talk)
    colleague = await answered(talk.colleague)
    await colleague.hear(CUSTOMER_HERTZ)  # who transfers at the moment of the answer is not yet connected
    await colleague.transfer(str(ANOTHER))
    another = await answered(talk.another)
    await asyncio.gather(talk.customer.hear(ANOTHER_HERTZ), another.hear(CUSTOMER_HERTZ))
    assert await talk.members() == {talk.customer_leg, half}


async def test_nobody_is_transferred_while_the_event_socket_is_away(talk: Talk) -> None:
    consult, _ = await talk.consult()
    await talk.agent.resume()
    async with talk.legs.deaf():
        assert await talk.agent.transfer(str(ANOTHER)) == [202, 100, 503]
        assert await talk.agent.transfer_to(consult) == [202, 100, 500]
    assert await talk.members() == {talk.customer_leg, talk.agent_leg}
    await talk.hear_each_other()


async def test_the_end_of_the_foreign_channel_is_told_after_an_outage_of_the_event_socket(talk: Talk) -> None:
    await talk.agent.transfer(str(COLLEAGUE))
    half = half_of(await talk.legs.until("BridgeBlindTransfer"), talk)
    colleague = await answered(talk.colleague)
    async with talk.legs.deaf():
        await talk.customer.hear(COLLEAGUE_HERTZ)
    await colleague.hang_up()
    assert (await talk.legs.when("StasisEnd"))["channel"]["id"] == half


async def test_a_time_limit_on_the_foreign_channel_ends_it(talk: Talk) -> None:
    await talk.agent.transfer(str(COLLEAGUE))
    half = half_of(await talk.legs.until("BridgeBlindTransfer"), talk)
    colleague = await answered(talk.colleague)
    limit = {"variable": "TIMEOUT(absolute)", "value": "1"}
    await talk.legs.request("POST", f"/channels/{half}/variable", limit)
    assert (await talk.legs.when("StasisEnd"))["channel"]["id"] == half
    await asyncio.wait_for(colleague.ended.wait(), 5)


async def test_a_phone_that_is_alone_with_us_cannot_transfer_blindly(lab: Lab) -> None:
    async with Phone(lab.pbx, 1971) as phone, Legs(lab) as legs:
        leg = await legs.post("1971", {})
        call = await answered(phone)
        await legs.when("StasisStart")
        assert await call.transfer(str(COLLEAGUE)) == [202, 100, 400]
        assert (await legs.when("BridgeBlindTransfer"))["result"] == "Invalid"
        assert (await legs.request("GET", f"/channels/{leg}", {}))["state"] == "Up"


async def test_phones_on_duty_act_by_themselves_for_one_customer_after_the_other(lab: Lab) -> None:
    acts = {1972: hold_once, 1973: give_to("1001"), 1974: ask_and_give_to("1002"), 1975: ask_only("1003")}
    with Duty(lab.pbx, acts):
        held, given, asked, only_asked = await asyncio.gather(
            served(lab, 1972, "ChannelUnhold"),
            served(lab, 1973, "BridgeBlindTransfer"),
            served(lab, 1974, "BridgeAttendedTransfer"),
            served(lab, 1975, "ChannelUnhold"),
        )
        assert await served(lab, 1973, "BridgeBlindTransfer") == given
    assert held == only_asked == {"ChannelHold", "ChannelUnhold"}
    assert given == {"ChannelUnhold", "BridgeBlindTransfer"}
    assert asked == {"ChannelHold", "ChannelUnhold", "BridgeAttendedTransfer"}


async def served(lab: Lab, number: int, last: str) -> set[str]:
    """What was told of a customer's call to a phone on duty, until the last of it."""
    customers = Phone(lab.pbx, number + 10, hertz=CUSTOMER_HERTZ)
    async with customers, Legs(lab) as legs:
        ids = [await legs.post(str(each), {}) for each in (number, customers.number)]
        customer = await answered(customers)
        for _ in ids:
            await legs.when("StasisStart")
        bridge = (await legs.request("POST", "/bridges", {"type": "mixing,proxy_media"}))["id"]
        await legs.request("POST", f"/bridges/{bridge}/addChannel", {"channel": ids})
        told = {event["type"] for event in await legs.until(last)}
        await customer.hear(AGENT_HERTZ)
        for each in (await legs.request("GET", f"/bridges/{bridge}", {}))["channels"]:
            await legs.request("DELETE", f"/channels/{each}", {})
        await legs.request("DELETE", f"/bridges/{bridge}", {})
    return told & {"ChannelHold", "ChannelUnhold", "BridgeBlindTransfer", "BridgeAttendedTransfer"}
