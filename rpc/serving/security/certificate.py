"""A certificate of this machine's own for https: a browser gives a page its camera only then."""

from __future__ import annotations

import ipaddress
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rpc.data.files import cannot_write, write_bytes

DAYS: Final = 397  # browsers take no certificate that is valid for longer
RENEW: Final = timedelta(days=30)  # before its end


def own_certificate(folder: Path, host: str, now: datetime) -> tuple[Path, Path]:
    """The certificate and key of a folder, made anew where there are none or they end soon.

    Args:
        folder: where they are kept.
        host: name or number that the server listens on.
        now: the time.

    Raises:
        DataError: they cannot be written.
    """
    certificate, key = folder / "certificate.pem", folder / "certificate-key.pem"
    if certificate.is_file() and key.is_file() and _lasts(certificate, host, now):
        return certificate, key
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rpc-checkout counter")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    private = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_secret(key, private)
    write_bytes(certificate, made.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _lasts(path: Path, host: str, now: datetime) -> bool:
    """Whether a certificate is for this host, and will not end soon."""
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, OSError, x509.ExtensionNotFound):
        return False
    return found.not_valid_after_utc - now > RENEW and set(_names(host)) <= set(names)


def _names(host: str) -> list[x509.GeneralName]:
    """This machine's names and numbers, as a certificate lists them."""
    found: dict[x509.GeneralName, None] = {}
    for name in ("localhost", "127.0.0.1", "::1", host, socket.gethostname()):
        try:
            found[x509.IPAddress(ipaddress.ip_address(name))] = None
        except ValueError:
            if name.isascii() and name:
                found[x509.DNSName(name)] = None
    return list(found)


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise cannot_write(path, error) from error
