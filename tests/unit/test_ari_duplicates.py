"""The bounded memory that drops the second copy of an event."""

import pytest

from engine.asterisk.ari.duplicates import RecentTexts


def key_pressed(timestamp: str) -> str:
    return f'{{"type":"ChannelDtmfReceived","timestamp":"{timestamp}","digit":"1"}}'


def test_the_second_copy_of_an_event_is_known() -> None:
    recent = RecentTexts()
    assert [recent.seen(key_pressed("2026-01-31T09:15:00.123+0000")) for _ in range(3)] == [False, True, True]


def test_the_same_key_pressed_again_is_another_event() -> None:
    recent = RecentTexts()
    assert not recent.seen(key_pressed("2026-01-31T09:15:00.123+0000"))
    assert not recent.seen(key_pressed("2026-01-31T09:15:00.168+0000"))


def test_a_copy_is_known_although_other_events_came_between() -> None:
    recent = RecentTexts(capacity=10)
    first = key_pressed("first")
    recent.seen(first)
    for number in range(9):
        recent.seen(key_pressed(str(number)))
    assert recent.seen(first)


def test_a_text_without_a_time_is_never_taken_for_a_copy() -> None:
    recent = RecentTexts()
    assert [recent.seen('{"type":"ChannelDtmfReceived","digit":"1"}') for _ in range(2)] == [False, False]


def test_the_memory_forgets_the_oldest_and_never_grows() -> None:
    recent = RecentTexts(capacity=3)
    texts = [key_pressed(str(number)) for number in range(1000)]
    for text in texts:
        assert not recent.seen(text)
    assert len(recent) == 3
    assert not recent.seen(texts[0])
    assert recent.seen(texts[-1])
    assert len(recent._known) == len(recent) == 3


def test_a_memory_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RecentTexts(capacity=0)
