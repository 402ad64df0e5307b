"""Quix Streams, in an environment of its own: it pins libraries that the connector has newer."""
