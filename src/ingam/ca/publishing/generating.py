"""A revocation list of any size, made in a file: memory does not grow with it.

    spool    entries pass once, in chunks, from the books to a file that holds the to-be-signed bytes exactly
    sign     the file is hashed, the signer gets the intent (and hashes it again), the signature is checked
    finish   frame and bytes go to the list's own file, which is durable before anybody hears of it

A list above 16 MiB has lengths of four octets, so the place of its entries is known before their number is; a smaller
one is moved down by an octet or a few when it is complete.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ingam.ca.publishing.proof import proof_of
from ingam.kernel.steps import reach
from ingam.ports.signing import Intent, Signer
from ingam.protocols.crl import writing
from ingam.protocols.crl.writing import Outline

BLOCK: Final = 1 << 20
LARGE: Final = 1 << 24
"""Bytes of content from which a length takes four octets."""

_READABLE: Final = 0o644


class Written(NamedTuple):
    """`size`: bytes of the list. `digest`: its SHA-256. `entries`: how many."""

    size: int
    digest: bytes
    entries: int


def write(path: Path, outline: Outline, chunks: Iterable[list[bytes]], signer: Signer) -> Written:
    """The signed list, whole and durable at `path`, which is a draft's name: nobody reads it before it is renamed.

    `chunks`: DER entries, as `ports.books.RevokedEntries` gives them. Raises SigningOutage, IntentUsed,
    SignatureInvalid (the key's place gave a signature that is not the key's), OSError, and Defects of the outline.
    """
    spool = path.with_name(f"{path.name}.tbs")
    try:
        tbs_size, entries = _spool(spool, outline, chunks)
        reach("publishing.2")
        signature = _signed(spool, signer)
        reach("publishing.3")
        digest, size = _finish(spool, path, tbs_size, outline.algorithm, signature)
        return Written(size, digest, entries)
    finally:
        spool.unlink(missing_ok=True)


def _spool(path: Path, outline: Outline, chunks: Iterable[list[bytes]]) -> tuple[int, int]:
    """The to-be-signed bytes from the first octet of the file on; their size, and how many entries are in them."""
    room = len(writing.ends(outline, LARGE)[0])
    size = entries = 0
    with path.open("w+b", buffering=BLOCK) as file:
        file.seek(room)
        for chunk in chunks:
            block = b"".join(chunk)
            file.write(block)
            size += len(block)
            entries += len(chunk)
        file.flush()
        head, tail = writing.ends(outline, size)
        if len(head) != room:
            _move_down(file.fileno(), room, len(head), size)
        file.seek(0)
        file.write(head)
        file.seek(len(head) + size)
        file.write(tail)
        file.truncate()
    return len(head) + size + len(tail), entries


def _move_down(file: int, source: int, target: int, size: int) -> None:
    """Block by block from the front: what is written has been read already."""
    for at in range(0, size, BLOCK):
        os.pwrite(file, os.pread(file, min(BLOCK, size - at), source + at), target + at)


def _signed(spool: Path, signer: Signer) -> bytes:
    """Prepare, sign, compare: a signature that does not hold is never published."""
    proof, digest = proof_of(signer.public), hashlib.sha256()
    for block in _blocks(spool):
        digest.update(block)
        proof.update(block)
    signature = signer.sign(Intent(None, digest.digest(), spool))
    proof.check(signature)
    return signature


def _finish(spool: Path, path: Path, tbs_size: int, algorithm: bytes, signature: bytes) -> tuple[bytes, int]:
    """Digest and size of the list; its bytes are on the disk."""
    before, behind = writing.frame(tbs_size, algorithm, signature)
    digest = hashlib.sha256(before)
    with path.open("xb", buffering=BLOCK) as file:
        os.fchmod(file.fileno(), _READABLE)
        file.write(before)
        for block in _blocks(spool):
            digest.update(block)
            file.write(block)
        digest.update(behind)
        file.write(behind)
        file.flush()
        os.fsync(file.fileno())
    return digest.digest(), len(before) + tbs_size + len(behind)


def _blocks(path: Path) -> Iterator[memoryview]:
    """The file's bytes in order, through one buffer: each block is gone with the next."""
    view = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(view):
            yield view[:count]
