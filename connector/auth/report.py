"""What the keeper tells, of a token never its value: in the log a lasting failure once, and how it stands."""

from __future__ import annotations

import structlog

from connector.auth.grant import GrantRefused
from connector.auth.rejections import Rejections
from connector.auth.token import Token, TokenState, TokenStatus
from connector.auth.token_use import TokenUse
from connector.errors import RetriableError

_log = structlog.get_logger()


class Report:
    """Of the tokens that are for ``use``."""

    def __init__(self, use: TokenUse) -> None:
        self._use = use
        self._mark = {"tokens_for": use.name} if use.name else {}
        self._said: str | None = None  # the failure that was last logged

    def failed(self, error: RetriableError, *, wait: float, state: TokenState) -> None:
        """A fetch failed; the next one comes in ``wait`` seconds."""
        before, self._said = self._said, str(error)
        is_known = before == self._said
        facts = {"reason": self._said, "next_attempt_seconds": round(wait, 1), "state": state, **self._mark}
        if isinstance(error, GrantRefused):
            log = _log.debug if is_known else _log.error
            log("token endpoint refused", **facts, remedy=error.remedy)
        else:
            log = _log.debug if is_known else _log.warning
            log("token not obtained", **facts)

    def fetched(self) -> None:
        """A fetch gave a token: the next failure is news again."""
        self._said = None

    def obtained(self, *, generation: int, life: float | None) -> None:
        """There is a token to hand out; its ``life`` in seconds, ``None``: not known."""
        _log.info("token obtained", generation=generation, life_seconds=life, **self._mark)

    def rejected(self, *, generation: int, in_row: int, wait: float) -> None:
        """A token was not accepted, ``in_row`` fresh ones by now; the next one comes in ``wait`` seconds."""
        log = {1: _log.warning, 2: _log.error}.get(in_row, _log.debug)
        log(
            "token rejected",
            generation=generation,
            reason=self._use.rejected_again if in_row > 1 else self._use.rejected,
            next_attempt_seconds=round(wait, 1),
            **self._mark,
        )

    def doubted(self, *, generation: int) -> None:
        """Nobody gets through with a token, and nothing is said of it; another one is fetched."""
        _log.warning(
            "nobody gets through with the token",
            generation=generation,
            reason="attempts end without a reason; a fresh token is tried",
            **self._mark,
        )

    def status(
        self,
        token: Token | None,
        *,
        now: float,
        error: RetriableError | None,
        rejections: Rejections,
        is_replacing: bool,
    ) -> TokenStatus:
        """
        Return how it stands with ``token``, the current one if there is any. ``error`` is that of the last
        fetch, ``None`` where it gave a token; ``is_replacing`` says that a fetch comes for a rejection.
        """
        is_rejected = rejections.blame_the_token or bool(rejections and is_replacing)
        last_error = None
        if error is not None:
            last_error = str(error)
        elif rejections.are_repeated:
            last_error = self._use.rejected_again
        elif is_rejected:
            last_error = self._use.rejected
        expires_at = token.expires_at if token else None
        return TokenStatus(
            state=_state(token, now, error, has_rejections=bool(rejections), is_rejected=is_rejected),
            expires_in_seconds=None if expires_at is None else expires_at - now,
            last_error=last_error,
            generation=token.generation if token else 0,
            alarm=isinstance(error, GrantRefused) or rejections.are_repeated,
        )


def _state(
    token: Token | None, now: float, error: RetriableError | None, *, has_rejections: bool, is_rejected: bool
) -> TokenState:
    is_usable = token is not None and not token.has_expired(now)
    if is_usable and not (is_rejected or (has_rejections and error is not None)):
        return "valid"
    if isinstance(error, GrantRefused):
        return "refused"
    if token is None:
        return "none"
    return "rejected" if has_rejections else "expired"
