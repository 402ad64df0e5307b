"""What rows are compared by while two sessions live."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from connector.records.fields import Fields
from connector.records.identity import Identity, compile_identity
from connector.records.seam.content import content_digest


class RowDigests:
    """
    Digests of rows, 128 bits wide, computed for ``identity``; ``None``: what a row says is all that it is
    known by.

    An identity that is ``unique`` decides alone. With any other, rows are the same only where they say the
    same.
    """

    def __init__(self, identity: Identity | None, *, unique: bool) -> None:
        self._fields = Fields(identity.fields) if identity else None
        self._of_item = compile_identity(self._fields, identity) if identity and self._fields else None
        self._unique = unique

    def of(self, rows: Sequence[msgspec.Raw]) -> tuple[list[int], list[int]]:
        """
        Return by what each row is matched, and by what it is recognised where a field may be computed anew.

        Both are one list unless an identity is not unique. A row without an identity is known by its content.
        """
        if self._of_item is None:
            contents = [content_digest(row) for row in rows]
            return contents, contents
        identities = [self._identity(row) for row in rows]
        if self._unique:
            return identities, identities
        return [content_digest(row) for row in rows], identities

    def _identity(self, row: msgspec.Raw) -> int:
        assert self._fields is not None
        assert self._of_item is not None
        item, _ = self._fields.read(row)
        digest = self._of_item(item)
        return content_digest(row) if digest is None else digest
