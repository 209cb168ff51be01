"""The books of a certification authority: registrations, intents, certificates, answers, status changes, log leaves.

Every writing method is one durable transaction, all of it or nothing. What identifies a person lies in sealed bytes;
`person` is a keyed digest. Reading methods see every transaction that was answered before they were called, whichever
process of the machine made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ingam.kernel.errors import Outage, Refusal


class BooksOutage(Outage):
    """The books could not be read or written; nothing was stored."""

    code = "books-outage"


class TransactionInUse(Refusal):
    """The transactionID has begun with another request (security D9)."""

    code = "cmp-transaction-in-use"


class RegistrationUsed(Refusal):
    """The reference number was used, burnt, or is past its time: it is as if it had never been."""

    code = "ca-registration-used"


class UpdateUnfinished(Refusal):
    """Another update of this certificate waits for its confirmation."""

    code = "ca-update-unfinished"


class KeyInUse(Refusal):
    """The public key is certified for somebody else already (security D4); who has no `person` has a key once."""

    code = "ca-key-in-use"


class IntentGone(Refusal):
    """The intent is not there any more: a twin of this request recorded it, and its answer stands; or the registration
    was withdrawn, and what was signed goes nowhere.
    """

    code = "ca-intent-gone"


class SupersessionStale(Refusal):
    """Another certificate of the person stands under this policy than the one that was to end; look again."""

    code = "ca-supersession-stale"


class StandingRefused(Refusal):
    """The certificate's state does not allow this change (facts: found)."""

    code = "ca-standing"


class OlderList(Refusal):
    """A newer list or tree head is published already; it is never replaced by an older one (security D13)."""

    code = "ca-older-list"


class State(StrEnum):
    """PENDING: issued, not yet confirmed. HELD: 효력정지. What is expired stays what it was when it expired."""

    PENDING = "pending"
    VALID = "valid"
    HELD = "held"
    REVOKED = "revoked"


class Open(StrEnum):
    """A registration's life: OPEN → BEGUN (an intent stands) → DONE; BURNT after too many wrong codes, or withdrawn."""

    OPEN = "open"
    BEGUN = "begun"
    DONE = "done"
    BURNT = "burnt"


