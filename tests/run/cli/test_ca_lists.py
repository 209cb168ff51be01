"""`ingam ca crl` and `export`: what of an authority is published, and what everybody may have of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.run.cli import ca_hall
from tests.run.cli.ca_hall import FIELD, Place

from ingam.adapters.status import trust_file
from ingam.ca.publishing.publisher import Step
from ingam.protocols.log import keys as log_keys
from ingam.run.cli import ca_lists

LISTS = ["dp1p1", "issuing-1", "issuing-1-delta", "root-1"]


def states(place: Place) -> dict[str, Any]:
    return {one["list"]: one["state"] for one in place.ask("crl")["lists"]}


def revoked(place: Place, name: str) -> str:
    """A published list, as openssl reads it."""
    path = str(place.folder / "published" / f"{name}.crl")
    words = ["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_lists_are_made_and_published_and_told_of(place: Place) -> None:
    assert states(place) == dict.fromkeys(LISTS, "never")
    serial = place.issue(240)
    place.run("revoke", "--serial", serial, "--reason", "superseded")
    told = place.ask("crl", "--now")["published"]
    assert {one["list"] for one in told if one["place"] == "folder"} == set(LISTS)
    assert states(place) == dict.fromkeys(LISTS, "current")
    for name in ("dp1p1", "issuing-1"):
        assert serial in revoked(place, name).lower()
    assert "No Revoked Certificates" in revoked(place, "root-1")
    first = {one["list"]: one["number"] for one in place.ask("crl")["lists"]}
    place.run("crl", "--now")
    assert all(one["number"] > first[one["list"]] for one in place.ask("crl")["lists"])
    assert "dp1p1" in place.run("crl")


def test_looking_opens_no_key(place: Place) -> None:
    place.patch.delenv("INGAM_CA_PASSPHRASE")
    assert set(states(place)) == set(LISTS)
    assert place.refused("crl", "--now", code=2)["code"] == "ca-passphrase-missing"


def test_a_list_that_did_not_reach_the_folder_is_not_called_current(place: Place) -> None:
    place.run("crl", "--now")
    (place.folder / "published" / "dp1p1.crl").unlink()
    assert states(place)["dp1p1"] == "behind"


def test_a_roots_list_waits_for_its_key(nowhere: Place, tmp_path: Path) -> None:
    apart = ("--root-keys", str(tmp_path / "stick"))
    assert ca_hall.found(nowhere.data, *apart) == 0
    nowhere.run("crl", "--now")
    assert states(nowhere)["root-1"] == "never"
    nowhere.run("crl", "--now", *apart)
    assert states(nowhere)["root-1"] == "current"


def test_another_publisher_at_work_is_waited_for_and_not_for_ever() -> None:
    class Busy:
        def __init__(self, times: int) -> None:
            self.times = times

        def publish_now(self, wanted: object) -> Step:
            self.times -= 1
            return Step((), None, busy=self.times >= 0)

    assert not ca_lists.published(Busy(1), set()).busy  # type: ignore[arg-type]  # as far as it is asked
    with pytest.raises(ca_lists.PublisherBusy):
        ca_lists.published(Busy(1 << 30), set(), seconds=0.0)  # type: ignore[arg-type]


def test_a_place_that_does_not_take_a_list_is_told(place: Place) -> None:
    (place.folder / "published").mkdir(exist_ok=True)
    for name in ("dp1p1.crl", "issuing-1.crl"):
        (place.folder / "published" / name).mkdir()
    told = place.run("crl", "--now", code=7)
    assert "ca-lists-unpublished" in told


# export


def test_the_trust_entry_is_what_a_center_reads(nowhere: Place, tmp_path: Path) -> None:
    assert ca_hall.found(nowhere.data, "--responder-by-root", kinds=FIELD) == 0
    told = nowhere.ask("export", "--out", str(tmp_path / "trust"))
    authorities, _ = trust_file.read(tmp_path / "trust" / "authorities.toml")
    (one,) = authorities.by_fingerprint.values()
    assert one.name == "Ingam Demo CA1"
    assert one.root is not None and one.root.subject.value("CN") == "Ingam Demo Root CA 1"
    assert [responder.subject.value("CN") for responder in one.responders] == ["Ingam Demo CA1 OCSP"]
    assert (one.ocsp, one.crl) == ("http://ocsp.ingam.test/", "http://dir.ingam.test/{partition}.crl")
    assert one.root_list == "http://dir.ingam.test/root-1.crl"
    assert {row["file"] for row in told["files"]} == {path.name for path in (tmp_path / "trust").iterdir()}


def test_every_generation_in_force_is_in_it(nowhere: Place, tmp_path: Path) -> None:
    assert ca_hall.found(nowhere.data, "--responder-by-root", kinds=FIELD) == 0
    nowhere.run("roll-root")
    nowhere.run("roll-over")
    nowhere.run("export", "--out", str(tmp_path / "trust"))
    authorities, _ = trust_file.read(tmp_path / "trust" / "authorities.toml")
    assert len(authorities.by_fingerprint) == 2
    assert (tmp_path / "trust" / "ingam-root-2-by-1.der").exists()


def test_chains_lead_to_the_root_and_the_logs_key_reads(place: Place, tmp_path: Path) -> None:
    place.run("export", "--out", str(tmp_path / "out"))
    chain = tmp_path / "out" / "ingam-chain-1.pem"
    words = ["openssl", "verify", "-CAfile", str(chain), str(chain)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.endswith(": OK\n")
    assert log_keys.parse((tmp_path / "out" / "ingam-log.key").read_text().strip()).name == "ingam/log"


def test_a_responder_that_the_ca_itself_issued_is_no_centers_and_that_is_said(place: Place) -> None:
    told = place.run("export")
    assert "responders = []" in told
    assert "# ocsp-1 was issued by the CA itself" in told
    assert place.ask("export")["authorities_toml"] == told
    place.run("renew-responder", "--responder-by-root")
    assert 'responders = ["ingam-ocsp-1.der"]' in place.run("export")


def test_where_certificates_name_a_directory_only_the_status_service_has_the_lists(nowhere: Place) -> None:
    assert ca_hall.found(nowhere.data, "--preset", "signkorea") == 0
    told = nowhere.run("export")
    assert 'crl = "http://dir.signkorea.test/crl/{partition}.crl"' in told
    assert 'root_list = "http://dir.signkorea.test/crl/root-1.crl"' in told


def test_H4_nothing_of_a_person_and_nothing_secret_is_exported(place: Place, tmp_path: Path) -> None:
    with ca_hall.index(place):
        ca_hall.person(place, key=140)
    place.run("export", "--out", str(tmp_path / "out"))
    for path in (tmp_path / "out").iterdir():
        octets = path.read_bytes()
        assert "홍길동".encode() not in octets
        assert b"PRIVATE" not in octets


def test_the_same_export_again_is_fine_and_another_file_is_kept(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "out"
    place.run("export", "--out", str(out))
    place.run("export", "--out", str(out))
    (out / "ingam-log.key").write_text("another")
    assert place.refused("export", "--out", str(out), code=2) == {"code": "ca-file-exists", "name": "ingam-log.key"}
    assert (out / "ingam-log.key").read_text() == "another"
    assert place.refused("export", "--out", str(out / "ingam-log.key"), code=4)["code"] == "ca-file-unreadable"
