"""A receiver on a desk: results go in, arrivals come out."""

from __future__ import annotations

from collections.abc import Callable

from connector.records.row_finder import RowFinder
from connector.records.seam import RowSource, Seam, SeamSpec
from connector.subscription import Delivered, Inbox, MemoryBudget, ServerRefused, Subprotocol
from connector.subscription.protocol import Protocol
from connector.task import Tolerance
from connector.task.receiver import Arrival, Receiver
from connector.task.status import StatusTracker
from tests.unit.task.fakes import Told
from tests.unit.task.scenario import settings_of

DATA = '{"EVM":{"Trades":[{"a":1},{"a":2}]}}'


def delivered(payload: str, finder: RowFinder) -> Delivered:
    """Return what the protocol machine makes of a result with ``payload``."""
    protocol = Protocol(Subprotocol.TRANSPORT_WS, payload_type=finder.payload_type)
    protocol.initialise()
    protocol.receive(b'{"type":"connection_ack"}')
    protocol.subscribe({})
    event = protocol.receive(f'{{"type":"next","id":"1","payload":{payload}}}'.encode())
    assert isinstance(event, Delivered)
    return event


def result_of_rows(finder: RowFinder, number: int, *, size: int = 0) -> Delivered:
    """Return a result with one row that has a number."""
    return delivered(f'{{"data":{{"rows":[{{"n":{number},"x":"{"x" * size}"}}]}}}}', finder)


class FakeSource:
    """Satisfies `Source`: whoever sent the results."""

    def __init__(self, secret: str = "SECRET") -> None:
        self.request_error: ServerRefused | None = None
        self.failures: list[ServerRefused | None] = []
        self.rows_from = RowSource(1)
        self._secret = secret

    def result_failed(self, error: ServerRefused | None) -> None:
        self.failures.append(error)

    @property
    def clean(self) -> Callable[[str], str]:
        return lambda text: text.replace(self._secret, "[token]")


class Desk:
    """A receiver with all that it works on, and one source."""

    def __init__(
        self, rows_limit: int | None = None, *, tolerates: bool = False, object_rows: bool = False
    ) -> None:
        self.told = Told()
        self.status = StatusTracker(self.told)
        self.inbox: Inbox[Arrival] = Inbox()
        self.memory = MemoryBudget(10**9).open(lambda: None)
        self.source = FakeSource()
        settings = settings_of(
            rows=("EVM", "Trades"),
            rows_limit=rows_limit,
            tolerance=Tolerance(bad=tolerates),
            object_rows=object_rows,
        )
        self.finder = settings.rows
        self.receiver = Receiver(
            settings,
            inbox=self.inbox,
            seam=Seam(SeamSpec()),
            memory=self.memory,
            status=self.status,
            observer=self.told,
            hide=lambda frame: frame.replace(b"s3cret", b"***"),
        )

    def result(self, payload: str) -> Delivered:
        return delivered(payload, self.finder)

    def receive(self, payload: str, source: FakeSource | None = None) -> bool:
        return self.receiver.receive(self.result(payload), source or self.source)

    async def arrivals(self) -> list[Arrival]:
        self.inbox.close()
        found: list[Arrival] = []
        while (arrival := await self.inbox.get()) is not None:
            found.append(arrival)
        return found

    async def rows(self) -> list[bytes]:
        return [bytes(row) for arrival in await self.arrivals() for row in arrival.rows]
