"""What OpenSSL says, in words that tell what to look at."""

from __future__ import annotations

import ssl

import pytest

from connector.tls import TLS_ENDED, find_tls_error, tls_reason


def failed(reason: str | None) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] whatever (_ssl.c:1000)")
    if reason is not None:
        error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "the server wants a client certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not trust the issuer of our certificate"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "our certificate has expired"),
        ("WRONG_VERSION_NUMBER", "does not speak TLS"),
        ("SOMETHING_NEW", "TLS failed: something new"),
    ],
)
def test_a_reason_is_told_in_words(reason: str, said: str) -> None:
    assert said in tls_reason(failed(reason))


def test_an_error_without_a_reason_is_told_all_the_same() -> None:
    assert tls_reason(ssl.SSLEOFError()) == TLS_ENDED
    assert tls_reason(ssl.SSLError()) == "TLS failed: sslerror"
    assert tls_reason(ssl.SSLCertVerificationError()).startswith("certificate verify failed")


def test_a_tls_error_is_found_behind_others() -> None:
    inner = failed("WRONG_VERSION_NUMBER")
    outer = RuntimeError()
    outer.__cause__ = ExceptionGroup("several", [ValueError(), inner])
    assert find_tls_error(outer) is inner
    assert find_tls_error(inner) is inner
    assert find_tls_error(ValueError()) is None
    outer.__context__ = outer
    assert find_tls_error(outer) is inner
