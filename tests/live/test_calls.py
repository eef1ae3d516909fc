"""Calls and recovery of one Asterisk where the stories of whole calls do not reach: lost answers, sockets and sounds.

The lab is this module's own, because only one program can be the dialplan's Stasis application.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from engine.asterisk import calls as calls_module
from engine.asterisk import hearing
from engine.asterisk.ari import Ok
from engine.core.effects import AnswerCaller, Connect, Farewell, HoldWithMusic, Play, Release, Voice
from engine.core.events import (
    AttemptSeen,
    CallerEntered,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    LegSeen,
    PlayingFinished,
    ResultKind,
    TelephonyLost,
    TelephonyReady,
)
from engine.core.terms import AttemptId, LegId, PromptId
from engine.core.values import replace
from engine.lab import Lab
from engine.lab.callers import ring_in, steps
from tests.live.cable import Cable
from tests.live.desk import MISSING, VOICE, Desk, deafen, dial, direct, new_attempt, phone, ring

LISTENS, RINGS, UNALLOCATED = "14", "11", "17"


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    with Lab.up(talk_seconds=20.0) as lab:
        yield lab


# ---- answers that are lost ---------------------------------------------------------------------------


async def test_a_dial_whose_answer_is_lost_is_found_by_looks_and_dialled_once(own_lab: Lab) -> None:
    cable, attempt, to = Cable(direct(own_lab)), new_attempt(), phone(201, RINGS)
    async with cable.laid() as port, Desk(own_lab, port, attempt).ready() as desk:
        cable.answers_lost_of = b'"channelId"'
        result = await desk.node.perform(dial(attempt, to))
        assert result == (ResultKind.OK, "found after a lost answer")
        await desk.told_of(LegRinging(attempt.customer_leg))
        assert (await desk.node.perform(Release(attempt.id, attempt.customer_leg, (), VOICE)))[0] is ResultKind.OK
        await desk.until_ended(attempt.customer_leg)
    assert len([call for call in own_lab.witness() if f"+{call.number}" == to]) == 1


async def test_a_hang_up_whose_answer_is_lost_is_asked_again(own_lab: Lab) -> None:
    cable, attempt = Cable(direct(own_lab)), new_attempt()
    async with cable.laid() as port, Desk(own_lab, port, attempt).ready() as desk:
        await desk.node.perform(dial(attempt, phone(202, RINGS)))
        assert desk.counted("POST /channels", "ok")
        assert desk.counted("POST /applications/{id}/subscription", "ok")
        cable.answers_lost_of = b"DELETE /ari/channels"
        result, _ = await desk.node.perform(Release(attempt.id, attempt.customer_leg, (), VOICE))
        assert result is not ResultKind.UNKNOWN
        assert desk.counted("DELETE /channels/{id}", "unknown")
        await desk.until_ended(attempt.customer_leg)


async def test_an_answer_to_a_caller_whose_own_answer_is_lost_is_asked_again(own_lab: Lab) -> None:
    cable = Cable(direct(own_lab))
    async with cable.laid() as port, Desk(own_lab, port, new_attempt()).ready() as desk:
        cable.answers_lost_of = b"/answer"
        ring_id = ring_in(own_lab, "+12025550199", "+12125550198", steps("wait 1, hang-up"))
        await desk.until(lambda: any(isinstance(each, CallerEntered) for each in desk.told))
        caller = next(each for each in desk.told if isinstance(each, CallerEntered))
        assert await desk.node.perform(AnswerCaller(caller.call, caller.leg, 60)) == (ResultKind.OK, "")
        rung_in = await asyncio.to_thread(own_lab.await_rung_in, ring_id)
    assert rung_in.answered_at is not None
    assert desk.counted("POST /channels/{id}/answer", "unknown")


async def test_of_a_caller_who_is_gone_when_answered_the_end_is_told(own_lab: Lab) -> None:
    """They may have hung up before anybody knew that they are ours: of that nothing is told by itself."""
    gone = LegId("pbx-1795729192.57")
    async with Desk(own_lab, direct(own_lab), new_attempt()).ready() as desk:
        result, why = await desk.node.perform(AnswerCaller(AttemptId("callpbx1795729192-57"), gone, 60))
        assert (result, why[:4]) == (ResultKind.REFUSED, "404 ")
        assert desk.told.count(LegEnded(gone)) == 1


async def test_an_agent_whose_phone_does_not_exist_is_refused_and_nobody_else_is_kept_from_calls(own_lab: Lab) -> None:
    attempt = new_attempt(agent_legs=1)
    desk = Desk(own_lab, direct(own_lab), attempt)
    desk.endpoints = ["PJSIP/agent-1001", "PJSIP/agent-nobody", "PJSIP/agent-1002"]
    with capture_logs() as logs:
        async with desk.ready():
            result, why = await desk.node.perform(ring(attempt, "PJSIP/agent-nobody"))
    assert (result, why) == (ResultKind.REFUSED, "cannot hear PJSIP/agent-nobody: 422 Event source does not exist")
    missing = [line["endpoints"] for line in logs if line["event"] == "asterisk.endpoint_unknown"]
    assert missing == [["PJSIP/agent-nobody"]]


async def test_a_trunk_that_does_not_exist_is_told_in_one_line_and_nobody_is_dialled(own_lab: Lab) -> None:
    attempt, to = new_attempt(), phone(203, LISTENS)
    desk = Desk(own_lab, direct(own_lab), attempt, endpoint="PJSIP/{number}@nowhere")
    with capture_logs() as logs:
        async with desk.open():
            await asyncio.sleep(1.5)  # another try
            result, why = await desk.node.perform(dial(attempt, to))
            assert desk.node.trouble is not None
            assert "cannot listen to PJSIP/nowhere" in desk.node.trouble
    assert len([line for line in logs if line["log_level"] == "error"]) == 1
    assert TelephonyReady() not in desk.told
    assert result is ResultKind.REFUSED
    assert to.removeprefix("+") not in why
    assert not [call for call in own_lab.witness() if f"+{call.number}" == to]


async def test_a_customer_is_dialled_at_a_sip_address_and_an_instant_refusal_is_heard(own_lab: Lab) -> None:
    attempt, to = new_attempt(), phone(204, UNALLOCATED)
    endpoint = f"PJSIP/trunk/sip:{{number}}@127.0.0.1:{own_lab.network.sip_port}"
    async with Desk(own_lab, direct(own_lab), attempt, endpoint=endpoint).ready() as desk:
        assert (await desk.node.perform(dial(attempt, to)))[0] is ResultKind.OK
        await desk.until_ended(attempt.customer_leg)
    ended = next(each for each in desk.told if isinstance(each, LegEnded))
    assert ended.sip_code == 404
    assert [call for call in own_lab.witness() if f"+{call.number}" == to]


# ---- prompts -----------------------------------------------------------------------------------------


async def test_a_prompt_that_asterisk_does_not_have_is_told_as_not_complete(own_lab: Lab) -> None:
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as desk:
        await desk.answered(attempt, phone(205, LISTENS))
        await desk.node.perform(Play(attempt.id, leg, (PromptId.ANNOUNCE, PromptId.PRESS), MISSING, "a.1"))
        await desk.told_of(PlayingFinished(leg, "a.1", complete=False))
        await desk.node.perform(Play(attempt.id, leg, (PromptId.PRESS,), VOICE, "a.2"))
        await desk.told_of(PlayingFinished(leg, "a.2", complete=True))
        await desk.tidy(leg)


@pytest.mark.parametrize("voice", [VOICE, MISSING], ids=["with sounds", "without sounds"])
async def test_a_farewell_ends_the_leg_with_and_without_its_sounds(own_lab: Lab, voice: Voice) -> None:
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as desk:
        await desk.answered(attempt, phone(206, LISTENS))
        words = (PromptId.CANCEL_CONFIRMED, PromptId.APOLOGY)
        assert await desk.node.perform(Farewell(attempt.id, leg, words, voice)) == (ResultKind.OK, "")
        await desk.until_ended(attempt.customer_leg)
        await desk.node.calls.close()
    assert desk.node.calls.playing._playing == {}
    assert desk.node.calls.playing._played == {}


async def test_a_farewell_whose_end_is_never_heard_is_bounded(own_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls_module, "FAREWELL_LIMIT_SECONDS", 1.0)
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as desk:
        monkeypatch.setattr(desk.node.calls.playing, "playback_ended", lambda *_: None)
        await desk.answered(attempt, phone(207, LISTENS))
        await desk.node.perform(Farewell(attempt.id, leg, (PromptId.ANNOUNCE,), VOICE))
        await desk.until_ended(attempt.customer_leg, 3.0)


async def test_after_a_restart_the_announcement_of_the_process_before_is_not_heard_first(own_lab: Lab) -> None:
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as before:
        await before.answered(attempt, phone(208, LISTENS))
        announcement = (PromptId.ANNOUNCE, PromptId.ANNOUNCE)
        await before.node.perform(Play(attempt.id, leg, announcement, VOICE, "announcement.1"))
    async with Desk(own_lab, direct(own_lab), attempt).ready() as after:
        began = asyncio.get_running_loop().time()
        await after.node.perform(Play(attempt.id, leg, (PromptId.PRESS,), VOICE, "announcement.1"))
        await after.told_of(PlayingFinished(leg, "announcement.1"))
        # Longer than nothing, and shorter than the eighteen seconds that were queued before.
        assert 0.4 < asyncio.get_running_loop().time() - began < 4.0
        await after.tidy(leg)


async def test_after_a_restart_who_had_heard_many_prompts_has_none_of_them_before_what_comes_next(own_lab: Lab) -> None:
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as before:
        await before.answered(attempt, phone(218, LISTENS))
        for n in range(3):
            # As many as a number that is read back.
            await before.node.perform(Play(attempt.id, leg, (PromptId.ANNOUNCE,) * 14, VOICE, f"announcement.{n}"))
    async with Desk(own_lab, direct(own_lab), attempt).ready() as after:
        began = asyncio.get_running_loop().time()
        assert await after.node.perform(AnswerCaller(attempt.id, leg, 60.0)) == (ResultKind.OK, "")
        assert asyncio.get_running_loop().time() - began < 4.0, "a prompt of before kept the request waiting"
        await after.tidy(leg)


async def test_a_second_restart_stops_also_what_the_first_one_played(own_lab: Lab) -> None:
    attempt = new_attempt()
    leg = attempt.customer_leg
    async with Desk(own_lab, direct(own_lab), attempt).ready() as first:
        await first.answered(attempt, phone(216, LISTENS))
    for _restart in range(2):
        async with Desk(own_lab, direct(own_lab), attempt).ready() as again:
            announcement = (PromptId.ANNOUNCE, PromptId.ANNOUNCE)
            await again.node.perform(Play(attempt.id, leg, announcement, VOICE, "announcement"))
    async with Desk(own_lab, direct(own_lab), attempt).ready() as last:
        began = asyncio.get_running_loop().time()
        await last.node.perform(Play(attempt.id, leg, (PromptId.PRESS,), VOICE, "press"))
        await last.told_of(PlayingFinished(leg, "press"))
        assert asyncio.get_running_loop().time() - began < 4.0
        await last.tidy(leg)


# ---- late legs and lost sockets ----------------------------------------------------------------------


async def test_a_late_leg_of_an_ended_attempt_is_hung_up_before_it_is_answered(own_lab: Lab) -> None:
    attempt, to = new_attempt(), phone(209, LISTENS)
    async with Desk(own_lab, direct(own_lab), ended=[attempt]).ready() as desk:
        await desk.node.perform(dial(attempt, to))
        await desk.until_ended(attempt.customer_leg)
        assert not [each for each in desk.told if isinstance(each, LegAnswered | LegEntered)]
        # Each event that shows it counts, until it is gone.
        assert "ringback_legs_late_total 0.0" not in desk.figures.text().decode()


async def test_legs_that_our_journal_never_wrote_are_left_to_whoever_made_them(own_lab: Lab) -> None:
    attempt, caller = new_attempt(), f"caller-{secrets.token_hex(4)}"
    async with Desk(own_lab, direct(own_lab), attempt).ready() as other:
        await other.answered(attempt, phone(214, LISTENS))
        started = await other.node.client.channels.originate(
            endpoint=f"PJSIP/{phone(215, LISTENS)[1:]}@trunk",
            channel_id=caller,
            context="ringback",
            extension="customer",
        )
        assert isinstance(started, Ok)
        async with asyncio.timeout(10):
            while not await other.is_up(caller):  # noqa: ASYNC110 - nothing is told about a leg that is not ours
                await asyncio.sleep(0.05)
    async with Desk(own_lab, direct(own_lab)).ready() as ours:
        listed = await ours.node.client.channels.list()
        assert isinstance(listed, Ok)
        assert {attempt.customer_leg, caller} <= {channel.id for channel in listed.value}
        await ours.tidy(attempt.customer_leg, LegId(caller))


async def test_an_asterisk_that_was_started_anew_has_none_of_the_calls_of_before(own_lab: Lab) -> None:
    attempt = new_attempt()
    async with Desk(own_lab, direct(own_lab)).ready() as before:
        (startup_time,) = before.startup_times
    async with Desk(own_lab, direct(own_lab), attempt, startup_time=startup_time, settle_seconds=3600.0).open() as same:
        with pytest.raises(TimeoutError):
            await same.told_of(TelephonyReady(), 1.0)
    earlier = "2020-01-01T00:00:00+00:00"
    async with Desk(own_lab, direct(own_lab), attempt, startup_time=earlier, settle_seconds=3600.0).open() as anew:
        await anew.told_of(TelephonyReady())
        assert AttemptSeen(attempt.id, LegSeen.GONE, LegSeen.GONE) in anew.told
        assert anew.startup_times == [startup_time]


async def test_a_leg_of_nobody_is_hung_up_at_the_start(own_lab: Lab) -> None:
    over, given_up = new_attempt(), new_attempt(agent_legs=1)
    async with Desk(own_lab, direct(own_lab), over, given_up).ready() as before:
        await before.answered(over, phone(210, LISTENS))
        await before.node.perform(ring(given_up, "PJSIP/agent-1001"))
        await before.told_of(LegEntered(given_up.agent_leg))
    rung_again = replace(given_up, agent_legs=2)
    async with Desk(own_lab, direct(own_lab), rung_again, ended=[over]).ready() as after:
        for leg in (over.customer_leg, given_up.agent_leg):
            await after.until_ended(leg)


async def test_a_socket_that_is_cut_during_a_call_is_recovered_in_order(own_lab: Lab) -> None:
    cable, attempt, gone = Cable(direct(own_lab)), new_attempt(), new_attempt()
    async with cable.laid() as port, Desk(own_lab, port, attempt).ready() as desk:
        await desk.answered(attempt, phone(212, LISTENS))
        desk.attempts[gone.id] = gone
        desk.told.clear()
        cable.cut()
        await desk.told_of(TelephonyReady())
        assert desk.told == [
            TelephonyLost(),
            AttemptSeen(attempt.id, LegSeen.ENTERED, LegSeen.GONE),
            AttemptSeen(gone.id, LegSeen.GONE, LegSeen.GONE),
            TelephonyReady(),
        ]
        figures = desk.figures.text().decode()
        assert 'ringback_event_socket_lost_total{node="lab"} 1.0' in figures
        assert 'ringback_recoveries_total{node="lab"} 2.0' in figures
        # The new socket hears the call, and its prompts.
        await desk.node.perform(Play(attempt.id, attempt.customer_leg, (PromptId.PRESS,), VOICE, "again"))
        await desk.told_of(PlayingFinished(attempt.customer_leg, "again"))
        await desk.tidy(attempt.customer_leg)
        await desk.until_ended(attempt.customer_leg)


async def test_a_socket_that_is_lost_during_the_recovery_is_not_told_as_ready(own_lab: Lab) -> None:
    cable = Cable(direct(own_lab))
    async with cable.laid() as port:
        desk = Desk(own_lab, port)
        look = desk.node.recovery._hang_up_nobodys

        async def cut_at_the_end(channels: object) -> None:
            desk.node.recovery._hang_up_nobodys = look  # type: ignore[method-assign]
            cable.cut()
            await desk.told_of(TelephonyLost())

        desk.node.recovery._hang_up_nobodys = cut_at_the_end  # type: ignore[method-assign]
        async with desk.open():
            await desk.told_of(TelephonyReady())
            assert desk.node.stream.counts.connections == 2
            assert desk.told == [TelephonyLost(), TelephonyReady()]
            assert desk.node.trouble is None


async def test_an_open_socket_that_brings_nothing_is_noticed_and_opened_again(
    own_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "QUIET_SECONDS", 0.2)
    attempt = new_attempt()
    async with Desk(own_lab, direct(own_lab), attempt).ready() as desk:
        await asyncio.sleep(1.0)
        assert desk.node.stream.counts.connections == 1  # quiet is not deaf
        desk.told.clear()
        with capture_logs() as logs:
            await deafen(desk)
            await desk.told_of(TelephonyReady())
        assert desk.told == [
            TelephonyLost(),
            AttemptSeen(attempt.id, LegSeen.GONE, LegSeen.GONE),
            TelephonyReady(),
        ]
        assert [line["event"] for line in logs if line["log_level"] == "error"] == ["asterisk.deaf"]
        assert 'ringback_event_socket_deaf_total{node="lab"} 1.0' in desk.figures.text().decode()
        await desk.answered(attempt, phone(217, LISTENS))
        await desk.tidy(attempt.customer_leg)
        await desk.until_ended(attempt.customer_leg)


@pytest.mark.parametrize("application", ["ringback", "unsubscribed"])
async def test_a_socket_that_is_deaf_from_its_beginning_is_never_told_as_ready(own_lab: Lab, application: str) -> None:
    """An application without subscriptions is gone for Asterisk when it is deaf; one with them seems to be there."""
    desk = Desk(own_lab, direct(own_lab), application=application)
    applications = desk.node.client.applications
    set_event_filter = applications.set_event_filter

    async def deaf_before_the_first(name: str, **lists: object) -> object:
        applications.set_event_filter = set_event_filter  # type: ignore[method-assign]
        await deafen(desk)
        return await set_event_filter(name, **lists)  # type: ignore[arg-type]

    applications.set_event_filter = deaf_before_the_first  # type: ignore[assignment, method-assign]
    async with desk.ready():
        assert desk.node.stream.counts.connections == 2
        assert desk.told == [TelephonyLost(), TelephonyReady()]
        assert desk.node.trouble is None


async def test_two_who_were_bridged_before_the_engine_died_are_seen_as_bridged(own_lab: Lab) -> None:
    attempt = replace(new_attempt(agent_legs=1), bridging_at=1.0)
    legs = (attempt.customer_leg, attempt.agent_leg)
    async with Desk(own_lab, direct(own_lab), attempt).ready() as before:
        await before.answered(attempt, phone(213, LISTENS))
        await before.node.perform(HoldWithMusic(attempt.id, legs[0], (), VOICE))
        await before.node.perform(ring(attempt, "PJSIP/agent-1003"))
        await before.told_of(LegEntered(legs[1]))
    async with Desk(own_lab, direct(own_lab), attempt).ready() as apart:
        assert AttemptSeen(attempt.id, LegSeen.ENTERED, LegSeen.ENTERED, bridged=False) in apart.told
        connected = await apart.node.perform(Connect(attempt.id, attempt.bridge, legs[0], legs[1], 3600.0, 60.0))
        assert connected == (ResultKind.OK, "")
    async with Desk(own_lab, direct(own_lab), attempt).ready() as after:
        assert AttemptSeen(attempt.id, LegSeen.ENTERED, LegSeen.ENTERED, bridged=True) in after.told
        for leg in legs:
            limit = await after.node.client.channels.get_variable(leg, "TIMEOUT(absolute)")
            assert isinstance(limit, Ok)
            assert float(limit.value) > 3000
        await after.tidy(*legs)


async def test_an_engine_whose_application_is_taken_over_ends_and_says_why(own_lab: Lab) -> None:
    first = Desk(own_lab, direct(own_lab))
    running = asyncio.create_task(first.node.run())
    await first.told_of(TelephonyReady())
    async with Desk(own_lab, direct(own_lab)).ready():
        async with asyncio.timeout(5):
            await running
    assert first.told[-1] == TelephonyLost()
    assert first.node.trouble is not None
    assert "another program uses the Stasis application 'ringback'" in first.node.trouble
