"""`ingam import bindings` with many rows, beside the bare INSERTs of the same rows; on SQLite and on PostgreSQL.

`python -m bench.importing [ROWS]` (INGAM_IMPORT_ROWS; 100,000 without either; 1,000,000 are the reference's figures).
Of a hundred rows five bring a certificate, 64 a fingerprint, 30 names and a serial number, and one is refused.
The command runs as a process of its own. In a second run it is killed (SIGKILL) after a third and again after two, and
started again each time. The floor writes what the first run wrote into a fresh database of the same kind, in batches as
large, with nothing else to do: INSERTs on SQLite, COPY on PostgreSQL. A Parquet file goes into SQLite, at most 100,000
rows.
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
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count as count_from
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow
import pyarrow.parquet
from tests import postgres
from tests.npki import certs

from bench.figures import Figure, at_least, at_most, report
from ingam.adapters.customers.fields import new_data_key
from ingam.adapters.hsm.file import FileFieldKeys, open_keys
from ingam.adapters.sqlite.writer import connect
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.import_tables import CACHE_KIB, CHECKPOINT_PAGES
from ingam.adapters.store.migrate import migrate
from ingam.kernel.instants import to_micros
from ingam.settings import Settings
from ingam.wiring import keys_path

ROWS = 100_000
POLICY = "1.2.410.200004.5.1.1.9"
NAME = "홍길동"
COLUMNS = ("customer_id", "kind", "banking_id", "password_hash", "data_key", "key_version", "name", "idn", "idn_index",
           "mobile", "status", "created_at")  # fmt: skip
FLOOR = {
    "binding": ("binding_id", "customer_id", "fingerprint", "name_key", "policy_oid", "not_after", "details", "status",
                "bound_at"),
    "binding_claim": ("claim_key", "customer_id", "at"),
}  # fmt: skip
HEADING = ("banking_id", "certificate", "fingerprint", "policy", "not_after", "issuer", "subject", "serial")
KINDS = ("certificate",) * 5 + ("fingerprint",) * 64 + ("names",) * 30 + ("refused",)
# It tells its own most memory at the end: what the kernel tells of a child counts this process's at the fork as well.
CODE = """
import sys
from ingam.run.cli import main
code = main()
print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
sys.exit(code)
"""
COMMAND = [sys.executable, "-c", CODE, "import", "bindings"]


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that ended. `cpu_s`: of processors, which load changes less; `peak_mib`: most resident memory, 0 where
    it was killed."""

    seconds: float
    cpu_s: float
    peak_mib: float
    code: int


def people(keys: FileFieldKeys, count: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `customer`; only what an import reads is as the center writes it."""
    at = to_micros(datetime.now(UTC))
    for number in range(count):
        customer_id = hashlib.sha256(f"customer {number}".encode()).hexdigest()[:32]  # in no order, as real ones
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
        [*COMMAND, str(file)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    while kill_at and child.poll() is None:
        if asyncio.run(cursor(url))[0] >= kill_at:
            child.send_signal(signal.SIGKILL)
            break
        time.sleep(0.2)
    _, status, used = os.wait4(child.pid, 0)
    seconds, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    assert child.stdout is not None
    with child.stdout as out:
        peak_kib = 0 if code < 0 else int(out.read().split()[-1])
    child.returncode = code
    return Ran(seconds, used.ru_utime + used.ru_stime, peak_kib / 1024, code)


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


def written(source: str) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Table and rows of each batch that an import wrote into the SQLite at `source`, in their order."""
    with closing(sqlite3.connect(source)) as database:
        bindings = database.execute(f"SELECT {', '.join(FLOOR['binding'])} FROM binding ORDER BY rowid")
        claims = database.execute(f"SELECT {', '.join(FLOOR['binding_claim'])} FROM binding_claim ORDER BY rowid")
        while (rows := bindings.fetchmany(690)) + (more := claims.fetchmany(300)):
            yield "binding", rows
            yield "binding_claim", more


def bare(url: str, source: str) -> float:
    """Seconds of the same rows, a transaction a batch, and nothing else."""
    start = time.perf_counter()
    path = sqlite_path(url)
    if path is None:
        asyncio.run(_bare_copies(url, source))
        return time.perf_counter() - start
    with closing(connect(path)) as database:
        database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        database.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        for table, rows in written(source):
            if table == "binding":
                database.execute("BEGIN IMMEDIATE")
            columns = FLOOR[table]
            places = ", ".join("?" for _ in columns)
            database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)
            if table == "binding_claim":
                database.execute("COMMIT")
    return time.perf_counter() - start


async def _bare_copies(url: str, source: str) -> None:
    connection: Any = await asyncpg.connect(url)
    batches = written(source)
    for table, rows in batches:
        async with connection.transaction():
            await connection.copy_records_to_table(table, records=rows, columns=FLOOR[table])
            table, rows = next(batches)
            await connection.copy_records_to_table(table, records=rows, columns=FLOOR[table])
    await connection.close()


