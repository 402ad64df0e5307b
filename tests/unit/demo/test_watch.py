"""What the demo reads from the connector's own API."""

from connector.demo.watch import Glance, read

READYZ = """{"ready": true, "token": {"state": "valid", "expires_in_seconds": 3.5, "last_error": null},
"kafka": {"state": "up"}, "subscriptions": {"a": {"state": "live", "since": 1, "last_row_at": 2}}}"""
METRICS = """\
# HELP connector_reconnects_total Sessions that ended.
# TYPE connector_reconnects_total counter
connector_reconnects_total{reason="closed",subscription="a"} 2.0
connector_reconnects_total{reason="closed",subscription="b"} 1.0
connector_reconnects_total{reason="token rejected",subscription="b"} 0.0
connector_rows_acked_total{subscription="a"} 1.5e+03
connector_inbox_bytes 0.0
"""


def test_the_two_answers_make_one_glance() -> None:
    assert read(READYZ, METRICS) == Glance(
        states={"a": "live"},
        token_state="valid",
        token_seconds_left=3.5,
        reconnects={"closed": 3},
    )
