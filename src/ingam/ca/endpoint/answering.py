"""Answers: their headers, and their protection by the code of who asked or by the authority's own signature."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ingam.ca.endpoint.sender import Coded, Sender
from ingam.ca.office import Office
from ingam.ports.signing import Intent, SigningOutage
from ingam.protocols.cmp.header import Header, Info, answer_header, directory_name
from ingam.protocols.cmp.message import Body, BodyKind, finish, prepare

NONCE_BYTES: Final = 16
SALT_BYTES: Final = 16
_BRINGING: Final = frozenset((BodyKind.IP, BodyKind.CP, BodyKind.KUP))
"""What brings a certificate brings the chain above it; others under a code do without."""


@dataclass(frozen=True, slots=True)
class Made:
    """An answer and the senderNonce in it."""

    der: bytes
    nonce: bytes


class Answering:
    """Makes answers of one office."""

    def __init__(self, office: Office) -> None:
        self._office = office
        issuer = office.issuer.certificate
        self._issuer_name = directory_name(issuer.subject.raw)
        self._chain = tuple(dict.fromkeys([*(one.certificate.der for one in reversed(office.issuers)),
                                           *(root.der for root in office.roots)]))  # fmt: skip

    async def make(self, request: Header, sender: Sender | None, body: Body, *, infos: Sequence[Info] = ()) -> Made:
        """The message. `sender` None: nobody could be recognised, and the authority signs."""
        nonce = self._office.random(NONCE_BYTES)
        if isinstance(sender, Coded):
            return Made(await self._with_code(request, sender, body, nonce, tuple(infos)), nonce)
        return Made(await self._signed(request, body, nonce, tuple(infos)), nonce)

    async def refusal(self, request: Header, sender: Sender | None, body: Body) -> Made:
        """The message that refuses; unprotected where the authority cannot sign now (RFC 9483 section 3.6.4)."""
        try:
            return await self.make(request, sender, body)
        except SigningOutage:
            nonce = self._office.random(NONCE_BYTES)
            header = answer_header(request, sender=self._issuer_name, nonce=nonce, at=self._office.now())
            return Made(finish(prepare(header, body), None), nonce)

    async def _with_code(
        self, request: Header, sender: Coded, body: Body, nonce: bytes, infos: tuple[Info, ...]
    ) -> bytes:
        header = answer_header(
            request, sender=self._issuer_name, nonce=nonce, at=self._office.now(), sender_kid=request.sender_kid
        )
        proof = sender.answering(self._office.random(SALT_BYTES))
        part = prepare(header._replace(protection_alg=proof.algorithm, general_info=infos), body)
        if sender.costly:
            run = asyncio.get_running_loop().run_in_executor
            mac = await run(self._office.threads, proof.protect, part)
        else:
            mac = proof.protect(part)
        return finish(part, mac, self._chain if body.kind in _BRINGING else ())

    async def _signed(self, request: Header, body: Body, nonce: bytes, infos: tuple[Info, ...]) -> bytes:
        speaker = self._office.speaker
        header = answer_header(
            request, sender=directory_name(speaker.certificate.subject.raw), nonce=nonce, at=self._office.now(),
            sender_kid=speaker.certificate.ski,
        )  # fmt: skip
        algorithm = speaker.signer.public.algorithm
        part = prepare(header._replace(protection_alg=algorithm, general_info=infos), body)
        signature = await self._office.sign(speaker.signer, Intent.of(part))
        return finish(part, signature, (speaker.certificate.der, *self._chain))
