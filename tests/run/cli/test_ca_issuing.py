"""`ingam ca register` and `issue`: holders entered beside a running authority, servers certified at once."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.ca.world import curve_key
from tests.run.cli import ca_hall
from tests.run.cli.ca_hall import IDN, Place, csr

from ingam.npki import certificate
from ingam.ports.books import Open, Registration, State
from ingam.run.cli import ca_issuing
from ingam.wiring.authority import open_books

HONG = ("--name", "홍길동", "--idn", "-", "--profile", "securities")


@pytest.fixture
def indexed(place: Place) -> Iterator[Place]:
    """With the blind index that stands beside a running authority."""
    with ca_hall.index(place):
        yield place


def registration(place: Place, reference: str) -> Registration:
    books = open_books(place.folder)
    try:
        found = books.registration(reference)
        assert found is not None
        return found
    finally:
        books.close()


def test_json_is_exactly_reference_number_code_and_expiry(indexed: Place) -> None:
    told = indexed.ask("register", *HONG, typed=f"{IDN}\n")
    assert list(told) == ["reference_number", "authorization_code", "expires"]
    assert re.fullmatch(r"[0-9]{20}", told["reference_number"])
    assert re.fullmatch(r"[A-Z2-7]{26}", told["authorization_code"])
    left = datetime.fromisoformat(told["expires"]) - datetime.now(UTC)
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)


def test_D3_the_code_is_shown_once_and_lies_sealed(indexed: Place) -> None:
    told = indexed.run("register", *HONG, typed=f"{IDN}\n")
    (code,) = re.findall(r"[A-Z2-7]{26}", told)
    for path in indexed.folder.rglob("*"):
        assert not path.is_file() or code.encode() not in path.read_bytes()
    assert code not in indexed.run("status")


def test_H1_the_number_goes_to_no_screen_no_audit_and_no_file(indexed: Place) -> None:
    told = indexed.run("register", *HONG, typed=f"{IDN}\n")
    assert IDN not in told
    wrong = indexed.run("register", *HONG, typed="canary-51005\n", code=6)
    assert "canary" not in wrong
    for path in indexed.folder.rglob("*"):
        assert not path.is_file() or not re.search(f"{IDN}|canary-51005", path.read_bytes().decode("latin-1"))


def test_a_holder_registered_beside_the_running_authority_enrols_there(indexed: Place) -> None:
    entry = indexed.book(ca_hall.person(indexed))
    assert (entry.state, entry.profile) == (State.VALID, "securities")


def test_registering_opens_no_key(place: Place) -> None:
    place.patch.delenv("INGAM_CA_PASSPHRASE")
    told = place.ask("register", "--profile", "server", "--host", "center.ingam.test")
    assert registration(place, told["reference_number"]).open is Open.OPEN


def test_the_index_of_numbers_is_started_where_none_stands(place: Place) -> None:
    assert place.ask("register", *HONG, typed="751005-1000001\n")["reference_number"]


def test_D1_the_key_that_alone_will_be_certified_is_registered(place: Place) -> None:
    digest = "ab" * 32
    words = ("--profile", "server", "--host", "center.ingam.test", "--spki-sha256", digest)
    told = place.ask("register", *words)
    assert registration(place, told["reference_number"]).spki_hash == bytes.fromhex(digest)


def test_D8_a_code_of_the_npki_profile_is_registered_as_such(indexed: Place) -> None:
    told = indexed.ask("register", *HONG, "--npki", typed=f"{IDN}\n")
    assert registration(indexed, told["reference_number"]).npki


def test_a_reissue_keeps_the_end_of_the_certificate_that_stands(indexed: Place) -> None:
    assert indexed.refused("register", *HONG, "--reissue", typed=f"{IDN}\n")["part"] == "nothing-to-reissue"
    serial = ca_hall.person(indexed)
    told = indexed.ask("register", *HONG, "--reissue", typed=f"{IDN}\n")
    assert registration(indexed, told["reference_number"]).not_after == indexed.book(serial).not_after


@pytest.mark.parametrize(
    ("words", "typed", "expected"),
    [
        (HONG, "123\n", {"code": "ca-registration-refused", "part": "idn"}),
        (("--name", "홍길동", "--profile", "securities"), "", {"code": "ca-registration-refused", "part": "idn"}),
        (("--name", "a/b", "--idn", "-", "--profile", "securities"), f"{IDN}\n",
         {"code": "ca-name-refused", "part": "name", "reason": "characters"}),
        (("--name", "x", "--profile", "nothing"), "", {"code": "ca-profile-unknown"}),
        (("--profile", "server"), "", {"code": "ca-name-refused", "part": "host", "reason": "missing"}),
        (("--profile", "server", "--host", "a.test", "--reusable"), "",
         {"code": "ca-registration-refused", "part": "reusable"}),
        (("--profile", "server", "--host", "a.test", "--reference", "known"), "",
         {"code": "ca-registration-refused", "part": "reusable"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_profile_is_refused(
    indexed: Place, words: tuple[str, ...], typed: str, expected: dict[str, str]
) -> None:
    assert indexed.refused("register", *words, typed=typed) == expected


def test_a_number_that_was_promised_and_did_not_come(place: Place) -> None:
    assert place.refused("register", *HONG, code=2) == {"code": "ca-input-missing", "name": "--idn"}


def test_only_a_sandbox_is_told_a_reference_number_and_a_code(nowhere: Place) -> None:
    assert ca_hall.found(nowhere.data, "--preset", "conformance") == 0
    words = ("register", "--profile", "conformance", "--name", "suite", "--reusable", "--reference", "3078")
    told = nowhere.ask(*words, "--code", "-", typed="SiemensIT\n")
    assert (told["reference_number"], told["authorization_code"]) == ("3078", "SiemensIT")
    kept = registration(nowhere, "3078")
    assert (kept.reusable, kept.open) == (True, Open.OPEN)
    assert nowhere.refused(*words, "--code", "-", typed="SiemensIT\n")["part"] == "reference-taken"
    assert nowhere.refused(*words[:-1], "a\x07")["part"] == "reference"


# issue


def test_a_server_is_certified_from_its_pkcs10_at_once(place: Place, tmp_path: Path) -> None:
    (tmp_path / "a.csr").write_bytes(csr(curve_key(210)))
    out = tmp_path / "a.pem"
    words = ("--profile", "server", "--host", "center.ingam.test", "--host", "vault.ingam.test")
    told = place.ask("issue", *words, "--csr", str(tmp_path / "a.csr"), "--out", str(out))
    shown = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=out.read_bytes(),
                           capture_output=True, check=True).stdout.decode()  # fmt: skip
    assert "DNS:center.ingam.test, DNS:vault.ingam.test" in shown
    entry = place.book(told["serial"])
    assert (entry.state, entry.profile, entry.person) == (State.VALID, "server", None)
    assert "whatever" not in told["subject"]  # the request's own wishes are nobody's (security D4)


def test_requests_and_certificates_may_be_der_and_the_chain_may_follow(place: Place, tmp_path: Path) -> None:
    (tmp_path / "a.csr").write_bytes(csr(curve_key(211), Encoding.DER))
    words = ("--profile", "server", "--host", "center.ingam.test", "--csr", str(tmp_path / "a.csr"))
    told = place.ask("issue", *words, "--out", str(tmp_path / "a.der"))
    issued = certificate.parse((tmp_path / "a.der").read_bytes())
    assert f"{issued.serial:x}" == told["serial"]
    place.run("issue", *words, "--chain", "--out", str(tmp_path / "a.pem"))  # the very same command again
    chain = (tmp_path / "a.pem").read_text()
    assert chain.count("BEGIN CERTIFICATE") == 2
    assert place.ask("status")["counts"]["valid"] == 3


def test_a_command_that_died_after_its_intent_goes_on_with_the_same_bytes(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csr").write_bytes(csr(curve_key(212)))
    words = ("issue", "--profile", "server", "--host", "center.ingam.test", "--csr", str(tmp_path / "a.csr"))

    class Died(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Died

    with monkeypatch.context() as killed:
        killed.setattr("ingam.ca.office.Office.sign", dies)
        with pytest.raises(Died):
            place.run(*words, "--out", str(tmp_path / "a.pem"))
    place.run(*words, "--out", str(tmp_path / "a.pem"))
    assert place.ask("status")["counts"]["valid"] == 3


@pytest.mark.parametrize(
    ("profile", "spoilt", "code", "expected"),
    [
        ("server", b"\x30\x03\x02\x01\x00", 4, "cmp-malformed"),
        ("server", b"-----BEGIN CERTIFICATE REQUEST-----\n!\n-----END CERTIFICATE REQUEST-----\n", 4, "cmp-malformed"),
        ("securities", None, 6, "ca-issue-person"),
        ("encryption", None, 6, "ca-issue-person"),
        ("nothing", None, 6, "ca-profile-unknown"),
    ],
)
def test_what_is_no_request_or_for_a_person_is_refused(
    place: Place, tmp_path: Path, profile: str, spoilt: bytes | None, code: int, expected: str
) -> None:
    (tmp_path / "a.csr").write_bytes(spoilt or csr(curve_key(213)))
    words = ("issue", "--profile", profile, "--host", "a.test", "--csr", str(tmp_path / "a.csr"))
    assert place.refused(*words, "--out", str(tmp_path / "a.pem"), code=code)["code"] == expected
    assert not (tmp_path / "a.pem").exists()


def test_D4_possession_is_proven(place: Place, tmp_path: Path) -> None:
    good = csr(curve_key(214), Encoding.DER)
    spki = curve_key(214).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    other = curve_key(215).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "a.csr").write_bytes(good.replace(spki, other))
    words = ("issue", "--profile", "server", "--host", "a.test", "--csr", str(tmp_path / "a.csr"))
    assert place.refused(*words, "--out", str(tmp_path / "a.pem"))["code"] == "cmp-pop-wrong"


def test_D4_a_key_is_certified_once(place: Place, tmp_path: Path) -> None:
    place.issue(216)
    words = ("issue", "--profile", "server", "--host", "other.test", "--csr", str(place.data / "server-216.csr"))
    assert place.refused(*words, "--out", str(tmp_path / "a.pem"))["code"] == "ca-key-in-use"


def test_no_file_is_written_over_and_nothing_is_issued_for_it(place: Place, tmp_path: Path) -> None:
    (tmp_path / "a.csr").write_bytes(csr(curve_key(217)))
    (tmp_path / "a.pem").write_text("kept")
    words = ("issue", "--profile", "server", "--host", "a.test", "--csr", str(tmp_path / "a.csr"))
    assert place.refused(*words, "--out", str(tmp_path / "a.pem"), code=2)["code"] == "ca-file-exists"
    assert (tmp_path / "a.pem").read_text() == "kept"
    assert place.ask("status")["counts"]["valid"] == 2


def test_a_certificate_that_was_revoked_meanwhile_is_not_handed_out_again(place: Place, tmp_path: Path) -> None:
    serial = place.issue(218)
    place.run("revoke", "--serial", serial, "--reason", "superseded")
    words = ("issue", "--profile", "server", "--host", "h218.ingam.test", "--csr", str(place.data / "server-218.csr"))
    assert place.refused(*words, "--out", str(tmp_path / "b.pem"))["code"] == "ca-standing"


def test_a_registration_authority_gets_the_purpose_that_makes_it_one(place: Place, tmp_path: Path) -> None:
    (tmp_path / "ra.csr").write_bytes(csr(curve_key(219)))
    words = ("issue", "--profile", "ra", "--name", "center", "--csr", str(tmp_path / "ra.csr"))
    place.run(*words, "--out", str(tmp_path / "ra.der"))
    assert certificate.parse((tmp_path / "ra.der").read_bytes()).eku == ("1.3.6.1.5.5.7.3.28",)


def test_the_sender_of_direct_issues_is_nobody_of_the_network() -> None:
    assert len(ca_issuing.SENDER) == 32
