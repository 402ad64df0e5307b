"""The table of refusals as one asks it: the user's rules, the provider's, the general ones, in this order."""

from __future__ import annotations

from collections.abc import Sequence

from connector.refusals.general import RULES
from connector.refusals.providers import PROVIDERS
from connector.refusals.reasons import remedy_of
from connector.refusals.repetition import RepetitionFilter
from connector.refusals.rule import Rule
from connector.refusals.symptom import Action, Symptom, Verdict


class Refusals:
    """
    The rules of one endpoint, and a memory of what they did not know.

    ``provider`` is the name of its preset; ``overrides`` are asked first. ``token_is_given``: the token is
    one that the user gave, which nobody can replace by another one.
    """

    def __init__(
        self, *, provider: str = "", overrides: Sequence[Rule] = (), token_is_given: bool = False
    ) -> None:
        self._token_is_given = token_is_given
        self.rules = (*overrides, *PROVIDERS.get(provider, ()), *RULES)
        self._unknown = RepetitionFilter()

    def classify(self, symptom: Symptom) -> Verdict:
        """Return what to do; a symptom that no rule fits is retried."""
        for rule in self.rules:
            if rule.matches(symptom):
                return Verdict(action=rule.action, reason=rule.reason, known=rule.known)
        return Verdict(action=Action.RECONNECT, reason="unknown", known=False)

    def remedy_of(self, reason: str) -> str:
        """Return what there is to be done about ``reason``."""
        return remedy_of(reason, token_is_given=self._token_is_given)

    def is_news(self, symptom: Symptom) -> bool:
        """Return whether a symptom that is not known is worth saying: once for each kind, for all who ask."""
        return self._unknown.is_new(symptom)


def classify(symptom: Symptom, overrides: Sequence[Rule] = ()) -> Verdict:
    """Return what to do at an endpoint of no known provider."""
    return Refusals(overrides=overrides).classify(symptom)
