"""Calls that are answered by a person, a machine, a robot or a fax: what they hear, how it ends and what is written.

Moments are worked out from the settings, so that measuring them anew changes no story.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.core.callphase import REFUSED_GRACE_SECONDS, Recovery
from engine.core.callscreening import PATIENCE_SECONDS
from engine.core.configuration import Confirmation, Screening, Service
from engine.core.decision import Decision
from engine.core.effects import Connect, CountAudio, DialCustomer, Listen, Play, Release
from engine.core.events import AttemptLetGo, LegSeen, PlayingFinished, ResultKind, TalkFinished, TalkStarted
from engine.core.screening import ANSWER_PAUSE_SECONDS, LEAVES_SECONDS, LISTENS_SECONDS
from engine.core.talk import LOOK_SECONDS
from engine.core.terms import (
    CallbackState,
    ConnectMode,
    Evidence,
    LegId,
    MachineAction,
    Outcome,
    PromptId,
    ScreeningMode,
    Verdict,
)
from engine.core.values import replace
from tests.unit.core.world import AMY, BILLING, PAUSE, Customer, World, connected, only, says

S = CallbackState
RULES = Screening()
WAIT = BILLING.confirmation.wait_seconds
A_HELLO, FEW_WORDS_SECONDS = 0.7, 2.2
A_GREETING = RULES.greeting_seconds + 1.0
AN_ANSWER = max(RULES.reply_seconds, FEW_WORDS_SECONDS) + 0.5
"""Longer than what somebody says who comes to the phone."""
ANNOUNCEMENT = (PromptId.ANNOUNCE, PromptId.PRESS)
GOODBYE, MESSAGE = (PromptId.MACHINE_GOODBYE,), (PromptId.MESSAGE,)
FAILURES = [ResultKind.REFUSED, ResultKind.UNKNOWN]


def screened(screening: Screening = RULES, **changes: object) -> Service:
    return replace(BILLING, screening=screening, **changes)


LEAVES = screened(Screening(machine=MachineAction.LEAVE_MESSAGE))
IGNORES = screened(Screening(machine=MachineAction.IGNORE))
BY_AMD = screened(Screening(mode=ScreeningMode.ASTERISK))
OFF = screened(Screening(mode=ScreeningMode.OFF))


def answered(service: Service = BILLING) -> Customer:
    """Somebody or something has answered, and the announcement plays."""
    world = World((service,))
    world.agent().ready()
    customer = world.customer()
    customer.answers()
    return customer


def judged(customer: Customer) -> tuple[Verdict | None, Evidence | None]:
    return customer.attempt.verdict, customer.attempt.evidence


def seconds_to_verdict(customer: Customer) -> float:
    assert customer.attempt.judged_at is not None
    assert customer.attempt.answered_at is not None
    return customer.attempt.judged_at - customer.attempt.answered_at


def announcements(customer: Customer) -> int:
    plays = customer.world.done(Play, customer.attempt.id)
    return sum(play.prompts == ANNOUNCEMENT for play in plays)


def hears(customer: Customer, prompts: tuple[PromptId, ...]) -> bool:
    """Whether this is what was begun last."""
    return says(customer.hears) == prompts


# ---- how far the call with a machine has come ----------------------------------------------------------------


def greets(service: Service = BILLING) -> Customer:
    """The machine talks while the announcement plays, and beeps."""
    customer = answered(service)
    customer.talks(A_GREETING)
    customer.beeps()
    assert judged(customer) == (Verdict.MACHINE, Evidence.BEEP)
    return customer


def has_heard_the_announcement(service: Service = BILLING) -> Customer:
    customer = greets(service)
    customer.hears_announcement()
    return customer


def is_told_goodbye(service: Service = BILLING) -> Customer:
    customer = has_heard_the_announcement(service)
    customer.world.pass_time(RULES.reply_wait_seconds)
    assert hears(customer, GOODBYE)
    return customer


def goodbye_has_failed(service: Service = BILLING) -> Customer:
    customer = is_told_goodbye(service)
    customer.hears_announcement(complete=False)
    return customer


def is_told_the_message() -> Customer:
    """The announcement is cut off: the machine's greeting is over, so now is the time to speak."""
    customer = greets(LEAVES)
    customer.world.pass_time(RULES.message_pause_seconds)
    assert hears(customer, MESSAGE)
    return customer


def has_the_message() -> Customer:
    customer = is_told_the_message()
    customer.hears_announcement()
    return customer


