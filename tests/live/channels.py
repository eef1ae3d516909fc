"""What channels a lab's PBX has, as its console says."""

from engine.lab import Lab


def channels(lab: Lab, kind: str = "") -> int:
    """How many there are, of all kinds or of one, such as `Snoop/`."""
    listed = lab.console("core show channels concise").splitlines()
    return sum(line.startswith(kind) and "!" in line for line in listed)
