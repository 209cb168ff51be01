"""Who may sign answers: a key of its own, the one purpose, short-lived where nobody can ask about it (security D12)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ca.status.ground import NOW, counted, generation, responder_der, second_ca
from tests.npki import certs

from ingam.ca.status.responders import Generations, ResponderRefused, responder
from ingam.npki import certificate
from ingam.protocols.ocsp.answering import CertId, issuer_hashes


def reason(made: bytes, *, key: str = "rsa2048-06", root: bool = False, days: int = 0) -> str:
    with pytest.raises(ResponderRefused) as refused:
        responder(
            certificate.parse(made),
            counted(key),
            certs.ca().certificate,
            NOW + timedelta(days=days),
            certs.root().certificate if root else None,
        )
    return str(refused.value.facts["reason"])


def test_D12_a_responder_of_the_ca_itself_lives_ninety_days_and_says_that_nobody_need_ask_about_it() -> None:
    made = certificate.parse(responder_der())
    assert responder(made, counted(), certs.ca().certificate, NOW).until == int(made.not_after.timestamp())
    assert reason(responder_der(days=91)) == "lifetime"
    assert reason(responder_der(no_check=False)) == "no-check"


def test_D12_a_responder_has_a_key_of_its_own() -> None:
    assert reason(responder_der(), key="rsa2048-07") == "key"
    own = certs.ca().key
    name = next(
        f"rsa2048-{number:02}"
        for number in range(16)
        if certs.spki(certs.key(f"rsa2048-{number:02}")) == certs.spki(own)
    )
    assert reason(responder_der(name), key=name) == "key"


def test_D12_a_responder_does_nothing_else() -> None:
    assert reason(responder_der(eku="1.3.6.1.5.5.7.3.1")) == "purpose"
    assert reason(responder_der(ca=True)) == "purpose"


def test_a_responder_is_valid_now_and_issued_by_the_ca() -> None:
    assert reason(responder_der(), days=100) == "validity"
    assert reason(responder_der(issuer=second_ca())) == "issuer"


def test_one_that_the_root_issued_is_taken_only_where_that_is_said() -> None:
    fields = responder_der(issuer=certs.root(), days=3650, no_check=False)
    assert reason(fields) == "issuer"
    assert (
        responder(
            certificate.parse(fields), counted(), certs.ca().certificate, NOW, certs.root().certificate
        ).certificate.der
        == fields
    )
    assert reason(responder_der(issuer=second_ca()), root=True) == "issuer"


def test_the_generation_is_found_by_what_the_question_says_of_the_issuer() -> None:
    first, second = generation(counted()), generation(counted("rsa2048-07"), 2, key_name="rsa2048-07")
    known = Generations([first, second])

    def asked(*issuers: certs.Party, sha256: bool = False) -> list[CertId]:
        return [CertId(b"", issuer_hashes(one.certificate)[sha256], 1) for one in issuers]

    for sha256 in (False, True):
        assert known.of(asked(certs.ca(), sha256=sha256)) == (first.responder, [1])
        assert known.of(asked(second_ca(), second_ca(), sha256=sha256)) == (second.responder, [2, 2])
    assert known.of(asked(certs.root())) is None
    assert known.of(asked(certs.ca(), second_ca())) is None
    assert known.of([]) is None
