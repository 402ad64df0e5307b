"""How the attempts of one subscription are made."""

from __future__ import annotations

from connector.auth import Token
from connector.task.attempt import Attempt, AttemptEvents
from connector.task.attempt_settings import AttemptSettings
from connector.task.dialer import Dialer
from connector.task.intake import Intake
from connector.task.settings import Shared, SubscriptionSettings


class AttemptFactory:
    """Makes attempts of a subscription, whose results go to ``intake``; none is opened here."""

    def __init__(
        self, settings: SubscriptionSettings, *, shared: Shared, dialer: Dialer, intake: Intake
    ) -> None:
        self._shared = shared
        self._dialer = dialer
        self._intake = intake
        self._settings = AttemptSettings(
            name=settings.name,
            request=settings.request,
            keep_alive=settings.keep_alive,
            # Where another session takes over, that decides when this one ends.
            reopens=settings.reopens and settings.rotation.kind != "overlap",
        )

    def attempt(self, token: Token | None, events: AttemptEvents) -> Attempt:
        """Return a new one, made with ``token`` (``None``: the endpoint asks for none)."""
        return Attempt(
            self._settings,
            connection=self._dialer.connection(token),
            token=token,
            keeper=self._shared.keeper,
            intake=self._intake,
            events=events,
            clock=self._shared.clock,
        )
