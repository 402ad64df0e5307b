"""
Turns of looking at frames: one read may bring a hundred thousand of two bytes.

The library looks at all that came in one go, and answers each ping at once.
"""

from __future__ import annotations

from collections.abc import Generator

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.streams import StreamReader

MOST_FRAMES = 1000
"""Frames that are looked at in one go."""


class TurnReader(StreamReader):
    """
    Says that nothing is there, once `frames_left` have begun; what came stays where it is. After the end of
    the stream it gives all of it.
    """

    frames_left = MOST_FRAMES

    @classmethod
    def reading_for(cls, protocol: ClientProtocol) -> TurnReader:
        """Return a new one that ``protocol`` reads from; nothing may have come to it yet."""
        # To change the class of the one that is there would do, but costs a tenth of a microsecond
        # whenever an attribute of it is read (CPython keeps them in a dict from then on).
        reader = protocol.reader = cls()
        protocol.parser = protocol.parse()  # which the one before has begun with the reader before
        next(protocol.parser)
        return reader

    def at_eof(self) -> Generator[None, None, bool]:
        """See `StreamReader.at_eof`, which is asked before each frame."""
        while True:
            if self.buffer and ((left := self.frames_left) > 0 or self.eof):
                self.frames_left = left - 1
                return False
            if self.eof:
                return True
            yield


class LastPing:
    """The pong that is due; ``last`` is `None` where none is."""

    def __init__(self, protocol: ClientProtocol) -> None:
        self._protocol = protocol
        self._send = protocol.send_frame
        self.last: Frame | None = None

    def send_frame(self, frame: Frame) -> None:
        """Send ``frame`` but a pong, which waits for a later one to take its place."""
        if frame.opcode is Opcode.PONG:
            self.last = frame
        else:
            self._send(frame)

    def answer(self) -> None:
        """Send the pong, as long as the connection is open: a Close may have come after the ping."""
        frame, self.last = self.last, None
        if frame is not None and self._protocol.state is OPEN:
            self._send(frame)


def answering_the_last_ping(protocol: ClientProtocol) -> LastPing:
    """
    Have ``protocol`` keep the pong to the most recent ping instead of sending each: RFC 6455 §5.5.3 lets it,
    and each would be masked and written.
    """
    pings = LastPing(protocol)
    protocol.send_frame = pings.send_frame  # type: ignore[method-assign]
    return pings
