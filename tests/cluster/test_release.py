"""Promises 1 and 3 through the life of a release: install, upgrade, rollback, uninstall, under load."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests.brokers.ports import free_ports
from tests.brokers.reader import read_all
from tests.brokers.waiting import eventually
from tests.cluster.commands import CommandFailedError, Namespace, Pod
from tests.cluster.upstream import DOCUMENT, FEEDS, config_for, secrets_of, upstream_at
from tests.helm.objects import Object, merged
from tests.standins.process import StandInProcess
from tests.standins.rows import row_number

RELEASE = "dex"
SECRET = "dex-credentials"
SOME_ROWS = 500


@pytest.fixture
async def upstream(host_address: str, tmp_path: Path) -> AsyncIterator[StandInProcess]:
    """An upstream whose rows flow from now on, whoever listens."""
    async with upstream_at(host_address, tmp_path) as upstream:
        yield upstream


@pytest.fixture
def values(given_values: Object, upstream: StandInProcess, brokers: str, namespace: Namespace) -> Object:
    """A release on that upstream. The port is one that is free where pods share this machine's network."""
    (port,) = free_ports(1)
    ours = {
        "config": config_for(upstream, brokers, http_port=port, topics=namespace.name),
        "documents": {"trades.graphql": DOCUMENT},
        "existingSecret": SECRET,
    }
    return merged(given_values, ours)


class Release:
    """The one release of a test, and what its topics hold."""

    def __init__(self, namespace: Namespace, upstream: StandInProcess, brokers: str, directory: Path) -> None:
        self._namespace = namespace
        self._upstream = upstream
        self._brokers = brokers
        self._values = directory / "values.yaml"

    async def install(self, values: Object) -> None:
        await self._namespace.create_secret(SECRET, secrets_of(self._upstream))
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

    async def rows_flow(self) -> None:
        """Return once every topic got rows that the upstream emitted after this was called."""
        feeds = (await self._upstream.order("/summary"))["feeds"]
        wanted = {feed: feeds[feed]["emitted"] + SOME_ROWS for feed in FEEDS}
        await eventually(lambda: self._has_rows(wanted), deadline=60.0, interval=0.5)

    async def published(self, feed: str) -> list[bytes]:
        """The values of the records in this feed's topic."""
        records = await read_all(self._brokers, f"{self._namespace.name}.{feed}")
        return [record.value or b"" for record in records]

    async def has_header(self, feed: str, name: str) -> bool:
        """Whether some record of this feed's topic has a header of that name."""
        records = await read_all(self._brokers, f"{self._namespace.name}.{feed}")
        return any(name in dict(record.headers) for record in records)

    async def _has_rows(self, numbers: dict[str, int]) -> bool:
        return all([await self._newest(feed) > number for feed, number in numbers.items()])

    async def _newest(self, feed: str) -> int:
        return max((row_number(value) or 0 for value in await self.published(feed)), default=0)

    async def _has_no_pods(self) -> bool:
        return not await self._namespace.pods()

    def _written(self, values: Object) -> Path:
        self._values.write_text(yaml.safe_dump(values))
        return self._values


@pytest.fixture
def release(namespace: Namespace, upstream: StandInProcess, brokers: str, tmp_path: Path) -> Release:
    """Not installed yet."""
    return Release(namespace, upstream, brokers, tmp_path)


async def test_install_upgrade_and_uninstall_lose_nothing_received(
    release: Release, upstream: StandInProcess, values: Object
) -> None:
    """
    Every row written to a socket before the upstream saw our Close is in its topic, unchanged.

    It does not prove what happens to a pod that is killed, or to rows emitted while there was no session.
    """
    await release.install(values)
    first = await release.pod()
    await release.rows_flow()
    # Not watched any more, so the changed configuration replaces the pod.
    changes: Object = {"reload": False, "kafka": {"compression": "lz4"}, "log": {"level": "debug"}}
    await release.upgrade(merged(values, {"config": changes}))
    second = await release.pod()
    assert second.name != first.name
    await release.rows_flow()
    await release.uninstall()
    await nothing_is_lost(release, upstream)


async def test_a_changed_subscription_is_taken_by_the_running_pod(
    release: Release, upstream: StandInProcess, values: Object
) -> None:
    """
    The kubelet swaps the mounted files, and the connector reopens what changed; nothing received is lost.

    It does not prove how long a kubelet takes; a minute is usual.
    """
    await release.install(values)
    first = await release.pod()
    await release.rows_flow()
    changed, kept = values["config"]["subscriptions"]
    subscriptions = [{**changed, "headers": {"time": "Block.Time"}}, kept]
    await release.upgrade(merged(values, {"config": {"subscriptions": subscriptions}}))
    await eventually(lambda: release.has_header(changed["name"], "time"), deadline=180.0, interval=1.0)
    await release.rows_flow()
    assert (await release.pod()).name == first.name
    assert not await release.has_header(kept["name"], "time")
    await release.uninstall()
    await nothing_is_lost(release, upstream)


async def test_an_upgrade_that_cannot_start_is_rolled_back_and_loses_nothing_received(
    release: Release, upstream: StandInProcess, values: Object
) -> None:
    unwatched = merged(values, {"config": {"reload": False}})
    await release.install(unwatched)
    await release.rows_flow()
    wrong = merged(unwatched, {"config": {"log": {"level": "loud"}}})
    with pytest.raises(CommandFailedError, match="rolled back") as failed:
        await release.upgrade(wrong, "--rollback-on-failure", "--timeout", "15s")
    print(failed.value)
    await release.pod()
    await release.rows_flow()
    await release.uninstall()
    await nothing_is_lost(release, upstream)


async def nothing_is_lost(release: Release, upstream: StandInProcess) -> None:
    """The upstream's ledger and the topics agree; repeats are allowed, as delivery is at least once."""
    summary = await upstream.stop()
    assert summary["violations"] == []
    for feed in FEEDS:
        published = await release.published(feed)
        ledger = upstream.ledger(feed)
        audit, owed = ledger.audit(published), ledger.must_arrive()
        print(f"{feed}: {len(owed)} rows received, {audit.consumed} published, {len(audit.doubled)} twice")
        assert ledger.aborted == frozenset()
        assert len(owed) > 2 * SOME_ROWS
        assert (audit.missing, audit.altered, audit.unwritten) == (frozenset(), frozenset(), frozenset())
        assert audit.strangers == 0
