"""Authorization requests, whatever comes: read, or refused by one of two ways (OpenID Connect Core 3.1.2, RFC 7636)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.oidc import (
    ACRS,
    CERTIFICATE,
    ID,
    SECOND,
    ClientUnknown,
    RequestError,
    access_token_hash,
    addressed,
    requested,
    verifies,
)


@dataclass(frozen=True)
class Known:
    client_id: str = "one"
    redirect_uris: tuple[str, ...] = ("https://one.example/back",)
    scopes: tuple[str, ...] = ("profile",)
    acr: str = ID


CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
GOOD = {
    "client_id": "one", "redirect_uri": "https://one.example/back", "response_type": "code", "scope": "openid",
    "code_challenge": CHALLENGE, "code_challenge_method": "S256",
}  # fmt: skip


def test_the_challenge_of_rfc_7636_is_met_by_its_verifier_alone() -> None:
    assert verifies(CHALLENGE, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    for other in ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK", CHALLENGE, "", "d" * 42, "d" * 129, "가" * 43):
        assert not verifies(CHALLENGE, other)


def test_the_hash_of_an_access_token_is_the_left_half_of_its_sha_256() -> None:
    # RFC 7636 has no vector; OpenID Connect Core 3.1.3.6, computed with OpenSSL: sha256("abc"), 16 bytes, base64url.
    assert access_token_hash("abc") == "ungWv48Bz-pBQUDeXa4iIw"


@pytest.mark.parametrize(
    ("least", "asked", "found"),
    [
        (ID, "", ID), (ID, CERTIFICATE, CERTIFICATE), (CERTIFICATE, "", CERTIFICATE), (CERTIFICATE, ID, CERTIFICATE),
        (ID, f"{SECOND} {CERTIFICATE}", CERTIFICATE), (ID, "urn:other", ID), (CERTIFICATE, SECOND, SECOND),
    ],
)  # fmt: skip
def test_never_less_than_the_clients_own_least_strength(least: str, asked: str, found: str) -> None:
    pairs = list({**GOOD, "acr_values": asked}.items())
    assert requested(pairs, Known(acr=least), "https://one.example/back").acr == found
    assert found in ACRS


def test_scopes_that_are_not_known_or_not_allowed_are_left_out() -> None:
    pairs = list({**GOOD, "scope": "email profile openid"}.items())
    assert requested(pairs, Known(), "").scope == ("openid", "profile")
    assert requested(pairs, Known(scopes=()), "").scope == ("openid",)


_NAMES = st.sampled_from([*GOOD, "state", "nonce", "prompt", "max_age", "acr_values", "request", "response_mode", "x"])
_VALUES = st.one_of(st.sampled_from([*GOOD.values(), "none", "login", "10", ""]), st.text(max_size=600))


@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=14))
def test_whatever_comes_is_read_or_refused(more: list[tuple[str, str]]) -> None:
    pairs = [*GOOD.items(), *more]
    try:
        client, address = addressed(pairs, {"one": Known()})
        found = requested(pairs, client, address)
    except (ClientUnknown, RequestError):
        return
    assert found.redirect_uri == "https://one.example/back"
    assert found.challenge == CHALLENGE
    assert found.scope[0] == "openid"
    assert len({name for name, _ in pairs}) == len(pairs)
