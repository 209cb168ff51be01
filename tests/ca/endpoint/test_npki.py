"""The NPKI profile's practice: what its old clients may leave out, and what they may not (npki.md 6, security D8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.ca.endpoint.asking import following, genm, revoke
from tests.ca.world import (
    HONG,
    NOW,
    SERVER,
    HeldKey,
    Holder,
    Refused,
    World,
    by_certificate,
    by_code,
    held,
    only_certificate,
    refusal,
    registrar,
    request,
    vid_of,
    world,
)

from ingam.ca.endpoint.npki import Npki
from ingam.ca.issuing.registering import Registered, RegistrationRefused
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der
from ingam.ports.books import State
from ingam.protocols.cmp import bodies, crmf, des_mac, general, message
from ingam.protocols.cmp.cert_response import read_cert_rep
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.pop import sign_pop_with_mac
from ingam.protocols.cmp.protection import MacProtection, password_based_mac
from ingam.protocols.cmp.template import CertTemplate

pytestmark = pytest.mark.anyio

MINE = held("hong", 3)
OLD: dict[str, Any] = {"pvno": 1, "message_time": NOW}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[World]:
    """An authority behind the raw line."""
    made = world(tmp_path, practice=lambda _office: Npki())
    yield made
    await made.shut()


def old_client(ca: World, found: Registered, iterations: int = 2) -> Holder:
    """A client with the historic MAC."""
    code = Secret(found.code.reveal().encode())
    proof = des_mac.DesMacProtection(code, des_mac.algorithm(b"saltsalt", iterations))
    return Holder(ca, proof, der.tlv(0x81, b"INI_NEW"), found.reference.encode(), (), code)


async def person(ca: World) -> Holder:
    return old_client(ca, await ca.register("securities", HONG, npki=True))


def asks(ca: World, holder: Holder, key: HeldKey = MINE, *, encrypted: bytes | None = b"", **header: Any) -> bytes:
    """An ir as the field's clients compose it."""
    assert holder.secret is not None
    mac = MacProtection(holder.secret, password_based_mac(b"s" * 16, iterations=1024, hash="sha1", mac="sha1"))
    proof = sign_pop_with_mac(key.public.spki, mac, key.public.algorithm, key.raw)
    given = vid_of(ca, oaep=False) if encrypted == b"" else encrypted
    info = () if given is None else (crmf.Attribute(crmf.ENCRYPTED_VID, given),)
    wishes = crmf.write_cert_request(0, CertTemplate(public_key=key.public.spki))
    body = crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(wishes, proof, info))
    return holder.compose(body, **{**OLD, **header})


async def ask(ca: World, data: bytes) -> UnverifiedMessage:
    _, answer = await ca.endpoint.answer(data, "127.0.0.1")
    return message.parse(answer)


def state(ca: World, issued: bytes) -> State:
    found = ca.books.standing(1, certificate.parse(issued).serial)
    assert found is not None
    return found.state


async def test_a_certificate_is_asked_for_issued_and_confirmed_by_the_clients_own_pkiconf(line: World) -> None:
    holder = await person(line)
    answer = await ask(line, asks(line, holder))
    assert (answer.body.kind, answer.header.pvno) == (BodyKind.IP, 1)
    assert holder.secret is not None
    issued = read_cert_rep(des_mac.verify(answer, holder.secret).body).responses[0].certificate or b""
    assert answer.header.protection_alg != holder.protection.algorithm
    assert state(line, issued) is State.PENDING
    told = await ask(line, following(holder, answer, bodies.PKICONF, **OLD))
    assert (told.body.kind, state(line, issued)) == (BodyKind.PKICONF, State.VALID)


FORMS: dict[str, dict[str, Any]] = {
    "no transactionID": {"transaction_id": None},
    "no senderNonce": {"sender_nonce": None},
    "128 octets of senderNonce": {"sender_nonce": bytes(range(128))},
    "no messageTime": {"message_time": None},
    "no nonces and no names": {"transaction_id": None, "sender_nonce": None, "message_time": None},
}


