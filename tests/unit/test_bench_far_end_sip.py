"""The far end's SIP: messages, offers, and a user agent under retransmissions, cancelled calls and lost answers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.lab.phone.sdp import Offer, answer, read_offer
from engine.lab.phone.sip import Address, MalformedError, Request, Response, parse, response
from engine.lab.witness import KeyPress
from tests.bench.screening.call_result import CallResult, EndedBy, line, read
from tests.bench.screening.timers import Timers
from tests.bench.screening.user_agent import GIVE_UP_SECONDS, Dialog, UserAgent

PBX = ("127.0.0.1", 5070)
OFFER = b"".join(
    each + b"\r\n"
    for each in (
        b"v=0",
        b"o=- 1 1 IN IP4 127.0.0.1",
        b"s=Asterisk",
        b"c=IN IP4 127.0.0.1",
        b"t=0 0",
        b"m=audio 10010 RTP/AVP 0 8 101",
        b"a=rtpmap:0 PCMU/8000",
        b"a=rtpmap:8 PCMA/8000",
        b"a=rtpmap:101 telephone-event/8000",
        b"a=fmtp:101 0-16",
    )
)


def request(
    method: str,
    *,
    number: str = "100",
    sequence: int = 1,
    branch: str = "z9hG4bK1",
    tag: str = "",
    call: str = "call-1",
    body: bytes = b"",
) -> bytes:
    lines = [
        f"{method} sip:{number}@127.0.0.1:5060 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5070;rport;branch={branch}",
        "From: <sip:pbx@127.0.0.1>;tag=theirs",
        f"To: <sip:{number}@127.0.0.1:5060>" + (f";tag={tag}" if tag else ""),
        f"Call-ID: {call}",
        f"CSeq: {sequence} {method}",
        "Contact: <sip:asterisk@127.0.0.1:5070;x=1>",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


# ---- messages -----------------------------------------------------------------------------------------


def test_a_request_is_read() -> None:
    message = parse(request("INVITE", number="+12025550100", body=OFFER))
    assert isinstance(message, Request)
    assert (message.method, message.number, message.sequence) == ("INVITE", "12025550100", 1)
    assert (message.call_id, message.branch, message.to_tag) == ("call-1", "z9hG4bK1", "")
    assert message.contact == "sip:asterisk@127.0.0.1:5070;x=1"
    assert message.body == OFFER


def test_compact_names_and_folded_lines_are_read() -> None:
    message = parse(
        b"SIP/2.0 487 Request Terminated\r\nv: SIP/2.0/UDP a;branch=x\r\nf: <sip:a@b>;tag=1\r\n"
        b"t: <sip:c@d>\r\n ;tag=2\r\ni: 7\r\nCSeq: 3 INVITE\r\nl: 0\r\n\r\n"
    )
    assert isinstance(message, Response)
    assert (message.status, message.to_tag, message.call_id, message.sequence_method) == (487, "2", "7", "INVITE")


GOOD = request("BYE", tag="x")


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\r\n\r\n",
        b"\x00\x01\x02",
        GOOD[:-2],
        GOOD.replace(b"Call-ID", b"Other"),
        GOOD.replace(b"Via", b"Way"),
        GOOD.replace(b"CSeq: 1 BYE", b"CSeq: one BYE"),
        GOOD.replace(b"CSeq: 1 BYE", b"CSeq: 1 INVITE"),
        GOOD.replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"),
        GOOD.replace(b"Content-Length: 0", b"Content-Length: 9"),
        GOOD.replace(b"Content-Length: 0", b"Content-Length: -1"),
        GOOD.replace(b"Contact:", b"Con tact:"),
        GOOD.replace(b"theirs", b"\xff\xfe"),
    ],
)
def test_what_is_no_message_is_refused(datagram: bytes) -> None:
    assert parse(GOOD)
    with pytest.raises(MalformedError):
        parse(datagram)


@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=8))
def test_a_damaged_message_raises_nothing_else(start: int, end: int, damage: bytes) -> None:
    with suppress(MalformedError):
        parse(GOOD[:start] + damage + GOOD[end:])


def test_an_answer_echoes_what_it_must_and_says_where_the_request_came_from() -> None:
    asked = parse(request("OPTIONS"))
    assert isinstance(asked, Request)
    told = parse(response(asked, "200 OK", ("127.0.0.9", 6000), tag="ours"))
    assert isinstance(told, Response)
    assert told.first("via") == "SIP/2.0/UDP 127.0.0.1:5070;rport=6000;received=127.0.0.9;branch=z9hG4bK1"
    assert (told.first("from"), told.to_tag, told.first("cseq")) == (asked.first("from"), "ours", "1 OPTIONS")


# ---- offers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "offer"),
    [
        (b"", b"", Offer(("127.0.0.1", 10010), 0, 101)),
        (b"AVP 0 8 101", b"AVP 9 8 0", Offer(("127.0.0.1", 10010), 8, None)),
        (b"m=audio", b"m=video 9 RTP/AVP 0\r\nc=IN IP4 10.0.0.1\r\nm=audio", Offer(("127.0.0.1", 10010), 0, 101)),
        (b"a=rtpmap:0", b"c=IN IP4 127.0.0.2\r\na=rtpmap:0", Offer(("127.0.0.2", 10010), 0, 101)),
        (b"AVP 0 8 101", b"AVP 9 18", None),
        (b"audio 10010", b"audio 0", None),
        (b"audio 10010", b"audio 70000", None),
        (b"c=IN IP4 127.0.0.1", b"c=IN IP4 some.host", None),
        (b"m=audio", b"m=image", None),
    ],
)
def test_the_first_codec_that_we_speak_is_chosen(old: bytes, new: bytes, offer: Offer | None) -> None:
    assert read_offer(OFFER.replace(old, new, 1)) == offer


@given(st.binary(max_size=300))
def test_no_body_breaks_the_reading_of_an_offer(body: bytes) -> None:
    read_offer(body)
    read_offer(OFFER + body)


def test_the_answer_is_an_offer_of_the_same_codec() -> None:
    offer = Offer(PBX, 8, 96)
    assert read_offer(answer(offer, ("127.0.0.1", 4000))) == Offer(("127.0.0.1", 4000), 8, 96)


# ---- the user agent -----------------------------------------------------------------------------------


class Scene:
    """A user agent on a clock of the test's, with everything it sends and tells."""

    def __init__(self) -> None:
        self.sent: list[Request | Response] = []
        self.told: list[tuple[str, ...]] = []
        self.dialogs: list[Dialog] = []
        self.timers = Timers()
        self.agent = UserAgent(("127.0.0.1", 5060), self._send, self.timers, self, 1.0)

    def _send(self, datagram: bytes, to: Address) -> None:
        assert to == PBX
        self.sent.append(parse(datagram))

    def is_known(self, number: str) -> bool:
        return number == "100"

    def media_address(self) -> Address:
        return "127.0.0.1", 4000

    def invited(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog)
        self.told.append(("invited", dialog.number))

    def answered(self, dialog: Dialog) -> None:
        self.told.append(("answered", dialog.number))

    def moved(self, dialog: Dialog) -> None:
        assert dialog.offer is not None
        self.told.append(("moved", str(dialog.offer.address[1])))

    def ended(self, dialog: Dialog, status: int, by: EndedBy) -> None:
        self.told.append(("ended", str(status), by.value))

    def hears(self, datagram: bytes) -> list[str]:
        """What it sends at once when this arrives."""
        before = len(self.sent)
        self.agent.receive(datagram, PBX)
        return [_shown(each) for each in self.sent[before:]]

    def waits(self, seconds: float) -> list[str]:
        """What it sends of its own while so many seconds pass."""
        before, end = len(self.sent), self.timers.now + seconds
        while self.timers.now < end:
            self.timers.run(self.timers.now + 0.125)
        return [_shown(each) for each in self.sent[before:]]

    @property
    def tag(self) -> str:
        return self.dialogs[0].tag

    def is_up(self) -> None:
        self.hears(request("INVITE", body=OFFER))
        self.waits(1.0)
        self.hears(request("ACK", tag=self.tag, branch="z9hG4bK2"))


