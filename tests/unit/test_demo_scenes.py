"""The demonstration's own judgement of its scenes: each thing that must hold is missed when it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.demo.cast import COLLEAGUES_PHONE, GIVER, KIM, UMA, VERA, WILL, Part
from engine.demo.scenes import Offer, call_in_faults, place_faults, preview_faults, transfer_faults
from engine.lab.rung_in import RungIn
from engine.lab.witness import KeyPress, Side, WitnessCall

CALL: dict[str, Any] = {
    "service": UMA.service,
    "phone": UMA.number,
    "outcome": "callback",
    "callback": "cbk-uma",
    "joined_at": "2027-01-13T15:00:00.000Z",
}
CALLBACKS: dict[Part, dict[str, Any]] = {
    UMA: {"id": "cbk-uma", "channel": "phone", "created_at": "2027-01-13T15:00:30.000Z"},
    KIM: {"id": "cbk-kim", "channel": "web", "created_at": "2027-01-13T15:00:01.000Z"},
    VERA: {"id": "cbk-vera", "channel": "web", "created_at": "2027-01-13T15:00:01.000Z"},
    WILL: {"attempts": [{"agent": GIVER, "transferred_at": "2027-01-13T15:00:40.000Z"}]},
}
RUNG_IN = RungIn(
    "ring-1",
    "+12025550199",
    UMA.number,
    "sip-1",
    "channel-1",
    0.0,
    answered_at=0.2,
    keys=(KeyPress("1", 15.0), KeyPress("1", 30.0)),
    heard=(0.5, 15.5),
    quiet=(29.0,),
    ended_at=36.0,
    cause=16,
)
OFFER = Offer("cbk-vera", VERA.first_name, shown_at=5.0, accepted_at=7.0)


def invited(part: Part, at: float) -> WitnessCall:
    return WitnessCall(f"sip-{part.dialled}-{at}", part.dialled, Side.CUSTOMER, "channel", at)


IN_ORDER = [invited(VERA, 7.1), invited(UMA, 36.5), invited(KIM, 60.0)]


def test_a_call_in_that_went_as_it_must_has_no_fault() -> None:
    assert call_in_faults([CALL], [RUNG_IN], CALLBACKS) == []
    assert place_faults([CALL], CALLBACKS, IN_ORDER) == []


def test_a_call_in_that_ended_otherwise_is_told() -> None:
    for fault in ({"outcome": "abandoned"}, {"callback": "cbk-kim"}, {"service": "sales"}):
        assert call_in_faults([CALL | fault], [RUNG_IN], CALLBACKS)
    assert call_in_faults([CALL, CALL], [RUNG_IN], CALLBACKS)
    assert call_in_faults([CALL], [RUNG_IN], {**CALLBACKS, UMA: CALLBACKS[UMA] | {"channel": "web"}})
    assert call_in_faults([CALL], [RUNG_IN], {KIM: CALLBACKS[KIM]})


def test_a_caller_who_saw_something_else_is_told() -> None:
    others = (
        replace(RUNG_IN, answered_at=None),
        replace(RUNG_IN, keys=RUNG_IN.keys[:1]),
        replace(RUNG_IN, heard=RUNG_IN.heard[:1]),
        replace(RUNG_IN, quiet=()),
        replace(RUNG_IN, hung_up_at=20.0),
        replace(RUNG_IN, ended_at=None),
    )
    for call in others:
        assert len(call_in_faults([CALL], [call], CALLBACKS)) == 1, call
    assert call_in_faults([CALL], [], CALLBACKS)


def test_a_place_that_was_lost_is_told() -> None:
    assert place_faults([CALL], CALLBACKS, [invited(KIM, 36.0), invited(UMA, 40.0)])
    assert place_faults([CALL], CALLBACKS, [invited(UMA, 40.0)])


def test_an_order_that_proves_nothing_is_told() -> None:
    for asked_at in ("2027-01-13T14:59:59.000Z", "2027-01-13T15:00:31.000Z"):
        callbacks = {**CALLBACKS, KIM: CALLBACKS[KIM] | {"created_at": asked_at}}
        assert place_faults([CALL], callbacks, IN_ORDER) == ["Kim did not ask while Uma was on the phone"]


def test_a_preview_that_went_as_it_must_has_no_fault() -> None:
    assert preview_faults(OFFER, CALLBACKS, IN_ORDER) == []


def test_a_preview_without_a_yes_or_of_somebody_else_is_told() -> None:
    assert preview_faults(None, CALLBACKS, IN_ORDER)
    assert preview_faults(replace(OFFER, accepted_at=None), CALLBACKS, IN_ORDER)
    assert preview_faults(replace(OFFER, callback="cbk-kim"), CALLBACKS, IN_ORDER)
    assert preview_faults(replace(OFFER, first_name=None), CALLBACKS, IN_ORDER)


def test_a_customer_who_is_called_before_the_agents_yes_is_told() -> None:
    assert preview_faults(OFFER, CALLBACKS, [invited(VERA, 6.9)]) == ["she was called 0.1 s before her agent said yes"]


WILLS = replace(invited(WILL, 1.0), answered_at=2.0, ended_at=28.0)
COLLEAGUES = WitnessCall("sip-c", str(COLLEAGUES_PHONE), Side.AGENT, "channel", 20.0, answered_at=21.0, met_at=23.0)


def test_a_transfer_that_went_as_it_must_has_no_fault() -> None:
    assert transfer_faults(CALLBACKS, [WILLS, COLLEAGUES], wrapped_up=True) == []


def test_a_transfer_that_nobody_else_saw_is_told() -> None:
    for witness in (
        [WILLS],
        [COLLEAGUES],
        [WILLS, COLLEAGUES, COLLEAGUES],
        [WILLS, replace(COLLEAGUES, met_at=None)],
        [replace(WILLS, ended_at=22.0), COLLEAGUES],
    ):
        assert len(transfer_faults(CALLBACKS, witness, wrapped_up=True)) == 1, witness


def test_a_transfer_of_which_the_engine_knows_nothing_is_told() -> None:
    for attempts in ([], [{"agent": GIVER, "transferred_at": None}], [{"agent": "amy", "transferred_at": "then"}]):
        callbacks = {**CALLBACKS, WILL: {"attempts": attempts}}
        assert len(transfer_faults(callbacks, [WILLS, COLLEAGUES], wrapped_up=True)) == 1, attempts


def test_an_agent_who_did_not_wrap_up_meanwhile_is_told() -> None:
    assert len(transfer_faults(CALLBACKS, [WILLS, COLLEAGUES], wrapped_up=False)) == 1
