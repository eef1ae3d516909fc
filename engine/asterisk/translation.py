"""Asterisk's events as the core's events, for legs that carry one of our names and for callers' legs."""

from __future__ import annotations

import re
from collections.abc import Callable

from engine.asterisk.ari.events import (
    AriEvent,
    BridgeAttendedTransfer,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelHold,
    ChannelStateChange,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    ChannelToneDetected,
    ChannelUnhold,
    StasisStart,
)
from engine.asterisk.ari.snapshots import Channel, ChannelState
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
    LegRingsStill,
    LegSeen,
    LegUnheld,
    TalkFinished,
    TalkStarted,
)
from engine.core.terms import AttemptId, LegId

INBOUND = "inbound"
"""The first argument of Stasis() for calls that come in."""
DESK = "desk"
"""The first argument of Stasis() for agents who dial the menu."""
_NOBODY = ("Recorder/", "Announcer/")
"""What Asterisk puts into a bridge itself, to record it and to play to it."""
_OUR_LEG = re.compile(r"[a-z0-9]+-[0-9]+\.(customer|agent\.[0-9]+)")


def our_leg(channel: str) -> LegId | None:
    """The leg's name if it is one that we give, else None."""
    return LegId(channel) if _OUR_LEG.fullmatch(channel) else None


def caller_id_of(channel: str) -> AttemptId:
    """What we call a call that came in, made of Asterisk's own name for it, such as `pbx-1764188400.57`."""
    name, _, number = channel.rpartition(".")
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return AttemptId(f"call{letters}-{number}" if number.isdecimal() else f"call{letters}{number.lower()}-0")


def endpoint_of(channel: Channel) -> str:
    """Whose leg it is: `PJSIP/agent-1001` of a channel named `PJSIP/agent-1001-0000002a`."""
    return channel.name.rpartition("-")[0]


def is_local(channel: Channel) -> bool:
    """Whether it is one of two ends inside Asterisk, as a transfer makes them: no phone and no line."""
    return channel.name.startswith("Local/")


def is_nobody(channel: Channel) -> bool:
    """Whether Asterisk put it into a bridge for itself."""
    return channel.name.startswith(_NOBODY)


def replaced_leg(event: StasisStart, leg_of: Callable[[str], LegId | None]) -> LegId | None:
    """The leg of ours in whose place the channel of this event stands from now on."""
    replaced = event.replace_channel
    return leg_of(replaced.id) if replaced is not None and our_leg(event.channel.id) is None else None


def dials_menu(channel: Channel, application: str) -> bool:
    """Whether an agent's phone has dialled the menu and is in our hands."""
    return channel.dialplan_application == "Stasis" and channel.dialplan_arguments == f"{application},{DESK}"


def number_dialled(channel: Channel, application: str) -> str | None:
    """What somebody dialled who is in our hands and rang in; None of every other channel."""
    given = channel.dialplan_arguments.split(",")
    if channel.dialplan_application != "Stasis" or given[:2] != [application, INBOUND]:
        return None
    return given[2] if len(given) > 2 else ""


def translated(event: AriEvent, leg_of: Callable[[str], LegId | None] = our_leg) -> Event | None:
    """What an event says about a leg; None if it says nothing that the core asks for. `leg_of`: whether it is one."""
    match event:
        case StasisStart(channel=channel, args=args) if leg := our_leg(channel.id):
            return LegEntered(leg, args[1] if len(args) > 1 and args[1] else None)
        case StasisStart(channel=channel) if leg := replaced_leg(event, leg_of):
            return LegReplaced(leg, LegId(channel.id))
        case BridgeAttendedTransfer(replace_channel=Channel(id=half), destination_type="application"):
            return LegRingsStill(leg) if (leg := leg_of(half)) else None
        case ChannelHold(channel=channel) if leg := leg_of(channel.id):
            return LegHeld(leg)
        case ChannelUnhold(channel=channel) if leg := leg_of(channel.id):
            return LegUnheld(leg)
        case ChannelStateChange(channel=channel) if leg := leg_of(channel.id):
            if channel.state is ChannelState.UP:
                return LegAnswered(leg)
            return LegRinging(leg) if channel.state in (ChannelState.RINGING, ChannelState.RING) else None
        case ChannelDestroyed(channel=channel, cause=cause, tech_cause=sip_code) if leg := leg_of(channel.id):
            return LegEnded(leg, cause or None, sip_code)
        case ChannelDtmfReceived(channel=channel, digit=digit) if leg := leg_of(channel.id):
            return KeyPressed(leg, digit)
        case ChannelTalkingStarted(channel=channel) if leg := leg_of(channel.id):
            return TalkStarted(leg)
        case ChannelTalkingFinished(channel=channel, duration_ms=length) if leg := leg_of(channel.id):
            return TalkFinished(leg, max(0, length) / 1000)
        case ChannelToneDetected(channel=channel) if leg := leg_of(channel.id):
            return FaxToneHeard(leg)
    return None


def seen(channel: Channel | None) -> LegSeen:
    """What a look at a leg shows. A leg that is up but in the dialplan is not yet in our hands."""
    if channel is None:
        return LegSeen.GONE
    if channel.dialplan_application == "Stasis":
        return LegSeen.ENTERED
    return LegSeen.ANSWERED if channel.state is ChannelState.UP else LegSeen.RINGING
