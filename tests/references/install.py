"""The npm packages of the reference servers, installed once into the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
_PACKAGE = ("package.json", "package-lock.json", ".npmrc")
_SCRIPTS = tuple(sorted(path.name for path in HERE.glob("*.js")))
NEEDED_NODE = 20
NPM_DEADLINE = 180.0
"""Seconds that a cold download may take."""


class MissingNodeError(Exception):
    """This machine lacks what the reference servers need; the message says what."""


def reference_directory() -> Path:
    """
    Where the servers' scripts lie beside their packages, installed on first use.

    Raises:
        MissingNodeError: No Node of at least NEEDED_NODE, or an empty cache and no npm that fills it.
    """
    _require_node()
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _PACKAGE + _SCRIPTS))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphql-kafka-connector"
    installed = cache / f"references-{digest.hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with installed.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: the second finds what the first installed
        if not installed.is_dir():
            _install(installed)
    return installed


def _require_node() -> None:
    if shutil.which("node") is None:
        raise MissingNodeError(f"no node on PATH: the reference servers need Node {NEEDED_NODE} or newer")
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < NEEDED_NODE:
        raise MissingNodeError(
            f"the reference servers need Node {NEEDED_NODE} or newer, not {answer.stdout.strip()}"
        )


def _install(installed: Path) -> None:
    """Fill a directory beside the final one and rename it, so that a cut download never passes for whole."""
    if shutil.which("npm") is None:
        raise MissingNodeError("no npm on PATH: it installs the reference servers, once")
    with tempfile.TemporaryDirectory(dir=installed.parent, prefix=f"{installed.name}-") as scratch:
        filled = Path(scratch) / "servers"
        filled.mkdir()
        for name in _PACKAGE + _SCRIPTS:
            shutil.copy(HERE / name, filled / name)
        answer = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=filled,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=NPM_DEADLINE,
            check=False,
        )
        if answer.returncode != 0:
            raise MissingNodeError(f"npm could not install the reference servers:\n{answer.stdout[-2000:]}")
        filled.rename(installed)
