"""What a subscription asks for and what was made of it once its document had been checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from connector.errors import ConnectorError
from connector.records.dedup import DedupWindow
from connector.upstream import Cube, IdentityKind

FieldPath: TypeAlias = tuple[str, ...]
"""Response names (aliases where the document gives them), from the outside in."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_CUBES: Mapping[str, Cube] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class RowIdentity:
    """The ``fields`` below a row, at least one, that tell it from others as surely as ``kind`` says."""

    fields: tuple[FieldPath, ...]
    kind: IdentityKind


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionSpec:
    """
    One subscription as the user wrote it; the paths are only split, not yet checked.

    ``rows`` is ``None`` where the default is wanted. ``unchecked`` names the variables whose value is
    not known yet, so that only their names are checked. ``identity`` and ``cursor`` are ``None`` where what
    is known of the upstream is to be taken; ``add_fields`` says that their fields may be added to the
    document. ``dedup`` is ``None`` for the default window wherever there is an identity.
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
    identity: tuple[FieldPath, ...] | None = None
    cursor: FieldPath | None = None
    add_fields: bool = False
    dedup: DedupWindow | Literal["off"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRules:
    """
    What is known of an upstream's documents.

    ``rows_default`` says where the rows are when the user does not: ``root`` is the root field, ``cube``
    the single field below it. The cube maps go from ``Root.Field`` (names of the schema, not aliases) to
    a warning; those of ``filtered_cubes`` are given only where the document has no ``where``. ``cubes`` says
    what tells their rows apart. ``metrics`` are fields that make a row an aggregate of others; where there
    are any, so are fields of a row that have arguments, but for the ``expressions``.
    """

    rows_default: Literal["root", "cube"] = "root"
    warned_cubes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    filtered_cubes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    cubes: Mapping[str, Cube] = field(default_factory=lambda: _NO_CUBES)
    metrics: frozenset[str] = frozenset()
    expressions: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionPlan:
    """
    One checked subscription: all that running it needs to know of its document.

    ``rows`` leads from ``data`` to the list (or the object) whose elements become records; ``key``,
    ``timestamp`` and the ``headers`` are relative to one row, of which fields are selected where there are
    ``object_rows``. ``topic`` is a template in which only row
    fields are left (``{Block.Number}``): variables have been put in. ``operation_name`` is ``None`` where
    the document holds a single operation. ``cubes`` is how many streams the upstream bills for it.
    ``identity`` and ``cursor`` are ``None`` where there is none, ``dedup`` where repeats are not dropped.
    ``has_metrics``: a row is an aggregate of others, as far as that is known.
    ``document_text`` holds the fields ``added`` to it (below a row). ``lacks`` say, under the keys
    ``identity`` and ``cursor``, why there is none, and what would help. ``warnings`` are sentences for the
    log; two plans that differ only in these two are the same.
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
    identity: RowIdentity | None = None
    cursor: FieldPath | None = None
    dedup: DedupWindow | None = None
    has_metrics: bool = False
    added: tuple[FieldPath, ...] = ()
    lacks: tuple[Finding, ...] = field(default=(), compare=False)
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
