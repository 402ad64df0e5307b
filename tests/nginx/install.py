"""nginx: that of this machine, or Debian's package, unpacked once into the user's cache and not installed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = ("nginx", "nginx-light", "nginx-core")
"""The first that has the program; which one it is differs from release to release."""

PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/nginx/sbin")
"""Where it is installed and users' PATH does not lead."""

APT_DEADLINE = 180.0
"""Seconds that one command may take."""


class MissingNginxError(Exception):
    """This machine has no nginx, and none could be had; the message says why."""


def nginx_program() -> str:
    """
    The path of nginx.

    Raises:
        MissingNginxError: There is none, and no apt-get that gives one.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path=os.pathsep.join(PLACES))
    if found is not None:
        return found
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise MissingNginxError("no nginx on PATH, and no apt-get that could fetch it")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphql-kafka-connector"
    cache.mkdir(parents=True, exist_ok=True)
    unpacked = cache / "nginx"
    with unpacked.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: the second finds what the first unpacked
        if not unpacked.is_dir():
            _unpack(unpacked)
    program = str(unpacked / "usr" / "sbin" / "nginx")
    answer = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise MissingNginxError(f"nginx was fetched and does not run here:\n{answer.stderr[-2000:]}")
    return program


def _unpack(unpacked: Path) -> None:
    """Fill a directory beside the final one and rename it, so that a cut download never passes for whole."""
    with tempfile.TemporaryDirectory(dir=unpacked.parent, prefix="nginx-") as scratch:
        said = ""
        for package in PACKAGES:
            directory = Path(scratch) / package
            directory.mkdir()
            said = _download(package, directory)
            for archive in directory.glob("*.deb"):
                subprocess.run(["dpkg", "-x", str(archive), str(directory / "root")], check=True)
            if (directory / "root" / "usr" / "sbin" / "nginx").is_file():
                (directory / "root").rename(unpacked)
                return
    raise MissingNginxError(f"apt-get gave no nginx:\n{said[-2000:]}")


def _download(package: str, directory: Path) -> str:
    """Download a package; where the lists of packages are missing or old, once more with new ones."""
    command = ["apt-get", "download", package]
    said, code = _run(command, directory)
    if code != 0:
        _run(["apt-get", "update"], directory)
        said, _ = _run(command, directory)
    return said


def _run(command: list[str], directory: Path) -> tuple[str, int]:
    answer = subprocess.run(
        command,
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=APT_DEADLINE,
        check=False,
    )
    return answer.stdout, answer.returncode
