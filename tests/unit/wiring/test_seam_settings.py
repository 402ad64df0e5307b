"""What a subscription is told of its rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from connector.config import read_config
from connector.records.identity import DIGESTS, Identity
from connector.records.seam import SeamSpec
from connector.task import SubscriptionSettings
from connector.wiring.settings import follow_settings, refusals_of, session_settings
from tests.unit.config.test_identity import DOCUMENT, KNOWN, LOG, TRADES

Settings = Callable[..., SubscriptionSettings]
IDENTITY = Identity(fields=tuple(tuple(path.split(".")) for path in KNOWN), bits=128)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of the one subscription, with ``more`` keys."""

    def _settings(more: str = "", *, document: str = DOCUMENT) -> SubscriptionSettings:
        (tmp_path / "trades.graphql").write_text(document)
        (tmp_path / "dex.yaml").write_text(f"{TRADES}    {more}\n")
        loaded = read_config(tmp_path / "dex.yaml", env={})
        (plan,) = loaded.plans
        return follow_settings(loaded.config, plan, session_settings(loaded), refusals_of(loaded.config))

    return _settings


def digests(made: SubscriptionSettings, row: bytes) -> dict[str, list[int | None]]:
    return made.records.build([msgspec.Raw(row)], []).digests


@pytest.mark.parametrize(
    ("more", "spec"),
    [
        ("", SeamSpec(identity=IDENTITY, unique=False, window=600.0, max_bytes=16 * 2**20)),
        (
            "dedup: {window: 5m, max_bytes: 1MiB}",
            SeamSpec(identity=IDENTITY, unique=False, window=300.0, max_bytes=2**20),
        ),
        ("dedup: off", SeamSpec(identity=IDENTITY, unique=False)),
        (
            "identity: Block.Number",
            SeamSpec(identity=Identity(fields=(("Block", "Number"),)), window=600.0, max_bytes=16 * 2**20),
        ),
    ],
)
def test_the_seam_remembers_what_the_configuration_says(
    settings: Settings, more: str, spec: SeamSpec
) -> None:
    assert settings(more).seam == spec


def test_without_an_identity_overlaps_go_by_what_rows_say(settings: Settings) -> None:
    assert settings(document=DOCUMENT.replace(LOG, "")).seam == SeamSpec()
    assert settings(document=DOCUMENT.replace(LOG, "count")).seam == SeamSpec(has_metrics=True)


@pytest.mark.parametrize("more", ["", "identity: Block.Number"])
def test_rows_have_digests_that_decide_alone(settings: Settings, more: str) -> None:
    row = (
        b'{"Block":{"Number":"1"},"Transaction":{"Hash":"0xa"},"Call":{"Index":2},"Log":{"Index":3},'
        b'"Trade":{"Index":4}}'
    )
    text = b"1" if more else b"0xa\x002\x003\x004"
    assert digests(settings(more), row) == {"trades": [DIGESTS[128](text)]}


def test_no_digest_is_computed_where_repeats_are_published(settings: Settings) -> None:
    assert digests(settings("dedup: off"), b"{}") == {}


def test_the_document_that_is_sent_has_the_fields_that_were_added(settings: Settings) -> None:
    made = settings("add_fields: true", document=DOCUMENT.replace(LOG, ""))
    sent = str(made.request.payload)
    assert "Log" in sent
    assert made.seam.identity == Identity(
        fields=(("Transaction", "Hash"), ("Call", "Index"), ("Log", "Index"), ("Trade", "Index"))
    )