@pytest.mark.parametrize("form", FORMS)
async def test_old_clients_leave_out_what_they_please(line: World, form: str) -> None:
    holder, header = await person(line), FORMS[form]
    answer = await ask(line, asks(line, holder, **header))
    issued = only_certificate(answer)
    fields = {**OLD, **header, "sender_nonce": None}
    confirming = holder.compose(bodies.PKICONF, transaction=answer.header.transaction_id, **fields)
    assert (await ask(line, confirming)).body.kind is BodyKind.PKICONF
    assert state(line, issued) is State.VALID


async def test_a_time_that_is_told_must_be_right(line: World) -> None:
    holder = await person(line)
    late = asks(line, holder, message_time=NOW - timedelta(minutes=6))
    assert refusal(await ask(line, late)) == (BodyKind.ERROR, "badTime", "cmp-time")


@pytest.mark.parametrize("pvno", [0, 2, 3])
async def test_the_profile_is_of_version_one(line: World, pvno: int) -> None:
    answer = await ask(line, asks(line, await person(line), pvno=pvno))
    assert refusal(answer) == (BodyKind.ERROR, "unsupportedVersion", "cmp-version")


async def test_D8_codes_that_were_not_registered_for_it_are_unknown_to_it(line: World) -> None:
    holder = old_client(line, await line.register("securities", HONG))
    before = line.stored()
    assert refusal(await ask(line, asks(line, holder))) == (
        BodyKind.ERROR, "badMessageCheck", "cmp-protection-wrong",
    )  # fmt: skip
    assert line.stored() == before


async def test_D8_codes_that_were_registered_for_it_are_unknown_everywhere_else(ca: World) -> None:
    found = await ca.register("securities", HONG, npki=True)
    holder = by_code(ca, found)
    assert refusal(await ca.ask(holder.compose(request(MINE, encrypted=vid_of(ca))))).code == "cmp-protection-wrong"
    ra = await registrar(ca)
    token = crmf.Attribute(crmf.REG_TOKEN, der.tlv(der.UTF8_STRING, found.reference.encode()))
    answer = await ca.ask(ra.compose(request(MINE, encrypted=vid_of(ca), controls=(token,))))
    assert refusal(answer).code == "cmp-registration-missing"


async def test_the_historic_mac_is_a_bad_algorithm_everywhere_else(ca: World) -> None:
    holder = old_client(ca, await ca.register("securities", HONG))
    sent = holder.compose(genm(Info(general.CA_CERTS)))
    assert refusal(await ca.ask(sent)) == (BodyKind.ERROR, "badAlg", "cmp-protection-algorithm")


async def test_the_raw_line_takes_the_stronger_macs_too(line: World) -> None:
    found = await line.register("securities", HONG, npki=True)
    holder = by_code(line, found)
    only_certificate(await ask(line, asks(line, holder)))


async def test_only_what_brings_an_encrypted_vid_is_registered_for_it(ca: World) -> None:
    with pytest.raises(RegistrationRefused) as refused:
        await ca.register("server", SERVER, npki=True)
    assert refused.value.facts == {"part": "npki"}


@pytest.mark.parametrize("given", [None, der.seq()], ids=["absent", "another"])
async def test_D6_without_its_encrypted_vid_a_request_is_any_bad_request(line: World, given: bytes | None) -> None:
    answer = await ask(line, asks(line, await person(line), encrypted=given))
    assert refusal(answer) == (BodyKind.IP, "badRequest", "cmp-request")


