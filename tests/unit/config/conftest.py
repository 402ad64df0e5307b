"""A small configuration that is right, to be made wrong in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from connector.config import Config, read_config
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

Read = Callable[..., Config]
Refused = Callable[..., "list[Problem]"]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a configuration and its files, and read it."""

    def _read(
        text: str | bytes = GENERIC,
        *,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        resolve: bool = True,
    ) -> Config:
        for name, content in {"orders.graphql": ORDERS, **(files or {})}.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        path = tmp_path / "shop.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_config(path, env=env or {}, resolve=resolve)

    return _read


@pytest.fixture
def refused(read: Read, tmp_path: Path) -> Refused:
    """The problems of a configuration that is refused, with the directory left out of ``where``."""

    def _refused(*args: object, **kwargs: object) -> list[Problem]:
        with pytest.raises(ConfigError) as caught:
            read(*args, **kwargs)
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
