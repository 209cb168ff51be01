"""Keys for one ceremony: made by name, or taken where an earlier ceremony left them and the plan says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingam.ca.ceremony.plan import CeremonyRefused, KeyOtherKind, Keys, KeysLeftOver, Plan
from ingam.ca.ceremony.record import MadeKey
from ingam.kernel.steps import reach
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.ports.signing import PublicHalf, Signer, SigningKeys

_ROOT: Final = "root-"
_ENCRYPTION: Final = "encryption-"


class Keyring:
    """`wanted`: the kinds of the new keys, by name. Raises KeysLeftOver before anything is made."""

    def __init__(self, keys: Keys, plan: Plan, wanted: Mapping[str, KeyKind]) -> None:
        self._keys, self._plan, self._wanted = keys, plan, wanted
        self.made: list[MadeKey] = []
        self._left = {name for name in wanted if name in self._place(name).names()}
        if self._left and not plan.reuse_keys:
            raise KeysLeftOver(names=", ".join(sorted(self._left)))

    @property
    def responder_by_root(self) -> bool:
        """What the plan says of OCSP responders."""
        return self._plan.responder_by_root

    def signer(self, name: str) -> Signer:
        """A new key that signs. Raises KeyOtherKind, and what SigningKeys.make raises."""
        found = self._place(name).signer(name) if name in self._left else self._make(name)
        self._enter(found.public)
        return found

    def public(self, name: str) -> PublicHalf:
        """The public half of a new key, which may be one that decrypts."""
        if name in self._left and name.startswith(_ENCRYPTION):
            found = self._place(name).decryptor(name).public
            self._enter(found)
            return found
        return self.signer(name).public

    def known(self, name: str, certificate: Certificate) -> Signer:
        """A key that has a certificate already. Raises KeyMissing; CeremonyRefused where it is not that one's."""
        found = self._place(name).signer(name)
        if found.public.spki != certificate.spki:
            raise CeremonyRefused(reason="key-of-another")
        return found

    def _make(self, name: str) -> Signer:
        made = self._place(name).make(name, self._wanted[name])
        reach(f"ceremony.{name}")
        return made

    def _place(self, name: str) -> SigningKeys:
        return self._keys.root if name.startswith(_ROOT) else self._keys.others

    def _enter(self, public: PublicHalf) -> None:
        if public.kind is not self._wanted[public.name]:
            raise KeyOtherKind(name=public.name, kind=public.kind.value)
        where = self._plan.places.root if public.name.startswith(_ROOT) else self._plan.places.others
        self.made.append(MadeKey(public, where, public.name in self._left))
