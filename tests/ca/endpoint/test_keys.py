"""The key: registered, proven, usable, nobody else's (security D1, D4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP521R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.ca.endpoint.asking import WISH, p10cr, revoke
from tests.ca.world import (
    HONG,
    IMPLICIT,
    KIM,
    RA,
    SERVER,
    Refused,
    World,
    by_certificate,
    by_code,
    enrolled,
    held,
    only_certificate,
    refusal,
    registrar,
    request,
    vid_of,
)

from ingam.ca.issuing import service
from ingam.ca.issuing.keys import KeyRefused
from ingam.kernel.secret import Secret
from ingam.npki import der, signature
from ingam.protocols.cmp import bodies, crmf
from ingam.protocols.cmp.crmf import PrivateKeyPop, RaVerified
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.pop import sign_pop, sign_pop_as_sender, sign_pop_with_mac
from ingam.protocols.cmp.protection import MacProtection, password_based_mac
from ingam.protocols.cmp.template import CertTemplate

pytestmark = pytest.mark.anyio

MINE = held("hong", 103)


def asked(
    world: World, spki: bytes | None, pop: crmf.Pop | None, kind: BodyKind = BodyKind.IR, number: int = 0
) -> Body:
    """A request whose key and proof a test chooses."""
    wishes = CertTemplate(public_key=spki)
    written = crmf.write_cert_request(number, wishes)
    info = (crmf.Attribute(crmf.ENCRYPTED_VID, vid_of(world)),)
    return crmf.write_requests(kind, crmf.write_cert_req_msg(written, pop, info))


async def refused(ca: World, body: Body) -> Refused:
    """By a person with a code; nothing is stored."""
    holder = by_code(ca, await ca.register("securities", HONG))
    before = ca.stored()
    found = refusal(await ca.ask(holder.compose(body, infos=IMPLICIT)))
    assert ca.stored() == before
    return found


async def test_D1_another_key_than_the_registered_one_is_refused_and_the_registration_stands(ca: World) -> None:
    registered = await ca.register("securities", HONG, spki_hash=hashlib.sha256(MINE.public.spki).digest())
    holder, before = by_code(ca, registered), ca.stored()
    other = await ca.ask(holder.compose(request(held("kim", 104), encrypted=vid_of(ca)), infos=IMPLICIT))
    assert refusal(other) == (BodyKind.IP, "badCertTemplate", "ca-key-not-registered")
    assert ca.stored() == before
    only_certificate(await ca.ask(holder.compose(request(MINE, encrypted=vid_of(ca)), infos=IMPLICIT)))


def proofs(ca: World) -> Iterator[tuple[str, Body, str, str]]:
    spki, algorithm = MINE.public.spki, MINE.public.algorithm
    written = crmf.write_cert_request(0, CertTemplate(public_key=spki))
    right = sign_pop(written, algorithm, MINE.raw)
    mac = MacProtection(Secret(b"another code"), password_based_mac(b"s" * 16))
    yield "none", asked(ca, spki, None), "badPOP", "cmp-pop-missing"
    yield "of another key", asked(ca, held("kim", 104).public.spki, right), "badPOP", "cmp-pop-wrong"
    yield "changed", asked(ca, spki, right._replace(signature=right.signature[:-1] + b"\0")), "badPOP", "cmp-pop-wrong"
    yield (
        "of another request",
        asked(ca, spki, sign_pop(b"0" + written, algorithm, MINE.raw)),
        "badPOP",
        "cmp-pop-wrong",
    )
    yield (
        "of another algorithm",
        asked(ca, spki, right._replace(algorithm=signature.RSA_SHA256)),
        "badPOP",
        "cmp-pop-wrong",
    )
    yield "an RA's word", asked(ca, spki, RaVerified()), "notAuthorized", "cmp-pop-ra"
    archived = PrivateKeyPop("keyEncipherment", "thisMessage", der.tlv(0x80, b"\0" + bytes(16)))
    yield "of decryption", asked(ca, spki, archived), "badPOP", "cmp-pop-kind"
    stranger = sign_pop_as_sender(spki, der.tlv(0x81, b"x"), algorithm, MINE.raw)
    yield "as another sender", asked(ca, spki, stranger), "badPOP", "cmp-pop-wrong"
    yield (
        "by another code",
        asked(ca, spki, sign_pop_with_mac(spki, mac, algorithm, MINE.raw)),
        "badPOP",
        "cmp-pop-wrong",
    )


async def test_D4_a_proof_that_does_not_hold_is_refused_and_stores_nothing(ca: World) -> None:
    for name, body, bits, code in proofs(ca):
        assert await refused(ca, body) == (BodyKind.IP, bits, code), name


async def test_D4_a_wrong_pkcs10_signature_is_a_bad_proof(ca: World) -> None:
    holder = by_code(ca, await ca.register("ra", RA))
    answer = await ca.ask(holder.compose(p10cr(held("ra", 101), signed_by=held("kim", 104))))
    assert refusal(answer) == (BodyKind.CP, "badPOP", "cmp-pop-wrong")


async def test_a_pkcs10_request_by_an_unknown_algorithm_is_an_error(ca: World) -> None:
    holder = by_code(ca, await ca.register("ra", RA))
    info = der.seq(der.integer(0), WISH, MINE.public.spki, der.explicit(0, b""))
    asked_for = bodies.write_p10cr(der.seq(info, der.algorithm("1.2.3", b""), der.bits(b"x")))
    assert refusal(await ca.ask(holder.compose(asked_for))) == (BodyKind.ERROR, "badAlg", "cmp-pop-algorithm")


@pytest.mark.parametrize("version", [-1, 1])
async def test_a_pkcs10_request_of_another_version_is_a_bad_template(ca: World, version: int) -> None:
    holder = by_code(ca, await ca.register("ra", RA))
    answer = await ca.ask(holder.compose(p10cr(held("ra", 101), version=version)))
    assert refusal(answer) == (BodyKind.CP, "badCertTemplate", "cmp-pkcs10-version")


async def test_D4_an_ras_word_counts_for_whom_it_registered(ca: World) -> None:
    ra, registered = await registrar(ca), await ca.register("server", SERVER)
    token = crmf.Attribute(crmf.REG_TOKEN, der.tlv(der.UTF8_STRING, registered.reference.encode()))
    written = crmf.write_cert_request(0, CertTemplate(public_key=held("server", 102).public.spki), (token,))
    body = crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(written, RaVerified()))
    only_certificate(await ca.ask(ra.compose(body, infos=IMPLICIT)))


async def test_D4_an_ras_word_does_not_count_for_its_own_update(ca: World) -> None:
    ra = await registrar(ca)
    body = asked(ca, held("ra", 106).public.spki, RaVerified(), BodyKind.KUR)
    assert refusal(await ca.ask(ra.compose(body))) == (BodyKind.KUP, "notAuthorized", "cmp-pop-ra")


@pytest.mark.parametrize("number", [-1, 1, 7])
async def test_a_request_has_the_number_zero_and_no_second_beside_it(ca: World, number: int) -> None:
    written = crmf.write_cert_request(number, CertTemplate(public_key=MINE.public.spki))
    one = crmf.write_cert_req_msg(written, sign_pop(written, MINE.public.algorithm, MINE.raw))
    assert await refused(ca, crmf.write_requests(BodyKind.IR, one)) == (BodyKind.IP, "badRequest", "cmp-cert-req-id")
    two = crmf.write_requests(BodyKind.IR, one, one)
    assert await refused(ca, two) == (BodyKind.IP, "badRequest", "cmp-one-request")


def bad_keys() -> Iterator[tuple[str, bytes, str]]:
    def rsa(n: int, e: int = 65537) -> bytes:
        return RSAPublicNumbers(e, n).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    n = held("hong", 3).key.public_key().public_numbers().n  # type: ignore[union-attr]
    curve = generate_private_key(SECP521R1()).public_key()
    yield "short", rsa((1 << 1023) + 1), "cmp-template-key"
    yield "long", rsa((1 << 4608) + 1), "cmp-template-key"
    yield "exponent three", rsa(n, 3), "cmp-template-key"
    yield "another curve", curve.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), "cmp-template-key"
    yield "none", der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(b"x")), "cmp-template-key"


async def test_D4_keys_out_of_bounds_are_bad_templates(ca: World) -> None:
    for name, spki, code in bad_keys():
        wishes = CertTemplate(public_key=spki)
        pop = sign_pop(crmf.write_cert_request(0, wishes), MINE.public.algorithm, MINE.raw)
        assert await refused(ca, asked(ca, spki, pop)) == (BodyKind.IP, "badCertTemplate", code), name


async def test_D4_a_key_for_which_central_generation_is_asked_is_refused(ca: World) -> None:
    assert (await refused(ca, asked(ca, None, None))).fail_info == "badPOP"


async def test_D4_a_known_weak_key_is_refused_as_a_bad_template(ca: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """ROCA and its like are `keys.check_key`'s to find; here is how they are answered."""

    def found(*_args: object) -> None:
        raise KeyRefused("ca-key-roca")

    monkeypatch.setattr(service, "check_key", found)
    assert await refused(ca, request(MINE, encrypted=vid_of(ca))) == (BodyKind.IP, "badCertTemplate", "ca-key-roca")


async def test_D4_a_key_of_somebody_else_is_refused_even_after_its_certificate_ended(ca: World) -> None:
    issued = await enrolled(ca, KIM, 103)
    assert await refused(ca, request(MINE, encrypted=vid_of(ca))) == (BodyKind.IP, "badCertTemplate", "ca-key-in-use")
    await ca.ask(by_certificate(ca, issued, MINE).compose(revoke(issued)))
    assert (await refused(ca, request(MINE, encrypted=vid_of(ca)))).code == "ca-key-in-use"


async def test_a_person_may_keep_the_key_through_a_new_certificate(ca: World) -> None:
    await enrolled(ca, HONG, 103)
    await enrolled(ca, HONG, 103)


async def test_who_is_no_person_has_a_key_once(ca: World) -> None:
    await enrolled(ca, SERVER, 102, "server")
    holder = by_code(ca, await ca.register("server", SERVER))
    answer = await ca.ask(holder.compose(request(held("server", 102)), infos=IMPLICIT))
    assert refusal(answer) == (BodyKind.IP, "badCertTemplate", "ca-key-in-use")
