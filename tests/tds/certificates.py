"""Certificates of an authority of its own, for servers that encrypt."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A server's certificate, and whom to trust for it."""

    authority: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server encrypts with; TLS inside of TDS's packets ends with version 1.2."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context


def issued(folder: Path, names: str = "DNS:localhost,IP:127.0.0.1") -> Issued:
    """A certificate for these names, made by OpenSSL's command."""
    made = Issued(
        authority=folder / "authority.pem",
        certificate=folder / "server.pem",
        key=folder / "server.key",
    )
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    own = folder / "authority.key"
    _openssl("req", "-x509", *curve, "-keyout", own, "-out", made.authority, "-subj", "/CN=branch")
    _openssl(
        *("req", "-x509", *curve, "-keyout", made.key, "-out", made.certificate),
        *("-subj", "/CN=server", "-addext", f"subjectAltName={names}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-CA", made.authority, "-CAkey", own),
    )
    return made


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
