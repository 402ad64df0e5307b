"""The address of a proxy, with or without user and password."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from connector.config.mistake import Mistake
from connector.config.secret import Secret
from connector.http import Proxy, ProxyMistake, parse_proxy

NONE = "none"
"""What switches proxies off, those of the environment too."""


class ProxyUrl(Secret):
    """``none``, or an address that shows itself without user and password."""

    __slots__ = ()

    @property
    def proxy(self) -> Proxy | Literal["none"]:
        return "none" if self.reveal() == NONE else parse_proxy(self.reveal())

    def __repr__(self) -> str:
        return str(self.proxy)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "x-type": "proxy"}

    @classmethod
    def _validate(cls, value: object) -> ProxyUrl:
        return value if isinstance(value, ProxyUrl) else proxy_url(value)


def proxy_url(value: object) -> ProxyUrl:
    """``none``, or the address of a proxy, as written."""
    if not isinstance(value, str):
        raise Mistake("must be an address", "write none, or one such as http://host:3128")
    text = value.strip()
    if text != NONE:
        try:
            parse_proxy(text)
        except ProxyMistake as mistake:
            raise Mistake(mistake.message, f"{mistake.remedy}; none switches proxies off") from None
    return ProxyUrl(text)


def proxy_secrets(text: str) -> tuple[str, ...]:
    """What must not be shown of an address, whether or not it can be used."""
    try:
        return parse_proxy(text).secrets
    except ProxyMistake:
        credentials, at, _ = text.partition("://")[2].rpartition("@")
        return (credentials,) if at else ()
