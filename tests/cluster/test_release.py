"""Promises 1 and 3 through the life of a release: install, upgrade, rollback, uninstall, under load."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from connector.demo.feed import NETWORKS
from tests.brokers.ports import free_ports
from tests.brokers.reader import read_all
from tests.brokers.waiting import eventually
from tests.cluster.commands import CommandFailedError, Namespace, Pod
from tests.cluster.upstream import Upstream
from tests.helm.objects import Object, merged

RELEASE = "dex"
SECRET = "dex-credentials"
SOME_ROWS = 500


@pytest.fixture
def upstream(host_address: str) -> Iterator[Upstream]:
    """An upstream whose rows flow from now on, whoever listens."""
    with Upstream(host_address) as upstream:
        yield upstream


@pytest.fixture
def values(given_values: Object, upstream: Upstream, brokers: str, namespace: Namespace) -> Object:
    """A release on that upstream. The port is one that is free where pods share this machine's network."""
    (port,) = free_ports(1)
    ours = {
        "config": upstream.config(brokers, http_port=port, topics=namespace.name),
        "documents": upstream.documents,
        "existingSecret": SECRET,
    }
    return merged(given_values, ours)


class Release:
    """The one release of a test, and what its topics hold."""

    def __init__(self, namespace: Namespace, upstream: Upstream, brokers: str, directory: Path) -> None:
        self._namespace = namespace
        self._upstream = upstream
        self._brokers = brokers
        self._values = directory / "values.yaml"

    async def install(self, values: Object) -> None:
        await self._namespace.create_secret(SECRET, self._upstream.secrets)
        print(await self._namespace.install(RELEASE, self._written(values)))

    async def upgrade(self, values: Object, *options: str) -> None:
        print(await self._namespace.upgrade(RELEASE, self._written(values), *options))

    async def uninstall(self) -> None:
        """Return once the pod is gone; `helm uninstall` does not wait for it, `--wait` or not."""
        print(await self._namespace.helm("uninstall", RELEASE))
        await eventually(self._has_no_pods, deadline=60.0, interval=0.5)

    async def pod(self) -> Pod:
        """The one pod, ready."""
        (pod,) = [pod for pod in await self._namespace.pods() if not pod.is_leaving]
        assert pod.is_ready, pod
        return pod

    async def _has_no_pods(self) -> bool:
        return not await self._namespace.pods()

    async def rows_flow(self) -> None:
        """Return once every topic got rows that were numbered after this was called."""
        begun_at = self._upstream.feed.numbered
        await eventually(lambda: self._all_past(begun_at), deadline=60.0, interval=0.5)

    async def _all_past(self, number: int) -> bool:
        newest = [max(await self.published(network), default=-1) for network in NETWORKS]
        return min(newest) > number + SOME_ROWS

    async def published(self, network: str) -> Counter[int]:
        """How often each row's number is in this network's topic."""
        records = await read_all(self._brokers, f"{self._namespace.name}.{network}")
        return Counter(json.loads(record.value or b"{}")["Log"]["Index"] for record in records)

    def _written(self, values: Object) -> Path:
        self._values.write_text(yaml.safe_dump(values))
        return self._values


@pytest.fixture
def release(namespace: Namespace, upstream: Upstream, brokers: str, tmp_path: Path) -> Release:
    """Not installed yet."""
    return Release(namespace, upstream, brokers, tmp_path)


async def test_install_upgrade_and_uninstall_lose_nothing_received(
    release: Release, upstream: Upstream, values: Object
) -> None:
    """
    Every row that an open socket took is in its topic, once the release is gone.

    It does not prove what happens to a pod that is killed, or to rows that no socket took meanwhile.
    """
    await release.install(values)
    first = await release.pod()
    await release.rows_flow()
    await release.upgrade(
        merged(values, {"config": {"kafka": {"compression": "lz4"}, "log": {"level": "debug"}}})
    )
    second = await release.pod()
    assert second.name != first.name
    await release.rows_flow()
    await release.uninstall()
    await nothing_is_lost(release, upstream)


async def test_an_upgrade_that_cannot_start_is_rolled_back_and_loses_nothing_received(
    release: Release, upstream: Upstream, values: Object
) -> None:
    await release.install(values)
    await release.rows_flow()
    wrong = merged(values, {"config": {"log": {"level": "loud"}}})
    with pytest.raises(CommandFailedError, match="rolled back"):
        await release.upgrade(wrong, "--rollback-on-failure", "--timeout", "15s")
    await release.pod()
    await release.rows_flow()
    await release.uninstall()
    await nothing_is_lost(release, upstream)


async def nothing_is_lost(release: Release, upstream: Upstream) -> None:
    """The upstream's books and the topics agree; repeats are allowed, as delivery is at least once."""
    upstream.all_closed()
    assert upstream.feed.out_of_turn == 0
    for network in NETWORKS:
        published, written = await release.published(network), upstream.written(network)
        repeats = published.total() - len(published)
        print(f"{network}: {len(written)} rows received, {len(published)} published, {repeats} repeats")
        assert len(written) > 2 * SOME_ROWS
        assert written - set(published) == set()
        assert set(published) <= written
