"""
The loop over a frame's rows, written for a subscription's paths and compiled once.

It knows ordinary rows only: every field there, of the kind that it had so far, a time seen before. Whatever
else a row is, it is left to the general way, which is slower by a few calls for each field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

import msgspec

from connector.records.fields import BROKEN, REMEMBERED, Fields, Path
from connector.records.identity import BETWEEN, digest

Loop = Callable[
    [
        Sequence[msgspec.Raw],
        Any,
        Callable[[Any], None],
        Callable[[msgspec.Raw], None],
        Callable[[int], None],
    ],
    None,
]
"""
Called with rows, the headers that all of them carry, ``append``, which takes a finished row, ``other``,
which takes a row that is not ordinary, both in the order of the rows, and ``identified``, which takes the
digest of a row before ``append`` takes the row.
"""

SCALAR = frozenset(b'"-0123456789')
"""First bytes of what is a key's part as it stands on the wire."""


def compile_loop(
    fields: Fields,
    *,
    texts: Collection[Path],
    key: Sequence[Path],
    timestamp: Path | None,
    headers: Sequence[tuple[str, Path]],
    identity: Sequence[Path],
    times: Mapping[str, int],
) -> Loop:
    """
    Return the loop for rows with these fields; without an ``identity`` nothing is told of digests.

    Those at ``texts`` are strings in ordinary rows; that goes faster than to look. ``times`` are the event
    times known so far, and may change.
    """
    names: dict[str, object] = {
        "decode": msgspec.json.Decoder(fields.with_texts(texts)).decode,
        "times": times,
        "scalar": SCALAR,
        "not_ordinary": _NOT_ORDINARY,
        "digest": digest,
    }
    lines, key_text = _key(fields, key, texts)
    moment = "None"
    if timestamp is not None:
        where = _item(fields, timestamp)
        lines.append(f"moment = times[{where if timestamp in texts else f'bytes({where}).decode()'}]")
        moment = "moment"
    extra = []
    for number, (name, path) in enumerate(headers):
        names[f"name{number}"] = name
        lines += _text(f"header{number}", _item(fields, path), is_text=path in texts)
        extra.append(f"(name{number}, header{number})")
    own = f"[*headers, {', '.join(extra)}]" if extra else "headers"
    identified = _identity(fields, identity, texts, lines)
    body = "\n            ".join(["item = decode(row)", *lines])
    source = f"""
def loop(rows, headers, append, other, identified):
    for row in rows:
        try:
            {body}
        except not_ordinary:
            other(row)
        else:{identified}
            append(({key_text}, row, {moment}, {own}))
"""
    exec(_compiled(source), names)  # noqa: S102 - paths were checked to be names, and stand in it as numbers only
    loop: Loop = names["loop"]  # type: ignore[assignment]
    return loop


@lru_cache(maxsize=REMEMBERED)
def _compiled(source: str) -> CodeType:
    return compile(source, "<the loop over rows>", "exec")


_NOT_ORDINARY = (*BROKEN, AttributeError, KeyError, IndexError)
"""A row of another shape; a parent that is null; a time not seen before; a field that is absent."""


def _key(fields: Fields, paths: Sequence[Path], texts: Collection[Path]) -> tuple[list[str], str]:
    if not paths:
        return [], "None"
    if len(paths) == 1:
        return _text("key", _item(fields, paths[0]), is_text=paths[0] in texts), "key"
    lines = []
    for number, path in enumerate(paths):
        lines.append(f"key{number} = bytes({_item(fields, path)})")
        lines.append(f"if key{number}[0] not in scalar: raise KeyError")
    parts = ",".join(["%b"] * len(paths))
    values = ", ".join(f"key{number}" for number in range(len(paths)))
    return lines, f'b"[{parts}]" % ({values})'


def _identity(fields: Fields, paths: Sequence[Path], texts: Collection[Path], lines: list[str]) -> str:
    """Add what is to be read to ``lines``; return the line that tells of it."""
    if not paths:
        return ""
    names = [f"identity{number}" for number in range(len(paths))]
    for name, path in zip(names, paths, strict=True):
        lines += _text(name, _item(fields, path), is_text=path in texts)
    whole = f"{BETWEEN!r}.join(({', '.join(names)}))" if len(names) > 1 else names[0]
    return f"\n            identified(digest({whole}))"


def _text(name: str, place: str, *, is_text: bool) -> list[str]:
    """A field's text: a string without its quotes, a number as it is."""
    if is_text:
        return [f"{name} = {place}.encode()"]
    return [
        f"{name} = bytes({place})",
        f"if {name}[0] == 34:",
        f"    if b'\\\\' in {name}: raise KeyError",
        f"    {name} = {name}[1:-1]",
        f"elif {name}[0] not in scalar: raise KeyError",
    ]


def _item(fields: Fields, path: Path) -> str:
    return f"item.{fields.place(path)}"
