"""A root that stands above several authorities: founded alone, its key apart, its certificate in every folder below."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ca.ceremony.hall import NOW, PLAN, Hall, counted, quick

from ingam.ca import ceremony
from ingam.ca.ceremony import Above, CeremonyRefused, Keys, read_certificates
from ingam.ports.signing import KeyMissing

DAY = timedelta(days=1)
LONG_AGO = NOW - timedelta(days=365 * 6)


@dataclasses.dataclass
class Below(Hall):
    """An authority below a root of another folder. `root`: that folder."""

    root: Path = Path()

    def keys(self, folder: Path | None = None) -> Keys:
        return Keys(Hall(self.root).keys().root, super().keys(folder).others)


def root(folder: Path, number: int = 1, at: timedelta = timedelta(0)) -> Above:
    hall = Hall(folder, first=10 + number)
    ceremony.found_root(
        folder, quick("signkorea"), hall.keys, PLAN, LONG_AGO - at, counted(1_000 * number), number=number
    )
    return Above(number, read_certificates(folder).roots[number])


def below(folder: Path, above: Above, key: str = "signkorea", **changes: object) -> Below:
    plan = dataclasses.replace(PLAN, above=above, responder_by_root=True)
    return Below(folder / key, quick(key, **changes), plan, root=folder / f"root-{above.number}")


def test_a_root_founded_alone_is_its_certificate_its_key_and_a_record(tmp_path: Path) -> None:
    found = root(tmp_path / "root-1")
    assert found.certificate.self_issued
    held = read_certificates(tmp_path / "root-1")
    assert (held.issuing, held.services, held.log) == ({}, (), None)
    assert [path.name for path in (tmp_path / "root-1" / "keys").iterdir()] == ["root-1.p8"]
    (record,) = (tmp_path / "root-1" / "ceremony").glob("*.txt")
    assert "최상위 인증기관 키 생성 기록" in record.read_text(encoding="utf-8")


def test_two_authorities_stand_below_one_root_and_have_no_key_of_it(tmp_path: Path) -> None:
    above = root(tmp_path / "root-1")
    for key in ("signkorea", "kica"):
        hall = below(tmp_path, above, key)
        made = hall.found(LONG_AGO).made
        assert made[0].certificate == hall.holdings.roots[1] == above.certificate
        assert hall.holdings.root_of(1) == 1
        assert hall.holdings.service("ocsp", 1, NOW).certificate.issuer.raw == above.certificate.subject.raw
        assert not (hall.folder / "keys" / "root-1.p8").exists()
        assert hall.openssl_verifies("issuing-1", root="root-1", below=(), at=NOW).endswith(": OK")


def test_the_next_generation_may_stand_below_another_root(tmp_path: Path) -> None:
    first, second = root(tmp_path / "root-1"), root(tmp_path / "root-2", 2)
    hall = below(tmp_path, first)
    hall.found(LONG_AGO)
    later = dataclasses.replace(below(tmp_path, second, path_length=None), first=3)
    later.roll_over(NOW)
    held = hall.holdings
    assert [held.root_of(generation) for generation in (1, 2)] == [1, 2]
    assert held.service("ocsp", 2, NOW).name == "ocsp-2"
    assert held.issuing[2].basic_constraints is not None and held.issuing[2].basic_constraints.path_len is None
    for generation in (1, 2):
        told = hall.openssl_verifies(f"issuing-{generation}", root=f"root-{generation}", below=(), at=NOW + DAY)
        assert told.endswith(": OK"), told


def test_an_authority_that_would_outlive_the_root_above_it_is_not_founded(tmp_path: Path) -> None:
    hall = below(tmp_path, root(tmp_path / "root-1", at=timedelta(days=365 * 11)))
    with pytest.raises(CeremonyRefused) as refused:
        hall.found(LONG_AGO)
    assert refused.value.facts == {"reason": "root-ends"}
    assert not hall.folder.exists()


def test_a_key_that_is_not_the_roots_founds_nothing(tmp_path: Path) -> None:
    above, other = root(tmp_path / "root-1"), root(tmp_path / "other")
    assert above.certificate.spki != other.certificate.spki
    hall = below(tmp_path, above)
    hall.root = tmp_path / "other"
    with pytest.raises(CeremonyRefused) as refused:
        hall.found(LONG_AGO)
    assert refused.value.facts == {"reason": "key-of-another"}
    hall.root = tmp_path / "nowhere"
    with pytest.raises(KeyMissing):
        hall.found(LONG_AGO)
    assert not hall.folder.exists()
