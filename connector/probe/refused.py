"""What a refused or failed session is called, and what to do about it: as the table of refusals has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.probe.finding import Finding
from connector.refusals import Action, Symptom, Verdict
from connector.subscription import SessionError

SUBPROTOCOL_REFUSED = "subprotocol_refused"
"""The table's reason of a server that does not speak what it selected."""

CHECKS = ("connection", "handshake", "subprotocol", "connection_ack", "keep-alive")
"""The steps of opening a session, in their order."""

_OF_PLACE = {
    "connect": "connection",
    "handshake": "handshake",
    "subprotocol": "subprotocol",
}
_OF_CREDENTIALS = (Action.NEW_TOKEN, Action.PAUSE)
_LONGEST_QUOTE = 160


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """``classify`` is the table of refusals, ``remedy`` what it advises for a reason."""

    classify: Callable[[Symptom], Verdict]
    remedy: Callable[[str], str]

    def place_of(self, error: SessionError) -> str:
        """Return the check that ``error`` is the outcome of, before there is an acknowledgement."""
        return _OF_PLACE.get(error.symptom.place, "connection_ack")

    def refusal(self, subject: str, check: str, error: SessionError) -> Finding:
        """Return the finding of a session that ended with ``error``."""
        symptom = error.symptom
        verdict = self.classify(symptom)
        facts = {
            "reason": verdict.reason,
            "status": symptom.status,
            "close_code": symptom.close_code,
            "error_codes": list(symptom.error_codes) or None,
        }
        return Finding(
            area="endpoint",
            subject=subject,
            check=check,
            outcome="refused" if verdict.action in _OF_CREDENTIALS else "failed",
            detail=_detail(error, verdict),
            remedy=self.remedy(verdict.reason),
            facts={name: fact for name, fact in facts.items() if fact is not None},
        )

    @staticmethod
    def silence(subject: str, limit: float, *, asked: bool) -> Finding:
        """Return the finding of a session that was acknowledged, and then brought no sign of life."""
        what = "our ping was not answered" if asked else "none came"
        return Finding(
            area="endpoint",
            subject=subject,
            check="keep-alive",
            outcome="failed",
            needed=False,
            detail=f"{what} within {limit:g} s; a session that is so quiet, without rows either, is given up",
            remedy="if rows may be rare: a longer endpoint.keepalive_timeout",
        )


def _detail(error: SessionError, verdict: Verdict) -> str:
    """What happened; what the server said with an HTTP status is not in the error's own text."""
    said = error.symptom.texts[0] if error.symptom.place == "handshake" and error.symptom.texts else ""
    said = "" if said in str(error) else said
    if len(said) > _LONGEST_QUOTE:
        said = said[:_LONGEST_QUOTE] + "…"
    quoted = f" and said: {said}" if said else ""
    return f"{error}{quoted} [{verdict.reason}]"
