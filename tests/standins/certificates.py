"""
A certificate authority of the tests' own: servers that prove who they are, or fail to, and clients' files.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

PASSWORD = "the-passphrase-of-the-key"
LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class ClientFiles:
    """What a client needs, in PEM. The key is there in the clear and encrypted with `PASSWORD`."""

    ca: Path
    certificate: Path
    key: Path
    encrypted_key: Path


class Authority:
    """Issues certificates; nobody trusts it but who has its file."""

    def __init__(self) -> None:
        self.ca = trustme.CA()

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self.ca.cert_pem.bytes()

    def server(
        self,
        *names: str,
        expired: bool = False,
        clients: Authority | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> ssl.SSLContext:
        """
        A server's context for ``names`` (`LOOPBACK` by default). With ``clients`` it wants a certificate
        that this authority issued.
        """
        past = datetime.now(UTC) - timedelta(days=1)
        issued = self.ca.issue_cert(
            *(names or LOOPBACK),
            not_before=past - timedelta(days=1) if expired else None,
            not_after=past if expired else None,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = newest
        issued.configure_cert(context)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.pem.decode())
        return context

    def client(
        self, directory: Path, name: str = "client@example.com", *, expired: bool = False
    ) -> ClientFiles:
        """A client's certificate, written into ``directory``."""
        past = datetime.now(UTC) - timedelta(days=1)
        issued = self.ca.issue_cert(
            name,
            not_before=past - timedelta(days=1) if expired else None,
            not_after=past if expired else None,
        )
        made = ClientFiles(
            *(directory / file for file in ("ca.pem", "client.pem", "client.key", "locked.key"))
        )
        made.ca.write_bytes(self.pem)
        made.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        made.key.write_bytes(issued.private_key_pem.bytes())
        made.encrypted_key.write_bytes(encrypted(issued.private_key_pem.bytes()))
        return made


@contextmanager
def strict_server(tls: ssl.SSLContext) -> Iterator[int]:
    """
    The port of a server that refuses as OpenSSL does: it sends the alert, and lets the client read it. Who is
    let in gets nothing.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:  # closed
                return
            with raw:
                raw.settimeout(10)
                with contextlib.suppress(OSError), tls.wrap_socket(raw.dup(), server_side=True) as talk:
                    talk.recv(1)
                with contextlib.suppress(OSError):
                    # To close with something unread would be a reset, which overtakes the alert.
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(4096):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def encrypted(key: bytes, password: str = PASSWORD) -> bytes:
    """The same key, encrypted as PKCS#8."""
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
