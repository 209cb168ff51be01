"""`openssl cmp` against the authority's process: every command, both protections, and what a client may do wrong."""

from __future__ import annotations

import itertools

import pytest
from tests.interop.openssl import OpenSsl, Said, by
from tests.interop.people import NAME, Person, curve_key, enrol, new_idn, rsa_key
from tests.interop.running import Code, Running, Standing, fetch

pytestmark = pytest.mark.xdist_group("interop")

SIGNED = ("-cert", "own.pem", "-key", "own.key", "-own_trusted", "root.pem", "-untrusted", "ca.pem")
TRUSTED, PINNED = ("-trusted", "root.pem"), ("-srvcert", "cmp.pem")
VALID = Standing("valid", None)


def member(authority: Running, openssl: OpenSsl, **more: object) -> Person:
    """Somebody with a certificate: own.pem and own.key."""
    person = enrol(authority, "member", **more)  # type: ignore[arg-type]
    openssl.pem("own", person.certificate)
    openssl.key("own", person.key)
    return person


def registered(authority: Running, idn: str = "") -> Code:
    return authority.register("member", NAME, idn or new_idn())


def registrar(authority: Running, openssl: OpenSsl) -> tuple[str, ...]:
    """The options of an RA: `ingam ca issue` certified its request."""
    openssl.key("ra", curve_key())
    openssl("req", "-new", "-key", "ra.key", "-subj", "/CN=ra", "-out", "ra.csr")
    place = openssl.folder
    authority.cli(
        "issue", "--profile", "ra", "--name", "center", "--csr", f"{place}/ra.csr", "--out", f"{place}/ra.pem"
    )
    return ("-cert", "ra.pem", "-key", "ra.key", *PINNED)


def enrolled(openssl: OpenSsl, authority: Running, command: str, *words: str, key: object = None) -> Said:
    """Asks for new.pem with new.key, whatever protects it."""
    openssl.key("new", key or curve_key())  # type: ignore[arg-type]
    if command == "p10cr":
        openssl("req", "-new", "-key", "new.key", "-subj", "/CN=whoever", "-out", "new.csr")
    given = ("-csr", "new.csr") if command == "p10cr" else ("-newkey", "new.key")
    return openssl.cmp(authority, command, *given, "-certout", "new.pem", *words)


def verified(openssl: OpenSsl, name: str = "new.pem") -> str:
    """`openssl verify`, strictly and with policies, and what `openssl x509` prints."""
    strict = ("-x509_strict", "-policy_check", "-explicit_policy", "-policy", "anyPolicy")
    openssl("verify", *strict, "-trusted", "root.pem", "-untrusted", "ca.pem", name)
    return openssl("x509", "-in", name, "-noout", "-text", "-nameopt", "utf8,sep_comma_plus")


def another_root(openssl: OpenSsl) -> None:
    """another.pem: a root that is not the authority's, whoever's key own.key is."""
    openssl("req", "-x509", "-new", "-key", "own.key", "-subj", "/CN=another root", "-out", "another.pem")


# Enrolment under a reference number and its code


@pytest.mark.parametrize("command", ["ir", "cr", "p10cr"])
def test_whoever_has_a_code_is_certified_and_confirms(authority: Running, openssl: OpenSsl, command: str) -> None:
    text = enrolled(openssl, authority, command, *by(registered(authority))).well()
    assert "sending CERTCONF" in text and "received PKICONF" in text
    assert authority.standing(openssl.read("new.pem")) == VALID
    assert f"CN={NAME}-" in verified(openssl) and openssl.read("new.pem").subject.value("O") == "Ingam"


MACS = [("hmac-sha1", "sha256"), *((f"hmacWithSHA{bits}", f"sha{bits}") for bits in (256, 384, 512))]


@pytest.mark.parametrize(("mac", "digest"), MACS)
def test_PasswordBasedMac_with_every_digest(authority: Running, openssl: OpenSsl, mac: str, digest: str) -> None:
    code = registered(authority)
    enrolled(openssl, authority, "ir", *by(code), "-mac", mac, "-digest", digest).well()


