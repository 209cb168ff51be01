"""Who is believed: codes and certificates, their algorithms and names. Nothing of the rest is looked at before."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA384
from tests.ca.endpoint.asking import genm, revoke
from tests.ca.world import (
    HONG,
    KIM,
    Holder,
    World,
    by_certificate,
    by_code,
    certificates,
    enrolled,
    held,
    only_certificate,
    refusal,
    replace_header,
    request,
    vid_of,
)

from ingam.ca import facts
from ingam.ca.profiles import service_shape
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, shapes, signature
from ingam.npki.shapes import Validity
from ingam.protocols.cmp import general, message, protection
from ingam.protocols.cmp.header import NULL_DN, Info, directory_name
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import (
    MacProtection,
    SignatureProtection,
    password_based_mac,
    pbmac1,
    verify_signature,
)

pytestmark = pytest.mark.anyio

ASKED = genm(Info(general.CA_CERTS))


async def coded(ca: World, **mac: Any) -> Holder:
    return by_code(ca, await ca.register("securities", HONG), **mac)


async def certified(ca: World, key: int = 103) -> Holder:
    return by_certificate(ca, await enrolled(ca, HONG, key), held("hong", key))


async def refused(ca: World, data: bytes) -> tuple[str, str]:
    """failInfo and code; nothing is stored."""
    before = ca.stored()
    body, bits, code = refusal(await ca.ask(data))
    assert body is BodyKind.ERROR and ca.stored() == before
    return bits, code


async def test_a_message_without_protection_is_refused(ca: World) -> None:
    holder = await coded(ca)
    given = message.parse(holder.compose(ASKED))
    for part, bits in ((given.header, None), (replace_header(given.header, protection_alg=None), b"12345678")):
        sent = message.finish(message.prepare(part, given.body), bits)
        assert await refused(ca, sent) == ("badMessageCheck", "cmp-unprotected")


@pytest.mark.parametrize("algorithm", [password_based_mac(b"s" * 16), pbmac1(b"s" * 16, iterations=1000)])
async def test_a_wrong_mac_stores_nothing_and_is_counted(ca: World, algorithm: bytes) -> None:
    holder = await coded(ca, algorithm=algorithm)
    sent = bytearray(holder.compose(ASKED))
    sent[-1] ^= 1
    assert await refused(ca, bytes(sent)) == ("badMessageCheck", "cmp-protection-wrong")
    reference = (holder.kid or b"").decode()
    assert ca.books.registration(reference).wrong_codes == 1  # type: ignore[union-attr]
    assert [line[:2] for line in ca.audit()[-2:]] == [
        ("wrong-code", "cmp-protection-wrong"), ("refuse", "cmp-protection-wrong"),
    ]  # fmt: skip


def spy(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, work: list[str]) -> None:
    """Writes down each call of a function."""
    real = getattr(module, name)

    def spied(*args: Any) -> Any:
        work.append(name)
        return real(*args)

    monkeypatch.setattr(module, name, spied)


async def test_an_unknown_number_is_answered_and_costs_as_a_wrong_code_does(
    ca: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await coded(ca)
    stranger = Holder(ca, known.protection, NULL_DN, b"12345678901234567890")
    wrong = Holder(ca, MacProtection(Secret(b"another code"), known.protection.algorithm), NULL_DN, known.kid)
    work: list[str] = []
    for module, name in ((protection, "derive"), (facts, "open_registration")):
        spy(monkeypatch, module, name, work)
    seen = []
    for holder in (stranger, wrong):
        work.clear()
        sent = holder.compose(ASKED, transaction=b"t" * 16, sender_nonce=b"n" * 16)
        work.clear()
        lines = len(ca.audit())
        answer = await ca.ask(sent)
        header = answer.header._replace(sender_nonce=None)
        seen.append((list(work), header, answer.body, answer.extra_certs, [one[:2] for one in ca.audit()[lines:]]))
    assert seen[0] == seen[1]
    assert seen[0][0] == ["open_registration", "derive"]


async def test_nobody_who_does_not_know_a_code_gets_a_mac_of_it(ca: World) -> None:
    """An error under the code would let anybody try codes at home."""
    known = await coded(ca)
    wrong = Holder(ca, MacProtection(Secret(b"another code"), known.protection.algorithm), NULL_DN, known.kid)
    cases: list[tuple[Holder, dict[str, Any]]] = [(wrong, {}), (known, {"message_time": None})]
    for holder, header in cases:
        answer = await ca.ask(holder.compose(ASKED, **header))
        verify_signature(answer, signature.public_key(certificates("ingam")[2].spki))


@pytest.mark.parametrize(
    "kid", [None, b"", b"x" * 65, "참조번호".encode()], ids=["absent", "empty", "long", "not ascii"]
)
async def test_a_code_without_its_number_is_nobodys(ca: World, kid: bytes | None) -> None:
    holder = await coded(ca)
    holder.kid = kid
    assert await refused(ca, holder.compose(ASKED)) == ("badMessageCheck", "cmp-sender-unknown")


async def test_the_number_may_stand_behind_CN_as_some_clients_write_it(ca: World) -> None:
    holder = await coded(ca)
    holder.kid = b"CN=" + (holder.kid or b"")
    assert (await ca.ask(holder.compose(ASKED))).body.kind is BodyKind.GENP


HMAC = der.algorithm("1.2.840.113549.2.9")
SHA1_RSA = der.algorithm("1.2.840.113549.1.1.5")


@pytest.mark.parametrize("algorithm", [HMAC, SHA1_RSA, der.algorithm("1.2.3.4", b"")], ids=["hmac", "sha1", "unknown"])
async def test_an_algorithm_that_is_not_spoken_is_bad_whatever_its_value(ca: World, algorithm: bytes) -> None:
    holder = await certified(ca)
    holder.protection = SignatureProtection(algorithm, lambda _part: b"x" * 32)
    assert await refused(ca, holder.compose(ASKED)) == ("badAlg", "cmp-protection-algorithm")


async def test_an_algorithm_of_another_kind_of_key_is_not_this_keys_protection(ca: World) -> None:
    holder = await certified(ca)
    holder.protection = SignatureProtection(signature.RSA_SHA256, held("hong", 103).raw)
    assert await refused(ca, holder.compose(ASKED)) == ("badMessageCheck", "cmp-protection-wrong")


async def test_pss_is_taken_from_an_rsa_key_and_answered_in_the_authoritys_own_way(ca: World) -> None:
    holder = await certified(ca, 3)
    key = held("hong", 3).key
    assert isinstance(key, RSAPrivateKey)
    sign = lambda part: key.sign(part, PSS(MGF1(SHA384()), 48), SHA384())  # noqa: E731
    holder.protection = SignatureProtection(signature.rsassa_pss("2.16.840.1.101.3.4.2.2", 48), sign)
    answer = await ca.ask(holder.compose(ASKED))
    assert answer.body.kind is BodyKind.GENP
    assert holder.verified(answer).header.protection_alg == signature.ECDSA_SHA256


async def test_a_wrong_signature_stores_nothing(ca: World) -> None:
    holder = await certified(ca)
    holder.protection = SignatureProtection(holder.protection.algorithm, held("kim", 104).raw)
    assert await refused(ca, holder.compose(ASKED)) == ("badMessageCheck", "cmp-protection-wrong")


NAMES = {
    "no certificate": ({"extra": ()}, "badMessageCheck", "cmp-signer-missing"),
    "no certificate in its place": ({"extra": (der.seq(),)}, "signerNotTrusted", "cmp-signer-unknown"),
    "another sender": (
        {"sender": directory_name(shapes.name(("CN", "kim")))}, "badMessageCheck", "cmp-sender-name",
    ),
    "a sender of another kind": ({"sender": der.tlv(0x81, b"x@ingam.test")}, "badMessageCheck", "cmp-sender-name"),
    "a name that is none": ({"sender": directory_name(der.seq(der.null))}, "badMessageCheck", "cmp-sender-name"),
    "another senderKID": ({"kid": bytes(20)}, "badMessageCheck", "cmp-sender-name"),
    "no senderKID": ({"kid": None}, "badMessageCheck", "cmp-sender-name"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", NAMES)
async def test_a_signer_is_named_by_its_certificate(ca: World, wrong: str) -> None:
    fields, bits, code = NAMES[wrong]
    holder = await certified(ca)
    for name, value in fields.items():  # type: ignore[attr-defined]
        setattr(holder, name, value)
    assert await refused(ca, holder.compose(ASKED)) == (bits, code)


async def test_A7_a_certificate_that_is_not_in_the_books_is_not_trusted_whoever_signed_it(ca: World) -> None:
    """Neither a stranger's, nor one with the issuer's name, nor even one that the CA's key has signed."""
    key, issuer = held("stranger", 105), ca.office.issuer
    at = ca.clock.now()
    tbs = shapes.tbs_certificate(
        service_shape(ca.office.authority, "cmp", 1), serial=99, issuer=issuer.generation.name,
        validity=Validity(at - timedelta(days=1), at + timedelta(days=1)), subject=shapes.name(("CN", "stranger")),
        spki=key.public.spki, authority_key=issuer.generation.authority_key,
    )  # fmt: skip
    for signer in (ca.keys["issuing"], held("stranger", 3)):
        made = certificate.parse(shapes.assemble(tbs, signer.raw(tbs))).der
        assert await refused(ca, by_certificate(ca, made, key).compose(ASKED)) == (
            "signerNotTrusted", "cmp-signer-unknown",
        )  # fmt: skip


