"""What a failed handshake means."""

from __future__ import annotations

import ssl

_UNTRUSTED = "its issuer is not among the trusted authorities: ca_file, or the system's"

# X509_V_ERR_… of OpenSSL's x509_vfy.h → what its words do not say.
_MEANS = {
    2: _UNTRUSTED,
    18: "it is its own issuer, which is not among the trusted authorities: ca_file, or the system's",
    19: _UNTRUSTED,
    20: _UNTRUSTED,
    21: "the server may not send its intermediates",
}

TLS_ENDED = "the server ended the connection; it may want a client certificate, or another (certificate_file)"
"""
What an end without a word may mean: in TLS 1.3 a client learns that its certificate does not do only after it
has begun to talk, and whatever was said about it may be lost.
"""

# OpenSSL's names of what happened, without what depends on the version of TLS.
_REASONS = {
    "ALERT_CERTIFICATE_REQUIRED": "the server wants a client certificate (certificate_file)",
    "ALERT_BAD_CERTIFICATE": "the server refuses our certificate, or wants one (certificate_file)",
    "ALERT_UNSUPPORTED_CERTIFICATE": "the server does not take client certificates of this kind",
    "ALERT_CERTIFICATE_REVOKED": "the server says that our certificate was revoked",
    "ALERT_CERTIFICATE_EXPIRED": "the server says that our certificate has expired",
    "ALERT_CERTIFICATE_UNKNOWN": "the server refuses our certificate",
    "ALERT_UNKNOWN_CA": "the server does not trust the issuer of our certificate",
    "ALERT_ACCESS_DENIED": "the server does not let our certificate in",
    "ALERT_HANDSHAKE_FAILURE": "the server ended the handshake; it may want a client certificate",
    "ALERT_PROTOCOL_VERSION": "no common version of TLS",
    "UNSUPPORTED_PROTOCOL": "no common version of TLS",
    "UNRECOGNIZED_NAME": "the server does not know this host name",
    "WRONG_VERSION_NUMBER": "the server does not speak TLS on this port",
    "HTTP_REQUEST": "the server does not speak TLS on this port",
    "PACKET_LENGTH_TOO_LONG": "the server does not speak TLS on this port",
    "RECORD_LAYER_FAILURE": "the server does not speak TLS on this port",
    "UNEXPECTED_EOF_WHILE_READING": TLS_ENDED,
}
_VERSIONS = ("TLSV13_", "TLSV1_", "SSLV3_", "TLS_", "SSL_")


# What the layers above raise in the course of every handshake, and so the context of what ends it.
_UNFINISHED = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def tls_reason(error: ssl.SSLError) -> str:
    """
    Return what went wrong, in OpenSSL's words and in ours. No secret is in it, nor what the peer said.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        means = _MEANS.get(getattr(error, "verify_code", 0))
        said = f"certificate verify failed: {getattr(error, 'verify_message', '').rstrip('.')}"
        return f"{said} ({means})" if means else said
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TLS_ENDED
    # Only what OpenSSL itself raised has a reason.
    name = getattr(error, "reason", None) or type(error).__name__
    for version in _VERSIONS:
        name = name.removeprefix(version)
    return _REASONS.get(name) or f"TLS failed: {name.lower().replace('_', ' ')}"


def find_tls_error(error: BaseException) -> ssl.SSLError | None:
    """The TLS error that ``error`` is, or that it was raised from; ``None`` if there is none."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, ssl.SSLError) and not isinstance(one, _UNFINISHED):
            return one
        todo += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions
    return None
