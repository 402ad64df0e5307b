"""What the tests run the connector against: an upstream, a token endpoint, a faulty wire, a mock Kafka."""
