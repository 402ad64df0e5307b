"""The files that a configuration is made from, and what was in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from connector.errors import ConfigError, Problem

MAX_BYTES = 4 * 1024 * 1024
"""A larger file is refused; no more of it is read."""

NO_FILE = "no regular file"
"""The fingerprint of a pipe or a device: it gives its content once, so it is not read to compare."""


class Files:
    """
    Reads files and remembers a fingerprint of each.

    Fingerprints are of contents: mounted ConfigMaps are swapped by symlink, editors replace files, and some
    file systems keep times by the second.
    """

    def __init__(self) -> None:
        self._seen: dict[Path, str] = {}

    @property
    def seen(self) -> Mapping[Path, str]:
        """What was read or looked at so far, with the fingerprints of what was found."""
        return dict(self._seen)

    def read(self, path: Path) -> bytes:
        """
        Return what the file holds, one byte more than `MAX_BYTES` at most.

        Raises:
            OSError: It is not there, or cannot be read.
            ValueError: ``path`` can be no path.
        """
        try:
            # Asked first: opening a pipe waits for its writer.
            is_regular = path.is_file() or not path.exists()
            content = _read(path)
        except (OSError, ValueError) as error:
            self._seen[path] = type(error).__name__
            raise
        self._seen[path] = _digest(content) if is_regular else NO_FILE
        return content

    def note(self, path: Path) -> None:
        """Remember what the file holds, without taking it."""
        self._seen[path] = fingerprint(path)


def fingerprint(path: Path) -> str:
    """Return what tells one content of the file from another, and from there being none."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            return NO_FILE
        return _digest(_read(path))
    except (OSError, ValueError) as error:
        return type(error).__name__


def read_text(path: Path, *, what: str, files: Files) -> str:
    """
    The text of a file in UTF-8; ``files`` remembers it.

    Raises:
        ConfigError: It is not there, cannot be read, is too large or is not UTF-8.
    """
    name = str(path)
    try:
        raw = files.read(path)
    except FileNotFoundError:
        raise refusal(name, f"{what} is not there", _path_remedy(name)) from None
    except IsADirectoryError:
        raise refusal(name, "is a directory", f"name {what} in it") from None
    except PermissionError:
        raise refusal(name, f"{what} may not be read", "give this user the right to read it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not a path"
        raise refusal(name, f"{what} cannot be read: {reason}", "check the path") from None
    if len(raw) > MAX_BYTES:
        raise refusal(name, f"{what} is larger than {MAX_BYTES} bytes", "check that it is the right file")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise refusal(f"{name}:{line}", f"{what} is not in UTF-8", "save it in UTF-8") from None


def _path_remedy(name: str) -> str:
    if re.search(r"(^|/)~|\$\{?\w|%\w+%|file:/", name):
        return (
            "write the whole path: neither ~ nor variables of the shell are filled there, and URLs are none"
        )
    return "check the path"


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def refusal(where: str, message: str, remedy: str) -> ConfigError:
    """What is raised where a file as a whole cannot be used."""
    return ConfigError([Problem(where=where, path=None, message=message, remedy=remedy)])