def test_a_proof_with_SHA1_proves_nothing(authority: Running, openssl: OpenSsl) -> None:
    text = enrolled(openssl, authority, "ir", *by(registered(authority)), "-digest", "sha1").badly()
    assert "badPOP" in text


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_an_RSA_key_with_every_digest_of_its_proof(authority: Running, openssl: OpenSsl, digest: str) -> None:
    enrolled(openssl, authority, "ir", *by(registered(authority)), "-digest", digest, key=rsa_key()).well()
    assert "rsaEncryption" in verified(openssl)


def test_an_implicit_confirmation_needs_no_further_message(authority: Running, openssl: OpenSsl) -> None:
    text = enrolled(openssl, authority, "ir", *by(registered(authority)), "-implicit_confirm").well()
    assert "CERTCONF" not in text and authority.standing(openssl.read("new.pem")) == VALID


def test_without_its_confirmation_a_certificate_waits_and_the_old_one_stands(
    authority: Running, openssl: OpenSsl
) -> None:
    old = member(authority, openssl)
    enrolled(openssl, authority, "ir", *by(registered(authority, old.idn)), "-disable_confirm").well()
    assert authority.standing(openssl.read("new.pem")).state == "pending"
    assert authority.standing(old.certificate) == VALID


def test_a_confirmed_one_supersedes_the_old_one(authority: Running, openssl: OpenSsl) -> None:
    old = member(authority, openssl)
    enrolled(openssl, authority, "ir", *by(registered(authority, old.idn))).well()
    assert authority.standing(openssl.read("new.pem")) == VALID
    assert authority.standing(old.certificate) == Standing("revoked", "superseded")


def test_a_certificate_that_the_client_rejects_is_revoked_and_the_old_one_stands(
    authority: Running, openssl: OpenSsl
) -> None:
    old = member(authority, openssl)
    another_root(openssl)
    code = registered(authority, old.idn)
    text = enrolled(openssl, authority, "ir", *by(code), "-out_trusted", "another.pem").badly()
    assert "rejecting newly enrolled cert" in text and "received PKICONF" in text
    newest = authority.cli("status", "--newest", "1")["newest"][0]
    assert (newest["profile"], newest["state"]) == ("member", "revoked")
    assert authority.standing(old.certificate) == VALID


def test_a_client_that_knows_the_root_confirms_it(authority: Running, openssl: OpenSsl) -> None:
    enrolled(openssl, authority, "ir", *by(registered(authority)), "-out_trusted", "root.pem").well()


def test_a_client_without_certificates_is_given_root_and_chain(authority: Running, openssl: OpenSsl) -> None:
    files = ("-cacertsout", "roots.pem", "-extracertsout", "extra.pem", "-chainout", "chain.pem")
    enrolled(openssl, authority, "ir", *by(registered(authority)), *files).well()
    holdings = authority.holdings
    assert openssl.read_all("roots.pem") == [holdings.roots[1]]
    assert openssl.read_all("chain.pem") == [holdings.issuing[1]]
    assert openssl.read_all("extra.pem") == [holdings.issuing[1], holdings.roots[1]]


def test_names_and_extensions_are_the_registrations_and_not_the_requests(authority: Running, openssl: OpenSsl) -> None:
    wishes = ("-subject", "/CN=somebody else", "-sans", "example.test", "-policy_oids", "1.2.3.4", "-days", "3650")
    text = enrolled(openssl, authority, "ir", *by(registered(authority)), *wishes).well()
    assert 'received "grantedWithMods"' in text
    printed = verified(openssl)
    assert f"CN={NAME}-" in printed and "example.test" not in printed and "Policy: 1.2.3.4" not in printed


def test_information_in_the_header_that_nobody_knows_is_passed_over(authority: Running, openssl: OpenSsl) -> None:
    enrolled(openssl, authority, "ir", *by(registered(authority)), "-geninfo", "1.2.3.4:int:56789").well()


def test_a_request_of_PKCS10_is_turned_into_an_ir(authority: Running, openssl: OpenSsl) -> None:
    openssl.key("csr", curve_key())
    openssl("req", "-new", "-key", "csr.key", "-subj", "/CN=x", "-addext", "keyUsage=cRLSign", "-out", "new.csr")
    words = ("-csr", "new.csr", "-newkey", "csr.key", "-certout", "new.pem")
    openssl.cmp(authority, "ir", *by(registered(authority)), *words).well()
    assert "CRL Sign" not in verified(openssl)


