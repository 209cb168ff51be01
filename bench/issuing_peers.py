"""Authorities that others made, for `bench.issuing`: cfssl (Debian), django-ca (PyPI), siemens' mock CA (by its URL).

Each gives rounds of load, or is named as missing with the reason. cfssl is installed by apt where that may
be, django-ca into an environment of its own below build/.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bench.issuing_bare import issuing_key
from bench.issuing_load import ROOT, Job, Load, Place, drive, running
from bench.issuing_world import CMP, Way, asking, granted, header, sealed, subject_key
from bench.ocsp_world import free_port
from ingam.kernel.secret import Secret
from ingam.npki import shapes
from ingam.npki.signature import KeyKind
from ingam.protocols.cmp import crmf, message
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO, directory_name
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.template import CertTemplate

DJANGO_CA: Final = ("django-ca==3.2.0", "Django==5.2.19", "cryptography==50.0.2")
ENVIRONMENT: Final = ROOT / "build" / "peers" / "django-ca"
DRIVER: Final = Path(__file__).with_name("issuing_django_ca.py")

_TABLES: Final = """
CREATE TABLE certificates (
  serial_number BLOB, authority_key_identifier BLOB, ca_label BLOB, status BLOB, reason INTEGER, expiry TIMESTAMP,
  revoked_at TIMESTAMP, pem BLOB, PRIMARY KEY (serial_number, authority_key_identifier));
CREATE TABLE ocsp_responses (
  serial_number BLOB, authority_key_identifier BLOB, body BLOB, expiry TIMESTAMP,
  PRIMARY KEY (serial_number, authority_key_identifier));
