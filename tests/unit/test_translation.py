"""What Asterisk's events and looks say in the core's words: only of legs that we named, and only what matters."""

from __future__ import annotations

import pytest

from engine.asterisk.ari.events import UnrecognisedEvent
from engine.asterisk.ari.parsing import parse
from engine.asterisk.ari.snapshots import read_channel
from engine.asterisk.translation import is_nobody, our_leg, seen, translated
from engine.core.events import (
    Event,
    FaxToneHeard,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegHeld,
    LegReplaced,
    LegRinging,
    LegSeen,
    LegUnheld,
    TalkFinished,
    TalkStarted,
)
from engine.core.terms import LegId
from tests.unit.ari_samples import CHANNEL, written

LEG = "cb1-2.customer"


@pytest.mark.parametrize("name", ["c1-1.customer", "c1-1.agent.1", "0abc-12.agent.31"])
def test_a_leg_that_we_named_is_ours(name: str) -> None:
    assert our_leg(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "1700000000.12",
        "c1-1.customer.play.0",
        "c1-1.agent",
        "c1.customer",
        "C1-1.customer",
        "c1-1.customer;2",
        "x c1-1.customer",
        "c1-1.customer\n",
        "",
    ],
)
def test_a_leg_with_any_other_name_is_not_ours(name: str) -> None:
    assert our_leg(name) is None


def said(type_name: str, leg: str = LEG, state: str = "Up", **fields: object) -> Event | None:
    event = parse(written(type_name, channel={**CHANNEL, "id": leg, "state": state}, **fields))
    assert not isinstance(event, UnrecognisedEvent), event
    return translated(event)


@pytest.mark.parametrize("state", ["Ring", "Ringing"])
def test_a_leg_that_rings(state: str) -> None:
    assert said("ChannelStateChange", state=state) == LegRinging(LegId(LEG))


def test_a_leg_that_is_answered() -> None:
    assert said("ChannelStateChange", state="Up") == LegAnswered(LegId(LEG))


@pytest.mark.parametrize("state", ["Down", "Dialing", "Busy", "Something new"])
def test_other_states_say_nothing(state: str) -> None:
    assert said("ChannelStateChange", state=state) is None


def test_a_leg_in_our_hands() -> None:
    assert said("StasisStart", args=[]) == LegEntered(LegId(LEG))


@pytest.mark.parametrize("status", ["HUMAN", "MACHINE", "NOTSURE", "HANGUP"])
def test_a_leg_in_our_hands_after_amd_listened(status: str) -> None:
    assert said("StasisStart", args=["customer", status]) == LegEntered(LegId(LEG), status)


@pytest.mark.parametrize("args", [["customer"], ["customer", ""], ["agent"]])
def test_a_leg_in_our_hands_when_amd_did_not_run(args: list[str]) -> None:
    assert said("StasisStart", args=args) == LegEntered(LegId(LEG), None)


def test_talk_and_its_length_in_seconds() -> None:
    assert said("ChannelTalkingStarted") == TalkStarted(LegId(LEG))
    assert said("ChannelTalkingFinished", duration=1280) == TalkFinished(LegId(LEG), 1.28)


def test_talk_of_a_length_that_cannot_be_is_of_none() -> None:
    """Asterisk counts from the moment at which it was asked to listen, and its clock may be set back."""
    assert said("ChannelTalkingFinished", duration=-5) == TalkFinished(LegId(LEG), 0.0)


def test_the_tone_of_a_fax() -> None:
    assert said("ChannelToneDetected") == FaxToneHeard(LegId(LEG))


def test_a_leg_that_ended_with_the_networks_words() -> None:
    assert said("ChannelDestroyed", cause=17, tech_cause=486) == LegEnded(LegId(LEG), 17, 486)


def test_cause_zero_is_no_cause() -> None:
    assert said("ChannelDestroyed", cause=0, tech_cause=408) == LegEnded(LegId(LEG), None, 408)


def test_a_key() -> None:
    assert said("ChannelDtmfReceived", digit="3") == KeyPressed(LegId(LEG), "3")


HALF, AGENT = "1795729708.23", "cb1-2.agent.1"


def of_transfer(channel: str) -> LegId | None:
    """As the node knows its own legs and what stands in their place."""
    return LegId(channel) if channel in (HALF, AGENT, LEG) else None


