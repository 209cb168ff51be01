"""EncryptedVID (npki.md §3, security D6): R arrives, and nothing that is wrong with it can be told from the rest."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.cmp import strategies

from ingam.kernel.secret import Secret
from ingam.npki import der, vid
from ingam.protocols.cmp import encrypted_vid
from ingam.protocols.cmp.encrypted_vid import DUMMY_IDN, Opened
from ingam.protocols.cmp.status import CmpRefused, FailInfo

KEY = certs.key("rsa2048-06")
IDN = "9001011234568"
R = bytes(range(100, 120))
RANDOM = Secret(der.bits(R))
DECOY = bytes(range(20))
CONTENT = encrypted_vid.write_content(vid.compute_vid(DUMMY_IDN, RANDOM.reveal()), RANDOM)


def decrypted(ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
    """What the authority's key does: implicit rejection for v1.5, None for OAEP."""
    try:
        return Secret(KEY.decrypt(ciphertext, OAEP(MGF1(SHA256()), SHA256(), None) if oaep else PKCS1v15()))
    except ValueError:
        assert oaep
        return None


def sent(content: Secret[bytes], *, oaep: bool = False) -> encrypted_vid.EncryptedVid:
    made = encrypted_vid.encrypt(KEY.public_key(), content, issuer=certs.CA_NAME, serial_number=77, oaep=oaep)
    return encrypted_vid.read(encrypted_vid.write(made))


def opened(content: Secret[bytes] | None, octets: int = 20) -> Opened:
    return encrypted_vid.open_content(content, bytes(octets), octets)


@pytest.mark.parametrize("oaep", [False, True], ids=["v1.5", "oaep"])
def test_r_reaches_the_authority(oaep: bool) -> None:
    got = sent(CONTENT, oaep=oaep)
    assert (got.oaep, got.issuer, got.serial_number) == (oaep, certs.CA_NAME, 77)
    found = encrypted_vid.open_content(decrypted(got.ciphertext, oaep=oaep), DECOY)
    assert found.well_formed and found.random == RANDOM
    assert encrypted_vid.agrees(found, (DUMMY_IDN, IDN))
    assert vid.compute_vid(IDN, found.random.reveal()) == vid.compute_vid(IDN, RANDOM.reveal())


def test_a_client_may_know_the_number_of_its_person() -> None:
    content = encrypted_vid.write_content(vid.compute_vid(IDN, RANDOM.reveal()), RANDOM)
    assert encrypted_vid.agrees(opened(content), (DUMMY_IDN, IDN))
    assert not encrypted_vid.agrees(opened(content), (DUMMY_IDN,))


def test_the_content_has_the_form_of_the_field() -> None:
    parts = der.whole(CONTENT.reveal()).exactly(2)
    assert parts[0].sequence()[0].raw == der.algorithm("2.16.840.1.101.3.4.2.1")
    assert parts[1].raw == RANDOM.reveal() and len(CONTENT) == 78


@pytest.mark.parametrize("octets", [20, 32, 64])
def test_an_r_of_another_length_is_read_where_it_is_asked_for(octets: int) -> None:
    random = Secret(der.bits(bytes(range(octets))))
    content = encrypted_vid.write_content(bytes(32), random)
    assert opened(content, octets).random == random and opened(content, octets).well_formed
    assert not opened(content, octets - 1).well_formed


def wrong_contents() -> dict[str, Secret[bytes] | None]:
    whole = CONTENT.reveal()
    other = der.seq(der.seq(der.algorithm("1.3.14.3.2.26"), der.explicit(0, der.octets(bytes(32)))), der.bits(R))
    return {
        "nothing": None, "empty": Secret(b""), "cut": Secret(whole[:-1]), "longer": Secret(whole + b"\0"),
        "another-hash": Secret(other), "short-r": encrypted_vid.write_content(bytes(32), Secret(der.bits(R[:-1]))),
        "unused-bits": Secret(whole.replace(b"\x03\x15\x00", b"\x03\x15\x01")), "noise": Secret(bytes(range(78))),
        "first-byte": Secret(b"\x31" + whole[1:]), "rejected": Secret(bytes(range(190))),
    }  # fmt: skip


