"""pyhanko-certvalidator checks the paths of our certificates with our lists and OCSP answers, and fails hard."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
from asn1crypto import core
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.ocsp import OCSPRequestBuilder
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import RevokedError, ValidationError
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy, RevocationCheckingRule
from tests.interop.openssl import server
from tests.interop.people import People
from tests.interop.running import QUICK, Running, fetch

from ingam.ca.status.answers import Answers
from ingam.ca.status.limits import StatusLimits
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.run.exchange import Reply
from ingam.run.status_replies import StatusReplies
from ingam.wiring.authority import status_ports

pytestmark = pytest.mark.xdist_group("interop")
Rule: TypeAlias = RevocationCheckingRule


class VirtualId(core.Sequence):  # type: ignore[misc]
    """VID (KCAC.TS.SIVID section 4)."""

    _fields = [("hash", core.Sequence), ("virtual_id", core.OctetString, {"explicit": 0})]  # noqa: RUF012


class AttributeOfUser(core.Sequence):  # type: ignore[misc]
    """One of userInfo."""

    _fields = [("kind", core.ObjectIdentifier), ("value", VirtualId)]  # noqa: RUF012


class UserInfo(core.SequenceOf):  # type: ignore[misc]
    """userInfo."""

    _child_spec = AttributeOfUser


class IdentifyData(core.Sequence):  # type: ignore[misc]
    """identifyData, which stands in the subjectAltName of everybody in the field."""

    _fields = [("real_name", core.UTF8String), ("user_info", UserInfo, {"optional": True})]  # noqa: RUF012


@pytest.fixture(autouse=True)
def identify_data_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """asn1crypto reads no otherName that it was not told of, and the validator turns every name into a value."""
    monkeypatch.setattr(asn1_x509.AnotherName, "_oid_pair", ("type_id", "value"))
    monkeypatch.setattr(asn1_x509.AnotherName, "_oid_specs", {"1.2.410.200004.10.1.1": IdentifyData})
    monkeypatch.setattr(asn1_x509.AnotherName, "_oid_nums", (0, 1))
    monkeypatch.setattr(asn1_x509.AnotherName, "_precomputed_specs", [None, None])
    monkeypatch.setattr(asn1_x509.AnotherName, "_field_map", None)  # so that it is set up with the others


@dataclass(frozen=True)
class Evidence:
    """What a validator is given: lists and answers."""

    lists: tuple[bytes, ...] = ()
    answers: tuple[bytes, ...] = ()


def judge(person: Certificate, chain: list[Certificate], evidence: Evidence, rule: Rule) -> list[str]:
    """The names of the path, from the root on. Raises ValidationError.

    `chain`: root first. The person is checked by `rule`, every authority by its list; what is missing is a failure.
    """
    root, *above = [asn1_x509.Certificate.load(one.der) for one in chain]
    context = ValidationContext(
        trust_roots=[root], other_certs=above, crls=evidence.lists, ocsps=evidence.answers, allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, RevocationCheckingRule.CRL_REQUIRED)),
    )  # fmt: skip
    validator = CertificateValidator(asn1_x509.Certificate.load(person.der), validation_context=context)
    path = asyncio.run(validator.async_validate_usage({"digital_signature"}))  # type: ignore[no-untyped-call]
    return [one.subject.native["common_name"] for one in path]


def question(person: Certificate, issuer: Certificate) -> bytes:
    """An OCSPRequest as another library writes it."""
    found, above = (load_der_x509_certificate(one.der) for one in (person, issuer))
    return OCSPRequestBuilder().add_certificate(found, above, SHA1()).build().public_bytes(Encoding.DER)


BOTH, LIST, OCSP = Rule.CRL_AND_OCSP_REQUIRED, Rule.CRL_REQUIRED, Rule.OCSP_REQUIRED
WAYS = pytest.mark.parametrize("rule", [BOTH, LIST, OCSP], ids=["both", "list", "ocsp"])


def served(authority: Running, person: Certificate) -> Evidence:
    """What the processes publish and answer over HTTP."""
    lists = tuple(fetch(f"{authority.va}/ingam/{name}.crl") for name in ("dp1p1", "dp1p1-delta", "root-1"))
    asked = question(person, authority.holdings.issuing[1])
    return Evidence(lists, (fetch(authority.ocsp, asked, "application/ocsp-request"),))


@WAYS
def test_a_good_person_is_believed_up_to_the_root(authority: Running, people: People, rule: Rule) -> None:
    person, holdings = people.good.certificate, authority.holdings
    chain = [holdings.roots[1], holdings.issuing[1]]
    names = judge(person, chain, served(authority, person), rule)
    assert names == ["Ingam Demo Root CA 1", "Ingam Demo CA1", person.subject.value("CN")]


@WAYS
@pytest.mark.parametrize("name", ["revoked", "held"])
def test_who_is_revoked_or_held_is_not(authority: Running, people: People, name: str, rule: Rule) -> None:
    person, holdings = getattr(people, name).certificate, authority.holdings
    with pytest.raises(RevokedError):
        judge(person, [holdings.roots[1], holdings.issuing[1]], served(authority, person), rule)


@WAYS
def test_without_evidence_nobody_is(authority: Running, people: People, rule: Rule) -> None:
    person, holdings = people.good.certificate, authority.holdings
    with pytest.raises(ValidationError):
        judge(person, [holdings.roots[1], holdings.issuing[1]], Evidence(), rule)


# Other kinds of keys, and two generations: authorities without processes, through the same wiring


class Quiet:
    """An authority of the command line alone, which answers in this process."""

    def __init__(self, data: Path, kinds: dict[str, KeyKind]) -> None:
        self.authority = Running(data, kinds=kinds)
        self.authority.found()

    def evidence(self, one: Certificate, generation: int) -> Evidence:
        """Its lists as published, and its answer."""
        published = self.authority.folder / "published"
        lists = (f"dp{generation}p1.crl", f"dp{generation}p1-delta.crl", "root-1.crl")
        asked = question(one, self.authority.holdings.issuing[generation])
        return Evidence(tuple((published / name).read_bytes() for name in lists), (self.answer(asked),))

    def answer(self, asked: bytes) -> bytes:
        """What the status service says."""
        ports = status_ports(self.authority.settings)
        answers = Answers(
            ports.standings, ports.generations, StatusReplies(), time.time, StatusLimits(), lambda wrong: None
        )

        async def said() -> Reply:
            found = answers.ask(asked)
            return await found if isinstance(found, Awaitable) else found

        try:
            return asyncio.run(said()).body
        finally:
            answers.close()
            ports.close()

    def judged(self, one: Certificate, generation: int = 1) -> list[str]:
        """By list and OCSP together."""
        holdings = self.authority.holdings
        chain = [holdings.roots[1], *holdings.issuing.values()]
        return judge(one, chain, self.evidence(one, generation), BOTH)


@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, KeyKind.RSA_3072, KeyKind.P_256, KeyKind.P_384])
def test_every_kind_of_issuing_key_is_believed(tmp_path: Path, kind: KeyKind) -> None:
    made = Quiet(tmp_path, QUICK | {"issuing": kind, "ocsp": kind if "p-" in kind else KeyKind.RSA_2048})
    good, revoked = server(made.authority, "good"), server(made.authority, "revoked")
    made.authority.cli("revoke", "--serial", f"{revoked.serial:x}", "--reason", "key-compromise")
    made.authority.publish()
    assert made.judged(good)[-1] == "good.ingam.test"
    with pytest.raises(RevokedError):
        made.judged(revoked)


def test_after_a_roll_over_both_generations_are_believed(tmp_path: Path) -> None:
    made = Quiet(tmp_path, QUICK)
    first, revoked = server(made.authority, "first"), server(made.authority, "revoked")
    made.authority.roll_over()
    second = server(made.authority, "second")
    made.authority.cli("revoke", "--serial", f"{revoked.serial:x}", "--reason", "key-compromise")
    made.authority.publish()
    for one, generation in ((first, 1), (second, 2)):
        root, above, name = made.judged(one, generation)
        assert (root, above) == ("Ingam Demo Root CA 1", f"Ingam Demo CA{generation}")
        assert re.fullmatch(r"(first|second)\.ingam\.test", name)
    with pytest.raises(RevokedError):
        made.judged(revoked)
