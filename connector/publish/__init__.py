"""Rows into Kafka: batches, acknowledgements, topics."""

from connector.publish.publisher import Observer, Publisher, PublishSettings
from connector.publish.receipt import Ledger, Receipt
from connector.publish.topic import Topic

__all__ = ["Ledger", "Observer", "PublishSettings", "Publisher", "Receipt", "Topic"]