def fax_is_told_goodbye() -> Customer:
    customer = answered()
    customer.sounds_like_a_fax()
    assert hears(customer, GOODBYE)
    return customer


MOMENTS: list[Callable[[], Customer]] = [
    greets,
    has_heard_the_announcement,
    is_told_goodbye,
    goodbye_has_failed,
    is_told_the_message,
    has_the_message,
    fax_is_told_goodbye,
]
every_moment = pytest.mark.parametrize("moment", MOMENTS)


# ---- verdicts ------------------------------------------------------------------------------------------------


def test_given_a_few_words_when_they_listen_then_it_is_a_person_who_is_asked_as_ever() -> None:
    customer = answered()

    customer.talks(A_HELLO)
    customer.world.pass_time(LISTENS_SECONDS - PAUSE)

    assert judged(customer) == (Verdict.PERSON, Evidence.SHORT_GREETING)
    assert seconds_to_verdict(customer) == pytest.approx(A_HELLO + LISTENS_SECONDS)
    customer.hears_announcement()
    customer.presses("1")
    assert customer.state is S.CONFIRMED
    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)


def test_given_a_few_words_when_nothing_is_pressed_then_it_is_unconfirmed_and_no_machine() -> None:
    customer = answered(screened(confirmation=Confirmation(repeats=0)))
    customer.talks(A_HELLO)
    customer.hears_announcement()

    customer.world.pass_time(WAIT)

    assert customer.closing is Outcome.UNCONFIRMED
    assert judged(customer) == (Verdict.PERSON, Evidence.SHORT_GREETING)


def test_given_a_beep_after_a_greeting_then_it_is_a_machine_at_once_and_hears_the_announcement_out() -> None:
    customer = answered()
    beep = 0.5
    sounds = RULES.beep_greeting_seconds + beep + 0.1
    customer.talks(sounds)

    customer.beeps(beep)

    assert judged(customer) == (Verdict.MACHINE, Evidence.BEEP)
    assert seconds_to_verdict(customer) == pytest.approx(sounds + PAUSE)
    customer.world.pass_time(5)
    assert hears(customer, ANNOUNCEMENT), "it is not interrupted"


def test_given_a_beep_that_nobody_has_greeted_before_then_it_is_none_of_a_machine() -> None:
    customer = answered()

    customer.beeps()

    assert judged(customer) == (None, None)


def test_given_talk_that_does_not_end_then_it_is_no_machine_yet_and_in_the_end_unconfirmed() -> None:
    customer = answered(screened(confirmation=Confirmation(repeats=0)))
    customer.begins_to_talk()
    customer.world.pass_time(3 * A_GREETING)
    customer.hears_announcement()

    customer.world.pass_time(WAIT)

    customer.is_let_go(Outcome.UNCONFIRMED)
    assert judged(customer)[0] is not Verdict.MACHINE


def test_given_a_long_greeting_when_they_hang_up_right_after_it_then_it_was_a_machine() -> None:
    customer = answered()
    customer.talks(A_GREETING)

    customer.hangs_up()

    assert customer.outcomes == (Outcome.HUNG_UP,)
    assert judged(customer) == (Verdict.MACHINE, Evidence.SAID_AND_LEFT)


def test_given_a_long_greeting_when_they_hang_up_a_while_after_it_then_nobody_knows() -> None:
    customer = answered()
    customer.talks(A_GREETING)
    customer.world.pass_time(LEAVES_SECONDS)

    customer.hangs_up()

    assert judged(customer) == (Verdict.UNKNOWN, Evidence.UNDECIDED)


def test_given_a_machine_then_it_is_left_after_announcement_and_goodbye_and_called_again_later() -> None:
    customer = has_heard_the_announcement()

    customer.world.pass_time(RULES.reply_wait_seconds - 0.125)
    assert hears(customer, ANNOUNCEMENT)
    customer.world.pass_time(0.125)
    assert hears(customer, GOODBYE)
    customer.hears_announcement()

    customer.is_let_go(Outcome.MACHINE)
    assert customer.state is S.RETRY_WAIT
    assert customer.waits_until == BILLING.attempts.interval_seconds
    assert customer.world.agent().shown == "ready"
    assert judged(customer) == (Verdict.MACHINE, Evidence.BEEP)


