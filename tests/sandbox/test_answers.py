"""OCSP answers of the other authorities through the sandbox, read by our relying party, cryptography and openssl."""

from __future__ import annotations

import base64
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as x509_ocsp
from tests.sandbox.conftest import ORIGIN, Box

from ingam.kernel.errors import Outage
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.protocols import ocsp
from ingam.sandbox.samples import SAMPLES, Sample, sample

NONCE = bytes(range(32))


def person(box: Box, slug: str) -> Certificate:
    return box.world.newest(slug).parsed


def trusted(box: Box, name: str) -> Certificate:
    return certificate.parse((box.trust / f"{name}.der").read_bytes())


def ask(box: Box, one: Sample) -> ocsp.CertStatus:
    """As the center asks."""
    issuer, holder = trusted(box, one.ca.key), person(box, one.slug)
    question = ocsp.request(ocsp.cert_id(holder, issuer), NONCE)
    answer = box.client.post(f"/ocsp/{one.ca.house.key}/", content=question)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/ocsp-response"
    responders = (trusted(box, one.ca.responder),)
    return ocsp.verify(
        ocsp.parse(answer.content),
        person=holder,
        issuer=issuer,
        responders=responders,
        nonce=NONCE,
        at=box.clock.now(),
    )


@pytest.mark.parametrize("one", [one for one in SAMPLES if one.ca.configured], ids=lambda one: one.slug)
def test_the_center_reads_what_became_of_every_demo_certificate(kept: Box, one: Sample) -> None:
    found = ask(kept, one)
    reason = {"revoke": "keyCompromise", "suspend": "certificateHold", "supersede": "superseded"}.get(one.act or "")
    assert (found.status, found.reason) == (("revoked", reason) if reason else ("good", "unspecified"))


@pytest.mark.parametrize(
    ("position", "code"),
    [
        ("wrong-signer", "status-responder-untrusted"),
        ("old-answer", "status-stale"),
        ("other-nonce", "status-nonce-mismatch"),
        ("other-serial", "status-mismatch"),
        ("try-later", "status-try-later"),
        ("malformed", "status-malformed"),
    ],
)
@pytest.mark.parametrize(
    "slug", ["securities", "universal-signkorea", "universal-yessign", "revoked", "kica-securities"]
)
def test_A11_every_wrong_answer_has_a_code_of_its_own(box: Box, slug: str, position: str, code: str) -> None:
    one = sample(slug)
    box.turn("responder", one.ca.house.key, position)
    with pytest.raises(Outage) as caught:
        ask(box, one)
    assert caught.value.code == code
    box.turn("all", "", "normal")
    ask(box, one)


def test_a_responder_may_say_that_it_does_not_know(box: Box) -> None:
    box.turn("responder", "signkorea", "unknown")
    assert ask(box, sample("securities")).status == "unknown"


def test_a_responder_that_is_off_answers_with_an_error(box: Box) -> None:
    box.turn("responder", "yessign", "off")
    assert box.client.post("/ocsp/yessign/", content=b"x").status_code == 503
    assert ask(box, sample("securities")).status == "good"


def test_a_slow_responder_takes_its_time(box: Box) -> None:
    box.turn("slow", "seconds", "1")
    box.turn("responder", "signkorea", "slow")
    began = time.monotonic()
    assert ask(box, sample("securities")).status == "good"
    assert time.monotonic() - began >= 1


def test_suspending_releasing_and_revoking_show_at_once(box: Box) -> None:
    one = sample("securities")
    assert ask(box, one).status == "good"
    box.turn("certificate", one.slug, "suspend")
    assert ask(box, one).reason == "certificateHold"
    box.turn("certificate", one.slug, "release")
    assert ask(box, one).status == "good"
    box.turn("certificate", one.slug, "revoke")
    assert ask(box, one).reason == "keyCompromise"


@pytest.mark.parametrize("act", ["release", "suspend", "revoke"])
def test_what_is_revoked_stays_revoked_as_with_a_real_authority(box: Box, act: str) -> None:
    one = sample("revoked")
    given = {"kind": "certificate", "name": one.slug, "position": act}
    answer = box.client.post("/switches", json=given, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "certification-refused")
    assert ask(box, one).reason == "keyCompromise"


def test_a_revoked_authority_stays_revoked_too(box: Box) -> None:
    box.turn("certificate", "kica-ca6", "suspend")
    box.turn("certificate", "kica-ca6", "release")
    box.turn("certificate", "kica-ca6", "revoke")
    given = {"kind": "certificate", "name": "kica-ca6", "position": "release"}
    answer = box.client.post("/switches", json=given, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "ca-standing")
    shown = box.client.post("/switches", data=given, headers={"origin": ORIGIN, "accept": "text/html"})
    assert shown.status_code == 422 and "<html" in shown.text