async def test_D8_a_wrong_historic_mac_is_counted_and_its_cost_is_bounded(line: World) -> None:
    found = await line.register("securities", HONG, npki=True)
    sent = bytearray(asks(line, old_client(line, found)))
    sent[-1] ^= 1
    before = line.stored()
    assert refusal(await ask(line, bytes(sent))).code == "cmp-protection-wrong"
    assert line.stored() == before
    assert line.books.registration(found.reference).wrong_codes == 1  # type: ignore[union-attr]
    costly = Holder(line, _Costly(), der.tlv(0x81, b"x"), found.reference.encode())
    answer = await ask(line, costly.compose(genm(Info(general.CA_CERTS)), **OLD))
    assert refusal(answer) == (BodyKind.ERROR, "badAlg", "cmp-protection-cost")


class _Costly:
    algorithm = des_mac.algorithm(b"saltsalt", 100_001)

    def protect(self, part: bytes) -> bytes:
        return part[:8]


async def test_D9_the_same_request_has_the_same_answer_there_too(line: World) -> None:
    forms: tuple[dict[str, Any], ...] = ({}, {"transaction_id": None})
    for header in forms:
        holder = await person(line)
        sent = asks(line, holder, **header)
        first = await ask(line, sent)
        assert (await ask(line, sent)).raw == first.raw
        confirming = following(holder, first, bodies.PKICONF, **OLD, **header)
        told = await ask(line, confirming)
        assert (await ask(line, confirming)).raw == told.raw
    assert line.books.count_of(1) == 2


def bodies_refused(ca: World, issued: bytes) -> dict[str, Callable[[], Body]]:
    return {
        "cr": lambda: request(held("x", 4), BodyKind.CR, encrypted=vid_of(ca)),
        "certConf": lambda: bodies.write_cert_conf(),
        "rr": lambda: revoke(issued),
        "kur": lambda: request(held("x", 4), BodyKind.KUR, encrypted=vid_of(ca)),
    }


async def test_nothing_else_is_served_there(line: World) -> None:
    holder = await person(line)
    first = await ask(line, asks(line, holder))
    before = line.stored()
    for name, body in bodies_refused(line, only_certificate(first)).items():
        found = refusal(await ask(line, holder.compose(body(), **OLD)))
        told = BodyKind.RP if name == "rr" else BodyKind.ERROR
        assert found == Refused(told, "badRequest", "cmp-body-refused"), name
    assert line.stored() == before


async def test_a_pkiconf_that_follows_nothing_or_is_not_the_holders_confirms_nothing(line: World) -> None:
    holder = await person(line)
    first = await ask(line, asks(line, holder))
    other = await person(line)
    for sent, bits in (
        (holder.compose(bodies.PKICONF, transaction=b"another exchange", **OLD), "badRequest"),
        (following(other, first, bodies.PKICONF, **OLD), "transactionIdInUse"),
        (following(holder, first, Body(BodyKind.PKICONF, der.explicit(19, der.octets(b""))), **OLD), "badDataFormat"),
        (following(holder, first, bodies.PKICONF, **{**OLD, "recip_nonce": bytes(16)}), "badRecipientNonce"),
    ):
        assert refusal(await ask(line, sent)).fail_info == bits
        assert state(line, only_certificate(first)) is State.PENDING


@pytest.mark.parametrize("named", ["key identifier", "serial number", "nothing"])
async def test_a_holder_is_known_by_its_certificate_however_it_names_itself(line: World, named: str) -> None:
    first = await ask(line, asks(line, await person(line)))
    issued = certificate.parse(only_certificate(first))
    entry = line.books.certificate(1, issued.serial)
    assert entry is not None
    kid = {"key identifier": issued.ski, "serial number": str(issued.serial).encode(), "nothing": None}[named]
    holder = by_certificate(line, issued.der, MINE)
    holder.kid, holder.sender = kid, der.tlv(0x81, b"INI_RENEW")
    asked = holder.compose(genm(Info(general.CA_PROT_ENC_CERT)), **OLD)
    assert refusal(await ask(line, asked)).code == "cmp-signer-pending"  # known, and not yet good
    holder.kid = b"4711"
    assert refusal(await ask(line, holder.compose(genm(), **OLD))).code == "cmp-sender-name"
