"""`ports.certification` over CMP (RFC 9810, 9811): the center signs as an RA, and believes one pinned CMP signer.

Registering, withdrawing that, and what was ever issued are general messages of our own (`protocols.cmp.registering`,
`.withdrawing`, `.issued`): their answers hold a code, or a person's name, so they go over TLS or to this machine only
(security D3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.npki import certificate, subject
from ingam.npki.certificate import Certificate
from ingam.npki.signature import known_key
from ingam.npki.subject import NameMalformed
from ingam.ports.certification import (
    CertificationOutage,
    CertificationRefused,
    EverIssued,
    IssuedCertificate,
    Registered,
    Standing,
    ToRegister,
    Withdrawal,
)
from ingam.ports.clock import Clock
from ingam.ports.signing import Intent, Signer
from ingam.protocols.cmp import client, exchange, general, issued, on_behalf, registering, status, withdrawing
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import NULL_DN, Info, directory_name
from ingam.protocols.cmp.message import MOST_MESSAGE, Body, BodyKind, PKIMessage, UnverifiedMessage, parse
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.cmp.protection import SignatureProtection, verify_signature
from ingam.protocols.cmp.status import CmpRefused, FailInfo

CONTENT_TYPE: Final = "application/pkixcmp"
NONCE_BYTES: Final = 16

PASSING: Final = FailInfo.SYSTEM_UNAVAIL | FailInfo.SYSTEM_FAILURE | FailInfo.BAD_TIME | FailInfo.SIGNER_NOT_TRUSTED
"""What an authority says that cannot decide now, or does not know us yet: asked again, never its last word."""


class ClearTransport(Refusal):
    """Codes would go over the network in clear: the authority's address is neither TLS nor this machine's."""

    code = "certification-clear-transport"


class HttpPost(Protocol):
    """How a message is sent: `adapters.status.outgoing.Outgoing` is one."""

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        """The body of a 200 answer. Raises Outage."""


@dataclass(frozen=True, slots=True)
class RegistrationAuthority:
    """Who the center is at the authority: its certificate (EKU id-kp-cmcRA) with the CA above it, and its key."""

    certificate: Certificate
    chain: tuple[bytes, ...]
    signer: Signer


class CmpCertification:
    """One authority at one address. `speakers`: the certificates that its answers are signed with, pinned."""

    binds_keys = True

    def __init__(
        self,
        url: str,
        reached_at: str,
        outgoing: HttpPost,
        ra: RegistrationAuthority,
        speakers: tuple[Certificate, ...],
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        """`url`: as configured; `reached_at`: the address that it is mapped to. Raises ClearTransport."""
        if not _covered(reached_at):
            raise ClearTransport
        self._url, self._outgoing, self._ra, self._speakers = url, outgoing, ra, speakers
        self._clock, self._random = clock, random
        self._encryption: bytes | None = None
        self._authorities: tuple[bytes, ...] = ()

    async def register(self, holder: ToRegister) -> Registered:
        """Reference number and authorization code."""
        told = await self._informed(registering.write(_pairs(holder)))
        try:
            pairs = registering.read(told)
            return Registered(
                pairs["reference_number"], Secret(pairs["authorization_code"]),
                datetime.fromisoformat(pairs["expires"]),
            )  # fmt: skip
        except (CmpRefused, KeyError, ValueError):
            raise CertificationOutage from None

    async def withdraw(self, reference_number: str) -> Withdrawal:
        """A general message of our own; an answer that says nothing known is none."""
        told = await self._informed(withdrawing.ask(reference_number))
        try:
            return Withdrawal(withdrawing.read_told(told))
        except (CmpRefused, ValueError):
            raise CertificationOutage from None

    async def carry(self, message: bytes) -> bytes:
        """Unchanged, both ways; a kur goes in the RA's envelope, which says that its fee, if any, is settled here."""
        return await self._post(self._added(message))

    def _added(self, given: bytes) -> bytes:
        try:
            inner = parse(given)
        except CmpRefused:
            return given
        return self._client().add(inner, at=self._clock.now()) if inner.body.kind is BodyKind.KUR else given

    async def revoke(self, issuer: bytes, serial: int, reason: int, subject: bytes) -> None:
        """An rr under the RA's signature."""
        body, question = exchange.revoke(issuer, serial, reason, subject)
        state = (await self._asked(body, question)).state
        if not isinstance(state, client.Revoked):
            raise CertificationOutage

    async def revoke_on_behalf(self, text: str, signatures: Sequence[OperatorSignature]) -> None:
        """A general message of our own; an answer of another certificate is none."""
        told = await self._informed(on_behalf.ask(text, signatures))
        try:
            state = on_behalf.read_told(told).get("state")
        except CmpRefused:
            raise CertificationOutage from None
        if state != "revoked":
            raise CertificationOutage

    async def encryption_certificate(self) -> bytes:
        """Asked once (caProtEncCert), then remembered."""
        if self._encryption is None:
            self._encryption = (await self._informed(Info(general.CA_PROT_ENC_CERT))).value
        if self._encryption is None:
            raise CertificationOutage
        return self._encryption

    async def authorities(self) -> tuple[bytes, ...]:
        """Asked once (caCerts), then remembered."""
        if not self._authorities:
            told = await self._informed(Info(general.CA_CERTS))
            try:
                self._authorities = general.read_certificates(told.value)
            except CmpRefused:
                raise CertificationOutage from None
        return self._authorities

    async def issued(self, idn: Secret[str]) -> EverIssued:
        """As the authority's books say now; nothing is remembered here."""
        try:
            told = issued.read_told(await self._informed(issued.ask(idn)))
            return EverIssued.of(map(_issued, told.certificates), more=told.more)
        except (CmpRefused, NameMalformed):
            raise CertificationOutage from None

    async def _informed(self, asked: Info) -> Info:
        state = (await self._asked(*exchange.inquire(asked))).state
        if not isinstance(state, client.Informed) or len(state.infos) != 1:
            raise CertificationOutage
        kind, value = state.infos[0]
        return Info(kind, value or None)

    async def _asked(self, body: Body, question: client.Question) -> Exchange:
        """One question and its answer, protected both ways."""
        asking, at = self._client(), self._clock.now()
        begun = asking.begin(
            body, question, transaction_id=self._random(NONCE_BYTES), nonce=self._random(NONCE_BYTES), at=at
        )
        assert begun.outgoing is not None
        try:
            found = asking.receive(
                begun, await self._post(begun.outgoing), nonce=self._random(NONCE_BYTES), at=self._clock.now()
            )
        except CmpRefused as refused:
            raise CertificationOutage(cause=refused.code) from None
        if isinstance(found.state, client.Refused):
            if FailInfo(found.state.fail_info) & PASSING:
                raise CertificationOutage(cause="".join(found.state.texts[:1])[:80])
            bits = ",".join(status.names(FailInfo(found.state.fail_info)))
            raise CertificationRefused(fail_info=bits, said="".join(found.state.texts[:1])[:80])
        return found

    def _client(self) -> Client:
        ra = self._ra
        protection = SignatureProtection(ra.signer.public.algorithm, lambda part: ra.signer.sign(Intent.of(part)))
        sender = directory_name(ra.certificate.subject.raw)
        extra = (ra.certificate.der, *ra.chain)
        return Client(sender, NULL_DN, protection, self._verified, ra.certificate.ski, extra)

    def _verified(self, answer: UnverifiedMessage) -> PKIMessage:
        """Signed by one of the pinned certificates, byte for byte (security A7)."""
        given = answer.extra_certs[0] if answer.extra_certs else b""
        if not any(one.der == given for one in self._speakers):
            raise CmpRefused("cmp-signer-unknown", FailInfo.SIGNER_NOT_TRUSTED)
        return verify_signature(answer, known_key(certificate.parse(given).spki))

    async def _post(self, message: bytes) -> bytes:
        try:
            return await self._outgoing.post(self._url, message, CONTENT_TYPE, MOST_MESSAGE)
        except Outage as outage:
            raise CertificationOutage(cause=outage.code) from None


def _pairs(holder: ToRegister) -> dict[str, str]:
    pairs = {
        "profile": holder.profile, "name": holder.name, "idn": holder.idn.reveal(), "mobile": holder.mobile,
        "email": holder.email, "english": holder.english, "branch": holder.branch,
        "operation": "reissue" if holder.reissue else "issue",
    }  # fmt: skip
    if holder.spki_hash is not None:
        pairs["spki_sha256"] = holder.spki_hash.hex()
    return {name: value for name, value in pairs.items() if value}


def _issued(one: issued.One) -> IssuedCertificate:
    name = subject.parse(one.subject)
    reason, ended_at, never_stood = one.ended or (None, None, False)
    return IssuedCertificate(
        f"{one.serial:x}", one.fingerprint.hex(), str(name), name.value("OU") or "", one.profile, one.policy,
        one.issued_at, one.not_before, one.not_after, Standing(one.standing.name.lower()), reason, ended_at,
        never_stood, issuer_name=one.issuer, subject_name=one.subject,
    )  # fmt: skip


def _covered(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")
