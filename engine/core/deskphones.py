"""Decides on agents' phones that have dialled the menu: whose they are, and what the agents choose there."""

from __future__ import annotations

from engine.core.callphase import Step
from engine.core.deskmenu import DeskMenu
from engine.core.events import DeskPhoneEntered, Event, PresenceRequested
from engine.core.receiving import Receiving
from engine.core.terms import AgentId, AttemptId, Presence

MENU_LANGUAGE = "en"
"""Where there is no service whose language could be taken."""


class DeskPhones(Receiving):
    """The menu's side of the switchboard."""

    def _desk_phone_entered(self, event: DeskPhoneEntered, now: float) -> None:
        if event.call in self._menus:
            return
        owners = [each.id for each in self.desks.agents() if each.endpoint == event.endpoint]
        agent = owners[0] if len(owners) == 1 else None
        languages = [each.languages[0] for each in self.configuration.services.values()]
        menu = DeskMenu(event.call, event.leg, event.endpoint, agent, (languages or [MENU_LANGUAGE])[0])
        self._menus[event.call] = menu
        self._leg_owners[event.leg] = event.call
        self.desks.dials_menu(event.endpoint)
        self._apply_menu(menu, menu.start(self._presence_of(agent), now))

    def _to_menu(self, menu: DeskMenu, event: Event, now: float) -> None:
        self._apply_menu(menu, menu.handle(event, now))
        chosen, menu.chosen = menu.chosen, None
        if chosen is not None and menu.agent is not None:
            self._set_presence(PresenceRequested(menu.agent, chosen.presence, chosen.reason), now)
            self._decision.reply = None  # nobody has asked
            self._apply_menu(menu, menu.became(self._presence_of(menu.agent), now))

    def _menu_timer(self, call: AttemptId, now: float) -> None:
        menu = self._menus[call]
        self._apply_menu(menu, menu.timer(now))

    def _apply_menu(self, menu: DeskMenu, step: Step) -> None:
        if menu.over:
            del self._menus[menu.call]
            self._leg_owners.pop(menu.leg, None)
            self.desks.left_menu(menu.endpoint)
            self._write(self.timers.clear_all(menu.call))
            return
        for name, due_at in step.timers.items():
            self._write(
                self.timers.clear(menu.call, name) if due_at is None else self.timers.set(menu.call, name, due_at)
            )
        self._decision.effects += step.effects

    def _presence_of(self, agent: AgentId | None) -> Presence:
        status = self.desks.status(agent) if agent is not None else None
        return Presence.LOGGED_OUT if status is None else status.presence

    def _set_presence(self, event: PresenceRequested, now: float) -> None:
        """As an agent asks for it; the dispatcher decides it."""
        raise NotImplementedError
