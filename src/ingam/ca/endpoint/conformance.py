"""What a conformance suite asks of an authority and no authority does: on a sandbox's, where the setting says so.

A suite has one shared secret and one first certificate, and asks with them for whatever it tests. Each rule here is
against one of security.md's (D3, D4, D5) or stricter than clients of the field bear:

    1  its secret is short and used again and again, and no wrong MAC voids it
    2  its certificates ask for certificates of any name; an RA's requests need no registration of their own
    3  names, validity and extensions are granted as asked (`issuing.as_asked`)
    4  what is revoked, even for ever, is revived by its own signature or an RA's
    5  a certificate whose update has begun asks for nothing else, not even for its own end
    6  an update that nobody confirms is given up after ten seconds
    7  senders and chains are told to the letter of RFC 9483 section 3, and no MAC uses SHA-1 (RFC 9481)
    8  an update may be of another name; names in templates are the same to the letter, case included, in either order
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from ingam.ca.endpoint.practice import Mac, Practice
from ingam.ca.endpoint.sender import Role
from ingam.ca.issuing.service import Holder
from ingam.ca.office import Office
from ingam.ca.revoking import changes
from ingam.ca.revoking.service import Revoking
from ingam.kernel.errors import Defect
from ingam.npki import certificate, subject
from ingam.npki.subject import Name, NameMalformed
from ingam.ports.books import Certificate, State, StatusChange
from ingam.protocols.cmp.header import name_in
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.protocols.cmp.template import CertTemplate

_ASKING: Final = frozenset((BodyKind.IR, BodyKind.CR, BodyKind.P10CR))
_CHAIN: Final = 2
"""Certificates in extraCerts: the signer's, and at least the one above it."""


class Suite(Practice):
    """The practice under a suite. `reference`: of the reusable registration that every request of it uses."""

    confirm_within = timedelta(seconds=10)
    burn_at = None
    reference: str

    def __init__(self, office: Office, reference: str) -> None:
        if not office.authority.sandbox:
            raise Defect("ca-conformance-outside-sandbox")
        self._office = office
        self.reference = reference

    def check_may(self, role: Role, kind: BodyKind, profile: str | None = None) -> None:
        if not (kind in _ASKING and profile is not None and self._owns(profile)):
            super().check_may(role, kind)

    def is_sender(self, message: UnverifiedMessage, given: certificate.Certificate) -> bool:
        name = name_in(message.header.sender)
        return name is not None and super().is_name(name, given.subject)

    def is_name(self, asked: bytes | None, known: Name) -> bool:
        try:
            return asked is None or subject.parse(asked).rdns in (known.rdns, known.rdns[::-1])
        except NameMalformed:
            return False

    def check_update(self, given: certificate.Certificate, wishes: CertTemplate) -> None:
        super().check_update(given, wishes._replace(subject=None))

    def granted(self, holder: Holder, wishes: CertTemplate) -> Holder:
        if not self._owns(holder.profile.name):
            return holder
        return replace(holder, as_asked=wishes)

    def check_signer(self, entry: Certificate, kind: BodyKind) -> None:
        if kind is BodyKind.RR and entry.state is State.REVOKED and self._owns(entry.profile):
            return
        super().check_signer(entry, kind)
        if (kind in _ASKING or kind is BodyKind.RR) and self._office.books.updates(entry.id):
            raise CmpRefused("cmp-signer-updated", FailInfo.BAD_REQUEST)

    def resumption(self, revoking: Revoking, one: Certificate, by: str) -> StatusChange:
        if one.state is not State.REVOKED or not self._owns(one.profile):
            return super().resumption(revoking, one, by)
        change = changes.released(self._office, one, self._office.now(), action=f"revive-by-{by}")
        return replace(change, expected=frozenset({State.REVOKED}))

    def check_coded(self, message: UnverifiedMessage, reference: str, mac: Mac) -> None:
        if "sha1" in mac.hashes:
            raise CmpRefused("cmp-protection-algorithm", FailInfo.BAD_ALG)
        if _common_name(message) != reference:
            raise CmpRefused("cmp-sender-name", FailInfo.BAD_MESSAGE_CHECK)

    def check_chain(self, message: UnverifiedMessage, given: certificate.Certificate) -> None:
        # The RA revokes without the chain above it, which is asked of everybody else.
        exempt = message.body.kind is BodyKind.RR and bool(given.eku)
        if len(message.extra_certs) < _CHAIN and not exempt:
            raise CmpRefused("cmp-signer-chain", FailInfo.BAD_MESSAGE_CHECK)

    def _owns(self, profile: str) -> bool:
        known = self._office.books.registration(self.reference)
        return known is not None and known.reusable and known.profile == profile


def _common_name(message: UnverifiedMessage) -> str | None:
    """The CN of the sender's directoryName."""
    name = name_in(message.header.sender)
    try:
        return None if name is None else subject.parse(name).value("CN")
    except NameMalformed:
        return None
