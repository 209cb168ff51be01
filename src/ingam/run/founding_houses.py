"""Roots and houses of the sandbox's first start: ceremonies held at instants of the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.adapters.hsm.sealed_keys import Cost
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey, generated
from ingam.ca import ceremony
from ingam.ca.ceremony import Above, Keys, Participant, Places, Plan, read_certificates
from ingam.ca.issuing.entering import enter_services
from ingam.ca.profiles import Authority, preset, preset_files
from ingam.ca.publishing.lists import root_number
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.ports.books import Books
from ingam.run.houses_offices import root_authority
from ingam.run.houses_places import ROOTS, house_folder, own
from ingam.sandbox.authorities.houses import LICENSED, House
from ingam.settings import Settings
from ingam.wiring.authority import open_books, passphrase

Random = Callable[[int], bytes]

CHEAP: Final = Cost(n=2, r=1, p=1)
"""The passphrases are 256 random bits beside the keys of a demo: there is nothing to stretch."""

BITS: Final = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072}
_DAY: Final = timedelta(days=1)
_YEAR: Final = timedelta(days=365, hours=6)
AGES: Final = {"root4": 16 * _YEAR + 30 * _DAY, "root5": _YEAR}
"""How long before now a root was founded; each is for twenty years."""

HOUSE_AGE: Final = 6 * _YEAR + 60 * _DAY
SECOND_AGE: Final = 219 * _DAY
"""Of SignKorea's second generation, below the second root."""


class Moment:
    """A clock that whoever founds sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The chosen instant."""
        return self.at


class Pool:
    """Keys that were made before they are needed, on every core at once; when they are used up, `make` makes more."""

    def __init__(self, made: Iterable[RSAPrivateKey], make: Callable[[int], RSAPrivateKey]) -> None:
        self._made: dict[int, list[RSAPrivateKey]] = {}
        for key in made:
            self._made.setdefault(key.key_size, []).append(key)
        self._make = make

    def take(self, bits: int) -> RSAPrivateKey:
        """An RSA key of so many bits."""
        left = self._made.get(bits)
        return left.pop(0) if left else self._make(bits)

    def of_kind(self, kind: KeyKind) -> PrivateKey:
        """As places of keys ask."""
        return self.take(BITS[kind]) if kind in BITS else generated(kind)


class Foundry:
    """Holds the ceremonies below one folder."""

    def __init__(self, world: Path, settings: Settings, pool: Pool, now: datetime, random: Random) -> None:
        self._world, self._settings, self._pool, self._now, self._random = world, own(settings), pool, now, random

    def root(self, key: str) -> None:
        """A root, with a place of its own for its key."""
        folder, authority = house_folder(self._world, key), root_authority(key)
        ceremony.found_root(
            folder, authority, lambda draft: self._both(draft, folder), self._plan(None), self._now - AGES[key],
            self._random, number=ROOTS[key],
        )  # fmt: skip

    def house(self, house: House) -> None:
        """A house below the first root, with its first generation."""
        folder, authority = house_folder(self._world, house.key), preset(house.key)

        def opened(draft: Path) -> Keys:
            return Keys(self._root_keys("root4"), self.keys(draft, folder))

        plan = self._plan("root4")
        ceremony.found(folder, authority, preset_files(house.key), opened, plan, self._now - HOUSE_AGE, self._random)

    def second_generation(self, house: House) -> None:
        """The next CA of a house below the second root: RSA-3072, without a path length."""
        folder, first = house_folder(self._world, house.key), preset(house.key)
        larger = replace(first.keys, issuing=KeyKind.RSA_3072, ocsp=KeyKind.RSA_3072)
        authority = replace(first, root=root_authority("root5").root, path_length=None, keys=larger)
        keys = Keys(self._root_keys("root5"), self.keys(folder, folder))
        try:
            ceremony.roll_over(folder, authority, keys, self._plan("root5"), self._now - SECOND_AGE, self._random)
        finally:
            keys.close()

    def keys(self, place: Path, folder: Path) -> FileSigningKeys:
        """Key files below `place`, under the passphrase of `folder`."""
        secret = passphrase(self._settings, folder)
        return FileSigningKeys(place / "keys", secret, cost=CHEAP, source=self._pool.of_kind)

    async def enter_below_roots(self) -> None:
        """What the roots issued, in their books: so that their lists can name it one day."""
        for key, number in ROOTS.items():
            books = open_books(house_folder(self._world, key))
            for one in LICENSED:
                if one.root == key:
                    await self._enter(books, root_authority(key), root_number(number), one.house.key, one.generation)
            await books.shut()

    async def _enter(self, books: Books, root: Authority, ca: int, house: str, generation: int) -> None:
        held = read_certificates(house_folder(self._world, house))
        named: dict[str, Certificate] = {
            f"issuing-{generation}": held.issuing[generation],
            f"ocsp-{generation}": held.service("ocsp", generation, self._now).certificate,
        }
        await enter_services(books, root, ca, named, self._now)

    def _both(self, draft: Path, folder: Path) -> Keys:
        keys = self.keys(draft, folder)
        return Keys(keys, keys)

    def _root_keys(self, key: str) -> FileSigningKeys:
        folder = house_folder(self._world, key)
        return self.keys(folder, folder)

    def _plan(self, root: str | None) -> Plan:
        place = "key files of a sandbox"
        above = None if root is None else self._above(root)
        return Plan(
            (Participant("make run", "demo"),), Places(place, place), {"ingam": "sandbox"}, responder_by_root=True,
            above=above,
        )  # fmt: skip

    def _above(self, key: str) -> Above:
        number = ROOTS[key]
        return Above(number, read_certificates(house_folder(self._world, key)).roots[number])
