"""What can go wrong with a lab. Every message is one line that says how to mend it."""

from engine.errors import RingbackError


class LabError(RingbackError):
    """The lab cannot do what was asked."""


class NoAsteriskError(LabError):
    """No Asterisk of a known version was found or could be built."""


class NoSuchLabError(LabError):
    """No running lab fits."""
