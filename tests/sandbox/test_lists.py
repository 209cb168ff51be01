"""Revocation lists of the other authorities through the sandbox, read by our relying party and by openssl."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.sandbox.conftest import Box

from ingam.kernel.errors import Outage
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.protocols import crl
from ingam.sandbox.authorities.houses import SIGNKOREA_4
from ingam.sandbox.samples import SAMPLES, Sample, sample


def trusted(box: Box, name: str) -> Certificate:
    return certificate.parse((box.trust / f"{name}.der").read_bytes())


def listed(box: Box, one: Sample, lowest: int = -1) -> crl.RevocationList:
    """As the center reads it: the certificate names the partition, the configuration the address."""
    partition = crl.partition_of(box.world.newest(one.slug).parsed)
    assert partition is not None and partition.startswith(one.ca.partition)
    answer = box.client.get(f"/dir/{one.ca.house.key}/crl/{partition}.crl")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pkix-crl"
    return crl.verify(
        crl.parse(answer.content),
        issuer=trusted(box, one.ca.key),
        partition=partition,
        lowest_number=lowest,
        at=box.clock.now(),
        max_age=timedelta(hours=24),
    )


@pytest.mark.parametrize("one", [one for one in SAMPLES if one.ca.configured], ids=lambda one: one.slug)
def test_a_partition_names_the_revoked_and_the_suspended(kept: Box, one: Sample) -> None:
    entry = listed(kept, one).entries.get(kept.world.newest(one.slug).serial)
    # What had expired before its house's first list was made was never to be on one.
    expected = {"revoke": "keyCompromise", "suspend": "certificateHold"}.get(one.act or "")
    if one.slug != "expired":
        assert (entry.reason if entry else None) == expected


def test_a_change_is_on_the_next_list_and_numbers_rise_with_it(box: Box) -> None:
    one = sample("securities")
    first, serial = listed(box, one), box.world.newest(one.slug).serial
    assert listed(box, one).number == first.number
    box.turn("certificate", one.slug, "suspend")
    box.until(lambda: serial in listed(box, one).entries)
    second = listed(box, one)
    assert second.number > first.number
    assert second.entries[serial].reason == "certificateHold"
    box.turn("certificate", one.slug, "release")
    box.until(lambda: serial not in listed(box, one).entries)
    assert listed(box, one).number > second.number


def test_a_house_has_several_lists_so_that_the_wrong_one_is_found_out(kept: Box) -> None:
    partitions = {crl.partition_of(kept.world.newest(one.slug).parsed) for one in SAMPLES if one.ca is SIGNKOREA_4}
    assert partitions == {"dp4p1", "dp4p2", "dp4p3"}


@pytest.mark.parametrize(
    ("position", "code"),
    [
        ("stale", "status-crl-stale"),
        ("wrong-signature", "status-crl-untrusted"),
        ("older-number", "status-crl-older"),
        ("other-partition", "status-crl-partition"),
        ("malformed", "status-crl-malformed"),
    ],
)
@pytest.mark.parametrize("slug", ["securities", "universal-signkorea", "universal-yessign", "tradesign-securities"])
def test_A12_every_wrong_list_has_a_code_of_its_own(box: Box, slug: str, position: str, code: str) -> None:
    one = sample(slug)
    seen = listed(box, one).number
    box.turn("list", one.ca.house.key, position)
    with pytest.raises(Outage) as caught:
        listed(box, one, seen)
    assert caught.value.code == code


def root_list(box: Box, name: str) -> crl.RevocationList:
    answer = box.client.get(f"/dir/rootca/{name}.arl")
    root = trusted(box, name)
    parsed = crl.parse(answer.content)
    return crl.verify(parsed, issuer=root, partition=None, lowest_number=-1, at=box.clock.now(), max_age=None)


def test_the_roots_list_names_revoked_authorities_and_lasts_two_weeks(box: Box) -> None:
    before = root_list(box, "root4")
    assert before.entries == {}
    assert before.next_update - before.this_update == timedelta(days=14)
    box.turn("certificate", "yessign-ca3", "revoke")
    box.turn("certificate", "signkorea-ca4-ocsp", "suspend")
    serials = {trusted(box, name).serial for name in ("yessign-ca3", "signkorea-ca4-ocsp")}
    box.until(lambda: set(root_list(box, "root4").entries) == serials)
    assert root_list(box, "root5").entries == {}
    box.turn("certificate", "signkorea-ca4-ocsp", "release")
    box.until(lambda: set(root_list(box, "root4").entries) == {trusted(box, "yessign-ca3").serial})


def test_a_directory_that_is_off_answers_with_an_error(box: Box) -> None:
    box.turn("list", "rootca", "off")
    assert box.client.get("/dir/rootca/root4.arl").status_code == 503
    assert box.client.get("/dir/signkorea/crl/dp4p1.crl").status_code == 200


@pytest.mark.parametrize(
    "path", ["signkorea/crl/dp3p1", "signkorea/crl/dp4p9", "signkorea/crl/dp9p1", "nobody/crl/dp4p1"]
)
def test_a_list_that_nobody_publishes_is_not_found(kept: Box, path: str) -> None:
    assert kept.client.get(f"/dir/{path}.crl").status_code == 404
    assert kept.client.get("/dir/rootca/rootx.arl").status_code == 404


@pytest.mark.parametrize(
    ("path", "issuer"),
    [
        ("/dir/signkorea/crl/dp4p2.crl", "signkorea-ca4"),
        ("/dir/signkorea/crl/dp5p1.crl", "signkorea-ca5"),
        ("/dir/kica/crl/dp6p1.crl", "kica-ca6"),
        ("/dir/rootca/root5.arl", "root5"),
    ],
)
def test_openssl_verifies_a_list(kept: Box, tmp_path: Path, path: str, issuer: str) -> None:
    (tmp_path / "list").write_bytes(kept.client.get(path).content)
    found = x509.load_der_x509_certificate(trusted(kept, issuer).der)
    (tmp_path / "issuer").write_bytes(found.public_bytes(Encoding.PEM))
    command = ["openssl", "crl", "-inform", "DER", "-in", "list", "-CAfile", "issuer", "-noout", "-text"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert "verify OK" in done.stderr.decode()
    assert "Issuing Distribution Point: critical" in done.stdout.decode() or "arl" in path
