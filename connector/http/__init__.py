"""HTTP as a client: the only room that imports httpx2."""

from connector.http.client import HttpAnswer, HttpClient, Unreachable
from connector.http.redact import redact_url
from connector.http.retry_after import retry_after_seconds

__all__ = ["HttpAnswer", "HttpClient", "Unreachable", "redact_url", "retry_after_seconds"]
