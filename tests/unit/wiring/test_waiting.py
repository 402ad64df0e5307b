"""A configuration that cannot be used at the start: alive, not ready, and told why until it can."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import anyio
import pytest
import typer

from connector.cli.main import _place
from connector.config import Files, LoadedConfig, Watch, read_config
from connector.errors import ConfigError
from connector.wiring.waiting import Listen, wait_for_config
from tests.unit.api.test_server import get
from tests.unit.config.conftest import GENERIC, ORDERS


class Pod:
    """A configuration file, and what waits for it."""

    def __init__(self, directory: Path, text: str) -> None:
        self.file = directory / "shop.yaml"
        self.file.write_text(text)
        (directory / "orders.graphql").write_text(ORDERS)
        files = Files()
        try:
            read_config(self.file, env={}, files=files)
        except ConfigError as error:
            self.error = error
        self.watch = Watch(self.file, env={}, running=files.seen)
        self.found: LoadedConfig | None = None
        self.is_over = anyio.Event()
        self.port = free_port()

    async def run(self) -> None:
        listen = Listen(host="127.0.0.1", port=self.port)
        self.found = await wait_for_config(self.error, self.watch, listen, poll=0.02)
        self.is_over.set()

    async def ask(self, path: str) -> Any:
        while True:
            try:
                return await get(self.port, path)
            except ConnectionRefusedError:
                await anyio.sleep(0.02)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


LOUD = GENERIC + "log: {level: loud}\n"


async def test_it_is_alive_and_not_ready_and_starts_once_the_file_is_right(tmp_path: Path) -> None:
    pod = Pod(tmp_path, LOUD)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(60):
            group.start_soon(pod.run)
            assert (await pod.ask("/livez")).status == 200
            ready = await pod.ask("/readyz")
            assert ready.status == 503
            config = ready.json()["config"]
            assert (config["state"], config["loaded_at"]) == ("rejected", None)
            assert "log.level: must be one of" in config["last_error"]
            assert "write one of them" in config["last_error"]
            assert b"connector_config_reload_failed 1.0" in (await pod.ask("/metrics")).body

            pod.file.write_text(GENERIC + "nam: x\n")
            while "nam" not in (await pod.ask("/readyz")).json()["config"]["last_error"]:  # noqa: ASYNC110
                await anyio.sleep(0.02)
            assert not pod.is_over.is_set()

            pod.file.write_text(GENERIC)
            await pod.is_over.wait()
    assert pod.found is not None
    assert pod.found.config.name == "shop"


async def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    pod = Pod(tmp_path, GENERIC)
    pod.file.unlink()
    files = Files()
    with pytest.raises(ConfigError) as caught:
        read_config(pod.file, env={}, files=files)
    pod.error, pod.watch = caught.value, Watch(pod.file, env={}, running=files.seen)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(60):
            group.start_soon(pod.run)
            assert "is not there" in (await pod.ask("/readyz")).json()["config"]["last_error"]
            pod.file.write_text(GENERIC)
            await pod.is_over.wait()
    assert pod.found is not None


async def test_a_signal_ends_the_waiting(tmp_path: Path) -> None:
    pod = Pod(tmp_path, LOUD)
    async with anyio.create_task_group() as group:
        with anyio.fail_after(60):
            group.start_soon(pod.run)
            assert (await pod.ask("/livez")).status == 200
            os.kill(os.getpid(), signal.SIGTERM)
            await pod.is_over.wait()
    assert pod.found is None


@pytest.mark.parametrize(
    ("text", "place"),
    [("0.0.0.0:8083", ("0.0.0.0", 8083)), ("[::]:80", ("::", 80)), ("localhost:0", ("localhost", 0))],
)
def test_a_place_to_listen_at_has_host_and_port(text: str, place: tuple[str, int]) -> None:
    listen = Listen.at(_place(text))
    assert (listen.host, listen.port) == place


@pytest.mark.parametrize("text", ["", "8083", ":8083", "[]:1", "host:", "host:x", "host:65536", "host:²"])
def test_what_is_no_place_to_listen_at_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"such as 0\.0\.0\.0:8083"):
        _place(text)
