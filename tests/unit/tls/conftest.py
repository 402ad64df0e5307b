"""An authority of the tests' own, with a client's certificate on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

PASSWORD = "the-passphrase-of-the-key"


@dataclass(frozen=True)
class Files:
    """What a client needs, in PEM."""

    ca: Path
    certificate: Path
    key: Path
    encrypted_key: Path


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> Files:
    issued = authority.issue_cert("client@example.com")
    made = Files(*(tmp_path / name for name in ("ca.pem", "client.pem", "client.key", "client.enc.key")))
    authority.cert_pem.write_to_path(str(made.ca))
    made.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(made.key))
    made.encrypted_key.write_bytes(encrypted(issued.private_key_pem.bytes()))
    return made


def encrypted(key: bytes, password: str = PASSWORD) -> bytes:
    """The same key, encrypted as PKCS#8."""
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
