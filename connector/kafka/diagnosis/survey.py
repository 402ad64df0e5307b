"""Which brokers can be used, and what is wrong with the others."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio

from connector.kafka.diagnosis.connect import connect, format_address
from connector.kafka.diagnosis.refusal import CLOSED, CannotConnect
from connector.kafka.errors import BrokerUnreachable
from connector.kafka.options import ssl_context
from connector.kafka.settings import KafkaSettings

MAX_STEP_TIMEOUT = 10.0
"""Seconds that a broker may take for each step, be the request timeout as long as it may."""

DELAY = 0.25
"""Seconds that a broker is waited for before the next one is tried as well."""

MAX_CONCURRENT_CHECKS = 8
"""Connections that are opened at the same time."""

_MOST_DESCRIBED = 3
"""This many addresses are named in one message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAddress:
    """Where a broker is; ``node_id`` is ``None`` for an address from the configuration."""

    host: str
    port: int
    node_id: int | None = None

    @property
    def address(self) -> str:
        """Return ``host:port``."""
        return format_address(self.host, self.port)


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerCheck:
    """
    What came of one address: ``error`` is ``None`` where it can be used, and ``metadata`` then what the
    broker says of the cluster.
    """

    broker: BrokerAddress
    error: CannotConnect | None = None
    metadata: Any = None

    def __str__(self) -> str:
        if self.broker.node_id is None:
            return str(self.error)
        return f"broker {self.broker.node_id} advertises {self.error} (advertised.listeners of the broker)"


async def survey(settings: KafkaSettings) -> tuple[BrokerCheck, ...]:
    """
    Check every address of the configuration, and then every broker that they advertise.

    Raises:
        FileUnusable: A file with certificates cannot be used.
    """
    context = await ssl_context(settings.security)
    given = await _check_all(settings, _given(settings), context)
    return (*given, *await _check_all(settings, _advertised(given), context))


async def require_broker(settings: KafkaSettings) -> None:
    """
    Return once a broker was found that can be used.

    Raises:
        BrokerUnreachable: There is none; it says what is wrong with each.
        FileUnusable: A file with certificates cannot be used.
    """
    context = await ssl_context(settings.security)
    checks = await _first_usable(settings, _given(settings), context)
    if advertised := _advertised(checks):
        checks = await _first_usable(settings, advertised, context)
        if any(check.error is None for check in checks):
            return
    raise BrokerUnreachable(describe_failures(checks) or "the brokers name none of themselves")


def describe_failures(checks: Iterable[BrokerCheck], *, were_well: bool = False) -> str:
    """
    What is wrong with the addresses, in a line; empty where nothing is. ``were_well``: brokers were used with
    the same settings, so what ends without a word wants no others.
    """
    said = [_describe(check, were_well) for check in checks if check.error is not None]
    more = f"; and {len(said) - _MOST_DESCRIBED} more" if len(said) > _MOST_DESCRIBED else ""
    return "; ".join(said[:_MOST_DESCRIBED]) + more


def _describe(check: BrokerCheck, were_well: bool) -> str:
    error = check.error
    if were_well and error is not None and error.reason == "wants_sasl":
        check = replace(check, error=CannotConnect(error.address, "closed", CLOSED))
    return str(check)


def _given(settings: KafkaSettings) -> list[BrokerAddress]:
    return [BrokerAddress(host=host, port=port) for host, port in dict.fromkeys(settings.addresses)]


def _advertised(checks: Iterable[BrokerCheck]) -> list[BrokerAddress]:
    brokers = {}
    for check in checks:
        for node_id, host, port, _rack in check.metadata.brokers if check.metadata else ():
            brokers[node_id] = BrokerAddress(host=host, port=port, node_id=node_id)
    return [brokers[node_id] for node_id in sorted(brokers)]


async def _check_all(
    settings: KafkaSettings, addresses: Sequence[BrokerAddress], context: ssl.SSLContext | None
) -> list[BrokerCheck]:
    checks: dict[BrokerAddress, BrokerCheck] = {}
    limit = anyio.CapacityLimiter(MAX_CONCURRENT_CHECKS)

    async def check(address: BrokerAddress) -> None:
        async with limit:
            checks[address] = await _check(settings, address, context)

    async with anyio.create_task_group() as group:
        for address in addresses:
            group.start_soon(check, address)
    return [checks[address] for address in addresses]


async def _first_usable(
    settings: KafkaSettings, addresses: Sequence[BrokerAddress], context: ssl.SSLContext | None
) -> list[BrokerCheck]:
    """
    Check ``addresses`` in their order, each beside those before it that have not answered within `DELAY`,
    until one can be used; return what was found, in that order.
    """
    checks: dict[BrokerAddress, BrokerCheck] = {}

    async def check(address: BrokerAddress, over: anyio.Event) -> None:
        checks[address] = found = await _check(settings, address, context)
        over.set()
        if found.error is None:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for address in addresses:
            over = anyio.Event()
            group.start_soon(check, address, over)
            with anyio.move_on_after(DELAY):
                await over.wait()
    return [checks[address] for address in addresses if address in checks]


async def _check(
    settings: KafkaSettings, address: BrokerAddress, context: ssl.SSLContext | None
) -> BrokerCheck:
    timeout = min(settings.request_timeout, MAX_STEP_TIMEOUT)
    try:
        async with connect(settings, address.host, address.port, context, timeout=timeout) as connected:
            return BrokerCheck(broker=address, metadata=connected.metadata)
    except CannotConnect as error:
        return BrokerCheck(broker=address, error=error)
