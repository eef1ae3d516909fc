"""Makes ids, keys and tokens, and the hashes under which they are kept. A secret itself is never kept or logged."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from engine.store.records import ApiKey, KeyKind, KeyRole

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LENGTH = 20


def new_callback_id() -> str:
    """`cb` and 100 random bits in lower-case base32."""
    return "cb" + _random_text(_ID_LENGTH)


def new_interaction_id() -> str:
    """`in` and 100 random bits in lower-case base32."""
    return "in" + _random_text(_ID_LENGTH)


def new_token() -> str:
    """A customer's token: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_session_token() -> str:
    """What an agent who has logged in shows: `rbs_` and 256 random bits."""
    return "rbs_" + secrets.token_urlsafe(32)


def new_key(
    name: str,
    role: KeyRole,
    *,
    now: float,
    kind: KeyKind = KeyKind.SECRET,
    origins: Sequence[str] = (),
    subject: str | None = None,
) -> tuple[str, ApiKey]:
    """A key `rbk_<role>_<256 random bits>` to be shown once, and the record that keeps its hash."""
    secret = f"rbk_{role}_{secrets.token_urlsafe(32)}"
    key_id = "key" + _random_text(_ID_LENGTH)
    return secret, ApiKey(key_id, name, role, kind, hash_of(secret), now, tuple(origins), subject)


def hash_of(secret: str) -> str:
    """SHA-256 as hex. Enough without salt, since what we make has 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def matches(secret: str, kept_hash: str) -> bool:
    """Whether `secret` is the one kept as `kept_hash`, in constant time."""
    return hmac.compare_digest(hash_of(secret), kept_hash)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_BASE32) for _ in range(length))
