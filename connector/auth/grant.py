"""The client credentials grant (RFC 6749 §4.4), Sans-I/O: what is sent, and what an answer means."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote_plus

from connector.errors import RetriableError

AuthStyle = Literal["body", "basic"]

#: Lives are cut to this many seconds (ten years), so that no sum with them overflows.
LONGEST_LIFE = 315_360_000.0

#: The error codes of RFC 6749 §5.2, §4.1.2.1 and RFC 8707 §2, and what to do about each.
_REMEDIES = {
    "access_denied": "allow this client to have tokens: the authorization server denies it them",
    "invalid_client": "check the client id and secret, and that the application still exists",
    "invalid_grant": "check that the client may use the client credentials grant",
    "invalid_request": "check how the credentials are sent (body or basic), and the scope",
    "invalid_scope": "check the scope",
    "invalid_target": "check the audience that the token URL stands for: it knows no such resource",
    "unauthorized_client": "allow this client the client credentials grant",
    "unsupported_grant_type": "check the token URL: it offers no client credentials grant",
}
#: Codes of RFC 6749 §4.1.2.1 and RFC 8628 §3.5 that some token endpoints answer too; these pass by
#: themselves.
_PASSING = frozenset({"server_error", "temporarily_unavailable", "slow_down"})

#: RFC 8628 §3.5: ``slow_down`` asks for five seconds more.
_SLOWED_DOWN = 5.0

#: Request Timeout, Too Early, Too Many Requests: these pass by themselves.
_PASSING_STATUSES = frozenset({408, 425, 429})

#: RFC 6749 Appendix A.12: access-token = 1*VSCHAR. It also keeps CR and LF out of headers and URLs.
_VSCHARS = re.compile(r"[\x20-\x7e]+")
#: RFC 6749 Appendix A.4.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")
_NO_LETTER = re.compile(r"[\s_:-]+")
#: Ways in which token endpoints write ``Bearer``, without spaces and hyphens; Apigee says ``BearerToken``.
_BEARER = frozenset({"", "bearer", "bearertoken"})
#: What others write there. These may be named: no text of an answer is.
_OTHER_TYPES = {
    _NO_LETTER.sub("", name.lower()): name
    for name in (
        "JWT",
        "access_token",
        "id_token",
        "OAuth",
        "OAuth2",
        "Token",
        "Basic",
        "MAC",
        "DPoP",
        "PoP",
        "N_A",
    )
}
_TYPE_OF_RFC8693 = "urn:ietf:params:oauth:token-type:"
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")


class GrantRefused(RetriableError):
    """
    No token, and trying again soon cannot help: a person must change something.

    ``status`` is the HTTP status; ``code`` the error code of RFC 6749 §5.2, ``None`` when there was
    none that we know; ``remedy`` says what to change.
    """

    def __init__(
        self, message: str, *, status: int, code: str | None, remedy: str, retry_after: float | None = None
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status
        self.code = code
        self.remedy = remedy


class GrantUnavailable(RetriableError):
    """No token for now: the token endpoint is busy or broken. ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantRequest:
    """What is posted to the token endpoint."""

    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """
    A successful answer (RFC 6749 §5.1).

    ``expires_in`` is the life in seconds, counted from before the request was sent; ``None``:
    unknown. ``scope`` is ``None`` when it is the one that was asked for.
    """

    access_token: str = field(repr=False)
    expires_in: float | None = None
    scope: str | None = None
    token_type: str = "bearer"  # noqa: S105 (a type of token)


def build_request(*, client_id: str, client_secret: str, scope: str | None, auth: AuthStyle) -> GrantRequest:
    """
    Return the access token request of RFC 6749 §4.4.2.

    ``auth`` says where the client's credentials go: ``body`` (§2.3.1, form parameters) or ``basic``
    (the same section: HTTP Basic). ``scope`` of ``None`` asks for the default one.
    """
    form = {"grant_type": "client_credentials"}
    headers = {"accept": "application/json"}
    if auth == "basic":
        headers["authorization"] = f"Basic {basic_credentials(client_id, client_secret)}"
    else:
        form |= {"client_id": client_id, "client_secret": client_secret}
    if scope is not None:
        form["scope"] = scope
    return GrantRequest(form=form, headers=headers)


