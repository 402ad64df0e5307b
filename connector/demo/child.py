"""The real connector, as a child process."""

from __future__ import annotations

import json
import os
import signal
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL, STDOUT, Process
from pathlib import Path

import anyio

from connector.demo.feed import NETWORKS
from connector.demo.oauth import CLIENT_ID
from connector.demo.server import GRAPHQL_PATH, TOKEN_PATH
from connector.demo.upstream import DOCUMENT

DRAIN_SECONDS = 20
SECRET_VARIABLE = "CONNECTOR_DEMO_SECRET"  # noqa: S105 - the name of a variable
TOPIC_PREFIX = "demo.trades."
_KILL_AFTER = 5.0
"""Seconds beyond the drain deadline after which the child is killed."""


def write_config(directory: Path, *, server_port: int, bootstrap_servers: str) -> Path:
    """Write the connector's configuration into ``directory`` and return its path; it holds no secret."""
    subscriptions = [
        {
            "name": f"{network}-trades",
            "document": "trades.graphql",
            "variables": {"network": network},
            "rows": "EVM.DEXTrades",
            "topic": TOPIC_PREFIX + "{network}",
            "key": ["Transaction.Hash"],
            "timestamp": "Block.Time",
        }
        for network in NETWORKS
    ]
    config = {
        "name": "demo",
        "endpoint": {"preset": "bitquery", "url": f"ws://127.0.0.1:{server_port}{GRAPHQL_PATH}"},
        "oauth": {
            "token_url": f"http://127.0.0.1:{server_port}{TOKEN_PATH}",
            "client_id": CLIENT_ID,
            "client_secret": f"${{env:{SECRET_VARIABLE}}}",
        },
        "kafka": {"bootstrap_servers": bootstrap_servers},
        # The embedded broker creates topics on sight and knows no admin requests.
        "topics": {"create": False},
        "offsets": False,
        "shutdown": {"drain": f"{DRAIN_SECONDS}s"},
        "subscriptions": subscriptions,
        "http": {"host": "127.0.0.1", "port": 0},
        "log": {"level": "info", "format": "json"},
    }
    (directory / "trades.graphql").write_text(DOCUMENT)
    path = directory / "demo.yaml"
    # JSON is YAML.
    path.write_text(json.dumps(config, indent=2))
    return path


def _environment(client_secret: str) -> dict[str, str]:
    """Return the child's environment: ours without proxies, since all is on loopback."""
    ours = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    ours.pop("CONNECTOR_LOG_LEVEL", None)
    return {**ours, SECRET_VARIABLE: client_secret, "PYTHONUNBUFFERED": "1"}


class Child:
    """``connector run`` with its output in a file. Made by `start`; must be ended by `stop` or `kill`."""

    def __init__(self, process: Process, log: Path) -> None:
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, config: Path, *, client_secret: str, log: Path) -> Child:
        """Start the connector on ``config``."""
        with log.open("wb") as out:
            process = await create_subprocess_exec(
                *(sys.executable, "-m", "connector", "run", "-c", str(config)),
                stdin=DEVNULL,
                stdout=out,
                stderr=STDOUT,
                env=_environment(client_secret),
                # Ctrl-C is for the demo, which then stops the connector in its own time.
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative for a signal, ``None`` while it runs."""
        return self._process.returncode

    async def wait(self) -> None:
        """Return once the process has ended."""
        await self._process.wait()

    def api_port(self) -> int | None:
        """Return the port that the connector says its API listens on; ``None`` before it does."""
        for line in self.log.read_text(errors="replace").splitlines():
            if "api listening" in line:
                try:
                    return int(json.loads(line)["port"])
                except (ValueError, KeyError, TypeError):
                    continue
        return None

    async def stop(self) -> int:
        """Send SIGTERM, wait for the drain, kill what outlives it; return the exit code."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)
            with anyio.move_on_after(DRAIN_SECONDS + _KILL_AFTER):
                await self._process.wait()
        await self.kill()
        return self.exit_code if self.exit_code is not None else -signal.SIGKILL

    async def kill(self) -> None:
        """End the process at once, if it still runs."""
        if self.exit_code is None:
            self._process.kill()
            with anyio.CancelScope(shield=True), anyio.move_on_after(_KILL_AFTER):
                await self._process.wait()