def test_given_a_long_greeting_when_nothing_reacts_to_the_announcement_then_it_is_a_machine() -> None:
    customer = answered()
    customer.talks(A_GREETING)
    customer.world.pass_time(5)
    assert judged(customer) == (None, None), "whoever listens to us says nothing either"

    customer.hears_announcement()
    customer.world.pass_time(RULES.reaction_seconds)

    assert judged(customer) == (Verdict.MACHINE, Evidence.NO_REACTION)
    customer.world.pass_time(max(0.0, RULES.reply_wait_seconds - RULES.reaction_seconds))
    assert hears(customer, GOODBYE)


def test_given_a_long_greeting_when_a_key_is_waited_for_more_briefly_then_the_verdict_is_in_time() -> None:
    """Otherwise the call would end as unconfirmed before."""
    customer = answered(screened(confirmation=Confirmation(wait_seconds=1, repeats=0)))
    customer.talks(A_GREETING)
    customer.hears_announcement()

    customer.world.pass_time(1)

    assert judged(customer) == (Verdict.MACHINE, Evidence.NO_REACTION)
    assert customer.closing is None


@pytest.mark.parametrize("seconds", [0.0, A_HELLO])
def test_given_no_evidence_when_the_call_ends_then_the_question_is_left_open(seconds: float) -> None:
    customer = answered()
    if seconds:
        customer.talks(seconds)

    customer.hangs_up()

    assert customer.outcomes == (Outcome.HUNG_UP,)
    assert judged(customer) == (Verdict.UNKNOWN, Evidence.UNDECIDED if seconds else Evidence.NOTHING_HEARD)


def test_given_nobody_answers_then_nobody_is_judged() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.rings()

    customer.hangs_up(17, 486)

    assert customer.outcomes == (Outcome.BUSY,)
    assert judged(customer) == (None, None)


def test_given_talk_before_the_answer_then_it_does_not_count() -> None:
    """Early media, such as an announcement of the network; the talk may go on for a moment after the answer."""
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.rings()
    customer.begins_to_talk()
    world.pass_time(A_GREETING)
    customer.picks_up()
    customer.enters()
    world.pass_time(A_HELLO + PAUSE)

    customer.falls_silent(A_GREETING + A_HELLO)
    world.pass_time(LISTENS_SECONDS)

    assert judged(customer) == (Verdict.PERSON, Evidence.SHORT_GREETING)


def test_given_a_tone_before_the_answer_then_it_is_no_fax() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.rings()

    customer.sounds_like_a_fax()
    customer.picks_up()
    customer.enters()

    assert judged(customer) == (None, None)
    assert hears(customer, ANNOUNCEMENT)


# ---- fax -----------------------------------------------------------------------------------------------------


def test_given_a_fax_then_it_is_told_goodbye_at_once_and_let_go() -> None:
    customer = fax_is_told_goodbye()
    assert judged(customer) == (Verdict.FAX, Evidence.FAX_TONE)

    customer.hears_announcement()

    customer.is_let_go(Outcome.FAX)
    assert customer.state is S.RETRY_WAIT


def test_given_a_fax_before_the_call_is_in_our_hands_then_the_same() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()
    customer.picks_up()

    customer.sounds_like_a_fax()
    assert judged(customer) == (Verdict.FAX, Evidence.FAX_TONE)
    customer.enters()

    assert hears(customer, GOODBYE)


def test_given_a_service_that_leaves_messages_when_a_fax_answers_then_none_is_left() -> None:
    customer = answered(LEAVES)

    customer.sounds_like_a_fax()

    assert hears(customer, GOODBYE)


# ---- messages ------------------------------------------------------------------------------------------------


def test_given_a_message_then_it_begins_a_pause_after_the_greeting_and_is_waited_for_an_answer() -> None:
    customer = greets(LEAVES)

    customer.world.pass_time(RULES.message_pause_seconds - PAUSE - 0.125)
    assert hears(customer, ANNOUNCEMENT)
    customer.world.pass_time(0.125)
    assert hears(customer, MESSAGE)
    customer.hears_announcement()
    customer.world.pass_time(RULES.reply_wait_seconds - 0.125)
    assert customer.closing is None
    customer.world.pass_time(0.125)

    customer.is_let_go(Outcome.MESSAGE_LEFT)
    assert customer.state is S.RETRY_WAIT


def test_given_a_greeting_that_pauses_then_the_message_waits_for_its_end() -> None:
    customer = greets(LEAVES)
    customer.world.pass_time(RULES.message_pause_seconds / 2 - PAUSE)

    customer.talks(A_HELLO)
    customer.world.pass_time(RULES.message_pause_seconds / 2)
    assert hears(customer, ANNOUNCEMENT)

    customer.world.pass_time(RULES.message_pause_seconds / 2)
    assert hears(customer, MESSAGE)


