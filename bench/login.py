"""Verifying a login message (CMS, then path with root → CA remembered): beside an asn1crypto one and the bare floor.

`python -m bench.login`. The floor is the two RSA verifications that nobody can leave out, with both keys loaded: the
person's over the attributes, the CA's over the person's certificate. The asn1crypto verification below makes the same
checks. pypinksign has no verification of messages or paths; what it has (certificate in, bare signature checked) is
shown for scale.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asn1crypto import cms as asn1_cms
from asn1crypto import core as asn1_core
from asn1crypto import tsp as asn1_tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from pypinksign import PinkSign

from bench.figures import Figure, at_least, at_most, measure, ratio, report, timing
from ingam.npki import certificate, chain, cms, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.vid import Vid

KEYS = Path(__file__).parent.parent / "vectors" / "keys"
NOW = datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC)
ROUNDS = 101
REPEAT = 100
PURPOSE = "login"
CONTENT = (
    "INGAM-CHALLENGE/1\npurpose: login\norigin: http://localhost:8700\nnonce: {h}\nissued: 2026-11-22T10:00:00Z\n"
    "expires: 2026-11-22T10:03:00Z\nsession: {h}\ncertificate: {h}\nsealed: -\nbody: -\n"
).format(h="5a" * 32).encode("ascii")  # fmt: skip

ROOT_NAME = shapes.name(
    ("C", "KR"), ("O", "KISA"), ("OU", "Korea Certification Authority Central"), ("CN", "KISA RootCA")
)
CA_NAME = shapes.name(("C", "KR"), ("O", "SignKorea"), ("OU", "AccreditedCA"), ("CN", "SignKorea CA"))
PERSON_NAME = shapes.name(
    ("C", "KR"), ("O", "SignKorea"), ("OU", "증권"), ("OU", "동양"), ("OU", "HTS"), ("CN", "홍길동-6422061")
)  # fmt: skip
LONG = shapes.Validity(datetime(2020, 6, 2, tzinfo=UTC), datetime(2036, 6, 2, tzinfo=UTC))
YEAR = shapes.Validity(datetime(2026, 3, 29, tzinfo=UTC), datetime(2027, 4, 17, 14, 59, 59, tzinfo=UTC))


def key(name: str) -> RSAPrivateKey:
    """A key of vectors/keys."""
    loaded = load_der_private_key((KEYS / f"{name}.p8").read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(loaded, RSAPrivateKey)
    return loaded


def world(bits: int) -> tuple[Certificate, Certificate, Certificate, bytes]:
    """Root, CA, person of the published shape, and the person's login message; root and CA of the given key size."""
    root_key, ca_key, person_key = key(f"rsa{bits}-00"), key(f"rsa{bits}-01"), key("rsa2048-02")
    root_spki, ca_spki = shapes.public_key(root_key), shapes.public_key(ca_key)
    root = shapes.tbs_certificate(
        shapes.root(), serial=1, issuer=ROOT_NAME, validity=LONG, subject=ROOT_NAME, spki=root_spki, authority_key=None
    )
    ca = shapes.tbs_certificate(
        shapes.authority("(주)코스콤", "ldap://dir.signkorea.test:389/CN=KISA-RootCA", notice=shapes.NOTICE_JOINT),
        serial=4139,
        issuer=ROOT_NAME,
        validity=LONG,
        subject=CA_NAME,
        spki=ca_spki,
        authority_key=shapes.AuthorityKey(shapes.key_identifier(root_spki), ROOT_NAME, 1),
    )
    policy = shapes.Policy(
        "1.2.410.200004.5.1.1.9", "http://www.signkorea.test/cps.html", "이 인증서는 공동인증서입니다"
    )
    person = shapes.tbs_certificate(
        shapes.person(
            policy,
            "홍길동",
            Vid("sha256", bytes(32)),
            crl="ldap://dir.signkorea.test:389/ou=dp4p9649,ou=AccreditedCA,o=SignKorea,c=KR",
            ocsp="http://ocsp.signkorea.test",
        ),
        serial=0x061D0239,
        issuer=CA_NAME,
        validity=YEAR,
        subject=PERSON_NAME,
        spki=shapes.public_key(person_key),
        authority_key=shapes.AuthorityKey(shapes.key_identifier(ca_spki), ROOT_NAME, 4139),
    )
    made = [
        certificate.parse(shapes.sign(tbs, signer))
        for tbs, signer in ((root, root_key), (ca, root_key), (person, ca_key))
    ]
    message = cms.sign(CONTENT, made[2], person_key, purpose=PURPOSE, signing_time=NOW)
    return made[0], made[1], made[2], message


