"""Whether a token is to be had, and how long it lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio

from connector.auth import Grant, GrantRefused, TokenSource
from connector.errors import RetriableError
from connector.probe.finding import Finding

WITHIN = 35.0
"""Seconds; a request has a shorter deadline of its own, a file on a dead mount has none."""

_LIFE_UNKNOWN = "its life is not known: nobody tells that of a token that is given"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenProbe:
    """
    ``source`` of ``None``: the endpoint is used without a token. ``subject`` is what is asked (a URL, a file,
    the configuration), ``asked`` the scope that is asked for; ``is_given`` whether it is no token endpoint.
    ``learn`` is told the token before anybody else.
    """

    source: TokenSource | None
    subject: str
    asked: str | None
    is_given: bool
    learn: Callable[[str], None]

    async def run(self) -> tuple[Finding, str | None]:
        """Ask once; return what is to be said, and the token, ``None`` where there is none."""
        if self.source is None:
            return self._found("not needed", "the configuration names no token"), None
        try:
            with anyio.fail_after(WITHIN):
                grant = await self.source.fetch()
        except GrantRefused as error:
            facts = {"status": error.status, "error": error.code}
            return self._found("refused", str(error), remedy=error.remedy, **facts), None
        except RetriableError as error:
            return self._found("failed", str(error), error=None), None
        except TimeoutError:
            return self._found("failed", f"no answer within {WITHIN:g} s", error=None), None
        self.learn(grant.access_token)
        return self._obtained(grant), grant.access_token

    def _obtained(self, grant: Grant) -> Finding:
        life = grant.expires_in
        if self.is_given:
            said = _LIFE_UNKNOWN
        else:
            said = "the answer names no life" if life is None else f"lives {in_words(life)}"
        other = grant.scope if grant.scope is not None and not _same(grant.scope, self.asked) else None
        remedy = ""
        if other is not None:
            said += f"; granted scope {other!r}, asked for {self.asked or 'none'!r}"
            if set((self.asked or "").split()) - set(other.split()):
                remedy = "allow the client the scope that is asked for, or ask for another"
        return self._found("ok", said, remedy=remedy, life_seconds=life, scope=other)

    def _found(self, outcome: str, detail: str, *, remedy: str = "", **facts: object) -> Finding:
        return Finding(
            area="token",
            subject=self.subject,
            check="token",
            outcome=outcome,  # type: ignore[arg-type]
            detail=detail,
            remedy=remedy,
            how="" if self.source is None else "given" if self.is_given else "asked for",
            facts=facts,
        )


def _same(granted: str, asked: str | None) -> bool:
    return set(granted.split()) == set((asked or "").split())


def in_words(seconds: float) -> str:
    """Return a span as people say it: ``3599 s``, ``12 h``, ``30.4 days``."""
    if seconds >= 2 * 86400:
        return f"{seconds / 86400:.3g} days ({seconds:.0f} s)"
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.3g} h ({seconds:.0f} s)"
    return f"{seconds:g} s"
