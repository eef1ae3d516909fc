"""Sets up logging: structlog for us and for the libraries, as readable lines or one JSON object a line.

Personal values never stand in a line except under keys that begin with `pii.`, and those are left out unless the
operator asked for them. Secrets never stand in a line at all. Both hold also for lines that libraries write and for the
text of exceptions.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from pydantic import SecretStr
from structlog.typing import EventDict, Processor

from engine.config import LogSettings

_PERSONAL = frozenset({"phone", "number", "first_name", "last_name", "customer", "customer_id", "caller_id", "context"})
_SECRET = re.compile(r"password|secret|token|authorization|api_key|cookie", re.IGNORECASE)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_KEY = re.compile(r"rb(?:k_[a-z]+|s)_[A-Za-z0-9_-]+")
_HIDDEN = "***"


def set_up(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (None: standard error) as the settings say."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        cache_logger_on_first_use=False,
    )
    target = stream or sys.stderr
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                PersonalValues(keep=settings.personal),
                _renderer(settings.format, target),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    # Libraries tell of each statement and connection below this; that is for their developers.
    for name in ("aiosqlite", "sqlalchemy", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It quotes the subprotocols of clients, and some put their token there.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    server = logging.getLogger("aiohttp.server")
    server.filters[:] = [_without_what_was_sent]


def _without_what_was_sent(record: logging.LogRecord) -> bool:
    """The web server names the client, and quotes a request that it cannot read: numbers, tokens and all.

    Anybody can send such a request, as scanners do, so it is told in one line and is no error of ours.
    """
    if isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], HttpProcessingError | RequestPayloadError):
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args, record.exc_info = "http.unreadable", (), None
        return logging.getLogger().isEnabledFor(logging.INFO)
    if record.msg == "Error handling request from %s":
        record.msg, record.args = "Error handling a request", ()
    return True


class PersonalValues:
    """A processor: moves personal values under `pii.`, or leaves them out, and hides secrets."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """The same line without personal values outside `pii.` keys."""
        cleaned: MutableMapping[str, Any] = {}
        for key, value in event.items():
            if key.startswith("pii.") or key in _PERSONAL:
                if self._keep:
                    cleaned[key if key.startswith("pii.") else f"pii.{key}"] = value
            else:
                cleaned[key] = _without_secrets(key, value)
        return cleaned


def _without_secrets(key: str, value: object) -> object:
    if isinstance(value, SecretStr) or _SECRET.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return _KEY.sub(_HIDDEN, _PHONE.sub("[phone]", value))
    if isinstance(value, Mapping):
        return {inner: _without_secrets(str(inner), each) for inner, each in value.items() if inner not in _PERSONAL}
    if isinstance(value, list | tuple):
        return [_without_secrets(key, each) for each in value]
    return value


def _renderer(form: str, target: TextIO) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=target.isatty())
