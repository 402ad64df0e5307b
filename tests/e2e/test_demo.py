"""The demo, seen only from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.demo.feed import ROWS_PER_SECOND

if os.environ.get("CI") != "true":  # where it must not be missing, and the tests fail for it
    for module in ("confluent_kafka", "strawberry"):
        pytest.importorskip(module, reason=f"the demo's extra is not installed: {module}")

DEADLINE = 240
INTEGERS = {"sent", "consumed", "missing", "while_away", "duplicates", "tokens", "sessions"}

pytestmark = pytest.mark.slow


@contextmanager
def demo(directory: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``connector demo`` with its files under ``directory``; end it whatever happens."""
    command = [sys.executable, "-m", "connector", "demo", *arguments]
    environment = {**os.environ, "TMPDIR": str(directory)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    watchdog = threading.Timer(DEADLINE, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def last_object(stdout: str) -> dict[str, int]:
    """Return the JSON object of the last line, which must be the only line."""
    (line,) = stdout.splitlines()
    answer: dict[str, int] = json.loads(line)
    assert set(answer) == INTEGERS
    assert all(type(value) is int for value in answer.values())
    assert answer["sent"] == (
        answer["consumed"] - answer["duplicates"] + answer["missing"] + answer["while_away"]
    )
    return answer


def wait_for_line(process: subprocess.Popen[str], pattern: str) -> str:
    """Return the next line of stderr that holds ``pattern``."""
    assert process.stderr is not None
    for line in process.stderr:
        if re.search(pattern, line):
            return line
    raise AssertionError(f"the demo ended without a line like {pattern}")


def connector_of(process: subprocess.Popen[str]) -> int:
    """Return the process id of the demo's connector."""
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            if b"run" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
    raise AssertionError("the demo has no connector")


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def test_every_row_is_accounted_for_across_token_expiry_and_drops(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "16", "--json") as process:
        stdout, stderr = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, stderr
    assert "provoked on purpose" in stderr
    assert "verdict: PASSED: all" in stderr.splitlines()[-1]
    account = last_object(stdout)
    assert account["missing"] == 0
    assert account["tokens"] >= 3
    assert account["sessions"] >= 3
    assert account["consumed"] >= ROWS_PER_SECOND  # a busy machine has few seconds between its faults


@needs_proc
def test_rows_that_a_killed_connector_held_are_reported_missing(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "60", "--json") as process:
        wait_for_line(process, r"^streaming .* [1-9]\d* rows in Kafka")
        child = connector_of(process)
        os.kill(child, signal.SIGSTOP)
        # The upstream goes on writing into the stopped connector's sockets meanwhile.
        wait_for_line(process, "^streaming")
        wait_for_line(process, "^streaming")
        os.kill(child, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=DEADLINE)
        assert process.returncode == 1, stderr
    account = last_object(stdout)
    assert account["missing"] > 0
    assert "verdict: FAILED: " in stderr
    assert "the connector exited with -9" in stderr
    log = re.search(r"The connector's log: (\S+)", stderr)
    assert log is not None
    assert Path(log[1]).exists()


@needs_proc
def test_ctrl_c_ends_it_cleanly_and_leaves_no_process_behind(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "60", "--json") as process:
        wait_for_line(process, r"^streaming .* [1-9]\d* rows in Kafka")
        child = connector_of(process)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, stderr
    assert last_object(stdout)["missing"] == 0
    assert not is_running(child)
    assert not list(tmp_path.iterdir())


@needs_proc
def test_a_second_ctrl_c_does_not_wait_for_the_drain(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "60") as process:
        wait_for_line(process, r"^streaming .* [1-9]\d* rows in Kafka")
        child = connector_of(process)
        os.kill(child, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        wait_for_line(process, "^draining")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    assert not is_running(child)


def test_a_missing_extra_is_named_with_its_remedy() -> None:
    code = (
        "import sys; sys.modules['strawberry'] = None; from connector.demo import run_demo;"
        "sys.exit(run_demo(1, False))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "connector demo needs strawberry: pip install 'graphql-kafka-connector[demo]'\n"
