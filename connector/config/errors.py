"""What is done about rows that cannot become records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from connector.config.mistake import checked
from connector.config.scalars import whole
from connector.config.section import Section, given_in, setting
from connector.config.source import Source
from connector.config.values import TopicName, Whole, choice
from connector.records.plan import SubscriptionPlan

Tolerance = Annotated[Literal["none", "all"], choice("none", "all")]

MOST_ROWS = 100_000
"""A longer window would let a subscription go on for hours with nothing but bad rows."""


class WindowSection(Section):
    """When too many rows are bad."""

    failures: Whole = setting(
        50, "So many bad rows of the last errors.window.rows are too many.", ge=1, le=MOST_ROWS
    )
    rows: Whole = setting(100, "How many of a subscription's last rows are looked at.", ge=1, le=MOST_ROWS)


class ErrorsSection(Section):
    """What is done about a row that cannot become a record."""

    tolerance: Tolerance = setting(
        "none",
        "none: its subscription goes to the state failed; its siblings go on. all: it goes to "
        "errors.dead_letter_topic, or is skipped without one; the subscription goes on.",
    )
    dead_letter_topic: TopicName | None = setting(
        None,
        "With errors.tolerance: all, the topic for rows that cannot be published: found or created like "
        "others, before any socket opens. None: they are skipped, counted and logged.",
    )
    window: WindowSection = setting({}, "With errors.tolerance: all, when a subscription fails after all.")


def check_errors(tree: dict[str, object], plans: Sequence[SubscriptionPlan], source: Source) -> None:
    """Report what does not fit together. Values of a wrong kind are left to the check of each key."""
    errors = tree.get("errors")
    if not isinstance(errors, dict):
        return
    window = errors.get("window", {})
    if isinstance(window, dict):
        failures, rows = (
            checked(whole, given_in(window, WindowSection, key)) for key in ("failures", "rows")
        )
        if failures is not None and rows is not None and failures > rows > 0:
            key = "failures" if "failures" in window else "rows"
            message = f"lets {failures} failures of {rows} rows be too many, which never happens"
            remedy = "let errors.window.failures be at most errors.window.rows"
            source.report(("errors", "window", key), message, remedy)
    name = errors.get("dead_letter_topic")
    subscriptions = tree.get("subscriptions")
    if not isinstance(name, str) or not isinstance(subscriptions, list):
        return
    taken = {plan.name for plan in plans if plan.topic == name}
    for index, section in enumerate(subscriptions):
        if isinstance(section, dict) and isinstance(section.get("name"), str) and section["name"] in taken:
            source.report(
                ("subscriptions", index, "topic"), "is errors.dead_letter_topic", "keep the two apart"
            )
