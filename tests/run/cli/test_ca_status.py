"""`ingam ca status`: counts, one certificate with its history, a person's certificates by the number alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.run.cli import ca_hall
from tests.run.cli.ca_hall import IDN, Place

from ingam.npki import certificate


@pytest.fixture
def indexed(place: Place) -> Iterator[Place]:
    with ca_hall.index(place):
        yield place


def test_states_are_counted_and_the_newest_come_first(place: Place) -> None:
    first, second = place.issue(230), place.issue(231)
    place.run("suspend", "--serial", first)
    place.run("revoke", "--serial", second, "--reason", "superseded")
    told = place.ask("status")
    assert told["counts"] == {"valid": 2, "pending": 0, "held": 1, "revoked": 1, "expired": 0}
    assert [one["serial"] for one in told["newest"]][:2] == [second, first]
    assert [one["state"] for one in told["newest"]][:2] == ["revoked", "held"]
    assert len(place.ask("status", "--newest", "1")["newest"]) == 1
    assert place.ask("status", "--newest", "0")["newest"] == []
    assert [one["certificate"] for one in told["own"]] == ["root-1", "issuing-1", "ocsp-1", "encryption-1", "cmp-1"]
    assert (told["log"]["leaves"], told["log"]["signed"]) == (6, 0)
    shown = place.run("status")
    assert re.search(r"효력정지 · held +1\n", shown) and first in shown


def test_looking_needs_no_passphrase(place: Place) -> None:
    place.patch.delenv("INGAM_CA_PASSPHRASE")
    assert place.ask("status")["authority"] == "ingam"
    assert not (place.data / "ca" / "ingam.passphrase").exists()


def test_one_certificate_is_shown_in_full_with_its_history(place: Place) -> None:
    serial = place.issue(232)
    place.run("suspend", "--serial", serial)
    place.run("resume", "--serial", serial)
    place.run("revoke", "--serial", serial, "--reason", "keyCompromise")
    told = place.ask("status", "--serial", serial)
    assert [one["state"] for one in told["history"]] == ["issued", "held", "released", "revoked"]
    assert (told["reason"], told["list"], told["profile"]) == ("keyCompromise", "dp1p1", "server")
    assert "CN=h232.ingam.test" in told["name"]
    shown = place.run("status", "--serial", serial)
    assert "폐지 · revoked" in shown and "keyCompromise" in shown
    assert place.refused("status", "--serial", "1")["code"] == "ca-certificate-unknown"


def test_an_unchanged_certificate_has_the_history_of_its_issue(place: Place) -> None:
    assert [one["state"] for one in place.ask("status", "--serial", place.issue(233))["history"]] == ["issued"]


def test_H2_a_persons_certificates_are_found_by_the_number_alone_and_names_are_masked(indexed: Place) -> None:
    serial = ca_hall.person(indexed, key=130)
    other = ca_hall.person(indexed, key=131, name="김증권", idn="8203152000002")
    told = indexed.ask("status", "--person-idn", "-", typed="751005-1000001\n")
    assert [(one["serial"], one["name"]) for one in told["certificates"]] == [(serial, "홍*동")]
    for words, typed in ((("status",), ""), (("status", "--serial", serial), ""), (("status", "--serial", other), ""),
                         (("status", "--person-idn", "-"), f"{IDN}\n")):  # fmt: skip
        for shown in (indexed.run(*words, typed=typed), indexed.run(*words, "--json", typed=typed)):
            assert not re.search(f"홍길동|김증권|{IDN}|8203152000002", shown)
    assert "김*권" in indexed.run("status")


def test_H2_who_looks_at_a_persons_certificate_is_audited(indexed: Place) -> None:
    serial = ca_hall.person(indexed, key=132)
    indexed.run("status", "--serial", serial)
    indexed.run("status", "--person-idn", "-", typed=f"{IDN}\n")
    indexed.run("status", "--serial", indexed.issue(234))
    first, second = indexed.audit("look")
    assert serial in first and '"asked": "serial"' in first
    assert serial in second and '"asked": "person"' in second
    assert IDN not in first + second


def test_somebody_without_a_certificate(indexed: Place) -> None:
    assert indexed.refused("status", "--person-idn", "-", typed="9001011000009\n")["code"] == "ca-person-unknown"
    assert indexed.refused("status", "--person-idn", "-", code=2)["code"] == "ca-input-missing"


def test_a_superseded_certificate_is_the_older_one(indexed: Place) -> None:
    first, second = ca_hall.person(indexed, key=133), ca_hall.person(indexed, key=134)
    told = indexed.ask("status", "--person-idn", "-", typed=f"{IDN}\n")["certificates"]
    assert [(one["serial"], one["state"]) for one in told] == [(second, "valid"), (first, "revoked")]
    assert indexed.ask("status", "--serial", first)["reason"] == "superseded"


def test_the_authoritys_own_certificates_are_those_of_its_folder(place: Place) -> None:
    own = {one["certificate"]: one["serial"] for one in place.ask("status")["own"]}
    for name, serial in own.items():
        found = certificate.parse((place.folder / "certificates" / f"{name}.der").read_bytes())
        assert f"{found.serial:x}" == serial
