"""All probes, at the same time as far as they do not need one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from connector.auth import Keeper
from connector.probe.brokers import BrokersProbe
from connector.probe.endpoint import Endpoint, probe_endpoint
from connector.probe.finding import Area, Finding, Report
from connector.probe.kafka_token import probe_kafka_token
from connector.probe.token import TokenProbe

Tell = Callable[[str, str | None], None]
"""Called with a part (token, endpoint, kafka) and what is being done there; ``None``: it is done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probes:
    """
    What is asked. ``kafka_keeper`` is that of the brokers' tokens, from ``kafka_token_url``. ``streams`` is
    how they fit into the plan, which was found out without asking; ``None``: not known.
    """

    token: TokenProbe
    endpoint: Endpoint
    brokers: BrokersProbe
    kafka_keeper: Keeper | None = None
    kafka_token_url: str = ""
    streams: Finding | None = None


async def probe_all(probes: Probes, tell: Tell = lambda part, doing: None) -> Report:
    """Ask everybody. Never raises for what they do: the report tells."""
    found: dict[str, list[Finding]] = {"upstream": [], "kafka": []}

    async def go(part: str, area: Area, work: Callable[[], Awaitable[list[Finding]]]) -> None:
        try:
            found[part] = await work()
        except Exception as error:  # a fault of ours must not hide what the others found
            found[part] = [_fault(area, error)]

    async with anyio.create_task_group() as group:
        group.start_soon(go, "upstream", "endpoint", lambda: _upstream(probes, tell))
        group.start_soon(go, "kafka", "kafka", lambda: _kafka(probes, tell))
    streams = (probes.streams,) if probes.streams is not None else ()
    return Report(findings=(*found["upstream"], *streams, *found["kafka"]))


async def _upstream(probes: Probes, tell: Tell) -> list[Finding]:
    tell("token", "asks for a token")
    finding, token = await probes.token.run()
    tell("token", None)
    found = await probe_endpoint(
        probes.endpoint,
        token,
        is_unproven=token is None and probes.token.source is not None,
        tell=lambda doing: tell("endpoint", doing),
    )
    tell("endpoint", None)
    return [finding, *found]


async def _kafka(probes: Probes, tell: Tell) -> list[Finding]:
    tell("kafka", "asks the brokers")
    async with anyio.create_task_group() as group:
        found: list[Finding] = []
        if probes.kafka_keeper is not None:
            group.start_soon(probes.kafka_keeper.run)
            found.append(await probe_kafka_token(probes.kafka_keeper, probes.kafka_token_url))
        found += await probes.brokers.run()
        group.cancel_scope.cancel()
    tell("kafka", None)
    return found


def _fault(area: Area, error: Exception) -> Finding:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return Finding(
        area=area,
        subject="this program",
        check="probe",
        outcome="failed",
        detail=f"a fault of ours: {type(error).__name__}",
        remedy="please report it",
    )
