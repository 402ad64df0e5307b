"""
TLS as a client, towards whatever peer: the one place where SSL contexts are built.

- `TlsSettings`: whom to trust and how to prove who we are, as paths and a password; frozen, and its repr
  hides the password. ``TlsSettings()`` is the system's trust store and no certificate.
- `client_context(settings) -> ssl.SSLContext`: reads the files and builds; raises `TlsFileError`.
- `file_mistakes(settings) -> list[TlsFileError]`: all that is wrong with the files, for `validate`; each has
  ``key`` (``ca_file``, ``certificate_file``, ``key_file`` or ``key_password``), ``file``, ``message`` and
  ``remedy``.
- `RotatingContext(settings)`: ``current()`` gives the context, built anew whenever a file's content changed.
- `tls_reason(error) -> str`: what an `ssl.SSLError` of a handshake means, in words that hold no secret.
"""

from connector.tls.context import RotatingContext, client_context
from connector.tls.files import TlsFileError, TlsKey, file_mistakes
from connector.tls.reasons import TLS_ENDED, find_tls_error, tls_reason
from connector.tls.settings import TlsSettings

__all__ = [
    "TLS_ENDED",
    "RotatingContext",
    "TlsFileError",
    "TlsKey",
    "TlsSettings",
    "client_context",
    "file_mistakes",
    "find_tls_error",
    "tls_reason",
]
