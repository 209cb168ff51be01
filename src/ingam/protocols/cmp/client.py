"""The asking end of a CMP transaction as a machine (RFC 9810 §5.3, RFC 9483 §4): what is known, what comes next.

Events are facts of answers that `exchange` has verified, or the owner's decisions. An offered certificate is first
accepted by its owner (who checks its chain and stores it), then confirmed: nobody confirms what he has not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. `kind`: number of the request's body; `spki`: DER of the key to certify, or empty.

    `by_pkiconf`: as in RFC 2510 and the NPKI profile, the asker's own pkiconf confirms, and nothing answers it.
    """

    kind: int
    cert_req_id: int
    spki: bytes
    by_pkiconf: bool = False


# States


@dataclass(frozen=True, slots=True)
class Asking:
    """The request was sent."""

    question: Question


@dataclass(frozen=True, slots=True)
class Waiting:
    """The authority takes its time: ask again in `check_after` seconds."""

    question: Question
    check_after: int


@dataclass(frozen=True, slots=True)
class Polling:
    """The pollReq was sent."""

    question: Question


@dataclass(frozen=True, slots=True, repr=False)
class Offered:
    """A certificate for our key came; its owner decides. `implicit`: the authority waits for no certConf."""

    question: Question
    certificate: bytes
    ca_pubs: tuple[bytes, ...]
    implicit: bool


@dataclass(frozen=True, slots=True, repr=False)
class Confirming:
    """The certConf was sent."""

    certificate: bytes
    ca_pubs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Declining:
    """The certConf that rejects was sent."""

    certificate: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """End: the certificate is valid and ours."""

    certificate: bytes
    ca_pubs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Declined:
    """End: the certificate is not wanted. Where `implicit`, the authority believes that it is: revoke it."""

    certificate: bytes
    implicit: bool


@dataclass(frozen=True, slots=True)
class Revoked:
    """End: the authority has done what the rr asked."""


@dataclass(frozen=True, slots=True)
class Informed:
    """End: what the genp says. `infos`: dotted type and DER of the value, or empty."""

    infos: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """End: the authority refuses. `fail_info`: bits of PKIFailureInfo; `texts`: its words, not ours."""

    fail_info: int
    texts: tuple[str, ...]


State: TypeAlias = (
    Asking | Waiting | Polling | Offered | Confirming | Declining | Issued | Declined | Revoked | Informed | Refused
)

# Events


@dataclass(frozen=True, slots=True, repr=False)
class Certified:
    """A verified answer brings a certificate. `spki`: DER of the key in it."""

    certificate: bytes
    spki: bytes
    ca_pubs: tuple[bytes, ...]
    implicit: bool


@dataclass(frozen=True, slots=True)
class PutOff:
    """A verified answer says to ask again in `check_after` seconds."""

    check_after: int


@dataclass(frozen=True, slots=True)
class PollDue:
    """The time to ask again has come; the clock is the owner's."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The owner has checked and stored the certificate."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The owner does not want the certificate. `fail_info`: why, for the authority."""

    fail_info: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The pkiconf came."""


@dataclass(frozen=True, slots=True)
class RevocationDone:
    """The rp says accepted."""


@dataclass(frozen=True, slots=True)
class Told:
    """The genp came."""

    infos: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A verified answer refuses."""

    fail_info: int
    texts: tuple[str, ...]


Event: TypeAlias = Certified | PutOff | PollDue | Accepted | Rejected | Confirmed | RevocationDone | Told | Refusal

# Effects


@dataclass(frozen=True, slots=True)
class SendPollReq:
    """Send a pollReq for this certReqId."""

    cert_req_id: int


@dataclass(frozen=True, slots=True)
class SendPkiConf:
    """Send a pkiconf; nothing answers it."""


@dataclass(frozen=True, slots=True, repr=False)
class SendCertConf:
    """Send a certConf. `fail_info`: None accepts."""

    certificate: bytes
    cert_req_id: int
    fail_info: int | None = None


INCORRECT_DATA: Final = 1 << 7
"""PKIFailureInfo for a certificate with another key than the one that was asked for."""

_ANSWERED: Final = {
    Certified: frozenset({Offered, Declining, Declined}),
    PutOff: frozenset({Waiting}),
    RevocationDone: frozenset({Revoked}),
    Told: frozenset({Informed}),
    Refusal: frozenset({Refused}),
}

EDGES: Final[Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]]] = {
    Asking: _ANSWERED,
    Waiting: {PollDue: frozenset({Polling})},
    Polling: _ANSWERED,
    Offered: {Accepted: frozenset({Confirming, Issued}), Rejected: frozenset({Declining, Declined})},
    Confirming: {Confirmed: frozenset({Issued}), Refusal: frozenset({Refused})},
    Declining: {Confirmed: frozenset({Declined}), Refusal: frozenset({Declined})},
}


def _move(state: State, event: Event) -> Step[State]:
    match state, event:
        case ((Asking(question) | Polling(question)), Certified()):
            return _offered(question, event)
        case ((Asking(question) | Polling(question)), PutOff(check_after)):
            return Step(Waiting(question, check_after))
        case ((Asking() | Polling()), RevocationDone()):
            return Step(Revoked())
        case ((Asking() | Polling()), Told(infos)):
            return Step(Informed(infos))
        case Waiting(question), PollDue():
            return Step(Polling(question), (SendPollReq(question.cert_req_id),))
        case Offered(), Accepted():
            return _accepted(state)
        case Offered(question, certificate), Rejected(fail_info):
            return _declined(question, certificate, state.implicit, fail_info)
        case Confirming(certificate, ca_pubs), Confirmed():
            return Step(Issued(certificate, ca_pubs))
        case Declining(certificate), (Confirmed() | Refusal()):
            return Step(Declined(certificate, implicit=False))
        case _, Refusal(fail_info, texts):
            return Step(Refused(fail_info, texts))
    raise AssertionError  # the table allows nothing else


def _offered(question: Question, event: Certified) -> Step[State]:
    if question.spki and event.spki != question.spki:
        return _declined(question, event.certificate, event.implicit, INCORRECT_DATA)
    return Step(Offered(question, event.certificate, event.ca_pubs, event.implicit))


def _accepted(state: Offered) -> Step[State]:
    if state.implicit:
        return Step(Issued(state.certificate, state.ca_pubs))
    if state.question.by_pkiconf:
        return Step(Issued(state.certificate, state.ca_pubs), (SendPkiConf(),))
    confirmation = SendCertConf(state.certificate, state.question.cert_req_id)
    return Step(Confirming(state.certificate, state.ca_pubs), (confirmation,))


def _declined(question: Question, certificate: bytes, implicit: bool, fail_info: int) -> Step[State]:
    if implicit or question.by_pkiconf:
        return Step(Declined(certificate, implicit=implicit))
    return Step(Declining(certificate), (SendCertConf(certificate, question.cert_req_id, fail_info),))


MACHINE: Final[Machine[State, Event]] = Machine("cmp-client", 1, EDGES, _move)
