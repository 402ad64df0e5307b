"""One attempt: how far it comes, what it tells, whom it credits, and how it ends. Without a socket."""

from __future__ import annotations

import anyio
import pytest

from connector.subscription import ProtocolViolation, ServerCompleted, ServerRefused, Silent, SocketClosed
from connector.task import KeepAlivePolicy
from connector.task.progress import LASTING_AFTER, PROVEN_AFTER, SETTLED_AFTER, STEADY_AFTER, Progress
from tests.unit.task.fakes import token
from tests.unit.task.piping import piped
from tests.unit.task.scenario import COMPLETE, Flow, numbered, quiet, said, until
from tests.unit.task.upstream import Peer

OPENING = ["connecting", "initialising", "subscribing"]
ERROR = '{"type":"error","id":"1","payload":[{"message":"no"}]}'


def test_each_step_of_progress_includes_those_before_it() -> None:
    assert list(Progress) == sorted(Progress)
    assert [step.name for step in Progress] == [
        "NEW",
        "CONNECTING",
        "INITIALISING",
        "SUBSCRIBING",
        "LIVE",
        "ACCEPTED",
        "PROVEN",
        "LASTING",
    ]


# Its progress


async def test_one_that_brings_data_for_a_while_is_proven_and_its_token_credited() -> None:
    async with piped(Flow()) as line:
        one = line.start(token(3))
        await one.until_reached(Progress.ACCEPTED)
        assert line.said_of(3) == [*OPENING, "live", "accepted"]
        assert line.keeper.accepted == [3]
        since = one.attempt.live_since
        assert since is not None
        await one.until_reached(Progress.PROVEN)
        assert anyio.current_time() - since >= STEADY_AFTER
        assert line.said_of(3) == [*OPENING, "live", "accepted", "proven"]
        assert line.keeper.accepted == [3, 3]


async def test_one_that_brings_no_data_is_live_soon_and_proven_late_since_it_subscribed() -> None:
    async with piped(quiet) as line:
        one = line.start(token(3))
        await one.until_reached(Progress.SUBSCRIBING)
        subscribed_at = anyio.current_time()
        await one.until_reached(Progress.LIVE)
        assert anyio.current_time() - subscribed_at >= SETTLED_AFTER - 0.1
        assert one.attempt.live_since is not None
        assert one.attempt.live_since <= subscribed_at
        await anyio.sleep(PROVEN_AFTER - 2)
        assert one.attempt.progress is Progress.LIVE
        assert line.keeper.accepted == []
        await one.until_reached(Progress.PROVEN)
        assert line.said_of(3) == [*OPENING, "live", "proven"]
        assert line.keeper.accepted == [3]
        assert line.keeper.quiet == [3]
        await anyio.sleep(LASTING_AFTER - PROVEN_AFTER)
        await one.until_reached(Progress.LASTING)
        assert anyio.current_time() - subscribed_at >= LASTING_AFTER - 0.1
        assert line.said_of(3) == [*OPENING, "live", "proven", "lasting"]
        assert line.keeper.accepted == [3, 3]
        assert line.keeper.quiet == [3]


@pytest.mark.parametrize("silence", [PROVEN_AFTER + 5, LASTING_AFTER + 5])
async def test_data_that_comes_late_credits_the_token(silence: float) -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await anyio.sleep(silence)
        credited.append(len(line.keeper.accepted) - len(line.keeper.quiet))
        await peer.send(numbered(1))
        await peer.send(numbered(2))
        await peer.wait_closed()

    credited: list[int] = []
    async with piped(handler) as line:
        line.start(token(3))
        await anyio.sleep(silence)
        await until(lambda: line.numbers == [1, 2])
        assert len(line.keeper.accepted) - len(line.keeper.quiet) == credited[0] + 1


async def test_one_that_brings_a_row_and_ends_is_not_proven() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(numbered(1))
        await peer.close()

    async with piped(handler) as line:
        end = await line.start().ended()
    assert (end.progress, end.delivered) == (Progress.ACCEPTED, True)
    assert isinstance(end.error, SocketClosed)


async def test_one_without_a_token_credits_nobody() -> None:
    async with piped(Flow()) as line:
        await line.start().until_reached(Progress.PROVEN)
        assert line.keeper.accepted == []


@pytest.mark.parametrize("refusal", [ERROR, said('{"errors":[{"message":"Unauthorized"}]}')])
async def test_one_that_is_refused_was_never_live(refusal: str) -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(refusal)
        await peer.wait_closed()

    async with piped(handler) as line:
        end = await line.start(token(1)).ended()
    assert isinstance(end.error, ServerRefused)
    assert (end.progress, end.live_for, end.delivered) == (Progress.SUBSCRIBING, 0.0, False)
    assert line.said_of(1) == OPENING
    assert line.keeper.accepted == []


async def test_a_result_without_data_proves_nothing() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(said('{"data":null}'))
        await peer.close()

    async with piped(handler) as line:
        end = await line.start(token(1)).ended()
    assert (end.progress, end.delivered) == (Progress.SUBSCRIBING, False)
    assert line.told.nulls == 1


# Its end


