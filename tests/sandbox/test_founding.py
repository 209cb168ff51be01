"""The first start makes a world once; later starts keep it; what is told of it is enough for the center."""

from __future__ import annotations

import dataclasses
import json
import secrets
import sqlite3
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.sandbox.conftest import KEYS, ORIGIN, Box, copied, prepared

from ingam.adapters.status import trust_file
from ingam.ca.ceremony import read_certificates
from ingam.kernel.errors import Defect, Refusal
from ingam.npki import certificate
from ingam.run import demo_authority, houses, sandbox
from ingam.run.founding import found
from ingam.run.founding_houses import Foundry
from ingam.sandbox import addresses
from ingam.sandbox.authorities.houses import HOUSES, House
from ingam.sandbox.authorities.keys import FolderKeys, FreshKeys, Progress
from ingam.sandbox.samples import SAMPLES
from ingam.settings import Settings

PARTS = ["ca", "demo", "issued", "registrar", "stranger"]
PRODUCTION = {
    "INGAM_MODE": "production",
    "INGAM_CENTER_ORIGIN": "https://cert.example.test",
    "INGAM_VAULT_ORIGIN": "https://vault.example.test",
    "INGAM_RELAY_ORIGIN": "https://relay.example.test",
    "INGAM_SMS_KEY": "not-the-sandbox",
    "INGAM_ARS_KEY": "not-the-sandbox",
}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def silent(_made: int, _of: int) -> None:
    return


def founding(folder: Path, told: Progress = silent) -> None:
    settings = dataclasses.replace(Settings(), data=folder.parent)
    found(folder, settings, FolderKeys(KEYS), now=datetime.now(UTC), random=secrets.token_bytes, told=told)


