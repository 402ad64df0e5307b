"""A Kafka source connector for GraphQL subscriptions."""

__version__ = "0.1.0"
