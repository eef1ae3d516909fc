"""One sample of each event of Asterisk that we use, shortened from what a real one sent."""

import json
from typing import Any

NUMBER = "12025550110"
AT = "2026-01-31T09:15:00.123+0000"
PARTY = {"name": "Ann Example", "number": NUMBER}
CHANNEL = {
    "id": "a1.customer",
    "name": f"Local/{NUMBER}@internal-00000001;1",
    "state": "Up",
    "protocol_id": "9aa6d3fa",
    "caller": PARTY,
    "connected": PARTY,
    "accountcode": "",
    "dialplan": {"context": "ringback", "exten": NUMBER, "priority": 2, "app_name": "Stasis", "app_data": "x"},
    "creationtime": AT,
    "language": "en",
}
BRIDGE = {
    "id": "a1.bridge",
    "technology": "simple_bridge",
    "bridge_type": "mixing",
    "bridge_class": "stasis",
    "creator": "Stasis",
    "name": "",
    "channels": ["a1.customer", "a1.agent.1"],
    "creationtime": AT,
}
PLAYBACK = {
    "id": "p1",
    "media_uri": "sound:hello",
    "target_uri": "channel:a1.customer",
    "language": "en",
    "state": "done",
}
ENDPOINT = {"technology": "PJSIP", "resource": "trunk", "state": "online", "channel_ids": ["a1.customer"]}

# What each type carries beside type, timestamp, asterisk_id and application.
SAMPLES: dict[str, dict[str, Any]] = {
    "StasisStart": {"channel": CHANNEL, "args": ["customer"]},
    "StasisEnd": {"channel": CHANNEL},
    "ChannelCreated": {"channel": CHANNEL},
    "ChannelStateChange": {"channel": CHANNEL},
    "ChannelDestroyed": {"channel": CHANNEL, "cause": 17, "cause_txt": "User busy", "tech_cause": 486},
    "ChannelHangupRequest": {"channel": CHANNEL, "cause": 16, "soft": True},
    "ChannelDtmfReceived": {"channel": CHANNEL, "digit": "1", "duration_ms": 100},
    "ChannelTalkingStarted": {"channel": CHANNEL},
    "ChannelTalkingFinished": {"channel": CHANNEL, "duration": 1280},
    "ChannelToneDetected": {"channel": CHANNEL},
    "ChannelUserevent": {"eventname": "hearing"},
    "ChannelVarset": {"channel": CHANNEL, "variable": "RB_PHASE", "value": "announcing"},
    "ChannelHold": {"channel": CHANNEL, "musicclass": "default"},
    "ChannelUnhold": {"channel": CHANNEL},
    "ChannelEnteredBridge": {"bridge": BRIDGE, "channel": CHANNEL},
    "ChannelLeftBridge": {"bridge": BRIDGE, "channel": CHANNEL},
    "BridgeCreated": {"bridge": BRIDGE},
    "BridgeDestroyed": {"bridge": BRIDGE},
    "BridgeMerged": {"bridge": BRIDGE, "bridge_from": BRIDGE},
    "BridgeBlindTransfer": {
        "channel": CHANNEL,
        "replace_channel": CHANNEL,
        "transferee": CHANNEL,
        "exten": NUMBER,
        "context": "internal",
        "result": "Success",
        "is_external": True,
        "bridge": BRIDGE,
    },
    "BridgeAttendedTransfer": {
        "transferer_first_leg": CHANNEL,
        "transferer_second_leg": CHANNEL,
        "result": "Success",
        "is_external": True,
        "destination_type": "bridge",
        "destination_bridge": "other",
    },
    "PlaybackStarted": {"playback": PLAYBACK},
    "PlaybackFinished": {"playback": PLAYBACK},
    "ApplicationReplaced": {},
    "Dial": {"peer": CHANNEL, "dialstring": f"{NUMBER}@trunk", "dialstatus": "BUSY", "forward": ""},
    "EndpointStateChange": {"endpoint": ENDPOINT},
    "ContactStatusChange": {
        "endpoint": ENDPOINT,
        "contact_info": {"uri": f"sip:{NUMBER}@198.51.100.7", "contact_status": "Reachable", "aor": "trunk"},
    },
}


def written(kind: str, **changes: object) -> str:
    source = {"type": kind, "timestamp": AT, **SAMPLES[kind], "asterisk_id": "02:fc", "application": "ringback"}
    return json.dumps(source | changes)
