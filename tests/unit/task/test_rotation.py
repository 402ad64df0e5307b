"""A session takes over from another before its token ends, and nobody downstream can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from connector.records.identity import Identity
from connector.records.seam import SeamSpec
from connector.subscription import SocketClosed
from connector.task.connect_rate import ConnectRateLimiter
from connector.task.rotation_policy import Rotation
from tests.unit.task.broadcast import Broadcast, Rotating, rotating, rows
from tests.unit.task.scenario import until
from tests.unit.task.upstream import Peer

BY_NUMBER = SeamSpec(identity=Identity(fields=(("n",),)), window=600.0)
BY_CONTENT = SeamSpec()
SEAMS = pytest.mark.parametrize("seam", [BY_NUMBER, BY_CONTENT], ids=["by identity", "by content"])


def nothing_was_lost(one: Rotating) -> None:
    told = one.scene.told
    assert (told.gaps, told.reconnects) == ([], [])
    assert told.uncovered_seconds < 0.1  # while it stopped


@SEAMS
async def test_a_token_s_end_makes_no_gap(seam: SeamSpec) -> None:
    async with rotating(Broadcast(), seam=seam) as one:
        await anyio.sleep(200)
        assert set(one.scene.told.rotations) == {"joined"}
        assert one.stream.sessions == [f"t{n + 1}" for n in range(len(one.stream.sessions))]
        assert len(one.stream.sessions) > 4
        assert len(one.scene.upstream.open) == 1
        await one.whole()
    nothing_was_lost(one)


@SEAMS
async def test_tokens_that_live_five_seconds_make_none_either(seam: SeamSpec) -> None:
    async with rotating(Broadcast(0.05), lives=5.0, ahead=2.6, seam=seam) as one:
        await anyio.sleep(60)
        assert len(one.stream.sessions) > 10
        await one.whole()
    nothing_was_lost(one)


@SEAMS
async def test_a_new_session_that_begins_with_a_snapshot_doubles_nothing(seam: SeamSpec) -> None:
    stream = Broadcast(snapshots={1: 10, 2: 15})
    async with rotating(stream, seam=seam) as one:
        await until(lambda: len(one.scene.told.rotations) == 2, within=200, every=0.1)
        await one.whole()
    nothing_was_lost(one)


@SEAMS
async def test_an_old_session_that_lags_is_closed_once_it_has_caught_up_with_the_new_one(
    seam: SeamSpec,
) -> None:
    stream = Broadcast(lags={0: 8.0})
    async with rotating(stream, seam=seam) as one:
        await until(lambda: one.scene.told.rotations, within=200, every=0.1)
        assert one.scene.told.rotations == ["joined"]
        await one.whole()
    nothing_was_lost(one)


async def test_both_sessions_are_billed_while_they_overlap() -> None:
    async with rotating(Broadcast()) as one:
        await until(lambda: len(one.stream.sessions) == 2, within=100, every=0.1)
        one.scene.runner.tick()
        before, since = one.scene.told.streamed_seconds, anyio.current_time()
        await until(lambda: one.scene.told.rotations, within=100, every=0.1)
        one.scene.runner.tick()
        spent = anyio.current_time() - since
        assert one.scene.told.streamed_seconds - before == pytest.approx(2 * spent, abs=1.2)


async def refused_second(stream: Broadcast, peer: Peer) -> None:
    if stream.sessions:
        stream.sessions.append(peer.token)
        await peer.close(4429, "Too many sessions")
        return
    await stream(peer)


async def test_a_new_session_that_is_refused_leaves_the_old_one_going_until_it_has_to_end() -> None:
    stream = Broadcast()
    async with rotating(stream, handler=lambda peer: refused_second(stream, peer)) as one:
        await until(lambda: "new_ended" in one.scene.told.rotations, within=100, every=0.1)
        assert len(one.scene.upstream.open) == 1
        await anyio.sleep(5)
        sent = stream.sent
        await until(lambda: len(one.numbers) >= sent)
        assert one.numbers == list(range(len(one.numbers)))


async def test_an_old_session_that_dies_before_the_new_one_came_leaves_a_gap_that_is_told() -> None:
    stream = Broadcast(lags={0: 3.0})

    async def handler(peer: Peer) -> None:
        if not stream.sessions:
            async with anyio.create_task_group() as group:
                group.start_soon(stream, peer)
                await until(lambda: len(stream.sessions) == 2, within=200, every=0.1)
                await anyio.sleep(2)  # the new one is live, and the old one lags by three seconds
                await peer.fail(SocketClosed(None, ""))
                group.cancel_scope.cancel()
            return
        await stream(peer)

    async with rotating(stream, handler=handler) as one:
        await until(lambda: one.scene.told.rotations, within=200, every=0.1)
        assert one.scene.told.rotations == ["gap"]
        assert one.scene.told.gaps == ["unfilled"]
        await anyio.sleep(5)
        numbers = one.numbers
    missing = set(range(max(numbers))) - set(numbers)
    # Three seconds of rows, that the old session had not brought when it died; two came by the new one.
    assert 0 < len(missing) <= 10
    assert one.scene.told.uncovered_seconds >= len(missing) * stream.pace - stream.pace
    assert len(numbers) == len(set(numbers))


async def test_a_quiet_subscription_is_reopened_for_silence_proves_nothing() -> None:
    async with rotating(Broadcast(pace=1e6)) as one:
        await until(lambda: one.scene.told.rotations, within=100, every=0.1)
        assert one.scene.told.rotations == ["unproved"]
        await until(lambda: len(one.stream.sessions) == 3)
        assert one.scene.told.reconnects == ["reopen"]
        assert len(one.scene.upstream.open) == 1


async def test_a_new_session_that_acks_and_stays_silent_does_not_take_over() -> None:
    stream = Broadcast(mute=frozenset({1}))
    async with rotating(stream, lives=100.0) as one:
        await until(lambda: one.scene.told.rotations, within=200, every=0.1)
        assert one.scene.told.rotations == ["unproved"]
        await until(lambda: len(stream.sessions) == 3)
        assert one.scene.told.reconnects == ["reopen"]
        await anyio.sleep(10)
        numbers = one.numbers
    assert len(numbers) == len(set(numbers))
    assert max(numbers) - len(numbers) < 5  # what came while it was reopened


@pytest.mark.parametrize("end", ["stop", "give_way"])
async def test_a_stop_and_a_reload_end_both_sessions(end: str) -> None:
    async with rotating(Broadcast()) as one:
        await until(lambda: len(one.scene.upstream.open) == 2, within=100, every=0.1)
        await anyio.sleep(1)
        one.stream.stops_at = anyio.current_time()
        getattr(one.scene.runner, end)()
        await one.scene.ended.wait()
        assert one.scene.upstream.open == []
        assert one.numbers == list(range(len(one.numbers)))
        assert one.stream.sent - len(one.numbers) <= 1
        assert one.scene.nothing_is_left()


async def test_of_two_sessions_the_new_one_is_shed_first() -> None:
    async with rotating(Broadcast()) as one:
        await until(lambda: len(one.scene.upstream.open) == 2, within=100, every=0.1)
        one.scene.runner.memory_is_short(held=1, bound=2)
        await until(lambda: one.scene.told.rotations)
        assert one.scene.told.rotations == ["new_ended"]
        assert len(one.scene.upstream.open) == 1
        assert one.scene.told.reconnects == []
        await anyio.sleep(30)
        assert one.scene.told.rotations[-1] == "joined"
        await one.whole()
    nothing_was_lost(one)


async def test_an_endpoint_that_closes_the_old_session_is_known_after_two_rotations() -> None:
    stream = Broadcast()
    open_peers: list[Peer] = []

    async def handler(peer: Peer) -> None:
        for other in open_peers:
            await other.fail(SocketClosed(4409, "another session"))
        open_peers[:] = [peer]
        await stream(peer)

    async with rotating(stream, handler=handler) as one:
        await until(lambda: len(stream.sessions) >= 5, within=300, every=0.1)
        assert len(one.scene.told.rotations) == 2
        assert one.scene.told.reconnects[-1] == "reopen"
        numbers = one.numbers
    assert len(numbers) == len(set(numbers))


async def test_a_second_expiry_during_an_overlap_waits_for_the_join() -> None:
    rotation = Rotation(kind="overlap", overlap=5.0, overlap_max=30.0)
    stream = Broadcast(lags={1: 3.0, 2: 4.0})
    async with rotating(stream, lives=60.0, ahead=58.0, rotation=rotation) as one:
        await until(lambda: len(one.scene.told.rotations) == 3, within=200, every=0.1)
        await one.whole()
    nothing_was_lost(one)


async def test_a_row_that_only_the_old_session_brought_is_published() -> None:
    extra: list[int] = []

    stream = Broadcast()

    async def handler(peer: Peer) -> None:
        first = not stream.sessions
        async with anyio.create_task_group() as group:
            group.start_soon(stream, peer)
            while first:
                await until(lambda: len(stream.sessions) == 2, within=200, every=0.1)
                await anyio.sleep(1)
                for number in (10**6, 10**6 + 1):
                    peer.write(rows(number))
                    extra.append(number)
                first = False
            await peer.wait_closed()
            group.cancel_scope.cancel()

    async with rotating(stream, handler=handler) as one:
        await until(lambda: one.scene.told.rotations, within=200, every=0.1)
        await anyio.sleep(1)
        found: list[Any] = [number for number in one.numbers if number >= 10**6]
    assert found == extra


async def probed(one: Rotating) -> str | None:
    """Let the present session be doubted; return what came of it."""
    found: list[Any] = []
    one.scene.runner.probe(found.append)
    await until(lambda: found, within=100, every=0.1)
    return None if found[0] is None else str(found[0].outcome)


async def test_a_session_that_is_alive_but_dead_is_found_by_a_second_one() -> None:
    stream = Broadcast()

    async def handler(peer: Peer) -> None:
        if stream.sessions:
            await stream(peer)
            return
        async with anyio.create_task_group() as group:
            group.start_soon(stream, peer)
            await anyio.sleep(20)
            group.cancel_scope.cancel()
        await peer.wait_closed()  # it says nothing more, and lives

    async with rotating(stream, lives=1e5, handler=handler) as one:
        await anyio.sleep(40)
        assert await probed(one) == "gap"
        assert one.scene.told.gaps == ["unfilled"]
        # From its last row on, and not only from the moment when it was doubted.
        assert 20 < one.scene.told.uncovered_seconds < 40
        assert len(one.scene.upstream.open) == 1
        before = len(one.numbers)
        await anyio.sleep(10)
        assert len(one.numbers) > before + 40


async def test_one_that_brought_no_row_at_all_was_dead_from_its_beginning_on() -> None:
    async with rotating(Broadcast(mute=frozenset({0})), lives=1e5) as one:
        await anyio.sleep(40)
        assert await probed(one) == "gap"
        assert one.scene.told.gaps == ["unfilled"]
        assert 39 < one.scene.told.uncovered_seconds < 60


async def test_one_that_delivers_is_replaced_without_a_gap_though_it_is_doubted() -> None:
    async with rotating(Broadcast(), lives=1e5) as one:
        await anyio.sleep(10)
        assert await probed(one) == "joined"
        await one.whole()
    nothing_was_lost(one)


async def test_where_both_are_silent_nothing_is_proved_and_the_old_one_goes_on() -> None:
    async with rotating(Broadcast(pace=1e6), lives=1e5) as one:
        await anyio.sleep(10)
        assert await probed(one) == "unproved"
        await anyio.sleep(30)
        assert len(one.scene.upstream.open) == 1
        assert one.stream.sessions == ["t1", "t1"]
        assert one.scene.told.reconnects == []


async def test_a_silent_one_goes_on_in_the_new_session_where_a_sibling_has_proved_that_it_is_served() -> None:
    async with rotating(Broadcast(pace=1e6)) as one:
        one.scene.shared.rotations.proofs.served(1, anyio.current_time())
        one.scene.shared.rotations.proofs.served(2, anyio.current_time())
        await until(lambda: one.scene.told.rotations, within=100, every=0.1)
        await anyio.sleep(20)
        assert len(one.scene.upstream.open) == 1
        assert one.scene.told.reconnects == []


async def test_a_new_session_that_is_silent_while_the_old_one_delivers_never_takes_over() -> None:
    async with rotating(Broadcast(mute=frozenset({1}))) as one:
        one.scene.shared.rotations.proofs.served(1, anyio.current_time())
        one.scene.shared.rotations.proofs.served(2, anyio.current_time())
        await until(lambda: one.scene.told.rotations, within=100, every=0.1)
        await anyio.sleep(10)
        missing, twice = await one.outcome()
        assert (len(missing) < 5, twice) == (True, [])  # the old one gives way to a reopened session
        assert one.stream.sent - one.numbers[-1] < 5


class Turns(ConnectRateLimiter):
    """Calls ``then`` before it lets a session through."""

    def __init__(self) -> None:
        super().__init__(clock=anyio.current_time)
        self.then: Callable[[], None] = lambda: None

    async def turn(self) -> None:
        self.then()


async def test_a_stop_at_the_moment_when_a_new_session_is_opened_ends_that_too() -> None:
    turns = Turns()
    async with rotating(Broadcast(), connect_rate=turns) as one:
        await until(lambda: one.stream.sessions)
        turns.then = one.scene.runner.stop
        with anyio.fail_after(100):
            await one.scene.ended.wait()
        assert one.scene.upstream.open == []
        assert one.scene.nothing_is_left()
