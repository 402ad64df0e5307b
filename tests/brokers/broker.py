"""One broker of Apache Kafka (with its KRaft controller) as a process."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.brokers import ports, reaper
from tests.brokers.archive import archive_options

LOG4J = Path(__file__).parent / "java" / "log4j2.properties"
JVM = ["-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
STARTED = b"Kafka Server started"
START_DEADLINE = 150.0
STOP_DEADLINE = 10.0
"""Seconds. Three brokers are ready after 3 s; a machine shared by several test runs takes its time."""


class BrokerFailedError(Exception):
    """A broker ended, or was not ready in time. The message ends with the end of its log."""


class Broker:
    """A formatted, stopped broker; `start` it. None of these methods may run concurrently on one broker."""

    def __init__(
        self,
        node_id: int,
        port: int,
        directory: Path,
        classpath: str,
        properties: str,
        *,
        jvm: Sequence[str] = (),
        format_options: Sequence[str] = (),
    ) -> None:
        self.node_id = node_id
        self.port = port
        self.log_file = directory / "server.log"
        self._directory = directory
        self._classpath = classpath
        self._jvm = jvm
        self._format_options = format_options
        self._process: subprocess.Popen[bytes] | None = None
        self._log_seen = 0
        self._is_frozen = False
        directory.mkdir(parents=True)
        (directory / "server.properties").write_text(properties)

    @property
    def address(self) -> str:
        """Host and port of its plain listener."""
        return f"127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether its process lives; a frozen one does, a zombie does not."""
        return self._process is not None and self._process.poll() is None

    def format(self, cluster_id: str) -> subprocess.Popen[bytes]:
        """Begin to format its storage; the caller waits for the process."""
        options = [f"--cluster-id={cluster_id}", *self._format_options]
        return self._java("kafka.tools.StorageTool", "format", *options, "-c")

    def start(self, jvm: Sequence[str] = ()) -> None:
        """Begin to start, with further options of Java; `wait_until_ready` tells when it serves."""
        assert not self.is_running, f"broker {self.node_id} is running already"
        self._log_seen = self.log_file.stat().st_size if self.log_file.exists() else 0
        self._process = self._java("kafka.Kafka", jvm=jvm)
        reaper.watch(self._process.pid)

    def wait_until_ready(self) -> None:
        """
        Return once it says that it started, and its port accepts.

        Raises:
            BrokerFailedError: It ended, or START_DEADLINE passed.
        """
        deadline = time.monotonic() + START_DEADLINE
        while not (self._has_started() and ports.accepts(self.port)):
            if not self.is_running:
                raise BrokerFailedError(f"broker {self.node_id} ended:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise BrokerFailedError(f"broker {self.node_id} is not ready:\n{self.log_tail()}")
            time.sleep(0.02)

    def freeze(self) -> None:
        """Stop it without a word (SIGSTOP): its connections stay open and silent."""
        self._signal(signal.SIGSTOP)
        self._is_frozen = True

    def thaw(self) -> None:
        """Let a frozen broker run on."""
        self._signal(signal.SIGCONT)
        self._is_frozen = False

    def kill(self) -> None:
        """End it at once (SIGKILL), frozen or not; what it had not flushed stays with the page cache."""
        self._signal(signal.SIGKILL)
        self._reap(timeout=None)

    def stop(self, deadline: float = STOP_DEADLINE) -> None:
        """End it in good order where it can within ``deadline`` seconds, else at once; if it runs at all."""
        if self.is_running and not self._is_frozen:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._reap(timeout=deadline)
        if self.is_running:
            self.kill()

    def restart(self) -> None:
        """Stop it if it runs, start it on the same data and port, and wait until it serves."""
        self.stop()
        self.start()
        self.wait_until_ready()

    def log_tail(self, size: int = 3000) -> str:
        """The last bytes of its log, as text."""
        return self.log_file.read_bytes()[-size:].decode(errors="replace")

    def _has_started(self) -> bool:
        with self.log_file.open("rb") as log:
            log.seek(self._log_seen)
            return STARTED in log.read()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, f"broker {self.node_id} was never started"
        assert self.is_running, f"broker {self.node_id} has ended"
        os.killpg(self._process.pid, number)

    def _reap(self, timeout: float | None) -> None:
        assert self._process is not None
        self._process.wait(timeout)
        self._is_frozen = False
        reaper.forget(self._process.pid)

    def _java(self, main: str, *arguments: str, jvm: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        options = [*JVM, *archive_options(self._classpath), *self._jvm, *jvm]
        command = ["java", *options, f"-Dlog4j2.configurationFile={LOG4J}", "-cp", self._classpath, main]
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                [*command, *arguments, str(self._directory / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
