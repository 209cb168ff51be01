"""`ingam ca init`, `roll-over`, `roll-root`, `renew-responder`, `ceremony`: as the people of a ceremony type them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.hsm.places import PIN, Token, module
from tests.run.cli import ca_hall
from tests.run.cli.ca_hall import PASSPHRASE, QUICK, Place

from ingam.ca.ceremony import read_certificates
from ingam.ca.profiles import ProfileRefused, load, preset_files
from ingam.ca.status import responders
from ingam.ca.status.responders import ResponderRefused
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.ports.books import State
from ingam.run.cli import ca_ceremony
from ingam.run.cli.ca import main
from ingam.wiring import authority

KINDS = [word for kind in QUICK for word in ("--key", kind)]


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def typing(place: Place, *lines: str) -> None:
    """A terminal at which somebody types passphrases."""
    told = iter(lines)
    place.patch.setattr("getpass.getpass", lambda prompt: next(told))
    place.patch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())


def test_a_new_authority_has_keys_certificates_a_record_and_books(nowhere: Place) -> None:
    told = nowhere.run("init", *KINDS, "--participant", "홍길동:operator", "--participant", "김영희:witness")
    files = names(nowhere.folder)
    assert {"authority.toml", "profiles.toml", "books.db"} <= files
    for name in ("root-1", "issuing-1", "ocsp-1", "encryption-1", "cmp-1"):
        assert {f"certificates/{name}.der", f"keys/{name}.p8"} <= files
        digest = hashlib.sha256((nowhere.folder / "certificates" / f"{name}.der").read_bytes()).hexdigest()
        assert digest in re.sub(r"\s", "", told)
    assert "홍길동 (operator)" in told and "김영희 (witness)" in told
    assert PASSPHRASE not in told


def test_the_certificates_of_its_services_stand_in_the_books(place: Place) -> None:
    held = read_certificates(place.folder)
    for service in held.services:
        if service.name.startswith("ocsp"):
            continue  # nobody asks about a responder (id-pkix-ocsp-nocheck)
        entry = place.book(f"{service.certificate.serial:x}")
        assert (entry.state, entry.der, entry.partition) == (State.VALID, service.certificate.der, 1)


def test_the_record_as_json(nowhere: Place) -> None:
    told = nowhere.ask("init", *KINDS, "--participant", "홍길동:operator")
    assert told["ceremony"] == "founding"
    assert [one["name"] for one in told["keys"]] == ["root-1", "issuing-1", "ocsp-1", "encryption-1", "cmp-1", "log-1"]
    assert told["participants"] == [{"name": "홍길동", "role": "operator"}]
    assert told["software"]["ingam"]


def test_an_authority_is_never_founded_twice(place: Place) -> None:
    before = {name: (place.folder / name).read_bytes() for name in names(place.folder)}
    assert place.refused("init", *KINDS)["code"] == "ceremony-exists"
    assert {name: (place.folder / name).read_bytes() for name in names(place.folder)} == before


def test_kinds_of_keys_are_chosen_and_stay_in_the_authoritys_file(nowhere: Place) -> None:
    nowhere.run("init", *KINDS, "--key", "issuing=p-384")
    assert read_certificates(nowhere.folder).issuing[1].signature_algorithm == KeyKind.P_256.algorithm
    authority = load(nowhere.folder / "authority.toml")
    assert (authority.keys.issuing, authority.keys.root) == (KeyKind.P_384, KeyKind.P_256)


def test_a_key_that_the_file_does_not_name_as_usual_is_refused(nowhere: Place) -> None:
    text = preset_files("ingam")["authority.toml"].replace('issuing = "rsa-3072"', "issuing = 'rsa-3072'")
    with pytest.raises(ProfileRefused):
        ca_ceremony.with_kinds(text, [("issuing", KeyKind.P_256)])


def test_an_authority_of_ones_own_comes_from_its_two_files(nowhere: Place, tmp_path: Path) -> None:
    files = preset_files("ingam")
    text = files["authority.toml"].replace('key = "ingam"', 'key = "mine"').replace("profiles.toml", "mine.toml")
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    (tmp_path / "p.toml").write_text(files["profiles.toml"], encoding="utf-8")
    words = ("--authority", str(tmp_path / "a.toml"), "--profiles", str(tmp_path / "p.toml"))
    nowhere.run("init", *words, *KINDS)
    assert load(nowhere.folder / "authority.toml").key == "mine"
    assert (nowhere.folder / "mine.toml").exists()


@pytest.mark.parametrize("text", ["[authority", "[authority]\n", '[authority]\nprofiles = "../x.toml"\n'])
def test_a_file_that_is_no_authority_makes_nothing(nowhere: Place, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    nowhere.refused("init", "--authority", str(tmp_path / "a.toml"), code=4)
    assert nowhere.refused("init", "--authority", str(tmp_path / "none.toml"), code=4) == {
        "code": "ca-file-unreadable", "name": "none.toml",
    }  # fmt: skip
    assert not nowhere.folder.exists()


def test_text_that_would_forge_lines_of_the_record_is_refused(nowhere: Place) -> None:
    told = nowhere.refused("init", *KINDS, "--participant", "a\nb:operator")
    assert told == {"code": "ceremony-refused", "reason": "participant"}
    assert not nowhere.folder.exists()


def test_the_roots_key_may_be_kept_apart_and_is_needed_to_roll_over(nowhere: Place, tmp_path: Path) -> None:
    apart, told = tmp_path / "stick", tmp_path / "told"
    told.write_text("another canary phrase\n")
    root = ("--root-keys", str(apart), "--root-passphrase-file", str(told))
    nowhere.run("init", *KINDS, *root)
    assert names(apart) == {"root-1.p8"}
    assert "keys/root-1.p8" not in names(nowhere.folder)
    assert nowhere.refused("roll-over", code=4) == {"code": "signing-key-missing", "name": "root-1"}
    assert nowhere.refused("roll-over", "--root-keys", str(apart), code=3)["code"] == "signing-keys-locked"
    nowhere.run("roll-over", *root)
    assert set(read_certificates(nowhere.folder).issuing) == {1, 2}


def test_another_passphrase_opens_nothing(place: Place) -> None:
    place.patch.setenv("INGAM_CA_PASSPHRASE", "canary: not this one")
    told = place.run("renew-responder", code=3)
    assert "signing-keys-locked" in told
    assert "canary" not in told


def test_a_passphrase_is_asked_twice_on_a_terminal(nowhere: Place) -> None:
    nowhere.patch.delenv("INGAM_CA_PASSPHRASE")
    typing(nowhere, "a long canary", "another canary")
    assert ca_hall.found(nowhere.data) == 2
    typing(nowhere, "short")
    assert ca_hall.found(nowhere.data) == 2
    assert not nowhere.folder.exists()
    typing(nowhere, "a long canary", "a long canary")
    assert ca_hall.found(nowhere.data) == 0
    assert nowhere.refused("crl", "--now", code=2)["code"] == "ca-passphrase-missing"
    typing(nowhere, "a long canary")
    assert main(["crl", "--now", "--data", str(nowhere.data)]) == 0


def test_a_demo_where_nobody_says_a_passphrase_makes_one_of_its_own(nowhere: Place) -> None:
    nowhere.patch.delenv("INGAM_CA_PASSPHRASE")
    nowhere.run("init", *KINDS)
    beside = nowhere.data / "ca" / "ingam.passphrase"
    assert beside.stat().st_mode & 0o077 == 0
    nowhere.run("crl", "--now")


def test_G7_production_founds_no_demo_makes_no_passphrase_and_keeps_no_key_in_a_file(
    nowhere: Place, tmp_path: Path
) -> None:
    nowhere.patch.setenv("INGAM_MODE", "production")
    nowhere.patch.setenv("INGAM_SMS_KEY", "canary")
    nowhere.patch.setenv("INGAM_ARS_KEY", "canary")
    for name in ("CENTER", "VAULT", "RELAY"):
        nowhere.patch.setenv(f"INGAM_{name}_ORIGIN", f"https://{name.lower()}.example.org")
    assert nowhere.refused("init")["code"] == "ca-demo-in-production"
    text = preset_files("ingam")["authority.toml"].replace("demo = true", "demo = false")
    (tmp_path / "authority.toml").write_text(text, encoding="utf-8")
    (tmp_path / "profiles.toml").write_text(preset_files("ingam")["profiles.toml"], encoding="utf-8")
    own = ("init", "--authority", str(tmp_path / "authority.toml"), *KINDS)
    assert nowhere.refused(*own, code=4) == {"code": "key-file-refused", "reason": "not-for-production"}
    nowhere.patch.delenv("INGAM_CA_PASSPHRASE")
    assert nowhere.refused(*own, code=2)["code"] == "ca-passphrase-missing"
    assert not nowhere.folder.exists()


def test_the_next_generation_issues_and_the_earlier_one_stays(place: Place) -> None:
    first = place.issue(201)
    told = place.ask("roll-over")
    assert told["ceremony"] == "roll-over"
    assert [one["name"] for one in told["certificates"]] == ["ocsp-2", "encryption-2", "cmp-2", "issuing-2"]
    second = place.issue(202)
    assert place.book(first, 1).state is place.book(second, 2).state is State.VALID
    held = read_certificates(place.folder)
    for name in ("cmp-2", "encryption-2"):
        service = next(one for one in held.services if one.name == name)
        assert place.book(f"{service.certificate.serial:x}", 2).state is State.VALID
    assert place.ask("revoke", "--serial", first, "--reason", "superseded")["ca"] == 1


def test_roots_follow_each_other(place: Place) -> None:
    assert place.ask("roll-root")["ceremony"] == "root-roll-over"
    held = read_certificates(place.folder)
    assert set(held.roots) == {1, 2}
    assert set(held.cross) == {(2, 1), (1, 2)}
    place.run("roll-over")
    assert [read_certificates(place.folder).root_of(number) for number in (1, 2)] == [1, 2]


def test_a_responder_is_renewed_by_whoever_issued_the_one_before(place: Place) -> None:
    held = read_certificates(place.folder)
    before = held.services_of("ocsp", 1)[-1].certificate
    place.run("renew-responder")
    after = read_certificates(place.folder).services_of("ocsp", 1)[-1].certificate
    assert (after.spki, after.issuer.raw) == (before.spki, held.issuing[1].subject.raw)
    assert after.serial != before.serial
    place.run("renew-responder", "--new-key", "--responder-by-root")
    by_root = read_certificates(place.folder).services_of("ocsp", 1)[-1]
    assert (by_root.name, by_root.certificate.issuer.raw) == ("ocsp-2", held.roots[1].subject.raw)
    place.run("renew-responder", "--ca", "1")
    newest = read_certificates(place.folder).services_of("ocsp", 1)[-1].certificate
    assert newest.issuer.raw == held.roots[1].subject.raw
    assert place.refused("renew-responder", "--ca", "7", code=4)["code"] == "ceremony-certificate-missing"


def test_records_are_listed_newest_first_and_shown_as_they_were_printed(place: Place) -> None:
    place.run("renew-responder")
    newest, first = place.ask("ceremony", "list")["records"]
    assert (newest["ceremony"], newest["made"]) == ("responder", ["ocsp-1"])
    assert first["ceremony"] == "founding"
    assert "root-1" in place.run("ceremony", "list")
    assert place.run("ceremony", "show") == (place.folder / "ceremony" / f"{newest['record']}.txt").read_text()
    assert place.ask("ceremony", "show", first["record"])["ceremony"] == "founding"
    assert place.refused("ceremony", "show", "../authority", code=4) == {"code": "ca-record-missing", "name": "-"}


def test_of_one_second_the_later_record_comes_first(place: Place) -> None:
    first = place.ask("ceremony", "list")["records"][0]["record"]
    kept = place.folder / "ceremony"
    for number in (2, 10):
        shutil.copy(kept / f"{first}.json", kept / f"{first}-{number}.json")
    listed = [one["record"] for one in place.ask("ceremony", "list")["records"]]
    assert listed == [f"{first}-10", f"{first}-2", first]


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    monkeypatch.setenv("INGAM_CA_PIN", PIN.reveal())
    yield Token.empty(tmp_path / "softhsm")


def test_keys_may_be_made_in_a_token_and_none_lies_in_a_file(nowhere: Place, token: Token) -> None:
    words = ("--pkcs11", str(module()), "--token", "ingam tests")
    told = nowhere.ask("init", *words, *KINDS)
    assert {one["place"] for one in told["keys"]} == {"PKCS#11 token 'ingam tests'"}
    assert not [name for name in names(nowhere.folder) if name.endswith(".p8")]
    assert PIN.reveal() not in json.dumps(told)
    root = certificate.parse((nowhere.folder / "certificates" / "root-1.der").read_bytes())
    assert root.signature_algorithm == KeyKind.P_256.algorithm


def test_only_what_is_asked_for_is_offered_at_a_prompt(place: Place) -> None:
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return PASSPHRASE

    place.patch.delenv("INGAM_CA_PASSPHRASE")
    place.patch.setattr("getpass.getpass", answer)
    place.patch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    assert main(["renew-responder", "--data", str(place.data)]) == 0
    assert len(asked) == 1


def test_a_generation_whose_responder_has_ended_does_not_silence_the_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.run("roll-over")
    judged = responders.responder

    def ended(own: Certificate, *rest: Any) -> Any:
        if own.issuer.raw == read_certificates(place.folder).issuing[1].subject.raw:
            raise ResponderRefused(reason="expired")
        return judged(own, *rest)

    monkeypatch.setattr(authority, "responder", ended)
    ports = authority.status_ports(place.settings())
    assert [one.ca for one in ports.generations.all] == [2]
    ports.close()
    monkeypatch.setattr(authority, "responder", lambda *_: (_ for _ in ()).throw(ResponderRefused(reason="expired")))
    with pytest.raises(ResponderRefused):
        authority.status_ports(place.settings())
