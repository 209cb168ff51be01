"""폐지 대행 from the console: two passkeys that the authority knows, over the very text, and nothing else (D14)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fido2 import cbor
from hypothesis import given
from hypothesis import strategies as st
from tests.authenticator import Authenticator, public_of
from tests.ca.world import World, enrolled, world

from ingam.ca.revoking import approval
from ingam.ca.revoking.service import CertificateUnknown
from ingam.ca.revoking.statement import Operator, StatementRefused
from ingam.kernel.instants import rfc3339
from ingam.npki import certificate
from ingam.ports.books import StandingRefused, State
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.webauthn import Credential, RelyingParty, encode, request_options
from ingam.protocols.webauthn.as_key import pack, unpack

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
CONSOLE = RelyingParty("localhost", "console", "http://localhost:8702")
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    made = world(tmp_path)
    made.clock.at = NOW
    yield made
    await made.shut()


def passkey(person: str, **faults: Any) -> tuple[Authenticator, Operator]:
    """An operator's authenticator, and the operator as the authority knows them."""
    one = Authenticator(CONSOLE.origin, **faults)
    key = pack(Credential(one.credential_id, cbor.encode(public_of(one.key)), 0))
    return one, Operator(person.lower(), person, key)


MAKER, CHECKER, THIRD = passkey("E1001"), passkey("E1002"), passkey("E1003")
OPERATORS = {operator.name: operator for _, operator in (MAKER, CHECKER, THIRD)}


def text(number: int, fingerprint: bytes, **changed: str) -> bytes:
    """What the console shows and both sign."""
    told = {
        "authority": "ingam", "certificate": fingerprint.hex(), "serial": f"{number:x}",
        "reason": "cessationOfOperation", "basis": "death", "kind": "revocation", "maker": "E1001", "subjects": "-",
    } | changed  # fmt: skip
    lines = [json.dumps([name, "", told[name]], ensure_ascii=False)
             for name in ("authority", "certificate", "serial", "reason", "basis")]  # fmt: skip
    head = {
        "change": "c" * 32, "kind": told["kind"], "maker": told["maker"], "subjects": told["subjects"],
        "drafted": rfc3339(NOW), "expires": rfc3339(NOW + timedelta(hours=24)), "nonce": "0" * 32,
    }  # fmt: skip
    return "\n".join(["INGAM-CHANGE/1", *(f"{k}: {v}" for k, v in head.items()), "---", *lines, ""]).encode()


def signed(body: bytes, *who: tuple[Authenticator, Operator]) -> list[OperatorSignature]:
    """Their passkeys' answers over a text."""
    found = []
    for one, operator in who:
        answer = one.get(request_options(CONSOLE, hashlib.sha256(body).digest(), [one.credential_id]))
        response = answer["response"]
        named, data = encode(one.credential_id), response["authenticatorData"]
        found.append(OperatorSignature(operator.person, named, response["clientDataJSON"], data, response["signature"]))
    return found


async def test_D14_two_passkeys_over_the_change_end_the_certificate(ca: World) -> None:
    der = await enrolled(ca)
    one = certificate.parse(der)
    body = text(one.serial, one.fingerprint)
    ended = await ca.revoking.on_approval(body, signed(body, MAKER, CHECKER), OPERATORS, CONSOLE)
    assert (ended.state, ended.reason) == (State.REVOKED, 5)


async def test_D14_the_serial_of_another_certificate_ends_nothing(ca: World) -> None:
    one = certificate.parse(await enrolled(ca))
    body = text(one.serial, bytes(32))
    with pytest.raises(CertificateUnknown):
        await ca.revoking.on_approval(body, signed(body, MAKER, CHECKER), OPERATORS, CONSOLE)
    assert ca.revoking.find(1, one.serial).state is State.VALID


async def test_D14_an_approval_that_is_told_again_is_done_and_not_refused(ca: World) -> None:
    """The answer was lost on its way: the console asks again, also when the approval's own time has passed."""
    one = certificate.parse(await enrolled(ca))
    body = text(one.serial, one.fingerprint)
    both = signed(body, MAKER, CHECKER)
    ended = await ca.revoking.on_approval(body, both, OPERATORS, CONSOLE)
    ca.clock.forward(60)
    assert await ca.revoking.on_approval(body, both, OPERATORS, CONSOLE) == ended
    ca.clock.forward(2 * 86_400)
    assert await ca.revoking.on_approval(body, both, OPERATORS, CONSOLE) == ended
    assert ca.books.audited("revoke-on-behalf", NOW) == 1