@pytest.mark.parametrize("name", wrong_contents())
def test_D6_whatever_is_wrong_inside_gives_the_decoy_and_walks_on(name: str) -> None:
    found = encrypted_vid.open_content(wrong_contents()[name], DECOY)
    assert not found.well_formed and found.random.reveal() == der.bits(DECOY) and len(found.vid) == 32
    assert not encrypted_vid.agrees(found, (DUMMY_IDN, IDN))
    assert len(vid.compute_vid(IDN, found.random.reveal())) == 32


def test_D6_a_vid_that_is_not_of_this_r_is_noticed_in_the_same_place() -> None:
    found = opened(encrypted_vid.write_content(bytes(32), RANDOM))
    assert found.well_formed and not encrypted_vid.agrees(found, (DUMMY_IDN, IDN))


@settings(deadline=None, max_examples=200)
@given(strategies.damaged(st.just(CONTENT.reveal())))
def test_D6_damaged_contents_never_agree(data: bytes) -> None:
    found = encrypted_vid.open_content(Secret(data), DECOY)
    assert not encrypted_vid.agrees(found, (DUMMY_IDN, IDN)) and len(found.random.reveal()) == 23


def test_D6_a_wrong_padding_gives_bytes_and_no_error() -> None:
    got = sent(CONTENT)
    flipped = bytes([got.ciphertext[0] ^ 1]) + got.ciphertext[1:]
    noise = decrypted(flipped, oaep=False)
    assert noise is not None and not encrypted_vid.open_content(noise, DECOY).well_formed


WHOLE = encrypted_vid.write(
    encrypted_vid.encrypt(KEY.public_key(), CONTENT, issuer=certs.CA_NAME, serial_number=77, oaep=False)
)


def test_the_default_version_may_be_written() -> None:
    body = der.whole(WHOLE).content
    assert encrypted_vid.read(der.seq(der.explicit(0, der.integer(0)), body)) == encrypted_vid.read(WHOLE)


@settings(deadline=None, max_examples=200)
@given(strategies.damaged(st.just(WHOLE)))
def test_D6_a_damaged_outside_is_refused_with_one_code_or_read(data: bytes) -> None:
    try:
        encrypted_vid.read(data)
    except CmpRefused as refusal:
        assert (refusal.code, refusal.fail_info) == ("cmp-request", FailInfo.BAD_REQUEST)
        assert not refusal.facts


def parts(*changed: tuple[int, bytes]) -> bytes:
    found = [one.raw for one in der.whole(WHOLE).sequence()]
    for at, raw in changed:
        found[at] = raw
    return der.seq(*found)


@pytest.mark.parametrize(
    "data",
    [
        b"", der.null, der.seq(),
        parts((1, der.explicit(2, der.algorithm("1.2.840.113549.1.1.11")))),
        parts((1, der.explicit(2, der.algorithm("1.2.840.113549.1.1.7")))),
        parts((2, der.explicit(3, der.seq(certs.CA_NAME)))),
        parts((3, der.explicit(4, der.octets(bytes(513))))),
        parts((3, der.explicit(4, der.octets(b"")))),
        parts((3, der.explicit(4, der.octets(b"x")) + der.null)),
        der.seq(der.explicit(0, der.integer(1)), der.whole(WHOLE).content),
    ],
)  # fmt: skip
def test_D6_another_algorithm_version_or_form_is_refused(data: bytes) -> None:
    with pytest.raises(CmpRefused) as caught:
        encrypted_vid.read(data)
    assert str(caught.value) == str(encrypted_vid.refused())


def test_D7_nothing_of_r_is_printed() -> None:
    found = opened(CONTENT)
    assert repr(found) == "<Opened>" and repr(sent(CONTENT)) == "<EncryptedVid>"
