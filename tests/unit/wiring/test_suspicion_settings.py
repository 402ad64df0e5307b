"""What a subscription is told of the configuration: when its silence is looked into."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import LoadedConfig, read_config
from connector.task import SubscriptionSettings, SuspicionPolicy
from connector.wiring.settings import follow_settings, refusals_of, session_settings
from tests.unit.config.conftest import GENERIC, ORDERS

BITQUERY = """\
name: dex
endpoint: {preset: bitquery}
token: abcdefghijklmnop
kafka: {bootstrap_servers: "localhost:9092"}
subscriptions:
  - {name: bsc, document: trades.graphql, variables: {network: bsc}, topic: t}
  - {name: eth, document: trades.graphql, variables: {network: eth}, topic: t}
  - {name: tron, document: "subscription { Tron { Transfers { Block { Number } } } }", topic: t}
"""
TRADES = "subscription($network: evm_network!) { EVM(network: $network) { DEXTrades { Block { Number } } } }"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "orders.graphql").write_text(ORDERS)
    (tmp_path / "trades.graphql").write_text(TRADES)
    return tmp_path


def settings_in(directory: Path, text: str) -> list[SubscriptionSettings]:
    (directory / "x.yaml").write_text(text)
    loaded: LoadedConfig = read_config(directory / "x.yaml", env={})
    session, refusals = session_settings(loaded), refusals_of(loaded.config)
    return [follow_settings(loaded.config, plan, session, refusals) for plan in loaded.plans]


@pytest.mark.parametrize(
    ("lines", "policy"),
    [
        ("", SuspicionPolicy(quiet_after="auto", overlaps=True)),
        ("  rotation: reopen\n", SuspicionPolicy(quiet_after="auto")),
        ("  quiet_after: off\n", SuspicionPolicy(overlaps=True)),
        ("  quiet_after: 2m\n", SuspicionPolicy(quiet_after=120.0, overlaps=True)),
        ("  reopen_pause: 10s\n", SuspicionPolicy(quiet_after="auto", reopen_pause=10.0)),
    ],
)
def test_silence_is_looked_into_as_the_endpoint_says(
    directory: Path, lines: str, policy: SuspicionPolicy
) -> None:
    (settings,) = settings_in(directory, GENERIC.replace("endpoint:\n", f"endpoint:\n{lines}"))
    assert settings.suspicion == policy
    assert settings.network == ""


def test_chains_fall_silent_each_by_itself(directory: Path) -> None:
    networks = [settings.network for settings in settings_in(directory, BITQUERY)]
    assert networks == ["EVM bsc", "EVM eth", "Tron "]
