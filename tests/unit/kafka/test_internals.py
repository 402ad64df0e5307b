"""The inner side of aiokafka is as `connector.kafka.internals` found it, and named nowhere else."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import aiokafka
import pytest

CONNECTOR = Path(__file__).parents[3] / "connector"

DOCUMENTED = {
    "aiokafka",
    "aiokafka.abc",
    "aiokafka.admin",
    "aiokafka.admin.config_resource",
    "aiokafka.errors",
}
"""The modules of aiokafka that its documentation names."""

RELIED_ON = """
client:AIOKafkaClient.__init__                  c5effd36ae06 clients: _ssl_context; shutdown: _conns
client:AIOKafkaClient.bootstrap                 f5ceef21d3b4 bootstrap: runs it with another create_conn
client:AIOKafkaClient.close                     590a777c961b shutdown: ends its task and connections
client:AIOKafkaClient.send                      6fdc9c350c73 metadata, produce: what it raises
client:AIOKafkaClient._get_conn                 f52aeaaf2ed7 clients: reads _ssl_context; guard: runs it
client:AIOKafkaClient.get_random_node           3ea4fa5449b3 guard: replaces it
client:AIOKafkaClient.force_metadata_update     71eaa1892663 pace: what waits for the answer
client:AIOKafkaClient._md_synchronizer          5c4a57c88789 pace: asks by _metadata_update alone
client:AIOKafkaClient._on_connection_closed     277b662a080e guard: closes without a reason
client:AIOKafkaClient.set_topics                441adbe0dbb7 clients: asks at once for a topic
client:AIOKafkaClient._wait_on_metadata         92b54bb9aa3e kafka/producer: asks until the topic is known
client:AIOKafkaClient._metadata_update         8388b87c47ec topic_creation: runs it with another request
cluster:ClusterMetadata.update_metadata         c6d927d12aa4 clients: _last_successful_refresh_ms
cluster:ClusterMetadata.leader_for_partition    a9a239194ed6 pace: None unknown, -1 for none
cluster:ClusterMetadata.partitions_for_topic    2ed2591e4df0 kafka/producer: None where unknown
conn:create_conn                                d0b07cc0f6de bootstrap: called through another function
conn:AIOKafkaConnection.connect                 a4892d608f04 connection: calls what is overridden
conn:AIOKafkaConnection.send                    800e0e9b027e connection: overridden; produce: joins parts
conn:AIOKafkaConnection.close                   1a998669cb62 connection, shutdown: _closed_fut, _writer
conn:AIOKafkaConnection._do_version_lookup      3a9dd3420774 connection: overridden
conn:AIOKafkaConnection._do_sasl_handshake      3281200b43d6 connection: overridden
conn:AIOKafkaConnection.authenticator_oauth     51f5a4589504 connection: overridden
conn:AIOKafkaConnection._handle_frame           59af3e7002da produce_response; guard: _last_action, _requests
conn:AIOKafkaConnection.__init__                51425460ef64 guard: _request_timeout
protocol.admin:ApiVersionRequest                3343404e7612 guard: asks whether a connection lives
conn:OAuthAuthenticator                         e794686ff148 connection: step() is wrapped
admin.client:AIOKafkaAdminClient.start          360b413c1ad7 clients: _client
admin.client:AIOKafkaAdminClient.close          56b414c87aa6 clients: _client
consumer.consumer:AIOKafkaConsumer.start        98fe0184c169 clients: _client; bootstrap: cut short
consumer.consumer:AIOKafkaConsumer.stop         6b59f51b80a9 kafka/consumer: closes what start() left
producer.producer:AIOKafkaProducer.start        cc4324dd3741 bootstrap, shutdown: what may be cut short
producer.producer:AIOKafkaProducer.stop         d82fd454e108 shutdown: abort() does it without waiting
producer.producer:AIOKafkaProducer.__del__      d8958064c730 shutdown: _closed
producer.producer:AIOKafkaProducer.send_batch   0d588521efb1 batch_queue: append() comes to the same
producer.message_accumulator:BatchBuilder       ae8b8e309dae kafka/batch: RecordBatch stands in for it
producer.message_accumulator:MessageBatch       2f488cdc69e9 shutdown, pace: future, _drain_waiter, _ttl
producer.message_accumulator:MessageAccumulator a8bc2890a4a3 batch_queue, shutdown, pace: _batches and more
producer.sender:Sender.__init__                 a474599e743d produce: _in_flight, _muted_partitions
producer.sender:Sender._fail_all                d88a781c34cc shutdown: what a sender's end does to batches
producer.sender:Sender._sender_routine          a133f4820b14 shutdown: calls and awaits _send_produce_req
producer.sender:Sender._send_produce_req        bd760c3ebd6c produce: send() replaces it
producer.sender:SendProduceReqHandler           0c692c04ab63 produce: subclassed, do() written anew
protocol.api:Request                            e3a8d0c4206c metadata, produce: subclassed
protocol.produce:ProduceRequest                 39be0097fc33 produce: subclassed; its fields
protocol.metadata:MetadataRequest               ed847de2c3e4 topic_creation: allow_auto_topic_creation
codec:gzip_encode                               bfdbb1088ce6 codecs: compresslevel
codec:lz4_encode                                6ad15bc13b33 codecs: level
codec:snappy_encode                             8c38ef1ce704 codecs
codec:zstd_encode                               cf3a75aab2d4 codecs
errors:for_code                                 6b44acf0a7c1 broker_errors: looks up in kafka_errors
"""
"""What there is in aiokafka, the digest of its source, and which module of `internals` relies on it how."""


def digest(source: str) -> str:
    """Return that of ``source`` without comments, blank lines and indentation in common."""
    lines = (line.rstrip() for line in textwrap.dedent(source).splitlines())
    kept = [line for line in lines if line and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()[:12]


@pytest.mark.parametrize("entry", RELIED_ON.strip().splitlines(), ids=lambda entry: entry.split()[0])
def test_what_is_relied_on_is_unchanged(entry: str) -> None:
    name, known, who = entry.split(maxsplit=2)
    module, _, path = name.partition(":")
    source = inspect.getsource(attrgetter(path)(importlib.import_module(f"aiokafka.{module}")))
    found = digest(source)
    assert found == known, (
        f"aiokafka {aiokafka.__version__} has another {name}. Read what changed, look at {who}, "
        f"run tests/integration, and then write {found} here."
    )


def test_comments_and_blank_lines_are_no_change() -> None:
    assert digest("    def f():\n        return 1\n") == digest("def f():\n\n    # why\n    return 1")
    assert digest("def f():\n    return 1\n") != digest("def f():\n    return 2\n")


def inner_names(source: str) -> Iterator[str]:
    """Yield what ``source`` names of the inner side of aiokafka, and of anybody else's."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if undocumented(name.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # ``from aiokafka import codec`` imports a module.
            yield from (
                f"{node.module}.{name.name}"
                for name in node.names
                if undocumented(node.module) or (node.module == "aiokafka" and inner_module(name.name))
            )
        elif isinstance(node, ast.Attribute) and is_foreign(node):
            yield f"{ast.unparse(node.value)}.{node.attr}"


