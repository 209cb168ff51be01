"""ir, cr, p10cr: certificates over CMP, as the endpoint gives them to clients that are nobody's own."""

from __future__ import annotations

import pytest
from tests.ca.endpoint.asking import WISH, confirmation, p10cr
from tests.ca.world import (
    HONG,
    IMPLICIT,
    RA,
    SERVER,
    World,
    by_code,
    enrolled,
    held,
    only_certificate,
    registrar,
    request,
    responses,
    vid_of,
)

from ingam.npki import certificate, der
from ingam.ports.books import State
from ingam.protocols.cmp import bodies, cert_response, crmf
from ingam.protocols.cmp.header import CONFIRM_WAIT_TIME, IMPLICIT_CONFIRM, implicit_confirm
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import password_based_mac, pbmac1
from ingam.protocols.cmp.status import Status

pytestmark = pytest.mark.anyio


async def test_a_registered_person_gets_a_certificate_that_is_valid_at_once_with_implicit_confirmation(
    ca: World,
) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT))
    assert answer.body.kind is BodyKind.IP
    issued = certificate.parse(only_certificate(answer))
    entry = ca.books.certificate(1, issued.serial)
    assert entry is not None
    assert (entry.state, entry.der) == (State.VALID, issued.der)
    assert responses(answer)[0].cert_req_id == 0
    holder.verified(answer)


@pytest.mark.parametrize("asked", [BodyKind.IR, BodyKind.CR])
async def test_an_answer_has_the_body_the_nonces_and_the_protection_of_its_request(ca: World, asked: BodyKind) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    sent = holder.compose(request(held("hong", 3), asked, encrypted=vid_of(ca)), infos=IMPLICIT, sender_nonce=b"n" * 16)
    answer = await ca.ask(sent)
    assert answer.body.kind is cert_response.ANSWERS[asked]
    header = answer.header
    assert (header.pvno, header.recip_nonce, len(header.sender_nonce or b"")) == (2, b"n" * 16, 16)
    assert implicit_confirm(header) and header.info(CONFIRM_WAIT_TIME) is None
    holder.verified(answer)


async def test_what_did_not_ask_for_implicit_confirmation_waits_for_its_certconf(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 3), encrypted=vid_of(ca))))
    assert answer.header.info(IMPLICIT_CONFIRM) is None
    serial = certificate.parse(only_certificate(answer)).serial
    assert ca.books.standing(1, serial).state is State.PENDING  # type: ignore[union-attr]
    told = await ca.ask(confirmation(holder, answer))
    assert told.body.kind is BodyKind.PKICONF
    bodies.read_pkiconf(holder.verified(told).body)
    assert ca.books.standing(1, serial).state is State.VALID  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "algorithm",
    [
        password_based_mac(b"s" * 16), password_based_mac(b"s" * 16, hash="sha512", mac="sha384"),
        password_based_mac(b"s" * 16, mac="sha1"), pbmac1(b"s" * 16, iterations=1000, hash="sha512", mac="sha512"),
        pbmac1(b"s" * 16, iterations=3000),
    ],
    ids=["pbm", "pbm-sha512", "pbm-as-openssl", "pbmac1-sha512", "pbmac1-beside-the-loop"],
)  # fmt: skip
async def test_an_answer_under_a_code_has_the_same_mac_with_another_salt(ca: World, algorithm: bytes) -> None:
    holder = by_code(ca, await ca.register("securities", HONG), algorithm=algorithm)
    answer = await ca.ask(holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT))
    holder.verified(answer)
    given = answer.header.protection_alg or b""
    assert given != algorithm
    assert len(given) == len(algorithm) and der.octets(b"s" * 16) not in given


async def test_the_chain_and_the_root_come_with_a_certificate_under_a_code(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT))
    issuing, root = ca.office.issuer.certificate.der, ca.office.roots[0].der
    assert answer.extra_certs == (issuing, root)
    assert cert_response.read_cert_rep(answer.body).ca_pubs == (root,)


async def test_a_pkcs10_request_under_a_code_is_answered_by_a_cp_with_minus_one(ca: World) -> None:
    holder = by_code(ca, await ca.register("ra", RA))
    answer = await ca.ask(holder.compose(p10cr(held("ra", 101))))
    (response,) = responses(answer)
    assert (answer.body.kind, response.cert_req_id) == (BodyKind.CP, -1)
    assert (await ca.ask(confirmation(holder, answer))).body.kind is BodyKind.PKICONF


async def test_an_identified_person_cannot_ask_by_pkcs10_which_has_no_place_for_r(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    (response,) = responses(await ca.ask(holder.compose(p10cr(held("hong", 3)))))
    assert response.status.status is Status.REJECTION


async def test_D4_the_wishes_of_a_template_are_not_granted_and_the_status_says_so(ca: World) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    usage = der.seq(der.seq(der.oid("2.5.29.15"), der.octets(bytes.fromhex("03020204"))))
    body = request(held("hong", 3), encrypted=vid_of(ca), subject=WISH, extensions=usage)
    answer = await ca.ask(holder.compose(body, infos=IMPLICIT))
    (response,) = responses(answer)
    assert response.status.status is Status.GRANTED_WITH_MODS
    issued = certificate.parse(only_certificate(answer))
    assert issued.subject.value("CN") == f"홍길동-{number_of(issued)}"
    assert issued.key_usage == frozenset(("digitalSignature", "nonRepudiation"))


def number_of(issued: certificate.Certificate) -> str:
    return (issued.subject.value("CN") or "").rpartition("-")[2]


async def test_a_wish_for_the_very_name_that_is_given_is_accepted(ca: World) -> None:
    await enrolled(ca, HONG, 3)
    given = certificate.parse(await enrolled(ca, HONG, 4)).subject.raw
    holder = by_code(ca, await ca.register("securities", HONG))
    body = request(held("hong", 5), encrypted=vid_of(ca), subject=given)
    (response,) = responses(await ca.ask(holder.compose(body, infos=IMPLICIT)))
    assert response.status.status is Status.ACCEPTED


async def test_an_ra_asks_for_who_is_registered_and_names_the_registration(ca: World) -> None:
    ra, registered = await registrar(ca), await ca.register("server", SERVER)
    token = crmf.Attribute(crmf.REG_TOKEN, der.tlv(der.UTF8_STRING, registered.reference.encode()))
    answer = await ca.ask(ra.compose(request(held("server", 102), controls=(token,)), infos=IMPLICIT))
    ra.verified(answer)
    entry = ca.books.certificate(1, certificate.parse(only_certificate(answer)).serial)
    assert entry is not None and (entry.profile, entry.reference) == ("server", registered.reference)
    assert not cert_response.read_cert_rep(answer.body).ca_pubs
