"""How the brokers of a configuration are reached, and what another configuration changes of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from connector.config import LoadedConfig, read_config
from connector.wiring.kafka_access import KafkaAccess
from tests.standins.oauth import StandInOAuth
from tests.standins.tokens import TokenAuthority, make_secret
from tests.unit.auth.fakes import FakeObserver
from tests.unit.config.conftest import GENERIC, ORDERS

DEADLINE = 20.0


def config(directory: Path, security: str) -> LoadedConfig:
    (directory / "orders.graphql").write_text(ORDERS)
    file = directory / "shop.yaml"
    file.write_text(GENERIC.replace("subscriptions:", f"  security: {security}\nsubscriptions:", 1))
    return read_config(file, env={})


def bearer(oauth: StandInOAuth, secret: str, *, key: str = "tenant-key") -> str:
    quoted = secret.replace("'", "''")
    return (
        "{protocol: SASL_PLAINTEXT, sasl: {mechanism: OAUTHBEARER}, "
        f"oauth: {{token_url: '{oauth.url}', client_id: '{oauth.client_id}', client_secret: '{quoted}', "
        f"headers: {{X-Tenant-Key: {key}}}}}}}"
    )


def plain(password: str) -> str:
    return f"{{protocol: SASL_PLAINTEXT, sasl: {{mechanism: PLAIN, username: alice, password: {password}}}}}"


async def test_another_password_makes_other_settings_and_the_same_one_the_same(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        access = await KafkaAccess.open(config(tmp_path, plain("first")), stack, FakeObserver())
        assert access.keeper is None
        first = access.settings
        assert access.replace(config(tmp_path, plain("first"))) == first
        second = access.replace(config(tmp_path, plain("second")))
        assert second != first
        assert second.security.sasl is not None
        assert second.security.sasl.password == "second"


async def test_one_provider_lends_what_the_token_endpoint_of_kafka_gives(tmp_path: Path) -> None:
    authority = TokenAuthority()
    async with StandInOAuth(authority) as oauth, AsyncExitStack() as stack:
        given = config(tmp_path, bearer(oauth, oauth.client_secret))
        access = await KafkaAccess.open(given, stack, FakeObserver())
        assert access.keeper is not None
        sasl = access.settings.security.sasl
        assert sasl is not None
        assert sasl.tokens is not None
        async with anyio.create_task_group() as group:
            group.start_soon(access.keeper.run)
            with anyio.fail_after(DEADLINE):
                assert await sasl.tokens.token() in authority.values
                assert await sasl.tokens.token() == authority.values[0]
            group.cancel_scope.cancel()


async def test_a_corrected_secret_is_used_at_once_and_no_producer_is_replaced_for_it(tmp_path: Path) -> None:
    authority, observer = TokenAuthority(), FakeObserver()
    async with StandInOAuth(authority) as oauth, AsyncExitStack() as stack:
        access = await KafkaAccess.open(config(tmp_path, bearer(oauth, make_secret())), stack, observer)
        before = access.settings
        assert access.keeper is not None
        assert before.security.sasl is not None
        tokens = before.security.sasl.tokens
        assert tokens is not None
        async with anyio.create_task_group() as group:
            group.start_soon(access.keeper.run)
            with anyio.fail_after(DEADLINE):
                while tokens.error is None:  # noqa: ASYNC110 - the keeper tells nobody
                    await anyio.sleep(0.01)
                assert "invalid_client" in tokens.error
                given = config(tmp_path, bearer(oauth, oauth.client_secret, key="another-key"))
                assert access.replace(given) == before
                assert await tokens.token() in authority.values
            group.cancel_scope.cancel()
    keys = [request.headers["x-tenant-key"] for request in oauth.requests]
    assert (keys[0], keys[-1]) == ("tenant-key", "another-key")
    assert observer.told[:2] == ["refused", f"learned {authority.values[0]}"]
