"""The files as they lie on the disk: what can be told of them before anybody is connected to."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Literal

from connector.errors import RetriableError
from connector.tls.settings import TlsSettings

TlsKey = Literal["ca_file", "certificate_file", "key_file", "key_password"]

_LONGEST = 4 * 1024 * 1024
"""Bytes. A system's whole bundle of authorities has a quarter of a megabyte."""

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: ?4, ?ENCRYPTED", re.MULTILINE)

_IN_PEM = "write it in PEM (-----BEGIN …); openssl converts DER and PKCS#12"
_NOT_OURS = frozenset(
    {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED", "UNKNOWN_KEY_TYPE"}
)
_TOO_WEAK = frozenset({"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"})


class TlsFileError(RetriableError):
    """
    A file cannot be used. It may be mended while we run, so a later attempt may succeed.

    ``key`` is the setting at fault, ``file`` the file it is about (for a password: the key's), ``message``
    goes on behind the file's name, and ``remedy`` says what to do.
    """

    def __init__(self, key: TlsKey, file: Path, message: str, remedy: str) -> None:
        super().__init__(f"{key}: {file} {message}")
        self.key = key
        self.file = file
        self.message = message
        self.remedy = remedy


def file_mistakes(settings: TlsSettings) -> list[TlsFileError]:
    """Everything that is wrong with the files, empty where they can be used."""
    found = []
    try:
        authorities(settings)
    except TlsFileError as error:
        found.append(error)
    try:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), settings)
    except TlsFileError as error:
        found.append(error)
    return found


def authorities(settings: TlsSettings) -> str | None:
    """
    The certificates of ``ca_file`` in PEM, without what else stands there; ``None`` where none is named.

    Raises:
        TlsFileError: It cannot be read, or holds something else.
    """
    if settings.ca_file is None:
        return None
    return _certificates("ca_file", settings.ca_file, read("ca_file", settings.ca_file))


def load_pair(context: ssl.SSLContext, settings: TlsSettings) -> None:
    """
    Load the client's certificate and its key, where they are named.

    Raises:
        TlsFileError: One of them cannot be used, or they do not belong together.
    """
    if settings.certificate_file is None:
        return
    chain, holder = settings.certificate_file, settings.key_file or settings.certificate_file
    content = read("certificate_file", chain)
    _certificates("certificate_file", chain, content)
    if settings.key_file is not None:
        content = read("key_file", settings.key_file)
    _check_key(holder, content, settings)
    fault = _load(context, chain, holder, settings.key_password)
    if fault in _TOO_WEAK:
        remedy = "have one made with RSA of 2048 bits, or EC, and SHA-256"
        raise TlsFileError("certificate_file", chain, "is too weak for this system's OpenSSL", remedy)
    if fault in _NOT_OURS:
        remedy = "name the key that the first certificate of certificate_file was made for"
        raise TlsFileError("key_file", holder, "does not belong to the certificate", remedy)
    if fault is not None and _ENCRYPTED.search(content):
        remedy = "give the password that the key was encrypted with"
        raise TlsFileError("key_password", holder, "is not opened by this password", remedy)
    if fault is not None:
        raise TlsFileError("key_file", holder, "holds a key that cannot be read", "copy it again")


def read(key: TlsKey, file: Path) -> bytes:
    """
    What the file holds.

    Raises:
        TlsFileError: It is not there, no file, may not be read, or is too large.
    """
    try:
        if file.exists() and not file.is_file():  # a pipe would block
            raise TlsFileError(key, file, "is not a file", "name the file itself")
        with file.open("rb") as opened:
            content = opened.read(_LONGEST + 1)
    except FileNotFoundError:
        raise TlsFileError(key, file, "is not there", "check the path") from None
    except PermissionError:
        raise TlsFileError(key, file, "may not be read", "give this user the right to read it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the name is not a path"
        raise TlsFileError(key, file, f"cannot be read: {reason}", "check the path") from None
    if len(content) > _LONGEST:
        raise TlsFileError(key, file, f"is larger than {_LONGEST} bytes", "check that it is the right file")
    return content


def _certificates(key: TlsKey, file: Path, content: bytes) -> str:
    blocks = [block.decode("latin-1") for block in _CERTIFICATE.findall(content)]
    if not blocks:
        what = "holds a private key, but no certificate" if _KEY.search(content) else "holds no certificate"
        raise TlsFileError(key, file, what if content.strip() else "is empty", _IN_PEM)
    scratch = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for number, block in enumerate(blocks, 1):
        try:
            scratch.load_verify_locations(cadata=block)
        except (ssl.SSLError, ValueError, TypeError):
            which = (
                f"certificate {number} of {len(blocks)} in it" if len(blocks) > 1 else "the certificate in it"
            )
            remedy = "copy it again, whole, with its BEGIN and END lines"
            raise TlsFileError(key, file, f"is damaged: {which} cannot be read", remedy) from None
    return "\n".join(blocks) + "\n"


def _check_key(holder: Path, content: bytes, settings: TlsSettings) -> None:
    if not _KEY.search(content):
        if settings.key_file is None:
            remedy = "name the key's file as key_file, or append the key to this file"
            raise TlsFileError("certificate_file", holder, "holds no private key", remedy)
        raise TlsFileError(
            "key_file", holder, "holds no private key" if content.strip() else "is empty", _IN_PEM
        )
    if _ENCRYPTED.search(content) and settings.key_password is None:
        remedy = "give its password as key_password: ${file:…}"
        raise TlsFileError("key_file", holder, "holds an encrypted key", remedy)


def _load(context: ssl.SSLContext, chain: Path, holder: Path, password: str | None) -> str | None:
    """Return ``None``, or OpenSSL's name of what it did not like; empty where it has none."""
    try:
        # Always a password: without one OpenSSL would ask on the terminal.
        context.load_cert_chain(chain, holder, lambda: password or "")
    except ssl.SSLError as error:
        return error.reason or ""
    except (OSError, ValueError):  # gone meanwhile; or a password longer than OpenSSL takes
        return ""
    return None
