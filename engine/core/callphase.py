"""The phases of one live call, how long each may last, and what one step of it brings about.

    RINGING_FIRST --- the agent, who is rung first, does not come or does not stay ---> ENDED
       |
    DIALING -> ANSWERED -> ANNOUNCING -> WAITING -> WHISPERING -> BRIDGING -> CONNECTED -> ENDED
       |          |            |           |  ^____ agent missed ____|              |
       |__________|____________|___________|_______ CLOSING ________________________|___^
                                           |________ nobody answers a transfer _____|

RINGING_FIRST, if the service wants the agent on the phone before the customer is called: only the agent's leg exists.
Afterwards that agent waits with music until the customer confirms; WAITING then leads to WHISPERING at once.
ASKING, only of a caller: they are asked about a callback, and come back to WAITING or to an end.
CLOSING: the outcome is decided and written, the customer's leg is being let go, perhaps after a few last words. The
attempt is over only when that leg is gone, so the next attempt can never overlap with it.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from engine.core.effects import Effect
from engine.core.facts import Fact
from engine.core.records import Attempt
from engine.core.terms import CallbackState, PromptId
from engine.core.values import field

REFUSED_GRACE_SECONDS = 2.0
"""A refused playback or bridge mostly means that somebody just left; the leg's own end then says who."""
SILENT_DIAL_SECONDS = 30.0
"""How long after its ring timeout a dial is waited for at an Asterisk that cannot be heard."""
FREE_LATERS = 2
"""How often a customer may ask for a later call; after that the key does nothing."""

ANNOUNCEMENT = (PromptId.ANNOUNCE, PromptId.PRESS)


class Phase(StrEnum):
    RINGING_FIRST = "ringing first"
    DIALING = "dialing"
    ANSWERED = "answered"
    ANNOUNCING = "announcing"
    ASKING = "asking"
    WAITING = "waiting"
    WHISPERING = "whispering"
    BRIDGING = "bridging"
    CONNECTED = "connected"
    CLOSING = "closing"
    ENDED = "ended"


class Parting(StrEnum):
    """How far a call has come that ends because a machine answered; keys count all the time."""

    NO = "no"
    SAYING = "saying"
    SAID = "said"
    UNSAID = "unsaid"


class Recovery(StrEnum):
    """What was done about an attempt after a start or a lost event socket."""

    LEFT_ALONE = "left alone"
    BACK_IN_LINE = "back in line"
    ANNOUNCED = "announced again"
    AGENT_KEPT = "music again, agent kept"
    AGENT_WANTED = "music again, agent wanted"
    RELEASED = "let go again"
    CLOSED = "closed as decided"
    INTERRUPTED = "interrupted"
    ENDED_UNOBSERVED = "ended unobserved"


class Step(Struct, gc=False):
    """What one event brings about: effects, timers `{name: due_at or None to clear}` and facts, in order.

    `changed`: the call's record is another one now, which may be all.
    """

    effects: list[Effect] = field(default_factory=list)
    timers: dict[str, float | None] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    changed: bool = False


def phase_of(attempt: Attempt, state: CallbackState) -> Phase:
    """Where a restored attempt of a callback in this state stood; an agent's ringing and whisper are not written."""
    if attempt.ended_at is not None:
        return Phase.ENDED
    if attempt.outcome is not None:
        return Phase.CLOSING
    if attempt.dialed_at is None:
        return Phase.RINGING_FIRST
    if attempt.talks:
        return Phase.CONNECTED
    if attempt.bridging_at is not None:
        return Phase.BRIDGING
    if attempt.confirmed_at is not None:
        return Phase.WAITING
    if attempt.answered_at is None:
        return Phase.DIALING
    return Phase.ANNOUNCING if state is CallbackState.ANNOUNCING else Phase.ANSWERED