def told(type_name: str, **fields: object) -> Event | None:
    event = parse(written(type_name, **fields))
    assert not isinstance(event, UnrecognisedEvent), event
    return translated(event, of_transfer)


def channel(leg: str, name: str = "PJSIP/agent-1961-0000001", state: str = "Up") -> dict[str, object]:
    return {**CHANNEL, "id": leg, "name": name, "state": state}


BLIND, ATTENDED = "Local/1972@ringback-agents-00000001;1", "Local/_attended@transfer-00000000;1"


def test_a_hold_and_its_end() -> None:
    assert said("ChannelHold") == LegHeld(LegId(LEG))
    assert said("ChannelUnhold") == LegUnheld(LegId(LEG))
    assert said("ChannelHold", "1700000000.12") is None


@pytest.mark.parametrize("name", [BLIND, ATTENDED])
def test_a_channel_that_stands_in_for_a_leg(name: str) -> None:
    start = {"channel": channel(HALF, name), "args": []}
    assert told("StasisStart", **start, replace_channel=channel(AGENT)) == LegReplaced(LegId(AGENT), LegId(HALF))
    assert told("StasisStart", **start, replace_channel=channel("1700000000.12")) is None
    assert told("StasisStart", **start) is None


def test_who_answers_in_a_legs_place_after_a_blind_transfer_is_up() -> None:
    assert told("ChannelStateChange", channel=channel(HALF, BLIND, "Ringing")) == LegRinging(LegId(HALF))
    assert told("ChannelStateChange", channel=channel(HALF, BLIND)) == LegAnswered(LegId(HALF))


def test_what_is_up_at_once_says_nothing_about_an_answer() -> None:
    assert told("ChannelStateChange", channel=channel(HALF, ATTENDED)) is None


@pytest.mark.parametrize("link", ["destination_link_first_leg", "destination_link_second_leg"])
def test_a_call_that_was_answered_before_the_transfer(link: str) -> None:
    links = {"destination_link_first_leg": channel("1.1"), "destination_link_second_leg": channel("1.2")}
    links[link] = channel(HALF, ATTENDED)
    assert told("BridgeAttendedTransfer", destination_type="link", **links) == LegAnswered(LegId(HALF))


def test_a_call_that_still_rings_is_not_answered_by_the_transfer() -> None:
    rings = {"destination_type": "application", "destination_application": "Dial"}
    assert told("BridgeAttendedTransfer", **rings, replace_channel=channel(HALF, ATTENDED)) is None


def test_what_asterisk_puts_into_a_bridge_for_itself_is_nobody() -> None:
    nobody = [f"{each}-00000001;2" for each in ("Recorder/ARI", "Announcer/ARI")]
    assert all(is_nobody(read_channel(channel("1.1", name))) for name in nobody)
    assert not any(is_nobody(read_channel(channel("1.1", name))) for name in (BLIND, ATTENDED, "PJSIP/trunk-1"))


@pytest.mark.parametrize(
    "type_name",
    [
        *("StasisStart", "ChannelStateChange", "ChannelDestroyed", "ChannelDtmfReceived"),
        *("ChannelTalkingStarted", "ChannelTalkingFinished", "ChannelToneDetected"),
    ],
)
def test_other_peoples_legs_mean_nothing(type_name: str) -> None:
    assert said(type_name, "1700000000.12") is None


def test_events_the_core_does_not_ask_for_mean_nothing() -> None:
    assert said("ChannelCreated") is None
    assert said("StasisEnd") is None


@pytest.mark.parametrize(
    ("state", "application", "what"),
    [
        ("Up", "Stasis", LegSeen.ENTERED),
        ("Up", "Playback", LegSeen.ANSWERED),
        ("Up", "", LegSeen.ANSWERED),
        ("Ringing", "AppDial2", LegSeen.RINGING),
        ("Down", "AppDial2", LegSeen.RINGING),
    ],
)
def test_a_look_at_a_leg(state: str, application: str, what: LegSeen) -> None:
    dialplan = {"context": "ringback", "exten": "customer", "priority": 2, "app_name": application}
    assert seen(read_channel({**CHANNEL, "state": state, "dialplan": dialplan})) is what


def test_a_leg_that_a_look_does_not_find_is_gone() -> None:
    assert seen(None) is LegSeen.GONE
