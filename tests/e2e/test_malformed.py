"""
Hundreds of malformed inputs to the whole program, seen from outside: it lives, loses no row that it was
sent, says neither a secret nor a traceback, and ends in good order.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.reader import read_all
from tests.e2e.conftest import OpenStage
from tests.e2e.connector_process import ConnectorProcess, encodings
from tests.e2e.hostile import HostileTokens, HostileUpstream, hidden
from tests.e2e.malformed import SECRET, frames, messages, token_answers
from tests.e2e.stage import Stage
from tests.fuzz.test_configs import WHOLE
from tests.standins.behaviour import Fin
from tests.standins.feed import Feed
from tests.standins.tokens import make_secret
from tests.unit.config.conftest import ORDERS

WITHIN = 300.0


def assert_sound(connector: ConnectorProcess) -> None:
    assert "Traceback" not in connector.text
    assert not connector.logs("event loop error")
    assert not connector.leaks()


# What an upstream sends


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("tolerance", "every"),
    [
        pytest.param("none", 12, marks=[pytest.mark.slow, pytest.mark.takes(50)]),
        pytest.param("none", 1, marks=[pytest.mark.slow, pytest.mark.takes(120)]),
        pytest.param("all", 2, marks=[pytest.mark.slow, pytest.mark.takes(90)]),
    ],
)
async def test_every_good_row_between_malformed_frames_arrives(
    stage: Stage, tolerance: str, every: int
) -> None:
    all_messages = messages()
    ordeals = [*list(frames().values())[:: min(every, 4)], *all_messages[::every]]
    upstream = HostileUpstream(ordeals, early=all_messages[5 :: 20 * every])
    feeds = [Feed(f"f{number}", rate=0) for number in range(24)]
    config = stage.config(*feeds)
    for one in config["subscriptions"]:
        one["topic"] = stage.topic_prefix
    dead_letters = f"{stage.topic_prefix}.dlq"
    if tolerance == "all":
        config["errors"] = {
            "tolerance": "all",
            "dead_letter_topic": dead_letters,
            "window": {"failures": 1000, "rows": 1000},
        }
    async with upstream.serve(), AsyncExitStack() as stack:
        config["endpoint"] |= {"url": upstream.url, "close_timeout": "2s"}
        connector = await stack.enter_async_context(stage.start(config))
        await connector.until(lambda: not upstream.ordeals and not upstream.early, within=WITHIN)
        before = Counter(upstream.calm)
        await connector.until(
            lambda: all(upstream.calm[feed.name] > before[feed.name] + 1 for feed in feeds),
            within=WITHIN,
            what="calm",
        )
        for feed in feeds:
            await connector.until_state(feed.name, "live")
        assert await connector.stop() == 0
        assert_sound(connector)
    assert not upstream.hung, upstream.hung[:3]
    assert len(upstream.lived_on) + len(upstream.ended) == len(ordeals)
    assert len(upstream.ended) > len(ordeals) / 10
    records = await read_all(stage.kafka.bootstrap_servers, stage.topic_prefix)
    values = Counter(record.value or b"" for record in records)
    assert not upstream.owed - values.keys()
    assert not [row for row in upstream.sent if values[row] > 1]
    assert_verbatim(set(values) - upstream.sent, ordeals, stage)
    if tolerance == "all":
        await assert_hidden(stage, dead_letters)


def assert_verbatim(others: set[bytes], ordeals: list[bytes], stage: Stage) -> None:
    """What else is in the topic is part of an ordeal, but for halves of surrogate pairs."""
    assert others
    haystack = b"\n".join(ordeals)
    tokens = [hidden(token) for token in stage.authority.values]
    for value in others:
        found = value
        for token in tokens:
            found = found.replace(token, SECRET.encode())
        assert found in haystack or b"ufffd" in found, found[:200]


async def assert_hidden(stage: Stage, dead_letters: str) -> None:
    """What is kept of frames that are none holds no token."""
    kept = await read_all(stage.kafka.bootstrap_servers, dead_letters)
    assert len(kept) > 50
    for record in kept:
        emitted = (record.value or b"") + b"".join(value for _, value in record.headers)
        for token in stage.authority.values:
            assert not [kind for kind, text in encodings(token) if text.encode() in emitted]


# What a token endpoint answers


@pytest.mark.takes(120)
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_it_lives_on_whatever_a_token_endpoint_answers(open_with: OpenStage) -> None:
    names = [f"t{number}" for number in range(6)]
    answers = token_answers()
    assert len(answers) > 200
    secrets = [make_secret("client"), make_secret("client")]
    async with open_with(*names, rate=50) as stage, AsyncExitStack() as stack:
        endpoints: list[HostileTokens] = []
        connectors: list[ConnectorProcess] = []
        for number, feed in enumerate(stage.upstream.feeds.values()):
            endpoint = HostileTokens(stage.authority, answers[number :: len(names)])
            endpoints.append(await stack.enter_async_context(endpoint.serve()))
            config = stage.config(feed)
            config["oauth"] |= {"token_url": endpoint.url, "client_secret": f"${{file:{secret_file(stage)}}}"}
            secret_file(stage).write_text(secrets[0])
            connectors.append(await stack.enter_async_context(stage.start(config)))
        await ask_again_until_all_is_answered(stage, endpoints, connectors, secrets)
        for connector, name in zip(connectors, names, strict=True):
            await connector.until_state(name, "live")
            await connector.until_metric("connector_rows_acked_total", lambda rows: rows > 0)
        for connector in connectors:
            assert await connector.stop() == 0
            assert_sound(connector)
            assert not [s for s in secrets for _, text in encodings(s) if text in connector.text]
        for feed in stage.upstream.feeds.values():
            await stage.assert_exact(feed)


def secret_file(stage: Stage) -> Path:
    return stage.directory / "client-secret"


async def ask_again_until_all_is_answered(
    stage: Stage, endpoints: list[HostileTokens], connectors: list[ConnectorProcess], secrets: list[str]
) -> None:
    """Refuse every token and change the secret, for then a connector that waits asks at once."""
    deadline = time.monotonic() + WITHIN
    turn = 0
    while any(endpoint.answers for endpoint in endpoints):
        assert time.monotonic() < deadline, [len(endpoint.answers) for endpoint in endpoints]
        assert all(connector.process.poll() is None for connector in connectors)
        turn += 1
        stage.authority.revoke_all()
        stage.upstream.begin(Fin())
        secret_file(stage).write_text(secrets[turn % 2])
        await anyio.sleep(2.5)
    secret_file(stage).write_text(secrets[(turn + 1) % 2])


# What stands in a configuration

PROGRAM = """
import contextlib, io, json, sys
from connector.cli.main import app
for path in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            app(["validate", "-c", path])
        except SystemExit as left:
            code = left.code
    print(json.dumps([path, code, out.getvalue(), err.getvalue()]))
