"""The closed list of error codes, with their HTTP status and how whoever meets one mends it.

A code is a promise to clients: it is never renamed and never means something else. The reference page is generated from
this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What a problem's `code` can be."""

    BAD_JSON = "bad-json"
    INVALID_TOKEN = "invalid-token"  # noqa: S105  # a code, no secret
    WRONG_LOGIN = "wrong-login"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    UNKNOWN_SERVICE = "unknown-service"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    DUPLICATE_REQUEST = "duplicate-request"
    IDEMPOTENCY_CONFLICT = "idempotency-conflict"
    CALL_IN_PROGRESS = "call-in-progress"
    ALREADY_ENDED = "already-ended"
    WRONG_STATE = "wrong-state"
    SERVICE_IN_USE = "service-in-use"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    UNKNOWN_FIELD = "unknown-field"
    INVALID_FIELD = "invalid-field"
    INVALID_PHONE = "invalid-phone"
    PHONE_NOT_ALLOWED = "phone-not-allowed"
    UNKNOWN_SUBJECT = "unknown-subject"
    CLOSED = "closed"
    SLOT_NOT_AVAILABLE = "slot-not-available"
    IN_THE_PAST = "in-the-past"
    TOO_FAR_AHEAD = "too-far-ahead"
    MISSING_PROMPTS = "missing-prompts"
    UNKNOWN_DISPOSITION = "unknown-disposition"
    UNKNOWN_REASON = "unknown-reason"
    UPGRADE_REQUIRED = "upgrade-required"
    TOO_MANY_REQUESTS = "too-many-requests"
    INTERNAL_ERROR = "internal-error"
    QUEUE_FULL = "queue-full"
    NOT_READY = "not-ready"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code's HTTP status, its title, and what to do about it."""

    status: int
    title: str
    mend: str


MEANINGS: Mapping[Code, Meaning] = {
    Code.BAD_JSON: Meaning(400, "The body is no JSON", "Send one JSON object in UTF-8, each name once."),
    Code.INVALID_TOKEN: Meaning(
        401,
        "No valid key or token",
        "Send `Authorization: Bearer <key>`; on one request `X-Callback-Token` does. `ringback key create` makes one; "
        "agents log in at `POST /sessions`.",
    ),
    Code.WRONG_LOGIN: Meaning(
        401,
        "Username or password is wrong",
        "Correct them; an administrator sets a password with `ringback agent set-password`.",
    ),
    Code.FORBIDDEN: Meaning(
        403,
        "This key may not do that",
        "Use a key whose role may; a web key, and a session in a cookie, only work from the origins that are theirs.",
    ),
    Code.NOT_FOUND: Meaning(
        404, "There is no such thing", "Check the address and the id; /openapi.json lists all addresses."
    ),
    Code.UNKNOWN_SERVICE: Meaning(404, "There is no such service", "`GET /services` lists the services you may name."),
    Code.METHOD_NOT_ALLOWED: Meaning(405, "Not with this method", "Use a method that the `Allow` header names."),
    Code.DUPLICATE_REQUEST: Meaning(
        409, "This number already waits", "Follow the open request, or cancel it before asking again."
    ),
    Code.IDEMPOTENCY_CONFLICT: Meaning(
        409,
        "This Idempotency-Key belongs to another body",
        "Use a new key for each new request; repeat a body unchanged.",
    ),
    Code.CALL_IN_PROGRESS: Meaning(409, "We are calling right now", "Answer the call, or try again after it."),
    Code.ALREADY_ENDED: Meaning(409, "This request has already ended", "Make a new request."),
    Code.WRONG_STATE: Meaning(409, "Not possible in this state", "Look at the state first, then ask again."),
    Code.SERVICE_IN_USE: Meaning(
        409, "The service has open callbacks", "Cancel its open callbacks, or leave the service in the document."
    ),
    Code.TOO_LARGE: Meaning(413, "The body is too large", "Send at most 64 KiB; a services document may have 1 MiB."),
    Code.UNSUPPORTED_MEDIA_TYPE: Meaning(415, "Not JSON", "Send `Content-Type: application/json`."),
    Code.UNKNOWN_FIELD: Meaning(422, "A field is unknown", "Correct or remove each field named in `errors`."),
    Code.INVALID_FIELD: Meaning(422, "A field cannot be used", "Correct each field named in `errors`."),
    Code.INVALID_PHONE: Meaning(
        422, "This is no valid phone number", "Write + and the country code, digits only: +12025550113."
    ),
    Code.PHONE_NOT_ALLOWED: Meaning(
        422,
        "This number is not called back",
        "Give an ordinary number of a country that is served (`limits.countries` in the services document). "
        "A number that asked never to be called again stays refused.",
    ),
    Code.UNKNOWN_SUBJECT: Meaning(
        422, "The service has no such subject", "`GET /services` lists each service's subjects."
    ),
    Code.CLOSED: Meaning(
        422,
        "The service is closed at this time",
        "Ask again at `opens_at`, or book one of the slots of `GET /services/{service}/availability`.",
    ),
    Code.SLOT_NOT_AVAILABLE: Meaning(
        422,
        "This time cannot be booked",
        "Book one of `slots`, the nearest free ones; `GET /services/{service}/availability` lists more.",
    ),
    Code.IN_THE_PAST: Meaning(422, "This time has passed", "Book a slot that begins later; `slots` are the next ones."),
    Code.TOO_FAR_AHEAD: Meaning(
        422,
        "Nothing can be booked so far ahead",
        "Book an earlier slot; `slots.days_ahead` of the service says how far ahead is possible.",
    ),
    Code.MISSING_PROMPTS: Meaning(
        422, "Voice prompts are missing", "Build or import the prompts that `errors` names: `ringback prompts build`."
    ),
    Code.UNKNOWN_DISPOSITION: Meaning(
        422, "There is no such code", "`GET /dispositions` lists the codes, with their kinds and services."
    ),
    Code.UNKNOWN_REASON: Meaning(
        422, "There is no such reason", "`GET /reasons` lists the reasons; own ones stand in the services document."
    ),
    Code.UPGRADE_REQUIRED: Meaning(426, "This address is a WebSocket", "Open it with a WebSocket client (`ws://`)."),
    Code.TOO_MANY_REQUESTS: Meaning(429, "Too many requests", "Wait as many seconds as `Retry-After` says."),
    Code.INTERNAL_ERROR: Meaning(
        500, "A defect of Ringback", "Look into the engine's log for this time and report it."
    ),
    Code.QUEUE_FULL: Meaning(
        503, "Too many customers wait", "Try again later; `queue_cap` of the service sets the limit."
    ),
    Code.NOT_READY: Meaning(
        503, "The engine takes no requests now", "Try again in some seconds; /readyz says what is missing."
    ),
}
