"""Which partition Kafka's own Java producer chooses for a key."""

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path

import anyio

from tests.brokers.cluster import KafkaCluster

JAVA = Path(__file__).parent / "java"
DEADLINE = 60.0
"""Seconds for compiling and running the program; it takes about three."""


async def java_partitions(cluster: KafkaCluster, topic: str, keys: Sequence[bytes | None]) -> list[int]:
    """
    Produce the keys with Kafka's own KafkaProducer, as it is by default, and tell where each went.

    The records go to a scratch topic with as many partitions as `topic`, which is left alone. Records with a
    null key go where the producer's sticky partitioner likes.

    Raises:
        AssertionError: The program failed; the message is what it said.
        TimeoutError: DEADLINE passed.
    """
    lines = ["-" if key is None else base64.b64encode(key).decode() for key in keys]
    command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += [f"-Dlog4j2.configurationFile={JAVA / 'quiet.properties'}", "-cp", cluster.classpath]
    command += [str(JAVA / "Partitions.java"), cluster.bootstrap_servers, topic]
    with anyio.fail_after(DEADLINE):
        answer = await anyio.run_process(
            command,
            input="".join(f"{line}\n" for line in lines).encode(),
            stderr=subprocess.PIPE,
            check=False,
        )
    assert answer.returncode == 0, answer.stderr.decode(errors="replace")
    partitions = [int(line) for line in answer.stdout.split()]
    assert len(partitions) == len(keys)
    return partitions