"""


def configurations() -> list[bytes]:
    dice = random.Random(822)
    whole = WHOLE.encode()
    values: list[Any] = [
        None,
        True,
        5,
        -1,
        1e308,
        "",
        "x",
        [],
        {},
        [[]],
        {"a": {"a": 5}},
        "\ud800",
        "\0",
        "9" * 5000,
    ]
    lines = WHOLE.split("\n")
    found = [
        b"",
        b"\0",
        b"\xff\xfe",
        b"a: " + b"[" * 5000,
        b"&a [*a]",
        b"- 1",
        b"%YAML 9",
        b"!!python/name:os.system x",
    ]
    for line, text in enumerate(lines):
        key = text.split(":")[0]
        found.append("\n".join(lines[:line] + lines[line + 1 :]).encode())
        changed = f"{key}: {json.dumps(dice.choice(values))}"
        found.append("\n".join([*lines[:line], changed, *lines[line + 1 :]]).encode())
    for _ in range(60):
        at = dice.randrange(len(whole))
        found.append(whole[:at] + dice.randbytes(dice.randrange(4)) + whole[at + dice.randrange(6) :])
    return found


def test_any_configuration_is_valid_or_refused_in_words(tmp_path: Path) -> None:
    secret = make_secret()
    (tmp_path / "orders.graphql").write_text(ORDERS)
    contents = configurations()
    assert len(contents) > 100
    for number, content in enumerate(contents):
        (tmp_path / f"{number}.yaml").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *(f"{number}.yaml" for number in range(len(contents)))],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=tmp_path,
        env={"SECRET": secret},
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == len(contents)
    assert {code for _, code, _, _ in said} == {0, 2}
    for path, code, out, err in said:
        assert "Traceback" not in err, path
        assert ("is valid" in out) == (code == 0), path
        assert code == 0 or "→" in err, (path, err)
    assert not [kind for kind, text in encodings(secret) if text in done.stdout + done.stderr]
