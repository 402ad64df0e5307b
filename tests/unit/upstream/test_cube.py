"""The notation of what tells rows apart."""

from __future__ import annotations

import pytest

from connector.upstream import Cube, IdentityPart, cube

HASH, INDEX = ("Block", "Hash"), ("Log", "Index")


@pytest.mark.parametrize(
    ("written", "alternatives", "optional"),
    [
        ("Block.Hash", ((HASH,),), False),
        ("Side", ((("Side",),),), False),
        ("Block.Hash?", ((HASH,),), True),
        ("Block.Hash | Log.Index", ((HASH,), (INDEX,)), False),
        ("Side | Block.Hash + Log.Index", ((("Side",),), (HASH, INDEX)), False),
        ("Block.Hash | Log.Index?", ((HASH,), (INDEX,)), True),
    ],
)
def test_a_part_is_written_as_it_is_read(
    written: str, alternatives: tuple[tuple[tuple[str, ...], ...], ...], optional: bool
) -> None:
    (part,) = cube(written, kind="unique", cursor="x").identity
    assert part == IdentityPart(alternatives=alternatives, optional=optional)
    assert str(part) == written


def test_a_cube_has_parts_a_kind_and_a_cursor() -> None:
    made = cube("a", "b.c", kind="advisory", cursor="d.e")
    parts = tuple(IdentityPart(alternatives=((path,),)) for path in (("a",), ("b", "c")))
    assert made == Cube(identity=parts, kind="advisory", cursor=("d", "e"))
