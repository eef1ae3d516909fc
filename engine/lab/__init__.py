"""A real Asterisk and a simulated telephone network on one machine: for the demo, tests and trials.

It never touches an Asterisk that belongs to the machine, listens on loopback only and leaves nothing behind.
"""

from engine.lab.errors import LabError, NoAsteriskError, NoSuchLabError
from engine.lab.lab import Lab, running
from engine.lab.rung_in import RungIn
from engine.lab.state import AsteriskAddress, LabState, sweep, take_down
from engine.lab.witness import KeyPress, Side, WitnessCall

__all__ = [
    "AsteriskAddress",
    "KeyPress",
    "Lab",
    "LabError",
    "LabState",
    "NoAsteriskError",
    "NoSuchLabError",
    "RungIn",
    "Side",
    "WitnessCall",
    "running",
    "sweep",
    "take_down",
]