def test_given_a_machine_that_never_stops_then_it_gets_the_message_all_the_same() -> None:
    customer = greets(LEAVES)
    customer.begins_to_talk()
    customer.hears_announcement()

    customer.world.pass_time(PATIENCE_SECONDS)

    assert hears(customer, MESSAGE)


def test_given_machines_are_ignored_then_only_the_verdict_is_kept() -> None:
    customer = has_heard_the_announcement(IGNORES)

    for _announcement in range(BILLING.confirmation.repeats):
        customer.world.pass_time(WAIT)
        customer.hears_announcement()
    customer.world.pass_time(WAIT)

    customer.is_let_go(Outcome.UNCONFIRMED)
    assert judged(customer) == (Verdict.MACHINE, Evidence.BEEP)


# ---- keys ----------------------------------------------------------------------------------------------------


@every_moment
def test_given_any_moment_when_1_is_pressed_then_a_person_is_connected(moment: Callable[[], Customer]) -> None:
    customer = moment()

    customer.presses("1")

    assert customer.state is S.CONFIRMED
    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)
    customer.world.agent().answers()
    assert customer.is_in(S.CONNECTED)


@every_moment
@pytest.mark.parametrize(
    ("digit", "outcome"), [("2", Outcome.LATER), ("3", Outcome.CANCELLED_BY_KEY), ("9", Outcome.NEVER_AGAIN)]
)
def test_given_any_moment_when_a_wish_is_pressed_then_it_is_kept(
    moment: Callable[[], Customer], digit: str, outcome: Outcome
) -> None:
    customer = moment()

    customer.presses(digit)

    customer.is_let_go(outcome)
    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)


@every_moment
def test_given_any_moment_when_a_key_without_meaning_is_pressed_then_a_person_is_asked(
    moment: Callable[[], Customer],
) -> None:
    customer = moment()

    customer.presses("5")

    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)
    assert hears(customer, ANNOUNCEMENT)
    for _announcement in range(2 + BILLING.confirmation.repeats):
        customer.hears_announcement()
        customer.talks(A_GREETING)
        customer.world.pass_time(WAIT - A_GREETING - PAUSE)
        if customer.closing:
            break
    customer.is_let_go(Outcome.UNCONFIRMED)


@every_moment
def test_given_any_moment_when_the_goodbye_ends_just_after_a_key_then_the_key_counts(
    moment: Callable[[], Customer],
) -> None:
    """The news was on its way."""
    customer = moment()
    last = customer.world.done(Play, customer.attempt.id)[-1]
    customer.presses("5")
    again = customer.world.done(Play, customer.attempt.id)[-1]

    if again.tag != last.tag:
        customer.world.tell(PlayingFinished(last.leg, last.tag))

    assert customer.closing is None
    customer.presses("1")
    assert customer.state is S.CONFIRMED


def test_given_a_machine_that_talks_on_when_a_key_comes_after_the_wait_for_one_then_they_are_asked_again() -> None:
    """Nobody waits for a key of a machine; now somebody has to."""
    customer = greets(screened(confirmation=Confirmation(wait_seconds=3)))
    customer.begins_to_talk()
    customer.hears_announcement()
    customer.world.pass_time(4)

    customer.presses("5")
    customer.world.pass_time(3)

    assert announcements(customer) == 2
    assert customer.state is S.ANNOUNCING


def test_given_a_key_then_nothing_that_is_heard_later_changes_the_verdict() -> None:
    customer = answered()
    customer.presses("5")

    customer.talks(A_GREETING)
    customer.beeps()
    customer.sounds_like_a_fax()
    customer.hears_announcement()

    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)
    assert seconds_to_verdict(customer) == 0
    assert hears(customer, ANNOUNCEMENT)


# ---- call screening robots -----------------------------------------------------------------------------------


def robot_has_answered(service: Service = BILLING) -> Customer:
    """It asked who calls, heard the announcement out and says that it will see."""
    customer = has_heard_the_announcement(service)
    customer.world.pass_time(ANSWER_PAUSE_SECONDS + PAUSE)
    customer.talks(AN_ANSWER)
    assert judged(customer) == (Verdict.SCREENING_ROBOT, Evidence.REPLY)
    return customer


