"""What the presets say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connector.config import read_config
from connector.presets import BITQUERY, GENERIC, GOLDRUSH, HASURA, OHIP, PRESETS, TIBBER, Preset
from connector.upstream import Target

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.yaml"))
TOKEN = "a-token"

each = pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)


def opened(preset: Preset, url: str = "wss://host/g") -> tuple[str, object, object]:
    """What a session opens with."""
    opening = Target(url=url, placements=preset.credentials).opening(TOKEN)
    return opening.url, opening.headers, opening.init_payload


def test_presets_go_by_their_names() -> None:
    assert set(PRESETS) == {"bitquery", "generic", "goldrush", "hasura", "ohip", "tibber"}
    assert all(preset.name == name for name, preset in PRESETS.items())


@each
def test_a_template_holds_the_token_once(preset: Preset) -> None:
    assert all(one.template.count("{token}") == 1 for one in preset.credentials)


@pytest.mark.parametrize(
    ("preset", "url", "headers", "payload"),
    [
        (BITQUERY, "wss://host/g?token=a-token", {}, None),
        (GENERIC, "wss://host/g", {"Authorization": "Bearer a-token"}, None),
        (GOLDRUSH, "wss://host/g", {}, {"GOLDRUSH_API_KEY": "a-token"}),
        (HASURA, "wss://host/g", {}, {"headers": {"Authorization": "Bearer a-token"}}),
        (OHIP, "wss://host/g", {}, {"Authorization": "Bearer a-token"}),
        (TIBBER, "wss://host/g", {}, {"token": "a-token"}),
    ],
)
def test_the_token_goes_where_the_provider_looks_for_it(
    preset: Preset, url: str, headers: object, payload: object
) -> None:
    assert opened(preset) == (url, headers, payload)


@each
def test_silence_is_asked_about_everywhere_but_at_bitquery(preset: Preset) -> None:
    assert preset.probe is (preset is not BITQUERY)
    assert preset.keepalive_timeout == {"bitquery": 10.0, "hasura": 20.0}.get(preset.name, 30.0)


def test_ohip_is_pinged_and_left_alone_between_two_sessions() -> None:
    assert (OHIP.ping_interval, OHIP.peer_closes) == (15.0, True)
    assert OHIP.reopen_pause >= 5.0
    others = [preset for preset in PRESETS.values() if preset is not OHIP]
    assert all((one.ping_interval, one.reopen_pause, one.peer_closes) == (None, 0.0, False) for one in others)


def test_only_bitquery_has_addresses_of_its_own_and_limits_rows() -> None:
    for preset in PRESETS.values():
        is_known = preset is BITQUERY
        assert all((address is not None) is is_known for address in (preset.url, preset.token_url))
        assert preset.rows_limit == (800 if is_known else None)


# The examples


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_can_be_used(path: Path) -> None:
    environment = dict.fromkeys((*ENVIRONMENT, "UNUSED"), "value-of-it")
    loaded = read_config(path, env=environment)
    assert loaded.plans
    assert loaded.config.endpoint.preset == path.stem


ENVIRONMENT = (
    "BITQUERY_CLIENT_ID",
    "BITQUERY_CLIENT_SECRET",
    "GOLDRUSH_API_KEY",
    "GOLDRUSH_URL",
    "HASURA_CLIENT_ID",
    "HASURA_CLIENT_SECRET",
    "OHIP_APP_KEY",
    "OHIP_APP_KEY_SHA256",
    "OHIP_CLIENT_ID",
    "OHIP_CLIENT_SECRET",
    "OHIP_ENTERPRISE_ID",
    "SHOP_CLIENT_ID",
    "SHOP_CLIENT_SECRET",
    "TIBBER_TOKEN",
)


def test_there_is_an_example_for_each_preset() -> None:
    assert {path.stem for path in EXAMPLES} == set(PRESETS)


def test_what_an_example_calls_secret_is_never_shown() -> None:
    path = ROOT / "docs/examples/ohip.yaml"
    loaded = read_config(path, env=dict.fromkeys(ENVIRONMENT, "the-secret-value"))
    assert "the-secret-value" in loaded.secrets
    shown = {name: str(value) for name, value in loaded.effective().items()}
    assert "the-secret-value" not in shown["endpoint"]
    assert "the-secret-value" not in str(loaded.effective()["oauth"]).replace("client_id", "")


@each
def test_what_tells_rows_apart_is_written_in_names_of_a_schema(preset: Preset) -> None:
    for name, known in preset.cubes.items():
        assert re.fullmatch(r"[A-Z]\w*\.[A-Z]\w*", name)
        ways = [way for part in known.identity for way in part.alternatives]
        assert ways
        for path in (known.cursor, *(path for way in ways for path in way)):
            assert all(re.fullmatch(r"[A-Z]\w*", field) for field in path), (name, path)
        assert not all(part.optional for part in known.identity), name


def test_no_metric_is_part_of_an_identity() -> None:
    assert "count" in BITQUERY.metrics
    assert BITQUERY.metrics.isdisjoint(BITQUERY.expressions)
    fields = {
        field
        for known in BITQUERY.cubes.values()
        for part in known.identity
        for way in part.alternatives
        for path in way
        for field in path
    }
    assert fields.isdisjoint(BITQUERY.metrics)


def test_documented_identities_are_unique_and_inferred_ones_are_not() -> None:
    unique = {name for name, known in BITQUERY.cubes.items() if known.kind == "unique"}
    assert unique == {"EVM.Transfers", "Trading.Trades"}
    assert not set(BITQUERY.cubes) & set(BITQUERY.warned_cubes)


def test_a_position_in_a_block_names_no_transaction_unless_the_block_is_known() -> None:
    position, block = ("Transaction", "Index"), ("Block", "Hash")
    ways = [way for known in BITQUERY.cubes.values() for part in known.identity for way in part.alternatives]
    assert [way for way in ways if position in way] == [(block, position)]
