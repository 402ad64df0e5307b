"""What all sections share."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from connector.config.values import leave_unresolved


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

    @field_validator("*", mode="wrap")
    @classmethod
    def _leave_unresolved(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        return leave_unresolved(value, handler)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


def setting(default: Any = ..., description: str = "", **more: Any) -> Any:
    """One key: its default as a user would write it (``...``: required), and what it does."""
    return Field(default, description=description, **more)