def _shown(message: Request | Response) -> str:
    what = message.method if isinstance(message, Request) else str(message.status)
    return f"{what} {message.sequence}" if message.sequence_method != "INVITE" else what


def test_a_call_rings_is_answered_and_ended_by_the_pbx() -> None:
    scene = Scene()
    assert scene.hears(request("INVITE", body=OFFER)) == ["100", "180"]
    assert scene.waits(0.875) == []
    assert scene.waits(0.125) == ["200"]
    final = scene.sent[-1]
    assert read_offer(final.body) == Offer(("127.0.0.1", 4000), 0, 101)
    assert (final.to_tag, final.first("contact")) == (scene.tag, "<sip:100@127.0.0.1:5060>")
    assert scene.hears(request("ACK", tag=scene.tag, branch="z9hG4bK2")) == []
    bye = request("BYE", tag=scene.tag, sequence=2, branch="z9hG4bK3")
    assert scene.hears(bye) == ["200 2"]
    assert scene.hears(bye) == ["200 2"], "a BYE that comes again is answered again"
    assert scene.told == [("invited", "100"), ("answered", "100"), ("ended", "200", "pbx")]
    assert scene.waits(60) == []
    assert scene.hears(bye) == ["481 2"], "and is forgotten one day"


def test_an_invite_that_comes_again_makes_no_second_call() -> None:
    scene = Scene()
    invite = request("INVITE", body=OFFER)
    scene.hears(invite)
    assert scene.hears(invite) == ["180"]
    assert scene.waits(1.0) == ["200"]
    assert scene.hears(invite) == ["200"]
    assert len(scene.dialogs) == 1
    assert {each.to_tag for each in scene.sent} == {"", scene.tag}


