"""What the reading side does with each frame."""

import msgspec
import pytest
from structlog.testing import capture_logs

from connector.records.bad import ForeignFrame, UnreadableResult
from connector.records.extract import Extractor
from connector.records.topics import TopicTemplate
from connector.refusals import Refusals
from connector.subscription import Inbox, MemoryBudget, ProtocolViolation, RawPayload, ServerRefused
from connector.subscription.messages import Subprotocol
from connector.subscription.protocol import Delivered, Protocol
from connector.task.receiver import JOIN_BELOW, ROW_OVERHEAD, Arrival, Receiver
from connector.task.status import Face
from tests.unit.task.fakes import Told

DATA = '{"EVM":{"Trades":[{"a":1},{"a":2}]}}'


class Desk:
    """A receiver with all that it works on."""

    def __init__(self, rows_limit: int | None = None, *, tolerates: bool = False) -> None:
        self.told = Told()
        self.face = Face(self.told)
        self.inbox: Inbox[Arrival] = Inbox()
        self.memory = MemoryBudget(10**9).open(lambda: None)
        topic = TopicTemplate("t", {})
        self.extractor = Extractor(rows=("EVM", "Trades"), key=(), timestamp=None, headers=(), topic=topic)
        self.receiver = Receiver(
            name="s",
            extractor=self.extractor,
            inbox=self.inbox,
            memory=self.memory,
            face=self.face,
            observer=self.told,
            rows_limit=rows_limit,
            tolerates=tolerates,
            hide=lambda frame: frame.replace(b"s3cret", b"***"),
            refusals=Refusals(),
            clean=lambda text: text.replace("SECRET", "[token]"),
        )

    def result(self, payload: str) -> Delivered:
        protocol = Protocol(Subprotocol.TRANSPORT_WS, payload_type=self.extractor.payload_type)
        protocol.initialise()
        protocol.receive(b'{"type":"connection_ack"}')
        protocol.subscribe({})
        event = protocol.receive(f'{{"type":"next","id":"1","payload":{payload}}}'.encode())
        assert isinstance(event, Delivered)
        return event

    def receive(self, payload: str) -> bool:
        return self.receiver.receive(self.result(payload))

    async def arrivals(self) -> list[Arrival]:
        self.inbox.close()
        found: list[Arrival] = []
        while (arrival := await self.inbox.get()) is not None:
            found.append(arrival)
        return found

    async def rows(self) -> list[bytes]:
        return [bytes(row) for arrival in await self.arrivals() for row in arrival.rows]


async def test_rows_go_into_the_inbox_and_are_counted() -> None:
    desk = Desk()
    assert desk.receive(f'{{"data":{DATA}}}')
    assert (desk.told.rows_received, desk.told.frames_received) == (2, 1)
    assert desk.told.bytes_received == desk.memory.held - 2 * ROW_OVERHEAD
    assert desk.face.last_row_at is not None
    assert await desk.rows() == [b'{"a":1}', b'{"a":2}']


async def test_frames_of_one_millisecond_go_on_together_in_order_and_within_bounds() -> None:
    desk = Desk()
    count = 2000
    for number in range(count):
        desk.receive(f'{{"data":{{"EVM":{{"Trades":[{number}]}}}}}}')
    held = desk.memory.held
    arrivals = await desk.arrivals()
    assert [int(bytes(row)) for arrival in arrivals for row in arrival.rows] == list(range(count))
    assert sum(arrival.frames for arrival in arrivals) == count
    assert sum(arrival.size for arrival in arrivals) == held
    assert len(arrivals) < count
    assert max(arrival.size for arrival in arrivals) < JOIN_BELOW
    assert all(len(arrival.rows) == arrival.frames for arrival in arrivals)


async def test_what_cannot_be_read_stays_by_itself() -> None:
    desk = Desk(tolerates=True)
    for _ in range(100):
        desk.receive(f'{{"data":{DATA}}}')
        desk.receive("7")
    arrivals = await desk.arrivals()
    assert [arrival.error is None for arrival in arrivals] == [True, False] * 100


async def test_what_is_held_is_what_the_arrival_says() -> None:
    desk = Desk()
    result = desk.result(f'{{"data":{DATA}}}')
    desk.receiver.receive(result)
    arrival = await desk.inbox.get()
    assert arrival is not None
    assert arrival.size == desk.memory.held == len(result.frame) + 2 * ROW_OVERHEAD


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ('{"EVM":{"Trades":{"a":1}}}', [b'{"a":1}']),
        ('{"EVM":{"Trades":7}}', [b"7"]),
        ('{"EVM":{"Trades":[]}}', []),
        ('{"EVM":{"Trades":[null,"x"]}}', [b"null", b'"x"']),
        ('{"\\u0045VM":{"Trades":[1]}}', [b"1"]),
    ],
)
async def test_rows_of_other_shapes_are_rows(data: str, rows: list[bytes]) -> None:
    desk = Desk()
    assert desk.receive(f'{{"data":{data}}}')
    assert await desk.rows() == rows
    assert desk.told.nulls == 0


