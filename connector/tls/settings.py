"""Whom to trust, and how to prove who we are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsSettings:
    """
    Files in PEM, and the password of the key, which the ``repr`` does not show.

    ``ca_file``: the authorities that are trusted, they alone; ``None``: those of the system.
    ``certificate_file``: the client's certificate, followed by its intermediates; ``None``: none is sent.
    ``key_file``: the certificate's key; ``None``: it stands in ``certificate_file`` too.
    ``key_password``: ``None`` for a key that is not encrypted.
    ``check_hostname``: whether the peer's certificate must name the host that was connected to.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    check_hostname: bool = True

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is named, each once."""
        named = (self.ca_file, self.certificate_file, self.key_file)
        return tuple(dict.fromkeys(file for file in named if file is not None))

    def without_certificate(self) -> TlsSettings:
        """The same trust, and no proof of who we are."""
        return TlsSettings(ca_file=self.ca_file, check_hostname=self.check_hostname)
