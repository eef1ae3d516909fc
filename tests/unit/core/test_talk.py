"""How much somebody has talked, by talk detection and by the audio that came."""

import math

import pytest

from engine.core.talk import BELIEVED_SECONDS, BLIP_SECONDS, LOOK_SECONDS, TalkMeter

PAUSE = 0.3
LONG = 100.0
"""More talk than anybody asks for here."""


def answered() -> TalkMeter:
    """Somebody answers at the moment 0."""
    meter = TalkMeter(PAUSE)
    meter.answered(0.0)
    return meter


def talks(meter: TalkMeter, since: float, seconds: float) -> None:
    """Talk detection hears them begin, and notices a pause after the end that they have stopped."""
    meter.started(since)
    meter.finished(seconds, since + seconds + PAUSE)


def look_times(meter: TalkMeter, now: float) -> float:
    at = meter.look_at(LONG, now)
    assert at is not None
    return at


def test_given_nothing_heard_then_they_have_not_talked() -> None:
    meter = answered()

    assert meter.talked(10) == 0
    assert (meter.since, meter.silent_since(), meter.look_at(1, 10)) == (None, None, None)


def test_given_two_stretches_then_their_lengths_add_up_and_the_pause_lies_between_their_ends() -> None:
    meter = answered()

    talks(meter, 1, 2)
    assert (meter.talked(4), meter.silent_since(), meter.pause_before) == (2, 3, math.inf)
    talks(meter, 5, 0.5)

    assert meter.talked(9) == 2.5
    assert (meter.began_at, meter.ended_at, meter.length) == (5, 5.5, 0.5)
    assert meter.pause_before == 2


def test_given_a_click_then_it_is_no_talk() -> None:
    meter = answered()

    talks(meter, 1, BLIP_SECONDS / 2)

    assert (meter.talked(5), meter.silent_since()) == (0, None)


def test_given_a_stretch_that_was_longer_than_we_heard_of_it_then_only_what_we_heard_counts() -> None:
    meter = answered()
    meter.started(1)

    meter.finished(30, 3 + PAUSE)

    assert meter.talked(4) == 2


def test_given_talk_before_the_answer_then_only_what_comes_after_it_counts() -> None:
    meter = TalkMeter(PAUSE)
    talks(meter, -20, 6)
    meter.started(-3)

    meter.answered(0)
    meter.finished(4, 1 + PAUSE)

    assert meter.talked(5) == 1
    assert (meter.began_at, meter.pause_before) == (0, math.inf)


def test_given_an_end_without_a_beginning_then_it_changes_nothing() -> None:
    meter = answered()

    meter.finished(5, 9)

    assert (meter.talked(10), meter.silent_since()) == (0, None)


def test_given_a_beginning_that_is_told_twice_then_the_first_counts() -> None:
    meter = answered()
    meter.started(8)
    meter.started(8.5)

    meter.finished(1, 9 + PAUSE)

    assert (meter.talked(10), meter.began_at) == (1, 8)


# ---- stretches whose end nobody has heard --------------------------------------------------------------------


def test_given_talk_that_goes_on_then_it_is_believed_for_a_moment_only() -> None:
    """And not the last moments of it, in which there may have been a pause already."""
    meter = answered()
    meter.started(2)

    assert meter.talked(2 + BELIEVED_SECONDS / 2) == pytest.approx(BELIEVED_SECONDS / 2 - PAUSE)
    assert meter.talked(60) == BELIEVED_SECONDS


def test_given_talk_that_goes_on_then_only_a_look_can_tell_and_it_is_looked_at_when_it_is_doubted() -> None:
    meter = answered()
    meter.started(2)

    assert meter.needs_look
    assert meter.look_at(LONG, 2.5) == 2 + BELIEVED_SECONDS


def test_given_an_end_that_was_told_then_silence_comes_too_and_time_tells_how_long_they_talk() -> None:
    meter = answered()
    meter.started(0)
    meter.finished(0.02, PAUSE)
    meter.started(1)

    assert not meter.needs_look
    assert meter.talked(9) == pytest.approx(8 - PAUSE)
    at = meter.look_at(6, 4)
    assert at is not None
    assert meter.talked(at) >= 6
    assert meter.talked(at - 0.1) < 6
    assert meter.look_at(6, at) is None, "no time in the past"
    meter.finished(12, 13 + PAUSE)
    assert meter.talked(20) == 12


