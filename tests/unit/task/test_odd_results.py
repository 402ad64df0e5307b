"""Results with errors, with nothing, with a refusal in the place of data; and those that nobody can read."""

import msgspec
import pytest
from structlog.testing import capture_logs

from connector.records.bad import ForeignFrame, UnreadableResult
from connector.subscription import Delivered, ProtocolViolation, RawPayload, ServerRefused
from connector.task.receiver import ROW_OVERHEAD
from tests.unit.task.receiving import DATA, Desk, FakeSource


@pytest.mark.parametrize("payload", ["{}", '{"data":null}', '{"data":{"EVM":null}}', '{"data":{"EVM":{}}}'])
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
    assert desk.status.last_error == message
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
    error = desk.source.request_error
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


def test_bytes_that_are_no_text_are_no_crash() -> None:
    desk = Desk(tolerates=True)
    for payload in (b'{"errors":[{"message":"\xff"}]}', b'{"data":{"type":"\xff"}}'):
        frame = b'{"type":"next","payload":%s}' % payload
        result = Delivered(frame, msgspec.json.decode(payload, type=RawPayload))
        assert not desk.receiver.receive(result, desk.source)
    assert (desk.told.nulls, len(desk.inbox)) == (1, 1)


# Results that no rows can be read from


UNREADABLE = ['{"data":nothing}', "[]", "null", '"x"', "7", '{"data":{"EVM":{"Trades":[{"a":1}', "[" * 5000]
ASTRAY = [
    '{"data":7}',
    '{"data":[]}',
    '{"data":[1]}',
    '{"data":"x"}',
    '{"data":{"EVM":[1]}}',
    '{"data":{"EVM":[{"Trades":[{"a":1}]}]}}',
    '{"data":{"EVM":"oops"}}',
    '{"data":{"Other":[1]}}',
    '{"data":{"EVM":{"Trades":"none"}}}',
    '{"data":{"EVM":{"Trades":0}}}',
    '{"data":{"EVM":{"Trades":{}}}}',
    '{"data":{"EVM":{"Trades":false}}}',
    '{"EVM":{"Trades":[{"a":1}]}}',
    '{"data":{"EVM":{"Trades":[{"a":1}],"Trades":[{"a":2}]}}}',
    '{"data":{"EVM":{"Trades":[{"a":1}]},"EVM":null}}',
    '{"incremental":[{"items":[{"a":1}],"path":["EVM","Trades",1]}],"hasNext":true}',
    '{"data":{"EVM":{"Trades":[{"a":1}]}},"pending":[{"id":"0","path":[]}],"hasNext":true}',
]
NOTHING = ["{}", '{"data":null}', '{"data":{}}', '{"data":{"EVM":null}}', '{"data":{"EVM":{}}}']


@pytest.mark.parametrize("payload", UNREADABLE + ASTRAY)
async def test_what_cannot_be_read_ends_the_session_where_that_is_not_tolerated(payload: str) -> None:
    desk = Desk(object_rows=True)
    with pytest.raises(ProtocolViolation):
        desk.receive(payload)
    assert desk.told.bytes_received == len(desk.result(payload).frame)
    assert await desk.rows() == []


@pytest.mark.parametrize("payload", UNREADABLE + ASTRAY)
async def test_where_it_is_tolerated_the_whole_frame_is_passed_on(payload: str) -> None:
    desk = Desk(tolerates=True, object_rows=True)
    result = desk.result(payload)
    assert not desk.receiver.receive(result, desk.source)
    assert (desk.told.nulls, desk.told.rows_received, desk.told.frames_received) == (0, 0, 1)
    assert desk.told.bytes_received == len(result.frame)
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


def test_what_one_source_was_told_is_not_the_others() -> None:
    desk, other = Desk(), FakeSource()
    desk.receive('{"errors":[{"message":"no such field"}]}')
    assert desk.receive(f'{{"data":{DATA}}}', other)
    assert not desk.receive('{"data":null}', other)
    assert desk.source.request_error is not None
    assert other.request_error is None


def test_a_refusal_repeats_no_token_of_the_source_that_it_came_by() -> None:
    desk, other = Desk(), FakeSource("OTHER")
    refusal = '{"errors":[{"message":"Unauthorized: SECRET OTHER"}]}'
    for source, texts in ((desk.source, "[token] OTHER"), (other, "SECRET [token]")):
        with pytest.raises(ServerRefused) as caught:
            desk.receive(refusal, source)
        assert caught.value.symptom.texts == (f"Unauthorized: {texts}",)
