"""A small configuration that is right, to be made wrong in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connector.config import Config, LoadedConfig, Outline, check_without_secrets, read_config
from connector.errors import ConfigError, Problem

GENERIC = """\
name: shop
endpoint:
  url: ws://127.0.0.1:1/graphql
kafka:
  bootstrap_servers: localhost:9092
subscriptions:
  - name: orders
    document: orders.graphql
    topic: shop.orders
"""
ORDERS = """\
subscription Orders {
  orders {
    id
    at
    customer { id }
  }
}
"""

Write = Callable[..., Path]
Load = Callable[..., LoadedConfig]
Read = Callable[..., Config]
Outlined = Callable[..., Outline]
Refused = Callable[..., "list[Problem]"]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a configuration and the files that it names."""

    def _write(text: str | bytes = GENERIC, *, files: Mapping[str, str] | None = None) -> Path:
        for name, content in {"orders.graphql": ORDERS, **(files or {})}.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        path = tmp_path / "shop.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


@pytest.fixture
def load(write: Write) -> Load:
    """Write a configuration and its files, and read it."""

    def _load(
        text: str | bytes = GENERIC,
        *,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> LoadedConfig:
        return read_config(write(text, files=files), env=env or {})

    return _load


@pytest.fixture
def read(load: Load) -> Read:
    """As `load`, for the declared values alone."""

    def _read(*args: object, **kwargs: object) -> Config:
        return load(*args, **kwargs).config

    return _read


@pytest.fixture
def outlined(write: Write) -> Outlined:
    """Write a configuration and its files, and check it without its secrets."""

    def _outlined(
        text: str | bytes = GENERIC,
        *,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Outline:
        return check_without_secrets(write(text, files=files), env=env or {})

    return _outlined


@pytest.fixture
def refused(load: Load, outlined: Outlined, tmp_path: Path) -> Refused:
    """
    The problems of a configuration that is refused, with the directory left out of ``where``.

    With ``resolve=False`` those that are found without its secrets.
    """

    def _refused(*args: object, resolve: bool = True, **kwargs: object) -> list[Problem]:
        with pytest.raises(ConfigError) as caught:
            (load if resolve else outlined)(*args, **kwargs)
        problems = caught.value.problems
        assert problems
        assert all(problem.message and problem.remedy for problem in problems)
        return [
            Problem(
                where=problem.where.replace(f"{tmp_path}/", ""),
                path=problem.path,
                message=problem.message.replace(f"{tmp_path}/", ""),
                remedy=problem.remedy,
            )
            for problem in problems
        ]

    return _refused
