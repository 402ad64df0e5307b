"""Each subscription's section and document → its plan."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from connector.config.files import read_text
from connector.config.paths import KeyPath, shown
from connector.config.root import SubscriptionSection
from connector.config.source import Mark, Source
from connector.config.unresolved import as_written, is_known
from connector.errors import ConfigError, Problem
from connector.presets import Preset
from connector.records.plan import DocumentRules, Finding, PlanError, SubscriptionPlan, SubscriptionSpec
from connector.records.planning import plan_subscription
from connector.records.unfilled import looks_unfilled, unfilled

_NOT_SHOWN = "the document lacks fields, or has some too many; its text comes from a ${file:…}"
_ELEMENT = re.compile(r"(key|identity)\[(\d+)\]")
_GRAPHQL = ("subscription", "query", "mutation", "fragment", "#", "gql", "graphql", "`")
_DISPENSABLE = {"name", "topic", "key", "timestamp", "headers", "value", "identity", "dedup", "add_fields"}
_OF_IDENTITY = {"dedup", "add_fields"}
"""What asks for an identity, which is not known where the one that is named is wrong."""


def plan_all(
    subscriptions: object, source: Source, preset: Preset, secret_paths: Collection[KeyPath]
) -> tuple[SubscriptionPlan, ...]:
    """
    The plans of all subscriptions that are well-formed; what is wrong with the others is reported.

    ``secret_paths`` are the keys whose values came from a file, and are therefore not quoted.
    """
    plans, before = [], len(source.problems)
    for index, raw in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        section = _section(raw)
        if section is None:
            continue
        plan = _plan(section, ("subscriptions", index), source, preset, secret_paths, raw)
        if plan is not None:
            plans.append(plan)
    if source.has_problem(("endpoint",)) or source.has_problem(("endpoint", "preset")):
        _forget_rows(subscriptions, source, before)
    return tuple(plans)


def _forget_rows(subscriptions: object, source: Source, before: int) -> None:
    """Take out what was found in rows since ``before``, where an unknown preset would say what rows are."""
    for index, raw in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        if isinstance(raw, dict) and "rows" not in raw:
            of_rows = re.compile(
                rf"subscriptions\[{index}\]\.(key|timestamp|headers|identity|dedup|add_fields)"
            )
            found = source.problems[before:]
            source.problems[before:] = [one for one in found if not of_rows.match(one.path or "")]


def _section(raw: object) -> SubscriptionSection | None:
    """The section without its wrong keys; ``None`` where its document cannot be checked without them."""
    if not isinstance(raw, dict):
        return None
    known = {name: value for name, value in raw.items() if name in SubscriptionSection.model_fields}
    if not all(is_known(value) for name, value in known.items() if name != "variables"):
        return None
    if "variables" in known:
        known["variables"] = as_written(known["variables"])
    try:
        return SubscriptionSection.model_validate(known)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors(include_url=False, include_input=False)}
    # These have been reported; the document can be checked without them.
    if not wrong <= _DISPENSABLE:
        return None
    wrong |= _OF_IDENTITY if "identity" in wrong else set()
    rest = {key: value for key, value in known.items() if key not in wrong}
    return SubscriptionSection.model_validate({"name": "x", "topic": "x", **rest})


def _plan(
    section: SubscriptionSection,
    path: KeyPath,
    source: Source,
    preset: Preset,
    secret_paths: Collection[KeyPath],
    raw: dict[str, object],
) -> SubscriptionPlan | None:
    is_inline = "{" in section.document
    file = source.directory / section.document
    text = section.document if is_inline else _read_document(section.document, (*path, "document"), source)
    if text is None:
        return None
    _check_topic_sources(section, path, source, secret_paths)
    rules = DocumentRules(
        rows_default=preset.rows_default,
        warned_cubes=preset.warned_cubes,
        filtered_cubes=preset.filtered_cubes,
        cubes=preset.cubes,
        metrics=preset.metrics,
        expressions=preset.expressions,
    )
    is_filled = (*path, "document") in secret_paths
    try:
        plan = plan_subscription(_spec(section, text, raw), rules)
    except PlanError as error:
        for finding in error.findings:
            _report(finding, path, source, None if is_inline else file, is_filled)
        return None
    doubts = _placeholders(text, path, source, None if is_inline else file, is_filled)
    warnings = (*plan.warnings, *doubts, *_of_variables(raw.get("variables"), path, source))
    lacks = plan.lacks
    if is_filled:
        lacks = tuple(replace(lack, message=_NOT_SHOWN, remedy="complete that text") for lack in lacks)
    return replace(plan, warnings=warnings, lacks=lacks)


def _placeholders(
    text: str, path: KeyPath, source: Source, file: Path | None, is_filled: bool
) -> Iterator[str]:
    """A warning for each text of the document that nobody fills in."""
    for found in unfilled(text):
        where, _ = _place(found, path, source, file)
        message = "a text of the document looks like a placeholder" if is_filled else found.message
        yield f"{where}: {message}; {found.remedy}"


def _of_variables(value: object, path: KeyPath, source: Source) -> Iterator[str]:
    """The same for the values of variables; they are not quoted, for they may have come from elsewhere."""
    path = path if "variables" in path else (*path, "variables")
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _of_variables(item, (*path, name), source)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_variables(item, (*path, index), source)
    elif isinstance(value, str) and looks_unfilled(value, _last_name(path)):
        what = "looks like a placeholder, and is sent as it stands"
        yield f"{source.where(path)}: {shown(path)} {what}; write the value, or ${{env:NAME}}"


def _last_name(path: KeyPath) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _check_topic_sources(
    section: SubscriptionSection, path: KeyPath, source: Source, secret_paths: Collection[KeyPath]
) -> None:
    for name in section.variables:
        if f"{{{name}}}" in section.topic and (*path, "variables", name) in secret_paths:
            what = f"holds ${name}, which comes from a file, whose text is never shown; topics are"
            source.report((*path, "topic"), what, "write the variable here, or take ${env:NAME} for it")


def _spec(section: SubscriptionSection, text: str, raw: dict[str, object]) -> SubscriptionSpec:
    variables = raw.get("variables")
    unknown = (
        [name for name, value in variables.items() if not is_known(value)]
        if isinstance(variables, dict)
        else []
    )
    return SubscriptionSpec(
        name=section.name,
        document=text,
        operation=section.operation,
        variables=section.variables,
        rows=_split(section.rows),
        key=_split_all(section.key),
        timestamp=_split(section.timestamp),
        topic=section.topic,
        headers=tuple((name, tuple(path.split("."))) for name, path in section.headers.items()),
        unchecked=frozenset(unknown),
        identity=_split_all(section.identity) if section.identity is not None else None,
        add_fields=section.add_fields,
        dedup=section.dedup.as_window() if section.dedup is not None else None,
    )


def _split_all(paths: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in paths)


def _split(path: str | None) -> tuple[str, ...] | None:
    return tuple(path.split(".")) if path is not None else None


def _read_document(written: str, path: KeyPath, source: Source) -> str | None:
    file = source.directory / written
    try:
        return read_text(file, what="the document", files=source.files)
    except ConfigError as error:
        problem = error.problems[0]
        message, remedy = f"{problem.where}: {problem.message}", problem.remedy
        if "there" in problem.message or "cannot be read" in problem.message:
            near = _neighbours(file)
            meant = _not_a_file(written)
            if near:
                remedy = f"did you mean {near[0]!r}?"
            elif meant is not None:
                message, remedy = meant
        source.report(path, message, remedy)
        return None


def _not_a_file(written: str) -> tuple[str, str] | None:
    """What ``document`` holds where it is no name of a file."""
    if written.lower().startswith(("http://", "https://")):
        return "is a URL, which is not fetched", "save the document in a file, and give its name"
    begins_so = written.lstrip().partition("\n")[0].lower().startswith(_GRAPHQL)
    if begins_so or "\n" in written.strip():
        what = "holds no '{', so it is taken for the name of a file, which is not there"
        return what, "give the name of a file, or the whole GraphQL: subscription { … }"
    return None


def _neighbours(file: Path) -> list[str]:
    try:
        names = [entry.name for entry in file.parent.iterdir() if entry.suffix in (".graphql", ".gql")]
    except (OSError, ValueError):
        return []
    return [name for name in names if Path(name).stem == file.name] or get_close_matches(
        file.name, names, n=1
    )


def _report(finding: Finding, path: KeyPath, source: Source, file: Path | None, is_filled: bool) -> None:
    where, here = _place(finding, path, source, file)
    key = f"{path[0]}[{path[1]}].{finding.key if len(here) > 3 else here[-1]}"
    message, remedy = finding.message, finding.remedy
    if is_filled:  # names and tokens of the document are parts of what must not be shown
        message, remedy = "does not fit its document, whose text comes from a ${file:…}", "correct that text"
    problem = Problem(where=where, path=key, message=message, remedy=remedy)
    if problem not in source.problems:
        source.problems.append(problem)


def _place(finding: Finding, path: KeyPath, source: Source, file: Path | None) -> tuple[str, KeyPath]:
    """Where it is, and the key that it is about."""
    here = source.written((*path, *_parts(finding.key)))
    where = source.where(here)
    if finding.key == "document" and finding.line is not None:
        if file is not None:
            where = f"{file}:{finding.line}:{finding.column}"
        else:
            where = _inline_place(source, source.marks.get(here), finding) or where
    return where, here


def _inline_place(source: Source, mark: Mark | None, finding: Finding) -> str | None:
    if mark is None or mark.text_line is None or finding.line is None or finding.column is None:
        return None
    return f"{source.name}:{mark.text_line + finding.line - 1}:{mark.text_column + finding.column - 1}"


def _parts(key: str) -> KeyPath:
    """``key[1]`` → ``key``, 1; ``variables.network`` → both names; a header's name may hold anything."""
    element = _ELEMENT.fullmatch(key)
    if element is not None:
        return element[1], int(element[2])
    head, dot, rest = key.partition(".")
    return (head, rest) if dot else (head,)
