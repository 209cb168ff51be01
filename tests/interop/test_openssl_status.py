"""`openssl ocsp`, `openssl verify` with lists and deltas, and `openssl crl` read what the authority publishes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.interop.conftest import trusting
from tests.interop.openssl import OpenSsl, Said
from tests.interop.people import People, Person, enrol
from tests.interop.running import Running, fetch, listed, until

from ingam.adapters.clock.system import SystemClock

pytestmark = pytest.mark.xdist_group("interop")

LISTS = ("dp1p1", "dp1p1-delta", "issuing-1", "issuing-1-delta", "root-1")
STRICT = ("-x509_strict", "-policy_check", "-explicit_policy", "-policy", "anyPolicy")


def asked(openssl: OpenSsl, authority: Running, *words: str, trust: str = "root.pem") -> Said:
    """`openssl ocsp` to the address that certificates name; the chain of the responder is verified."""
    usual = ("ocsp", "-issuer", "ca.pem", "-url", authority.ocsp, "-CAfile", trust)
    return openssl.run(*usual, "-verify_other", "ca.pem", *words)


def told(openssl: OpenSsl, authority: Running, person: Person) -> str:
    """`good`, `revoked`: one question, one verified answer."""
    name = openssl.pem("asked", person.certificate)
    found = re.search(rf"^{name}: (\w+)", asked(openssl, authority, "-cert", name).well(), re.M)
    assert found is not None
    return found[1]


@pytest.fixture
def files(openssl: OpenSsl, people: People) -> OpenSsl:
    """good.pem, revoked.pem and held.pem too."""
    for name in ("good", "revoked", "held"):
        openssl.pem(name, getattr(people, name).certificate)
    return openssl


# OCSP


@pytest.mark.parametrize("nonce", [(), ("-no_nonce",)], ids=["nonce", "without"])
@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_each_of_several_certificates_has_its_own_answer(
    authority: Running, files: OpenSsl, digest: str, nonce: tuple[str, ...]
) -> None:
    several = [word for name in ("good", "revoked", "held") for word in (digest, "-cert", f"{name}.pem")]
    text = asked(files, authority, *several, *nonce).well()
    assert "Response verify OK" in text and "WARNING" not in text
    assert "good.pem: good" in text and "revoked.pem: revoked" in text and "held.pem: revoked" in text
    assert "Reason: keyCompromise" in text and "Reason: certificateHold" in text


@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_a_single_answer_is_verified_with_a_nonce_and_without(authority: Running, files: OpenSsl, digest: str) -> None:
    text = asked(files, authority, digest, "-cert", "good.pem").well()
    assert "Response verify OK" in text and "WARNING" not in text  # no warning: the nonce came back
    again = asked(files, authority, "-no_nonce", digest, "-cert", "good.pem", "-resp_text").well()
    assert "good.pem: good" in again and "OCSP Nonce" not in again and "Next Update" in again


def test_what_was_never_issued_is_unknown(authority: Running, files: OpenSsl) -> None:
    assert "0x1234: unknown" in asked(files, authority, "-serial", "0x1234").well()


def test_another_issuer_is_unknown_too(authority: Running, files: OpenSsl) -> None:
    text = files.run("ocsp", "-issuer", "root.pem", "-serial", "1", "-url", authority.ocsp, "-noverify").text
    assert "unauthorized" in text or "unknown" in text


def test_the_services_own_certificates_are_good(authority: Running, files: OpenSsl) -> None:
    files.pem("opener", authority.holdings.service("encryption", 1, SystemClock().now()).certificate)
    text = asked(files, authority, "-cert", "cmp.pem", "-cert", "opener.pem").well()
    assert "cmp.pem: good" in text and "opener.pem: good" in text


def test_whoever_trusts_another_root_believes_nothing(authority: Running, files: OpenSsl) -> None:
    files("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "x.key", "-subj", "/CN=x", "-out", "x.pem")
    assert "Response Verify Failure" in asked(files, authority, "-cert", "good.pem", trust="x.pem").text


def test_an_answer_that_was_kept_is_verified_later(authority: Running, files: OpenSsl) -> None:
    asked(files, authority, "-no_nonce", "-cert", "revoked.pem", "-respout", "kept.der").well()
    kept = ("-respin", "kept.der", "-CAfile", "root.pem", "-verify_other", "ca.pem", "-no_nonce")
    text = files("ocsp", "-issuer", "ca.pem", "-cert", "revoked.pem", *kept)
    assert "revoked.pem: revoked" in text and "Response verify OK" in text


def test_revoked_held_and_released_are_in_the_next_answer(authority: Running, openssl: OpenSsl) -> None:
    person = enrol(authority)
    serial = f"{person.certificate.serial:x}"
    assert told(openssl, authority, person) == "good"
    for command, state in (
        (("suspend",), "revoked"),
        (("resume",), "good"),
        (("revoke", "--reason", "superseded"), "revoked"),
    ):
        authority.cli(*command, "--serial", serial)
        assert told(openssl, authority, person) == state


# Lists


def test_lists_are_printed_and_their_signatures_verified(authority: Running, files: OpenSsl, people: People) -> None:
    for name in LISTS:
        text = files("crl", "-in", list_of(files, authority, name), "-noout", "-text", "-CAfile", above(name))
        assert "verify OK" in text and "X509v3 CRL Number" in text
    text = files("crl", "-in", "dp1p1.crl", "-noout", "-text")
    assert f"{people.revoked.certificate.serial:X}" in text and "Key Compromise" in text
    assert "X509v3 Issuing Distribution Point: critical" in text


def test_a_list_that_was_changed_is_not_verified(authority: Running, files: OpenSsl) -> None:
    der = bytearray(fetch(f"{authority.va}/ingam/dp1p1.crl"))
    der[-1] ^= 1
    (files.folder / "changed.crl").write_bytes(der)
    assert "verify failure" in files.run("crl", "-in", "changed.crl", "-noout", "-CAfile", "ca.pem").text


@pytest.mark.parametrize("name", ["dp1p1", "issuing-1"])
def test_the_whole_path_is_checked_against_lists(authority: Running, files: OpenSsl, name: str) -> None:
    assert checked(files, authority, "good.pem", name, "root-1").well()
    for ended in ("revoked.pem", "held.pem"):
        assert "certificate revoked" in checked(files, authority, ended, name, "root-1").badly()


def test_without_the_list_of_the_root_the_path_is_not_checked(authority: Running, files: OpenSsl) -> None:
    assert "unable to get certificate CRL" in checked(files, authority, "good.pem", "dp1p1").badly()


def test_openssl_fetches_the_lists_that_certificates_name(authority: Running, files: OpenSsl) -> None:
    # The root names no list of its own: its file is given, the others are fetched.
    given = ("-crl_check_all", "-crl_download", "-CRLfile", list_of(files, authority, "root-1"))
    chain = ("-trusted", "root.pem", "-untrusted", "ca.pem")
    files("verify", *STRICT, *given, *chain, "good.pem")
    text = files.run("verify", *STRICT, *given, *chain, "revoked.pem").badly()
    assert "certificate revoked" in text


def test_a_delta_brings_what_came_after_its_base(authority: Running, openssl: OpenSsl) -> None:
    revoked, released = enrol(authority), enrol(authority)
    authority.cli("suspend", "--serial", f"{released.certificate.serial:x}")
    authority.publish()
    authority.cli("revoke", "--serial", f"{revoked.certificate.serial:x}", "--reason", "key-compromise")
    authority.cli("resume", "--serial", f"{released.certificate.serial:x}")
    wanted = {revoked.certificate.serial, released.certificate.serial}
    until(lambda: wanted <= set(listed(authority, "issuing-1-delta")), "the clerk has listed them")
    openssl.pem("revoked", revoked.certificate)
    openssl.pem("released", released.certificate)
    base, delta = ("issuing-1", "root-1"), ("issuing-1", "issuing-1-delta", "root-1")
    assert checked(openssl, authority, "revoked.pem", *base).well()
    assert "certificate revoked" in checked(openssl, authority, "released.pem", *base).badly()
    assert "certificate revoked" in checked(openssl, authority, "revoked.pem", *delta, deltas=True).badly()
    assert checked(openssl, authority, "released.pem", *delta, deltas=True).well()


def test_the_delta_that_a_certificate_names_is_published_and_verified(authority: Running, openssl: OpenSsl) -> None:
    openssl.pem("member", enrol(authority, "member").certificate)
    authority.publish()
    found = re.search(r"Freshest CRL:.*?URI:(\S+)", openssl("x509", "-in", "member.pem", "-noout", "-text"), re.S)
    assert found is not None and found[1] == f"{authority.va}/ingam/dp1p1-delta.crl"
    # The clerk is at work beside: a base may be fetched before, and its delta after, it put the next ones in place.
    lists = ("dp1p1", "dp1p1-delta", "root-1")
    until(lambda: checked(openssl, authority, "member.pem", *lists, deltas=True).code == 0, "verified with the delta")
    until(lambda: state(authority, "dp1p1-delta") == "current", "what the books list is published")


def test_the_certificates_that_others_name_are_published(authority: Running, people: People, tmp_path: Path) -> None:
    openssl = trusting(tmp_path, authority)
    openssl.pem("good", people.good.certificate)
    for name, above_it in (("good.pem", authority.holdings.issuing[1]), ("ca.pem", authority.holdings.roots[1])):
        text = openssl("x509", "-in", name, "-noout", "-text")
        found = re.search(r"CA Issuers - URI:(\S+)", text)
        assert found is not None and fetch(found[1]) == above_it.der


def state(authority: Running, name: str) -> str:
    """What `ingam ca crl` says of a list."""
    found: dict[str, str] = {one["list"]: one["state"] for one in authority.cli("crl")["lists"]}
    return found[name]


def checked(openssl: OpenSsl, authority: Running, person: str, *lists: str, deltas: bool = False) -> Said:
    """`openssl verify -crl_check_all`, strictly, with these lists and no others."""
    files = [word for name in lists for word in ("-CRLfile", list_of(openssl, authority, name))]
    more = ("-use_deltas",) if deltas else ()
    return openssl.run(
        "verify", *STRICT, "-crl_check_all", *more, *files, "-trusted", "root.pem", "-untrusted", "ca.pem", person
    )


def list_of(openssl: OpenSsl, authority: Running, name: str) -> str:
    """A list as HTTP serves it, in PEM, which `openssl verify` wants."""
    (openssl.folder / f"{name}.der").write_bytes(fetch(f"{authority.va}/ingam/{name}.crl"))
    openssl("crl", "-inform", "DER", "-in", f"{name}.der", "-out", f"{name}.crl")
    return f"{name}.crl"


def above(name: str) -> str:
    """Who signed a list."""
    return "root.pem" if name == "root-1" else "ca.pem"
