"""Heads and keys as text: one spelling, bounds before parsing, and only configured keys say anything."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.protocols.log import trees
from tests.protocols.log.trees import NOW, ORIGIN, WITNESS, WITNESS_KEY, log_key, signed

from ingam.kernel.errors import Failure
from ingam.protocols.log import head, keys, note, witnessing
from ingam.protocols.log.head import HeadUnsigned, OtherLog, TreeHead, WitnessMissing
from ingam.protocols.log.keys import KeyMalformed, LogKey, WitnessKey
from ingam.protocols.log.note import NoteMalformed, NoteSignature, NoteSignatureInvalid, UnverifiedNote
from ingam.protocols.log.witnessing import RequestMalformed

HASHES = trees.leaves(5)
TEXT = signed(HASHES, witness=WITNESS)
P384 = ec.generate_private_key(ec.SECP384R1())


def test_a_head_is_written_to_the_byte() -> None:
    root = base64.b64encode(trees.mth(HASHES)).decode()
    assert TreeHead(ORIGIN, 5, trees.mth(HASHES), NOW + timedelta(milliseconds=900)).body == (
        f"demo-ca.test/log\n5\n{root}\ntime: 2026-11-22T10:00:00Z\n"
    )


@pytest.mark.parametrize("key", [trees.LOG, P384, trees.rsa(), trees.rsa("rsa3072-00")])
def test_a_head_that_the_log_signed_is_believed(key: ec.EllipticCurvePrivateKey | RSAPrivateKey) -> None:
    believed = head.verify(head.parse(signed(HASHES, key)), [log_key(key)])
    assert believed == TreeHead(ORIGIN, 5, trees.mth(HASHES), NOW)


def test_a_log_may_sign_with_ml_dsa() -> None:
    key = MLDSA65PrivateKey.generate()
    public = keys.log_key(ORIGIN, key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    body = TreeHead(ORIGIN, 5, trees.mth(HASHES), NOW).body
    text = UnverifiedNote(body, (NoteSignature(ORIGIN, public.id, key.sign(body.encode())),)).text
    assert head.verify(head.parse(text), [keys.parse(public.text)]).size == 5  # type: ignore[list-item]


def test_a_text_is_the_one_that_its_parts_make() -> None:
    assert head.parse(TEXT).note.text == TEXT


def test_nobody_else_s_signature_counts() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(HeadUnsigned):
        head.verify(head.parse(signed(HASHES, other)), [log_key()])


def test_another_log_s_head_is_refused_under_our_key() -> None:
    with pytest.raises(OtherLog):
        head.verify(head.parse(signed(HASHES, origin="other.test/log")), [log_key()])


def test_an_older_key_of_the_log_is_as_good_and_a_stranger_s_line_is_passed_over() -> None:
    older, given = log_key(trees.rsa()), head.parse(TEXT)
    stranger = NoteSignature("stranger.test", b"abcd", bytes(64))
    assert head.verify(given, [older, log_key()]).size == 5
    noted = given.note._replace(signatures=(stranger, *given.note.signatures))
    assert head.verify(head.parse(noted.text), [log_key()], [WITNESS_KEY]).size == 5


@given(st.integers(0, 10_000))
def test_no_bit_of_a_head_can_be_changed(bit: int) -> None:
    octets = bytearray(TEXT.encode())
    octets[bit // 8 % len(octets)] ^= 1 << bit % 8
    try:
        head.verify(head.parse(octets.decode()), [log_key()], [WITNESS_KEY])
    except (Failure, UnicodeDecodeError):
        return
    raise AssertionError(bytes(octets))


def test_H3_a_head_without_its_witness_is_not_enough() -> None:
    with pytest.raises(WitnessMissing) as refused:
        head.verify(head.parse(signed(HASHES)), [log_key()], [WITNESS_KEY])
    assert refused.value.facts == {"found": 0, "needed": 1}


def test_H3_a_witness_counts_once_and_some_of_several_may_be_enough() -> None:
    away = keys.witness_key("witness.test/2", Ed25519PrivateKey.generate())
    assert head.verify(head.parse(TEXT), [log_key()], [WITNESS_KEY, WITNESS_KEY, away], needed=1).size == 5
    for needed in (2, None):
        with pytest.raises(WitnessMissing):
            head.verify(head.parse(TEXT), [log_key()], [WITNESS_KEY, WITNESS_KEY, away], needed)


def test_a_witness_is_no_log_and_a_log_no_witness() -> None:
    body = TreeHead(ORIGIN, 5, trees.mth(HASHES), NOW).body
    alone = NoteSignature(WITNESS_KEY.name, WITNESS_KEY.id, keys.cosign(WITNESS, 1, body.encode()))
    with pytest.raises(HeadUnsigned):
        head.verify(head.parse(UnverifiedNote(body, (alone,)).text), [log_key()], [WITNESS_KEY])


def test_a_wrong_signature_of_a_known_key_refuses_the_whole_head() -> None:
    given = head.parse(TEXT)
    (log, seen) = given.note.signatures
    for wrong in (seen._replace(value=seen.value[:-1] + b"\0"), seen._replace(value=seen.value[:-1])):
        with pytest.raises(NoteSignatureInvalid):
            head.verify(head.parse(given.note._replace(signatures=(log, wrong)).text), [log_key()], [WITNESS_KEY])
    with pytest.raises(NoteSignatureInvalid):
        noted = given.note._replace(signatures=(log._replace(value=b"\x30\x00"),))
        head.verify(head.parse(noted.text), [log_key()])


def test_a_co_signature_is_that_of_c2sp() -> None:
    """Time in eight bytes, and Ed25519 over `cosignature/v1`, that time, and the body."""
    given = head.parse(TEXT)
    value = given.note.signatures[1].value
    seconds = int.from_bytes(value[:8], "big")
    message = f"cosignature/v1\ntime {seconds}\n{given.note.body}".encode()
    Ed25519PublicKey.from_public_bytes(WITNESS_KEY.public).verify(value[8:], message)


ROOT = base64.b64encode(trees.mth(HASHES)).decode()
LINE = TEXT.split("\n")[5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        f"{ORIGIN}\n5\n{ROOT}\n\n{LINE}\n",
        f"{ORIGIN}\n05\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n-5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n{1 << 63}\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n0\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT[:-4]}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22 10:00:00\n\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\nmore\n\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT}\n2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"two words\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n- {LINE[2:]}\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n— {ORIGIN} AAAA\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n— {ORIGIN} AAAAAAAAAB==\n",
        f"{ORIGIN}\r\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n{LINE}\n",
        f"{ORIGIN}\n5\n{ROOT}\ntime: 2026-11-22T10:00:00Z\n\n" + "".join(f"— a.{n} AAAAAAAA\n" for n in range(17)),
        TEXT + " " * note.MOST_NOTE,
    ],
)
def test_no_other_text_is_a_head(text: str) -> None:
    with pytest.raises(NoteMalformed):
        head.parse(text)


@given(st.text(max_size=200), st.text(max_size=100))
def test_strange_texts_are_refused_and_nothing_else_happens(one: str, two: str) -> None:
    for text in (
        one,
        f"{one}\n\n— {two}\n",
        f"{ORIGIN}\n{one}\n{ROOT}\ntime: {two}\n\n{LINE}\n",
        f"old {one}\n\n{two}",
    ):
        for parse in (head.parse, note.parse, witnessing.parse, keys.parse):
            try:
                parse(text)
            except Failure as failure:
                assert failure.code in {"log-head-malformed", "log-request-malformed", "log-key-malformed"}


@pytest.mark.parametrize("key", [log_key(), log_key(trees.rsa()), log_key(P384), WITNESS_KEY])
def test_a_key_is_handed_over_as_text(key: LogKey | WitnessKey) -> None:
    assert keys.parse(key.text) == keys.parse(f"{key.text}\n") == key


def test_a_witness_key_is_that_of_c2sp() -> None:
    name, key_id, material = WITNESS_KEY.text.split("+", 2)
    assert (name, base64.b64decode(material)) == ("witness.test/1", b"\x04" + WITNESS_KEY.public)
    assert key_id == WITNESS_KEY.id.hex()


WEAK = ec.generate_private_key(ec.SECP256K1()).public_key()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+",
        log_key().text[:-4],
        log_key().text + "\n\n",
        log_key().text.replace("+", "+0", 1),
        log_key().text.replace(ORIGIN, "other.test/log"),
        WITNESS_KEY.text.replace("witness.test/1", "wit ness"),
        LogKey(ORIGIN, WEAK.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).text,
        WitnessKey("witness.test/1", bytes(31)).text,
        "a" * 10_000,
    ],
    ids=range(11),
)
def test_no_other_text_is_a_key(text: str) -> None:
    with pytest.raises(KeyMalformed):
        keys.parse(text)


def test_a_request_to_a_witness_is_that_of_c2sp() -> None:
    text = witnessing.text(3, HASHES[:2], TEXT)
    assert text.startswith(f"old 3\n{base64.b64encode(HASHES[0]).decode()}\n")
    asked = witnessing.parse(text)
    assert (asked.old, asked.path, asked.head.note.text) == (3, tuple(HASHES[:2]), TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "", "old 3", f"old 3\n{TEXT}", f"old 03\n\n{TEXT}", f"3\n\n{TEXT}", f"old 3\nAAAA\n\n{TEXT}",
        f"old 3\n\n\n{TEXT}", witnessing.text(3, HASHES[:1] * 65, TEXT), "old 3\n\n" + "x" * witnessing.MOST_REQUEST,
    ],
)  # fmt: skip
def test_no_other_text_is_a_request(text: str) -> None:
    with pytest.raises((RequestMalformed, NoteMalformed)):
        witnessing.parse(text)
