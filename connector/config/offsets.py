"""The topic of offsets is for offsets alone."""

from __future__ import annotations

from collections.abc import Sequence

from connector.config.source import Source
from connector.records.plan import SubscriptionPlan
from connector.records.topics import offsets_topic

_WHAT = "is the topic that the connector keeps its offsets in"
_REMEDY = "take another name, for the topic or for the connector; or set offsets to false"


def check_offsets(tree: dict[str, object], plans: Sequence[SubscriptionPlan], source: Source) -> None:
    """Report topics of rows and dead letters that bear its name."""
    name = tree.get("name")
    if not isinstance(name, str) or tree.get("offsets") in (None, False, "false"):
        return
    topic = offsets_topic(name)
    errors = tree.get("errors")
    if isinstance(errors, dict) and errors.get("dead_letter_topic") == topic:
        source.report(("errors", "dead_letter_topic"), _WHAT, _REMEDY)
    taken = {plan.name for plan in plans if plan.topic == topic}
    subscriptions = tree.get("subscriptions")
    for index, section in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        if isinstance(section, dict) and isinstance(section.get("name"), str) and section["name"] in taken:
            source.report(("subscriptions", index, "topic"), _WHAT, _REMEDY)
