"""What of a configuration must never be shown."""

from __future__ import annotations

from connector.auth import secrets_of
from connector.config import Config
from connector.telemetry import Redactor


def learn(config: Config, redactor: Redactor) -> None:
    """Tell ``redactor`` every secret of ``config``, and what is made of them."""
    for secret in config.secrets():
        redactor.add(secret)
    for oauth in (config.oauth, config.kafka.security.oauth):
        if oauth is not None:
            for secret in secrets_of(oauth.client_id, oauth.client_secret.reveal()):
                redactor.add(secret)
