"""One of the connector's commands that end by themselves, seen from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import anyio
import yaml

from tests.e2e.connector_process import encodings
from tests.e2e.stage import Stage

WITHIN = 150.0
"""Seconds in which every command has ended, on the busiest of machines."""


async def run_command(
    stage: Stage, config: Mapping[str, Any], *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """
    Run ``connector`` with ``arguments`` on ``config``, which is put where ``-c`` finds it; nothing that it
    prints holds a secret of the stage, and no traceback.
    """
    file = stage.directory / "command.yaml"
    file.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "connector", *arguments, "-c", str(file)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
            env={**os.environ, **secrets_of(stage), **(env or {})},
        )

    done = await anyio.to_thread.run_sync(run)
    assert "Traceback" not in done.stderr, done.stderr
    emitted = done.stdout + done.stderr
    for secret in stage.secrets():
        assert not [kind for kind, text in encodings(secret) if text in emitted]
    return done


def secrets_of(stage: Stage) -> dict[str, str]:
    """The environment that the stage's configuration names."""
    return {"E2E_CLIENT_ID": stage.oauth.client_id, "E2E_CLIENT_SECRET": stage.oauth.client_secret}


def checks(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """The findings of ``check --json``, by subject and check; stdout holds one object and nothing else."""
    (line,) = done.stdout.splitlines()
    document = json.loads(line)
    assert document["exit_code"] == done.returncode
    return {(one["subject"], one["check"]): one for one in document["checks"]}


def of_check(found: Mapping[tuple[str, str], dict[str, Any]], check: str) -> dict[str, Any]:
    """The only finding of ``check``."""
    (one,) = [finding for (_, name), finding in found.items() if name == check]
    return one
