"""Policies: what each authority's object identifiers mean, and which of them which customer may use."""

from __future__ import annotations

import itertools

import pytest
from tests.npki import certs

from ingam.npki import certificate, policies, subject
from ingam.npki.policies import Acceptance, CustomerKind

PERSONAL, UNION_HEAD, CORPORATE = CustomerKind.PERSONAL, CustomerKind.UNION_HEAD, CustomerKind.CORPORATE

ISSUERS = {
    "signkorea": "authorities/SignKorea_CA4.cer",
    "yessign": "authorities/yessignCA_Class_3.cer",
    "kica": "authorities/signGATE_CA6.cer",
    "crosscert": "authorities/CrossCertCA4.cer",
    "tradesign": "authorities/TradeSignCA4.cer",
}


def issuer(key: str) -> subject.Name:
    """The name of a published CA; where there is none, one made of the table's words."""
    if key in ISSUERS:
        return certificate.parse((certs.SAMPLES / ISSUERS[key]).read_bytes()).subject
    row = next(one for one in policies.authorities() if one.key == key)
    return subject.parse(certs.name(("C", "KR"), ("O", row.o), ("CN", row.brands[0] + " CA")))


ALL = {row.key: issuer(row.key) for row in policies.authorities()}


@pytest.mark.parametrize("key", ALL)
def test_every_authority_is_known_by_its_issuer_name_and_by_no_other(key: str) -> None:
    found = policies.authority(ALL[key])

    assert found is not None
    assert found.key == key
    assert [one.key for one in policies.authorities() if one.issued(ALL[key])] == [key]


def test_both_generations_and_the_test_authorities_share_one_table() -> None:
    for common in ("SignKorea CA4", "SignKorea CA5", "SignKorea Test CA4", "signkorea test ca7_3072"):
        name = subject.parse(certs.name(("C", "kr"), ("O", "SIGNKOREA"), ("OU", "AccreditedCA"), ("CN", common)))
        policy = policies.lookup(name, "1.2.410.200004.5.1.1.9")
        assert policy is not None
        assert (policy.name_ko, policy.use, policy.holder) == ("증권/보험용", "securities", "personal")


def test_the_organisation_alone_or_the_brand_alone_is_not_the_authority() -> None:
    for parts in (
        (("O", "SignKorea"), ("CN", "yessignCA Class 3")),
        (("O", "yessign"), ("CN", "SignKorea CA4")),
        (("O", "SignKorea"),),
        (("CN", "SignKorea CA4"),),
        (("O", "SignKorea Ltd"), ("CN", "SignKorea CA4")),
    ):
        assert policies.authority(subject.parse(certs.name(*parts))) is None


def test_A9_every_foreign_arc_combination_is_refused() -> None:
    combinations = list(itertools.product(ALL, policies.policies(), CustomerKind))
    foreign = [(key, policy, kind) for key, policy, kind in combinations if policy.ca.key != key]

    assert len(foreign) > 1000
    for key, policy, kind in foreign:
        assert policies.lookup(ALL[key], policy.oid) is None
        assert policies.accepts(ALL[key], policy.oid, kind) is Acceptance.NOT_ACCEPTED


def test_A9_no_policy_stands_in_two_authorities_and_every_row_says_where_it_comes_from() -> None:
    rows = policies.policies()

    assert len({row.oid for row in rows}) == len(rows)
    assert {row.source for row in rows} == {"verified", "stated", "practice", "disputed"}
    assert {row.holder for row in rows} == {"personal", "corporate", "any", "disputed"}
    for row in rows:
        assert row.oid.startswith(row.ca.arc + ".")
        assert row.name_ko
        assert row.name_en.isascii()


ACCEPTED = {
    PERSONAL: {
        "signkorea": {"5", "9"},
        "yessign": {"1", "1.1"},
        "kica": {"2", "7.2"},
        "crosscert": {"1", "102"},
        "tradesign": {"1", "103"},
        "ingam": {"5", "9"},
    },
    CORPORATE: {
        "signkorea": {"7", "10"},
        "yessign": {"5", "5.1"},
        "kica": {"1"},
        "crosscert": {"2"},
        "tradesign": {"3"},
        "ingam": {"7", "10"},
    },
}
ACCEPTED[UNION_HEAD] = ACCEPTED[PERSONAL]


@pytest.mark.parametrize("kind", CustomerKind)
def test_A9_exactly_the_universal_and_the_securities_policies_of_ones_kind_are_accepted(kind: CustomerKind) -> None:
    taken: dict[str, set[str]] = {}
    for policy in policies.policies():
        if policies.accepts(ALL[policy.ca.key], policy.oid, kind) is Acceptance.ACCEPTED:
            taken.setdefault(policy.ca.key, set()).add(policy.oid.removeprefix(policy.ca.arc + "."))

    assert taken == ACCEPTED[kind]


@pytest.mark.parametrize(
    ("key", "oid", "kind", "outcome"),
    [
        ("yessign", "1.2.410.200005.1.1.4", PERSONAL, Acceptance.BANK_ONLY),
        ("yessign", "1.2.410.200005.1.1.2", PERSONAL, Acceptance.BANK_ONLY),
        ("kica", "1.2.410.200004.5.2.1.7.1", PERSONAL, Acceptance.BANK_ONLY),
        ("crosscert", "1.2.410.200004.5.4.1.101", UNION_HEAD, Acceptance.BANK_ONLY),
        ("tradesign", "1.2.410.200012.1.1.101", CORPORATE, Acceptance.BANK_ONLY),
        ("signkorea", "1.2.410.200004.5.1.1.7", PERSONAL, Acceptance.KIND_CLASH),
        ("signkorea", "1.2.410.200004.5.1.1.7", UNION_HEAD, Acceptance.KIND_CLASH),
        ("signkorea", "1.2.410.200004.5.1.1.9", CORPORATE, Acceptance.KIND_CLASH),
        ("signkorea", "1.2.410.200004.5.1.1.9.2", PERSONAL, Acceptance.NOT_ACCEPTED),
        ("signkorea", "1.2.410.200004.5.1.1.13", PERSONAL, Acceptance.NOT_ACCEPTED),
        ("signkorea", "1.2.410.200004.5.1.1.8", CORPORATE, Acceptance.NOT_ACCEPTED),
        ("yessign", "1.2.410.200005.1.1.1.10", PERSONAL, Acceptance.NOT_ACCEPTED),
        ("signkorea", "1.2.410.200004.5.1.1.999", PERSONAL, Acceptance.NOT_ACCEPTED),
        ("signkorea", policies.ANY_POLICY, PERSONAL, Acceptance.NOT_ACCEPTED),
        ("signkorea", None, PERSONAL, Acceptance.NOT_ACCEPTED),
        ("inipass", "1.2.410.200004.5.5.1.1", PERSONAL, Acceptance.NOT_ACCEPTED),
        ("ncasign", "1.2.410.200004.5.3.1.9", PERSONAL, Acceptance.NOT_ACCEPTED),
    ],
)
def test_A9_each_refusal_has_its_own_outcome(
    key: str, oid: str | None, kind: CustomerKind, outcome: Acceptance
) -> None:
    assert policies.accepts(ALL[key], oid, kind) is outcome


def test_issuers_are_shown_by_the_names_people_know() -> None:
    assert policies.issuer_name(ALL["signkorea"]) == "코스콤"
    assert policies.issuer_name(ALL["yessign"]) == "금융결제원"
    assert policies.issuer_name(ALL["yessign"], "en") == "KFTC (yessign)"
    assert policies.issuer_name(subject.parse(certs.ROOT_NAME)) == "KISA"
