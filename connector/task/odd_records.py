"""What is odd about records that are published all the same: it is counted, and some of it told."""

from __future__ import annotations

import structlog

from connector.records.built import BuiltRecords
from connector.task.observers import FlowObserver

log = structlog.get_logger(__name__)


class OddRecords:
    """Those of subscription ``name``."""

    def __init__(self, name: str, observer: FlowObserver) -> None:
        self._name = name
        self._observer = observer
        self._has_told = False

    def note(self, built: BuiltRecords, replaced: int) -> None:
        """
        Count what ``built`` lacks. ``replaced`` event times were there, and not taken by the topic.

        Rows without an identity are told of once: each of their repeats is published.
        """
        if built.identities_missing and not self._has_told:
            self._has_told = True
            log.warning(
                "a row has no identity: all of its fields are null or absent; its repeats are published",
                subscription=self._name,
            )
        self._observer.oddities(
            keys_missing=built.keys_missing,
            identities_missing=built.identities_missing,
            times_replaced=built.times_missing + replaced,
        )
