"""What can go wrong, as one small tree. Every message is one line that says how to mend it.

    RingbackError
    ├── ConfigError         ringback.toml, the environment or the file of a secret cannot be used
    ├── DocumentError       the services document cannot be used; lists each field
    ├── RecordError         a record of events cannot be made or read
    └── StoreError          the database cannot be opened, read or written
        └── CommitUnknownError  nobody can say yet whether a group of changes is stored

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


class RecordError(RingbackError):
    """A record of events (`serve --record`) cannot be made or read; the message names the file, and the line."""


class StoreError(RingbackError):
    """The database cannot be opened, read or written.

    Of a group of changes whose commit raises exactly this nothing is stored, now and after any later crash.
    """


class CommitUnknownError(StoreError):
    """A commit failed so late that its group may be stored whole, or not at all.

    Which of the two becomes certain with the next `Journal.probe` that succeeds; then `Journal.load` tells.
    """
