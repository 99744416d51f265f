"""Certificates for tests over TLS, made by openssl."""

import subprocess
from pathlib import Path

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[server]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost
"""


def openssl(folder: Path, *arguments: str) -> None:
    """Run openssl in a folder."""
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificates(folder: Path) -> None:
    """Two authorities, `ca.pem` and `other.pem`, and a certificate of the first one for the host `localhost`."""
    (folder / "openssl.cnf").write_text(CONFIGURATION)
    new = ["req", "-config", "openssl.cnf", "-newkey", "rsa:2048", "-nodes"]
    for name in ("ca", "other"):
        own = ["-x509", "-extensions", "ca", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}"]
        openssl(folder, *new, *own)
    openssl(folder, *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    by_ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "openssl.cnf", "-extensions", "server"]
    openssl(folder, "x509", "-req", "-in", "server.csr", *by_ca, "-out", "server.pem")
    (folder / "empty.pem").write_text("nothing\n")
