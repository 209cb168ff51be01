"""Every body comes back as it was written; what is out of its bounds or of another form is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.cmp import parties, strategies

from ingam.npki import certificate, der, signature
from ingam.protocols.cmp import (
    bodies,
    cert_response,
    crmf,
    general,
    header,
    message,
    registering,
    revocation,
    status,
    template,
)
from ingam.protocols.cmp.header import Header, Info
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo
from ingam.protocols.cmp.template import CertTemplate

AT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PLAIN = Header(2, header.NULL_DN, header.NULL_DN, AT)
fast = settings(deadline=None, max_examples=60)


def refused(read: Callable[[], object]) -> CmpRefused:
    with pytest.raises(CmpRefused) as caught:
        read()
    return caught.value


def body(kind: BodyKind, inner: bytes) -> Body:
    return Body(kind, der.explicit(kind, inner))


@fast
@given(strategies.some_requests)
def test_certification_requests_come_back(given: Any) -> None:
    kind, pairs = given
    written = crmf.write_requests(kind, *(one for one, _ in pairs))
    assert crmf.read_requests(written) == tuple(read for _, read in pairs)


@fast
@given(strategies.cert_reps, st.sampled_from([BodyKind.IP, BodyKind.CP, BodyKind.KUP, BodyKind.CCP]))
def test_certification_answers_come_back(rep: cert_response.CertRepMessage, kind: BodyKind) -> None:
    assert cert_response.read_cert_rep(cert_response.write_cert_rep(kind, rep.responses, rep.ca_pubs)) == rep


@fast
@given(strategies.key_recs)
def test_key_recovery_answers_come_back(rep: cert_response.KeyRecRepContent) -> None:
    assert cert_response.read_key_rec_rep(cert_response.write_key_rec_rep(rep)) == rep


@fast
@given(st.lists(strategies.details, min_size=1, max_size=3))
def test_revocation_requests_come_back(details: list[revocation.RevDetails]) -> None:
    assert revocation.read_rev_req(revocation.write_rev_req(*details)) == tuple(details)


@fast
@given(strategies.rev_reps)
def test_revocation_answers_come_back(rep: revocation.RevRepContent) -> None:
    assert revocation.read_rev_rep(revocation.write_rev_rep(*rep)) == rep


@fast
@given(st.lists(strategies.cert_statuses, max_size=3))
def test_confirmations_come_back(statuses: list[bodies.CertStatus]) -> None:
    assert bodies.read_cert_conf(bodies.write_cert_conf(*statuses)) == tuple(statuses)


@fast
@given(strategies.errors)
def test_errors_come_back(error: bodies.ErrorMsg) -> None:
    assert bodies.read_error(bodies.write_error(error)) == error


@fast
@given(st.lists(strategies.numbers, min_size=1, max_size=4), st.lists(strategies.poll_reps, min_size=1, max_size=4))
def test_polling_comes_back(asked: list[int], told: list[bodies.PollRep]) -> None:
    assert bodies.read_poll_req(bodies.write_poll_req(*asked)) == tuple(asked)
    assert bodies.read_poll_rep(bodies.write_poll_rep(*told)) == tuple(told)


@fast
@given(st.lists(strategies.infos, max_size=4), st.sampled_from([BodyKind.GENM, BodyKind.GENP]))
def test_general_messages_come_back(infos: list[Info], kind: BodyKind) -> None:
    assert general.read_general(general.write_general(kind, infos)) == tuple(infos)


def test_a_pkiconf_is_null_and_nothing_else() -> None:
    bodies.read_pkiconf(bodies.PKICONF)
    assert refused(lambda: bodies.read_pkiconf(body(BodyKind.PKICONF, der.seq()))).code == "cmp-malformed"


def test_a_request_of_pkcs10_comes_back_as_bytes() -> None:
    assert bodies.read_p10cr(bodies.write_p10cr(der.seq(der.null))) == der.seq(der.null)
    assert refused(lambda: bodies.read_p10cr(body(BodyKind.P10CR, der.null))).code == "cmp-malformed"


READERS: list[tuple[BodyKind, Callable[[Body], object]]] = [
    (BodyKind.IR, crmf.read_requests), (BodyKind.IP, cert_response.read_cert_rep),
    (BodyKind.KRP, cert_response.read_key_rec_rep), (BodyKind.RR, revocation.read_rev_req),
    (BodyKind.RP, revocation.read_rev_rep), (BodyKind.CERT_CONF, bodies.read_cert_conf),
    (BodyKind.PKICONF, bodies.read_pkiconf), (BodyKind.ERROR, bodies.read_error),
    (BodyKind.POLL_REQ, bodies.read_poll_req), (BodyKind.POLL_REP, bodies.read_poll_rep),
    (BodyKind.GENM, general.read_general), (BodyKind.P10CR, bodies.read_p10cr), (BodyKind.NESTED, bodies.read_nested),
]  # fmt: skip
EVERY = pytest.mark.parametrize(("kind", "read"), READERS, ids=[kind.name for kind, _ in READERS])


@EVERY
def test_no_reader_takes_another_body(kind: BodyKind, read: Callable[[Body], object]) -> None:
    other = body(BodyKind.CANN, der.seq())
    assert refused(lambda: read(other)).code == "cmp-malformed"


@EVERY
@fast
@given(inner=st.one_of(st.binary(max_size=60), strategies.sequences))
def test_no_reader_raises_anything_but_a_refusal(kind: BodyKind, read: Callable[[Body], object], inner: bytes) -> None:
    with suppress(CmpRefused):
        read(body(kind, inner))


@pytest.mark.parametrize(
    ("kind", "read", "entry"),
    [
        (BodyKind.IR, crmf.read_requests, der.seq(der.seq(der.integer(0), der.seq()))),
        (BodyKind.RR, revocation.read_rev_req, der.seq(der.seq())),
        (BodyKind.CERT_CONF, bodies.read_cert_conf, der.seq(der.octets(b""), der.integer(0))),
        (BodyKind.POLL_REQ, bodies.read_poll_req, der.seq(der.integer(0))),
        (BodyKind.POLL_REP, bodies.read_poll_rep, der.seq(der.integer(0), der.integer(1))),
        (BodyKind.IP, cert_response.read_cert_rep, None),
    ],
)
def test_sixteen_entries_are_read_and_a_seventeenth_is_refused(
    kind: BodyKind, read: Callable[[Body], Any], entry: bytes | None
) -> None:
    response = der.seq(der.integer(0), der.seq(der.integer(0)))

    def of(count: int) -> Body:
        inner = der.seq(*[entry] * count) if entry else der.seq(der.seq(*[response] * count))
        return body(kind, inner)

    found = read(of(16))
    assert len(getattr(found, "responses", found)) == 16
    assert refused(lambda: read(of(17))).code == "cmp-malformed"


def test_general_messages_are_bounded() -> None:
    assert refused(lambda: general.read_general(general.write_general(BodyKind.GENM, [Info("1.2")] * 33)))


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**64])
def test_numbers_that_a_peer_cannot_hold_are_refused(number: int) -> None:
    assert refused(lambda: bodies.read_poll_req(bodies.write_poll_req(number))).code == "cmp-malformed"


def test_a_time_to_wait_is_not_negative() -> None:
    assert refused(lambda: bodies.read_poll_rep(bodies.write_poll_rep(bodies.PollRep(0, -1)))).code == "cmp-malformed"


def test_a_status_that_no_rfc_knows_is_refused() -> None:
    for number in (-1, 7):
        told = body(BodyKind.ERROR, der.seq(der.seq(der.integer(number))))
        assert refused(partial(bodies.read_error, told)).code == "cmp-malformed"


# Confirmation


def with_p256() -> tuple[certificate.Certificate, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    tbs = der.whole(parties.person().certificate.der).sequence()[0].sequence()
    changed = der.seq(tbs[0].raw, tbs[1].raw, signature.ECDSA_SHA384, *(one.raw for one in tbs[3:]))
    made = der.seq(changed, signature.ECDSA_SHA384, der.bits(key.sign(changed, ec.ECDSA(SHA384()))))
    return certificate.parse(made), signature.ECDSA_SHA384


def test_a_confirmation_names_the_certificate_by_the_hash_of_its_signature() -> None:
    person = parties.person().certificate
    one = bodies.confirm(person, 0)
    assert len(one.cert_hash) == 32 and one.hash_alg is None
    assert bodies.confirms(one, person.der, person.signature_algorithm)
    assert not bodies.confirms(one, parties.signer().certificate.der, person.signature_algorithm)
    ecdsa, algorithm = with_p256()
    assert len(bodies.confirm(ecdsa, 0).cert_hash) == 48
    assert bodies.confirms(bodies.confirm(ecdsa, 0), ecdsa.der, algorithm)


def test_a_confirmation_may_name_its_hash() -> None:
    person = parties.person().certificate
    other = person._replace(signature_algorithm=signature.ML_DSA_65)
    one = bodies.confirm(other, 0)
    assert one.hash_alg == bodies.SHA256
    assert bodies.confirms(one, person.der, signature.ML_DSA_65)
    without_null = one._replace(hash_alg=der.algorithm("2.16.840.1.101.3.4.2.1", b""))
    assert bodies.confirms(without_null, person.der, signature.ML_DSA_65)


def test_a_hash_that_is_not_accepted_is_refused() -> None:
    person = parties.person().certificate
    for hash_alg, algorithm in ((der.algorithm("1.3.14.3.2.26"), person.signature_algorithm), (None, der.seq())):
        one = bodies.CertStatus(b"", 0, hash_alg=hash_alg)
        refusal = refused(partial(bodies.confirms, one, person.der, algorithm))
        assert (refusal.code, refusal.fail_info) == ("cmp-confirmation-hash", FailInfo.BAD_ALG)


def test_an_accepted_status_is_left_out_and_a_rejection_is_not() -> None:
    assert len(bodies.write_cert_conf(bodies.CertStatus(b"h", 0)).element) == 12
    one = bodies.CertStatus(b"h", 0, status.rejection(FailInfo.INCORRECT_DATA, "not mine"))
    assert bodies.read_cert_conf(bodies.write_cert_conf(one)) == (one,)


def test_a_refusal_is_answered_with_its_bit() -> None:
    refusal = CmpRefused("cmp-pop-wrong", FailInfo.BAD_POP)
    error = bodies.read_error(bodies.error(refusal, "proof of possession"))
    assert error.status == StatusInfo(Status.REJECTION, ("proof of possession",), FailInfo.BAD_POP)


# Revocation


def entry_extensions(*extensions: bytes) -> Body:
    return body(BodyKind.RR, der.seq(der.seq(der.seq(), der.seq(*extensions))))


def reason(code: bytes, critical: bytes = b"") -> bytes:
    return der.seq(der.oid("2.5.29.21"), critical, der.octets(b"\x0a" + code))


@pytest.mark.parametrize("code", [b"\x01\x07", b"\x01\x0b", b"\x01\xff", b"\x02\x00\x01", b"\x00"])
def test_a_reason_that_no_rfc_knows_is_refused(code: bytes) -> None:
    refusal = refused(lambda: revocation.read_rev_req(entry_extensions(reason(code))))
    assert refusal.fail_info is FailInfo.BAD_DATA_FORMAT


def test_a_critical_reason_is_read() -> None:
    (found,) = revocation.read_rev_req(entry_extensions(reason(b"\x01\x06", b"\x01\x01\xff")))
    assert found.reason == 6


def test_two_reasons_or_two_dates_are_refused() -> None:
    date = der.seq(der.oid("2.5.29.24"), der.octets(header.generalized_time(AT)))
    for pair in ([reason(b"\x01\x01")] * 2, [date] * 2):
        refusal = refused(partial(revocation.read_rev_req, entry_extensions(*pair)))
        assert (refusal.code, refusal.fail_info) == ("cmp-revocation-reasons", FailInfo.BAD_REQUEST)


# Nested messages


@dataclass(frozen=True)
class Stamp:
    algorithm: bytes = der.algorithm("1.2.3")

    def protect(self, part: bytes) -> bytes:
        return b"stamp"


def nested(inner: bytes, count: int = 1) -> bytes:
    return message.compose(PLAIN, bodies.write_nested([inner] * count), Stamp())


def test_nested_messages_come_back_as_they_were() -> None:
    inner = message.compose(PLAIN, bodies.PKICONF, None)
    found = bodies.read_nested(message.parse(nested(inner, 2)).body)
    assert [one.raw for one in found] == [inner, inner]


def test_more_than_sixteen_nested_messages_are_refused() -> None:
    inner = message.compose(PLAIN, bodies.PKICONF, None)
    assert refused(lambda: bodies.read_nested(message.parse(nested(inner, 17)).body)).code == "cmp-malformed"


def test_a_fourth_storey_of_nesting_is_refused() -> None:
    data = message.compose(PLAIN, bodies.PKICONF, None)
    for _ in range(4):
        data = nested(data)
    found = message.parse(data)
    for depth in (1, 2, 3):
        (found,) = bodies.read_nested(found.body, depth)
    refusal = refused(lambda: bodies.read_nested(found.body, 4))
    assert (refusal.code, refusal.fail_info) == ("cmp-nested-depth", FailInfo.BAD_REQUEST)


def test_a_broken_message_inside_refuses_the_whole() -> None:
    outer = bodies.write_nested([der.seq(der.seq(der.integer(2)))])
    assert refused(lambda: bodies.read_nested(outer)).code == "cmp-malformed"


# Support messages (RFC 9483 §4.3)


def test_certificates_of_the_authority_come_back() -> None:
    found = [certs.root().certificate.der, certs.ca().certificate.der]
    assert general.read_certificates(general.certificates(general.CA_CERTS, found).value) == tuple(found)
    assert general.certificates(general.CA_CERTS, []).value is None and general.read_certificates(None) == ()


@pytest.mark.parametrize("links", [(None, None), (b"\x30\x00", None), (None, b"\x30\x00"), (b"\x30\x00", b"\x30\x00")])
def test_the_next_root_comes_back(links: tuple[bytes | None, bytes | None]) -> None:
    update = general.RootCaKeyUpdate(certs.root().certificate.der, *links)
    assert general.read_root_ca_key_update(general.root_ca_key_update(update).value or b"") == update


@pytest.mark.parametrize("links", [b"\xa1\x02\x30\x00\xa0\x02\x30\x00", b"\xa0\x02\x30\x00" * 2, b"\xa0\x02\x05\x00"])
def test_links_out_of_order_or_no_certificates_are_refused(links: bytes) -> None:
    assert refused(lambda: general.read_root_ca_key_update(der.seq(der.seq(), links)))


def test_the_blueprint_of_a_request_comes_back() -> None:
    wished = CertTemplate(subject=der.seq(), key_algorithm=der.algorithm("1.2.840.113549.1.1.1"))
    spec = der.seq(der.seq(der.oid(crmf.RSA_KEY_LEN), der.integer(3072)))
    assert general.read_cert_req_template(general.cert_req_template(wished, spec).value) == (wished, spec)
    assert general.read_cert_req_template(general.cert_req_template(wished).value) == (wished, None)
    assert general.read_cert_req_template(None) is None


def test_the_question_for_newer_lists_comes_back() -> None:
    by_name = der.tlv(0xA1, der.seq(header.directory_name(certs.CA_NAME)))
    asked = (general.CrlStatus(by_name, AT), general.CrlStatus(b"\xa0\x04\xa0\x02\x86\x00"))
    assert general.read_crl_status_list(general.crl_status_list(*asked).value or b"") == asked
    assert refused(lambda: general.read_crl_status_list(der.seq(der.seq(der.null))))


# Templates


def read(inner: bytes) -> CertTemplate:
    (request,) = crmf.read_requests(body(BodyKind.IR, der.seq(der.seq(der.seq(der.integer(0), der.seq(inner))))))
    return request.template


def test_an_empty_key_asks_the_authority_to_make_one() -> None:
    algorithm = der.algorithm("1.2.840.113549.1.1.1")
    found = read(der.tlv(0xA6, algorithm + b"\x03\x01\x00"))
    assert found == CertTemplate(key_algorithm=algorithm) and found.public_key is None
    assert read(b"").key_algorithm is None


@pytest.mark.parametrize(
    "inner",
    [
        b"\x81\x01\x01\x80\x01\x02", b"\x80\x01\x02" * 2, b"\xa0\x03\x02\x01\x02", b"\x80\x00", b"\x80\x02\x00\x02",
        b"\x81\x16" + bytes([1]) + bytes(21), b"\xa3\x00", b"\xa3\x02\x05\x00", b"\xa4\x00", b"\xa4\x02\xa0\x00",
        b"\xa5\x04\x30\x00\x30\x00", b"\xa6\x00", b"\xa6\x04\x30\x00\x05\x00", b"\xa9\x00", b"\x8a\x00", b"\xa2\x00",
        b"\xa5\x82\x10\x05\x30\x82\x10\x01" + bytes(4097),
    ],
    ids=lambda inner: inner[:6].hex(),
)  # fmt: skip
def test_fields_of_a_template_that_are_not_what_they_say_are_refused(inner: bytes) -> None:
    assert refused(lambda: read(inner)).code == "cmp-malformed"


def test_times_of_a_template_are_as_certificates_write_them() -> None:
    assert template.write_time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)) == b"\x17\x0d491231235959Z"
    assert template.write_time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"


def test_more_controls_than_32_are_refused() -> None:
    control = crmf.Attribute(crmf.REG_TOKEN, der.tlv(0x0C, b"x"))

    def of(count: int) -> Body:
        asked = crmf.write_cert_request(0, CertTemplate(), [control] * count)
        return crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(asked, None))

    assert len(crmf.read_requests(of(32))[0].controls) == 32
    assert refused(lambda: crmf.read_requests(of(33))).code == "cmp-malformed"


def test_the_old_certificate_is_named_by_a_control() -> None:
    old = crmf.CertId(header.directory_name(certs.CA_NAME), 0x085221)
    asked = crmf.write_cert_request(0, CertTemplate(), [crmf.old_cert_id_control(old)])
    (request,) = crmf.read_requests(crmf.write_requests(BodyKind.KUR, crmf.write_cert_req_msg(asked, None)))
    assert crmf.old_cert_id(request) == old
    assert crmf.old_cert_id(request._replace(controls=())) is None
    broken = request._replace(controls=(crmf.Attribute(crmf.OLD_CERT_ID, der.seq(der.null)),))
    assert refused(lambda: crmf.old_cert_id(broken)).code == "cmp-malformed"


def test_pairs_of_utf8_are_read() -> None:
    value = der.tlv(0x0C, "version?1%name?홍길동%odd?a%3fb%25%version?2%%x%".encode())
    found = crmf.utf8_pairs(crmf.read_utf8(value))
    assert found == {"version": "1", "name": "홍길동", "odd": "a?b%"}
    assert refused(lambda: crmf.read_utf8(der.octets(b"x"))).code == "cmp-malformed"


def test_H1_values_of_attributes_are_not_printed() -> None:
    assert "secret" not in repr(crmf.Attribute(crmf.AUTHENTICATOR, b"secret"))


# Registrations by an RA


@fast
@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), min_size=1, max_size=24))
def test_the_pairs_of_a_registration_come_back(pairs: dict[str, str]) -> None:
    assert registering.read(registering.write(pairs)) == pairs


@pytest.mark.parametrize(
    "value",
    [
        None, der.null, der.seq(), der.seq(der.seq(der.tlv(0x0C, b"one"))),
        der.seq(*[der.seq(der.tlv(0x0C, b"one"), der.tlv(0x0C, b"x"))] * 2),
        der.seq(der.seq(der.tlv(0x0C, b"one"), der.tlv(0x0C, b"x" * 1025))),
        der.seq(*[der.seq(der.tlv(0x0C, b"%d" % n), der.tlv(0x0C, b"x")) for n in range(25)]),
        der.seq(der.seq(der.tlv(0x0C, b"\xff"), der.tlv(0x0C, b"x"))),
    ],
)  # fmt: skip
def test_pairs_that_are_none_stand_twice_or_are_too_many_are_refused(value: bytes | None) -> None:
    assert refused(lambda: registering.read(Info(registering.REGISTRATION, value))).code == "cmp-malformed"


# Forms that no writer of ours gives

ALGORITHM = der.algorithm("1.2.840.113549.1.1.11")
REQUEST = der.seq(der.integer(0), der.seq())
MAC = der.seq(ALGORITHM, der.bits(b"mac"))
SPKI = der.seq(ALGORITHM, der.bits(b"key"))


@pytest.mark.parametrize(
    "behind",
    [
        b"\x80\x01\x00", b"\xa4\x02\x05\x00", der.null,
        der.tlv(0xA1, ALGORITHM + b"\x03\x02\x01\x00"), der.tlv(0xA1, ALGORITHM),
        der.tlv(0xA1, ALGORITHM + b"\x03\x00"),
        der.tlv(0xA1, der.tlv(0xA0, der.null + SPKI) + ALGORITHM + der.bits(b"s")),
        der.tlv(0xA1, der.tlv(0xA0, MAC + SPKI + der.null) + ALGORITHM + der.bits(b"s")),
        der.tlv(0xA1, der.tlv(0xA0, der.explicit(0, header.NULL_DN * 2) + SPKI) + ALGORITHM + der.bits(b"s")),
        der.tlv(0xA1, der.tlv(0xA0, der.seq(ALGORITHM, b"\x03\x01\x01") + SPKI) + ALGORITHM + der.bits(b"s")),
        der.explicit(2, der.null), der.explicit(2, b"\x81\x01\x00" * 2), der.explicit(3, b"\x85\x00"),
        der.seq(), der.seq(der.seq(der.oid("1.2.3"))), der.seq(der.seq(der.oid("1.2.3"), der.null, der.null)),
        der.seq(der.seq(der.oid("1.2.3"), der.null)) * 2,
    ],
    ids=lambda behind: behind[:12].hex(),
)  # fmt: skip
def test_proofs_and_attributes_of_no_known_form_are_refused(behind: bytes) -> None:
    asked = body(BodyKind.IR, der.seq(der.seq(REQUEST, behind)))
    assert refused(lambda: crmf.read_requests(asked)).code == "cmp-malformed"


@pytest.mark.parametrize(
    "pair",
    [
        der.seq(der.explicit(2, der.seq())), der.seq(der.explicit(0, der.null)),
        der.seq(der.explicit(1, der.seq() * 2)),
        der.seq(der.explicit(0, der.seq()), der.explicit(2, der.seq())), der.octets(bytes(16 * 1024 + 1)), der.null,
    ],
    ids=lambda pair: pair[:8].hex(),
)  # fmt: skip
def test_answers_of_no_known_form_are_refused(pair: bytes) -> None:
    told = body(BodyKind.IP, der.seq(der.seq(der.seq(der.integer(0), der.seq(der.integer(0)), pair))))
    assert refused(lambda: cert_response.read_cert_rep(told)).code == "cmp-malformed"


def test_other_forms_too_are_refused() -> None:
    long_hash = body(BodyKind.CERT_CONF, der.seq(der.seq(der.octets(bytes(65)), der.integer(0))))
    assert refused(lambda: bodies.read_cert_conf(long_hash)).code == "cmp-malformed"
    two = body(BodyKind.POLL_REQ, der.seq(der.seq(der.integer(0), der.integer(1))))
    assert refused(lambda: bodies.read_poll_req(two)).code == "cmp-malformed"
    for cert_id in (der.seq(header.NULL_DN, der.integer(1), der.null), der.seq(header.NULL_DN, der.integer(2**170))):
        assert refused(partial(crmf.read_cert_id, cert_id)).code == "cmp-malformed"
    two_times = der.tlv(0xA4, der.explicit(0, template.write_time(AT) * 2))
    assert refused(lambda: read(two_times)).code == "cmp-malformed"
    after_status = body(BodyKind.RP, der.seq(der.seq(der.seq(der.integer(0), der.bits(b"\x80"), der.null))))
    assert refused(lambda: revocation.read_rev_rep(after_status)).code == "cmp-malformed"


def test_H9_what_names_a_person_is_not_printed() -> None:
    shown = CertTemplate(subject=certs.PERSON_NAME)
    response = cert_response.CertResponse(0, status.ACCEPTED, parties.person().certificate.der)
    assert repr(shown) == "<CertTemplate>" and repr(response) == "<CertResponse 0 ACCEPTED>"
    assert repr(crmf.CertReqMsg(b"", 0, shown)) == "<CertReqMsg 0>"
