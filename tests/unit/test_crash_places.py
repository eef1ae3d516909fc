"""Each rule of the crash judge about people who ring in fails on invented evidence that breaks it, and on no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.lab.rung_in import RungIn
from engine.lab.witness import KeyPress, Side, WitnessCall
from tests.live.crash.evidence import AttemptSeen, Blow, CallbackSeen, Evidence, InboundSeen, Intervals
from tests.live.crash.judge import judge
from tests.live.crash.places import RULES

ADA, BEN, CLEO = "12025550100", "12025550101", "12025550102"
KEYS = (KeyPress("1", 22.0), KeyPress("1", 24.0))


def rang(number: str, start: float, end: float | None, **more: object) -> RungIn:
    seen = RungIn(f"ring-{number}", "+12025550199", f"+{number}", number, number, start, start + 0.1, ended_at=end)
    return replace(seen, **more)  # type: ignore[arg-type]  # a test's shorthand


def row(name: str, number: str | None, start: float, outcome: str, **more: object) -> InboundSeen:
    seen = InboundSeen(name, number, start, start, None, start + 10, outcome)
    return replace(seen, **more)  # type: ignore[arg-type]  # a test's shorthand


TALKED = rang(ADA, 10.0, 20.0, met_at=15.0)
KEPT = rang(BEN, 20.0, 30.0, keys=KEYS)
LEFT = rang(CLEO, 10.0, 20.0, hung_up_at=19.9)
ADA_ROW = row("call1", ADA, 10.1, "connected", bridging_at=14.0)
BEN_ROW = row("call2", BEN, 20.1, "callback", callback="cbcall2")
CLEO_ROW = row("call3", CLEO, 10.1, "abandoned")
MADE = CallbackSeen("cbcall2", BEN, "completed", "talked", 60.0, service="inward", created_at=24.1, asked_at=20.1)
CALLED = WitnessCall("c", BEN, Side.CUSTOMER, "c", 40.0, answered_at=41.0, ended_at=60.0, met_at=55.0)
ATTEMPT = AttemptSeen("cbcall2-1", "cbcall2", 39.9, 41.0, 50.0, 60.1, "connected")

SOUND = Evidence(
    calls=(CALLED,),
    callbacks=(MADE,),
    attempts=(ATTEMPT,),
    asked=(),
    intervals=Intervals(retry=8.0, fault=2.0, later=4.0),
    rung_in=(TALKED, KEPT, LEFT),
    inbound=(ADA_ROW, BEN_ROW, CLEO_ROW),
    inward="inward",
)


def broken(evidence: Evidence) -> list[str]:
    return [rule for rule, found in judge(evidence).violations.items() if found]


def with_rows(*rows: InboundSeen) -> Evidence:
    return replace(SOUND, inbound=rows)


def test_sound_evidence_breaks_no_rule() -> None:
    assert broken(SOUND) == []
    assert set(RULES) <= set(judge(SOUND).violations)


# ---- 17: hung up on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["interrupted", "abandoned", "no_agent", "refused"])
def test_who_waited_and_did_not_hang_up_was_hung_up_on(outcome: str) -> None:
    waited = replace(SOUND, rung_in=(TALKED, KEPT, replace(LEFT, hung_up_at=None)))
    assert broken(replace(waited, inbound=(ADA_ROW, BEN_ROW, replace(CLEO_ROW, outcome=outcome)))) == ["hung-up-on"]
    assert broken(replace(waited, inbound=(ADA_ROW, BEN_ROW))) == ["hung-up-on"], "nothing is written of them at all"


def test_who_may_have_talked_was_not_hung_up_on() -> None:
    parted = replace(SOUND, rung_in=(TALKED, KEPT, replace(LEFT, hung_up_at=None)))
    bridged = replace(CLEO_ROW, outcome="connected", bridging_at=18.0)
    assert broken(replace(parted, inbound=(ADA_ROW, BEN_ROW, bridged))) == []


def test_who_was_never_answered_was_not_hung_up_on() -> None:
    gave_up = replace(LEFT, hung_up_at=None, answered_at=None)
    assert broken(replace(SOUND, rung_in=(TALKED, KEPT, gave_up))) == []


@pytest.mark.parametrize(("died_at", "sound"), [(19.0, True), (10.0, False), (21.0, False)])
def test_the_pbx_may_take_a_call_with_it(died_at: float, sound: bool) -> None:  # noqa: FBT001
    cut = replace(SOUND, rung_in=(TALKED, KEPT, replace(LEFT, hung_up_at=None)))
    assert broken(replace(cut, faults=(Blow(died_at, "pbx-killed", 1, of_pbx=True),))) == (
        [] if sound else ["hung-up-on"]
    )
    assert broken(replace(cut, faults=(Blow(died_at, "events-cut", 1),))) == ["hung-up-on"]


def test_a_call_that_came_in_ends() -> None:
    assert broken(replace(SOUND, rung_in=(TALKED, KEPT, replace(LEFT, hung_up_at=None, ended_at=None)))) == [
        "hung-up-on"
    ]


# ---- 18, 19: a kept place --------------------------------------------------------------------------------


def test_a_promised_callback_that_is_not_there_is_lost() -> None:
    assert broken(replace(SOUND, callbacks=(), attempts=(), calls=())) == ["place"]


def test_a_promised_callback_has_the_place_of_the_call() -> None:
    later = replace(SOUND, callbacks=(replace(MADE, asked_at=24.1),))
    assert broken(later) == ["place"]
    assert broken(replace(SOUND, callbacks=(replace(MADE, asked_at=12.0),))) == [], "that of an earlier request"


def test_a_callback_of_the_phone_needs_somebody_who_pressed_the_keys() -> None:
    for pressed in ((), KEYS[:1], (KEYS[0], KeyPress("1", 25.0))):
        unasked = replace(SOUND, rung_in=(TALKED, replace(KEPT, keys=pressed), LEFT))
        assert broken(unasked) == ["lost"], pressed
    assert "lost" in broken(with_rows(ADA_ROW, replace(BEN_ROW, callback="other"), CLEO_ROW)), "no call made it"


def test_a_place_that_is_kept_twice_would_be_called_twice() -> None:
    twin = replace(MADE, id="twin", created_at=25.0)
    twice = row("call4", BEN, 20.2, "callback", callback="twin")
    both = replace(SOUND, callbacks=(MADE, twin), inbound=(*SOUND.inbound, twice))
    assert broken(both) == ["kept-twice"]
    again = replace(twin, created_at=61.0, ended_at=70.0)
    assert "kept-twice" not in broken(replace(both, callbacks=(MADE, again)))
    elsewhere = replace(twin, service="other")
    assert "kept-twice" not in broken(replace(both, callbacks=(MADE, elsewhere)))


def test_a_kept_place_that_never_ends_is_lost() -> None:
    assert broken(replace(SOUND, callbacks=(replace(MADE, state="queued", ended_at=None),))) == ["lost"]


# ---- 20, 21: who talked ----------------------------------------------------------------------------------


def test_who_rang_in_and_talked_is_not_called_for_what_they_had_asked() -> None:
    back = rang(BEN, 31.0, 39.0, met_at=35.0)
    his = row("call4", BEN, 31.1, "connected", bridging_at=34.0)
    returned = replace(SOUND, rung_in=(*SOUND.rung_in, back), inbound=(*SOUND.inbound, his))
    assert broken(returned) == ["called-in"]
    in_time = replace(back, met_at=39.7, ended_at=42.0)
    assert broken(replace(returned, rung_in=(*SOUND.rung_in, in_time))) == [], "the dial was on its way"
    earlier = AttemptSeen("cbcall2-0", "cbcall2", 30.0, 34.0, None, 38.0, "interrupted")
    invite = WitnessCall("b", BEN, Side.CUSTOMER, "b", 30.1, answered_at=34.0, ended_at=38.0)
    on_both = replace(returned, attempts=(earlier, ATTEMPT), calls=(invite, CALLED))
    assert "called-in" not in broken(on_both), "somebody had answered the other call already"
    rung = replace(on_both, attempts=(replace(earlier, answered_at=None), ATTEMPT))
    assert "called-in" in broken(rung)
    asked_again = replace(MADE, created_at=36.0)
    assert "called-in" not in broken(replace(returned, callbacks=(asked_again,)))


def test_who_talked_is_written_as_connected() -> None:
    assert broken(with_rows(replace(ADA_ROW, outcome="interrupted"), BEN_ROW, CLEO_ROW)) == ["inbound"]
    assert broken(with_rows(BEN_ROW, CLEO_ROW)) == ["inbound"]
    assert broken(with_rows(replace(ADA_ROW, number=None), BEN_ROW, CLEO_ROW)) == [], "a number that nobody may call"


def test_a_row_that_stays_open_is_no_end() -> None:
    assert broken(with_rows(ADA_ROW, BEN_ROW, replace(CLEO_ROW, ended_at=None, outcome=None))) == ["inbound"]
