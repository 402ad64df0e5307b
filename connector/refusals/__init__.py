"""What was answered, by whom → what is done: the one table of refusals."""

from connector.refusals.general import RULES
from connector.refusals.pace import LONGEST_ASKED, PACES, TOKEN_TOO_OLD, Pace
from connector.refusals.pattern import LONGEST_TEXT, BadPattern, check_pattern, search_pattern
from connector.refusals.providers import PROVIDERS
from connector.refusals.reasons import remedy_of
from connector.refusals.repetition import RepetitionFilter, kind_of
from connector.refusals.rule import Rule
from connector.refusals.symptom import PLACES, Action, Symptom, Verdict
from connector.refusals.table import Refusals, classify

__all__ = [
    "LONGEST_ASKED",
    "LONGEST_TEXT",
    "PACES",
    "PLACES",
    "PROVIDERS",
    "RULES",
    "TOKEN_TOO_OLD",
    "Action",
    "BadPattern",
    "Pace",
    "Refusals",
    "RepetitionFilter",
    "Rule",
    "Symptom",
    "Verdict",
    "check_pattern",
    "classify",
    "kind_of",
    "remedy_of",
    "search_pattern",
]
