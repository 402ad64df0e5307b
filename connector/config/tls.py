"""Certificates: whom to trust, and how to prove who we are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from connector.config.paths import KeyPath
from connector.config.secret import Secret
from connector.config.section import Section, setting
from connector.config.source import Source
from connector.config.unresolved import as_written
from connector.config.values import Text
from connector.tls import TlsSettings, file_mistakes

_FILES = ("ca_file", "certificate_file", "key_file")
_HOLDERS = ("endpoint", "oauth", "kafka")
_FREE = ("headers", "init_payload")


class TlsSection(Section):
    """Certificates of TLS. Files are in PEM, and read again when their content changes."""

    ca_file: Text | None = setting(
        None, "The authorities to trust, they alone. Default: those of the system."
    )
    certificate_file: Text | None = setting(
        None, "The client's certificate, followed by its intermediates. Default: none is sent."
    )
    key_file: Text | None = setting(None, "Its private key. Default: it stands in certificate_file too.")
    key_password: Secret | None = setting(None, "What the key is encrypted with.")

    def settings(self) -> TlsSettings:
        """The same for those who connect."""
        return TlsSettings(
            ca_file=_path(self.ca_file),
            certificate_file=_path(self.certificate_file),
            key_file=_path(self.key_file),
            key_password=self.key_password.reveal() if self.key_password else None,
        )


def check_tls(tree: dict[str, object], source: Source, *, look: bool) -> None:
    """
    Make the files' names full paths and report what is wrong with them.

    Without ``look``, as where secrets are not mounted, files that are not there are not missed, and what
    depends on a value that is not known is left alone.
    """
    for path, section in _sections(tree, ()):
        for name in _FILES:
            value = section.get(name)
            if isinstance(value, str) and value.strip():
                section[name] = str(source.directory / value)
        _check_alternatives(section, path, source)
        for mistake in file_mistakes(_known(section, look=look)):
            source.report((*path, mistake.key), f"{mistake.file} {mistake.message}", mistake.remedy)
    _check_is_used(tree, ("endpoint", "url"), "wss", source)
    _check_is_used(tree, ("oauth", "token_url"), "https", source)


def _sections(tree: object, path: KeyPath) -> Iterator[tuple[KeyPath, dict[str, object]]]:
    """Every section of this kind."""
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if isinstance(value, dict) and (path or key in _HOLDERS):
            if key == "tls":
                yield (*path, key), value
            elif key not in _FREE:
                yield from _sections(value, (*path, key))


def _check_alternatives(section: dict[str, object], path: KeyPath, source: Source) -> None:
    if "certificate_file" in section:
        return
    for name in ("key_file", "key_password"):
        if name in section:
            what = "stands there without certificate_file"
            source.report((*path, name), what, "add certificate_file, or take it out")


def _known(section: dict[str, object], *, look: bool) -> TlsSettings:
    """As much of the section as can be looked at."""

    def file(name: str) -> Path | None:
        value = section.get(name)
        if not isinstance(value, str) or not value.strip():
            return None
        return Path(value) if look or Path(value).exists() else None

    password = section.get("key_password")
    known = TlsSettings(
        ca_file=file("ca_file"),
        certificate_file=file("certificate_file"),
        key_file=file("key_file"),
        key_password=password if isinstance(password, str) else None,
    )
    is_whole = all(
        (value is not None) == (name in section)
        for name, value in (("key_file", known.key_file), ("key_password", known.key_password))
    )
    if known.certificate_file is None or not is_whole:
        return replace(known, certificate_file=None, key_file=None, key_password=None)
    return known


def _check_is_used(tree: dict[str, object], url_path: KeyPath, scheme: str, source: Source) -> None:
    """Whoever names certificates for an address in the clear believes that it is encrypted."""
    section = tree.get(str(url_path[0]))
    if not isinstance(section, dict) or not section.get("tls"):
        return
    url = as_written(section.get(str(url_path[1])))  # the scheme may be written out
    if isinstance(url, str) and url.partition("://")[0].lower() == scheme.removesuffix("s"):
        what = f"has no use: {url_path[0]}.{url_path[1]} is not encrypted"
        source.report((url_path[0], "tls"), what, f"write {scheme}:// there, or take tls out")


def _path(text: str | None) -> Path | None:
    return Path(text) if text is not None else None
