"""The witness: it remembers before it signs, and refuses whatever forgot, changed or shrank."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.ca.log.ground import NOW, ORIGIN, Ground, p256
from tests.protocols.log import trees

from ingam.ca.log import durable
from ingam.ca.log.witness import FileWitness, SeenAnother, WitnessOutage
from ingam.kernel.errors import Failure
from ingam.protocols.log import note, proof, witnessing
from ingam.protocols.log.head import HeadUnsigned, OtherLog
from ingam.protocols.log.note import NoteSignatureInvalid
from ingam.protocols.log.proof import Inconsistent

HASHES = trees.leaves(40)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


@pytest.fixture
def witness(ground: Ground) -> FileWitness:
    return ground.witnesses[0]


def request(
    old: int, size: int, hashes: list[bytes] = HASHES, key: ec.EllipticCurvePrivateKey | None = None
) -> str:  # fmt: skip
    """What an honest log with these leaves asks."""
    return witnessing.text(
        old, proof.consistency(trees.stored(hashes), old, size), trees.signed(hashes[:size], key or p256())
    )


def test_H3_a_witness_co_signs_what_grows(ground: Ground, witness: FileWitness) -> None:
    for old, size in ((0, 3), (3, 3), (3, 17), (17, 40)):
        text = request(old, size)
        lines = witness.cosign(text)
        cosigned = witnessing.parse(text).head.note._replace(signatures=note.signatures(lines))
        assert note.signers(cosigned, [witness.key]) == {witness.key}
        seen = witness.seen(ORIGIN)
        assert seen is not None
        assert seen.size == size
    value = note.signatures(lines)[0].value
    assert int.from_bytes(value[:8], "big") == int(NOW.timestamp())


def forked() -> list[bytes]:
    return [*HASHES[:4], trees.leaf(999), *HASHES[5:]]


@pytest.mark.parametrize(
    ("asked", "failure"),
    [
        (lambda: request(17, 30, forked()), Inconsistent),
        (lambda: request(17, 17, forked()), Inconsistent),
        (lambda: request(12, 30), SeenAnother),
        (lambda: request(0, 30), SeenAnother),
        (lambda: request(0, 12), SeenAnother),
        (lambda: request(20, 30), SeenAnother),
        (lambda: witnessing.text(17, [], trees.signed(HASHES[:12], p256())), Inconsistent),
        (lambda: witnessing.text(17, [], trees.signed(HASHES[:30], p256())), Inconsistent),
        (lambda: request(17, 30, key=p256(7)), HeadUnsigned),
        (lambda: witnessing.text(0, [], trees.signed(HASHES, p256(), origin="other.test/log")), OtherLog),
        (lambda: request(17, 30).replace("10:00:00Z", "10:00:01Z"), NoteSignatureInvalid),
    ],
)
def test_H3_a_witness_refuses_forks_shrinking_and_strangers(
    witness: FileWitness, asked: Callable[[], str], failure: type[Failure]
) -> None:
    witness.cosign(request(0, 17))
    with pytest.raises(failure):
        witness.cosign(asked())
    seen = witness.seen(ORIGIN)
    assert seen is not None
    assert (seen.size, seen.root) == (17, trees.mth(HASHES[:17]))
    witness.cosign(request(17, 30))


def test_a_witness_says_where_it_stands(witness: FileWitness) -> None:
    witness.cosign(request(0, 17))
    with pytest.raises(SeenAnother) as found:
        witness.cosign(request(0, 30))
    assert found.value.facts == {"size": 17}


def test_a_witness_remembers_across_restarts(ground: Ground, witness: FileWitness, tmp_path: Path) -> None:
    witness.cosign(request(0, 17))
    again = ground.witness(tmp_path / "witness-0")
    with pytest.raises(Inconsistent):
        again.cosign(request(17, 30, forked()))


def test_nobody_has_the_signature_of_what_was_not_remembered(
    witness: FileWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, octets: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(WitnessOutage):
        broken.setattr(durable, "write", full)
        witness.cosign(request(0, 17))
    assert witness.seen(ORIGIN) is None


@pytest.mark.parametrize("damage", [b"", b"\xff", b"nothing of a head\n"])
def test_a_damaged_memory_is_no_empty_one(witness: FileWitness, tmp_path: Path, damage: bytes) -> None:
    witness.cosign(request(0, 17))
    (file,) = (tmp_path / "witness-0").iterdir()
    file.write_bytes(damage)
    for asked in (request(0, 30), request(17, 30)):
        with pytest.raises(WitnessOutage):
            witness.cosign(asked)


def test_a_witness_keeps_logs_apart(ground: Ground, tmp_path: Path) -> None:
    other = trees.log_key(p256(), "other.test/log")
    witness = FileWitness(
        "witness.test/0", trees.WITNESS, {ORIGIN: [ground.key], "other.test/log": [other]}, tmp_path / "w", ground.clock
    )
    witness.cosign(request(0, 17))
    witness.cosign(witnessing.text(0, [], trees.signed(HASHES[:3], p256(), origin="other.test/log")))
    assert [head.size for name in (ORIGIN, "other.test/log") if (head := witness.seen(name))] == [17, 3]


def test_a_witness_whose_folder_is_gone_is_away(witness: FileWitness, tmp_path: Path) -> None:
    (tmp_path / "witness-0").rmdir()
    with pytest.raises(WitnessOutage):
        witness.cosign(request(0, 17))
