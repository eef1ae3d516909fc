"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import RingbackError


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `detail` says what was seen, `mend` what to do and is empty when all is well.

    Neither holds a secret or a phone number.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""


def good(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, ok=True, detail=detail)


def bad(name: str, detail: str, mend: str) -> Finding:
    """Something is wrong."""
    return Finding(name, ok=False, detail=detail, mend=mend)


def failed(name: str, error: RingbackError) -> Finding:
    """An error whose message ends with how to mend, after the last semicolon."""
    detail, separator, mend = str(error).rpartition("; ")
    return bad(name, detail, mend) if separator else bad(name, str(error), "correct it and check again")