def test_a_second_start_keeps_every_byte(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = prepared(copied(tmp_path_factory, tmp_path), monkeypatch)
    places = (sandbox.world_folder(settings), settings.data / "trust", tmp_path / "demo")
    before = [tree(place) for place in places]
    prepared(tmp_path, monkeypatch)
    assert [tree(place) for place in places] == before
    assert all(before)


def test_a_start_that_was_stopped_half_way_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "other" / "world"

    def stop(made: int, _of: int) -> None:
        if made == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        founding(folder, stop)
    assert not folder.exists()
    with monkeypatch.context() as patch:

        def fail(_self: Foundry, _house: House) -> None:
            raise OSError("the disk is full")

        patch.setattr(Foundry, "second_generation", fail)
        with pytest.raises(OSError, match="the disk is full"):
            founding(folder)
    assert not folder.exists()
    assert (tmp_path / "other" / "world.new" / "ca").exists()
    (tmp_path / "other" / "world.new" / "leftover").mkdir()
    founding(folder)
    assert sorted(path.name for path in folder.iterdir()) == PARTS
    assert not (tmp_path / "other" / "world.new").exists()


def test_a_world_of_an_earlier_form_is_moved_aside(tmp_path: Path) -> None:
    old = tmp_path / "world"
    (old / "authorities").mkdir(parents=True)
    (old / "authorities" / "root4.der").write_bytes(b"old")
    founding(old)
    assert sorted(path.name for path in old.iterdir()) == PARTS
    (aside,) = (path for path in tmp_path.iterdir() if path.name.startswith("world-"))
    assert (aside / "authorities" / "root4.der").read_bytes() == b"old"


def ages(kept: Box, house: str) -> list[tuple[float, float]]:
    """Of a house's CAs: years since it began and until it ends."""
    held = read_certificates(sandbox.world_folder(kept.settings) / "ca" / house)
    now = kept.clock.now()
    return [
        ((now - one.not_before).days / 365.25, (one.not_after - now).days / 365.25) for one in held.issuing.values()
    ]


def test_houses_were_founded_years_ago_and_signkorea_went_on_to_its_next_generation(kept: Box) -> None:
    for house in HOUSES:
        first, *later = ages(kept, house.key)
        assert 6 < first[0] < 6.5 and 3.5 < first[1] < 4
        assert len(later) == (1 if house.key == "signkorea" else 0)
    newest = ages(kept, "signkorea")[1]
    assert 0.5 < newest[0] < 0.7 and 9 < newest[1] < 9.5
    authority = kept.world.authority
    assert authority("signkorea-ca4").public_key.n.bit_length() == 2048
    assert authority("signkorea-ca5").public_key.n.bit_length() == 3072
    constraints = authority("signkorea-ca5").basic_constraints
    assert constraints is not None and constraints.path_len is None
    assert authority("signkorea-ca5").issuer.value("CN") == "KISA RootCA 5 (sandbox)"
    assert (
        authority("kica-ca6").issuer.value("CN") == authority("root4").subject.value("CN") == "KISA RootCA 4 (sandbox)"
    )


def test_responders_are_the_roots_for_as_long_as_their_ca_lives(kept: Box) -> None:
    for name, root in (("signkorea-ca4", "root4"), ("signkorea-ca5", "root5"), ("tradesign-ca4", "root4")):
        responder = kept.world.authority(f"{name}-ocsp")
        assert responder.issuer.raw == kept.world.authority(root).subject.raw
        assert responder.not_after == kept.world.authority(name).not_after
        assert responder.not_after - responder.not_before > timedelta(days=3650)


def test_houses_issued_at_the_instants_at_which_their_certificates_begin(kept: Box) -> None:
    world = sandbox.world_folder(kept.settings)
    for one in SAMPLES:
        if not one.by_house:
            continue
        found = kept.world.newest(one.slug).parsed
        with closing(sqlite3.connect(f"file:{world / 'ca' / one.ca.house.key / 'books.db'}?mode=ro", uri=True)) as db:
            row = db.execute(
                "SELECT issued_at, reference, profile FROM certificate WHERE ca = ? AND der = ?",
                (one.ca.generation, found.der),
            ).fetchone()
        assert row is not None and row[1] and row[2] == one.profile
        issued = datetime.fromtimestamp(row[0] / 1e6, UTC)
        assert found.not_before <= issued < found.not_before + timedelta(minutes=1)
        assert (kept.clock.now() - issued).days == one.age


def test_files_that_a_person_changed_in_the_demo_folder_stay(box: Box) -> None:
    mine = box.demo / "NPKI" / "SignKorea" / "mine.txt"
    mine.write_text("mine")
    sandbox.prepare(box.settings, lambda _: None, box.demo)
    assert mine.read_text() == "mine"


def test_another_world_takes_the_demo_folder_over(box: Box, tmp_path: Path) -> None:
    """Two data folders have different authorities; the demo folder never mixes their certificates."""
    other = dataclasses.replace(box.settings, data=tmp_path / "second")
    (box.demo / ".world").write_text("somebody else's")
    sandbox.prepare(other, lambda _: None, box.demo)
    laid_out = {name for name in tree(box.demo) if name.endswith("signCert.der")}
    assert laid_out == {
        name for name in tree(other.data / "sandbox" / "world" / "demo") if name.endswith("signCert.der")
    }


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGAM_SANDBOX_KEYS", str(KEYS))
    told: list[str] = []
    sandbox.prepare(dataclasses.replace(Settings(), data=tmp_path), told.append, tmp_path / "demo")
    assert "1/" in told[0]
    assert len(told) >= 3


def test_keys_are_kept_where_only_their_owner_reads_them(kept: Box) -> None:
    folder = sandbox.world_folder(kept.settings)
    assert folder.stat().st_mode & 0o077 == 0
    keys = [*folder.rglob("*.p8"), *folder.rglob("*.passphrase"), *folder.rglob("*.keys"), *folder.rglob("index.key")]
    assert len(keys) > 40
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)
    assert len(list((folder / "ca").glob("*/keys/root-*.p8"))) == 2  # each root's key lies with the root alone


