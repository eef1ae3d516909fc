"""Each way a call may go, from the effect to the outcome, at the times people take."""

from __future__ import annotations

import pytest

from engine.core.configuration import Confirmation, Screening, Service
from engine.core.effects import Connect, Effect
from engine.core.events import (
    AudioCounted,
    EffectEnded,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    PlayingFinished,
    ResultKind,
    TalkStarted,
    WorkCompleted,
)
from engine.core.talk import BELIEVED_SECONDS, LOOK_SECONDS
from engine.core.terms import (
    AgentId,
    ConnectMode,
    Evidence,
    LegId,
    MachineAction,
    Presence,
    ScreeningMode,
    Verdict,
)
from engine.core.values import replace
from engine.simulation.acts import (
    BUSY,
    INVALID_NUMBER,
    NETWORK_FAILURE,
    REJECTED,
    AgentActs,
    Conversation,
    CustomerActs,
    OfferActs,
)
from engine.simulation.drawn_people import VOICEMAIL
from engine.simulation.run import run
from engine.simulation.telephones import Telephones, Timing
from tests.unit.simulation.scenarios import scenario
from tests.unit.simulation.scripted import AMY, ANSWERS, BILLING, Centre


def ends_unanswered(cause: tuple[int, int]) -> CustomerActs:
    return CustomerActs(ends_after=1, cause=cause[0], sip_code=cause[1])


BEN = replace(AMY, id=AgentId("ben"))


def test_a_callback_from_the_dial_to_the_last_word() -> None:
    centre = Centre()
    centre.asks(at=10)
    centre.passes(500)
    # Dialled at once, answered after 6 s, 1 pressed after 8, agent there after 3, whisper 2, talk 100.
    assert centre.times("c-1") == (10, 16, 24, 29, 129)
    assert centre.callbacks["c"].state == "completed"
    assert centre.telephones.legs == 0


def test_things_that_nobody_decides_on_take_their_time() -> None:
    timing = Timing(request_seconds=0.1, ring_seconds=0.2, enter_seconds=0.5, whisper_seconds=3, hang_up_seconds=1)
    centre = Centre(timing=timing)
    centre.asks()
    centre.passes(500)
    # Confirmed 8 s after the entry; the agent enters half a second after the answer; a request takes a tenth.
    assert centre.times("c-1") == (0, 6, 14.5, 21.1, 121.1)
    agents_end = [at for at, event in centre.told if isinstance(event, LegEnded) and ".agent." in event.leg]
    assert agents_end == [122.1]


@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        (ends_unanswered(BUSY), "busy"),
        (ends_unanswered(REJECTED), "rejected"),
        (ends_unanswered(INVALID_NUMBER), "invalid_number"),
        (ends_unanswered(NETWORK_FAILURE), "network_failure"),
        (CustomerActs(rings_after=1), "no_answer"),
        (CustomerActs(rings_after=1, answers_after=20), "unconfirmed"),
        (CustomerActs(rings_after=1, answers_after=5, hangs_up_after=4), "hung_up"),
        (CustomerActs(rings_after=1, answers_after=5, keys=((4, "2"),)), "later"),
        (CustomerActs(rings_after=1, answers_after=5, keys=((4, "3"),)), "cancelled_by_key"),
        (CustomerActs(rings_after=1, answers_after=5, keys=((4, "9"),)), "never_again"),
        (CustomerActs(rings_after=1, answers_after=5, keys=((4, "7"), (30, "1"))), "connected"),
        (ANSWERS, "connected"),
    ],
)
def test_each_answer_has_its_outcome(acts: CustomerActs, outcome: str) -> None:
    centre = Centre(customers={"c": (acts,)})
    centre.asks()
    centre.passes(599)
    assert centre.outcomes() == [outcome]
    assert centre.telephones.legs == 0


def test_who_is_busy_first_is_called_again() -> None:
    centre = Centre(customers={"c": (ends_unanswered(BUSY), ANSWERS)})
    centre.asks()
    centre.passes(2000)
    assert centre.outcomes() == ["busy", "connected"]
    assert centre.times("c-2")[0] == 601


def test_a_phone_that_rings_on_is_let_go_when_the_ring_time_is_over() -> None:
    centre = Centre(customers={"c": (CustomerActs(rings_after=1, answers_after=60),)})
    centre.asks()
    centre.passes(100)
    assert centre.outcomes() == ["no_answer"]
    assert centre.times("c-1") == (0, None, None, None, 32)


def test_a_customer_who_tires_of_the_music_hangs_up() -> None:
    tired = replace(ANSWERS, waits_seconds=20)
    centre = Centre(customers={"c": (tired,)})
    centre.script.agents = (AgentActs(),)
    centre.asks()
    centre.passes(100)
    assert centre.outcomes() == ["abandoned"]
    assert centre.times("c-1")[-1] == 34