@pytest.mark.parametrize(
    "payload", ["{}", '{"data":null}', '{"data":{"EVM":null}}', '{"data":{"Other":[1]}}']
)
async def test_a_result_without_rows_is_counted(payload: str) -> None:
    desk = Desk()
    assert not desk.receive(payload)
    assert (desk.told.nulls, desk.told.errors, desk.told.frames_received) == (1, 0, 0)
    assert await desk.rows() == []
    assert desk.memory.held == 0


@pytest.mark.parametrize("errors", ["null", "[]"])
async def test_an_empty_list_of_errors_is_none(errors: str) -> None:
    desk = Desk()
    assert desk.receive(f'{{"data":{DATA},"errors":{errors}}}')
    assert desk.told.errors == 0
    assert len(await desk.rows()) == 2


@pytest.mark.parametrize("message", ["Unauthorized", "something"])
async def test_rows_beside_errors_are_kept_and_the_errors_counted(message: str) -> None:
    desk = Desk()
    with capture_logs() as lines:
        for _ in range(3):
            assert desk.receive(f'{{"data":{DATA},"errors":[{{"message":"{message}"}},{{}}]}}')
    assert desk.told.errors == 6
    assert desk.face.last_error == message
    assert [line["event"] for line in lines] == ["result carries errors"]  # once, not for every frame
    assert len(await desk.rows()) == 6


@pytest.mark.parametrize(
    "payload",
    [
        '{"data":null,"errors":[{"message":"Unauthorized"}]}',
        '{"errors":[{"message":"Unauthorized"}]}',
        '{"errors":"Unauthorized"}',
        '{"errors":{"message":"Unauthorized"}}',
        '{"data":{"EVM":null},"errors":[{"message":"x"},{"message":"Unauthorized"}]}',
        '{"errors":[{"message":"x","extensions":{"code":"UNAUTHENTICATED"}}]}',
        '{"data":{"type":"error","payload":{"message":"Unauthorized"}}}',
        '{"data":{"type":"error","payload":"Unauthorized"}}',
        '{"data":{"type":"error","payload":[{"message":"Unauthorized"}]}}',
    ],
)
async def test_a_refusal_in_the_place_of_data_ends_the_session(payload: str) -> None:
    desk = Desk()
    with pytest.raises(ServerRefused) as caught:
        desk.receive(payload)
    assert caught.value.symptom.place == "stream"
    assert desk.told.errors >= 1
    assert await desk.rows() == []


@pytest.mark.parametrize(
    "payload",
    ['{"errors":[{"message":"a blip"}]}', '{"errors":7}'],
)
def test_errors_that_nobody_knows_do_not_end_it(payload: str) -> None:
    desk = Desk()
    assert not desk.receive(payload)
    assert (desk.told.nulls, desk.told.errors, desk.told.frames_received) == (1, 1, 0)


@pytest.mark.parametrize(
    "payload",
    [
        '{"data":{"type":"error","payload":"a blip"}}',
        '{"data":{"EVM":{"Trades":[]}},"errors":[{"message":"Unauthorized"}]}',
    ],
)
def test_an_error_in_the_place_of_data_ends_it(payload: str) -> None:
    with pytest.raises(ServerRefused):
        Desk().receive(payload)


@pytest.mark.parametrize(
    ("payload", "refused"),
    [
        ('{"errors":[{"message":"no such field","extensions":{"code":"X"}}]}', True),
        ('{"data":null,"errors":[{"message":"no such field"}]}', False),  # it was executed
        ('{"data":{"EVM":null}}', False),
        ('{"data":{"EVM":{"Trades":[1]}},"errors":[{"message":"no such field"}]}', False),
    ],
)
def test_errors_without_data_are_kept_in_case_that_nothing_else_comes(payload: str, refused: bool) -> None:
    desk = Desk()
    desk.receive('{"errors":[{"message":"earlier"}]}')
    desk.receive(payload)
    error = desk.receiver.request_error
    assert (error is not None) is refused
    if error is not None:
        symptom = error.symptom
        assert (symptom.place, symptom.texts, symptom.error_codes) == (
            "subscribe",
            ("no such field",),
            ("X",),
        )


