"""Asterisk's manager interface (AMI), for what ARI cannot tell: phones, the trunk's registration, reloads.

Calls never pass here. The engine does without it: what AMI would tell is then unknown, and unknown stops nothing.
"""

from engine.asterisk.ami.link import AmiLink
from engine.asterisk.ami.phones import PhoneWatch
from engine.asterisk.ami.session import (
    AmiAnswer,
    AmiRefused,
    AmiSession,
    AmiSettings,
    AmiUnknown,
    LoginRefusedError,
    NoAmiError,
)

__all__ = [
    "AmiAnswer",
    "AmiLink",
    "AmiRefused",
    "AmiSession",
    "AmiSettings",
    "AmiUnknown",
    "LoginRefusedError",
    "NoAmiError",
    "PhoneWatch",
]
