"""What the end of a call says: tables from SIP responses, Q.850 causes and our own time-outs to outcomes.

The final SIP response is looked at first, because it is what the network said; the Q.850 cause second. Three thoughts
decide a row. INVALID_NUMBER ends the callback for good, so only a statement about the number itself means it, never a
missing route. REFUSED is a fault of ours, which a supervisor has to mend, so only a statement about our own account or
our way of dialling means it. What is between us and the customer is NETWORK_FAILURE. Sources: RFC 3261 section 21 and
the RFCs named (responses), ITU-T Q.850 (causes), RFC 3398 section 7.2.4.1 (cause to response, which the causes follow
unless a note says why not). The reference page of outcomes is drawn from these tables.
"""

from __future__ import annotations

from engine.core.terms import Outcome
from engine.core.values import Value

_BUSY, _NO_ANSWER, _REJECTED = Outcome.BUSY, Outcome.NO_ANSWER, Outcome.REJECTED
_INVALID, _NETWORK, _REFUSED = Outcome.INVALID_NUMBER, Outcome.NETWORK_FAILURE, Outcome.REFUSED


class Response(Value):
    """A final SIP response to our INVITE. `source` is the RFC, with its section where it has one."""

    code: int
    phrase: str
    outcome: Outcome
    source: str
    note: str = ""


class Cause(Value):
    """A Q.850 cause. `response` is the SIP response of RFC 3398 section 7.2.4.1; a note says why we judge otherwise."""

    number: int
    name: str
    outcome: Outcome
    response: int | None = None
    note: str = ""
    standard: str = "ITU-T Q.850"

    @property
    def source(self) -> str:
        return self.standard if self.response is None else f"{self.standard}; RFC 3398 7.2.4.1: {self.response}"


class TimeOut(Value):
    """A timer of an attempt that ends it. `setting` gives the time; the timer fires in `engine/core/callflow.py`."""

    timer: str
    setting: str
    when: str
    outcome: Outcome


_NOT_FOLLOWED = "redirections are not followed"
_OUR_ACCOUNT = "our account or credentials at the trunk; the number is not judged"

