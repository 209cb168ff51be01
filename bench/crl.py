"""A revocation list of a million entries: from the books to the served file, beside `openssl ca` and `cryptography`.

`python -m bench.crl` compares; `python -m bench.crl soak` makes one of ten million. RSA-3072 with SHA-256, one process
each on whatever cores there are, whole processes by the wall: ours starts Python, reads the SQLite books, signs, checks
the signature, brings the file to the disk, records it and serves it; openssl reads its text database and writes PEM.
`cryptography` builds from the same entries and is quadratic in them: it is run at a size that it can bear, and beside
ours of that size; what a million would take is told as an extrapolation of a fit, not as a run.
"""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from bench.figures import Figure, at_least, at_most, measure, ratio, report, timing
from ingam.adapters.books import sqlite
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.directory.folder import FolderDirectory
from ingam.adapters.hsm.signing_file import FileSigner
from ingam.ca.profiles import preset
from ingam.ca.profiles.shaping import service_shape
from ingam.ca.publishing.lists import EVERYTHING, Kind, ListId, ListIssuer, Plan
from ingam.ca.publishing.publisher import Publisher
from ingam.kernel.instants import to_micros
from ingam.npki import certificate, shapes
from ingam.npki.shapes import AuthorityKey, Validity
from ingam.ports.signing import Intent
from ingam.protocols.crl import writing
from ingam.protocols.crl.writing import Reason

KEYS = Path(__file__).parent.parent / "vectors" / "keys"
MILLION, TEN_MILLION = 1_000_000, 10_000_000
BEARABLE = 50_000
ROUNDS = 5
REVOKED = datetime(2026, 11, 1, tzinfo=UTC)
FULL = ListId(1, EVERYTHING, Kind.FULL)
MOST_MIB = 64
CONFIG = """
[ca]
default_ca = bench
[bench]
database = {folder}/index.txt
certificate = {folder}/issuing.pem
private_key = {folder}/issuing.key
crlnumber = {folder}/crlnumber
default_md = sha256
default_crl_days = 1
crl_extensions = list
unique_subject = no
[list]
authorityKeyIdentifier = keyid:always,issuer:always
"""


def key(name: str) -> FileSigner:
    """An RSA-3072 key, validated as it is loaded."""
    return FileSigner("issuing-1", load_der_private_key((KEYS / f"{name}.p8").read_bytes(), None))  # type: ignore[arg-type]


def serials(count: int) -> Iterator[int]:
    """Of 127 bits, the same in every run."""
    numbers = random.Random(3)
    return (numbers.getrandbits(126) | 1 << 126 for _ in range(count))


