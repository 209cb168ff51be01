"""What tests of issuing start from: an authority of a preset, a generation of it, and one person's facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from tests.npki import certs

from ingam.ca.issuing.lint import Expectation
from ingam.ca.issuing.names import Applicant, hosts_of, real_name_of, subject_of
from ingam.ca.issuing.template import Template, compile_template
from ingam.ca.profiles import Authority, Generation, Operation, Profile, preset, service_shape, validity
from ingam.npki import shapes, signature
from ingam.npki.shapes import Validity

NOW = datetime(2026, 3, 29, 1, 2, 3, tzinfo=UTC)
CA_KEY, ROOT_KEY, PERSON_KEY = "rsa3072-00", "rsa3072-01", "rsa2048-01"
APPLICANT = Applicant("홍길동", "6422061", "HONG KILDONG", hosts=("center.ingam.test", "www.ingam.test"))
VID = bytes(range(32))
SERIAL = 0x5A << 120 | 0x1234567890ABCDEF
ALL = [(key, name) for key in ("ingam", "signkorea", "yessign", "kica", "crosscert", "tradesign")
       for name in preset(key).profiles]  # fmt: skip


def spki(name: str) -> bytes:
    """DER of the public half of a key of vectors/keys."""
    return shapes.public_key(certs.key(name))


def sign(tbs: bytes, key: str) -> bytes:
    """The certificate."""
    return shapes.assemble(tbs, certs.key(key).sign(tbs, PKCS1v15(), SHA256()))


@cache
def root(key: str) -> bytes:
    """The root above an authority, self-signed."""
    one = preset(key)
    times = Validity(datetime(2025, 1, 1, tzinfo=UTC), datetime(2044, 12, 31, tzinfo=UTC))
    tbs = shapes.tbs_certificate(
        service_shape(one, "root", 1), serial=SERIAL + 1, issuer=one.root_name(1), validity=times,
        subject=one.root_name(1), spki=spki(ROOT_KEY), authority_key=None,
    )  # fmt: skip
    return sign(tbs, ROOT_KEY)


@cache
def issuing(key: str) -> bytes:
    """The issuing CA of an authority."""
    one, above = preset(key), Generation.of(1, root(key), signature.RSA_SHA256)
    times = Validity(datetime(2026, 1, 1, tzinfo=UTC), datetime(2035, 12, 30, tzinfo=UTC))
    tbs = shapes.tbs_certificate(
        service_shape(one, "issuing", 1), serial=SERIAL + 2, issuer=above.name, validity=times,
        subject=one.issuing_name(1), spki=spki(CA_KEY), authority_key=above.authority_key,
    )  # fmt: skip
    return sign(tbs, ROOT_KEY)


@dataclass(frozen=True)
class Made:
    """One certificate to be signed and everything that it was made from."""

    authority: Authority
    profile: Profile
    generation: Generation
    template: Template
    times: Validity
    subject: bytes
    real_name: str | None
    vid: bytes | None
    hosts: tuple[str, ...]
    spki: bytes
    serial: int

    @property
    def tbs(self) -> bytes:
        return self.template.fill(
            self.serial, self.times.not_before, self.times.not_after, self.subject, self.spki,
            shapes.key_identifier(self.spki), self.real_name, self.vid, self.hosts,
        )  # fmt: skip

    @property
    def expectation(self) -> Expectation:
        return self.template.expect(
            self.serial, self.times.not_before, self.times.not_after, self.subject, self.spki, self.real_name,
            self.vid, self.hosts,
        )  # fmt: skip


def made(key: str = "ingam", profile: str = "securities", applicant: Applicant = APPLICANT) -> Made:
    """A certificate of a profile of a preset, partition 3."""
    authority = preset(key)
    one, generation = authority.profile(profile), Generation.of(1, issuing(key), signature.RSA_SHA256)
    return Made(
        authority, one, generation, compile_template(authority, one, generation, 3),
        validity(one, NOW, Operation.ISSUE, within=generation.validity), subject_of(authority, one, applicant),
        real_name_of(one, applicant), VID if one.identified else None, hosts_of(one, applicant), spki(PERSON_KEY),
        SERIAL % (1 << 8 * authority.serial_bytes - 1) | 1 << 8 * authority.serial_bytes - 2,
    )  # fmt: skip
