"""`ingam import bindings` with many rows: time, memory, and going on after a kill; on SQLite and on PostgreSQL.

`python -m bench.importing [ROWS]` (INGAM_IMPORT_ROWS; 100,000 without either, 1,000,000 are the reference's figures).
Of a hundred rows five bring a certificate, 64 a fingerprint, 30 names and a serial number, and one is refused.
The command runs as a process of its own; in the second run it is killed (SIGKILL) half-way and started again.
"""

from __future__ import annotations

import asyncio
import base64
import csv
import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from tests import postgres
from tests.npki import certs

from bench.figures import Figure, at_least, at_most, report
from ingam.adapters.customers.fields import new_data_key
from ingam.adapters.hsm.file import FileFieldKeys, open_keys
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.migrate import migrate
from ingam.kernel.instants import to_micros
from ingam.settings import Settings
from ingam.wiring import keys_path

ROWS = 100_000
POLICY = "1.2.410.200004.5.1.1.9"
NAME = "홍길동"
COLUMNS = ("customer_id", "kind", "banking_id", "password_hash", "data_key", "key_version", "name", "idn", "idn_index",
           "mobile", "status", "created_at")  # fmt: skip
HEADING = ("banking_id", "certificate", "fingerprint", "policy", "not_after", "issuer", "subject", "serial")
KINDS = ("certificate",) * 5 + ("fingerprint",) * 64 + ("names",) * 30 + ("refused",)
COMMAND = [sys.executable, "-c", "import sys; from ingam.run.cli import main; sys.exit(main())", "import", "bindings"]


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended. `peak_mib`: most resident memory."""

    seconds: float
    peak_mib: float
    code: int


def people(keys: FileFieldKeys, count: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `customer`; only what an import reads is as the center writes it."""
    at = to_micros(datetime.now(UTC))
    for number in range(count):
        customer_id = f"{number:032x}"
        cipher, wrapped = new_data_key(keys, customer_id)
        name = cipher.seal("customer", "name", customer_id, NAME.encode())
        yield customer_id, "personal", f"p{number}", "-", wrapped, keys.version, name, b"-", b"-", b"-", "ACTIVE", at


def enrol(url: str, keys: FileFieldKeys, count: int) -> None:
    """All of them at once, past the center."""
    path = sqlite_path(url)
    if path is None:
        asyncio.run(_copied(url, people(keys, count)))
        return
    database = sqlite3.connect(path)
    places = ", ".join("?" for _ in COLUMNS)
    with database:
        database.executemany(f"INSERT INTO customer ({', '.join(COLUMNS)}) VALUES ({places})", people(keys, count))
    database.close()


async def _copied(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    connection: Any = await asyncpg.connect(url)
    await connection.copy_records_to_table("customer", records=rows, columns=COLUMNS)
    await connection.execute("ANALYZE customer")
    await connection.close()


def issued(number: int) -> bytes:
    """A certificate of 홍길동, DER."""
    subject = certs.name(("C", "KR"), ("O", "SignKorea"), ("OU", "증권"), ("CN", f"{NAME}-{number}"))
    now = datetime.now(UTC)
    return certs.person_der(
        serial=number + 1, subject=subject, not_before=now - timedelta(days=9), not_after=now + timedelta(days=300)
    )


def row(number: int) -> tuple[str, ...]:
    """A row of the file."""
    until = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%d}"
    who, digest = f"p{number}", hashlib.sha256(f"{number}".encode()).hexdigest()
    match KINDS[number % 100]:
        case "certificate":
            return who, base64.b64encode(issued(number)).decode(), "", "", "", "", "", ""
        case "fingerprint":
            return who, "", digest, POLICY, until, "", "", ""
        case "names":
            subject = f"cn={NAME}()00880412012{number},ou=BENCH,ou=personal4IB,o=yessign,c=kr"
            return who, "", "", "", "", "cn=yessignCA Class 2,ou=AccreditedCA,o=yessign,c=kr", subject, f"{number:x}"
        case _:
            return f"nobody{number}", "", digest, POLICY, until, "", "", ""


