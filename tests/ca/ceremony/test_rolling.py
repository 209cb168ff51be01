"""Generations that follow each other: both valid at once, roots that certify each other, responders renewed."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ca.ceremony.hall import NOW, Hall, quick

from ingam.ca.ceremony import CeremonyRefused, HoldingsMissing, KeysLeftOver
from ingam.npki.signature import KeyKind, public_key, verify
from ingam.ports.signing import KeyMissing

DAY = timedelta(days=1)
YEARS_8 = NOW + timedelta(days=365 * 8)
YEARS_15 = NOW + timedelta(days=365 * 15)


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    found = Hall(tmp_path / "demo")
    found.found()
    return found


def verifies(hall: Hall, name: str, root: str, *below: str) -> bool:
    found = hall.openssl_verifies(name, root=root, below=below, at=YEARS_8 + DAY)
    return found.endswith(": OK")


def test_both_generations_are_valid_at_once_and_each_has_services_of_its_own(hall: Hall) -> None:
    hall.roll_over(YEARS_8)
    held, at = hall.holdings, YEARS_8 + DAY
    assert set(held.issuing) == {1, 2}
    assert [held.root_of(one) for one in (1, 2)] == [1, 1]
    assert held.issuing[1].not_after > at
    assert held.issuing[1].subject.raw != held.issuing[2].subject.raw
    assert [held.service("cmp", one, at).name for one in (1, 2)] == ["cmp-1", "cmp-2"]
    assert [held.service("encryption", one, at).name for one in (1, 2)] == ["encryption-1", "encryption-2"]
    assert held.service("ocsp", 2, at).name == "ocsp-2"
    for generation in (1, 2):
        assert verifies(hall, f"cmp-{generation}", "root-1", f"issuing-{generation}")
        assert not verifies(hall, f"cmp-{generation}", "root-1", f"issuing-{3 - generation}")


def test_the_next_generation_of_the_fields_responders_is_told_by_its_name(hall: Hall) -> None:
    hall.plan = dataclasses.replace(hall.plan, responder_by_root=True)
    hall.roll_over(YEARS_8)
    hall.renew(YEARS_8, issuing=1, new_key=True)
    held, at = hall.holdings, YEARS_8 + DAY
    assert held.service("ocsp", 2, at).name == "ocsp-2"
    assert held.service("ocsp", 1, at).name == "ocsp-3"


def test_an_issuing_ca_that_would_outlive_its_root_needs_a_new_root_first(hall: Hall) -> None:
    before = sorted(hall.folder.rglob("*"))
    with pytest.raises(CeremonyRefused) as refused:
        hall.roll_over(YEARS_15)
    assert refused.value.facts == {"reason": "root-ends"}
    assert sorted(hall.folder.rglob("*")) == before
    hall.root_roll_over(YEARS_15)
    hall.roll_over(YEARS_15)
    assert hall.holdings.root_of(2) == 2


@pytest.fixture(params=["ingam", "signkorea"])
def two_roots(request: pytest.FixtureRequest, tmp_path: Path) -> Hall:
    """`ingam` numbers its roots in their names, `signkorea` keeps the name."""
    hall = Hall(tmp_path / "two", quick(request.param))
    hall.found()
    hall.root_roll_over(YEARS_8)
    hall.roll_over(YEARS_8)
    return hall


def test_who_trusts_one_root_verifies_the_other(two_roots: Hall) -> None:
    assert verifies(two_roots, "root-2-by-1", "root-1"), "newWithOld"
    assert verifies(two_roots, "root-1-by-2", "root-2"), "oldWithNew"
    assert not verifies(two_roots, "root-2-by-1", "root-2")
    held = two_roots.holdings
    assert set(held.cross) == {(2, 1), (1, 2)}
    old, old_with_new, new_with_old = held.roots[1], held.cross[1, 2], held.cross[2, 1]
    assert (old_with_new.not_before, old_with_new.not_after) == (old.not_before, old.not_after)
    assert (new_with_old.not_before, new_with_old.not_after) == (held.roots[2].not_before, old.not_after)
    assert (old_with_new.spki, new_with_old.spki) == (old.spki, held.roots[2].spki)
    assert (old_with_new.subject.raw, new_with_old.subject.raw) == (old.subject.raw, held.roots[2].subject.raw)


def test_what_each_root_issued_stays_valid_under_it(two_roots: Hall) -> None:
    assert [two_roots.holdings.root_of(one) for one in (1, 2)] == [1, 2]
    assert verifies(two_roots, "cmp-1", "root-1", "issuing-1")
    assert verifies(two_roots, "cmp-2", "root-2", "issuing-2")
    assert not verifies(two_roots, "cmp-2", "root-1", "issuing-2")


def test_a_path_through_a_cross_certificate_has_the_right_key_and_another_serial_than_the_field_names(
    two_roots: Hall,
) -> None:
    """OpenSSL compares the full authorityKeyIdentifier: the new root has to be adopted, not passed through."""
    held = two_roots.holdings
    cross, below = held.cross[2, 1], held.issuing[2]
    verify(public_key(cross.spki), below.signature_algorithm, below.signature, below.tbs)
    assert below.aki is not None
    assert below.aki.key_id == cross.ski
    assert below.aki.serial != cross.serial
    assert not verifies(two_roots, "cmp-2", "root-1", "issuing-2", "root-2-by-1")


def test_a_responder_is_renewed_under_its_key_and_what_stood_is_kept(hall: Hall) -> None:
    first = hall.holdings.service("ocsp", 1, NOW).certificate
    at = NOW + 60 * DAY
    hall.renew(at)
    second = hall.holdings.service("ocsp", 1, at).certificate
    assert hall.holdings.service("ocsp", 1, at).name == "ocsp-1"
    assert (second.spki, second.subject.raw) == (first.spki, first.subject.raw)
    assert second.serial != first.serial
    assert second.not_after == at.replace(microsecond=0) + 90 * DAY
    kept = hall.folder / "certificates" / "replaced" / f"ocsp-1-{first.serial:x}.der"
    assert kept.read_bytes() == first.der
    assert [path.name for path in (hall.folder / "certificates").glob(".*")] == []


def test_a_responder_may_get_a_new_key_and_both_stand_until_the_old_one_ends(hall: Hall) -> None:
    at = NOW + 60 * DAY
    hall.renew(at, new_key=True)
    assert [one.name for one in hall.holdings.services_of("ocsp", 1)] == ["ocsp-1", "ocsp-2"]
    assert hall.holdings.service("ocsp", 1, NOW + DAY).name == "ocsp-1"
    assert hall.holdings.service("ocsp", 1, at).name == "ocsp-2"


def test_a_responder_that_ended_is_no_service_and_can_still_be_renewed(hall: Hall) -> None:
    at = NOW + 91 * DAY
    with pytest.raises(HoldingsMissing):
        hall.holdings.service("ocsp", 1, at)
    hall.renew(at)
    assert hall.holdings.service("ocsp", 1, at).name == "ocsp-1"


def test_D12_a_responder_never_outlives_its_ca(hall: Hall) -> None:
    end = hall.holdings.issuing[1].not_after
    hall.renew(end - 5 * DAY)
    assert hall.holdings.service("ocsp", 1, end - DAY).certificate.not_after == end
    with pytest.raises(CeremonyRefused) as refused:
        hall.renew(end)
    assert refused.value.facts == {"reason": "issuing-ends"}


def test_a_key_that_is_not_its_certificates_signs_nothing(hall: Hall) -> None:
    path = hall.folder / "keys" / "issuing-1.p8"
    path.unlink()
    keys = hall.keys()
    keys.others.make("issuing-1", KeyKind.P_256)
    keys.close()
    with pytest.raises(CeremonyRefused) as refused:
        hall.renew(NOW + DAY)
    assert refused.value.facts == {"reason": "key-of-another"}


def test_without_the_root_key_there_is_no_next_generation_and_no_key_is_left(hall: Hall) -> None:
    (hall.folder / "keys" / "root-1.p8").unlink()
    with pytest.raises(KeyMissing):
        hall.roll_over(YEARS_8)
    assert sorted(path.stem for path in (hall.folder / "keys").iterdir()) == [
        "cmp-1", "encryption-1", "issuing-1", "log-1", "ocsp-1",
    ]  # fmt: skip


def test_keys_that_a_stopped_roll_over_left_are_named_and_used_only_when_told(hall: Hall) -> None:
    keys = hall.keys()
    left = keys.others.make("issuing-2", KeyKind.P_256).public
    keys.close()
    with pytest.raises(KeysLeftOver) as refused:
        hall.roll_over(YEARS_8)
    assert refused.value.facts == {"names": "issuing-2"}
    hall.plan = dataclasses.replace(hall.plan, reuse_keys=True)
    made = hall.roll_over(YEARS_8)
    assert hall.holdings.issuing[2].spki == left.spki
    assert "left over" in made.record.text()
