"""From the configuration to who may have two sessions, and the tokens that are there in time for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from connector.auth import Grant, Keeper
from connector.config import Config, read_config
from connector.task import Rotation
from connector.wiring.rotations import rotation_limiter, rotation_of

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
"""


class Source:
    """Is never asked."""

    async def fetch(self) -> Grant:
        raise AssertionError

    async def changed(self) -> None:
        await anyio.sleep_forever()


class Noting(Keeper):
    """Notes how early it would have to ask for a token that lives for five minutes."""

    def __init__(self) -> None:
        super().__init__(Source())
        self.leads: list[float] = []

    def needed_ahead(self, lead: Callable[[float], float]) -> None:
        super().needed_ahead(lead)
        self.leads.append(round(lead(300.0), 1))


def config_of(tmp_path: Path, *endpoint: str) -> Config:
    path = tmp_path / "shop.yaml"
    path.write_text(CONFIG.format(endpoint="".join(f"  {line}\n" for line in endpoint)), encoding="utf-8")
    return read_config(path, env={}).config


@pytest.mark.parametrize(
    ("endpoint", "rotation"),
    [
        ((), Rotation(kind="overlap", overlap=5.0, overlap_max=30.0)),
        (("rotation: never",), Rotation(kind="never")),
        (("overlap: 3s", "overlap_max: 9s"), Rotation(kind="overlap", overlap=3.0, overlap_max=9.0)),
    ],
)
def test_what_was_configured_is_done(tmp_path: Path, endpoint: tuple[str, ...], rotation: Rotation) -> None:
    assert rotation_of(config_of(tmp_path, *endpoint)) == rotation


def test_the_keeper_is_told_how_early_the_next_token_is_needed(tmp_path: Path) -> None:
    keeper = Noting()
    limiter = rotation_limiter(config_of(tmp_path), keeper)
    rotators = [limiter.join(streams=1) for _ in range(4)]
    rotators[0].leave()
    rotators[1].leave()
    assert keeper.leads == [39.2, 39.2, 39.2, 46.9, 46.9, 46.9, 39.2]


@pytest.mark.parametrize(("parallelism", "lead"), [(1, 54.6), (3, 39.2)])
def test_the_parallelism_counts(tmp_path: Path, parallelism: int, lead: float) -> None:
    keeper = Noting()
    limiter = rotation_limiter(config_of(tmp_path, f"rotation_parallelism: {parallelism}"), keeper)
    for _ in range(3):
        limiter.join(streams=1)
    assert keeper.leads[-1] == lead


async def test_no_second_session_is_opened_above_the_plan_s_streams(tmp_path: Path) -> None:
    limiter = rotation_limiter(config_of(tmp_path, "max_streams: 3"), None)
    first, second = limiter.join(streams=1), limiter.join(streams=1)
    for one in (first, second):
        await one.until_room()
        one.opened()
    assert await first.probe() is not None
    with anyio.move_on_after(0.01) as scope:
        await second.probe()
    assert scope.cancelled_caught
    assert limiter.open_streams() == 3
