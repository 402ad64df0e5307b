"""What was answered, by whom → what is done: the one table of refusals."""

from connector.refusals.symptom import Action, Symptom, Verdict
from connector.refusals.table import RULES, Rule, classify

__all__ = ["RULES", "Action", "Rule", "Symptom", "Verdict", "classify"]
