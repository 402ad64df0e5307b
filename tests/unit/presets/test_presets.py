"""What the presets say."""

from __future__ import annotations

import pytest

from connector.presets import BITQUERY, GENERIC, PRESETS


def test_presets_go_by_their_names() -> None:
    assert set(PRESETS) == {"bitquery", "generic"}
    assert all(preset.name == name for name, preset in PRESETS.items())


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_template_holds_the_token_once(preset: object) -> None:
    assert preset in (BITQUERY, GENERIC)
    assert BITQUERY.credentials.template.count("{token}") == 1
    assert GENERIC.credentials.template.count("{token}") == 1


def test_bitquery_is_strict_about_silence_and_generic_asks_first() -> None:
    assert (BITQUERY.keepalive_timeout, BITQUERY.probe) == (10.0, False)
    assert (GENERIC.keepalive_timeout, GENERIC.probe) == (30.0, True)


def test_only_bitquery_needs_a_token_and_limits_rows() -> None:
    assert (BITQUERY.needs_token, BITQUERY.rows_limit) == (True, 800)
    assert (GENERIC.needs_token, GENERIC.rows_limit) == (False, None)
