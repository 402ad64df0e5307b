"""Settings → what aiokafka's clients are made with."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from aiokafka import errors as kafka_errors
from aiokafka.abc import AbstractTokenProvider

from connector.kafka.errors import FileUnusable
from connector.kafka.security import Security, TokenProvider
from connector.kafka.settings import KafkaSettings
from connector.tls import TlsFileError, TlsSettings, client_context

TOKEN_TIMEOUT = 10.0
"""Seconds that a connection being opened waits for a token."""

FILES_TIMEOUT = 10.0
"""Seconds that files with certificates may take to be read."""


class NoToken(kafka_errors.KafkaConnectionError):  # type: ignore[misc]
    """There is no token to open a connection with. The client library takes it for a connection's failure."""


class BearerTokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """The tokens of ``tokens`` as aiokafka asks for them; ``last`` is the one that it got last."""

    def __init__(self, tokens: TokenProvider) -> None:
        self._tokens = tokens
        self.last: str | None = None

    async def token(self) -> str:
        """
        Return a token.

        Raises:
            NoToken: There was none in time.
        """
        try:
            with anyio.fail_after(TOKEN_TIMEOUT):
                self.last = await self._tokens.token()
        except TimeoutError:
            reason = self._tokens.error or "the token endpoint has not answered yet"
            raise NoToken(f"no token for kafka: {reason}") from None
        return self.last

    def report(self, *, accepted: bool) -> None:
        """Tell the provider what a broker thought of the last token."""
        if self.last is not None:
            (self._tokens.accepted if accepted else self._tokens.rejected)(self.last)


async def ssl_context(security: Security) -> ssl.SSLContext | None:
    """
    Return the context of TLS, read from the files as they are now; ``None`` without TLS.

    Raises:
        FileUnusable: One of them cannot be used.
    """
    return (
        await load_context(security.tls, partial(client_context, security.tls)) if security.uses_tls else None
    )


async def load_context(
    tls: TlsSettings, make: Callable[[], ssl.SSLContext], *, timeout: float = FILES_TIMEOUT
) -> ssl.SSLContext:
    """
    Return what ``make`` does of the files of ``tls``, within ``timeout`` seconds.

    Raises:
        FileUnusable: One cannot be used, or is not read in time.
    """
    try:
        with anyio.fail_after(timeout):
            # In a thread that may be left behind: a file on a dead network mount blocks for ever.
            return await anyio.to_thread.run_sync(make, abandon_on_cancel=True)
    except TlsFileError as error:
        raise FileUnusable(error) from None
    except TimeoutError:
        file = next(iter(tls.files), Path("the system's authorities"))
        late = TlsFileError("ca_file", file, "is not read in time", "look at what is mounted there")
        raise FileUnusable(late) from None


def security_options(security: Security, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return what all of aiokafka's clients and connections take."""
    options: dict[str, Any] = {"security_protocol": security.protocol, "ssl_context": context}
    if security.sasl is not None:
        options |= {
            "sasl_mechanism": security.sasl.mechanism,
            "sasl_plain_username": security.sasl.username,
            "sasl_plain_password": security.sasl.password,
        }
        if security.sasl.tokens is not None:
            options["sasl_oauth_token_provider"] = BearerTokenProvider(security.sasl.tokens)
    return options


def client_options(settings: KafkaSettings, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return what producers and admin clients take alike; ``context`` is that of `ssl_context`."""
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "client_id": settings.client_id,
        "request_timeout_ms": round(settings.request_timeout * 1000),
        **security_options(settings.security, context),
    }