def ours(root: Certificate, ca: Certificate, message: bytes) -> Callable[[], Any]:
    """The product's verification as the login makes it."""
    anchors, cache = chain.Anchors(roots=[root], authorities=[ca]), chain.SignatureCache()

    def run() -> chain.Path:
        verified = cms.verify(cms.parse(message), content=CONTENT, purpose=PURPOSE)
        return chain.validate(verified.certificate, anchors, NOW, cache=cache)

    return run


def floor(ca: Certificate, person: Certificate, message: bytes) -> Callable[[], Any]:
    """Two bare RSA verifications with loaded keys."""
    signed = cms.parse(message)
    attributes, signature = b"\x31" + signed.signed_attributes[1:], signed.signature
    person_key, ca_key, scheme, digest = person.verifying_key(), ca.verifying_key(), PKCS1v15(), SHA256()

    def run() -> None:
        person_key.verify(signature, attributes, scheme, digest)
        ca_key.verify(person.signature, person.tbs, scheme, digest)

    return run


class ByAsn1crypto:
    """The same checks over asn1crypto's objects; the CA's signature by the root is remembered here too."""

    def __init__(self, ca: Certificate) -> None:
        self.ca = asn1_x509.Certificate.load(ca.der)
        self.ca_subject = self.ca.subject.dump()
        self.ca_issuer = self.ca.issuer.dump()
        self.ca_key_id = self.ca.key_identifier
        self.ca_key = ca.verifying_key()

    def verify(self, message: bytes) -> None:
        """CMS by A2-A4, then the path by A7, A8."""
        info = asn1_cms.ContentInfo.load(message, strict=True)
        if info["content_type"].native != "signed_data":
            raise ValueError
        signed = info["content"]
        if len(signed["certificates"]) != 1 or len(signed["signer_infos"]) != 1 or signed["crls"]:
            raise ValueError
        if signed["encap_content_info"]["content_type"].dotted != cms.OID_CHALLENGE:
            raise ValueError
        if bytes(signed["encap_content_info"]["content"]) != CONTENT:
            raise ValueError
        if [one["algorithm"].native for one in signed["digest_algorithms"]] != ["sha256"]:
            raise ValueError
        person = signed["certificates"][0].chosen
        signer = signed["signer_infos"][0]
        self.signer(person, signer)
        self.path(person)

    def signer(self, person: Any, signer: Any) -> None:
        """The SignerInfo and its signature."""
        sid = signer["sid"].chosen
        if sid["issuer"].dump() != person.issuer.dump() or sid["serial_number"].native != person.serial_number:
            raise ValueError
        if signer["digest_algorithm"]["algorithm"].native != "sha256" or signer["unsigned_attrs"]:
            raise ValueError
        if signer["signature_algorithm"]["algorithm"].native not in ("rsassa_pkcs1v15", "sha256_rsa"):
            raise ValueError
        attributes = {one["type"].dotted: one["values"] for one in signer["signed_attrs"]}
        if len(attributes) != 5 or any(len(values) != 1 for values in attributes.values()):
            raise ValueError
        if attributes["1.2.840.113549.1.9.3"][0].dotted != cms.OID_CHALLENGE:
            raise ValueError
        if attributes["1.2.840.113549.1.9.4"][0].native != hashlib.sha256(CONTENT).digest():
            raise ValueError
        named = asn1_tsp.SigningCertificateV2.load(attributes["1.2.840.113549.1.9.16.2.47"][0].dump())
        hashed = named["certs"][0]["cert_hash"].native
        if hashed != hashlib.sha256(person.dump()).digest():
            raise ValueError
        context = attributes[cms.OID_CONTEXT][0]
        if asn1_core.OctetString.load(context.dump()).native != b"\xff\xff" + PURPOSE.encode():
            raise ValueError
        _ = attributes["1.2.840.113549.1.9.5"][0].native
        numbers = person.public_key["public_key"].parsed
        if not 2048 <= numbers["modulus"].native.bit_length() <= 4096 or numbers["public_exponent"].native < 65537:
            raise ValueError
        loaded = load_der_public_key(person.public_key.dump())
        assert isinstance(loaded, RSAPublicKey)
        loaded.verify(signer["signature"].native, signer["signed_attrs"].untag().dump(), PKCS1v15(), SHA256())

    def path(self, person: Any) -> None:
        """Issuer, extensions, validity, signature."""
        tbs = person["tbs_certificate"]
        found: dict[str, Any] = {}
        for one in tbs["extensions"]:
            kind = one["extn_id"].native
            if kind in found:
                raise ValueError
            found[kind] = one
        known = {
            "key_usage",
            "certificate_policies",
            "basic_constraints",
            "subject_alt_name",
            "crl_distribution_points",
        }
        if any(one["critical"].native and kind not in known for kind, one in found.items()):
            raise ValueError
        if "extended_key_usage" in found or "basic_constraints" in found:
            raise ValueError
        if "digital_signature" not in found["key_usage"]["extn_value"].parsed.native:
            raise ValueError
        if not len(found["certificate_policies"]["extn_value"].parsed):
            raise ValueError
        if person.issuer.dump() != self.ca_subject:
            raise ValueError
        aki = found["authority_key_identifier"]["extn_value"].parsed
        if aki["key_identifier"].native != self.ca_key_id:
            raise ValueError
        if aki["authority_cert_serial_number"].native != self.ca.serial_number:
            raise ValueError
        if aki["authority_cert_issuer"][0].chosen.untag().dump() != self.ca_issuer:
            raise ValueError
        if person["signature_algorithm"]["algorithm"].native != "sha256_rsa":
            raise ValueError
        for end, one in ((person, tbs["validity"]), (self.ca, self.ca["tbs_certificate"]["validity"])):
            if not one["not_before"].native <= NOW <= one["not_after"].native:
                raise ValueError(end)
        self.ca_key.verify(person["signature_value"].native, tbs.dump(), PKCS1v15(), SHA256())


