"""Lists that are small enough to stand in memory, cut into pages. The cursor is the id of a page's last item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from pydantic import Field

from engine.api.bodies import Answered, Received
from engine.api.problems import ProblemError


class ListQuery(Received):
    """Which page of a list."""

    limit: int = Field(500, ge=1, le=500)
    cursor: str | None = Field(None, description="`next` of the page before.")


class Listed(Answered):
    """Anything with an id."""

    id: str


class Identified(Protocol):
    """What can stand in a list."""

    @property
    def id(self) -> str:
        """Its own within the list."""


T = TypeVar("T", bound=Identified)


def page_of(items: Sequence[T], query: ListQuery) -> tuple[list[T], str | None]:
    """The asked page and the cursor of the following one. Raises ProblemError for a cursor that leads nowhere."""
    start = 0
    if query.cursor is not None:
        places = {each.id: place for place, each in enumerate(items)}
        if query.cursor not in places:
            raise ProblemError.of_field("cursor", "is not the `next` of an earlier page; begin without it")
        start = places[query.cursor] + 1
    page = list(items[start : start + query.limit])
    return page, page[-1].id if page and start + query.limit < len(items) else None