def test_given_a_robot_then_who_comes_to_the_phone_hears_the_announcement_anew() -> None:
    customer = robot_has_answered()
    assert announcements(customer) == 1
    customer.world.pass_time(3)

    customer.talks(A_HELLO)

    assert announcements(customer) == 2
    customer.hears_announcement()
    customer.presses("1")
    assert customer.state is S.CONFIRMED
    assert judged(customer) == (Verdict.SCREENING_ROBOT, Evidence.REPLY), "how they were reached is worth knowing"


def test_given_a_robot_whose_answer_goes_on_then_nobody_has_come_yet() -> None:
    customer = robot_has_answered()
    customer.world.pass_time(0.2)

    customer.talks(A_HELLO)

    assert announcements(customer) == 1
    customer.world.pass_time(2)
    customer.talks(A_HELLO)
    assert announcements(customer) == 2


def test_given_a_robot_that_answers_the_message_then_the_call_goes_on() -> None:
    customer = has_the_message()
    customer.world.pass_time(ANSWER_PAUSE_SECONDS + PAUSE)

    customer.talks(AN_ANSWER)

    assert judged(customer) == (Verdict.SCREENING_ROBOT, Evidence.REPLY)
    customer.world.pass_time(RULES.reply_wait_seconds)
    assert customer.closing is None
    customer.world.pass_time(WAIT)
    assert hears(customer, ANNOUNCEMENT)


def test_given_a_robots_person_who_says_hello_again_and_again_then_the_announcements_are_few() -> None:
    customer = robot_has_answered()

    for _hello in range(20):
        customer.world.pass_time(3)
        if customer.closing or customer.state is not S.ANNOUNCING:
            break
        customer.talks(A_HELLO)
        customer.hears_announcement()
    customer.world.pass_time(WAIT)

    assert announcements(customer) == 1 + BILLING.confirmation.repeats + RULES.robot_repeats
    assert customer.attempt.outcome is Outcome.UNCONFIRMED


def test_given_a_machine_that_goes_on_with_its_own_greeting_then_that_is_no_answer() -> None:
    customer = has_heard_the_announcement()
    customer.world.pass_time(ANSWER_PAUSE_SECONDS / 4)

    customer.talks(AN_ANSWER)

    assert judged(customer) == (Verdict.MACHINE, Evidence.BEEP)
    customer.world.pass_time(PATIENCE_SECONDS)
    assert hears(customer, GOODBYE)


# ---- prompts that fail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [*FAILURES, None, "incomplete"])
@pytest.mark.parametrize("moment", [has_heard_the_announcement, greets])
def test_given_a_goodbye_that_cannot_be_said_when_they_were_named_then_the_machine_is_left(
    moment: Callable[[], Customer], failure: ResultKind | str | None
) -> None:
    customer = moment()
    if moment is greets:
        customer.hears_announcement()
    _fails(customer.world, failure)

    customer.world.pass_time(RULES.reply_wait_seconds)
    assert hears(customer, GOODBYE)
    if failure == "incomplete":
        customer.hears_announcement(complete=False)
    customer.world.pass_time(BILLING.call_limits.last_words_seconds if failure is None else REFUSED_GRACE_SECONDS)

    customer.is_let_go(Outcome.MACHINE)


@pytest.mark.parametrize("failure", [*FAILURES, None, "incomplete"])
@pytest.mark.parametrize("service", [LEAVES, BILLING], ids=["message", "fax"])
def test_given_first_words_that_cannot_be_said_then_the_announcement_is_said_before_anybody_is_left(
    service: Service, failure: ResultKind | str | None
) -> None:
    customer = answered(service)
    _fails(customer.world, failure)
    if service is LEAVES:
        customer.talks(A_GREETING)
        customer.beeps()
        customer.world.pass_time(RULES.message_pause_seconds)
    else:
        customer.sounds_like_a_fax()
    if failure == "incomplete":
        customer.hears_announcement(complete=False)

    customer.world.results[Play] = ResultKind.OK
    limit = BILLING.call_limits.last_words_seconds if failure is None else REFUSED_GRACE_SECONDS
    customer.world.pass_time(limit)

    assert hears(customer, ANNOUNCEMENT)
    customer.world.pass_time(5)
    assert hears(customer, ANNOUNCEMENT), "this time it is not cut short"
    customer.hears_announcement()
    customer.world.pass_time(max(RULES.reply_wait_seconds, RULES.message_pause_seconds))
    customer.hears_announcement()
    customer.world.pass_time(RULES.reply_wait_seconds)
    assert customer.attempt.outcome in (Outcome.MESSAGE_LEFT, Outcome.FAX)