async def test_rows_that_come_after_a_long_silence_are_data_and_those_behind_an_error_are_received() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await anyio.sleep(3 * PROVEN_AFTER)
        peer.write(numbered(1), said('{"errors":[{"message":"a blip"}]}'), COMPLETE, numbered(2))
        await peer.wait_closed()

    async with piped(handler) as line:
        end = await line.start(token(1)).ended()
        await line.pipeline.drain()
    assert line.numbers == [1, 2]
    assert (end.progress, end.delivered) == (Progress.PROVEN, True)
    assert isinstance(end.error, ServerCompleted)  # and not the blip, for it brought rows


@pytest.mark.parametrize("oddity", [COMPLETE, ERROR, "no JSON", '{"type":"next","id":"1","payload":null}'])
async def test_rows_behind_what_ends_the_operation_are_received(oddity: str) -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        rows = [numbered(number) for number in range(20)]
        peer.write(*rows[:10], oddity, *rows[10:])
        await peer.wait_closed()

    async with piped(handler) as line:
        end = await line.start().ended()
        await line.pipeline.drain()
    assert line.numbers == list(range(20))
    assert end.error is not None
    assert isinstance(end.error, ProtocolViolation) is (oddity not in (COMPLETE, ERROR))
    assert end.error.__traceback__ is None  # it would keep the message


async def test_errors_for_the_only_result_are_what_a_completion_means() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(said('{"errors":[{"message":"no such field: t1"}]}'))
        await peer.send(COMPLETE)
        await peer.wait_closed()

    async with piped(handler) as line:
        end = await line.start(token(1)).ended()
    assert isinstance(end.error, ServerRefused)
    assert end.error.symptom.texts == ("no such field: [token]",)
    assert end.token == token(1)


async def test_the_first_cause_of_closing_counts_and_there_is_no_error() -> None:
    async with piped(Flow()) as line:
        one = line.start(token(1))
        await one.until_reached(Progress.ACCEPTED)
        one.attempt.finish("shed")
        one.attempt.finish("stop")
        end = await one.ended()
    assert (end.cause, end.error) == ("shed", None)
    assert line.said_of(1)[-2:] == ["closing shed", "closed shed"]


async def test_one_that_is_given_up_while_it_opens_was_not_subscribed() -> None:
    async with piped(quiet) as line:
        line.upstream.hangs = True
        one = line.start()
        await one.until_reached(Progress.CONNECTING)
        one.attempt.finish("stop")
        end = await one.ended()
    assert (end.cause, end.error, end.progress) == ("stop", None, Progress.CONNECTING)


async def test_cancelling_it_ends_the_connection() -> None:
    async with piped(Flow()) as line:
        one = line.start()
        await one.until_reached(Progress.ACCEPTED)
        one.scope.cancel()
        await until(lambda: not line.upstream.open)
        assert one.end is None


# Beside its reading


@pytest.mark.parametrize("answers", [True, False])
async def test_a_quiet_peer_is_asked_and_left_where_it_does_not_answer(answers: bool) -> None:
    probing = KeepAlivePolicy(keepalive_timeout=30.0, probe=True)
    async with piped(quiet, keep_alive=probing) as line:
        line.upstream.answers_probes = answers
        one = line.start()
        await anyio.sleep(200)
        (peer,) = line.upstream.peers
        if answers:
            assert one.end is None
            assert peer.probes >= 5
        else:
            end = await one.ended()
            assert isinstance(end.error, Silent)
            assert peer.probes == 1


async def test_a_strict_peer_that_falls_silent_is_left_without_being_asked() -> None:
    async with piped(quiet, keep_alive=KeepAlivePolicy(keepalive_timeout=30.0, probe=False)) as line:
        end = await line.start().ended()
        assert isinstance(end.error, Silent)
        assert anyio.current_time() - end.last_heard_at >= 30
        assert line.upstream.peers[0].probes == 0


async def test_it_pings_as_often_as_is_wanted() -> None:
    pinging = KeepAlivePolicy(keepalive_timeout=1e6, probe=False, ping_interval=10.0)
    async with piped(quiet, keep_alive=pinging) as line:
        one = line.start()
        await anyio.sleep(95)
        assert line.upstream.peers[0].pings == 9
        one.attempt.finish("stop")
        await one.ended()


async def test_it_makes_way_before_its_token_expires_once_there_is_a_newer_one() -> None:
    async with piped(quiet) as line:
        held = token(1, expires_in=100.0)
        line.keeper.put(held)
        one = line.start(held)
        await anyio.sleep(90)
        assert one.end is None  # with what should another be opened?
        line.keeper.put(token(2))
        end = await one.ended()
        assert end.cause == "reopen"
        assert anyio.current_time() < (held.expires_at or 0)


@pytest.mark.parametrize(("expires_in", "reopens"), [(None, True), (100.0, False)])
async def test_it_outlives_a_token_that_does_not_bind_it(expires_in: float | None, reopens: bool) -> None:
    async with piped(quiet) as line:
        line.keeper.put(token(2))
        one = line.start(token(1, expires_in=expires_in), reopens=reopens)
        await anyio.sleep(1000)
        assert one.end is None