def test_the_center_reads_the_trust_configuration(kept: Box) -> None:
    authorities, anchors = trust_file.read(kept.trust / "authorities.toml")
    names = {one.name for one in authorities.by_fingerprint.values()}
    assert names == {
        "SignKorea CA4 (sandbox)", "SignKorea CA5 (sandbox)", "yessignCA Class 3 (sandbox)", "signGATE CA6 (sandbox)",
        "CrossCertCA4 (sandbox)", "TradeSignCA4 (sandbox)",
    }  # fmt: skip
    assert len(anchors.roots) == 2
    for one in authorities.by_fingerprint.values():
        assert one.root is not None
        assert all(responder.issuer.key == one.root.subject.key for responder in one.responders)
    assert not (kept.trust / "stranger-ca4.der").exists()


def test_our_own_demo_authority_is_trusted_where_there_is_one(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = prepared(copied(tmp_path_factory, tmp_path), monkeypatch)
    demo_authority.prepare(settings, lambda _: None)
    sandbox.prepare(settings, lambda _: None, tmp_path / "demo")
    authorities, anchors = trust_file.read(settings.data / "trust" / "authorities.toml")
    (one,) = (found for found in authorities.by_fingerprint.values() if found.name == "Ingam Demo CA1")
    assert one.responders[0].subject.value("CN") == "Ingam Demo CA1 OCSP"
    assert (one.ocsp, one.crl) == ("http://ocsp.ingam.test/", "http://dir.ingam.test/crl/{partition}.crl")
    assert anchors.authorities_named(one.certificate.subject)


def test_every_address_of_the_configuration_is_mapped_to_the_sandbox(kept: Box) -> None:
    mapped = addresses(ORIGIN)
    rows = tomllib.loads((kept.trust / "authorities.toml").read_text())["issuing"]
    for row in rows:
        for kind in ("ocsp", "crl", "root_list"):
            host = row[kind].split("/")[2]
            assert host.endswith(".test")
            assert mapped[host].startswith(ORIGIN)
    assert mapped["sms.aligo.test"] == f"{ORIGIN}/aligo"


def test_what_is_told_of_the_demo_leads_to_its_files(kept: Box) -> None:
    told = json.loads((kept.settings.data / "sandbox" / "demo.json").read_text())
    assert {one["banking_id"] for one in told["people"]} >= {one["banking_id"] for one in told["certificates"]}
    for one in told["certificates"]:
        assert certificate.parse((Path(one["folder"]) / "signCert.der").read_bytes()).policy_oid == one["policy"]
        assert one["pfx"] is None or Path(one["pfx"]).is_file()
    people = json.loads((kept.settings.data / "sandbox" / "people.json").read_text())
    assert {"banking_id", "password", "kind", "name", "idn", "mobile", "home_phone", "third_phone", "email"} | {
        "union_name"
    } == set(people[0])


def test_G7_production_refuses_the_sandbox(tmp_path: Path) -> None:
    settings = dataclasses.replace(Settings(), mode="production", data=tmp_path)
    for start in (lambda: sandbox.prepare(settings, lambda _: None, tmp_path), lambda: sandbox.app(settings)):
        with pytest.raises(Refusal) as caught:
            start()
        assert caught.value.code == "sandbox-in-production"
    assert list(tmp_path.iterdir()) == []


def test_G7_production_refuses_the_houses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**PRODUCTION, "INGAM_DATA": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert houses.main([]) == 2
    assert "sandbox-in-production" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_test_keys_is_our_defect(tmp_path: Path) -> None:
    with pytest.raises(Defect) as caught:
        FolderKeys(tmp_path).make(2048)
    assert caught.value.code == "sandbox-no-test-keys"


def test_fresh_keys_are_what_a_demo_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INGAM_SANDBOX_KEYS", raising=False)
    assert isinstance(sandbox.key_source(), FreshKeys)


def test_each_data_folder_has_a_demo_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INGAM_DEMO", raising=False)
    settings = dataclasses.replace(Settings(), data=tmp_path / "data")
    assert sandbox.demo_folder(settings) == tmp_path / "demo"
    assert sandbox.demo_folder(dataclasses.replace(settings, data=tmp_path / "other")) == tmp_path / "other" / "demo"
    monkeypatch.setenv("INGAM_DEMO", str(tmp_path / "chosen"))
    assert sandbox.demo_folder(settings) == tmp_path / "chosen"
