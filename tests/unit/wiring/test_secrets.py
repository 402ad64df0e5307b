"""What the redactor is told of a configuration."""

from __future__ import annotations

import base64
from pathlib import Path

from connector.config import read_config
from connector.telemetry import Redactor
from connector.wiring.secrets import learn
from tests.unit.config.conftest import GENERIC, ORDERS

OAUTH = "{token_url: 'http://127.0.0.1:1/token', client_id: %s, client_secret: %s}"


def test_secrets_and_what_is_made_of_them_are_hidden_for_both_token_endpoints(tmp_path: Path) -> None:
    (tmp_path / "orders.graphql").write_text(ORDERS)
    file = tmp_path / "shop.yaml"
    mine = OAUTH % ("client-of-the-shop", "secret-of-the-endpoint")
    theirs = OAUTH % ("client-of-kafka", "secret-of-the-brokers")
    security = f"{{protocol: SASL_PLAINTEXT, sasl: {{mechanism: OAUTHBEARER}}, oauth: {theirs}}}"
    text = GENERIC.replace("kafka:\n", f"oauth: {mine}\nkafka:\n  security: {security}\n")
    file.write_text(text)
    redactor = Redactor()
    learn(read_config(file, env={}), redactor)
    for client, secret in (
        ("client-of-the-shop", "secret-of-the-endpoint"),
        ("client-of-kafka", "secret-of-the-brokers"),
    ):
        basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
        shown = redactor.redact(f"sent {secret} and {basic}, both of them")
        assert secret not in shown
        assert basic[:8] not in shown
        assert shown.startswith("sent ")
        assert shown.endswith(", both of them")