def is_foreign(node: ast.Attribute) -> bool:
    """Whether it is private, and not of the object or class that names it."""
    is_private = node.attr.startswith("_") and not node.attr.endswith("__")
    return is_private and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))


def undocumented(module: str) -> bool:
    return module.split(".")[0] == "aiokafka" and module not in DOCUMENTED


def inner_module(name: str) -> bool:
    return undocumented(f"aiokafka.{name}") and inspect.ismodule(getattr(aiokafka, name, None))


@pytest.mark.parametrize("room", ["kafka", ""])
def test_nobody_else_names_what_is_inside(room: str) -> None:
    found = {
        str(path.relative_to(CONNECTOR)): names
        for path in (CONNECTOR / room).rglob("*.py")
        if "internals" not in path.parts
        and (names := [name for name in inner_names(path.read_text()) if room or "aiokafka" in name])
    }
    assert found == {}


def test_inner_names_are_seen() -> None:
    source = """
import aiokafka.conn
from aiokafka import AIOKafkaProducer, codec
from aiokafka import errors as kafka_errors
from aiokafka.producer.sender import Sender
self._inner.client._ssl_context = self._context
"""
    assert list(inner_names(source)) == [
        "aiokafka.conn",
        "aiokafka.codec",
        "aiokafka.producer.sender.Sender",
        "self._inner.client._ssl_context",
    ]
