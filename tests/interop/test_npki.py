"""A person as the field knows one: enrolled with EncryptedVID, told apart by the VID, kept in an NPKI folder."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from tests.ca.ceremony.hall import PLAN
from tests.interop.conftest import trusting
from tests.interop.people import (
    NAME,
    People,
    Person,
    ask,
    begun,
    by_code,
    curve_key,
    encrypted,
    enrol,
    new_idn,
    rsa_key,
    signs,
    spki,
)
from tests.interop.running import Running, fetch, ingam, listed, until

from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, folder, key_file, shapes
from ingam.npki.vid import IdentifyData, VidMismatch, check_vid, parse_identify_data
from ingam.protocols.cmp import client, encrypted_vid, exchange
from ingam.protocols.cmp.crmf import ENCRYPTED_VID, Attribute
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import MacProtection, pbmac1

pytestmark = pytest.mark.xdist_group("interop")
PASSWORD = b"canary-Passw0rd!"


def identity(person: Person) -> IdentifyData:
    """realName and VID in the certificate."""
    data = person.certificate.identify_data
    assert data is not None
    return parse_identify_data(data)


def kept(person: Person, place: Path) -> tuple[Path, Path]:
    """The pair in its place below an NPKI folder, and a file with the password."""
    assert isinstance(person.key, RSAPrivateKey)
    plain = shapes.private_key_info(person.key, der.whole(person.random).bits())
    where = folder.pair_folder(place / "NPKI", person.certificate)
    folder.save_pair(where, person.certificate.der, key_file.seal_key(plain, PASSWORD))
    (place / "password").write_bytes(PASSWORD + b"\n")
    return where, place / "password"


def test_the_vid_is_that_of_the_number_and_of_no_other(authority: Running) -> None:
    person = enrol(authority)
    assert identity(person).real_name == NAME
    check_vid(identity(person).vid, person.idn, person.random)
    for idn, random in ((new_idn(), person.random), (person.idn, der.bits(bytes(20)))):
        with pytest.raises(VidMismatch):
            check_vid(identity(person).vid, idn, random)


def test_a_request_of_the_field_binds_key_code_and_R(authority: Running) -> None:
    """Nothing but the key in the template; its proof is a MAC under the code (npki.md section 6)."""
    key, random, code = (
        curve_key(),
        der.bits(secrets.token_bytes(20)),
        authority.register("securities", NAME, new_idn()),
    )
    algorithm, sign = signs(key)
    proof = MacProtection(Secret(code.code.encode()), pbmac1(secrets.token_bytes(16)))
    given = encrypted(authority, random)
    body, question = exchange.npki_enrolment(spki=spki(key), mac=proof, algorithm=algorithm, sign=sign, encrypted=given)
    asking = by_code(code)
    found = ask(authority, asking, begun(asking, body, question, infos=exchange.IMPLICIT))
    assert isinstance(found.state, client.Offered)
    assert certificate.parse(found.state.certificate).spki == spki(key)


@pytest.mark.parametrize("wrong", ["the VID of another number", "nothing"])
def test_D6_whatever_is_wrong_with_the_VID_the_answer_is_the_same(authority: Running, wrong: str) -> None:
    key, random, code = (
        curve_key(),
        der.bits(secrets.token_bytes(20)),
        authority.register("securities", NAME, new_idn()),
    )
    algorithm, sign = signs(key)
    value = encrypted_vid.write(encrypted(authority, random, new_idn()))
    info = () if wrong == "nothing" else (Attribute(ENCRYPTED_VID, value),)
    body, question = exchange.enrolment(
        BodyKind.IR, spki=spki(key), subject=None, algorithm=algorithm, sign=sign, reg_info=info
    )
    asking = by_code(code)
    found = ask(authority, asking, begun(asking, body, question))
    assert isinstance(found.state, client.Refused)
    assert found.state.texts[0] == "cmp-request"


def test_the_pair_opens_as_every_program_of_the_field_keeps_it(authority: Running, tmp_path: Path) -> None:
    person = enrol(authority, key=rsa_key())
    where, password = kept(person, tmp_path)
    code, told = ingam("cert", "show", str(where), "--password-file", str(password))
    assert code == 0, told
    assert told["matches"] and told["key"]["has_r"] and told["serial"] == person.certificate.serial
    code, found = ingam("cert", "list", str(tmp_path / "NPKI"))
    assert code == 0 and [one["path"] for one in found["found"]] == [str(where)]
    (tmp_path / "other").write_bytes(b"another-Passw0rd!\n")
    assert ingam("cert", "show", str(where), "--password-file", str(tmp_path / "other"))[0] != 0


def test_what_it_signs_is_verified_by_openssl(authority: Running, tmp_path: Path) -> None:
    where, password = kept(enrol(authority, key=rsa_key()), tmp_path)
    (tmp_path / "order.txt").write_text("주문", encoding="utf-8")
    words = ("--in", str(tmp_path / "order.txt"), "--password-file", str(password))
    code, told = ingam("cert", "sign", str(where), *words)
    assert code == 0, told
    openssl = trusting(tmp_path, authority)
    openssl.pem("both", authority.holdings.issuing[1], authority.holdings.roots[1])
    chain = ("-CAfile", "both.pem", "-purpose", "any")
    text = openssl("cms", "-verify", "-inform", "DER", "-in", "order.txt.p7s", "-binary", *chain, "-out", "read.txt")
    assert "Verification successful" in text
    assert (tmp_path / "read.txt").read_text(encoding="utf-8") == "주문"


# What `ingam cert verify` finds out of a person's certificate


def test_its_path_and_its_list_are_checked(authority: Running, people: People, tmp_path: Path) -> None:
    person = enrol(authority, key=rsa_key())
    where, _ = kept(person, tmp_path)
    authority.cli("export", "--out", str(tmp_path / "trust"))
    name, file = f"{authority.va}/ingam/dp1p1.crl", tmp_path / "list.crl"
    words = ("cert", "verify", str(where), "--anchors", str(tmp_path / "trust"), "--crl", str(file))
    file.write_bytes(fetch(name))
    code, told = ingam(*words)
    assert code == 0, told
    assert told["valid"] and told["status"] == told["status"] | {"checked": True, "source": "crl", "result": "good"}
    authority.cli("suspend", "--serial", f"{person.certificate.serial:x}")
    until(lambda: person.certificate.serial in listed(authority, "dp1p1"), "the clerk has listed it")
    file.write_bytes(fetch(name))
    code, told = ingam(*words)
    assert code != 0 and told["error"]["code"] == "cert-suspended"


@pytest.fixture
def field_like(tmp_path: Path) -> Iterator[Running]:
    """An authority whose responder the root certifies, as the field does (npki.md section 7)."""
    (tmp_path / "data").mkdir()
    made = Running(tmp_path / "data", plan=replace(PLAN, responder_by_root=True))
    made.found()
    with made.processes("ca", "va"):
        yield made


def test_a_responder_of_the_root_is_believed_by_us_and_by_openssl(field_like: Running, tmp_path: Path) -> None:
    person = enrol(field_like, key=rsa_key())
    where, _ = kept(person, tmp_path)
    field_like.cli("export", "--out", str(tmp_path / "trust"))
    words = ("cert", "verify", str(where), "--anchors", str(tmp_path / "trust"), "--online")
    code, told = ingam(*words)
    assert code == 0, told
    assert told["status"]["source"] == "ocsp" and told["status"]["result"] == "good"
    field_like.cli("revoke", "--serial", f"{person.certificate.serial:x}", "--reason", "key-compromise")
    code, told = ingam(*words)
    assert code != 0 and told["error"]["code"] == "cert-revoked"
    openssl = trusting(tmp_path, field_like)
    openssl.pem("person", person.certificate)
    openssl.pem("responder", field_like.holdings.service("ocsp", 1, person.certificate.not_before).certificate)
    asked = ("-issuer", "ca.pem", "-url", field_like.ocsp, "-cert", "person.pem", "-CAfile", "root.pem")
    text = openssl("ocsp", *asked, "-VAfile", "responder.pem")
    assert "Response verify OK" in text and "person.pem: revoked" in text
