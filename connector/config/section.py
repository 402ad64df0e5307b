"""What all sections share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A frozen mapping of known keys. Its ``repr`` shows no values, for some may be secrets."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        validate_by_alias=True,
        validate_by_name=False,
        hide_input_in_errors=True,
    )

    from_preset: ClassVar[frozenset[str]] = frozenset()
    """Keys that are filled in before the section is checked, so that a user need not give them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


def given_in(tree: Mapping[str, object], section: type[Section], key: str) -> object:
    """What ``tree``, of which ``section`` is made, says at ``key``: as written, or its default."""
    return tree.get(key, section.model_fields[key].default)


def setting(default: Any = ..., description: str = "", **more: Any) -> Any:
    """One key: its default as a user would write it (``...``: required), and what it does."""
    return Field(default, description=description, **more)
