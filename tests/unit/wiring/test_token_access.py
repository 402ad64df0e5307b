"""Where tokens of a configuration come from, and what another configuration changes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio

from connector.config import LoadedConfig, read_config
from connector.wiring.token_access import TokenAccess
from tests.standins.oauth import StandInOAuth
from tests.standins.tokens import TokenAuthority, make_secret
from tests.unit.auth.fakes import FakeObserver
from tests.unit.config.conftest import GENERIC, ORDERS
from tests.unit.subscription.servers import until

DEADLINE = 20.0


def config(directory: Path, more: str = "") -> LoadedConfig:
    (directory / "orders.graphql").write_text(ORDERS)
    file = directory / "shop.yaml"
    file.write_text(f"{GENERIC}{more}\n")
    return read_config(file, env={})


def client(oauth: StandInOAuth, secret: str) -> str:
    quoted = secret.replace("'", "''")
    return f"oauth: {{token_url: '{oauth.url}', client_id: '{oauth.client_id}', client_secret: '{quoted}'}}"


@asynccontextmanager
async def opened(given: LoadedConfig, observer: FakeObserver | None = None) -> AsyncIterator[TokenAccess]:
    """The access, with its keeper running."""
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        access = await TokenAccess.open(given, stack, observer)
        if access.keeper is not None:
            group.start_soon(access.keeper.run)
        with anyio.fail_after(DEADLINE):
            yield access
        group.cancel_scope.cancel()


async def test_without_a_token_there_is_nobody_to_ask(tmp_path: Path) -> None:
    async with opened(config(tmp_path)) as access:
        assert (access.source, access.keeper) == (None, None)
        access.replace(config(tmp_path))


async def test_another_token_in_the_configuration_is_given_at_once(tmp_path: Path) -> None:
    async with opened(config(tmp_path, "token: first-token")) as access:
        assert access.keeper is not None
        first = await access.keeper.token()
        assert first.value == "first-token"
        access.replace(config(tmp_path, "token: second-token"))
        second = await access.keeper.newer_than(first.generation)
        assert second.value == "second-token"


async def test_a_file_is_read_by_its_own_watcher(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("token-of-a-file\n")
    given = config(tmp_path, f"token_file: {tmp_path / 'token'}")
    async with opened(given) as access:
        assert access.keeper is not None
        access.replace(given)
        assert (await access.keeper.token()).value == "token-of-a-file"


async def test_a_corrected_secret_is_tried_at_once(tmp_path: Path) -> None:
    authority, observer = TokenAuthority(), FakeObserver()
    async with (
        StandInOAuth(authority) as oauth,
        opened(config(tmp_path, client(oauth, make_secret())), observer) as access,
    ):
        assert access.keeper is not None
        await until(lambda: observer.told == ["refused"])
        access.replace(config(tmp_path, client(oauth, oauth.client_secret)))
        assert (await access.keeper.token()).value in authority.values
    assert observer.told[1] == f"learned {authority.values[0]}"