def test_a_customer_who_is_connected_in_time_does_not_tire() -> None:
    centre = Centre(customers={"c": (replace(ANSWERS, waits_seconds=20, hangs_up_after=60),)})
    centre.asks()
    centre.passes(500)
    assert centre.outcomes() == ["connected"]


def test_an_agent_who_does_not_answer_is_followed_by_the_next() -> None:
    centre = Centre(agents=(AMY, BEN))
    centre.script.agents = (AgentActs(), AgentActs(answers_after=2))
    centre.asks()
    centre.passes(500)
    assert centre.script.rings == ["amy", "ben"]
    assert centre.outcomes() == ["connected"]
    status = centre.engine.dispatcher.desks.status(AMY.id)
    assert status is not None
    assert (status.presence, status.reason) == (Presence.NOT_READY, "rona")


def test_an_agent_who_rejects_is_followed_at_once() -> None:
    centre = Centre(agents=(AMY, BEN))
    centre.script.agents = (AgentActs(rejects_after=1), AgentActs(answers_after=2))
    centre.asks()
    centre.passes(500)
    assert centre.times("c-1") == (0, 6, 14, 14 + 1 + 2 + 2, 119)


def test_an_agent_comes_back_after_a_miss_if_they_do() -> None:
    centre = Centre()
    centre.script.agents, centre.script.returns = (AgentActs(), AgentActs(answers_after=2)), 40.0
    centre.asks()
    centre.passes(500)
    assert centre.script.rings == ["amy", "amy"]
    # Confirmed at 14, rung until 29, back at 69, there at 71, whisper until 73.
    assert centre.times("c-1")[3] == 73


def test_the_agents_say_when_they_are_done_if_they_do() -> None:
    ends = {}
    for seconds in (None, 7.0):
        centre = Centre()
        centre.script.talks = Conversation(100, seconds)
        centre.asks("c")
        centre.asks("d", at=1)
        centre.passes(500)
        ends[seconds] = centre.times("d-1")[0]
    assert ends == {None: 119 + 30, 7.0: 119 + 7}
    assert any(isinstance(event, WorkCompleted) for _, event in centre.told)


def test_if_the_agent_is_rung_first_the_customer_is_dialled_when_they_are_there() -> None:
    centre = Centre(replace(BILLING, connect=ConnectMode.AGENT_FIRST))
    centre.asks()
    centre.passes(500)
    assert centre.times("c-1") == (3, 9, 17, 19, 119)


def test_a_preview_is_answered_before_anybody_is_dialled() -> None:
    centre = Centre(replace(BILLING, connect=ConnectMode.PREVIEW), agents=(AMY, BEN))
    centre.script.offers = (OfferActs(answers_after=4, accepts=False), OfferActs(answers_after=2))
    centre.asks()
    centre.passes(500)
    assert centre.script.offered_to == ["amy", "ben"]
    assert centre.times("c-1")[0] == 6
    assert centre.outcomes() == ["connected"]


def test_a_preview_that_nobody_answers_goes_on_to_the_next() -> None:
    centre = Centre(replace(BILLING, connect=ConnectMode.PREVIEW, preview_seconds=20), agents=(AMY, BEN))
    centre.script.offers = (OfferActs(), OfferActs(answers_after=2))
    centre.asks()
    centre.passes(500)
    assert centre.times("c-1")[0] == 22


def test_what_a_leg_would_have_done_is_not_told_once_it_is_gone() -> None:
    centre = Centre(customers={"c": (replace(ANSWERS, keys=((3, "3"), (4, "1")), hangs_up_after=6),)})
    centre.asks()
    centre.passes(500)
    assert centre.outcomes() == ["cancelled_by_key"]
    legs = [event.leg for _, event in centre.told if isinstance(event, LegEnded)]
    assert legs == ["c-1.customer"]


def test_the_announcement_that_was_heard_to_its_end_is_told() -> None:
    centre = Centre(customers={"c": (replace(ANSWERS, keys=((12, "1"),)),)})
    centre.asks()
    centre.passes(50)
    finished = [at for at, event in centre.told if isinstance(event, PlayingFinished)]
    assert finished == [6 + 9, 6 + 12 + 3 + 2]


def test_a_bridge_for_somebody_who_has_just_left_is_refused() -> None:
    centre = Centre()
    centre.asks()
    centre.passes(22)
    connect = Connect(*("c-1", "b", "c-1.customer", "nobody"), 100, 100)  # type: ignore[arg-type]
    centre.telephones.carry_out(connect, centre.engine)
    centre.passes(0)
    assert EffectEnded(connect, ResultKind.REFUSED) in [event for _, event in centre.told]


