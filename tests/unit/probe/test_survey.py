"""All probes together."""

from __future__ import annotations

from dataclasses import replace

import anyio

from connector.auth import Grant
from connector.kafka import KafkaSettings
from connector.probe import BrokersProbe, Probes, TokenProbe, Topics, probe_all
from tests.unit.probe.test_endpoint import endpoint

NOBODY = "127.0.0.1:1"


class Broken:
    """A source with a fault of ours in it."""

    async def fetch(self) -> Grant:
        raise ZeroDivisionError("secret-looking text")

    async def changed(self) -> None:
        await anyio.sleep_forever()


PROBES = Probes(
    token=TokenProbe(source=None, subject="token", asked=None, is_given=True, learn=lambda value: None),
    endpoint=endpoint(f"ws://{NOBODY}/graphql"),
    brokers=BrokersProbe(
        settings=KafkaSettings(bootstrap_servers=NOBODY, client_id="test"), topics=Topics(), create=None
    ),
)


async def test_everybody_is_asked_although_nobody_answers() -> None:
    doings: list[tuple[str, str | None]] = []
    with anyio.fail_after(50):
        report = await probe_all(PROBES, lambda part, doing: doings.append((part, doing)))
    assert [(one.area, one.outcome) for one in report.findings] == [
        ("token", "not needed"),
        ("endpoint", "failed"),
        ("kafka", "failed"),
        ("kafka", "not checked"),
    ]
    assert {part for part, doing in doings if doing is None} == {"token", "endpoint", "kafka"}


async def test_a_fault_of_ours_is_told_by_its_name_and_hides_nothing_of_the_others() -> None:
    broken = replace(PROBES, token=replace(PROBES.token, source=Broken()))
    with anyio.fail_after(50):
        report = await probe_all(broken)
    fault, *others = report.findings
    assert (fault.outcome, fault.detail) == ("failed", "a fault of ours: ZeroDivisionError")
    assert others
