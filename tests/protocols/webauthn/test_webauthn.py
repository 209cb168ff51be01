"""WebAuthn as a relying party: two ends in memory, and each numbered check by an answer that fails it alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fido2 import cbor
from hypothesis import given
from hypothesis import strategies as st
from tests.authenticator import BACKED_UP, BACKUP_ELIGIBLE, PRESENT, VERIFIED, Authenticator, public_of

from ingam.protocols.webauthn import (
    ALGORITHMS,
    Credential,
    RelyingParty,
    WebAuthnRefused,
    check,
    credential_id,
    decode,
    encode,
    register,
    registration_options,
    request_options,
    signs_with,
    user_handle,
)

RP = RelyingParty("localhost", "증권금융", "http://localhost:8700")
ASKED = bytes(range(32))
LATER = bytes(range(32, 64))


def made(authenticator: Authenticator) -> Credential:
    options = registration_options(RP, b"h" * 16, "kimhana01", ASKED, platform=True, resident=False)
    return register(RP, ASKED, authenticator.create(options))


def used(authenticator: Authenticator, credential: Credential, challenge: bytes = LATER) -> int:
    return check(RP, challenge, credential, authenticator.get(request_options(RP, LATER, [credential.credential_id])))


def refused(authenticator: Authenticator) -> object:
    with pytest.raises(WebAuthnRefused) as caught:
        made(authenticator)
    return caught.value.facts["cause"]


def test_a_key_registers_and_signs_challenges() -> None:
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    assert credential.credential_id == authenticator.credential_id
    assert signs_with(credential.public_key) in ALGORITHMS
    assert not credential.backed_up
    assert used(authenticator, credential) == 1


def test_options_ask_for_a_verified_person_and_no_attestation() -> None:
    device = registration_options(RP, b"h" * 16, "김하나", ASKED, [b"old"], platform=True, resident=False)
    assert device["authenticatorSelection"] == {
        "authenticatorAttachment": "platform",
        "residentKey": "discouraged",
        "requireResidentKey": False,
        "userVerification": "required",
    }
    assert device["attestation"] == "none"
    assert device["excludeCredentials"] == [{"type": "public-key", "id": encode(b"old")}]
    passkey = registration_options(RP, b"h" * 16, "김하나", ASKED, platform=False, resident=True)
    assert passkey["authenticatorSelection"]["requireResidentKey"] is True
    assert "authenticatorAttachment" not in passkey["authenticatorSelection"]
    assert request_options(RP, ASKED)["userVerification"] == "required"
    json.dumps([device, passkey])  # what a browser takes as JSON


def test_a_key_that_is_backed_up_says_so() -> None:
    assert made(Authenticator(RP.origin, flags=PRESENT | VERIFIED | BACKUP_ELIGIBLE | BACKED_UP)).backed_up


def test_a_resident_key_names_its_person() -> None:
    authenticator = Authenticator(RP.origin)
    made(authenticator)
    answer = authenticator.get(request_options(RP, LATER))
    assert user_handle(answer) == b"h" * 16
    assert credential_id(answer) == authenticator.credential_id
    del answer["response"]["userHandle"]
    assert user_handle(answer) is None


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        ({"origin": "http://localhost:8701"}, "origin"),
        ({"origin": "https://localhost:8700"}, "origin"),
        ({"cross_origin": True}, "origin"),
        ({"rp_id": "example.com"}, "rp-id"),
        ({"flags": VERIFIED}, "presence"),
        ({"flags": PRESENT}, "verification"),
        ({"flags": PRESENT | VERIFIED | BACKED_UP}, "backup"),
    ],
)
def test_each_check_refuses_what_it_is_for(wrong: dict[str, Any], cause: str) -> None:
    assert refused(replace(Authenticator(RP.origin), **wrong)) == cause
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    for name, value in wrong.items():
        setattr(authenticator, name, value)
    with pytest.raises(WebAuthnRefused) as caught:
        used(authenticator, credential)
    assert caught.value.facts["cause"] == cause


def test_another_challenge_is_refused() -> None:
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    for challenge in (ASKED, b"", LATER + b"x"):
        with pytest.raises(WebAuthnRefused) as caught:
            used(authenticator, credential, challenge)
        assert caught.value.facts["cause"] == "challenge"


def test_a_short_challenge_proves_nothing() -> None:
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    with pytest.raises(WebAuthnRefused, match="challenge"):
        check(RP, b"short", credential, authenticator.get(request_options(RP, b"short")))


def test_an_answer_to_the_other_question_is_refused() -> None:
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    answer = authenticator.get(request_options(RP, LATER))
    said = json.loads(decode(answer["response"]["clientDataJSON"])) | {"type": "webauthn.create"}
    answer["response"]["clientDataJSON"] = encode(json.dumps(said).encode())
    with pytest.raises(WebAuthnRefused) as caught:
        check(RP, LATER, credential, answer)
    assert caught.value.facts["cause"] == "type"


def test_another_key_and_another_credential_are_refused() -> None:
    mine, stranger = Authenticator(RP.origin), Authenticator(RP.origin)
    credential = made(mine)
    with pytest.raises(WebAuthnRefused) as caught:
        used(stranger, credential)
    assert caught.value.facts["cause"] == "credential"
    stranger.credential_id = mine.credential_id
    with pytest.raises(WebAuthnRefused) as caught:
        used(stranger, credential)
    assert caught.value.facts["cause"] == "signature"


def test_a_changed_byte_of_the_signed_data_is_found() -> None:
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    answer = authenticator.get(request_options(RP, LATER))
    data = bytearray(decode(answer["response"]["authenticatorData"]))
    data[36] ^= 1  # the counter's last octet
    answer["response"]["authenticatorData"] = encode(bytes(data))
    with pytest.raises(WebAuthnRefused) as caught:
        check(RP, LATER, credential, answer)
    assert caught.value.facts["cause"] == "signature"


def test_a_copied_key_is_found_by_its_counter() -> None:
    authenticator = Authenticator(RP.origin, counter=5)
    credential = made(authenticator)
    thief = authenticator.copied()
    now = Credential(credential.credential_id, credential.public_key, used(authenticator, credential))
    with pytest.raises(WebAuthnRefused) as caught:
        used(thief, now)
    assert caught.value.facts["cause"] == "counter"


def test_an_authenticator_that_does_not_count_is_taken() -> None:
    authenticator = Authenticator(RP.origin)
    credential = made(authenticator)
    authenticator.counter = -1  # the use that follows says 0 again
    assert used(authenticator, credential) == 0


@pytest.mark.parametrize("wrong", [{-3: bytes(32)}, {3: -65535}, {-1: 2}, {3: -8}, {3: -257}])
def test_a_key_of_an_algorithm_that_was_not_asked_for_is_refused(
    wrong: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.authenticator.public_of", lambda key: {**public_of(key), **wrong})
    assert refused(Authenticator(RP.origin)) == "algorithm"


NAMES = (
    "id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "authenticatorData", "signature",
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.text(max_size=40) | st.binary(max_size=90).map(encode)
SHAPES = st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=6))


@given(SHAPES)
def test_nothing_but_a_refusal_comes_of_other_shapes(answer: Any) -> None:
    credential = Credential(b"c" * 32, cbor.encode({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}), 0)
    given_answer = answer if isinstance(answer, dict) else {"response": answer}
    with pytest.raises(WebAuthnRefused):
        register(RP, ASKED, given_answer)
    with pytest.raises(WebAuthnRefused):
        check(RP, ASKED, credential, given_answer)


@given(st.binary(max_size=200), st.sampled_from(["clientDataJSON", "attestationObject", "authenticatorData"]))
def test_nothing_but_a_refusal_comes_of_other_octets(octets: bytes, part: str) -> None:
    authenticator = Authenticator(RP.origin)
    options = registration_options(RP, b"h" * 16, "kimhana01", ASKED, platform=True, resident=False)
    answer = authenticator.create(options)
    credential = register(RP, ASKED, answer)
    shown = authenticator.get(request_options(RP, LATER))
    answer["response"][part] = shown["response"][part] = encode(octets)
    if part != "authenticatorData":
        with pytest.raises(WebAuthnRefused):
            register(RP, ASKED, answer)
    if part != "attestationObject":
        with pytest.raises(WebAuthnRefused):
            check(RP, LATER, credential, shown)


@given(st.binary(max_size=64))
def test_base64url_reads_back_and_is_read_in_one_form_only(octets: bytes) -> None:
    assert decode(encode(octets)) == octets
    with pytest.raises(ValueError, match="base64url"):
        decode(encode(octets) + "=")
