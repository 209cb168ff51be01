"""Protection: made and verified, bounded before anything is computed (security D8), silent about its secret."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.cmp import parties, strategies

from ingam.kernel.secret import Secret
from ingam.npki import der, libcrypto, signature
from ingam.protocols.cmp import bodies, des_mac, header, message, protection
from ingam.protocols.cmp.header import Header
from ingam.protocols.cmp.message import Protection, UnverifiedMessage
from ingam.protocols.cmp.protection import KeyCache, MacProtection, SignatureProtection
from ingam.protocols.cmp.status import CmpRefused, FailInfo

AT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PLAIN = Header(2, header.NULL_DN, header.NULL_DN, AT, None, b"1234", None, b"t" * 16, b"n" * 16)
SECRET = Secret(b"one code")
SALT = b"s" * 16
HASHES = ["sha1", "sha224", "sha256", "sha384", "sha512"]
PBM, PBMAC1 = protection.password_based_mac(SALT, iterations=3), protection.pbmac1(SALT, iterations=3)
BOTH = pytest.mark.parametrize("algorithm", [PBM, PBMAC1], ids=["pbm", "pbmac1"])


def protected(proof: Protection) -> UnverifiedMessage:
    return message.parse(message.compose(PLAIN, bodies.PKICONF, proof))


def refused(found: UnverifiedMessage, secret: Secret[bytes] = SECRET) -> CmpRefused:
    with pytest.raises(CmpRefused) as caught:
        protection.verify_mac(found, secret)
    return caught.value


def parameters_refused(algorithm: bytes) -> CmpRefused:
    with pytest.raises(CmpRefused) as caught:
        protection.mac_parameters(algorithm)
    return caught.value


@pytest.mark.parametrize("mac", HASHES)
@pytest.mark.parametrize("hash", HASHES)
def test_both_ends_agree_on_a_password_based_mac(hash: str, mac: str) -> None:
    algorithm = protection.password_based_mac(SALT, iterations=3, hash=hash, mac=mac)
    found = protected(MacProtection(SECRET, algorithm))
    assert protection.verify_mac(found, SECRET) == message.PKIMessage(found.header, found.body, ())
    assert len(found.protection or b"") == hashlib.new(mac).digest_size


@pytest.mark.parametrize("mac", HASHES)
@pytest.mark.parametrize("hash", HASHES)
def test_both_ends_agree_on_pbmac1(hash: str, mac: str) -> None:
    found = protected(MacProtection(SECRET, protection.pbmac1(SALT, iterations=3, hash=hash, mac=mac)))
    assert protection.verify_mac(found, SECRET).header == found.header


def test_a_password_based_mac_is_computed_as_the_rfc_says() -> None:
    found = protected(MacProtection(SECRET, protection.password_based_mac(SALT, iterations=3, hash="sha1")))
    key = SECRET.reveal() + SALT
    for _ in range(3):
        key = hashlib.sha1(key).digest()
    assert found.protection == hmac.digest(key, found.protected, "sha256")


def test_pbmac1_is_computed_as_the_rfc_says() -> None:
    found = protected(MacProtection(SECRET, protection.pbmac1(SALT, iterations=3, hash="sha512", mac="sha384")))
    key = hashlib.pbkdf2_hmac("sha512", SECRET.reveal(), SALT, 3, 48)
    assert found.protection == hmac.digest(key, found.protected, "sha384")


@BOTH
def test_a_wrong_code_or_a_changed_message_is_refused(algorithm: bytes) -> None:
    found = protected(MacProtection(SECRET, algorithm))
    changed = found._replace(protected=found.protected[:-1] + b"\x01")
    cut = found._replace(protection=(found.protection or b"")[:-1])
    for refusal in (refused(found, Secret(b"another")), refused(changed), refused(cut)):
        assert (refusal.code, refusal.fail_info) == ("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)


@BOTH
def test_a_message_without_protection_or_algorithm_is_refused(algorithm: bytes) -> None:
    found = protected(MacProtection(SECRET, algorithm))
    for half in (found._replace(protection=None), found._replace(header=PLAIN)):
        assert refused(half).fail_info is FailInfo.BAD_MESSAGE_CHECK and refused(half).code == "cmp-unprotected"


@BOTH
def test_an_answer_reuses_the_parameters_of_the_request(algorithm: bytes) -> None:
    asked = protected(MacProtection(SECRET, algorithm))
    answered = protected(MacProtection(SECRET, asked.header.protection_alg or b""))
    assert answered.header.protection_alg == algorithm and protection.verify_mac(answered, SECRET)


def test_a_mac_is_told_from_a_signature() -> None:
    assert protection.is_mac(PBM) and protection.is_mac(PBMAC1)
    assert not protection.is_mac(signature.RSA_SHA256) and not protection.is_mac(b"")


def pbmac1_of(salt: bytes, count: int, *rest: bytes, mac: str = "1.2.840.113549.2.9") -> bytes:
    pbkdf2 = der.algorithm(protection.PBKDF2, der.seq(der.octets(salt), der.integer(count), *rest))
    return der.algorithm(protection.PBMAC1, der.seq(pbkdf2, der.algorithm(mac)))


def test_absent_parameters_of_pbmac1_have_their_defaults() -> None:
    found = protection.mac_parameters(pbmac1_of(SALT, 5))
    assert (found.hash, found.key_length, found.mac, found.iterations) == ("sha1", 32, "sha256", 5)
    with_null = der.algorithm("1.2.840.113549.2.9")
    assert protection.mac_parameters(pbmac1_of(SALT, 5, with_null)).hash == "sha256"
    assert protection.mac_parameters(pbmac1_of(SALT, 5, der.integer(20), with_null)).key_length == 20


def test_pbes2_in_the_place_of_pbkdf2_is_taken_as_bouncycastle_writes_it() -> None:
    found = protection.mac_parameters(PBMAC1.replace(der.oid(protection.PBKDF2), der.oid("1.2.840.113549.1.5.13")))
    assert (found.kind, found.salt, found.iterations) == (protection.MacKind.PBMAC1, SALT, 3)


def test_hashes_are_named_with_or_without_null_and_hmac_by_its_older_name() -> None:
    parts = (
        der.octets(SALT),
        der.algorithm("1.3.14.3.2.26", b""),
        der.integer(2),
        der.seq(der.oid("1.3.6.1.5.5.8.1.2")),
    )
    found = protection.mac_parameters(der.algorithm(protection.PASSWORD_BASED_MAC, der.seq(*parts)))
    assert (found.hash, found.mac, found.salt) == ("sha1", "sha1", SALT)


# D8: refused before computing


def test_D8_the_iterations_of_a_password_based_mac_are_bounded() -> None:
    assert protection.mac_parameters(protection.password_based_mac(SALT, iterations=100_000)).iterations == 100_000
    for count in (100_001, 2**40, 0, -1):
        refusal = parameters_refused(protection.password_based_mac(SALT, iterations=count))
        assert (refusal.code, refusal.fail_info) == ("cmp-protection-cost", FailInfo.BAD_ALG)


def test_D8_the_iterations_of_pbkdf2_are_bounded() -> None:
    assert protection.mac_parameters(protection.pbmac1(SALT, iterations=1_000_000)).iterations == 1_000_000
    for count in (1_000_001, 2**40, 0, -1):
        refusal = parameters_refused(protection.pbmac1(SALT, iterations=count))
        assert (refusal.code, refusal.fail_info) == ("cmp-protection-cost", FailInfo.BAD_ALG)


def test_D8_a_salt_has_at_most_64_bytes() -> None:
    for make in (protection.password_based_mac, protection.pbmac1):
        assert protection.mac_parameters(make(bytes(64))).salt == bytes(64)
        for salt in (bytes(65), b""):
            assert parameters_refused(make(salt)).code == "cmp-protection-cost"


def test_D8_a_derived_key_has_bounds() -> None:
    for length in (16, 128):
        assert protection.mac_parameters(pbmac1_of(SALT, 5, der.integer(length))).key_length == length
    for length in (15, 129, 2**31, 0, -1):
        assert parameters_refused(pbmac1_of(SALT, 5, der.integer(length))).code == "cmp-protection-cost"


@BOTH
def test_D8_nothing_is_computed_for_what_is_refused(algorithm: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def computed(*_: object) -> Secret[bytes]:
        raise AssertionError("a key was derived")

    monkeypatch.setattr(protection, "derive", computed)
    over = {PBM: protection.password_based_mac(SALT, iterations=100_001), PBMAC1: protection.pbmac1(bytes(65))}
    found = protected(SignatureProtection(over[algorithm], lambda _: b"mac"))
    assert refused(found).code == "cmp-protection-cost"
    with pytest.raises(AssertionError):
        protection.verify_mac(protected(SignatureProtection(algorithm, lambda _: b"mac")), SECRET)


@pytest.mark.parametrize(
    "algorithm",
    [
        der.algorithm("1.2.3"),
        signature.RSA_SHA256,
        protection.pbmac1(SALT).replace(der.oid(protection.PBKDF2), der.oid("1.2.840.113549.1.5.11")),
        pbmac1_of(SALT, 5, mac="1.2.840.113549.2.5"),
        pbmac1_of(SALT, 5, der.algorithm("1.2.840.113549.2.5")),
        protection.password_based_mac(SALT).replace(
            der.oid("2.16.840.1.101.3.4.2.1"), der.oid("2.16.840.1.101.3.4.2.7")
        ),
        des_mac.algorithm(SALT),
    ],
    ids=["unknown", "signature", "not-pbkdf2", "hmac-md5", "prf-md5", "sha3", "des"],
)
def test_algorithms_that_are_not_used_here_are_refused(algorithm: bytes) -> None:
    refusal = parameters_refused(algorithm)
    assert (refusal.code, refusal.fail_info) == ("cmp-protection-algorithm", FailInfo.BAD_ALG)


@pytest.mark.parametrize(
    "algorithm",
    [
        b"", der.null, der.seq(), der.seq(der.oid(protection.PASSWORD_BASED_MAC)), der.algorithm(protection.PBMAC1),
        der.algorithm(protection.PASSWORD_BASED_MAC, der.seq(der.octets(SALT))), PBM + b"\0",
        der.algorithm(protection.PASSWORD_BASED_MAC, der.seq() + der.seq()),
        pbmac1_of(SALT, 5, der.integer(20), der.algorithm("1.2.840.113549.2.9"), der.null),
    ],
)  # fmt: skip
def test_malformed_parameters_are_refused(algorithm: bytes) -> None:
    assert parameters_refused(algorithm).code == "cmp-malformed"


@settings(deadline=None, max_examples=200)
@given(strategies.damaged(st.sampled_from([PBM, PBMAC1, des_mac.algorithm(SALT)])))
def test_damaged_parameters_are_refused_or_within_their_bounds(algorithm: bytes) -> None:
    try:
        found = protection.mac_parameters(algorithm)
    except CmpRefused:
        return
    assert 1 <= found.iterations <= 1_000_000 and 1 <= len(found.salt) <= 64 and 16 <= found.key_length <= 128


# The cache


def test_a_transaction_derives_once(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[object] = []
    original = protection.derive

    def counted(secret: Secret[bytes], parameters: protection.MacParameters) -> Secret[bytes]:
        derived.append(parameters)
        return original(secret, parameters)

    monkeypatch.setattr(protection, "derive", counted)
    cache = KeyCache()
    asked = protected(MacProtection(SECRET, PBM, cache))
    protection.verify_mac(asked, SECRET, cache)
    protection.verify_mac(protected(MacProtection(SECRET, PBM, cache)), SECRET, cache)
    assert len(derived) == 1 and len(cache) == 1


def test_the_cache_never_gives_the_key_of_another_code_or_of_other_parameters() -> None:
    cache = KeyCache()
    asked = protected(MacProtection(SECRET, PBM, cache))
    with pytest.raises(CmpRefused):
        protection.verify_mac(asked, Secret(b"another"), cache)
    other = protected(MacProtection(SECRET, PBMAC1, cache))
    assert protection.verify_mac(other, SECRET, cache) and protection.verify_mac(asked, SECRET, cache)
    assert len(cache) == 3


def test_the_cache_forgets_the_oldest() -> None:
    cache = KeyCache(most=2)
    for salt in (b"a", b"b", b"c"):
        cache.derive(SECRET, protection.mac_parameters(protection.password_based_mac(salt, iterations=1)))
    assert len(cache) == 2


def test_H1_no_secret_is_printed() -> None:
    proof = MacProtection(SECRET, PBM)
    proof.protect(b"part")
    assert "one code" not in f"{vars(proof)}" and "one code" not in f"{vars(KeyCache())}"


# Signatures


def test_a_signature_is_verified_with_the_key_of_its_maker() -> None:
    found = protected(SignatureProtection(signature.RSA_SHA256, parties.signs(parties.person().key)))
    key = signature.public_key(parties.person().certificate.spki)
    assert protection.verify_signature(found, key).header == found.header
    with pytest.raises(CmpRefused) as caught:
        protection.verify_signature(found, certs.ca().key.public_key())
    assert (caught.value.code, caught.value.fail_info) == ("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)


def test_rsa_without_its_null_is_taken() -> None:
    without = der.algorithm("1.2.840.113549.1.1.11", b"")
    found = protected(SignatureProtection(without, parties.signs(parties.person().key)))
    assert protection.verify_signature(found, parties.person().key.public_key())


def test_ecdsa_and_ml_dsa_protect() -> None:
    p256, p384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    with_256 = SignatureProtection(signature.ECDSA_SHA256, lambda part: p256.sign(part, ec.ECDSA(SHA256())))
    with_384 = SignatureProtection(signature.ECDSA_SHA384, lambda part: p384.sign(part, ec.ECDSA(SHA384())))
    lattice = mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(32))
    with_65 = SignatureProtection(signature.ML_DSA_65, lattice.sign)
    for proof, key in ((with_256, p256), (with_384, p384), (with_65, lattice)):
        assert protection.verify_signature(protected(proof), key.public_key())


def test_a_signature_of_another_kind_of_key_is_not_this_keys() -> None:
    found = protected(SignatureProtection(signature.ECDSA_SHA256, parties.signs(parties.person().key)))
    with pytest.raises(CmpRefused) as caught:
        protection.verify_signature(found, parties.person().key.public_key())
    assert (caught.value.code, caught.value.fail_info) == ("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)


@pytest.mark.parametrize("oid", ["1.2.840.113549.1.1.5", "1.2.840.113549.1.1.10", "1.2.3"])
def test_signatures_by_sha1_or_by_pss_without_its_parameters_are_refused(oid: str) -> None:
    found = protected(SignatureProtection(der.algorithm(oid, b""), parties.signs(parties.person().key)))
    with pytest.raises(CmpRefused) as caught:
        protection.verify_signature(found, parties.person().key.public_key())
    assert (caught.value.code, caught.value.fail_info) == ("cmp-protection-algorithm", FailInfo.BAD_ALG)


# The historic DES-MAC


def test_the_des_mac_is_fips_113() -> None:
    key = bytes.fromhex("0123456789abcdef")
    assert des_mac.des_cbc_mac(key, b"7654321 Now is the time for ") == bytes.fromhex("f1d30f6849312ca4")


def test_historic_clients_are_verified_by_their_own_rule_alone() -> None:
    found = protected(des_mac.DesMacProtection(SECRET, des_mac.algorithm(SALT, 2)))
    assert des_mac.verify(found, SECRET).header == found.header and len(found.protection or b"") == 8
    key = hashlib.sha1(hashlib.sha1(SALT + SECRET.reveal()).digest()).digest()[:8]
    assert found.protection == des_mac.des_cbc_mac(key, found.protected)
    assert refused(found).code == "cmp-protection-algorithm"
    with pytest.raises(CmpRefused) as caught:
        des_mac.verify(found, Secret(b"another"))
    assert caught.value.code == "cmp-protection-wrong"


def historic(*, salt: bytes = SALT, count: int = 2, owf: str = "1.3.14.3.2.26", mac: bytes = b"") -> bytes:
    parts = der.octets(salt), der.algorithm(owf), der.integer(count), der.seq(der.oid(protection.DES_MAC), mac)
    return der.algorithm(protection.PASSWORD_BASED_MAC, der.seq(*parts))


def test_the_length_of_a_des_mac_may_be_said() -> None:
    for mac in (b"", der.null, der.integer(64)):
        assert des_mac.DesMacProtection(SECRET, historic(mac=mac))


@pytest.mark.parametrize(
    ("algorithm", "code"),
    [
        (PBM, "cmp-protection-algorithm"),
        (PBMAC1, "cmp-protection-algorithm"),
        (historic(owf="2.16.840.1.101.3.4.2.1"), "cmp-protection-algorithm"),
        (historic(mac=der.integer(32)), "cmp-protection-algorithm"),
        (historic(count=100_001), "cmp-protection-cost"),
        (historic(count=0), "cmp-protection-cost"),
        (historic(salt=bytes(65)), "cmp-protection-cost"),
        (der.seq(), "cmp-malformed"),
    ],
)
def test_D8_other_parameters_of_a_des_mac_are_refused(algorithm: bytes, code: str) -> None:
    with pytest.raises(CmpRefused) as caught:
        des_mac.DesMacProtection(SECRET, algorithm)
    assert caught.value.code == code


@BOTH
def test_the_parameters_of_a_request_take_another_salt_and_nothing_else_changes(algorithm: bytes) -> None:
    changed = protection.salted(protection.mac_parameters(algorithm), b"another salt").algorithm
    before, after = protection.mac_parameters(algorithm), protection.mac_parameters(changed)
    assert after == before._replace(salt=b"another salt", algorithm=changed)


@pytest.mark.parametrize("name", ["sha1", "sha256", "sha384", "sha512"])
def test_a_password_based_mac_key_is_the_same_without_the_systems_library(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    parameters = protection.mac_parameters(protection.password_based_mac(bytes(16), iterations=500, hash=name))
    quick = protection.derive(Secret(b"code"), parameters)
    monkeypatch.setattr(libcrypto, "pbkdf1", lambda *_: None)
    assert protection.derive(Secret(b"code"), parameters) == quick
