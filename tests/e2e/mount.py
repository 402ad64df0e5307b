"""Where a process finds its configuration: a plain directory, or a ConfigMap as Kubernetes mounts it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Mount(Protocol):
    """A directory whose files are changed from outside."""

    @property
    def path(self) -> Path:
        """Where it is mounted."""

    def put(self, files: Mapping[str, str]) -> None:
        """Give these files another content."""


class Directory:
    """Files are written in place, as with an editor that does so."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, files: Mapping[str, str]) -> None:
        """See `Mount`."""
        for name, text in files.items():
            (self.path / name).write_text(text)


class ConfigMap:
    """
    As the kubelet's atomic writer has it: each file is a link to ``..data/NAME``, ``..data`` a link to a
    directory with a time in its name. A changed ConfigMap is a new directory, the link swapped, and the old
    directory removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = 0
        self._files: dict[str, str] = {}

    def put(self, files: Mapping[str, str]) -> None:
        """See `Mount`."""
        self._files |= files
        self._version += 1
        new = self.path / f"..2026_11_24_04_00_00.{self._version:010}"
        new.mkdir(parents=True)
        for name, text in self._files.items():
            (new / name).write_text(text)
        data, next_data = self.path / "..data", self.path / "..data_tmp"
        old = data.resolve() if data.is_symlink() else None
        next_data.symlink_to(new.name)
        next_data.replace(data)
        for name in self._files:
            link = self.path / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
        if old is not None:
            shutil.rmtree(old)
