"""A small typed client of Asterisk's REST interface (ARI) on aiohttp; why our own:
docs/decisions/own-ari-client.md.

It speaks to Asterisk and knows nothing of callbacks' rules. Requests end as values (`Ok`, `Refused`,
`Unknown`), events come as frozen dataclasses through `EventStream`.
"""

from engine.asterisk.ari.backoff import Backoff
from engine.asterisk.ari.client import AriClient
from engine.asterisk.ari.events import AriEvent, UnrecognisedEvent
from engine.asterisk.ari.parsing import parse
from engine.asterisk.ari.results import Ok, Refused, Result, Unknown
from engine.asterisk.ari.stream import EventStream, StreamCounts

__all__ = [
    "AriClient",
    "AriEvent",
    "Backoff",
    "EventStream",
    "Ok",
    "Refused",
    "Result",
    "StreamCounts",
    "Unknown",
    "UnrecognisedEvent",
    "parse",
]
