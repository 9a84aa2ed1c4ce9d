"""The certificate of the TLS listener: self-signed until the operator puts his own in its place."""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

VALID_DAYS = 3650


def ensure_certificate(directory: Path, domain: str, address: str) -> tuple[Path, Path]:
    """`certificate.pem` and `certificate.key` in `directory`; what is there is kept, so that an operator's own stays."""
    certificate, key = directory / "certificate.pem", directory / "certificate.key"
    if not (certificate.exists() and key.exists()):
        _make(certificate, key, domain, address)
    return certificate, key


def _make(certificate: Path, key: Path, domain: str, address: str) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain[:64])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain), x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    _write(key, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(certificate, made.public_bytes(Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
