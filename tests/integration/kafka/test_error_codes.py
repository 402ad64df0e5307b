"""Each of Kafka's error codes, answered to a batch: what becomes of it is what the table says."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from connector.errors import ConnectorError
from connector.kafka import ContentRefused, KafkaSettings, NotAllowed, Producer, ProducerBroken
from connector.kafka.error_codes import ERROR_CODES, ErrorCode, Handling, error_code
from tests.standins.mock_kafka import ApiKey, MockKafka

DEADLINE = 60.0
STRANGE = 4711
"""A code that no Kafka has."""

ENDS: dict[Handling, type[ConnectorError]] = {
    Handling.CONTENT: ContentRefused,
    Handling.RIGHT: NotAllowed,
    Handling.REBUILD: ProducerBroken,
}
"""What a batch that is not acknowledged in the end is answered with."""


@pytest.fixture(scope="module")
def mock() -> Iterator[MockKafka]:
    with MockKafka() as kafka:
        kafka.create_topic("codes", partitions=1)
        yield kafka


async def outcome(mock: MockKafka, code: int) -> tuple[ConnectorError | None, str | None]:
    """Write one row, which is answered with ``code`` at first; return what became of it, and was said."""
    settings = KafkaSettings(bootstrap_servers=mock.bootstrap_servers, client_id="test", retry_backoff=0.01)
    producer = await Producer.start(settings)
    try:
        batch = producer.new_batch(1000)
        batch.extend([(b"k", b"v", 1_700_000_000_000, [], None)])
        await producer.partitions("codes", timeout=DEADLINE)
        mock.push_errors(ApiKey.PRODUCE, [code])
        try:
            await producer.write(batch, "codes", 0)
        except ConnectorError as error:
            return error, producer.refusal()
        return None, producer.refusal()
    finally:
        await producer.discard()


@pytest.mark.parametrize("code", [*ERROR_CODES.values(), error_code(STRANGE)], ids=str)
async def test_what_is_done_about_each_error_code(mock: MockKafka, code: ErrorCode) -> None:
    with anyio.fail_after(DEADLINE):
        error, said = await outcome(mock, code.code)
    expected = ENDS.get(code.handling)
    if expected is None:
        assert error is None
        assert said is None or code.handling is Handling.DONE
        return
    assert type(error) is expected
    if isinstance(error, ContentRefused):
        assert error.reason == code.reason
    elif isinstance(error, ProducerBroken):
        assert str(code) in str(error)
        assert error.code == code.name
    assert said == f"the brokers answer {code} for partition 0 of topic codes"
