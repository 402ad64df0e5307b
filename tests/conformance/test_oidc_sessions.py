"""
Sessions whose tokens are checked by servers that nobody here wrote: oidc-provider gives and introspects
them, the reference servers of both subprotocols let in who has an active one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import anyio
import pytest

from connector.auth import ClientCredentials, Keeper
from connector.http import HttpClient
from connector.subscription import GraphQLRequest
from connector.task import State
from connector.upstream import Placement
from tests.conformance.client import KINDS, settings_for
from tests.integration.task.following import Bench, following
from tests.references.fixtures import StartOidc, StartReference
from tests.references.oauth import AuthorizationServer, Client
from tests.references.servers import Kind, ReferenceServer

SLOWLY = GraphQLRequest("subscription { ticks(n: 1000000, interval: 5) { rows { number text } } }")
AWKWARD = Client(client_id='+id/=%" :&', secret='+s3cret/=%" :&', auth="basic")
PLACEMENTS = {
    "url": Placement(place="url", name="token"),
    "header": Placement(place="header", name="Authorization", template="Bearer {token}"),
    "init": Placement(place="init", name="Authorization", template="Bearer {token}"),
}
Place = Literal["url", "header", "init"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A subscription with a keeper between both servers."""

    oidc: AuthorizationServer
    upstream: ReferenceServer
    client: Client
    keeper: Keeper
    bench: Bench

    @property
    def let_in(self) -> list[str]:
        """The tokens that opened a connection."""
        return [event.facts["token"] for event in self.upstream.seen("let in")]

    @property
    def kept_out(self) -> list[str]:
        """Why connections were refused."""
        return [event.facts["error"] for event in self.upstream.seen("kept out")]

    async def until(self, holds: Callable[[], object], *, within: float = 60.0) -> None:
        """Return once ``holds``."""
        with anyio.fail_after(within):
            while not holds():  # noqa: ASYNC110 - conditions without an event
                await anyio.sleep(0.01)

    async def until_live(self, sessions: int = 1) -> None:
        """Return once so many sessions were opened, and rows come."""
        await self.until(lambda: self.bench.state is State.LIVE and self.bench.told.sessions >= sessions)
        received = self.bench.told.rows_received
        await self.until(lambda: self.bench.told.rows_received > received + 5)


class Opened:
    """Scenes, as a fixture."""

    def __init__(self, start_oidc: StartOidc, start_reference: StartReference) -> None:
        self._start_oidc = start_oidc
        self._start_reference = start_reference

    @asynccontextmanager
    async def scene(
        self,
        kind: Kind = "modern",
        place: Place = "url",
        *,
        life: float = 3600,
        client: Client = AWKWARD,
        scope: str | None = "api",
        **guard: object,
    ) -> AsyncIterator[Scene]:
        placement = PLACEMENTS[place]
        oidc = await self._start_oidc(client, life=life)
        upstream = await self._start_reference(kind, guard=oidc.guard(place, placement.name, **guard))
        async with HttpClient() as http, anyio.create_task_group() as group:
            source = ClientCredentials(
                http,
                token_url=oidc.token_url,
                client_id=client.client_id,
                client_secret=client.secret,
                scope=scope,
                auth=client.auth,
            )
            keeper = Keeper(source)
            group.start_soon(keeper.run)
            async with following(
                upstream.url,
                keeper=keeper,
                request=SLOWLY,
                rows=("ticks", "rows"),
                placement=placement,
                subprotocols=settings_for(kind).subprotocols,
            ) as bench:
                yield Scene(oidc=oidc, upstream=upstream, client=client, keeper=keeper, bench=bench)
                await bench.stop()
            group.cancel_scope.cancel()


@pytest.fixture
def opened(start_oidc: StartOidc, start_reference: StartReference) -> Opened:
    return Opened(start_oidc, start_reference)


@pytest.mark.parametrize(("kind", "place"), [("modern", "url"), ("modern", "header"), ("legacy", "init")])
async def test_sessions_with_tokens_of_four_seconds_are_opened_again_and_never_refused(
    opened: Opened, kind: Kind, place: Place
) -> None:
    async with opened.scene(kind, place, life=4) as scene:
        await scene.until_live(sessions=3)
        assert scene.kept_out == []
        assert len(set(scene.let_in)) == len(scene.let_in)  # each session has a token of its own
        assert set(scene.bench.told.reconnects) == {"reopen"}
        assert {event.code for event in scene.upstream.closed} == {1000}
        assert scene.keeper.status.state == "valid"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_ends_sessions_at_the_expiry_of_their_token_never_gets_to_do_so(
    opened: Opened, kind: Kind
) -> None:
    # Not with fewer seconds: the server's clock of expiry ticks by the second.
    async with opened.scene(kind, life=12, closes=True) as scene:
        await scene.until_live(sessions=4)
        assert set(scene.bench.told.reconnects) == {"reopen"}
        assert {event.code for event in scene.upstream.closed} == {1000}


@pytest.mark.parametrize("place", PLACEMENTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_revoked_token_leaves_the_socket_open_and_is_replaced_at_the_next_connect(
    opened: Opened, kind: Kind, place: Place
) -> None:
    async with opened.scene(kind, place) as scene:
        await scene.until_live()
        (token,) = scene.let_in
        await scene.oidc.revoke(token, scene.client)
        await scene.until_live()  # rows go on coming
        assert (scene.bench.told.reconnects, scene.oidc.grants) == ([], 1)
        await scene.upstream.order("cut")
        await scene.until_live(sessions=2)
        assert scene.kept_out == ["invalid_token"]
        assert scene.oidc.grants == 2
        assert scene.let_in[-1] != token
        first, second = scene.bench.told.reconnects
        assert (first, second) == (
            "connection_lost",
            "refused_at_init" if (kind, place) == ("legacy", "init") else "unauthorized",
        )


async def test_an_application_that_is_deleted_keeps_its_socket_and_its_end_is_told_without_hammering(
    opened: Opened,
) -> None:
    async with opened.scene() as scene:
        await scene.until_live()
        await scene.oidc.delete(scene.client)
        await scene.until_live()  # rows go on coming
        assert scene.bench.told.reconnects == []
        await scene.upstream.order("cut")
        await scene.until(lambda: scene.keeper.status.state == "refused")
        assert "invalid_client" in str(scene.keeper.status.last_error)
        await anyio.sleep(3)
        assert scene.oidc.refusals == ["invalid_client"]
        assert scene.kept_out == ["invalid_token"]


async def test_a_token_endpoint_that_goes_away_while_a_token_lives_ends_nothing(opened: Opened) -> None:
    async with opened.scene(life=4) as scene:
        await scene.until_live()
        await scene.oidc.__aexit__(None, None, None)
        await scene.until(lambda: scene.keeper.status.last_error)
        assert "no answer from" in str(scene.keeper.status.last_error)
        await scene.until_live()
        # On a busy machine a token may have been replaced before; none was since.
        generation = scene.keeper.status.generation
        assert scene.bench.told.reconnects == ["reopen"] * (generation - 1)
        await scene.oidc.__aenter__()