async def test_D14_another_approval_of_what_has_ended_is_refused(ca: World) -> None:
    one = certificate.parse(await enrolled(ca))
    first, second = (text(one.serial, one.fingerprint, basis=basis) for basis in ("death", "court-order"))
    await ca.revoking.on_approval(first, signed(first, MAKER, CHECKER), OPERATORS, CONSOLE)
    with pytest.raises(StandingRefused):
        await ca.revoking.on_approval(second, signed(second, MAKER, CHECKER), OPERATORS, CONSOLE)


async def test_D14_an_approval_of_what_ended_otherwise_at_the_same_instant_is_refused(ca: World) -> None:
    one = certificate.parse(await enrolled(ca))
    body = text(one.serial, one.fingerprint)
    await ca.revoking.revoke(ca.revoking.find(1, one.serial), 1, by="holder")
    with pytest.raises(StandingRefused):
        await ca.revoking.on_approval(body, signed(body, MAKER, CHECKER), OPERATORS, CONSOLE)


def refused(body: bytes, signatures: list[OperatorSignature], at: datetime = NOW) -> str:
    """The part that does not carry."""
    with pytest.raises(StatementRefused) as failure:
        approval.verify(body, signatures, OPERATORS, CONSOLE, authority="ingam", at=at)
    return str(failure.value.facts["part"])


def test_D14_one_person_alone_ends_nothing_with_however_many_signatures() -> None:
    body = text(1, bytes(32))
    assert refused(body, signed(body, MAKER)) == "two-persons"
    assert refused(body, signed(body, MAKER, MAKER)) == "two-persons"
    assert refused(body, []) == "two-persons"
    # Two others than its maker: somebody else's change, or one whose maker never signed.
    assert refused(body, signed(body, CHECKER, THIRD)) == "two-persons"


def test_D14_nobody_approves_what_is_about_themselves() -> None:
    body = text(1, bytes(32), subjects="E1002")
    assert refused(body, signed(body, MAKER, CHECKER)) == "two-persons"
    approval.verify(body, signed(body, MAKER, THIRD), OPERATORS, CONSOLE, authority="ingam", at=NOW)


def test_G3_a_signature_over_another_text_spoils_all() -> None:
    body, other = text(1, bytes(32)), text(2, bytes(32))
    assert refused(body, [*signed(body, MAKER), *signed(other, CHECKER)]) == "signature"


def test_D14_a_passkey_that_the_authority_does_not_know_is_nobodys() -> None:
    body, stranger = text(1, bytes(32)), passkey("E1002")
    assert refused(body, signed(body, MAKER, stranger)) == "operator-unknown"
    borrowed = signed(body, CHECKER)[0]._replace(employee="E1003")
    assert refused(body, [*signed(body, MAKER), borrowed]) == "operator-unknown"


@pytest.mark.parametrize("fault", [{"origin": "http://localhost:8700"}, {"rp_id": "elsewhere"}, {"flags": 0x01}])
def test_D14_a_passkey_used_elsewhere_or_without_its_person_does_not_carry(fault: dict[str, Any]) -> None:
    body = text(1, bytes(32))
    one, operator = CHECKER
    lying = replace(one, **fault)
    assert refused(body, signed(body, MAKER, (lying, operator))) == "signature"


def test_G3_an_approval_is_of_today() -> None:
    body = text(1, bytes(32))
    both = signed(body, MAKER, CHECKER)
    assert refused(body, both, NOW + timedelta(hours=24)) == "time"
    assert refused(body, both, NOW - timedelta(minutes=6)) == "time"


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"authority": "signkorea"}, "authority"),
        ({"kind": "limits"}, "text"),
        ({"reason": "certificateHold"}, "reason"),
        ({"basis": "Death!"}, "reason"),
        ({"certificate": "00"}, "text"),
        ({"serial": "no"}, "text"),
    ],
)
def test_a_change_that_says_something_else_is_no_approval(changed: dict[str, str], part: str) -> None:
    body = text(1, bytes(32), **changed)
    assert refused(body, signed(body, MAKER, CHECKER)) == part


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_other_bytes_are_no_approval(body: bytes) -> None:
    assert refused(body, []) == "text"


@given(st.integers(0, 600), st.binary(min_size=1, max_size=3))
def test_a_text_with_anything_changed_carries_neither_signature(at: int, put: bytes) -> None:
    body = text(1, bytes(32))
    both = signed(body, MAKER, CHECKER)
    changed = body[:at] + put + body[at + len(put) :]
    if changed != body:
        assert refused(changed, both) in ("text", "reason", "authority", "time", "signature", "two-persons")


@given(st.binary(min_size=1, max_size=80), st.binary(min_size=1, max_size=90))
def test_a_passkey_comes_back_from_its_key(named: bytes, public: bytes) -> None:
    found = unpack(pack(Credential(named, public, 0)))
    assert found is None or (found.credential_id, found.public_key) == (named, public)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_a_key_or_not(key: bytes) -> None:
    found = unpack(key)
    assert found is None or pack(found) == key
