"""Configuration → how sessions are rotated, and who may when."""

from __future__ import annotations

from connector.auth import Keeper
from connector.config import Config
from connector.task import Rotation, RotationLimiter


def rotation_of(config: Config) -> Rotation:
    """Return what is done before a token ends."""
    endpoint = config.endpoint
    return Rotation(kind=endpoint.rotation, overlap=endpoint.overlap, overlap_max=endpoint.overlap_max)


def rotation_limiter(config: Config, keeper: Keeper | None) -> RotationLimiter:
    """Return that of the subscriptions with ``keeper``'s tokens, which are there in time for all of them."""
    limiter = RotationLimiter(
        rotation_of(config),
        parallelism=config.endpoint.rotation_parallelism,
        cap=config.endpoint.max_streams,
    )
    if keeper is not None:
        limiter.lead_changed = lambda: keeper.needed_ahead(limiter.lead)
        limiter.lead_changed()
    return limiter
