"""A bounded memory of the events just seen, to drop those that Asterisk sends twice.

An application that is subscribed to an endpoint, and holds one of its channels in Stasis, gets that channel's events
once for every way that leads to it. On Asterisk 22 the copies are the same text to the byte, timestamp included; at 150
calls a second they were at most four messages and 3 ms apart. Two genuine events do not compare equal: Asterisk holds
back a key that follows another by less than 45 ms (AST_MIN_DTMF_GAP in its main/channel.c; 44 ms seen for keys sent as
fast as possible), and the timestamp has milliseconds. A text without a timestamp is never taken for a copy.
"""

from collections import deque


class RecentTexts:
    """Remembers the last `capacity` different texts, as 64-bit hashes (a false match is 1 in 10^15 at this
    size).
    """

    __slots__ = ("_known", "_order")

    def __init__(self, capacity: int = 4096) -> None:
        if capacity < 1:
            raise ValueError("the memory for duplicates must hold at least one event")
        self._order: deque[int] = deque(maxlen=capacity)
        self._known: set[int] = set()

    def seen(self, text: str) -> bool:
        """Whether the text came before, within the memory; it is remembered either way."""
        if '"timestamp"' not in text:
            return False
        key = hash(text)
        if key in self._known:
            return True
        if len(self._order) == self._order.maxlen:
            self._known.discard(self._order[0])  # append pushes this one out
        self._order.append(key)
        self._known.add(key)
        return False

    def __len__(self) -> int:
        return len(self._order)