RESPONSES = (
    Response(300, "Multiple Choices", _NETWORK, "RFC 3261 21.3.1", _NOT_FOLLOWED),
    Response(301, "Moved Permanently", _NETWORK, "RFC 3261 21.3.2", _NOT_FOLLOWED),
    Response(302, "Moved Temporarily", _NETWORK, "RFC 3261 21.3.3", _NOT_FOLLOWED),
    Response(305, "Use Proxy", _NETWORK, "RFC 3261 21.3.4", _NOT_FOLLOWED),
    Response(380, "Alternative Service", _NETWORK, "RFC 3261 21.3.5", _NOT_FOLLOWED),
    Response(400, "Bad Request", _NETWORK, "RFC 3261 21.4.1"),
    Response(401, "Unauthorized", _REFUSED, "RFC 3261 21.4.2", _OUR_ACCOUNT),
    Response(402, "Payment Required", _REFUSED, "RFC 3261 21.4.3", _OUR_ACCOUNT),
    Response(403, "Forbidden", _REJECTED, "RFC 3261 21.4.4", "whose side refuses is not said"),
    Response(404, "Not Found", _INVALID, "RFC 3261 21.4.5", "the network knows for certain that there is no such user"),
    Response(405, "Method Not Allowed", _NETWORK, "RFC 3261 21.4.6"),
    Response(406, "Not Acceptable", _NETWORK, "RFC 3261 21.4.7"),
    Response(407, "Proxy Authentication Required", _REFUSED, "RFC 3261 21.4.8", _OUR_ACCOUNT),
    Response(408, "Request Timeout", _NO_ANSWER, "RFC 3261 21.4.9", "also what silence to an INVITE is, 8.1.3.1"),
    Response(410, "Gone", _INVALID, "RFC 3261 21.4.10", "permanently, and no other address is known"),
    Response(412, "Conditional Request Failed", _NETWORK, "RFC 3903"),
    Response(413, "Request Entity Too Large", _NETWORK, "RFC 3261 21.4.11"),
    Response(414, "Request-URI Too Long", _NETWORK, "RFC 3261 21.4.12"),
    Response(415, "Unsupported Media Type", _NETWORK, "RFC 3261 21.4.13"),
    Response(416, "Unsupported URI Scheme", _NETWORK, "RFC 3261 21.4.14"),
    Response(417, "Unknown Resource-Priority", _NETWORK, "RFC 4412"),
    Response(420, "Bad Extension", _NETWORK, "RFC 3261 21.4.15"),
    Response(421, "Extension Required", _NETWORK, "RFC 3261 21.4.16"),
    Response(422, "Session Interval Too Small", _NETWORK, "RFC 4028"),
    Response(423, "Interval Too Brief", _NETWORK, "RFC 3261 21.4.17"),
    Response(424, "Bad Location Information", _NETWORK, "RFC 6442"),
    Response(425, "Bad Alert Message", _NETWORK, "RFC 8876"),
    Response(428, "Use Identity Header", _NETWORK, "RFC 8224"),
    Response(429, "Provide Referrer Identity", _NETWORK, "RFC 3892"),
    Response(430, "Flow Failed", _NETWORK, "RFC 5626"),
    Response(433, "Anonymity Disallowed", _REJECTED, "RFC 5079", "the customer's side takes no call without caller id"),
    Response(436, "Bad Identity Info", _NETWORK, "RFC 8224"),
    Response(437, "Unsupported Credential", _NETWORK, "RFC 8224"),
    Response(438, "Invalid Identity Header", _NETWORK, "RFC 8224"),
    Response(439, "First Hop Lacks Outbound Support", _NETWORK, "RFC 5626"),
    Response(440, "Max-Breadth Exceeded", _NETWORK, "RFC 5393"),
    Response(469, "Bad Info Package", _NETWORK, "RFC 6086"),
    Response(470, "Consent Needed", _REJECTED, "RFC 5360", "the customer's side has not agreed to be called"),
    Response(480, "Temporarily Unavailable", _NO_ANSWER, "RFC 3261 21.4.18", "not logged in, do not disturb, rang out"),
    Response(481, "Call/Transaction Does Not Exist", _NETWORK, "RFC 3261 21.4.19"),
    Response(482, "Loop Detected", _NETWORK, "RFC 3261 21.4.20"),
    Response(483, "Too Many Hops", _NETWORK, "RFC 3261 21.4.21"),
    Response(484, "Address Incomplete", _INVALID, "RFC 3261 21.4.22", "digits are missing"),
    Response(485, "Ambiguous", _INVALID, "RFC 3261 21.4.23", "no one user; RFC 3398 8.2.6.1 reads it as cause 1"),
    Response(486, "Busy Here", _BUSY, "RFC 3261 21.4.24"),
    Response(487, "Request Terminated", _NO_ANSWER, "RFC 3261 21.4.25", "cancelled while it rang"),
    Response(488, "Not Acceptable Here", _NETWORK, "RFC 3261 21.4.26", "no common codec; the number exists"),
    Response(489, "Bad Event", _NETWORK, "RFC 6665"),
    Response(491, "Request Pending", _NETWORK, "RFC 3261 21.4.27"),
    Response(493, "Undecipherable", _NETWORK, "RFC 3261 21.4.28"),
    Response(494, "Security Agreement Required", _NETWORK, "RFC 3329"),
    Response(500, "Server Internal Error", _NETWORK, "RFC 3261 21.5.1"),
    Response(501, "Not Implemented", _NETWORK, "RFC 3261 21.5.2"),
    Response(502, "Bad Gateway", _NETWORK, "RFC 3261 21.5.3"),
    Response(503, "Service Unavailable", _NETWORK, "RFC 3261 21.5.4", "also what a broken transport is, 8.1.3.1"),
    Response(504, "Server Time-out", _NETWORK, "RFC 3261 21.5.5"),
    Response(505, "Version Not Supported", _NETWORK, "RFC 3261 21.5.6"),
    Response(513, "Message Too Large", _NETWORK, "RFC 3261 21.5.7"),
    Response(555, "Push Notification Service Not Supported", _NETWORK, "RFC 8599"),
    Response(580, "Precondition Failure", _NETWORK, "RFC 3312"),
    Response(600, "Busy Everywhere", _BUSY, "RFC 3261 21.6.1"),
    Response(603, "Decline", _REJECTED, "RFC 3261 21.6.2"),
    Response(604, "Does Not Exist Anywhere", _INVALID, "RFC 3261 21.6.3"),
    Response(606, "Not Acceptable", _NETWORK, "RFC 3261 21.6.4", "no common codec; the number exists"),
    Response(607, "Unwanted", _REJECTED, "RFC 8197", "the customer does not want this call"),
    Response(608, "Rejected", _REJECTED, "RFC 8688", "an intermediary rejects it, mostly as unwanted"),
)

