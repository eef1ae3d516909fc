"""Everybody who keeps an engine busy during a run: customers who ask, people who ring in, agents at
their screens, and an outside system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.centre import Centre
from tests.live.crash.callers import Callers
from tests.live.crash.evidence import Announced, Offered, Said
from tests.live.crash.load import Load, Want
from tests.live.crash.outside import Outside
from tests.live.crash.plan import Plan
from tests.live.crash.screens import Screens
from tests.live.crash.town import FIRST, INWARD, PLAIN, PREVIEW, SLOT_CAPACITY, SLOT_SECONDS, configure, slot_services
from tests.live.crash.wire import Door
from tests.live.crash.written import waiting

WANTS = (Want(PLAIN, 4), Want(FIRST, 2), Want(PREVIEW, 2), Want(INWARD, 1))
SECONDS_A_KILL = 18.0
"""More than a kill takes mostly."""
FEW_APART_SECONDS, APART_SECONDS = 12.0, 30.0
"""Between the starts of two slots: in a run that is over before the first slots are, and in a longer one."""


@dataclass(slots=True)
class Crowd:
    """Entered for the whole run; `load` is entered by itself, for as long as somebody is to ask."""

    load: Load
    screens: Screens | None = None
    outside: Outside | None = None
    callers: Callers | None = None
    inward: str = ""
    connects: Mapping[str, str] = field(default_factory=dict)
    capacity: Mapping[str, int] = field(default_factory=dict)
    _inside: ExitStack = field(default_factory=ExitStack)

    def calm_down(self) -> None:
        """Begin nothing new; what has begun is brought to its end."""
        for each in (self.screens, self.outside, self.callers):
            if each is not None:
                each.calm_down()

    @property
    def said(self) -> Sequence[Said]:
        return [said for each in (self.screens, self.outside) if each is not None for said in each.said]

    @property
    def offered(self) -> Sequence[Offered]:
        return self.screens.offered if self.screens else ()

    @property
    def announced(self) -> Sequence[Announced]:
        return self.outside.announced if self.outside else ()

    def __enter__(self) -> Self:
        for each in (self.screens, self.outside, self.callers):
            if each is not None:
                self._inside.enter_context(each)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside.close()


def crowd_of(plan: Plan, lab: Lab, engine: EngineProcess) -> Crowd:
    """Configure the engine and gather the crowd for it."""
    lasts = len(plan.steps) * SECONDS_A_KILL
    slots = slot_services(APART_SECONDS if lasts > SLOT_SECONDS else FEW_APART_SECONDS, lasts)
    keys = configure(Centre(lab, engine), slots)
    door = Door(lambda: engine.url)
    load = Load(
        plan.numbers_to_ask_with(),
        door,
        engine.admin_key,
        partial(waiting, engine.database),
        WANTS,
        slots,
        partial(_declined, lab),
    )
    return Crowd(
        load=load,
        screens=Screens(door, keys, plan.seed),
        outside=Outside(door, engine.admin_key, plan.seed),
        callers=Callers(lab, plan.numbers_to_ring_from(), load.asked, plan.seed),
        inward=INWARD,
        connects={FIRST: "agent_first", PREVIEW: "preview"},
        capacity={each.id: SLOT_CAPACITY for each in slots},
    )


def plain_crowd(plan: Plan, subject: EngineProcess) -> Crowd:
    """Customers who want to be called now, and nothing else: for a program that knows nothing else."""
    return Crowd(
        Load(
            plan.numbers(),
            Door(lambda: subject.url),
            subject.admin_key,
            partial(waiting, subject.database),
            WANTS[:1],
        )
    )


def _declined(lab: Lab) -> Mapping[str, float]:
    """When which number has pressed 9 last."""
    return {call.number: key.at for call in lab.witness() for key in call.keys if key.key == "9"}
