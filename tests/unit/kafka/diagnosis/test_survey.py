"""What is said of brokers that cannot be used."""

from __future__ import annotations

from connector.kafka.diagnosis.refusal import CannotConnect
from connector.kafka.diagnosis.survey import BrokerAddress, BrokerCheck, describe_failures


def test_brokers_that_were_used_without_sasl_are_not_said_to_want_it() -> None:
    error = CannotConnect("b:9092", "wants_sasl", "wants SASL on this listener: write SASL_PLAINTEXT")
    checks = [BrokerCheck(broker=BrokerAddress(host="b", port=9092), error=error)]
    assert "wants SASL" in describe_failures(checks)
    assert describe_failures(checks, were_well=True) == (
        "b:9092: closed the connection: the broker's log may say why"
    )
