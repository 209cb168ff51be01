"""An ASN.1 library that we did not write reads what we write, and we read what it writes (its rfc9810 module)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from tests.npki import certs
from tests.protocols.cmp import parties, strategies
from tests.protocols.cmp.test_client import enrolling, mac_client, signing_client

from ingam.npki import der
from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import (
    bodies,
    cert_response,
    crmf,
    general,
    header,
    message,
    pop,
    protection,
    revocation,
    status,
)
from ingam.protocols.cmp.header import Header, Info
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.status import FailInfo, Status, StatusInfo
from ingam.protocols.cmp.template import CertTemplate

rfc9810: Any = pytest.importorskip("pyasn1_alt_modules.rfc9810")
rfc5280: Any = pytest.importorskip("pyasn1_alt_modules.rfc5280")
rfc8018: Any = pytest.importorskip("pyasn1_alt_modules.rfc8018")
decoder: Any = pytest.importorskip("pyasn1.codec.der.decoder")
encoder: Any = pytest.importorskip("pyasn1.codec.der.encoder")
univ: Any = pytest.importorskip("pyasn1.type.univ")

AT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CERTIFICATE = parties.person().certificate.der
PLAIN = Header(2, header.NULL_DN, header.directory_name(certs.CA_NAME), AT, None, b"1234", None, b"t" * 16, b"n" * 16)


def read(data: bytes, spec: Any = None) -> Any:
    """What the oracle reads, to the last byte; written again, it is the same."""
    value, rest = decoder.decode(data, asn1Spec=rfc9810.PKIMessage() if spec is None else spec)
    assert not rest and encoder.encode(value) == data
    return value


def theirs(body: Body, changed: Header = PLAIN) -> Any:
    """A body of ours inside a message, as the oracle reads it."""
    found = read(message.compose(changed, body, None))
    return found["body"].getComponent()


def test_a_header_is_read_alike() -> None:
    full = PLAIN._replace(
        pvno=3, protection_alg=protection.pbmac1(b"salt"), recip_kid=b"kid", recip_nonce=b"r" * 16,
        free_text=("확인", "text"), general_info=(header.IMPLICIT_CONFIRM_INFO, header.cert_profile_info("gold")),
    )  # fmt: skip
    found = read(message.finish(message.prepare(full, bodies.PKICONF), b"mac", [CERTIFICATE]))
    head = found["header"]
    assert (int(head["pvno"]), bytes(head["senderKID"]), bytes(head["recipKID"])) == (3, b"1234", b"kid")
    assert (bytes(head["transactionID"]), bytes(head["senderNonce"]), bytes(head["recipNonce"])) == (
        b"t" * 16, b"n" * 16, b"r" * 16,
    )  # fmt: skip
    assert [str(one) for one in head["freeText"]] == ["확인", "text"]
    assert [str(one["infoType"]) for one in head["generalInfo"]] == [header.IMPLICIT_CONFIRM, header.CERT_PROFILE]
    assert str(head["messageTime"]) == "20261122120000Z" and head["sender"].getName() == "directoryName"
    assert found["protection"].asOctets() == b"mac" and encoder.encode(found["extraCerts"][0]) == CERTIFICATE


@pytest.mark.parametrize("asking", [mac_client(), signing_client()], ids=["mac", "signature"])
def test_a_request_of_ours_is_read(asking: Any) -> None:
    data = enrolling(asking, infos=(header.IMPLICIT_CONFIRM_INFO,)).now.outgoing
    assert data is not None
    found = read(data)
    request = found["body"]["ir"][0]
    assert encoder.encode(request["certReq"]) == crmf.read_requests(message.parse(data).body)[0].cert_request
    assert request["popo"].getName() == "signature"
    part = rfc9810.ProtectedPart()
    part[0], part[1] = found["header"], found["body"]
    assert encoder.encode(part) == message.parse(data).protected


def test_a_template_with_every_field_is_read() -> None:
    full = CertTemplate(
        version=2, serial_number=77, signing_alg=der.algorithm("1.2.840.113549.1.1.11"), issuer=certs.CA_NAME,
        not_before=AT, not_after=datetime(2055, 1, 1, tzinfo=UTC), subject=certs.PERSON_NAME,
        public_key=parties.person().certificate.spki, issuer_uid=b"\x87\x02\x00\x01", subject_uid=b"\x88\x02\x00\x02",
        extensions=der.seq(certs.usage(certs.SIGN)),
    )  # fmt: skip
    old = crmf.CertId(header.directory_name(certs.CA_NAME), 5)
    asked = crmf.write_cert_request(7, full, [crmf.old_cert_id_control(old)])
    pairs = crmf.Attribute(crmf.UTF8_PAIRS, der.tlv(0x0C, b"a?b%"))
    found = theirs(crmf.write_requests(BodyKind.KUR, crmf.write_cert_req_msg(asked, crmf.RaVerified(), [pairs])))
    request = found[0]["certReq"]
    assert int(request["certReqId"]) == 7 and str(request["controls"][0]["type"]) == crmf.OLD_CERT_ID
    template = request["certTemplate"]
    assert int(template["version"]) == 2 and int(template["serialNumber"]) == 77
    assert str(template["validity"]["notBefore"]["utcTime"]) == "261122120000Z"
    assert str(template["validity"]["notAfter"]["generalTime"]) == "20550101000000Z"
    assert template["publicKey"].isValue and template["extensions"].isValue
    assert found[0]["popo"].getName() == "raVerified" and str(found[0]["regInfo"][0]["type"]) == crmf.UTF8_PAIRS


def test_proofs_with_their_input_are_read() -> None:
    key = parties.new_key()
    mac = protection.MacProtection(parties.CODE, protection.password_based_mac(b"s" * 16, iterations=3))
    asked = crmf.write_cert_request(0, CertTemplate(public_key=certs.spki(key)))
    for proof, name in (
        (pop.sign_pop_with_mac(certs.spki(key), mac, RSA_SHA256, parties.signs(key)), "publicKeyMAC"),
        (pop.sign_pop_as_sender(certs.spki(key), header.NULL_DN, RSA_SHA256, parties.signs(key)), "sender"),
    ):
        found = theirs(crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(asked, proof)))
        given = found[0]["popo"]["signature"]["poposkInput"]
        assert given["authInfo"].getName() == name and given["publicKey"].isValue


def test_certification_answers_are_read() -> None:
    granted = cert_response.CertResponse(0, status.ACCEPTED, CERTIFICATE, rsp_info=b"info")
    refused = cert_response.CertResponse(1, StatusInfo(Status.REJECTION, ("no",), FailInfo.BAD_POP | FailInfo.BAD_ALG))
    found = theirs(cert_response.write_cert_rep(BodyKind.CP, [granted, refused], [certs.ca().certificate.der]))
    first, second = found["response"]
    assert encoder.encode(first["certifiedKeyPair"]["certOrEncCert"]["certificate"]) == der.explicit(0, CERTIFICATE)
    assert bytes(first["rspInfo"]) == b"info" and int(second["status"]["status"]) == 2
    assert str(second["status"]["failInfo"].asBinary()).ljust(10, "0") == "1000000001"
    assert encoder.encode(found["caPubs"][0]) == certs.ca().certificate.der


def test_key_recovery_answers_are_read() -> None:
    rep = cert_response.KeyRecRepContent(status.ACCEPTED, CERTIFICATE, (CERTIFICATE,))
    found = theirs(cert_response.write_key_rec_rep(rep))
    assert encoder.encode(found["newSigCert"]) == der.explicit(0, CERTIFICATE)


def test_revocations_are_read() -> None:
    template = CertTemplate(issuer=certs.CA_NAME, serial_number=9)
    asked = theirs(revocation.write_rev_req(revocation.RevDetails(template, 6, AT)))
    assert [str(one["extnID"]) for one in asked[0]["crlEntryDetails"]] == ["2.5.29.21", "2.5.29.24"]
    named = crmf.CertId(header.directory_name(certs.CA_NAME), 9)
    told = theirs(revocation.write_rev_rep([status.ACCEPTED], [named]))
    assert int(told["revCerts"][0]["serialNumber"]) == 9 and int(told["status"][0]["status"]) == 0


def test_confirmations_errors_and_polling_are_read() -> None:
    conf = theirs(bodies.write_cert_conf(bodies.CertStatus(b"h" * 32, 0, hash_alg=bodies.SHA256)))
    assert bytes(conf[0]["certHash"]) == b"h" * 32 and conf[0]["hashAlg"].isValue
    error = theirs(bodies.write_error(bodies.ErrorMsg(status.rejection(FailInfo.BAD_TIME), 7, ("late",))))
    assert int(error["errorCode"]) == 7 and str(error["errorDetails"][0]) == "late"
    assert int(theirs(bodies.write_poll_req(-1))[0]["certReqId"]) == -1
    later = theirs(bodies.write_poll_rep(bodies.PollRep(0, 60, ("busy",))))
    assert (int(later[0]["checkAfter"]), str(later[0]["reason"][0])) == (60, "busy")
    assert theirs(bodies.PKICONF).isValue


def test_general_messages_are_read() -> None:
    update = general.RootCaKeyUpdate(CERTIFICATE, CERTIFICATE, CERTIFICATE)
    given = general.certificates(general.CA_CERTS, [CERTIFICATE])
    infos = [Info(general.CA_CERTS), given, general.root_ca_key_update(update)]
    found = theirs(general.write_general(BodyKind.GENP, infos))
    assert [str(one["infoType"]) for one in found] == [one.type for one in infos]
    value = read(bytes(found[2]["infoValue"]), rfc9810.RootCaKeyUpdateContent())
    assert value["newWithOld"].isValue and value["oldWithNew"].isValue
    spec = der.seq(der.seq(der.oid(crmf.RSA_KEY_LEN), der.integer(3072)))
    wished = general.cert_req_template(CertTemplate(subject=certs.PERSON_NAME), spec)
    assert read(wished.value or b"", rfc9810.CertReqTemplateContent())["certTemplate"].isValue
    by_name = general.CrlStatus(der.tlv(0xA1, der.seq(header.directory_name(certs.CA_NAME))), AT)
    lists = read(general.crl_status_list(by_name).value or b"", rfc9810.CRLStatusListValue())
    assert lists[0]["source"].getName() == "issuer"


def test_nested_messages_are_read() -> None:
    inner = message.compose(PLAIN, bodies.PKICONF, None)
    found = theirs(bodies.write_nested([inner, inner]))
    assert [encoder.encode(one) for one in found] == [inner, inner]


def minimal_with_the_oracle(error: bodies.ErrorMsg) -> bool:
    """It writes -128, -32768 and so on with an octet too many, against X.690 8.3.2: `02 02 FF 80`."""
    number = error.error_code
    return number is None or encoder.encode(univ.Integer(number)) == der.integer(number)


def test_the_oracle_alone_writes_the_least_number_of_so_many_octets_with_one_more() -> None:
    assert (der.integer(-128).hex(), der.integer(-32768).hex()) == ("020180", "02028000")
    assert all(der.integer(number) == encoder.encode(univ.Integer(number)) for number in (-129, -127, 127, 128))


@settings(deadline=None, max_examples=25)
@given(
    strategies.headers.filter(lambda one: one.protection_alg is None),
    strategies.errors.filter(minimal_with_the_oracle),
)
def test_any_header_and_error_of_ours_is_read(asked: Header, error: bodies.ErrorMsg) -> None:
    named = asked._replace(sender=header.NULL_DN, recipient=header.NULL_DN, free_text=())
    body = bodies.write_error(error._replace(details=(), status=error.status._replace(texts=())))
    read(message.finish(message.prepare(named, body), b"x"))


def parameters(algorithm: bytes) -> bytes:
    return der.whole(algorithm).sequence()[1].raw


def test_parameters_of_macs_are_read_alike() -> None:
    pbm = read(parameters(protection.password_based_mac(b"s" * 16, iterations=9)), rfc9810.PBMParameter())
    assert (int(pbm["iterationCount"]), bytes(pbm["salt"])) == (9, b"s" * 16)
    pbmac1 = read(parameters(protection.pbmac1(b"s" * 16, iterations=9)), rfc8018.PBMAC1_params())
    pbkdf2 = read(bytes(pbmac1["keyDerivationFunc"]["parameters"]), rfc8018.PBKDF2_params())
    assert (int(pbkdf2["iterationCount"]), int(pbkdf2["keyLength"])) == (9, 32)


# The other way: what the oracle builds is read by us


def built(kind: str, fill: Any) -> message.UnverifiedMessage:
    """A message built by the oracle around a body."""
    made = rfc9810.PKIMessage()
    made["header"]["pvno"] = 2
    name = decoder.decode(header.directory_name(certs.CA_NAME), asn1Spec=rfc5280.GeneralName())[0]
    made["header"]["sender"] = made["header"]["recipient"] = name
    made["header"]["messageTime"] = "20261122120000Z"
    made["header"]["transactionID"] = b"t" * 16
    made["header"]["senderNonce"] = b"n" * 16
    fill(made["body"][kind])
    return message.parse(encoder.encode(made))


def test_a_header_of_theirs_is_read() -> None:
    found = built("genm", lambda genm: genm[0].__setitem__("infoType", rfc9810.univ.ObjectIdentifier(general.CA_CERTS)))
    assert (found.header.transaction_id, found.header.message_time) == (b"t" * 16, AT)
    assert header.name_in(found.header.sender) == certs.CA_NAME
    assert general.read_general(found.body) == (Info(general.CA_CERTS),)


def test_an_error_of_theirs_is_read() -> None:
    def fill(error: Any) -> None:
        error["pKIStatusInfo"]["status"] = 2
        error["pKIStatusInfo"]["statusString"][0] = "이유"
        error["pKIStatusInfo"]["failInfo"] = "badPOP"
        error["errorCode"] = -5

    found = bodies.read_error(built("error", fill).body)
    assert found == bodies.ErrorMsg(StatusInfo(Status.REJECTION, ("이유",), FailInfo.BAD_POP), -5)


@pytest.mark.parametrize("bit", list(FailInfo))
def test_failure_bits_have_the_same_names_there(bit: FailInfo) -> None:
    def fill(error: Any) -> None:
        error["pKIStatusInfo"]["status"] = 2
        error["pKIStatusInfo"]["failInfo"] = status.names(bit)[0]

    assert bodies.read_error(built("error", fill).body).status.fail_info == bit


def test_a_confirmation_of_theirs_is_read() -> None:
    def fill(conf: Any) -> None:
        conf[0]["certHash"] = b"h" * 32
        conf[0]["certReqId"] = 0
        conf[0]["statusInfo"]["status"] = 0

    assert bodies.read_cert_conf(built("certConf", fill).body) == (bodies.CertStatus(b"h" * 32, 0),)


def test_a_poll_of_theirs_is_read() -> None:
    def fill(rep: Any) -> None:
        rep[0]["certReqId"] = 3
        rep[0]["checkAfter"] = 30

    assert bodies.read_poll_rep(built("pollRep", fill).body) == (bodies.PollRep(3, 30),)


def test_a_request_of_theirs_is_read() -> None:
    def fill(ir: Any) -> None:
        request = ir[0]["certReq"]
        request["certReqId"] = 4
        request["certTemplate"]["serialNumber"] = 12
        ir[0]["popo"]["raVerified"] = ""

    (found,) = crmf.read_requests(built("ir", fill).body)
    assert (found.cert_req_id, found.template.serial_number, found.pop) == (4, 12, crmf.RaVerified())


def test_an_answer_of_theirs_is_read() -> None:
    def fill(ip: Any) -> None:
        ip["response"][0]["certReqId"] = 0
        ip["response"][0]["status"]["status"] = 1
        pair = ip["response"][0]["certifiedKeyPair"]["certOrEncCert"]
        tagged = der.explicit(0, CERTIFICATE)
        pair["certificate"] = decoder.decode(tagged, asn1Spec=pair.componentType["certificate"].asn1Object)[0]

    (found,) = cert_response.read_cert_rep(built("ip", fill).body).responses
    assert found.certificate == CERTIFICATE and found.status.status is Status.GRANTED_WITH_MODS
