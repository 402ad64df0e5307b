"""Rows counted at the end of a run, when nothing more comes: what was written, received, and is in Kafka."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.measure import Acknowledged
from tests.bench.stage import RunningConnector, summed, until

SETTLED_WITHIN = 120.0


def settle(
    worker: RunningConnector, brokers: str, topic: str, *, written: Callable[[], int]
) -> dict[str, object]:
    """
    Wait until all that was received is acknowledged, and return rows by whom they were seen.

    What was written and not received was in a socket that the connector had closed on purpose, which it
    declares. Lost and repeated rows may hide each other: rows bear no numbers here, in the tests they do.
    """

    def is_settled() -> bool:
        now = worker.scrape()
        received = summed(now, "connector_rows_received_total")
        return received == summed(now, "connector_rows_acked_total") and now["connector_inbox_bytes"] == 0

    until("all is acknowledged", is_settled, within=SETTLED_WITHIN)
    metrics, acknowledged = worker.scrape(), Acknowledged(brokers, topic)
    received, in_kafka = int(summed(metrics, "connector_rows_received_total")), acknowledged.rows()
    acknowledged.close()
    return {
        "rows_written": written(),
        "rows_received": received,
        "rows_in_kafka": in_kafka,
        "lost_rows": max(0, received - in_kafka),
        "repeated_rows": max(0, in_kafka - received),
        "sheds": int(summed(metrics, "connector_sheds_total")),
        "uncovered_seconds": round(summed(metrics, "connector_uncovered_seconds_total"), 1),
    }
