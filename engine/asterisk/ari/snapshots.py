"""What Asterisk says of its channels, bridges, playbacks, applications and endpoints at one moment.

The fields are those of Asterisk's own resource models (rest-api/*.json of Asterisk 22) that a callback needs.
Phone numbers, caller names and contact addresses stay out of `repr`, so that a snapshot in a log line tells
nobody who was called.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.asterisk.ari import wire


class ChannelState(StrEnum):
    """Asterisk's channel states (ast_channel_state in main/channel_state.c)."""

    DOWN = "Down"
    RESERVED = "Rsrved"
    OFF_HOOK = "OffHook"
    DIALING = "Dialing"
    RING = "Ring"
    RINGING = "Ringing"
    UP = "Up"
    BUSY = "Busy"
    DIALING_OFF_HOOK = "Dialing Offhook"
    PRE_RING = "Pre-ring"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, _: object) -> "ChannelState":
        return cls.UNKNOWN


class PlaybackState(StrEnum):
    """A playback's states; `done` and `failed` are its ends (a stopped playback is done)."""

    QUEUED = "queued"
    PLAYING = "playing"
    CONTINUING = "continuing"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _: object) -> "PlaybackState":
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Party:
    """A caller id: `name` and `number`, both possibly empty."""

    name: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """A leg. `id` is ours if we dialled it; `protocol_id` is the Call-ID of its SIP dialogue; `created_at` is
    aware.
    """

    id: str
    name: str = field(repr=False)  # that of a Local channel holds the number dialled
    state: ChannelState
    caller: Party
    connected: Party
    protocol_id: str
    context: str
    extension: str = field(repr=False)
    priority: int
    dialplan_application: str
    dialplan_arguments: str = field(repr=False)  # of a call that came in they hold the number dialled
    account_code: str
    language: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge and the ids of the channels in it."""

    id: str
    name: str
    bridge_type: str
    technology: str
    bridge_class: str
    creator: str
    channel_ids: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Playback:
    """Media played to `target_uri` (`channel:<id>` or `bridge:<id>`)."""

    id: str
    media_uri: str
    target_uri: str
    language: str
    state: PlaybackState


@dataclass(frozen=True, slots=True)
class Application:
    """A Stasis application: what it is subscribed to (`PJSIP/trunk` for an endpoint) and which events it
    filters by type.
    """

    name: str
    channel_ids: tuple[str, ...]
    bridge_ids: tuple[str, ...]
    endpoint_ids: tuple[str, ...]
    device_names: tuple[str, ...]
    events_allowed: tuple[str, ...]
    events_disallowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A configured endpoint; `state` is `online`, `offline` or `unknown`, `channel_ids` its legs of this
    moment.
    """

    technology: str
    resource: str
    state: str
    channel_ids: tuple[str, ...]


def read_party(value: object) -> Party:
    source = wire.as_object(value, "caller id")
    return Party(name=wire.text(source, "name"), number=wire.text(source, "number"))


def read_channel(value: object) -> Channel:
    source = wire.as_object(value, "channel")
    dialplan = wire.as_object(source.get("dialplan"), "dialplan")
    return Channel(
        id=wire.text(source, "id"),
        name=wire.text(source, "name"),
        state=ChannelState(wire.text(source, "state")),
        caller=read_party(source.get("caller")),
        connected=read_party(source.get("connected")),
        protocol_id=wire.optional_text(source, "protocol_id"),
        context=wire.text(dialplan, "context"),
        extension=wire.text(dialplan, "exten"),
        priority=wire.integer(dialplan, "priority"),
        dialplan_application=wire.optional_text(dialplan, "app_name"),
        dialplan_arguments=wire.optional_text(dialplan, "app_data"),
        account_code=wire.optional_text(source, "accountcode"),
        language=wire.optional_text(source, "language"),
        created_at=wire.moment(source, "creationtime"),
    )


def read_bridge(value: object) -> Bridge:
    source = wire.as_object(value, "bridge")
    return Bridge(
        id=wire.text(source, "id"),
        name=wire.optional_text(source, "name"),
        bridge_type=wire.text(source, "bridge_type"),
        technology=wire.text(source, "technology"),
        bridge_class=wire.optional_text(source, "bridge_class"),
        creator=wire.optional_text(source, "creator"),
        channel_ids=wire.texts(source, "channels"),
        created_at=wire.moment(source, "creationtime"),
    )


def read_playback(value: object) -> Playback:
    source = wire.as_object(value, "playback")
    return Playback(
        id=wire.text(source, "id"),
        media_uri=wire.text(source, "media_uri"),
        target_uri=wire.text(source, "target_uri"),
        language=wire.optional_text(source, "language"),
        state=PlaybackState(wire.text(source, "state")),
    )


def read_application(value: object) -> Application:
    source = wire.as_object(value, "application")
    return Application(
        name=wire.text(source, "name"),
        channel_ids=wire.texts(source, "channel_ids"),
        bridge_ids=wire.texts(source, "bridge_ids"),
        endpoint_ids=wire.texts(source, "endpoint_ids"),
        device_names=wire.texts(source, "device_names"),
        events_allowed=_event_types(source.get("events_allowed", [])),
        events_disallowed=_event_types(source.get("events_disallowed", [])),
    )


def read_endpoint(value: object) -> Endpoint:
    source = wire.as_object(value, "endpoint")
    return Endpoint(
        technology=wire.text(source, "technology"),
        resource=wire.text(source, "resource"),
        state=wire.optional_text(source, "state"),
        channel_ids=wire.texts(source, "channel_ids"),
    )


def _event_types(value: object) -> tuple[str, ...]:
    items = wire.as_list(value, "event filter")
    return tuple(wire.text(wire.as_object(item, "event filter"), "type") for item in items)
