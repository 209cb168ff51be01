"""A whole status service in processes of its own: books on disk, a responder, and as many workers or mirrors as asked.

Run as `python -m tests.run.va_world FOLDER PORT WORKERS [ORIGIN]`; a test makes the folder with `prepare`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.adapters.books import entries
from tests.ca.status.ground import CountedSigner, responder_der
from tests.npki import certs

from ingam.adapters.books.reading import BooksReader
from ingam.adapters.books.sqlite import SqliteBooks, make
from ingam.ca.status.limits import StatusLimits
from ingam.ca.status.responders import Generation, Generations, responder
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.ports.books import State, StatusChange
from ingam.run.messages import Reply, Request, plain
from ingam.run.va import Afar, Beside, Served, serve

SECRET = Secret(bytes(range(32)))
CA_KEY, OCSP_KEY = "rsa2048-08", "rsa2048-06"
CA_NAME = certs.name(("C", "KR"), ("O", "Ingam"), ("CN", "Ingam Test CA"))
SERIALS = range(0x7F01, 0x7F05)


def pem(raw: bytes) -> bytes:
    return x509.load_der_x509_certificate(raw).public_bytes(Encoding.PEM)


def prepare(folder: Path) -> None:
    """Certificates of a CA of today, its responder and four persons, in files and in the books."""
    now = datetime.now(UTC).replace(microsecond=0)
    begin, end = now - timedelta(days=30), now + timedelta(days=300)
    key = certs.key(CA_KEY)
    ca = certs.build(
        subject=CA_NAME, public=certs.spki(key), issuer=CA_NAME, signer=key, serial=1, not_before=begin, not_after=end,
        extensions=[certs.ski(key), certs.usage(certs.AUTHORITY), certs.basic(ca=True)],
    )  # fmt: skip
    party = certs.Party(certificate.parse(ca), key)
    files = {"ca": ca, "ocsp": responder_der(OCSP_KEY, party, not_before=now - timedelta(days=1))}
    for serial in SERIALS:
        files[f"{serial:x}"] = certs.build(
            subject=certs.PERSON_NAME, public=certs.spki(certs.key("rsa2048-10")), issuer=CA_NAME, signer=key,
            serial=serial, extensions=[certs.usage(certs.SIGN)], not_before=begin, not_after=end,
        )  # fmt: skip
    for name, raw in files.items():
        (folder / f"{name}.der").write_bytes(raw)
        (folder / f"{name}.pem").write_bytes(pem(raw))
    (folder / "published").mkdir()


async def issue(folder: Path) -> None:
    """The four persons of SERIALS in new books."""
    make(folder / "books.db")
    books = SqliteBooks(folder / "books.db")
    for number, _ in enumerate(SERIALS, 1):
        await entries.issued(books, number, person=None)
    await books.shut()


async def change(folder: Path, serial: int, state: State, reason: int | None) -> None:
    """What another process does to a certificate; committed when this returns."""
    books = SqliteBooks(folder / "books.db")
    one = books.certificate(1, serial)
    assert one is not None
    at = datetime.now(UTC)
    await books.change(
        StatusChange(
            one.id,
            entries.GONE,
            state,
            reason,
            at,
            b"entry",
            entries.leaf("change", serial, at),
            entries.line("change"),
        )
    )
    await books.shut()


def page(_request: Request) -> Reply:
    return plain(404)


def opened(folder: Path, origin: str) -> list[Served]:
    """One authority, beside its books or afar."""
    ca, ocsp = (certificate.parse((folder / f"{name}.der").read_bytes()) for name in ("ca", "ocsp"))
    if origin:
        return [Afar("ingam", None, origin, (ocsp,), SECRET)]
    reader = BooksReader(folder / "books.db")
    speaker = responder(ocsp, CountedSigner(certs.key(OCSP_KEY)), ca, datetime.now(UTC))
    known = Generations([Generation(1, ca, speaker)])
    return [Beside("ingam", folder / "published", reader, known, SECRET, close=reader.close)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(folder: Path, workers: int = 1, origin: str = "") -> Iterator[int]:
    """The port of a service in processes of its own."""
    port = free_port()
    words = [
        sys.executable,
        "-m",
        "tests.run.va_world",
        str(folder),
        str(port),
        str(workers),
        *([origin] if origin else []),
    ]
    process = subprocess.Popen(words, cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": "src"})
    try:
        until = time.monotonic() + 30
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            return probe.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


if __name__ == "__main__":
    folder, port, workers, *rest = sys.argv[1:]
    origin_address = rest[0] if rest else ""
    raise SystemExit(
        serve(
            lambda: opened(Path(folder), origin_address),
            page,
            port=int(port),
            workers=int(workers),
            limits=StatusLimits(demand_rate=5000, demand_burst=5000),
        )
    )
