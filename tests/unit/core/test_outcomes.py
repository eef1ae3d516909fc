"""What the end of an unanswered leg means: SIP response first, then the Q.850 cause."""

from __future__ import annotations

import pytest

from engine.core.model import Outcome
from engine.core.outcomes import of_unanswered


@pytest.mark.parametrize(
    ("cause", "sip_code", "outcome"),
    [
        (17, 486, Outcome.BUSY),
        (17, 600, Outcome.BUSY),
        (19, 480, Outcome.NO_ANSWER),
        (19, 408, Outcome.NO_ANSWER),
        (0, 487, Outcome.NO_ANSWER),
        (21, 603, Outcome.REJECTED),
        (21, 403, Outcome.REJECTED),
        (21, 607, Outcome.REJECTED),
        (21, 608, Outcome.REJECTED),
        (1, 404, Outcome.INVALID_NUMBER),
        (1, 410, Outcome.INVALID_NUMBER),
        (28, 484, Outcome.INVALID_NUMBER),
        (1, 485, Outcome.INVALID_NUMBER),
        (1, 604, Outcome.INVALID_NUMBER),
        (38, 503, Outcome.NETWORK_FAILURE),
        (38, 500, Outcome.NETWORK_FAILURE),
        (127, 302, Outcome.NETWORK_FAILURE),
    ],
)
def test_given_a_final_response_then_it_says_the_outcome(cause: int, sip_code: int, outcome: Outcome) -> None:
    assert of_unanswered(cause, sip_code) is outcome


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (1, Outcome.INVALID_NUMBER),
        (16, Outcome.NO_ANSWER),
        (17, Outcome.BUSY),
        (18, Outcome.NO_ANSWER),
        (19, Outcome.NO_ANSWER),
        (20, Outcome.NO_ANSWER),
        (21, Outcome.REJECTED),
        (22, Outcome.INVALID_NUMBER),
        (28, Outcome.INVALID_NUMBER),
        (34, Outcome.NETWORK_FAILURE),
        (38, Outcome.NETWORK_FAILURE),
        (127, Outcome.NETWORK_FAILURE),
        (0, Outcome.NETWORK_FAILURE),
        (None, Outcome.NETWORK_FAILURE),
    ],
)
@pytest.mark.parametrize("sip_code", [None, 180, 200])
def test_given_no_final_response_then_the_cause_says_the_outcome(
    cause: int | None, sip_code: int | None, outcome: Outcome
) -> None:
    assert of_unanswered(cause, sip_code) is outcome


def test_given_a_response_that_contradicts_the_cause_then_the_response_is_believed() -> None:
    assert of_unanswered(17, 404) is Outcome.INVALID_NUMBER


def test_given_any_code_then_nobody_is_said_to_have_been_reached() -> None:
    reached = {Outcome.CONNECTED, Outcome.HUNG_UP, Outcome.MACHINE, Outcome.INTERRUPTED}
    assert not reached & {of_unanswered(cause, code) for cause in range(128) for code in (None, *range(300, 700))}
