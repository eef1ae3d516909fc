"""The steps of callers, and the record of those who rang in."""

import csv
import json
from pathlib import Path

import pytest

from engine.lab import LabError, rung_in, witness
from engine.lab.callers import Step, Verb, check, steps
from engine.lab.witness import KeyPress

RECORD = [
    ("RING", 10.0, "net.1", {"extra": "ring-a +12025550199 call-a +13105550101"}),
    ("INVITE", 10.5, "net.9", {"extra": "12025550100 call-b 12025550000"}),
    ("ANSWER", 11.0, "net.1", None),
    ("HEARD", 11.1, "net.1", {"extra": ""}),
    ("QUIET", 14.0, "net.1", {"extra": ""}),
    ("KEY", 14.1, "net.1", {"extra": "*"}),
    ("KEY", 14.6, "net.1", {"extra": "2"}),
    ("HEARD", 15.0, "net.1", {"extra": ""}),
    ("MET", 16.0, "net.1", {"extra": ""}),
    ("HUNG_UP", 20.0, "net.1", {"extra": ""}),
    ("HANGUP", 20.1, "net.1", {"hangupcause": 16}),
    ("RING", 30.0, "net.2", {"extra": "ring-c s call-c "}),
    ("UNANSWERED", 31.0, "ring-c;2", {"extra": "ring-c SIP 503 Service Unavailable"}),
    ("HANGUP", 31.0, "net.2", {"hangupcause": 34}),
    ("RING", 40.0, "net.3", {"extra": "ring-d s call-d agent-1001"}),
    ("UNANSWERED", 41.0, "ring-d;2", {"extra": "ring-d SIP 180 Ringing"}),
]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "witness.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for event, at, channel, extra in RECORD:
            rows.writerow((event, at, channel, "", json.dumps(extra) if extra else ""))
        out.write('"RING","42.0","net.4","","{""extra')  # being written just now
    return path


def test_a_script_is_read_in_order_with_what_each_step_takes() -> None:
    assert steps("listen, listen 5,press 1*#,wait 0.5, talk 3") == (
        Step(Verb.LISTEN, "40"),
        Step(Verb.LISTEN, "5"),
        Step(Verb.PRESS, "1*#"),
        Step(Verb.WAIT, "0.5"),
        Step(Verb.TALK, "3"),
    )
    assert steps("") == ()


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("jump", "listen, press, wait"),
        ("press", "press takes keys"),
        ("press 1a", "press takes keys"),
        ("press ${X}", "press takes keys"),
        ("wait", "wait takes seconds"),
        ("wait -1", "wait takes seconds"),
        ("listen 0", "listen takes whole seconds"),
        ("listen 1.5", "listen takes whole seconds"),
        ("hang-up 3", "takes nothing"),
        ("talk,press 1", "nothing can follow 'talk'"),
    ],
)
def test_a_step_that_nobody_can_take_is_refused_and_named(script: str, says: str) -> None:
    with pytest.raises(LabError, match=says):
        steps(script)


@pytest.mark.parametrize(
    ("dialled", "caller"),
    [("1&PJSIP/2", None), ("", None), ("1,2", None), ("1", "agent-1"), ("1", "a"), ("1", ""), ("1", "1\n")],
)
def test_what_could_be_read_as_dialplan_is_neither_dialled_nor_shown(dialled: str, caller: str | None) -> None:
    with pytest.raises(LabError):
        check(dialled, caller)


def test_a_caller_is_read_with_all_that_they_did(record: Path) -> None:
    answered, *_others = rung_in.read(record)
    assert answered == rung_in.RungIn(
        ring_id="ring-a",
        dialled="+12025550199",
        caller="+13105550101",
        call_id="call-a",
        channel="net.1",
        started_at=10.0,
        answered_at=11.0,
        keys=(KeyPress("*", 14.1), KeyPress("2", 14.6)),
        heard=(11.1, 15.0),
        quiet=(14.0,),
        met_at=16.0,
        hung_up_at=20.0,
        ended_at=20.1,
        cause=16,
    )
    assert answered.pressed == "*2"


def test_a_refusal_has_its_sip_code_and_who_gave_up_has_none(record: Path) -> None:
    _answered, refused, gave_up = rung_in.read(record)
    assert (refused.caller, refused.sip_code, refused.cause, refused.answered_at) == ("", 503, 34, None)
    assert (gave_up.caller, gave_up.sip_code, gave_up.ended_at) == ("agent-1001", None, None)


def test_callers_are_not_among_the_calls_that_reached_the_network(record: Path) -> None:
    assert [call.call_id for call in witness.read(record)] == ["call-b"]
