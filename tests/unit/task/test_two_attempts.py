"""Two attempts feed one pipeline at once: what is learnt by one of them is never the other's."""

from __future__ import annotations

import anyio
import pytest

from connector.refusals import Refusals
from connector.subscription import ServerCompleted, ServerRefused
from connector.task.progress import Progress
from connector.task.retry_policy import RetryPolicy
from tests.unit.task.fakes import token
from tests.unit.task.piping import Line, piped
from tests.unit.task.scenario import COMPLETE, numbered, said, until
from tests.unit.task.upstream import Peer

UNAUTHORIZED = '[{"message":"Unauthorized: %s"}]'


def policy_of(line: Line) -> RetryPolicy:
    return RetryPolicy("s", refusals=Refusals(), keeper=line.keeper, alarm=line.told.refused)


class TwoFlows:
    """Sends numbers from a thousand times the token's number on, and in the end what ``last`` has for it."""

    def __init__(self, last: dict[str, str], *, after: int = 20) -> None:
        self.last = last
        self.after = after
        self.sent: dict[str, list[int]] = {}

    async def __call__(self, peer: Peer) -> None:
        await peer.greet()
        sent = self.sent[peer.token] = []
        while peer.token not in self.last or len(sent) < self.after:
            number = 1000 * int(peer.token[1:]) + len(sent)
            await peer.send(numbered(number))
            sent.append(number)
            await anyio.sleep(0.1)
        await peer.send(self.last[peer.token])
        await peer.wait_closed()


@pytest.mark.parametrize("refused", [1, 2])
@pytest.mark.parametrize(
    "refusal",
    ['{"type":"error","id":"1","payload":%s}', said('{"errors":%s}')],
    ids=["by a message", "in the place of a result"],
)
async def test_of_two_tokens_the_one_that_is_refused_is_rejected(refused: int, refusal: str) -> None:
    other = 3 - refused
    flows = TwoFlows({f"t{refused}": refusal % (UNAUTHORIZED % f"t{refused}")})
    async with piped(flows) as line:
        started = {generation: line.start(token(generation)) for generation in (1, 2)}
        end = await started[refused].ended()
        policy_of(line).after(end.error, end.token)  # type: ignore[arg-type]
        assert line.keeper.rejected == [refused]
        before = len(flows.sent[f"t{other}"])
        await until(lambda: len(flows.sent[f"t{other}"]) > before + 50)
        started[other].attempt.finish("stop")
        other_end = await started[other].ended()
        await line.pipeline.drain()
    assert isinstance(end.error, ServerRefused)
    assert end.error.symptom.texts == ("Unauthorized: [token]",)
    assert (other_end.error, other_end.cause, other_end.progress) == (None, "stop", Progress.PROVEN)
    assert line.keeper.rejected == [refused]
    assert set(line.keeper.accepted) == {1, 2}
    for generation in (1, 2):
        of_this = [number for number in line.numbers if number // 1000 == generation]
        assert of_this == flows.sent[f"t{generation}"]
    assert len(flows.sent[f"t{refused}"]) == 20


async def test_each_event_names_its_attempt_and_only_who_brought_data_is_credited() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        if peer.token == "t2":
            await peer.send(numbered(1))
        await peer.wait_closed()

    async with piped(handler) as line:
        quiet, _ = line.start(token(1)), line.start(token(2))
        await until(lambda: line.keeper.accepted)
        await anyio.sleep(1)
        assert line.keeper.accepted == [2]
        quiet.attempt.finish("reopen")
        await quiet.ended()
        assert line.said_of(1)[3:] == ["live", "closing reopen", "closed reopen"]
        assert line.said_of(2)[3:] == ["live", "accepted"]


async def test_errors_in_the_place_of_a_result_are_of_the_attempt_that_they_came_by() -> None:
    errors = anyio.Event()
    nothing = anyio.Event()

    async def handler(peer: Peer) -> None:
        await peer.greet()
        if peer.token == "t1":
            await peer.send(said('{"errors":[{"message":"no such field"}]}'))
            errors.set()
            await nothing.wait()
        else:
            await errors.wait()
            await peer.send(said('{"data":null}'))
            nothing.set()
        await anyio.sleep(0.1)  # both have read what came
        await peer.send(COMPLETE)
        await peer.wait_closed()

    async with piped(handler) as line:
        one, other = line.start(token(1)), line.start(token(2))
        first, second = await one.ended(), await other.ended()
    assert isinstance(first.error, ServerRefused)
    assert first.error.symptom.texts == ("no such field",)
    assert isinstance(second.error, ServerCompleted)


async def test_both_are_held_and_what_was_held_goes_on_in_the_order_received() -> None:
    flows = TwoFlows({})
    async with piped(flows) as line:
        started = [line.start(token(generation)) for generation in (1, 2)]
        await until(lambda: len(line.numbers) > 4)
        line.pipeline.hold()
        await anyio.sleep(0.5)
        before = line.numbers
        await anyio.sleep(5)
        assert line.numbers == before
        assert line.pipeline.undelivered > 0
        line.pipeline.release()
        for one in started:
            one.attempt.finish("stop")
            await one.ended()
        await line.pipeline.drain()
    for number, sent in enumerate(flows.sent.values()):
        assert [one for one in line.numbers if one // 1000 == number + 1] == sent
    # Both send at one pace: each row lies beside the other's of the same moment.
    places = [number % 1000 for number in line.numbers]
    assert all(abs(a - b) <= 2 for a, b in zip(places, sorted(places), strict=True))