@pytest.mark.parametrize("share", [1.0, 0.9], ids=["no loss", "some loss"])
def test_given_a_look_that_finds_no_gap_then_they_talked_so_far_and_are_looked_at_again(share: float) -> None:
    meter = answered()
    meter.started(0)

    meter.counted(BELIEVED_SECONDS * share, BELIEVED_SECONDS)

    assert (meter.suppressed, meter.needs_look) == (False, True)
    again = meter.look_at(6, BELIEVED_SECONDS)
    assert again == BELIEVED_SECONDS + LOOK_SECONDS
    meter.counted(BELIEVED_SECONDS * share, again)
    assert (meter.suppressed, meter.talked(20)) == (True, BELIEVED_SECONDS)


def test_given_a_look_that_finds_nothing_then_their_network_sends_nothing_in_silence() -> None:
    meter = answered()
    meter.started(0)

    meter.counted(0.02, 3.0)

    assert meter.suppressed
    assert (meter.since, meter.talked(10)) == (None, 0)


def test_given_nobody_can_count_then_the_stretch_ends_where_it_is_certain() -> None:
    meter = answered()
    meter.started(1)

    meter.counted(None, 6)

    assert not meter.suppressed
    assert (meter.since, meter.talked(10), meter.silent_since()) == (None, BELIEVED_SECONDS, 1 + BELIEVED_SECONDS)


# ---- an ear of our own ---------------------------------------------------------------------------------------


def test_given_an_ear_then_the_stretch_of_talk_detection_ends_and_no_look_is_needed_any_more() -> None:
    meter = answered()
    meter.started(0)

    meter.has_ear(2 + PAUSE)

    assert meter.since is None
    assert meter.talked(9) == pytest.approx(2)
    meter.started(10)
    assert not meter.needs_look
    assert meter.talked(20) == pytest.approx(2 + 10 - PAUSE)


def test_given_an_ear_then_a_silent_network_is_silent_and_no_more() -> None:
    meter = answered()
    meter.started(0)
    meter.counted(0.0, 3.0)
    assert meter.suppressed

    meter.has_ear(4)
    talks(meter, 5, 2)

    assert (meter.suppressed, meter.talked(9)) == (False, 2)


def test_given_an_ear_that_is_lost_then_looks_are_needed_again() -> None:
    meter = answered()
    meter.has_ear(0)

    meter.lost_ear()
    meter.started(5)

    assert meter.needs_look
    assert meter.look_at(LONG, 5) == 5 + BELIEVED_SECONDS


# ---- networks that send nothing in silence -------------------------------------------------------------------


def silent_network() -> TalkMeter:
    """Known as such since the moment 3, at which nothing but the first packet had come."""
    meter = answered()
    meter.started(0)
    meter.counted(0.0, 3.0)
    return meter


def test_given_a_silent_network_then_audio_is_talk_and_no_audio_is_silence() -> None:
    meter = silent_network()

    meter.counted(0.8, 4.0)
    assert meter.talked(4) == pytest.approx(0.8)
    meter.counted(1.8, 5.0)
    assert meter.talked(5) == pytest.approx(1.8)
    assert meter.length == pytest.approx(1.8), "it is one stretch"
    meter.counted(1.8, 6.0)
    assert meter.silent_since() == 5
    meter.counted(2.6, 7.0)

    assert meter.talked(7) == pytest.approx(2.6)
    assert meter.length == pytest.approx(0.8), "it is another one"
    assert meter.pause_before == pytest.approx(1.2)


def test_given_a_silent_network_then_packets_that_describe_its_noise_are_no_talk() -> None:
    meter = silent_network()

    for n in range(1, 20):
        meter.counted(0.1 * n, 3.0 + n)

    assert meter.talked(30) == 0


def test_given_a_silent_network_then_talk_detection_is_not_believed_any_more_and_looks_go_on() -> None:
    meter = silent_network()

    meter.started(3.5)
    meter.finished(9, 13)

    assert (meter.since, meter.talked(20)) == (None, 0)
    assert meter.look_at(LONG, 3.5) == 3 + LOOK_SECONDS
    assert look_times(meter, 20) == 20


def test_given_a_silent_network_when_a_look_fails_then_what_came_meanwhile_is_not_told() -> None:
    meter = silent_network()

    meter.counted(None, 4)
    meter.counted(1.0, 5)
    assert meter.talked(5) == 0, "since when it came nobody knows"
    meter.counted(2.0, 6)

    assert meter.talked(6) == 1
