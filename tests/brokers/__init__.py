"""Apache Kafka for tests: its jars, clusters of one or three brokers, and what looks at them from outside."""
