"""What a session is replaced by before its token ends: what fits together, and what fits into the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.config.endpoint import EndpointSection
from connector.config.mistake import checked
from connector.config.paths import KeyPath
from connector.config.scalars import seconds, some_seconds, whole
from connector.config.section import given_in
from connector.config.source import Source
from connector.presets import Preset
from connector.records.plan import SubscriptionPlan

ONLY_OVERLAP = ("overlap", "overlap_max", "rotation_parallelism")
"""Keys that say how sessions overlap."""

NEEDED_FOR_STREAMS = ("rotation", "rotation_parallelism")
"""Keys of the endpoint that `stream_need` looks at."""


def allows_overlap(endpoint: Mapping[str, object], preset: Preset) -> bool:
    """Whether one subscription may have two sessions: the provider allows it, and asks for no pause."""
    return preset.two_sessions and checked(seconds, endpoint.get("reopen_pause", "0s")) in (0.0, None)


def check_rotation(endpoint: Mapping[str, object], preset: Preset, source: Source) -> None:
    """Report an overlap that the provider does not allow, and one that is over before it may be."""
    if endpoint.get("rotation") == "overlap" and not allows_overlap(endpoint, preset):
        path: KeyPath = ("endpoint", "rotation")
        if preset.two_sessions:
            what = "is overlap beside a reopen_pause, which asks for the end of one session before the next"
            source.report(path, what, "write reopen, or take endpoint.reopen_pause out")
        else:
            what = f"is overlap, but with the preset {preset.name} the endpoint refuses a second session"
            source.report(path, what, "write reopen, or take it out")
    least = checked(some_seconds, given_in(endpoint, EndpointSection, "overlap"))
    most = checked(some_seconds, given_in(endpoint, EndpointSection, "overlap_max"))
    if least is not None and most is not None and least > most:
        # That one is named which the user wrote; both are in the file, or one is a default.
        if "overlap" in endpoint:
            what = f"is longer than endpoint.overlap_max, {most:g}s"
            source.report(("endpoint", "overlap"), what, "make it shorter, or endpoint.overlap_max longer")
        else:
            what = f"is shorter than endpoint.overlap, {least:g}s"
            source.report(("endpoint", "overlap_max"), what, "make it longer, or give a shorter overlap")


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamNeed:
    """
    How many streams are open at once: ``always`` while nothing is rotated, ``rotating`` when as many
    subscriptions overlap as may, those with the most streams.
    """

    always: int
    rotating: int

    def against(self, cap: int) -> str | None:
        """Return what is to be said of a plan that allows ``cap``; ``None``: all fit into it."""
        if self.always > cap:
            return (
                f"is less than the {self.always} streams of the subscriptions: those above it are "
                "acknowledged and stay silent"
            )
        if self.rotating > cap:
            return (
                f"leaves no room for two sessions: the subscriptions take {self.always} streams, and up to "
                f"{self.rotating} while they are rotated. Those without room are reopened, which costs a gap"
            )
        return None


def stream_need(endpoint: Mapping[str, object], plans: Sequence[SubscriptionPlan]) -> StreamNeed:
    """Return what ``plans`` need with the rotation of ``endpoint``, as it is written or read."""
    streams = sorted((plan.cubes for plan in plans), reverse=True)
    always = sum(streams)
    parallelism = checked(whole, given_in(endpoint, EndpointSection, "rotation_parallelism")) or 0
    beside = sum(streams[:parallelism]) if endpoint.get("rotation") == "overlap" else 0
    return StreamNeed(always=always, rotating=always + beside)


def doubts_of_rotation(
    endpoint: Mapping[str, object], plans: Sequence[SubscriptionPlan]
) -> Iterator[tuple[KeyPath, str]]:
    """Yield what cannot act, and a cap of streams that is too small."""
    kind = endpoint.get("rotation")
    if kind in ("reopen", "never"):
        for key in ONLY_OVERLAP:
            yield ("endpoint", key), f"does nothing: endpoint.rotation is {kind}"
    cap = checked(whole, endpoint.get("max_streams"))
    if cap is not None and (said := stream_need(endpoint, plans).against(cap)) is not None:
        yield ("endpoint", "max_streams"), said