@dataclass(frozen=True, slots=True)
class Registration:
    """What an RA said of a person before the request came (security D1-D4).

    `reference`: the reference number as the senderKID carries it. `person`: 32-byte keyed digest, or None for who may
    have several. `sealed`: the authorization code, and the facts of who has no `person`. `spki_hash`: SHA-256 of the
    key that alone will be certified, or None. `operation`: `issue` or `reissue`. `not_after`: the end date that a
    reissue keeps. `reusable`: only the sandbox's conformance profile. `npki`: for the raw TCP profile and nothing else
    (security D8).
    """

    reference: str
    profile: str
    operation: str
    person: bytes | None
    sealed: bytes
    spki_hash: bytes | None
    created_at: datetime
    expires_at: datetime
    not_after: datetime | None = None
    open: Open = Open.OPEN
    wrong_codes: int = 0
    reusable: bool = False
    npki: bool = False


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate in the books. `ca`: the generation that issued it, from 1. `serial`: positive.

    `partition`: of its CRL. `reason`: a CRLReason number. `confirm_by`: when a pending one is given up. `person` None
    for servers and the authority's own: they are not single. `replaces`: the id of the one that a kur updated.
    """

    id: int
    ca: int
    serial: int
    profile: str
    policy: str
    person: bytes | None
    partition: int
    not_before: datetime
    not_after: datetime
    der: bytes
    spki_hash: bytes
    state: State
    reason: int | None = None
    changed_at: datetime | None = None
    confirm_by: datetime | None = None
    reference: str | None = None
    issued_at: datetime | None = None
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What OCSP and a CRL say of one serial."""

    state: State
    reason: int | None
    changed_at: datetime | None
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One status change. `seq` rises by one, without gaps within what is committed."""

    seq: int
    ca: int
    serial: int
    partition: int
    state: State
    at: datetime


@dataclass(frozen=True, slots=True)
class Leaf:
    """An event for the transparency log. `hash`: 32 bytes, the RFC 9162 leaf hash of its salted commitment; `salt`: 32.

    `event`: its canonical text; salt and event stay in the books and may be deleted, the hash may not (security H3).
    """

    hash: bytes
    salt: bytes
    event: bytes


@dataclass(frozen=True, slots=True)
class IssueIntent:
    """What will be signed, recorded before it is signed. `tbs`: the exact bytes; `digest`: their SHA-256.

    `sender` (32 bytes) and `transaction` name the exchange; `request_hash`: SHA-256 of the whole request.
    """

    sender: bytes
    transaction: bytes
    request_hash: bytes
    reference: str | None
    ca: int
    serial: int
    profile: str
    policy: str
    person: bytes | None
    partition: int
    not_before: datetime
    not_after: datetime
    spki_hash: bytes
    tbs: bytes
    digest: bytes
    at: datetime
    body: int = 1
    """The PKIBody number of the answer: ip, cp or kup."""

    request_id: int = 0
    """certReqId: 0, or -1 for a p10cr."""

    implicit: bool = False
    """implicitConfirm was granted."""

    replaces: int | None = None
    """The books' id of the certificate that a kur updates."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to be repeated for the byte-identical request (security D9). `nonce`: our senderNonce.

    `follows`: the request went on with an exchange that had begun; otherwise nothing may stand under its transactionID
    but an earlier answer to the same request.
    """

    sender: bytes
    transaction: bytes
    request_hash: bytes
    answer: bytes
    nonce: bytes
    kept_until: datetime
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to the person's registered contact, by the CA itself (security D2). `sealed`: contact and text."""

    kind: str
    sealed: bytes
    dedup: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What was asked and what came of it; facts hold codes and serials, nothing personal, no request bodies (D7)."""

    at: datetime
    action: str
    result: str
    facts: str = "{}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The signed certificate of an intent and all that goes with it in one transaction.

    `confirmed`: implicit confirmation, so that it is valid and supersedes at once; else it is pending to `confirm_by`.
    `supersedes`: the end of the person's other certificate under this policy, which must be the one that stands.
    """

    intent: IssueIntent
    der: bytes
    answer: Answer
    leaf: Leaf
    audit: AuditLine
    confirmed: bool
    confirm_by: datetime | None
    supersedes: StatusChange | None = None
    notices: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A certConf that accepts: the pending certificate is valid, and what it supersedes ends, in one transaction."""

    id: int
    answer: Answer
    at: datetime
    audit: AuditLine
    supersedes: StatusChange | None = None
    notices: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class StatusChange:
    """Revoke, hold or release one certificate. `expected`: the states from which it may happen.

    `entry`: its DER revokedCertificates entry; for a release the one with removeFromCRL, which only deltas carry.
    """

    id: int
    expected: frozenset[State]
    state: State
    reason: int | None
    at: datetime
    entry: bytes
    leaf: Leaf
    audit: AuditLine
    notices: Sequence[Notice] = ()


@dataclass(frozen=True, slots=True)
class ListRecord:
    """A published revocation list. `partition` -1: the full list. `kind`: `full`, `partition` or `delta`."""

    ca: int
    partition: int
    kind: str
    number: int
    this_update: datetime
    next_update: datetime
    digest: bytes
    seq: int
    """The last change that it contains."""


@dataclass(frozen=True, slots=True)
class Head:
    """A signed tree head: root hash of the first `size` leaves, and signatures as text (log key, witnesses)."""

    size: int
    root: bytes
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A transactionID and whose it is. `request_hash`, `answer`: of its latest request; `nonce`: our last senderNonce.

    `pending`: the books' id of the certificate that waits for its certConf; `closed`: nothing more may follow.
    """

    sender: bytes
    request_hash: bytes
    answer: bytes
    nonce: bytes
    pending: int | None
    closed: bool
    kept_until: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """What a certificate's log entry looks like. `index`: of its leaf, from 0."""

    index: int
    leaf: Leaf


