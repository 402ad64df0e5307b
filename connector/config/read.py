"""A file → a checked configuration, or every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from connector.config.checks import check_whole, drop_empty, named_files
from connector.config.defaults import fill_defaults, preset_of
from connector.config.documents import plan_all
from connector.config.errors import check_errors
from connector.config.events import check_events_topic
from connector.config.files import Files
from connector.config.idle import warnings_of
from connector.config.loaded import LoadedConfig, Outline
from connector.config.not_built import refuse_not_built
from connector.config.offsets import check_offsets
from connector.config.parse import read_source
from connector.config.peers import find_peers
from connector.config.placeholders import Filler
from connector.config.redacted import hide, secret_values
from connector.config.root import Config
from connector.config.routes import Routes, find_routes
from connector.config.source import Source
from connector.config.tls import check_tls
from connector.config.token_file import find_token_file
from connector.config.unresolved import as_written, unresolved_paths
from connector.config.validation import is_part_of_a_key, report_errors
from connector.errors import ConfigError, Problem
from connector.records.plan import SubscriptionPlan

_NO_BROKERS = {"bootstrap_servers": "localhost:9092"}
"""Stands for the section where nobody is going to be asked."""

LEVEL_VARIABLE = "CONNECTOR_LOG_LEVEL"
"""The environment variable that overrides ``log.level``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What a file holds that has no mistakes."""

    tree: Mapping[str, object]
    config: Config | None
    """``None`` where a value that is not known does not pass for one of its kind."""
    plans: tuple[SubscriptionPlan, ...]
    routes: Routes
    secrets: tuple[str, ...]
    warnings: tuple[str, ...]


def read_config(
    path: str | Path, *, env: Mapping[str, str], files: Files | None = None, brokers: bool = True
) -> LoadedConfig:
    """
    Read, complete and check a configuration with the documents that it names.

    Relative paths start from the file's directory. ``files`` remembers what was read, also where this
    raises; ``None``: nobody wants to know. With ``brokers=False`` the section ``kafka`` may be missing, and
    what it holds is not looked at.

    Raises:
        ConfigError: Something is wrong; it names everything that is, in the order of the file.
    """
    files = files if files is not None else Files()
    found = _check(Path(path), env, files, resolve=True, brokers=brokers)
    assert found.config is not None  # a placeholder that cannot be filled is a mistake
    return LoadedConfig(
        config=found.config,
        plans=found.plans,
        peers=find_peers(found.config, found.routes),
        secrets=found.secrets,
        warnings=found.warnings,
        files=files.seen,
    )


def check_without_secrets(path: str | Path, *, env: Mapping[str, str]) -> Outline:
    """
    Check a configuration as `read_config` does, but fill no placeholder, nor check what depends on one.

    Of ``env`` only `LEVEL_VARIABLE` is looked at.

    Raises:
        ConfigError: As `read_config`.
    """
    found = _check(Path(path), env, Files(), resolve=False)
    return Outline(name=str(as_written(found.tree["name"])), plans=found.plans, warnings=found.warnings)


def _check(
    path: Path, env: Mapping[str, str], files: Files, *, resolve: bool, brokers: bool = True
) -> _Found:
    source = read_source(path, files)
    if not brokers:
        source.tree["kafka"] = dict(_NO_BROKERS)
    filler = Filler(source, env, resolve=resolve)
    tree = filler.fill(source.tree)
    assert isinstance(tree, dict)
    drop_empty(tree, source)
    refuse_not_built(tree, source)
    _override_level(tree, env, source)
    fill_defaults(tree)
    check_whole(tree, source)
    _note_files(tree, source)
    find_token_file(tree, source, look=resolve)
    check_tls(tree, source, look=resolve)
    config = _validate(tree, source)
    routes = find_routes(tree, env, source) if resolve else Routes()
    plans = plan_all(tree.get("subscriptions"), source, preset_of(tree), filler.from_files)
    check_errors(tree, plans, source)
    check_events_topic(tree, plans, source)
    check_offsets(tree, plans, source)
    secrets = (*secret_values(tree, filler.filled), *routes.secrets())
    if source.problems:
        raise ConfigError(_in_order([_hide(problem, secrets) for problem in source.problems], source))
    warnings = tuple(hide(warning, secrets) for warning in warnings_of(tree, source, plans, look=resolve))
    return _Found(tree=tree, config=config, plans=plans, routes=routes, secrets=secrets, warnings=warnings)


def _validate(tree: dict[str, object], source: Source) -> Config | None:
    """The sections; mistakes are reported, but for those of values that are not known."""
    try:
        return Config.model_validate(as_written(tree))
    except ValidationError as error:
        report_errors(error, source, set(unresolved_paths(tree)))
        return None


def _override_level(tree: dict[str, object], env: Mapping[str, str], source: Source) -> None:
    level = env.get(LEVEL_VARIABLE)
    if not level:
        return
    if level.lower() not in ("debug", "info", "warning", "error"):
        message = f"{LEVEL_VARIABLE} must be one of: debug, info, warning, error"
        remedy = f"correct {LEVEL_VARIABLE}"
        source.problems.append(Problem(where="environment", path=None, message=message, remedy=remedy))
        return
    section = tree.setdefault("log", {})
    if isinstance(section, dict):
        section["level"] = level.lower()


def _note_files(tree: dict[str, object], source: Source) -> None:
    """Remember the files that others read, by the names of their keys."""
    for path, value in named_files(tree):
        # That one may be empty or missing for a while; who uses it follows it by itself.
        if path != ("token_file",):
            source.files.note(source.directory / value)


def _hide(problem: Problem, secrets: tuple[str, ...]) -> Problem:
    """A problem may quote a name, a path or a topic; where that came from a secret, it must not."""
    message, remedy = hide(problem.message, secrets), hide(problem.remedy, secrets)
    path = problem.path and hide(problem.path, (secret for secret in secrets if not is_part_of_a_key(secret)))
    return Problem(where=hide(problem.where, secrets), path=path, message=message, remedy=remedy)


def _in_order(problems: list[Problem], source: Source) -> list[Problem]:
    """By their lines in the configuration; what is elsewhere comes last, in the order found."""

    def place(problem: Problem) -> tuple[bool, int]:
        line = problem.where.removeprefix(f"{source.name}:").partition(":")[0]
        return not line.isdigit(), int(line) if line.isdigit() else 0

    return sorted(problems, key=place)
