"""`connector tail`: rows on standard output, without Kafka."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import anyio
import pytest
import yaml

from tests.e2e.command import run_command, secrets_of
from tests.e2e.connector_process import PATIENCE, encodings
from tests.e2e.stage import Stage
from tests.slow import first_of
from tests.standins.behaviour import Fin, Silence
from tests.standins.feed import Feed
from tests.standins.rows import RowStyle

KAFKA_IS_AWAY = {"bootstrap_servers": "127.0.0.1:1"}


class Tailing:
    """
    A running tail. Its output goes into a file; or to the standard input of ``reader``, whose output is kept;
    or with ``is_unread`` into a pipe that nobody reads.
    """

    def __init__(
        self,
        stage: Stage,
        config: Mapping[str, Any],
        *options: str,
        reader: Sequence[str] = (),
        is_unread: bool = False,
    ) -> None:
        self._stage = stage
        self._directory = stage.directory / f"tail{len(list(stage.directory.glob('tail*')))}"
        self._directory.mkdir()
        (self._directory / "c.yaml").write_text(yaml.safe_dump(dict(config)))
        self.reader: subprocess.Popen[bytes] | None = None
        self._unread: int | None = None
        with (self._directory / "out").open("wb") as out, (self._directory / "err").open("wb") as err:
            into: int | IO[bytes] = out
            if reader:
                self.reader = subprocess.Popen(reader, stdin=subprocess.PIPE, stdout=out)
                assert self.reader.stdin is not None
                into = self.reader.stdin
            if is_unread:
                self._unread, into = os.pipe()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "connector", "tail", "-c", "c.yaml", *options],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=into,
                stderr=err,
                env={**os.environ, **secrets_of(stage)},
            )
            if isinstance(into, int):
                os.close(into)
            elif self.reader is not None:
                into.close()  # only the tail holds it now, so that its end is the reader's

    async def __aenter__(self) -> Tailing:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for process in (self.process, self.reader):
            if process is not None:
                process.kill()
                process.wait(10)
        if self._unread is not None:
            os.close(self._unread)
        if kind is not None:
            print(self.said[-3000:])
            return
        assert "Traceback" not in self.said
        for secret in self._stage.secrets():
            assert not [kind for kind, text in encodings(secret) if text in self.said]

    @property
    def rows(self) -> list[bytes]:
        """The lines that were printed whole."""
        return (self._directory / "out").read_bytes().split(b"\n")[:-1]

    @property
    def said(self) -> str:
        """What it logged."""
        return (self._directory / "err").read_text()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition; the tail ending meanwhile is an error."""
        with anyio.fail_after(PATIENCE):
            while not condition():
                assert self.process.poll() is None, self.said
                await anyio.sleep(0.05)

    async def until_rows(self, count: int) -> None:
        """Wait for so many lines."""
        await self.until(lambda: len(self.rows) >= count)

    async def ended(self) -> int:
        """Wait for the end, return the exit code."""
        return await anyio.to_thread.run_sync(lambda: self.process.wait(60))


@pytest.mark.parametrize("number", first_of([signal.SIGTERM, signal.SIGINT]))
async def test_rows_are_those_that_were_written_until_a_signal(stage: Stage, number: signal.Signals) -> None:
    async with Tailing(stage, stage.config(kafka=KAFKA_IS_AWAY)) as tail:
        await tail.until_rows(200)
        tail.process.send_signal(number)
        assert await tail.ended() == 0
        audit = stage.upstream.feed.ledger.audit(tail.rows)
        assert audit.is_exact, audit
        assert "may bill them" in tail.said
    (session,) = stage.upstream.sessions
    assert session.record.ending == "client close"


@pytest.mark.slow
async def test_a_fresh_token_and_a_lost_socket_in_the_middle_lose_nothing_that_was_written(
    stage: Stage,
) -> None:
    stage.authority.life = 4.0
    async with Tailing(stage, stage.config(kafka=KAFKA_IS_AWAY)) as tail:
        await tail.until_rows(200)
        stage.upstream.begin(Fin())
        await stage.upstream.until(lambda: len(stage.upstream.sessions) >= 4)
        await tail.until_rows(len(tail.rows) + 100)
        tail.process.send_signal(signal.SIGTERM)
        assert await tail.ended() == 0
        audit = stage.upstream.feed.ledger.audit(tail.rows)
        assert audit.is_exact, audit
    assert len({session.token for session in stage.upstream.sessions}) >= 2


