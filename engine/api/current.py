"""The services document in force, as the HTTP side needs it: names of subjects, what is public, which countries."""

from __future__ import annotations

import asyncio

from engine.document import Parsed, ServiceEntry, parse
from engine.store.queries import Queries

_EMPTY = parse({})


class CurrentDocument:
    """Reads the document from the store once for each version. `current()` is never newer than what is durable."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._kept: tuple[int, Parsed] = (0, _EMPTY)
        self._reading = asyncio.Lock()

    async def current(self, version: int) -> Parsed:
        """The document of the dispatcher's `version`, or the last durable one. Raises StoreError, DocumentError."""
        if self._kept[0] == version:
            return self._kept[1]
        async with self._reading:
            if self._kept[0] != version:
                stored, text = await self._queries.configuration()
                self._kept = (stored, _EMPTY if text is None else parse(text, version=stored))
        return self._kept[1]

    async def services(self, version: int, *, only_public: bool) -> dict[str, ServiceEntry]:
        """The services by id; customers' keys see public ones only."""
        document = (await self.current(version)).document
        return {each.id: each for each in document.services if each.public or not only_public}