@pytest.mark.parametrize(
    "row",
    ['{"message":"Unauthorized"}', '{"type":"error","payload":"401"}', '"points limit"', '{"errors":[1]}'],
)
async def test_texts_of_rows_refuse_nothing(row: str) -> None:
    desk = Desk()
    assert desk.receive(f'{{"data":{{"EVM":{{"Trades":[{row}]}}}}}}')
    assert desk.receive(f'{{"data":{{"EVM":{{"Trades":{row}}}}}}}')
    assert await desk.rows() == [row.encode()] * 2


@pytest.mark.parametrize(("limit", "full"), [(2, 1), (3, 0), (None, 0)])
def test_a_message_as_full_as_they_come_is_counted(limit: int | None, full: int) -> None:
    desk = Desk(rows_limit=limit)
    desk.receive(f'{{"data":{DATA}}}')
    assert desk.told.full == full


def test_bytes_that_are_no_text_are_no_crash() -> None:
    desk = Desk()
    for payload in (b'{"errors":[{"message":"\xff"}]}', b'{"data":{"\xff":1}}', b'{"data":{"type":"\xff"}}'):
        frame = b'{"type":"next","payload":%s}' % payload
        assert not desk.receiver.receive(Delivered(frame, msgspec.json.decode(payload, type=RawPayload)))
    assert desk.told.nulls == 3


# Results that no rows can be read from


UNREADABLE = ['{"data":nothing}', "[]", "null", '"x"', "7", '{"data":{"EVM":{"Trades":[{"a":1}', "[" * 5000]
ASTRAY = ['{"data":7}', '{"data":[1]}', '{"data":"x"}', '{"data":{"EVM":[1]}}', '{"data":{"EVM":"oops"}}']
NOTHING = ["{}", '{"data":null}', '{"data":{}}', '{"data":{"EVM":null}}', '{"data":{"EVM":{}}}']


@pytest.mark.parametrize("payload", UNREADABLE)
async def test_what_cannot_be_read_ends_the_session_where_that_is_not_tolerated(payload: str) -> None:
    desk = Desk()
    with pytest.raises(ProtocolViolation):
        desk.receive(payload)
    assert await desk.rows() == []


@pytest.mark.parametrize("payload", ASTRAY)
async def test_something_else_in_the_place_of_rows_is_no_rows_where_it_is_not_tolerated(payload: str) -> None:
    desk = Desk()
    assert not desk.receive(payload)
    assert desk.told.nulls == 1
    assert await desk.rows() == []


@pytest.mark.parametrize("payload", UNREADABLE + ASTRAY)
async def test_where_it_is_tolerated_the_whole_frame_is_passed_on(payload: str) -> None:
    desk = Desk(tolerates=True)
    result = desk.result(payload)
    assert not desk.receiver.receive(result)
    assert (desk.told.nulls, desk.told.rows_received) == (0, 0)
    held = desk.memory.held
    (arrival,) = await desk.arrivals()
    assert [bytes(row) for row in arrival.rows] == [result.frame]
    assert isinstance(arrival.error, UnreadableResult)
    assert arrival.size == held == len(result.frame) + ROW_OVERHEAD


@pytest.mark.parametrize("payload", NOTHING)
async def test_a_result_without_rows_is_no_mistake(payload: str) -> None:
    desk = Desk(tolerates=True)
    assert not desk.receive(payload)
    assert desk.told.nulls == 1
    assert await desk.arrivals() == []


@pytest.mark.parametrize(
    "payload",
    [
        '{"data":{"type":"error","payload":"Unauthorized"}}',
        '{"data":7,"errors":[{"message":"Unauthorized"}]}',
    ],
)
async def test_a_refusal_is_a_refusal_however_tolerant(payload: str) -> None:
    desk = Desk(tolerates=True)
    with pytest.raises(ServerRefused):
        desk.receive(payload)
    assert await desk.arrivals() == []


async def test_secrets_are_taken_out_of_frames_that_nobody_understands() -> None:
    desk = Desk(tolerates=True)
    desk.receive('{"data":"s3cret"}')
    desk.receiver.keep_foreign(b"GET /?token=s3cret \xff", ProtocolViolation("no message"))
    astray, foreign = await desk.arrivals()
    assert b'"***"' in bytes(astray.rows[0])
    assert bytes(foreign.rows[0]) == b"GET /?token=*** \xff"
    assert isinstance(foreign.error, ForeignFrame)
    assert str(foreign.error) == "no message"