"""
_PROFILE: Final = {
    "expiry": "8760h",
    "usages": ["digital signature", "server auth"],
    "crl_url": "http://ca.ingam.test/dp1p1.crl",
    "ocsp_url": "http://ocsp.ingam.test/",
    "issuer_urls": ["http://ca.ingam.test/issuing-1.der"],
}


def missing(name: str, why: str) -> None:
    """A peer that is not compared."""
    print(f"{name} is missing ({why}): not compared", file=sys.stderr)


# cfssl


@cache
def has_cfssl() -> bool:
    """Whether there is a cfssl, installed now if need be."""
    if shutil.which("cfssl") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "golang-cfssl"]
        subprocess.run(words, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, check=False)
    if shutil.which("cfssl") is None:
        missing("cfssl", "Debian: golang-cfssl")
        return False
    return True


@contextlib.contextmanager
def cfssl(folder: Path, kind: KeyKind, count: int, *, database: bool) -> Iterator[Callable[[], Load]]:
    """`cfssl serve` with an issuing key of a kind: rounds of so many CSRs, 8 at a time.

    With `database` each certificate becomes a row of SQLite before its answer.
    """
    folder.mkdir()
    _write_authority(folder, kind)
    place = Place("127.0.0.1", free_port(), "/api/v1/cfssl/sign")
    words = ["cfssl", "serve", "-address", place.host, "-port", str(place.port), "-loglevel", "3"]
    files = {"-ca": "ca.pem", "-ca-key": "ca-key.pem", "-config": "config.json"}
    if database:
        _write_database(folder)
        files["-db-config"] = "db.json"
    words += [word for option, name in files.items() for word in (option, str(folder / name))]
    jobs = [Job(place.post(_csr(number), "application/json")) for number in range(count)]
    with running(words, folder / "server.log", lambda: _open(place)) as server:
        yield lambda: server.under(place, jobs, 8, lambda body: b'"success":true' in body)


def _write_authority(folder: Path, kind: KeyKind) -> None:
    """A certificate that signs itself, its key, and what is put into what it issues."""
    key, now = issuing_key(kind), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench CA")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .serial_number(1)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, SHA256())
    )
    (folder / "ca.pem").write_bytes(made.public_bytes(Encoding.PEM))
    form = PrivateFormat.TraditionalOpenSSL  # the PKCS #8 of P-256 is not read by every cfssl
    (folder / "ca-key.pem").write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    (folder / "config.json").write_text(json.dumps({"signing": {"default": _PROFILE}}))


def _write_database(folder: Path) -> None:
    path = folder / "certificates.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(_TABLES)
    (folder / "db.json").write_text(json.dumps({"driver": "sqlite3", "data_source": str(path)}))


def _csr(number: int) -> bytes:
    key, host = generate_private_key(SECP256R1()), f"host-{number}.ingam.test"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    asked = {"certificate_request": made.public_bytes(Encoding.PEM).decode(), "hosts": [host]}
    return json.dumps(asked).encode()


def _open(place: Place) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((place.host, place.port), 2):
        return True
    return False


# django-ca


@contextlib.contextmanager
def django_ca(folder: Path, processes: int, count: int) -> Iterator[Callable[[], Load]]:
    """`create_cert` in so many processes with one SQLite file: rounds of `count` certificates in each; RSA-2048.

    No HTTP, no CSR to check: the driver calls it in process. The CPU is not told.
    """
    folder.mkdir()
    words = [str(ENVIRONMENT / "bin" / "python"), str(DRIVER), str(folder)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "issuing_django_ca"}
    with (folder / "driver.log").open("wb") as log, contextlib.ExitStack() as stack:
        started: list[subprocess.Popen[str]] = []
        for number in range(processes):
            one = subprocess.Popen(
                [*words, "first" if number == 0 else "next"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                text=True, env=environment,
            )  # fmt: skip
            started.append(one)
            stack.callback(_end, one)
            _told(one)

        def run() -> Load:
            begun = time.perf_counter()
            for one in started:
                _tell(one, f"{count}\n")
            for one in started:
                _told(one)
            return Load(processes * count / (time.perf_counter() - begun), 0.0)

        yield run


@cache
def has_django_ca() -> bool:
    """Whether its environment stands, made now if need be."""
    mark, wanted = ENVIRONMENT / "installed", " ".join(DJANGO_CA)
    if mark.exists() and mark.read_text() == wanted:
        return True
    python = str(ENVIRONMENT / "bin" / "python")
    try:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        words = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *DJANGO_CA]
        subprocess.run(words, check=True, capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        missing("django-ca", f"pip install {DJANGO_CA[0]}: {type(error).__name__}")
        return False
    mark.write_text(wanted)
    return True


def _tell(one: subprocess.Popen[str], text: str) -> None:
    assert one.stdin is not None
    one.stdin.write(text)
    one.stdin.flush()


def _told(one: subprocess.Popen[str]) -> None:
    assert one.stdout is not None
    if one.stdout.readline().strip() != "done":
        raise RuntimeError("django-ca's driver ended")


def _end(one: subprocess.Popen[str]) -> None:
    one.terminate()
    one.communicate()


# siemens' mock CA


def mock_ca(count: int, concurrency: int) -> Callable[[], Load]:
    """Rounds of ir under PasswordBasedMac (500 rounds, HMAC-SHA256) at the address that the environment names."""
    place = _mock_place()

    def run() -> Load:
        jobs = [Job(place.post(_mock_request(), CMP)) for _ in range(count)]
        seconds, bodies = drive(place, jobs, concurrency)
        if (good := sum(map(granted, bodies))) < count:
            raise RuntimeError(f"the mock CA gave {good} of {count} certificates")
        return Load(count / seconds, 0.0)

    return run


@cache
def has_mock_ca() -> bool:
    """Whether one is named and gives a certificate."""
    if not os.environ.get("INGAM_PEER_MOCK_CA"):
        missing("siemens' mock CA", "INGAM_PEER_MOCK_CA names no URL")
        return False
    try:
        mock_ca(1, 1)()
    except (OSError, RuntimeError) as error:
        missing("siemens' mock CA", str(error))
        return False
    return True


def _mock_place() -> Place:
    found = urlsplit(os.environ["INGAM_PEER_MOCK_CA"])
    return Place(found.hostname or "127.0.0.1", found.port or 80, found.path or "/")


def _mock_request() -> bytes:
    """Its sender is named in full and by the same name in senderKID; each asks for a subject of its own."""
    sender, secret = os.environ.get("INGAM_PEER_MOCK_CA_SENDER", ""), os.environ.get("INGAM_PEER_MOCK_CA_SECRET", "")
    key, spki = subject_key()
    name = shapes.name(("CN", sender))
    wishes = CertTemplate(public_key=spki, subject=shapes.name(("CN", f"bench {os.urandom(6).hex()}")))
    fields = header(directory_name(name), f"CN={sender}".encode())._replace(general_info=(IMPLICIT_CONFIRM_INFO,))
    body = crmf.write_requests(BodyKind.IR, asking(key, wishes))
    return message.compose(fields, body, sealed(Way.PASSWORD_BASED_MAC, Secret(secret.encode()), "sha256"))
