"""Which partition Kafka's own Java producer chooses for a key."""

import base64
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import anyio

from tests.brokers import reaper
from tests.brokers.archive import archive_options
from tests.brokers.cluster import KafkaCluster

JAVA = Path(__file__).parent / "java"
DEADLINE = 90.0
"""Seconds for compiling the program, once, and asking it; it takes about three, and then a tenth."""


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
    question = "".join(f"{line}\n" for line in [f"{cluster.bootstrap_servers} {topic} {len(keys)}", *lines])
    try:
        with anyio.fail_after(DEADLINE):
            answer = await anyio.to_thread.run_sync(
                _asked, cluster.classpath, question.encode(), abandon_on_cancel=True
            )
    except BaseException:  # an answer that comes late must not be the next question's
        for program in _running:
            program.kill()
        raise
    partitions = [int(word) for word in answer.split()]
    assert len(partitions) == len(keys)
    return partitions


class _Program:
    """The program, kept running: a JVM that starts and compiles costs more than what is asked of it."""

    def __init__(self, classpath: str) -> None:
        command = [
            "java",
            "-Xmx96m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            *archive_options(classpath),
        ]
        command += [f"-Dlog4j2.configurationFile={JAVA / 'quiet.properties'}", "-cp", classpath]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the program runs
        self._process = subprocess.Popen(
            [*command, str(JAVA / "Partitions.java")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        reaper.watch(self._process.pid)

    def ask(self, question: bytes) -> bytes:
        """The line that it answers; empty where it ended instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(question)
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except BrokenPipeError:
            return b""

    def kill(self) -> None:
        """End it; whoever waits for an answer gets the empty one."""
        self._process.kill()

    def end(self) -> str:
        """End it, and return what it complained of."""
        self.kill()
        self._process.communicate()
        reaper.forget(self._process.pid)
        with self._errors as errors:
            errors.seek(0)
            return errors.read().decode(errors="replace")


_running: list[_Program] = []
_turn = Lock()


def _asked(classpath: str, question: bytes) -> bytes:
    with _turn:
        if not _running:
            _running.append(_Program(classpath))
        answer = _running[0].ask(question)
        if not answer:
            raise AssertionError(_running.pop().end())
        return answer
