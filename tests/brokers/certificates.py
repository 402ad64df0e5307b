"""An authority of the tests' own, and certificates of it in the forms that Kafka and Python read."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization


@dataclass(frozen=True, kw_only=True)
class CertificateFiles:
    """A certificate with its chain, its key, and both in one file; all PEM, the key in PKCS#8."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Issues certificates into ``directory``; its own is in ``file``."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.file = directory / f"{name}.pem"
        self._directory = directory
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(
        self, name: str, *identities: str, password: str | None = None, label: str | None = None
    ) -> CertificateFiles:
        """
        A certificate with ``name`` as its common name, for the ``identities`` (none: ``name`` as a host).

        ``password`` encrypts the key; ``label`` begins the files' names (``None``: ``name``).
        """
        issued = self._authority.issue_cert(*(identities or (f"{name}.client.test",)), common_name=name)
        stem = self._directory / (label or name)
        files = CertificateFiles(
            certificate=stem.with_suffix(".pem"),
            key=stem.with_suffix(".key"),
            both=stem.with_suffix(".both.pem"),
        )
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        key = _pkcs8(issued.private_key_pem.bytes(), password)
        files.certificate.write_bytes(chain)
        files.key.write_bytes(key)
        files.both.write_bytes(key + chain)
        return files


def _pkcs8(key: bytes, password: str | None) -> bytes:
    """OpenSSL's traditional form → PKCS#8, which alone Kafka reads."""
    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode())
        if password
        else serialization.NoEncryption(),
    )
