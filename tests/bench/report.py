"""What a bench hands back: a table to read, figures to compare, and the bars it missed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` go into the RESULT line, in their order; their names are words without blanks.

    `missed`: the bars that were missed, in words; empty if all were kept.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: Mapping[str, float]
    missed: tuple[str, ...]
    notes: tuple[str, ...] = ()
