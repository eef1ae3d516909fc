"""What commands share that ask the engine for something new: free fields, and the key under which it is made once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

import click

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")

context_option = click.option(
    "--context", "-c", multiple=True, metavar="NAME=VALUE", help="Anything the agent should see; repeatable."
)
idempotency_key_option = click.option(
    "--idempotency-key", metavar="TEXT", help="Asked twice with the same text, the engine does it once."
)


def context_of(texts: Iterable[str]) -> dict[str, str]:
    """The free fields. Raises click.BadParameter."""
    return dict(_named_value(each) for each in texts)


def key_of(given: str | None) -> str:
    """The key under which a request is made once. Raises click.BadOptionUsage."""
    if given is not None and not _IDEMPOTENCY_KEY.fullmatch(given):
        raise click.BadOptionUsage("--idempotency-key", "--idempotency-key takes 1 to 200 visible ASCII characters")
    return given or secrets.token_urlsafe(16)


def _named_value(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise click.BadParameter(f"{text!r} must look like NAME=VALUE", param_hint="'--context'")
    return name.strip(), value
