"""Which brokers can be used, and what is wrong with the others."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from connector.kafka.diagnosis.connect import meet, shown
from connector.kafka.diagnosis.refusal import CannotConnect
from connector.kafka.errors import BrokerUnreachable
from connector.kafka.options import ssl_context
from connector.kafka.settings import KafkaSettings

LONGEST_STEP = 10.0
"""Seconds that a broker may take for each step, be the request timeout as long as it may."""

AT_ONCE = 8
"""Connections that are opened at the same time."""

_TOLD = 3
"""As many places are named in one message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a broker is; ``node_id`` is ``None`` for an address from the configuration."""

    host: str
    port: int
    node_id: int | None = None

    @property
    def address(self) -> str:
        """Return ``host:port``."""
        return shown(self.host, self.port)


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """
    What came of one place: ``trouble`` is ``None`` where it can be used, and ``metadata`` then what it told
    of the cluster.
    """

    place: Place
    trouble: CannotConnect | None = None
    metadata: Any = None

    def __str__(self) -> str:
        if self.place.node_id is None:
            return str(self.trouble)
        return f"broker {self.place.node_id} advertises {self.trouble} (advertised.listeners of the broker)"


async def survey(settings: KafkaSettings) -> tuple[Visit, ...]:
    """
    Visit every address of the configuration, and then every broker that they advertise.

    Raises:
        FileUnusable: A file with certificates cannot be used.
    """
    context = await ssl_context(settings.security)
    given = await _visit_all(settings, _given(settings), context)
    return (*given, *await _visit_all(settings, _advertised(given), context))


async def require_broker(settings: KafkaSettings) -> None:
    """
    Return once a broker was found that can be used.

    Raises:
        BrokerUnreachable: There is none; it says what is wrong with each.
        FileUnusable: A file with certificates cannot be used.
    """
    context = await ssl_context(settings.security)
    visits = []
    for place in _given(settings):
        visits.append(await _visit(settings, place, context))
        if visits[-1].trouble is None:
            break
    advertised = _advertised(visits)
    if advertised:
        visits = []
    for place in advertised:
        visits.append(await _visit(settings, place, context))
        if visits[-1].trouble is None:
            return
    raise BrokerUnreachable(told(visits) or "the brokers name none of themselves")


def told(visits: Iterable[Visit]) -> str:
    """What is wrong with the places, in a line; empty where nothing is."""
    said = [str(visit) for visit in visits if visit.trouble is not None]
    more = f"; and {len(said) - _TOLD} more" if len(said) > _TOLD else ""
    return "; ".join(said[:_TOLD]) + more


def _given(settings: KafkaSettings) -> list[Place]:
    return [Place(host=host, port=port) for host, port in dict.fromkeys(settings.addresses)]


def _advertised(visits: Iterable[Visit]) -> list[Place]:
    brokers = {}
    for visit in visits:
        for node_id, host, port, _rack in visit.metadata.brokers if visit.metadata else ():
            brokers[node_id] = Place(host=host, port=port, node_id=node_id)
    return [brokers[node_id] for node_id in sorted(brokers)]


async def _visit_all(
    settings: KafkaSettings, places: Sequence[Place], context: ssl.SSLContext | None
) -> list[Visit]:
    visits: dict[Place, Visit] = {}
    limit = anyio.CapacityLimiter(AT_ONCE)

    async def go(place: Place) -> None:
        async with limit:
            visits[place] = await _visit(settings, place, context)

    async with anyio.create_task_group() as group:
        for place in places:
            group.start_soon(go, place)
    return [visits[place] for place in places]


async def _visit(settings: KafkaSettings, place: Place, context: ssl.SSLContext | None) -> Visit:
    timeout = min(settings.request_timeout, LONGEST_STEP)
    try:
        async with meet(settings, place.host, place.port, context, timeout=timeout) as met:
            return Visit(place=place, metadata=met.metadata)
    except CannotConnect as trouble:
        return Visit(place=place, trouble=trouble)
