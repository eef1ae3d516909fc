"""An AMI session with a bad peer: everything ends, nothing is said twice, nothing is said that was not checked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from engine.asterisk.ami import AmiRefused, AmiSession, AmiUnknown, LoginRefusedError, NoAmiError
from engine.asterisk.ami.wire import ACTIONS
from tests.unit.ami_bad_peer import (
    GREETING,
    PASSWORD,
    BadPeer,
    Behaviour,
    Peer,
    accepts_and_is_silent,
    answers_everything,
    bad_peer,
    greets_and_is_silent,
    is_silent,
    refuses,
)

LIMIT_SECONDS = 5.0
"""Far beyond the waits of the tests: what hangs fails by it."""


@asynccontextmanager
async def session_with(peer: BadPeer, *, answer_seconds: float = 0.3) -> AsyncIterator[AmiSession]:
    """A session that does not ping by itself; all of it within the limit."""
    settings = replace(peer.settings, answer_seconds=answer_seconds, ping_seconds=60)
    async with asyncio.timeout(LIMIT_SECONDS), await AmiSession.open(settings) as session:
        yield session


def talks(*parts: bytes) -> Behaviour:
    """Says this at once, whatever it hears."""

    async def behaviour(peer: Peer) -> None:
        peer.says(*parts)
        await peer.stays()

    return behaviour


def answers_login_and_then(*parts: bytes) -> Behaviour:
    """Accepts, and answers the next action with this."""

    async def behaviour(peer: Peer) -> None:
        await peer.logs_in()
        message = await peer.hears()
        peer.says(*(part.replace(b"@id@", message["ActionID"].encode()) for part in parts))
        await peer.stays()

    return behaviour


async def test_given_a_wrong_password_then_it_is_said_how_to_mend_and_the_password_is_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bad_peer(refuses) as peer, asyncio.timeout(LIMIT_SECONDS):
        with pytest.raises(LoginRefusedError, match=r"refuses user ringback.*ami_password_file") as raised:
            await AmiSession.open(peer.settings)
    assert PASSWORD not in str(raised.value) + caplog.text + repr(peer.settings)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (is_silent, "no answer within"),
        (greets_and_is_silent, "no answer to Login within"),
        (talks(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "something else than Asterisk"),
        (talks(b"Asterisk Call Manager/" + b"9" * 1000), "something else than Asterisk"),
        (talks(b"\x00\xff" * 4000), "something else than Asterisk"),
        (talks(b"Asterisk Call"), "no answer within"),
        (talks(GREETING, b"x" * 1_000_000), "message without an end"),
    ],
)
async def test_given_no_manager_interface_worth_the_name_when_we_connect_then_that_ends_and_says_so(
    behaviour: Behaviour, why: str
) -> None:
    async with bad_peer(behaviour) as peer, asyncio.timeout(LIMIT_SECONDS):
        with pytest.raises(NoAmiError, match=why):
            await AmiSession.open(peer.settings)
    assert peer.actions.count("Login") <= 1


async def test_given_nobody_at_the_port_then_that_is_said() -> None:
    async with bad_peer(is_silent) as peer:
        settings = peer.settings
    async with asyncio.timeout(LIMIT_SECONDS):
        with pytest.raises(NoAmiError, match="Connection refused"):
            await AmiSession.open(settings)


async def test_given_a_peer_that_goes_silent_after_the_login_then_the_session_is_lost_by_itself() -> None:
    async with bad_peer(accepts_and_is_silent) as peer, asyncio.timeout(LIMIT_SECONDS):
        session = await AmiSession.open(peer.settings)
        assert "has not answered" in await session.lost()
        await session.close()
    assert peer.actions == ["Login", "Ping"], "one ping, and not a second one on top"


async def test_given_an_action_without_an_answer_then_it_ends_as_unknown() -> None:
    async with bad_peer(accepts_and_is_silent) as peer, session_with(peer) as session:
        assert await session.ask("Reload", {"Module": "res_pjsip.so"}, seconds=0.05) == AmiUnknown(
            "no answer to Reload within 0.05 s"
        )
    assert peer.actions == ["Login", "Reload"]


async def test_given_a_connection_that_drops_with_an_action_pending_then_it_ends_as_unknown() -> None:
    async def drops(peer: Peer) -> None:
        await peer.logs_in()
        await peer.hears()

    async with bad_peer(drops) as peer, session_with(peer, answer_seconds=60) as session:
        answer = await session.ask("Reload", {"Module": "res_pjsip.so"})
        assert answer == AmiUnknown("Asterisk has closed the connection")
        assert isinstance(await session.ask("Reload", {"Module": "res_pjsip.so"}), AmiUnknown), "lost for good"
    assert peer.actions == ["Login", "Reload"]
    assert peer.connections == 1, "the library would have connected, and asked, again"


@pytest.mark.parametrize("evil", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b", "\x1b[2J", "\ud800"])
async def test_given_a_value_that_is_no_line_then_it_is_refused_and_nothing_is_sent(evil: str) -> None:
    async with bad_peer(answers_everything) as peer, session_with(peer) as session:
        with pytest.raises(ValueError, match="Module") as raised:
            await session.ask("Reload", {"Module": evil})
        with pytest.raises(ValueError, match="no name of a field"):
            await session.ask("Reload", {f"Module{evil}": "res_pjsip.so"})
        await session.ask("Ping")
        with pytest.raises(LoginRefusedError, match="Secret") as refused:
            await AmiSession.open(replace(peer.settings, password=f"{PASSWORD}{evil}"))
    assert evil not in str(raised.value)
    assert PASSWORD not in str(refused.value)
    assert peer.actions == ["Login", "Ping"]


@pytest.mark.parametrize("action", ["Originate", "Command", "originate", "Ping\r\nAction: Originate", ""])
async def test_given_an_action_that_is_none_of_ours_then_nothing_is_sent(action: str) -> None:
    async with bad_peer(answers_everything) as peer, session_with(peer) as session:
        with pytest.raises(ValueError, match="no action that Ringback asks for"):
            await session.ask(action)
        with pytest.raises(ValueError, match="no name of a field"):
            await session.ask("Ping", {"Action": "Originate"})
    assert peer.actions == ["Login"]
    assert not {"Originate", "Command", "Redirect", "Hangup"} & ACTIONS


@pytest.mark.parametrize(
    "said",
    [
        b"x" * 1_000_000,
        b"Response: Success\r\nActionID: @id@\r\nActionID: @id@\r\n\r\n",
        b"Event: x\r\nEvent: y\r\n\r\n",
        b"Event: Shutdown\r\n\r\n",
    ],
)
async def test_given_garbage_instead_of_an_answer_then_the_session_is_lost_and_nothing_hangs(said: bytes) -> None:
    async with bad_peer(answers_login_and_then(said)) as peer, session_with(peer, answer_seconds=60) as session:
        assert isinstance(await session.ask("PJSIPShowEndpoints"), AmiUnknown)
        await session.lost()
    assert peer.actions == ["Login", "PJSIPShowEndpoints"]


@pytest.mark.parametrize(
    "noise", [b"\xff\xfe\r\n\r\n", b"\r\n\r\n\r\n\r\n", b"no colon\r\n\r\n", b"Event: Odd\r\n\r\n"]
)
async def test_given_noise_before_an_answer_then_the_answer_is_found(noise: bytes) -> None:
    answer = b"Response: Error\r\nActionID: @id@\r\nMessage: No such module\r\n\r\n"
    async with bad_peer(answers_login_and_then(noise, answer)) as peer, session_with(peer) as session:
        assert await session.ask("Reload", {"Module": "x"}) == AmiRefused("No such module")


async def test_given_a_list_whose_end_never_comes_then_it_ends_as_unknown() -> None:
    rows = (
        b"Response: Success\r\nActionID: @id@\r\nEventList: start\r\nMessage: follows\r\n\r\n",
        b"Event: EndpointList\r\nActionID: @id@\r\nObjectName: agent-1001\r\n\r\n",
    )
    async with bad_peer(answers_login_and_then(*rows)) as peer, session_with(peer) as session:
        assert isinstance(await session.ask("PJSIPShowEndpoints"), AmiUnknown)