class Standings(Protocol):
    """What answers about status need of the books: cheap, synchronous, current."""

    def standing(self, ca: int, serial: int) -> Standing | None:
        """What became of a serial of a generation; None: never issued there. Raises BooksOutage."""

    def changed(self) -> bool:
        """Whether any process committed a status change since this was asked last; costs a microsecond or two."""

    def changes(self, after: int, limit: int = 1000) -> list[Change]:
        """Status changes behind a sequence number, in order. Raises BooksOutage."""

    def last_change(self) -> int:
        """The newest sequence number; 0 where nothing changed yet. Raises BooksOutage."""

    def close(self) -> None:
        """Release the file."""


class RevokedEntries(Protocol):
    """What a revocation list is generated from: streamed, never all in memory."""

    def entries(self, ca: int, partition: int, at: datetime, chunk: int = 4096) -> Iterator[list[bytes]]:
        """Ready DER revokedCertificates entries, in the order of revoking, in chunks; `partition` -1: of all.

        What expired before `at` is left out (RFC 5280 section 3.3: it stood on at least one list after its end).
        """

    def delta(self, ca: int, partition: int, after: int, chunk: int = 4096) -> Iterator[list[bytes]]:
        """Entries of what changed behind a sequence number, with removeFromCRL for what was released."""

    def newest_list(self, ca: int, partition: int, kind: str) -> ListRecord | None:
        """The list that stands."""

    def publish(self, record: ListRecord) -> None:
        """Record a list as the one that stands. Raises OlderList (the number is compared in the transaction, D13)."""


class Nodes(Protocol):
    """A tree that is kept: hashes of leaves by index from 0, kept tree nodes, signed heads."""

    def size(self) -> int:
        """How many leaves there are."""

    def hashes(self, first: int, last: int) -> list[bytes]:
        """Leaf hashes of [first, last)."""

    def nodes(self, level: int, first: int, last: int) -> list[bytes]:
        """Kept roots of complete subtrees of 2^level leaves, by their place at the level: [first, last)."""

    def keep_nodes(self, level: int, first: int, nodes: Sequence[bytes]) -> None:
        """Keep such roots."""

    def head(self) -> Head | None:
        """The newest signed tree head."""

    def publish_head(self, head: Head) -> None:
        """Record a head. Raises OlderList: a smaller size, or another root of the same size, replaces nothing.

        The same root may get a newer time or more signatures.
        """


class Leaves(Nodes, Protocol):
    """The transparency log's side of the books: what stands behind the hashes."""

    def leaf(self, index: int) -> Leaf | None:
        """A leaf; salt and event are empty where they were erased (security H3)."""

    def leaf_of(self, ca: int, serial: int) -> int | None:
        """The index of the leaf of a certificate's issue."""

    def erase_leaf(self, index: int) -> None:
        """Delete salt and event: nobody can tell any more what the leaf was; its hash stays (security H3)."""

    def append(self, leaf: Leaf) -> int:
        """A leaf of its own, such as a released bundle's (security B4). Returns its index."""


