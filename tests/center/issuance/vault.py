"""What the browser's vault does at an issuance: a key, R, an ir under the code, the checks, a certConf."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from tests.ca.world import HeldKey, certificates

from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, policies, signature, vid
from ingam.npki.certificate import Certificate
from ingam.protocols.cmp import client, encrypted_vid, exchange
from ingam.protocols.cmp.crmf import ENCRYPTED_VID, Attribute
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import NULL_DN
from ingam.protocols.cmp.message import BodyKind, PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import MacProtection, pbmac1, verify_mac, verify_signature
from ingam.protocols.cmp.status import FailInfo


@dataclass
class Vault:
    """One record of one run; it outlives every page, and so does each message that it has made."""

    key: HeldKey
    random: Callable[[int], bytes]
    r: bytes = field(init=False)
    issue: dict[str, Any] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)
    going: Exchange | None = None
    ir: bytes = b""
    cert_conf: bytes = b""

    def __post_init__(self) -> None:
        self.r = der.bits(self.random(20))

    @property
    def spki(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, hex."""
        return hashlib.sha256(self.key.public.spki).hexdigest()

    @property
    def certificate(self) -> Certificate:
        """What was offered, or is issued."""
        assert self.going is not None
        state = self.going.state
        assert isinstance(state, client.Offered | client.Confirming | client.Declining | client.Issued), state
        return certificate.parse(state.certificate)

    @property
    def issued(self) -> bool:
        """Whether the pkiConf came."""
        return self.going is not None and isinstance(self.going.state, client.Issued)

    def make(self, issue: dict[str, Any]) -> str:
        """⑤: the key is there and kept; its hash."""
        self.issue = issue
        return self.spki

    def ask(self, registered: dict[str, str]) -> bytes:
        """⑥: the ir, once; every later call gives the same bytes."""
        if not self.ir:
            self.registered = registered
            info = (Attribute(ENCRYPTED_VID, self._encrypted_vid()),)
            body, question = exchange.enrolment(
                BodyKind.IR, spki=self.key.public.spki, subject=None, algorithm=self.key.public.algorithm,
                sign=self.key.raw, reg_info=info,
            )  # fmt: skip
            self.going = self._client().begin(
                body, question, transaction_id=self.random(16), nonce=self.random(16), at=self._now()
            )
            assert self.going.outgoing is not None
            self.ir = self.going.outgoing
        return self.ir

    def confirm(self, answer: bytes) -> bytes:
        """The certificate is checked (B10); the certConf, once."""
        if not self.cert_conf:
            self._offered(answer)
            return self._said(self._client().accept(self._going(), nonce=self.random(16), at=self._now()))
        return self.cert_conf

    def decline(self, answer: bytes) -> bytes:
        """The certConf that rejects what came."""
        self._receive(answer)
        moved = self._client().decline(self._going(), FailInfo.INCORRECT_DATA, nonce=self.random(16), at=self._now())
        return self._said(moved)

    def finish(self, answer: bytes) -> None:
        """The pkiConf."""
        self._receive(answer)
        assert self.issued

    def _said(self, moved: Exchange) -> bytes:
        assert moved.outgoing is not None
        self.going, self.cert_conf = moved, moved.outgoing
        return self.cert_conf

    def _going(self) -> Exchange:
        assert self.going is not None
        return self.going

    def _receive(self, answer: bytes) -> None:
        self.going = self._client().receive(self._going(), answer, nonce=self.random(16), at=self._now())

    def _offered(self, answer: bytes) -> None:
        self._receive(answer)
        assert isinstance(self._going().state, client.Offered), self._going().state
        found = self.certificate
        anchors = {base64.b64decode(one) for one in self.issue["anchors"]}
        assert {one.der for one in certificates("ingam")[:2]} == anchors
        assert found.spki == self.key.public.spki
        assert found.policy_oid in self.issue["policies"]
        assert policies.lookup(found.issuer, found.policy_oid) is not None
        assert found.not_after <= datetime.fromisoformat(self.registered["not_after_at_most"])
        assert found.identify_data is not None
        ours = vid.compute_vid(self.registered["idn"], self.r)
        assert vid.parse_identify_data(found.identify_data).vid.octets == ours

    def _client(self) -> Client:
        secret = Secret(self.registered["code"].encode())
        mac = MacProtection(secret, pbmac1(self.random(16), iterations=1000))

        def verified(answer: UnverifiedMessage) -> PKIMessage:
            speaker = certificates("ingam")[2]
            if answer.header.protection_alg != speaker.signature_algorithm:
                return verify_mac(answer, secret)
            return verify_signature(answer, signature.public_key(certificate.parse(answer.extra_certs[0]).spki))

        return Client(NULL_DN, NULL_DN, mac, verified, self.registered["reference"].encode())

    def _encrypted_vid(self) -> bytes:
        opener = certificate.parse(base64.b64decode(self.issue["encryption"]))
        content = encrypted_vid.write_content(vid.compute_vid(encrypted_vid.DUMMY_IDN, self.r), Secret(self.r))
        public = signature.public_key(opener.spki)
        assert isinstance(public, RSAPublicKey)
        return encrypted_vid.write(
            encrypted_vid.encrypt(
                public, content, issuer=opener.issuer.raw, serial_number=opener.serial, oaep=True
            )
        )  # fmt: skip

    def _now(self) -> datetime:
        return datetime.fromisoformat(self.issue["now"])