def test_one_connection_for_request_and_confirmation(authority: Running, openssl: OpenSsl) -> None:
    enrolled(openssl, authority, "ir", *by(registered(authority)), "-keep_alive", "2").well()


# What is wrong with a code, a proof, an answer


def test_a_code_is_used_once(authority: Running, openssl: OpenSsl) -> None:
    code = registered(authority)
    enrolled(openssl, authority, "ir", *by(code)).well()
    assert "notAuthorized" in enrolled(openssl, authority, "ir", *by(code)).badly()


@pytest.mark.parametrize("reference", ["the right one", "nobody"])
def test_a_wrong_code_and_an_unknown_number_are_told_apart_by_nothing(
    authority: Running, openssl: OpenSsl, reference: str
) -> None:
    code = registered(authority)
    wrong = ("-ref", code.reference if reference != "nobody" else reference, "-secret", "pass:wrong")
    unread = enrolled(openssl, authority, "ir", *wrong).badly()
    assert "missing trust anchor" in unread and "badMessageCheck" not in unread
    for trust in (TRUSTED, ("-unprotected_errors",)):
        text = enrolled(openssl, authority, "ir", *wrong, *trust).badly()
        assert "badMessageCheck" in text and '"cmp-protection-wrong"' in text
    enrolled(openssl, authority, "ir", *by(code)).well()


def test_D8_a_wrong_code_stores_no_certificate(authority: Running, openssl: OpenSsl) -> None:
    code = registered(authority)
    before = sum(authority.cli("status")["counts"].values())
    enrolled(openssl, authority, "ir", "-ref", code.reference, "-secret", "pass:wrong").badly()
    assert sum(authority.cli("status")["counts"].values()) == before


def test_a_request_without_protection_is_refused(authority: Running, openssl: OpenSsl) -> None:
    for command in ("ir", "cr", "p10cr"):
        nothing = ("-subject", "/CN=whoever", "-unprotected_requests", "-unprotected_errors")
        assert "badMessageCheck" in enrolled(openssl, authority, command, *nothing).badly()


@pytest.mark.parametrize(
    ("method", "answered"), [("-1", "badPOP"), ("0", "notAuthorized"), ("2", "badPOP")], ids=["none", "ra", "keyenc"]
)
def test_a_holder_proves_its_key_by_a_signature_and_nothing_else(
    authority: Running, openssl: OpenSsl, method: str, answered: str
) -> None:
    text = enrolled(openssl, authority, "ir", *by(registered(authority)), "-popo", method).badly()
    assert answered in text


def test_a_client_that_expects_another_authority_takes_nothing(authority: Running, openssl: OpenSsl) -> None:
    own = authority.holdings.issuing[1].subject
    name = "".join(f"/{kind}={own.value(kind)}" for kind in ("C", "O", "OU", "CN"))
    enrolled(openssl, authority, "ir", *by(registered(authority)), "-expect_sender", name).well()
    wrong = enrolled(openssl, authority, "ir", *by(registered(authority)), "-expect_sender", "/CN=another").badly()
    assert "does not match expected sender" in wrong


def test_D9_the_same_request_again_has_the_same_answer(authority: Running, openssl: OpenSsl) -> None:
    code, key, place = by(registered(authority)), curve_key(), openssl.folder
    first = ("-reqout", "ir.der conf.der", "-rspout", "ip.der pkiconf.der")
    enrolled(openssl, authority, "ir", *code, *first, key=key).well()
    enrolled(openssl, authority, "ir", *code, "-reqin", "ir.der", "-rspout", "again.der", key=key)
    assert (place / "again.der").read_bytes() == (place / "ip.der").read_bytes()
    again = fetch(f"http://{authority.cmp}", (place / "conf.der").read_bytes(), "application/pkixcmp")
    assert again == (place / "pkiconf.der").read_bytes()


# Requests under a certificate


