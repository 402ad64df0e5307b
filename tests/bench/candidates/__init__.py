"""Programs that are measured against the connector. Each is run by itself; none imports another."""
