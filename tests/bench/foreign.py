"""Environments of candidates whose libraries ours cannot hold, made once and cached."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

QUIX_LOCK = Path(__file__).parent / "candidates" / "quix" / "requirements.lock"
INSTALL_DEADLINE = 600.0


class NotInstalledError(Exception):
    """A candidate's environment cannot be made; the message says why."""


def quix_python() -> Path:
    """
    The Python of Quix Streams' environment, made on first use.

    Raises:
        NotInstalledError: pip failed.
    """
    digest = hashlib.sha256(QUIX_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphql-kafka-connector"
    ready = cache / f"bench-quix-{digest}"
    python = ready / "bin" / "python"
    if not (ready / ".ready").exists():
        cache.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", "--clear", str(ready)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(QUIX_LOCK)])
        (ready / ".ready").touch()
    return python


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 with its key, and the file to trust, made by openssl."""
    both, trusted = directory / "server.pem", directory / "ca.pem"
    with tempfile.TemporaryDirectory() as scratch:
        key = Path(scratch) / "key.pem"
        request = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=bench",
        ]
        request += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(trusted)]
        _run(request)
        both.write_bytes(key.read_bytes() + trusted.read_bytes())
    return both, trusted


def _run(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_DEADLINE, check=False)
    if answer.returncode != 0:
        raise NotInstalledError(f"{' '.join(command[:4])} failed:\n{(answer.stdout + answer.stderr)[-2000:]}")
