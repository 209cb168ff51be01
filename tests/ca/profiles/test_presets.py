"""The demo authority and the five of the sandbox: what they are called, and which policies they issue."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.ca.issuing import made

from ingam.ca.profiles import (
    PRESETS,
    Authority,
    Customer,
    Generation,
    ProfileUnknown,
    load,
    preset,
    preset_files,
)
from ingam.npki import policies, signature, subject
from ingam.npki.shapes import CMC_RA, SERVER_AUTH, Usage

SANDBOX = [key for key in PRESETS if key != "ingam"]
OF_THE_SANDBOX = (".9998", ".9999")
"""Policies that the field does not have: RAs, and an authority's own services."""


@pytest.mark.parametrize("key", PRESETS)
def test_a_preset_is_read_from_the_files_that_a_new_authority_gets(key: str, tmp_path: Path) -> None:
    for name, text in preset_files(key).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert load(tmp_path / "authority.toml") == preset(key)


def test_there_is_no_other_preset() -> None:
    with pytest.raises(KeyError):
        preset("../ingam")


@pytest.mark.parametrize("key", SANDBOX)
def test_policies_of_the_sandbox_are_those_of_the_field(key: str) -> None:
    one = preset(key)
    issuer = subject.parse(one.issuing_name(1))
    for profile in one.profiles.values():
        if profile.policy.endswith(OF_THE_SANDBOX):
            continue
        row = policies.lookup(issuer, profile.policy)
        assert row is not None, profile.policy
        assert row.use == profile.name.split("-")[0]
        if profile.customer in (Customer.PERSONAL, Customer.CORPORATE):
            assert row.holder == profile.customer.value


def test_the_demo_has_an_arc_of_its_own_and_the_numbers_of_signkorea() -> None:
    demo, field = preset("ingam"), preset("signkorea")
    assert demo.demo
    assert demo.arc.startswith("2.25.")
    assert [one.key for one in policies.authorities() if one.arc == demo.arc] == ["ingam"]
    for name in ("securities", "universal", "universal-corporate", "securities-corporate", "server", "encryption"):
        assert demo.profile(name).policy.removeprefix(demo.arc) == field.profile(name).policy.removeprefix(field.arc)
    assert field.profile("securities").policy == "1.2.410.200004.5.1.1.9"


def test_the_demo_says_that_it_is_one() -> None:
    demo = preset("ingam")
    for raw in (demo.root_name(1), demo.issuing_name(1), demo.service_name("ocsp", 1)):
        assert "Demo" in (subject.parse(raw).value("CN") or "")
    for profile in demo.profiles.values():
        assert profile.notice is None or "시연용" in profile.notice


def text(raw: bytes) -> str:
    return subject.folder_name(subject.parse(raw))


def test_generations_and_services_have_names_of_their_own() -> None:
    demo, field = preset("ingam"), preset("signkorea")
    assert text(demo.issuing_name(2)) == "cn=Ingam Demo CA2,ou=DemoCA,o=Ingam,c=KR"
    assert text(demo.root_name(1)) == "cn=Ingam Demo Root CA 1,ou=Demo Certification Authority Central,o=Ingam,c=KR"
    assert text(field.issuing_name(1)) == "cn=SignKorea CA4 (sandbox),ou=AccreditedCA,o=SignKorea,c=KR"
    assert text(preset("yessign").issuing_name(1)) == "cn=yessignCA Class 3 (sandbox),ou=AccreditedCA,o=yessign,c=kr"
    names = [demo.service_name(use, generation) for use in ("ocsp", "cmp", "encryption") for generation in (1, 2)]
    assert len({*names, demo.issuing_name(1), demo.issuing_name(2), demo.root_name(1)}) == 9


def test_partitions_are_filled_one_after_the_other() -> None:
    demo = preset("ingam")
    assert [demo.partition_number(count) for count in (0, 9_999, 10_000, 25_000)] == [1, 1, 2, 3]
    assert demo.partition_name(1, 3) == "dp1p3"
    assert preset("signkorea").partition_name(1, 9649) == "dp4p9649"


@pytest.mark.parametrize(
    ("key", "address"),
    [
        ("ingam", "ldap://dir.ingam.test:389/ou=dp1p3,ou=DemoCA,o=Ingam,c=KR"),
        ("signkorea", "ldap://dir.signkorea.test:389/ou=dp4p3,ou=AccreditedCA,o=SignKorea,c=KR"),
        (
            "yessign",
            "ldap://ds.yessign.test:389/ou=dp3p3,ou=AccreditedCA,o=yessign,c=kr?certificateRevocationList",
        ),
    ],
)
def test_a_list_is_addressed_in_the_manner_of_the_house(key: str, address: str) -> None:
    one = preset(key)
    assert one.list_address(one.partition_name(1, 3)) == address


def test_http_addresses_are_there_where_there_is_http() -> None:
    demo, field = preset("ingam"), preset("signkorea")
    assert demo.list_http("dp1p3") == "http://dir.ingam.test/dp1p3.crl"
    assert demo.delta_http("dp1p3") == "http://dir.ingam.test/dp1p3-delta.crl"
    assert demo.issuer_http(1) == "http://dir.ingam.test/issuing-1.der"
    assert demo.root_http(1) == "http://dir.ingam.test/root-1.der"
    assert demo.root_list_http(1) == "http://dir.ingam.test/root-1.crl"
    assert field.list_http("dp4p3") is field.issuer_http(1) is field.root_http(1) is None


@pytest.mark.parametrize("key", PRESETS)
def test_every_profile_has_the_usage_of_its_kind(key: str) -> None:
    for profile in preset(key).profiles.values():
        expected = {"encryption": Usage.ENCRYPT, "server": Usage.DIGITAL_SIGNATURE, "ra": Usage.DIGITAL_SIGNATURE}
        assert profile.usage is expected.get(profile.name, Usage.SIGN)
        assert profile.purposes == {"server": (SERVER_AUTH,), "ra": (CMC_RA,)}.get(profile.name, ())
        assert profile.identified == (profile.name not in expected)


@pytest.mark.parametrize("key", PRESETS)
def test_D11_only_sandboxes_have_short_serials(key: str) -> None:
    one = preset(key)
    assert one.sandbox == (one.serial_bytes < 9)


def test_a_profile_that_there_is_not_is_refused() -> None:
    with pytest.raises(ProfileUnknown):
        preset("ingam").profile("gold")


def test_a_generation_is_what_its_certificate_says() -> None:
    one: Authority = preset("ingam")
    found = Generation.of(1, made.issuing("ingam"), signature.RSA_SHA256)
    assert found.name == one.issuing_name(1)
    assert found.authority_key.issuer == one.root_name(1)
    assert found.authority_key.serial == made.SERIAL + 2
    assert found.spki == made.spki(made.CA_KEY)
