"""genm: what the authority tells of itself, its lists and its roots, and how an RA registers somebody."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ca.endpoint.asking import genm
from tests.ca.world import (
    HONG,
    NOW,
    Holder,
    World,
    by_certificate,
    by_code,
    certificates,
    enrolled,
    held,
    only_certificate,
    refusal,
    registrar,
    request,
    vid_of,
    world,
)

from ingam.ca.endpoint.informing import Informing
from ingam.ca.endpoint.lists import MOST_LIST, FolderLists
from ingam.ca.issuing.registering import Registered
from ingam.ca.profiles import preset, service_shape
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.shapes import Validity
from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import general, registering, status
from ingam.protocols.cmp.general import CrlStatus, RootCaKeyUpdate
from ingam.protocols.cmp.header import Info, directory_name
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.crl import writing

pytestmark = pytest.mark.anyio


async def told(ca: World, *asked: Info) -> tuple[Info, ...]:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(genm(*asked)))
    assert answer.body.kind is BodyKind.GENP
    return general.read_general(holder.verified(answer).body)


async def refused(ca: World, *asked: Info) -> tuple[str, str]:
    holder = by_code(ca, await ca.register("securities", HONG))
    body, bits, code = refusal(await ca.ask(holder.compose(genm(*asked))))
    assert body is BodyKind.ERROR
    return bits, code


async def test_its_certificates_are_told(ca: World) -> None:
    root, issuing, _, encryption = certificates("ingam")
    (found,) = await told(ca, Info(general.CA_CERTS))
    assert general.read_certificates(found.value) == (issuing.der, root.der)
    assert await told(ca, Info(general.CA_PROT_ENC_CERT)) == (Info(general.CA_PROT_ENC_CERT, encryption.der),)
    assert await told(ca, Info(general.YESSIGN_CA_CERT)) == (Info(general.YESSIGN_CA_CERT, issuing.der),)


async def test_its_algorithms_are_told(ca: World) -> None:
    kinds, ciphers, symmetric = await told(
        ca, Info(general.SIGN_KEY_PAIR_TYPES), Info(general.ENC_KEY_PAIR_TYPES), Info(general.PREFERRED_SYMM_ALG)
    )
    curves = [der.algorithm("1.2.840.10045.2.1", der.oid(one)) for one in ("1.2.840.10045.3.1.7", "1.3.132.0.34")]
    rsa = der.algorithm("1.2.840.113549.1.1.1")
    assert (kinds.value, ciphers.value) == (der.seq(rsa, *curves), der.seq(rsa))
    assert symmetric.value == der.algorithm("2.16.840.1.101.3.4.1.42", b"")


async def test_the_template_that_it_offers_chooses_nothing_but_the_key(ca: World) -> None:
    (found,) = await told(ca, Info(general.CERT_REQ_TEMPLATE))
    offered = general.read_cert_req_template(found.value)
    assert offered is not None
    template, spec = offered
    assert all(value is None for value in template)
    assert spec == der.seq(der.seq(der.oid("1.3.6.1.5.5.7.5.1.12"), der.integer(2048)))


@pytest.mark.parametrize(
    "kind",
    [
        general.CA_CERTS, general.CA_PROT_ENC_CERT, general.SIGN_KEY_PAIR_TYPES, general.ENC_KEY_PAIR_TYPES,
        general.PREFERRED_SYMM_ALG, general.CURRENT_CRL, general.CERT_REQ_TEMPLATE,
    ],
)  # fmt: skip
async def test_a_value_where_none_is_asked_is_a_bad_request(ca: World, kind: str) -> None:
    assert await refused(ca, Info(kind, der.octets(b"True"))) == ("badRequest", "cmp-info-value")


@pytest.mark.parametrize(("wanted", "chosen"), [(("fr", "en", "ko"), "en"), (("ko-KR",), "ko-KR"), (("EN",), "EN")])
async def test_one_language_of_those_that_are_spoken_is_chosen(ca: World, wanted: tuple[str, ...], chosen: str) -> None:
    (found,) = await told(ca, Info(general.SUPP_LANG_TAGS, status.write_free_text(wanted)))
    assert found.value == status.write_free_text((chosen,))


async def test_no_language_that_is_spoken_is_a_bad_request(ca: World) -> None:
    assert (await refused(ca, Info(general.SUPP_LANG_TAGS, status.write_free_text(("xx",)))))[0] == "badRequest"
    for value in (None, der.seq(), der.null):
        assert (await refused(ca, Info(general.SUPP_LANG_TAGS, value)))[0] == "badDataFormat"


async def test_types_that_are_not_known_are_named_beside_those_that_are(ca: World) -> None:
    found = await told(ca, Info("1.2.3.4"), Info(general.CA_CERTS), Info(general.REV_PASSPHRASE, der.null))
    assert [one.type for one in found] == [general.CA_CERTS, general.UNSUPPORTED_OIDS]
    assert found[1].value == der.seq(der.oid("1.2.3.4"), der.oid(general.REV_PASSPHRASE))


# roots


def linked(of: Certificate, by: Certificate) -> Certificate:
    """One root's key signed by another's."""
    tbs = shapes.tbs_certificate(
        service_shape(preset("ingam"), "root", 1), serial=9, issuer=by.subject.raw,
        validity=Validity(of.not_before, of.not_after), subject=of.subject.raw, spki=of.spki, authority_key=None,
    )  # fmt: skip
    return certificate.parse(shapes.assemble(tbs, held("root", 0).raw(tbs)))


async def test_there_is_no_update_of_the_only_root(ca: World) -> None:
    for value in (None, ca.office.roots[0].der):
        assert await told(ca, Info(general.ROOT_CA_CERT, value)) == (Info(general.ROOT_CA_KEY_UPDATE),)


async def test_an_older_root_is_updated_with_both_links(ca: World) -> None:
    old, kin, *_ = certificates("ingam")
    new = certificates("conformance")[0]
    new_with_old, old_with_new = linked(new, old), linked(old, new)
    office = replace(ca.office, roots=(old, new), links=(new_with_old, old_with_new))
    informing = Informing(office, ca.endpoint._answering)
    update = general.root_ca_key_update(RootCaKeyUpdate(new.der, new_with_old.der, old_with_new.der))
    for value, expected in (
        (None, update), (old.der, update), (new.der, Info(general.ROOT_CA_KEY_UPDATE)),
        (kin.der, Info(general.ROOT_CA_KEY_UPDATE)),
    ):  # fmt: skip
        assert informing._root_update(Info(general.ROOT_CA_CERT, value)) == expected


# lists


def list_of(ca: World, at_number: int = 1) -> bytes:
    """A revocation list of the issuing CA."""
    issuer = ca.office.issuer.certificate
    outline = writing.Outline(
        issuer=issuer.subject.raw, authority_key=writing.authority_key(issuer), number=at_number,
        this_update=NOW, next_update=NOW + timedelta(days=1), algorithm=RSA_SHA256,
    )  # fmt: skip
    tbs = writing.tbs(outline)
    return writing.assemble(tbs, RSA_SHA256, ca.keys["issuing"].raw(tbs))


@pytest.fixture
async def listing(tmp_path: Path) -> AsyncIterator[World]:
    """An authority that has published its lists."""
    folder = tmp_path / "published"
    folder.mkdir()
    made = world(tmp_path, lists=lambda office: FolderLists(office, folder))
    (folder / "issuing-1.crl").write_bytes(list_of(made))
    (folder / "dp1p1.crl").write_bytes(list_of(made, 2))
    yield made
    await made.shut()


async def test_the_current_list_is_told_where_one_is_published(ca: World, listing: World) -> None:
    assert await told(ca, Info(general.CURRENT_CRL)) == (Info(general.CURRENT_CRL),)
    assert await told(listing, Info(general.CURRENT_CRL)) == (Info(general.CURRENT_CRL, list_of(listing)),)


async def test_a_list_that_is_too_long_for_a_message_is_not_told(listing: World, tmp_path: Path) -> None:
    (tmp_path / "published" / "issuing-1.crl").write_bytes(bytes(MOST_LIST + 1))
    assert await told(listing, Info(general.CURRENT_CRL)) == (Info(general.CURRENT_CRL),)


def at(address: str) -> bytes:
    """CRLSource of a distribution point."""
    return der.explicit(0, der.explicit(0, der.tlv(0x86, address.encode())))


async def test_a_newer_list_is_told_by_address_and_by_issuer(listing: World) -> None:
    authority = listing.office.authority
    name = authority.partition_name(1, 1)
    issuer = der.explicit(1, directory_name(listing.office.issuer.certificate.subject.raw))
    whole, part = list_of(listing), list_of(listing, 2)
    http = authority.list_http(name)
    assert http is not None
    for source, expected in ((at(authority.list_address(name)), part), (at(http), part), (issuer, whole)):
        for have, found in ((None, (expected,)), (NOW - timedelta(seconds=1), (expected,)), (NOW, ())):
            (answer,) = await told(listing, general.crl_status_list(CrlStatus(source, have)))
            assert (answer.type, general.read_certificates(answer.value)) == (general.CRLS, found)


@pytest.mark.parametrize(
    "address",
    [
        "http://other.test/crl/dp1p1.crl",
        "ldap://other.test:389/ou=dp1p1,ou=x",
        "../../keys/issuing-1",
        "",
        "dp1p1.crl",
        "http://crl.ingam.test/crl/../books.crl",
    ],
)
async def test_an_address_that_is_not_the_authoritys_to_the_letter_finds_nothing(listing: World, address: str) -> None:
    (answer,) = await told(listing, general.crl_status_list(CrlStatus(at(address))))
    assert answer == Info(general.CRLS)


async def test_another_issuer_or_a_broken_source_finds_nothing(listing: World) -> None:
    stranger = der.explicit(1, directory_name(shapes.name(("CN", "stranger"))))
    (answer,) = await told(listing, general.crl_status_list(CrlStatus(stranger)))
    assert answer == Info(general.CRLS)
    broken = general.crl_status_list(CrlStatus(der.explicit(0, der.null)))
    assert (await refused(listing, broken))[0] == "badDataFormat"
    assert (await refused(listing, Info(general.CRL_STATUS_LIST)))[0] == "badDataFormat"


# registering


async def register_by(ca: World, sender: Holder, pairs: dict[str, str]) -> object:
    answer = await ca.ask(sender.compose(genm(registering.write(pairs))))
    if answer.body.kind is BodyKind.ERROR:
        return refusal(answer)[1:]
    return registering.read(general.read_general(sender.verified(answer).body)[0])


PERSON = {"profile": "securities", "name": "홍길동", "idn": HONG.idn.reveal(), "mobile": HONG.mobile}


async def test_an_ra_registers_a_person_who_then_asks_with_the_code(ca: World) -> None:
    spki = held("hong", 103).public.spki
    pairs = await register_by(ca, await registrar(ca), {**PERSON, "spki_sha256": hashlib.sha256(spki).hexdigest()})
    assert isinstance(pairs, dict)
    found = Registered(pairs["reference_number"], Secret(pairs["authorization_code"]), NOW)
    holder = by_code(ca, found)
    only_certificate(await ca.ask(holder.compose(request(held("hong", 103), encrypted=vid_of(ca)))))
    assert pairs["expires"] == "2026-12-10T09:00:00Z"


async def test_nobody_but_an_ra_registers(ca: World) -> None:
    holder = by_certificate(ca, await enrolled(ca, HONG, 103), held("hong", 103))
    coded = by_code(ca, await ca.register("securities", HONG))
    for sender in (holder, coded):
        before = ca.stored()
        assert await register_by(ca, sender, PERSON) == ("notAuthorized", "cmp-not-authorized")
        assert ca.stored() == before


@pytest.mark.parametrize(
    ("changes", "bits", "code"),
    [
        ({"profile": "nobody"}, "badRequest", "ca-profile-unknown"),
        ({"idn": "123"}, "badRequest", "ca-registration-refused"),
        ({"shoe": "43"}, "badDataFormat", "cmp-registration"),
        ({"operation": "renew"}, "badRequest", "ca-registration-refused"),
        ({"operation": "dance"}, "badDataFormat", "cmp-registration"),
        ({"operation": "reissue"}, "badRequest", "ca-registration-refused"),
        ({"spki_sha256": "00"}, "badRequest", "ca-registration-refused"),
        ({"spki_sha256": "xx"}, "badDataFormat", "cmp-registration"),
    ],
)
async def test_what_does_not_fit_the_profile_registers_nobody(
    ca: World, changes: dict[str, str], bits: str, code: str
) -> None:
    ra = await registrar(ca)
    before = ca.stored()
    assert await register_by(ca, ra, {**PERSON, **changes}) == (bits, code)
    assert ca.stored() == before


async def test_a_registration_without_a_name_is_bad_data(ca: World) -> None:
    pairs = {name: value for name, value in PERSON.items() if name != "name"}
    assert await register_by(ca, await registrar(ca), pairs) == ("badDataFormat", "cmp-registration")
