"""A configuration that cannot be used, in a pod that the chart starts: it waits, and says why."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.e2e.connector_process import PATIENCE
from tests.e2e.test_bad_input import DOCUMENT, GOOD
from tests.e2e.test_process import CONNECTOR, free_port, running


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def until(process: Popen[bytes], condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.returncode
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda text: text.replace("topic: dex.bsc", "topik: dex.bsc"), "subscriptions[0].topik"),
        (lambda text: text + "token: tökën\n", "no access token may have"),  # found by what runs
    ],
)
def test_it_waits_alive_and_not_ready_and_runs_once_the_file_is_right(
    tmp_path: Path, wrong: Callable[[str], str], reason: str
) -> None:
    port = free_port()
    good = GOOD + f"http: {{host: 127.0.0.1, port: {port}}}\nlog: {{format: json}}\n"
    (tmp_path / "trades.graphql").write_text(DOCUMENT)
    file, log = tmp_path / "dex.yaml", tmp_path / "err"
    file.write_text(wrong(good))

    def state() -> Any:
        status, body = ask(port, "/readyz")
        return status and json.loads(body)["config"]

    with running(f"{CONNECTOR} run -c dex.yaml --wait-for-config 127.0.0.1:{port}", tmp_path) as process:
        until(process, lambda: (state() or {}).get("state") == "rejected")
        assert ask(port, "/livez")[0] == 200
        status, body = ask(port, "/readyz")
        assert status == 503
        assert reason in json.loads(body)["config"]["last_error"]
        assert "\nconnector_config_reload_failed 1.0" in ask(port, "/metrics")[1]
        assert reason in log.read_text()

        file.write_text(good)
        until(process, lambda: (state() or {}).get("state") == "current")
        assert "connector starts" in log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_a_signal_ends_the_waiting_in_good_order(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "dex.yaml").write_text("name: [\n")
    with running(f"{CONNECTOR} run -c dex.yaml --wait-for-config 127.0.0.1:{port}", tmp_path) as process:
        until(process, lambda: ask(port, "/livez")[0] == 200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_waiting_at_a_port_that_is_taken_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "dex.yaml").write_text("name: [\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = f"{CONNECTOR} run -c dex.yaml --wait-for-config 127.0.0.1:{port}"
        with running(command, tmp_path) as process:
            assert process.wait(PATIENCE) == 1
    said = (tmp_path / "err").read_text()
    assert "cannot run" in said
    assert "Traceback" not in said