class Books(Standings, RevokedEntries, Leaves, Protocol):
    """All of the books. Writers are awaited until the disk has it; readers are synchronous and quick."""

    async def register(
        self, registration: Registration, audit: AuditLine, person: bytes | None = None,
        notices: Sequence[Notice] = (),
    ) -> None:  # fmt: skip
        """Enter what an RA registered. `person`: the person's sealed facts, in place of what stood."""

    async def enter(self, intent: IssueIntent, der: bytes, leaf: Leaf, audit: AuditLine) -> None:
        """A certificate that a ceremony made, not a request: valid at once; one that is there already stays."""

    def person(self, person: bytes) -> bytes | None:
        """The sealed facts of a person: name, number, contact."""

    def registration(self, reference: str) -> Registration | None:
        """By its reference number, in whatever state."""

    async def wrong_code(self, reference: str, audit: AuditLine, burn_at: int | None) -> int:
        """Count a wrong MAC against a reference number; burnt at `burn_at` (security D3). Returns the count."""

    async def withdraw(self, reference: str, audit: AuditLine) -> list[Certificate] | None:
        """Nothing more can be asked for by this registration: it is burnt unless it is done, and its intent goes.

        Returns the certificates that came of it before, oldest first; None where no person is registered under it.
        """

    async def forget_code(self, reference: str, sealed: bytes) -> None:
        """Replace the sealed facts by those without the authorization code (an hour after pkiConf, D3)."""

    def codes_to_forget(self, at: datetime, limit: int = 100) -> list[Registration]:
        """Registrations whose code has no more use: their exchange was closed an hour ago, or they are over."""

    def exchange(self, transaction: bytes) -> Exchange | None:
        """What was answered under a transactionID, while it is kept."""

    def answered(self, transaction: bytes, request_hash: bytes) -> bytes | None:
        """The answer to this very request, if it is one that was answered before."""

    def intent(self, transaction: bytes) -> IssueIntent | None:
        """An intent that was recorded and not yet signed, or signed and not yet recorded."""

    async def intend(self, intent: IssueIntent) -> None:
        """Record what will be signed. Raises TransactionInUse, RegistrationUsed, UpdateUnfinished, KeyInUse."""

    async def record(self, recorded: Recorded) -> Certificate:
        """Enter the certificate, its leaf and the answer; the intent goes. Raises SupersessionStale, IntentGone."""

    async def confirm(self, confirmed: Confirmed) -> None:
        """Raises StandingRefused (not pending any more), SupersessionStale."""

    async def answer(
        self, answer: Answer, audit: AuditLine, change: StatusChange | None = None, *, closed: bool = True
    ) -> None:
        """Keep any other answer, with the status change that it tells of. `closed` False: the exchange goes on.

        Raises TransactionInUse, StandingRefused.
        """

    async def change(self, change: StatusChange) -> int:
        """Change a status; returns the sequence number. Raises StandingRefused."""

    async def audit(self, line: AuditLine) -> None:
        """A line on its own: what was refused."""

    def audited(self, action: str, since: datetime) -> int:
        """How many lines of an action there are since an instant: what rate ceilings count."""

    def audited_at(self, action: str, at: datetime) -> list[AuditLine]:
        """The lines of an action of exactly that instant, to the microsecond: what was recorded with a change."""

    def certificate(self, ca: int, serial: int) -> Certificate | None:
        """By generation and serial."""

    def certificate_by_id(self, id: int) -> Certificate | None:
        """By the books' id."""

    def updates(self, id: int) -> list[Certificate]:
        """What kurs of a certificate brought, in order, whatever became of it."""

    def by_spki(self, spki_hash: bytes) -> list[Certificate]:
        """Every certificate of a key."""

    def standing_of(self, person: bytes, policy: str) -> Certificate | None:
        """The person's one certificate under a policy that is valid or held."""

    def of_person(self, person: bytes) -> list[Certificate]:
        """Every certificate ever issued to a person, newest first (security D2)."""

    def listed(self, state: State | None, after: int, limit: int) -> list[Certificate]:
        """Certificates behind an id, in order of issuing; for tables and exports."""

    def counts(self, at: datetime) -> dict[str, int]:
        """How many are `pending`, `valid`, `held`, `revoked`, or `expired` (by time alone) at an instant."""

    def newest(self, limit: int) -> list[Certificate]:
        """The last ones that were issued, newest first."""

    def overdue(self, at: datetime, held_before: datetime, limit: int = 100) -> list[Certificate]:
        """Pending ones whose time is over, and held ones that were held before an instant."""

    def count_of(self, ca: int) -> int:
        """How many certificates a generation issued: the next one's place decides its CRL partition."""

    def notices(self, at: datetime, limit: int = 50) -> list[tuple[int, Notice]]:
        """Notices that are due, oldest first."""

    async def noticed(self, id: int, at: datetime, retry_at: datetime | None) -> None:
        """A notice left (its sealed text is deleted), or is tried again later."""

    async def forget(self, at: datetime) -> None:
        """Delete answers past their time, intents whose registration is over, registrations 14 days after their end.

        A registration without a person that led to a certificate stays: its facts are what renewals are made of.
        """
