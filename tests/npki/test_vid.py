"""VID: the published examples, the certificates of the samples, and everything that A14 refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs

from ingam.kernel.errors import Refusal
from ingam.npki import certificate, der, key_file, vid
from ingam.npki.private_key import BadRandom
from ingam.npki.vid import IdentifyData, Vid, VidHash, VidMalformed, VidMismatch, VidMissing, VidNumber

VECTORS = Path(__file__).parents[2] / "vectors"
CASES = json.loads((VECTORS / "npki-samples" / "vectors.json").read_text(encoding="utf-8"))["vid"]["cases"]
NUMBER, RANDOM = "1234561234567", der.bits(bytes(range(20)))
SUBJECT_ALT_NAME = "2.5.29.17"


def made(hash: str = "sha256") -> Vid:
    return Vid(hash, vid.compute_vid(NUMBER, RANDOM, hash))


@pytest.mark.parametrize("case", CASES)
def test_the_published_examples_compute(case: dict[str, str]) -> None:
    random = der.bits(bytes.fromhex(case["R"]))
    assert vid.hash_content(case["idn"], random).hex() == case["hashContent_der"]
    assert vid.compute_vid(case["idn"], random).hex() == case["vid"]
    vid.check_vid(Vid("sha256", bytes.fromhex(case["vid"])), case["idn"], random)


@pytest.mark.parametrize("folder", ["pypinksign", "kiea-mydata"])
def test_the_vid_of_a_real_certificate_is_read_and_written_byte_for_byte(folder: str) -> None:
    parsed = certificate.parse((VECTORS / "npki-samples" / folder / "signCert.der").read_bytes())
    found = parsed.extension(SUBJECT_ALT_NAME)
    assert found is not None
    raw = vid.in_alternative_name(found.value)
    assert raw == parsed.identify_data
    data = vid.parse_identify_data(raw)
    assert len(data.vid.octets) == 32
    assert vid.encode_identify_data(data.real_name, data.vid) == raw


def test_a_certificate_without_a_vid_says_so() -> None:
    with pytest.raises(VidMissing):
        vid.parse_identify_data(der.seq(der.tlv(der.UTF8_STRING, "홍길동".encode())))
    with pytest.raises(VidMissing):
        vid.in_alternative_name(der.seq(der.tlv(0x82, b"example.test")))


def test_A14_exactly_one_identify_data_with_exactly_one_vid() -> None:
    one = certs.other_name(certs.identify_data())
    with pytest.raises(VidMalformed):
        vid.in_alternative_name(der.seq(one, one))
    name, info = der.whole(certs.identify_data()).sequence()
    (item,) = info.sequence()
    with pytest.raises(VidMalformed):
        vid.parse_identify_data(der.seq(name.raw, der.seq(item.raw, item.raw)))


def test_A14_sha_1_is_taken_by_setting_only() -> None:
    weak = made("sha1")
    with pytest.raises(VidHash):
        vid.check_vid(weak, NUMBER, RANDOM)
    vid.check_vid(weak, NUMBER, RANDOM, accepted=("sha1", "sha256"))


@pytest.mark.parametrize(
    "random",
    [
        der.bits(bytes(19)),
        der.bits(bytes(65)),
        der.tlv(der.BIT_STRING, b"\1" + bytes(20)),
        der.octets(bytes(20)),
        der.bits(bytes(20)) + b"\0",
        b"",
    ],
)
def test_A14_R_is_a_bit_string_of_160_to_512_bits_without_unused_ones(random: bytes) -> None:
    with pytest.raises(BadRandom):
        vid.check_vid(made(), NUMBER, random)


@pytest.mark.parametrize("size", [20, 32, 64])
def test_A14_R_within_the_bounds_is_taken(size: int) -> None:
    random = der.bits(bytes(size))
    vid.check_vid(Vid("sha256", vid.compute_vid(NUMBER, random)), NUMBER, random)


@pytest.mark.parametrize(
    "number", ["", "123456-1234567", "123456123456", "１２３４５６１２３４５６７", "12345612345678", "a" * 13]
)
def test_A14_the_number_is_digits_only(number: str) -> None:
    with pytest.raises(VidNumber):
        vid.compute_vid(number, RANDOM)


def test_somebody_elses_number_or_R_does_not_match() -> None:
    with pytest.raises(VidMismatch):
        vid.check_vid(made(), "1234561234568", RANDOM)
    with pytest.raises(VidMismatch):
        vid.check_vid(made(), NUMBER, der.bits(bytes(range(1, 21))))


def test_R_of_an_opened_key_is_hashed_as_it_lies_in_the_file() -> None:
    key = key_file.open_key((VECTORS / "key-files" / "a-1.key").read_bytes(), b"ingam-Test#2026")
    assert key.random is not None
    random = key.random.reveal()
    assert random in bytes(key.pkcs8.reveal())
    assert vid.hash_content(NUMBER, random).endswith(random)


@settings(max_examples=100, deadline=None)
@given(real_name=st.text(max_size=20), hash=st.sampled_from(("sha1", "sha256", "sha384", "sha512")))
def test_what_is_encoded_is_read_again(real_name: str, hash: str) -> None:
    data = IdentifyData(real_name, made(hash))
    assert vid.parse_identify_data(vid.encode_identify_data(data.real_name, data.vid)) == data


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 70), octet=st.integers(0, 255), cut=st.integers(0, 40))
def test_no_identify_data_brings_anything_but_a_refusal(at: int, octet: int, cut: int) -> None:
    raw = bytearray(certs.identify_data())
    raw[at % len(raw)] = octet
    try:
        vid.parse_identify_data(bytes(raw[: len(raw) - cut]))
    except Refusal as refused:
        assert refused.code in ("vid-malformed", "vid-missing")


def test_a_name_that_is_no_utf_8_and_a_hash_nobody_knows_are_malformed() -> None:
    good = der.seq(der.oid("2.16.840.1.101.3.4.2.1"))
    for name, algorithm, size in ((b"\xff", good, 32), (b"a", der.seq(der.oid("1.2.3")), 32), (b"a", good, 31)):
        value = der.seq(algorithm, der.explicit(0, der.octets(bytes(size))))
        item = der.seq(der.oid("1.2.410.200004.10.1.1.1"), value)
        with pytest.raises(VidMalformed):
            vid.parse_identify_data(der.seq(der.tlv(der.UTF8_STRING, name), der.seq(item)))
