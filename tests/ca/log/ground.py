"""What the log's tests stand on: books in memory, signers with keys of the tests, a log with its folder and witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.clocks import SetClock

from ingam.ca.log import entries
from ingam.ca.log.heads import Log
from ingam.ca.log.published import PublishedLog
from ingam.ca.log.witness import FileWitness, Witness
from ingam.npki.signature import KeyKind
from ingam.ports.books import Head, Leaf, OlderList
from ingam.ports.signing import Intent, PublicHalf
from ingam.protocols.log import following, head, keys
from ingam.protocols.log.following import Read
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.keys import LogKey

NOW = datetime.fromisoformat("2026-11-22T10:00:00Z")
ORIGIN = "demo-ca.test/log"


class MemoryLeaves:
    """`ports.books.Leaves` in memory, with what the books may do to it, and counts of what was read."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.kept: dict[int, dict[int, bytes]] = {}
        self.heads: list[Head] = []
        self.issues: dict[tuple[int, int], int] = {}
        self.read = 0

    def size(self) -> int:
        return len(self.leaves)

    def hashes(self, first: int, last: int) -> list[bytes]:
        found = [leaf.hash for leaf in self.leaves[first:last]]
        self.read += len(found)
        return found

    def nodes(self, level: int, first: int, last: int) -> list[bytes]:
        row = self.kept.get(level, {})
        found = [row[place] for place in range(first, last) if place in row]
        self.read += len(found)
        return found

    def keep_nodes(self, level: int, first: int, nodes: Sequence[bytes]) -> None:
        for place, node in enumerate(nodes, first):
            self.kept.setdefault(level, {}).setdefault(place, node)

    def leaf(self, index: int) -> Leaf | None:
        return self.leaves[index] if 0 <= index < len(self.leaves) else None

    def leaf_of(self, ca: int, serial: int) -> int | None:
        return self.issues.get((ca, serial))

    def head(self) -> Head | None:
        return self.heads[-1] if self.heads else None

    def publish_head(self, head: Head) -> None:
        newest = self.head()
        if newest is not None and (head.size < newest.size or (head.size == newest.size and head.root != newest.root)):
            raise OlderList
        self.heads.append(head)

    def append(self, leaf: Leaf) -> int:
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    def erase_leaf(self, index: int) -> None:
        self.leaves[index] = Leaf(self.leaves[index].hash, b"", b"")

    # What the books do besides

    def issue(self, serial: int, ca: int = 1) -> int:
        """The leaf of an issue, as the transaction that records a certificate enters it."""
        self.issues[ca, serial] = len(self.leaves)
        self.leaves.append(entries.issued(ca, serial, certificate(serial), NOW))
        return len(self.leaves) - 1

    def issue_many(self, count: int) -> None:
        """That many more, with serials of their place."""
        for _ in range(count):
            self.issue(len(self.leaves) + 1)

    def fill(self, count: int) -> None:
        """That many leaves whose hashes alone matter."""
        begin = len(self.leaves)
        self.leaves += [Leaf(sha256(b"%d" % place).digest(), b"", b"") for place in range(begin, begin + count)]

    def erase(self, index: int) -> None:
        """Salt and event go, the hash stays (security H3)."""
        self.leaves[index] = replace(self.leaves[index], salt=b"", event=b"")


def certificate(serial: int) -> bytes:
    """Bytes that stand for a certificate's DER."""
    return b"certificate %d" % serial


class KeySigner:
    """`ports.signing.Signer` with a key of the tests; counts its signatures."""

    waits = False

    def __init__(self, key: ec.EllipticCurvePrivateKey | RSAPrivateKey) -> None:
        self._key = key
        self.signed = 0
        kind = KeyKind.RSA_2048 if isinstance(key, RSAPrivateKey) else KeyKind.P_256
        spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._public = PublicHalf("log-1", kind, spki, kind.algorithm)

    @property
    def public(self) -> PublicHalf:
        return self._public

    def sign(self, intent: Intent) -> bytes:
        self.signed += 1
        message = intent.take()
        assert isinstance(message, bytes)
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(message, padding.PKCS1v15(), SHA256())
        return self._key.sign(message, ec.ECDSA(SHA256()))


@cache
def p256(number: int = 0) -> ec.EllipticCurvePrivateKey:
    """A key of this number, the same all through a run."""
    return ec.generate_private_key(ec.SECP256R1())


class Ground:
    """A log of one authority in a folder, with as many witnesses as are asked for."""

    def __init__(self, folder: Path, witnesses: int = 1) -> None:
        self.folder, self.leaves, self.clock = folder / "published" / "log", MemoryLeaves(), SetClock(NOW)
        self.signer = KeySigner(p256())
        self.key: LogKey = keys.log_key(ORIGIN, self.signer.public.spki)
        self.witnesses = [self.witness(folder / f"witness-{number}", number) for number in range(witnesses)]

    def witness(self, folder: Path, number: int = 0) -> FileWitness:
        key = Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32)
        return FileWitness(f"witness.test/{number}", key, {ORIGIN: [self.key]}, folder, self.clock)

    def log(self, witnesses: Sequence[Witness] | None = None, needed: int | None = None) -> Log:
        asked = self.witnesses if witnesses is None else witnesses
        return Log(self.leaves, self.signer, ORIGIN, PublishedLog(self.folder, [self.key]), asked, needed)

    def publish(self) -> Head:
        return self.log().publish(self.clock.now())

    @property
    def shown(self) -> str:
        return (self.folder / "checkpoint").read_text(encoding="utf-8")

    def believed(self) -> TreeHead:
        """The published head, by an outsider's eyes."""
        return head.verify(head.parse(self.shown), [self.key], [witness.key for witness in self.witnesses])

    def follow(self, kept: TreeHead | None = None) -> TreeHead:
        """An outsider follows the whole published folder."""
        seen = self.believed()
        following.follow(reader(self.folder), seen, kept)
        return seen


def reader(folder: Path) -> Read:
    """Reads what a web server would hand out."""
    return lambda name: (folder / name).read_bytes() if (folder / name).is_file() else None