@pytest.mark.parametrize("failure", FAILURES)
def test_given_asterisk_cannot_play_at_all_then_the_call_is_interrupted_and_nobody_counts_it(
    failure: ResultKind,
) -> None:
    customer = answered()
    customer.world.results[Play] = failure
    customer.sounds_like_a_fax()

    customer.world.pass_time(3 * REFUSED_GRACE_SECONDS)

    assert customer.attempt.outcome is Outcome.INTERRUPTED


def test_given_an_announcement_that_may_have_failed_and_a_machine_then_it_is_told_once_more_who_called() -> None:
    customer = answered()
    announce = customer.world.done(Play)[-1]
    customer.talks(A_GREETING)
    customer.beeps()
    customer.world.ends(Play, ResultKind.UNKNOWN)
    customer.world.tell(PlayingFinished(announce.leg, announce.tag))

    customer.world.pass_time(WAIT)

    assert announcements(customer) == 2
    assert customer.closing is None


def _fails(world: World, failure: ResultKind | str | None) -> None:
    world.results.pop(Play, None)
    if isinstance(failure, ResultKind):
        world.results[Play] = failure


# ---- starts --------------------------------------------------------------------------------------------------


@every_moment
def test_given_a_start_at_any_moment_then_the_verdict_stands_and_all_is_said_anew(
    moment: Callable[[], Customer],
) -> None:
    customer = moment()
    world, before = customer.world, judged(customer)
    said = announcements(customer)

    world.restart()
    assert world.recover(customer.attempt.id, LegSeen.ENTERED) is Recovery.ANNOUNCED

    assert announcements(customer) == said + 1
    assert judged(customer) == before
    customer.hears_announcement()
    world.pass_time(max(RULES.reply_wait_seconds, RULES.message_pause_seconds))
    customer.hears_announcement()
    world.pass_time(RULES.reply_wait_seconds)
    assert customer.attempt.outcome in (Outcome.MACHINE, Outcome.MESSAGE_LEFT, Outcome.FAX)


@every_moment
def test_given_a_start_at_any_moment_when_1_is_pressed_then_a_person_is_connected(
    moment: Callable[[], Customer],
) -> None:
    customer = moment()
    customer.world.restart()
    customer.world.see(customer.attempt.id, LegSeen.ENTERED)

    customer.presses("1")

    assert customer.state is S.CONFIRMED
    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)


@every_moment
def test_given_a_lost_socket_when_an_old_look_shows_them_outside_then_they_are_asked_anew(
    moment: Callable[[], Customer],
) -> None:
    customer = moment()
    world = customer.world
    world.lose_telephony()
    world.see(customer.attempt.id, LegSeen.ANSWERED)
    world.regain_telephony()

    world.pass_time(30)
    customer.enters()
    customer.hears_announcement()
    world.pass_time(2 * WAIT)
    customer.hears_announcement()
    world.pass_time(RULES.reply_wait_seconds)

    assert customer.attempt.outcome in (Outcome.MACHINE, Outcome.MESSAGE_LEFT, Outcome.FAX)


# ---- networks that send nothing in silence -------------------------------------------------------------------


def test_given_a_network_that_sends_nothing_in_silence_then_a_silent_person_is_no_machine() -> None:
    """Its first packet looks like talk that never ends."""
    customer = answered()
    customer.world.audio = lambda _leg: 0.02
    customer.begins_to_talk()

    customer.world.pass_time(20)
    customer.hears_announcement()
    customer.world.pass_time(WAIT / 2)

    assert customer.world.done(CountAudio)
    assert judged(customer)[0] is not Verdict.MACHINE
    customer.presses("1")
    assert customer.state is S.CONFIRMED


def test_given_a_network_that_sends_nothing_in_silence_then_a_machine_is_known_by_what_came() -> None:
    customer = answered()
    greets_at = customer.world.now + 4

    def sent(_leg: LegId) -> float:
        return min(A_GREETING, max(0.0, customer.world.now - greets_at))

    customer.world.audio = sent
    customer.begins_to_talk()
    customer.world.pass_time(4 + A_GREETING + 3)
    customer.hears_announcement()

    customer.world.pass_time(RULES.reaction_seconds + LOOK_SECONDS)

    assert judged(customer) == (Verdict.MACHINE, Evidence.NO_REACTION)
    customer.world.pass_time(PATIENCE_SECONDS)
    assert hears(customer, GOODBYE)


