"""Asterisk's events as the core's events, for legs that carry one of our names; all others mean nothing here."""

from __future__ import annotations

import re

from engine.asterisk.ari.events import (
    AriEvent,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelStateChange,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    ChannelToneDetected,
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
    LegRinging,
    LegSeen,
    TalkFinished,
    TalkStarted,
)
from engine.core.terms import LegId

_OUR_LEG = re.compile(r"[a-z0-9]+-[0-9]+\.(customer|agent\.[0-9]+)")


def our_leg(channel: str) -> LegId | None:
    """The leg's name if it is one that we give, else None."""
    return LegId(channel) if _OUR_LEG.fullmatch(channel) else None


def translated(event: AriEvent) -> Event | None:
    """What an event says about one of our legs; None if it says nothing that the core asks for."""
    match event:
        case StasisStart(channel=channel, args=args) if leg := our_leg(channel.id):
            return LegEntered(leg, args[1] if len(args) > 1 and args[1] else None)
        case ChannelStateChange(channel=channel) if leg := our_leg(channel.id):
            if channel.state is ChannelState.UP:
                return LegAnswered(leg)
            return LegRinging(leg) if channel.state in (ChannelState.RINGING, ChannelState.RING) else None
        case ChannelDestroyed(channel=channel, cause=cause, tech_cause=sip_code) if leg := our_leg(channel.id):
            return LegEnded(leg, cause or None, sip_code)
        case ChannelDtmfReceived(channel=channel, digit=digit) if leg := our_leg(channel.id):
            return KeyPressed(leg, digit)
        case ChannelTalkingStarted(channel=channel) if leg := our_leg(channel.id):
            return TalkStarted(leg)
        case ChannelTalkingFinished(channel=channel, duration_ms=length) if leg := our_leg(channel.id):
            return TalkFinished(leg, max(0, length) / 1000)
        case ChannelToneDetected(channel=channel) if leg := our_leg(channel.id):
            return FaxToneHeard(leg)
    return None


def seen(channel: Channel | None) -> LegSeen:
    """What a look at a leg shows. A leg that is up but in the dialplan is not yet in our hands."""
    if channel is None:
        return LegSeen.GONE
    if channel.dialplan_application == "Stasis":
        return LegSeen.ENTERED
    return LegSeen.ANSWERED if channel.state is ChannelState.UP else LegSeen.RINGING