def test_the_answer_is_repeated_until_its_ack() -> None:
    scene = Scene()
    scene.hears(request("INVITE", body=OFFER))
    assert scene.waits(1.0 + 0.5 + 1.0) == ["200"] * 3
    scene.hears(request("ACK", tag=scene.tag))
    assert scene.waits(40) == []


def test_an_answer_without_any_ack_ends_the_call() -> None:
    scene = Scene()
    scene.hears(request("INVITE", body=OFFER))
    scene.waits(1.0 + GIVE_UP_SECONDS + 4)
    assert scene.told[-1] == ("ended", "200", "far_end")
    assert "BYE 1" in [_shown(each) for each in scene.sent]


def test_our_bye_is_repeated_until_it_is_answered() -> None:
    scene = Scene()
    scene.is_up()
    scene.agent.hang_up(scene.dialogs[0])
    assert scene.told[-1] == ("ended", "200", "far_end")
    assert scene.waits(1.5) == ["BYE 1", "BYE 1"]
    bye = scene.sent[-1]
    assert isinstance(bye, Request)
    assert (bye.uri, bye.to_tag) == ("sip:asterisk@127.0.0.1:5070;x=1", "theirs")
    assert bye.first("from").endswith(f";tag={scene.tag}")
    scene.agent.receive(response(bye, "200 OK", PBX), PBX)
    assert scene.waits(40) == []


def test_a_bye_of_both_sides_at_once_ends_the_call_once() -> None:
    scene = Scene()
    scene.is_up()
    scene.agent.hang_up(scene.dialogs[0])
    assert scene.hears(request("BYE", tag=scene.tag, sequence=2)) == ["200 2"]
    assert [each for each in scene.told if each[0] == "ended"] == [("ended", "200", "far_end")]


