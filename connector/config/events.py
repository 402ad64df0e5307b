"""The topic of events against every other topic of the connector."""

from __future__ import annotations

from collections.abc import Sequence

from connector.config.source import Source
from connector.records.plan import SubscriptionPlan

OFFSETS = ".offsets"
"""What follows the connector's name in the name of the topic that its offsets are kept in."""

_APART = "keep the two apart"


def check_events_topic(tree: dict[str, object], plans: Sequence[SubscriptionPlan], source: Source) -> None:
    """Report where it is another topic, too. Values of a wrong kind are left to the check of each key."""
    topic, name, errors = tree.get("events_topic"), tree.get("name"), tree.get("errors")
    if not isinstance(topic, str):
        return
    if isinstance(errors, dict) and errors.get("dead_letter_topic") == topic:
        source.report(("events_topic",), "is errors.dead_letter_topic, too", _APART)
    if isinstance(name, str) and topic == name + OFFSETS:
        message = "is the name that belongs to the connector's offsets (its name, and .offsets)"
        source.report(("events_topic",), message, "choose another name")
    taken = {plan.name for plan in plans if plan.topic == topic}
    subscriptions = tree.get("subscriptions")
    for index, section in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        if isinstance(section, dict) and isinstance(section.get("name"), str) and section["name"] in taken:
            source.report(("subscriptions", index, "topic"), "is events_topic", _APART)