@pytest.mark.parametrize("trust", [TRUSTED, PINNED], ids=["trusted", "pinned"])
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_certificate_is_renewed_for_another_key(
    authority: Running, openssl: OpenSsl, trust: tuple[str, ...], kind: str
) -> None:
    old = member(authority, openssl, key=rsa_key() if kind == "rsa" else curve_key())
    enrolled(openssl, authority, "kur", *SIGNED, *trust).well()
    new = openssl.read("new.pem")
    assert new.subject == old.certificate.subject and verified(openssl)
    assert authority.standing(new) == VALID
    assert authority.standing(old.certificate) == Standing("revoked", "superseded")


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_signatures_with_every_digest(authority: Running, openssl: OpenSsl, digest: str) -> None:
    member(authority, openssl)
    enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED, "-digest", digest).well()


def test_a_renewal_is_confirmed_implicitly(authority: Running, openssl: OpenSsl) -> None:
    member(authority, openssl)
    text = enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED, "-implicit_confirm").well()
    assert "CERTCONF" not in text and authority.standing(openssl.read("new.pem")) == VALID


def test_a_renewal_that_the_client_rejects_leaves_the_old_one(authority: Running, openssl: OpenSsl) -> None:
    old = member(authority, openssl)
    another_root(openssl)
    enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED, "-out_trusted", "another.pem").badly()
    assert authority.standing(old.certificate) == VALID
    enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED).well()
    assert authority.standing(old.certificate) == Standing("revoked", "superseded")


def test_a_renewal_for_the_same_key_or_another_name_is_refused(authority: Running, openssl: OpenSsl) -> None:
    member(authority, openssl)
    same = openssl.cmp(authority, "kur", *SIGNED, *TRUSTED, "-newkey", "own.key", "-certout", "new.pem").badly()
    other = enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED, "-subject", "/CN=another").badly()
    assert "badCertTemplate" in same and "badCertTemplate" in other


@pytest.mark.parametrize("command", ["ir", "cr", "p10cr"])
def test_D5_a_holders_certificate_enrols_nobody_else(authority: Running, openssl: OpenSsl, command: str) -> None:
    member(authority, openssl)
    assert "notAuthorized" in enrolled(openssl, authority, command, *SIGNED, *TRUSTED).badly()


def test_an_ended_certificate_signs_for_nobody(authority: Running, openssl: OpenSsl) -> None:
    member(authority, openssl)
    enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED).well()
    assert "certRevoked" in enrolled(openssl, authority, "kur", *SIGNED, *TRUSTED).badly()


def test_a_certificate_of_another_authority_is_not_heard(authority: Running, openssl: OpenSsl) -> None:
    openssl.key("own", curve_key())
    another_root(openssl)
    openssl("req", "-new", "-key", "own.key", "-subj", "/C=KR/CN=stranger", "-out", "own.csr")
    openssl("x509", "-req", "-in", "own.csr", "-CA", "another.pem", "-CAkey", "own.key", "-out", "own.pem")
    stranger = ("-cert", "own.pem", "-key", "own.key")
    assert "signerNotTrusted" in enrolled(openssl, authority, "kur", *stranger, *TRUSTED).badly()


def test_a_client_that_trusts_another_root_takes_no_answer(authority: Running, openssl: OpenSsl) -> None:
    old = member(authority, openssl)
    another_root(openssl)
    own = ("-cert", "own.pem", "-key", "own.key")
    text = enrolled(openssl, authority, "kur", *own, "-trusted", "another.pem").badly()
    assert "received KUP" in text and "error validating protection" in text
    assert authority.standing(old.certificate) == VALID


# Revocation


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        ("-1", "revoked", "unspecified"),
        ("0", "revoked", "unspecified"),
        ("1", "revoked", "keyCompromise"),
        ("3", "revoked", "affiliationChanged"),
        ("4", "revoked", "superseded"),
        ("5", "revoked", "cessationOfOperation"),
        ("6", "held", "certificateHold"),
        ("9", "revoked", "privilegeWithdrawn"),
    ],
)
def test_a_holder_revokes_its_own(authority: Running, openssl: OpenSsl, number: str, state: str, reason: str) -> None:
    own = member(authority, openssl)
    words = () if number == "-1" else ("-revreason", number)
    text = openssl.cmp(authority, "rr", *SIGNED, *TRUSTED, "-oldcert", "own.pem", *words).well()
    assert "received RP" in text
    assert authority.standing(own.certificate) == Standing(state, reason)


