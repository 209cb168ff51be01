"""Any CMP value: what hypothesis draws for headers, templates and bodies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from ingam.npki import der
from ingam.protocols.cmp import bodies, cert_response, crmf, general, header, message, revocation, status
from ingam.protocols.cmp.header import Header, Info
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.status import FailInfo, Status, StatusInfo
from ingam.protocols.cmp.template import CertTemplate

numbers = st.integers(-(2**31), 2**31 - 1)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
free_text = st.lists(texts, min_size=1, max_size=4).map(tuple)
octets = st.binary(max_size=40)
instants = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
oids = st.sampled_from(
    ["1.3.6.1.5.5.7.4.13", "1.3.6.1.5.5.7.4.14", "1.2.410.200004.10.1.1.2", "2.5.4.3", "1.2.840.113549.1.1.11"]
)
elements = st.one_of(
    st.just(der.null), octets.map(der.octets), numbers.map(der.integer), st.lists(octets.map(der.octets)).map(
        lambda parts: der.seq(*parts)
    ),
)  # fmt: skip
sequences = st.lists(elements, max_size=4).map(lambda parts: der.seq(*parts))
names = st.lists(
    st.tuples(oids, texts).map(lambda one: der.set_of([der.seq(der.oid(one[0]), der.tlv(0x0C, one[1].encode()))])),
    max_size=3,
).map(lambda parts: der.seq(*parts))
general_names = st.one_of(
    names.map(header.directory_name), octets.map(lambda value: der.tlv(0x81, value)), st.just(header.NULL_DN)
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value or None."""
    return st.one_of(st.none(), strategy)


infos = st.builds(Info, oids, maybe(elements))
headers = st.builds(
    Header,
    pvno=st.integers(1, 3),
    sender=general_names,
    recipient=general_names,
    message_time=maybe(instants),
    protection_alg=maybe(sequences),
    sender_kid=maybe(st.binary(max_size=header.MOST_KEY_ID)),
    recip_kid=maybe(octets),
    transaction_id=maybe(st.binary(max_size=header.MOST_TRANSACTION_ID)),
    sender_nonce=maybe(st.binary(max_size=header.MOST_NONCE)),
    recip_nonce=maybe(octets),
    free_text=st.one_of(st.just(()), free_text),
    general_info=st.lists(infos, max_size=4).map(tuple),
)

fail_infos = st.integers(0, 2**27 - 1).map(FailInfo)
status_infos = st.builds(StatusInfo, st.sampled_from(Status), st.one_of(st.just(()), free_text), fail_infos)
_keys = st.binary(min_size=1, max_size=60).map(
    lambda key: der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(key))
)
_uids = octets.map(lambda value: b"\0" + value)


def _one_kind_of_key(template: CertTemplate) -> CertTemplate:
    return template if template.public_key is None else template._replace(key_algorithm=None)


templates = st.builds(
    CertTemplate,
    version=maybe(st.integers(0, 2)),
    serial_number=maybe(st.integers(-(2**100), 2**159)),
    signing_alg=maybe(sequences.filter(lambda one: one != der.seq())),
    issuer=maybe(names),
    not_before=maybe(instants),
    not_after=maybe(instants),
    subject=maybe(names),
    public_key=maybe(_keys),
    issuer_uid=maybe(_uids.map(lambda value: der.tlv(0x87, value))),
    subject_uid=maybe(_uids.map(lambda value: der.tlv(0x88, value))),
    extensions=maybe(sequences.filter(lambda one: one != der.seq())),
    key_algorithm=maybe(st.just(der.algorithm("1.2.840.10045.2.1"))),
).map(_one_kind_of_key)
attributes = st.builds(crmf.Attribute, oids, elements)
attribute_lists = st.lists(attributes, max_size=3).map(tuple)
_macs = st.builds(crmf.PublicKeyMac, sequences, octets)
_inputs = st.one_of(
    st.builds(crmf.SigningKeyInput, general_names, st.none(), _keys),
    st.builds(crmf.SigningKeyInput, st.none(), _macs, _keys),
)


def _signed(given: crmf.SigningKeyInput, algorithm: bytes, signature: bytes) -> crmf.SignaturePop:
    return crmf.SignaturePop(given, algorithm, signature, crmf.write_signing_key_input(given))


pops_with_input = st.builds(_signed, _inputs, sequences, octets)
private_key_pops = st.sampled_from(["keyEncipherment", "keyAgreement"]).flatmap(
    lambda use: st.sampled_from([("subsequentMessage", b"\x81\x01\x00"), ("encryptedKey", der.tlv(0xA4, b""))]).map(
        lambda method: crmf.PrivateKeyPop(use, *method)
    )
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, crmf.CertReqMsg]:
    """A CertReqMsg as bytes and as it is read."""
    number, template, controls = draw(numbers), draw(templates), draw(attribute_lists)
    written = crmf.write_cert_request(number, template, controls)
    plain = st.builds(crmf.SignaturePop, st.none(), sequences, octets, st.just(written))
    pop = draw(maybe(st.one_of(st.just(crmf.RaVerified()), plain, pops_with_input, private_key_pops)))
    reg_info = draw(attribute_lists)
    read = crmf.CertReqMsg(written, number, template, controls, pop, reg_info)
    return crmf.write_cert_req_msg(written, pop, reg_info), read


