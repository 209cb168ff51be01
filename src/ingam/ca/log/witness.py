"""Witnesses: who co-signs a head only after its log has proven that it forgot and changed nothing (security H3).

`Witness` (`ports.witness`) is what the log asks; `FileWitness` is one to run: on a machine of somebody else, since a
witness that the log's operator can reset sees what he wants it to see. Its answers map to HTTP as C2SP tlog-witness has
it: 200 with the signature lines, 404 OtherLog, 403 HeadUnsigned and NoteSignatureInvalid, 409 SeenAnother, 422
Inconsistent, else 400.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingam.ca.log import durable
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.witness import SeenAnother as SeenAnother
from ingam.ports.witness import Witness as Witness
from ingam.ports.witness import WitnessOutage as WitnessOutage
from ingam.protocols.log import head, keys, note, witnessing
from ingam.protocols.log.head import OtherLog, TreeHead
from ingam.protocols.log.keys import LogKey, WitnessKey
from ingam.protocols.log.note import NoteMalformed, NoteSignature, NoteSignatureInvalid, UnverifiedNote
from ingam.protocols.log.proof import verify_consistency
from ingam.protocols.log.tree import EMPTY


class WitnessForgot(Refusal):
    """The witness remembers fewer leaves than it co-signed, or the log no more (facts: size, known).

    It was wiped or put back to a copy of before; it would co-sign a fork from there on. It is not fed again: somebody
    has to look at it first.
    """

    code = "log-witness-forgot"


class FileWitness:
    """Remembers in a folder the last head of each log that it co-signed; `logs`: the keys of each origin it serves."""

    def __init__(
        self,
        name: str,
        key: Ed25519PrivateKey,
        logs: Mapping[str, Sequence[LogKey]],
        folder: Path,
        clock: Clock,
    ) -> None:
        self._key, self._logs, self._folder, self._clock = key, dict(logs), folder, clock
        self._public = keys.witness_key(name, key)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def key(self) -> WitnessKey:
        return self._public

    def cosign(self, request: str) -> str:
        # 1. It is a request, for a log that we serve, and that log signed the head.
        asked = witnessing.parse(request)
        new = head.verify(asked.head, self._logs.get(asked.head.head.origin, ()))
        with self._memory(new.origin) as path:
            # 2. It begins where we left off.
            size, root = self._remembered(path)
            if asked.old != size:
                raise SeenAnother(size=size)
            # 3. The new tree begins with the one that we saw: nothing forgotten, nothing changed.
            verify_consistency(size, root, new.size, new.root, asked.path)
            # 4. We remember it before anybody has our signature.
            self._remember(path, asked.head.note.text)
        signature = keys.cosign(self._key, int(self._clock.now().timestamp()), new.body.encode("ascii"))
        return NoteSignature(self._public.name, self._public.id, signature).line

    def seen(self, origin: str) -> TreeHead | None:
        """The last head of a log that was co-signed. Raises WitnessOutage."""
        with self._memory(origin) as path:
            return self._read(path)

    def note(self, origin: str) -> str | None:
        """The text of that head, as its log signed it. Raises WitnessOutage."""
        with self._memory(origin) as path:
            try:
                return None if self._read(path) is None else path.read_text(encoding="utf-8")
            except OSError as error:
                raise WitnessOutage from error

    @contextmanager
    def _memory(self, origin: str) -> Iterator[Path]:
        """The file of an origin, for one asker of one process at a time."""
        path = self._folder / f"{sha256(origin.encode()).hexdigest()[:32]}.head"
        try:
            lock = os.open(self._folder, os.O_RDONLY)
        except OSError as error:
            raise WitnessOutage from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield path
        finally:
            os.close(lock)

    def _remembered(self, path: Path) -> tuple[int, bytes]:
        seen = self._read(path)
        return (0, EMPTY) if seen is None else (seen.size, seen.root)

    def _read(self, path: Path) -> TreeHead | None:
        try:
            return head.parse(path.read_text(encoding="utf-8")).head
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, NoteMalformed) as error:
            # A memory that cannot be read is not an empty one: whoever damaged it would be free to fork.
            raise WitnessOutage from error

    def _remember(self, path: Path, text: str) -> None:
        try:
            durable.write(path, text.encode("utf-8"))
        except OSError as error:
            raise WitnessOutage from error


def ask(
    witness: Witness, given: UnverifiedNote, old: int, request: Callable[[int], str], known: int = 0
) -> NoteSignature:
    """The witness's signature for a note, checked. `old`: the size it probably saw last; `request(old)`: what is sent.

    `known`: the size that it surely saw. Raises as `Witness.cosign` does; WitnessForgot where it saw less than that;
    WitnessOutage where the answer holds no signature of its key.
    """
    try:
        answer = _answered(witness, old, request, known)
    except OtherLog:
        if known:
            raise WitnessForgot(size=0, known=known) from None
        raise
    try:
        lines = note.signatures(answer)
        if not note.signers(given._replace(signatures=lines), [witness.key]):
            raise WitnessOutage
    except (NoteMalformed, NoteSignatureInvalid):
        raise WitnessOutage from None
    return next(line for line in lines if line.by(witness.key))


def _answered(witness: Witness, old: int, request: Callable[[int], str], known: int) -> str:
    try:
        return witness.cosign(request(old))
    except SeenAnother as elsewhere:
        size = int(elsewhere.facts["size"])
        if size < known:
            raise WitnessForgot(size=size, known=known) from None
        return witness.cosign(request(size))