def through(name: str, url: str, place: Place, aim: float) -> list[Figure]:
    """One import to its end."""
    place.ready(url)
    ran = run(place.data, url, place.file)
    print(f"{name}: {ran}", file=sys.stderr)
    return [
        Figure(f"{name}: {place.count:,} rows", ran.seconds, "s"),
        at_least(f"{name}: rows a second", place.count / ran.seconds, "/s", aim),
        Figure(f"{name}: processor time of a row", ran.cpu_s / place.count * 1e6, "µs"),
        at_most(f"{name}: most memory", ran.peak_mib, "MiB", 256),
        at_least(f"{name}: every row once", float(right(url, place.count, place.file)), "", 1),
    ]


def beside(name: str, ran: float, url: str, source: str, count: int) -> list[Figure]:
    """The floor, and how far the import that took `ran` seconds is from it."""
    alone = bare(url, source)
    print(f"{name}: the floor {alone:.1f} s", file=sys.stderr)
    return [
        Figure(f"{name}: floor, the bare writing, rows a second", count / alone, "/s"),
        Figure(f"{name}: import / floor, by time", ran / alone, ""),
    ]


def killed(name: str, url: str, place: Place) -> list[Figure]:
    """Killed twice, and on to the end."""
    place.ready(url)
    stood = []
    for part in (1, 2):
        run(place.data, url, place.file, kill_at=place.count * part // 3)
        stood.append(asyncio.run(cursor(url))[0])
    last = run(place.data, url, place.file)
    print(f"{name}: killed at {stood}, {last}, {asyncio.run(cursor(url))}", file=sys.stderr)
    whole = right(url, place.count, place.file) and 0 < stood[0] < stood[1] < place.count
    return [
        Figure(f"{name}: killed at row", stood[0], ""),
        Figure(f"{name}: killed again at row", stood[1], ""),
        Figure(f"{name}: going on to the end", last.seconds, "s"),
        at_least(f"{name}: every row once, after two kills", float(whole), "", 1),
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """A center's folder with a file of so many rows."""

    data: Path
    file: Path
    count: int

    def ready(self, url: str) -> None:
        """Customers in the database; no report of a run before."""
        self.file.with_name(f"{self.file.name}.refused.csv").unlink(missing_ok=True)
        enrol(url, open_keys(keys_path(Settings(data=self.data))).fields, self.count)


def as_parquet(csv_file: Path, path: Path, count: int) -> None:
    """The first rows of the file as Parquet: certificates and fingerprints as bytes, what is not there as null."""
    with csv_file.open(newline="", encoding="utf-8") as file:
        rows = list(islice(csv.DictReader(file), count))
    bytes_of = {"certificate": base64.b64decode, "fingerprint": bytes.fromhex}
    columns = {}
    for name in HEADING:
        to = bytes_of.get(name, str)
        kind = pyarrow.binary() if name in bytes_of else pyarrow.string()
        columns[name] = pyarrow.array([to(one[name]) if one[name] else None for one in rows], kind)
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def figures(folder: Path, count: int) -> Iterator[Figure]:
    """All of them; the file is made once."""
    place = Place(folder, folder / "registrations.csv", count)
    trust(folder)
    write(place.file, count)
    yield Figure("the file", place.file.stat().st_size / 1e6, "MB")
    fresh = (_sqlite(folder / f"{number}.db") for number in count_from(1))
    first = next(fresh)
    found = through("SQLite", first, place, 3_000)
    yield from found
    source = str(sqlite_path(first))
    yield from beside("SQLite", found[0].value, next(fresh), source, count)
    yield from killed("SQLite", next(fresh), place)
    with postgres.server(durable=True) as server:
        found = through("PostgreSQL", server.fresh(), place, 2_500)
        yield from found
        yield from beside("PostgreSQL", found[0].value, server.fresh(), source, count)
        yield from killed("PostgreSQL", server.fresh(), place)
    few = Place(folder, folder / "registrations.parquet", min(count, ROWS))
    as_parquet(place.file, few.file, few.count)
    yield from through("Parquet into SQLite", next(fresh), few, 3_000)


def _sqlite(path: Path) -> str:
    url = f"sqlite:///{path}"
    migrate(url)
    return url


def main() -> int:
    """0 where every aim was met."""
    count = int(sys.argv[1] if sys.argv[1:2] and sys.argv[1].isdigit() else os.environ.get("INGAM_IMPORT_ROWS", ROWS))
    print(f"load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        found = list(figures(Path(folder), count))
    found.append(Figure("load of the machine at the end", os.getloadavg()[0], ""))
    return 0 if report("importing", found) else 1


if __name__ == "__main__":
    sys.exit(main())
