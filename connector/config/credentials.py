"""Where the token of a session goes: one place or several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator

from connector.config.mistake import Mistake
from connector.config.names import header_name
from connector.config.paths import KeyPath
from connector.config.scalars import text
from connector.config.section import Section, setting
from connector.config.source import Source
from connector.config.unresolved import as_written
from connector.config.values import Text, choice
from connector.presets import Preset
from connector.presets.preset import DEFAULT_CREDENTIALS
from connector.upstream import Placement

Place = Annotated[Literal["url", "header", "init"], choice("url", "header", "init")]

_PATH: KeyPath = ("endpoint", "credentials")


def _one_token(value: object) -> str:
    checked = text(value)
    if checked.count("{token}") != 1:
        raise Mistake("must hold {token} exactly once", "write {token}, or 'Bearer {token}'")
    if re.search(r"[{$<%]\{token\}|\{token\}[}>%]", checked):
        raise Mistake("has signs around {token} that are sent with it", "write {token} alone, without them")
    if not checked.isprintable():
        raise Mistake("holds a line break or control character", "take it out")
    return checked


class CredentialsSection(Section):
    """Where the token of a session goes."""

    from_preset: ClassVar[frozenset[str]] = frozenset({"in", "name", "template"})

    in_: Place = setting(
        ...,
        "Where the token goes: the URL's query, a header of the handshake, or connection_init's payload.",
        alias="in",
    )
    name: Text = setting(
        ...,
        "The query parameter, header or payload key that holds it. Dots lead to a key below a key of the "
        "payload: headers.Authorization.",
    )
    template: Annotated[str, BeforeValidator(_one_token)] = setting(
        ..., "What is put there; {token} stands for the token, exactly once."
    )


def _as_list(value: object) -> object:
    return [value] if isinstance(value, Mapping) else value


CredentialsList = Annotated[tuple[CredentialsSection, ...], BeforeValidator(_as_list)]
"""One mapping stands for a list of one."""


def fill_credentials(endpoint: dict[str, Any], preset: Preset) -> None:
    """Put in what the user left out."""
    if "credentials" not in endpoint:
        endpoint["credentials"] = [_written(known) for known in preset.credentials]
        return
    for _, given in _each(endpoint):
        place = given.setdefault("in", preset.credentials[0].place)
        known = next((one for one in preset.credentials if one.place == place), None)
        if known is None:
            known = DEFAULT_CREDENTIALS.get(place if isinstance(place, str) else "", preset.credentials[0])
        for key, value in _written(known).items():
            given.setdefault(key, value)


def _written(known: Placement) -> dict[str, str]:
    return {"in": known.place, "name": known.name, "template": known.template}


def check_credentials(endpoint: Mapping[str, object], source: Source, *, is_anonymous: bool) -> None:
    """Report names that are no names, and places that something else has taken."""
    if endpoint.get("credentials") == []:
        source.report(_PATH, "is an empty list", "say where the token goes, or take the key out")
    if is_anonymous:
        return
    seen: set[tuple[str, str]] = set()
    for path, given in _each(endpoint):
        place, name = given.get("in"), given.get("name")
        if not isinstance(name, str) or not isinstance(place, str):
            continue
        known = name.lower() if place == "header" else name
        if (place, known) in seen:
            source.report((*path, "name"), "is where the token goes already", "keep one of them")
        seen.add((place, known))
        _check_place(place, name, path, endpoint, source)


def _each(endpoint: Mapping[str, object]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    given = endpoint.get("credentials")
    if isinstance(given, dict):
        yield _PATH, given
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, dict):
            yield (*_PATH, index), item


def _check_place(
    place: str, name: str, path: KeyPath, endpoint: Mapping[str, object], source: Source
) -> None:
    # Of a URL with a placeholder, what is written out counts.
    url = as_written(endpoint.get("url"))
    headers, payload = endpoint.get("headers"), endpoint.get("init_payload")
    match place:
        case "url" if isinstance(url, str) and name in _query_names(url):
            what = f"already holds {name!r}, where the token goes"
            source.report(("endpoint", "url"), what, "take it out, or give credentials another name")
        case "header":
            _check_header_name(name, (*path, "name"), source)
            for key in headers if isinstance(headers, dict) else ():
                if key.lower() == name.lower():
                    source.report(("endpoint", "headers", key), "is where the token goes", "take it out")
        case "init" if not all(part.strip() for part in name.split(".")):
            message = "is no path of keys"
            source.report((*path, "name"), message, "write keys with dots between them")
        case "init":
            _check_payload(payload, name, source)


def _check_header_name(name: str, path: KeyPath, source: Source) -> None:
    try:
        header_name(name)
    except Mistake as mistake:
        source.report(path, mistake.message, mistake.remedy)


def _check_payload(payload: object, name: str, source: Source) -> None:
    """Report what stands on the way to the token's key."""
    here: KeyPath = ("endpoint", "init_payload")
    *above, last = name.split(".")
    for part in above:
        if not isinstance(payload, dict) or part not in payload:
            return
        here, payload = (*here, part), payload[part]
    if not isinstance(payload, dict | None):
        source.report(here, f"holds no keys, but the token goes to {name} below it", "take it out")
    elif payload and last in payload:
        source.report((*here, last), "is where the token goes", "take it out")


def _query_names(url: str) -> list[str]:
    try:
        return [name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)]
    except ValueError:
        return []
