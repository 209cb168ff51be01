"""The exchanges in vectors/cmp, which openssl made once: every one is verified, read, and walked by our machine."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from tests.protocols.cmp import parties, strategies

from ingam.kernel.secret import Secret
from ingam.npki import certificate, signature
from ingam.npki.certificate import Certificate
from ingam.protocols.cmp import (
    bodies,
    cert_response,
    client,
    crmf,
    general,
    message,
    pkcs10,
    pop,
    protection,
    revocation,
)
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import implicit_confirm
from ingam.protocols.cmp.message import PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused

FOLDER = Path(__file__).parents[3] / "vectors" / "cmp"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
CODE = Secret(MANIFEST["code"].encode())
NAMES = [entry["file"] for entry in MANIFEST["messages"]]
EVERY = pytest.mark.parametrize("name", NAMES)
BOTH = pytest.mark.parametrize("proof", ["mac", "signed"])


def raw(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@cache
def holder(name: str) -> Certificate:
    return certificate.parse(raw(f"{name}.cert"))


def verified(name: str) -> PKIMessage:
    return verify(message.parse(raw(name)))


def verify(found: UnverifiedMessage) -> PKIMessage:
    if protection.is_mac(protection.protection_alg(found)):
        return protection.verify_mac(found, CODE)
    who = "person" if found.header.sender.endswith(b"person") else "signer"
    return protection.verify_signature(found, signature.public_key(holder(who).spki))


def test_the_manifest_names_every_message() -> None:
    assert sorted(NAMES) == sorted(path.name for path in FOLDER.glob("*.der"))


@EVERY
def test_every_message_is_verified_and_read(name: str) -> None:
    strategies.read_any(verified(name).body)


@EVERY
def test_every_message_is_composed_again_to_its_bytes(name: str) -> None:
    found = message.parse(raw(name))
    part = message.prepare(found.header, found.body)
    assert message.finish(part, found.protection, found.extra_certs) == found.raw


@EVERY
def test_no_message_is_verified_with_a_bit_turned(name: str) -> None:
    data = bytearray(raw(name))
    data[len(data) // 3] ^= 1
    with pytest.raises(CmpRefused):
        verify(message.parse(bytes(data)))


@BOTH
@pytest.mark.parametrize("command", ["ir", "kur"])
def test_the_requests_prove_the_possession_of_their_key(proof: str, command: str) -> None:
    found = verified(f"{proof}-{command}.der")
    (request,) = crmf.read_requests(found.body)
    assert pop.verify_pop(request, sender=found.header.sender).spki == holder("new").spki
    old = crmf.old_cert_id(request)
    assert (None if old is None else old.serial_number) == (holder("new").serial if command == "kur" else None)


@BOTH
def test_the_pkcs10_request_proves_its_key(proof: str) -> None:
    asked = pkcs10.parse(bodies.read_p10cr(verified(f"{proof}-p10cr.der").body))
    assert pkcs10.verify(asked).spki == holder("new").spki


@BOTH
def test_the_revocation_names_its_certificate_and_reason(proof: str) -> None:
    (details,) = revocation.read_rev_req(verified(f"{proof}-rr.der").body)
    assert (details.template.serial_number, details.reason) == (holder("new").serial, 4)


@BOTH
def test_the_question_asks_for_the_kinds_of_keys(proof: str) -> None:
    (info,) = general.read_general(verified(f"{proof}-genm.der").body)
    assert info.type == general.SIGN_KEY_PAIR_TYPES


@BOTH
@pytest.mark.parametrize("command", ["ir", "p10cr"])
def test_the_confirmation_names_the_certificate(proof: str, command: str) -> None:
    (one,) = bodies.read_cert_conf(verified(f"{proof}-{command}-certconf.der").body)
    assert bodies.confirms(one, holder("new").der, holder("new").signature_algorithm)


@BOTH
@pytest.mark.parametrize("command", ["ir", "p10cr"])
def test_our_machine_walks_the_exchange_of_another_client(proof: str, command: str) -> None:
    first, conf = (message.parse(raw(f"{proof}-{command}{end}.der")).header for end in ("", "-certconf"))
    number = cert_response.P10CR_CERT_REQ_ID if command == "p10cr" else 0
    question = client.Question(message.parse(raw(f"{proof}-{command}.der")).body.kind, number, holder("new").spki)
    asking = Client(first.sender, first.recipient, protection.SignatureProtection(b"\x30\x00", lambda _: b""), verify)
    now = Exchange(client.Asking(question), first.transaction_id or b"", first.sender_nonce or b"", None, None)
    now = asking.receive(now, raw(f"{proof}-{command}-answer.der"), nonce=b"m" * 16, at=parties.NOW)
    assert isinstance(now.state, client.Offered) and now.state.certificate == holder("new").der
    now = asking.accept(now, nonce=conf.sender_nonce or b"", at=parties.NOW)
    ours = bodies.read_cert_conf(message.parse(now.outgoing or b"").body)
    assert ours[0].cert_hash == bodies.read_cert_conf(verified(f"{proof}-{command}-certconf.der").body)[0].cert_hash
    assert now.their_nonce == conf.recip_nonce
    now = asking.receive(now, raw(f"{proof}-{command}-pkiconf.der"), nonce=b"o" * 16, at=parties.NOW)
    assert isinstance(now.state, client.Issued)


@BOTH
def test_an_answer_of_another_exchange_is_not_taken(proof: str) -> None:
    asked = message.parse(raw(f"{proof}-ir.der")).header
    now = Exchange(client.Asking(client.Question(0, 0, b"")), asked.transaction_id or b"", b"another", None, None)
    asking = Client(asked.sender, asked.recipient, protection.SignatureProtection(b"\x30\x00", lambda _: b""), verify)
    for changed in (now, replace(now, transaction_id=b"another")):
        with pytest.raises(CmpRefused) as caught:
            asking.receive(changed, raw(f"{proof}-ir-answer.der"), nonce=b"m" * 16, at=parties.NOW)
        assert caught.value.code in ("cmp-answer-nonce", "cmp-answer-transaction")


def test_implicit_confirmation_is_granted_in_the_exchange_that_asks_for_it() -> None:
    assert implicit_confirm(verified("mac-kur.der").header)
    assert implicit_confirm(verified("mac-kur-answer.der").header)
    assert not implicit_confirm(verified("mac-ir-answer.der").header)
