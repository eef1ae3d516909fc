"""Reading events: one table from Asterisk's event types to ours.

`parse` answers for every text: an event we use, or `UnrecognisedEvent` with the reason. It must never raise,
because an event that a newer Asterisk adds, or one cut short, must not stop the reader.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from engine.asterisk.ari import wire
from engine.asterisk.ari.events import (
    ApplicationReplaced,
    AriEvent,
    BridgeAttendedTransfer,
    BridgeBlindTransfer,
    BridgeCreated,
    BridgeDestroyed,
    BridgeMerged,
    ChannelCreated,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelHangupRequest,
    ChannelHold,
    ChannelLeftBridge,
    ChannelStateChange,
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    ChannelToneDetected,
    ChannelUnhold,
    ChannelUserevent,
    ChannelVarset,
    ContactStatusChange,
    Dial,
    EndpointStateChange,
    PlaybackFinished,
    PlaybackStarted,
    StasisEnd,
    StasisStart,
    UnrecognisedEvent,
)
from engine.asterisk.ari.snapshots import (
    Bridge,
    Channel,
    Playback,
    read_bridge,
    read_channel,
    read_endpoint,
    read_playback,
)

_Reader: TypeAlias = Callable[[wire.JsonObject, datetime], AriEvent]


def parse(raw: str | bytes) -> AriEvent | UnrecognisedEvent:
    """The event in one websocket message; never raises, whatever the text holds."""
    kind = ""
    try:
        source = wire.as_object(wire.load(raw), "event")
        kind = wire.text(source, "type")
        reader = _READERS.get(kind)
        if reader is None:
            return UnrecognisedEvent(kind, "not an event we use")
        return reader(source, wire.moment(source, "timestamp"))
    except wire.Malformed as error:
        return UnrecognisedEvent(kind, str(error))


def _of_channel(make: Callable[[datetime, Channel], AriEvent]) -> _Reader:
    return lambda source, at: make(at, read_channel(source.get("channel")))


def _of_bridge(make: Callable[[datetime, Bridge], AriEvent]) -> _Reader:
    return lambda source, at: make(at, read_bridge(source.get("bridge")))


def _of_playback(make: Callable[[datetime, Playback], AriEvent]) -> _Reader:
    return lambda source, at: make(at, read_playback(source.get("playback")))


def _channel(source: wire.JsonObject, key: str = "channel") -> Channel:
    return read_channel(source.get(key))


def _optional_channel(source: wire.JsonObject, key: str) -> Channel | None:
    return read_channel(source[key]) if source.get(key) is not None else None


def _optional_bridge(source: wire.JsonObject, key: str) -> Bridge | None:
    return read_bridge(source[key]) if source.get(key) is not None else None


def _blind_transfer(source: wire.JsonObject, at: datetime) -> BridgeBlindTransfer:
    return BridgeBlindTransfer(
        at=at,
        channel=_channel(source),
        replace_channel=_optional_channel(source, "replace_channel"),
        transferee=_optional_channel(source, "transferee"),
        extension=wire.text(source, "exten"),
        context=wire.text(source, "context"),
        result=wire.text(source, "result"),
        is_external=wire.flag(source, "is_external"),
        bridge=_optional_bridge(source, "bridge"),
    )


def _attended_transfer(source: wire.JsonObject, at: datetime) -> BridgeAttendedTransfer:
    return BridgeAttendedTransfer(
        at=at,
        transferer_first_leg=_channel(source, "transferer_first_leg"),
        transferer_second_leg=_channel(source, "transferer_second_leg"),
        replace_channel=_optional_channel(source, "replace_channel"),
        transferee=_optional_channel(source, "transferee"),
        transfer_target=_optional_channel(source, "transfer_target"),
        result=wire.text(source, "result"),
        is_external=wire.flag(source, "is_external"),
        destination_type=wire.text(source, "destination_type"),
        destination_bridge_id=wire.optional_text(source, "destination_bridge"),
        destination_application=wire.optional_text(source, "destination_application"),
        destination_link_first_leg=_optional_channel(source, "destination_link_first_leg"),
        destination_link_second_leg=_optional_channel(source, "destination_link_second_leg"),
        transferer_first_leg_bridge=_optional_bridge(source, "transferer_first_leg_bridge"),
        transferer_second_leg_bridge=_optional_bridge(source, "transferer_second_leg_bridge"),
    )


def _contact_status(source: wire.JsonObject, at: datetime) -> ContactStatusChange:
    contact = wire.as_object(source.get("contact_info"), "contact_info")
    return ContactStatusChange(
        at=at,
        endpoint=read_endpoint(source.get("endpoint")),
        aor=wire.text(contact, "aor"),
        uri=wire.text(contact, "uri"),
        contact_status=wire.text(contact, "contact_status"),
    )


_READERS: Mapping[str, _Reader] = {
    "StasisStart": lambda s, at: StasisStart(
        at, _channel(s), wire.texts(s, "args"), _optional_channel(s, "replace_channel")
    ),
    "StasisEnd": _of_channel(StasisEnd),
    "ChannelCreated": _of_channel(ChannelCreated),
    "ChannelStateChange": _of_channel(ChannelStateChange),
    "ChannelDestroyed": lambda s, at: ChannelDestroyed(
        at,
        _channel(s),
        wire.integer(s, "cause"),
        wire.text(s, "cause_txt"),
        wire.optional_integer(s, "tech_cause"),
    ),
    "ChannelHangupRequest": lambda s, at: ChannelHangupRequest(
        at,
        _channel(s),
        wire.optional_integer(s, "cause"),
        wire.optional_integer(s, "tech_cause"),
        wire.flag(s, "soft"),
    ),
    "ChannelDtmfReceived": lambda s, at: ChannelDtmfReceived(
        at, _channel(s), wire.text(s, "digit"), wire.integer(s, "duration_ms")
    ),
    "ChannelTalkingStarted": _of_channel(ChannelTalkingStarted),
    "ChannelTalkingFinished": lambda s, at: ChannelTalkingFinished(at, _channel(s), wire.integer(s, "duration")),
    "ChannelToneDetected": _of_channel(ChannelToneDetected),
    "ChannelUserevent": lambda s, at: ChannelUserevent(at, wire.text(s, "eventname")),
    "ChannelVarset": lambda s, at: ChannelVarset(
        at, _optional_channel(s, "channel"), wire.text(s, "variable"), wire.text(s, "value")
    ),
    "ChannelHold": _of_channel(ChannelHold),
    "ChannelUnhold": _of_channel(ChannelUnhold),
    "ChannelEnteredBridge": lambda s, at: ChannelEnteredBridge(
        at, read_bridge(s.get("bridge")), _optional_channel(s, "channel")
    ),
    "ChannelLeftBridge": lambda s, at: ChannelLeftBridge(at, read_bridge(s.get("bridge")), _channel(s)),
    "BridgeCreated": _of_bridge(BridgeCreated),
    "BridgeDestroyed": _of_bridge(BridgeDestroyed),
    "BridgeMerged": lambda s, at: BridgeMerged(at, read_bridge(s.get("bridge")), read_bridge(s.get("bridge_from"))),
    "BridgeBlindTransfer": _blind_transfer,
    "BridgeAttendedTransfer": _attended_transfer,
    "PlaybackStarted": _of_playback(PlaybackStarted),
    "PlaybackFinished": _of_playback(PlaybackFinished),
    "ApplicationReplaced": lambda _, at: ApplicationReplaced(at),
    "Dial": lambda s, at: Dial(
        at,
        _optional_channel(s, "caller"),
        _channel(s, "peer"),
        wire.optional_text(s, "dialstring"),
        wire.text(s, "dialstatus"),
    ),
    "EndpointStateChange": lambda s, at: EndpointStateChange(at, read_endpoint(s.get("endpoint"))),
    "ContactStatusChange": _contact_status,
}
