"""Keys of ``kafka.security`` that contradict one another, or miss one another."""

from __future__ import annotations

from connector.config.paths import KeyPath
from connector.config.security import MECHANISMS, PROTOCOLS, in_capitals
from connector.config.source import Source
from connector.config.unresolved import as_written

_HERE: KeyPath = ("kafka", "security")


def check_security(tree: dict[str, object], source: Source) -> None:
    """Report what does not fit together. Values of a wrong kind are left to the check of each key."""
    kafka = tree.get("kafka")
    section = kafka.get("security") if isinstance(kafka, dict) else None
    if not isinstance(section, dict):
        return
    protocol = in_capitals(section.get("protocol", "PLAINTEXT"))
    if protocol not in PROTOCOLS:
        return
    assert isinstance(protocol, str)
    _check_oauth(section.get("oauth"), source)
    if "tls" in section and not protocol.endswith("SSL"):
        other = "SASL_SSL" if protocol.startswith("SASL_") else "SSL"
        _report(
            source,
            ("tls",),
            f"has no use with protocol {protocol}",
            f"write protocol: {other}, or take it out",
        )
    if protocol.startswith("SASL_"):
        _check_sasl(section, protocol, source)
        return
    other = "SASL_SSL" if protocol == "SSL" else "SASL_PLAINTEXT"
    for key in ("sasl", "oauth"):
        if key in section:
            remedy = f"write protocol: {other}, or take it out"
            _report(source, (key,), f"has no use with protocol {protocol}", remedy)


def _check_sasl(section: dict[str, object], protocol: str, source: Source) -> None:
    sasl = section.get("sasl")
    if sasl is None:
        remedy = "add mechanism, username and password; or mechanism: OAUTHBEARER, and oauth beside sasl"
        _report(source, ("sasl",), f"is missing, and protocol {protocol} needs it", remedy)
        return
    mechanism = in_capitals(sasl.get("mechanism")) if isinstance(sasl, dict) else None
    if not isinstance(sasl, dict) or mechanism not in MECHANISMS:
        return
    if mechanism == "OAUTHBEARER":
        for key in ("username", "password"):
            if key in sasl:
                what = "has no use with OAUTHBEARER, where a token says who we are"
                _report(source, ("sasl", key), what, "take it out, or choose another mechanism")
        if "oauth" not in section:
            remedy = "add token_url, client_id and client_secret"
            _report(source, ("oauth",), "is missing, and OAUTHBEARER needs it", remedy)
        return
    for key in ("username", "password"):
        if key not in sasl:
            _report(source, ("sasl", key), f"is missing, and {mechanism} needs it", "add it")
    if "oauth" in section:
        what = f"has no use with {mechanism}"
        _report(source, ("oauth",), what, "write mechanism: OAUTHBEARER, or take it out")


def _check_oauth(oauth: object, source: Source) -> None:
    url = as_written(oauth.get("token_url")) if isinstance(oauth, dict) and oauth.get("tls") else None
    if isinstance(url, str) and url.lower().startswith("http:"):
        what = "has no use: kafka.security.oauth.token_url is not encrypted"
        _report(source, ("oauth", "tls"), what, "write https:// there, or take tls out")


def _report(source: Source, path: KeyPath, message: str, remedy: str) -> None:
    source.report((*_HERE, *path), message, remedy)