some_requests = st.tuples(
    st.sampled_from([BodyKind.IR, BodyKind.CR, BodyKind.KUR, BodyKind.KRR, BodyKind.CCR]),
    st.lists(requests(), min_size=1, max_size=3),
)
responses = st.builds(
    cert_response.CertResponse,
    numbers,
    status_infos,
    certificate=maybe(sequences),
    encrypted_cert=st.none(),
    private_key=st.none(),
    publication_info=st.none(),
    rsp_info=maybe(octets),
)
with_keys = st.builds(
    cert_response.CertResponse,
    numbers,
    status_infos,
    certificate=st.none(),
    encrypted_cert=sequences,
    private_key=maybe(elements),
    publication_info=maybe(sequences),
    rsp_info=st.none(),
)
cert_reps = st.builds(
    cert_response.CertRepMessage,
    st.lists(st.one_of(responses, with_keys), min_size=1, max_size=3).map(tuple),
    st.lists(sequences, max_size=2).map(tuple),
)
key_recs = st.builds(
    cert_response.KeyRecRepContent,
    status_infos,
    maybe(sequences),
    st.lists(sequences, max_size=2).map(tuple),
    st.lists(sequences, max_size=2).map(tuple),
)
details = st.builds(
    revocation.RevDetails,
    templates,
    maybe(st.sampled_from(sorted(revocation.REASONS))),
    maybe(instants),
    st.lists(octets.map(lambda v: der.seq(der.oid("2.5.29.29"), der.octets(v))), max_size=2).map(tuple),
)
cert_ids = st.builds(crmf.CertId, general_names, st.integers(0, 2**159))
rev_reps = st.builds(
    revocation.RevRepContent,
    st.lists(status_infos, min_size=1, max_size=3).map(tuple),
    st.lists(cert_ids, max_size=2).map(tuple),
    st.lists(sequences, max_size=2).map(tuple),
)
cert_statuses = st.builds(bodies.CertStatus, octets, numbers, status_infos, maybe(st.just(bodies.SHA256)))
errors = st.builds(bodies.ErrorMsg, status_infos, maybe(numbers), st.one_of(st.just(()), free_text))
poll_reps = st.builds(bodies.PollRep, numbers, st.integers(0, 2**31 - 1), st.one_of(st.just(()), free_text))

any_body = st.one_of(
    some_requests.map(lambda one: crmf.write_requests(one[0], *(written for written, _ in one[1]))),
    cert_reps.map(lambda rep: cert_response.write_cert_rep(BodyKind.IP, rep.responses, rep.ca_pubs)),
    key_recs.map(cert_response.write_key_rec_rep),
    st.lists(details, min_size=1, max_size=2).map(lambda found: revocation.write_rev_req(*found)),
    rev_reps.map(lambda rep: revocation.write_rev_rep(*rep)),
    st.lists(cert_statuses, max_size=2).map(lambda found: bodies.write_cert_conf(*found)),
    errors.map(bodies.write_error),
    st.lists(numbers, min_size=1, max_size=3).map(lambda found: bodies.write_poll_req(*found)),
    st.lists(poll_reps, min_size=1, max_size=3).map(lambda found: bodies.write_poll_rep(*found)),
    st.lists(infos, max_size=3).map(lambda found: general.write_general(BodyKind.GENM, found)),
    sequences.map(bodies.write_p10cr),
    st.just(bodies.PKICONF),
)


def read_any(body: Body) -> object:
    """The body through its own reader."""
    readers: dict[BodyKind, Any] = {
        BodyKind.P10CR: bodies.read_p10cr, BodyKind.KRP: cert_response.read_key_rec_rep,
        BodyKind.RR: revocation.read_rev_req, BodyKind.RP: revocation.read_rev_rep,
        BodyKind.CERT_CONF: bodies.read_cert_conf, BodyKind.PKICONF: bodies.read_pkiconf,
        BodyKind.ERROR: bodies.read_error, BodyKind.POLL_REQ: bodies.read_poll_req,
        BodyKind.POLL_REP: bodies.read_poll_rep, BodyKind.GENM: general.read_general,
        BodyKind.GENP: general.read_general, BodyKind.NESTED: bodies.read_nested,
    }  # fmt: skip
    if body.kind in (BodyKind.IP, BodyKind.CP, BodyKind.KUP, BodyKind.CCP):
        return cert_response.read_cert_rep(body)
    return readers.get(body.kind, crmf.read_requests)(body)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A whole message."""
    part = message.prepare(draw(headers), draw(any_body))
    return message.finish(part, draw(maybe(octets)), draw(st.lists(sequences, max_size=2)))


@st.composite
def damaged(draw: st.DrawFn, of: st.SearchStrategy[bytes]) -> bytes:
    """Bytes cut, flipped, doubled or with something behind."""
    whole = draw(of)
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        change = draw(st.sampled_from(["flip", "cut", "insert", "remove"]))
        if change == "cut":
            del data[at:]
        elif change == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=4))
        elif change == "remove":
            del data[at : at + draw(st.integers(1, 4))]
        elif data:
            data[at] ^= draw(st.integers(1, 255))
    assume(data != whole)
    return bytes(data)


__all__ = ["any_body", "damaged", "headers", "messages", "read_any", "status"]