@pytest.mark.parametrize("ear", [False, True])
def test_given_a_network_that_sends_nothing_in_silence_then_a_machine_that_never_stops_is_left_all_the_same(
    ear: bool,  # noqa: FBT001 - a column of the table
) -> None:
    customer = greets()
    greeted_at = customer.world.now
    if ear:
        customer.is_heard_by_an_ear()

    def mostly(_leg: LegId) -> float:
        return A_GREETING + 0.5 * (customer.world.now - greeted_at)

    customer.world.audio = mostly
    customer.begins_to_talk()
    customer.world.pass_time(5)
    customer.hears_announcement()

    customer.world.pass_time(PATIENCE_SECONDS)

    assert hears(customer, GOODBYE)


@pytest.mark.parametrize("result", [*FAILURES, None])
def test_given_audio_that_cannot_be_counted_then_it_is_taken_for_a_person(result: ResultKind | None) -> None:
    customer = answered()
    customer.world.results.pop(CountAudio)
    if result is not None:
        customer.world.results[CountAudio] = result
    customer.begins_to_talk()

    customer.world.pass_time(20)
    customer.hears_announcement()
    for _announcement in range(BILLING.confirmation.repeats):
        customer.world.pass_time(WAIT)
        customer.hears_announcement()
    customer.world.pass_time(WAIT)

    assert customer.closing is Outcome.UNCONFIRMED
    assert judged(customer)[0] is not Verdict.MACHINE


def test_given_a_long_greeting_under_the_announcement_then_nothing_is_looked_at_again_and_again() -> None:
    """A timer in the past fires at once, and what it decides is written each time."""
    customer = answered()
    customer.talks(A_GREETING)
    before = len(customer.world.told)

    customer.world.pass_time(30)

    assert len(customer.world.told) - before < 10


# ---- ears ----------------------------------------------------------------------------------------------------


def test_given_an_announcement_then_an_ear_is_asked_for_once() -> None:
    customer = answered()
    customer.hears_announcement()
    customer.world.pass_time(WAIT)

    assert announcements(customer) == 2
    assert len(customer.world.done(Listen)) == 1


@pytest.mark.parametrize("result", [*FAILURES, None])
def test_given_no_ear_then_nothing_is_missed_but_what_only_an_ear_hears(result: ResultKind | None) -> None:
    world = World()
    world.results.pop(Listen)
    if result is not None:
        world.results[Listen] = result
    world.agent().ready()
    customer = world.customer()
    customer.answers()
    customer.talks(A_GREETING)
    customer.hears_announcement()

    world.pass_time(RULES.reaction_seconds)

    assert judged(customer) == (Verdict.MACHINE, Evidence.NO_REACTION)


def test_given_an_ear_then_talk_that_talk_detection_has_not_ended_ends_and_no_audio_is_counted() -> None:
    customer = answered()
    customer.begins_to_talk()
    customer.world.pass_time(1)

    customer.is_heard_by_an_ear()
    customer.world.pass_time(LISTENS_SECONDS)

    assert judged(customer) == (Verdict.PERSON, Evidence.SHORT_GREETING)
    assert customer.world.done(CountAudio) == []


def test_given_an_ear_that_is_lost_then_talk_detection_goes_on() -> None:
    customer = answered()
    customer.is_heard_by_an_ear()
    customer.talks(A_GREETING / 2)
    customer.is_heard_by_no_ear()
    customer.talks(A_GREETING / 2)
    customer.hears_announcement()

    customer.world.pass_time(RULES.reaction_seconds)

    assert judged(customer) == (Verdict.MACHINE, Evidence.NO_REACTION)


# ---- AMD, and no screening -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("HUMAN", Verdict.PERSON),
        ("MACHINE", Verdict.MACHINE),
        ("NOTSURE", Verdict.UNKNOWN),
        ("HANGUP", Verdict.UNKNOWN),
        ("", Verdict.UNKNOWN),
    ],
)
def test_given_asterisks_amd_then_its_verdict_counts(status: str, verdict: Verdict) -> None:
    world = World((BY_AMD,))
    world.agent().ready()
    customer = world.customer()
    listening = world.done(DialCustomer)[-1].listening
    customer.picks_up()

    customer.enters(status)

    assert listening is not None
    assert listening.amd
    assert judged(customer) == (verdict, Evidence.AMD)
    assert hears(customer, ANNOUNCEMENT)
    customer.hears_announcement()
    world.pass_time(RULES.reply_wait_seconds)
    assert hears(customer, GOODBYE) == (verdict is Verdict.MACHINE)


