"""What a subscription asks for and what was made of it once its document had been checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from connector.errors import ConnectorError

FieldPath: TypeAlias = tuple[str, ...]
"""Response names (aliases where the document gives them), from the outside in."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionSpec:
    """
    One subscription as the user wrote it; the paths are only split, not yet checked.

    ``rows`` is ``None`` where the default is wanted. ``unchecked`` names the variables whose value is
    not known yet, so that only their names are checked.
    """

    name: str
    document: str
    operation: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict, repr=False)
    rows: FieldPath | None = None
    key: tuple[FieldPath, ...] = ()
    timestamp: FieldPath | None = None
    topic: str = ""
    headers: tuple[tuple[str, FieldPath], ...] = ()
    unchecked: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRules:
    """
    What is known of an upstream's documents.

    ``rows_default`` says where the rows are when the user does not: ``root`` is the root field, ``cube``
    the single field below it. The cube maps go from ``Root.Field`` (names of the schema, not aliases) to
    a warning; those of ``filtered_cubes`` are given only where the document has no ``where``.
    """

    rows_default: Literal["root", "cube"] = "root"
    warned_cubes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    filtered_cubes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionPlan:
    """
    One checked subscription: all that running it needs to know of its document.

    ``rows`` leads from ``data`` to the list (or the object) whose elements become records; ``key``,
    ``timestamp`` and the ``headers`` are relative to one row, of which fields are selected where there are
    ``object_rows``. ``topic`` is a template in which only row
    fields are left (``{Block.Number}``): variables have been put in. ``operation_name`` is ``None`` where
    the document holds a single operation. ``cubes`` is how many streams the upstream bills for it.
    ``warnings`` are sentences for the log; two plans that differ only in them are the same.
    """

    name: str
    document_text: str = field(repr=False)
    operation_name: str | None
    variables: Mapping[str, object] = field(repr=False)
    root: str
    rows: FieldPath
    object_rows: bool
    key: tuple[FieldPath, ...]
    timestamp: FieldPath | None
    topic: str
    headers: tuple[tuple[str, FieldPath], ...]
    cubes: int
    warnings: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    One mistake in a subscription.

    ``key`` is relative to the subscription (``rows``, ``key[1]``, ``variables.network``, ``document``);
    ``line`` and ``column`` count from 1 inside the document, ``None`` where the mistake is not in it.
    """

    key: str
    message: str
    remedy: str
    line: int | None = None
    column: int | None = None


class PlanError(ConnectorError):
    """The subscription cannot be run; ``findings`` holds every mistake found, never none."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(f"{f.key}: {f.message} → {f.remedy}" for f in self.findings))
