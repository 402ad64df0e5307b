"""Notices that the files of a configuration say something else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connector.config.files import NO_FILE, Files, fingerprint
from connector.config.loaded import LoadedConfig
from connector.config.read import read_config
from connector.errors import ConfigError


class Watch:
    """
    Watches the file at ``path``, the documents that it names, and the files behind its placeholders.

    ``running`` is what was read from them last, or where that cannot be used, the fingerprints of what was
    read. Nothing is taken before two looks in a row found the same,
    so a file that is being written, or is away while it is replaced, is let be.
    """

    def __init__(
        self, path: Path, *, env: Mapping[str, str], running: LoadedConfig | Mapping[Path, str]
    ) -> None:
        self._path = path
        self._env = env
        self._settled = dict(running.files if isinstance(running, LoadedConfig) else running)
        self._pending: dict[Path, str] | None = None

    @property
    def is_possible(self) -> bool:
        """Whether the configuration can be read again: what came through a pipe cannot."""
        return self._settled.get(self._path) != NO_FILE

    def look(self) -> LoadedConfig | ConfigError | None:
        """
        Return what the files say, or why it cannot be used; ``None`` where there is nothing new.

        The same content is told once. Reads files: call it in a thread, one call at a time.
        """
        found = {path: fingerprint(path) for path in self._pending or self._settled}
        if self._pending is None and found == self._settled:
            return None
        if found != self._pending:
            self._pending = found
            return None
        files = Files()
        try:
            outcome = self._read(files)
        except Exception:
            # A fault of ours; what caused it is not looked at again before it is another.
            self._settled, self._pending = {**found, **files.seen}, None
            raise
        if {**found, **files.seen} != found:
            # It names others than before, or changed under our eyes: these have to be stable, too.
            self._pending = {**found, **files.seen}
            return None
        self._settled, self._pending = dict(files.seen), None
        return outcome

    def _read(self, files: Files) -> LoadedConfig | ConfigError:
        try:
            return read_config(self._path, env=self._env, files=files)
        except ConfigError as error:
            return error
