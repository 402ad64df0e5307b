"""What sessions are replaced by before their token ends."""

from __future__ import annotations

import pytest

from connector.presets import PRESETS
from tests.unit.config.conftest import GENERIC, Outlined, Read, Refused


def with_endpoint(*lines: str, token: bool = True) -> str:
    written = "".join(f"  {line}\n" for line in lines)
    return GENERIC.replace("kafka:\n", f"{written}{'token: x' if token else ''}\nkafka:\n")


def test_the_defaults_are_those_of_the_reference(read: Read) -> None:
    endpoint = read(with_endpoint()).endpoint
    assert (endpoint.rotation, endpoint.overlap, endpoint.overlap_max) == ("overlap", 5.0, 30.0)
    assert (endpoint.rotation_parallelism, endpoint.max_streams) == (2, None)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_overlap_is_the_default_wherever_the_provider_allows_two_sessions(read: Read, preset: object) -> None:
    name = getattr(preset, "name")  # noqa: B009 - parametrize is not typed
    text = with_endpoint(f"preset: {name}").replace(
        "    document: orders.graphql", "    rows: orders\n    document: orders.graphql"
    )
    kind = read(text).endpoint.rotation
    assert kind == ("reopen" if name in ("ohip", "tibber") else "overlap")
    assert kind == PRESETS[name].rotation


@pytest.mark.parametrize(("pause", "kind"), [("10s", "reopen"), ("0s", "overlap")])
def test_a_pause_between_two_sessions_leaves_no_overlap(read: Read, pause: str, kind: str) -> None:
    assert read(with_endpoint(f"reopen_pause: {pause}")).endpoint.rotation == kind


@pytest.mark.parametrize("kind", ["overlap", "reopen", "never"])
def test_each_kind_may_be_asked_for(read: Read, kind: str) -> None:
    assert read(with_endpoint(f"rotation: {kind}")).endpoint.rotation == kind


@pytest.mark.parametrize(
    ("lines", "key", "message", "remedy"),
    [
        (["overlap: 0s"], "overlap", "longer than nothing", "10s"),
        (["overlap: -1s"], "overlap", "not a duration", "write one such as"),
        (["overlap: 5"], "overlap", "without a unit", "with its unit"),
        (["overlap_max: 0s"], "overlap_max", "longer than nothing", "10s"),
        (["overlap: 31s"], "overlap", "longer than endpoint.overlap_max, 30s", "overlap_max longer"),
        (["overlap_max: 4s"], "overlap_max", "shorter than endpoint.overlap, 5s", "a shorter overlap"),
        (["overlap: 9s", "overlap_max: 8s"], "overlap", "longer than endpoint.overlap_max, 8s", "shorter"),
        (["rotation_parallelism: 0"], "rotation_parallelism", "greater than or equal to 1", ""),
        (["rotation_parallelism: -2"], "rotation_parallelism", "greater than or equal to 1", ""),
        (["rotation_parallelism: two"], "rotation_parallelism", "not a whole number", "such as 1"),
        (["max_streams: 0"], "max_streams", "greater than or equal to 1", ""),
        (["rotation: overlapping"], "rotation", "must be one of: overlap, reopen, never", "'overlap'"),
        (
            ["rotation: overlap", "reopen_pause: 5s"],
            "rotation",
            "beside a reopen_pause",
            "take endpoint.reopen_pause out",
        ),
        (["preset: tibber", "rotation: overlap"], "rotation", "with the preset tibber", "write reopen"),
        (["preset: ohip", "rotation: overlap"], "rotation", "refuses a second session", "write reopen"),
    ],
)
def test_what_cannot_be_is_refused(
    refused: Refused, lines: list[str], key: str, message: str, remedy: str
) -> None:
    (problem,) = refused(with_endpoint(*lines))
    assert problem.path == f"endpoint.{key}"
    assert message in problem.message
    assert remedy in problem.remedy
    assert problem.where.rpartition(":")[2] == str(4 + [line.split(":")[0] for line in lines].index(key))


@pytest.mark.parametrize("lines", [["overlap: 30s"], ["overlap: 30s", "overlap_max: 30s"]])
def test_an_overlap_of_one_length_is_fine(read: Read, lines: list[str]) -> None:
    assert read(with_endpoint(*lines)).endpoint.overlap == 30.0


@pytest.mark.parametrize("kind", ["reopen", "never"])
def test_times_of_an_overlap_that_is_not_made_are_warned_of(outlined: Outlined, kind: str) -> None:
    found = outlined(with_endpoint("overlap: 3s", "rotation_parallelism: 4", f"rotation: {kind}")).warnings
    assert len(found) == 2
    assert f"endpoint.overlap does nothing: endpoint.rotation is {kind}" in found[0]
    assert "endpoint.rotation_parallelism does nothing" in found[1]


TWO = GENERIC + "  - name: more\n    document: orders.graphql\n    topic: shop.more\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["max_streams: 1"], "is less than the 2 streams of the subscriptions"),
        (["max_streams: 1", "rotation: reopen"], "is less than the 2 streams"),
        (["max_streams: 2"], "take 2 streams, and up to 4 while they are rotated"),
        (["max_streams: 3"], "leaves no room for two sessions"),
        (["max_streams: 2", "rotation_parallelism: 1"], "and up to 3 while"),
        (["max_streams: 2", "rotation: reopen"], None),
        (["max_streams: 3", "rotation_parallelism: 1"], None),
        (["max_streams: 4"], None),
        (["max_streams: '${env:A}'"], None),
    ],
)
def test_a_plan_with_too_few_streams_is_warned_of(
    outlined: Outlined, lines: list[str], said: str | None
) -> None:
    written = "".join(f"  {line}\n" for line in lines)
    found = outlined(TWO.replace("kafka:\n", f"{written}token: x\nkafka:\n")).warnings
    assert len(found) == (said is not None)
    if said is not None:
        assert "shop.yaml:4: endpoint.max_streams " in found[0]
        assert said in found[0]
