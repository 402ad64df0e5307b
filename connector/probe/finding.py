"""What a probe found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Area = Literal["token", "endpoint", "kafka", "topic"]
Outcome = Literal["ok", "refused", "missing", "failed", "not checked", "not needed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    One line of the report: ``check`` of ``subject``.

    ``ok`` was seen to work; ``refused``: our credentials were not accepted; ``missing``: a right was not
    granted; ``failed``: nobody was reached, or what answered cannot be used; ``not checked``: nothing is
    known, for the reason in ``detail``; ``not needed``: the connector goes without.

    ``how`` says how it was asked, ``remedy`` what to do; each is empty where there is nothing to say.
    ``needed`` is false where the connector runs without it. ``facts`` are for machines.
    """

    area: Area
    subject: str
    check: str
    outcome: Outcome
    detail: str = ""
    remedy: str = ""
    how: str = ""
    needed: bool = True
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All findings, in the order of the walk of a row."""

    findings: Sequence[Finding]

    @property
    def is_refused(self) -> bool:
        """Whether credentials or a right that is needed were refused."""
        return any(one.needed and one.outcome in ("refused", "missing") for one in self.findings)

    @property
    def is_failed(self) -> bool:
        """Whether something that is needed cannot be reached or used."""
        return any(one.needed and one.outcome == "failed" for one in self.findings)

    @property
    def unchecked(self) -> int:
        """How many of what is needed could not be checked."""
        return sum(one.needed and one.outcome == "not checked" for one in self.findings)
