"""What `check` says without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import LoadedConfig, read_config
from connector.wiring.check import streams_of

CONFIG = """\
name: shop
endpoint:
  url: ws://127.0.0.1:1/graphql
{endpoint}
token: x
kafka:
  bootstrap_servers: localhost:9092
subscriptions:
  - {{name: a, document: "subscription {{ orders {{ id }} }}", topic: t}}
  - {{name: b, document: "subscription {{ orders {{ id }} }}", topic: t}}
  - {{name: c, document: "subscription {{ orders {{ id }} }}", topic: t}}
"""


def loaded(tmp_path: Path, endpoint: str) -> LoadedConfig:
    path = tmp_path / "shop.yaml"
    path.write_text(CONFIG.format(endpoint=endpoint), encoding="utf-8")
    return read_config(path, env={})


@pytest.mark.parametrize(
    ("endpoint", "outcome", "needed", "said"),
    [
        ("  max_streams: 5", "ok", True, "3 of 5, and up to 5 while sessions are rotated"),
        ("  max_streams: 4", "failed", False, "endpoint.max_streams, 4, leaves no room for two sessions"),
        ("  max_streams: 2", "failed", True, "endpoint.max_streams, 2, is less than the 3 streams"),
        ("  {max_streams: 3, rotation: reopen}", "ok", True, "3 of 3, and up to 3"),
        ("  {max_streams: 6, rotation_parallelism: 9}", "ok", True, "up to 6 while"),
    ],
)
def test_the_plan_is_compared_with_what_the_subscriptions_take(
    tmp_path: Path, endpoint: str, outcome: str, needed: bool, said: str
) -> None:
    text = endpoint.replace("{", "").replace("}", "").replace(", ", "\n  ")
    finding = streams_of(loaded(tmp_path, text))
    assert finding is not None
    assert (finding.check, finding.outcome, finding.needed) == ("streams", outcome, needed)
    assert said in finding.detail
    assert bool(finding.remedy) == (outcome == "failed")


def test_nothing_is_said_of_a_plan_that_is_not_known(tmp_path: Path) -> None:
    assert streams_of(loaded(tmp_path, "")) is None
