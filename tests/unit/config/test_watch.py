"""Files are watched by content, and taken once they are stable."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.config import LoadedConfig, Watch, read_config
from connector.errors import ConfigError
from tests.unit.config.conftest import GENERIC, ORDERS

SECRETIVE = GENERIC.replace("endpoint:\n", "endpoint:\n  headers: {X-Key: '${file:key}'}\n")


class Desk:
    """A directory with a configuration, and a watch on it."""

    def __init__(self, directory: Path, text: str) -> None:
        self.directory = directory
        self.file = directory / "shop.yaml"
        (directory / "orders.graphql").write_text(ORDERS)
        (directory / "key").write_text("first-key")
        self.file.write_text(text)
        self.watch = Watch(self.file, env={}, running=read_config(self.file, env={}))

    def look(self, times: int = 1) -> LoadedConfig | ConfigError | None:
        """What the last of so many looks gave; the others have to give nothing."""
        for _ in range(times - 1):
            assert self.watch.look() is None
        return self.watch.look()

    def taken(self, times: int = 2) -> LoadedConfig:
        found = self.look(times)
        assert isinstance(found, LoadedConfig)
        return found

    def refused(self, times: int = 2) -> ConfigError:
        found = self.look(times)
        assert isinstance(found, ConfigError)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, SECRETIVE)


def test_files_that_are_touched_are_not_changed(desk: Desk) -> None:
    assert desk.look(3) is None
    os.utime(desk.file, (1, 1))
    copy = desk.directory / "copy"
    shutil.copy(desk.file, copy)
    copy.replace(desk.file)  # another inode
    assert desk.look(3) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.file.write_text(SECRETIVE.replace("shop.orders", "shop.sales")),
        lambda desk: (desk.directory / "orders.graphql").write_text(ORDERS.replace("    at\n", "")),
        lambda desk: (desk.directory / "key").write_text("second-key"),
    ],
    ids=["the configuration", "a document", "a file behind a placeholder"],
)
def test_a_changed_file_is_taken_once_it_was_the_same_twice(
    desk: Desk, change: Callable[[Desk], None]
) -> None:
    change(desk)
    desk.taken()
    assert desk.look(3) is None


def test_a_file_that_is_being_written_is_let_be(desk: Desk) -> None:
    text = SECRETIVE.replace("shop.orders", "shop.sales")
    for length in (20, 60, 100, len(text)):
        desk.file.write_text(text[:length])
        assert desk.look() is None
    assert desk.taken(1).config.subscriptions[0].topic == "shop.sales"


def test_a_file_that_is_away_for_a_moment_is_not_missed(desk: Desk) -> None:
    away = desk.file.rename(desk.directory / "away")
    assert desk.look() is None
    away.rename(desk.file)
    desk.taken(2)  # the same as before, which whoever compares will see
    assert desk.look(3) is None


def test_a_file_that_stays_away_is_told_once_and_taken_when_it_is_back(desk: Desk) -> None:
    away = desk.file.rename(desk.directory / "away")
    assert "is not there" in str(desk.refused())
    assert desk.look(3) is None
    away.rename(desk.file)
    desk.taken(3)  # the files that it names are looked at again, and once more


def test_a_mistake_is_told_once_for_each_content(desk: Desk) -> None:
    desk.file.write_text("name: [")
    desk.refused()
    assert desk.look(3) is None
    desk.file.write_text("name: ]")
    desk.refused()
    desk.file.write_text(SECRETIVE)
    desk.taken(3)


def test_a_file_that_a_mistaken_configuration_names_is_watched_too(desk: Desk) -> None:
    """Whoever adds a subscription may save its document last."""
    more = "  - {name: returns, document: returns.graphql, topic: shop.returns}\n"
    desk.file.write_text(SECRETIVE + more)
    assert "returns.graphql" in str(desk.refused(3))
    (desk.directory / "returns.graphql").write_text("subscription { returns { id } }")
    assert len(desk.taken().plans) == 2


def test_a_new_file_has_to_be_stable_as_well(desk: Desk) -> None:
    more = "  - {name: returns, document: returns.graphql, topic: shop.returns}\n"
    document = "subscription { returns { id at } }"
    (desk.directory / "returns.graphql").write_text(document[:20])
    desk.file.write_text(SECRETIVE + more)
    assert desk.look(2) is None
    (desk.directory / "returns.graphql").write_text(document)
    assert desk.taken().plans[1].document_text.count("at") == 1


def test_a_file_that_is_not_named_any_more_is_not_watched(desk: Desk) -> None:
    desk.file.write_text(GENERIC)
    desk.taken()
    (desk.directory / "key").unlink()
    assert desk.look(3) is None


def test_what_changed_between_start_and_first_look_is_seen(tmp_path: Path) -> None:
    desk = Desk(tmp_path, GENERIC)
    running = read_config(desk.file, env={})
    desk.file.write_text(GENERIC.replace("shop.orders", "shop.sales"))
    desk.watch = Watch(desk.file, env={}, running=running)
    desk.taken()


def test_the_symlink_of_a_config_map_is_followed(tmp_path: Path) -> None:
    """Kubernetes writes a new directory, and swaps the link to it; what is mounted stays a link."""

    def version(name: str, text: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "shop.yaml").write_text(text)
        (tmp_path / name / "orders.graphql").write_text(ORDERS)

    version("..1", GENERIC)
    version("..2", GENERIC.replace("shop.orders", "shop.sales"))
    (tmp_path / "..data").symlink_to("..1")
    for name in ("shop.yaml", "orders.graphql"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    file = tmp_path / "shop.yaml"
    watch = Watch(file, env={}, running=read_config(file, env={}))
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    shutil.rmtree(tmp_path / "..1")
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, LoadedConfig)
    assert found.config.subscriptions[0].topic == "shop.sales"


def test_a_token_file_is_left_to_whoever_reads_tokens_from_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token")
    desk = Desk(tmp_path, GENERIC + "token_file: token\n")
    (tmp_path / "token").write_text("another-token")
    assert desk.look(3) is None
    # It may be empty for a while; only where something else has changed it must hold a token.
    (tmp_path / "token").write_text("")
    assert desk.look(3) is None
    desk.file.write_text(GENERIC + "token_file: token\nlog: {level: debug}\n")
    assert "token_file" in str(desk.refused(3))
    (tmp_path / "token").write_text("a-third-token")
    assert desk.taken().config.log.level == "debug"


def test_what_came_through_a_pipe_cannot_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "orders.graphql").write_text(ORDERS)
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        pipe.write(GENERIC.replace("orders.graphql", f"{tmp_path}/orders.graphql"))
    try:
        file = Path(f"/dev/fd/{reading}")
        config = read_config(file, env={})
        watch = Watch(file, env={}, running=config)
    finally:
        os.close(reading)
    assert not watch.is_possible


def test_the_environment_goes_on_overriding_the_level(desk: Desk) -> None:
    env = {"CONNECTOR_LOG_LEVEL": "warning"}
    watch = Watch(desk.file, env=env, running=read_config(desk.file, env=env))
    desk.file.write_text(SECRETIVE + "log: {level: debug}\n")
    assert watch.look() is None
    found = watch.look()
    assert isinstance(found, LoadedConfig)
    assert found.config.log.level == "warning"
