"""`ingam ca revoke`, `suspend`, `resume`; on behalf: operators, their keys, their statements (security D14, G1, G2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from tests.run.cli import ca_hall
from tests.run.cli.ca_hall import Place

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.sealed_keys import Cost
from ingam.ca.revoking.statement import Statement
from ingam.ports.books import State
from ingam.run.cli import ca_operators, ca_signing

PHRASE = "operator's canary"


class Team:
    """People with operator keys in files of their own: name → employee number."""

    def __init__(self, place: Place, **persons: str) -> None:
        self.place, self.persons = place, persons
        place.patch.setattr(ca_signing, "COST", Cost(2, 1, 1))
        for name in persons:
            self.place.run("operator", "key", "--out", self.key(name), "--passphrase-file", "-", typed=f"{PHRASE}\n")

    def key(self, name: str) -> str:
        return str(self.place.data / f"{name}.key")

    def told(self, name: str) -> list[str]:
        return ["--operator", f"{name}:{self.persons[name]}:{self.key(name)}.pub"]

    def found(self, *names: str) -> Team:
        """The first operators."""
        self.place.run("operator", "add", *[word for name in names for word in self.told(name)])
        return self

    def sign(self, text: Path, *names: str) -> list[str]:
        """`--signature` of each."""
        words = []
        for name in names:
            sign = ("sign", str(text), "--key", self.key(name), "--as", name, "--passphrase-file", "-")
            self.place.run(*sign, typed=f"{PHRASE}\n")
            words += ["--signature", f"{text}.{name}.sig"]
        return words


@pytest.fixture
def team(place: Place) -> Team:
    return Team(place, kim="10234", lee="20468", park="30702", kims="10234").found("kim", "lee")


def stated(place: Place, serial: str, name: str = "death.txt") -> Path:
    """A statement that a certificate is to end on behalf."""
    text = place.data / name
    words = ("--serial", serial, "--reason", "cessationOfOperation", "--basis", "death", "--out", str(text))
    place.run("statement", *words)
    return text


# One operator's acts


def test_a_certificate_is_suspended_resumed_and_revoked(place: Place) -> None:
    serial = place.issue(220)
    assert place.ask("suspend", "--serial", serial)["state"] == "held"
    assert place.ask("resume", "--serial", serial)["state"] == "valid"
    told = place.ask("revoke", "--serial", serial.upper(), "--reason", "key-compromise")
    assert (told["state"], told["reason"], told["serial"]) == ("revoked", "keyCompromise", serial)
    assert place.book(serial).state is State.REVOKED
    for words in (("suspend",), ("resume",), ("revoke", "--reason", "superseded")):
        assert place.refused(*words, "--serial", serial) == {"code": "ca-standing", "found": "revoked"}


def test_a_serial_that_was_never_issued_and_a_reason_that_is_none(place: Place) -> None:
    assert place.refused("revoke", "--serial", "12ab", "--reason", "superseded")["code"] == "ca-certificate-unknown"
    assert place.refused("suspend", "--serial", "12ab", "--ca", "3")["code"] == "ca-certificate-unknown"
    place.run("revoke", "--serial", "12ab", "--reason", "certificateHold", code=2)
    assert place.refused("revoke", "--serial", "12ab")["code"] == "ca-revocation-incomplete"
    told = place.refused("revoke", "--on-behalf", "--serial", "1", "--reason", "superseded")
    assert told["missing"] == "--basis, --out"


def test_status_changes_open_no_key_and_are_audited(place: Place) -> None:
    serial = place.issue(221)
    place.patch.delenv("INGAM_CA_PASSPHRASE")
    place.run("suspend", "--serial", serial)
    (line,) = place.audit("suspend-by-cli")
    assert serial in line


# Operators


def test_G1_the_first_operators_come_two_at_once(place: Place) -> None:
    team = Team(place, kim="10234", lee="20468", kims="10234")
    assert place.refused("operator", "add", *team.told("kim"))["code"] == "ca-operators-two"
    assert place.refused("operator", "add", *team.told("kim"), *team.told("kims"))["code"] == "ca-operators-two"
    assert "kim" not in place.run("operator", "list")
    team.found("kim", "lee")
    rows = place.ask("operator", "list")["operators"]
    assert [(one["name"], one["person"]) for one in rows] == [("kim", "10234"), ("lee", "20468")]
    assert (place.folder / ca_operators.FILE).stat().st_mode & 0o077 == 0
    assert [line.split()[0] for line in place.audit("operators")][-2:] == ["asked", "ok"]


def test_a_person_is_an_operator_once(place: Place) -> None:
    team = Team(place, kim="10234", lee="20468", kims="10234")
    words = [word for name in ("kim", "lee", "kims") for word in team.told(name)]
    assert place.refused("operator", "add", *words) == {"code": "ca-operators-refused", "part": "known"}


def test_an_operators_key_is_encrypted_for_its_owner_and_a_short_passphrase_is_refused(place: Place) -> None:
    team = Team(place, kim="10234")
    path = Path(team.key("kim"))
    assert path.stat().st_mode & 0o077 == 0
    assert PHRASE.encode() not in path.read_bytes()
    assert re.fullmatch(r"[0-9a-f]{64}\n", Path(f"{path}.pub").read_text())
    words = ("operator", "key", "--out", str(place.data / "short.key"), "--passphrase-file", "-")
    assert place.refused(*words, typed="short\n", code=2)["code"] == "ca-passphrase-short"
    assert place.refused(*words, typed="\n", code=2)["code"] == "ca-passphrase-missing"
    again = ("operator", "key", "--out", team.key("kim"), "--passphrase-file", "-")
    assert place.refused(*again, typed=f"{PHRASE}\n", code=2)["code"] == "ca-file-exists"


@pytest.mark.parametrize("key", ["ab" * 31, "xyz"])
def test_what_is_no_public_key_is_refused(place: Place, key: str) -> None:
    place.data.joinpath("xyz").write_text("not a key")
    words = ("--operator", f"kim:1:{place.data / key}", "--operator", f"lee:2:{'ab' * 32}")
    told = place.refused("operator", "add", *words, code=4 if len(key) > 3 else 6)
    assert told["code"] in ("ca-operator-key", "ca-file-unreadable")


def change(team: Team, *words: str, signers: Sequence[str], code: int = 0) -> str:
    """Propose, sign, apply."""
    text = team.place.data / f"change-{len(list(team.place.data.iterdir()))}.txt"
    team.place.run("operator", *words, "--out", str(text))
    return team.place.run("operator", "apply", "--statement", str(text), *team.sign(text, *signers), code=code)


def test_G2_a_later_operator_needs_two_others(team: Team) -> None:
    place = team.place
    assert place.refused("operator", "add", *team.told("park"))["code"] == "ca-operators-signed"
    assert "two-persons" in change(team, "add", *team.told("park"), signers=("kim",), code=6)
    change(team, "add", *team.told("park"), signers=("kim", "lee"))
    assert {one["name"] for one in place.ask("operator", "list")["operators"]} == {"kim", "lee", "park"}


def test_G2_an_operator_is_removed_by_two_others_and_two_always_remain(team: Team) -> None:
    place = team.place
    assert place.refused("operator", "remove", "lee", "--out", str(place.data / "x"))["code"] == "ca-operators-two"
    change(team, "add", *team.told("park"), signers=("kim", "lee"))
    assert "own-change" in change(team, "remove", "lee", signers=("kim", "lee"), code=6)
    change(team, "remove", "lee", signers=("kim", "park"))
    assert {one["name"] for one in place.ask("operator", "list")["operators"]} == {"kim", "park"}
    assert place.refused("operator", "remove", "lee", "--out", str(place.data / "y"))["part"] == "unknown"


def test_a_signed_change_is_applied_once_and_to_the_operators_that_it_was_signed_for(team: Team) -> None:
    place, text = team.place, team.place.data / "add.txt"
    place.run("operator", "add", *team.told("park"), "--out", str(text))
    signed = team.sign(text, "kim", "lee")
    place.run("operator", "apply", "--statement", str(text), *signed)
    change(team, "remove", "park", signers=("kim", "lee"))
    assert place.refused("operator", "apply", "--statement", str(text), *signed)["part"] == "before"


def test_a_file_of_operators_that_others_may_write_or_that_was_damaged_serves_nobody(team: Team) -> None:
    path = team.place.folder / ca_operators.FILE
    path.chmod(0o620)
    assert team.place.refused("operator", "list", code=4)["reason"] == "open-to-others"
    path.chmod(0o600)
    for text in ("changes = 1\n", "operator = 3\nchanges = 1\n", '[[operator]]\nname = "a b"\n', "\x00"):
        path.write_text(text)
        assert team.place.refused("operator", "list", code=4)["code"] == "ca-operators-malformed"


# On behalf


def test_D14_revocation_on_behalf_takes_two_natural_persons_signatures_over_serial_reason_and_time(team: Team) -> None:
    place = team.place
    serial = place.issue(222)
    text = stated(place, serial)
    assert re.search(rf"serial: {serial}\nreason: cessationOfOperation\nbasis: death\ntime: ", text.read_text())
    by = ("revoke", "--statement", str(text))
    assert place.refused(*by)["part"] == "two-persons"
    assert place.refused(*by, *team.sign(text, "kim"))["part"] == "two-persons"
    twice = team.sign(text, "lee")
    assert place.refused(*by, *twice, *twice)["part"] == "two-persons"
    assert place.book(serial).state is State.VALID
    told = place.ask(*by, "--signature", f"{text}.kim.sig", *twice)
    assert (told["state"], told["reason"]) == ("revoked", "cessationOfOperation")
    lines = place.audit("revoke-on-behalf")
    assert '"by": ["kim", "lee"]' in lines[-1] and '"basis": "death"' in lines[-1]
    assert sum("ca-statement-refused" in line for line in lines) >= 3
    assert place.refused(*by, "--signature", f"{text}.kim.sig", *twice)["code"] == "ca-standing"


def test_D14_two_keys_of_one_person_are_one_person(place: Place) -> None:
    team = Team(place, kim="10234", lee="20468", kims="10234").found("kim", "lee")
    path = place.folder / ca_operators.FILE
    path.write_text(path.read_text().replace('"20468"', '"10234"'))  # whoever may write the file gains nothing by it
    serial = place.issue(223)
    text = stated(place, serial)
    signed = team.sign(text, "kim", "lee")
    told = place.refused("revoke", "--statement", str(text), *signed, code=4)
    assert told == {"code": "ca-operators-malformed", "reason": "twice"}
    assert place.book(serial).state is State.VALID


def test_D14_a_statement_that_is_altered_old_of_another_authority_or_by_a_stranger_does_not_carry(team: Team) -> None:
    place = team.place
    serial = place.issue(224)
    text = stated(place, serial)
    signed = team.sign(text, "kim", "lee")
    good = text.read_bytes()
    text.write_bytes(good.replace(b"death", b"court-order"))
    assert place.refused("revoke", "--statement", str(text), *signed)["part"] == "signature"
    text.write_bytes(good + b"\n")
    assert place.refused("revoke", "--statement", str(text), *signed)["part"] == "text"
    now, number = SystemClock().now(), int(serial, 16)
    for name, one, part in (
        ("old", Statement("ingam", 1, number, "superseded", "death", now - timedelta(hours=25)), "time"),
        ("foreign", Statement("other", 1, number, "superseded", "death", now), "authority"),
    ):
        other = place.data / name
        other.write_bytes(one.text())
        assert place.refused("revoke", "--statement", str(other), *team.sign(other, "kim", "lee"))["part"] == part
    text.write_bytes(good)
    strange = [word.replace(".lee.", ".park.") for word in signed]
    team.sign(text, "park")
    assert place.refused("revoke", "--statement", str(text), *strange)["part"] == "operator-unknown"
    assert place.book(serial).state is State.VALID


def test_the_statement_may_be_asked_for_by_revoke_on_behalf(team: Team) -> None:
    place = team.place
    serial, text = place.issue(225), place.data / "order.txt"
    words = ("--serial", serial, "--reason", "privilegeWithdrawn", "--basis", "court-order", "--out", str(text))
    place.run("revoke", "--on-behalf", *words)
    place.run("revoke", "--statement", str(text), *team.sign(text, "lee", "kim"))
    assert place.book(serial).state is State.REVOKED


def test_only_statements_are_signed_and_the_operator_sees_what_they_say(team: Team) -> None:
    place = team.place
    (place.data / "other.txt").write_text("INGAM-REVOKE/1\nsomething else\n")
    sign = ("--key", team.key("kim"), "--as", "kim", "--passphrase-file", "-")
    told = place.refused("sign", str(place.data / "other.txt"), *sign, typed=f"{PHRASE}\n", code=4)
    assert told["code"] == "ca-not-a-statement"
    text = stated(place, place.issue(226))
    shown = place.run("sign", str(text), *sign, typed=f"{PHRASE}\n")
    assert text.read_text() in shown
    assert PHRASE not in shown


def test_a_key_that_does_not_open_signs_nothing(team: Team) -> None:
    place = team.place
    text = stated(place, place.issue(227))
    sign = ("sign", str(text), "--as", "kim", "--passphrase-file", "-", "--key")
    told = place.run(*sign, team.key("kim"), typed="canary of another\n", code=3)
    assert "signing-keys-locked" in told and "canary" not in told
    assert "key-file-refused" in place.run(*sign, str(text), typed=f"{PHRASE}\n", code=4)
    assert not Path(f"{text}.kim.sig").exists()


def test_a_file_that_is_no_signature(team: Team) -> None:
    place = team.place
    text = stated(place, place.issue(228))
    for spoilt in ("", "INGAM-SIGNATURE/1\noperator: kim\nsignature: abc\n"):
        (place.data / "x.sig").write_text(spoilt)
        told = place.refused("revoke", "--statement", str(text), "--signature", str(place.data / "x.sig"), code=4)
        assert told == {"code": "ca-signature-malformed", "name": "x.sig"}


def test_a_persons_contact_hears_of_it(place: Place) -> None:
    with ca_hall.index(place):
        serial = ca_hall.person(place)
    place.run("suspend", "--serial", serial)
    with ca_hall.serving(place) as world:
        told = [notice.dedup for _, notice in world.books.notices(world.office.now())]
        world.books.close()
        world.office.threads.shutdown()
    assert any(dedup.startswith("held 1 ") for dedup in told)
