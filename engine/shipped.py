"""Finds the files that Ringback ships beside its code: the PBX configuration and the voice prompts.

In a checkout they lie beside `engine/`; in an installed wheel inside it, under `engine/_shipped/`. This module only
says where; it never writes there.
"""

from pathlib import Path

from engine.errors import RingbackError

_ENGINE = Path(__file__).resolve().parent


class ShippedFilesMissingError(RingbackError):
    """A folder that belongs to every copy of Ringback is not there."""


def asterisk_config_dir() -> Path:
    """The folder of configuration templates (`asterisk-config/`)."""
    return _folder("asterisk-config")


def prompts_dir() -> Path:
    """The folder of voice prompts (`prompts/`)."""
    return _folder("prompts")


def _folder(name: str) -> Path:
    # The checkout first: whoever works in one wants its files, also when a wheel was built from it before.
    for candidate in (_ENGINE.parent / name, _ENGINE / "_shipped" / name):
        if candidate.is_dir():
            return candidate
    raise ShippedFilesMissingError(
        f"the folder {name}/ is missing beside {_ENGINE}; install Ringback again or use a complete checkout"
    )
