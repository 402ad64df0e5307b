"""Rows into Kafka: batches, acknowledgements, topics."""

from connector.publish.brokers import Brokers, Writer
from connector.publish.publisher import Publisher
from connector.publish.receipt import Ledger, Receipt
from connector.publish.settings import Observer, PublishSettings
from connector.publish.topic import Topic

__all__ = ["Brokers", "Ledger", "Observer", "PublishSettings", "Publisher", "Receipt", "Topic", "Writer"]
