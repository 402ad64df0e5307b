"""
The loop over a frame's rows, written for a subscription's paths and compiled once.

It knows ordinary rows only: every field there, of the kind that it had so far, a time seen before. Whatever
else a row is, it is left to the general way, which is slower by a few calls for each field. What is not
asked for is not in it: no digest without an identity, no call for a converter that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import CodeType
from typing import Protocol

import msgspec

from connector.records.bad import Unconvertible
from connector.records.built import BuiltRecords
from connector.records.converter import call_of
from connector.records.fields import BROKEN, REMEMBERED, Fields, Path
from connector.records.identity import BETWEEN, DIGESTS, Admits
from connector.records.record import Headers, SourceRecord
from connector.records.record_spec import RecordSpec


class Loop(Protocol):
    """Puts rows, in their order, into ``built``, which has a list for the topic already."""

    def __call__(
        self, rows: Sequence[msgspec.Raw], headers: Headers, built: BuiltRecords, admits: Admits | None
    ) -> None:
        """All records carry ``headers``; ``admits`` is there where the loop judges."""
        ...


General = Callable[[msgspec.Raw, Headers, BuiltRecords, Admits | None], None]
"""Takes a row that is not ordinary."""

Unconverted = Callable[[Unconvertible, str, SourceRecord, BuiltRecords, int | None], None]
"""Takes why a row could not be converted, its topic, the record that it would have been, and its digest."""

SCALAR = frozenset(b'"-0123456789')
"""First bytes of what is a key's part as it stands on the wire."""


def compile_loop(
    spec: RecordSpec,
    fields: Fields,
    *,
    texts: Collection[Path],
    integers: Collection[Path],
    times: Mapping[str, int],
    judges: bool,
    general: General,
    unconverted: Unconverted,
) -> Loop:
    """
    Return the loop for rows with these ``fields``; the topic of ``spec`` must be static.

    Those at ``texts`` are strings in ordinary rows, those at ``integers``, which are of the identity alone,
    integers; that goes faster than to look. ``times`` are the event times known so far, and may change. Where
    it ``judges`` (which takes an identity), rows are asked for.
    """
    names: dict[str, object] = {
        "decode": msgspec.json.Decoder(fields.with_kinds(texts, integers)).decode,
        "times": times,
        "scalar": SCALAR,
        "not_ordinary": _NOT_ORDINARY,
        "general": general,
        "unconverted": unconverted,
        "unconvertible": Unconvertible,
        "topic": spec.topic.static,
        "convert": call_of(spec.converter),
        "digest": DIGESTS[spec.identity.bits] if spec.identity else None,
    }
    names |= {f"name{number}": name for number, (name, _) in enumerate(spec.headers)}
    source = _source(spec, fields, texts, integers, judges=judges)
    exec(_compiled(source), names)  # noqa: S102 - paths were checked to be names, and stand in it as numbers only
    loop: Loop = names["loop"]  # type: ignore[assignment]
    return loop


def _source(
    spec: RecordSpec, fields: Fields, texts: Collection[Path], integers: Collection[Path], *, judges: bool
) -> str:
    lines, key = _key(fields, spec.key, texts)
    variables = {spec.key[0]: "key"} if len(spec.key) == 1 else {}
    timestamp, own = "None", "headers"
    if spec.timestamp is not None:
        where = _item(fields, spec.timestamp)
        lines.append(f"timestamp = times[{where if spec.timestamp in texts else f'bytes({where}).decode()'}]")
        timestamp = "timestamp"
    for number, (_, path) in enumerate(spec.headers):
        lines += _text(f"header{number}", _item(fields, path), is_text=path in texts)
        own += f", (name{number}, header{number})"
        variables.setdefault(path, f"header{number}")
    if spec.headers:
        own = f"[*{own}]"
    known = "None"
    if spec.identity is not None:
        known = "known"
        lines += _identity(fields, spec.identity.fields, texts, integers, variables)
    before, after = _steps(spec, f"({key}, {{}}, {timestamp}, {own})", known, judges=judges)
    return f"""
def loop(rows, headers, built, admits):
    append = built.topics[topic].append{_indented(before, 4)}
    for row in rows:
        try:{_indented(["item = decode(row)", *lines], 12)}
        except not_ordinary:
            general(row, headers, built, admits)
            continue{_indented(after, 8)}
"""


def _steps(spec: RecordSpec, record: str, known: str, *, judges: bool) -> tuple[list[str], list[str]]:
    """
    What is done before the loop, and with an ordinary row.

    A row is judged before it is converted: converting may cost more than all else.
    """
    before: list[str] = []
    after: list[str] = []
    value = "row"
    if spec.identity is not None:
        before.append("keep = built.digests[topic].append")
    if judges:
        before.append("refuse = built.refused.append")
        after += ["if not admits(known, row):", "    refuse((row, known))", "    continue"]
    if call_of(spec.converter) is not None:
        after += [
            "try:",
            "    value = convert(topic, row)",
            "except unconvertible as error:",
            f"    unconverted(error, topic, {record.format('row')}, built, {known})",
            "    continue",
        ]
        value = "value"
    if spec.identity is not None:
        after.append("keep(known)")
    return before, [*after, f"append({record.format(value)})"]


def _indented(lines: Sequence[str], columns: int) -> str:
    return "".join(f"\n{' ' * columns}{line}" for line in lines)


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


def _identity(
    fields: Fields,
    paths: Sequence[Path],
    texts: Collection[Path],
    integers: Collection[Path],
    variables: Mapping[Path, str],
) -> list[str]:
    """``variables`` are those that have the text of a field already."""
    lines: list[str] = []
    names: list[str] = []
    for number, path in enumerate(paths):
        place = _item(fields, path)
        name = place if path in integers else variables.get(path, f"identity{number}")
        names.append(name)
        if path not in integers and path not in variables:
            lines += _text(name, place, is_text=path in texts)
        if path not in integers and path not in texts:
            lines.append(f"if {name} == b'-0': raise KeyError")  # written otherwise where it is an integer
    parts = BETWEEN.join(b"%d" if path in integers else b"%b" for path in paths)
    if any(path in integers for path in paths):
        whole = f"{parts!r} % ({', '.join(names)},)"
    else:
        whole = f"{BETWEEN!r}.join(({', '.join(names)}))" if len(names) > 1 else names[0]
    return [*lines, f"known = digest({whole})"]


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
