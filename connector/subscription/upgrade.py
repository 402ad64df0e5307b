"""
What servers answer an upgrade with, where it is odd but real.

A status that was seen decides, however the answer goes on: without a length and without an end, with lines or
a body longer than the library takes. Headers are taken longer, and more of them, than the library would. And
a server that repeats all subprotocols that were offered has selected the first.
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

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})(?= |$)")

_Lines = Callable[..., Generator[None, None, bytes | bytearray]]


class Answer:
    """What came before the socket was open: the lines of the head, and what ended it."""

    def __init__(self) -> None:
        self.ended_by: list[Exception] = []
        self._lines: list[bytes] = []
        self._reader: StreamReader | None = None

    def watch(self, reader: StreamReader, refused: Callable[[], None]) -> None:
        """Note the lines that ``reader`` reads; call ``refused`` when one says that there is no socket."""
        read_line: _Lines = reader.read_line

        def noting(*arguments: Any) -> Generator[None, None, bytes | bytearray]:
            line = yield from read_line(*arguments)
            self._lines.append(bytes(line).rstrip(b"\r\n"))
            if len(self._lines) == 1 and (refusal := self.refusal()) is not None:
                refused()
                # HTTP/1.0, and a line without a reason (RFC 9112 §4), are nothing that the library reads.
                return b"HTTP/1.1 %d Refused\r\n" % refusal.status_code
            return line

        # Frames are read otherwise, so that this costs nothing after the head.
        reader.read_line = noting  # type: ignore[method-assign, assignment]
        self._reader = reader

    @property
    def extensions(self) -> str:
        """The websocket extensions that were selected, as they were written."""
        lines = (line.decode("latin-1").partition(":") for line in self._lines[1:])
        found = (value.strip() for name, _, value in lines if name.lower() == "sec-websocket-extensions")
        return ", ".join(found)

    def refusal(self) -> Response | None:
        """Return what was seen of a refusal, ``None`` before its status line, or where it is none."""
        found = _STATUS.match(self._lines[0]) if self._lines else None
        if found is None or found[1] in (b"100", b"101"):
            return None
        headers = Headers()
        for line in self._lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                with suppress(InvalidHeader):  # what is no header says nothing
                    headers[name.strip()] = value.strip()
        body = bytes(self._reader.buffer) if self._reader is not None and b"" in self._lines else b""
        return Response(int(found[1]), "", headers, body)


def noting(answer: Answer) -> type[ReadingConnection]:
    """
    Return a connection that tells ``answer`` what came before it was open, and what ended it. The library
    keeps the first, and tells the second only of those that were opened.
    """

    class Noting(ReadingConnection):
        def __init__(self, protocol: ClientProtocol, **options: Any) -> None:
            protocol.process_subprotocol = _tolerant(protocol)  # type: ignore[assignment, method-assign]
            answer.watch(protocol.reader, self._end_soon)
            protocol.parser = protocol.parse()  # the first one holds the reader's own `read_line`
            next(protocol.parser)
            super().__init__(protocol, **options)

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
        names = {name.strip() for name in selected}
        offered = protocol.available_subprotocols or ()
        if len(selected) > 1 and names <= set(offered):
            return next(name for name in offered if name in names)
        return strict(headers)

    return process
