"""The record: every fingerprint, nothing secret, nothing forged, nothing overwritten."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.hsm.places import PASSPHRASE
from tests.ca.ceremony.hall import NOW, PLAN, Hall

from ingam.ca.ceremony import CeremonyRefused, Participant, Places, Plan
from ingam.npki import certificate as certificates


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    found = Hall(tmp_path / "demo")
    found.found()
    return found


def grouped(octets: bytes, name: str) -> str:
    digest = hashlib.new(name, octets).hexdigest()
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))


def test_it_holds_the_fingerprints_of_every_certificate_and_key(hall: Hall) -> None:
    text = (hall.folder / "ceremony" / "20261126T072031Z.txt").read_text(encoding="utf-8")
    facts = json.loads((hall.folder / "ceremony" / "20261126T072031Z.json").read_text(encoding="utf-8"))
    ders = {path.stem: path.read_bytes() for path in (hall.folder / "certificates").glob("*.der")}
    told = {one["name"]: one for one in facts["certificates"]}
    assert set(told) == set(ders) == {"root-1", "issuing-1", "ocsp-1", "encryption-1", "cmp-1"}
    keys = {one["name"]: one for one in facts["keys"]}
    assert set(keys) == {*ders, "log-1"}
    for name, der in ders.items():
        found = certificates.parse(der)
        assert told[name]["serial"] == f"{found.serial:x}"
        for octets, where, prefix in ((der, told, ""), (found.spki, told, "spki_"), (found.spki, keys, "spki_")):
            for digest in ("sha256", "sha1"):
                assert where[name][prefix + digest] == hashlib.new(digest, octets).hexdigest()
                assert grouped(octets, digest) in text
        assert f"{found.serial:x}" in text
    assert keys["log-1"]["spki_sha256"] == hashlib.sha256(hall.holdings.log or b"").hexdigest()
    assert facts["log_key"].startswith("log.ingam.test/demo+")


def test_it_says_when_before_whom_where_and_with_what(hall: Hall) -> None:
    text = (hall.folder / "ceremony" / "20261126T072031Z.txt").read_text(encoding="utf-8")
    for said in (
        "2026-11-26 16:20:31 KST = 2026-11-26T07:20:31Z", "홍길동 (operator)", "김영희 (witness)", "encrypted files",
        "ingam 0.1.0", "$ openssl version", "OpenSSL of the day", "인감 시연 인증기관", "p-256", "rsa-2048",
    ):  # fmt: skip
        assert said in text
    assert max(map(len, text.splitlines())) <= 120


def test_H1_nothing_secret_is_in_it_or_in_clear_anywhere_in_the_folder(hall: Hall) -> None:
    secret = PASSPHRASE.reveal().encode()
    loaded = hall.keys()
    for path in hall.folder.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes()
            assert b"PRIVATE KEY" not in path.read_bytes()
    loaded.close()
    for path in (hall.folder / "ceremony").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_never_overwritten(hall: Hall) -> None:
    place = hall.folder / "ceremony"
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    for _ in range(2):
        hall.renew(NOW)
    after = {path.name: path.read_bytes() for path in place.iterdir()}
    assert {name: after[name] for name in before} == before
    assert sorted(after) == sorted(f"20261126T072031Z{n}.{end}" for n in ("", "-2", "-3") for end in ("json", "txt"))


@pytest.mark.parametrize(
    ("reason", "changes"),
    [("participant", {"participants": ()}),
     ("participant", {"participants": (Participant("홍길동\n서명 Signature 김영희", "operator"),)}),
     ("participant", {"participants": (Participant("", "operator"),)}),
     ("participant", {"participants": (Participant("홍길동", "\u202ewitness"),)}),
     ("place", {"places": Places("x" * 201, "files")}),
     ("software", {"software": {"ingam": "0.1\x1b[2J"}}),
     ("tool", {"tools": {"openssl\nversion": "3"}}),
     ("tool", {"tools": {"openssl": "\x1b[2J"}}),
     ("tool", {"tools": {"openssl": "x" * 20_001}})],
)  # fmt: skip
def test_text_that_could_forge_it_is_refused(reason: str, changes: dict[str, object]) -> None:
    with pytest.raises(CeremonyRefused) as refused:
        dataclasses.replace(PLAN, **changes)  # type: ignore[arg-type]  # by keyword
    assert refused.value.facts == {"reason": reason}


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_taken_stays_on_its_line(name: str, role: str) -> None:
    try:
        plan = Plan((Participant(name, role),), PLAN.places, PLAN.software)
    except CeremonyRefused:
        return
    assert len(f"{plan.participants[0].name} ({plan.participants[0].role})".splitlines()) == 1
