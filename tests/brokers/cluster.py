"""A cluster of Apache Kafka: one or three brokers, each a KRaft controller too."""

import base64
import contextlib
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.brokers.broker import Broker, BrokerFailedError
from tests.brokers.ports import free_ports

FAST_FAILOVER = {"broker.heartbeat.interval.ms": "500", "broker.session.timeout.ms": "3000"}
"""
For tests that kill or freeze brokers: the controller gives up on one after 3 s instead of 9. A killed broker
that restarts may register again only then, be it the only one.
"""


class KafkaCluster:
    """
    Formatted when made, running between `start` and `stop`; as a context manager both are called.

    Args:
        directory: An empty directory for configuration, logs and data. Logs outlive `stop`, data does not.
        classpath: Where the jars are, from `kafka_classpath`.
        brokers: 1, or 3 (then replication 3 and min.insync.replicas 2).
        config: Static broker settings that override or add to those of this file.
        listeners: Further listeners of each broker, by name, with their security protocol.
        users: SCRAM credentials to begin with, as ``SCRAM-SHA-512=[name=…,password=…]``.
        jvm: Further options of Java.
    """

    def __init__(
        self,
        directory: Path,
        classpath: str,
        *,
        brokers: int = 1,
        config: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
        users: Sequence[str] = (),
        jvm: Sequence[str] = (),
    ) -> None:
        self.classpath = classpath
        self.directory = directory
        self._protocols = dict(listeners or {})
        taken = free_ports((2 + len(self._protocols)) * brokers)
        plain, controllers, further = (
            taken[:brokers],
            taken[brokers : 2 * brokers],
            iter(taken[2 * brokers :]),
        )
        self._ports = [dict(zip(self._protocols, further, strict=False)) for _ in range(brokers)]
        voters = ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(controllers, start=1))
        self.brokers: Sequence[Broker] = [
            Broker(
                node,
                plain[node - 1],
                directory / f"broker-{node}",
                classpath,
                self._properties(node, plain[node - 1], controllers[node - 1], voters, config or {}),
                jvm=jvm,
                format_options=[f"--add-scram={user}" for user in users],
            )
            for node in range(1, brokers + 1)
        ]
        self._format()

    @property
    def bootstrap_servers(self) -> str:
        """Every broker's address, with commas, whether it runs or not."""
        return ",".join(broker.address for broker in self.brokers)

    def servers(self, listener: str) -> str:
        """Every broker's address of this further listener, with commas."""
        return ",".join(f"127.0.0.1:{ports[listener]}" for ports in self._ports)

    def broker(self, node_id: int) -> Broker:
        """The broker of this id; ids begin with 1."""
        return self.brokers[node_id - 1]

    def start(self) -> None:
        """
        Return once every broker serves.

        Raises:
            BrokerFailedError: One did not; none is left running.
        """
        try:
            for broker in self.brokers:
                broker.start()
            for broker in self.brokers:
                broker.wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """
        End every broker and delete the data.

        Not in good order: controlled shutdown of a whole quorum waits for the controllers that went before.
        """
        self.kill()
        for broker in self.brokers:
            shutil.rmtree(broker.log_file.parent / "data", ignore_errors=True)

    def kill(self) -> None:
        """End every broker at once and keep the data."""
        for broker in self.brokers:
            if broker.is_running:
                broker.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        with contextlib.ExitStack() as processes:
            formats = [processes.enter_context(broker.format(cluster_id)) for broker in self.brokers]
        for broker, process in zip(self.brokers, formats, strict=True):
            if process.returncode != 0:
                raise BrokerFailedError(f"broker {broker.node_id} was not formatted:\n{broker.log_tail()}")

    def _properties(
        self, node: int, port: int, controller_port: int, voters: str, config: Mapping[str, str]
    ) -> str:
        replicas = len(self._ports)
        quorum = str(min(2, replicas))
        ports = {"PLAINTEXT": port, **self._ports[node - 1]}
        listeners = [f"{name}://127.0.0.1:{number}" for name, number in ports.items()]
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **self._protocols}
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(node),
            "controller.quorum.voters": voters,
            "listeners": ",".join([*listeners, f"CONTROLLER://127.0.0.1:{controller_port}"]),
            "advertised.listeners": ",".join(listeners),
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in protocols.items()),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self.directory / f"broker-{node}" / "data"),
            "auto.create.topics.enable": "false",
            "default.replication.factor": str(replicas),
            "min.insync.replicas": quorum,
            "offsets.topic.replication.factor": str(replicas),
            "transaction.state.log.replication.factor": str(replicas),
            "transaction.state.log.min.isr": quorum,
            "share.coordinator.state.topic.replication.factor": str(replicas),
            "share.coordinator.state.topic.min.isr": quorum,
            "group.initial.rebalance.delay.ms": "0",
            # As it is by default it is written twice a second that nothing happens: half of an idle CPU.
            "metadata.max.idle.interval.ms": "0",
            # Fifty partitions each, as by default, take seconds to create on a small machine.
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.num.partitions": "3",
            # A transaction that timed out is aborted within a second, so that tests can see it.
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
            **config,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())
