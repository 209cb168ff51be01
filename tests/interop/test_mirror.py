"""Two machines: a status service without keys or books that follows the authority's own, and what it does alone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, ocsp
from tests.interop.openssl import server
from tests.interop.running import QUICK, Running, answers, fetch, until

from ingam.npki.certificate import Certificate

pytestmark = pytest.mark.xdist_group("interop")

FOLLOWED_S = 1.0
"""A revocation is on every other node within a second."""


@dataclass
class Machines:
    """`origin`: beside the books; `mirror`: elsewhere. `questions`: of the certificates that were asked about."""

    origin: Running
    mirror: Running
    questions: dict[int, bytes] = field(default_factory=dict)

    def said(self, at: Running, one: Certificate) -> str:
        """`GOOD`, `REVOKED`, or how it says that it cannot tell."""
        raw = self.questions.setdefault(one.serial, question(one, self.origin.holdings.issuing[1]))
        answer = ocsp.load_der_ocsp_response(fetch(at.ocsp, raw, "application/ocsp-request"))
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return answer.response_status.name
        return answer.certificate_status.name

    def reaches(self, one: Certificate, state: str) -> float:
        """Seconds until the mirror says so."""
        began = time.monotonic()
        until(lambda: self.said(self.mirror, one) == state, f"{state} at the mirror")
        return time.monotonic() - began


def question(one: Certificate, issuer: Certificate) -> bytes:
    """An OCSPRequest."""
    found, above = (load_der_x509_certificate(each.der) for each in (one, issuer))
    return ocsp.OCSPRequestBuilder().add_certificate(found, above, SHA256()).build().public_bytes(Encoding.DER)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """The origin founded; the mirror has what everybody may have of it, and the secret of the feed."""
    origin = Running(tmp_path_factory.mktemp("origin"), kinds=QUICK)
    origin.found()
    mirror = Running(tmp_path_factory.mktemp("mirror"), turn=1, INGAM_CA_MIRROR=origin.ocsp)
    shutil.copytree(origin.folder / "certificates", mirror.folder / "certificates")
    for name in ("authority.toml", "profiles.toml"):
        shutil.copy(origin.folder / name, mirror.folder)
    with mirror.process("va"):
        until(lambda: answers(f"{mirror.va}/healthz"), "the mirror is up")
        yield Machines(origin, mirror)


def test_what_is_revoked_at_the_origin_is_revoked_at_the_mirror_within_a_second(machines: Machines) -> None:
    one = server(machines.origin, "one")
    serial = ("--serial", f"{one.serial:x}")
    with machines.origin.processes("va"):
        machines.reaches(one, "GOOD")
        taken = []
        for command, state in (
            (("suspend",), "REVOKED"),
            (("resume",), "GOOD"),
            (("revoke", "--reason", "superseded"), "REVOKED"),
        ):
            machines.origin.cli(*command, *serial)
            taken.append(machines.reaches(one, state))
            assert machines.said(machines.origin, one) == state
    assert sorted(taken)[1] < FOLLOWED_S, taken


def test_a_mirror_that_lost_its_origin_says_that_it_cannot_tell_until_it_is_back(machines: Machines) -> None:
    one = server(machines.origin, "two")
    with machines.origin.processes("va"):
        machines.reaches(one, "GOOD")
    assert machines.reaches(one, "TRY_LATER") < 5
    machines.origin.cli("revoke", "--serial", f"{one.serial:x}", "--reason", "key-compromise")
    assert machines.said(machines.mirror, one) == "TRY_LATER"
    with machines.origin.processes("va"):
        machines.reaches(one, "REVOKED")


def test_a_mirror_has_neither_keys_nor_books(machines: Machines) -> None:
    found = {path.name for path in machines.mirror.folder.rglob("*")}
    assert not {one for one in found if one.endswith((".p8", ".db", ".keys"))}