async def test_a_changed_byte_in_a_certificate_of_ours_makes_it_a_strangers(ca: World) -> None:
    issued = bytearray(await enrolled(ca, HONG, 103))
    issued[-1] ^= 1
    holder = by_certificate(ca, bytes(issued), held("hong", 103))
    assert await refused(ca, holder.compose(ASKED)) == ("signerNotTrusted", "cmp-signer-unknown")


async def test_a_certificate_that_is_not_for_signing_signs_nothing(ca: World) -> None:
    km = by_certificate(ca, await enrolled(ca, HONG, 4, "encryption"), held("hong", 4))
    assert await refused(ca, km.compose(ASKED)) == ("notAuthorized", "cmp-signer-usage")


async def test_an_ended_certificate_signs_nothing_and_a_pending_one_not_yet(ca: World) -> None:
    pending = by_code(ca, await ca.register("securities", KIM))
    answer = await ca.ask(pending.compose(request(held("kim", 104), encrypted=vid_of(ca))))
    not_yet = by_certificate(ca, only_certificate(answer), held("kim", 104))
    assert await refused(ca, not_yet.compose(ASKED)) == ("badRequest", "cmp-signer-pending")
    issued = await enrolled(ca, HONG, 103)
    holder = by_certificate(ca, issued, held("hong", 103))
    assert (await ca.ask(holder.compose(revoke(issued)))).body.kind is BodyKind.RP
    assert await refused(ca, holder.compose(ASKED)) == ("certRevoked", "cmp-signer-ended")


async def test_an_expired_certificate_signs_nothing(ca: World) -> None:
    holder = await certified(ca)
    ca.clock.forward(400 * 86_400)
    assert await refused(ca, holder.compose(ASKED)) == ("signerNotTrusted", "cmp-signer-expired")
