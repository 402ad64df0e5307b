"""
What servers answer an upgrade with, where it is odd but real.

A status that was seen decides, however the answer goes on: without a length and without an end, with lines or
a body longer than the library takes. Interim answers (RFC 9110 §15.2) are passed over. A status line is read
with or without a reason, whatever its version, spaces and case. Headers are taken longer, and more of them,
than the library would. And a server that repeats the subprotocols that were offered has selected the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from websockets import http11
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.http11 import Response
from websockets.streams import StreamReader
from websockets.typing import Subprotocol as Offered

from connector.subscription.connection import ReadingConnection

# The library's own settings; by the environment they would be everybody's to set.
http11.MAX_LINE_LENGTH = 65_536
http11.MAX_NUM_HEADERS = 1_024

BODY_WITHIN = 2.0
"""Seconds that the rest of a refusal may take once its status is there."""

_STATUS = re.compile(rb"\s*HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?=[ \t]|$)", re.IGNORECASE)
_SWITCHING = b"101"

_Lines = Callable[..., Generator[None, None, bytes | bytearray]]


class Answer:
    """What came before the socket was open: the lines of the head, and what ended it."""

    def __init__(self) -> None:
        self.ended_by: list[Exception] = []
        self._lines: list[bytes] = []
        self._is_interim = False
        self._reader: StreamReader | None = None

    def watch(self, reader: StreamReader, refused: Callable[[], None]) -> None:
        """Note the lines that ``reader`` reads; call ``refused`` when one says that there is no socket."""
        read_line: _Lines = reader.read_line

        def noting(*arguments: Any) -> Generator[None, None, bytes | bytearray]:
            while True:
                line = bytes((yield from read_line(*arguments))).rstrip(b"\r\n")
                if self._is_final(line):
                    break
            self._lines.append(line)
            if len(self._lines) == 1 and (status := self._status()) is not None:
                if status != _SWITCHING:
                    refused()
                # The library reads no other version, and no line without a reason (RFC 9112 §4).
                return b"HTTP/1.1 %s Answered\r\n" % status
            # A line may end with LF alone (RFC 9112 §2.2).
            return line + b"\r\n"

        # Frames are read otherwise, so that this costs nothing after the head.
        reader.read_line = noting  # type: ignore[method-assign, assignment]
        self._reader = reader

    @property
    def has_begun(self) -> bool:
        """Whether a line of it came: what does not end, or cannot be read, is no silence."""
        return bool(self._lines)

    @property
    def extensions(self) -> str:
        """The websocket extensions that were selected, as they were written."""
        lines = (line.decode("latin-1").partition(":") for line in self._lines[1:])
        found = (value.strip() for name, _, value in lines if name.lower() == "sec-websocket-extensions")
        return ", ".join(found)

    def _is_final(self, line: bytes) -> bool:
        """Whether ``line`` belongs to the final answer, and not to an interim one, or stands before it."""
        if self._lines:
            return True
        if found := _STATUS.match(line):
            self._is_interim = found[1].startswith(b"1") and found[1] != _SWITCHING
        return not self._is_interim and bool(line.strip())

    def _status(self) -> bytes | None:
        found = _STATUS.match(self._lines[0]) if self._lines else None
        return found[1] if found is not None else None

    def refusal(self) -> Response | None:
        """Return what was seen of a refusal, ``None`` before its status line, or where it is none."""
        status = self._status()
        if status is None or status == _SWITCHING:
            return None
        headers = Headers()
        for line in self._lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                with suppress(InvalidHeader):  # what is no header says nothing
                    headers[name.strip()] = value.strip()
        body = bytes(self._reader.buffer) if self._reader is not None and b"" in self._lines else b""
        return Response(int(status), "", headers, body)


def noting(answer: Answer) -> type[ReadingConnection]:
    """
    Return a connection that tells ``answer`` what came before it was open, and what ended it. The library
    keeps the first, and tells the second only of those that were opened.
    """

    class Noting(ReadingConnection):
        def __init__(self, protocol: ClientProtocol, **options: Any) -> None:
            super().__init__(protocol, **options)
            protocol.process_subprotocol = _tolerant(protocol)  # type: ignore[assignment, method-assign]
            answer.watch(protocol.reader, self._end_soon)
            protocol.parser = protocol.parse()  # the first one holds the reader's own `read_line`
            next(protocol.parser)

        def _end_soon(self) -> None:
            self.loop.call_later(BODY_WITHIN, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            if exc is not None:
                answer.ended_by.append(exc)
            super().connection_lost(exc)

    return Noting


def _tolerant(protocol: ClientProtocol) -> Callable[[Headers], Offered | None]:
    strict = protocol.process_subprotocol

    def process(headers: Headers) -> Offered | None:
        selected = ",".join(headers.get_all("Sec-WebSocket-Protocol")).split(",")
        names = {name.strip(' \t"').lower() for name in selected} - {""}
        if not names:
            return None  # an empty header selects as little as none
        ours = (name for name in protocol.available_subprotocols or () if name in names)
        if (first := next(ours, None)) is not None:
            return first
        return strict(headers)

    return process
