"""The first start makes a world once; later starts keep it; what is told of it is enough for the center."""

from __future__ import annotations

import dataclasses
import json
import secrets
import tomllib
from pathlib import Path

import pytest
from tests.sandbox.conftest import KEYS, ORIGIN, Box

from ingam.adapters.status import trust_file
from ingam.kernel.errors import Defect, Refusal
from ingam.npki import certificate
from ingam.run import sandbox
from ingam.sandbox import addresses
from ingam.sandbox.authorities.keys import FolderKeys, FreshKeys
from ingam.sandbox.founding import found
from ingam.settings import Settings


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_start_keeps_every_byte(box: Box) -> None:
    before = tree(box.settings.data / "sandbox" / "world"), tree(box.trust), tree(box.demo)
    sandbox.prepare(box.settings, lambda _: None, box.demo)
    assert (tree(box.settings.data / "sandbox" / "world"), tree(box.trust), tree(box.demo)) == before


def test_a_start_that_was_stopped_half_way_leaves_nothing_behind(box: Box, tmp_path: Path) -> None:
    folder = tmp_path / "other" / "world"

    def stop(made: int, _of: int) -> None:
        if made == 5:
            raise KeyboardInterrupt

    keys = FolderKeys(KEYS)
    with pytest.raises(KeyboardInterrupt):
        found(folder, keys, now=box.clock.now(), random=secrets.token_bytes, told=stop)
    assert not folder.exists()
    (tmp_path / "other" / "world.new" / "leftover").mkdir(parents=True)
    found(folder, keys, now=box.clock.now(), random=secrets.token_bytes, told=lambda _made, _of: None)
    assert sorted(path.name for path in folder.iterdir()) == ["authorities", "books.db", "demo"]


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
    folder = kept.settings.data / "sandbox" / "world" / "authorities"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("*.p8"))


def test_the_center_reads_the_trust_configuration(kept: Box) -> None:
    authorities, anchors = trust_file.read(kept.trust / "authorities.toml")
    names = {one.name for one in authorities.by_fingerprint.values()}
    assert names == {"SignKorea CA4 (sandbox)", "SignKorea CA5 (sandbox)", "yessignCA Class 3 (sandbox)"}
    assert len(anchors.roots) == 2
    for one in authorities.by_fingerprint.values():
        assert one.root is not None
        assert all(responder.issuer.key == one.root.subject.key for responder in one.responders)
    assert not (kept.trust / "stranger-ca4.der").exists()


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
    assert {"banking_id", "password", "kind", "name", "idn", "mobile", "home_phone", "email", "union_name"} == set(
        people[0]
    )


def test_G7_production_refuses_the_sandbox(tmp_path: Path) -> None:
    settings = dataclasses.replace(Settings(), mode="production", data=tmp_path)
    for start in (lambda: sandbox.prepare(settings, lambda _: None, tmp_path), lambda: sandbox.app(settings)):
        with pytest.raises(Refusal) as caught:
            start()
        assert caught.value.code == "sandbox-in-production"
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