def write(path: Path, count: int) -> None:
    """The file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        told = csv.writer(file)
        told.writerow(HEADING)
        told.writerows(row(number) for number in range(count))


def trust(data: Path) -> None:
    """The trust file of the authority that the certificates come from."""
    folder = data / "trust"
    folder.mkdir(parents=True)
    (folder / "root.der").write_bytes(certs.root().certificate.der)
    (folder / "ca.der").write_bytes(certs.ca().certificate.der)
    (folder / "authorities.toml").write_text('[[issuing]]\nname = "CA"\ncertificate = "ca.der"\nroot = "root.der"\n')


def run(data: Path, url: str, file: Path, kill_at: int = 0) -> Ran:
    """The command to its end, or to the row at which it is killed."""
    environment = {**os.environ, "INGAM_STORE": url, "INGAM_DATA": str(data), "LANG": "en_US.UTF-8"}
    start = time.perf_counter()
    child = subprocess.Popen(
        [*COMMAND, str(file)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while kill_at and child.poll() is None:
        if asyncio.run(cursor(url))[0] >= kill_at:
            child.send_signal(signal.SIGKILL)
            break
        time.sleep(0.2)
    _, status, used = os.wait4(child.pid, 0)
    return Ran(time.perf_counter() - start, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


async def cursor(url: str) -> tuple[int, ...]:
    """at_row, bound, claimed, there, refused; and rows of binding and of binding_claim."""
    asked = (
        "SELECT at_row, bound, claimed, there, refused, (SELECT count(*) FROM binding), "
        "(SELECT count(*) FROM binding_claim) FROM import_run"
    )
    path = sqlite_path(url)
    if path is not None:
        database = sqlite3.connect(path)
        found = database.execute(asked).fetchone()
        database.close()
    else:
        connection = await asyncpg.connect(url)
        found = await connection.fetchrow(asked)
        await connection.close()
    return tuple(found) if found else (0,) * 7


def right(url: str, count: int, file: Path) -> bool:
    """Whether each row was taken once, and each refused one is told once."""
    told = asyncio.run(cursor(url))
    kinds = [KINDS[number % 100] for number in range(count)]
    bound, claimed = sum(one in ("certificate", "fingerprint") for one in kinds), kinds.count("names")
    lines = file.with_name(f"{file.name}.refused.csv").read_text(encoding="utf-8").splitlines()
    return told == (count, bound, claimed, 0, kinds.count("refused"), bound, claimed) and (
        len({line.partition(",")[0] for line in lines}) == len(lines) == kinds.count("refused") + 1
    )


def of_database(name: str, url: str, data: Path, count: int, *, killed: bool) -> list[Figure]:
    """One import, through or with a kill in the middle."""
    trust(data)
    keys = open_keys(keys_path(Settings(data=data)))
    enrol(url, keys.fields, count)
    file = data / "registrations.csv"
    write(file, count)
    size = Figure(f"{name}: the file", file.stat().st_size / 1e6, "MB")
    print(f"{name}: {count:,} customers and rows are there", file=sys.stderr)
    if not killed:
        ran = run(data, url, file)
        print(f"{name}: {ran}", file=sys.stderr)
        return [
            size,
            Figure(f"{name}: {count:,} rows", ran.seconds, "s"),
            at_least(f"{name}: rows a second", count / ran.seconds, "/s", 2_000),
            at_most(f"{name}: most memory", ran.peak_mib, "MiB", 256),
            at_least(f"{name}: every row once", float(right(url, count, file)), "", 1),
        ]
    first = run(data, url, file, kill_at=count // 2)
    stood = asyncio.run(cursor(url))[0]
    second = run(data, url, file)
    print(f"{name}: {first}, at {stood}, {second}, {asyncio.run(cursor(url))}", file=sys.stderr)
    return [
        Figure(f"{name}: killed at row", stood, ""),
        Figure(f"{name}: before the kill", first.seconds, "s"),
        Figure(f"{name}: going on to the end", second.seconds, "s"),
        at_least(f"{name}: every row once, after the kill", float(right(url, count, file) and stood < count), "", 1),
    ]


def main() -> int:
    """0 where every aim was met."""
    count = int(sys.argv[1] if sys.argv[1:2] and sys.argv[1].isdigit() else os.environ.get("INGAM_IMPORT_ROWS", ROWS))
    figures: list[Figure] = []
    for killed in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'center.db'}"
            migrate(url)
            figures += of_database("SQLite", url, Path(folder), count, killed=killed)
    with postgres.server(durable=True) as server:
        for killed in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                figures += of_database("PostgreSQL", server.fresh(), Path(folder), count, killed=killed)
    return 0 if report("importing", figures) else 1


if __name__ == "__main__":
    sys.exit(main())
