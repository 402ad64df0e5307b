"""Settings → an SSL context, and a new one when a file has changed."""

from __future__ import annotations

import hashlib
import ssl
import threading

import structlog

from connector.tls.files import TlsFileError, authorities, load_pair, read
from connector.tls.settings import TlsSettings

log = structlog.get_logger(__name__)


def client_context(settings: TlsSettings) -> ssl.SSLContext:
    """
    A context to connect with: TLS 1.2 or later, and the peer must prove who it is.

    What is in ``ca_file`` is trusted by itself, be it an intermediate or the peer's own certificate, and
    need not be a model of RFC 5280: the same on every version of Python.

    Raises:
        TlsFileError: A file cannot be used.
    """
    trusted = authorities(settings)
    context = ssl.create_default_context(cadata=trusted)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = settings.check_hostname
    if trusted is not None:
        # Python 3.13 sets both; the strict one refuses authorities that openssl's own examples make.
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    load_pair(context, settings)
    return context


class RotatingContext:
    """
    The context of some settings, built anew once the content of a file is another.

    Where the new content cannot be used, as while it is being written, the last good context serves on.
    May be shared: by threads, and by all who connect with these settings. ``patience`` is the seconds to wait
    for another thread that is reading the files.
    """

    def __init__(self, settings: TlsSettings, *, patience: float = 5.0) -> None:
        self._settings = settings
        self._patience = patience
        self._lock = threading.Lock()
        self._digest: bytes | None = None
        self._context: ssl.SSLContext | None = None

    def current(self) -> ssl.SSLContext:
        """
        The context to connect with now. Reads the files, so call it in a thread.

        Raises:
            TlsFileError: A file cannot be used, and never could.
        """
        # Whoever holds it for long is stuck in a dead network mount, and nobody need queue up behind.
        if not self._lock.acquire(timeout=self._patience):
            return self._last_good()
        try:
            digest = self._read()
            if self._context is None or digest != self._digest:
                self._rebuild(digest)
            return self._last_good()
        finally:
            self._lock.release()

    def _last_good(self) -> ssl.SSLContext:
        if self._context is None:
            file = self._settings.files[0]
            raise TlsFileError("ca_file", file, "is not read in time", "look at what is mounted there")
        return self._context

    def _rebuild(self, digest: bytes) -> None:
        try:
            self._context = client_context(self._settings)
        except TlsFileError as error:
            if self._context is None:
                raise
            log.warning("certificates not renewed", error=str(error), remedy=error.remedy)
        else:
            if self._digest is not None:
                log.info("certificates renewed", files=[str(file) for file in self._settings.files])
        # Also after a failure: it is told once, and tried again when the content changes.
        self._digest = digest

    def _read(self) -> bytes:
        # Contents and not times: mounted secrets are swapped by symlink.
        digest = hashlib.sha256()
        for file in self._settings.files:
            try:
                content = read("ca_file", file)
            except TlsFileError as error:
                content = error.message.encode()
            digest.update(len(content).to_bytes(8, "big") + content)
        return digest.digest()