class EveryWord(Telephones):
    """Tells also what the engine takes no notice of."""

    def _done(self, effect: Effect) -> None:
        self._ended(effect, ResultKind.OK)

    def _unheeded(self, seconds: float, event: LegRinging | LegAnswered) -> None:
        self._later(seconds, event)


# ---- who answers is screened -------------------------------------------------------------------------


def screened(mode: ScreeningMode, machine: MachineAction = MachineAction.HANG_UP) -> Service:
    once = Confirmation(repeats=0)
    return replace(BILLING, screening=Screening(mode=mode, machine=machine), confirmation=once)


@pytest.mark.parametrize(
    ("mode", "machine", "outcome", "verdict"),
    [
        ("concurrent", "hang_up", "machine", (Verdict.MACHINE, Evidence.BEEP)),
        ("concurrent", "leave_message", "message_left", (Verdict.MACHINE, Evidence.BEEP)),
        ("concurrent", "ignore", "unconfirmed", (Verdict.MACHINE, Evidence.BEEP)),
        ("asterisk", "hang_up", "machine", (Verdict.MACHINE, Evidence.AMD)),
        ("off", "hang_up", "unconfirmed", (None, None)),
    ],
)
def test_a_voicemail_is_what_the_services_screening_takes_it_for(
    mode: str, machine: str, outcome: str, verdict: tuple[Verdict | None, Evidence | None]
) -> None:
    voicemail = CustomerActs(1, 6, sounds=VOICEMAIL, amd="MACHINE")
    centre = Centre(screened(ScreeningMode(mode), MachineAction(machine)), customers={"c": (voicemail,)})
    centre.asks()
    centre.passes(60)
    assert centre.outcomes() == [outcome]
    assert (centre.attempts["c-1"].verdict, centre.attempts["c-1"].evidence) == verdict


def test_a_goodbye_is_as_long_as_last_words() -> None:
    voicemail = CustomerActs(1, 6, sounds=VOICEMAIL)
    centre = Centre(customers={"c": (voicemail,)})
    centre.asks()
    centre.passes(60)
    finished = [at for at, event in centre.told if isinstance(event, PlayingFinished)]
    assert finished == [6 + 9, 6 + 9 + BILLING.screening.reply_wait_seconds + 3]


def test_talk_that_nobody_hears_the_end_of_is_looked_at_and_found_to_be_heard() -> None:
    talker = replace(ANSWERS, keys=((40, "1"),), sounds=((1.0, TalkStarted(LegId(""))),))
    centre = Centre(customers={"c": (talker,)})
    centre.asks()
    centre.passes(30)
    counted = [event.received_seconds for _, event in centre.told if isinstance(event, AudioCounted)]
    # Once a second from then on: only the end of talk would prove that they are heard when silent, too.
    assert counted == pytest.approx([1.0 + BELIEVED_SECONDS + n * LOOK_SECONDS for n in range(len(counted))])
    assert len(counted) > 10


def test_a_person_who_is_not_heard_costs_no_event_more() -> None:
    def told(mode: ScreeningMode) -> int:
        centre = Centre(screened(mode))
        centre.asks()
        centre.passes(300)
        assert centre.outcomes() == ["connected"]
        return len(centre.told)

    assert told(ScreeningMode.CONCURRENT) == told(ScreeningMode.OFF)


# ---- what is left out --------------------------------------------------------------------------------


@pytest.mark.parametrize("connect", ConnectMode)
def test_what_is_not_told_would_change_nothing(connect: ConnectMode, monkeypatch: pytest.MonkeyPatch) -> None:
    customers = {
        "calls": {"busy": 0.05, "no_answer": 0.1, "voicemail": 0.05},
        "presses": {"later": 0.05, "cancel": 0.05, "never": 0.02, "nothing": 0.05, "hang_up": 0.05},
        "hold_patience_seconds": {"exponential": 60.0},
    }
    setting = scenario(
        customers=customers,
        changes={"services.billing.connect": connect.value},
        arrivals=[{"service": "billing", "per_hour": 30}],
        agents={"misses": 0.1, "rejects": 0.1},
        hours=4,
    ).first
    few = run(setting, 1)
    monkeypatch.setattr("engine.simulation.run.Telephones", EveryWord)
    all_of_it = run(setting, 1)
    assert all_of_it.figures == few.figures
    assert all_of_it.events > 1.3 * few.events


def test_the_same_people_at_the_same_times_give_the_same_events() -> None:
    def told() -> list[tuple[float, str]]:
        centre = Centre(agents=(AMY, BEN))
        for n in range(20):
            centre.asks(f"c{n}", at=5 * n)
        centre.passes(5000)
        assert any(isinstance(event, LegEntered) for _, event in centre.told)
        return [(at, repr(event)) for at, event in centre.told]

    assert told() == told()
