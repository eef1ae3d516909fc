"""The events of Asterisk that a callback needs, as values; `parsing.parse` reads them.

Field meanings are those of rest-api/events.json of Asterisk 22. Every event has `at`: Asterisk's own clock,
to the millisecond, with its zone. Numbers, keys and values of variables stay out of `repr`, so that an event
may be logged.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from engine.asterisk.ari.snapshots import Bridge, Channel, Endpoint, Playback


@dataclass(frozen=True, slots=True)
class StasisStart:
    """A channel entered our application; `args` are those of Stasis(). `replace_channel` is the leg a
    transfer put it in for.
    """

    at: datetime
    channel: Channel
    args: tuple[str, ...]
    replace_channel: Channel | None


@dataclass(frozen=True, slots=True)
class StasisEnd:
    """A channel left our application; it may live on in the dialplan."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelCreated:
    """A leg exists; for one we dial this comes before the INVITE is sent."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelStateChange:
    """A leg's state changed; `channel.state` is the new one. `Up` is the answer."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelDestroyed:
    """A leg ended: `cause` is Q.850 (0 when Asterisk's own timer ended it), `tech_cause` the SIP status of a
    final refusal.
    """

    at: datetime
    channel: Channel
    cause: int
    cause_txt: str
    tech_cause: int | None


@dataclass(frozen=True, slots=True)
class ChannelHangupRequest:
    """Somebody asked for the end of a leg; several may come for one leg, before `ChannelDestroyed`."""

    at: datetime
    channel: Channel
    cause: int | None
    tech_cause: int | None
    soft: bool


@dataclass(frozen=True, slots=True)
class ChannelDtmfReceived:
    """A key was pressed and released on the leg's phone; `at` is the release."""

    at: datetime
    channel: Channel
    digit: str = field(repr=False)
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ChannelTalkingStarted:
    """TALK_DETECT heard speech begin."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelTalkingFinished:
    """TALK_DETECT heard silence for as long as it was told to wait; `duration_ms` is the length of the
    speech.
    """

    at: datetime
    channel: Channel
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ChannelToneDetected:
    """TONE_DETECT heard its tone, such as that of a fax."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelUserevent:
    """An event that somebody made, by a request or in the dialplan; it may belong to no channel at all."""

    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class ChannelVarset:
    """A channel variable was set; `channel` is None for a global one."""

    at: datetime
    channel: Channel | None
    variable: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChannelHold:
    """The leg's phone put us on hold."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelUnhold:
    """The leg's phone took us off hold."""

    at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class ChannelEnteredBridge:
    """A channel joined a bridge; `bridge.channel_ids` holds it already."""

    at: datetime
    bridge: Bridge
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class ChannelLeftBridge:
    """A channel left a bridge; `bridge.channel_ids` holds those who stayed."""

    at: datetime
    bridge: Bridge
    channel: Channel


@dataclass(frozen=True, slots=True)
class BridgeCreated:
    """A bridge exists."""

    at: datetime
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class BridgeDestroyed:
    """A bridge is gone; its id must not be used again."""

    at: datetime
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class BridgeMerged:
    """The channels of `bridge_from` moved into `bridge`."""

    at: datetime
    bridge: Bridge
    bridge_from: Bridge


@dataclass(frozen=True, slots=True)
class BridgeBlindTransfer:
    """`channel` (the transferer) sent the other leg on; `replace_channel` takes the transferer's place in our
    application.
    """

    at: datetime
    channel: Channel
    replace_channel: Channel | None
    transferee: Channel | None
    extension: str = field(repr=False)
    context: str
    result: str
    is_external: bool
    bridge: Bridge | None


@dataclass(frozen=True, slots=True)
class BridgeAttendedTransfer:
    """The transferer joined its two calls; `destination_type` says how (bridge, application, link, threeway,
    fail).
    """

    at: datetime
    transferer_first_leg: Channel
    transferer_second_leg: Channel
    replace_channel: Channel | None
    transferee: Channel | None
    transfer_target: Channel | None
    result: str
    is_external: bool
    destination_type: str
    destination_bridge_id: str
    destination_application: str
    destination_link_first_leg: Channel | None
    destination_link_second_leg: Channel | None
    transferer_first_leg_bridge: Bridge | None
    transferer_second_leg_bridge: Bridge | None


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """Media began to play."""

    at: datetime
    playback: Playback


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """Media ended: `playback.state` is `done` or `failed`. A list with a missing file is `done`, alone the
    file is `failed`.
    """

    at: datetime
    playback: Playback


@dataclass(frozen=True, slots=True)
class ApplicationReplaced:
    """Another connection took our application's name: no further event comes on this one."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Dial:
    """Progress of a dial: `dialstatus` is empty when the INVITE goes out, then RINGING, PROGRESS, ANSWER,
    BUSY, ...
    """

    at: datetime
    caller: Channel | None
    peer: Channel
    dialstring: str = field(repr=False)
    dialstatus: str


@dataclass(frozen=True, slots=True)
class EndpointStateChange:
    """An endpoint changed: its state, or only its list of channels."""

    at: datetime
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class ContactStatusChange:
    """A phone's or trunk's contact became Reachable, Unreachable, Unknown, NonQualified or Removed."""

    at: datetime
    endpoint: Endpoint
    aor: str
    uri: str = field(repr=False)
    contact_status: str


@dataclass(frozen=True, slots=True)
class UnrecognisedEvent:
    """A text that is no event we use: `type` (empty if it has none) and the reason, which never quotes the
    content.
    """

    type: str
    reason: str


AriEvent: TypeAlias = (
    StasisStart
    | StasisEnd
    | ChannelCreated
    | ChannelStateChange
    | ChannelDestroyed
    | ChannelHangupRequest
    | ChannelDtmfReceived
    | ChannelTalkingStarted
    | ChannelTalkingFinished
    | ChannelToneDetected
    | ChannelUserevent
    | ChannelVarset
    | ChannelHold
    | ChannelUnhold
    | ChannelEnteredBridge
    | ChannelLeftBridge
    | BridgeCreated
    | BridgeDestroyed
    | BridgeMerged
    | BridgeBlindTransfer
    | BridgeAttendedTransfer
    | PlaybackStarted
    | PlaybackFinished
    | ApplicationReplaced
    | Dial
    | EndpointStateChange
    | ContactStatusChange
)
