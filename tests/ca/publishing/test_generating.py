"""Lists made in a file: the same bytes as in memory, of any size and key, and nothing left of what failed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.crl.issuers import DAY, NOW, PARTITION, Issuer, issuer, outline

from ingam.adapters.hsm.signing_file import FileSigner
from ingam.ca.publishing import generating
from ingam.ca.publishing.generating import write
from ingam.kernel.errors import Failure
from ingam.npki.signature import KeyKind, SignatureInvalid
from ingam.ports.signing import Intent, PublicHalf, SigningOutage
from ingam.protocols import crl
from ingam.protocols.crl import glance, writing

KINDS = [KeyKind.RSA_2048, KeyKind.P_256, KeyKind.P_384, KeyKind.ML_DSA_65]


def entries(count: int) -> list[bytes]:
    return [writing.entry((1 << 120) + each, NOW - DAY, each % 6) for each in range(count)]


def chunked(all_of: list[bytes], size: int = 100) -> Iterator[list[bytes]]:
    return (all_of[at : at + size] for at in range(0, len(all_of), size))


@pytest.mark.parametrize("count", [0, 1, 3, 1000, 2000])
def test_a_list_in_a_file_is_the_list_in_memory(tmp_path: Path, count: int) -> None:
    by, path = issuer(), tmp_path / "list"
    told = write(path, outline(by), chunked(entries(count)), by.signer)
    tbs = writing.tbs(outline(by), entries(count))
    expected = writing.assemble(tbs, by.signer.public.algorithm, by.signer.sign(Intent.of(tbs)))
    assert path.read_bytes() == expected
    assert told == (len(expected), hashlib.sha256(expected).digest(), count)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_of_every_kind_of_key_holds(tmp_path: Path, kind: KeyKind) -> None:
    by, path = issuer(kind), tmp_path / "list"
    write(path, outline(by), chunked(entries(500)), by.signer)
    found = crl.verify(
        crl.parse(path.read_bytes()), issuer=by.certificate, partition=PARTITION, lowest_number=0, at=NOW, max_age=DAY
    )
    assert len(found.entries) == 500


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=6), st.integers(64, 3000))
def test_chunks_of_any_size_are_put_together_at_their_place(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], block: int
) -> None:
    """Blocks smaller than the list: they pass each other while it is moved down."""
    by, path = issuer(), tmp_path_factory.mktemp("lists") / "list"
    chunks = [entries(size) for size in sizes]
    before = generating.BLOCK
    generating.BLOCK = block  # type: ignore[misc]
    try:
        write(path, outline(by), iter(chunks), by.signer)
    finally:
        generating.BLOCK = before  # type: ignore[misc]
    data = path.read_bytes()
    found = glance.of(data)
    assert data[slice(*found.entries)] == b"".join(b"".join(chunk) for chunk in chunks)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_around_sixteen_mebibytes_the_entries_stay_where_they_are(tmp_path: Path, more: int) -> None:
    by, path = issuer(KeyKind.P_256), tmp_path / "list"
    one = writing.entry((1 << 120) + 1, NOW)
    count = generating.LARGE // len(one) + more
    told = write(path, outline(by), ([one] * size for size in [4096] * (count // 4096) + [count % 4096]), by.signer)
    found = glance.at_distance(lambda at, size: path.read_bytes()[at : at + size], told.size)
    assert found.entries[1] - found.entries[0] == count * len(one)
    command = ["openssl", "crl", "-inform", "DER", "-in", str(path), "-noout", "-crlnumber"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"crlNumber=0x07\n"


class Faulty:
    """A signer whose signatures are another key's, or that is away."""

    waits = True

    def __init__(self, by: Issuer, failure: Failure | None = None) -> None:
        self._by, self._failure = by, failure
        self._other = FileSigner("other-1", certs.key("rsa2048-05"))

    @property
    def public(self) -> PublicHalf:
        return self._by.signer.public

    def sign(self, intent: Intent) -> bytes:
        if self._failure is not None:
            raise self._failure
        return self._other.sign(intent)


def test_a_signature_that_does_not_hold_makes_no_list(tmp_path: Path) -> None:
    by = issuer()
    with pytest.raises(SignatureInvalid):
        write(tmp_path / "list", outline(by), chunked(entries(5)), Faulty(by))
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_is_away_leaves_nothing_behind(tmp_path: Path) -> None:
    by = issuer()
    with pytest.raises(SigningOutage):
        write(tmp_path / "list", outline(by), chunked(entries(5)), Faulty(by, SigningOutage()))
    assert list(tmp_path.iterdir()) == []


MILLION = """
import re, sys
from pathlib import Path
from tests.protocols.crl.issuers import NOW, issuer, outline
from ingam.ca.publishing.generating import write
from ingam.npki.signature import KeyKind
from ingam.protocols.crl import writing
chunk = [writing.entry((1 << 126) + each, NOW, 1) for each in range(5000)]
by = issuer(KeyKind.RSA_3072)
told = write(Path(sys.argv[1]), outline(by), (chunk for _ in range(200)), by.signer)
print(told.entries, re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def test_a_million_entries_take_no_more_than_64_mebibytes(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", MILLION, str(tmp_path / "list")],
        check=True, capture_output=True, text=True, timeout=120, env=environment,
    ).stdout.split()  # fmt: skip
    assert int(told[0]) == 1_000_000
    assert int(told[1]) <= 64 * 1024