def test_what_is_revoked_is_not_revoked_again(authority: Running, openssl: OpenSsl) -> None:
    member(authority, openssl)
    openssl.cmp(authority, "rr", *SIGNED, *TRUSTED, "-oldcert", "own.pem").well()
    assert "certRevoked" in openssl.cmp(authority, "rr", *SIGNED, *TRUSTED, "-oldcert", "own.pem").badly()


def test_what_is_not_held_is_not_released(authority: Running, openssl: OpenSsl) -> None:
    own = member(authority, openssl)
    released = openssl.cmp(authority, "rr", *SIGNED, *TRUSTED, "-oldcert", "own.pem", "-revreason", "8").badly()
    assert "cmp-rr-not-held" in released and authority.standing(own.certificate) == VALID


def test_D5_nobody_revokes_somebody_elses(authority: Running, openssl: OpenSsl) -> None:
    member(authority, openssl)
    other = enrol(authority, "member")
    openssl.pem("other", other.certificate)
    assert "notAuthorized" in openssl.cmp(authority, "rr", *SIGNED, *TRUSTED, "-oldcert", "other.pem").badly()
    assert authority.standing(other.certificate) == VALID


def test_a_code_revokes_nothing(authority: Running, openssl: OpenSsl) -> None:
    own = member(authority, openssl)
    text = openssl.cmp(authority, "rr", *by(registered(authority)), *TRUSTED, "-oldcert", "own.pem").badly()
    assert "wrongIntegrity" in text and authority.standing(own.certificate) == VALID


def test_a_registration_authority_holds_releases_and_revokes(authority: Running, openssl: OpenSsl) -> None:
    own, by_ra = member(authority, openssl), registrar(authority, openssl)
    for reason, standing in (
        ("6", Standing("held", "certificateHold")),
        ("8", VALID),
        ("1", Standing("revoked", "keyCompromise")),
    ):
        openssl.cmp(authority, "rr", *by_ra, "-oldcert", "own.pem", "-revreason", reason).well()
        assert authority.standing(own.certificate) == standing
    assert "badCertId" in openssl.cmp(authority, "rr", *by_ra, "-oldcert", "root.pem").badly()


# Questions

ASKED = ("signKeyPairTypes", "caProtEncCert", "encKeyPairTypes", "preferredSymmAlg", "currentCRL")


@pytest.mark.parametrize("info", ASKED)
def test_a_question_is_answered_in_kind(authority: Running, openssl: OpenSsl, info: str) -> None:
    member(authority, openssl)
    for proof in ((*SIGNED, *TRUSTED), by(registered(authority))):
        text = openssl.cmp(authority, "genm", *proof, "-infotype", info).well()
        assert f"genp contains ITAV of type: id-it-{info}" in text


def test_a_question_about_nothing_and_ones_that_are_none(authority: Running, openssl: OpenSsl) -> None:
    member(authority, openssl)
    signed = ("genm", *SIGNED, *TRUSTED)
    assert "received GENP" in openssl.cmp(authority, *signed).well()
    assert "id-it-unsupportedOIDs" in openssl.cmp(authority, *signed, "-infotype", "keyPairParamReq").well()
    # This client asks for languages without naming one (RFC 9810 section 5.3.19.13).
    assert "badDataFormat" in openssl.cmp(authority, *signed, "-infotype", "suppLangTags").badly()


@pytest.mark.parametrize(
    ("command", "trust"), list(itertools.product(("genm", "rr"), (TRUSTED, PINNED))), ids=lambda one: one[0].strip("-")
)
def test_the_authoritys_signature_is_verified_either_way(
    authority: Running, openssl: OpenSsl, command: str, trust: tuple[str, ...]
) -> None:
    member(authority, openssl)
    openssl.cmp(authority, command, *SIGNED, *trust, *(("-oldcert", "own.pem") if command == "rr" else ())).well()
