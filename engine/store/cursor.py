"""The cursor of a list: where the page before ended, as a word that clients hand back and should not take apart."""

from __future__ import annotations

import base64
import json
import math

from engine.core.records import Callback, InboundCall, Interaction


def after(item: Callback | InboundCall | Interaction) -> str:
    """The cursor that continues behind this item."""
    at = item.entered_at if isinstance(item, InboundCall) else item.created_at
    return base64.urlsafe_b64encode(json.dumps([at, item.id]).encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[float, str]:
    """Time of creation and id that a cursor stands for. Raises ValueError for anything we did not make."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, id_ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        id_.encode()  # JSON can spell text that no database takes
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError("this cursor is not one of ours") from None
    if not isinstance(created_at, float) or not math.isfinite(created_at) or not isinstance(id_, str):
        raise ValueError("this cursor is not one of ours")
    return created_at, id_
