"""The responders that `bench.ocsp` compares: certificates, books of a hundred persons, and our service in processes.

`python -m bench.ocsp_world KIND FOLDER PORT WORKERS [ORIGIN]`: KIND is `status`, `constant` (the same server, one
answer of the same size for every question) or `mirror`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import uvloop
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509 import load_der_x509_certificate

from ingam.adapters.books.reading import BooksReader
from ingam.adapters.books.sqlite import SqliteBooks, make
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey, generated
from ingam.ca.status.limits import StatusLimits
from ingam.ca.status.responders import Generation, Generations, responder
from ingam.kernel.secret import Secret
from ingam.npki import certificate, shapes
from ingam.ports.books import Answer, AuditLine, IssueIntent, Leaf, Recorded, State, StatusChange
from ingam.ports.signing import Intent, KeyKind, Signer
from ingam.protocols.ocsp import answering, cert_id, request
from ingam.run.exchange import Exchange, Reply, Request, plain
from ingam.run.status_replies import StatusReplies
from ingam.run.va import KNOWN_MOST, Afar, Beside, Served, serve
from ingam.run.workers import run_workers

KEYS: Final = Path(__file__).parent.parent / "vectors" / "keys"
PERSONS: Final = 100
POLICY: Final = "2.25.87309791621482727547270451842754097887.1.100"
CA_NAME: Final = shapes.name(("C", "KR"), ("O", "Ingam"), ("CN", "Ingam bench CA"))
PERSON_NAME: Final = shapes.name(("C", "KR"), ("O", "Ingam"), ("CN", "bench person"))
SECRET: Final = Secret(bytes(range(32)))
PASSPHRASE: Final = Secret("bench")
LIMITS: Final = StatusLimits(demand_rate=1_000_000, demand_burst=1_000_000, demand_queue=4096, threads=2)


def vector(name: str) -> RSAPrivateKey:
    """A key of vectors/keys."""
    loaded = load_der_private_key((KEYS / f"{name}.p8").read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(loaded, RSAPrivateKey)
    return loaded


def _source(kind: KeyKind) -> PrivateKey:
    return vector("rsa2048-01") if kind is KeyKind.RSA_2048 else generated(kind)


def signer_of(folder: Path) -> Signer:
    """The responder's key as the product keeps it."""
    return FileSigningKeys(folder / "keys", PASSPHRASE).signer("ocsp-1")


async def prepare(folder: Path, kind: KeyKind) -> None:
    """An RSA-2048 CA, a responder with a key of `kind`, a hundred persons in files, books and questions."""
    ca_key, person_spki = vector("rsa2048-00"), shapes.public_key(vector("rsa2048-02"))
    key = _source(kind)
    signer = FileSigningKeys(folder / "keys", PASSPHRASE, source=lambda _kind: key).make("ocsp-1", kind)
    now = datetime.now(UTC).replace(microsecond=0)
    life = shapes.Validity(now - timedelta(days=1), now + timedelta(days=89))
    ca_spki = shapes.public_key(ca_key)
    identifier = shapes.AuthorityKey(shapes.key_identifier(ca_spki), CA_NAME, 1)

    def made(shape: shapes.Shape, serial: int, subject: bytes, spki: bytes, by: shapes.AuthorityKey | None) -> bytes:
        tbs = shapes.tbs_certificate(
            shape, serial=serial, issuer=CA_NAME, validity=life, subject=subject, spki=spki, authority_key=by
        )
        return shapes.sign(tbs, ca_key)

    root = shapes.root(shapes.Usage.AUTHORITY)
    files = {"ca": made(root, 1, CA_NAME, ca_spki, None)}
    files["ocsp"] = made(shapes.delegated_responder(POLICY), 2, PERSON_NAME, signer.public.spki, identifier)
    issuer = certificate.parse(files["ca"])
    person = shapes.Shape(shapes.Usage.DIGITAL_SIGNATURE, shapes.Policy(POLICY))
    for number in range(PERSONS):
        files[f"c{number}"] = made(person, serial_of(number), PERSON_NAME, person_spki, identifier)
        asked = cert_id(certificate.parse(files[f"c{number}"]), issuer)
        (folder / f"request{number}.der").write_bytes(request(asked, None))
        (folder / f"nonce{number}.der").write_bytes(request(asked, os.urandom(32)))
    for name, raw in files.items():
        (folder / f"{name}.der").write_bytes(raw)
        (folder / f"{name}.pem").write_bytes(load_der_x509_certificate(raw).public_bytes(Encoding.PEM))
    plain_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "ocsp-key.pem").write_bytes(plain_key)
    await _enter(folder, now)


def serial_of(number: int) -> int:
    """Of person `number`."""
    return int.from_bytes(hashlib.sha256(b"%d" % number).digest()[:16], "big") >> 1


