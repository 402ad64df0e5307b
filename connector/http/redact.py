"""URLs that may be shown."""

from __future__ import annotations

from urllib.parse import unquote_plus, urlsplit, urlunsplit

HIDDEN = "***"

#: Names of query parameters whose values are never shown; any name that ends in one of
#: `_SECRET_ENDINGS` counts too.
_SECRET_NAMES = frozenset(
    {
        "accesstoken",
        "apikey",
        "api_key",
        "assertion",
        "auth",
        "authorization",
        "code",
        "credential",
        "credentials",
        "jwt",
        "key",
        "pass",
        "passwd",
        "password",
        "pwd",
        "secret",
        "session",
        "sig",
        "signature",
        "token",
    }
)
_SECRET_ENDINGS = ("_key", "_password", "_secret", "_signature", "_token")


def redact_url(url: str) -> str:
    """
    Return ``url`` without its user information and without the values of query parameters that
    name a credential. Secrets inside the path are not recognised.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<a URL that cannot be read>"
    _, at, place = parts.netloc.rpartition("@")
    netloc = f"{HIDDEN}@{place}" if at else place
    return urlunsplit(
        parts._replace(
            netloc=netloc, query=_redact_query(parts.query), fragment=_redact_query(parts.fragment)
        )
    )


def _redact_query(query: str) -> str:
    return "&".join(";".join(_redact_pair(pair) for pair in group.split(";")) for group in query.split("&"))


def _redact_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={HIDDEN}" if equals and _names_a_secret(name) else pair


def _names_a_secret(name: str) -> bool:
    plain = unquote_plus(name).strip().casefold().replace("-", "_")
    return plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDINGS)