def test_given_asterisks_amd_when_it_did_not_run_then_long_talk_is_no_evidence_either() -> None:
    customer = answered(BY_AMD)

    customer.talks(A_GREETING)
    customer.hears_announcement()

    assert judged(customer) == (None, None)


def test_given_asterisks_amd_when_a_key_is_pressed_then_the_key_counts() -> None:
    world = World((BY_AMD,))
    world.agent().ready()
    customer = world.customer()
    customer.picks_up()
    customer.enters("MACHINE")

    customer.presses("1")

    assert customer.state is S.CONFIRMED
    assert judged(customer) == (Verdict.PERSON, Evidence.KEY)


def test_given_no_screening_then_nothing_is_listened_for_and_nobody_judged() -> None:
    customer = answered(OFF)
    [dial] = customer.world.done(DialCustomer)
    assert dial.listening is None

    customer.talks(A_GREETING)
    customer.beeps()
    customer.sounds_like_a_fax()
    customer.hears_announcement()
    customer.presses("5")
    customer.world.pass_time(WAIT)
    customer.hears_announcement()
    customer.world.pass_time(WAIT)

    customer.is_let_go(Outcome.UNCONFIRMED)
    assert judged(customer) == (None, None)
    assert not customer.world.done(CountAudio)
    assert not customer.world.done(Listen)


@pytest.mark.parametrize(("service", "listens"), [(BILLING, True), (BY_AMD, True), (OFF, False)])
def test_given_a_conversation_then_asterisk_stops_listening_if_it_did(
    service: Service,
    listens: bool,  # noqa: FBT001 - a column of the table
) -> None:
    world = World((service,), (AMY,))
    connected(world)

    assert world.done(Connect)[-1].listening is listens


def test_given_talk_in_a_conversation_then_it_changes_nothing() -> None:
    world = World()
    customer = connected(world)
    before = customer.attempt

    for event in (TalkStarted(before.customer_leg), TalkFinished(before.customer_leg, A_GREETING)):
        decision: Decision = world.tell(event)
        assert (decision.changes, decision.effects) == ([], [])

    assert customer.attempt == before


# ---- agents, stops, outages, other settings ------------------------------------------------------------------


def test_given_an_agent_on_the_phone_when_a_machine_is_left_then_the_agent_is_free_for_others() -> None:
    world = World((screened(connect=ConnectMode.AGENT_FIRST),))
    world.agent().ready()
    customer = world.customer()
    world.agent().picks_up()
    customer.answers()
    customer.talks(A_GREETING)
    customer.beeps()
    customer.hears_announcement()
    world.pass_time(RULES.reply_wait_seconds)

    customer.hears_announcement()

    assert only(world.agent().hears, Release)
    assert world.agent().shown == "ready"
    customer.is_let_go(Outcome.MACHINE)


@every_moment
def test_given_a_stop_at_any_moment_then_they_hear_an_apology_and_are_called_again(
    moment: Callable[[], Customer],
) -> None:
    customer = moment()

    customer.world.stop()

    assert hears(customer, (PromptId.APOLOGY,))
    customer.is_let_go(Outcome.INTERRUPTED)


@every_moment
def test_given_a_store_that_is_down_at_any_moment_then_they_are_let_go_and_called_again(
    moment: Callable[[], Customer],
) -> None:
    customer = moment()

    customer.world.tell(AttemptLetGo(customer.attempt.id))

    customer.is_let_go(Outcome.INTERRUPTED)


@every_moment
def test_given_any_moment_when_they_hang_up_then_that_is_how_it_ends(moment: Callable[[], Customer]) -> None:
    customer = moment()
    before = judged(customer)

    customer.hangs_up()

    assert customer.outcomes == (Outcome.HUNG_UP,)
    assert judged(customer) == before


def test_given_another_document_in_the_middle_of_a_call_then_the_call_keeps_its_own_settings() -> None:
    customer = greets()
    customer.world.configure((replace(OFF, confirmation=Confirmation(wait_seconds=1)),), (AMY,))

    customer.hears_announcement()
    customer.world.pass_time(RULES.reply_wait_seconds)
    assert hears(customer, GOODBYE)
    customer.hears_announcement()

    customer.is_let_go(Outcome.MACHINE)
    customer.world.pass_time(BILLING.attempts.interval_seconds)
    assert customer.world.done(DialCustomer)[-1].listening is None