def basic_credentials(client_id: str, client_secret: str) -> str:
    """
    Return the credentials of HTTP Basic.

    RFC 6749 §2.3.1: both are "encoded using the application/x-www-form-urlencoded encoding
    algorithm" first, unlike in plain RFC 7617.
    """
    pair = ":".join(quote_plus(part, errors="surrogatepass") for part in (client_id, client_secret))
    return base64.b64encode(pair.encode("ascii")).decode("ascii")


def is_access_token(value: object) -> bool:
    """Tell whether ``value`` has the form of an access token (RFC 6749 Appendix A.12)."""
    return isinstance(value, str) and _VSCHARS.fullmatch(value) is not None


def parse_answer(status: int, body: bytes, *, retry_after: float | None = None) -> Grant:
    """
    Return what the token endpoint granted.

    ``retry_after`` is the seconds that the answer asked to wait. No message of an error holds text
    of the body.

    Raises:
        GrantRefused: A permanent refusal (RFC 6749 §5.2), or no answer of a token endpoint at all.
        GrantUnavailable: A refusal that passes by itself.
    """
    members = _members(body)
    if 200 <= status < 300 and members is not None and not members.get("error"):
        return _grant(status, members)
    code = _error_code(members)
    if status >= 500 or status in _PASSING_STATUSES or code in _PASSING:
        if code == "slow_down":
            retry_after = max(retry_after or 0.0, _SLOWED_DOWN)
        raise GrantUnavailable(_message(status, members, code), status=status, retry_after=retry_after)
    raise GrantRefused(
        _message(status, members, code),
        status=status,
        code=code,
        remedy=_remedy(status, code),
        retry_after=retry_after,
    )


def _members(body: bytes) -> dict[str, object] | None:
    """Return the members of the JSON object in ``body``, or ``None`` if it holds none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _grant(status: int, members: Mapping[str, object]) -> Grant:
    token = members.get("access_token")
    token = token.strip() if isinstance(token, str) else token
    if not isinstance(token, str) or not is_access_token(token):
        raise _unusable(
            status,
            "without a usable access_token",
            "check that the token URL is that of an OAuth 2.0 token endpoint",
        )
    # §5.1 requires it; the many that leave it out, or empty, mean bearer. Its value is case-insensitive.
    kind = members.get("token_type")
    kind = "" if kind is None else kind
    plain = (
        _NO_LETTER.sub("", kind.strip().lower().removeprefix(_TYPE_OF_RFC8693))
        if isinstance(kind, str)
        else None
    )
    if plain not in _BEARER:
        known = f" ({_OTHER_TYPES[plain]})" if plain in _OTHER_TYPES else ""
        raise _unusable(
            status,
            f"with a token_type other than bearer{known}",
            "have the authorization server answer with token_type Bearer (RFC 6750)",
        )
    scope = members.get("scope")
    return Grant(
        access_token=token,
        expires_in=_life(members.get("expires_in")),
        scope=scope if isinstance(scope, str) and _SCOPE.fullmatch(scope) else None,
    )


def _life(value: object) -> float | None:
    """Return ``expires_in`` as seconds; ``None`` when it says nothing usable."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
        return min(value, LONGEST_LIFE) if value > 0 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not value > 0 or value == math.inf:  # NaN compares false
        return None
    return float(min(value, LONGEST_LIFE))


def _error_code(members: Mapping[str, object] | None) -> str | None:
    """Return the code that is known, however it is written; some put it into an object."""
    error = members.get("error") if members else None
    found = [error.get(name) for name in ("code", "error", "type")] if isinstance(error, dict) else [error]
    codes = (_BETWEEN_WORDS.sub("_", code.strip().lower()) for code in found if isinstance(code, str))
    return next((code for code in codes if code in _REMEDIES or code in _PASSING), None)


def _message(status: int, members: Mapping[str, object] | None, code: str | None) -> str:
    if code is None:
        code = "an unrecognised error" if members and members.get("error") else "not an OAuth answer"
    return f"the token endpoint answered HTTP {status}, {code}"


def _unusable(status: int, what: str, remedy: str) -> GrantRefused:
    return GrantRefused(
        f"the token endpoint answered HTTP {status} {what}", status=status, code=None, remedy=remedy
    )


def _remedy(status: int, code: str | None) -> str:
    if code is not None:
        return _REMEDIES[code]
    if 300 <= status < 400:
        return "set the token URL to the address that this one redirects to"
    if status == 401:
        return _REMEDIES["invalid_client"]
    return "check the token URL, and what stands between here and there"
