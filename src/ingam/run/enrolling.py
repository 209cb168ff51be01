"""How the sandbox's demo people get their certificates: registered by their RA, then asked for over CMP with the code.

The asking side of RFC 9483 section 4.1.1 with a key in memory; people outside of a demo do this in their browser.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from ingam.kernel.secret import Secret
from ingam.npki import der, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.signature import RSA_SHA256, known_key
from ingam.npki.vid import compute_vid
from ingam.ports.certification import CertificationOutage, CertificationRefused, Registered
from ingam.ports.clock import Clock
from ingam.ports.signing import Intent, Signer
from ingam.protocols.cmp import client, crmf, encrypted_vid, exchange, status
from ingam.protocols.cmp.header import NULL_DN
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import MacProtection, pbmac1, verify_mac
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.sandbox.behind import Order

Post = Callable[[bytes], Awaitable[bytes]]
"""A PKIMessage to the authority, and its answer."""

ITERATIONS: Final = 1000
"""Of PBMAC1: a code of 128 random bits needs no stretching."""


KEY_IN_USE: Final = "ca-key-in-use"
TRIES: Final = 16
"""Keys that are tried: keys for tests are a handful, and may be somebody else's already."""


class OwnKey(NamedTuple):
    """The key that is to be certified. `spki`, `algorithm`: DER; `sign`: over any bytes."""

    spki: bytes
    algorithm: bytes
    sign: Callable[[bytes], bytes]

    @classmethod
    def of(cls, key: RSAPrivateKey) -> OwnKey:
        """A person's."""
        return cls(shapes.public_key(key), RSA_SHA256, lambda part: key.sign(part, PKCS1v15(), SHA256()))

    @classmethod
    def kept(cls, signer: Signer) -> OwnKey:
        """One of a place of keys."""
        return cls(signer.public.spki, signer.public.algorithm, lambda part: signer.sign(Intent.of(part)))


async def enrol(
    post: Post, told: Registered, key: OwnKey, clock: Clock, random: Callable[[int], bytes], vid: bytes | None = None
) -> bytes:
    """DER of the certificate, confirmed implicitly. `vid`: DER EncryptedVID, as `sealed_vid` makes it.

    Raises CertificationRefused (facts: fail_info, said), CertificationOutage, and what `post` raises.
    """
    secret = Secret(told.authorization_code.reveal().encode("ascii"))
    protection = MacProtection(secret, pbmac1(random(16), iterations=ITERATIONS))
    asking = exchange.Client(
        NULL_DN, NULL_DN, protection, lambda answer: verify_mac(answer, secret), told.reference_number.encode("ascii")
    )
    info = () if vid is None else (crmf.Attribute(crmf.ENCRYPTED_VID, vid),)
    body, question = exchange.enrolment(
        BodyKind.IR, spki=key.spki, subject=None, algorithm=key.algorithm, sign=key.sign, reg_info=info
    )
    begun = asking.begin(
        body, question, transaction_id=random(16), nonce=random(16), at=clock.now(), infos=exchange.IMPLICIT
    )
    assert begun.outgoing is not None
    answer = await post(begun.outgoing)
    try:
        found = asking.receive(begun, answer, nonce=random(16), at=clock.now()).state
    except CmpRefused as refused:
        raise CertificationOutage(cause=refused.code) from None
    if isinstance(found, client.Refused):
        bits = ",".join(status.names(FailInfo(found.fail_info)))
        raise CertificationRefused(fail_info=bits, said=" ".join(found.texts)[:80])
    if not isinstance(found, client.Offered) or not found.implicit:
        raise CertificationOutage
    return found.certificate


def sealed_vid(r: bytes, opener: Certificate) -> bytes:
    """DER EncryptedVID of R for an authority's encryption certificate; the number in it is a dummy (npki.md section 6).

    `r`: octets of R.
    """
    bits = der.bits(r)
    content = encrypted_vid.write_content(compute_vid(encrypted_vid.DUMMY_IDN, bits), Secret(bits))
    key = known_key(opener.spki)
    assert isinstance(key, RSAPublicKey)
    made = encrypted_vid.encrypt(key, content, issuer=opener.issuer.raw, serial_number=opener.serial, oaep=True)
    return encrypted_vid.write(made)


@dataclass(frozen=True)
class Window:
    """Where a house takes orders. `register`: by its RA; `opener`: the certificate that R is encrypted to."""

    register: Callable[[Order], Awaitable[Registered]]
    post: Post
    opener: Callable[[], Awaitable[Certificate]]
    clock: Clock
    random: Callable[[int], bytes]

    async def enrol(
        self, order: Order, make: Callable[[], RSAPrivateKey], r: bytes | None
    ) -> tuple[bytes, RSAPrivateKey]:
        """As `sandbox.behind.Enroller` has it."""
        vid = None if r is None else sealed_vid(r, await self.opener())
        told = await self.register(order)
        for left in reversed(range(TRIES)):
            key = await asyncio.to_thread(make)
            try:
                return await enrol(self.post, told, OwnKey.of(key), self.clock, self.random, vid), key
            except CertificationRefused as refused:
                if refused.facts.get("said") != KEY_IN_USE or not left:
                    raise
        raise AssertionError
