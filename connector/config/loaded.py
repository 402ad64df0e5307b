"""What comes of reading a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.config.peers import Peers
from connector.config.redacted import redacted
from connector.config.root import Config
from connector.records.plan import SubscriptionPlan


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class LoadedConfig:
    """
    A configuration that is whole and right, with what was worked out while it was read.

    ``plans`` are the subscriptions, checked against their documents, in the order given; ``peers`` say how
    endpoint and token endpoints are connected to. ``secrets`` is every value that must never be shown, for
    the redactor: those of secret keys, whatever came from a ``${file:…}``, what came from a ``${env:…}``
    into a secret key, and of proxies, the environment's included, user and password. ``warnings`` are
    sentences about keys that cannot act; those about documents are in the plans. ``files`` are those that
    it was read from or that it names, with fingerprints of what was in them.

    Its ``repr`` shows nothing of all that, for some may be secret.
    """

    config: Config
    plans: tuple[SubscriptionPlan, ...]
    peers: Peers
    secrets: tuple[str, ...]
    warnings: tuple[str, ...]
    files: Mapping[Path, str]

    def effective(self) -> dict[str, object]:
        """The configuration with its defaults and without its secrets, for the one-time log."""
        tree = self.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        return redacted(tree, self.secrets)

    def __repr__(self) -> str:
        return "LoadedConfig(…)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outline:
    """
    What is known of a configuration without its secrets, as far as it was checked.

    ``name`` is as written, maybe with a placeholder. ``plans`` are those of the subscriptions that do not
    depend on a value that is not known; ``warnings`` are as in `LoadedConfig`.
    """

    name: str
    plans: tuple[SubscriptionPlan, ...]
    warnings: tuple[str, ...]
