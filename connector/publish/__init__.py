"""Rows into Kafka: batches, acknowledgements, topics, dead letters."""

from connector.publish.brokers import Brokers, Writer
from connector.publish.dead_letters import DeadLetters, LetterObserver
from connector.publish.epochs import Epochs
from connector.publish.letter import Sender
from connector.publish.publisher import Publisher
from connector.publish.receipt import Ledger, Receipt
from connector.publish.settings import EpochPolicy, Observer, PublishSettings
from connector.publish.topic import Topic

__all__ = [
    "Brokers",
    "DeadLetters",
    "EpochPolicy",
    "Epochs",
    "Ledger",
    "LetterObserver",
    "Observer",
    "PublishSettings",
    "Publisher",
    "Receipt",
    "Sender",
    "Topic",
    "Writer",
]
