"""How long somebody who joins the line will wait until they are called: the half of all that is told, and four fifths.

Queue-length prediction: who has n before them waits for n + 1 agents to become free, and the agents who can serve them
become free at the rate that was measured. In a queue of Markov's kind no predictor that knows the line is better, and
what it errs by is known: the wait is then gamma distributed (Ibrahim and Whitt, "Real-time delay estimation based on
delay history", M&SOM 11, 2009). Here those who give up are counted at the rate at which they do (their `QL_ap`), the
whole is corrected by what was lately told and what came of it, and so is how far from the mean the fourth fifth lies.
Where agents are rung or asked first, the time that takes is added.

Nothing here knows the line or the agents; `waits` brings both together. Times are seconds.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from engine.core.values import Value

LEFT_KEPT, TOLD_KEPT = 2000, 2000
"""So many of the latest count for how often people give up, and for what came of what they were told."""
LED_KEPT = 200
"""So many count for how long it takes from finding an agent to calling the customer, if the agent is rung first."""
LEAD_SPREAD = 0.5
"""Of that time, in parts of its mean."""
TRUSTED = 300
"""What was told counts as if it had come true so many times: a few errors are chance."""
BIAS_WITHIN = (0.5, 2.0)
AIM, AIM_STEP, AIM_WITHIN = 0.8, 0.002, (0.5, 0.99)
"""How often the longer time is to hold. Its level is raised a little with each that did not, else lowered (Gibbs and
Candès, "Adaptive conformal inference under distribution shift", 2021)."""
STEPS = 32
"""So many of those ahead are added up one by one; the rest is an integral."""
_NORMAL = NormalDist()


class Wait(Value):
    """Within `p50_seconds` half of those who are told so are called, within `p80_seconds` four of five."""

    p50_seconds: float
    p80_seconds: float


class Standing(Value):
    """Who has to be served first, and by whom. `ahead`: how many, in parts where they compete only for some agents;
    `handle_seconds`: how long an agent is kept by one of them on average; `places`: how many can be served at a time.
    """

    ahead: float
    handle_seconds: float
    places: int


class Forecast(Value):
    """What was worked out, and what people are told of it. `raw_seconds`: the mean time in the line before it was
    corrected; 0: an agent is free for them.
    """

    raw_seconds: float
    mean_seconds: float
    wait: Wait


class Recent:
    """Two sums over about the latest `kept` of many, whose ratio is asked for."""

    __slots__ = ("above", "below", "count", "kept")

    def __init__(self, kept: int, above: float = 0.0, below: float = 0.0, count: float = 0.0) -> None:
        self.kept = kept
        self.above = above
        self.below = below
        self.count = count

    def add(self, above: float, below: float) -> None:
        remains = 1.0 if self.count < self.kept else 1.0 - 1.0 / self.kept
        self.count = self.count * remains + 1.0
        self.above = self.above * remains + above
        self.below = self.below * remains + below

    @property
    def ratio(self) -> float:
        """0 while nothing is known."""
        return self.above / self.below if self.below > 0 else 0.0


class Experience:
    """What became of those who waited for one service."""

    def __init__(self) -> None:
        self._left = Recent(LEFT_KEPT)
        self._told = Recent(TOLD_KEPT)
        self._lead = Recent(LED_KEPT)
        self._level = AIM

    def forecast(self, standing: Standing) -> Forecast:
        """Of the next one behind those."""
        raw, variance = moments(standing, self._left.ratio)
        return self._told_of(raw, raw * self.bias, variance * self.bias**2)

    def at_once(self) -> Forecast:
        """Of somebody whom an agent is free for."""
        return self._told_of(0.0, 0.0, 0.0)

    def _told_of(self, raw: float, mean: float, variance: float) -> Forecast:
        lead = self._lead.ratio
        mean, variance = mean + lead, variance + (lead * LEAD_SPREAD) ** 2
        if mean <= 0:
            return Forecast(raw, 0.0, Wait(0.0, 0.0))
        shape = mean * mean / variance
        half = gamma_quantile(mean, shape, 0.5)
        return Forecast(raw, mean, Wait(half, max(half, gamma_quantile(mean, shape, self._level))))

    @property
    def bias(self) -> float:
        """By how much waits were longer than was worked out; 1 while little is known."""
        told = self._told
        if told.below <= 0:
            return 1.0
        trusted = TRUSTED * told.below / told.count
        least, most = BIAS_WITHIN
        return min(most, max(least, (told.above + trusted) / (told.below + trusted)))

    def served(self, told: Forecast, waited: float, lead: float = 0.0) -> None:
        """Somebody was called after `waited`. `lead`: the last of it, in which their agent was rung or asked."""
        self._left.add(0.0, waited - lead)
        self._lead.add(lead, 1.0)
        if told.raw_seconds > 0:
            self._told.add(waited - lead, told.raw_seconds)
        if told.mean_seconds > 0:
            least, most = AIM_WITHIN
            off = AIM - (1.0 if waited <= told.wait.p80_seconds else 0.0)
            self._level = min(most, max(least, self._level + AIM_STEP * off))

    def gave_up(self, waited: float) -> None:
        """Somebody did not wait any longer."""
        self._left.add(1.0, waited)


def moments(standing: Standing, leaving: float) -> tuple[float, float]:
    """Mean and variance of the time until `ahead` + 1 agents became free, if each who waits gives up at that rate.

    While k wait before one, the next change comes at the rate places / handle time + k * leaving; the times add up.
    """
    rate, ahead = standing.places / standing.handle_seconds, standing.ahead
    if leaving * (ahead + 1) < rate / 1000:
        return (ahead + 1) / rate, (ahead + 1) / rate**2
    whole = int(ahead)
    single = min(whole + 1, STEPS)
    rates = [rate + k * leaving for k in range(single)]
    mean, variance = sum(1 / each for each in rates), sum(1 / each**2 for each in rates)
    if whole + 1 > single:
        first, last = rate + (single - 0.5) * leaving, rate + (whole + 0.5) * leaving
        mean += math.log(last / first) / leaving
        variance += (1 / first - 1 / last) / leaving
    part, slowest = ahead - whole, rate + (whole + 1) * leaving
    return mean + part / slowest, variance + part / slowest**2


def gamma_quantile(mean: float, shape: float, level: float) -> float:
    """Of a gamma distribution, within 3 % from shape 1/2 on (Wilson and Hilferty, PNAS 17, 1931)."""
    spread = 1 / (9 * shape)
    return float(mean * max(0.0, 1 - spread + _NORMAL.inv_cdf(level) * math.sqrt(spread)) ** 3)
