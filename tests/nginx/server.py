"""One nginx on the loopback, with a prefix of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from tests.brokers import reaper
from tests.brokers.ports import accepts, free_ports

START_DEADLINE = 60.0
STOP_DEADLINE = 30.0

WEBSOCKET = (
    "proxy_http_version 1.1;",
    "proxy_set_header Upgrade $http_upgrade;",
    'proxy_set_header Connection "upgrade";',
)
"""What nginx's documentation asks for where WebSockets pass; without it they do not."""

CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log errors.log info;
events {{}}
http {{
  access_log off;
  client_body_temp_path tmp;
  proxy_temp_path tmp;
  fastcgi_temp_path tmp;
  uwsgi_temp_path tmp;
  scgi_temp_path tmp;
  server {{
    listen 127.0.0.1:{port} {ssl};
    {server}
    location / {{
      {location}
    }}
  }}
}}
"""


@dataclass(kw_only=True)
class Nginx:
    """
    nginx while entered; ``location`` are the directives of the one place that it serves.

    ``certificate`` and ``key``, in PEM, make it speak TLS. `serve` changes the directives while it runs.
    """

    program: str
    prefix: Path
    location: Sequence[str]
    certificate: Path | None = None
    key: Path | None = None
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its websocket address."""
        return f"{'wss' if self.certificate else 'ws'}://127.0.0.1:{self.port}/graphql"

    @property
    def errors(self) -> str:
        """Its log."""
        return (self.prefix / "errors.log").read_text(encoding="utf-8", errors="replace")

    async def __aenter__(self) -> Self:
        self.prefix.mkdir(parents=True, exist_ok=True)
        (self.prefix / "tmp").mkdir(exist_ok=True)
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        configuration = self.prefix / "nginx.conf"
        configuration.write_text(self._configuration())
        self._process = subprocess.Popen(  # noqa: ASYNC220 - one that outlives the call
            [self.program, "-p", str(self.prefix), "-e", "errors.log", "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        reaper.watch(self._process.pid)
        deadline = time.monotonic() + START_DEADLINE
        while not accepts(self.port):
            assert self._process.poll() is None, f"nginx ended:\n{self.errors}"
            assert time.monotonic() < deadline, f"nginx does not listen:\n{self.errors}"
            await anyio.sleep(0.02)

    async def stop(self) -> None:
        """End it at once; its connections end without a Close frame."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            await anyio.to_thread.run_sync(lambda: process.wait(STOP_DEADLINE))
            reaper.forget(process.pid)

    async def serve(self, *location: str) -> None:
        """Serve something else from now on, on the same port."""
        await self.stop()
        self.location = location
        await self.start()

    def _configuration(self) -> str:
        is_secure = self.certificate is not None
        server = f"ssl_certificate {self.certificate}; ssl_certificate_key {self.key};" if is_secure else ""
        return CONFIGURATION.format(
            port=self.port,
            ssl="ssl" if is_secure else "",
            server=server,
            location="\n      ".join(self.location),
        )


def passing_to(port: int, *more: str) -> tuple[str, ...]:
    """Return the directives that pass WebSockets on to a port of this machine."""
    return (f"proxy_pass http://127.0.0.1:{port};", *WEBSOCKET, *more)
