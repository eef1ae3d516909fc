"""What a node tells of who rings in, and of channels that Asterisk made for a transfer."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from engine.asterisk.ari.events import StasisStart, UnrecognisedEvent
from engine.asterisk.ari.parsing import parse
from engine.asterisk.node import AsteriskNode, NodeSettings
from engine.asterisk.recovery import Journalled
from engine.core.effects import Voice
from engine.core.events import CallerEntered, Event, LegAnswered, LegEnded, LegReplaced, NewNumber
from engine.core.terms import AttemptId, LegId, Prompt
from engine.metrics import Metrics
from tests.unit.ari_samples import CHANNEL, written


class NoSounds:
    """Nothing is said here."""

    def media(self, voice: Voice, prompt: Prompt) -> str:
        raise NotImplementedError


def cannot_say(_dialled: str, _caller: str) -> NewNumber | None:
    raise ImportError("half of a library")


async def nothing(*_ignored: object) -> tuple[str, ...]:
    return ()


def a_node(told: list[Event]) -> AsteriskNode:
    return AsteriskNode(
        NodeSettings("pbx", "http://127.0.0.1:1/ari", "user", "password", "ringback", "PJSIP/{number}@trunk"),
        NoSounds(),
        told.append,
        journalled=Journalled(list, lambda _call: False, list, nothing, nothing),  # type: ignore[arg-type]
        identify=cannot_say,
        startup_time=None,
        figures=Metrics(),
    )


def started(channel: str, name: str, *args: str, **fields: object) -> StasisStart:
    event = parse(written("StasisStart", args=list(args), channel=CHANNEL | {"id": channel, "name": name}, **fields))
    assert isinstance(event, StasisStart)
    return event


@pytest.mark.parametrize("args", [("inbound", "+12025550170"), ("desk",)])
async def test_a_customer_who_is_transferred_to_a_number_of_ours_is_turned_away(args: tuple[str, ...]) -> None:
    told: list[Event] = []
    node = a_node(told)
    node._heard(started("pbx-17.6", "Local/*80@ringback-agents-00000001;2", *args))
    assert told == []
    assert node._late.get_nowait() == "pbx-17.6"


async def test_the_end_of_a_channel_in_an_agents_place_is_told_though_nobody_has_decided_yet() -> None:
    told: list[Event] = []
    node = a_node(told)
    agent = CHANNEL | {"id": "cb1-2.agent.1"}
    name = "Local/1972@ringback-agents-00000001;1"
    node._heard(started("pbx-17.7", name, replace_channel=agent))
    for kind in ("ChannelStateChange", "StasisEnd"):
        event = parse(written(kind, channel=CHANNEL | {"id": "pbx-17.7", "name": name}))
        assert not isinstance(event, UnrecognisedEvent)
        node._heard(event)
    half = LegId("pbx-17.7")
    assert told == [LegReplaced(LegId("cb1-2.agent.1"), half), LegAnswered(half), LegEnded(half)]


async def test_whoever_cannot_be_told_from_their_number_is_taken_in_like_those_who_show_none() -> None:
    """Else they would ring until they give up, and nobody would know."""
    told: list[Event] = []
    node = a_node(told)
    entered = started("pbx-17.5", "PJSIP/trunk-0000001", "inbound", "+12025550170")

    with capture_logs() as logs:
        node._heard(entered)

    assert told == [CallerEntered(AttemptId("callpbx17-5"), LegId("pbx-17.5"), "+12025550170", None)]
    assert [line["event"] for line in logs] == ["caller.not_identified"]
