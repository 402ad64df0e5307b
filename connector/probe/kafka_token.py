"""Whether a token for the brokers is to be had (OAUTHBEARER)."""

from __future__ import annotations

import anyio

from connector.auth import Keeper
from connector.probe.finding import Finding
from connector.probe.token import WITHIN, in_words

LOOK = 0.05
"""Seconds between two looks at the keeper."""


async def probe_kafka_token(keeper: Keeper, subject: str) -> Finding:
    """Return what came of the first request of ``keeper``, which must be running."""
    with anyio.move_on_after(WITHIN):
        while keeper.status.generation == 0 and keeper.status.last_error is None:  # noqa: ASYNC110
            await anyio.sleep(LOOK)
    status = keeper.status
    if status.generation:
        life = status.expires_in_seconds
        said = "the answer names no life" if life is None else f"lives {in_words(round(life))}"
        return _found(subject, "ok", said, life_seconds=None if life is None else round(life))
    said = status.last_error or f"no answer within {WITHIN:g} s"
    if status.state == "refused":
        return _found(subject, "refused", said, remedy="correct kafka.security.oauth")
    return _found(subject, "failed", said)


def _found(subject: str, outcome: str, detail: str, *, remedy: str = "", **facts: object) -> Finding:
    return Finding(
        area="kafka",
        subject=subject,
        check="token for the brokers",
        outcome=outcome,  # type: ignore[arg-type]
        detail=detail,
        remedy=remedy,
        how="asked for",
        facts=facts,
    )