def pinksign(person: Certificate, message: bytes) -> Callable[[], Any]:
    """What pypinksign offers: a certificate in, one bare signature checked; no message, no path."""
    signed = cms.parse(message)
    attributes, signature = b"\x31" + signed.signed_attributes[1:], signed.signature

    def run() -> None:
        one = PinkSign(pubkey_data=person.der)
        if not one.verify(signature, attributes):
            raise ValueError

    return run


def several(call: Callable[[], Any]) -> Callable[[], None]:
    """A hundred calls a round, as a busy server makes them; in shorter batches cold caches weigh more on Python."""

    def run() -> None:
        for _ in range(REPEAT):
            call()

    return run


def main() -> int:
    """Runs the comparison and reports; 0 where every aim was met."""
    figures: list[Figure] = []
    for bits, limit in ((2048, 3.0), (3072, 2.5)):
        root, ca, person, message = world(bits)
        peer = ByAsn1crypto(ca)
        candidates: dict[str, Callable[[], Any]] = {
            "floor": floor(ca, person, message),
            "ingam": ours(root, ca, message),
            "asn1crypto": lambda peer=peer, message=message: peer.verify(message),  # type: ignore[misc]
            "pypinksign": pinksign(person, message),
        }
        seconds = measure({name: several(call) for name, call in candidates.items()}, ROUNDS)
        each = {name: [one / REPEAT for one in taken] for name, taken in seconds.items()}
        for name in ("floor", "ingam", "asn1crypto"):
            figures += timing(f"login ca-{bits} {name}", each[name])
        figures += timing(f"login ca-{bits} pypinksign (one bare signature)", each["pypinksign"])
        figures.append(at_most(f"login ca-{bits} ingam / floor", ratio(each["ingam"], each["floor"]), "x", limit))
        figures.append(
            at_least(f"login ca-{bits} asn1crypto / ingam", ratio(each["asn1crypto"], each["ingam"]), "x", 3)
        )
    return 0 if report("login", figures) else 1


if __name__ == "__main__":
    sys.exit(main())
