"""What a customer's endpoint says before anybody is dialled, and what a dial asks Asterisk to listen for."""

from __future__ import annotations

import pytest

from engine.asterisk.calls import FAX_TONE, _heard_by_asterisk, trunk_of
from engine.core.effects import Listening


@pytest.mark.parametrize(
    ("customer_endpoint", "trunk"),
    [
        ("PJSIP/{number}@trunk", "PJSIP/trunk"),
        ("PJSIP/{e164}@trunk-1", "PJSIP/trunk-1"),
        ("PJSIP/trunk/sip:{number}@127.0.0.1:5080", "PJSIP/trunk"),
        ("PJSIP/trunk-1/sips:+{number}@sip.carrier.example", "PJSIP/trunk-1"),
        ("PJSIP/{number}", ""),
    ],
)
def test_the_trunk_is_heard_at_whichever_way_the_endpoint_is_written(customer_endpoint: str, trunk: str) -> None:
    assert trunk_of(customer_endpoint) == trunk


def test_talk_and_the_tone_of_a_fax_are_listened_for_in_asterisks_units() -> None:
    """Silence in milliseconds, then the level; the tone is one that we receive."""
    heard = _heard_by_asterisk(Listening(level=500, pause_seconds=0.3, amd=False))

    assert heard == {"TALK_DETECT(set)": "300,500", FAX_TONE: ""}
    assert FAX_TONE.endswith(",r)")


def test_amd_is_asked_for_only_where_it_is_wanted() -> None:
    """The shipped dialplan reads this variable."""
    heard = _heard_by_asterisk(Listening(level=256, pause_seconds=1.2345, amd=True))

    assert heard["RB_SCREENING"] == "amd"
    assert heard["TALK_DETECT(set)"] == "1234,256"