_NO_ROUTE = "a missing route is no proof that the number does not exist"
_OUR_LINE = "the calling side may not do this: our line"
_ASTERISKS = "Asterisk"

CAUSES = (
    Cause(0, "none given", _NETWORK, standard=_ASTERISKS),
    Cause(1, "unallocated number", _INVALID, 404),
    Cause(2, "no route to specified transit network", _NETWORK, 404, _NO_ROUTE),
    Cause(3, "no route to destination", _NETWORK, 404, _NO_ROUTE),
    Cause(4, "send special information tone", _NETWORK, note="for long, but not said why"),
    Cause(5, "misdialled trunk prefix", _REFUSED, note="how we dial; the number was checked before"),
    Cause(6, "channel unacceptable", _NETWORK),
    Cause(7, "call awarded, being delivered in an established channel", _NETWORK),
    Cause(8, "preemption", _NETWORK),
    Cause(9, "preemption, circuit reserved for reuse", _NETWORK),
    Cause(14, "query on release: ported number", _NETWORK),
    Cause(16, "normal call clearing", _NO_ANSWER, note="of a call that nobody answered"),
    Cause(17, "user busy", _BUSY, 486),
    Cause(18, "no user responding", _NO_ANSWER, 408),
    Cause(19, "no answer from user, user alerted", _NO_ANSWER, 480),
    Cause(20, "subscriber absent", _NO_ANSWER, 480),
    Cause(21, "call rejected", _REJECTED, 403),
    Cause(22, "number changed", _INVALID, 410),
    Cause(23, "redirection to new destination", _NETWORK, 410, "the number exists; redirections are not followed"),
    Cause(24, "call rejected due to feature at the destination", _REJECTED),
    Cause(25, "exchange routing error", _NETWORK),
    Cause(26, "non-selected user clearing", _NETWORK, 404, "a ported number that was routed wrongly"),
    Cause(27, "destination out of order", _NETWORK, 502),
    Cause(28, "invalid number format, address incomplete", _INVALID, 484),
    Cause(29, "facility rejected", _NETWORK, 501),
    Cause(30, "response to STATUS ENQUIRY", _NETWORK),
    Cause(31, "normal, unspecified", _NO_ANSWER, 480),
    Cause(34, "no circuit or channel available", _NETWORK, 503),
    Cause(38, "network out of order", _NETWORK, 503),
    Cause(39, "permanent frame mode connection out of service", _NETWORK),
    Cause(40, "permanent frame mode connection operational", _NETWORK),
    Cause(41, "temporary failure", _NETWORK, 503),
    Cause(42, "switching equipment congestion", _NETWORK, 503),
    Cause(43, "access information discarded", _NETWORK),
    Cause(44, "requested circuit or channel not available", _NETWORK),
    Cause(46, "precedence call blocked", _NETWORK),
    Cause(47, "resource unavailable, unspecified", _NETWORK, 503),
    Cause(49, "quality of service not available", _NETWORK),
    Cause(50, "requested facility not subscribed", _REFUSED, note=_OUR_LINE),
    Cause(52, "outgoing calls barred", _REFUSED, note=_OUR_LINE, standard=_ASTERISKS),
    Cause(53, "outgoing calls barred within closed user group", _REFUSED, note=_OUR_LINE),
    Cause(54, "incoming calls barred", _REJECTED, standard=_ASTERISKS),
    Cause(55, "incoming calls barred within closed user group", _REJECTED, 403),
    Cause(57, "bearer capability not authorized", _REFUSED, 403, _OUR_LINE),
    Cause(58, "bearer capability not presently available", _NETWORK, 503),
    Cause(62, "inconsistent outgoing access information and subscriber class", _NETWORK),
    Cause(63, "service or option not available, unspecified", _NETWORK),
    Cause(65, "bearer capability not implemented", _NETWORK, 488),
    Cause(66, "channel type not implemented", _NETWORK),
    Cause(69, "requested facility not implemented", _NETWORK),
    Cause(70, "only restricted digital information available", _NETWORK, 488),
    Cause(79, "service or option not implemented, unspecified", _NETWORK, 501),
    Cause(81, "invalid call reference value", _NETWORK),
    Cause(82, "identified channel does not exist", _NETWORK),
    Cause(83, "a suspended call exists, but this call identity does not", _NETWORK),
    Cause(84, "call identity in use", _NETWORK),
    Cause(85, "no call suspended", _NETWORK),
    Cause(86, "call with the requested identity has been cleared", _NETWORK),
    Cause(87, "user not member of closed user group", _REJECTED, 403),
    Cause(88, "incompatible destination", _NETWORK, 503),
    Cause(90, "non-existent closed user group", _NETWORK),
    Cause(91, "invalid transit network selection", _NETWORK),
    Cause(95, "invalid message, unspecified", _NETWORK),
    Cause(96, "mandatory information element missing", _NETWORK),
    Cause(97, "message type non-existent or not implemented", _NETWORK),
    Cause(98, "message not compatible with call state or not implemented", _NETWORK),
    Cause(99, "information element or parameter not implemented", _NETWORK),
    Cause(100, "invalid information element contents", _NETWORK),
    Cause(101, "message not compatible with call state", _NETWORK),
    Cause(102, "recovery on timer expiry", _NETWORK, 504),
    Cause(103, "parameter not implemented, passed on", _NETWORK),
    Cause(110, "message with unrecognized parameter, discarded", _NETWORK),
    Cause(111, "protocol error, unspecified", _NETWORK, 500),
    Cause(127, "interworking, unspecified", _NETWORK, 500),
)

