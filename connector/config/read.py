"""A file → a checked configuration, or every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from connector.auth.grant import is_access_token
from connector.config.checks import check_whole, drop_empty, named_files
from connector.config.defaults import fill_defaults, preset_of
from connector.config.documents import plan_all
from connector.config.errors import check_errors
from connector.config.files import Files
from connector.config.idle import warnings_of
from connector.config.not_built import refuse_not_built
from connector.config.peers import find_peers
from connector.config.placeholders import Filler
from connector.config.redacted import hide, secret_values
from connector.config.root import WRITE_TOKEN, Config
from connector.config.secret import Unresolved
from connector.config.source import Source, read_source, read_text
from connector.config.tls import check_tls
from connector.config.validation import is_part_of_a_key, report_errors
from connector.errors import ConfigError, Problem

_NO_BROKERS = {"bootstrap_servers": "localhost:9092"}
"""Stands for the section where nobody is going to be asked."""

LEVEL_VARIABLE = "CONNECTOR_LOG_LEVEL"
"""The environment variable that overrides ``log.level``."""


def read_config(
    path: str | Path,
    *,
    env: Mapping[str, str],
    resolve: bool = True,
    files: Files | None = None,
    brokers: bool = True,
) -> Config:
    """
    Read, complete and check a configuration with the documents that it names.

    Relative paths start from the file's directory. With ``resolve=False`` placeholders are left
    unresolved, and what depends on them is not checked. With ``brokers=False`` the section ``kafka`` may be
    missing, and what it holds is not looked at. ``files`` remembers what was read, also where this
    raises.

    Raises:
        ConfigError: Something is wrong; it names everything that is, in the order of the file.
    """
    source = read_source(Path(path), files or Files())
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
    _find_token_file(tree, source, look=resolve)
    check_tls(tree, source, look=resolve)
    config = _validate(tree, source)
    peers = find_peers(config, env, source) if config is not None and resolve else None
    plans = plan_all(tree.get("subscriptions"), source, preset_of(tree), filler.from_files)
    check_errors(tree, plans, source)
    secrets = (*secret_values(tree, filler.filled), *(peers.secrets() if peers else ()))
    if source.problems or config is None:
        raise ConfigError(_in_order([_hide(problem, secrets) for problem in source.problems], source))
    config._plans = plans
    config._secrets = secrets
    config._warnings = tuple(hide(warning, secrets) for warning in warnings_of(config, source))
    config._peers = peers
    config._files = source.files.seen
    return config


def _validate(tree: dict[str, object], source: Source) -> Config | None:
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        report_errors(error, source)
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


def _find_token_file(tree: dict[str, object], source: Source, *, look: bool) -> None:
    """Make the path a full one; with ``look`` see that a token is there."""
    name = tree.get("token_file")
    if not isinstance(name, str) or isinstance(name, Unresolved) or not name.strip():
        return
    file = source.directory / name
    tree["token_file"] = str(file)
    if not look:
        return
    mistake = _token_mistake(file)
    if mistake is not None:
        source.report(("token_file",), *mistake)
        source.files.note(file)


def _token_mistake(file: Path) -> tuple[str, str] | None:
    try:
        token = read_text(file, what="the token file", files=Files()).strip()
    except ConfigError as error:
        return error.problems[0].message, error.problems[0].remedy
    if not token:
        return "the token file is empty", "write the token into it"
    if not is_access_token(token):
        return "the token file holds characters that no access token may have", WRITE_TOKEN
    return None


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