async def _enter(folder: Path, now: datetime) -> None:
    make(folder / "books.db")
    books = SqliteBooks(folder / "books.db")
    for number in range(PERSONS):
        mark = hashlib.sha256(b"bench %d" % number).digest()
        one = IssueIntent(
            mark, mark[:16], mark, None, 1, serial_of(number), "bench", POLICY, None, 1, now, now + timedelta(days=365),
            mark, b"tbs", hashlib.sha256(b"tbs").digest(), now,
        )  # fmt: skip
        await books.intend(one)
        answer = Answer(mark, mark[:16], mark, b"ip", b"nonce", now)
        leaf, line = Leaf(mark, mark, b"issue"), AuditLine(now, "issue", "ok")
        await books.record(Recorded(one, b"der", answer, leaf, line, True, None))
    await books.shut()


async def change(books: SqliteBooks, number: int, state: State) -> None:
    """Hold or release person `number`; committed when this returns."""
    one = books.certificate(1, serial_of(number))
    assert one is not None
    now = datetime.now(UTC)
    mark = os.urandom(32)
    before = frozenset({State.VALID, State.HELD, State.PENDING})
    held = 6 if state is State.HELD else None
    leaf, line = Leaf(mark, mark, b"change"), AuditLine(now, "change", "ok")
    await books.change(StatusChange(one.id, before, state, held, now, b"entry", leaf, line))


def opened(folder: Path, origin: str) -> list[Served]:
    """The one authority, as wiring would give it."""
    ca, ocsp = (certificate.parse((folder / f"{name}.der").read_bytes()) for name in ("ca", "ocsp"))
    if origin:
        return [Afar("bench", None, origin, (ocsp,), SECRET)]
    reader = BooksReader(folder / "books.db")
    speaker = responder(ocsp, signer_of(folder), ca, datetime.now(UTC))
    return [Beside("bench", None, reader, Generations([Generation(1, ca, speaker)]), SECRET, close=reader.close)]


def constant_answer(folder: Path) -> Reply:
    """An answer as the responder makes it, for the server that says nothing else."""
    ocsp = certificate.parse((folder / "ocsp.der").read_bytes())
    asked = answering.question((folder / "request0.der").read_bytes()).asked[0]
    now = int(time.time())
    key_hash = hashlib.sha1(answering.key_bits(ocsp.spki), usedforsecurity=False).digest()
    single = answering.SingleResponse(asked.raw, answering.GOOD, now, now + 3600)
    tbs, signer = answering.prepare(key_hash, now, [single], None), signer_of(folder)
    der = answering.assemble(tbs, signer.public.algorithm, signer.sign(Intent.of(tbs)), ocsp.der)
    return StatusReplies().once(der)


def _constant(folder: Path, port: int, workers: int) -> int:
    reply = constant_answer(folder)

    def answer(_request: Request) -> Reply:
        return reply

    def work(_number: int, listener: socket.socket) -> int:
        async def go() -> None:
            await Exchange(answer, lambda _method, _target: answering.MAX_REQUEST, remembers=KNOWN_MOST).start(listener)
            await asyncio.Event().wait()

        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(go())
        return 0

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run_workers(workers, "127.0.0.1", port, work)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask(port: int, raw: bytes) -> bytes:
    """One question over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", raw, {"Content-Type": "application/ocsp-request"})
        return connection.getresponse().read()
    finally:
        connection.close()


class Running:
    """A responder in processes of its own."""

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.port = port
        environment = {**os.environ, "PYTHONPATH": "src"}
        root = Path(__file__).parent.parent
        self._process = subprocess.Popen(
            command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def ready(self, raw: bytes) -> None:
        """Until it answers a question; OpenSSL's turns round and round after a connection that asks nothing."""
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                ask(self.port, raw)
                return
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("did not start")
            time.sleep(0.02)

    def cpu_s(self) -> float:
        """CPU seconds of the process and its children until now."""
        return sum(_cpu_s(pid) for pid in (self._process.pid, *_children(self._process.pid)))

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(one) for one in listed.read_text().split()] if listed.exists() else []


def _cpu_s(pid: int) -> float:
    """Of every thread, to the nanosecond; the ticks of /proc/PID/stat miss most of what lasts microseconds."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in tasks) / 1e9


@contextlib.contextmanager
def running(kind: str, folder: Path, workers: int, origin: str = "") -> Iterator[Running]:
    """Our service, ready."""
    port = free_port()
    words = [sys.executable, "-m", "bench.ocsp_world", kind, str(folder), str(port), str(workers)]
    with process([*words, origin] if origin else words, port, folder) as started:
        yield started


@contextlib.contextmanager
def process(command: Sequence[str], port: int, folder: Path) -> Iterator[Running]:
    """Any responder, ready."""
    started = Running(command, port)
    try:
        started.ready((folder / "request0.der").read_bytes())
        yield started
    finally:
        started.stop()


def main(words: list[str]) -> int:
    kind, folder, port, workers, *rest = words
    if kind == "constant":
        return _constant(Path(folder), int(port), int(workers))
    origin = rest[0] if rest else ""
    return serve(
        lambda: opened(Path(folder), origin), lambda _request: plain(404),
        port=int(port), workers=int(workers), limits=LIMITS,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
