"""The authority at work: who it is, its generations and keys, its books; the one thing that its services are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from ingam.ca.issuing.template import Template, compile_template
from ingam.ca.profiles import Authority, Generation, Profile
from ingam.kernel.errors import Defect
from ingam.npki.certificate import Certificate
from ingam.npki.signature import PublicKey, public_key
from ingam.ports.books import Books
from ingam.ports.clock import Clock
from ingam.ports.keys import BlindIndex, Sealer
from ingam.ports.signing import Decryptor, Intent, Signer

TEMPLATES_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Issuer:
    """One generation of the issuing CA: its facts, its certificate and its key."""

    generation: Generation
    certificate: Certificate
    signer: Signer

    @property
    def key(self) -> PublicKey:
        """The key that verifies what it issued."""
        return public_key(self.certificate.spki)


@dataclass(frozen=True, slots=True)
class Speaker:
    """The certificate and key that protect CMP answers to who has no code."""

    certificate: Certificate
    signer: Signer


@dataclass(frozen=True, slots=True)
class Opener:
    """The certificate that R is encrypted to, and the key that opens it and does nothing else (security D6)."""

    certificate: Certificate
    key: Decryptor


@dataclass(frozen=True)
class Office:
    """All that issuing, revoking and answering share. The last of `issuers` issues; the earlier ones' stay in force.

    `roots`: of every generation, the newest last; `links`: of one root's key by another's (newWithOld, oldWithNew).
    `threads`: where signatures are made, off the event loop. `random(n)`: n bytes of a CSPRNG.
    """

    authority: Authority
    issuers: tuple[Issuer, ...]
    roots: tuple[Certificate, ...]
    speaker: Speaker
    openers: tuple[Opener, ...]
    books: Books
    sealer: Sealer
    index: BlindIndex
    clock: Clock
    random: Callable[[int], bytes]
    threads: Executor
    links: tuple[Certificate, ...] = ()
    _templates: Callable[[str, int, int], Template] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_templates", lru_cache(TEMPLATES_KEPT)(self._compiled))

    @property
    def issuer(self) -> Issuer:
        """The generation that issues today."""
        return self.issuers[-1]

    def issuer_of(self, number: int) -> Issuer:
        """The generation of a number. Raises Defect."""
        for one in self.issuers:
            if one.generation.number == number:
                return one
        raise Defect("ca-generation-unknown", generation=number)

    def template(self, profile: Profile, generation: int, partition: int) -> Template:
        """The compiled template, kept."""
        return self._templates(profile.name, generation, partition)

    def now(self) -> datetime:
        """The instant in whole seconds: certificates and lists have no others (RFC 5280 section 4.1.2.5)."""
        return self.clock.now().replace(microsecond=0)

    async def sign(self, signer: Signer, intent: Intent) -> bytes:
        """A signature, off the loop where it waits for something. Raises IntentUsed, SigningOutage."""
        if not signer.waits:
            return signer.sign(intent)
        return await asyncio.get_running_loop().run_in_executor(self.threads, signer.sign, intent)

    def _compiled(self, profile: str, generation: int, partition: int) -> Template:
        found = self.issuer_of(generation).generation
        return compile_template(self.authority, self.authority.profile(profile), found, partition)