TIMEOUTS = (
    TimeOut("ring", "ring_timeout_seconds", "the customer's phone was dialled and nobody answered", _NO_ANSWER),
    TimeOut("ring", "ring_timeout_seconds", "nothing was heard of the dial at all", Outcome.INTERRUPTED),
    TimeOut("silent", "30 s after `ring`", "Asterisk cannot be heard, so nobody knows more", Outcome.INTERRUPTED),
    TimeOut("enter", "call_limits.enter_seconds", "they answered, but the call never reached us", Outcome.INTERRUPTED),
    TimeOut(
        "announcement", "call_limits.announcement_seconds", "the announcement could not be played", Outcome.INTERRUPTED
    ),
    TimeOut("confirm", "confirmation.wait_seconds", "nothing was pressed, also after the repeats", Outcome.UNCONFIRMED),
    TimeOut(
        "parting", "screening.reply_wait_seconds", "nothing answered the message that was left", Outcome.MESSAGE_LEFT
    ),
    TimeOut("parting", "call_limits.last_words_seconds", "nothing was heard of the goodbye's end", Outcome.MACHINE),
    TimeOut("hold", "hold_limit_seconds", "they confirmed, and no agent was found for them", Outcome.NO_AGENT),
    TimeOut("bridge", "call_limits.bridge_seconds", "customer and agent could not be connected", Outcome.INTERRUPTED),
)

_BY_CODE = {row.code: row.outcome for row in RESPONSES}
_BY_CAUSE = {row.number: row.outcome for row in CAUSES}
_UNSPECIFIED = (31, 47, 63, 79, 95, 111, 127)
"""The cause of each class of Q.850 that stands for those not assigned."""


def of_unanswered(cause: int | None, sip_code: int | None) -> Outcome:
    """The outcome of a call that ended before an answer."""
    if sip_code is not None and sip_code >= 300:
        return of_response(sip_code)
    return of_cause(cause or 0)


def of_response(code: int) -> Outcome:
    """The outcome of a final response, 300 to 699; one that is not known is read as x00 (RFC 3261 8.1.3.2)."""
    return _BY_CODE.get(code, _BY_CODE.get(code // 100 * 100, _NETWORK))


def of_cause(cause: int) -> Outcome:
    """The outcome of a cause, 0 to 127; one that is not assigned is read as the unspecified one of its class."""
    if cause in _BY_CAUSE:
        return _BY_CAUSE[cause]
    return next((_BY_CAUSE[last] for last in _UNSPECIFIED if cause <= last), _NETWORK)
