"""What of a configuration must never be shown."""

from __future__ import annotations

from connector.auth import secrets_of
from connector.config import LoadedConfig
from connector.telemetry import Redactor


def learn(loaded: LoadedConfig, redactor: Redactor) -> None:
    """Tell ``redactor`` every secret of ``loaded``, and what is made of them."""
    for secret in loaded.secrets:
        redactor.add(secret)
    for oauth in (loaded.config.oauth, loaded.config.kafka.security.oauth):
        if oauth is not None:
            for secret in secrets_of(oauth.client_id, oauth.client_secret.reveal()):
                redactor.add(secret)
