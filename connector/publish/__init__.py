"""Rows into Kafka: batches, acknowledgements, topics, dead letters."""

from connector.publish.brokers import Brokers, Writer
from connector.publish.dead_letter_record import DeadLetterOrigin
from connector.publish.dead_letters import DeadLetterObserver, DeadLetters
from connector.publish.epochs import Epochs
from connector.publish.gap_event import EventKind, EventOrigin, Gap
from connector.publish.gap_events import EventsTopic, GapEventObserver, GapEvents
from connector.publish.publisher import Publisher
from connector.publish.settings import EpochPolicy, Observer, PublishSettings
from connector.publish.submitted_records import Submission, SubmittedRecords
from connector.publish.topic import Topic

__all__ = [
    "Brokers",
    "DeadLetterObserver",
    "DeadLetterOrigin",
    "DeadLetters",
    "EpochPolicy",
    "Epochs",
    "EventKind",
    "EventOrigin",
    "EventsTopic",
    "Gap",
    "GapEventObserver",
    "GapEvents",
    "Observer",
    "PublishSettings",
    "Publisher",
    "Submission",
    "SubmittedRecords",
    "Topic",
    "Writer",
]
