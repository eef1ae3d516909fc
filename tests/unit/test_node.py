"""What a node tells of somebody who rings in, whatever becomes of their number."""

from __future__ import annotations

from structlog.testing import capture_logs

from engine.asterisk.ari.events import StasisStart
from engine.asterisk.ari.parsing import parse
from engine.asterisk.node import AsteriskNode, NodeSettings
from engine.asterisk.recovery import Journalled
from engine.core.effects import Voice
from engine.core.events import CallerEntered, Event, NewNumber
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


async def test_whoever_cannot_be_told_from_their_number_is_taken_in_like_those_who_show_none() -> None:
    """Else they would ring until they give up, and nobody would know."""
    told: list[Event] = []
    node = AsteriskNode(
        NodeSettings("pbx", "http://127.0.0.1:1/ari", "user", "password", "ringback", "PJSIP/{number}@trunk"),
        NoSounds(),
        told.append,
        journalled=Journalled(list, lambda _call: False, list, nothing, nothing),  # type: ignore[arg-type]
        identify=cannot_say,
        startup_time=None,
        figures=Metrics(),
    )
    entered = parse(written("StasisStart", args=["inbound", "+12025550170"], channel=CHANNEL | {"id": "pbx-17.5"}))
    assert isinstance(entered, StasisStart)

    with capture_logs() as logs:
        node._heard(entered)

    assert told == [CallerEntered(AttemptId("callpbx17-5"), LegId("pbx-17.5"), "+12025550170", None)]
    assert [line["event"] for line in logs] == ["caller.not_identified"]
