"""Where Helm comes from: PATH, a copy that Go built once into the user's cache, or PyPI's helm-python-sdk."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.helm.runner import Helm, HelmCommand, HelmLibrary

VERSION = "v4.3.0"
MODULE = "helm.sh/helm/v4/cmd/helm"
BUILD_DEADLINE = 1500.0
"""Seconds that Go may take for a cold build; a small machine needs about 200."""


class MissingComponentError(Exception):
    """This machine lacks what Helm needs; the message says what."""


def find_helm() -> Helm:
    """
    A Helm that runs.

    Raises:
        MissingComponentError: There is none, and none can be had.
    """
    if program := shutil.which("helm"):
        return HelmCommand(Path(program))
    if shutil.which("go") or _cached().exists():
        return HelmCommand(_built())
    if find_spec("helm_python"):
        return HelmLibrary()
    raise MissingComponentError("no helm and no go on PATH, and no helm-python-sdk is installed")


def _cached() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "graphql-kafka-connector" / f"helm-{VERSION}" / "helm"


def _built() -> Path:
    program = _cached()
    program.parent.mkdir(parents=True, exist_ok=True)
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once: the second finds the program of the first
        if not program.exists():
            _build(program)
    return program


def _build(program: Path) -> None:
    """Build beside the final place and rename, so that a cut build never passes for a program."""
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        answer = subprocess.run(
            ["go", "install", f"{MODULE}@{VERSION}"],
            env={**os.environ, "GOBIN": scratch},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_DEADLINE,
            check=False,
        )
        if answer.returncode != 0:
            raise MissingComponentError(f"go could not build Helm {VERSION}:\n{answer.stdout[-2000:]}")
        Path(scratch, "helm").rename(program)