def prepare(folder: Path, count: int) -> None:
    """The CA, and its books with so many revoked certificates."""
    authority, root, own = preset("ingam"), key("rsa3072-01"), key("rsa3072-00")
    now = datetime.now(UTC).replace(microsecond=0)
    tbs = shapes.tbs_certificate(
        service_shape(authority, "issuing", 1), serial=4139, issuer=authority.root_name(1), spki=own.public.spki,
        validity=Validity(now - timedelta(days=1), now + timedelta(days=3650)), subject=authority.issuing_name(1),
        authority_key=AuthorityKey(shapes.key_identifier(root.public.spki), authority.root_name(1), 1),
    )  # fmt: skip
    made = shapes.assemble(tbs, root.sign(Intent.of(tbs)))
    (folder / "issuing.der").write_bytes(made)
    (folder / "issuing.pem").write_bytes(x509.load_der_x509_certificate(made).public_bytes(Encoding.PEM))
    private = load_der_private_key((KEYS / "rsa3072-00.p8").read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    (folder / "issuing.key").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_books(folder / "books.db", count)


def prepare_openssl(folder: Path, count: int) -> None:
    """openssl's text database over the same revoked certificates."""
    (folder / "openssl.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "crlnumber").write_text("01\n")
    with (folder / "index.txt").open("w") as index:
        ends, at = "371231145959Z", REVOKED.strftime("%y%m%d%H%M%SZ")
        index.writelines(f"R\t{ends}\t{at},superseded\t{one:032X}\tunknown\t/CN={one:x}\n" for one in serials(count))


def write_books(path: Path, count: int) -> None:
    """The entries as `ca/revoking` left them; the rest of the books is of no account here."""
    sqlite.make(path)
    ends = to_micros(datetime(2037, 12, 31, tzinfo=UTC))
    entries = (writing.entry(one, REVOKED, Reason.SUPERSEDED) for one in serials(count))
    rows = ((each, each, 1, 1 + each // 10_000, ends, entry) for each, entry in enumerate(entries, 1))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.executemany("INSERT INTO revoked_entry VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def publish(folder: Path) -> None:
    """Ours, in a process of its own: prints its peak memory, and the seconds of the list alone."""
    own = certificate.parse((folder / "issuing.der").read_bytes())
    issuer = ListIssuer(1, own, key("rsa3072-00"), Plan(partitions=False, deltas=()))
    books, place = sqlite.SqliteBooks(folder / "books.db"), FolderDirectory(folder / "published")
    publisher = Publisher(preset("ingam"), [issuer], books, [place], folder / "publishing", SystemClock())
    before, began = peak_mib(), time.perf_counter()
    step = publisher.publish_now(lambda one: one == FULL)
    seconds = time.perf_counter() - began
    assert [one.code for one in step.outcomes] == [None, None], step
    print(json.dumps({"mib": peak_mib(), "before": before, "seconds": seconds}))


def build(folder: Path, count: int) -> None:
    """`cryptography`, in a process of its own: the same list of the same entries."""
    own = x509.load_pem_x509_certificate((folder / "issuing.pem").read_bytes())
    private: Any = load_der_private_key((KEYS / "rsa3072-00.p8").read_bytes(), None)
    began, now = time.perf_counter(), datetime.now(UTC).replace(microsecond=0)
    builder = x509.CertificateRevocationListBuilder().issuer_name(own.subject).last_update(now)
    builder = builder.next_update(now + timedelta(days=1)).add_extension(x509.CRLNumber(1), critical=False)
    for serial in serials(count):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(REVOKED)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.superseded), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    (folder / "theirs.crl").write_bytes(builder.sign(private, SHA256()).public_bytes(Encoding.DER))
    print(json.dumps({"mib": peak_mib(), "seconds": time.perf_counter() - began}))


def peak_mib() -> float:
    """Of this process: what exec inherited from its parent is not counted, as ru_maxrss would."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


class Runs:
    """A candidate's processes: CPU seconds and what each told."""

    def __init__(self, *command: str | Path) -> None:
        self._command = [str(one) for one in command]
        self.cpu: list[float] = []
        self.told: list[dict[str, float]] = []

    def __call__(self) -> None:
        process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{self._command[0]} ended with {process.returncode}")
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        if output.startswith(b"{"):
            self.told.append(json.loads(output))


def here(word: str, folder: Path, *more: str) -> Runs:
    return Runs(sys.executable, "-m", "bench.crl", word, folder, *more)


def openssl(folder: Path) -> Runs:
    return Runs("openssl", "ca", "-gencrl", "-config", folder / "openssl.cnf", "-out", folder / "openssl.crl")


def checked(folder: Path) -> None:
    """Our list is one, and its signature holds, by openssl's reading."""
    ours = folder / "published" / "issuing-1.crl"
    told = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-in", ours, "-noout", "-CAfile", folder / "issuing.pem"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "verify OK" in told.stderr, told.stderr


def beside_openssl(folder: Path) -> list[Figure]:
    """A million."""
    prepare(folder, MILLION)
    prepare_openssl(folder, MILLION)
    ours, theirs = here("publish", folder), openssl(folder)
    seconds = measure({"ours": ours, "openssl ca": theirs}, ROUNDS, warm=1)
    checked(folder)
    name = "1 M entries, RSA-3072,"
    return [
        *(figure for each in seconds for figure in timing(f"{name} {each}: wall", seconds[each])),
        Figure(f"{name} ours: CPU", middle(ours.cpu) * 1e3, "ms"),
        Figure(f"{name} openssl ca: CPU", middle(theirs.cpu) * 1e3, "ms"),
        Figure(f"{name} ours: the list alone, wall", middle([one["seconds"] for one in ours.told]) * 1e3, "ms"),
        at_least(f"{name} openssl ca / ours, wall", ratio(seconds["openssl ca"], seconds["ours"]), "x", 2.5),
        at_most(f"{name} ours: peak memory", max(one["mib"] for one in ours.told), "MiB", MOST_MIB),
        Figure(f"{name} ours: memory before the list", max(one["before"] for one in ours.told), "MiB"),
        Figure(f"{name} size", (folder / "published" / "issuing-1.crl").stat().st_size / 1e6, "MB"),
    ]


def beside_cryptography(folder: Path) -> list[Figure]:
    """At 50,000 both are run; the fit is over 25,000 and 50,000."""
    told: dict[int, list[float]] = {}
    figures: list[Figure] = []
    for count in (BEARABLE // 2, BEARABLE):
        place = folder / str(count)
        place.mkdir()
        prepare(place, count)
        ours, theirs = here("publish", place), here("build", place, str(count))
        seconds = measure({"ours": ours, "cryptography": theirs}, 3, warm=1)
        told[count] = [one["seconds"] for one in theirs.told[1:]]
        if count == BEARABLE:
            name = f"{count // 1000} k entries, RSA-3072,"
            alone = [one["seconds"] for one in ours.told[1:]]
            figures += [figure for each in seconds for figure in timing(f"{name} {each}: wall", seconds[each])[:1]]
            figures.append(Figure(f"{name} cryptography: peak memory", max(o["mib"] for o in theirs.told), "MiB"))
            figures.append(at_least(f"{name} cryptography / ours, the list alone", ratio(told[count], alone), "x", 5))
    million = extrapolated(middle(told[BEARABLE // 2]), middle(told[BEARABLE]))
    return [*figures, Figure("1 M entries, cryptography: extrapolated, not run", million, "s")]


def extrapolated(half: float, whole: float) -> float:
    """Seconds of a million, where t(n) = a·n + b·n² goes through both measured sizes."""
    square = max(0.0, (whole - 2 * half) / (BEARABLE**2 / 2))
    linear = (whole - square * BEARABLE**2) / BEARABLE
    return linear * MILLION + square * MILLION**2


def soak(folder: Path) -> list[Figure]:
    """Ten million, once, ours alone."""
    prepare(folder, TEN_MILLION)
    ours = here("publish", folder)
    seconds = measure({"ours": ours}, 2, warm=0)["ours"]
    checked(folder)
    return [
        Figure("10 M entries, RSA-3072, ours: wall", middle(seconds), "s"),
        Figure("10 M entries, RSA-3072, ours: CPU", middle(ours.cpu), "s"),
        at_most("10 M entries, RSA-3072, ours: peak memory", max(one["mib"] for one in ours.told), "MiB", MOST_MIB),
        Figure("10 M entries, RSA-3072, size", (folder / "published" / "issuing-1.crl").stat().st_size / 1e6, "MB"),
    ]


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def inside(act: Callable[[Path], list[Figure]]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="ingam-bench-") as name:
        return act(Path(name))


def main(words: tuple[str, ...] = ()) -> int:
    """0 where every aim was met."""
    if words[:1] == ("soak",):
        return 0 if report("crl-soak", inside(soak)) else 1
    cores = Figure("cores", len(os.sched_getaffinity(0)), "")
    figures = [cores, *inside(beside_openssl), *inside(beside_cryptography)]
    return 0 if report("crl", figures) else 1


if __name__ == "__main__":
    chosen = sys.argv[1:]
    if chosen[:1] == ["publish"]:
        publish(Path(chosen[1]))
    elif chosen[:1] == ["build"]:
        build(Path(chosen[1]), int(chosen[2]))
    else:
        sys.exit(main(tuple(chosen)))
