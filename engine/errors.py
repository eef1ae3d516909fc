"""What can go wrong, as one small tree. Every message is one line that says how to mend it.

    RingbackError
    ├── ConfigError         ringback.toml, the environment or the file of a secret cannot be used
    ├── DocumentError       the services document cannot be used; lists each field
    └── StoreError          the database cannot be opened, read or written

A message never holds a phone number, a customer's name or a secret: it may end up in a log or on a screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class RingbackError(Exception):
    """Anything an operator or a client can be told in one line."""


class ConfigError(RingbackError):
    """A setting cannot be used; the message names the key and where it stands."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that cannot be used: its path, such as `services[0].caller_id`, and how to mend it."""

    field: str
    message: str
    unknown: bool = False


class DocumentError(RingbackError):
    """The services document cannot be used; `problems` has one entry for each field."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{each.field}: {each.message}" for each in self.problems))


class StoreError(RingbackError):
    """The database cannot be opened, read or written; of a failed group of changes nothing is stored."""
