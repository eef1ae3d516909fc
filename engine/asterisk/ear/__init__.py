"""A second ear on customers: their audio, sent by Asterisk, listened to for talk and for the beep of a machine."""

from engine.asterisk.ear.ears import Ears, EarSettings

__all__ = ["EarSettings", "Ears"]
