"""What the end of a leg that nobody answered says about the customer's side.

The final SIP response is looked at first, because it is what the network said; the Q.850 cause second. Sources: RFC
3261 section 21 (responses), RFC 3398 section 7.2.4.1 (SIP response to cause), ITU-T Q.850 (causes).
"""

from __future__ import annotations

from engine.core.model import Outcome

_BY_SIP_CODE: dict[int, Outcome] = {
    403: Outcome.REJECTED,
    404: Outcome.INVALID_NUMBER,
    408: Outcome.NO_ANSWER,
    410: Outcome.INVALID_NUMBER,
    480: Outcome.NO_ANSWER,
    484: Outcome.INVALID_NUMBER,
    485: Outcome.INVALID_NUMBER,
    486: Outcome.BUSY,
    487: Outcome.NO_ANSWER,
    600: Outcome.BUSY,
    603: Outcome.REJECTED,
    604: Outcome.INVALID_NUMBER,
    607: Outcome.REJECTED,
    608: Outcome.REJECTED,
}

_BY_CAUSE: dict[int, Outcome] = {
    1: Outcome.INVALID_NUMBER,  # unallocated number
    16: Outcome.NO_ANSWER,  # normal clearing of a call nobody answered
    17: Outcome.BUSY,  # user busy
    18: Outcome.NO_ANSWER,  # no user responding
    19: Outcome.NO_ANSWER,  # no answer from user
    20: Outcome.NO_ANSWER,  # subscriber absent
    21: Outcome.REJECTED,  # call rejected
    22: Outcome.INVALID_NUMBER,  # number changed
    28: Outcome.INVALID_NUMBER,  # invalid number format
}


def of_unanswered(cause: int | None, sip_code: int | None) -> Outcome:
    """The outcome of a call that ended before an answer; what no table knows is a failure of the network."""
    if sip_code is not None and sip_code >= 300:
        return _BY_SIP_CODE.get(sip_code, Outcome.NETWORK_FAILURE)
    return _BY_CAUSE.get(cause or 0, Outcome.NETWORK_FAILURE)
