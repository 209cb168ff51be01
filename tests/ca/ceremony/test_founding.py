"""A new authority: its keys, the certificates that it makes for itself, and what OpenSSL says of them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.ca.ceremony.hall import NOW, QUICK, Hall, quick

from ingam.ca.ceremony import CeremonyRefused
from ingam.ca.profiles import PRESETS, preset
from ingam.npki import certificate as certificates
from ingam.npki.signature import KeyKind, public_key, verify

NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
DAY = timedelta(days=1)


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path / "ca" / "demo")


def later(years: int) -> datetime:
    return NOW.replace(year=NOW.year + years, microsecond=0)


def test_a_new_authority_has_a_root_an_issuing_ca_and_its_services(hall: Hall) -> None:
    hall.found()
    held = hall.holdings
    assert (set(held.roots), set(held.issuing), held.cross) == ({1}, {1}, {})
    assert [one.name for one in held.services] == ["ocsp-1", "encryption-1", "cmp-1"]
    assert held.root_of(1) == 1
    for use in ("ocsp", "encryption", "cmp"):
        assert held.service(use, 1, NOW + DAY).name == f"{use}-1"
    assert held.log == hall.keys().others.signer("log-1").public.spki
    assert sorted(path.name for path in hall.folder.iterdir()) == [
        "authority.toml", "ceremony", "certificates", "keys", "profiles.toml",
    ]  # fmt: skip


def test_the_default_is_rsa_3072_as_the_fields_current_generation(hall: Hall) -> None:
    hall.authority = preset("ingam")
    hall.found()
    held = hall.holdings
    assert [held.roots[1].public_key.bits, held.issuing[1].public_key.bits] == [3072, 3072]
    assert held.service("ocsp", 1, NOW).certificate.public_key.bits == 2048
    assert (
        hall.openssl_verifies("issuing-1", root="root-1", below=(), at=NOW + DAY) == "/certificates/issuing-1.pem: OK"
    )
    for name in ("ocsp-1", "encryption-1", "cmp-1"):
        found = hall.openssl_verifies(name, root="root-1", below=("issuing-1",), at=NOW + DAY)
        assert found == f"/certificates/{name}.pem: OK"


@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, KeyKind.P_256, KeyKind.P_384])
def test_other_kinds_can_be_chosen(hall: Hall, kind: KeyKind) -> None:
    hall.authority = quick(keys=dataclasses.replace(QUICK, root=kind, issuing=kind))
    hall.found()
    assert hall.openssl_verifies("cmp-1", root="root-1", below=("issuing-1",), at=NOW + DAY).endswith(": OK")


def test_with_key_files_ml_dsa_65_can_be_chosen(hall: Hall) -> None:
    hall.authority = quick(keys=dataclasses.replace(QUICK, root=KeyKind.ML_DSA_65, issuing=KeyKind.ML_DSA_65))
    hall.found()
    held = hall.holdings
    for above, below in ((held.roots[1], held.issuing[1]), (held.issuing[1], held.service("cmp", 1, NOW).certificate)):
        assert below.signature_algorithm == KeyKind.ML_DSA_65.algorithm
        verify(public_key(above.spki), below.signature_algorithm, below.signature, below.tbs)


@pytest.mark.parametrize("key", PRESETS)
@pytest.mark.parametrize("by_root", [False, True])
def test_every_authority_that_comes_with_ingam_can_be_founded(hall: Hall, key: str, by_root: bool) -> None:
    hall.authority = quick(key)
    hall.plan = dataclasses.replace(hall.plan, responder_by_root=by_root)
    hall.found()
    below = () if by_root else ("issuing-1",)
    found = hall.openssl_verifies("ocsp-1", root="root-1", below=below, at=NOW + DAY, purpose="ocsphelper")
    assert found == "/certificates/ocsp-1.pem: OK"


def test_it_is_valid_from_this_second_on_the_root_for_20_years_and_the_ca_for_10(hall: Hall) -> None:
    hall.found()
    root, issuing = hall.holdings.roots[1], hall.holdings.issuing[1]
    assert (root.not_before, root.not_after) == (NOW.replace(microsecond=0), later(20))
    assert (issuing.not_before, issuing.not_after) == (NOW.replace(microsecond=0), later(10))
    for use in ("encryption", "cmp"):
        assert hall.holdings.service(use, 1, NOW + DAY).certificate.not_after == later(10)


def test_an_authority_that_is_founded_on_a_29_february_ends_on_a_28th(hall: Hall) -> None:
    hall.authority = quick(issuing_years=9)
    hall.found(datetime(2028, 2, 29, tzinfo=UTC))
    assert hall.holdings.issuing[1].not_after == datetime(2037, 2, 28, tzinfo=UTC)


def test_D11_serials_have_127_random_bits_and_differ(hall: Hall) -> None:
    made = hall.found().made
    serials = [one.certificate.serial for one in made]
    assert len(set(serials)) == len(made)
    assert all(8 * 15 < serial.bit_length() <= 127 for serial in serials)


def test_D12_the_responder_has_a_key_of_its_own_nobody_to_ask_about_it_and_at_most_90_days(hall: Hall) -> None:
    hall.found()
    held = hall.holdings
    found = held.service("ocsp", 1, NOW + DAY).certificate
    assert found.issuer.raw == held.issuing[1].subject.raw
    assert found.not_after - found.not_before == timedelta(days=90)
    assert found.extension(NO_CHECK) is not None
    assert found.eku == (OCSP_SIGNING,)
    assert found.key_usage == frozenset(("digitalSignature",))
    assert found.spki not in (held.issuing[1].spki, held.roots[1].spki)


def test_a_responder_by_the_root_is_the_fields(hall: Hall) -> None:
    hall.plan = dataclasses.replace(hall.plan, responder_by_root=True)
    hall.found()
    held = hall.holdings
    found = held.service("ocsp", 1, NOW + DAY).certificate
    assert found.issuer.raw == held.roots[1].subject.raw
    assert found.extension(NO_CHECK) is None
    purpose = found.extension(certificates.EXTENDED_KEY_USAGE)
    assert purpose is not None
    assert purpose.critical
    assert found.not_after == held.issuing[1].not_after
    assert found.subject.value("O") == held.issuing[1].subject.value("O")


def test_D6_the_encryption_key_is_no_other_ones_and_its_certificate_allows_nothing_else(hall: Hall) -> None:
    made = hall.found().made
    keys = [one.certificate.spki for one in made] + [hall.holdings.log]
    assert len(set(keys)) == 6
    found = hall.holdings.service("encryption", 1, NOW).certificate
    assert found.key_usage == frozenset(("keyEncipherment",))
    assert found.eku is None


def test_who_signs_cmp_answers_says_so(hall: Hall) -> None:
    hall.found()
    found = hall.holdings.service("cmp", 1, NOW).certificate
    assert found.key_usage == frozenset(("digitalSignature",))
    assert found.eku == ("1.3.6.1.5.5.7.3.27",)


def test_an_issuing_ca_that_would_outlive_its_root_is_refused_before_a_key_is_made(hall: Hall) -> None:
    hall.authority = quick(issuing_years=21)
    with pytest.raises(CeremonyRefused) as refused:
        hall.found()
    assert refused.value.facts == {"reason": "root-ends"}
    assert not hall.folder.exists()