def test_nobody_hangs_up_before_the_ack() -> None:
    scene = Scene()
    scene.hears(request("INVITE", body=OFFER))
    scene.waits(1.0)
    scene.agent.hang_up(scene.dialogs[0])
    assert scene.told[-1] == ("answered", "100")
    assert scene.hears(request("ACK", tag=scene.tag)) == ["BYE 1"]


def test_a_call_that_is_cancelled_is_never_answered() -> None:
    scene = Scene()
    scene.hears(request("INVITE", body=OFFER))
    assert scene.hears(request("CANCEL")) == ["200 1", "487"]
    assert scene.waits(0.5) == ["487"], "repeated until its ACK"
    scene.hears(request("ACK", tag=scene.tag))
    assert scene.waits(10) == []
    assert scene.told == [("invited", "100"), ("ended", "487", "pbx")]


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    scene = Scene()
    scene.is_up()
    assert scene.hears(request("CANCEL")) == ["200 1"]
    assert scene.told[-1] == ("answered", "100")


def test_a_cancel_of_another_invite_changes_nothing() -> None:
    scene = Scene()
    scene.hears(request("INVITE", body=OFFER))
    assert scene.hears(request("CANCEL", branch="z9hG4bK9")) == ["481 1"]
    assert scene.waits(1.0) == ["200"]


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [("999", OFFER, "404"), ("100", b"", "488"), ("100", OFFER.replace(b"0 8 101", b"9"), "488")],
)
def test_a_call_that_cannot_be_answered_is_refused(number: str, body: bytes, status: str) -> None:
    scene = Scene()
    assert scene.hears(request("INVITE", number=number, body=body)) == ["100", status]
    scene.hears(request("ACK", tag=scene.tag))
    assert scene.waits(5) == []
    assert scene.told[-1] == ("ended", status, "far_end")


def test_a_second_invite_in_the_call_gets_the_same_answer() -> None:
    scene = Scene()
    scene.is_up()
    first = next(each for each in scene.sent if isinstance(each, Response) and each.status == 200)
    moved = OFFER.replace(b"10010", b"10020")
    assert scene.hears(request("INVITE", tag=scene.tag, sequence=5, body=moved)) == ["200"]
    assert scene.sent[-1].body == first.body
    assert scene.waits(0.5) == ["200"]
    scene.hears(request("ACK", tag=scene.tag, sequence=5))
    assert scene.waits(5) == []
    assert scene.told[1:] == [("answered", "100"), ("moved", "10020")]


@pytest.mark.parametrize(
    ("method", "tag", "answered"),
    [("OPTIONS", "", "200 1"), ("INFO", "", "501 1"), ("BYE", "x", "481 1"), ("CANCEL", "", "481 1")],
)
def test_requests_outside_a_call(method: str, tag: str, answered: str) -> None:
    assert Scene().hears(request(method, tag=tag)) == [answered]


def test_requests_with_a_wrong_tag_do_nothing() -> None:
    scene = Scene()
    scene.is_up()
    assert scene.hears(request("BYE", tag="another", sequence=2)) == ["481 2"]
    assert scene.hears(request("INVITE", tag="another", sequence=2, body=OFFER)) == ["481"]
    assert scene.told[-1] == ("answered", "100")


def test_results_are_read_as_they_were_written_and_half_a_line_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"")
    assert read(path) == []
    keys = (KeyPress("1", 3.5),)
    result = CallResult("100", "s", "call-1", 200, 1.0, 9.0, EndedBy.PBX, answered_at=2.0, keys=keys, timeline="..-#")
    path.write_bytes(line(result) + line(result)[:40])
    assert read(path) == [result]


def test_rubbish_is_counted() -> None:
    scene = Scene()
    assert scene.hears(b"\r\n\r\n") == []
    assert scene.agent.malformed == 1
