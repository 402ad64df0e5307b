"""Which partition Kafka's own Java producer chooses for a key."""

import atexit
import base64
import fcntl
import hashlib
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
DEADLINE = 200.0
"""Seconds for starting the program, once, and asking it; it takes about one, and then a tenth."""


async def java_partitions(cluster: KafkaCluster, topic: str, keys: Sequence[bytes | None]) -> list[int]:
    """
    Produce the keys with Kafka's own KafkaProducer, as it is by default, and tell where each went.

    The records go to a scratch topic with as many partitions as `topic`, which is left alone. Records with a
    null key go where the producer's sticky partitioner likes.

    Raises:
        AssertionError: The program failed, or DEADLINE passed; the message is what it said, and in the second
            case what each of its threads waits for.
    """
    lines = ["-" if key is None else base64.b64encode(key).decode() for key in keys]
    question = "".join(f"{line}\n" for line in [f"{cluster.bootstrap_servers} {topic} {len(keys)}", *lines])
    try:
        with anyio.fail_after(DEADLINE):
            answer = await anyio.to_thread.run_sync(
                _ask, cluster.classpath, question.encode(), abandon_on_cancel=True
            )
    except TimeoutError as late:
        raise AssertionError("\n".join(program.thread_dump() for program in _running)) from late
    except BaseException:  # an answer that comes late must not be the next question's
        for program in _running:
            program.kill()
        raise
    partitions = [int(word) for word in answer.split()]
    assert len(partitions) == len(keys)
    return partitions


class _Program:
    """The program, kept running: a JVM that starts costs more than what is asked of it."""

    def __init__(self, classpath: str) -> None:
        command = [
            "java",
            "-Xmx96m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            *archive_options(classpath),
        ]
        classes = _compiled(classpath)
        command += [
            f"-Dlog4j2.configurationFile={JAVA / 'quiet.properties'}",
            "-cp",
            f"{classpath}:{classes}",
        ]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the program runs
        self._process = subprocess.Popen(
            [*command, "Partitions"],
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

    def thread_dump(self) -> str:
        """End it, and return what its threads were at."""
        pid = str(self._process.pid)
        answer = subprocess.run(["jstack", pid], capture_output=True, text=True, timeout=30, check=False)
        self.kill()
        return f"no answer within {DEADLINE:g} s:\n{answer.stdout}{answer.stderr}"

    def end(self) -> str:
        """End it, and return what it complained of."""
        self.kill()
        self._process.communicate()
        reaper.forget(self._process.pid)
        with self._errors as errors:
            errors.seek(0)
            return errors.read().decode(errors="replace")


def _compiled(classpath: str) -> Path:
    """The directory of the program's class, compiled by whoever finds none."""
    source = JAVA / "Partitions.java"
    jars = Path(classpath).parent
    classes = jars.with_name(f"{jars.name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}-classes")
    with classes.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers at once: the others find what the first made
        if not classes.is_dir():
            with tempfile.TemporaryDirectory(dir=classes.parent) as scratch:
                made = Path(scratch, "classes")
                subprocess.run(["javac", "-cp", classpath, "-d", str(made), str(source)], check=True)
                made.rename(classes)
    return classes


_running: list[_Program] = []
_turn = Lock()


def _ask(classpath: str, question: bytes) -> bytes:
    with _turn:
        if not _running:
            _running.append(_Program(classpath))
        answer = _running[0].ask(question)
        if not answer:
            raise AssertionError(_running.pop().end())
        return answer


@atexit.register
def _end_all() -> None:
    for program in _running:
        program.end()
