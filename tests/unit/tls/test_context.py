"""Contexts trust what was asked for, and follow their files."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path, PosixPath
from typing import Any

import pytest
import trustme
from structlog.testing import capture_logs

from connector.tls import RotatingContext, TlsFileError, TlsSettings, client_context, tls_reason
from tests.standins.certificates import Authority, ClientFiles

HOST = "upstream.example"


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str = HOST) -> None:
    """A whole handshake in memory; raises what the client finds."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=host)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [here, there]
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                if side is here:
                    raise
                waiting.remove(side)


def test_the_ca_file_is_trusted(authority: Authority, files: ClientFiles) -> None:
    shake_hands(client_context(TlsSettings(ca_file=files.ca)), authority.server(HOST))


def test_the_ca_file_alone_is_trusted(authority: Authority, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    context = client_context(TlsSettings(ca_file=other))
    assert len(context.get_ca_certs()) == 1
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(context, authority.server(HOST))
    assert tls_reason(caught.value).startswith("certificate verify failed: ")
    assert "not among the trusted authorities" in tls_reason(caught.value)


def test_without_a_ca_file_the_system_is_trusted(authority: Authority) -> None:
    context = client_context(TlsSettings())
    assert context.verify_mode == ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, authority.server(HOST))


def test_an_intermediate_may_be_trusted_by_itself(authority: Authority, tmp_path: Path) -> None:
    intermediate, file = authority.ca.create_child_ca(), tmp_path / "intermediate.pem"
    intermediate.cert_pem.write_to_path(str(file))
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    intermediate.issue_cert(HOST).configure_cert(there)
    shake_hands(client_context(TlsSettings(ca_file=file)), there)


def test_another_host_is_refused_with_its_name(authority: Authority, files: ClientFiles) -> None:
    context = client_context(TlsSettings(ca_file=files.ca))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake_hands(context, authority.server("other.example"))
    assert "Hostname mismatch" in tls_reason(caught.value)
    assert HOST in tls_reason(caught.value)


def test_another_host_is_accepted_where_asked_for(authority: Authority, files: ClientFiles) -> None:
    context = client_context(TlsSettings(ca_file=files.ca, check_hostname=False))
    shake_hands(context, authority.server("other.example"))
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_a_changed_file_gives_a_new_context(files: ClientFiles) -> None:
    rotating = RotatingContext(TlsSettings(ca_file=files.ca))
    first = rotating.current()
    assert rotating.current() is first
    trustme.CA().cert_pem.write_to_path(str(files.ca))
    assert rotating.current() is not first


def test_a_file_that_was_only_touched_gives_the_same_context(files: ClientFiles) -> None:
    rotating = RotatingContext(TlsSettings(ca_file=files.ca))
    first = rotating.current()
    files.ca.write_bytes(files.ca.read_bytes())
    assert rotating.current() is first


def test_a_file_spoilt_meanwhile_leaves_the_last_good_context_and_is_told_once(files: ClientFiles) -> None:
    rotating = RotatingContext(TlsSettings(ca_file=files.ca))
    first, good = rotating.current(), files.ca.read_bytes()
    files.ca.write_text("half writ")
    with capture_logs() as logs:
        assert rotating.current() is first
        assert rotating.current() is first
    assert [entry["event"] for entry in logs] == ["certificates not renewed"]
    files.ca.write_bytes(good)
    assert rotating.current() is not first


def test_a_file_that_was_never_good_raises_until_it_is(files: ClientFiles) -> None:
    good = files.ca.read_bytes()
    files.ca.unlink()
    rotating = RotatingContext(TlsSettings(ca_file=files.ca))
    for _ in range(2):
        with pytest.raises(TlsFileError, match="is not there"):
            rotating.current()
    files.ca.write_bytes(good)
    assert rotating.current() is rotating.current()


class Stuck(PosixPath):
    """A file that can be read once; whoever reads it again waits for the end of the test."""

    reads = 0
    waiting, released = threading.Event(), threading.Event()

    def open(self, *args: Any, **options: Any) -> Any:
        Stuck.reads += 1
        if Stuck.reads > 2:  # once for the digest, once for the certificates
            Stuck.waiting.set()
            Stuck.released.wait(30)
        return super().open(*args, **options)


def test_who_is_stuck_in_a_dead_mount_holds_up_nobody(files: ClientFiles) -> None:
    rotating = RotatingContext(TlsSettings(ca_file=Stuck(files.ca)), patience=0.05)
    first = rotating.current()
    stuck = threading.Thread(target=rotating.current)
    stuck.start()
    try:
        assert Stuck.waiting.wait(30)
        assert rotating.current() is first
    finally:
        Stuck.released.set()
        stuck.join(30)
