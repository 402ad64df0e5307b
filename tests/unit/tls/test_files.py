"""Files that cannot be used are told by their setting, with a remedy, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from connector.tls import TlsFileError, TlsSettings, client_context, file_mistakes
from tests.standins.certificates import PASSWORD, Authority, ClientFiles


def only(settings: TlsSettings) -> TlsFileError:
    [mistake] = file_mistakes(settings)
    with pytest.raises(TlsFileError) as caught:
        client_context(settings)
    assert str(caught.value) == str(mistake)
    return mistake


def test_no_file_at_all_is_no_mistake() -> None:
    assert file_mistakes(TlsSettings()) == []


def test_a_certificate_with_its_key_is_no_mistake(files: ClientFiles) -> None:
    settings = TlsSettings(ca_file=files.ca, certificate_file=files.certificate, key_file=files.key)
    assert file_mistakes(settings) == []


def test_an_encrypted_key_is_opened_by_its_password(files: ClientFiles) -> None:
    settings = TlsSettings(
        certificate_file=files.certificate, key_file=files.encrypted_key, key_password=PASSWORD
    )
    assert file_mistakes(settings) == []


def test_a_key_may_stand_in_the_certificates_file(files: ClientFiles, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(files.key.read_bytes() + files.certificate.read_bytes())
    assert file_mistakes(TlsSettings(certificate_file=both)) == []


def test_what_stands_between_certificates_does_not_matter(files: ClientFiles) -> None:
    files.ca.write_bytes("# TÜRKTRUST\r\n".encode() + files.ca.read_bytes().replace(b"\n", b"\r\n"))
    assert file_mistakes(TlsSettings(ca_file=files.ca)) == []


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    settings = TlsSettings(ca_file=tmp_path / "a", certificate_file=tmp_path / "b", key_file=tmp_path / "c")
    assert [(mistake.key, mistake.message) for mistake in file_mistakes(settings)] == [
        ("ca_file", "is not there"),
        ("certificate_file", "is not there"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x30\x82\x01\x0a\x02", "holds no certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds a private key, but no"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is damaged: the certificate"),
        (b"-----BEGIN CERTIFICATE-----\n\xff!\n-----END CERTIFICATE-----\n", "is damaged: the certificate"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "holds no certificate"),
    ],
)
def test_a_ca_file_that_holds_something_else_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    mistake = only(TlsSettings(ca_file=file))
    assert (mistake.key, mistake.file) == ("ca_file", file)
    assert mistake.message.startswith(message)
    assert mistake.remedy


def test_one_damaged_certificate_of_several_is_named_by_its_number(files: ClientFiles) -> None:
    whole = files.ca.read_bytes()
    damaged = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    files.ca.write_bytes(whole + damaged + whole)
    assert "certificate 2 of 3" in only(TlsSettings(ca_file=files.ca)).message


def test_a_directory_is_named_as_no_file(tmp_path: Path) -> None:
    assert only(TlsSettings(ca_file=tmp_path)).message == "is not a file"


def test_a_file_without_end_is_not_read_whole() -> None:
    # A device is no file either, and must not be opened for good.
    assert only(TlsSettings(ca_file=Path("/dev/zero"))).message == "is not a file"


def test_a_key_of_another_certificate_is_told(files: ClientFiles, authority: Authority) -> None:
    authority.ca.issue_cert("other@example.com").private_key_pem.write_to_path(str(files.key))
    mistake = only(TlsSettings(certificate_file=files.certificate, key_file=files.key))
    assert (mistake.key, mistake.message) == ("key_file", "does not belong to the certificate")


def test_a_key_of_another_kind_is_told(files: ClientFiles, authority: Authority) -> None:
    other = authority.ca.issue_cert("other@example.com", key_type=trustme.KeyType.RSA)
    other.private_key_pem.write_to_path(str(files.key))
    mistake = only(TlsSettings(certificate_file=files.certificate, key_file=files.key))
    assert (mistake.key, mistake.message) == ("key_file", "does not belong to the certificate")


def test_a_wrong_password_is_told_and_not_shown(files: ClientFiles) -> None:
    settings = TlsSettings(
        certificate_file=files.certificate, key_file=files.encrypted_key, key_password="a-wrong-passphrase"
    )
    mistake = only(settings)
    assert (mistake.key, mistake.file) == ("key_password", files.encrypted_key)
    assert "a-wrong-passphrase" not in f"{mistake!r} {settings!r} {mistake.remedy}"


@pytest.mark.parametrize("password", ["", "x" * 2000, "ü\udc80"])
def test_no_password_makes_trouble_of_its_own(files: ClientFiles, password: str) -> None:
    settings = TlsSettings(
        certificate_file=files.certificate, key_file=files.encrypted_key, key_password=password
    )
    assert only(settings).key == "key_password"


def test_an_encrypted_key_without_a_password_asks_nobody(files: ClientFiles) -> None:
    mistake = only(TlsSettings(certificate_file=files.certificate, key_file=files.encrypted_key))
    assert (mistake.key, mistake.message) == ("key_file", "holds an encrypted key")


def test_a_certificate_without_any_key_is_told(files: ClientFiles) -> None:
    mistake = only(TlsSettings(certificate_file=files.certificate))
    assert (mistake.key, mistake.message) == ("certificate_file", "holds no private key")


def test_a_key_file_that_holds_something_else_is_named(files: ClientFiles) -> None:
    mistake = only(TlsSettings(certificate_file=files.certificate, key_file=files.certificate))
    assert (mistake.key, mistake.message) == ("key_file", "holds no private key")


def test_a_damaged_key_is_named(files: ClientFiles) -> None:
    files.key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    mistake = only(TlsSettings(certificate_file=files.certificate, key_file=files.key))
    assert (mistake.key, mistake.message) == ("key_file", "holds a key that cannot be read")
