"""The asking end: held to its table, and walked against an authority in memory, message by message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.cmp import parties
from tests.protocols.cmp.parties import CODE, NOW, REFERENCE, Authority

from ingam.kernel.flow import IllegalMove
from ingam.kernel.secret import Secret
from ingam.npki import signature
from ingam.npki.signature import RSA_SHA256
from ingam.protocols.cmp import (
    bodies,
    cert_response,
    client,
    exchange,
    general,
    header,
    message,
    protection,
    revocation,
    status,
)
from ingam.protocols.cmp.client import MACHINE
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.message import Body, BodyKind, PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import MacProtection, SignatureProtection
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo

KEY = parties.new_key()
SPKI = certs.spki(KEY)
AUTHORITY = header.directory_name(parties.signer().certificate.subject.raw)
TRANSACTION = b"transaction-0001"

# The table

strategy: dict[Any, st.SearchStrategy[Any]] = {
    bytes: st.sampled_from([b"", SPKI, b"another"]),
    int: st.integers(-1, 30),
    bool: st.booleans(),
    tuple[bytes, ...]: st.just(()),
    tuple[str, ...]: st.just(("no",)),
    tuple[tuple[str, bytes], ...]: st.just((("1.2.3", b""),)),
}
strategy[client.Question] = st.builds(client.Question, strategy[int], strategy[int], strategy[bytes], strategy[bool])


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: strategy[hints[field.name]] for field in dataclasses.fields(kind)})


STATES = list(MACHINE.states().values())
EVENTS = sorted({event for row in MACHINE.edges.values() for event in row}, key=lambda one: one.__name__)


def test_states_and_events_are_frozen_values_with_a_sentence() -> None:
    for kind in (*STATES, *EVENTS):
        parameters: Any = kind.__dataclass_params__
        assert parameters.frozen and parameters.eq and kind.__doc__ and not kind.__doc__.startswith(kind.__name__)


def test_every_state_is_reached_and_the_ends_are_these() -> None:
    reached: set[type[Any]] = {client.Asking}
    for _ in STATES:
        reached |= {t for state in reached for targets in MACHINE.edges.get(state, {}).values() for t in targets}
    assert reached == set(STATES)
    assert {end.__name__ for end in MACHINE.ends()} == {"Issued", "Declined", "Revoked", "Informed", "Refused"}


@settings(deadline=None, max_examples=300)
@given(st.one_of([any_of(one) for one in STATES]), st.one_of([any_of(one) for one in EVENTS]))
def test_every_event_in_every_state_does_what_the_table_says(state: Any, event: Any) -> None:
    targets = MACHINE.edges.get(type(state), {}).get(type(event))
    if targets is None:
        with pytest.raises(IllegalMove):
            MACHINE.advance(state, event)
    else:
        assert type(MACHINE.advance(state, event).state) in targets


def test_every_edge_is_walked() -> None:
    table = {(s, e, t) for s, row in MACHINE.edges.items() for e, targets in row.items() for t in targets}
    walked = set()

    @settings(deadline=None, max_examples=250, database=None)
    @given(st.data())
    def walk(drawn: st.DataObject) -> None:
        for state, event in {(s, e) for s, e, _ in table}:
            step = MACHINE.advance(drawn.draw(any_of(state)), drawn.draw(any_of(event)))
            walked.add((state, event, type(step.state)))

    walk()
    assert walked == table


@settings(deadline=None)
@given(st.one_of([any_of(one) for one in STATES]))
def test_every_state_comes_back_from_a_store(state: Any) -> None:
    assert MACHINE.load(MACHINE.dump(state)) == state


def test_H9_states_do_not_print_certificates() -> None:
    offered = client.Offered(client.Question(0, 0, SPKI), b"certificate-of-a-person", (), implicit=False)
    assert "certificate-of" not in repr(offered)


# Two ends in memory


@dataclasses.dataclass
class Walk:
    """A client, an authority, and what travels between them."""

    asking: Client
    authority: Authority
    now: Exchange
    counter: Iterator[int] = dataclasses.field(default_factory=lambda: iter(range(2, 100)))

    def nonce(self) -> bytes:
        return next(self.counter).to_bytes(16, "big")

    def hear(self, change: Callable[[bytes], bytes] = lambda data: data) -> None:
        """The outgoing message is answered."""
        assert self.now.outgoing is not None
        answer = change(self.authority.answer(self.now.outgoing))
        self.now = self.asking.receive(self.now, answer, nonce=self.nonce(), at=NOW)

    def accept(self) -> None:
        self.now = self.asking.accept(self.now, nonce=self.nonce(), at=NOW)

    def poll(self) -> None:
        self.now = self.asking.poll(self.now, nonce=self.nonce(), at=NOW)


def by_mac(found: UnverifiedMessage) -> PKIMessage:
    return protection.verify_mac(found, CODE)


def by_signature(found: UnverifiedMessage) -> PKIMessage:
    return protection.verify_signature(found, signature.public_key(parties.signer().certificate.spki))


def mac_client(**more: Any) -> Client:
    proof = MacProtection(CODE, protection.pbmac1(b"s" * 16, iterations=10))
    return Client(header.NULL_DN, AUTHORITY, proof, by_mac, sender_kid=REFERENCE, **more)


def signing_client() -> Client:
    person = parties.person()
    sender = header.directory_name(person.certificate.subject.raw)
    proof = SignatureProtection(RSA_SHA256, parties.signs(person.key))
    kid = person.certificate.ski
    return Client(sender, AUTHORITY, proof, by_signature, sender_kid=kid, extra_certs=(person.certificate.der,))


CLIENTS = pytest.mark.parametrize("asking", [mac_client(), signing_client()], ids=["mac", "signature"])


def begun(asking: Client, body: Body, question: client.Question, infos: tuple[Info, ...] = ()) -> Walk:
    first = asking.begin(body, question, transaction_id=TRANSACTION, nonce=b"n" * 16, at=NOW, infos=infos)
    return Walk(asking, Authority(), first)


def enrolling(asking: Client, kind: BodyKind = BodyKind.IR, infos: tuple[Info, ...] = (), spki: bytes = SPKI) -> Walk:
    body, question = exchange.enrolment(
        kind, spki=SPKI, subject=certs.PERSON_NAME, algorithm=RSA_SHA256, sign=parties.signs(KEY)
    )
    return begun(asking, body, replace(question, spki=spki), infos)


@CLIENTS
@pytest.mark.parametrize("kind", [BodyKind.IR, BodyKind.CR, BodyKind.KUR])
def test_a_certificate_is_offered_accepted_confirmed_and_issued(asking: Client, kind: BodyKind) -> None:
    walk = enrolling(asking, kind)
    walk.hear()
    offered = walk.now.state
    assert isinstance(offered, client.Offered) and walk.now.outgoing is None and not walk.authority.confirmed
    walk.accept()
    assert isinstance(walk.now.state, client.Confirming) and walk.now.outgoing is not None
    walk.hear()
    assert walk.now.state == client.Issued(offered.certificate, offered.ca_pubs)
    assert walk.authority.confirmed == [offered.certificate]
    assert bool(offered.ca_pubs) is (kind is BodyKind.IR)


@CLIENTS
def test_a_pkcs10_request_is_answered_under_minus_one(asking: Client) -> None:
    walk = begun(asking, *exchange.from_pkcs10(parties.csr(), SPKI))
    walk.hear()
    walk.accept()
    walk.hear()
    assert isinstance(walk.now.state, client.Issued)


@CLIENTS
def test_an_implicit_confirmation_needs_no_more_messages(asking: Client) -> None:
    walk = enrolling(asking, infos=exchange.IMPLICIT)
    walk.hear()
    walk.accept()
    assert isinstance(walk.now.state, client.Issued) and walk.now.outgoing is None


@CLIENTS
def test_an_answer_that_takes_its_time_is_polled_for(asking: Client) -> None:
    walk = enrolling(asking)
    walk.authority.delay = 2
    walk.hear()
    assert walk.now.state == client.Waiting(replace(_question(), kind=0), 0) and walk.now.outgoing is None
    walk.poll()
    walk.hear()
    assert walk.now.state == client.Waiting(_question(), 1)
    walk.poll()
    walk.hear()
    walk.accept()
    walk.hear()
    assert isinstance(walk.now.state, client.Issued)


def _question() -> client.Question:
    return client.Question(int(BodyKind.IR), 0, SPKI)


def test_a_certificate_for_another_key_is_declined() -> None:
    walk = enrolling(mac_client(), spki=certs.spki(parties.person().key))
    walk.hear()
    assert type(walk.now.state) is client.Declining
    walk.hear()
    ended: client.State = walk.now.state
    assert ended == client.Declined(walk.authority.issued[0], implicit=False)
    assert not walk.authority.confirmed
    (conf,) = bodies.read_cert_conf(walk.authority.seen[-1].body)
    assert conf.status == StatusInfo(Status.REJECTION, (), FailInfo.INCORRECT_DATA)


def test_a_certificate_for_another_key_that_was_confirmed_implicitly_is_said_to_be() -> None:
    walk = enrolling(mac_client(), infos=exchange.IMPLICIT, spki=certs.spki(parties.person().key))
    walk.hear()
    assert walk.now.state == client.Declined(walk.authority.issued[0], implicit=True)


def test_the_owner_may_decline() -> None:
    walk = enrolling(mac_client())
    walk.hear()
    walk.now = walk.asking.decline(walk.now, FailInfo.BAD_CERT_TEMPLATE, nonce=walk.nonce(), at=NOW)
    walk.hear()
    assert isinstance(walk.now.state, client.Declined) and not walk.authority.confirmed


@CLIENTS
def test_a_revocation_is_done(asking: Client) -> None:
    walk = begun(asking, *exchange.revoke(certs.CA_NAME, 0x085221, 6))
    walk.hear()
    assert walk.now.state == client.Revoked() and walk.authority.revoked[0].reason == 6


@CLIENTS
def test_information_comes(asking: Client) -> None:
    walk = begun(asking, *exchange.inquire(Info(general.CA_CERTS)))
    walk.hear()
    state = walk.now.state
    assert isinstance(state, client.Informed) and state.infos[0][0] == general.CA_CERTS
    assert general.read_certificates(state.infos[0][1]) == (certs.ca().certificate.der,)


def test_a_refusal_ends_the_exchange_with_its_bit() -> None:
    walk = enrolling(mac_client())
    refusal = bodies.error(CmpRefused("cmp-pop-wrong", FailInfo.BAD_POP), "proof")
    walk.now = told(walk, refusal)
    assert walk.now.state == client.Refused(int(FailInfo.BAD_POP), ("proof",))


def answer_of(walk: Walk, body: Body, proof: message.Protection | None = None, **changed: Any) -> bytes:
    """An answer of any body, as the authority would send it."""
    assert walk.now.outgoing is not None
    asked = message.parse(walk.now.outgoing).header
    answered = header.answer_header(asked, sender=AUTHORITY, nonce=b"a" * 16, at=NOW)._replace(**changed)
    return message.compose(answered, body, proof or MacProtection(CODE, asked.protection_alg or b""))


def told(walk: Walk, body: Body, **changed: Any) -> Exchange:
    return walk.asking.receive(walk.now, answer_of(walk, body, **changed), nonce=b"m" * 16, at=NOW)


def refused(walk: Walk, data: bytes) -> CmpRefused:
    before = walk.now
    with pytest.raises(CmpRefused) as caught:
        walk.asking.receive(walk.now, data, nonce=b"m" * 16, at=NOW)
    assert walk.now == before
    return caught.value


def certified(number: int = 0, *more: cert_response.CertResponse, kind: BodyKind = BodyKind.IP) -> Body:
    made = parties.issue(certs.PERSON_NAME, SPKI, 5)
    return cert_response.write_cert_rep(kind, [cert_response.CertResponse(number, status.ACCEPTED, made), *more])


def test_an_answer_of_another_transaction_is_refused() -> None:
    walk = enrolling(mac_client())
    for other in (b"another", None):
        assert refused(walk, answer_of(walk, certified(), transaction_id=other)).code == "cmp-answer-transaction"


def test_an_answer_to_an_older_message_is_refused() -> None:
    walk = enrolling(mac_client())
    for other in (b"x" * 16, None):
        refusal = refused(walk, answer_of(walk, certified(), recip_nonce=other))
        assert (refusal.code, refusal.fail_info) == ("cmp-answer-nonce", FailInfo.BAD_RECIPIENT_NONCE)


def test_an_answer_by_another_secret_is_refused() -> None:
    walk = enrolling(mac_client())
    other = MacProtection(Secret(b"another"), protection.pbmac1(b"s" * 16, iterations=10))
    assert refused(walk, answer_of(walk, certified(), other)).code == "cmp-protection-wrong"


@pytest.mark.parametrize(
    "body",
    [
        certified(kind=BodyKind.CP),
        certified(1),
        certified(0, cert_response.CertResponse(1, status.ACCEPTED)),
        cert_response.write_cert_rep(BodyKind.IP, [cert_response.CertResponse(0, status.ACCEPTED)]),
        cert_response.write_key_rec_rep(cert_response.KeyRecRepContent(status.ACCEPTED)),
        bodies.PKICONF,
        bodies.write_poll_rep(bodies.PollRep(0, 1)),
    ],
    ids=["cp", "another-id", "two", "no-certificate", "krp", "pkiconf", "poll-rep"],
)
def test_an_answer_to_another_question_is_refused(body: Body) -> None:
    walk = enrolling(mac_client())
    assert refused(walk, answer_of(walk, body)).code == "cmp-answer-unexpected"


def test_a_confirmation_is_answered_by_a_pkiconf_alone() -> None:
    walk = enrolling(mac_client())
    walk.hear()
    walk.accept()
    assert refused(walk, answer_of(walk, certified())).code == "cmp-answer-unexpected"
    assert refused(walk, answer_of(walk, Body(BodyKind.PKICONF, b"\xb3\x02\x30\x00"))).code == "cmp-malformed"
    assert isinstance(told(walk, bodies.error(CmpRefused("x", FailInfo.BAD_CERT_ID))).state, client.Refused)


def test_nothing_is_heard_where_nothing_was_asked() -> None:
    walk = enrolling(mac_client())
    walk.hear()
    asked = enrolling(mac_client())
    assert refused(walk, answer_of(asked, certified(), recip_nonce=walk.now.nonce)).code == "cmp-answer-unexpected"


def test_a_certificate_that_is_none_is_refused() -> None:
    walk = enrolling(mac_client())
    broken = [cert_response.CertResponse(0, status.ACCEPTED, b"\x30\x00")]
    assert refused(walk, answer_of(walk, cert_response.write_cert_rep(BodyKind.IP, broken))).code == "cmp-malformed"


def test_a_rejected_response_refuses_with_its_texts() -> None:
    walk = enrolling(mac_client())
    rejected = cert_response.CertResponse(0, status.rejection(FailInfo.BAD_CERT_TEMPLATE, "no such profile"))
    state = told(walk, cert_response.write_cert_rep(BodyKind.IP, [rejected])).state
    assert state == client.Refused(int(FailInfo.BAD_CERT_TEMPLATE), ("no such profile",))


def test_an_error_may_say_that_any_answer_takes_its_time() -> None:
    walk = begun(mac_client(), *exchange.revoke(certs.CA_NAME, 1, 6))
    walk.now = told(walk, bodies.write_error(bodies.ErrorMsg(StatusInfo(Status.WAITING))))
    assert isinstance(walk.now.state, client.Waiting)
    walk.poll()
    assert bodies.read_poll_req(message.parse(walk.now.outgoing or b"").body) == (-1,)
    again = bodies.write_poll_rep(bodies.PollRep(-1, 9))
    walk.now = told(walk, again)
    assert walk.now.state == client.Waiting(client.Question(int(BodyKind.RR), -1, b""), 9)


def test_a_poll_reply_about_something_else_is_refused() -> None:
    walk = enrolling(mac_client())
    walk.authority.delay = 5
    walk.hear()
    walk.poll()
    other = bodies.write_poll_rep(bodies.PollRep(5, 1))
    assert refused(walk, answer_of(walk, other)).code == "cmp-answer-unexpected"


def test_a_revocation_may_wait_or_be_refused() -> None:
    walk = begun(mac_client(), *exchange.revoke(certs.CA_NAME, 1, 4))
    waits = revocation.write_rev_rep([StatusInfo(Status.WAITING)])
    assert isinstance(told(walk, waits).state, client.Waiting)
    no = revocation.write_rev_rep([status.rejection(FailInfo.CERT_REVOKED)])
    assert told(walk, no).state == client.Refused(int(FailInfo.CERT_REVOKED), ())


def test_an_error_without_protection_counts_only_where_it_is_allowed() -> None:
    error = bodies.error(CmpRefused("x", FailInfo.BAD_MESSAGE_CHECK))
    strict, lenient = enrolling(mac_client()), enrolling(mac_client(unprotected_errors=True))

    def unprotected(walk: Walk, body: Body) -> bytes:
        asked = message.parse(walk.now.outgoing or b"").header
        return message.compose(header.answer_header(asked, sender=AUTHORITY, nonce=b"a" * 16, at=NOW), body, None)

    assert refused(strict, unprotected(strict, error)).code == "cmp-unprotected"
    heard = lenient.asking.receive(lenient.now, unprotected(lenient, error), nonce=b"m" * 16, at=NOW)
    assert heard.state == client.Refused(int(FailInfo.BAD_MESSAGE_CHECK), ())
    assert refused(lenient, unprotected(lenient, certified())).code == "cmp-unprotected"


def test_messages_of_one_exchange_name_it_and_the_last_nonce() -> None:
    walk = enrolling(mac_client())
    first = message.parse(walk.now.outgoing or b"").header
    assert (first.transaction_id, first.sender_nonce, first.recip_nonce) == (TRANSACTION, b"n" * 16, None)
    walk.hear()
    walk.accept()
    second = message.parse(walk.now.outgoing or b"").header
    assert (second.transaction_id, second.recip_nonce) == (TRANSACTION, walk.now.their_nonce)
    assert second.sender_nonce == walk.now.nonce != b"n" * 16 and second.sender_kid == REFERENCE


def test_the_walk_is_silent() -> None:
    walk = enrolling(mac_client())
    walk.hear()
    assert repr(walk.now) == "<Exchange Offered>"