def test_a_house_answers_for_what_it_signed_by_mistake_too(box: Box) -> None:
    one = sample("without-vid")
    assert ask(box, one).status == "good"
    box.turn("certificate", one.slug, "revoke")
    assert ask(box, one).reason == "keyCompromise"


def test_what_the_house_says_arrives_as_it_is(kept: Box) -> None:
    """Signed ahead once, and then the same bytes for everybody; caches are told for how long."""
    question = request_of(kept, sample("union-head"), SHA1())
    encoded = quote(base64.b64encode(question).decode(), safe="")
    first, second = (kept.client.get(f"/ocsp/signkorea/{encoded}") for _ in range(2))
    assert first.content == second.content == kept.client.post("/ocsp/signkorea", content=question).content
    assert "max-age=300" in first.headers["cache-control"]
    assert first.headers["etag"] == second.headers["etag"]


def request_of(box: Box, one: Sample, algorithm: HashAlgorithm) -> bytes:
    holder = x509.load_der_x509_certificate(person(box, one.slug).der)
    issuer = x509.load_der_x509_certificate(trusted(box, one.ca.key).der)
    builder = x509_ocsp.OCSPRequestBuilder().add_certificate(holder, issuer, algorithm)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256()], ids=["sha1", "sha256"])
def test_get_and_post_answer_requests_by_either_hash(kept: Box, algorithm: HashAlgorithm) -> None:
    question = request_of(kept, sample("universal-yessign"), algorithm)
    encoded = quote(base64.b64encode(question).decode(), safe="")
    answers = [kept.client.post("/ocsp/yessign", content=question), kept.client.get(f"/ocsp/yessign/{encoded}")]
    for answer in answers:
        found = x509_ocsp.load_der_ocsp_response(answer.content)
        assert found.certificate_status is x509_ocsp.OCSPCertStatus.GOOD
        assert isinstance(found.signature_hash_algorithm, SHA256)
        assert not list(found.extensions)  # no nonce was sent, none comes back


def test_instants_have_no_fraction_of_a_second(kept: Box) -> None:
    answer = kept.client.post("/ocsp/yessign", content=request_of(kept, sample("universal-yessign"), SHA1()))
    assert b"Z" in answer.content
    assert all(b"." not in part[-6:] for part in answer.content.split(b"Z") if part[-14:].isdigit())


@pytest.mark.parametrize("body", [b"", b"0", b"\x30\x03\x02\x01\x01"])
def test_what_is_no_request_is_answered_as_malformed(kept: Box, body: bytes) -> None:
    found = x509_ocsp.load_der_ocsp_response(kept.client.post("/ocsp/signkorea", content=body).content)
    assert found.response_status is x509_ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_another_houses_certificate_is_not_this_responders_business(kept: Box) -> None:
    question = request_of(kept, sample("securities"), SHA1())
    found = x509_ocsp.load_der_ocsp_response(kept.client.post("/ocsp/yessign", content=question).content)
    assert found.response_status is x509_ocsp.OCSPResponseStatus.UNAUTHORIZED
    assert kept.client.post("/ocsp/nobody", content=question).status_code == 404


def test_a_body_larger_than_any_request_is_refused_unread(kept: Box) -> None:
    assert kept.client.post("/ocsp/signkorea", content=b"0" * 65_537).status_code == 413


@pytest.mark.parametrize(("slug", "told"), [("securities", "good"), ("revoked", "revoked"), ("suspended", "revoked")])
def test_openssl_reads_and_verifies_an_answer(kept: Box, tmp_path: Path, slug: str, told: str) -> None:
    one = sample(slug)
    answer = kept.client.post(f"/ocsp/{one.ca.house.key}", content=request_of(kept, one, SHA1()))
    (tmp_path / "answer").write_bytes(answer.content)
    names = {"holder": person(kept, slug).der, "issuer": trusted(kept, one.ca.key).der}
    names |= {"root": trusted(kept, one.ca.root).der, "responder": trusted(kept, one.ca.responder).der}
    for name, content in names.items():
        (tmp_path / name).write_bytes(x509.load_der_x509_certificate(content).public_bytes(Encoding.PEM))
    command = ["openssl", "ocsp", "-respin", "answer", "-issuer", "issuer", "-cert", "holder", "-no_nonce"]
    command += ["-CAfile", "root", "-VAfile", "responder"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert "Response verify OK" in done.stderr.decode()
    assert f"holder: {told}" in done.stdout.decode()
