"""What a customer's endpoint says before anybody is dialled."""

from __future__ import annotations

import pytest

from engine.asterisk.calls import trunk_of


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
