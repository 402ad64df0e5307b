"""How to reach the brokers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connector.kafka.security import Security

Compression = Literal["gzip", "snappy", "lz4", "zstd"]


@dataclass(frozen=True, kw_only=True, slots=True)
class KafkaSettings:
    """
    ``bootstrap_servers`` as ``host:port,…``. Durations in seconds, sizes in bytes; ``compression`` of
    ``None`` sends batches as they are. Batches are within ``max_request_bytes``, too.
    """

    bootstrap_servers: str
    client_id: str
    compression: Compression | None = None
    max_batch_bytes: int = 900 * 1024
    max_request_bytes: int = 1024 * 1024
    request_timeout: float = 30.0
    retry_backoff: float = 0.1
    metadata_max_age: float = 300.0
    security: Security = field(default_factory=Security)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """The bootstrap servers as pairs of host and port, in the order given."""
        pairs = (server.strip().rpartition(":") for server in self.bootstrap_servers.split(","))
        return tuple((host.removeprefix("[").removesuffix("]"), int(port)) for host, _, port in pairs)
