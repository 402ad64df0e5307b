"""The process itself: streams that are closed, signals at any time, output that cannot be written."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.connector_process import PATIENCE
from tests.e2e.test_bad_input import DOCUMENT, GOOD
from tests.slow import first_of

CONNECTOR = f"{sys.executable} -m connector"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "dex.yaml").write_text(GOOD + "http: {host: 127.0.0.1, port: 0}\nlog: {format: json}\n")
    (tmp_path / "trades.graphql").write_text(DOCUMENT)
    return tmp_path


def _hears_of_its_terminal() -> None:
    """The tests themselves may run under ``nohup``, and what is ignored is inherited."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextlib.contextmanager
def running(command: str, directory: Path, log: str = "err") -> Iterator[subprocess.Popen[bytes]]:
    with (directory / log).open("wb") as errors:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            preexec_fn=_hears_of_its_terminal,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def until_logged(text: str, directory: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in (directory / "err").read_text():
        assert process.poll() is None, (process.returncode, (directory / "err").read_text())
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("closed", first_of(["<&- >&-", "<&-", ">&-"]))
def test_with_standard_streams_closed_it_runs_and_stops_clean(directory: Path, closed: str) -> None:
    with running(f"{CONNECTOR} run -c dex.yaml {closed}", directory) as process:
        until_logged("api listening", directory, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert '"event":"stopped"' in (directory / "err").read_text().replace(" ", "")


def test_a_terminal_that_is_closed_drains_and_ends_it(directory: Path) -> None:
    with running(f"{CONNECTOR} run -c dex.yaml", directory) as process:
        until_logged("api listening", directory, process)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE) == 0
    said = (directory / "err").read_text().replace(" ", "")
    assert '"signal":"SIGHUP"' in said
    assert '"event":"stopped"' in said


@pytest.mark.slow
def test_under_nohup_it_outlives_its_terminal(directory: Path) -> None:
    with running(f"nohup {CONNECTOR} run -c dex.yaml", directory) as process:
        until_logged("api listening", directory, process)
        process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    said = (directory / "err").read_text().replace(" ", "")
    assert '"signal":"SIGTERM"' in said
    assert '"signal":"SIGHUP"' not in said


def test_a_reader_of_its_log_that_is_stuck_stops_neither_it_nor_its_end(directory: Path) -> None:
    config = directory / "dex.yaml"
    config.write_text(config.read_text().replace("port: 0", f"port: {(port := free_port())}"))
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writes, b"x" * 4096)
    os.set_blocking(writes, True)
    command = [sys.executable, "-m", "connector", "run", "-c", "dex.yaml"]
    process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stderr=writes)
    try:
        deadline = time.monotonic() + PATIENCE
        while not is_alive(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(reads)
        os.close(writes)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        number: int = sock.getsockname()[1]
        return number


def is_alive(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.slow
def test_without_a_stream_for_its_log_it_runs_too(directory: Path) -> None:
    command = f"{CONNECTOR} run -c dex.yaml 2>&-"
    with running(command, directory) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", first_of([0.4, 0.15, 0.8]))
def test_a_signal_while_it_starts_ends_it_with_no_traceback(
    directory: Path, number: signal.Signals, delay: float
) -> None:
    # Not before the program's first line of its own: until then only the system can answer.
    prelude = "import sys; sys.argv = ['connector', 'run', '-c', 'dex.yaml']; from connector.cli import main;"
    prelude += " from connector.cli.process import end_on_signals; end_on_signals();"
    code = f"{prelude} print('begun', file=sys.stderr, flush=True); main()"
    with running(f'{sys.executable} -c "{code}"', directory) as process:
        until_logged("begun", directory, process)
        time.sleep(delay)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (directory / "err").read_text()


_SIGNAL_IN_A_CALLBACK = """
import os, signal, sys, time, weakref
sys.argv = ["connector", "run"]
from connector.cli.process import end_on_signals
end_on_signals()
class Object: pass
watched = Object()
reference = weakref.ref(watched, lambda _: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(1)))
del watched
time.sleep(60)
"""


def test_a_signal_is_heeded_where_python_forgets_exceptions_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SIGNAL_IN_A_CALLBACK]
    ended = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"stopped before anything was started\n")


@pytest.mark.parametrize(
    "pauses",
    first_of([[0.0, 0.3, 0.0], [0.0], [0.02], [0.05], [0.1], [0.02, 0.02, 0.02]]),
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_further_signals_at_any_moment_of_the_end_keep_exit_code_and_last_word(
    directory: Path, number: signal.Signals, pauses: Sequence[float]
) -> None:
    with running(f"{CONNECTOR} run -c dex.yaml", directory) as process:
        until_logged("api listening", directory, process)
        process.send_signal(number)
        for pause in pauses:
            time.sleep(pause)
            process.send_signal(number)
        # Nothing was received, so nothing can be left undelivered.
        assert process.wait(PATIENCE) == 0
    said = (directory / "err").read_text()
    assert "stopped" in said
    assert "Traceback" not in said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", first_of(["validate -c dex.yaml", "--version"]))
@pytest.mark.slow
def test_output_that_cannot_be_written_is_said_in_a_line(directory: Path, arguments: str) -> None:
    with running(f"{CONNECTOR} {arguments} >/dev/full", directory) as process:
        assert process.wait(PATIENCE) == 1
    said = (directory / "err").read_text()
    assert "cannot write the output: No space left on device" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


@pytest.mark.slow
def test_validate_without_stdout_still_answers_by_its_exit_code(directory: Path) -> None:
    with running(f"{CONNECTOR} validate -c dex.yaml >&-", directory) as process:
        assert process.wait(PATIENCE) == 0
    assert (directory / "err").read_text() == ""


@pytest.mark.slow
def test_a_file_that_hangs_does_not_keep_it_from_ending(directory: Path) -> None:
    token = directory / "token"
    token.write_text("a-token")
    with (directory / "dex.yaml").open("a") as config:
        config.write("token_file: token\n")
    with running(f"{CONNECTOR} run -c dex.yaml", directory) as process:
        until_logged("token obtained", directory, process)
        token.unlink()
        os.mkfifo(token)  # who opens it to read waits for ever, as on a dead mount
        time.sleep(3)  # the next look at the file comes within a second
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