@pytest.mark.slow
async def test_head_ends_it_without_a_word_about_pipes(stage: Stage) -> None:
    async with Tailing(stage, stage.config(kafka=KAFKA_IS_AWAY), reader=["head", "-3"]) as tail:
        assert await tail.ended() == 0
        assert len(tail.rows) == 3
        assert "roken" not in tail.said  # broken pipe
    await stage.upstream.until(lambda: not stage.upstream.open_sessions)


@pytest.mark.slow
async def test_a_reader_that_leaves_ends_it_although_no_row_comes(stage: Stage) -> None:
    stage.upstream.behave(ending=Silence(), ending_after_rows=1)
    async with Tailing(stage, stage.config(kafka=KAFKA_IS_AWAY), reader=["head", "-1"]) as tail:
        assert await tail.ended() == 0
        assert len(tail.rows) == 1


async def test_a_limit_is_kept_to_the_row_over_several_subscriptions(stage: Stage) -> None:
    stage.upstream.add_feed(Feed("eth", rate=300))
    done = await run_command(stage, stage.config(kafka=KAFKA_IS_AWAY), "tail", "--limit", "250")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 250


@pytest.mark.slow
async def test_only_the_subscriptions_named_are_followed(stage: Stage) -> None:
    eth = stage.upstream.add_feed(Feed("eth", rate=300))
    config = stage.config(kafka=KAFKA_IS_AWAY)
    done = await run_command(stage, config, "tail", "--subscription", "eth", "--limit", "20")
    assert done.returncode == 0
    audit = eth.ledger.audit(line.encode() for line in done.stdout.splitlines())
    assert (audit.strangers, audit.altered) == (0, frozenset())
    assert len(stage.upstream.sessions) == 1


@pytest.mark.slow
async def test_an_unknown_subscription_is_a_mistake(stage: Stage) -> None:
    done = await run_command(stage, stage.config(), "tail", "--subscription", "bcs")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'bcs'" in done.stderr
    assert "bsc" in done.stderr
    assert not stage.upstream.attempts


@pytest.mark.parametrize("seconds", first_of(["nan", "-1", "0", "soon", "inf"]))
async def test_a_time_that_is_none_is_a_mistake(stage: Stage, seconds: str) -> None:
    done = await run_command(stage, stage.config(), "tail", "--seconds", seconds)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.slow
async def test_rows_over_several_lines_become_one_line_each(stage: Stage) -> None:
    stage.upstream.feed.row_style = RowStyle(spaced=True)
    done = await run_command(stage, stage.config(kafka=KAFKA_IS_AWAY), "tail", "--limit", "20")
    rows = [line.encode() for line in done.stdout.splitlines()]
    assert len(rows) == 20
    assert stage.upstream.feed.ledger.audit(rows).strangers == 0


@pytest.mark.slow
async def test_time_without_any_session_is_a_failure_with_a_reason(stage: Stage) -> None:
    stage.oauth.delete_client()
    done = await run_command(stage, stage.config(kafka=KAFKA_IS_AWAY), "tail", "--seconds", "6")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no session came about in time" in done.stderr
    assert "invalid_client" in done.stderr


@pytest.mark.slow
async def test_time_with_a_session_ends_well(stage: Stage) -> None:
    done = await run_command(stage, stage.config(kafka=KAFKA_IS_AWAY), "tail", "--seconds", "10")
    assert done.returncode == 0
    assert done.stdout


async def test_no_section_of_kafka_is_asked_for_and_a_time_may_have_a_unit(stage: Stage) -> None:
    config = {key: value for key, value in stage.config().items() if key != "kafka"}
    done = await run_command(stage, config, "tail", "--seconds", "20s", "--limit", "5")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5
    assert "kafka" not in done.stderr.lower()


async def test_a_reader_that_does_not_read_sheds_the_session_and_keeps_it_for_seconds_only(
    stage: Stage,
) -> None:
    config = stage.config(kafka=KAFKA_IS_AWAY, inbox={"max_bytes": "1MiB"})
    async with Tailing(stage, config, is_unread=True) as tail:
        await tail.until(lambda: "session is shed: the output's reader takes less" in tail.said)
        await stage.upstream.until(lambda: not stage.upstream.open_sessions)
        tail.process.send_signal(signal.SIGTERM)
        assert await tail.ended() == 0
